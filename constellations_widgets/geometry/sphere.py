"""Positions on the sphere as unit vectors, and rotations of them."""

from __future__ import annotations

import math
from collections.abc import Callable

Place = tuple[float, float]
"""Right ascension and declination, degrees."""

Vector = tuple[float, float, float]
Change = Callable[[Vector], Vector]


def to_vector(place: Place) -> Vector:
    """Return the unit vector of a position."""
    ra, dec = math.radians(place[0]), math.radians(place[1])
    return math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)


def to_place(vector: Vector) -> Place:
    """Return the position that a vector of any length points to; right ascension is 0 at the poles."""
    flat = math.hypot(vector[0], vector[1])
    ra = math.degrees(math.atan2(vector[1], vector[0])) % 360 if flat > 1e-15 else 0.0
    return ra, math.degrees(math.atan2(vector[2], flat))


def axes(place: Place) -> tuple[Vector, Vector]:
    """Return the unit vectors to the east and to the north at a position."""
    a, d = math.radians(place[0]), math.radians(place[1])
    north = (-math.sin(d) * math.cos(a), -math.sin(d) * math.sin(a), math.cos(d))
    return (-math.sin(a), math.cos(a), 0.0), north


def separation(one: Place, other: Place) -> float:
    """Return the angle between two positions in degrees."""
    a, b = to_vector(one), to_vector(other)
    return math.degrees(math.atan2(math.hypot(*cross(a, b)), dot(a, b)))


def between(one: Place, other: Place, part: float) -> Place:
    """Return the position that is `part` (0 to 1) of the way from one position to another, on the great circle."""
    a, b = to_vector(one), to_vector(other)
    axis = cross(a, b)
    if math.hypot(*axis) < 1e-18:
        return other
    return to_place(rotation(unit(axis), part * math.radians(separation(one, other)))(a))


def rotation_to(start: Vector, end: Vector) -> Change:
    """Return the rotation that takes `start` to `end` along the great circle through them."""
    axis = cross(start, end)
    sine = math.hypot(*axis)
    if sine < 1e-18:
        return lambda vector: vector
    return rotation(unit(axis), math.atan2(sine, dot(start, end)))


def rotation(axis: Vector, angle: float) -> Change:
    """Return the rotation about `axis` by `angle` (radians), counter-clockwise seen from the tip of the axis."""
    sin, cos = math.sin(angle), math.cos(angle)

    def rotate(vector: Vector) -> Vector:
        along, beside = dot(axis, vector) * (1 - cos), cross(axis, vector)
        return tuple(v * cos + b * sin + a * along for v, b, a in zip(vector, beside, axis, strict=True))  # type: ignore[return-value]

    return rotate


def unit(vector: tuple[float, ...]) -> Vector:
    """Return `vector` with length 1."""
    length = math.hypot(*vector)
    return tuple(part / length for part in vector)  # type: ignore[return-value]


def cross(a: Vector, b: Vector) -> Vector:
    """Return the vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def dot(a: Vector, b: Vector) -> float:
    """Return the scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
