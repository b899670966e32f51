"""Read WTML files, texts and objects of any origin: each imageset becomes a reading."""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit
from xml.etree.ElementTree import Element

from ..errors import SourceError
from ..interface import in_terms
from ..schema.placement import shown
from .imagesets import reading_of
from .reading import ParsedImage
from .web import fetch
from .wtml_stream import SIZE_LIMIT, imagesets_in, link_of
from .wwtl import is_archive, read_archive

MOST_IMAGESETS = 50_000
"""Most imagesets that are read at once: a draft of each takes some 4 kB, and WWT's own lists have a few hundred."""

_NAMED = 8  # most imagesets that a message lists
_INDEX = "index_rel.wtml"  # what toasty calls the WTML of a tile tree

_Elements = Iterable[tuple[Element, str]]  # ImageSet elements, each with the name of the Place around it
_Images = Iterator[Callable[[], ParsedImage]]  # a function for each imageset, which reads it


@dataclass(frozen=True)
class _Wtml:
    """A source of imagesets: its name in messages, and a function that goes through it from its start.

    Once that has gone through it, `links` returns the files and web addresses of other WTML files that it links to.
    """

    what: str
    images: Callable[[], _Images]
    links: Callable[[], list[str]]


def read_wtml(source: Any) -> list[ParsedImage]:
    """Read every imageset of a WTML file or text, in order.

    Parameters
    ----------
    source : str, Path or a wwt_data_formats object
        A file or folder, a web address, the XML itself (a text that begins with ``<``), a ``.wwtl`` archive, or a Folder, Place or
        ImageSet. Relative addresses in it count from the file, or from the web address.

    Raises
    ------
    SourceError
        If there is no such file, it is not WTML, or it holds no imageset, or more than `MOST_IMAGESETS`.
    """
    found = _opened(source)
    _count(found)
    return [read() for read in found.images()]


def read_one(source: Any, index: int | None = None) -> ParsedImage:
    """Read one imageset of a source of `read_wtml`; a list of any length takes no more memory than that one.

    Parameters
    ----------
    source
        See `read_wtml`.
    index : int, optional
        Which imageset, counted from 0; needed if there are several.

    Raises
    ------
    SourceError
        As `read_wtml`, or if it is not clear which imageset is meant.
    """
    if index is not None and (isinstance(index, bool) or not isinstance(index, int)):
        raise SourceError(f"index= is a whole number, counted from 0, not {shown(index)}")
    found = _opened(source)
    if index is None and (count := _count(found)) > 1:
        names = ", ".join(f"{number}: {read().name}" for number, read in enumerate(islice(found.images(), _NAMED)))
        more = ", …" if count > _NAMED else ""
        raise SourceError(f"The WTML holds {count:,} imagesets ({names}{more}): choose one with index=")
    chosen = None if index is not None and index < 0 else next(islice(found.images(), index or 0, None), None)
    if chosen is None:
        if (count := sum(1 for _ in found.images())) == 0:
            raise _no_imageset(found)
        raise SourceError(f"There is no imageset {index}: the WTML holds {count:,}, counted from 0")
    return chosen()


def read_imageset(imageset: Any, index: int | None = None) -> ParsedImage:
    """Read a `wwt_data_formats` ImageSet, or one of those in a Place or Folder.

    Raises
    ------
    SourceError
        If the object has another type, or it is not clear which imageset is meant.
    """
    if not hasattr(imageset, "to_xml"):
        raise SourceError(
            "from_imageset takes an ImageSet, Place or Folder of wwt_data_formats, not an object of type "
            f"{type(imageset).__name__}"
        )
    return read_one(imageset, index)


def _count(found: _Wtml) -> int:
    """Return the number of imagesets, from 1 to `MOST_IMAGESETS`; without reading any, since they may be too many."""
    count = sum(1 for _ in islice(found.images(), MOST_IMAGESETS + 1))
    if count == 0:
        raise _no_imageset(found)
    if count > MOST_IMAGESETS:
        raise SourceError(
            f"{found.what} holds more than {MOST_IMAGESETS:,} imagesets, which are too many to be read at once: "
            + in_terms("choose one with index= of ImageDraft.from_wtml, or ", "")
            + "split the WTML into smaller files"
        )
    return count


