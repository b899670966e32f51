"""The form of one row, below the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipywidgets import VBox, Widget

from ..form import ImageForm
from ..lifetime import close_with_models
from .run import BatchRun


class RowForm:
    """Shows the form of one row at a time below the table. What is typed is in the row's draft at once.

    Parameters
    ----------
    table : Widget
        The table.
    run : BatchRun
    show : callable
        Called after another row was opened.

    Attributes
    ----------
    row : int or None
        Number of the row whose form is open.
    form : ImageForm or None
    """

    def __init__(self, table: Widget, run: BatchRun, show: Callable[[], object]):
        self._table, self._run, self._show = table, run, show
        self._box: VBox | None = None
        self._unfollow: Callable[[], None] | None = None
        self.row: int | None = None
        self.form: ImageForm | None = None

    @property
    def box(self) -> VBox:
        """The table with the form below it, which a notebook shows in the table's place."""
        if self._box is None:
            self._box = VBox(self._parts())
            self._show()
        return self._box

    @property
    def has_place(self) -> bool:
        """Whether the box is shown, rather than the table alone."""
        return self._box is not None

    def open(self, row: int | None) -> ImageForm | None:
        """Show the form of a row in place of another one's, or with None no form."""
        old = self.form
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None
        self.row = row
        self.form = None if row is None else ImageForm(self._run.drafts[row])
        if row is not None:
            self._unfollow = self._run.drafts[row].on_change(lambda _draft, _paths: self._run.edits.touch())
        if self._box is not None:
            self._box.children = self._parts()
        if old is not None:
            close_with_models(old)
        self._show()
        return self.form

    def close(self) -> None:
        """Close the form and the box."""
        self._show = lambda: None
        self.open(None)
        if self._box is not None:
            close_with_models(self._box)

    def _parts(self) -> tuple[Any, ...]:
        return tuple(filter(None, (self._table, self.form)))
