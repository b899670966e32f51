"""The position of a flat image in the numbers that people use: center, width, pixel scale, position angle, parity.

The center is the middle of the image, which a draft's `wwt.center_x` and `wwt.center_y` (the tangent point) need not be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import SourceError
from ..schema.placement import is_sky_image, is_tan, number, text
from .angles import ANGLE, DEC, RA, format_angle, format_dec, format_ra, parse_angle, parse_position, seconds_decimals
from .plane import Plane, padded, plane_of, width_factor_of
from .sphere import axes, dot, separation, to_vector
from .transforms import changes, mirrored, moved, scaled, turned

Size = tuple[float, float]

CENTER_RA, CENTER_DEC, WIDTH, PIXEL, ROTATION, MIRRORED = "ra", "dec", "width", "pixel", "rotation", "mirrored"
"""Names of the numbers that can be set."""


@dataclass(frozen=True)
class Position:
    """Where an image lies, in degrees; `width` and `height` are None if its size in pixels is not known."""

    ra: float
    dec: float
    pixel: float
    rotation: float
    mirrored: bool
    width: float | None
    height: float | None

    def texts(self) -> dict[str, str]:
        """Return each number as a form shows it."""
        of_ra, of_dec = seconds_decimals(self.pixel)
        shown = {CENTER_RA: format_ra(self.ra, of_ra), CENTER_DEC: format_dec(self.dec, of_dec)}
        if self.width is not None:
            shown[WIDTH] = format_angle(self.width)
        return shown | {PIXEL: format_angle(self.pixel), ROTATION: f"{float(f'{self.rotation:.3f}') + 0.0:g}°"}

    def __str__(self) -> str:
        shown = self.texts()
        size = f"{format_angle(self.width, 3)} × {format_angle(self.height, 3)}" if self.width and self.height else ""
        parts = [f"{shown[CENTER_RA]} {shown[CENTER_DEC]}", size, f"PA {shown[ROTATION]}", "mirrored" * self.mirrored]
        return " · ".join(filter(None, parts))


def is_flat(values: Mapping[str, Any]) -> bool:
    """Return whether the image is flat, or is going to be: it has no projection yet."""
    return is_tan(values) or is_sky_image(values) or not text(values, "wwt.projection")


def position_of(values: Mapping[str, Any], size: Size | None) -> Position | None:
    """Return the position of a draft's image; None if its placement is incomplete or it is not flat.

    `size` is the image's width and height in pixels, if known.
    """
    try:
        plane = plane_of(values)
    except (SourceError, ArithmeticError):
        return None
    size = _size(values, size)
    at = _middle(plane, size)
    ra, dec = plane.sky(*at)
    width = height = None
    if size:
        width = separation(plane.sky(0, at[1]), plane.sky(size[0], at[1]))
        height = separation(plane.sky(at[0], 0), plane.sky(at[0], size[1]))
    return Position(ra, dec, plane.scale, _angle_at(plane, at), plane.mirrored, width, height)


def changes_for(values: Mapping[str, Any], size: Size | None, name: str, typed: Any) -> dict[str, Any]:
    """Return the changes to a draft's values that give its image the number `typed` for `name`.

    Parameters
    ----------
    values : mapping
        Flat values of a draft.
    size : (int, int) or None
        Width and height of the image in pixels, if known.
    name : str
        One of the names of `Position.texts`, or "mirrored".
    typed : str or bool
        As the user wrote it. A text for the right ascension may hold the declination too.

    Raises
    ------
    SourceError
        If `typed` is not understood, is out of range, or WWT could not draw the result.
    """
    if name == MIRRORED:
        wanted: Any = bool(typed)
    elif name in (CENTER_RA, CENTER_DEC):
        wanted = parse_center(name, str(typed))
    else:
        wanted = _angle(values, size, name, str(typed))
    current = position_of(values, size)
    if current is None:
        return _first(values, size, name, wanted)
    plane = plane_of(values)
    middle = (current.ra, current.dec)
    if name == MIRRORED:
        return changes(values, mirrored(plane, middle)) if wanted != plane.mirrored else {}
    if name in (CENTER_RA, CENTER_DEC):
        there = (
            wanted[0] if wanted[0] is not None else current.ra,
            wanted[1] if wanted[1] is not None else current.dec,
        )
        there_plane = moved(plane, middle, there)
        size = _size(values, size)
        turn = current.rotation - _angle_at(there_plane, _middle(there_plane, size))  # the angle that is shown stays
        return changes(values, turned(there_plane, math.remainder(turn, 360), there))
    if name == ROTATION:
        return changes(values, turned(plane, math.remainder(wanted - current.rotation, 360), middle))
    return changes(values, _resized(plane, name, wanted, _size(values, size), middle))


def _resized(plane: Plane, name: str, wanted: float, size: Size | None, middle: tuple[float, float]) -> Plane:
    if name == PIXEL:
        return scaled(plane, wanted / plane.scale, middle)
    if size is None:
        raise SourceError("The image's size in pixels is not known: enter the pixel scale instead of the width")
    for _ in range(4):  # the angle between the edges is not exactly proportional to the scale
        half = size[1] / 2
        now = separation(plane.sky(0, half), plane.sky(size[0], half))
        plane = scaled(plane, math.tan(math.radians(wanted) / 2) / math.tan(math.radians(now) / 2), middle)
    return plane


def _first(values: Mapping[str, Any], size: Size | None, name: str, wanted: Any) -> dict[str, Any]:
    """Return the changes for an image whose placement is not complete yet: a single file, its middle the tangent point."""
    if is_tan(values):
        raise SourceError("The placement of this tiled image is incomplete: fill in the fields under WWT parameters")
    new: dict[str, Any] = {
        "wwt.projection": "SkyImage",
        "wwt.tile_levels": 0,
        "wwt.rotation": 0.0,
        "wwt.width_factor": 2,
    }
    new |= {"wwt.offset_x": size[0] / 2, "wwt.offset_y": size[1] / 2} if size else {}
    new = {path: value for path, value in new.items() if values.get(path) in (None, "")}
    if name == MIRRORED:
        return new | {"wwt.bottoms_up": wanted}
    if name in (CENTER_RA, CENTER_DEC):
        given = zip(("wwt.center_x", "wwt.center_y"), wanted, strict=True)
        return new | {path: value for path, value in given if value is not None}
    if name == ROTATION:
        return new | {"wwt.rotation": wanted}
    if name == WIDTH:
        if size is None:
            raise SourceError("The image's size in pixels is not known: enter the pixel scale instead of the width")
        wanted = math.degrees(2 * math.tan(math.radians(wanted) / 2)) / size[0]
    return new | {"wwt.base_degrees_per_tile": wanted}


def parse_center(name: str, typed: str) -> tuple[float | None, float | None]:
    """Return right ascension and declination in degrees, of which one may be None, as typed for one of the two.

    Raises
    ------
    SourceError
        If the text means neither, or is out of range.
    """
    try:
        given = parse_angle(typed, what=RA if name == CENTER_RA else DEC)
        ra, dec = (given, None) if name == CENTER_RA else (None, given)
    except SourceError:
        try:
            ra, dec = parse_position(typed)
        except SourceError:
            ra = dec = None
        if ra is None:
            raise
    if ra is not None and not 0 <= ra <= 360:
        raise SourceError("The right ascension is between 0 and 360 degrees, or 0 and 24 hours")
    if dec is not None and not -90 <= dec <= 90:
        raise SourceError("The declination is between −90 and +90 degrees")
    return ra, dec


def _angle(values: Mapping[str, Any], size: Size | None, name: str, typed: str) -> float:
    current = position_of(values, size)
    shown = current.texts().get(name, "") if current else ""
    default = {ROTATION: "°", PIXEL: '"', WIDTH: "'"}[name]
    degrees = parse_angle(
        typed, default if name == ROTATION or not shown else shown[-1].translate({8242: "'", 8243: '"'}), ANGLE
    )
    if name == PIXEL and not 0 < degrees <= 1:
        raise SourceError("The pixel scale is greater than 0 and at most 1 degree")
    if name == WIDTH and not 0 < degrees < 180:
        raise SourceError("The width is greater than 0 and less than 180 degrees")
    return degrees


def _size(values: Mapping[str, Any], size: Size | None) -> Size | None:
    levels = number(values, "wwt.tile_levels")
    if size is None and is_tan(values) and levels is not None and 0 <= levels <= 30:
        return padded(int(levels), width_factor_of(values))
    return size


def _middle(plane: Plane, size: Size | None) -> tuple[float, float]:
    return (size[0] / 2, size[1] / 2) if size else (plane.x, plane.y)


def _angle_at(plane: Plane, at: tuple[float, float]) -> float:
    """Return the position angle of the image's "up" at a pixel, in degrees east of north."""
    if math.hypot(at[0] - plane.x, at[1] - plane.y) < 1e-6:
        return math.remainder(plane.rotation, 360) + 0.0
    place = plane.sky(*at)
    east, north = axes(place)
    above = to_vector(plane.sky(at[0], at[1] + 1))
    return math.degrees(math.atan2(dot(above, east), dot(above, north))) + 0.0
