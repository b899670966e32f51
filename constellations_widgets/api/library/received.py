"""What the Images API answers when it is asked for an image: its bytes, or JSON with the bytes in it, or no image."""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
import threading
from collections.abc import Callable
from typing import BinaryIO

import httpx

from ...errors import StoppedError
from ..plaintext import one_line
from .file_body import PART, Broken
from .progress import Meter, Progress

_HEAD = 512  # bytes by which an image is known
_KNOWN = [
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"SIMPLE  =",
    b"\0\0\0\x0cjP  ", b"\xff\x0a", b"8BPS",
]  # fmt: skip
_BEFORE_FILE = re.compile(rb'\A\s*\{[^{}]{0,1000}?"file"\s*:\s*"')


def save_image(
    response: httpx.Response,
    file: BinaryIO,
    *,
    report: Callable[[Progress], object] | None = None,
    stop: threading.Event | None = None,
    most: int | None = None,
) -> str:
    """Write the image that `response` holds to `file`, from its beginning; returns its content type.

    Raises
    ------
    Broken
        If the answer holds no image.
    StoppedError
        If `stop` is set, or the answer has more than `most` bytes.
    """
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Broken("is compressed, which was not asked for")
    file.seek(0)
    file.truncate()
    if kind == "application/json":
        with tempfile.TemporaryFile() as text:
            _copy(response, text, report, stop, most)
            _decode(text, file)
        kind = ""
    else:
        _copy(response, file, report, stop, most)
    file.seek(0)
    if fault := _image_fault(file.read(_HEAD), kind):
        raise Broken(fault)
    return kind


def _copy(
    response: httpx.Response,
    file: BinaryIO,
    report: Callable[[Progress], object] | None,
    stop: threading.Event | None,
    most: int | None,
) -> None:
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isascii() and length.isdecimal() else None
    size = total or 0
    meter = Meter(report, total)
    written = 0
    if most is not None and size > most:
        raise StoppedError(f"The image has {size:,} bytes, more than the {most:,} that were asked for.")
    for part in response.iter_bytes():
        if stop is not None and stop.is_set():
            raise StoppedError("The download was stopped.")
        file.write(part)
        meter.add(len(part))
        written += len(part)
        if most is not None and written > most:
            raise StoppedError(f"The image has more than the {most:,} bytes that were asked for.")


def _decode(text: BinaryIO, file: BinaryIO) -> None:
    """From the JSON object in `text`, the base64 of its `file`."""
    text.seek(0)
    begin = _BEFORE_FILE.match(text.read(4096))
    if begin is None:
        raise Broken("is JSON without a file in it")
    text.seek(begin.end())
    left, ended = b"", False
    while not ended and (part := text.read(PART)):
        part, end, _ = part.partition(b'"')
        ended = bool(end)
        left += part.replace(b"\\/", b"/").replace(b"\\n", b"").rstrip(b"\\")
        whole = len(left) // 4 * 4
        try:
            file.write(base64.b64decode(left[:whole], validate=True))
        except binascii.Error:
            raise Broken("is JSON whose file is no base64") from None
        left = left[whole:]
    if left or not ended:
        raise Broken("is JSON whose file has no end")


def _image_fault(head: bytes, kind: str) -> str | None:
    """Why these are not the first bytes of an image, None if they may be."""
    if not head:
        return "has 0 bytes"
    if any(head.startswith(beginning) for beginning in _KNOWN) or head[4:8] == b"ftyp" or head[8:12] == b"WEBP":
        return None
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if kind == "image/svg+xml" and text.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return None
    if text.startswith((b"<", b"{", b"[")) or kind.startswith("text/") or _is_text(head):
        return f"is no image, but begins with {one_line(head.decode('utf-8', 'replace'), 40)!r}"
    if kind.startswith("image/") or kind in ("", "application/octet-stream", "application/fits", "binary/octet-stream"):
        return None
    return f"is no image, but {one_line(kind, 60)!r}"


def _is_text(head: bytes) -> bool:
    return all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head)
