"""The grid of the image library: its state, and the requests of its page."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ... import runtime
from ...api.images.client import MOST_IN_MEMORY
from ...errors import (
    ApiError,
    BadAnswerError,
    ConstellationsError,
    NotFoundError,
    SignInError,
    StatusError,
    StoppedError,
)
from ..base import PageWidget, synced_dict
from ..protocol.services import LibraryState
from ..rpc import Handler, Response, require_count, require_texts
from ..thumbnails import MOST_BYTES, PICTURE, NoThumbnailError, Thumbnails, small_picture
from ..worker import Job, Worker, format_error
from .directory_listing import folder_entries, kernel_path
from .rows import SHOWN_NAME, LibraryRows
from .uploads import Uploads

if TYPE_CHECKING:
    from ...api import ImagesClient
    from ...schema.records import LibraryImage

_AT_ONCE = 8  # requests of one page that wait for the server
_EVERY = 0.15  # seconds between two messages about progress
_MOST_ROWS = 500  # in one response
_MOST_FILES = 1000  # uploaded by one click

Show = Callable[[str, "LibraryImage"], None]


class LibraryView(PageWidget):
    """The grid of an image library, with search, uploads and actions on an image.

    The state holds only the number of images: the page requests those that it shows.

    Parameters
    ----------
    images : ImagesClient
    show : callable
        Called with "sky" or "draft" and an image, when the page asks to show one. Must return at once.
    leave : callable
        Called when the page no longer waits for that image.
    on_signed_out : callable
        Called in any thread when the server rejects the sign-in.
    """

    page = "image_library"

    state: LibraryState = synced_dict()

    def __init__(self, images: ImagesClient, show: Show, leave: Callable[[], None], on_signed_out: Callable[[], None]):
        self.images, self._show, self._leave, self._on_signed_out = images, show, leave, on_signed_out
        self.rows = LibraryRows()
        self._thumbnails = Thumbnails(lambda id: self.images.open(id, most=MOST_BYTES))
        self.uploads = Uploads(images, self._push, self._on_added, self._on_refused)
        self._lock = threading.RLock()
        self._pushed = 0.0
        self._worker = Worker("list", self._on_list_error, self._lock)
        self._workers = runtime.new_workers(_AT_ONCE, "library")
        self._shown: dict[str, Any] = {"phase": "new", "message": "", "signed_out": "", "session": 0}
        self._shown |= {"busy": "", "note": "", "url": ""}
        requests: dict[str, Handler] = {
            "open": self._on_open,
            "refresh": self._on_refresh,
            "rows": self._rows,
            "index": self._index,
            "about": self._about,
            "directory": lambda request: (folder_entries(str(request.get("folder", ""))), []),
            "upload": self._upload,
            "drop": self._drop,
            "part": self._part,
            "sky": self._on_show,
            "draft": self._on_show,
            "cancel": self._on_cancel,
        }
        actions = {"stop": self.uploads.stop, "retry": self.uploads.retry, "clear": self.uploads.clear}
        requests |= {kind: functools.partial(self._act_on_upload, action) for kind, action in actions.items()}
        slow: dict[str, Handler] = {
            "thumb": self._thumb,
            "picture": self._picture,
            "rename": self._rename,
            "delete": self._delete,
        }
        once = ("upload", "drop", "part", "rename", "delete", *actions)
        super().__init__(requests=requests, slow_requests=slow, workers=self._workers, once=once, state=self._state())

    def close(self) -> None:
        """Cancel uploads and close the widget."""
        self.uploads.close()
        self._workers.shutdown(wait=False, cancel_futures=True)
        super().close()

    def __repr__(self) -> str:
        return f"<the image library at {self.images.base_url}: run the cell to see it>"

    def refresh(self) -> None:
        """Load the list again, in a thread."""
        self._worker.start(self._list, replace=True)

    def signed_in(self) -> None:
        """Continue everything that waits for a sign-in."""
        self.push(signed_out="", session=self._shown["session"] + 1)
        self.uploads.resume()
        self.refresh()

    def push(self, **shown: Any) -> None:
        """Change items of the state: what it is `busy` with, a `note` and its `url`, and so on."""
        with self._lock:
            self._shown |= shown
            self._push(True)

    def failed(self, error: Exception) -> str:
        """Return the message of an error; if it asks to sign in, show that."""
        if isinstance(error, SignInError):
            self._on_refused(error)
        return format_error(error)

    # -- to the page

    def _state(self) -> LibraryState:
        shown = cast(LibraryState, self._shown)
        return {
            **shown,
            "base_url": self.images.base_url,
            "count": len(self.rows),
            "revision": self.rows.revision,
            "uploads": self.uploads.state(),
        }

    def _push(self, at_once: bool) -> None:
        with self._lock:
            now = time.monotonic()
            if at_once or now - self._pushed > _EVERY:
                self._pushed = now
                self.state = self._state()

    def _on_added(self, image: LibraryImage) -> None:
        self.rows.put(image)
        self._push(True)

    def _on_refused(self, error: SignInError) -> None:
        is_first = self.images.credentials is None
        self.push(signed_out="Sign in to see this library." if is_first else f"{error} Running tasks wait for you.")
        self._on_signed_out()

    def _list(self, job: Job) -> None:
        self.push(phase="loading", message="")
        self.rows.begin_list()
        images = list(self.images.list())
        with self._lock:
            if job.is_current:
                self.rows.set_all(images)
                self.push(phase="ready", signed_out="")

    def _on_list_error(self, error: Exception) -> None:
        self.push(phase="failed", message=self.failed(error))

    # -- from the page

    def _on_open(self, _request: Mapping[str, Any]) -> Response:
        if self._shown["phase"] in ("new", "failed"):
            self.refresh()
        return {}, []

    def _on_refresh(self, _request: Mapping[str, Any]) -> Response:
        """Request everything again: the list, thumbnails that failed, uploads that wait for a sign-in."""
        self.signed_in()
        return {}, []

    def _rows(self, request: Mapping[str, Any]) -> Response:
        start, end = require_count(request, "start"), require_count(request, "end")
        found, count = self.rows.window(start, min(end, start + _MOST_ROWS), *_query(request))
        return {"rows": [[it.id, it.name[:SHOWN_NAME]] for it in found], "count": count}, []

    def _index(self, request: Mapping[str, Any]) -> Response:
        return {"index": self.rows.index(str(request.get("image")), *_query(request))}, []

    def _about(self, request: Mapping[str, Any]) -> Response:
        image = self._image(request)
        return {"name": image.name, "url": image.url}, []

    def _thumb(self, request: Mapping[str, Any]) -> Response:
        try:
            small = self._thumbnails.get(self._image(request).id)
        except NoThumbnailError as error:
            return {"error": str(error)}, []
        except StoppedError:
            return {"error": f"Larger than {MOST_BYTES >> 20} MB: no thumbnail."}, []
        except ApiError as error:
            self.failed(error)
            return {"error": _why_none(error)}, []
        return {"type": small.content_type, "error": ""}, [small.content]

    def _picture(self, request: Mapping[str, Any]) -> Response:
        image = self._image(request)
        try:
            content = self.images.open(image)
            small = small_picture(content, PICTURE)
        except StoppedError:
            limit = MOST_IN_MEMORY >> 20
            return {"error": f"Larger than {limit} MB: show it on the sky, or download it in Python."}, []
        except ConstellationsError as error:
            return {"error": self.failed(error)}, []
        about = {"type": small.content_type, "size": list(small.size), "bytes": len(content), "error": ""}
        return about, [small.content]

    def _rename(self, request: Mapping[str, Any]) -> Response:
        image = self._image(request)
        try:
            renamed = self.images.rename(image, str(request.get("name")))
        except ApiError as error:
            message = self.failed(error)
            if isinstance(error, StatusError) and not isinstance(error, SignInError):
                message = f"The server rejected the name: {error.message}"
            raise ConstellationsError(message) from None
        self.rows.put(renamed if renamed.url else renamed.model_copy(update={"url": image.url}))
        self._push(True)
        return {}, []

    def _delete(self, request: Mapping[str, Any]) -> Response:
        image = self._image(request)
        try:
            self.images.delete(image)
        except ApiError as error:
            raise ConstellationsError(self.failed(error)) from None
        self.rows.remove(image.id)
        self._push(True)
        return {}, []

    def _on_show(self, request: Mapping[str, Any]) -> Response:
        self._show(str(request["kind"]), self._image(request))
        return {}, []

    def _on_cancel(self, _request: Mapping[str, Any]) -> Response:
        self._leave()
        return {}, []

    def _upload(self, request: Mapping[str, Any]) -> Response:
        for path in require_texts(request, "paths", _MOST_FILES):
            self.uploads.add(Path(kernel_path(path)))
        return {}, []

    def _drop(self, request: Mapping[str, Any]) -> Response:
        return {"upload": self.uploads.begin(str(request.get("name")), require_count(request, "size"))}, []

    def _part(self, request: Mapping[str, Any]) -> Response:
        number, at = require_count(request, "upload"), require_count(request, "at")
        self.uploads.part(number, at, request.get("buffers", [b""])[0])
        return {}, []

    def _act_on_upload(self, action: Callable[[int], object], request: Mapping[str, Any]) -> Response:
        action(require_count(request, "upload"))
        return {}, []

    def _image(self, request: Mapping[str, Any]) -> LibraryImage:
        image = self.rows.get(str(request.get("image")))
        if image is None:
            raise ConstellationsError("This image is no longer in the library: refresh the list.")
        return image


def _why_none(error: ApiError) -> str:
    """Return in a few words why there is no thumbnail; opening the image shows the whole message."""
    kinds = {SignInError: "Sign in to see it.", NotFoundError: "Deleted.", BadAnswerError: "Not an image."}
    return kinds.get(type(error), "Loading failed: open the image to see why.")


def _query(request: Mapping[str, Any]) -> tuple[str, str]:
    return str(request.get("search", ""))[:SHOWN_NAME], str(request.get("order", ""))
