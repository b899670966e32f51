"""A handle's images as a list: searched, edited, shown on the sky."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..publishing.published import PublishedImage
from ..schema.placement import web_address_fault
from ..schema.records import ImageRecord, ImageSummary
from .form import ImageForm
from .handle_list import HandleList, ListWidget
from .handle_pages import PAGE, Records
from .preview import Preview
from .protocol.scenes import HandleImagePicture, HandleImageRow, HandleImagesStatus
from .rpc import Response, require_texts

if TYPE_CHECKING:
    from ..api import Constellations

_MOST_RECORDS = 64  # in one request
_FORM, _SKY = "form", "sky"


class ImageList(ListWidget):
    """The list of a handle's images."""

    page = "handle_images"


class HandleImages(HandleList[ImageSummary]):
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

    noun = "images"
    ways = frozenset({_FORM, _SKY})

    _edited_image: PublishedImage | None = None
    _sky: Preview | None = None

    def __init__(self, client: Constellations, handle: str, *, pictures: bool = False):
        self._pictures = bool(pictures)
        self._records = Records(client, self._push_record)  # reads nothing yet
        super().__init__(client, handle)

    def _list_pages(self, first_page: int) -> Any:
        return self._client.handle_images(self._handle, PAGE, first_page)

    def _make_list(self) -> ImageList:
        return ImageList(self, self._status(), {"records": self._records_for})

    # -- the same as a click, for Python

    @property
    def images(self) -> list[ImageSummary]:
        """The images that are loaded, newest first."""
        return self._pages.loaded()[1]

    @property
    def opened(self) -> PublishedImage | Preview | None:
        """What is shown below the list: the image that is edited, or the sky."""
        with self._lock:  # the page may be told of it a moment before it is known here
            return self._edited_image or self._sky

    def refresh(self) -> None:
        """Load the list again, with images that were published meanwhile. Returns at once."""
        self._records.forget()
        super().refresh()

    def edit(self, id: str) -> PublishedImage:
        """Open the form of an image below the list, with its unsaved changes.

        Raises
        ------
        ApiError
            If the image can't be read.
        """
        image: PublishedImage = self._to_edit(id)
        self._present(_FORM, image)
        return image

    def show(self, id: str) -> Preview:
        """Show an image on the sky below the list. The page then loads it from where its record says.

        Raises
        ------
        ApiError
            If the image can't be read.
        """
        self._present(_SKY, self._published(id))
        assert self._sky is not None
        return self._sky

    # -- for the list

    def _records_for(self, request: Mapping[str, Any]) -> Response:
        known = self._records.known(require_texts(request, "ids", _MOST_RECORDS))
        return {"records": {id: _picture(record) for id, record in known.items()}}, []

    def _read(self, what: str, id: str) -> PublishedImage:
        return self._to_edit(id) if what == _FORM else self._published(id)

    def _published(self, id: str) -> PublishedImage:
        return PublishedImage(self._client, id)

    def _present(self, what: str, image: PublishedImage) -> None:
        if what == _SKY:
            preview = Preview(image)
            self._open(_SKY, image.id, preview)
            self._sky = preview
            return
        self._open(_FORM, image.id, ImageForm(image))
        self._edited_image = image
        self._unfollow = image.on_change(lambda _image, paths: self._use_record(image) if "record" in paths else None)
        self._use_record(image)

    def _closed(self) -> None:
        super()._closed()
        self._edited_image = self._sky = None

    def _use_record(self, image: PublishedImage) -> None:
        self._records.keep(image.record)
        self._use(image.record, {"record": _picture(image.record)})

    def _push_record(self, id: str, record: ImageRecord | None) -> None:
        if self._list is not None:
            self._list.send({"kind": "records", "records": {id: _picture(record)}})

    def _status(self) -> HandleImagesStatus:
        return {**super()._status(), "pictures": self._pictures}

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
