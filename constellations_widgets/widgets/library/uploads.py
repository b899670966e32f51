"""Uploads of one widget: several at once, each with its progress, its outcome, and a way to retry."""

from __future__ import annotations

import itertools
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import runtime
from ...errors import ApiError, ConstellationsError, SignInError, StoppedError, UnclearError
from ...text import readable
from ..protocol.services import LibraryUpload
from ..worker import format_error
from .rows import SHOWN_NAME

if TYPE_CHECKING:
    from ...api import ImagesClient
    from ...api.images.progress import Progress
    from ...schema.records import LibraryImage

AT_ONCE = 3
"""Uploads that are sent at the same time; the others wait."""

ARRIVING, WAITING, SENDING = "arriving", "waiting", "sending"
DONE, STOPPED, FAILED, UNCLEAR, SIGNED_OUT = "done", "stopped", "failed", "unclear", "signed out"
UNDER_WAY = {ARRIVING, WAITING, SENDING}

_MOST_ENDED = 100  # that are still shown


@dataclass
class Upload:
    """One file on its way into the library."""

    id: int
    name: str
    path: Path
    size: int
    phase: Any
    done: int = 0
    rate: float = 0.0
    left: float | None = None
    message: str = ""
    is_whole: bool = True
    """Whether the file is complete; a file from the page is not at first."""
    received: set[int] = field(default_factory=set)
    """Offsets of the parts that were received."""
    stop: threading.Event = field(default_factory=threading.Event)

    def shown(self) -> LibraryUpload:
        """Return the upload for the page."""
        return {
            "id": self.id,
            "name": self.name[:SHOWN_NAME],
            "size": self.size,
            "phase": self.phase,
            "done": self.done,
            "rate": self.rate,
            "remaining": self.left,
            "message": self.message,
            "is_whole": self.is_whole,
        }


