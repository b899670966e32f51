"""Write AVM (Astronomy Visualization Metadata) into a copy of a JPEG, PNG or TIFF, byte by byte.

Pixels, EXIF and color profile stay as they are; an earlier XMP packet is replaced. pyavm writes no TIFF and no alternative text.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from ..errors import SourceError
from ..geometry.plane import Plane
from ..schema.credits import credits_text
from ..schema.fields import FORBIDDEN_CHARACTERS
from ..schema.placement import text
from ..sources.xmp import JPEG_XMP, TIFF_TAG

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML = "http://www.w3.org/XML/1998/namespace"
_PREFIXES = {
    "avm": "http://www.communicatingastronomy.org/avm/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "rdf": _RDF,
    "x": "adobe:ns:meta/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
}
_JPEG, _PNG, _TIFF = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", (b"II*\0", b"MM\0*")
_PNG_KEYWORD = b"XML:com.adobe.xmp\0"

_NEAREST_POLE = 89.9999999999
"""Largest declination that is written. AVM has no LONPOLE, whose default in FITS turns an image at the pole itself by 180 degrees; this is less
than a microsecond of arc away."""

Property = str | Sequence[str] | Mapping[str, str]
"""A text, an ordered list, or texts by language."""


def with_avm(content: bytes, what: str, size: tuple[int, int], plane: Plane, values: Mapping[str, Any]) -> bytes:
    """Return a picture with its placement, title, credit line and rights as AVM.

    Parameters
    ----------
    content : bytes
        A JPEG, PNG or TIFF file.
    what : str
        Name of the file, for messages.
    size : (int, int)
        Width and height of the picture in pixels.
    plane : Plane
        Its place on the sky.
    values : mapping
        Values of the draft, by path.

    Raises
    ------
    SourceError
        If it is another kind of file, or a broken one.
    """
    packet = _packet(_properties(size, plane, values))
    try:
        if content.startswith(_PNG):
            return _in_png(content, packet)
        if content.startswith(_JPEG):
            return _in_jpeg(content, packet, what)
        if content.startswith(_TIFF):
            return _in_tiff(content, packet)
    except (struct.error, IndexError):
        raise SourceError(f"{what} is broken: AVM can't be written into it") from None
    raise SourceError(f"{what} is not a JPEG, PNG or TIFF file; AVM can be written into these kinds only")


def _properties(size: tuple[int, int], plane: Plane, values: Mapping[str, Any]) -> dict[str, Property]:
    (a, b), (c, d) = plane.matrix
    found: dict[str, Property] = {
        "avm:MetadataVersion": "1.2",
        "avm:Spatial.CoordinateFrame": "ICRS",
        "avm:Spatial.Equinox": "2000",
        "avm:Spatial.CoordsystemProjection": "TAN",
        "avm:Spatial.Quality": "Full",
        "avm:Spatial.ReferenceValue": [repr(plane.ra), repr(min(plane.dec, _NEAREST_POLE))],
        "avm:Spatial.ReferenceDimension": [repr(float(side)) for side in size],
        "avm:Spatial.ReferencePixel": [repr(plane.x + 0.5), repr(plane.y + 0.5)],
        "avm:Spatial.Scale": [repr(plane.scale if plane.mirrored else -plane.scale), repr(plane.scale)],
        "avm:Spatial.Rotation": repr(-plane.rotation),
    }
    if plane.mirrored:  # readers take the signs of the scales to mean an image as seen in the sky
        found["avm:Spatial.CDMatrix"] = [repr(each) for each in (a, b, c, d)]
    title, license_ = text(values, "note"), text(values, "permissions.license")
    more: dict[str, Property] = {
        "dc:title": {"x-default": title},
        "photoshop:Headline": title,
        "dc:description": {"x-default": text(values, "alt_text")},
        "Iptc4xmpCore:AltTextAccessibility": {"x-default": text(values, "alt_text")},
        "photoshop:Credit": credits_text(text(values, "permissions.credits")),
        "dc:rights": {"x-default": text(values, "permissions.copyright")},
        "xmpRights:UsageTerms": {"x-default": text(values, "permissions.copyright") or license_},
        "xmpRights:WebStatement": _license_address(license_),
    }
    return found | {name: value for name, value in more.items() if value and (value != {"x-default": ""})}


def _license_address(license_: str) -> str:
    """Return the address of the text of one license; a license expression as it is."""
    if found := re.fullmatch(r"CC-(BY[A-Z-]*)-(\d\.\d)", license_):
        return f"https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/"
    if license_ == "CC0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    return f"https://spdx.org/licenses/{license_}.html" if re.fullmatch(r"[A-Z0-9][\w.+-]*", license_) else license_


def _packet(properties: Mapping[str, Property]) -> bytes:
    for prefix, namespace in _PREFIXES.items():
        register_namespace(prefix, namespace)
    meta = Element(f"{{{_PREFIXES['x']}}}xmpmeta")
    description = SubElement(SubElement(meta, f"{{{_RDF}}}RDF"), f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""})
    for name, value in properties.items():
        prefix, _, local = name.partition(":")
        element = SubElement(description, f"{{{_PREFIXES[prefix]}}}{local}")
        if isinstance(value, str):
            element.text = _clean(value)
        elif isinstance(value, Mapping):
            items = SubElement(element, f"{{{_RDF}}}Alt")
            for language, item in value.items():
                SubElement(items, f"{{{_RDF}}}li", {f"{{{_XML}}}lang": language}).text = _clean(item)
        else:
            items = SubElement(element, f"{{{_RDF}}}Seq")
            for item in value:
                SubElement(items, f"{{{_RDF}}}li").text = item
    begin, end = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>', '<?xpacket end="w"?>'
    return f"{begin}\n{tostring(meta, encoding='unicode')}\n{end}".encode()


def _clean(value: str) -> str:
    return FORBIDDEN_CHARACTERS.sub("\ufffd", value)


def _in_jpeg(content: bytes, packet: bytes, what: str) -> bytes:
    """Put the packet into a segment of its own before the picture, in place of an earlier packet."""
    if len(packet) + len(JPEG_XMP) > 0xFFFD:
        raise SourceError(f"The metadata are too long for {what}: a JPEG holds 65,500 bytes of XMP")
    segment = b"\xff\xe1" + struct.pack(">H", len(packet) + len(JPEG_XMP) + 2) + JPEG_XMP + packet
    parts, at, place = [content[:2]], 2, 1
    while content[at] == 0xFF and (content[at + 1] in (0xFE, 0xDB, 0xC4, 0xDD) or 0xE0 <= content[at + 1] <= 0xEF):
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        whole = content[at : at + 2 + length]
        at += 2 + length
        if whole[1] == 0xE1 and whole[4:].startswith(JPEG_XMP):
            continue
        parts.append(whole)
        if whole[1] == 0xE0 or whole[4:].startswith(b"Exif\0"):  # these come first
            place = len(parts)
    return b"".join([*parts[:place], segment, *parts[place:], content[at:]])


def _in_png(content: bytes, packet: bytes) -> bytes:
    """Put the packet into a chunk after the header, in place of an earlier packet."""
    chunks = list(_png_chunks(content))
    body = b"iTXt" + _PNG_KEYWORD + b"\0\0\0\0" + packet
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    others = [each for each in chunks[1:] if not each[8:].startswith(_PNG_KEYWORD)]
    return b"".join([_PNG, chunks[0], chunk, *others])


def _png_chunks(content: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        yield content[at : at + 12 + length]
        at += 12 + length


def _in_tiff(content: bytes, packet: bytes) -> bytes:
    """Append the packet, and a first directory that names it; nothing that is there moves."""
    order = "<" if content.startswith(b"II") else ">"
    (offset,) = struct.unpack(f"{order}I", content[4:8])
    (count,) = struct.unpack(f"{order}H", content[offset : offset + 2])
    rows = [content[offset + 2 + 12 * number : offset + 14 + 12 * number] for number in range(count)]
    following = content[offset + 2 + 12 * count : offset + 6 + 12 * count]
    start = len(content) + len(content) % 2
    rows = [row for row in rows if struct.unpack(f"{order}H", row[:2])[0] != TIFF_TAG]
    rows.append(struct.pack(f"{order}HHII", TIFF_TAG, 1, len(packet), start))
    rows.sort(key=lambda row: struct.unpack(f"{order}H", row[:2])[0])
    directory = start + len(packet) + len(packet) % 2
    return b"".join(
        [
            content[:4],
            struct.pack(f"{order}I", directory),
            content[8:].ljust(start - 8, b"\0"),
            packet.ljust(directory - start, b"\0"),
            struct.pack(f"{order}H", len(rows)),
            *rows,
            following,
        ]
    )
