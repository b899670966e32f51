"""Base classes of the widgets: messages from the page, following a draft, showing its fields and editing them."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

import anywidget
import traitlets

from ..errors import ConstellationsError
from ..schema.fields import fields
from ..text import merge_texts
from .lifetime import ClosedByItsCell, ClosesModels
from .pacing import Pace
from .protocol.drafts import CommandsMessage, DraftState, EditOrigin, Problem, Value
from .rpc import Handler, RequestHandler, keep_requested_subshell

if TYPE_CHECKING:
    from ..observable import CheckedFields

FOLDER = Path(__file__).parent.parent / "static"
"""Front ends of the widgets, built by `make js` or with the wheel."""

Message = Mapping[str, Any]
Draft = TypeVar("Draft", bound="CheckedFields | None")
Fields = TypeVar("Fields", bound="CheckedFields")

Kept = TypeVar("Kept")

_PAGES = 50  # of one widget, whose last edits and commands are remembered
_BURST = 1.0  # seconds
_FRONT_END = frozenset({"_esm", "_css"})  # traits that are large and never change
_EXACT = 2**53  # larger whole numbers lose digits in JavaScript


def built(name: str) -> str:
    """Return the text of a built file.

    Raises
    ------
    ConstellationsError
        If it was never built.
    """
    try:
        return (FOLDER / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConstellationsError(
            f"The front end of the widget is not built ({name}): run “make js” in the project's folder."
        ) from None


def synced_dict(default: Mapping[str, Any] | None = None) -> Any:
    """Return a trait that holds one of the structures of `protocol` and is sent to the page."""
    return traitlets.Dict({**(default or {})}).tag(sync=True)


def to_page(value: Any) -> Value:
    """Return a field's value as a page can show it: numbers that JavaScript would change become text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if (isinstance(value, int) and abs(value) < _EXACT) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def of_page(pages: dict[str, Kept], page: str, first: Kept) -> Kept:
    """Return what is remembered of a page, at first `first`; pages that have sent nothing for the longest are forgotten."""
    pages[page] = kept = pages.pop(page, first)
    while len(pages) > _PAGES:
        del pages[next(iter(pages))]
    return kept


def require_draft(taker: Any, draft: Any) -> None:
    """Raise a TypeError that says how to make a draft, if `draft` is not one; `taker` is the class or function that takes it."""
    if not hasattr(draft, "on_change"):
        raise TypeError(
            f"{taker.__name__} takes an ImageDraft, not a {type(draft).__name__}: "
            "make one with ImageDraft.from_wtml, from_fits or from_image"
        )


def placeholder(widget: Any, of: str = "") -> str:
    """Return the text that a notebook shows in place of a widget where it can't show widgets."""
    return f"<{type(widget).__name__}{of}: run the cell to see it>"


def placeholder_of(widget: Any, draft: CheckedFields | None) -> str:
    """Return `placeholder` with the draft's name."""
    return placeholder(widget, f" of {draft.name[:60]!r}" if draft is not None else "")


class PageWidget(ClosesModels, anywidget.AnyWidget):
    """Base of all widgets with a front end. Only the kernel writes traits; a page sends messages, which are checked.

    A page can send any message, also an update of a synced trait, which no button sends. Decisions must not rest on such
    values, so they are ignored.

    Parameters
    ----------
    messages : mapping, optional
        Kind of message → function of the message, for messages without a response.
    requests, **options
        Handlers and options of `RequestHandler`, for messages with a response.
    **traits
        Initial values.
    """

    page: ClassVar[str]
    """Name of the front end: ``form`` for form.js and form.css."""

    def __init__(
        self,
        *,
        messages: Mapping[str, Callable[[Message], object]] | None = None,
        requests: Mapping[str, Handler] | None = None,
        slow_requests: Mapping[str, Handler] | None = None,
        workers: Any = None,
        once: Collection[str] = (),
        **traits: Any,
    ):
        self._esm, self._css = built(f"{self.page}.js"), built(f"{self.page}.css")
        self._messages = dict(messages or {})
        self._received: dict[str, int] = {}  # number of the last command, by page
        self._receiving = threading.Lock()
        self._sent_again = -math.inf
        self._requests: RequestHandler | None = None
        if requests:
            self._requests = RequestHandler(requests, self.send, slow=slow_requests, workers=workers, once=once)
        super().__init__(**traits)
        self.on_msg(self._on_message)

    def open(self) -> None:
        """Open the connection to the pages."""
        super().open()
        keep_requested_subshell(self.comm)

    def set_state(self, sync_data: Any) -> None:
        """Ignore what a page writes to traits."""

    def _on_message(self, _widget: Any, message: Any, buffers: Any) -> None:
        kind = message.get("kind") if isinstance(message, dict) else None
        if kind == "commands":
            self._on_commands(message)
        elif isinstance(kind, str) and kind in self._messages:
            self._messages[kind](message)
        elif self._requests is not None:
            self._requests.receive(message, buffers or ())

    def _on_commands(self, message: CommandsMessage) -> None:
        """Obey the page's commands, each once and in order, and confirm them.

        A page repeats commands that it does not know to be received, since connections break. Where the confirmation was lost, the
        effect may not have arrived either: the state is sent again.
        """
        page, commands = str(message["page"]), message["commands"]
        with self._receiving:
            last = of_page(self._received, page, 0)
            new = [it for it in commands if it["number"] > last]
            self._received[page] = number = max([last, *(it["number"] for it in new)])
        with contextlib.ExitStack() as in_reverse:  # an error in one keeps none of the others from being obeyed
            in_reverse.callback(self.send, {"kind": "received", "page": page, "number": number})
            if len(new) < len(commands):
                in_reverse.callback(self._send_state_again)
            for command in reversed(new):
                if command["kind"] in self._messages:
                    in_reverse.callback(self._messages[command["kind"]], command)

    def _send_state_again(self) -> None:
        """Send the whole state, but once for all repetitions that waited while the kernel was busy."""
        if time.monotonic() - self._sent_again > _BURST:
            self.send_state({name for name in self.keys if name not in _FRONT_END})
            self._sent_again = time.monotonic()


