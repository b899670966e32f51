"""Convert a celestial WCS to the plane that WWT draws, and explain where WWT cannot draw the WCS."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SourceError
from ..geometry.fitting import EXACT, GRID, TOLERANCE, SkyGrid, grid
from ..geometry.plane import Plane
from ..interface import in_terms
from ..text import last_line
from .headers import AMONG_STARS

if TYPE_CHECKING:
    from astropy.wcs import WCS

_FARTHEST = 1e8  # pixels; with a more distant reference pixel a double is not precise enough for the position
_FAR_SHARE = 0.01
"""Share of an image's longer side by which a plain TAN with a far reference pixel may be drawn beside its place, with a warning. It is
not refused at `tolerance`: archives cut all their images out of such projections, and only WWT's own arithmetic is at fault."""
_FINEST = 1e-12  # degrees per pixel, some nanoseconds of arc; a double can't tell the corners of such an image apart

_REPROJECT = (
    "Reproject it, and read the result: from reproject import reproject_interp; from reproject.mosaicking import "
    "find_optimal_celestial_wcs; wcs = WCS(hdu.header); middle = wcs.pixel_to_world(hdu.shape[1] / 2, hdu.shape[0] / 2).icrs; "
    "target, shape = find_optimal_celestial_wcs([hdu], frame='icrs', reference=middle); "
    "pixels, _ = reproject_interp(hdu, target, shape_out=shape)"
)


class PlacedPlane(NamedTuple):
    """The plane on the sky of an image with a WCS.

    Attributes
    ----------
    plane : Plane
    remarks : tuple of str
        How the plane differs from the WCS; empty if no difference is visible.
    inaccuracy : str
        A warning with the largest error, if that is above the default tolerance, or that the reference pixel is probably
        wrong; usually "".
    """

    plane: Plane
    remarks: tuple[str, ...] = ()
    inaccuracy: str = ""