def _no_imageset(found: _Wtml) -> SourceError:
    if not (links := found.links()):
        return SourceError(f"{found.what} holds no imageset: a WTML of an image has an <ImageSet> element")
    first, *others = (shown(link, 500) for link in links[:_NAMED])
    more = f"; it links to {', '.join(others)}{', …' if len(links) > _NAMED else ''}, too" if others else ""
    return SourceError(
        f"{found.what} holds no imageset, but a link to another WTML file: read that, with ImageDraft.from_wtml({first}){more}"
    )


def _opened(source: Any) -> _Wtml:
    if hasattr(source, "to_xml"):
        root = source.to_xml()
        return _of_elements(f"this {type(source).__name__}", lambda links: _elements_of(root, links))
    if hasattr(source, "imgset"):
        raise SourceError(
            "Give the folder that toasty wrote to rather than its Builder, which may not know what is there already"
        )
    if not isinstance(source, str | Path):
        raise SourceError(
            "from_wtml takes the name or the address of a WTML file, its text, or an ImageSet, Place or Folder of "
            f"wwt_data_formats, not an object of type {type(source).__name__}"
        )
    if isinstance(source, str) and (text := source.lstrip("\ufeff \t\r\n")).startswith("<"):
        what = "The WTML text"
        return _of_elements(what, lambda links: imagesets_in(io.StringIO(text), what, links))
    if isinstance(source, str) and re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE):
        content, address = fetch(source, SIZE_LIMIT)
        return _of_elements(address, lambda links: imagesets_in(io.BytesIO(content), address, links), address=address)
    if not str(source).strip() or "\n" in str(source):
        raise SourceError(
            f"{shown(str(source))} is neither WTML nor the name of a file: give a WTML file, such as the {_INDEX} of toasty"
        )
    return _from_file(Path(source))


def _from_file(path: Path) -> _Wtml:
    try:
        path = path.expanduser()
        path = path / _INDEX if path.is_dir() else path
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise SourceError(f"{path} is not a file: give a WTML file, such as the {_INDEX} that toasty writes")
        with path.open("rb") as file:
            archive = is_archive(file.read(256))
        if archive:
            found = read_archive(path, about.st_size)
            return _Wtml(str(path), lambda: (partial(_as_it_is, each) for each in found), list)
    except FileNotFoundError:
        raise SourceError(f"There is no file {path} (looked in {path.parent.resolve()}): check the name") from None
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name; "~nobody"
        raise _unreadable(path, error) from None
    return _of_elements(str(path), lambda links: _elements_of_file(path, links), path=path.resolve())


def _unreadable(path: Path, error: Exception) -> SourceError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return SourceError(f"{shown(str(path), 200)} can't be read: {reason}")


def _as_it_is(image: ParsedImage) -> ParsedImage:
    return image


def _of_elements(
    what: str, elements: Callable[[list[str]], _Elements], *, path: Path | None = None, address: str = ""
) -> _Wtml:
    """Return the imagesets of XML. Relative addresses in it count from the file at `path`, or from `address`."""
    origin = address or (str(path) if path else "")
    links: list[str] = []

    def images() -> _Images:
        links.clear()
        every = iter(elements(links))
        first = list(islice(every, 2))
        several = origin and len(first) > 1
        for number, (element, place) in enumerate(chain(first, every)):
            numbered = f"{origin}#{number}" if several else origin
            yield partial(reading_of, element, numbered, path=path, address=address, place=place)

    return _Wtml(what, images, lambda: [_absolute(link, path, address) for link in links])


def _absolute(link: str, path: Path | None, address: str) -> str:
    """Return a link that counts from a file or from a web address as the path of a file, or as a web address without a password."""
    try:
        url = urlsplit(urljoin(address, link))
    except ValueError:  # no address at all
        return link
    if path is not None and not url.scheme:
        return str(path.parent / unquote(link))
    return urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))


def _elements_of(root: Element, links: list[str]) -> _Elements:
    names = {element: parent.get("Name", "") for parent in root.iter("Place") for element in parent.iter("ImageSet")}
    links.extend(link for folder in root.iter("Folder") if (link := link_of(folder)))
    return ((element, names.get(element, "")) for element in root.iter("ImageSet"))


def _elements_of_file(path: Path, links: list[str]) -> _Elements:
    try:
        with path.open("rb") as file:
            yield from imagesets_in(file, str(path), links)
    except OSError as error:
        raise _unreadable(path, error) from None
