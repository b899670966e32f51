"""The form of one row, and its place on the sky, below the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ipywidgets import VBox, Widget

from ..form import ImageForm
from ..lifetime import close_with_models
from .run import BatchRun

if TYPE_CHECKING:
    from ...solving.solution import Solution
    from ..preview import Preview


class RowForm:
    """Shows the form of one row at a time below the table, and one on the sky. What is typed is in the row's draft at once.

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
    on_sky : int or None
        Number of the row that is shown on the sky.
    preview : Preview or None
    """

    def __init__(self, table: Widget, run: BatchRun, show: Callable[[], object]):
        self._table, self._run, self._show = table, run, show
        self._box: VBox | None = None
        self._unfollow: Callable[[], None] | None = None
        self.row: int | None = None
        self.form: ImageForm | None = None
        self.on_sky: int | None = None
        self.preview: Preview | None = None

    @property
    def box(self) -> VBox:
        """The table with sky and form below it, which a notebook shows in the table's place."""
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
            self.form.on_solution = self._show_solution  # type: ignore[union-attr]
        if self._box is not None:
            self._box.children = self._parts()
        if old is not None:
            close_with_models(old)
        self._show()
        return self.form

    def show_on_sky(self, row: int | None, solution: Solution | None = None) -> Preview | None:
        """Show a row on the sky in place of another one, or with None no sky.

        With a solution the image is shown where that would place it, with its matched stars.
        """
        from ..preview import Preview

        old = self.preview
        if row is None or row != self.on_sky:
            self.preview = None if row is None else Preview(self._run.drafts[row], height="360px")
            self.on_sky = row
            if self._box is not None:
                self._box.children = self._parts()
            if old is not None:
                close_with_models(old)
        if self.preview is not None:
            self.preview.show_solution(solution)
            self.preview.go_to_image()
        self._show()
        return self.preview

    def close(self) -> None:
        """Close the form, the sky and the box."""
        self._show = lambda: None
        self.open(None)
        self.show_on_sky(None)
        if self._box is not None:
            close_with_models(self._box)

    def _show_solution(self, solution: Solution | None) -> None:
        """Show on the sky what the form has found, and what is left once it is decided about."""
        if solution is not None or (self.preview is not None and self.on_sky == self.row):
            self.show_on_sky(self.row, solution)

    def _parts(self) -> tuple[Any, ...]:
        return tuple(filter(None, (self._table, self.preview, self.form)))