class DraftObserver(ClosedByItsCell, PageWidget, Generic[Draft]):
    """Widget that follows a draft: it is notified of every change, in any thread, until it is closed.

    It shows changes while a page has a view of it open. Every run of a cell leaves a widget behind that no page shows any more:
    such a widget only records what has changed, and shows it when a view is opened again. So does a widget whose views are all
    out of sight and have said that they need no updates. A widget without any view so far may be on its way to a page (whose
    first message can be stuck behind the running cell), and counts as viewed, but all such widgets share one rate.
    """

    _unsubscribe: Callable[[], None] | None = None
    _views: frozenset[str] = frozenset()
    _idle_views: frozenset[str] = frozenset()
    _missed: frozenset[str] = frozenset()

    def __init__(
        self, draft: Draft, *, messages: Mapping[str, Callable[[Message], object]] | None = None, **options: Any
    ):
        self._draft: Draft = draft
        self._viewing = threading.Lock()
        self._pace = Pace(self._send_paced)
        super().__init__(messages={"view": self._on_view, **(messages or {})}, **options)
        if draft is not None:
            self._unsubscribe = draft.on_change(self._on_draft_change)

    @property
    def draft(self) -> Draft:
        """The draft that is shown."""
        return self._draft

    def close(self) -> None:
        """Stop following the draft, and close the widget in every page."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
            self._pace.cancel()
        super().close()

    def __repr__(self) -> str:
        return placeholder_of(self, self._draft)

    @property
    def _is_viewed(self) -> bool:
        return bool(self._views)

    @property
    def _may_be_viewed(self) -> bool:
        return bool(self._views) or not self._pace.viewed

    @property
    def _needs_updates(self) -> bool:
        return bool(self._views - self._idle_views) or not self._pace.viewed

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the state; all of it (for a reloaded page, a saved notebook) is brought up to date first."""
        if key is None:
            self._catch_up()
        return super().get_state(key, drop_defaults)

    def _on_draft_change(self, _draft: Any, changed: frozenset[str]) -> None:
        self._track(changed)
        with self._viewing:
            if not self._needs_updates:
                self._missed |= changed
                return
        self._push(changed)

    def _catch_up(self) -> None:
        if self._missed:
            with self._viewing:
                missed, self._missed = self._missed, frozenset()
            self._push(missed)

    def _on_view(self, message: Message) -> None:
        view = frozenset({str(message.get("view"))})
        is_open, is_idle = message.get("open") is True, message.get("updates") is False
        with self._viewing:
            self._pace.viewed = True
            self._views = self._views | view if is_open else self._views - view
            self._idle_views = self._idle_views | view if is_open and is_idle else self._idle_views - view
        if self._needs_updates:
            self._catch_up()

    def _track(self, changed: frozenset[str]) -> None:
        """Take note of a change of the draft, whether or not a page shows the widget."""

    def _push(self, changed: frozenset[str]) -> None:
        """Show a change of the draft: set traits, or request a message of `_pace`."""
        raise NotImplementedError

    def _send_paced(self) -> None:
        """Send the present state of the draft. Any thread may call it, and several may at once."""
        raise NotImplementedError


class _Taken(NamedTuple):
    """The last edit of a field by one page.

    Attributes
    ----------
    seq : int
        Its number.
    value, became
        What the page sent, and what the draft made of it.
    merged : bool
        Whether the draft's text has what was typed elsewhere, too.
    """

    seq: int
    value: Value
    became: Value
    merged: bool