class Uploads:
    """Queue of uploads, some of which are sent at a time. Any thread may use it.

    Parameters
    ----------
    client : ImagesClient
    on_change : callable
        Called after every change, in any thread; with True unless it is only progress.
    on_added : callable
        Called with every new image.
    on_refused : callable
        Called with the SignInError when the server rejects the sign-in; uploads then wait for `resume`.
    """

    def __init__(
        self,
        client: ImagesClient,
        on_change: Callable[[bool], None],
        on_added: Callable[[LibraryImage], None],
        on_refused: Callable[[SignInError], None],
    ):
        self._client, self._on_change, self._on_added, self._on_refused = client, on_change, on_added, on_refused
        self._uploads: dict[int, Upload] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._workers = runtime.new_workers(AT_ONCE, "upload")
        self._dropped: tempfile.TemporaryDirectory[str] | None = None

    def state(self) -> list[LibraryUpload]:
        """Return the uploads for the page."""
        with self._lock:
            return [upload.shown() for upload in self._uploads.values()]

    def add(self, path: Path) -> None:
        """Upload a file of the kernel's disk."""
        try:
            size = path.stat().st_size
        except (OSError, ValueError):
            size = 0  # the client reports what is wrong with it
        self._enqueue(self._new(readable(path.name), path, size, WAITING))

    # A file that is dropped on the page arrives in parts, and is kept on disk until it is complete: it may have to be sent twice.

    def begin(self, name: str, size: int) -> int:
        """Begin an upload of a file that arrives in parts; return its number."""
        with self._lock:
            if self._dropped is None:
                self._dropped = tempfile.TemporaryDirectory(prefix="cxw-dropped-", ignore_cleanup_errors=True)
        upload = self._new(name, Path(self._dropped.name), size, ARRIVING)
        upload.path /= str(upload.id)
        upload.path.touch(mode=0o600)
        upload.is_whole = not size
        if upload.is_whole:
            self._enqueue(upload)  # the client reports that it is empty
        return upload.id

    def part(self, number: int, at: int, content: bytes | memoryview) -> None:
        """Accept a part of a file, in any order; a repeated part does no harm."""
        upload = self._get(number)
        if upload.phase != ARRIVING:
            raise ConstellationsError(f"The upload of {upload.name[:60]!r} has ended.")
        if at < 0 or at + len(content) > upload.size or not content:
            raise ConstellationsError(f"A part of {upload.name[:60]!r} is outside the file.")
        try:
            with upload.path.open("r+b") as file:
                file.seek(at)
                file.write(content)
        except OSError as error:
            self._end(upload, FAILED, f"The file can't be saved on the kernel's disk: {error.strerror}.")
            return
        with self._lock:
            if at not in upload.received:
                upload.received.add(at)
                upload.done += len(content)
            is_last = upload.done == upload.size and not upload.is_whole
            upload.is_whole = upload.is_whole or is_last
        if is_last and upload.phase == ARRIVING:
            self._enqueue(upload)
        else:
            self._on_change(False)

    # -- actions

    def stop(self, number: int) -> None:
        """Cancel an upload, unless it is sent completely."""
        upload = self._get(number)
        upload.stop.set()
        if upload.phase in (ARRIVING, WAITING, SIGNED_OUT):
            self._end(upload, STOPPED, "Nothing was added.")
        elif upload.phase == SENDING:  # it ends when the server accepts the next part, or responds
            upload.message = "stopping …"
            self._on_change(True)

    def retry(self, number: int) -> None:
        """Retry a failed upload; an unclear one is reconciled first."""
        upload = self._get(number)
        if upload.is_whole and upload.phase in (FAILED, UNCLEAR, SIGNED_OUT):
            self._enqueue(upload)

    def clear(self, number: int) -> None:
        """Remove an upload that has ended from the list."""
        with self._lock:
            upload = self._uploads.get(number)
            if upload is None or upload.phase in UNDER_WAY:
                return
            del self._uploads[number]
        self._clean(upload)
        self._on_change(True)

    def resume(self) -> None:
        """Continue the uploads that wait for a sign-in."""
        for upload in [*self._uploads.values()]:
            if upload.phase == SIGNED_OUT:
                self._enqueue(upload)

    def close(self) -> None:
        """Cancel all uploads."""
        for upload in [*self._uploads.values()]:
            upload.stop.set()
        self._workers.shutdown(wait=False, cancel_futures=True)
        if self._dropped is not None:
            self._dropped.cleanup()

    def _new(self, name: str, path: Path, size: int, phase: str) -> Upload:
        upload = Upload(next(self._numbers), name, path, size, phase)
        with self._lock:
            self._uploads[upload.id] = upload
            ended = [number for number, it in self._uploads.items() if it.phase in (DONE, STOPPED)]
            for number in ended[:-_MOST_ENDED]:
                del self._uploads[number]
        self._on_change(True)
        return upload

    def _get(self, number: int) -> Upload:
        upload = self._uploads.get(number)
        if upload is None:
            raise ConstellationsError("This upload is no longer in the list.")
        return upload

    def _enqueue(self, upload: Upload) -> None:
        upload.phase, upload.message, upload.done = WAITING, "", 0
        upload.stop.clear()
        self._on_change(True)
        self._workers.submit(self._send, upload)

    def _send(self, upload: Upload) -> None:
        if upload.phase != WAITING:
            return
        upload.phase = SENDING
        self._on_change(True)

        def report(progress: Progress) -> None:
            upload.done, upload.rate, upload.left = progress.done, progress.rate, progress.left
            self._on_change(False)

        try:
            image = self._client.upload(upload.path, name=upload.name, progress=report, stop=upload.stop)
        except StoppedError:
            self._end(upload, STOPPED, "Nothing was added.")
        except SignInError as error:
            self._end(upload, SIGNED_OUT, "")
            self._on_refused(error)
        except UnclearError as error:
            self._end(upload, UNCLEAR, str(error))
        except ApiError as error:
            self._end(upload, FAILED, str(error))
        except Exception as error:  # noqa: BLE001  (a bug must be shown, too)
            self._end(upload, FAILED, format_error(error))
        else:
            late = "The upload was complete before it could be cancelled." if upload.stop.is_set() else ""
            upload.done = upload.size
            self._end(upload, DONE, late)
            self._on_added(image)

    def _end(self, upload: Upload, phase: str, message: str) -> None:
        upload.phase, upload.message, upload.left = phase, message, None
        if phase in (DONE, STOPPED):
            self._clean(upload)
        self._on_change(True)

    def _clean(self, upload: Upload) -> None:
        if self._dropped is not None and upload.path.parent == Path(self._dropped.name):
            upload.path.unlink(missing_ok=True)