def plane_of_wcs(
    wcs: WCS,
    size: tuple[int, int],
    what: str,
    tolerance: float = TOLERANCE,
    remedy: str | None = None,
    factor: float = 1.0,
) -> PlacedPlane:
    """Return the plane on the sky that a WCS describes or approximates.

    A TAN projection in ICRS or FK5 J2000 with square pixels and its reference pixel near the image is used as it is. For anything
    else the best such plane is fitted over the image. What becomes of its largest error is the same whatever its cause, a projection,
    a distortion or a far reference pixel: up to `UNSEEN` it is not mentioned, up to `TOLERANCE` it is a remark, above that a warning.
    Above the given tolerance the image is refused; a plain TAN with a far reference pixel only above `_FAR_SHARE` of its size.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Its pixels count from the lower left corner, as in FITS.
    size : (int, int)
        Width and height of the image in pixels.
    what : str
        Names the source in errors.
    tolerance : float, default 1
        The largest error in pixels that a fit may have somewhere in the image.
    remedy : str
        Advice for an image that is refused, besides the tolerance; "" for none.
    factor : float, default 1
        Pixels of the image along a side for each pixel that the WCS counts: 0.5 for a copy of half the size. The edge of the image,
        which is half a pixel before the center of its first pixel, stays in place.

    Raises
    ------
    SourceError
        If the WCS is not celestial, or no plane is close enough; the message says why, and what to do.
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not tolerance > 0:
        raise SourceError(f"tolerance= is the largest error in pixels, such as 1.0, not {tolerance!r}")
    wcs = _celestial(wcs, what)
    placed = _placed(_ScaledWcs(wcs, factor), size, what, tolerance, remedy)
    inaccuracy = ". ".join(filter(None, (placed.inaccuracy, _default_reference(wcs, what))))
    return placed._replace(inaccuracy=inaccuracy)


def _default_reference(wcs: WCS, what: str) -> str:
    """Return a warning if the reference pixel is 0, 0: outside the picture, and what a program that set none leaves there."""
    if any(wcs.wcs.crpix):
        return ""
    return (
        f"{what} has its reference pixel (CRPIX) at 0, 0, outside the picture, as programs leave it that set none: then the "
        "picture lies beside its place. Compare it with the sky"
    )


class _ScaledWcs(NamedTuple):
    """A WCS, and the pixels of the image along a side for each pixel that it counts.

    The WCS itself stays as it is: distortions and the plates of photographic surveys count its own pixels.
    """

    wcs: WCS
    factor: float


def _placed(given: _ScaledWcs, size: tuple[int, int], what: str, tolerance: float, remedy: str | None) -> PlacedPlane:
    """Return the plane of a usable WCS; see `plane_of_wcs`."""
    wcs = given.wcs
    reasons = _reasons(wcs)
    plane, error = _as_it_is(wcs, size, given.factor)
    if error > EXACT:
        reasons.append(_shape_of_pixels(wcs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not reasons and _is_upright(wcs) and _grid_of(given, size, what, 3).is_drawn_by(plane):
            return PlacedPlane(plane)
        seen = _grid_of(given, size, what)
    found = seen.closest()
    if found is None:
        raise SourceError(
            f"{what} reaches over more of the sky than one plane can show: make tiles of it (toasty's Toast)"
        )
    plane, error = found
    if not reasons and math.isfinite(error) and seen.is_drawn_by(plane):
        return PlacedPlane(plane)
    limit = tolerance
    if not reasons and (far := seen.far_reference()):
        limit = max(tolerance, _FAR_SHARE * max(size))
        said = f"{what} has its reference pixel {far:.3g} degrees from its middle, and WWT draws such an image away from its position"
    else:
        reasons = reasons or ["distortion"]  # wcslib does not expose the terms of a TPV
        said = f"{what} has {', '.join(reasons)}, which WWT can't draw"
    if not math.isfinite(error):
        raise SourceError(f"{said}, and it gives all pixels the same place on the sky: solve it again")
    if error > limit:
        if remedy is None:
            remedy = in_terms(_REPROJECT, "Reproject it to a plain TAN, for example with the Python package reproject")
        take = in_terms(f"take it as it is, with tolerance={math.ceil(error)}", "")
        advice = ". Or ".join(filter(None, (remedy, take)))
        raise SourceError(
            f"{said}; the plain TAN that comes closest is off by up to {error:.3g} pixels. {advice[:1].upper()}{advice[1:]}"
        )
    told = f"{said}: placed by the plain TAN that comes closest, off by at most {_round_up(max(error, EXACT))} pixels"
    return PlacedPlane(plane, (told,)) if error <= TOLERANCE else PlacedPlane(plane, (), told)


def _round_up(error: float) -> str:
    """Format an error with two digits, never below its value."""
    step = 10.0 ** (math.floor(math.log10(error)) - 1)
    return f"{math.ceil(error / step) * step:.2g}"


def _celestial(wcs: WCS, what: str) -> WCS:
    """Return the celestial axes of a WCS, if it can be used at all."""
    try:
        wcs.wcs.set()
        if not wcs.has_celestial:
            raise SourceError(
                f"{what} has no position on the sky (no celestial WCS): solve it first, for example with astrometry.net"
            )
        if {wcs.wcs.lng, wcs.wcs.lat} != {0, 1}:
            raise SourceError(
                f"{what}: its axes are {', '.join(wcs.wcs.ctype)}, and the first two must be those of the sky: give one plane of it"
            )
        wcs = wcs if wcs.naxis == 2 else wcs.celestial
        wcs.wcs.set()
        (a, b), (c, d) = wcs.pixel_scale_matrix
    except SourceError:
        raise
    except Exception as error:  # wcslib raises many kinds of errors; the last line of each is readable  # noqa: BLE001
        raise SourceError(f"The WCS of {what} contradicts itself ({last_line(error)}): solve it again") from None
    if (a, b, c, d) == (1, 0, 0, 1) and not any(wcs.wcs.crval) and not any(wcs.wcs.crpix):
        raise SourceError(
            f"The WCS of {what} names its axes and nothing else, neither a place nor a scale: solve it again"
        )
    if (a, b, c, d) == (1, 0, 0, 1) and str(wcs.wcs.ctype[wcs.wcs.lng])[5:8] == "TAN":
        raise SourceError(
            f"The WCS of {what} makes each pixel 1 degree wide and high: programs write that where the scale is unknown. Solve it again"
        )
    numbers = (a, b, c, d, *wcs.wcs.crval, *wcs.wcs.crpix)
    if 0 < max(map(abs, (a, b, c, d))) < _FINEST:
        raise SourceError(
            f"{what}: the pixels of its WCS are {max(map(abs, (a, b, c, d))):.2g} degrees wide, too small for any image: "
            "solve it again"
        )
    if max(map(abs, wcs.wcs.crpix)) > _FARTHEST:
        raise SourceError(
            f"{what}: the reference pixel of its WCS ({wcs.wcs.crpix}) is not near any picture: solve it again"
        )
    if not all(map(math.isfinite, numbers)) or not abs(a * d - b * c) > 1e-12 * (abs(a * d) + abs(b * c)):
        raise SourceError(
            f"{what}: the matrix of its WCS has no inverse, so pixels have no place on the sky: solve it again"
        )
    return wcs


def _reasons(wcs: WCS) -> list[str]:
    """Return, in words, how a WCS differs from a plain TAN in equatorial coordinates."""
    found = []
    kind = str(wcs.wcs.ctype[wcs.wcs.lng])
    projection = kind[5:8]
    if projection != "TAN":
        found.append(f"the projection {projection}")
    if wcs.sip is not None:
        found.append("SIP distortion")
    if any(table is not None for table in (wcs.cpdis1, wcs.cpdis2, wcs.det2im1, wcs.det2im2)):
        found.append("a table of distortions")
    if projection == "TAN" and len(wcs.wcs.get_pv()):
        found.append("PV parameters")
    system, equinox = wcs.wcs.radesys.strip(), float(wcs.wcs.equinox)
    if not kind.startswith("RA"):
        found.append(f"{_FRAMES.get(kind[:4], kind[:4].strip('-'))} coordinates")
    elif system not in ("", "ICRS", "FK5") or (
        system != "ICRS" and equinox not in (0.0, 2000.0) and equinox == equinox
    ):
        found.append(f"coordinates of {system or 'the equinox'} {equinox:g}")
    return found


def _is_upright(wcs: WCS) -> bool:
    """Return whether the axes are right ascension and declination, and the WCS matrix gives their orientation."""
    return (wcs.wcs.lng, wcs.wcs.lat) == (0, 1) and wcs.wcs.lonpole in (180.0, -180.0)


_FRAMES = {
    "GLON": "galactic",
    "ELON": "ecliptic",
    "SLON": "supergalactic",
    "HLON": "helioecliptic",
    "TLON": "terrestrial",
}


def _as_it_is(wcs: WCS, size: tuple[int, int], factor: float = 1.0) -> tuple[Plane, float]:
    """Return the plane of a plain TAN, and the pixel error of assuming square pixels at the image's edge."""
    (a, b), (c, d) = (map(float, row) for row in wcs.pixel_scale_matrix)
    turned, mirrored = complex(a - d, c + b) / 2, complex(a + d, c - b) / 2
    in_sky = abs(turned) >= abs(mirrored)
    major, minor = (turned, mirrored) if in_sky else (mirrored, turned)
    at = complex(wcs.wcs.crpix[0] - 0.5, wcs.wcs.crpix[1] - 0.5) * factor
    ra, dec = map(float, wcs.wcs.crval)
    reach = max(abs(corner - at) for corner in (0, size[0], 1j * size[1], complex(*size)))
    return Plane.from_complex(ra, dec, at, major / factor, not in_sky), abs(minor / major) * reach


