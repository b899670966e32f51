"""Run as a program: a server that says yes to every image, and lists them, as fast as Python can, and prints its port.

The sandbox does what the real server does with each request, and so takes longer than the clients that are compared.
Arguments: the seconds that each answer waits.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys

DELAY = float(sys.argv[1])
_number = itertools.count(1)
_images: list[tuple[bytes, bytes]] = []
"""The id and the request's body of each image."""


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
        method, path, _ = head.split(b" ", 2)
        said = _listed(path) if method == b"GET" else _add(rest)
        asyncio.get_running_loop().call_later(DELAY, self._answer, said) if DELAY else self._answer(said)

    def _answer(self, said: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n"
        self._transport.write(head.encode() + said)


def _add(body: bytes) -> bytes:
    id = b"%024x" % next(_number)
    _images.append((id, body))
    return b'{"error":false,"id":"%s","rel_url":"/image/%s"}' % (id, id)


def _listed(path: bytes) -> bytes:
    """Return a page of a handle's images, the newest first."""
    options = dict(part.split(b"=") for part in path.partition(b"?")[2].split(b"&"))
    page, size = int(options[b"page"]), int(options[b"pagesize"])
    results = []
    for id, body in _images[::-1][page * size : (page + 1) * size]:
        sent = json.loads(body)
        results.append({"_id": id.decode(), "storage": sent["storage"], "note": sent["note"]})
    return json.dumps({"error": False, "total_count": len(_images), "results": results}).encode()


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Yes, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
