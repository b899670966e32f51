"""How much of the sky an image covers, from its placement alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WHOLE_SKY = 60.0
"""Degrees of the view of an image that is no flat picture: WWT's own view of the sky."""
_UNKNOWN_SIDE = 1000.0  # pixels


@dataclass(frozen=True)
class SkyView:
    """Where a view of the sky looks, and how much it shows.

    Attributes
    ----------
    ra, dec : float
        Right ascension and declination of the middle, degrees.
    height : float
        Height of the view, degrees.
    aspect : float
        Width / height. Default 1.
    roll : float
        Turn of the view, degrees; the sky turns clockwise. Default 0: north is up.
    """

    ra: float
    dec: float
    height: float
    aspect: float = 1.0
    roll: float = 0.0


def view_of_image(wwt: Mapping[str, Any], size: tuple[int, int] | None = None) -> SkyView:
    """The view that just holds an image, north up.

    Parameters
    ----------
    wwt : mapping
        The 13 fields, as `ImageWwt` has them.
    size : tuple of int, optional
        Width and height of the image in pixels, where they are known. A tiled image without is as large as the square
        that it is padded to; a single file is guessed from where its projection centre is: mostly in the middle.

    Returns
    -------
    SkyView
        Of an image that is not flat (``Toast`` and others), 60 degrees around its centre.
    """
    corners = _corners(wwt, size)
    if not corners:
        return SkyView(wwt["center_x"] % 360, wwt["center_y"], WHOLE_SKY)
    xs, ys = zip(*corners, strict=True)
    ra, dec = _sky(wwt["center_x"], wwt["center_y"], (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
    width, height = (2 * math.atan((max(along) - min(along)) / 2) for along in (xs, ys))
    return SkyView(ra, dec, math.degrees(height), width / height)


def _corners(wwt: Mapping[str, Any], size: tuple[int, int] | None) -> list[tuple[float, float]]:
    """Of the tangent plane at the image's centre, radians: x to the west, y to the north. None of what is not flat."""
    base, across, up = wwt["base_degrees_per_tile"], wwt["offset_x"], wwt["offset_y"]
    if wwt["projection"] == "SkyImage":
        width, height = size or (_around(across), _around(up))
        mirror = -1 if wwt["bottoms_up"] else 1
        left, right = -across * base * mirror, (width - across) * base * mirror
        low, high = -up * base, (height - up) * base
    elif wwt["projection"] == "Tan":
        padded = 256 * 2 ** wwt["tile_levels"]
        half_width, half_height = (side / padded * base / 2 for side in size or (padded, padded))
        left, right, low, high = across - half_width, across + half_width, up - half_height, up + half_height
    else:
        return []
    turn = math.radians(wwt["rotation"])
    cos, sin = math.radians(math.cos(turn)), math.radians(math.sin(turn))
    return [(x * cos - y * sin, x * sin + y * cos) for x in (left, right) for y in (low, high)]


def _around(offset: float) -> float:
    return 2 * offset if offset > 0 else _UNKNOWN_SIDE


def _sky(ra: float, dec: float, x: float, y: float) -> tuple[float, float]:
    """The position (degrees) of a point of the tangent plane at `ra`, `dec`, gnomonic."""
    dec0 = math.radians(dec)
    down = math.cos(dec0) - y * math.sin(dec0)
    at = math.atan2(math.sin(dec0) + y * math.cos(dec0), math.hypot(x, down))
    return (ra + math.degrees(math.atan2(-x, down))) % 360, math.degrees(at)
