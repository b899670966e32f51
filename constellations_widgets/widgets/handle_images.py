"""A handle's images as a list: searched, edited, shown on the sky."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from ipywidgets import VBox

from ..api.addresses import handle_name
from ..errors import ConstellationsError
from ..publishing._arguments import require_client
from ..publishing.published import PublishedImage
from ..schema.placement import web_address_fault
from ..schema.records import ImageRecord, ImageSummary
from .base import PageWidget, synced_dict
from .form import ImageForm
from .handle_pages import PAGE, HandlePages, Records
from .lifetime import ClosesModels
from .preview import Preview
from .protocol.publishing import HandleImagePicture, HandleImageRow, HandleImagesStatus, HandleRowsResponse, OpenedImage
from .rpc import Response, require_count, require_texts
from .worker import Job, Worker, format_error

if TYPE_CHECKING:
    from ..api import Constellations

_MOST_ROWS = 500  # in one response
_MOST_RECORDS = 64
_FORM: Literal["form"] = "form"
_SKY: Literal["sky"] = "sky"


class ImageList(PageWidget):
    """The list itself; `HandleImages` shows below it what is opened."""

    page = "handle_images"

    status: HandleImagesStatus = synced_dict()

    def __init__(self, owner: HandleImages, status: HandleImagesStatus):
        self._owner = owner
        requests = {"rows": owner._rows, "records": owner._records_for, "do": owner._do}
        super().__init__(messages={"view": lambda _message: None}, requests=requests, status=status)

    def __repr__(self) -> str:
        return repr(self._owner)


class HandleImages(ClosesModels, VBox):
    """A handle's images, newest first: searched, edited in place, shown on the sky. Only its owner may list them.

    Pages of 100 images are loaded as the list is scrolled, once it is shown. Nothing is requested from the servers that the
    images name before the user asks for it: thumbnails are loaded with the box “pictures” (the kernel then reads the record
    of each image in sight, and the browser loads its thumbnail), the sky with its button.

    Parameters
    ----------
    client : Constellations
        Signed in as the handle's owner.
    handle : str
        The handle.
    pictures : bool, default False
        Whether the box “pictures” is ticked at first.

    Examples
    --------
    >>> cxw.HandleImages(client, "me")
    """

    children: tuple[Any, ...]
    _edited_image: PublishedImage | None = None
    _sky: Preview | None = None
    _unfollow: Callable[[], None] | None = None  # stops following the image that is edited

    def __init__(self, client: Constellations, handle: str, *, pictures: bool = False):
        require_client("HandleImages", client)
        self._client, self._handle, self._pictures = client, handle_name(handle), bool(pictures)
        self._opened: OpenedImage = {"what": "", "id": "", "phase": "", "message": ""}
        self._edited: dict[str, PublishedImage] = {}  # with their unsaved edits
        self._lock = threading.RLock()
        self._worker = Worker("open", self._on_error, self._lock)
        self._list: ImageList | None = None
        self._pages = HandlePages(client, self._handle, self._push)
        self._records = Records(client, self._push_record)
        self._list = ImageList(self, self._status())
        super().__init__([self._list])

    def __repr__(self) -> str:
        return f"<HandleImages of {self._handle!r} at {self._client.api_url}: run the cell to see it>"

    # -- the same as a click, for Python

    @property
    def images(self) -> list[ImageSummary]:
        """The images that are loaded, newest first."""
        return self._pages.loaded()[1]

    @property
    def total_count(self) -> int | None:
        """Number of the handle's images; None until the server has sent it."""
        return self._pages.total

    @property
    def opened(self) -> PublishedImage | Preview | None:
        """What is shown below the list: the image that is edited, or the sky."""
        return self._edited_image or self._sky

    def load(self, count: int | None = None) -> None:
        """Load pages until there are `count` images, by default one page more. Returns at once."""
        self._pages.load(len(self.images) + PAGE if count is None else count)

    def refresh(self) -> None:
        """Load the list again, with images that were published meanwhile. Returns at once."""
        self._records.forget()
        self._pages.refresh()

    def edit(self, id: str) -> PublishedImage:
        """Open the form of an image below the list, with its unsaved changes.

        Raises
        ------
        ApiError
            If the image can't be read.
        """
        image = self._to_edit(id)
        self._open_form(image)
        return image

    def show(self, id: str) -> Preview:
        """Show an image on the sky below the list. The page then loads it from where its record says.

        Raises
        ------
        ApiError
            If the image can't be read.
        """
        return self._open_sky(PublishedImage(self._client, id))

    def dismiss(self) -> None:
        """Close what is shown below the list."""
        with self._lock:
            self._worker.drop()
            self._open("", "", None)

    def close(self) -> None:
        """Close the list and what is below it."""
        self._stop_following()
        for part in self.children:
            part.close()
        super().close()

    # -- from the page, in any thread

    def _rows(self, request: Mapping[str, Any]) -> Response:
        start = require_count(request, "start")
        if self._pages.phase == "idle" and self._pages.total is None:
            self._pages.load(PAGE)
        version, images = self._pages.loaded()
        rows = [self._row(image) for image in images[start : start + _MOST_ROWS]]
        return HandleRowsResponse(version=version, rows=rows), []

    def _records_for(self, request: Mapping[str, Any]) -> Response:
        known = self._records.known(require_texts(request, "ids", _MOST_RECORDS))
        return {"records": {id: _picture(record) for id, record in known.items()}}, []

    def _do(self, request: Mapping[str, Any]) -> Response:
        """Do what a button says; what takes long in a thread."""
        what, id = request.get("what"), str(request.get("of"))
        if what == "more":
            self.load()
        elif what == "all":
            self.load(10**9)
        elif what == "refresh":
            self.refresh()
        elif what == "close":
            self.dismiss()
        elif what in (_FORM, _SKY):
            self._open_later(what, id)
        else:
            raise ConstellationsError(f"Unknown button {str(what)[:40]!r}.")
        return {}, []

    def _open_later(self, what: Literal["form", "sky"], id: str) -> None:
        """Open an image once it is read, unless another button is pressed meanwhile."""

        def run(job: Job) -> None:
            image = self._to_edit(id) if what == _FORM else PublishedImage(self._client, id)
            with self._lock:
                if job.is_current and what == _FORM:
                    self._open_form(image)
                elif job.is_current:
                    self._open_sky(image)

        with self._lock:
            self._worker.start(run, replace=True)
            self._open(what, id, None, phase="opening")

    def _on_error(self, error: Exception) -> None:
        self._open(self._opened["what"], self._opened["id"], None, phase="failed", message=format_error(error))

    def _to_edit(self, id: str) -> PublishedImage:
        image = self._edited.get(id)
        if image is None:
            image = PublishedImage(self._client, id)
        else:
            image.reload()
        return self._edited.setdefault(id, image)

    def _open_form(self, image: PublishedImage) -> None:
        self._open(_FORM, image.id, ImageForm(image))
        self._edited_image = image
        self._unfollow = image.on_change(lambda _image, paths: self._use(image.record) if "record" in paths else None)
        self._use(image.record)

    def _open_sky(self, image: PublishedImage) -> Preview:
        preview = Preview(image)
        self._open(_SKY, image.id, preview)
        return preview

    # -- to the page

    def _open(
        self,
        what: Literal["", "form", "sky"],
        id: str,
        widget: ImageForm | Preview | None,
        phase: Literal["", "opening", "failed"] = "",
        message: str = "",
    ) -> None:
        self._stop_following()
        with self._lock:
            old = self.children[1:]
            self.children = (self.children[0], *([widget] if widget else []))
            self._sky = widget if isinstance(widget, Preview) else None
            self._opened = {"what": what, "id": id, "phase": "open" if widget else phase, "message": message}
        for part in old:
            part.close()
        self._push()

    def _stop_following(self) -> None:
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None
        self._edited_image = None

    def _use(self, record: ImageRecord) -> None:
        """Update the list with an image that was read again."""
        self._pages.replace(record)
        self._records.keep(record)
        if self._list is not None:
            self._list.send({"kind": "row", "row": self._row(record), "record": _picture(record)})

    def _push_record(self, id: str, record: ImageRecord | None) -> None:
        if self._list is not None:
            self._list.send({"kind": "records", "records": {id: _picture(record)}})

    def _push(self) -> None:
        with self._lock:
            if self._list is not None:
                self._list.status = self._status()

    def _status(self) -> HandleImagesStatus:
        pages = self._pages
        version, images = pages.loaded()
        return {
            "handle": self._handle,
            "api_url": self._client.api_url,
            "pictures": self._pictures,
            "version": version,
            "loaded": len(images),
            "total": pages.total,
            "phase": pages.phase,
            "message": pages.message,
            "opened": self._opened,
        }

    def _row(self, image: ImageSummary) -> HandleImageRow:
        record_url = f"{self._client.api_url}/image/{image.id}"
        url = image.storage.legacy_url_template or ""
        return {
            "id": image.id,
            "note": image.note[:500],
            "created": image.creation_date.isoformat() if image.creation_date else "",
            "url": url[:500],
            "record": record_url,
            "wtml": f"{record_url}/img.wtml" if url else "",
        }


def _picture(record: ImageRecord | None) -> HandleImagePicture:
    """Return what the list shows of a record."""
    if record is None:
        return {"thumbnail": "", "alt": ""}
    url = record.wwt.thumbnail_url
    return {"thumbnail": "" if web_address_fault(url) else url, "alt": record.alt_text[:500]}
