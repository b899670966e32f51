"""“Snap to sky”: refine a placement by the sky behind the image, or by a FITS image; taken by a click or by Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConstellationsError
from ...text import format_sentence
from ..placement_search import PlacementSearch, Proposal
from ..protocol.preview import SnapState
from ..worker import Job, format_error

if TYPE_CHECKING:
    from ...draft import ImageDraft
    from ...publishing.published import PublishedImage
    from ...solving.registration import Snapped
    from .snapshots import Received

TakeSky = Callable[..., "Received"]
TIMEOUT = 60.0
"""Seconds to wait for the sky, by default."""

IDLE: SnapState = {"phase": "idle", "progress": 0.0, "message": "", "facts": [], "doubt": ""}


class Snapping(PlacementSearch):
    """The search for a better placement of a draft's image. Nothing is changed before it is accepted.

    Parameters
    ----------
    draft : ImageDraft or None
    place : callable
        Places the image like a `Snapped`, as one step of the editor; raises a ConstellationsError if that is impossible.
    """

    cancelled_text = "Snapping was cancelled."
    reset = IDLE
    messages = ("snap", "snap_cancel", "snap_accept", "snap_discard")

    def __init__(self, draft: ImageDraft | PublishedImage | None, place: Callable[[Snapped], object]):
        self._draft = draft
        self._proposal: Proposal[Snapped] = Proposal(place, lambda found: self.show(found))
        # The preview sets these three.
        self.take_sky: TakeSky | None = None
        self.show: Callable[[Snapped | None], object] = lambda _: None
        self.changed: Callable[[], object] = lambda: None
        super().__init__("snap", IDLE)

    @property
    def found(self) -> Snapped | None:
        """What was found and waits for a decision."""
        return self._proposal.found

    def on_message(self, message: Mapping[str, Any]) -> None:
        """Handle a message from the page."""
        kind = message.get("kind")
        if kind == "snap_cancel":
            self._cancel()
        elif kind == "snap":
            self._worker.start(lambda job: self._search(job, None, TIMEOUT, accept=False))
        elif kind == "snap_accept":
            try:
                self.accept()
            except ConstellationsError as error:
                self._show_failure(error)
        elif kind == "snap_discard":
            self.discard()

    def run(self, reference: str | Path | None, timeout: float, accept: bool) -> Snapped:
        """Search, in this thread, and accept or show the result. Raises the errors of `PlacementEditor.snap`."""
        try:
            return self._worker.run(lambda job: self._search(job, reference, timeout, accept))
        except BaseException as error:
            self._show_failure(error)
            raise

    def _show_failure(self, error: BaseException) -> None:
        message = format_sentence(format_error(error)) if isinstance(error, Exception) else ""  # an interrupt
        self._update(phase="failed", message=message, facts=[])

    def accept(self) -> None:
        """Place the image as was found. Raises a ConstellationsError if that is impossible, or nothing waits."""
        if (found := self._proposal.accept()) is None:
            raise ConstellationsError("No placement waits to be accepted: snap first.")
        self._placed_by(found)

    def discard(self) -> None:
        """Drop what was found; the image is shown where it was."""
        self._proposal.discard()
        self._update(**IDLE)

    def on_placed(self) -> None:
        """Drop what was found, because the image was placed otherwise."""
        if not self._proposal.is_placing and self.found is not None:
            self.discard()

    def _search(self, job: Job, reference: str | Path | None, timeout: float, accept: bool) -> Snapped:
        from ...solving.snap import picture_of, snap

        draft = self._draft
        if draft is None:
            raise ConstellationsError("There is no image to place.")
        self.discard()
        self._update(phase="running", message="Reading the image")

        def progress(part: float, text: str) -> None:
            self._require_wanted(job)
            self._on_progress(part, text)

        values = dict(draft.values)
        picture, plane = picture_of(getattr(draft, "local", None), values)
        given = reference if reference is not None else self._sky(picture.size, plane, timeout, job)
        found = snap(picture, plane, given, progress)
        with self._lock:
            self._require_wanted(job)
            now = draft.values
            if any(now[path] != value for path, value in values.items() if path.startswith("wwt.")):
                raise ConstellationsError("The placement was changed meanwhile, and was not replaced: snap again.")
            if not accept:
                self._proposal.found = found
                self._update(phase="found", progress=1.0, message="", **_described(found))
        if accept:
            self._proposal.place(found)
            self._placed_by(found)
        else:
            self._proposal.show()
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

    def _placed_by(self, found: Snapped) -> None:
        self._update(**{**IDLE, "message": f"Placed by {found.parts} parts of the image."})

    def _show_state(self) -> None:
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
