"""Hints about a picture's position and size, in the forms that people have them."""

from __future__ import annotations

import math
from typing import Any

from ..errors import SourceError
from ..schema.placement import shown
from ..sources.manual_placement import position


def near_hint(near: Any, radius: Any, default: float) -> tuple[float, float, float] | None:
    """Return right ascension, declination and radius in degrees; None without `near`.

    Raises
    ------
    SourceError
        If they are invalid.
    """
    if near is None:
        if radius is not None:
            raise SourceError("radius= goes with near=, a position")
        return None
    ra, dec = position(near, "near=")
    within = angle(radius, "radius=", "deg") if radius is not None else default
    return ra, dec, min(within, 180.0)


def angle_range(given: Any, what: str, unit: str, *, spread: float) -> tuple[float, float]:
    """Return the smallest and largest of two angles in `unit`, or those that one implies: less and more by the factor `spread`."""
    if isinstance(given, tuple | list) and len(given) == 2:
        low, high = sorted(angle(each, what, unit) for each in given)
        return low, high
    value = angle(given, what, unit)
    return value / spread, value * spread


def angle(given: Any, what: str, unit: str) -> float:
    """Return a positive angle in `unit`, "deg" or "arcsec".

    Raises
    ------
    SourceError
        If it is none.
    """
    try:
        value = float(given.to_value(unit) if hasattr(given, "to_value") else given)
    except Exception:  # astropy raises many kinds of errors  # noqa: BLE001
        value = math.nan
    if not value > 0 or value == math.inf:
        name = "degrees" if unit == "deg" else "seconds of arc"
        raise SourceError(f"{what} takes a positive number, in {name}, or two of them, not {shown(given)}")
    return value
