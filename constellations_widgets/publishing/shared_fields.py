"""Fields that many drafts share: copied into them field by field, with undo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..schema.fields import fields

if TYPE_CHECKING:
    from ..draft import ImageDraft

Values = dict[int, dict[str, Any]]
"""Some values of each row, by path."""
Act = Callable[[int, "ImageDraft"], Any]


@dataclass(frozen=True)
class _Step:
    """One change of several drafts: the values before and after."""

    label: str
    before: Values
    after: Values


class SharedFields:
    """Copies of values in many drafts, with undo and redo.

    Drafts that are being published, or were, are not changed. Undo leaves fields alone that were edited since.

    >>> shared = SharedFields(drafts)
    >>> shared.copy({"permissions.license": "CC-BY-4.0"}, rows=range(2))
    >>> shared.undo()

    Parameters
    ----------
    drafts : iterable of ImageDraft
        The drafts; `rows` are their indices, from 0.

    Attributes
    ----------
    drafts : tuple of ImageDraft
    undoable, redoable : str
        Description of what `undo` and `redo` would do; "" if nothing.
    """

    def __init__(self, drafts: Iterable[ImageDraft]):
        self.drafts = tuple(drafts)
        self._done: list[_Step] = []
        self._undone: list[_Step] = []

    @property
    def undoable(self) -> str:
        """Description of the step that `undo` would take back; "" if there is none."""
        return self._done[-1].label if self._done else ""

    @property
    def redoable(self) -> str:
        """Description of the step that `redo` would do again; "" if there is none."""
        return self._undone[-1].label if self._undone else ""

    def copy(self, values: Mapping[str, Any], rows: Iterable[int] | None = None) -> int:
        """Set fields of several drafts, by path: ``{"permissions.copyright": "…"}``.

        Parameters
        ----------
        values : mapping
            New values, by path.
        rows : iterable of int, optional
            Which drafts. All by default.

        Returns
        -------
        int
            Number of drafts that have changed.

        Raises
        ------
        KeyError
            If a path names no field; nothing is changed then.
        IndexError
            If there is no such row; nothing is changed then.
        """
        for path in values:
            if path not in fields():
                raise KeyError(f"An image has no field {path!r}; there are {', '.join(fields())}")
        titles = ", ".join(fields()[path].title for path in values)
        return self.change(titles, lambda _row, draft: draft.edit(values), rows)

    def host_at(self, base: str, rows: Iterable[int] | None = None) -> int:
        """Set where the images' files will be hosted, see `ImageDraft.host_at`; return how many drafts changed."""
        return self.change("Addresses", lambda _row, draft: draft.host_at(base), rows)

    def change(self, label: str, act: Act, rows: Iterable[int] | None = None) -> int:
        """Call ``act(row, draft)`` to change each draft, as one step; return the number of drafts that changed."""
        before: Values = {}
        after: Values = {}
        wanted = range(len(self.drafts)) if rows is None else sorted(set(rows))
        drafts = [(row, self.drafts[row]) for row in wanted]  # first: a row that is none changes nothing
        try:
            for row, draft in drafts:
                if draft.locked:
                    continue
                old = draft.values
                act(row, draft)
                now = draft.values
                if changed := [path for path in old if not _same(old[path], now[path])]:
                    before[row] = {path: old[path] for path in changed}
                    after[row] = {path: now[path] for path in changed}
        finally:  # what was changed before an error can be undone
            if after:
                self._done.append(_Step(f"{label} of {len(after)} image{'s' * (len(after) != 1)}", before, after))
                self._undone.clear()
        return len(after)

    def undo(self) -> int:
        """Undo the last step; return the number of drafts that changed."""
        return self._turn(self._done, self._undone)

    def redo(self) -> int:
        """Redo the last step that was undone; return the number of drafts that changed."""
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
    """Return whether two values are written alike: NaN is NaN, and 1 is not True."""
    return one is other or repr(one) == repr(other)
