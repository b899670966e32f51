"""The part of the sky that an image covers, from its placement alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import SourceError
from ..schema.sky_view import SkyView
from .plane import Plane, padded, plane_of, width_factor_of
from .tangent import plane_to_sky

WHOLE_SKY = 60.0
"""Degrees of the view of an image that is not flat: WWT's own view of the sky."""
_UNKNOWN_SIDE = 1000.0  # pixels
_LARGEST_FILE = (
    16_384.0  # pixels of a side: the largest texture of almost every graphics card, so no single file is larger
)


def view_of_image(wwt: Mapping[str, Any], size: tuple[int, int] | None = None) -> SkyView:
    """Return the smallest view that contains an image, north up.

    Parameters
    ----------
    wwt : mapping
        The 13 fields, as `ImageWwt` has them.
    size : tuple of int, optional
        Width and height of the image in pixels, where they are known. A tiled image without is as large as all of its
        tiles; a single file is guessed from where its projection center is: mostly in the middle.

    Returns
    -------
    SkyView
        For an image that is not flat (``Toast`` and others), 60 degrees around its center.
    """
    values = {f"wwt.{name}": value for name, value in wwt.items()}
    try:
        width, height = size or guessed_size(values)
        plane = plane_of(values, size)
    except SourceError:
        return SkyView(wwt["center_x"] % 360, wwt["center_y"], WHOLE_SKY)
    corners = [plane.on_plane(x, y) for x in (0, width) for y in (0, height)]
    easts, norths = zip(*corners, strict=True)
    middle = (min(easts) + max(easts)) / 2, (min(norths) + max(norths)) / 2
    ra, dec = plane_to_sky(*middle, plane.ra, plane.dec)
    wide, high = (2 * math.atan(math.radians(max(along) - min(along)) / 2) for along in (easts, norths))
    return SkyView(ra, dec, math.degrees(high), wide / high)


def middle_of(plane: Plane, size: tuple[float, float]) -> tuple[float, float]:
    """Return right ascension and declination of the middle of an image of `size` pixels."""
    return plane.sky(size[0] / 2, size[1] / 2)


def guessed_size(values: Mapping[str, Any]) -> tuple[float, float]:
    """Return the width and height in pixels of all tiles, or of one file whose projection center is in its middle.

    One file that certainly has its projection center outside is taken to be 1000 pixels wide, or high, or as large as
    can be drawn.
    """
    if values.get("wwt.projection") == "Tan":
        return padded(int(values["wwt.tile_levels"]), width_factor_of(values))
    return _around(values["wwt.offset_x"]), _around(values["wwt.offset_y"])


def _around(offset: float) -> float:
    return min(2 * offset, _LARGEST_FILE) if offset > 0 else _UNKNOWN_SIDE