class DraftWidget(DraftObserver[Fields]):
    """Base of the widgets that show a draft's fields and edit them.

    The page has no state of its own: `state` is what the draft holds, sent whole at every change; edits come back as messages.
    """

    state: DraftState = synced_dict()

    paced: ClassVar[frozenset[str]] = frozenset({"state", "kept_credits"})
    """Traits that follow every change of the draft. They always hold the newest value; the page receives it at a pace."""

    def __init__(
        self, draft: Fields, *, messages: Mapping[str, Callable[[Message], object]] | None = None, **options: Any
    ):
        self._draft = draft
        # The draft may change in any thread, and the page must end with the newest state.
        self._pushing = threading.RLock()
        self._unsent: set[str] = set()
        self._edit: EditOrigin = {"client": "", "seq": 0, "paths": []}
        self._taken: dict[str, dict[str, _Taken]] = {}  # last edit of each field, by page and path
        messages = {"edit": self._on_edit, "fix": self._on_fix, **(messages or {})}
        super().__init__(draft, messages=messages, state=self._state(), **options)

    def _state(self) -> DraftState:
        draft = self._draft
        return {
            "name": draft.name,
            "values": {path: to_page(value) for path, value in draft.values.items()},
            "problems": problems_of(draft),
            "locked": draft.locked,
            "by": self._edit,
        }

    def _push(self, changed: frozenset[str]) -> None:
        with self._pushing:
            self.state = self._state()

    def send_state(self, key: str | Iterable[str] | None = None) -> None:
        """Send traits to the page; those that follow the draft at a pace."""
        names = {key} if isinstance(key, str) else set(self.keys if key is None else key)
        if key is not None and (paced := names & self.paced):
            with self._pushing:
                self._unsent |= paced
            self._pace.request()
            names -= paced
        if names:
            super().send_state(names)

    def _send_paced(self) -> None:
        with self._pushing:
            names, self._unsent = self._unsent, set()
            if names and self.comm is not None:
                super().send_state(names)

    def _on_edit(self, message: Message) -> None:
        """Apply the page's edits to the draft, and tell the page which of its edits the state includes.

        A page repeats edits whose response it misses, since connections break: each is applied once.
        """
        sent = {
            path: value for path, value in dict(message["changes"]).items() if path in fields() and _is_plain(value)
        }
        with self._pushing:
            client, seq = str(message["client"]), int(message["seq"])
            taken = of_page(self._taken, client, {})
            changes = {path: value for path, value in sent.items() if path not in taken or taken[path].seq < seq}
            merged = self._merge(changes, message, taken)
            self._edit = {"client": client, "seq": seq, "paths": list(sent)}
            repeated = sent.keys() - changes.keys()
            if others := [
                *merged,
                *(it for it in repeated if taken[it].merged or self._draft.values[it] != taken[it].became),
            ]:
                self._edit["merged"] = others
            try:
                if not self._draft.locked:
                    self._draft.edit(changes)
                    for path in changes:
                        taken[path] = _Taken(seq, sent[path], self._draft.values[path], path in merged)
                if self.state["by"] is not self._edit:  # nothing changed, but the page waits for a response
                    self.state = self._state()
                self._pace.cancel()
                self._send_paced()  # a later state would not name this edit
            finally:
                self._edit = {"client": "", "seq": 0, "paths": []}

    def _merge(self, changes: dict[str, Any], message: Message, taken: Mapping[str, _Taken]) -> list[str]:
        """Add to texts what was typed elsewhere since the page showed them; return the paths of these texts.

        Several people can have the notebook open. What the draft made of this page's last edit itself is not typed elsewhere.
        """
        merged = []
        since: Mapping[str, int] = message.get("since") or {}
        for path, before in (message.get("base") or {}).items():
            new, now = changes.get(path), self._draft.values.get(path) or ""
            if path not in changes or not _is_prose(path):
                continue  # of two choices, or two addresses, the later one holds, and both pages show it
            earlier = taken.get(path)
            if earlier and earlier.seq >= since.get(path, message["seq"]):
                before = earlier.value  # the page typed on top of what it had sent before
                if now == earlier.became and not earlier.merged:
                    continue
            if isinstance(before, str) and isinstance(new, str) and isinstance(now, str) and now not in (before, new):
                changes[path] = merge_texts(before, new, now)
                merged.append(path)
        return merged

    def _on_fix(self, message: Message) -> None:
        if not self._draft.locked:
            apply_fix(self._draft, message)


def problems_of(draft: CheckedFields, *, with_fixes: bool = True) -> list[Problem]:
    """Return a draft's problems for the page."""
    return [
        {
            "code": it.code,
            "severity": it.severity,
            "field": it.field,
            "message": it.message,
            "fix": it.fix.label if it.fix and with_fixes else None,
        }
        for it in draft.problems
    ]


def apply_fix(draft: CheckedFields, message: Message) -> None:
    """Apply the fix of the problem that a message names by code and field, if the draft still has it."""
    for problem in draft.problems:
        if problem.fix and (problem.code, problem.field) == (message.get("code"), message.get("field")):
            draft.edit(problem.fix.changes)
            return


def _is_prose(path: str) -> bool:
    """Return whether a field's text is written in words, of which parts make sense."""
    spec = fields()[path]
    return spec.kind in ("text", "long", "credits") and not spec.choices


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))
