"""What pywwt would have a web server publish, for one preview's page: files, trees of tiles, collections of images.

Each gets an address of its own under the preview's private prefix, and is read when the page requests it, in a worker thread. What
was not published can't be asked for; of a tree only what its collection names.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ...errors import ConstellationsError, SourceError
from ...schema.tiles import is_hips, without_extension
from ...sources.local import LocalImage
from ...sources.web import fetch
from ..preview.drawing import PRIVATE
from ..preview.file_registry import FileRegistry
from .app import DATA

COLLECTION = "index.wtml"
INDEX = "index_rel.wtml"

_LARGEST_COLLECTION = 20_000_000  # bytes
_LINKS = {"Url", "ThumbnailUrl", "Thumbnail", "DemUrl"}  # the attributes and elements of a WTML that are addresses
# WWT's own images, the planets among them; and its catalogs in HiPS form.
_CATALOG = "https://www.worldwidetelescope.org/wwtweb/catalog.aspx?X=ImageSets6"
_HIPS_CATALOGS = "https://www.worldwidetelescope.org/wwtweb/catalog.aspx?W=hips"


class PublishedFiles:
    """The files that pywwt has published to one preview.

    Parameters
    ----------
    served : FileRegistry
        What the preview's page may read.
    """

    def __init__(self, served: FileRegistry):
        self._served = served
        self.report: Callable[[str], None] = lambda _message: None
        """Called with a message when a page requests a file that can't be read."""
        self.prefix = f"{PRIVATE}/0"
        self._numbers = itertools.count(1)
        self._collections: dict[tuple[str, bool], str] = {}

    def file(self, path: str, extension: str = "") -> str:
        """Publish one file; its address ends in its name and `extension`. It is read whenever a page asks, and never kept."""
        source = Path(path).absolute()
        if not source.is_file():
            raise SourceError(f"{source} is not a file, so it can't be shown")
        name = quote(source.name + extension, safe=".")

        def read(asked: str) -> bytes:
            if asked != name:
                raise FileNotFoundError(asked)
            return source.read_bytes()

        return self._publish(read) + name

    def tree(self, path: str, index: str = INDEX) -> str:
        """Publish a folder of tiles; its address ends in a slash, and has a collection `COLLECTION` below it.

        `index` is the collection in the folder, whose addresses are relative to it.
        """
        root = Path(path).absolute()
        if not root.is_dir():
            raise SourceError(f"{root} is not a folder, so it can't be shown")

        def read(asked: str) -> bytes:
            # Read each time: a program may write the collection after it has published the folder.
            folder = _parse((root / index).read_bytes(), index)
            if asked == COLLECTION:
                _change_links(folder, lambda link: urljoin(address, _engine_link(link)))
                self._identify(folder)
                return tostring(folder)
            for link in _links(folder):
                try:
                    return LocalImage(root, _engine_link(link)).read(asked)
                except (SourceError, PermissionError):
                    continue  # not a file of this image, or an image that is elsewhere
            raise FileNotFoundError(asked)

        address = self._publish(read)
        return address

    def collection(self, url: str, recursive: bool = False) -> str:
        """Return the address from which the page loads the WTML at `url`, with images that the page may load.

        The WTML is fetched when the page requests it. The same `url` has the same address; a path on this machine has a new one
        each time, since the engine loads no address twice.
        """
        if not _is_remote(url):
            index = _index_at(url)
            return self.tree(str(index.parent), index.name) + COLLECTION
        return self._remote_collection(url, recursive, trusted=True)

    def _remote_collection(self, url: str, recursive: bool, *, trusted: bool) -> str:
        key = (url, recursive)
        if key not in self._collections:
            read = self._publish(lambda asked: self._fetch(url, recursive, asked, trusted))
            self._collections[key] = read + COLLECTION
        return self._collections[key]

    def catalog(self) -> str:
        """Return the address of WWT's own images, which are on the network."""
        return self.collection(_CATALOG)

    def catalogs(self) -> str:
        """Return the address of WWT's HiPS catalogs, which are on the network."""
        return self.collection(_HIPS_CATALOGS, recursive=True)

    def catalog_names(self) -> list[str]:
        """Return the names of WWT's HiPS catalogs, whose list is fetched now.

        Raises
        ------
        SourceError
            If it can't be fetched.
        """
        images = self._read(_HIPS_CATALOGS).iter("ImageSet")
        return [image.get("Name", "") for image in images if "tsv" in image.get("FileType", "")]

    def surveys(self) -> str:
        """Return the address of a collection of the surveys in `survey_names`."""
        return self._own(
            "surveys", lambda: [_imageset(it["name"], self.remote(it["address"]), it["levels"]) for it in _surveys()]
        )

    def modes(self) -> str:
        """Return the address of a collection of what the three-dimensional views need."""
        view = _imageset("3D Solar System View", "", 0, "SolarSystem")
        return self._own("modes", lambda: [view])

    def remote(self, url: str) -> str:
        """Return the address by which the page itself loads an image from the network."""
        ours = url.startswith(f"{self.prefix}/")
        return f"{self.prefix}/network/{url}" if _is_remote(url) and not ours else url

    def tour(self, url: str) -> str:
        """Return the address of a tour: one on the network, or a file on this machine.

        Raises
        ------
        SourceError
            If it is a path, and there is no such file.
        """
        return self.remote(url) if _is_remote(url) else self.file(url)

    def names_in(self, url: str) -> list[str]:
        """Load the WTML at `url`; return the names of its images.

        Raises
        ------
        SourceError
            If it can't be fetched, or is no WTML.
        """
        return [imageset.get("Name", "") for imageset in self._read(url).iter("ImageSet")]

    def _read(self, url: str, trusted: bool = True) -> Element:
        try:
            return _parse(
                fetch(url, _LARGEST_COLLECTION, trusted=trusted)[0] if _is_remote(url) else _index_at(url).read_bytes(),
                url,
            )
        except OSError as error:
            raise SourceError(
                f"The collection {url} can't be loaded: {error}. Check its address in a browser, and this kernel's network."
            ) from error

    def _own(self, name: str, make: Callable[[], list[Element]]) -> str:
        def content(_asked: str) -> bytes:
            folder = _folder(make())
            self._identify(folder)
            return tostring(folder)

        key = (name, False)
        if key not in self._collections:
            self._collections[key] = self._publish(content) + COLLECTION
        return self._collections[key]

    def _identify(self, folder: Element) -> None:
        """Give each image without an address one of its own, at which there is nothing.

        The engine knows an image by its address. Of all that have none (the Solar System, a black sky), it would keep the first.
        """
        for image in folder.iter("ImageSet"):
            if not image.get("Url"):
                kind, name = image.get("DataSetType", ""), image.get("Name", "")
                image.set("Url", f"{self.prefix}/none/{quote(kind, safe='')}/{quote(name, safe='')}")

    def _fetch(self, url: str, recursive: bool, asked: str, trusted: bool) -> bytes:
        if asked != COLLECTION:
            raise FileNotFoundError(asked)
        try:
            folder = self._read(url, trusted)
        except SourceError as error:
            self.report(str(error))
            return tostring(_folder([]))  # the view goes on without, and at once
        _change_links(folder, lambda link: self.remote(urljoin(url, link)))
        self._identify(folder)
        for child in folder.iter("Folder"):
            link = child.get("Url")
            if child is not folder and link:
                link = urljoin(url, link)
                # The user gave the address of the collection, not those in it.
                near = trusted and urlsplit(link).hostname == urlsplit(url).hostname
                child.set("Url", self._remote_collection(link, True, trusted=near) if recursive else "")
        return tostring(folder)

    def _publish(self, read: Callable[[str], bytes]) -> str:
        def guarded(asked: str) -> bytes:
            try:
                return read(asked)
            except (ConstellationsError, ValueError) as error:
                raise OSError(str(error)) from error  # the page takes it as a file that is not there

        name = f"pywwt-{next(self._numbers)}"
        self._served.add(name, guarded)
        return f"{self.prefix}/{name}/"


