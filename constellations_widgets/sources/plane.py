"""All that WWT can draw of a placement: square pixels on a plane that touches the sky, turned, perhaps mirrored.

A FITS header calls it TAN; a draft calls it `wwt.center_x` and its sisters. This is the arithmetic between them.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import SourceError
from ..schema.placement import number, shown

TILE = 256  # pixels of a tile's side


@dataclass(frozen=True)
class Plane:
    """Where the pixels of a picture lie on the sky.

    Attributes
    ----------
    ra, dec : float
        Where the plane touches the sky, ICRS, in degrees.
    x, y : float
        The same place in the picture, in pixels right and up from its lower left corner (the corner itself is 0, 0).
    scale : float
        Degrees per pixel at that place.
    rotation : float
        Position angle of the picture's "up" in degrees, east of north.
    mirrored : bool
        Whether east is clockwise of north, as nobody sees it in the sky.
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
        """From the pixel `at` that lies at (ra, dec), and the degrees (east + i north) that one pixel to the right makes."""
        up = factor * 1j if mirrored else factor * -1j
        rotation = math.degrees(cmath.phase(complex(up.imag, up.real)))
        return cls(ra % 360, dec, at.real, at.imag, abs(factor), rotation + 0.0, mirrored)

    @property
    def matrix(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Degrees to the east and to the north for a pixel to the right and a pixel up: CD of a FITS header."""
        sin, cos = math.sin(math.radians(self.rotation)), math.cos(math.radians(self.rotation))
        right = self.scale * (1 if self.mirrored else -1)
        return (right * cos, self.scale * sin), (-right * sin, self.scale * cos)

    def sky(self, x: float, y: float) -> tuple[float, float]:
        """Right ascension and declination in degrees of a place in the picture, in pixels from its lower left corner."""
        (a, b), (c, d) = self.matrix
        dx, dy, dec = x - self.x, y - self.y, math.radians(self.dec)
        east, north = math.radians(a * dx + b * dy), math.radians(c * dx + d * dy)
        depth = math.cos(dec) - north * math.sin(dec)
        ra = self.ra + math.degrees(math.atan2(east, depth))
        return ra % 360, math.degrees(math.atan2(math.sin(dec) + north * math.cos(dec), math.hypot(east, depth)))

    def upside_down(self, height: float) -> Plane:
        """The same for the picture with its last row first."""
        return Plane(self.ra, self.dec, self.x, height - self.y, self.scale, self.rotation + 180, not self.mirrored)

    def untiled(self) -> dict[str, Any]:
        """Values of a draft whose image is one file."""
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

    def tiled(self, size: tuple[int, int]) -> dict[str, Any]:
        """Values of a draft whose image was cut into tiles as toasty does it; one that is mirrored can't be drawn."""
        if self.mirrored:
            raise SourceError("WWT draws no mirrored tiles: turn the picture upside down first")
        width, height = size
        levels = levels_of(size)
        return self.untiled() | {
            "wwt.base_degrees_per_tile": self.scale * TILE * 2**levels,
            "wwt.offset_x": ((width + 1) // 2 - self.x) * self.scale,
            "wwt.offset_y": (height - self.y - (height + 1) // 2) * self.scale,
            "wwt.projection": "Tan",
            "wwt.tile_levels": levels,
        }

    def cards(self) -> dict[str, Any]:
        """The same as cards of a FITS header."""
        (cd11, cd12), (cd21, cd22) = self.matrix
        return {
            "WCSAXES": 2, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg", "CUNIT2": "deg",
            "CRVAL1": self.ra, "CRVAL2": self.dec, "CRPIX1": self.x + 0.5, "CRPIX2": self.y + 0.5,
            "CD1_1": cd11, "CD1_2": cd12, "CD2_1": cd21, "CD2_2": cd22, "LONPOLE": 180.0, "RADESYS": "ICRS",
        }  # fmt: skip


def levels_of(size: tuple[int, int]) -> int:
    """Levels of tiles below the first that an image of this width and height needs."""
    return max(0, math.ceil(math.log2(max(size) / TILE)))


def padded(levels: int) -> tuple[int, int]:
    """Width and height in pixels of all tiles of the deepest level together."""
    return TILE * 2**levels, TILE * 2**levels


def plane_of(values: Mapping[str, Any], size: tuple[int, int] | None = None) -> Plane:
    """The plane that the values of a draft describe.

    Parameters
    ----------
    values : mapping
        Flat values of a draft.
    size : (int, int), optional
        Width and height of the image that was tiled; without, pixels are those of all tiles of the deepest level together.

    Raises
    ------
    SourceError
        When a value is missing or no number, or the projection is none of a plane.
    """
    projection = values.get("wwt.projection")
    if projection not in ("SkyImage", "Tan"):
        raise SourceError(
            f"The projection {shown(projection)} is no plane on the sky (SkyImage or Tan are): it has no WCS"
        )
    found = {name: number(values, f"wwt.{name}") for name in _NUMBERS}
    missing = [f"wwt.{name} = {shown(values.get(f'wwt.{name}'))}" for name, value in found.items() if value is None]
    base, levels = found["base_degrees_per_tile"] or 0.0, found["tile_levels"] or 0
    if missing or base <= 0 or not 0 <= levels <= 30:
        wrong = missing or [f"wwt.base_degrees_per_tile = {base:g}, wwt.tile_levels = {levels:g}"]
        raise SourceError(f"The placement is not complete ({', '.join(wrong)}): set that first")
    ra, dec, rotation, x, y = (found[name] or 0.0 for name in _NUMBERS[:5])
    if projection == "SkyImage":
        return Plane(ra, dec, x, y, base, rotation, values.get("wwt.bottoms_up") is True)
    width, height = size or padded(int(levels))
    scale = base / padded(int(levels))[0]
    return Plane(ra, dec, (width + 1) // 2 - x / scale, height - (height + 1) // 2 - y / scale, scale, rotation)


_NUMBERS = ("center_x", "center_y", "rotation", "offset_x", "offset_y", "base_degrees_per_tile", "tile_levels")
