"""Inject faults: failures of networks and overloaded servers, applied to chosen requests of the sandbox.

They act on the real connection, around everything else that the sandbox does. Without faults to come, a request goes
straight through.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from ..errors import SandboxError
from .fault_kinds import CONNECTION, KINDS, Hit

__all__ = ["ConnectionTellingProtocol", "Fault", "Faults"]


STATUS_PHRASES[413] = b"Payload Too Large"  # Node's; Python has had two other ones


class ConnectionTellingProtocol(H11Protocol):
    """Protocol of uvicorn that passes each request its connection, so that a fault can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Add the connection to the scope of its requests."""
        super().connection_made(transport)
        app = self.app

        async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[CONNECTION] = transport
            await app(scope, receive, send)

        self.app = with_connection


@dataclass(frozen=True)
class Fault:
    """Entry of `Faults.log`: what was done to which request."""

    kind: str
    method: str
    path: str
    seconds: float | None
    """Length of the delay, time between two bytes of the drip, or Retry-After."""


@dataclass
class _Rule:
    """Rule that selects requests, with the number of hits and the kinds of faults."""

    kinds: list[str]
    path: str | None
    method: str | None
    seconds: float | None
    left: float = float("inf")
    """Number of requests that it will still hit."""
    rate: float = 1.0
    chance: random.Random = field(default_factory=random.Random)

    def hits(self, method: str, path: str) -> str | None:
        """Return the kind of fault for this request, None if it is not hit."""
        if not self.left or (self.method or method) != method or not fnmatchcase(path, self.path or "*"):
            return None
        if self.rate < 1 and self.chance.random() >= self.rate:
            return None
        self.left -= 1
        return self.chance.choice(self.kinds)


class Faults:
    """Faults of a sandbox; thread-safe at any time.

    ::

        box.faults.next("reset_after_commit", method="POST")
        box.faults.at_random(rate=0.2, seed=1, method="POST")
        box.faults.clear()

    ======================== =======================================================================================
    kind                     what happens
    ======================== =======================================================================================
    delay                    the request waits for `seconds` (0.2), then all is well
    reset_before_read        the connection is reset; the request was not looked at
    too_many_requests        429 with Retry-After: `seconds` (1); the request was not looked at
    unavailable_until        503 with Retry-After: `seconds` (1); the request was not looked at
    unavailable              503 without Retry-After; the request was not looked at
    token_expired            the HTML page 401 "jwt expired"; the request was not looked at
    reset_after_commit       the request is done, then the connection is reset: the answer never comes
    error_after_commit       the request is done, then the HTML page 500 "Internal Server Error" comes
    unavailable_after_commit the request is done, then 503 with Retry-After: `seconds` (5) comes, as from a gateway that
                             gave up waiting for the server
    truncated                the request is done; half of the answer's body comes, then the end of the connection
    slow_drip                the request is done; the answer's body comes byte by byte, `seconds` (0.05) apart
    duplicate_commit         the request is done twice, as by a gateway that repeats it; the second answer comes
    lagging_list             the request is done, but lists show what it made only after `seconds` (5)
    ======================== =======================================================================================

    Attributes
    ----------
    log : list of Fault
        What was done to which request, in the order in which they came.
    keep_alive : float
        Seconds after which an idle connection is closed. Default 5, as Node's; the header Keep-Alive says so.
    """

    def __init__(self) -> None:
        self.log: list[Fault] = []
        self.keep_alive = 5.0
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
            By default all of the table above but the last two, which no client can see at once.
        path, method, seconds : optional
            As for `next`.

        Raises
        ------
        SandboxError
            If there is no such kind, or `rate` is no share.
        """
        if not 0 <= rate <= 1:
            raise SandboxError(f"rate={rate!r} is not a share of the requests: give a number from 0 to 1")
        chosen = _known([kind for kind, it in KINDS.items() if it.by_chance] if kinds is None else kinds)
        rule = _Rule(chosen, path, method and method.upper(), seconds, rate=rate, chance=random.Random(seed))
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        """Remove all faults. The log is kept."""
        with self._lock:
            self._rules.clear()

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return `app`, with these faults."""

        async def app_with_faults(scope: Scope, receive: Receive, send_plain: Send) -> None:
            send = self._closing_when_idle(scope, send_plain)
            fault = self._due(scope["method"], scope["path"]) if self._rules else None
            if fault is None:
                await app(scope, receive, send)
                return
            hit = Hit(app, scope, receive, send, fault.seconds)
            try:
                await KINDS[fault.kind].act(hit)
            except asyncio.CancelledError:  # the sandbox closes while the client waits
                hit.connection.abort()
                await hit.wait_for_the_end()

        return app_with_faults

    def _closing_when_idle(self, scope: Scope, send: Send) -> Send:
        """Close the request's connection as Node does, after it was idle for a while, and announce it."""
        scope["extensions"][CONNECTION].get_protocol().timeout_keep_alive = self.keep_alive
        announced = [(b"connection", b"keep-alive"), (b"keep-alive", b"timeout=%d" % self.keep_alive)]
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in scope["headers"])

        async def announcing(message: Message) -> None:
            if message["type"] == "http.response.start" and not closes:
                message = {**message, "headers": [*message.get("headers", ()), *announced]}
            await send(message)

        return announcing

    def _due(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                if kind := rule.hits(method, path):
                    break
            else:
                return None
            self._rules = [rule for rule in self._rules if rule.left]
            usual = KINDS[kind].seconds
            fault = Fault(kind, method, path, usual if usual is None or rule.seconds is None else rule.seconds)
            self.log.append(fault)
            return fault


def _known(kinds: Iterable[str]) -> list[str]:
    chosen = list(kinds)
    unknown = [kind for kind in chosen if kind not in KINDS]
    if unknown or not chosen:
        raise SandboxError(f"{unknown[0] if unknown else chosen!r} is no kind of fault; there are {', '.join(KINDS)}")
    return chosen