def survey_names() -> list[str]:
    """Return the surveys that pywwt's documentation names, by its names; they are on the network."""
    return [survey["name"] for survey in _surveys()]


def _surveys() -> list[dict[str, Any]]:
    known = {survey["id"]: survey for survey in json.loads((DATA / "surveys.json").read_text(encoding="utf-8"))}
    listed = json.loads((DATA / "pywwt_surveys.json").read_text(encoding="utf-8"))
    return [{**known.get(survey.get("same_as"), {}), **survey} for survey in listed]


def _folder(content: list[Element]) -> Element:
    folder = Element("Folder", Name="pywwt", Group="Explorer", Type="Sky", Searchable="True")
    folder.extend(content)
    return folder


def _imageset(name: str, url: str, levels: int, kind: str = "Sky") -> Element:
    fields = {"Name": name, "Url": url, "TileLevels": str(levels), "DataSetType": kind, "BandPass": "Visible"}
    fields |= dict.fromkeys(("CenterX", "CenterY", "OffsetX", "OffsetY", "Rotation", "BaseTileLevel"), "0")
    fields |= dict.fromkeys(("BottomsUp", "ElevationModel", "Generic", "Sparse", "StockSet"), "False")
    fields |= {"BaseDegreesPerTile": "180", "FileType": ".png", "Projection": "Toast", "WidthFactor": "2"}
    return Element("ImageSet", fields | {"QuadTreeMap": "0123" if "{Q}" in url else ""})


def _parse(content: bytes, name: str) -> Element:
    try:
        return fromstring(content)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise SourceError(f"{name} is not a WTML file: {error}") from error


def _links(folder: Element) -> list[str]:
    """Return the addresses of a collection: templates of tiles, and thumbnails."""
    images = list(folder.iter("ImageSet"))
    thumbnails = [(image.findtext("ThumbnailUrl") or "").strip() for image in images]
    return [link for link in [*(image.get("Url", "") for image in images), *thumbnails] if link]


def _engine_link(link: str) -> str:
    """Return an address of a collection as WWT's engine takes it: it appends the extension to that of a HiPS itself."""
    return without_extension(link) if is_hips(link) else link


def _change_links(folder: Element, change: Callable[[str], str]) -> None:
    for element in folder.iter():
        if element.tag == "ImageSet":
            for name in _LINKS & element.attrib.keys():
                element.set(name, change(element.get(name, "")) if element.get(name) else "")
            if element.find("ThumbnailUrl") is None:
                SubElement(element, "ThumbnailUrl")
        if element.tag in _LINKS and element.text and element.text.strip():
            element.text = change(element.text.strip())


def _is_remote(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https")


def _index_at(path: str) -> Path:
    """Return the WTML at `path`, a file or a folder that has one."""
    index = Path(path).absolute()
    index = index / INDEX if index.is_dir() else index
    if not index.is_file():
        raise SourceError(
            f"{path!r} is neither the address of a collection, which starts with https://, nor a WTML file on this machine"
        )
    return index
