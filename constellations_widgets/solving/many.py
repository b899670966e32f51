"""Find the positions of many images: in worker processes of this machine, or on the machines of a cluster."""

from __future__ import annotations

import dataclasses
import inspect
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ConstellationsError
from ..outcomes import THREADS, OnDone, Outcome, executor_or_threads, outcome_of
from .solution import Solution
from .solver import find_position, picture_file, reliable, result_unless

if TYPE_CHECKING:
    from ..draft import ImageDraft
    from ..sources.local import LocalImage

_FIRST = 2  # images of one size that are searched before the others, to learn their scale
_POLL = 0.2  # seconds until a cancel is noticed while an executor works
_OWN_SCALE = ("width", "pixel_scale", "likely_width", "online")  # hints with which no scale is taken from other images

OnProgress = Callable[[int, float, str], Any]


@dataclass(frozen=True)
class Search:
    """One image of many whose position is searched: its name, its files, and hints as for `find_position`."""

    name: str
    local: LocalImage | None
    hints: Mapping[str, Any]

    @property
    def group(self) -> Hashable:
        """What images that may have one scale have in common: their size in pixels; None for an image that shares with no other."""
        return None if self.local is None or any(self.hints.get(name) for name in _OWN_SCALE) else self.local.size


def solve_all(
    drafts: Iterable[ImageDraft | tuple[ImageDraft, Mapping[str, Any]]],
    *,
    accept: bool = False,
    executor: Executor | None = None,
    on_done: OnDone | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
    **hints: Any,
) -> list[Outcome]:
    """Find the positions of many images by their stars; change nothing unless `accept` is given. One that fails stops no other.

    Images with the same number of pixels are often of one camera: the scale of the first that is found is tried first for the
    others. It only makes their search faster; each solution is proven by the stars of its own image.

    Parameters
    ----------
    drafts : iterable of ImageDraft or (ImageDraft, dict)
        Drafts whose images are on this machine; a pair has the hints of this image in its dict, such as ``{"near": "M 51"}``.
    accept : bool, default False
        Whether to place each image whose solution nothing speaks against. Without it, look at each solution, then call
        ``draft.accept(outcome.result)``.
    executor : concurrent.futures.Executor, optional
        As for `tile_all`; its workers must find the files under the same paths. By default two images at a time, each in a
        process of its own.
    on_done : callable, optional
        Called as ``on_done(outcome, done, total)`` after each image, in the thread that called.
    on_progress : callable, optional
        Called as ``on_progress(index, progress, text)`` in threads, with the draft's index from 0, a number from 0 to 1 and what is
        being done; not with an executor.
    cancel : threading.Event, optional
        Set it to stop. With an executor, searches that have begun are completed.
    **hints
        Those of `find_position` for all images: ``near=``, ``width=``, ``timeout=`` (for each image) and so on.

    Returns
    -------
    list of Outcome
        In the order of the drafts; `result` is a `Solution`, or None, and `error` says why and what to try. With `accept`, a doubtful
        solution has an `error` too, and was not taken.

    Raises
    ------
    TypeError
        If `find_position` has no such hint.

    Examples
    --------
    >>> drafts = cxw.drafts_from("images/")
    >>> for draft, outcome in zip(drafts, cxw.solve_all(drafts, near="M 51", width=0.2)):  # doctest: +SKIP
    ...     print(outcome.name, outcome.error or outcome.result)
    """
    pairs = [each if isinstance(each, tuple) else (each, {}) for each in drafts]
    inspect.signature(find_position).bind("", **hints)
    searches = [Search(draft.name, draft.local, {**hints, **own}) for draft, own in pairs]
    outcomes: dict[int, Outcome] = {}

    def finish(number: int, outcome: Outcome) -> None:
        if accept and outcome.result is not None:
            outcome = _accepted(pairs[number][0], outcome)
        outcomes[number] = outcome
        if on_done is not None:
            on_done(outcome, len(outcomes), len(pairs))

    search_all(searches, finish, executor=executor, on_progress=on_progress, cancel=cancel)
    return [outcomes[number] for number in range(len(pairs))]


