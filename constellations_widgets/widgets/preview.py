"""The image on the sky: pywwt's WorldWide Telescope app in a cell, alive while the draft is edited."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import traitlets

from ..errors import ConstellationsError, SourceError
from ..schema.extent import SkyView
from ..schema.fields import fields
from ..schema.placement import PLACEHOLDERS, URL, web_address_fault
from .answering import Answer, Answerer
from .draft_widget import OnDraft, require_draft
from .image_files import PICTURE, PIXELS, ImageFiles
from .imageset import DRAWN, imageset_of, smaller, wtml_of
from .placing_by_eye import PlacingByEye
from .served import ServedFiles
from .static import built
from .wwt.app import app_files, research_app

if TYPE_CHECKING:
    from ..draft import ImageDraft
    from ..sources.local import LocalImage
    from .wwt.api import PreviewWWT

# The engine routes tiles of any host but localhost through a public proxy once one of them is missing. Nothing is ever asked of
# this address: the page answers it itself.
PRIVATE = "http://localhost:1"

_MOST_FILES = 1000  # in one request
_PART_BYTES = 1 << 20  # of an answer: the page shows these while the kernel reads the next


class Preview(OnDraft):
    """A view of the sky with the draft's image on it, which follows every change of the draft.

    Parameters
    ----------
    draft : ImageDraft or None, default None
        What to show. If it has a local image, the pixels come from this machine's disk, else the page loads the image URL.
        None: the sky alone.
    height : str, default "400px"
        Height of the view, a CSS length: px, em, rem, vh or %.

    Raises
    ------
    ConstellationsError
        If the page's part of the widget was never built.

    Examples
    --------
    >>> cxw.Preview(draft, height="30em")
    """

    height = traitlets.Unicode("400px").tag(sync=True)

    def __init__(self, draft: ImageDraft | None = None, height: str = "400px"):
        if draft is not None:
            require_draft(Preview, draft)
        self._esm = built("preview.js")
        self._css = built("preview.css")
        self._shown: dict[str, Any] | None = None
        self._revisions = itertools.count(2)
        self._revision = 1
        self._served = ServedFiles()
        self._wwt: PreviewWWT | None = None
        self._wwt_lock = threading.Lock()
        self._displayed = False
        self._view: SkyView | None = None
        self._placing = PlacingByEye(draft)
        self._image = ImageFiles(draft.local) if draft is not None and draft.local is not None else None
        if self._image is not None:
            self._served.add("image", self._image.read)
            self._served.add("pixels", self._image.read_pixels)
        super().__init__(draft, height=height)
        handlers = {"open": self._open, "app": self._app, "files": self._files}
        handlers |= {"whole": self._whole, "look": self._look, "again": self._again, "wwt": self._wwt_words}
        handlers |= {"place": self._place}
        self._answerer = Answerer(handlers, self.send)
        self.on_msg(self._receive)

    @traitlets.validate("height")
    def _check_height(self, proposal: dict[str, Any]) -> str:
        if not re.fullmatch(r"\d+(\.\d+)?(px|em|rem|vh|%)", proposal["value"]):
            raise traitlets.TraitError(f"height is a CSS length such as '400px', not {proposal['value']!r}")
        return proposal["value"]

    @property
    def revision(self) -> int:
        """Number of the latest state of the image; it grows with each change of what is drawn."""
        return self._revision

    @property
    def view(self) -> SkyView | None:
        """Where the page looks now: middle, height and roll in degrees, and the shape. None before a page has shown it.

        Of several views of this preview it is the one that moved last. `cxw.publish_scene` takes it.
        """
        return self._view

    @property
    def placing(self) -> PlacingByEye:
        """The image's placement as “Adjust placement” changes it: moves, turns, two-star alignment, undo and redo."""
        return self._placing

    def go_to_image(self) -> None:
        """Move the view to the image, as the button “Go to image” does."""
        self.send({"kind": "go"})

    @property
    def wwt(self) -> PreviewWWT:
        """pywwt's Python API for this view: annotations, layers, surveys, the camera and the clock.

        pywwt is imported on first use, which takes seconds. Everything can be said before a page shows the preview; the page
        hears it when it comes, and so does every other view of it.

        Raises
        ------
        ConstellationsError
            If pywwt is not installed.

        Examples
        --------
        >>> wwt = await cxw.Preview().wwt.becomes_ready()
        >>> wwt.add_circle(SkyCoord(10.68, 41.27, unit="deg"), radius=1 * u.deg)
        """
        with self._wwt_lock:
            if self._wwt is None:
                research_app()  # in words, if there is no pywwt
                from .wwt.api import PreviewWWT
                from .wwt.files import PublishedFiles

                self._wwt = PreviewWWT(self, PublishedFiles(self._served, PRIVATE))
            return self._wwt

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        self._displayed = True
        return super()._repr_mimebundle_(**kwargs)

    def _show_once(self) -> None:
        """Show this under the running cell, if it was never shown."""
        from IPython import get_ipython
        from IPython.display import display

        if not self._displayed and get_ipython() is not None:
            display(self)

    # What the page is told, and what it asks for. All of this may run in any thread.

    def _draft_changed(self, _draft: ImageDraft, changed: frozenset[str]) -> None:
        if changed & (DRAWN.keys() | {URL}):
            self._tell()
        elif changed & {"locked", "receipt"}:
            self.send({"kind": "placing", "placing": self._placing.status()})

    def _tell(self) -> None:
        # The number is taken before the values are read: of two threads that send at once, the higher number has the newer
        # values, and the page drops the lower one if it comes last.
        revision = self._revision = next(self._revisions)
        self.send({"kind": "imageset", **self._state(revision)})

    def _receive(self, widget: Any, message: Any, buffers: Any) -> None:
        kind = message.get("kind") if isinstance(message, dict) else None
        if kind == "looks":
            self._looks(message)
        elif kind != "heard":
            self._answerer.receive(widget, message, buffers)
        elif self._wwt is not None:
            self._wwt.heard(message.get("message"))

    def _looks(self, message: Mapping[str, Any]) -> None:
        values = [message.get(field.name) for field in dataclasses.fields(SkyView)]
        if all(isinstance(value, (int, float)) and math.isfinite(value) for value in values):
            self._view = SkyView(*map(float, values))

    def _open(self, _request: Mapping[str, Any]) -> Answer:
        self._displayed = True
        return self._state(self._revision) | {
            "title": self._draft.name if self._draft is not None else "",
            "wwt": self._wwt is not None,
            "awaited": self._wwt is not None and self._wwt.awaited,
        }, []

    def _wwt_words(self, _request: Mapping[str, Any]) -> Answer:
        return self._wwt.everything() if self._wwt is not None else {"last": 0, "messages": []}, []

    def _again(self, _request: Mapping[str, Any]) -> Answer:
        """Somebody has put a file back: every view is told how things are now."""
        if self._image is not None:
            self._image.state(fresh=True)
        self._tell()
        return {}, []

    def _place(self, request: Mapping[str, Any]) -> Answer:
        words = self._placing.by_page(request)
        return {"words": words, "placing": self._placing.status()}, []

    def _state(self, revision: int) -> dict[str, Any]:
        state = {"revision": revision, "name": None, "imageset": None, "wtml": None, "size": None, "waiting": []}
        state |= {"pixels": None, "files": None, "placing": self._placing.status()}
        if self._draft is None:
            return state
        local, files = self._draft.local, self._image
        values = self._draft.values
        url, reason = _address(local, values.get(URL))
        imageset, waiting = imageset_of(values, url, self._shown)
        if reason:
            waiting[URL] = reason
        self._shown = imageset
        state["waiting"] = [[fields()[path].title, why] for path, why in waiting.items()]
        state["files"] = files.state() if files is not None else None
        if imageset is None:
            return state
        image = _drawn(imageset, revision, "", local.size if local is not None else None)
        if files is not None and (large := files.large_picture()) is not None:
            factor, (width, height) = large
            picture = smaller(imageset, factor, -height % factor) | {"url": f"{PRIVATE}/pixels/{PICTURE}"}
            image = _drawn(picture, revision, "", (-(-width // factor), -(-height // factor)))
        if files is not None and files.fits is not None:
            factor, size = files.factor_and_size()
            pixels = smaller(imageset, factor) | {"url": f"{PRIVATE}/pixels/{PIXELS}", "file_type": ".fits"}
            state["pixels"] = _drawn(pixels, revision, "pixels ", size)
            if not files.picture:
                image = state["pixels"]
        return state | image | {"pixels": state["pixels"]}

    def _app(self, _request: Mapping[str, Any]) -> Answer:
        names, contents = zip(*app_files(), strict=True)
        return {"names": names}, list(contents)

    def _files(self, request: Mapping[str, Any]) -> Iterator[Answer]:
        paths = request.get("paths")
        if not isinstance(paths, list) or len(paths) > _MOST_FILES or not all(isinstance(path, str) for path in paths):
            raise ConstellationsError(f"A request for files needs a list of at most {_MOST_FILES} paths.")
        start, size, contents, faults = 0, 0, list[bytes | None](), dict[str, str]()
        for path in paths:
            if size >= _PART_BYTES:
                yield _part(start, contents, faults)
                start, size, contents, faults = start + len(contents), 0, [], {}
            try:
                content = self._served.read(path)
                contents.append(content)
                size += len(content or b"")
            except SourceError as error:
                contents.append(None)
                faults[path] = str(error)
        yield _part(start, contents, faults)

    def _whole(self, request: Mapping[str, Any]) -> Answer:
        start = request.get("start")
        if isinstance(start, bool) or not isinstance(start, int) or start < 0:
            raise ConstellationsError("A request for all files needs the number of those that have come.")
        if self._image is None:
            return {"key": "", "complete": False, "names": [], "next": None}, []
        contents, further, complete = self._image.part(start)
        # After they were read: another one if somebody wrote to them meanwhile.
        key = self._image.state(fresh=True)["key"]
        names = [f"image/{name}" for name in contents]
        return {"key": key, "complete": complete, "names": names, "next": further}, list(contents.values())

    def _look(self, _request: Mapping[str, Any]) -> Answer:
        if self._image is None:
            raise ConstellationsError("There are no FITS pixels to look at.")
        return self._image.look(), []


def _part(start: int, contents: list[bytes | None], faults: Mapping[str, str]) -> Answer:
    """What was found of the files that were asked for, from number `start` on."""
    found = [content is not None for content in contents]
    return {"start": start, "found": found, "faults": faults}, [content for content in contents if content is not None]


def _drawn(imageset: Mapping[str, Any], revision: int, variant: str, size: tuple[int, int] | None) -> dict[str, Any]:
    """What the page needs to draw `imageset`: it too, under a name and an address that the engine has never seen."""
    name = f"cxw {variant}{revision}."  # no part of another: the engine takes the first that holds it
    unique = imageset["url"].replace(PRIVATE, f"{PRIVATE}/{revision}", 1)
    return {"name": name, "imageset": imageset, "wtml": wtml_of(imageset, name, unique), "size": size}


def _address(local: LocalImage | None, template: Any) -> tuple[str, str | None]:
    """Where the engine is to look for the image, and why nowhere if that is ""."""
    if local is not None:
        return f"{PRIVATE}/image/{local.template}", None
    if not isinstance(template, str) or not template:
        return "", None
    reason = web_address_fault(PLACEHOLDERS.sub("0", template))
    return ("", reason) if reason else (f"{PRIVATE}/network/{template}", None)
