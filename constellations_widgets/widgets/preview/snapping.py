"""“Snap to sky”: refine a placement by the sky behind the image, or by a FITS image; taken by a click or by Python."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConstellationsError
from ..protocol.preview import SnapState
from ..worker import Job, Worker, format_error

if TYPE_CHECKING:
    from ...draft import ImageDraft
    from ...publishing.published import PublishedImage
    from ...solving.registration import Snapped
    from .snapshots import Received

TakeSky = Callable[..., "Received"]
TIMEOUT = 60.0
"""Seconds to wait for the sky, by default."""

_PACE = 0.2  # seconds between two reports of progress
IDLE: SnapState = {"phase": "idle", "progress": 0.0, "message": "", "facts": [], "doubt": ""}


class Snapping:
    """The search for a better placement of a draft's image. Nothing is changed before it is accepted.

    Parameters
    ----------
    draft : ImageDraft or None
    place : callable
        Places the image like a `Snapped`, as one step of the editor; raises a ConstellationsError if that is impossible.
    """

    messages = ("snap", "snap_cancel", "snap_accept", "snap_discard")

    def __init__(self, draft: ImageDraft | PublishedImage | None, place: Callable[[Snapped], object]):
        self._draft, self._place = draft, place
        self._lock = threading.RLock()
        self._worker = Worker("snap", self._on_error, self._lock)
        self._placing = False
        self._shown_at = 0.0
        self.found: Snapped | None = None
        self.state: SnapState = IDLE
        # The preview sets these three.
        self.take_sky: TakeSky | None = None
        self.show: Callable[[Snapped | None], object] = lambda _: None
        self.changed: Callable[[], object] = lambda: None

    def on_message(self, message: Mapping[str, Any]) -> None:
        """Handle a message from the page."""
        kind = message.get("kind")
        if kind == "snap_cancel":
            self._worker.cancel()
        elif kind == "snap":
            self._worker.start(lambda job: self._search(job, None, TIMEOUT, accept=False))
        elif kind == "snap_accept":
            try:
                self.accept()
            except ConstellationsError as error:
                self._update(phase="failed", message=str(error), facts=[])
        elif kind == "snap_discard":
            self.discard()

    def run(self, reference: str | Path | None, timeout: float, accept: bool) -> Snapped:
        """Search, in this thread, and accept or show the result. Raises the errors of `PlacementEditor.snap`."""
        try:
            return self._worker.run(lambda job: self._search(job, reference, timeout, accept))
        except BaseException as error:
            self._update(phase="failed", message=format_error(error) if isinstance(error, Exception) else "", facts=[])
            raise

    def accept(self) -> None:
        """Place the image as was found. Raises a ConstellationsError if that is impossible, or nothing waits."""
        with self._lock:
            found, self.found = self.found, None
        if found is None:
            raise ConstellationsError("No placement waits to be accepted: snap first.")
        self._take(found)

    def discard(self) -> None:
        """Drop what was found; the image is shown where it was."""
        with self._lock:
            waited, self.found = self.found is not None, None
            self._update(**IDLE)
        if waited:
            self.show(None)

    def on_placed(self) -> None:
        """Drop what was found, because the image was placed otherwise."""
        if not self._placing and self.found is not None:
            self.discard()

    def close(self) -> None:
        """Stop a running search."""
        self._worker.drop()

    def _search(self, job: Job, reference: str | Path | None, timeout: float, accept: bool) -> Snapped:
        from ...solving.snap import picture_of, snap

        draft = self._draft
        if draft is None:
            raise ConstellationsError("There is no image to place.")
        self.discard()
        self._update(phase="running", message="Reading the image")

        def progress(part: float, text: str) -> None:
            if job.cancelled.is_set():
                raise ConstellationsError("Snapping was cancelled.")
            now = time.monotonic()
            if now - self._shown_at > _PACE:
                self._shown_at = now
                self._update(progress=part, message=text)

        values = dict(draft.values)
        picture, plane = picture_of(getattr(draft, "local", None), values)
        given = reference if reference is not None else self._sky(picture.size, plane, timeout, job)
        found = snap(picture, plane, given, progress)
        with self._lock:
            if not job.is_current or job.cancelled.is_set():
                raise ConstellationsError("Snapping was cancelled.")
            now = draft.values
            if any(now[path] != value for path, value in values.items() if path.startswith("wwt.")):
                raise ConstellationsError("The placement was changed meanwhile, and was not replaced: snap again.")
            if not accept:
                self.found = found
                self._update(phase="found", progress=1.0, message="", **_described(found))
        if accept:
            self._take(found)
        else:
            self.show(found)
        return found

    def _sky(self, size: tuple[int, int], plane: Any, timeout: float, job: Job) -> Any:
        """Return the sky behind the image as a page shows it."""
        from ...solving.snap import picture_of_sky, sky_reference, view_around

        if self.take_sky is None:
            raise ConstellationsError("No preview shows the image, so there is no sky to compare it with.")
        self._update(message="Waiting for the sky behind the image")
        view = view_around(plane, size)
        received = self.take_sky(timeout, job.cancelled, **view._asdict())
        survey, pixel = received.about.get("survey"), received.about.get("pixel")
        if not isinstance(survey, str) or not isinstance(pixel, (int, float)) or not 0 < pixel < 360:
            raise ConstellationsError("The page did not say what it shows behind the image: reload it, and try again.")
        return sky_reference(picture_of_sky(received.content), view.plane, float(pixel), survey[:80])

    def _take(self, found: Snapped) -> None:
        """Change the draft. Without the lock: observers that are notified may hold another one and wait for this."""
        self._placing = True
        try:
            self._place(found)
        finally:
            self._placing = False
            self.show(None)
        self._update(**{**IDLE, "message": f"Placed by {found.parts} parts of the image."})

    def _on_error(self, error: Exception) -> None:
        cancelled = self._worker.is_cancelled
        self._update(
            **{**IDLE, "phase": "idle" if cancelled else "failed", "message": "" if cancelled else format_error(error)}
        )

    def _update(self, **changes: Any) -> None:
        with self._lock:
            self.state = {**self.state, **changes}  # type: ignore[typeddict-item]
        self.changed()


def _described(found: Snapped) -> dict[str, Any]:
    scale = found.plane.scale * 3600
    facts = [
        ("Compared with", found.reference),
        ("Pixel scale", f"{scale:.4g}″" + (", mirrored" if found.plane.mirrored else "")),
        ("Agreeing parts", f"{found.parts}, {100 * found.agreeing:.0f} % of the clear matches"),
        ("Residual", f"{found.rms:.2g} pixels ({found.rms * scale:.2g}″) rms"),
        ("Standard error", f"{found.error:.2g} pixels"),
        ("Confidence", found.confidence),
    ]
    return {"facts": facts, "doubt": found.doubt}
