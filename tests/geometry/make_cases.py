"""Writes cases.json, the table that both halves of the geometry are tested against: `python tests/geometry/make_cases.py`.

Tangent planes are astropy's; where pixels of an image lie is what `engine_model` makes of the engine's source.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from astropy.wcs import WCS

sys.path.insert(0, str(Path(__file__).parents[1]))
from geometry.engine_model import drawn

CASES = Path(__file__).with_name("cases.json")
DIGITS = 12
PLACEMENT = {
    "center_x": 150.0,
    "center_y": 20.0,
    "rotation": 30.0,
    "offset_x": 0.0,
    "offset_y": 0.0,
    "bottoms_up": False,
}
TILED = PLACEMENT | {"projection": "Tan", "tile_levels": 2, "width_factor": 2, "base_degrees_per_tile": 1.0}
UNTILED = PLACEMENT | {"projection": "SkyImage", "tile_levels": 0, "width_factor": 2, "base_degrees_per_tile": 0.001}
IMAGES = {
    "tiles": (TILED, (700, 501)),
    "tiles of 40 degrees": (TILED | {"base_degrees_per_tile": 40.0, "offset_x": 1.5, "offset_y": -2.25}, (1000, 700)),
    "tiles of 120 degrees at the pole": (TILED | {"base_degrees_per_tile": 120.0, "center_y": 90.0}, (1024, 1024)),
    "tiles, two wide": (TILED | {"width_factor": 1, "base_degrees_per_tile": 30.0, "offset_x": 0.7}, (2000, 999)),
    "tiles, two wide, one level": (TILED | {"width_factor": 1, "tile_levels": 1, "rotation": -100.0}, (1024, 512)),
    "one file": (UNTILED | {"offset_x": 310.0, "offset_y": 280.0}, (700, 500)),
    "one file, mirrored": (UNTILED | {"offset_x": 310.0, "offset_y": 280.0, "bottoms_up": True}, (700, 500)),
    "one file far off": (UNTILED | {"offset_x": -28800.5, "offset_y": 130.25, "center_x": 359.9}, (360, 260)),
    "one file near the south pole": (UNTILED | {"center_y": -89.9, "rotation": 200.0, "offset_x": 350.0}, (700, 500)),
}  # fmt: skip
POINTS = [
    (0, 0),
    (1, 0),
    (0, 1),
    (1, 1),
    (0.5, 0.5),
    (0.125, 0.75),
]  # parts of width and height, from the lower left corner


def tangent_cases() -> list[dict[str, Any]]:
    found = []
    for ra0, dec0 in ((150.0, 20.0), (0.0, 0.0), (359.99, -75.0), (10.0, 90.0), (200.0, -90.0)):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [ra0, dec0], [1.0, 1.0]
        wcs.wcs.lonpole = 180.0
        for east, north in ((0.0, 0.0), (1e-4, -2e-4), (0.5, 0.25), (-20.0, 30.0), (45.0, -60.0)):
            ra, dec = map(float, wcs.wcs_pix2world(east, north, 0))
            found.append({"center": [ra0, dec0], "plane": [east, north], "sky": [ra, dec]})
    return found


def image_cases() -> list[dict[str, Any]]:
    found = []
    for name, (placement, (width, height)) in IMAGES.items():
        x, y = (np.array(sides) for sides in zip(*((a * width, b * height) for a, b in POINTS), strict=True))
        v = drawn(placement, (width, height), x, height - y)
        ra, dec = (
            np.degrees(np.arctan2(v[:, 1], v[:, 0])) % 360,
            np.degrees(np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1]))),
        )
        skies = [
            {"pixel": list(map(float, it[:2])), "sky": [round(float(at), DIGITS) for at in it[2:]]}
            for it in zip(x, y, ra, dec, strict=True)
        ]
        found.append({"name": name, "placement": placement, "size": [width, height], "points": skies})
    return found


if __name__ == "__main__":
    CASES.write_text(
        json.dumps({"tangent": tangent_cases(), "images": image_cases()}, indent=1) + "\n", encoding="utf-8"
    )
