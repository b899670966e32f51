"""The page's half of the image library: what it is told, and what it asks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ...api.library.client import MOST_IN_MEMORY
from ...errors import (
    ApiError,
    BadAnswerError,
    ConstellationsError,
    NotFoundError,
    SignInError,
    StatusError,
    StoppedError,
)
from ..answering import Answer, Answerer, let_pages_choose_the_thread
from ..static import built
from .places import folder_entries
from .rows import SHOWN_NAME, LibraryRows
from .thumbnails import MOST_BYTES, PICTURE, NoThumbnail, Thumbnails, small_picture
from .uploads import Uploads

if TYPE_CHECKING:
    from ...api import ImagesClient
    from ...schema.library import LibraryImage

_AT_ONCE = 8  # requests of one page that wait for the server
_EVERY = 0.15  # seconds between two words on progress
_MOST_ROWS = 500  # in one answer
_MOST_FILES = 1000  # uploaded by one click

Show = Callable[[str, "LibraryImage"], None]


class LibraryView(anywidget.AnyWidget):
    """The grid of an image library, with search, uploads and what can be done with an image.

    Nothing of the library is in its state but how many images there are: the page asks for what it shows.

    Parameters
    ----------
    images : ImagesClient
    show : function
        Called in a thread with "sky" or "draft" and an image, when the page asks to show one.
    leave : function
        Called when the page does not wait for that image any longer.
    signed_out : function
        Called in any thread when the server does not believe the sign-in.
    """

    state = traitlets.Dict().tag(sync=True)

    def __init__(self, images: ImagesClient, show: Show, leave: Callable[[], None], signed_out: Callable[[], None]):
        self._esm, self._css = built("image_library.js"), built("image_library.css")
        self.images, self._show, self._leave, self._signed_out = images, show, leave, signed_out
        self.rows = LibraryRows()
        self._thumbnails = Thumbnails(lambda id: self.images.open(id, most=MOST_BYTES))
        self.uploads = Uploads(images, self._tell, self._added, self._refused)
        self._said: dict[str, Any] = {"phase": "new", "message": "", "signed_out": "", "session": 0}
        self._said |= {"busy": "", "note": "", "url": ""}
        self._telling = threading.RLock()
        self._told = 0.0
        self._listing = threading.Lock()
        self._lists_asked = 0
        super().__init__(state=self._state())
        quick = {"open": self._open, "rows": self._rows, "place": self._place, "about": self._about}
        quick |= {"places": self._places, "upload": self._upload, "drop": self._drop, "part": self._part}
        quick |= {"stop": self._stop, "again": self._again, "forget": self._forget, "refresh": self._refresh}
        quick |= {"sky": self._shown, "draft": self._shown, "leave": self._left}
        slow = {"thumb": self._thumb, "picture": self._picture, "rename": self._rename, "delete": self._delete}
        self._workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="constellations-library")
        self._quick, self._slow = Answerer(quick, self.send), Answerer(slow, self.send, self._workers)
        self._is_slow = slow.keys()
        self.on_msg(self._receive)

    def open(self) -> None:
        super().open()
        let_pages_choose_the_thread(self.comm)

    def close(self) -> None:
        self.uploads.close()
        self._workers.shutdown(wait=False, cancel_futures=True)
        super().close()

    def __repr__(self) -> str:
        return f"<the image library at {self.images.base_url}: run the cell to see it>"

    def refresh(self) -> None:
        """List the images anew, in a thread."""
        self._lists_asked += 1
        threading.Thread(target=self._list, name="constellations-list", daemon=True).start()

    def signed_in(self) -> None:
        """Somebody has signed in: go on with everything that waits for it."""
        self.say(signed_out="", session=self._said["session"] + 1)
        self.uploads.resume()
        self.refresh()

    def say(self, **words: Any) -> None:
        """Tell the page: `busy` with what, a `note` and its `url`, and so on."""
        with self._telling:
            self._said |= words
            self._tell(True)

    def failed(self, error: ConstellationsError) -> str:
        """What to say of an error. One that asks to sign in is said to all."""
        if isinstance(error, SignInError):
            self._refused(error)
        return str(error)

    # What the page is told

    def _state(self) -> dict[str, Any]:
        return self._said | {
            "base_url": self.images.base_url,
            "count": len(self.rows),
            "revision": self.rows.revision,
            "uploads": self.uploads.state(),
        }

    def _tell(self, at_once: bool) -> None:
        with self._telling:
            now = time.monotonic()
            if at_once or now - self._told > _EVERY:
                self._told = now
                self.state = self._state()

    def _added(self, image: LibraryImage) -> None:
        self.rows.put(image)
        self._tell(True)

    def _refused(self, error: SignInError) -> None:
        is_first = self.images.credentials is None
        words = (
            "Nobody is signed in to this library yet."
            if is_first
            else f"{error} Nothing is lost: what was under way waits."
        )
        self.say(signed_out=words)
        self._signed_out()

    def _list(self) -> None:
        asked = self._lists_asked
        with self._listing:
            if asked < self._lists_asked:
                return  # a later one does it: somebody may have signed in meanwhile
            self.say(phase="loading", message="")
            try:
                self.rows.set_all(self.images.list())
            except ConstellationsError as error:
                self.say(phase="failed", message=self.failed(error))
            except Exception as error:  # a bug of ours has to be said, too
                self.say(phase="failed", message=f"{type(error).__name__}: {error}")
            else:
                self.say(phase="ready", signed_out="")

    # What the page asks for

    def _receive(self, widget: Any, message: Any, buffers: Any) -> None:
        kind = message.get("kind") if isinstance(message, dict) else None
        if kind == "part":
            message = message | {"content": buffers[0] if buffers else b""}
        answerer = self._slow if kind in self._is_slow else self._quick
        answerer.receive(widget, message, buffers)

    def _open(self, _request: Mapping[str, Any]) -> Answer:
        if self._said["phase"] in ("new", "failed"):
            self.refresh()
        return {}, []

    def _refresh(self, _request: Mapping[str, Any]) -> Answer:
        """The user asks for everything anew: the list, thumbnails that failed, uploads that wait for somebody to sign in."""
        self.signed_in()
        return {}, []

    def _rows(self, request: Mapping[str, Any]) -> Answer:
        start, end = _number(request, "start"), _number(request, "end")
        revision = self.rows.revision
        found, count = self.rows.window(start, min(end, start + _MOST_ROWS), *_query(request))
        return {"rows": [[it.id, it.name[:SHOWN_NAME]] for it in found], "count": count, "revision": revision}, []

    def _place(self, request: Mapping[str, Any]) -> Answer:
        return {"place": self.rows.place(str(request.get("image")), *_query(request))}, []

    def _about(self, request: Mapping[str, Any]) -> Answer:
        image = self._image(request)
        return {"name": image.name, "url": image.url}, []

    def _thumb(self, request: Mapping[str, Any]) -> Answer:
        try:
            small = self._thumbnails.get(self._image(request).id)
        except NoThumbnail as error:
            return {"none": str(error)}, []
        except StoppedError:
            return {"none": f"More than {MOST_BYTES >> 20} MB: too large for a thumbnail."}, []
        except ApiError as error:
            self.failed(error)
            return {"none": _why_none(error)}, []
        return {"type": small.content_type, "none": ""}, [small.content]

    def _picture(self, request: Mapping[str, Any]) -> Answer:
        image = self._image(request)
        try:
            content = self.images.open(image)
            small = small_picture(content, PICTURE)
        except StoppedError:
            return {"none": f"More than {MOST_IN_MEMORY >> 20} MB: show it on the sky, or download it in Python."}, []
        except ConstellationsError as error:
            return {"none": self.failed(error)}, []
        about = {"type": small.content_type, "size": list(small.size), "bytes": len(content), "none": ""}
        return about, [small.content]

    def _rename(self, request: Mapping[str, Any]) -> Answer:
        image = self._image(request)
        try:
            renamed = self.images.rename(image, str(request.get("name")))
        except ApiError as error:
            words = self.failed(error)
            said = isinstance(error, StatusError) and not isinstance(error, SignInError)
            raise ConstellationsError(f"The server says: {error.message}" if said else words) from None
        self.rows.put(renamed if renamed.url else renamed.model_copy(update={"url": image.url}))
        self._tell(True)
        return {"name": renamed.name}, []

    def _delete(self, request: Mapping[str, Any]) -> Answer:
        image = self._image(request)
        try:
            self.images.delete(image)
        except ApiError as error:
            raise ConstellationsError(self.failed(error)) from None
        self.rows.remove(image.id)
        self._tell(True)
        return {}, []

    def _shown(self, request: Mapping[str, Any]) -> Answer:
        work = (self._show, (str(request["kind"]), self._image(request)))
        threading.Thread(target=work[0], args=work[1], name="constellations-show", daemon=True).start()
        return {}, []

    def _left(self, _request: Mapping[str, Any]) -> Answer:
        self._leave()
        return {}, []

    def _places(self, request: Mapping[str, Any]) -> Answer:
        return folder_entries(str(request.get("folder", ""))), []

    def _upload(self, request: Mapping[str, Any]) -> Answer:
        paths = request.get("paths")
        if not isinstance(paths, list) or len(paths) > _MOST_FILES or not all(isinstance(it, str) for it in paths):
            raise ConstellationsError(f"Choose at most {_MOST_FILES} files.")
        return {"uploads": [self.uploads.add(Path(path)) for path in paths]}, []

    def _drop(self, request: Mapping[str, Any]) -> Answer:
        return {"upload": self.uploads.begin(str(request.get("name")), _number(request, "size"))}, []

    def _part(self, request: Mapping[str, Any]) -> Answer:
        self.uploads.part(_number(request, "upload"), _number(request, "at"), request["content"])
        return {}, []

    def _stop(self, request: Mapping[str, Any]) -> Answer:
        self.uploads.stop(_number(request, "upload"))
        return {}, []

    def _again(self, request: Mapping[str, Any]) -> Answer:
        self.uploads.again(_number(request, "upload"))
        return {}, []

    def _forget(self, request: Mapping[str, Any]) -> Answer:
        self.uploads.forget(_number(request, "upload"))
        return {}, []

    def _image(self, request: Mapping[str, Any]) -> LibraryImage:
        image = self.rows.get(str(request.get("image")))
        if image is None:
            raise ConstellationsError("This image is not in the library any more: list it again.")
        return image


def _why_none(error: ApiError) -> str:
    """Why there is no thumbnail, in the words that fit into its place; whoever opens the image is told all."""
    kinds = {SignInError: "Sign in to see it.", NotFoundError: "Not there any more.", BadAnswerError: "Not an image."}
    return kinds.get(type(error), "It could not be fetched: open it to see why.")


def _number(request: Mapping[str, Any], name: str) -> int:
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConstellationsError(f"The request needs a whole number as {name}.")
    return value


def _query(request: Mapping[str, Any]) -> tuple[str, str]:
    return str(request.get("search", ""))[:SHOWN_NAME], str(request.get("order", ""))
