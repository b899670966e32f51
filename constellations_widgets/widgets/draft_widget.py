"""What every widget on a draft does: show it, write to it, and know an edit of the page when it comes back."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets

from ..schema.fields import fields
from .answering import let_pages_choose_the_thread

if TYPE_CHECKING:
    from ..draft import ImageDraft

_EXACT = 2**53  # whole numbers above this change on their way through JavaScript


def for_page(value: Any) -> str | float | bool | None:
    """A value as typed, as a page can show it."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int) and abs(value) < _EXACT or isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)


def require_draft(taker: type, draft: Any) -> None:
    """Raise a TypeError that tells how a draft is made, if `draft` is none."""
    if not hasattr(draft, "on_change"):
        raise TypeError(
            f"{taker.__name__} takes an ImageDraft, not a {type(draft).__name__}: "
            "make one with ImageDraft.from_wtml, from_fits or from_image"
        )


def in_words(widget: Any, draft: ImageDraft | None) -> str:
    """What a notebook shows in a widget's place where there are no widgets."""
    of = f" of {draft.name[:60]!r}" if draft is not None else ""
    return f"<{type(widget).__name__}{of}: run the cell to see it>"


class OnDraft(anywidget.AnyWidget):
    """A widget on a draft, if it has one: told of every change of it, in any thread, until it is closed.

    It shows changes while a page has a view of it open. Every run of a cell leaves a widget behind that nobody looks at any more:
    such a one only remembers what has changed, and shows it if it is looked at again. One that was never seen may be on its way
    to a page (whose first word can be stuck behind the running cell), and is taken as looked at.
    """

    _unsubscribe: Callable[[], None] | None = None
    _views: frozenset[str] = frozenset()
    _never_seen = True
    _missed: frozenset[str] = frozenset()

    def __init__(self, draft: ImageDraft | None, **traits: Any):
        self._draft = draft
        self._looking = threading.Lock()
        super().__init__(**traits)
        if draft is not None:
            self._unsubscribe = draft.on_change(self._told)

    @property
    def draft(self) -> ImageDraft | None:
        """The draft that is shown."""
        return self._draft

    def open(self) -> None:
        super().open()
        let_pages_choose_the_thread(self.comm)

    def close(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        super().close()

    def __repr__(self) -> str:
        return in_words(self, self._draft)

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """As ipywidgets has it; whoever asks for all of the state (a reloaded page, a notebook that is saved) gets it up to date."""
        if key is None:
            self._catch_up()
        return super().get_state(key, drop_defaults)

    def _told(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        self._keep_up(draft, changed)
        with self._looking:
            if not (self._views or self._never_seen):
                self._missed |= changed
                return
        self._draft_changed(draft, changed)

    def _catch_up(self) -> None:
        if self._missed:
            with self._looking:
                missed, self._missed = self._missed, frozenset()
            self._draft_changed(self._draft, missed)

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("kind") != "view":
            super()._handle_custom_msg(content, buffers)
            return
        view = frozenset({str(content.get("view"))})
        with self._looking:
            self._never_seen = False
            self._views = self._views | view if content.get("open") is True else self._views - view
        if self._views:
            self._catch_up()

    def _keep_up(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        """What a change of the draft means to this widget, whether or not somebody looks."""

    def _draft_changed(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        """Show a change of the draft."""
        raise NotImplementedError


class DraftWidget(OnDraft):
    """Base of the widgets that show a draft's fields and write to them.

    The page has no state of its own: `state` is what the draft holds, sent whole at every change; edits come back as messages.
    """

    state = traitlets.Dict().tag(sync=True)

    messages: ClassVar[frozenset[str]] = frozenset({"edit", "fix"})
    """Kinds of messages that the page may send; each has a method `_on_…`."""

    def __init__(self, draft: ImageDraft, **traits: Any):
        self._draft = draft
        # The draft may change in any thread, and the page must end with the newest state.
        self._showing = threading.RLock()
        self._edit = {"client": "", "seq": 0, "paths": []}
        super().__init__(draft, state=self._state(), **traits)
        self.on_msg(self._received)

    def _state(self) -> dict[str, Any]:
        draft = self._draft
        return {
            "name": draft.name,
            "values": {path: for_page(value) for path, value in draft.values.items()},
            "problems": [
                {
                    "code": p.code,
                    "severity": p.severity,
                    "field": p.field,
                    "message": p.message,
                    "fix": p.fix and p.fix.label,
                }
                for p in draft.problems
            ],
            "locked": draft.locked,
            "by": self._edit,
        }

    def _draft_changed(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        with self._showing:
            self.state = self._state()

    def _received(self, _widget: Any, message: Any, _buffers: Any) -> None:
        kind = message.get("kind") if isinstance(message, dict) else None
        if isinstance(kind, str) and kind in self.messages:
            getattr(self, f"_on_{kind}")(message)

    def _on_edit(self, message: Mapping[str, Any]) -> None:
        """The page changed fields: the draft follows, and the page is told up to which of its edits."""
        changes = {
            path: value for path, value in dict(message["changes"]).items() if path in fields() and _is_plain(value)
        }
        with self._showing:
            self._edit = {"client": str(message["client"]), "seq": int(message["seq"]), "paths": list(changes)}
            try:
                if not self._draft.locked:
                    self._draft.edit(changes)
                if self.state["by"] is not self._edit:  # nothing changed, but the page waits for its answer
                    self.state = self._state()
            finally:
                self._edit = {"client": "", "seq": 0, "paths": []}

    def _on_fix(self, message: Mapping[str, Any]) -> None:
        for problem in self._draft.problems:
            if (
                (problem.code, problem.field) == (message.get("code"), message.get("field"))
                and problem.fix
                and not self._draft.locked
            ):
                self._draft.edit(problem.fix.changes)
                return


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))
