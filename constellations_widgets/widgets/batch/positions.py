"""Find the positions of a batch's images by their stars: search, list, show each on the sky, accept or discard."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import ConstellationsError
from ...geometry.angles import format_angle, format_dec, format_ra
from ...geometry.position import is_flat, position_of
from ...schema.placement import is_tan, number
from ...solving.hints import angle_range
from ...solving.indexes import require_index_files
from ...solving.many import Search, search_all
from ...solving.solver import SPREAD
from ..form import PLACEMENT
from ..placement_search import Proposal
from ..protocol.publishing import BatchPosition, BatchPositions
from ..star_search import StarSearch, described, parsed_hints, typed_hints

if TYPE_CHECKING:
    from ...draft import ImageDraft
    from ...outcomes import Outcome
    from ...solving.solution import Solution
    from ..base import Message
    from ..worker import Job
    from .run import BatchRun

_MOST_FOUND = 1000  # results that the page lists
LABEL = "Position"
"""What the step is called that accepts positions and can be undone."""

Show = Callable[[int, "Solution | None"], object]


def is_unplaced(draft: ImageDraft) -> bool:
    """Return whether a draft has no position, and its picture is one file on this machine, in which stars can be detected."""
    local = draft.local
    if draft.locked or local is None or (local.tiled and local.pixels is None):
        return False
    return is_flat(draft.values) and position_of(draft.values, local.size) is None


@dataclass
class _Result:
    """What became of the search for one row, and its draft's placement before and after."""

    proposal: Proposal[Solution]
    item: BatchPosition
    before: dict[str, Any]
    after: dict[str, Any] | None = None
    solution: Solution | None = None

    def note(self, **changes: Any) -> None:
        """Change what the page lists of it."""
        self.item = {**self.item, **changes}  # type: ignore[typeddict-item]


