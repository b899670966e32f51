"""Fields that many drafts share: copied into them field by field, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..schema.fields import fields

if TYPE_CHECKING:
    from ..draft import ImageDraft

Values = dict[int, dict[str, Any]]
"""For each row some of its values, by path."""
Act = Callable[[int, "ImageDraft"], Any]


@dataclass(frozen=True)
class _Step:
    """One thing that was done to several drafts: what stood there before, and what stands there since."""

    label: str
    before: Values
    after: Values


class SharedFields:
    """Copies values into many drafts and takes them back, one step after the other.

    What is being published, or was, takes no copy. Undoing leaves alone what somebody has changed since.

    >>> shared = SharedFields(drafts)  # doctest: +SKIP
    >>> shared.copy({"permissions.license": "CC-BY-4.0"}, rows=range(10))  # doctest: +SKIP
    >>> shared.undo()  # doctest: +SKIP

    Parameters
    ----------
    drafts : iterable of ImageDraft
        The drafts; `rows` are their numbers, counted from 0.

    Attributes
    ----------
    drafts : tuple of ImageDraft
    undoable, redoable : str
        What `undo` and `redo` would take back and do again, in words; "" if nothing.
    """

    def __init__(self, drafts: Iterable[ImageDraft]):
        self.drafts = tuple(drafts)
        self._done: list[_Step] = []
        self._undone: list[_Step] = []

    @property
    def undoable(self) -> str:
        return self._done[-1].label if self._done else ""

    @property
    def redoable(self) -> str:
        return self._undone[-1].label if self._undone else ""

    def copy(self, values: Mapping[str, Any], rows: Iterable[int] | None = None) -> int:
        """Give drafts these values, by path: ``{"permissions.copyright": "…"}``.

        Parameters
        ----------
        values : mapping
            New values, by path.
        rows : iterable of int, optional
            Which drafts. All by default.

        Returns
        -------
        int
            How many drafts have changed.

        Raises
        ------
        KeyError
            When a path names no field; nothing is changed then.
        """
        for path in values:
            if path not in fields():
                raise KeyError(f"An image has no field {path!r}; there are {', '.join(fields())}")
        titles = ", ".join(fields()[path].title for path in values)
        return self.change(titles, lambda _row, draft: draft.edit(values), rows)

    def host_at(self, base: str, rows: Iterable[int] | None = None) -> int:
        """Say where the images' files will be found, as `ImageDraft.host_at` does; gives how many drafts have changed."""
        return self.change("Addresses", lambda _row, draft: draft.host_at(base), rows)

    def change(self, label: str, act: Act, rows: Iterable[int] | None = None) -> int:
        """Let ``act(row, draft)`` change each draft, as one step; gives how many drafts have changed."""
        before: Values = {}
        after: Values = {}
        for row in range(len(self.drafts)) if rows is None else sorted(set(rows)):
            draft = self.drafts[row]
            if draft.locked:
                continue
            old = draft.values
            act(row, draft)
            now = draft.values
            if changed := [path for path in old if not _same(old[path], now[path])]:
                before[row] = {path: old[path] for path in changed}
                after[row] = {path: now[path] for path in changed}
        if after:
            self._done.append(_Step(f"{label} of {len(after)} image{'s' * (len(after) != 1)}", before, after))
            self._undone.clear()
        return len(after)

    def undo(self) -> int:
        """Take back the last step; gives how many drafts have changed."""
        return self._turn(self._done, self._undone)

    def redo(self) -> int:
        """Do again what was undone last; gives how many drafts have changed."""
        return self._turn(self._undone, self._done)

    def _turn(self, source: list[_Step], target: list[_Step]) -> int:
        if not source:
            return 0
        step = source.pop()
        target.append(step)
        wanted, expected = (step.before, step.after) if source is self._done else (step.after, step.before)
        count = 0
        for row, values in wanted.items():
            draft = self.drafts[row]
            still = {path: value for path, value in values.items() if _same(draft[path], expected[row][path])}
            if still and not draft.locked:
                draft.edit(still)
                count += 1
        return count

    def __repr__(self) -> str:
        return f"<SharedFields of {len(self.drafts)} drafts{f': last {self.undoable}' if self._done else ''}>"


def _same(one: Any, other: Any) -> bool:
    """Whether two values are written alike: NaN is NaN, and 1 is not True."""
    return one is other or repr(one) == repr(other)
