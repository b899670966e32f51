"""Read a request body as body-parser 1.20 does: limit, content types, charsets, encodings, strict JSON."""

from __future__ import annotations

import re
import zlib
from typing import Any

from starlette.requests import Request

from .jsvalues import parse_json
from .pages import PageError

__all__ = ["BODY_LIMIT", "read_json"]

#: The server's limit for one body in bytes, after decompression.
BODY_LIMIT = 100 * 1024

# No form of this can be written with a stray ";" at the end: body-parser then doesn't parse the body at all.
_TOKEN = r"[!#$%&'*+.0-9A-Z^_`a-z|~-]+"
_CONTENT_TYPE = re.compile(
    rf'application/json *((?:; *{_TOKEN} *= *(?:"(?:[^"\\]|\\.)*"|{_TOKEN}) *)*)\Z', re.IGNORECASE
)
_CHARSET = re.compile(rf'; *charset *= *("(?:[^"\\]|\\.)*"|{_TOKEN})', re.IGNORECASE)
_CODECS = {"utf-8": "utf-8", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "utf-16-le": "utf-16-le",
           "utf-16-be": "utf-16-be", "utf-7": "utf-7"}  # fmt: skip


async def read_json(request: Request) -> Any:
    """Return the parsed body; an empty object if body-parser would not parse it.

    Raises
    ------
    PageError
        400, 413 or 415, as an HTML page.
    RecursionError
        JSON that is nested too deeply to be read here.
    """
    headers = request.headers
    content_type = _CONTENT_TYPE.match(headers.get("content-type", "").strip())
    has_body = "transfer-encoding" in headers or headers.get("content-length", "").isdigit()
    if not has_body or content_type is None:
        await _discard(request)
        return {}
    charset = _CHARSET.search(content_type.group(1))
    name = charset.group(1).strip('"').lower() if charset else "utf-8"
    if not name.startswith("utf-"):
        raise _unsupported_charset(name)
    raw = await _read(request)
    if name != "utf-16" and name not in _CODECS:
        raise _unsupported_charset(name)
    text = _decode(raw, name)
    if not text:
        return {}
    try:
        return parse_json(text)
    except ValueError as error:
        raise PageError(400, "SyntaxError", str(error)) from None


def _unsupported_charset(name: str) -> PageError:
    return PageError(415, "UnsupportedMediaTypeError", f'unsupported charset "{name.upper()}"')


async def _discard(request: Request) -> None:
    async for _ in request.stream():
        pass


async def _read(request: Request) -> bytes:
    """Return the body, decompressed. One over the limit is also read to its end: the client then gets the response."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip", "deflate"):
        await _discard(request)
        raise PageError(415, "UnsupportedMediaTypeError", f'unsupported content encoding "{encoding}"')
    inflate = None if encoding == "identity" else zlib.decompressobj(31 if encoding == "gzip" else 15)
    parts, size, broken = [], 0, None
    async for chunk in request.stream():
        if size > BODY_LIMIT or broken:
            continue
        if inflate:
            try:
                chunk = inflate.decompress(chunk, BODY_LIMIT + 1 - size)
            except zlib.error as error:
                broken = str(error)
        parts.append(chunk)
        size += len(chunk)
    if size > BODY_LIMIT:
        raise PageError(413, "PayloadTooLargeError", "request entity too large")
    if broken or (inflate and not inflate.eof):
        raise PageError(400, "BadRequestError", "incorrect header check" if broken else "unexpected end of file")
    return b"".join(parts)


def _decode(raw: bytes, name: str) -> str:
    if name == "utf-16":
        big_endian = raw.startswith(b"\xfe\xff") or (raw[:1] == b"\0" and raw[1:2] != b"\0")
        name = "utf-16be" if big_endian else "utf-16le"
    return raw.decode(_CODECS[name], "replace").removeprefix("\ufeff")
