"""What WWT is to draw: the values of a draft as an imageset, and that imageset as WTML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from ..schema import placement
from ..schema.fields import FieldSpec, fields

# Fields that decide where and how the image is drawn, and what WWT takes where nothing was ever said.
DRAWN: dict[str, Any] = {
    "wwt.center_x": None,
    "wwt.center_y": None,
    "wwt.rotation": 0.0,
    "wwt.base_degrees_per_tile": None,
    "wwt.offset_x": 0.0,
    "wwt.offset_y": 0.0,
    "wwt.bottoms_up": False,
    "wwt.projection": None,
    "wwt.tile_levels": None,
    "wwt.width_factor": 2,
    "wwt.file_type": "",
    "wwt.quad_tree_map": "",
}

_WTML_NAMES = {
    "center_x": "CenterX",
    "center_y": "CenterY",
    "rotation": "Rotation",
    "base_degrees_per_tile": "BaseDegreesPerTile",
    "offset_x": "OffsetX",
    "offset_y": "OffsetY",
    "bottoms_up": "BottomsUp",
    "projection": "Projection",
    "tile_levels": "TileLevels",
    "width_factor": "WidthFactor",
    "file_type": "FileType",
    "quad_tree_map": "QuadTreeMap",
}
_CONSTANT = {
    "BandPass": "Visible",
    "BaseTileLevel": "0",
    "DataSetType": "Sky",
    "ElevationModel": "False",
    "Generic": "False",
    "Sparse": "True",
    "StockSet": "False",
}


def imageset_of(
    values: Mapping[str, Any], url: str, last: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The imageset that the sky shows for `values`, which may be half typed.

    Parameters
    ----------
    values : mapping
        The draft's flat values, ``wwt.rotation`` and so on. Any of them may be of the wrong type.
    url : str
        Address of the image as WWT is to load it, with placeholders if it is tiled; "" while there is none.
    last : mapping or None
        The imageset that was shown before: where a value can't be used, the one in here stays.

    Returns
    -------
    imageset : dict or None
        Field name without ``wwt.`` (and ``url``) → value: finite numbers, bools, texts. None while something is missing
        that was never there.
    waiting : dict
        Path of the field → what it waits for, for each value that is not on the sky.
    """
    last = last or {}
    waiting: dict[str, str] = {}
    imageset: dict[str, Any] = {}
    for path, default in DRAWN.items():
        name, value = path.removeprefix("wwt."), values.get(path)
        if value is None and default is not None:
            value = default
        reason = _why_not(fields()[path], value)
        if reason is None:
            imageset[name] = float(value) if fields()[path].kind == "number" else value
            continue
        waiting[path] = reason
        imageset[name] = last.get(name, default)
    if not url:
        waiting[placement.URL] = "is missing"
    imageset["url"] = url or last.get("url")
    # Values that are right by themselves but not together (a SkyImage with tile levels) wait together: half of them would
    # draw a picture that nobody meant.
    together = {f"wwt.{name}": value for name, value in imageset.items() if name != "url"} | {
        placement.URL: imageset["url"]
    }
    faults = [fault for fault in placement.faults(together) if fault.field in DRAWN or fault.field == placement.URL]
    if faults:
        waiting = {fault.field: fault.message for fault in faults} | waiting
        return (dict(last) or None), waiting
    if None in imageset.values():
        return None, waiting
    return imageset, waiting


def smaller(imageset: Mapping[str, Any], factor: int, below: int = 0) -> dict[str, Any]:
    """The untiled `imageset` of a picture whose pixels are blocks of factor × factor of the original's, in the same place.

    `below` is by how many of the original's pixels the lowest blocks reach out of it.
    """
    return {
        **imageset,
        "base_degrees_per_tile": imageset["base_degrees_per_tile"] * factor,
        "offset_x": imageset["offset_x"] / factor,
        "offset_y": (imageset["offset_y"] + below) / factor,
    }


def wtml_of(imageset: Mapping[str, Any], name: str, url: str) -> str:
    """A WTML folder with one imageset, called `name` and loaded from `url`. Whatever the values hold is escaped."""
    folder = ElementTree.Element(
        "Folder", {"Name": name, "Group": "Explorer", "Type": "Sky", "Searchable": "True", "Browseable": "True"}
    )
    attributes = {wtml: str(imageset[field]) for field, wtml in _WTML_NAMES.items()}
    element = ElementTree.SubElement(folder, "ImageSet", {"Name": name, "Url": url, **_CONSTANT, **attributes})
    ElementTree.SubElement(element, "ThumbnailUrl")
    return ElementTree.tostring(folder, encoding="unicode", xml_declaration=False)


def _why_not(spec: FieldSpec, value: Any) -> str | None:
    """Why `value` can't be drawn, or None if it can."""
    if value is None or value == "" and spec.kind != "text":
        return "is missing"
    if spec.kind == "boolean":
        return None if isinstance(value, bool) else "must be true or false"
    if spec.kind == "text":
        return None if isinstance(value, str) and (value or spec.path != "wwt.projection") else "must be text"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "is not a number"
    try:
        if not math.isfinite(value):
            return "is not a finite number"
    except OverflowError:
        return "is too large"
    if spec.kind == "integer" and int(value) != value:
        return "must be a whole number"
    if spec.above is not None and value <= spec.above:
        return f"must be greater than {spec.above:g}"
    if spec.minimum is not None and value < spec.minimum or spec.maximum is not None and value > spec.maximum:
        return f"must be between {spec.minimum:g} and {spec.maximum:g}"
    return None
