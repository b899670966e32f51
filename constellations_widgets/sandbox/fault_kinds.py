"""Effect of each kind of fault on the request that it hits; `faults` decides which requests are hit."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .pages import PageError, error_page

__all__ = ["CONNECTION", "KINDS", "LIST_LAG", "Hit"]

CONNECTION = "sandbox.connection"
"""Key of the scope's extensions: the connection on which a request came."""
LIST_LAG = "sandbox.list_lag"
"""Key of the scope's extensions: seconds for which lists don't show what the request makes."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger for no time: closing sends RST instead of FIN


@dataclass(frozen=True)
class Hit:
    """Request that a fault hits, and what can be done to it."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    seconds: float | None

    @property
    def connection(self) -> asyncio.Transport:
        """The connection of the request."""
        connection: asyncio.Transport = self.scope["extensions"][CONNECTION]
        return connection

    async def do(self, receive: Receive | None = None) -> tuple[Message, bytes]:
        """Process the request; return the start of the response and its body. Nothing is sent yet."""
        start: Message = {}
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(self.scope, receive or self.receive, keep)
        return start, bytes(body)

    async def pass_on(self, start: Message, body: bytes) -> None:
        """Send a response that `do` returned."""
        await self.send(start)
        await self.send_part(body, is_last=True)

    async def answer(self, response: Response) -> None:
        """Send a response in place of the app's."""
        await response(self.scope, self.receive, self.send)

    async def send_part(self, part: bytes, *, is_last: bool) -> None:
        """Send a part of a response's body."""
        await self.send({"type": "http.response.body", "body": part, "more_body": not is_last})

    async def wait_for_the_end(self) -> None:
        """Wait until the server knows that the connection is closed, and so expects no response any more."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


async def _delay(hit: Hit) -> None:
    await asyncio.sleep(hit.seconds or 0)
    await hit.app(hit.scope, hit.receive, hit.send)


async def _reset(hit: Hit) -> None:
    connection: Any = hit.connection.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    hit.connection.abort()
    await hit.wait_for_the_end()


async def _refuse(hit: Hit, status: int, said: str) -> None:
    headers = {} if hit.seconds is None else {"Retry-After": f"{hit.seconds:.0f}"}
    page = f"<html>\r\n<head><title>{said}</title></head>\r\n<body>\r\n<h1>{said}</h1>\r\n</body>\r\n</html>\r\n"
    await hit.answer(Response(page, status, headers, "text/html"))


async def _too_many_requests(hit: Hit) -> None:
    await _refuse(hit, 429, "429 Too Many Requests")


async def _unavailable(hit: Hit) -> None:
    await _refuse(hit, 503, "503 Service Temporarily Unavailable")


async def _token_expired(hit: Hit) -> None:
    await hit.answer(error_page(PageError(401, "UnauthorizedError", "jwt expired")))


async def _reset_after_commit(hit: Hit) -> None:
    await hit.do()
    await _reset(hit)


async def _error_after_commit(hit: Hit) -> None:
    await hit.do()
    await hit.answer(error_page(PageError(500, "Error", "Internal Server Error")))


async def _unavailable_after_commit(hit: Hit) -> None:
    await hit.do()
    await _refuse(hit, 503, "503 Backend fetch failed")  # Varnish's page, after its first-byte timeout or a restart


async def _duplicate_commit(hit: Hit) -> None:
    messages: list[Message] = []
    while not messages or messages[-1].get("more_body"):
        messages.append(await hit.receive())

    def again() -> Receive:
        left = iter(messages)

        async def receive() -> Message:
            return next(left, None) or await hit.receive()

        return receive

    await hit.do(again())
    await hit.pass_on(*await hit.do(again()))


async def _lagging_list(hit: Hit) -> None:
    hit.scope["extensions"][LIST_LAG] = hit.seconds
    await hit.app(hit.scope, hit.receive, hit.send)


async def _truncated(hit: Hit) -> None:
    start, body = await hit.do()
    await hit.send(start)
    await hit.send_part(body[: len(body) // 2], is_last=False)
    hit.connection.close()
    await hit.wait_for_the_end()


async def _slow_drip(hit: Hit) -> None:
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
class Kind:
    """Effect of a kind of fault, and how it is used by default."""

    act: Callable[[Hit], Awaitable[None]]
    seconds: float | None = None
    """Default duration."""
    by_chance: bool = True
    """Whether `Faults.at_random` draws it without being asked for it by name."""


KINDS = {
    "delay": Kind(_delay, 0.2),
    "reset_before_read": Kind(_reset),
    "too_many_requests": Kind(_too_many_requests, 1),
    "unavailable_until": Kind(_unavailable, 1),
    "unavailable": Kind(_unavailable),
    "token_expired": Kind(_token_expired),
    "reset_after_commit": Kind(_reset_after_commit),
    "error_after_commit": Kind(_error_after_commit),
    "unavailable_after_commit": Kind(_unavailable_after_commit, 5),
    "truncated": Kind(_truncated),
    "slow_drip": Kind(_slow_drip, 0.05),
    "duplicate_commit": Kind(_duplicate_commit, by_chance=False),
    "lagging_list": Kind(_lagging_list, 5, by_chance=False),
}
