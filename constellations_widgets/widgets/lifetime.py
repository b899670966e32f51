"""Lifetime of widgets: their models are closed with them, and running a cell again closes what its last run showed.

ipywidgets keeps every widget until it is closed, in the kernel and in the page, each with a model of its layout; and no user
closes the widget of a cell before running it again. After 300 runs a tab held 300 MB.
"""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Iterator
from typing import Any

from ipywidgets import Widget

from ..text import readable

_OUTPUTS = re.compile(r"_{1,3}|_\d+|_oh|Out")
"""Variables in which IPython keeps the outputs of cells."""
VIEW = "application/vnd.jupyter.widget-view+json"
"""Type of the data that names a widget's model in an output."""
_Cell = tuple[bool, str]
"""A cell: whether its host names cells, and its id, or else its source."""


class ClosesModels(Widget):
    """Mixin of a widget whose own layout and style are closed with it, and whose messages can always be sent.

    It precedes ipywidgets' class among the bases.
    """

    _models: tuple[Widget, ...] = ()

    def open(self) -> None:
        """Open the connection to the pages."""
        super().open()
        self._models = tuple(_models_of(self))  # the initial ones; models that are set later may be shared

    def close(self) -> None:
        """Close the widget in every page, with its layout and style."""
        super().close()
        for model in self._models:
            model.close()

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the state, without characters that can't be sent."""
        state: dict[str, Any] = _sendable(super().get_state(key, drop_defaults))
        return state

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message, without characters that can't be sent."""
        super().send(_sendable(content), buffers)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle and _is_batch_run():
            data = bundle[0] if isinstance(bundle, tuple) else bundle
            data.pop(VIEW, None)  # converters would prefer it to the text and the picture, and load scripts from a CDN
        return bundle


class ClosedByItsCell(ClosesModels):
    """Mixin of a widget that is closed when the cell that shows it is run again and no longer shows it.

    It stays open while another cell shows it, or a variable of the notebook holds it.
    """

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        _note_display(self)
        return super()._repr_mimebundle_(**kwargs)

    @property
    def _is_viewed(self) -> bool:
        """Whether a page is known to show it."""
        return False


def close_with_models(widget: Widget) -> None:
    """Close a widget with its layout and style, which no other widget may share."""
    models = list(_models_of(widget))
    widget.close()
    for model in models:
        model.close()


def _sendable(value: Any) -> Any:
    """Return `value` without lone surrogates, with which Jupyter can't send a message."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, dict):
        return {_sendable(key): _sendable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [*map(_sendable, value)]
    return value


def _models_of(widget: Widget) -> Iterator[Widget]:
    for name in ("layout", "style"):
        if isinstance(model := getattr(widget, name, None), Widget):
            yield model


_cells: weakref.WeakKeyDictionary[ClosedByItsCell, dict[_Cell, str]] = weakref.WeakKeyDictionary()
"""By widget: the cells that show it, with the id of the latest run in which each did."""
_shells: weakref.WeakSet[Any] = weakref.WeakSet()


def _is_batch_run() -> bool:
    """Return whether the running cell was sent by a program that no one watches, such as nbconvert, Quarto or Jupyter Book.

    nbclient, with which they run notebooks, declares that it can't ask for input. So does Voila, whose page shows widgets.
    """
    shell = _notebook_shell()
    if shell is None or os.environ.get("SERVER_SOFTWARE", "").startswith("voila/"):
        return False
    return ((shell.get_parent() or {}).get("content") or {}).get("allow_stdin") is False


def _note_display(widget: ClosedByItsCell) -> None:
    shell = _notebook_shell()
    if shell is None:
        return
    if shell not in _shells:
        _shells.add(shell)
        shell.events.register("post_run_cell", _close_replaced)
    cell, run = _running(shell)
    _cells.setdefault(widget, {})[cell] = run


def _close_replaced(_result: Any) -> None:
    """Close the widgets that only an earlier run of the cell that has just run showed."""
    shell = _notebook_shell()
    if shell is None:
        return
    cell, run = _running(shell)
    has_id, _ = cell
    for widget, runs in list(_cells.items()):
        if runs.get(cell, run) == run:
            continue
        if len(runs) > 1:
            del runs[cell]
        # If the host does not name cells, another one of the same source may still show the widget.
        elif (has_id or not widget._is_viewed) and not _is_needed(widget, shell.user_ns):
            del _cells[widget]
            widget.close()
            _forget_outputs(widget, shell)


def _is_needed(widget: ClosedByItsCell, namespace: dict[str, Any]) -> bool:
    """Return whether a cell shows a part of the widget, or a variable of the notebook holds the widget or a part."""
    parts = getattr(widget, "children", ())
    if any(_cells.get(part) for part in parts if isinstance(part, ClosedByItsCell)):
        return True
    needed = {id(widget), *map(id, parts)}
    for name, value in list(namespace.items()):
        if _OUTPUTS.fullmatch(name):
            continue
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
        if id(value) in needed or any(id(item) in needed for item in list(items)):
            return True
    return False


def _forget_outputs(widget: Widget, shell: Any) -> None:
    """Remove a closed widget from IPython's outputs, which would keep it, its draft and its files for ever."""
    outputs = shell.user_ns.get("_oh", {})
    for number in [number for number, value in list(outputs.items()) if value is widget]:
        del outputs[number]
        shell.drop_by_id({f"_{number}": widget})


def _notebook_shell() -> Any:
    """Return the shell of the notebook's kernel; None in a terminal and without IPython."""
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "get_parent") else None


def _running(shell: Any) -> tuple[_Cell, str]:
    """Return the running cell, and the id of this run."""
    parent = shell.get_parent() or {}
    cell_id = (parent.get("metadata") or {}).get("cellId")
    code = (parent.get("content") or {}).get("code", "")
    return (True, str(cell_id)) if cell_id else (False, str(code)), str((parent.get("header") or {}).get("msg_id", ""))
