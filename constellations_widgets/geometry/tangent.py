"""The tangent plane (gnomonic projection): from the sphere to its tangent plane, and back.

Every function takes floats, or numpy arrays of one shape. All angles, and coordinates on the plane, are degrees.
"""

from __future__ import annotations

import math
from typing import Any

DEGREE = math.pi / 180
_HORIZON = 1e-6  # cosine of the largest distance from the tangent point on the plane


def sky_to_plane(ra: Any, dec: Any, ra0: float, dec0: float) -> tuple[Any, Any]:
    """Return the coordinates, east and north, on the plane tangent to the sphere at a position.

    Parameters
    ----------
    ra, dec : float or array
        Right ascension and declination.
    ra0, dec0 : float
        The tangent point.

    Returns
    -------
    (east, north) : float or array
        NaN for positions a right angle or more away. Source: Calabretta and Greisen 2002, section 5.1.3 (TAN).
    """
    m = functions_for(ra, dec)
    turned, dec, dec0 = (ra - ra0) * DEGREE, dec * DEGREE, dec0 * DEGREE
    along = m.cos(dec) * m.cos(turned)
    depth = m.sin(dec) * math.sin(dec0) + along * math.cos(dec0)
    east = m.cos(dec) * m.sin(turned)
    north = m.sin(dec) * math.cos(dec0) - along * math.sin(dec0)
    if m is math:  # noqa: SIM108  (two conditionals in one expression are hard to read)
        depth = depth if depth > _HORIZON else math.nan
    else:
        depth = m.where(depth > _HORIZON, depth, math.nan)
    return east / depth / DEGREE, north / depth / DEGREE


def plane_to_sky(east: Any, north: Any, ra0: float, dec0: float) -> tuple[Any, Any]:
    """Return right ascension (0 to 360) and declination of a point of the plane; the inverse of `sky_to_plane`."""
    m = functions_for(east, north)
    east, north, dec0 = east * DEGREE, north * DEGREE, dec0 * DEGREE
    depth = math.cos(dec0) - north * math.sin(dec0)
    atan2 = math.atan2 if m is math else m.arctan2
    ra = ra0 + atan2(east, depth) / DEGREE
    return ra % 360, atan2(math.sin(dec0) + north * math.cos(dec0), m.hypot(east, depth)) / DEGREE


def functions_for(*values: Any) -> Any:
    """Return the module (`math` or `numpy`) whose functions accept these values."""
    if any(hasattr(value, "__array__") for value in values):
        import numpy as np

        return np
    return math
