"""Send numbered messages of a program to the pages that show WWT's app, and replay those that still matter."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ... import runtime
from .replay import Message, Replay, moves_view

# Programs say many things at once, and each message costs the same however much is in it.
_GATHER = 0.005  # seconds


class Link:
    """Sender of a program's messages to every page, in order and once.

    Parameters
    ----------
    send : callable
        Sends one message to all pages. Called from any thread.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]):
        self._send = send
        self._lock = threading.Lock()
        self._sending = threading.Lock()  # messages leave in order
        self._replay = Replay()
        self._last = 0
        self._moved = 0  # number of the last message that moves the view
        self._pending: list[Message] = []

    def announce(self, awaited: bool = False) -> None:
        """Make open pages request all messages; if `awaited`, pages that are out of sight start the app, too."""
        self._send({"kind": "app", "last": 0, "messages": [], "awaited": awaited})

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message to the app in each page. Returns at once; a page that opens later receives it if it still matters."""
        plain = _plain(message)
        with self._lock:
            self._replay.note(plain)
            self._last += 1
            if moves_view(plain):
                self._moved = self._last
            self._pending.append(plain)
            first = len(self._pending) == 1
        if first:
            runtime.start_timer(_GATHER, self._flush)

    def all(self) -> dict[str, Any]:
        """Return the messages for an app that has just started, and the numbers of the last one and the last that moves the view."""
        with self._lock:
            return {"last": self._last, "moved": self._moved, "messages": self._replay.messages()}

    def _flush(self) -> None:
        with self._sending:
            with self._lock:
                messages, self._pending = self._pending, []
                last = self._last
            self._send({"kind": "app", "last": last, "messages": messages})


def _plain(value: Any) -> Any:
    """Return `value` as JSON allows it: numpy's numbers as Python's, and None for NaN and infinity."""
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
