"""XMP packets in JPEG, PNG and TIFF files, as archives write them, and their properties.

pyavm reads only the first packet of a file. Archives also write several packets, one in several segments (extended
XMP), a compressed one, one without an xpacket wrapper or in UTF-16, and bytes after the end.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import SourceError
from ..schema.fields import FORBIDDEN_CHARACTERS
from .drawing import open_header

Properties = Mapping[tuple[str, str], list[str]]
"""Namespace without a slash at its end, and name → the texts of the property."""

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_PNG_KEYWORD, _PNG_RAW = b"XML:com.adobe.xmp", b"Raw profile type xmp"  # of the standard, and of ImageMagick
TIFF_TAG = 700
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
_LARGEST = 64 << 20  # largest packet in bytes, decompressed
_DEEPEST = 20  # most levels of nested structures


def read_xmp(path: Path) -> list[Properties]:
    """Return the properties of each packet in a picture file, in the order of the file.

    Raises
    ------
    SourceError
        If none of the packets is XML, or one declares entities.
    """
    return _properties(_packets(path))


def packets_in(content: bytes) -> list[Properties]:
    """Return the properties in an .xmp file, which holds one packet; empty if it is no RDF. Raises as `read_xmp`."""
    return _properties([content]) if b":rdf" in content.replace(b"\0", b"").lower() else []


def _properties(packets: Iterable[bytes]) -> list[Properties]:
    found, failures = [], []
    for packet in packets:
        text = _decoded(packet)
        if re.search(r"<!(DOCTYPE|ENTITY)", text):
            raise SourceError("its XMP metadata declare XML entities, which no XMP needs")
        try:
            properties = _read(text)
        except (ValueError, SyntaxError) as error:  # ElementTree's ParseError is a SyntaxError
            failures.append(error)
            continue
        if properties:
            found.append(properties)
    if failures and not found:
        raise SourceError(f"its XMP metadata are not valid XML: {failures[0]}")
    return found


def _read(text: str) -> Properties:
    """Return the properties in a packet, also if a text in it has an unescaped & or a control character."""
    try:
        return properties_of(text)
    except (ValueError, SyntaxError):
        repaired = _BARE_AMPERSAND.sub("&amp;", FORBIDDEN_CHARACTERS.sub(" ", text))
        if repaired == text:
            raise
        return properties_of(repaired)


def properties_of(text: str) -> Properties:
    """Return the properties in an XMP packet.

    Raises
    ------
    ParseError
        If it is not XML.
    ValueError
        If it is not XML that can be read.
    """
    from defusedxml.ElementTree import fromstring

    start, end = re.search(r"<(?![?!])", text), text.rfind(">")
    if start is None:
        raise ValueError("it has no element")
    root = fromstring(text[start.start() : end + 1], forbid_dtd=True)
    found: dict[tuple[str, str], list[str]] = {}
    for description in root.iter(f"{_RDF}Description"):
        _collect(description, found, 0)
    return found


def _collect(element: Any, found: dict[tuple[str, str], list[str]], depth: int) -> None:
    """Add the properties of an element, given as attributes or children; those of a structure count as its own."""
    pairs = [(name, [value]) for name, value in element.attrib.items()]
    for child in element:
        if not isinstance(child.tag, str) or child.tag.startswith(_RDF):
            continue
        if len(child) and not any(part.tag in _LISTS for part in child) and depth < _DEEPEST:
            _collect(child, found, depth + 1)
        pairs.append((child.tag, _texts(child)))
    for name, texts in pairs:
        namespace, _, local = name[1:].rpartition("}")
        texts = [text.strip() for text in texts if text and text.strip()]
        if namespace and texts:
            found.setdefault((namespace.rstrip("/"), local), texts)


_LISTS = {f"{_RDF}{kind}" for kind in ("Seq", "Bag", "Alt")}


def _texts(element: Any) -> list[str]:
    for part in element:
        if part.tag in _LISTS:
            items = [item for item in part if item.tag == f"{_RDF}li"]
            if part.tag == f"{_RDF}Alt":  # the same in several languages
                items = [item for item in items if item.get(_LANGUAGE) == "x-default"] or items
                items = items[:1]
            return ["".join(item.itertext()) for item in items]
    return ["".join(element.itertext())]


def _decoded(packet: bytes) -> str:
    for mark, encoding in (
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if packet.startswith(mark):
            return packet.decode(encoding, "replace")
    for start, encoding in (
        (b"<\0\0\0", "utf-32-le"),
        (b"\0\0\0<", "utf-32-be"),
        (b"<\0", "utf-16-le"),
        (b"\0<", "utf-16-be"),
    ):
        if packet.startswith(start):
            return packet.decode(encoding, "replace")
    return packet.decode("utf-8-sig", "replace")


def _packets(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        start = file.read(8)
        if start == b"\x89PNG\r\n\x1a\n":
            yield from _png_packets(file)
            return
    with open_header(path) as image:
        if image.format == "TIFF":
            packet = image.tag_v2.get(TIFF_TAG)  # type: ignore[attr-defined]
            if packet:
                yield bytes(packet) if not isinstance(packet, str) else packet.encode()
            else:
                yield from _scanned(path)
            return
        segments = [content for name, content in getattr(image, "applist", ()) if name == "APP1"]
    yield from (each[len(JPEG_XMP) :] for each in segments if each.startswith(JPEG_XMP))
    yield from _extended([each[len(_EXTENSION) :] for each in segments if each.startswith(_EXTENSION)])


def _extended(parts: list[bytes]) -> Iterator[bytes]:
    """Reassemble packets that were split into segments: digest, length, offset, and the part."""
    packets: dict[bytes, list[tuple[int, bytes]]] = {}
    for part in parts:
        if len(part) >= 40:
            (offset,) = struct.unpack(">I", part[36:40])
            packets.setdefault(part[:32], []).append((offset, part[40:]))
    for pieces in packets.values():
        yield b"".join(content for _, content in sorted(pieces))


def _png_packets(file: Any) -> Iterator[bytes]:
    for kind, chunk in png_chunks(file, set(_PNG_TEXT)):
        keyword, _, content = chunk.partition(b"\0")
        if keyword not in (_PNG_KEYWORD, _PNG_RAW):
            continue
        text = _PNG_TEXT[kind](content)
        yield text if keyword == _PNG_KEYWORD else _from_hexadecimal(text)


def png_chunks(file: Any, kinds: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of a PNG's chunks of some kinds; `file` stands after the signature.

    Pillow decodes all pixels to reach late chunks, and skips those above 1 MB.
    """
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind not in kinds or length > _LARGEST:
            file.seek(length + 4, 1)
            continue
        yield kind, file.read(length)
        file.seek(4, 1)


