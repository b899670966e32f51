"""How WWT's engine draws the 13 fields of a flat image, as its source has it; nothing of the package is used here.

Source: `Imageset._computeMatrix`, `TangentTile.getLatLngEdges` and `geoTo3dTan`, `SkyImageTile.getLatLngEdges`, `TileShader.use`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

TILE = 256


def rotation_x(angle: float) -> np.ndarray:
    """For row vectors, as all matrices of the engine."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])


def rotation_y(angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])


def rotation_z(angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])


def drawn(
    wwt: Mapping[str, Any], size: tuple[int, int], x: Any, y: Any, looking_at: tuple[float, float] | None = None
) -> np.ndarray:
    """Unit vectors (x to RA 0, y to RA 90, z to the north pole) of where pixels of an image are drawn.

    Parameters
    ----------
    wwt : mapping
        The fields by their names in the API.
    size : (int, int)
        Width and height of the image in pixels. That of tiles lies in the middle of them, and begins at a whole pixel.
    x, y : array
        Places in the image in pixels, right and *down* from its upper left corner.
    looking_at : (float, float), optional
        The place of the image in the middle of the view. Without, the view is that of the projection center.
    """
    plane = _plane(wwt, size, np.asarray(x, float), np.asarray(y, float))
    matrix = (
        rotation_x(np.radians(wwt["rotation"]))
        @ rotation_z(np.radians(wwt["center_y"]))
        @ rotation_y(np.radians(360 - wwt["center_x"]))
    )
    points, center = plane @ matrix, np.array([1.0, 0.0, 0.0]) @ matrix
    if looking_at is not None:
        at = (_plane(wwt, size, np.array([looking_at[0]]), np.array([looking_at[1]])) @ matrix)[0]
        # A tile's vertices are relative to the center, which is added in clip space after a division by its depth in the view.
        points = points - center + center / (center @ at / np.linalg.norm(at))
    points = points / np.linalg.norm(points, axis=-1)[..., None]
    return points[..., [0, 2, 1]]


def _plane(wwt: Mapping[str, Any], size: tuple[int, int], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(1, up, left) on the plane that touches the sphere at the projection center."""
    base, (width, height) = wwt["base_degrees_per_tile"], size
    if wwt["projection"] == "SkyImage":
        scale_y = base
        scale_x = base if wwt["bottoms_up"] else -base
        lat = scale_y * (height - wwt["offset_y"] - y)
        lng = scale_x * (wwt["offset_x"] - x)
    else:
        tiles = 2 ** wwt["tile_levels"]
        tile_degrees = base / tiles
        across = 2 * tiles if wwt["width_factor"] == 1 else tiles
        left, top = (across * TILE - width) // 2, (tiles * TILE - height) // 2
        lat = base / 2 - (top + y) / TILE * tile_degrees + wwt["offset_y"]
        lng = (left + x) / TILE * tile_degrees - base / wwt["width_factor"] + wwt["offset_x"]
    half = base / 2
    factor = np.tan(np.radians(half))
    return np.stack([np.ones_like(lat), lat / half * factor, -lng / half * factor], axis=-1)


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Degrees between unit vectors."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other), axis=-1), (one * other).sum(-1)))


def vectors(ra: Any, dec: Any) -> np.ndarray:
    """Unit vectors of positions in degrees."""
    ra, dec = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
