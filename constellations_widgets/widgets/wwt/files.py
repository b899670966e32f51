"""What pywwt would have a web server publish, for one preview's page: files, trees of tiles, collections of images.

Each gets an address of its own under the preview's private prefix, and is read when the page asks for it, in a worker thread. What
was not published can't be asked for; of a tree only what its collection names.
"""

from __future__ import annotations

import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ...errors import ConstellationsError, SourceError
from ...sources.local import LocalImage
from ..served import ServedFiles

DATA = Path(__file__).parents[1] / "data"
COLLECTION = "index.wtml"
INDEX = "index_rel.wtml"

_LARGEST_COLLECTION = 20_000_000  # bytes
_PATIENCE = 30  # seconds
_LINKS = {"Url", "ThumbnailUrl", "Thumbnail", "DemUrl"}  # the attributes and elements of a WTML that are addresses
# WWT's own images, the planets among them.
_CATALOG = "https://www.worldwidetelescope.org/wwtweb/catalog.aspx?X=ImageSets6"


class PublishedFiles:
    """The files that pywwt has published to one preview.

    Parameters
    ----------
    served : ServedFiles
        What the preview's page may read.
    prefix : str
        The address that the page answers itself, without a slash at the end.
    """

    def __init__(self, served: ServedFiles, prefix: str):
        self._served = served
        self.prefix = f"{prefix}/0"
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
            # Read anew each time: a program may write the collection after it has published the folder.
            folder = _parse((root / index).read_bytes(), index)
            if asked == COLLECTION:
                _change_links(folder, lambda link: urljoin(address, link))
                return tostring(folder)
            for link in _links(folder):
                try:
                    return LocalImage(root, link).read(asked)
                except (SourceError, PermissionError):
                    continue  # not a file of this image, or an image that is elsewhere
            raise FileNotFoundError(asked)

        address = self._publish(read)
        return address

    def collection(self, url: str, recursive: bool = False) -> str:
        """The address under which the page finds the WTML at `url`, with its images where the page may load them from.

        The WTML is fetched when the page asks for it. The same `url` has the same address; a path on this machine has a new one
        each time, since the engine loads no address twice.
        """
        if not _is_remote(url):
            index = _index_at(url)
            return self.tree(str(index.parent), index.name) + COLLECTION
        key = (url, recursive)
        if key not in self._collections:
            self._collections[key] = self._publish(lambda asked: self._fetch(url, recursive, asked)) + COLLECTION
        return self._collections[key]

    def catalog(self) -> str:
        """The address of WWT's own images, which are on the network."""
        return self.collection(_CATALOG)

    def surveys(self) -> str:
        """The address of a collection of the surveys in `survey_names`."""
        return self._own("surveys", _surveys_wtml)

    def modes(self) -> str:
        """The address of a collection of what the three-dimensional views need."""
        view = _imageset("3D Solar System View", "", 0, "SolarSystem")
        return self._own("modes", lambda _remote: tostring(_folder([view])))

    def remote(self, url: str) -> str:
        """The address by which the page loads an image of the network itself."""
        ours = url.startswith(f"{self.prefix}/")
        return f"{self.prefix}/network/{url}" if _is_remote(url) and not ours else url

    def names_in(self, url: str) -> list[str]:
        """The names of the images in the WTML at `url`, which is fetched now.

        Raises
        ------
        SourceError
            If it can't be fetched, or is no WTML.
        """
        try:
            folder = _parse(_download(url) if _is_remote(url) else _index_at(url).read_bytes(), url)
        except OSError as error:
            raise SourceError(
                f"The collection {url} can't be loaded: {error}. Look at its address in a browser."
            ) from error
        return [imageset.get("Name", "") for imageset in folder.iter("ImageSet")]

    def _own(self, name: str, make: Callable[[Callable[[str], str]], bytes]) -> str:
        key = (name, False)
        if key not in self._collections:
            self._collections[key] = self._publish(lambda _asked: make(self.remote)) + COLLECTION
        return self._collections[key]

    def _fetch(self, url: str, recursive: bool, asked: str) -> bytes:
        if asked != COLLECTION:
            raise FileNotFoundError(asked)
        folder = _parse(_download(url), url)
        _change_links(folder, lambda link: self.remote(urljoin(url, link)))
        for child in folder.iter("Folder"):
            link = child.get("Url")
            if child is not folder and link:
                child.set("Url", self.collection(urljoin(url, link), True) if recursive else "")
        return tostring(folder)

    def _publish(self, read: Callable[[str], bytes]) -> str:
        def guarded(asked: str) -> bytes:
            try:
                return read(asked)
            except (ConstellationsError, HTTPException, ValueError) as error:
                raise OSError(str(error)) from error  # the page takes it as a file that is not there

        name = f"pywwt-{next(self._numbers)}"
        self._served.add(name, guarded)
        return f"{self.prefix}/{name}/"


def survey_names() -> list[str]:
    """The surveys that pywwt's documentation names, by its names; they are on the network."""
    return [survey["name"] for survey in _surveys()]


def instruments() -> dict[str, list[Any]]:
    """Outlines of telescopes' fields of view, in degrees, in the form of pywwt's own list."""
    return json.loads((DATA / "instruments.json").read_text(encoding="utf-8"))


def _surveys() -> list[dict[str, Any]]:
    known = {survey["id"]: survey for survey in json.loads((DATA / "surveys.json").read_text(encoding="utf-8"))}
    listed = json.loads((DATA / "pywwt_surveys.json").read_text(encoding="utf-8"))
    return [{**known.get(survey.get("same_as"), {}), **survey} for survey in listed]


def _surveys_wtml(remote: Callable[[str], str]) -> bytes:
    return tostring(_folder([_imageset(it["name"], remote(it["address"]), it["levels"]) for it in _surveys()]))


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
    """What the images of a collection are made of: templates of tiles, and their thumbnails."""
    images = list(folder.iter("ImageSet"))
    thumbnails = [(image.findtext("ThumbnailUrl") or "").strip() for image in images]
    return [link for link in [*(image.get("Url", "") for image in images), *thumbnails] if link]


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
    """The WTML at `path`, a file or a folder that has one."""
    index = Path(path).absolute()
    index = index / INDEX if index.is_dir() else index
    if not index.is_file():
        raise SourceError(
            f"{path!r} is neither the address of a collection, which starts with https://, nor a WTML file on this machine"
        )
    return index


def _download(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "constellations_widgets"})
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        content = answer.read(_LARGEST_COLLECTION + 1)
    if len(content) > _LARGEST_COLLECTION:
        raise urllib.error.URLError(f"the collection is larger than {_LARGEST_COLLECTION} bytes")
    return content
