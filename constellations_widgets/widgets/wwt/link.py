"""Between a program that speaks to WWT's app and the pages that show it: numbered messages out, and all that still matters again."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

from .replay import Message, Replay

# Programs say many things at once, and each message costs the same however much is in it.
_GATHER = 0.005  # seconds


class Link:
    """Tells every page what a program says, in order and once.

    Parameters
    ----------
    send : callable
        Sends one message to all pages. Called from any thread.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]):
        self._send = send
        self._lock = threading.Lock()
        self._sending = threading.Lock()  # what was said first leaves first
        self._replay = Replay()
        self._said = 0
        self._pending: list[Message] = []

    def announce(self, awaited: bool = False) -> None:
        """Let the pages that are open ask for what there is; if they are `awaited`, even where nobody looks at them."""
        self._send({"kind": "app", "last": 0, "messages": [], "awaited": awaited})

    def tell(self, message: Mapping[str, Any]) -> None:
        """Say something to the app in each page. Returns at once; a page that comes later hears it if it still matters."""
        plain = _plain(message)
        with self._lock:
            self._replay.note(plain)
            self._said += 1
            self._pending.append(plain)
            first = len(self._pending) == 1
        if first:
            timer = threading.Timer(_GATHER, self._flush)
            timer.daemon = True
            timer.start()

    def all(self) -> dict[str, Any]:
        """What a page must say to an app that knows nothing, and the number of the last message that this holds."""
        with self._lock:
            return {"last": self._said, "messages": self._replay.messages()}

    def _flush(self) -> None:
        with self._sending:
            with self._lock:
                messages, self._pending = self._pending, []
                last = self._said
            self._send({"kind": "app", "last": last, "messages": messages})


def _plain(value: Any) -> Any:
    """`value` as JSON has it: numpy's numbers as Python's, and null where there is no number."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
