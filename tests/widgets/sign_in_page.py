"""The page's part in a sign-in, without a page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from constellations_widgets import SignIn


class Page:
    """What a page does: it says things, and sees what it is sent."""

    def __init__(self, widget: SignIn):
        self.widget = widget
        self.seen: list[dict[str, Any]] = [dict(widget.status)]
        widget.observe(lambda change: self.seen.append(change["new"]), "status")

    def say(self, kind: str, **content: Any) -> None:
        self.widget._handle_msg(
            {"content": {"data": {"method": "custom", "content": {"kind": kind, **content}}}, "buffers": []}
        )

    def wait(self, until: Callable[[dict[str, Any]], bool] | str) -> dict[str, Any]:
        """The status, once it is in this phase or fulfils this."""
        ends = time.monotonic() + 120
        while time.monotonic() < ends:
            status = self.widget.status
            if status["phase"] == until if isinstance(until, str) else until(status):
                return status
            time.sleep(0.01)
        raise AssertionError(f"still {self.widget.status}")
