"""Run as a program: a bucket in memory that speaks S3's protocol as fast as Python can, and prints its port.

moto takes 10 ms for each request, which would hide the clients that are compared. PUT with ``If-None-Match: *``, GET, HEAD
and both kinds of listing, with pages of 1,000, are answered as S3 answers them; signatures are not checked. Any path
that ends with a slash or is one name is a bucket that exists.
"""

from __future__ import annotations

import asyncio
import bisect
import hashlib
from email.utils import formatdate
from urllib.parse import parse_qs, quote, unquote
from xml.sax.saxutils import escape

MOST_KEYS = 1000
_files: dict[str, tuple[bytes, str, str]] = {}  # bucket/key → bytes, ETag, content type
_names: list[str] = []


class Bucket(asyncio.Protocol):
    """One connection; requests have a Content-Length or no body."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport, self._received, self._needed = transport, bytearray(), 0

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= self._needed:
            at = self._received.find(b"\r\n\r\n")
            if at < 0:
                return
            lines = self._received[:at].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            end = at + 4 + int(headers.get("content-length", 0))
            if "expect" in headers and len(self._received) == at + 4 < end:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if len(self._received) < end:
                self._needed = end
                return
            body = bytes(self._received[at + 4 : end])
            del self._received[:end]
            self._needed = 0
            method, address, _ = lines[0].split(" ")
            self._answer(method, *self._answer_to(method, address, headers, body))

    def _answer(self, method: str, status: str, content: bytes, more: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{more}\r\n".encode()
        self._transport.write(head if method == "HEAD" else head + content)

    def _answer_to(self, method: str, address: str, headers: dict[str, str], body: bytes) -> tuple[str, bytes, str]:
        path, _, query = address.partition("?")
        bucket, _, key = unquote(path).lstrip("/").partition("/")
        name = f"{bucket}/{key}"
        if not key:
            return _listing(bucket, parse_qs(query, keep_blank_values=True)) if method == "GET" else ("200 OK", b"", "")
        if method == "PUT":
            if headers.get("if-none-match") == "*" and name in _files:
                return "412 Precondition Failed", b"<Error><Code>PreconditionFailed</Code></Error>", ""
            if "chunked" in headers.get("content-encoding", ""):
                body = _without_chunks(body)
            tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
            _files[name] = (body, tag, headers.get("content-type", "binary/octet-stream"))
            return "200 OK", b"", f'ETag: "{tag}"\r\n'
        if name not in _files:
            return "404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>", ""
        content, tag, kind = _files[name]
        about = f'ETag: "{tag}"\r\nContent-Type: {kind}\r\nLast-Modified: {formatdate(usegmt=True)}\r\n'
        return "200 OK", content, about + "Access-Control-Allow-Origin: *\r\n"


def _without_chunks(body: bytes) -> bytes:
    """Return the bytes of a body in aws-chunked encoding."""
    found, rest = [], body
    while rest:
        head, _, rest = rest.partition(b"\r\n")
        size = int(head.partition(b";")[0] or b"0", 16)
        if not size:
            break
        found.append(rest[:size])
        rest = rest[size + 2 :]
    return b"".join(found)


def _sorted_names() -> list[str]:
    if len(_names) != len(_files):  # files are never deleted
        _names[:] = sorted(_files)
    return _names


def _listing(bucket: str, query: dict[str, list[str]]) -> tuple[str, bytes, str]:
    asked = {name: values[0] for name, values in query.items()}
    prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
    after = asked.get("continuation-token") or asked.get("marker") or asked.get("start-after") or ""
    write = quote if asked.get("encoding-type") == "url" else escape
    folders: dict[str, None] = {}
    shown: list[str] = []
    last, more = "", False
    names = _sorted_names()
    for at in range(bisect.bisect_left(names, f"{bucket}/{max(prefix, after)}"), len(names)):
        name = names[at]
        if not name.startswith(f"{bucket}/{prefix}"):
            break
        key = name.partition("/")[2]
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        folder = prefix + head + delimiter if found else ""
        if key <= after or (folder and (folder <= after or folder in folders)):
            continue
        if len(shown) + len(folders) == MOST_KEYS:
            more = True
            break
        last = folder or key
        if folder:
            folders[folder] = None
        else:
            content, tag, _ = _files[name]
            shown.append(
                f"<Contents><Key>{write(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                f"<ETag>&quot;{tag}&quot;</ETag><Size>{len(content)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            )
    token = f"<NextContinuationToken>{escape(last)}</NextContinuationToken><NextMarker>{escape(last)}</NextMarker>"
    inner = "".join(shown) + "".join(
        f"<CommonPrefixes><Prefix>{write(each)}</Prefix></CommonPrefixes>" for each in folders
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>{MOST_KEYS}</MaxKeys>"
        f"<KeyCount>{len(shown) + len(folders)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
        f"{token if more else ''}{inner}</ListBucketResult>"
    )
    return "200 OK", text.encode(), "Content-Type: application/xml\r\n"


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Bucket, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
