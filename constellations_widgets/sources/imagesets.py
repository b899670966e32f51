"""The ImageSet elements of WTML, WWT's own description of images: read, and written."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from ..errors import SourceError
from ..schema.placement import PLACEHOLDERS, THUMBNAIL, URL, is_tan, number, shown
from .local import LocalImage
from .reading import Reading

SIZE_LIMIT = 64 * 1024 * 1024  # bytes of a WTML file; real ones stay far below


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]


# Path in a draft, attribute in WTML, how to read it, and what WWT takes where it is left out (wwt_data_formats/imageset.py).
_ATTRIBUTES: tuple[tuple[str, str, Any, Any], ...] = (
    ("wwt.center_x", "CenterX", float, 0.0),
    ("wwt.center_y", "CenterY", float, 0.0),
    ("wwt.rotation", "Rotation", float, 0.0),
    ("wwt.base_degrees_per_tile", "BaseDegreesPerTile", float, 0.0),
    ("wwt.offset_x", "OffsetX", float, 0.0),
    ("wwt.offset_y", "OffsetY", float, 0.0),
    ("wwt.bottoms_up", "BottomsUp", _boolean, False),
    ("wwt.projection", "Projection", str, "SkyImage"),
    ("wwt.tile_levels", "TileLevels", int, 0),
    ("wwt.width_factor", "WidthFactor", int, 2),
    ("wwt.file_type", "FileType", str, ".png"),
    ("wwt.quad_tree_map", "QuadTreeMap", str, ""),
)

# What an imageset may say that Constellations has no field for, with the value that says nothing.
_NOT_KEPT = {
    "BandPass": ("Visible", ""),
    "DataSetType": ("Sky",),
    "BaseTileLevel": ("0", ""),
    "ElevationModel": ("False", "false", "0", ""),
    "PixelCutLow": ("0", "", "0.0"),
    "PixelCutHigh": ("0", "", "0.0"),
    "ReferenceFrame": ("", "Sky"),
}
_WHY = {"DataSetType": "Constellations shows every image on the sky, where this one does not belong"}

# What every imageset of ours says to WWT beside what Constellations keeps.
_CONSTANT = {
    "BandPass": "Visible",
    "BaseTileLevel": "0",
    "DataSetType": "Sky",
    "ElevationModel": "False",
    "Sparse": "True",
}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def readings_of(root: Element, what: str, *, path: Path | None = None, address: str = "") -> list[Reading]:
    """What every imageset under `root` says; `what` names it in errors."""
    found = list(root.iter("ImageSet"))
    if not found:
        raise SourceError(f"{what} holds no imageset: a WTML of an image has an <ImageSet> element")
    place = address or (str(path) if path else "")
    origins = [f"{place}#{number}" if place and len(found) > 1 else place for number in range(len(found))]
    return [
        reading_of(element, origin, path=path, address=address) for element, origin in zip(found, origins, strict=True)
    ]


def parse(content: str | bytes, what: str) -> Element:
    """The root of an XML text that declares nothing dangerous; SourceError names `what` otherwise."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if len(content) > SIZE_LIMIT:
        raise SourceError(f"{what} is larger than {SIZE_LIMIT >> 20} MB: this is not WTML")
    if not content.strip():
        raise SourceError(f"{what} is empty: give a WTML file, such as the index_rel.wtml that toasty writes")
    try:
        return fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        start = content[:200] if isinstance(content, str) else content[:200].decode("utf-8", "replace")
        if re.search("<!doctype html", start, re.IGNORECASE):
            raise SourceError(f"{what} is a web page, not WTML: give the address of the .wtml file itself") from None
        raise SourceError(f"{what} declares XML entities or a document type, which no WTML needs: refused") from None
    except (ParseError, ValueError, LookupError) as error:
        raise SourceError(
            f"{what} is not XML ({error}): give a WTML file, such as the index_rel.wtml that toasty writes"
        ) from None