class PositionSearch(StarSearch):
    """Worker of the button "Find positions of … images" of a table. No image is placed before its solution is accepted.

    Parameters
    ----------
    run : BatchRun
        The images. The searches are for those that are chosen and have no position.
    show_state, show_found : callable
        Called with the state and with the list of results at every change, from any thread.
    show_solution : callable
        Called with the row that is shown on the sky and the solution that waits there, or None once it is decided about.
    """

    messages: ClassVar[frozenset[str]] = frozenset(
        {"find_positions", "cancel_positions", "accept_positions", "discard_positions", "download_indexes"}
    )

    def __init__(
        self,
        run: BatchRun,
        show_state: Callable[[BatchPositions], object],
        show_found: Callable[[list[BatchPosition]], object],
        show_solution: Show,
    ):
        self._run, self._show, self._show_found, self._show_solution = run, show_state, show_found, show_solution
        self._unplaced = {row for row, draft in enumerate(run.drafts) if is_unplaced(draft)}
        self._results: dict[int, _Result] = {}
        state: BatchPositions = {
            "phase": "idle",
            "images": len(self._rows()),
            "searched": 0,
            "total": 0,
            "progress": 0.0,
            "message": "",
            "near": "",
            "width": "",
            "offer": "",
            "size": "",
        }
        super().__init__("find-positions", state)
        self._stop_listening = run.listen(self._on_change)

    def on_message(self, message: Message) -> None:
        """Carry out what the page asks for."""
        kind, rows = message.get("kind"), message.get("rows")
        if kind == "cancel_positions":
            self._cancel()
        elif self._run.busy:
            return
        elif kind == "find_positions":
            near, width = typed_hints(message)
            self._start(lambda job: self._search(job, near, width), near=near, width=width)
        elif kind == "download_indexes":
            self._begin_download()
        elif isinstance(rows, list):
            act = self.accept if kind == "accept_positions" else self.discard
            act([row for row in rows if isinstance(row, int)])

    def close(self) -> None:
        """Stop a running search."""
        self._stop_listening()
        super().close()

    def found(self) -> list[BatchPosition]:
        """Return the results, in the order of the rows."""
        with self._lock:
            return [self._results[row].item for row in sorted(self._results)][:_MOST_FOUND]

    def solution_of(self, row: int) -> Solution | None:
        """Return the solution of a row that waits for a decision."""
        result = self._results.get(row)
        return result.proposal.found if result else None

    def note_shown(self, row: int) -> None:
        """Note that a row was shown on the sky."""
        with self._lock:
            if row in self._results and not self._results[row].item["seen"]:
                self._set(row, seen=True)

    def accept(self, rows: Iterable[int]) -> int:
        """Place the images of rows as was found, as one step that can be undone; return how many were placed."""
        waiting = {row: result for row, result in self._waiting(rows).items() if not self._run.busy}

        def place(row: int, _draft: ImageDraft) -> None:
            result = waiting[row]
            try:
                result.solution = result.proposal.accept()
            except ConstellationsError as error:
                self._set(row, state="failed", message=str(error), found=None)

        self._run.change(LABEL, place, waiting)
        accepted = {row: each for row, each in waiting.items() if each.solution is not None}
        with self._lock:
            for row, result in accepted.items():
                result.after = _placement(self._run.drafts[row])
                result.note(state="accepted", message=f"Placed by {len(result.solution.stars)} stars.")  # type: ignore[union-attr]
            self._show_list()
        return len(accepted)

    def discard(self, rows: Iterable[int]) -> None:
        """Drop what was found for rows, and the reasons why nothing was."""
        with self._lock:
            dropped = [self._results.pop(row) for row in rows if row in self._results]
            self._show_list()
        for result in dropped:
            result.proposal.discard()

    # -- the search

    def _start(self, run: Callable[[Job], object], **changes: Any) -> None:
        with self._lock:
            rows = self._rows()
            if not rows or self._worker.start(run) is None:
                return
            self._results = {row: each for row, each in self._results.items() if row not in rows}
            self._show_list()
            self._offer = None
            changes |= {"searched": 0, "total": len(rows), "progress": 0.0, "message": "Starting"}
            self._update(phase="running", offer="", size="", **changes)

    def _search(self, job: Job, near: str, width: str) -> None:
        given = parsed_hints(near, width)
        # Missing index files are reported once, rather than for each image.
        require_index_files(angle_range(given["width"], "width=", "deg", spread=SPREAD) if width else None)
        rows = self._rows()
        drafts = [self._run.drafts[row] for row in rows]
        hints = [hints_of(draft, given) for draft in drafts]
        searches = [Search(draft.name, draft.local, each) for draft, each in zip(drafts, hints, strict=True)]
        before = [_placement(draft) for draft in drafts]
        ended: set[int] = set()

        def tell(index: int, part: float, text: str) -> None:
            self._on_progress((len(ended) + part) / len(rows), f"{drafts[index].name}: {text}")

        def on_outcome(index: int, outcome: Outcome) -> None:
            ended.add(index)
            if job.is_current:
                self._take(rows[index], outcome, before[index], hints[index], given, job.cancelled.is_set())
                self._update(searched=len(ended), progress=len(ended) / len(rows))

        search_all(searches, on_outcome, on_progress=tell, cancel=job.cancelled)
        if job.is_current:
            self._update(phase="found", progress=1.0, message=self._summary(rows, job.cancelled.is_set()))

    def _take(
        self,
        row: int,
        outcome: Outcome,
        before: dict[str, Any],
        hints: Mapping[str, Any],
        given: Mapping[str, Any],
        is_cancelled: bool,
    ) -> None:
        """List what became of one image."""
        draft, solution = self._run.drafts[row], outcome.result
        if solution is None and is_cancelled:
            return
        error = outcome.error
        if solution is not None and _placement(draft) != before:
            solution, error = None, "The placement was changed meanwhile, and was not replaced."
        elif error and (own := [*hints.keys() - given.keys()]):
            error = f"{error.rstrip('.')}. {_own_hints(own, hints)}"
        proposal: Proposal[Solution] = Proposal(draft.accept, functools.partial(self._show_solution, row))
        proposal.found = solution
        item: BatchPosition = {
            "row": row,
            "name": draft.name[:300],
            "state": "failed" if solution is None else "found",
            "message": error,
            "found": None if solution is None else described(solution),
            "seen": False,
        }
        with self._lock:
            self._results[row] = _Result(proposal, item, before)
            self._show_list()

    def _summary(self, rows: list[int], is_cancelled: bool) -> str:
        states = [self._results[row].item["state"] for row in rows if row in self._results]
        found = f"{states.count('found'):,} of {len(rows):,} images found"
        return f"Cancelled: {found}." if is_cancelled else f"{found}."

    # -- what has changed

    def _rows(self) -> list[int]:
        """Return the rows to search: chosen, without a position, and with none that waits to be accepted."""
        return [row for row in sorted(self._unplaced & self._run.chosen) if self.solution_of(row) is None]

    def _waiting(self, rows: Iterable[int]) -> dict[int, _Result]:
        with self._lock:
            return {row: self._results[row] for row in rows if self.solution_of(row) is not None}

    def _on_change(self, numbers: Iterable[int]) -> None:
        """Drop results whose image was placed otherwise; offer those again whose acceptance was undone."""
        dropped: list[int] = []
        for row in numbers:
            draft = self._run.drafts[row]
            with self._lock:
                if is_unplaced(draft):
                    self._unplaced.add(row)
                else:
                    self._unplaced.discard(row)
                result = self._results.get(row)
                if result is None or result.proposal.is_placing:
                    continue
                now, accepted = _placement(draft), result.after is not None
                if now == (result.after if accepted else result.before):
                    continue
                if accepted and now == result.before:
                    result.proposal.found, result.solution, result.after = result.solution, None, None
                    self._set(row, state="found", message="")
                    continue
            dropped.append(row)
        if dropped:
            self.discard(dropped)
        if len(self._rows()) != self.state["images"]:
            self._update()

    def _set(self, row: int, **changes: Any) -> None:
        with self._lock:
            self._results[row].note(**changes)
            self._show_list()

    def _show_list(self) -> None:
        self._show_found(self.found())
        if len(self._rows()) != self.state["images"]:
            self._update()

    def _show_state(self) -> None:
        self.state = {**self.state, "images": len(self._rows())}
        self._show(self.state)


def hints_of(draft: ImageDraft, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given hints of `find_position`, and what else is known of a draft's incomplete position."""
    values = draft.values
    ra, dec, scale = (number(values, f"wwt.{name}") for name in ("center_x", "center_y", "base_degrees_per_tile"))
    hints: dict[str, Any] = {}
    if ra is not None and dec is not None and abs(dec) <= 90:
        hints["near"] = (ra, dec)
    if scale is not None and scale > 0 and "width" not in given and not is_tan(values):
        hints["pixel_scale"] = scale * 3600
    return {**hints, **given}


def _own_hints(names: list[str], hints: Mapping[str, Any]) -> str:
    """Return which hints were taken from a draft's own fields."""
    parts = []
    if "near" in names:
        ra, dec = hints["near"]
        parts.append(f"around its center, {format_ra(ra)} {format_dec(dec)}")
    if "pixel_scale" in names:
        parts.append(f"with its pixel scale, {format_angle(hints['pixel_scale'] / 3600)}")
    return (
        f"It was searched {' and '.join(parts)}, which stand in its fields: correct or clear them if they may be wrong"
    )


def _placement(draft: ImageDraft) -> dict[str, Any]:
    values = draft.values
    return {path: values[path] for path in PLACEMENT}
