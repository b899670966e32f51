"""A handle's images as a list: found again, edited, shown on the sky."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import traitlets
from ipywidgets import VBox

from ..api.addresses import handle_name
from ..errors import ConstellationsError
from ..publishing.given import require_client
from ..publishing.published import PublishedImage
from ..schema.placement import web_address_fault
from ..schema.records import ImageRecord, ImageSummary
from .answering import Answer, Answerer
from .draft_widget import OnDraft
from .form import ImageForm
from .handle_pages import PAGE, HandlePages, Records
from .preview import Preview
from .static import built

if TYPE_CHECKING:
    from ..api import Constellations

_MOST_ROWS = 500  # in one answer
_MOST_RECORDS = 64
_FORM, _SKY = "form", "sky"


class ImageList(OnDraft):
    """The list itself; `HandleImages` puts below it what is opened."""

    status = traitlets.Dict().tag(sync=True)

    def __init__(self, owner: HandleImages, status: dict[str, Any]):
        self._owner = owner
        self._esm, self._css = built("handle_images.js"), built("handle_images.css")
        super().__init__(None, status=status)
        handlers = {"rows": owner._rows, "records": owner._records_for, "do": owner._do}
        self.on_msg(Answerer(handlers, self.send).receive)

    def __repr__(self) -> str:
        return repr(self._owner)


class HandleImages(VBox):
    """A handle's images, newest first: searched, edited in place, shown on the sky. Only its owner may list them.

    Pages of 100 images are loaded as the list is scrolled, from the moment on in which a page shows it. Nothing of the
    foreign servers that the images name is asked for before somebody wants it: pictures come with the box “pictures” (the
    kernel then reads the record of each image in sight, and the browser loads its thumbnail), the sky with its button.

    Parameters
    ----------
    client : Constellations
        Signed in as the handle's owner.
    handle : str
        Which handle.
    pictures : bool, default False
        Whether the box “pictures” is ticked to begin with.

    Examples
    --------
    >>> cxw.HandleImages(client, "me")
    """

    _unfollow: Callable[[], None] | None = None  # ends what is told of the image that is edited

    def __init__(self, client: Constellations, handle: str, *, pictures: bool = False):
        require_client("HandleImages", client)
        self._client, self._handle, self._pictures = client, handle_name(handle), bool(pictures)
        self._opened: dict[str, str] = {}
        self._edited: dict[str, PublishedImage] = {}  # with what is typed and not saved
        self._showing = threading.RLock()
        self._clicks = 0  # at buttons that open and close: the latest counts
        self._list: ImageList | None = None
        self._pages = HandlePages(client, self._handle, self._show)
        self._records = Records(client, self._tell_record)
        self._list = ImageList(self, self._status())
        super().__init__([self._list])

    def __repr__(self) -> str:
        return f"<HandleImages of {self._handle!r} at {self._client.api_url}: run the cell to see it>"

    # What a click does, for Python

    @property
    def images(self) -> list[ImageSummary]:
        """The images that are loaded, newest first."""
        return self._pages.loaded()[1]

    @property
    def total_count(self) -> int | None:
        """How many images the handle has; None while the server has not told."""
        return self._pages.total

    @property
    def opened(self) -> PublishedImage | Preview | None:
        """What is shown below the list: the image that is edited, or the sky."""
        shown = self.children[1] if len(self.children) > 1 else None
        return shown.draft if isinstance(shown, ImageForm) else shown

    def load(self, count: int | None = None) -> None:
        """Load pages until `count` images are here, by default one page more. Returns at once."""
        self._pages.load(len(self.images) + PAGE if count is None else count)

    def refresh(self) -> None:
        """Begin the list anew: images that were published meanwhile are in it. Returns at once."""
        self._records.forget()
        self._pages.refresh()

    def edit(self, id: str) -> PublishedImage:
        """Open the form of an image below the list. Changes of it that were not saved are there again.

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
        with self._showing:
            self._clicks += 1
        self._open("", "", None)

    def close(self) -> None:
        """Close the list and what is below it."""
        self._stop_following()
        for part in self.children:
            part.close()
        super().close()

    # What the page asks for. All of this may run in any thread.

    def _rows(self, request: Mapping[str, Any]) -> Answer:
        start = request.get("start")
        if isinstance(start, bool) or not isinstance(start, int) or start < 0:
            raise ConstellationsError("A request for rows needs the number of those that have come.")
        if self._pages.phase == "idle" and self._pages.total is None:
            self._pages.load(PAGE)
        version, images = self._pages.loaded()
        return {"version": version, "rows": [self._row(image) for image in images[start : start + _MOST_ROWS]]}, []

    def _records_for(self, request: Mapping[str, Any]) -> Answer:
        ids = request.get("ids")
        if not isinstance(ids, list) or len(ids) > _MOST_RECORDS or not all(isinstance(id, str) for id in ids):
            raise ConstellationsError(f"A request for records needs a list of at most {_MOST_RECORDS} ids.")
        known = self._records.known(ids)
        return {"records": {id: _picture(record) for id, record in known.items()}}, []

    def _do(self, request: Mapping[str, Any]) -> Answer:
        """One of the buttons. What takes long is done in a thread of its own."""
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
            threading.Thread(target=self._try, args=(what, id), name="constellations-open", daemon=True).start()
        else:
            raise ConstellationsError(f"There is no button {str(what)[:40]!r}.")
        return {}, []

    def _try(self, what: str, id: str) -> None:
        """Open an image, unless something else is clicked at while the server is asked for it."""
        with self._showing:
            self._clicks += 1
            click = self._clicks
            self._open(what, id, None, phase="opening")
        message = ""
        try:
            image = self._to_edit(id) if what == _FORM else PublishedImage(self._client, id)
        except ConstellationsError as error:
            message = str(error)
        except Exception as error:  # a bug of ours: the page has to say so rather than wait for ever
            message = f"{type(error).__name__}: {error}"
        with self._showing:
            if click != self._clicks:
                return
            if message:
                self._open(what, id, None, phase="failed", message=message)
            elif what == _FORM:
                self._open_form(image)
            else:
                self._open_sky(image)

    def _to_edit(self, id: str) -> PublishedImage:
        image = self._edited.get(id)
        if image is None:
            image = PublishedImage(self._client, id)
        else:
            image.reload()
        return self._edited.setdefault(id, image)

    def _open_form(self, image: PublishedImage) -> None:
        self._open(_FORM, image.id, ImageForm(image))
        self._unfollow = image.on_change(lambda _image, paths: self._took(image.record) if "record" in paths else None)
        self._took(image.record)

    def _open_sky(self, image: PublishedImage) -> Preview:
        preview = Preview(image)
        self._open(_SKY, image.id, preview)
        return preview

    # What the page is told

    def _open(self, what: str, id: str, widget: ImageForm | Preview | None, **more: str) -> None:
        self._stop_following()
        with self._showing:
            old = self.children[1:]
            self.children = (self.children[0], *([widget] if widget else []))
            self._opened = {"what": what, "id": id, "phase": "open" if widget else "", "message": "", **more}
        for part in old:
            part.close()
        self._show()

    def _stop_following(self) -> None:
        if self._unfollow is not None:
            self._unfollow()
            self._unfollow = None

    def _took(self, record: ImageRecord) -> None:
        """An image was read again: the list shows it as it is now."""
        self._pages.replace(record)
        self._records.keep(record)
        if self._list is not None:
            self._list.send({"kind": "row", "row": self._row(record), "record": _picture(record)})

    def _tell_record(self, id: str, record: ImageRecord | None) -> None:
        if self._list is not None:
            self._list.send({"kind": "records", "records": {id: _picture(record)}})

    def _show(self) -> None:
        with self._showing:
            if self._list is not None:
                self._list.status = self._status()

    def _status(self) -> dict[str, Any]:
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
            "message": pages.fault,
            "opened": self._opened or {"what": "", "id": "", "phase": "", "message": ""},
        }

    def _row(self, image: ImageSummary) -> dict[str, str]:
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


def _picture(record: ImageRecord | None) -> dict[str, str]:
    """What a list shows of a record."""
    if record is None:
        return {"thumbnail": "", "alt": ""}
    url = record.wwt.thumbnail_url
    return {"thumbnail": "" if web_address_fault(url) else url, "alt": record.alt_text[:500]}