def reading_of(element: Element, origin: str, *, path: Path | None = None, address: str = "") -> Reading:
    """What one ImageSet element says; its relative addresses count from the file, or from the web address, that it stands in."""
    values: dict[str, Any] = {}
    for field, attribute, read, default in _ATTRIBUTES:
        text = element.get(attribute)
        try:
            values[field] = default if text is None else read(text)
        except (ValueError, KeyError):
            values[field] = text  # kept as it stands: the checks name the field
    name, description = (element.get("Name") or "").strip(), _child(element, "Description")
    url, thumbnail = (element.get("Url") or "").strip(), _child(element, "ThumbnailUrl")
    if address:
        url, thumbnail = (each and urljoin(address, each) for each in (url, thumbnail))
    values[URL] = url
    values[THUMBNAIL] = thumbnail
    values["note"] = (
        f"{name}: {description}" if name and description and name not in description else description or name
    )
    values["permissions.credits"] = credits_of(_child(element, "Credits"), _child(element, "CreditsUrl"))
    remarks = [
        f"{attribute}={shown(element.get(attribute))} of the WTML is not kept: {_WHY.get(attribute, 'Constellations has no place for it')}"
        for attribute, silent in _NOT_KEPT.items()
        if element.get(attribute, silent[0]) not in silent
    ]
    local = None
    if path and url and not re.match(r"[A-Za-z][\w+.-]*:|//|/|\\", url):
        try:
            local = LocalImage(path.parent, url.replace("\\", "/"), cuts=_cuts(element))
            first = path.parent / unquote(PLACEHOLDERS.sub("0", local.template))
            if not first.exists():
                remarks.append(f"no file of the image lies at {first}: the preview can't show it")
        except (SourceError, OSError) as error:
            remarks.append(f"the preview can't show the image's files: {str(error)[:300]}")
    return Reading(values, name or "image", origin, local, tuple(remarks))


def _cuts(element: Element) -> tuple[float, float] | None:
    """The values of FITS pixels that are to be drawn darkest and brightest, if they are given."""
    try:
        low, high = (float(element.get(attribute, "nan")) for attribute in ("PixelCutLow", "PixelCutHigh"))
    except ValueError:
        return None
    return (low, high) if -math.inf < low < high < math.inf else None


def _child(element: Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()


def credits_of(text: str, link: str = "") -> str:
    """Credits as HTML. Plain text is escaped rather than lost, and a separate link is put around it."""
    if not re.search(r"</?(?:a|b|br|em|i|strong)\b[^<>]*>", text, re.IGNORECASE):
        linked = re.match(r"https?://", link)
        text = html.escape(html.unescape(text), quote=False) if "<" in text or linked else text
    if re.match(r"https?://", link) and not re.search(r"<a\b", text, re.IGNORECASE):
        text = f'<a href="{html.escape(link)}">{text or html.escape(link, quote=False)}</a>'
    return text


def based_at(base: str, url: str) -> str:
    """`url` as an absolute address under `base`; placeholders such as {1} stay as they are."""
    return urljoin(base if base.endswith("/") else base + "/", url)


def wtml_of(values: Mapping[str, Any], name: str) -> str:
    """A WTML folder with one image, from the flat values of a draft; characters that XML has no place for are replaced."""
    note = values.get("note") if isinstance(values.get("note"), str) else ""
    title, description = (name, note) if not note or name in note else (note, "")
    attributes = {
        attribute: str(values[field]) for field, attribute, _, _ in _ATTRIBUTES if values.get(field) is not None
    }
    attributes |= {"Name": title, "Url": str(values.get(URL) or ""), **_CONSTANT}
    ra, dec, base = (number(values, f"wwt.{each}") or 0.0 for each in ("center_x", "center_y", "base_degrees_per_tile"))
    height = base if is_tan(values) else base * 1000  # an untiled image has as many pixels as nobody wrote down here
    view = {"Name": title, "DataSetType": "Sky", "Opacity": "100", "RA": repr(ra / 15), "Dec": repr(dec)}
    view["ZoomLevel"] = repr(min(360.0, 10 * height))  # six times the degrees from top to bottom of the view
    folder = Element("Folder", {"Name": title, "Group": "Explorer"})
    place = SubElement(SubElement(folder, "Place", view), "ForegroundImageSet")
    imageset = SubElement(place, "ImageSet", attributes)
    texts = {"Credits": "permissions.credits", "ThumbnailUrl": THUMBNAIL}
    for tag, text in [*((tag, values.get(field)) for tag, field in texts.items()), ("Description", description)]:
        SubElement(imageset, tag).text = str(text or "")
    return _NO_XML.sub("\ufffd", tostring(folder, encoding="unicode"))
