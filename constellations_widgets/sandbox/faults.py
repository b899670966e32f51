"""Faults on demand: what networks and overloaded servers do to a request, done to chosen requests of the sandbox.

They act on the real connection, around everything else that the sandbox does. Without faults to come, a request goes
straight through.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..errors import SandboxError
from .pages import PageError, error_page

__all__ = ["ConnectionTellingProtocol", "Fault", "Faults"]

_CONNECTION = "sandbox.connection"  # key of the scope's extensions
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger for no time: closing sends RST instead of FIN


class ConnectionTellingProtocol(H11Protocol):
    """uvicorn's protocol, which hands each request its connection, so that a fault can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def told(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[_CONNECTION] = transport
            await app(scope, receive, send)

        self.app = told


@dataclass(frozen=True)
class Fault:
    """What was done to which request: an entry of `Faults.log`."""

    kind: str
    method: str
    path: str
    seconds: float | None
    """Of the delay, between two bytes of the drip, or of Retry-After."""


@dataclass
class _Rule:
    """Which requests are hit, how often, and by what."""

    kinds: list[str]
    path: str | None
    method: str | None
    seconds: float | None
    left: float = float("inf")
    """How many more requests it hits."""
    rate: float = 1.0
    chance: random.Random = field(default_factory=random.Random)

    def hits(self, method: str, path: str) -> str | None:
        """The kind of fault for this request, None if it is spared."""
        if not self.left or (self.method or method) != method or not fnmatchcase(path, self.path or "*"):
            return None
        if self.rate < 1 and self.chance.random() >= self.rate:
            return None
        self.left -= 1
        return self.chance.choice(self.kinds)