def _shape_of_pixels(wcs: WCS) -> str:
    (a, b), (c, d) = (map(float, row) for row in wcs.pixel_scale_matrix)
    ratio = math.hypot(a, c) / math.hypot(b, d)
    shear = 100 * abs(a * b + c * d) / abs(a * d - b * c)
    if abs(ratio - 1) < 1e-6:
        return f"a shear of {shear:.2g} %"
    sheared = f", a shear of {shear:.2g} %" if shear > 1e-4 else ""
    return f"pixels that are not square ({ratio:.6g} times as wide as high{sheared})"


def _grid_of(given: _ScaledWcs, size: tuple[int, int], what: str, count: int = GRID) -> SkyGrid:
    """Return where pixels all over an image are on the sky according to its WCS."""
    wcs, factor = given
    x, y = grid(size, count)
    ra, dec = _on_sky(wcs, x / factor, y / factor, what)
    touching = None
    if _touches_at_crval(wcs):
        ra0, dec0 = _frame_to_icrs(wcs, wcs.wcs.crval[wcs.wcs.lng], wcs.wcs.crval[wcs.wcs.lat], what)
        touching = float(ra0), float(dec0)
    return SkyGrid(size, x, y, ra, dec, touching)


def _touches_at_crval(wcs: WCS) -> bool:
    """Return whether the WCS is a plane, possibly distorted, tangent to the sky at CRVAL."""
    projection = str(wcs.wcs.ctype[wcs.wcs.lng])[5:8]
    return projection == "TPV" or (projection == "TAN" and not len(wcs.wcs.get_pv()))


