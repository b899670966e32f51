"""WTML of one image and of one scene, as xmlbuilder2 writes it for the real server."""

from __future__ import annotations

import math
import re
from typing import Any

from .jsvalues import js_string

__all__ = ["image_folder", "place_folder"]

_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|apos|quot);)")


def image_folder(image: dict[str, Any]) -> str:
    """Return a folder with the one imageset: one line, no XML declaration."""
    return _folder(image["note"], _imageset(image))


def place_folder(name: str, place: dict[str, float], image: dict[str, Any] | None) -> str:
    """Return a folder with a scene as a place, which shows `image` in front: a place has room for one image only."""
    attributes = {
        "DataSetType": "Sky",
        "Angle": "0",
        "AngularSize": "0",
        "Magnitude": "0",
        "Opacity": "100",
        "Dec": js_string(place["dec_rad"] * (180 / math.pi)),
        "Name": name,
        "RA": js_string(place["ra_rad"] * (12 / math.pi)),
        "Rotation": js_string(place["roll_rad"] * (180 / math.pi)),
        "ZoomLevel": js_string(place["roi_height_deg"] * 6),  # the engine's unit
    }
    if image is None:
        return _folder(name, f"<Place{_attributes(attributes)}/>")
    front = f"<ForegroundImageSet>{_imageset(image)}</ForegroundImageSet>"
    return _folder(name, f"<Place{_attributes(attributes)}>{front}</Place>")


def _folder(name: str, content: str) -> str:
    folder = {"Browseable": "True", "Group": "Explorer", "Name": name, "Searchable": "True", "Type": "Sky"}
    return f"<Folder{_attributes(folder)}>{content}</Folder>"


def _imageset(image: dict[str, Any]) -> str:
    wwt, note = image["wwt"], image["note"]
    imageset = {
        "BandPass": "Visible",
        "DataSetType": "Sky",
        "BaseTileLevel": "0",
        "ElevationModel": "False",
        "Generic": "False",
        "Sparse": "True",
        "StockSet": "False",
        "BaseDegreesPerTile": js_string(wwt["base_degrees_per_tile"]),
        "BottomsUp": "True" if wwt["bottoms_up"] else "False",
        "CenterX": js_string(wwt["center_x"]),
        "CenterY": js_string(wwt["center_y"]),
        "FileType": wwt["file_type"],
        "Name": note,
        "OffsetX": js_string(wwt["offset_x"]),
        "OffsetY": js_string(wwt["offset_y"]),
        "Projection": wwt["projection"],
        "QuadTreeMap": wwt["quad_tree_map"],
        "Rotation": js_string(wwt["rotation"]),
        "TileLevels": js_string(wwt["tile_levels"]),
        "WidthFactor": js_string(wwt["width_factor"]),
        "Url": image["storage"]["legacy_url_template"],
    }
    children = {"Description": note}
    if image["permissions"].get("credits"):
        children["Credits"] = image["permissions"]["credits"]
    children["ThumbnailUrl"] = wwt["thumbnail_url"]
    inner = "".join(f"<{tag}>{_text(text)}</{tag}>" if text else f"<{tag}/>" for tag, text in children.items())
    return f"<ImageSet{_attributes(imageset)}>{inner}</ImageSet>"


def _attributes(values: dict[str, str]) -> str:
    return "".join(f' {name}="{_value(value)}"' for name, value in values.items())


def _text(text: str) -> str:
    """Return escaped text, except for existing entities: the real WTML can't tell "&" from "&amp;" either."""
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def _value(text: str) -> str:
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
