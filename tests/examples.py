"""Two images with which nothing is wrong, as flat values: a tiled study and a single file."""

from __future__ import annotations

from typing import Any

from constellations_widgets.schema.fields import nest

TILED: dict[str, Any] = {
    "wwt.center_x": 202.47,
    "wwt.center_y": 47.2,
    "wwt.rotation": 12.5,
    "wwt.base_degrees_per_tile": 0.5,
    "wwt.offset_x": 0.01,
    "wwt.offset_y": -0.02,
    "wwt.bottoms_up": False,
    "wwt.projection": "Tan",
    "wwt.tile_levels": 4,
    "wwt.width_factor": 2,
    "wwt.file_type": ".png",
    "wwt.quad_tree_map": "",
    "wwt.thumbnail_url": "https://example.org/m51/thumb.jpg",
    "storage.legacy_url_template": "https://example.org/m51/{1}/{3}/{3}_{2}.png",
    "note": "M 51, the Whirlpool galaxy, in visible light",
    "permissions.copyright": "Copyright 2020 Henrietta Swan Leavitt",
    "permissions.credits": 'ESA/Hubble &amp; NASA, <a href="https://example.org/team">R. Smith et al.</a>',
    "permissions.license": "CC-BY-4.0",
    "alt_text": "Two blue spiral arms wind around a bright yellow core.",
}

UNTILED: dict[str, Any] = TILED | {
    "wwt.base_degrees_per_tile": 2.8e-4,
    "wwt.offset_x": 512.0,
    "wwt.offset_y": 384.5,
    "wwt.bottoms_up": True,
    "wwt.projection": "SkyImage",
    "wwt.tile_levels": 0,
    "wwt.file_type": ".jpg",
    "storage.legacy_url_template": "https://example.org/m51.jpg",
}


def tiled(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The values of the tiled image, with some changed."""
    return TILED | (changes or {})


def untiled(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The values of the single file, with some changed."""
    return UNTILED | (changes or {})


def body(changes: dict[str, Any] | None = None, base: dict[str, Any] = TILED) -> dict[str, Any]:
    """The same as a request body; a field that is changed to ... is left out."""
    return nest({path: value for path, value in {**base, **(changes or {})}.items() if value is not ...})
