"""The tangent plane of a flat image as WWT draws it: square pixels, rotated, possibly mirrored.

A FITS header calls this TAN; a draft stores it as `wwt.center_x` and related fields. This module converts between
them.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import SourceError
from ..schema.placement import is_tan, number, shown
from .engine import TILE, base_of_scale, levels_of, padded, scale_of_base
from .tangent import plane_to_sky, sky_to_plane

__all__ = ["TILE", "Plane", "levels_of", "padded", "plane_of"]


@dataclass(frozen=True)
class Plane:
    """Position of a picture's pixels on the sky, on a tangent plane.

    Attributes
    ----------
    ra, dec : float
        The tangent point, ICRS, in degrees.
    x, y : float
        The same place in the picture, in pixels right and up from its lower left corner (the corner itself is 0, 0).
    scale : float
        Degrees per pixel at that place.
    rotation : float
        Position angle of the picture's "up" in degrees, east of north.
    mirrored : bool
        Whether east is clockwise of north, the opposite of how the sky is seen.
    """

    ra: float
    dec: float
    x: float
    y: float
    scale: float
    rotation: float
    mirrored: bool = False

    @classmethod
    def from_complex(cls, ra: float, dec: float, at: complex, factor: complex, mirrored: bool) -> Plane:
        """Return the plane with pixel `at` at (ra, dec); `factor` is one pixel to the right, degrees east + i north."""
        up = factor * 1j if mirrored else factor * -1j
        rotation = math.degrees(cmath.phase(complex(up.imag, up.real)))
        return cls(ra % 360, dec, at.real, at.imag, abs(factor), rotation + 0.0, mirrored)

    @property
    def matrix(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Degrees east and north per pixel to the right and per pixel up: CD of a FITS header."""
        sin, cos = math.sin(math.radians(self.rotation)), math.cos(math.radians(self.rotation))
        right = self.scale * (1 if self.mirrored else -1)
        return (right * cos, self.scale * sin), (-right * sin, self.scale * cos)

    def on_plane(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return degrees east and north on the plane of a place in the picture, in pixels from its lower left corner."""
        (a, b), (c, d) = self.matrix
        dx, dy = x - self.x, y - self.y
        return a * dx + b * dy, c * dx + d * dy

    def sky(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return right ascension and declination in degrees of a place in the picture, in pixels from its lower left corner."""
        return plane_to_sky(*self.on_plane(x, y), self.ra, self.dec)

    def pixel(self, ra: Any, dec: Any) -> tuple[Any, Any]:
        """Return the pixel at a position on the sky; the inverse of `sky`."""
        east, north = sky_to_plane(ra, dec, self.ra, self.dec)
        (a, b), (c, d) = self.matrix
        square = self.scale**2  # the matrix is a rotation times the scale, perhaps mirrored
        return self.x + (a * east + c * north) / square, self.y + (b * east + d * north) / square

    def upside_down(self, height: float) -> Plane:
        """Return the plane of the picture with its rows in reverse order."""
        return Plane(self.ra, self.dec, self.x, height - self.y, self.scale, self.rotation + 180, not self.mirrored)

    def untiled(self) -> dict[str, Any]:
        """Return the values of a draft whose image is one file."""
        return {
            "wwt.center_x": self.ra,
            "wwt.center_y": self.dec,
            "wwt.rotation": math.remainder(self.rotation, 360),
            "wwt.base_degrees_per_tile": self.scale,
            "wwt.offset_x": self.x,
            "wwt.offset_y": self.y,
            "wwt.bottoms_up": self.mirrored,
            "wwt.projection": "SkyImage",
            "wwt.tile_levels": 0,
            "wwt.width_factor": 2,
            "wwt.quad_tree_map": "",
        }

    def tiled(self, size: tuple[float, float], width_factor: int = 2, levels: int | None = None) -> dict[str, Any]:
        """Return the values of a draft whose image was cut into tiles, in the middle of the pyramid.

        Parameters
        ----------
        size : (int, int)
            Width and height of the image in pixels.
        width_factor : {2, 1}
            1 for a pyramid two tiles wide at its root.
        levels : int, optional
            Levels below the first; by default as few as hold the image.

        Raises
        ------
        SourceError
            If the plane is mirrored: WWT draws no mirrored tiles.
        """
        if self.mirrored:
            raise SourceError("WWT draws no mirrored tiles: turn the picture upside down first")
        width, height = size
        levels = levels_of(size, width_factor) if levels is None else levels
        high = padded(levels)[1]
        base = base_of_scale(self.scale, high)
        return self.untiled() | {
            "wwt.base_degrees_per_tile": base,
            "wwt.offset_x": ((width + 1) // 2 - self.x) * base / high,
            "wwt.offset_y": (height - self.y - (height + 1) // 2) * base / high,
            "wwt.projection": "Tan",
            "wwt.tile_levels": levels,
            "wwt.width_factor": width_factor,
        }

    def cards(self) -> dict[str, Any]:
        """Return the plane as cards of a FITS header."""
        (cd11, cd12), (cd21, cd22) = self.matrix
        return {
            "WCSAXES": 2, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg", "CUNIT2": "deg",
            "CRVAL1": self.ra, "CRVAL2": self.dec, "CRPIX1": self.x + 0.5, "CRPIX2": self.y + 0.5,
            "CD1_1": cd11, "CD1_2": cd12, "CD2_1": cd21, "CD2_2": cd22, "LONPOLE": 180.0, "RADESYS": "ICRS",
        }  # fmt: skip


def plane_of(values: Mapping[str, Any], size: tuple[int, int] | None = None) -> Plane:
    """Return the plane that the values of a draft describe, as WWT draws them.

    Parameters
    ----------
    values : mapping
        Flat values of a draft.
    size : (int, int), optional
        Width and height of the image that was tiled; without, pixels are those of all tiles of the deepest level together.

    Raises
    ------
    SourceError
        If a value is missing or no number, or the projection has no tangent plane.
    """
    projection = values.get("wwt.projection")
    if projection not in ("SkyImage", "Tan"):
        raise SourceError(
            f"The projection {shown(projection)} is not a plane on the sky (only SkyImage and Tan are), so it has no WCS"
        )
    found = {name: number(values, f"wwt.{name}") for name in _NUMBERS}
    missing = [f"wwt.{name} = {shown(values.get(f'wwt.{name}'))}" for name, value in found.items() if value is None]
    base, levels = found["base_degrees_per_tile"] or 0.0, found["tile_levels"] or 0
    if missing or not 0 < base < 180 or not 0 <= levels <= 30:
        wrong = missing or [f"wwt.base_degrees_per_tile = {base:g}, wwt.tile_levels = {levels:g}"]
        raise SourceError(f"The placement is not complete ({', '.join(wrong)}): set that first")
    ra, dec, rotation, x, y = (found[name] or 0.0 for name in _NUMBERS[:5])
    if projection == "SkyImage":
        return Plane(ra, dec, x, y, base, rotation, values.get("wwt.bottoms_up") is True)
    all_tiles = padded(int(levels), width_factor_of(values))
    width, height = size or all_tiles
    pixel = base / all_tiles[1]  # of the offsets
    scale = scale_of_base(base, all_tiles[1])
    return Plane(ra, dec, (width + 1) // 2 - x / pixel, height - (height + 1) // 2 - y / pixel, scale, rotation)


def check_size(values: Mapping[str, Any], size: tuple[int, int], what: str) -> None:
    """Raise SourceError if the image of a draft with tiles can't have this size: it would have been cut into tiles of other levels.

    `what` names the image. Without tiles, or a number of levels, nothing is known.
    """
    levels = number(values, "wwt.tile_levels")
    if not is_tan(values) or levels is None:
        return
    needed = levels_of(size, width_factor_of(values))
    if needed != levels:
        raise SourceError(
            f"{what} has {size[0]} × {size[1]} pixels, which need {needed} level{'s' * (needed != 1)} of tiles, and the draft has {levels:g}: "
            "give the size of the picture that was tiled"
        )


def width_factor_of(values: Mapping[str, Any]) -> int:
    """Return the width factor of a draft's values: 1 for a pyramid two tiles wide at its root, else 2."""
    return 1 if number(values, "wwt.width_factor") == 1 else 2


_NUMBERS = ("center_x", "center_y", "rotation", "offset_x", "offset_y", "base_degrees_per_tile", "tile_levels")
