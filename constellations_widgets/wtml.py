"""Read and write the ImageSet elements of WTML, WWT's description of images.

The preview, exported files and imports use this one table of attributes, one reader and one writer, so what is seen is
what is exported. Values are those of a draft, by path, and may be of a wrong type.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, SubElement, tostring

from .schema.fields import FORBIDDEN_CHARACTERS
from .schema.placement import THUMBNAIL, URL, is_tan, number


@dataclass(frozen=True)
class Attribute:
    """Attribute of an ImageSet element that holds a field of a draft."""

    path: str
    """Path of the field."""
    name: str
    parse: Callable[[str], Any]
    """Return the value of a text; raises ValueError or KeyError if it has none."""
    absent: Any
    """Value that WWT takes if the attribute is absent (wwt_data_formats/imageset.py)."""
    drawn: Any = None
    """Value that is drawn and exported if the field was never set; None if it has to be set."""


def _number(text: str) -> float:
    if "_" in text:  # Python takes it, WWT does not
        raise ValueError(text)
    return float(text)


def _whole_number(text: str) -> int:
    value = _number(text)
    if not value.is_integer():
        raise ValueError(text)
    return int(value) if "." in text or "e" in text.lower() else int(text)


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]


ATTRIBUTES = (
    Attribute("wwt.center_x", "CenterX", _number, 0.0),
    Attribute("wwt.center_y", "CenterY", _number, 0.0),
    Attribute("wwt.rotation", "Rotation", _number, 0.0, drawn=0.0),
    Attribute("wwt.base_degrees_per_tile", "BaseDegreesPerTile", _number, 0.0),
    Attribute("wwt.offset_x", "OffsetX", _number, 0.0, drawn=0.0),
    Attribute("wwt.offset_y", "OffsetY", _number, 0.0, drawn=0.0),
    Attribute("wwt.bottoms_up", "BottomsUp", _boolean, False, drawn=False),
    Attribute("wwt.projection", "Projection", str, "SkyImage"),
    Attribute("wwt.tile_levels", "TileLevels", _whole_number, 0),
    Attribute("wwt.width_factor", "WidthFactor", _whole_number, 2, drawn=2),  # absent from a tiled image it is 1
    Attribute("wwt.file_type", "FileType", str, ".png", drawn=""),
    Attribute("wwt.quad_tree_map", "QuadTreeMap", str, "", drawn=""),
)
DRAWN: dict[str, Any] = {attribute.path: attribute.drawn for attribute in ATTRIBUTES}
"""Fields that decide where and how an image is drawn, and what is drawn if they were never set."""

# Attributes of every exported imageset that Constellations does not store.
_CONSTANT = {
    "BandPass": "Visible",
    "BaseTileLevel": "0",
    "DataSetType": "Sky",
    "ElevationModel": "False",
    "Generic": "False",
    "Sparse": "True",
    "StockSet": "False",
}
_MEANING, _ANGLE = "BaseDegreesIs", "angle"
"""Attribute of ours, which WWT ignores: the size of the tiles is the angle that WWT draws, and not toasty's scale times pixels."""

_REMARK, _INACCURACY = "PlacementRemark", "PlacementWarning"
"""Elements of ours, which WWT ignores: how the placement was chosen, and by how much it is off."""


class Notes(NamedTuple):
    """What is known of a placement, for who reads the WTML with this package; WWT ignores it.

    Attributes
    ----------
    is_angle : bool
        Whether the size of tiles is known to be the angle that WWT draws.
    remarks : tuple of str
        How the placement was chosen.
    inaccuracy : str
        Warning that says by how much the placement is off, or "".
    """

    is_angle: bool = True
    remarks: tuple[str, ...] = ()
    inaccuracy: str = ""


_NO_NOTES = Notes()


def read_notes(element: Element) -> Notes:
    """Return what an ImageSet element that this package wrote says about its placement; nothing of another program's."""
    remarks = tuple(text for each in element.iterfind(_REMARK) if (text := (each.text or "").strip()))
    return Notes(element.get(_MEANING) == _ANGLE, remarks, _child(element, _INACCURACY))


def read_imageset(element: Element, address: str = "") -> tuple[str, dict[str, Any]]:
    """Return the name of an ImageSet element, and its values.

    A text that has no value is returned unchanged, for the checks to report.

    Parameters
    ----------
    element : Element
        The element.
    address : str, optional
        Web address of the WTML, from which relative addresses count.
    """
    values: dict[str, Any] = {}
    for attribute in ATTRIBUTES:
        text = element.get(attribute.name)
        values[attribute.path] = attribute.absent if text is None else _parsed(attribute, text)
    if is_tan(values) and element.get("WidthFactor") is None:
        values["wwt.width_factor"] = 1
    name, description = (element.get("Name") or "").strip(), _child(element, "Description")
    url, thumbnail = (element.get("Url") or "").strip(), _child(element, "ThumbnailUrl")
    if address:
        url, thumbnail = (each and urljoin(address, each) for each in (url, thumbnail))
    values[URL], values[THUMBNAIL] = url, thumbnail
    is_new = name and description and name not in description
    values["note"] = f"{name}: {description}" if is_new else description or name
    values["permissions.credits"] = credits_of(_child(element, "Credits"), _child(element, "CreditsUrl"))
    return name, values