def _accepted(draft: ImageDraft, outcome: Outcome) -> Outcome:
    """Place an image as was found; return the outcome, with the reason if it was not placed."""
    try:
        draft.accept(reliable(outcome.result, outcome.name))
    except ConstellationsError as error:
        return dataclasses.replace(outcome, error=str(error))
    return outcome


def search_all(
    searches: Sequence[Search],
    on_outcome: Callable[[int, Outcome], object],
    *,
    executor: Executor | None = None,
    on_progress: OnProgress | None = None,
    cancel: threading.Event | None = None,
) -> None:
    """Find the positions of many images; parameters as for `solve_all`.

    Parameters
    ----------
    on_outcome : callable
        Called as ``on_outcome(index, outcome)`` after each image, in this thread.
    """
    stop = cancel or threading.Event()
    queue = _Queue(searches)
    at_once = THREADS if executor is None else len(searches)
    pending: dict[Future[Any], int] = {}
    with executor_or_threads(executor) as workers:
        try:
            while True:
                for number in queue.take(at_once - len(pending)) if not stop.is_set() else ():
                    each, width = searches[number], queue.likely_width(number)
                    options = {"likely_width": width, **each.hints} if width else dict(each.hints)
                    here = (number, stop, on_progress) if executor is None else None
                    pending[workers.submit(_search, each.local, options, here)] = number
                if not pending:
                    break
                for future in wait(pending, _POLL, FIRST_COMPLETED).done:
                    number = pending.pop(future)
                    outcome = (
                        _cancelled(searches[number])
                        if future.cancelled()
                        else outcome_of(searches[number].name, future)
                    )
                    queue.end(number, outcome.result)
                    on_outcome(number, outcome)
                if stop.is_set():
                    for future in pending:
                        future.cancel()
        except BaseException:
            stop.set()
            raise
    for number in queue.waiting:
        on_outcome(number, _cancelled(searches[number]))


def _cancelled(search: Search) -> Outcome:
    return Outcome(search.name, error="The search was cancelled before this image was searched")


def _search(
    local: LocalImage | None,
    options: dict[str, Any],
    here: tuple[int, threading.Event, OnProgress | None] | None,
) -> Solution:
    """Search in this process or on another machine; `here` has what only this process knows: the index, a cancel, the progress."""
    path, hdu = picture_file(local)
    options = {"hdu": hdu, **options}
    if here is None:
        return find_position(path, **options).result()
    number, stop, on_progress = here
    if on_progress is not None:
        tell = on_progress
        options["progress"] = lambda part, text: tell(number, part, text)
    return result_unless(find_position(path, **options), stop)


class _Queue:
    """Order of the searches: first some images of each size, then, when the scale of one of them is known or none was found, the rest."""

    def __init__(self, searches: Sequence[Search]):
        self.waiting = list(range(len(searches)))
        self._groups = [search.group for search in searches]
        self._begun: Counter[Hashable] = Counter()
        self._failed: Counter[Hashable] = Counter()
        self._widths: dict[Hashable, float] = {}

    def take(self, count: int) -> list[int]:
        """Return up to `count` images to search now."""
        taken: list[int] = []
        for number in list(self.waiting):
            if len(taken) >= count:
                break
            if self._is_due(self._groups[number]):
                self._begun[self._groups[number]] += 1
                self.waiting.remove(number)
                taken.append(number)
        return taken

    def likely_width(self, number: int) -> float | None:
        """Return the width in degrees of an image of the same size that was found."""
        return self._widths.get(self._groups[number])

    def end(self, number: int, solution: Solution | None) -> None:
        """Note what became of an image."""
        group = self._groups[number]
        if solution is None or solution.doubts:
            self._failed[group] += 1
        elif group is not None:
            self._widths.setdefault(group, solution.width)

    def _is_due(self, group: Hashable) -> bool:
        return group is None or group in self._widths or self._begun[group] < _FIRST or self._failed[group] >= _FIRST
