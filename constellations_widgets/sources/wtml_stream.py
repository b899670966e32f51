"""Parse the imagesets of a WTML one by one: a list of any length takes no more memory than its largest imageset."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError

from ..errors import SourceError

SIZE_LIMIT = 64 << 20
"""Most bytes of a WTML from the web, which is fetched as a whole."""

ELEMENT_LIMIT = 1 << 20
"""Most bytes, or characters, of one element; real imagesets take a few thousand. Some versions of expat take a time that grows with
the square of what they read before an element ends."""

_START = 4096  # read to recognize what is not WTML


def imagesets_in(stream: IO[Any], what: str, links: list[str]) -> Iterator[tuple[Element, str]]:
    """Yield each ImageSet element of an XML stream, and the name of the Place around it ("" if it has none).

    Addresses of folders that are kept in WTML files of their own are added to `links`.

    Raises
    ------
    SourceError
        If it is not XML, declares entities or a document type, or has an element above `ELEMENT_LIMIT`; the message
        names `what`.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    bounded = _Bounded(stream, what)
    start = stream.read(_START)
    if not start.strip() and len(start) < _START:
        raise SourceError(f"{what} is empty: give a WTML file, such as the index_rel.wtml that toasty writes")
    stream.seek(0)
    try:
        yield from _walk(iterparse(bounded, ("start", "end"), forbid_dtd=True), bounded, links)
    except DefusedXmlException:
        text = start if isinstance(start, str) else start.decode("utf-8", "replace")
        if re.search("<!doctype html", text, re.IGNORECASE):
            raise SourceError(f"{what} is a web page, not WTML: give the address of the .wtml file itself") from None
        raise SourceError(f"{what} declares XML entities or a document type, which no WTML needs: refused") from None
    except (ParseError, ValueError, LookupError) as error:
        raise SourceError(
            f"{what} is not XML ({error}): give a WTML file, such as the index_rel.wtml that toasty writes"
        ) from None


def link_of(element: Element) -> str:
    """Return the address of the WTML file that holds the content of a Folder element; "" if it is not in another file."""
    return element.get("Url", "").strip() if element.tag == "Folder" else ""


def _walk(events: Iterable[tuple[str, Element]], bounded: _Bounded, links: list[str]) -> Iterator[tuple[Element, str]]:
    """Yield imagesets as soon as they are complete, and drop every other element at its end."""
    opened: list[Element] = []
    places: list[str] = []
    imagesets = 0  # how many are open
    for event, element in events:
        if event == "start":
            opened.append(element)
            imagesets += element.tag == "ImageSet"
            if element.tag == "Place":
                places.append(element.get("Name", ""))
            if link := link_of(element):
                links.append(link)
            continue
        opened.pop()
        if element.tag == "ImageSet":
            imagesets -= 1
            yield element, places[-1] if places else ""
        elif element.tag == "Place":
            places.pop()
        if not imagesets:
            bounded.restart()
            if opened:
                opened[-1].remove(element)  # its only child, as those before it are gone


class _Bounded:
    """A stream that ends with an error if too much of it is read without a restart."""

    def __init__(self, stream: IO[Any], what: str):
        self._stream, self._what, self._read = stream, what, 0

    def restart(self) -> None:
        """Count from here."""
        self._read = 0

    def read(self, size: int = -1) -> Any:
        """Return the next `size` bytes or characters."""
        content = self._stream.read(size)
        self._read += len(content)
        if self._read > ELEMENT_LIMIT:
            raise SourceError(f"{self._what} has an element of more than {ELEMENT_LIMIT >> 20} MB: this is not WTML")
        return content