def write_imageset(parent: Element, values: Mapping[str, Any], name: str, url: str) -> Element:
    """Append an ImageSet element that WWT draws to `parent`."""
    attributes = {attribute.name: _written(attribute, values.get(attribute.path)) for attribute in ATTRIBUTES}
    return SubElement(parent, "ImageSet", {"Name": name, "Url": url, **attributes, **_CONSTANT})


def drawn_wtml(imageset: Mapping[str, Any], name: str, url: str) -> str:
    """Return the folder that WWT draws: one imageset, called `name` and loaded from `url`.

    `imageset` has fields without ``wwt.``, as the preview holds them. Whatever the values hold is escaped; characters
    that are invalid in XML are replaced.
    """
    about = {"Name": name, "Group": "Explorer", "Type": "Sky", "Searchable": "True", "Browseable": "True"}
    folder = Element("Folder", about)
    element = write_imageset(folder, {f"wwt.{field}": value for field, value in imageset.items()}, name, url)
    SubElement(element, "ThumbnailUrl")
    return _serialize(folder)


def export_wtml(values: Mapping[str, Any], name: str, notes: Notes = _NO_NOTES) -> str:
    """Return a folder with the image of a draft; characters that are invalid in XML are replaced.

    Parameters
    ----------
    values : mapping
        Values of the draft, by path.
    name : str
        Name of the image, for an image without a note, or one whose note contains it.
    notes : Notes, optional
        What is known of its placement.
    """
    title = _title(values, name)
    folder = Element("Folder", {"Name": title, "Group": "Explorer"})
    _append_place(folder, values, title, notes)
    return _serialize(folder)


def export_collection(images: Iterable[tuple[Mapping[str, Any], str, Notes]], name: str) -> str:
    """Return a folder called `name` with several images: values, name and notes of each, as for `export_wtml`."""
    folder = Element("Folder", {"Name": _text(name), "Group": "Explorer"})
    for values, title, notes in images:
        _append_place(folder, values, _title(values, title), notes)
    return _serialize(folder)


def _title(values: Mapping[str, Any], name: str) -> str:
    note, name = _note(values), _text(name) or "image"
    return name if not note or name in note else note


def _note(values: Mapping[str, Any]) -> str:
    return _text(values.get("note")) if isinstance(values.get("note"), str) else ""


def _append_place(folder: Element, values: Mapping[str, Any], title: str, notes: Notes) -> None:
    """Append the image of a draft, with a view of it."""
    note = _note(values)
    values = {**values, **{each.path: _parsed(each, _written(each, values.get(each.path))) for each in ATTRIBUTES}}
    ra, dec, base = (number(values, f"wwt.{each}") or 0.0 for each in ("center_x", "center_y", "base_degrees_per_tile"))
    height = base if is_tan(values) else base * 1000  # the values of an untiled image do not include its size in pixels
    view = {"Name": title, "DataSetType": "Sky", "Opacity": "100", "RA": repr(ra / 15), "Dec": repr(dec)}
    view["ZoomLevel"] = repr(min(360.0, 10 * height))  # six times the degrees from top to bottom of the view
    place = SubElement(SubElement(folder, "Place", view), "ForegroundImageSet")
    # An image without a note has no name; otherwise it would be read back with one.
    imageset = write_imageset(place, values, title if note else "", _text(values.get(URL)))
    if notes.is_angle and is_tan(values):
        imageset.set(_MEANING, _ANGLE)
    SubElement(imageset, "Credits").text = credits_of(_text(values.get("permissions.credits")))
    SubElement(imageset, "ThumbnailUrl").text = _text(values.get(THUMBNAIL))
    SubElement(imageset, "Description").text = note if note != title else ""
    for tag, text in (*((_REMARK, each) for each in notes.remarks), (_INACCURACY, notes.inaccuracy)):
        if text:
            SubElement(imageset, tag).text = _text(text)


def credits_of(text: str, link: str = "") -> str:
    """Return credits as HTML. Plain text is escaped rather than lost, and a separate link is put around it."""
    if not re.search(r"</?(?:a|b|br|em|i|strong)\b[^<>]*>", text, re.IGNORECASE):
        linked = re.match(r"https?://", link)
        text = html.escape(html.unescape(text), quote=False) if "<" in text or linked else text
    if re.match(r"https?://", link) and not re.search(r"<a\b", text, re.IGNORECASE):
        text = f'<a href="{html.escape(link)}">{text or html.escape(link, quote=False)}</a>'
    return text


def _parsed(attribute: Attribute, text: str) -> Any:
    try:
        return attribute.parse(text)
    except (ValueError, KeyError):
        return text


def _written(attribute: Attribute, value: Any) -> str:
    """Return a text from which the same value is read, or the value that is drawn if there is none; empty without it.

    A missing position is thus read as missing, where an absent attribute would mean 0.
    """
    value = attribute.drawn if value is None else value
    return "" if value is None else str(_parsed(attribute, str(value)))


def _text(value: Any) -> str:
    """Return a value as text that XML keeps: without carriage returns."""
    return re.sub("\r\n?", "\n", "" if value is None or value == "" else str(value)).strip()


def _serialize(folder: Element) -> str:
    return FORBIDDEN_CHARACTERS.sub("\ufffd", tostring(folder, encoding="unicode"))


def _child(element: Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()
