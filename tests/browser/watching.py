"""What a page reports as an error, and what it asks of another machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page

HERE = ("127.0.0.1", "localhost", "::1")
WWT_SERVERS = {"web.wwtassets.org", "cdn.worldwidetelescope.org"}
"""Servers of files that WWT needs for what a program turns on: letters, and the Solar System."""


class WatchedPage:
    """A page whose errors and whose requests to other machines are noted from now on."""

    def __init__(self, page: Page):
        self.page = page
        self.console_errors: list[str] = []
        self.outside_requests: list[str] = []
        self._listeners: dict[str, Callable[[Any], None]] = {
            "console": self._note_console,
            "pageerror": lambda error: self.console_errors.append(str(error)),
            "request": lambda request: self._note_address(request.url),
            "websocket": lambda socket: self._note_address(socket.url),
        }
        for event, listener in self._listeners.items():
            page.on(event, listener)

    def stop_watching(self) -> None:
        """Note nothing more; the page stays open for others."""
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(message.text)

    def _note_address(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname not in HERE:
            self.outside_requests.append(url)
