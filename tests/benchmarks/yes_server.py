"""Run as a program: a server that says yes to every image, as fast as Python can, and prints its port.

The sandbox does what the real server does with each request, and so takes longer than the clients that are compared.
Arguments: the seconds that each answer waits.
"""

from __future__ import annotations

import asyncio
import itertools
import sys

DELAY = float(sys.argv[1])
_number = itertools.count(1)


class Yes(asyncio.Protocol):
    """One connection; requests have a Content-Length or no body."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport, self._received = transport, b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        lengths = [line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if len(rest) < int(lengths[0] if lengths else 0):
            return
        self._received = b""
        asyncio.get_running_loop().call_later(DELAY, self._answer) if DELAY else self._answer()

    def _answer(self) -> None:
        id = f"{next(_number):024x}"
        body = f'{{"error":false,"id":"{id}","rel_url":"/image/{id}"}}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write((head + body).encode())


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Yes, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
