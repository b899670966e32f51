"""Move, turn, scale or mirror a placement on the sky: the arithmetic of the placement editor.

Moving, turning and mirroring are isometries of the sphere: they hold at the poles and across RA 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import SourceError
from ..schema.placement import is_tan, number
from .engine import base_of_scale
from .plane import Plane, padded, plane_of
from .sphere import (
    Change,
    Place,
    Vector,
    axes,
    cross,
    dot,
    rotation,
    rotation_to,
    separation,
    to_place,
    to_vector,
    unit,
)

PLACED = ("wwt.center_x", "wwt.center_y", "wwt.rotation", "wwt.base_degrees_per_tile", "wwt.offset_x", "wwt.offset_y")
"""Paths of the fields that say where a flat image lies, whatever its files are."""

_EXACT = 1e-3  # pixels; smaller differences are not visible, so further digits are dropped
_TURN_DECIMALS = 6
_SCALE_DIGITS = 10
_LARGEST = 1.0  # degrees per pixel


def moved(plane: Plane, start: Place, end: Place) -> Plane:
    """Return `plane` moved along a great circle so that the point at `start` comes to lie at `end`."""
    return _carried(plane, rotation_to(to_vector(start), to_vector(end)))


def turned(plane: Plane, angle: float, about: Place) -> Plane:
    """Return `plane` turned about `about`; its position angle increases by `angle` degrees (north through east)."""
    return _carried(plane, rotation(to_vector(about), -math.radians(angle)))


def scaled(plane: Plane, factor: float, about: Place) -> Plane:
    """Return `plane` with pixels `factor` times as large; the point at `about` stays in place.

    Raises
    ------
    SourceError
        If the pixels would be larger than a degree or have no size, or `about` is on the other side of the sky.
    """
    if not (math.isfinite(factor) and factor > 0 and 0 < plane.scale * factor <= _LARGEST):
        raise SourceError(f"A pixel of an image takes up to one degree of the sky, not {plane.scale * factor:g}")
    center, there = to_vector((plane.ra, plane.dec)), to_vector(about)
    depth = _depth(center, there)
    offset = tuple(t / depth - c for t, c in zip(there, center, strict=True))
    now: Vector = unit(tuple(c + factor * o for c, o in zip(center, offset, strict=True)))
    return replace(_carried(plane, rotation_to(now, there)), scale=plane.scale * factor)


def mirrored(plane: Plane, about: Place) -> Plane:
    """Return `plane` with left and right exchanged; the picture's column through `about` stays in place."""
    there, center = to_vector(about), to_vector((plane.ra, plane.dec))
    _depth(center, there)
    normal = unit(cross(there, _up(plane)))

    def reflect(vector: Vector) -> Vector:
        across = 2 * dot(vector, normal)
        return tuple(v - across * n for v, n in zip(vector, normal, strict=True))  # type: ignore[return-value]

    return replace(_carried(plane, reflect), mirrored=not plane.mirrored)


def changes(values: Mapping[str, Any], plane: Plane) -> dict[str, Any]:
    """Return the changes that make the values of a draft those of `plane`, with the same reference pixel.

    The values are as `tidy` gives them, and hold only what differs.

    Raises
    ------
    SourceError
        If the placement is incomplete, or WWT could not draw the result.
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
        scales = ("wwt.base_degrees_per_tile", *(("wwt.offset_x", "wwt.offset_y") if tiled else ()))
        if tiled:  # the offsets are in degrees of the pyramid, which differ from degrees on the sky
            height = base_of_scale(plane.scale, padded(int(values["wwt.tile_levels"]))[1])
            factor = height / values["wwt.base_degrees_per_tile"]
        new |= {path: values[path] * factor for path in scales if values.get(path)}
    if plane.mirrored != old.mirrored:
        new["wwt.bottoms_up"] = plane.mirrored
    return tidy(new, plane.scale, tiled)


def tidy(new: Mapping[str, Any], pixel: float, tiled: bool) -> dict[str, Any]:
    """Normalize the values of a placement: right ascension 0 to 360, rotation -180 to 180, digits to 0.001 pixel.

    `pixel` is the size of a pixel in degrees.
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


def _carried(plane: Plane, change: Change) -> Plane:
    """Return `plane` after an isometry of the sphere."""
    center, up = change(to_vector((plane.ra, plane.dec))), change(_up(plane))
    place = ra, dec = to_place(center)
    east, north = axes(place)
    return replace(plane, ra=ra, dec=dec, rotation=math.degrees(math.atan2(dot(up, east), dot(up, north))))


def _stays(old: Plane, new: Plane) -> bool:
    """Return whether two planes have the same tangent point and right ascension, which defines the rotation."""
    distance = separation((old.ra, old.dec), (new.ra, new.dec))
    return max(distance, abs(math.remainder(old.ra - new.ra, 360))) < min(new.scale * _EXACT, 10.0**-_TURN_DECIMALS)


def _up(plane: Plane) -> Vector:
    """Return the direction of the picture's "up", seen from the tangent point."""
    east, north = axes((plane.ra, plane.dec))
    sin, cos = math.sin(math.radians(plane.rotation)), math.cos(math.radians(plane.rotation))
    return tuple(sin * e + cos * n for e, n in zip(east, north, strict=True))  # type: ignore[return-value]


def _depth(center: Vector, there: Vector) -> float:
    depth = dot(center, there)
    if depth < 1e-3:
        raise SourceError("That place is on the other side of the sky: choose one on the image")
    return depth


def without_negative_base(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes that make a negative size positive without moving the image; empty if these are not known.

    The engine draws a flat image with a negative size turned by 180 degrees about its projection center, together
    with the offsets of tiles, which are in degrees. The position of an all-sky image does not depend on its size.
    """
    path, projection = "wwt.base_degrees_per_tile", values.get("wwt.projection")
    base, rotation = number(values, path), number(values, "wwt.rotation")
    if base is None or base >= 0 or rotation is None or projection not in ("Tan", "SkyImage", "Toast", "Healpix"):
        return {}
    changes: dict[str, Any] = {path: -base}
    if projection in ("Tan", "SkyImage"):
        changes["wwt.rotation"] = math.remainder(rotation + 180, 360) + 0.0
    if projection == "Tan":
        offsets = {each: number(values, each) for each in ("wwt.offset_x", "wwt.offset_y")}
        changes |= {each: -offset for each, offset in offsets.items() if offset}
    return changes
