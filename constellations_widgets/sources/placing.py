"""From a celestial WCS to the placement fields of WWT, with a diagnosis where WWT can't do what the WCS says.

Formulas: `wwt_data_formats/imageset.py`, `set_position_from_wcs`, for the untiled case.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import SourceError

if TYPE_CHECKING:
    from astropy.wcs import WCS

SQUARE = 0.01
"""Pixels may differ in width and height by this fraction, and axes from a right angle by as many radians, before they are refused."""


def place_untiled(wcs: WCS, what: str) -> dict[str, Any]:
    """Placement fields of one image file that shows the pixels of `wcs` with its rows from top to bottom.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Celestial WCS of the picture; its pixels count from the lower left corner, as in FITS, the picture's last row first.
    what : str
        Names the source in errors.

    Returns
    -------
    dict
        Values of a draft: `wwt.*` but for file type and thumbnail. Degrees, degrees per pixel, and pixels.

    Raises
    ------
    SourceError
        When WWT can't draw what the WCS describes; the message says why, and what to do.
    """
    cd = tan_matrix(wcs, what)
    (xx, xy), (yx, yy) = [(float(x), -float(y)) for x, y in cd]  # of the picture, whose rows count downwards
    determinant = xx * yy - xy * yx
    skew = abs(xx * xy + yx * yy) / abs(determinant)
    if abs(math.hypot(xx, yx) / math.hypot(xy, yy) - 1) > SQUARE or skew > SQUARE:
        raise SourceError(
            f"{what}: its pixels are not square, and WWT draws square ones: resample it (package reproject, reproject_interp)"
        )
    mirrored = determinant < 0
    rotation = math.degrees(math.atan2(-math.copysign(1, determinant) * xy, -yy))
    return {
        "wwt.center_x": float(wcs.wcs.crval[0]) % 360,
        "wwt.center_y": float(wcs.wcs.crval[1]),
        "wwt.rotation": (-rotation if mirrored else rotation) + 0.0,
        "wwt.base_degrees_per_tile": math.hypot(yx, yy),
        "wwt.offset_x": float(wcs.wcs.crpix[0]) - 0.5,
        "wwt.offset_y": float(wcs.wcs.crpix[1]) - 0.5,
        "wwt.bottoms_up": mirrored,
        "wwt.projection": "SkyImage",
        "wwt.tile_levels": 0,
        "wwt.width_factor": 2,
        "wwt.quad_tree_map": "",
    }


def tan_matrix(wcs: WCS, what: str) -> Any:
    """The 2 × 2 matrix of degrees per pixel of a plain equatorial TAN WCS; SourceError for any other."""
    if not wcs.has_celestial:
        raise SourceError(
            f"{what} says nothing of where on the sky it is (no celestial WCS): solve it first, for example with astrometry.net"
        )
    lon, lat = wcs.wcs.lng, wcs.wcs.lat
    kinds = [str(wcs.wcs.ctype[axis]) for axis in (lon, lat)]
    if wcs.naxis != 2 or (lon, lat) != (0, 1):
        raise SourceError(
            f"{what}: its axes are {', '.join(wcs.wcs.ctype)}, and WWT needs right ascension along x and declination along y"
        )
    if not kinds[0].startswith("RA--"):
        raise SourceError(
            f"{what} is in {kinds[0][:4].strip('-')} coordinates, and WWT places images by RA and Dec: reproject it (package reproject)"
        )
    if (
        wcs.sip is not None
        or wcs.cpdis1 is not None
        or wcs.cpdis2 is not None
        or not all(kind.endswith("-TAN") for kind in kinds)
    ):
        raise SourceError(
            f"{what} has the projection {kinds[0]}, and WWT draws plain TAN: reproject it (package reproject, reproject_interp)"
        )
    if (
        wcs.wcs.radesys.strip() not in ("", "ICRS", "FK5")
        or wcs.wcs.equinox not in (2000.0, 0.0)
        and not math.isnan(wcs.wcs.equinox)
    ):
        raise SourceError(
            f"{what} is given in {wcs.wcs.radesys.strip() or 'equinox'} {wcs.wcs.equinox:g}, and WWT needs ICRS or FK5 J2000: reproject it"
        )
    matrix = wcs.pixel_scale_matrix
    if not math.isfinite(float(abs(matrix).sum())) or matrix[0][0] * matrix[1][1] == matrix[0][1] * matrix[1][0]:
        raise SourceError(
            f"{what}: the matrix of its WCS has no inverse, so pixels have no place on the sky: solve it again"
        )
    return matrix
