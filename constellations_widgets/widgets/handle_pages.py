"""The images of a handle as they come from the server, page by page, in a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ApiError, ConstellationsError

if TYPE_CHECKING:
    from ..api import Constellations
    from ..schema.records import ImageRecord, ImageSummary

PAGE = 100
"""Images in one page: the most that the server gives at once."""
_NOT_SIGNED_IN = "Only its owner can list a handle's images, and this client is not signed in: pass auth=sign_in(…)."


class HandlePages:
    """A handle's images, newest first. Any thread may call all of it; none of it waits for the server.

    Parameters
    ----------
    client : Constellations
        Signed in as the handle's owner: nobody else may list its images.
    handle : str
        Which handle.
    tell : callable
        Called after every change, in the thread that made it.

    Attributes
    ----------
    version : int
        Grows when the list begins anew.
    total : int or None
        How many images the handle has, as far as the server has told.
    phase : str
        "idle", "loading", "complete" or "failed".
    fault : str
        Why it failed.
    """

    def __init__(self, client: Constellations, handle: str, tell: Callable[[], None]):
        self._client, self._handle, self._tell = client, handle, tell
        self._lock = threading.RLock()
        self.version = 0
        self._begin()

    def _begin(self) -> None:
        self.version += 1
        self.phase, self.fault = "idle", ""
        self.total: int | None = None
        self._images: dict[str, ImageSummary] = {}
        self._page = self._wanted = 0

    def loaded(self) -> tuple[int, list[ImageSummary]]:
        """The images that are here, and the `version` that they belong to."""
        with self._lock:
            return self.version, list(self._images.values())

    def load(self, count: int) -> None:
        """Load pages until `count` images are here, or all."""
        with self._lock:
            self._wanted = max(self._wanted, count)
            if self.phase in ("loading", "complete") or len(self._images) >= self._wanted:
                return
            self.phase, self.fault = "loading", ""
            run = threading.Thread(target=self._run, args=(self.version,), name="constellations-list", daemon=True)
            run.start()
        self._tell()

    def refresh(self) -> None:
        """Forget all, and begin anew with the first page."""
        with self._lock:
            self._begin()
        self.load(PAGE)

    def replace(self, record: ImageRecord) -> None:
        """Take over what a record says that was read since."""
        with self._lock:
            if record.id in self._images:
                self._images[record.id] = record

    def _run(self, version: int) -> None:
        try:
            for page in self._client.handle_images(self._handle, PAGE, first_page=self._page):
                with self._lock:
                    if version != self.version:
                        return
                    self._images |= {image.id: image for image in page if image.id not in self._images}
                    self._page += 1
                    self.total = max(page.total_count, len(self._images))
                    if len(self._images) >= min(self._wanted, self.total):
                        self.phase = "complete" if len(self._images) >= self.total else "idle"
                        break
                self._tell()
            else:
                self._end(version, "complete")
        except ApiError as error:
            self._end(version, "failed", str(error) if self._client.signed_in else _NOT_SIGNED_IN)
        except ConstellationsError as error:
            self._end(version, "failed", str(error))
        except Exception as error:  # a bug of ours: the page has to say so rather than wait for ever
            self._end(version, "failed", f"{type(error).__name__}: {error}")
        self._tell()

    def _end(self, version: int, phase: str, fault: str = "") -> None:
        with self._lock:
            if version == self.version:
                self.phase, self.fault = phase, fault
                if phase == "complete":
                    self.total = len(self._images)


class Records:
    """Whole records, read in a few threads when they are asked for: a list has no thumbnails.

    Parameters
    ----------
    client : Constellations
        Where they are.
    tell : callable
        Given each record that has come, or the id of one that can't be read with None.
    """

    _THREADS = 4

    def __init__(self, client: Constellations, tell: Callable[[str, ImageRecord | None], None]):
        self._client, self._tell = client, tell
        self._lock = threading.Lock()
        self._known: dict[str, ImageRecord | None] = {}
        self._wanted: list[str] = []
        self._threads = 0

    def known(self, ids: list[str]) -> dict[str, ImageRecord | None]:
        """Those that are here. The others are read from now on: the latest that were asked for come first."""
        with self._lock:
            missing = [id for id in ids if id not in self._known]
            self._wanted = [id for id in self._wanted if id not in missing] + missing[::-1]
            for _ in range(min(self._THREADS - self._threads, len(self._wanted))):
                self._threads += 1
                threading.Thread(target=self._run, name="constellations-records", daemon=True).start()
            return {id: self._known[id] for id in ids if id in self._known}

    def keep(self, record: ImageRecord) -> None:
        """One that was read anyway."""
        with self._lock:
            self._known[record.id] = record

    def forget(self) -> None:
        """All are to be read anew."""
        with self._lock:
            self._known.clear()
            self._wanted.clear()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._wanted:
                    self._threads -= 1
                    return
                id = self._wanted.pop()
            try:
                record = self._client.image(id)
            except ConstellationsError:
                record = None  # a list does without
            with self._lock:
                self._known[id] = record
            self._tell(id, record)
