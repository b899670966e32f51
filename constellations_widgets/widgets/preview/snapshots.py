"""Pictures of what a page shows, which Python waits for."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import ConstellationsError, SourceError
from ...schema.placement import shown
from ...state import user_path
from ..rpc import Response, require_count

WIDEST = 4096  # pixels; what every graphics driver can draw
_NARROWEST = 64
_MOST_BYTES = 128 << 20
_AGAIN = 2.0  # seconds; a page that has just opened has not received the first message
_LATER = 10.0  # seconds that a page's reason may be on its way
_POLL = 0.1  # seconds until a cancel is noticed
_PNG = b"\x89PNG\r\n\x1a\n"

NO_PAGE = "No page shows this preview, so there is no view to save. Display it in a cell, and take the snapshot in a later one."
LATE = (
    "No page sent a picture of the preview within {seconds:g} s. Check that the preview is shown in an open page, "
    "or pass a longer timeout=."
)
NO_SKY = (
    "No page shows this preview, so there is no sky to compare the image with. Display it in a cell, and snap in a later one, "
    "or give a FITS image: snap(path)."
)
OLD_KERNEL_SKY = (
    "Snapping to the sky from a cell needs ipykernel 7: this version receives nothing from a page while a cell runs. "
    "Update ipykernel, press “Snap to sky” in the preview, or give a FITS image: snap(path)."
)
LATE_SKY = (
    "No page sent the sky behind the image within {seconds:g} s. Check that the preview is shown in an open page, or pass a longer "
    "timeout=. While a cell runs, some front ends pass nothing on: press “Snap to sky” there, or give a FITS image."
)
OLD_KERNEL = (
    "A snapshot needs ipykernel 7: this version receives nothing from a page while a cell runs. "
    "Update ipykernel, or use “Save picture” in the preview."
)


class Received(NamedTuple):
    """A picture that a page has sent."""

    content: bytes
    """A PNG."""
    about: Mapping[str, Any]
    """What the page says of it."""


class Snapshots:
    """Requests for pictures of a preview's view, and what pages have sent of them."""

    def __init__(self, send: Callable[[Any], None]):
        self._send = send
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._awaited: dict[int, tuple[Future[Received], str]] = {}
        self._parts: dict[tuple[int, str], dict[int, bytes]] = {}

    async def take(self, timeout: float, **options: Any) -> bytes:
        """Return a PNG of the view from the first page that sends one. Raises the errors of `Preview.snapshot`."""
        loop = asyncio.get_running_loop()
        with self._request("snapshot", timeout, options) as (request, picture):
            end, waiter = loop.time() + timeout, asyncio.wrap_future(picture)
            while (left := end - loop.time()) > 0:
                self._send(request)
                done, _ = await asyncio.wait({waiter}, timeout=min(_AGAIN, left))
                if done:
                    return waiter.result().content
        raise ConstellationsError(LATE.format(seconds=timeout))

    def take_sky(self, timeout: float, cancelled: threading.Event, **camera: Any) -> Received:
        """Wait for a PNG of the sky behind the image, from the first page that sends one.

        Parameters
        ----------
        timeout : float
            Seconds.
        cancelled : threading.Event
            Ends the wait when it is set.
        **camera
            Fields of `SkyEvent`.

        Raises
        ------
        ConstellationsError
            If no page sends one in time or a page can't draw it, or the wait was cancelled.
        """
        end = time.monotonic() + timeout + _LATER  # the page gives up first, since it knows what is missing
        with self._request("sky", timeout, camera) as (request, picture):
            sent = 0.0
            while (now := time.monotonic()) < end and not cancelled.is_set():
                if now - sent > _AGAIN:
                    self._send(request)
                    sent = now
                with contextlib.suppress(FutureTimeoutError):
                    return picture.result(_POLL)
        if cancelled.is_set():
            raise ConstellationsError("Snapping was cancelled.")
        raise ConstellationsError(LATE_SKY.format(seconds=timeout))

    @contextlib.contextmanager
    def _request(self, kind: str, timeout: float, options: Any) -> Iterator[tuple[dict[str, Any], Future[Received]]]:
        number, picture = next(self._numbers), Future[Received]()
        refusal = "There is no snapshot." if kind == "snapshot" else "The page can't draw the sky behind the image."
        with self._lock:
            self._awaited[number] = picture, refusal
        try:
            yield {"kind": kind, "number": number, "seconds": timeout, **options}, picture
        finally:
            with self._lock:
                del self._awaited[number]
                self._parts = {key: parts for key, parts in self._parts.items() if key[0] != number}

    def on_part(self, request: Mapping[str, Any]) -> Response:
        """Take a part of a picture, or the reason why there is none, in any thread."""
        number, index, count = (require_count(request, name) for name in ("number", "index", "count"))
        with self._lock:
            picture, refusal = self._awaited.get(number, (None, ""))
            if picture is None or picture.done():
                return {}, []  # another page was faster
            if error := request.get("error"):
                picture.set_exception(ConstellationsError(f"{refusal} {error}"))
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
            about = request.get("about")
            picture.set_result(Received(content, about if isinstance(about, dict) else {}))
        return {}, []


def check_options(path: str | Path, width: int) -> Path:
    """Return the path of a snapshot. Raises a SourceError if it is no PNG, a ConstellationsError if the width is out of range."""
    target = user_path(path)
    if target.suffix.lower() != ".png":
        raise SourceError(f"A snapshot is a PNG: end the file name in .png, not {shown(target.name)}.")
    if isinstance(width, bool) or not isinstance(width, int) or not _NARROWEST <= width <= WIDEST:
        raise ConstellationsError(
            f"width= takes a whole number of pixels from {_NARROWEST} to {WIDEST:,}, not {shown(width)}."
        )
    return target
