"""Placement given by hand: centre, scale, rotation and parity, or stars whose places are known."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import SourceError
from ..schema.placement import is_tan, number, shown
from .placing import gnomonic
from .plane import Plane, padded

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
    """A plane that touches the sky in the middle of the picture.

    Parameters
    ----------
    size : (int, int)
        Width and height of the picture in pixels.
    center : (float, float), str or astropy SkyCoord
        Of the middle of the picture: right ascension and declination in degrees, or a text such as ``"202.47 47.2"`` (degrees, too) or
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
        When a value is missing, or makes no sense.
    """
    ra, dec = position(center, "center=")
    if (width is None) == (pixel_scale is None):
        raise SourceError(
            "Give the size of the picture on the sky: width= in degrees, or pixel_scale= in seconds of arc"
        )
    if parity not in (1, -1):
        raise SourceError(f"parity= is 1 (as seen in the sky) or -1 (mirrored), not {shown(parity)}")
    turn = _angle(rotation, "rotation=", "deg")
    if pixel_scale is not None:
        scale = _angle(pixel_scale, "pixel_scale=", "arcsec") / 3600
        if not 0 < scale <= 1:
            raise SourceError(f"pixel_scale= is the angle of one pixel in seconds of arc, not {shown(pixel_scale)}")
    else:
        angle = _angle(width, "width=", "deg")
        if not 0 < angle < 180:
            raise SourceError(f"width= is the angle from left to right in degrees, below 180, not {shown(width)}")
        scale = math.degrees(2 * math.tan(math.radians(angle) / 2)) / size[0]
    return Plane(ra, dec, size[0] / 2, size[1] / 2, scale, turn, parity == -1)


def plane_of_stars(stars: Iterable[Star], size: tuple[int, int], parity: int | None = None) -> tuple[Plane, float]:
    """The plane on which stars of the picture lie where they do in the sky. It touches the sky in the middle of the picture.

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
        When there are fewer than two stars, two in the same place, or they can't be on one picture.
    """

    from .placing import line

    pixels, sky = _stars(stars, size)
    if parity not in (None, 1, -1):
        raise SourceError(f"parity= is 1 (as seen in the sky) or -1 (mirrored), not {shown(parity)}")
    parities = [parity or 1] if parity or len(pixels) == 2 else [1, -1]
    found = []
    for mirrored in (each == -1 for each in parities):
        at = pixels if mirrored else pixels.conj()
        # Where the plane touches follows from the fit, and the fit from where it touches.
        touching = _middle_of(sky)
        for _ in range(50):
            target = gnomonic(sky[:, 0], sky[:, 1], *touching)
            factor, origin, error = line(at, target)
            if not math.isfinite(error):
                raise SourceError("The stars can't be on one picture: look at their places once more")
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
    """Changes to the values of a draft with which its stars lie where they do in the sky, and the error that is left in pixels.

    `size` is that of the image; for tiles, pixels are those of all tiles of the deepest level together where it is not given. Without
    `parity` two stars leave an untiled image as it is, mirrored or not; tiles are never mirrored. Raises what `plane_of_stars` does.
    """
    tiled = is_tan(values)
    if tiled:
        levels = number(values, "wwt.tile_levels")
        size, parity = size or padded(int(levels or 1)), 1
    if size is None:
        raise SourceError("How many pixels the image has is not known: give size=(width, height)")
    stars = list(stars)
    if parity is None and len(stars) == 2:
        parity = -1 if values.get("wwt.bottoms_up") is True else 1
    plane, error = plane_of_stars(stars, size, parity)
    return plane.tiled(size) if tiled else plane.untiled(), error


def position(given: Any, what: str) -> tuple[float, float]:
    """Right ascension and declination in degrees of whatever says so.

    Two numbers are degrees, as text too; hours are written ``"13h29m52.7s +47d11m43s"`` or ``"13 29 52.7 +47 11 43"``.
    """
    try:
        if isinstance(given, str):
            given = _two_numbers(given) or _coordinates(given)
        if hasattr(given, "icrs"):
            given = (given.icrs.ra.deg, given.icrs.dec.deg)
        ra, dec = (_angle(angle, what, "deg") for angle in given)
    except SourceError:
        raise
    except Exception as error:  # astropy's own words of what it can't read
        raise SourceError(
            f"{what} takes right ascension and declination in degrees, such as (202.47, 47.2), not {shown(given)} ({error})"
        ) from None
    if not -90 <= dec <= 90:
        raise SourceError(f"{what} has the declination {dec:g}, which is not between -90 and 90 degrees")
    return ra % 360, dec


def _two_numbers(text: str) -> tuple[float, float] | None:
    try:
        ra, dec = map(float, re.split(r"[\s,;]+", text.replace("−", "-").strip()))
    except ValueError:
        return None
    return ra, dec


def _coordinates(text: str) -> Any:
    from astropy.coordinates import SkyCoord

    lettered = any(mark in text for mark in "hmd°")
    return SkyCoord(text) if lettered else SkyCoord(text, unit=("hourangle", "deg"))


def _angle(given: Any, what: str, unit: str) -> float:
    try:
        value = float(given.to_value(unit) if hasattr(given, "to_value") else given)
    except Exception:
        raise SourceError(f"{what} takes a number, not {shown(given)}") from None
    if not math.isfinite(value):
        raise SourceError(f"{what} takes a finite number, not {value}")
    return value


def _stars(stars: Iterable[Star], size: tuple[int, int]) -> tuple[Any, Any]:
    """Places in the picture as x + iy from its lower left corner, and in the sky."""
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


def _middle_of(sky: Any) -> tuple[float, float]:
    import numpy as np

    ra, dec = np.radians(sky[:, 0]), np.radians(sky[:, 1])
    x, y, z = (part.mean() for part in (np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)))
    return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.atan2(z, math.hypot(x, y)))
