"""A local file as the body of an upload, read in parts while it is sent."""

from __future__ import annotations

import mimetypes
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import NotSentError, StoppedError
from ...text import one_line, readable
from .progress import Meter, Progress

PART = 256 * 1024
"""Bytes that are read from disk and sent at a time."""


class BrokenError(Exception):
    """Invalid body of a request or response; the text says why."""


@dataclass
class FileBody:
    """A file as a multipart form, in parts.

    Parameters
    ----------
    path : Path
    name : str
        Name of the file at the server.
    report : function of Progress, optional
    stop : threading.Event, optional
        Once it is set, the next part is not sent.

    Attributes
    ----------
    is_whole : bool
        Whether the last byte was handed over: before that, no server can have taken the file.
    """

    path: Path
    name: str
    report: Callable[[Progress], object] | None = None
    stop: threading.Event | None = None
    is_whole: bool = False
    _boundary: str = field(default_factory=lambda: f"cxw-{secrets.token_hex(16)}")

    def __post_init__(self) -> None:
        escaped = self.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")  # as browsers do
        kind = mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        disposition = f'Content-Disposition: form-data; name="file"; filename="{escaped}"'
        head = f"--{self._boundary}\r\n{disposition}\r\nContent-Type: {kind}\r\n\r\n"
        self._head, self._tail = head.encode("utf-8", "replace"), f"\r\n--{self._boundary}--\r\n".encode()
        self.size = self.path.stat().st_size

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the body."""
        length = len(self._head) + self.size + len(self._tail)
        return {"Content-Type": f"multipart/form-data; boundary={self._boundary}", "Content-Length": str(length)}

    def parts(self) -> Iterator[bytes]:
        """Yield the body. Raises StoppedError, and BrokenError if the file has changed since it was opened."""
        self.is_whole = False
        meter = Meter(self.report, self.size)
        with self.path.open("rb", buffering=0) as file:
            yield self._head
            left = self.size
            while left:
                if self.stop is not None and self.stop.is_set():
                    raise StoppedError(f"The upload of {one_line(self.name, 60)!r} was stopped.")
                part = file.read(min(PART, left))
                if not part:
                    break
                left -= len(part)
                yield part
                meter.add(len(part))
            if left or os.fstat(file.fileno()).st_size != self.size:
                raise BrokenError(f"{one_line(self.name, 60)!r} changed while it was sent")
        self.is_whole = True
        yield self._tail


def file_body(
    path: str | Path, name: str | None, report: Callable[[Progress], object] | None, stop: threading.Event | None
) -> tuple[FileBody, tuple[Any, ...]]:
    """Return the file as a body, and a key that identifies this upload."""
    try:
        path = Path(path).expanduser().resolve()
        about = path.stat()
        body = FileBody(path, readable(path.name if name is None else name), report, stop)
        if not path.is_file():
            raise NotSentError(f"{path} is not a file: nothing was sent.")
        path.open("rb").close()
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NotSentError(f"{one_line(str(path))} can't be read ({reason}): nothing was sent.") from None
    if not body.size:
        raise NotSentError(f"{path} is empty (0 bytes): nothing was sent.")
    if not body.name.strip():
        raise NotSentError("An image needs a name: nothing was sent.")
    return body, (str(path), about.st_size, about.st_mtime_ns, body.name)
