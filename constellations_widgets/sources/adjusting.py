"""A placement moved, turned, scaled or mirrored on the sky: the arithmetic of placing by eye.

A move, a turn and a mirroring are what a stiff sheet does that slides over the sphere: they hold at the poles and over RA 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import SourceError
from ..schema.placement import is_tan
from .plane import Plane, plane_of

Place = tuple[float, float]
"""Right ascension and declination, degrees."""

_Vector = tuple[float, float, float]
_Change = Callable[[_Vector], _Vector]

_EXACT = 1e-3  # pixels; nobody sees less, so no more digits are kept
_TURN_DECIMALS = 6
_SCALE_DIGITS = 10
_LARGEST = 1.0  # degrees per pixel


def moved(plane: Plane, start: Place, end: Place) -> Plane:
    """`plane` with the point that is at `start` at `end`, moved along the great circle between them."""
    return _carried(plane, _rotation_to(_vector(start), _vector(end)))


def turned(plane: Plane, angle: float, about: Place) -> Plane:
    """`plane` with its position angle greater by `angle` degrees (from north by east), turned about `about`."""
    return _carried(plane, _rotation(_vector(about), -math.radians(angle)))


def scaled(plane: Plane, factor: float, about: Place) -> Plane:
    """`plane` with pixels `factor` times as large, and the point at `about` still there.

    Raises
    ------
    SourceError
        When the pixels would be larger than a degree, or have no size, or `about` is on the other side of the sky.
    """
    if not (math.isfinite(factor) and factor > 0 and 0 < plane.scale * factor <= _LARGEST):
        raise SourceError(f"A pixel of an image takes up to one degree of the sky, not {plane.scale * factor:g}")
    centre, there = _vector((plane.ra, plane.dec)), _vector(about)
    depth = _depth(centre, there)
    offset = tuple(t / depth - c for t, c in zip(there, centre, strict=True))
    now: _Vector = _unit(tuple(c + factor * o for c, o in zip(centre, offset, strict=True)))
    return replace(_carried(plane, _rotation_to(now, there)), scale=plane.scale * factor)


def mirrored(plane: Plane, about: Place) -> Plane:
    """`plane` with left and right exchanged: the picture's column through `about` stays where it is."""
    there, centre = _vector(about), _vector((plane.ra, plane.dec))
    _depth(centre, there)
    normal = _unit(_cross(there, _up(plane)))

    def reflect(vector: _Vector) -> _Vector:
        across = 2 * _dot(vector, normal)
        return tuple(v - across * n for v, n in zip(vector, normal, strict=True))  # type: ignore[return-value]

    return replace(_carried(plane, reflect), mirrored=not plane.mirrored)


def changes(values: Mapping[str, Any], plane: Plane) -> dict[str, Any]:
    """What makes the values of a draft those of `plane`, which touches the sky in the same pixel as before: `tidy`, and only what differs.

    Raises
    ------
    SourceError
        When the placement is not complete, or would be one that WWT can't draw.
    """
    old, tiled = plane_of(values), is_tan(values)
    if tiled and plane.mirrored:
        raise SourceError("WWT draws no mirrored tiles: mirror the picture itself, and make tiles of that")
    factor = plane.scale / old.scale
    new: dict[str, Any] = {}
    if not _stays(old, plane):
        new |= {"wwt.center_x": plane.ra, "wwt.center_y": plane.dec}
    if abs(math.remainder(plane.rotation - old.rotation, 360)) > 10**-_TURN_DECIMALS / 2:
        new["wwt.rotation"] = plane.rotation
    if abs(factor - 1) > 10**-_SCALE_DIGITS:
        # The offsets of tiles are degrees.
        scales = ("wwt.base_degrees_per_tile", *(("wwt.offset_x", "wwt.offset_y") if tiled else ()))
        new |= {path: values[path] * factor for path in scales if values.get(path)}
    if plane.mirrored != old.mirrored:
        new["wwt.bottoms_up"] = plane.mirrored
    return tidy(new, plane.scale, tiled)


