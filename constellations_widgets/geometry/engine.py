"""Model of how WWT's engine draws flat images, from the source of its WebGL version (`tangent_tile.js`, `shaders.js`).

*Tiles.* A pyramid is `base` degrees high. The engine takes an edge `e` of a tile, in degrees from the projection center, to
``e / (base / 2) * tan(base / 2)`` on the tangent plane (`TangentTile.geoTo3dTan`). So `base` is an angle, and a pixel at the projection
center is ``2 * tan(base / 2) / P`` radians, where P is the height of the deepest level in pixels. A pyramid with width factor 1 is two
tiles wide at its root (`RenderContext.getTilesXForLevel`), and the projection center is in its middle, too.

*Far projection centers.* The vertices of a tile are sent relative to the projection center, which is added in clip space divided by its
own depth (`TileShader.use`, ``centerScreen``). In a view whose middle is an angle φ from the projection center, a point ``c + v`` of the
plane is drawn in the direction of ``c / cos φ + v``, where c is the unit vector of the projection center. What lies at an angle θ from
the projection center, and in the middle of the view, is drawn at atan(sin θ): about θ³/2 too close to the projection center.
"""

from __future__ import annotations

import math
from typing import Any

from .tangent import DEGREE, functions_for

TILE = 256  # pixels of a tile's side


def scale_of_base(base: float, height: float) -> float:
    """Return the degrees per pixel, at the projection center, of a pyramid `base` degrees and `height` pixels high."""
    return math.degrees(2 * math.tan(math.radians(base) / 2)) / height


def base_of_scale(scale: float, height: float) -> float:
    """Return the height in degrees of a pyramid with pixels of `scale` degrees; the inverse of `scale_of_base`."""
    return math.degrees(2 * math.atan(math.radians(scale) * height / 2))


def levels_of(size: tuple[float, float], width_factor: int = 2) -> int:
    """Return the number of levels below the first that an image of this width and height needs."""
    width, height = size
    return max(0, math.ceil(math.log2(max(width / (2 if width_factor == 1 else 1), height) / TILE)))


def padded(levels: int, width_factor: int = 2) -> tuple[int, int]:
    """Return the width and height in pixels of all tiles of the deepest level together."""
    side = TILE * 2**levels
    return (2 * side if width_factor == 1 else side), side


def displacement(east: Any, north: Any, looking_at: tuple[float, float]) -> Any:
    """Return how far from their true place on the sky the engine draws points of the tangent plane.

    Parameters
    ----------
    east, north : float or array
        The points, in degrees on the plane.
    looking_at : (float, float)
        The point of the plane in the middle of the view, which decides how far the engine is wrong; the same units.

    Returns
    -------
    array
        Angles on the sky, in degrees.
    """
    m = functions_for(east, north)
    x, y = east * DEGREE, north * DEGREE
    center = math.hypot(1.0, *map(math.radians, looking_at))  # 1 / cos φ
    # The angle between (1, x, y) and (center, x, y), whose vector product is (0, x, y) * (1 - center) turned by a right angle.
    across = m.hypot(x, y) * (center - 1)
    atan2 = math.atan2 if m is math else m.arctan2
    return atan2(across, center + x * x + y * y) / DEGREE  # a power of a large number would raise OverflowError
