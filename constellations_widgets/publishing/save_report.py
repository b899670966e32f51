"""Outcome of saving the changes of a published image, field by field."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..api.changes import same
from ..schema.fields import fields
from ..schema.html_repr import html_block, html_table, html_text

CREDITS = "permissions.credits"


class Change(NamedTuple):
    """Field that differs from the server's: `before` is the server's value, `after` the one that waits to be saved."""

    before: Any
    after: Any


class Outcome(NamedTuple):
    """Outcome of one field.

    Attributes
    ----------
    field : str
        Its path, such as "permissions.license".
    before, asked, now : str
        The server's value before, the value that was sent, and the server's value now.
    made : bool
        Whether the field was changed. Credits count as changed even if the server stores them in another form.
    """

    field: str
    before: str
    asked: str
    now: str
    made: bool

    def __str__(self) -> str:
        label = fields()[self.field].title
        if not self.made:
            return f"{label}: NOT changed. It is still {_shown(self.now)}; requested: {_shown(self.asked)}"
        kept = "" if same(self.field, self.now, self.asked) else f" (requested: {_shown(self.asked)})"
        return f"{label}: changed from {_shown(self.before)} to {_shown(self.now)}{kept}"


class Saved(list[Outcome]):
    """Outcome of each field that was to change; shown as a table in a notebook, and as text elsewhere."""

    @property
    def complete(self) -> bool:
        """Whether every change was made."""
        return all(outcome.made for outcome in self)

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "Nothing was to be changed."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if not self:
            return html_block(f"<p>{self}</p>")
        rows = (
            (fields()[field].title, before or "empty", now or "empty", "changed" if made else f"not changed to {asked}")
            for field, before, asked, now, made in self
        )
        return html_block(
            html_table(("Field", "Before", "Now", "Result"), ([html_text(cell) for cell in row] for row in rows))
        )


def outcome(field: str, before: str, asked: str, now: str) -> Outcome:
    """Return the outcome of a field. The server sanitizes credits in its own way: any new value counts as changed."""
    made = same(field, now, asked) or (field == CREDITS and not same(field, now, before))
    return Outcome(field, before, asked, now, made)


def _shown(text: str) -> str:
    return repr(text) if text else "empty"