def tidy(new: Mapping[str, Any], pixel: float, tiled: bool) -> dict[str, Any]:
    """Values of a placement in normal form: right ascension 0 to 360, rotation -180 to 180 degrees, no digits that nobody can see.

    `pixel` is the size of one, in degrees.
    """
    decimals = min(max(math.ceil(-math.log10(pixel * _EXACT)), 0), 14)
    of_offsets = decimals if tiled else round(-math.log10(_EXACT))
    normal: dict[str, Callable[[float], float]] = {
        "wwt.center_x": lambda ra: round(ra % 360, decimals) % 360,
        "wwt.center_y": lambda dec: round(dec, decimals) + 0.0,
        "wwt.rotation": lambda angle: math.remainder(round(angle, _TURN_DECIMALS), 360) + 0.0,
        "wwt.base_degrees_per_tile": lambda base: float(f"{base:.{_SCALE_DIGITS}g}"),
        "wwt.offset_x": lambda offset: round(offset, of_offsets) + 0.0,
        "wwt.offset_y": lambda offset: round(offset, of_offsets) + 0.0,
    }
    return {path: normal[path](value) if path in normal else value for path, value in new.items()}


def _carried(plane: Plane, change: _Change) -> Plane:
    """`plane` after all of the sphere was changed, which must leave its distances as they are."""
    centre, up = change(_vector((plane.ra, plane.dec))), change(_up(plane))
    flat = math.hypot(centre[0], centre[1])
    ra = math.degrees(math.atan2(centre[1], centre[0])) % 360 if flat > 1e-15 else 0.0
    dec = math.degrees(math.atan2(centre[2], flat))
    east, north = _axes(ra, dec)
    return replace(plane, ra=ra, dec=dec, rotation=math.degrees(math.atan2(_dot(up, east), _dot(up, north))))


def _stays(old: Plane, new: Plane) -> bool:
    """Whether two planes touch the sky in the same place: in the same right ascension, too, by which a rotation is measured."""
    a, b = _vector((old.ra, old.dec)), _vector((new.ra, new.dec))
    distance = math.degrees(math.atan2(math.hypot(*_cross(a, b)), _dot(a, b)))
    return max(distance, abs(math.remainder(old.ra - new.ra, 360))) < min(new.scale * _EXACT, 10**-_TURN_DECIMALS)


def _vector(place: Place) -> _Vector:
    ra, dec = math.radians(place[0]), math.radians(place[1])
    return math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)


def _axes(ra: float, dec: float) -> tuple[_Vector, _Vector]:
    """East and north at a place."""
    a, d = math.radians(ra), math.radians(dec)
    north = (-math.sin(d) * math.cos(a), -math.sin(d) * math.sin(a), math.cos(d))
    return (-math.sin(a), math.cos(a), 0.0), north


def _up(plane: Plane) -> _Vector:
    """Where the picture's "up" points, seen from where it touches the sky."""
    east, north = _axes(plane.ra, plane.dec)
    sin, cos = math.sin(math.radians(plane.rotation)), math.cos(math.radians(plane.rotation))
    return tuple(sin * e + cos * n for e, n in zip(east, north, strict=True))  # type: ignore[return-value]


def _depth(centre: _Vector, there: _Vector) -> float:
    depth = _dot(centre, there)
    if depth < 1e-3:
        raise SourceError("That place is on the other side of the sky: choose one on the image")
    return depth


def _rotation_to(start: _Vector, end: _Vector) -> _Change:
    axis = _cross(start, end)
    sine = math.hypot(*axis)
    if sine < 1e-18:
        return lambda vector: vector
    return _rotation(_unit(axis), math.atan2(sine, _dot(start, end)))


def _rotation(axis: _Vector, angle: float) -> _Change:
    """About `axis` by `angle` (radians), counter-clockwise if the axis points at you."""
    sin, cos = math.sin(angle), math.cos(angle)

    def rotate(vector: _Vector) -> _Vector:
        along, beside = _dot(axis, vector) * (1 - cos), _cross(axis, vector)
        return tuple(v * cos + b * sin + a * along for v, b, a in zip(vector, beside, axis, strict=True))  # type: ignore[return-value]

    return rotate


def _unit(vector: tuple[float, ...]) -> _Vector:
    length = math.hypot(*vector)
    return tuple(part / length for part in vector)  # type: ignore[return-value]


def _cross(a: _Vector, b: _Vector) -> _Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _dot(a: _Vector, b: _Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
