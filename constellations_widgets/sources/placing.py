"""From a celestial WCS to the plane that WWT draws, with a diagnosis where WWT can't do what the WCS says."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from .plane import Plane

if TYPE_CHECKING:
    import numpy as np
    from astropy.wcs import WCS

TOLERANCE = 1.0
"""Pixels by which a picture may lie beside its true place where WWT can't draw its WCS exactly."""

_FARTHEST = 1e8  # pixels; farther off a reference pixel leaves no digits for the place of the picture
_EXACT = 1e-3  # pixels that nobody sees
_GRID = 33  # places along a side of the image at which the fit is made and measured

MEND = (
    "Reproject it, and read the result: from reproject import reproject_interp; from reproject.mosaicking import "
    "find_optimal_celestial_wcs; target, shape = find_optimal_celestial_wcs([hdu], frame='icrs'); "
    "pixels, _ = reproject_interp(hdu, target, shape_out=shape)"
)


def plane_of_wcs(
    wcs: WCS, size: tuple[int, int], what: str, tolerance: float = TOLERANCE
) -> tuple[Plane, tuple[str, ...]]:
    """The plane on the sky that a WCS means, or comes close to, and what has to be said about it.

    A TAN projection in ICRS or FK5 J2000 with square pixels is used as it is. For anything else the best such plane is fitted over
    the image, and its largest error is said.

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

    Raises
    ------
    SourceError
        When the WCS has no place on the sky, or no plane comes close enough; the message says why, and what to do.
    """
    if not isinstance(tolerance, int | float) or not tolerance > 0:
        raise SourceError(f"tolerance= is the largest error in pixels, such as 1.0, not {tolerance!r}")
    wcs = _celestial(wcs, what)
    reasons = _reasons(wcs)
    plane, error = _as_it_is(wcs, size)
    if error > _EXACT:
        reasons.append(_shape_of_pixels(wcs))
    if not reasons and _is_upright(wcs) and _beside(plane, wcs, size) <= _EXACT:
        return plane, ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plane, error = _fitted(wcs, size, what)
    if not reasons and error <= _EXACT:
        return plane, ()
    reasons = reasons or ["distortion"]  # wcslib keeps what a TPV says to itself
    said = f"{what} has {', '.join(reasons)}, which WWT can't draw"
    if not math.isfinite(error):
        raise SourceError(f"{said}, and it gives all pixels the same place on the sky: solve it again")
    if error > tolerance:
        raise SourceError(
            f"{said}; the plain TAN that comes closest is off by up to {error:.3g} pixels. {MEND}. "
            f"Or take it as it is, with tolerance={math.ceil(error)}"
        )
    return plane, (
        f"{said}: placed by the plain TAN that comes closest, off by at most {_up(max(error, _EXACT))} pixels",
    )


def _up(error: float) -> str:
    """With two digits, and rather too much than too little."""
    step = 10.0 ** (math.floor(math.log10(error)) - 1)
    return f"{math.ceil(error / step) * step:.2g}"


