"""Uploads of one widget: several at once, each with its progress, its end, and a way to go on."""

from __future__ import annotations

import itertools
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ApiError, ConstellationsError, SignInError, StoppedError, UnclearError
from .rows import SHOWN_NAME

if TYPE_CHECKING:
    from ...api import ImagesClient
    from ...api.library.progress import Progress
    from ...schema.library import LibraryImage

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
    phase: str
    done: int = 0
    rate: float = 0.0
    left: float | None = None
    message: str = ""
    is_whole: bool = True
    """Whether the file is all there; what comes from the page is not at first."""
    came: set[int] = field(default_factory=set)
    """Where the parts began that have come."""
    stop: threading.Event = field(default_factory=threading.Event)

    def shown(self) -> dict[str, Any]:
        names = ("id", "size", "phase", "done", "rate", "left", "message", "is_whole")
        return {name: getattr(self, name) for name in names} | {"name": self.name[:SHOWN_NAME]}


class Uploads:
    """Sends files, some at a time. Any thread may use it.

    Parameters
    ----------
    client : ImagesClient
    changed : function
        Called after every change, in any thread; with True where it must not be left out.
    added : function of LibraryImage
        Told of every new image.
    refused : function of SignInError
        Told when the server does not believe the sign-in: then uploads wait for `resume`.
    """

    def __init__(
        self,
        client: ImagesClient,
        changed: Callable[[bool], None],
        added: Callable[[LibraryImage], None],
        refused: Callable[[SignInError], None],
    ):
        self._client, self._changed, self._added, self._refused = client, changed, added, refused
        self._uploads: dict[int, Upload] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="constellations-upload")
        self._dropped: tempfile.TemporaryDirectory[str] | None = None

    def state(self) -> list[dict[str, Any]]:
        """For the page."""
        with self._lock:
            return [upload.shown() for upload in self._uploads.values()]

    def add(self, path: Path) -> int:
        """Send a file of the kernel's disk. Returns the number of the upload."""
        try:
            size = path.stat().st_size
        except (OSError, ValueError):
            size = 0  # the client says what is wrong with it
        return self._enqueue(self._new(path.name, path, size, WAITING))

    # What the page drops comes in parts, and waits on disk until all of it is there: it may have to be sent twice.

    def begin(self, name: str, size: int) -> int:
        """A file will come in parts."""
        with self._lock:
            if self._dropped is None:
                self._dropped = tempfile.TemporaryDirectory(prefix="cxw-dropped-", ignore_cleanup_errors=True)
        upload = self._new(name, Path(self._dropped.name), size, ARRIVING)
        upload.path /= str(upload.id)
        upload.path.touch(mode=0o600)
        upload.is_whole = not size
        if upload.is_whole:
            self._enqueue(upload)  # the client says that it is empty
        return upload.id

    def part(self, number: int, at: int, content: bytes | memoryview) -> None:
        """One part of it, in any order; the same part twice does no harm."""
        upload = self._get(number)
        if upload.phase != ARRIVING:
            raise ConstellationsError(f"{upload.name[:60]!r} is not waited for any more.")
        if at < 0 or at + len(content) > upload.size or not content:
            raise ConstellationsError(f"A part of {upload.name[:60]!r} lies outside of it.")
        try:
            with upload.path.open("r+b") as file:
                file.seek(at)
                file.write(content)
        except OSError as error:
            self._end(upload, FAILED, f"It can't be kept on the kernel's disk until it is sent: {error.strerror}.")
            return
        with self._lock:
            if at not in upload.came:
                upload.came.add(at)
                upload.done += len(content)
            is_last = upload.done == upload.size and not upload.is_whole
            upload.is_whole = upload.is_whole or is_last
        if is_last and upload.phase == ARRIVING:
            self._enqueue(upload)
        else:
            self._changed(False)

    # What can be done with one

    def stop(self, number: int) -> None:
        """Break it off. What has left whole already can't be stopped."""
        upload = self._get(number)
        upload.stop.set()
        if upload.phase in (ARRIVING, WAITING, SIGNED_OUT):
            self._end(upload, STOPPED, "Nothing was added.")
        elif upload.phase == SENDING:  # it ends when the server takes the next part, or answers
            upload.message = "stopping …"
            self._changed(True)

    def again(self, number: int) -> None:
        """Send one again that failed; one that is unclear is looked for first."""
        upload = self._get(number)
        if upload.is_whole and upload.phase in (FAILED, UNCLEAR, SIGNED_OUT):
            self._enqueue(upload)

    def forget(self, number: int) -> None:
        """Show one no more that has ended."""
        with self._lock:
            upload = self._uploads.get(number)
            if upload is None or upload.phase in UNDER_WAY:
                return
            del self._uploads[number]
        self._clean(upload)
        self._changed(True)

    def resume(self) -> None:
        """Go on with all that wait for a sign-in."""
        for upload in [*self._uploads.values()]:
            if upload.phase == SIGNED_OUT:
                self._enqueue(upload)

    def close(self) -> None:
        """Break everything off."""
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
        self._changed(True)
        return upload

    def _get(self, number: int) -> Upload:
        upload = self._uploads.get(number)
        if upload is None:
            raise ConstellationsError("There is no such upload any more.")
        return upload

    def _enqueue(self, upload: Upload) -> int:
        upload.phase, upload.message, upload.done = WAITING, "", 0
        upload.stop.clear()
        self._changed(True)
        self._workers.submit(self._send, upload)
        return upload.id

    def _send(self, upload: Upload) -> None:
        if upload.phase != WAITING:
            return
        upload.phase = SENDING
        self._changed(True)

        def report(progress: Progress) -> None:
            upload.done, upload.rate, upload.left = progress.done, progress.rate, progress.left
            self._changed(False)

        try:
            image = self._client.upload(upload.path, name=upload.name, progress=report, stop=upload.stop)
        except StoppedError:
            self._end(upload, STOPPED, "Nothing was added.")
        except SignInError as error:
            self._end(upload, SIGNED_OUT, "")
            self._refused(error)
        except UnclearError as error:
            self._end(upload, UNCLEAR, str(error))
        except ApiError as error:
            self._end(upload, FAILED, str(error))
        except Exception as error:  # a bug of ours has to be said, too
            self._end(upload, FAILED, f"{type(error).__name__}: {error}")
        else:
            late = "It had left whole before it could be stopped." if upload.stop.is_set() else ""
            upload.done = upload.size
            self._end(upload, DONE, late)
            self._added(image)

    def _end(self, upload: Upload, phase: str, message: str) -> None:
        upload.phase, upload.message, upload.left = phase, message, None
        if phase in (DONE, STOPPED):
            self._clean(upload)
        self._changed(True)

    def _clean(self, upload: Upload) -> None:
        if self._dropped is not None and upload.path.parent == Path(self._dropped.name):
            upload.path.unlink(missing_ok=True)
