"""Searches for positions by stars, of one image or many: hints, missing index files, and a solution in words."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ConstellationsError, NoIndexError
from ..geometry.angles import format_dec, format_ra, parse_angle
from ..solving.downloads import IndexDownload, index_download, size_text
from .placement_search import PlacementSearch
from .protocol.drafts import FoundPosition

if TYPE_CHECKING:
    from ..solving.solution import Solution
    from .base import Message
    from .worker import Job

_LONGEST = 80  # characters of a hint


class StarSearch(PlacementSearch):
    """Search by stars. Index files that are missing are offered with size and source, and downloaded on a click.

    The state has ``near`` and ``width``, the hints as typed, and ``offer`` and ``size`` of the index files.
    """

    _offer: IndexDownload | None = None

    @abstractmethod
    def _start(self, run: Callable[[Job], object], **changes: Any) -> None:
        """Start a job, unless one is running, and show that."""

    @abstractmethod
    def _search(self, job: Job, near: str, width: str) -> None:
        """Search with hints as typed."""

    def _cancel(self) -> None:
        with self._lock:
            if self._offer is None:
                super()._cancel()
                return
            # A download ends with the next bytes, which may take a while to come: it is not waited for.
            self._worker.drop()
            self._update(phase="idle", message="The download was stopped; the next one continues where it ended.")
            self._show_offer()

    def _begin_download(self) -> None:
        with self._lock:
            download = self._offer
            if download is None:
                return
            near, width = self.state["near"], self.state["width"]

            def run(job: Job) -> None:
                download.run(self._on_progress, job.cancelled)
                with self._lock:
                    if not job.is_current:
                        return
                    self._offer = None
                self._search(job, near, width)

            self._start(run)
            self._offer = download

    def _on_error(self, error: Exception) -> None:
        super()._on_error(error)
        if isinstance(error, NoIndexError):
            self._offer = self._helpful_files()
        self._show_offer()

    def _helpful_files(self) -> IndexDownload | None:
        """Return the missing index files for the hints, if they are known and there are any."""
        near, width = self.state["near"], self.state["width"]
        try:
            found = index_download(parse_angle(width) if width else None, near=near or None)
        except ConstellationsError:
            return None
        return found if found.files else None

    def _show_offer(self) -> None:
        offer = self._offer
        self._update(offer=f"{offer}." if offer else "", size=size_text(offer.size) if offer else "")


def typed_hints(message: Message) -> tuple[str, str]:
    """Return the hints near and width of a message, as typed."""
    near, width = (str(message.get(key) or "").strip()[:_LONGEST] for key in ("near", "width"))
    return near, width


def parsed_hints(near: str, width: str) -> dict[str, Any]:
    """Return typed hints as those of `find_position`. Raises SourceError if they are no numbers."""
    return ({"near": near} if near else {}) | ({"width": parse_angle(width)} if width else {})


def described(solution: Solution) -> FoundPosition:
    """Return a solution in words, for a page."""
    ra, dec = solution.center
    rms, scale = solution.rms, solution.pixel_scale
    facts = [
        ("Center", f"{format_ra(ra)} {format_dec(dec)}"),
        ("Pixel scale", f"{scale:.4g}″" + (", mirrored" if solution.parity < 0 else "")),
        ("Matched stars", f"{len(solution.stars)} of {solution.detected} detected"),
        ("Residual", f"{rms:.2g} pixels ({rms * scale:.2g}″) rms, {solution.largest_residual:.2g} pixels at most"),
        ("Confidence", solution.confidence),
    ]
    remarks = [*solution.remarks, *([solution.inaccuracy] if solution.inaccuracy else [])]
    return {"facts": facts, "doubts": list(solution.doubts), "remarks": remarks}