def _international(content: bytes) -> bytes:
    """Return the text of an iTXt chunk, from what follows its keyword."""
    packed, text = content[:1], content[2:].split(b"\0", 2)[-1]  # after language and translated keyword
    return _unpacked(text) if packed == b"\1" else text


def _from_hexadecimal(text: bytes) -> bytes:
    """Return the packet in a raw profile of ImageMagick: its kind, its length, and the bytes as digits."""
    digits = b"".join(text.split()[2:])
    try:
        return bytes.fromhex(digits.decode("ascii", "replace"))
    except ValueError:
        return b""


def _unpacked(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, _LARGEST)
    except zlib.error:
        return b""


def _scanned(path: Path) -> Iterator[bytes]:
    """Find packets of a TIFF file that stores them in a Photoshop block instead of the XMP tag."""
    with path.open("rb") as file:
        content = file.read(_LARGEST)
    for found in re.finditer(rb"<x:xmpmeta.*?</x:xmpmeta>", content, re.DOTALL):
        yield found[0]


_PNG_TEXT: dict[bytes, Callable[[bytes], bytes]] = {
    b"iTXt": _international,
    b"tEXt": lambda content: content,
    b"zTXt": lambda content: _unpacked(content[1:]),
}
"""Kinds of PNG chunks with text → how to get it from what follows the keyword."""