class Faults:
    """What goes wrong at a sandbox. Any thread may use it at any time.

    ::

        box.faults.next("reset_after_commit", method="POST")
        box.faults.at_random(rate=0.2, seed=1, method="POST")
        box.faults.clear()

    ===================== ==========================================================================================
    kind                  what happens
    ===================== ==========================================================================================
    delay                 the request waits for `seconds` (0.2), then all is well
    reset_before_read     the connection is reset; the request was not looked at
    too_many_requests     429 with Retry-After: `seconds` (1); the request was not looked at
    unavailable_until     503 with Retry-After: `seconds` (1); the request was not looked at
    unavailable           503 without Retry-After; the request was not looked at
    token_expired         the HTML page 401 "jwt expired"; the request was not looked at
    reset_after_commit    the request is done, then the connection is reset: the answer never comes
    error_after_commit    the request is done, then the HTML page 500 "Internal Server Error" comes
    truncated             the request is done; half of the answer's body comes, then the end of the connection
    slow_drip             the request is done; the answer's body comes byte by byte, `seconds` (0.05) apart
    ===================== ==========================================================================================

    Attributes
    ----------
    log : list of Fault
        What was done to which request, in the order in which they came.
    """

    def __init__(self) -> None:
        self.log: list[Fault] = []
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()

    def next(
        self,
        kind: str,
        *,
        path: str | None = None,
        method: str | None = None,
        times: int = 1,
        seconds: float | None = None,
    ) -> None:
        """Hit the next request, or the next `times`. Faults that are due already come first.

        Parameters
        ----------
        kind : str
            See the table above.
        path : str, optional
            Hit only requests of this decoded path, without its query; ``*`` stands for anything, such as in
            ``/handle/*/image``.
        method : str, optional
            Hit only this method, such as "POST".
        times : int, default 1
            How many requests are hit.
        seconds : float, optional
            See the table; Retry-After takes whole ones, so there they are rounded.

        Raises
        ------
        SandboxError
            If there is no such kind, or `times` is less than 1.
        """
        if times < 1:
            raise SandboxError(f"times={times!r} hits no request: give at least 1")
        rule = _Rule(_known([kind]), path, method and method.upper(), seconds, left=times)
        with self._lock:
            due = sum(rule.left < float("inf") for rule in self._rules)
            self._rules.insert(due, rule)

    def at_random(
        self,
        *,
        rate: float,
        seed: int,
        kinds: Iterable[str] | None = None,
        path: str | None = None,
        method: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """Hit requests by chance until `clear`, each by one kind of fault.

        The same seed hits the same ones of the requests that `path` and `method` allow, in the order in which they
        arrive, by the same kinds.

        Parameters
        ----------
        rate : float
            Share of the requests that are hit, 0 to 1.
        seed : int
            Of the random numbers.
        kinds : iterable of str, optional
            All of the table above by default.
        path, method, seconds : optional
            As for `next`.

        Raises
        ------
        SandboxError
            If there is no such kind, or `rate` is no share.
        """
        if not 0 <= rate <= 1:
            raise SandboxError(f"rate={rate!r} is not a share of the requests: give a number from 0 to 1")
        chosen = _known(_KINDS if kinds is None else kinds)
        rule = _Rule(chosen, path, method and method.upper(), seconds, rate=rate, chance=random.Random(seed))
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        """Nothing goes wrong any more. The log stays."""
        with self._lock:
            self._rules.clear()

    def around(self, app: ASGIApp) -> ASGIApp:
        """`app`, with these faults."""

        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            fault = self._due(scope["method"], scope["path"]) if self._rules else None
            if fault is None:
                await app(scope, receive, send)
                return
            hit = _Hit(app, scope, receive, send, fault.seconds)
            try:
                await _KINDS[fault.kind].act(hit)
            except asyncio.CancelledError:  # the sandbox closes while the client waits
                hit.connection.abort()
                await hit.wait_for_the_end()

        return faulty

    def _due(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                if kind := rule.hits(method, path):
                    break
            else:
                return None
            self._rules = [rule for rule in self._rules if rule.left]
            usual = _KINDS[kind].seconds
            fault = Fault(kind, method, path, usual if usual is None or rule.seconds is None else rule.seconds)
            self.log.append(fault)
            return fault


def _known(kinds: Iterable[str]) -> list[str]:
    chosen = list(kinds)
    unknown = [kind for kind in chosen if kind not in _KINDS]
    if unknown or not chosen:
        raise SandboxError(f"{unknown[0] if unknown else chosen!r} is no kind of fault; there are {', '.join(_KINDS)}")
    return chosen


@dataclass(frozen=True)
class _Hit:
    """A request that is hit, and what can be done to it."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    seconds: float | None

    @property
    def connection(self) -> asyncio.Transport:
        return self.scope["extensions"][_CONNECTION]

    async def do(self) -> tuple[Message, bytes]:
        """What the request asks for: returns the beginning of the answer, and its body. Nothing is sent yet."""
        start: Message = {}
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(self.scope, self.receive, keep)
        return start, bytes(body)

    async def answer(self, response: Response) -> None:
        await response(self.scope, self.receive, self.send)

    async def send_part(self, part: bytes, *, is_last: bool) -> None:
        await self.send({"type": "http.response.body", "body": part, "more_body": not is_last})

    async def wait_for_the_end(self) -> None:
        """Until the server knows that the connection is closed: then it doesn't expect an answer any more."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


async def _delay(hit: _Hit) -> None:
    await asyncio.sleep(hit.seconds or 0)
    await hit.app(hit.scope, hit.receive, hit.send)


async def _reset(hit: _Hit) -> None:
    connection: Any = hit.connection.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    hit.connection.abort()
    await hit.wait_for_the_end()


async def _refuse(hit: _Hit, status: int, said: str) -> None:
    headers = {} if hit.seconds is None else {"Retry-After": f"{hit.seconds:.0f}"}
    page = f"<html>\r\n<head><title>{said}</title></head>\r\n<body>\r\n<h1>{said}</h1>\r\n</body>\r\n</html>\r\n"
    await hit.answer(Response(page, status, headers, "text/html"))


async def _too_many_requests(hit: _Hit) -> None:
    await _refuse(hit, 429, "429 Too Many Requests")


async def _unavailable(hit: _Hit) -> None:
    await _refuse(hit, 503, "503 Service Temporarily Unavailable")


async def _token_expired(hit: _Hit) -> None:
    await hit.answer(error_page(PageError(401, "UnauthorizedError", "jwt expired")))


async def _reset_after_commit(hit: _Hit) -> None:
    await hit.do()
    await _reset(hit)


async def _error_after_commit(hit: _Hit) -> None:
    await hit.do()
    await hit.answer(error_page(PageError(500, "Error", "Internal Server Error")))


async def _truncated(hit: _Hit) -> None:
    start, body = await hit.do()
    await hit.send(start)
    await hit.send_part(body[: len(body) // 2], is_last=False)
    hit.connection.close()
    await hit.wait_for_the_end()


async def _slow_drip(hit: _Hit) -> None:
    start, body = await hit.do()
    await hit.send(start)
    for place in range(len(body)):
        await asyncio.sleep(hit.seconds or 0)
        if hit.connection.is_closing():  # the client has given up
            await hit.wait_for_the_end()
            return
        await hit.send_part(body[place : place + 1], is_last=False)
    await hit.send_part(b"", is_last=True)


@dataclass(frozen=True)
class _Kind:
    act: Callable[[_Hit], Awaitable[None]]
    seconds: float | None = None
    """Unless told otherwise."""


_KINDS = {
    "delay": _Kind(_delay, 0.2),
    "reset_before_read": _Kind(_reset),
    "too_many_requests": _Kind(_too_many_requests, 1),
    "unavailable_until": _Kind(_unavailable, 1),
    "unavailable": _Kind(_unavailable),
    "token_expired": _Kind(_token_expired),
    "reset_after_commit": _Kind(_reset_after_commit),
    "error_after_commit": _Kind(_error_after_commit),
    "truncated": _Kind(_truncated),
    "slow_drip": _Kind(_slow_drip, 0.05),
}
