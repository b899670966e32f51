"""Placement given by hand: center, scale, rotation and parity, or stars with known positions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import SourceError
from ..geometry.angles import ANGLE, DEC, RA, parse_angle, parse_position
from ..geometry.fitting import gnomonic, line, mean_place
from ..geometry.plane import Plane, check_size, padded, width_factor_of
from ..interface import in_terms, option
from ..schema.placement import is_tan, number, shown

Star = tuple[Sequence[float], Any]
"""A place in the picture (pixels right and down from its upper left corner), and its right ascension and declination in degrees."""


def plane_by_hand(
    size: tuple[int, int],
    center: Any,
    width: Any = None,
    pixel_scale: Any = None,
    rotation: float = 0.0,
    parity: int = 1,
) -> Plane:
    """Return the plane with the given center, scale, rotation and parity, tangent at the middle of the picture.

    Parameters
    ----------
    size : (int, int)
        Width and height of the picture in pixels.
    center : (float, float), str or astropy SkyCoord
        The middle of the picture: right ascension and declination in degrees, or a text such as ``"202.47 47.2"`` (degrees, too) or
        ``"13h29m52.7s +47d11m43s"``.
    width : float or astropy Quantity, optional
        The angle between the middles of the left and the right edge, in degrees.
    pixel_scale : float or astropy Quantity, optional
        The angle that a pixel takes, in seconds of arc; instead of `width`.
    rotation : float, default 0
        Position angle of the picture's "up" in degrees: from north, by east.
    parity : int, default 1
        1 for a picture that shows the sky as it is seen, east left of north; -1 for a mirrored one.

    Raises
    ------
    SourceError
        If a value is missing or invalid.
    """
    ra, dec = position(center, option("center"))
    if (width is None) == (pixel_scale is None):
        raise SourceError(
            "Give the size of the picture on the sky: "
            + in_terms("width= in degrees, or pixel_scale= in seconds of arc", "--width in degrees")
        )
    if parity not in (1, -1):
        raise SourceError(f"parity= is 1 (as seen in the sky) or -1 (mirrored), not {shown(parity)}")
    turn = _angle(rotation, option("rotation"), "deg")
    if pixel_scale is not None:
        scale = _angle(pixel_scale, "pixel_scale=", "arcsec") / 3600
        if not 0 < scale <= 1:
            raise SourceError(f"pixel_scale= is the angle of one pixel in seconds of arc, not {shown(pixel_scale)}")
    else:
        angle = _angle(width, option("width"), "deg")
        if not 0 < angle < 180:
            raise SourceError(
                f"{option('width')} is the angle from left to right in degrees, below 180, not {shown(width)}"
            )
        scale = math.degrees(2 * math.tan(math.radians(angle) / 2)) / size[0]
    return Plane(ra, dec, size[0] / 2, size[1] / 2, scale, turn, parity == -1)


def plane_of_stars(stars: Iterable[Star], size: tuple[int, int], parity: int | None = None) -> tuple[Plane, float]:
    """Return the plane that places stars of the picture at their positions, tangent at the middle of the picture.

    Parameters
    ----------
    stars : iterable of ((x, y), (ra, dec))
        At least two: the place in the picture in pixels, right and down from its upper left corner, and that in the sky in degrees
        (or as an astropy SkyCoord, or text).
    size : (int, int)
        Width and height of the picture in pixels.
    parity : int, optional
        1 for a picture as seen in the sky, -1 for a mirrored one. Two stars fit either, and 1 is taken; three tell it.

    Returns
    -------
    plane : Plane
    error : float
        By how many pixels the worst star is beside its place.

    Raises
    ------
    SourceError
        If there are fewer than two stars, two in the same place, or they can't be on one picture.
    """
    pixels, sky = _stars(stars, size)
    if parity not in (None, 1, -1):
        raise SourceError(f"parity= is 1 (as seen in the sky) or -1 (mirrored), not {shown(parity)}")
    parities = [parity or 1] if parity or len(pixels) == 2 else [1, -1]
    found = []
    for mirrored in (each == -1 for each in parities):
        at = pixels if mirrored else pixels.conj()
        # The tangent point depends on the fit, and the fit on the tangent point, so both are iterated.
        touching = mean_place(sky[:, 0], sky[:, 1])
        for _ in range(50):
            target = gnomonic(sky[:, 0], sky[:, 1], *touching)
            factor, origin, error = line(at, target)
            if not math.isfinite(error):
                raise SourceError("The stars can't be on one picture: check their positions")
            origin = origin if mirrored else origin.conjugate()
            plane = Plane.from_complex(*touching, origin, factor, mirrored)
            moved, touching = touching, plane.sky(size[0] / 2, size[1] / 2)
            if abs(gnomonic(*touching, *moved)) < 1e-9 * plane.scale:
                break
        found.append((plane, error))
    return min(found, key=lambda each: each[1])


def aligned(
    values: Mapping[str, Any], stars: Iterable[Star], size: tuple[int, int] | None = None, parity: int | None = None
) -> tuple[dict[str, Any], float]:
    """Return the changes to a draft's values that align its stars, and the remaining error in pixels.

    `size` is the image's (width, height) in pixels; without it, the pixels of tiles are those of all tiles of the
    deepest level together. Without `parity` two stars leave an untiled image as it is, mirrored or not; tiles are
    never mirrored. Raises the errors of `plane_of_stars`.
    """
    tiled, levels, width_factor = is_tan(values), int(number(values, "wwt.tile_levels") or 1), width_factor_of(values)
    if size:
        check_size(values, size, "size=")
    if tiled:
        size, parity = size or padded(levels, width_factor), 1
    if size is None:
        raise SourceError("How many pixels the image has is not known: give size=(width, height)")
    stars = list(stars)
    if parity is None and len(stars) == 2:
        parity = -1 if values.get("wwt.bottoms_up") is True else 1
    plane, error = plane_of_stars(stars, size, parity)
    return plane.tiled(size, width_factor, levels) if tiled else plane.untiled(), error


def position(given: Any, what: str) -> tuple[float, float]:
    """Return right ascension and declination in degrees of a position in any supported form.

    Two numbers are degrees. A text is parsed by `geometry.angles.parse_position`, each of two texts by `parse_angle`, which takes the
    parts of "13:29:52.7" for hours in a right ascension.
    """
    try:
        if isinstance(given, str):
            given = parse_position(given)
        if hasattr(given, "icrs"):
            given = (given.icrs.ra.deg, given.icrs.dec.deg)
        first, second = given
        ra, dec = _angle(first, what, "deg", RA), _angle(second, what, "deg", DEC)
    except SourceError:
        raise
    except Exception as error:  # astropy raises many kinds of errors for text that it can't parse  # noqa: BLE001
        raise SourceError(
            f"{what} takes right ascension and declination in degrees, such as (202.47, 47.2), not {shown(given)} ({error})"
        ) from None
    if not -90 <= dec <= 90:
        raise SourceError(f"{what} has the declination {dec:g}, which is not between -90 and 90 degrees")
    return ra % 360, dec


def _angle(given: Any, what: str, unit: str, meaning: str = ANGLE) -> float:
    try:
        if isinstance(given, str):
            degrees = parse_angle(given, '"' if unit == "arcsec" else "°", meaning)
            value = degrees * 3600 if unit == "arcsec" else degrees
        else:
            value = float(given.to_value(unit) if hasattr(given, "to_value") else given)
    except SourceError as error:  # of `parse_angle`, which names what it takes
        raise SourceError(f"{what} takes a number or a text of one: {error}") from None
    except Exception:  # noqa: BLE001
        raise SourceError(f"{what} takes a number, not {shown(given)}") from None
    if not math.isfinite(value):
        raise SourceError(f"{what} takes a finite number, not {value}")
    return value


def _stars(stars: Iterable[Star], size: tuple[int, int]) -> tuple[Any, Any]:
    """Return positions in the picture as x + iy from its lower left corner, and those on the sky."""
    import numpy as np

    try:
        pairs = [(tuple(pixel), place) for pixel, place in stars]
        pixels = np.array([complex(float(x), size[1] - float(y)) for (x, y), _ in pairs])
    except (TypeError, ValueError):
        raise SourceError("stars= takes pairs such as ((x, y), (ra, dec)): pixels and degrees") from None
    sky = np.array([position(place, "stars=") for _, place in pairs])
    if len(pixels) < 2 or not np.isfinite(pixels).all():
        raise SourceError("stars= takes at least two stars, each with its place in the picture and in the sky")
    if min(abs(pixels[1:] - pixels[0]).max(), np.ptp(sky[:, 0]) + np.ptp(sky[:, 1])) < 1e-12:
        raise SourceError("stars= has the same place twice: take stars that are far apart")
    return pixels, sky
