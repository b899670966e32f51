"""The WTML of one image, as xmlbuilder2 writes it for the real server."""

from __future__ import annotations

import re
from typing import Any

from .jsvalues import js_string

__all__ = ["image_folder"]

_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|apos|quot);)")


def image_folder(image: dict[str, Any]) -> str:
    """A folder with the one imageset: one line, no XML declaration."""
    wwt, note = image["wwt"], image["note"]
    folder = {"Browseable": "True", "Group": "Explorer", "Name": note, "Searchable": "True", "Type": "Sky"}
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
    return f"<Folder{_attributes(folder)}><ImageSet{_attributes(imageset)}>{inner}</ImageSet></Folder>"


def _attributes(values: dict[str, str]) -> str:
    return "".join(f' {name}="{_value(value)}"' for name, value in values.items())


def _text(text: str) -> str:
    """Escaped, but for entities that are there already: the real WTML can't tell "&" from "&amp;" either."""
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def _value(text: str) -> str:
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