def _celestial(wcs: WCS, what: str) -> WCS:
    """The celestial axes of a WCS that can be used at all."""
    try:
        wcs.wcs.set()
        if not wcs.has_celestial:
            raise SourceError(
                f"{what} says nothing of where on the sky it is (no celestial WCS): solve it first, for example with astrometry.net"
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
    except Exception as error:  # wcslib's own errors, of which the last line is for people
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
        raise SourceError(f"The WCS of {what} contradicts itself ({reason}): solve it again") from None
    if (a, b, c, d) == (1, 0, 0, 1) and not any(wcs.wcs.crval) and not any(wcs.wcs.crpix):
        raise SourceError(
            f"The WCS of {what} names its axes and nothing else, neither a place nor a scale: solve it again"
        )
    numbers = (a, b, c, d, *wcs.wcs.crval, *wcs.wcs.crpix)
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
    """What of a WCS is no plain TAN in equatorial coordinates, in words."""
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
    elif system not in ("", "ICRS", "FK5") or system != "ICRS" and equinox not in (0.0, 2000.0) and equinox == equinox:
        found.append(f"coordinates of {system or 'the equinox'} {equinox:g}")
    return found


def _is_upright(wcs: WCS) -> bool:
    """Whether the axes are right ascension and declination, and the matrix of the WCS tells how they lie."""
    return (wcs.wcs.lng, wcs.wcs.lat) == (0, 1) and wcs.wcs.lonpole in (180.0, -180.0)


_FRAMES = {
    "GLON": "galactic",
    "ELON": "ecliptic",
    "SLON": "supergalactic",
    "HLON": "helioecliptic",
    "TLON": "terrestrial",
}


def _as_it_is(wcs: WCS, size: tuple[int, int]) -> tuple[Plane, float]:
    """The plane of a plain TAN, and by how many pixels its own differ from square ones at the edge of the image."""
    (a, b), (c, d) = (map(float, row) for row in wcs.pixel_scale_matrix)
    turned, mirrored = complex(a - d, c + b) / 2, complex(a + d, c - b) / 2
    in_sky = abs(turned) >= abs(mirrored)
    major, minor = (turned, mirrored) if in_sky else (mirrored, turned)
    at = complex(wcs.wcs.crpix[0] - 0.5, wcs.wcs.crpix[1] - 0.5)
    ra, dec = map(float, wcs.wcs.crval)
    reach = max(abs(corner - at) for corner in (0, size[0], 1j * size[1], complex(*size)))
    return Plane.from_complex(ra, dec, at, major, not in_sky), abs(minor / major) * reach


def _beside(plane: Plane, wcs: WCS, size: tuple[int, int]) -> float:
    """By how many pixels the plane differs from the WCS at the corners and in the middle of the image."""
    import numpy as np

    x, y = np.array([(0, 0), (size[0], 0), (0, size[1]), size, (size[0] / 2, size[1] / 2)], dtype=float).T
    (a, b), (c, d) = plane.matrix
    dx, dy = x - plane.x, y - plane.y
    meant = a * dx + b * dy + 1j * (c * dx + d * dy)
    found = gnomonic(*wcs.all_pix2world(x + 0.5, y + 0.5, 1), plane.ra, plane.dec)
    return float(np.nan_to_num(np.abs(found - meant), nan=math.inf).max() / plane.scale)


def _shape_of_pixels(wcs: WCS) -> str:
    (a, b), (c, d) = (map(float, row) for row in wcs.pixel_scale_matrix)
    ratio = math.hypot(a, c) / math.hypot(b, d)
    shear = 100 * abs(a * b + c * d) / abs(a * d - b * c)
    if abs(ratio - 1) < 1e-6:
        return f"a shear of {shear:.2g} %"
    sheared = f", a shear of {shear:.2g} %" if shear > 1e-4 else ""
    return f"pixels that are not square ({ratio:.6g} times as wide as high{sheared})"


def _fitted(wcs: WCS, size: tuple[int, int], what: str) -> tuple[Plane, float]:
    """The plane that comes closest over the image, and its largest error there in pixels."""
    import numpy as np

    width, height = size
    x, y = (side.ravel() for side in np.meshgrid(np.linspace(0, width, _GRID), np.linspace(0, height, _GRID)))
    ra, dec = _on_sky(wcs, np.append(x, width / 2), np.append(y, height / 2), what)
    if _touches_at_crval(wcs):
        ra0, dec0 = _frame_to_icrs(wcs, wcs.wcs.crval[wcs.wcs.lng], wcs.wcs.crval[wcs.wcs.lat], what)
    else:
        ra0, dec0 = float(ra[-1]), float(dec[-1])
    plane = gnomonic(ra[:-1], dec[:-1], float(ra0), float(dec0))
    if not np.isfinite(plane).all():
        raise SourceError(
            f"{what} reaches over more of the sky than one plane can show: make tiles of it (toasty's Toast)"
        )
    pixels = x + 1j * y
    fits = [(line(pixels, plane), True), (line(pixels.conj(), plane), False)]
    (factor, at, error), mirrored = min(fits, key=lambda fit: fit[0][2])
    return Plane.from_complex(float(ra0), float(dec0), at if mirrored else at.conjugate(), factor, mirrored), error


def _touches_at_crval(wcs: WCS) -> bool:
    """Whether the WCS is a plane, distorted perhaps, that touches the sky at CRVAL."""
    projection = str(wcs.wcs.ctype[wcs.wcs.lng])[5:8]
    return projection == "TPV" or projection == "TAN" and not len(wcs.wcs.get_pv())


def line(pixels: np.ndarray[Any, Any], plane: np.ndarray[Any, Any]) -> tuple[complex, complex, float]:
    """Least squares of plane = factor · (pixels - at), and the largest error in pixels."""
    import numpy as np

    middle, target = pixels.mean(), plane.mean()
    offsets = pixels - middle
    factor = np.vdot(offsets, plane - target) / np.vdot(offsets, offsets)
    if not abs(factor) > 0:
        return complex(0), complex(0), math.inf
    error = np.abs(plane - target - factor * offsets).max() / abs(factor)
    return complex(factor), complex(middle - target / factor), float(error)


def gnomonic(ra: Any, dec: Any, ra0: float, dec0: float) -> Any:
    """Places on the plane that touches the sky at (ra0, dec0), as degrees east + i degrees north; NaN where it has none."""
    import numpy as np

    turned, dec, dec0 = np.radians(np.asarray(ra) - ra0), np.radians(dec), math.radians(dec0)
    along = np.cos(dec) * np.cos(turned)
    depth = np.sin(dec) * math.sin(dec0) + along * math.cos(dec0)
    east = np.cos(dec) * np.sin(turned)
    north = np.sin(dec) * math.cos(dec0) - along * math.sin(dec0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(depth > 1e-6, (east + 1j * north) / depth * (180 / math.pi), np.nan)


def _on_sky(wcs: WCS, x: Any, y: Any, what: str) -> tuple[Any, Any]:
    """ICRS of places in the picture, counted from its lower left corner."""
    import numpy as np

    try:
        world = wcs.all_pix2world(x + 0.5, y + 0.5, 1)
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
        raise SourceError(
            f"The WCS of {what} gives some pixels no place on the sky ({reason}): cut these off"
        ) from None
    if not np.isfinite(world).all():
        raise SourceError(f"The WCS of {what} gives some pixels no place on the sky: cut these off, or reproject it")
    return _frame_to_icrs(wcs, world[wcs.wcs.lng], world[wcs.wcs.lat], what)


def _frame_to_icrs(wcs: WCS, lon: Any, lat: Any, what: str) -> tuple[Any, Any]:
    kind, system = str(wcs.wcs.ctype[wcs.wcs.lng])[:4], wcs.wcs.radesys.strip()
    equinox = float(wcs.wcs.equinox)
    if kind == "RA--" and (
        system == "ICRS" or system in ("", "FK5") and (equinox in (0.0, 2000.0) or equinox != equinox)
    ):
        return lon, lat
    from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord, Supergalactic
    from astropy.time import Time
    from astropy.wcs.utils import wcs_to_celestial_frame

    try:
        if kind == "ELON":
            frame = BarycentricMeanEcliptic(equinox=Time(2000.0 if equinox != equinox else equinox, format="jyear"))
        else:
            frame = Supergalactic() if kind == "SLON" else wcs_to_celestial_frame(wcs)
        placed = SkyCoord(lon, lat, unit="deg", frame=frame).icrs
    except Exception as error:
        raise SourceError(
            f"{what} is in {_FRAMES.get(kind, kind.strip('-'))} coordinates, which can't be turned into RA and Dec ({error}). "
            "Those of the Sun or a planet move among the stars, so such an image has no place of its own on the sky: give a "
            "WCS in RA and Dec for the time of the observation, or place it by hand"
        ) from None
    return placed.ra.deg, placed.dec.deg
