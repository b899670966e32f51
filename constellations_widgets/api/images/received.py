"""Parse the Images API's responses for an image, and name the files in which images are saved.

A response holds the image's bytes, or JSON that holds the bytes, or no image. Its name is untrusted.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import os
import re
import tempfile
import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ...errors import StoppedError
from ...http import Response
from ...text import one_line
from .file_body import PART, BrokenError
from .progress import Meter, Progress

_HEAD = 512  # bytes by which an image is known
_KNOWN = [
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"SIMPLE  =",
    b"\0\0\0\x0cjP  ", b"\xff\x0a", b"8BPS",
]  # fmt: skip
_BEFORE_FILE = re.compile(rb'\A\s*\{[^{}]{0,1000}?"file"\s*:\s*"')


def save_image(
    response: Response,
    file: IO[bytes],
    *,
    report: Callable[[Progress], object] | None = None,
    stop: threading.Event | None = None,
    most: int | None = None,
) -> str:
    """Write the image in `response` to `file`, from its beginning; return its content type.

    Raises
    ------
    BrokenError
        If the answer holds no image.
    StoppedError
        If `stop` is set, or the answer has more than `most` bytes.
    """
    kind: str = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise BrokenError("is compressed, although no compression was requested")
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
        raise BrokenError(fault)
    return kind


def _copy(
    response: Response,
    file: IO[bytes],
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
        raise StoppedError(f"The image has {size:,} bytes, more than the {most:,} that were requested.")
    for part in response.iter_bytes():
        if stop is not None and stop.is_set():
            raise StoppedError("The download was stopped.")
        file.write(part)
        meter.add(len(part))
        written += len(part)
        if most is not None and written > most:
            raise StoppedError(f"The image has more than the {most:,} bytes that were requested.")


def _decode(text: IO[bytes], file: IO[bytes]) -> None:
    """Decode the base64 of `file` in the JSON object in `text`."""
    text.seek(0)
    begin = _BEFORE_FILE.match(text.read(4096))
    if begin is None:
        raise BrokenError("is JSON without a file in it")
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
            raise BrokenError("is JSON whose file is not base64") from None
        left = left[whole:]
    if left or not ended:
        raise BrokenError("is JSON whose file has no end")


def _image_fault(head: bytes, kind: str) -> str | None:
    """Return why these are not the first bytes of an image; None if they may be."""
    if not head:
        return "has 0 bytes"
    if any(head.startswith(beginning) for beginning in _KNOWN) or head[4:8] == b"ftyp" or head[8:12] == b"WEBP":
        return None
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if kind == "image/svg+xml" and text.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return None
    if text.startswith((b"<", b"{", b"[")) or kind.startswith("text/") or _is_text(head):
        return f"is not an image, but begins with {one_line(head.decode('utf-8', 'replace'), 40)!r}"
    if kind.startswith("image/") or kind in ("", "application/octet-stream", "application/fits", "binary/octet-stream"):
        return None
    return f"is not an image, but {one_line(kind, 60)!r}"


def _is_text(head: bytes) -> bool:
    return all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head)


LONGEST_NAME = 150
"""Maximum bytes of a name with its extension: file systems allow 255, and a number may be added."""

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # of Windows
_LONGEST_ENDING = 12


def file_name(name: str, fallback: str, content_type: str = "") -> str:
    """Return a name for a file in one folder: without any path, safe on every system, with an extension.

    >>> file_name("../../etc/passwd", "image"), file_name("<b>.png", "image"), file_name("", "image", "image/png")
    ('passwd', '_b_.png', 'image.png')
    """
    last = re.split(r"[/\\]", name)[-1]
    last = "".join(character for character in last if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co"))
    last = _FORBIDDEN.sub("_", last).strip().lstrip(".").rstrip(". ")
    if not last:
        last = re.sub(r"[^\w-]", "_", fallback) or "image"
    if _DEVICES.fullmatch(last):
        last = f"_{last}"
    stem, ending = os.path.splitext(last)
    if not ending or len(ending) > _LONGEST_ENDING:
        stem, ending = last, mimetypes.guess_extension(content_type) or ""
    room = LONGEST_NAME - len(ending.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + ending


def reserve(folder: Path, name: str) -> Path:
    """Create an empty file in `folder`, called `name`, `name (2)` and so on; existing files and links are kept."""
    stem, ending = os.path.splitext(name)
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem} ({number}){ending}")
        try:
            path.open("x").close()
            return path
        except FileExistsError:
            number += 1