def _on_sky(wcs: WCS, x: Any, y: Any, what: str) -> tuple[Any, Any]:
    """Return the ICRS positions of points in the picture, counted from its lower left corner."""
    import numpy as np

    try:
        world = wcs.all_pix2world(x + 0.5, y + 0.5, 1)
    except Exception as error:  # noqa: BLE001
        raise SourceError(
            f"The WCS of {what} gives some pixels no place on the sky ({last_line(error)}): cut these off"
        ) from None
    if not np.isfinite(world).all():
        raise SourceError(f"The WCS of {what} gives some pixels no place on the sky: cut these off, or reproject it")
    return _frame_to_icrs(wcs, world[wcs.wcs.lng], world[wcs.wcs.lat], what)


def _frame_to_icrs(wcs: WCS, lon: Any, lat: Any, what: str) -> tuple[Any, Any]:
    kind, system = str(wcs.wcs.ctype[wcs.wcs.lng])[:4], wcs.wcs.radesys.strip()
    if kind.rstrip("-") not in AMONG_STARS:  # of some of these astropy would take the longitude for a right ascension
        raise _not_among_stars(kind, what)
    equinox = float(wcs.wcs.equinox)
    no_equinox = equinox == 0.0 or math.isnan(equinox)
    if kind == "RA--" and (system == "ICRS" or (system == "" and no_equinox)):
        return lon, lat
    from astropy.coordinates import FK5, BarycentricMeanEcliptic, SkyCoord, Supergalactic
    from astropy.time import Time
    from astropy.wcs.utils import wcs_to_celestial_frame

    try:
        if kind == "ELON":
            frame = BarycentricMeanEcliptic(equinox=Time(2000.0 if math.isnan(equinox) else equinox, format="jyear"))
        elif kind == "RA--" and system in ("", "FK5") and (no_equinox or equinox == 2000.0):
            frame = FK5()  # it differs from ICRS by some hundredths of an arcsecond, a pixel of Hubble
        else:
            frame = Supergalactic() if kind == "SLON" else wcs_to_celestial_frame(wcs)
        placed = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
    except Exception:  # of several kinds, whose messages describe astropy's code  # noqa: BLE001
        raise _not_among_stars(kind, what) from None
    return placed.ra.deg, placed.dec.deg


def _not_among_stars(kind: str, what: str) -> SourceError:
    return SourceError(
        f"{what} is in {_FRAMES.get(kind, kind.strip('-'))} coordinates, which can't be turned into RA and Dec. "
        "The Sun and the planets move among the stars, so their images have no fixed place on the sky: give a "
        "WCS in RA and Dec for the time of the observation, or place it by hand"
    )
