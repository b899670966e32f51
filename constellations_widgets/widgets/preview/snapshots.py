"""Pictures of what a page shows, which Python waits for."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...errors import ConstellationsError, SourceError
from ...schema.placement import shown
from ...state import PUBLIC, write_file
from ..protocol.preview import SnapshotEvent
from ..rpc import Response, require_count

WIDEST = 4096  # pixels; what every graphics driver can draw
_NARROWEST = 64
_MOST_BYTES = 128 << 20
_AGAIN = 2.0  # seconds; a page that has just opened has not received the first message
_PNG = b"\x89PNG\r\n\x1a\n"

NO_PAGE = "No page shows this preview, so there is no view to save. Display it in a cell, and take the snapshot in a later one."
LATE = (
    "No page sent a picture of the preview within {seconds:g} s. Check that the preview is shown in an open page, "
    "or pass a longer timeout=."
)
OLD_KERNEL = (
    "A snapshot needs ipykernel 7: this version receives nothing from a page while a cell runs. "
    "Update ipykernel, or use “Save picture” in the preview."
)


class Snapshots:
    """Requests for pictures of a preview's view, and what pages have sent of them."""

    def __init__(self, send: Callable[[Any], None]):
        self._send = send
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._awaited: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Future[bytes]]] = {}
        self._parts: dict[tuple[int, str], dict[int, bytes]] = {}

    async def take(self, timeout: float, **options: Any) -> bytes:
        """Return a PNG of the view from the first page that sends one. Raises the errors of `Preview.snapshot`."""
        loop = asyncio.get_running_loop()
        number, picture = next(self._numbers), loop.create_future()
        with self._lock:
            self._awaited[number] = loop, picture
        request: SnapshotEvent = {"kind": "snapshot", "number": number, "seconds": timeout, **options}  # type: ignore[typeddict-item]
        end = loop.time() + timeout
        try:
            while (left := end - loop.time()) > 0:
                self._send(request)
                done, _ = await asyncio.wait({picture}, timeout=min(_AGAIN, left))
                if done:
                    return bytes(picture.result())
            raise ConstellationsError(LATE.format(seconds=timeout))
        finally:
            with self._lock:
                del self._awaited[number]
                self._parts = {key: parts for key, parts in self._parts.items() if key[0] != number}

    def on_part(self, request: Mapping[str, Any]) -> Response:
        """Take a part of a picture, or the reason why there is none, in any thread."""
        number, index, count = (require_count(request, name) for name in ("number", "index", "count"))
        with self._lock:
            if number not in self._awaited:
                return {}, []  # another page was faster
            loop, picture = self._awaited[number]
            if error := request.get("error"):
                loop.call_soon_threadsafe(_fail, picture, ConstellationsError(f"There is no snapshot. {error}"))
                return {}, []
            parts = self._parts.setdefault((number, str(request.get("view"))), {})
            parts[index] = b"".join(bytes(buffer) for buffer in request.get("buffers", ()))
            if sum(map(len, parts.values())) > _MOST_BYTES:
                raise ConstellationsError("The picture is too large.")
            if set(parts) != set(range(count)):
                return {}, []
            content = b"".join(parts[index] for index in range(count))
        if not content.startswith(_PNG):
            raise ConstellationsError("The page did not send a PNG.")
        loop.call_soon_threadsafe(_succeed, picture, content)
        return {}, []


def check_options(path: str | Path, width: int) -> Path:
    """Return the path of a snapshot. Raises a SourceError if it is no PNG, a ConstellationsError if the width is out of range."""
    target = Path(path).expanduser()
    if target.suffix.lower() != ".png":
        raise SourceError(f"A snapshot is a PNG: end the file name in .png, not {shown(target.name)}.")
    if isinstance(width, bool) or not isinstance(width, int) or not _NARROWEST <= width <= WIDEST:
        raise ConstellationsError(
            f"width= takes a whole number of pixels from {_NARROWEST} to {WIDEST:,}, not {shown(width)}."
        )
    return target


def write(content: bytes, target: Path) -> Path:
    """Write a snapshot, atomically."""
    try:
        write_file(target, content, mode=PUBLIC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"The snapshot can't be written to {shown(str(target), 200)}: {reason}") from None
    return target


def _succeed(picture: asyncio.Future[bytes], content: bytes) -> None:
    if not picture.done():
        picture.set_result(content)


def _fail(picture: asyncio.Future[bytes], error: Exception) -> None:
    if not picture.done():
        picture.set_exception(error)
