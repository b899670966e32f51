"""Hints about a picture's position and size, in the forms that people have them.

Names are looked up in OpenNGC, which the package pyongc carries, so that none is sent anywhere.
"""

from __future__ import annotations

import math
import re
from typing import Any

from ..errors import SourceError, needs_extra
from ..interface import option
from ..schema.placement import shown
from ..sources.manual_placement import position

# Letters, digits and what stands in names: pyongc writes a name into its SQL. It has no degrees and no declination.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 \-]{0,59}")
_MESSIER = re.compile(r"\bmessier\s*(?=\d)", re.IGNORECASE)
_SHORTEST = 4  # characters of a common name


def near_hint(near: Any, radius: Any, default: float) -> tuple[float, float, float] | None:
    """Return right ascension, declination and radius in degrees; None without `near`.

    Raises
    ------
    SourceError
        If they are invalid.
    """
    if near is None:
        if radius is not None:
            raise SourceError(f"{option('radius')} goes with {option('near')}, a position")
        return None
    ra, dec = _place(near)
    within = angle(radius, option("radius"), "deg") if radius is not None else default
    return ra, dec, min(within, 180.0)


def _place(near: Any) -> tuple[float, float]:
    """Return the position that is given, or that of the object that is named."""
    try:
        return position(near, option("near"))
    except SourceError:
        if not isinstance(near, str) or not _NAME.fullmatch(near.strip()):
            raise
    with needs_extra(
        "solve", f"near={shown(near)} is a name, and looking it up", SourceError, otherwise="give a position"
    ):
        from pyongc import ongc
    name = near.strip()
    found = ongc.get(_MESSIER.sub("M", name))
    if found is None and len(name) >= _SHORTEST:
        called = ongc.listObjects(cname=name)  # part of a name will do, if only one object has it
        found = called[0] if len(called) == 1 else None
    if found is None or found.rad_coords is None:
        raise SourceError(
            f"near={shown(near)} is neither a position nor the name of one object in the Messier, NGC and IC catalogs: write its right "
            "ascension and declination, such as 13h29m52.7s +47d11m43s"
        )
    ra, dec = map(math.degrees, map(float, found.rad_coords))
    return ra, dec


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
