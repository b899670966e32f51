"""From a first guess to a solution: match detected stars with the catalog, fit the plane, and judge the result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import SolveError
from ..geometry.engine import base_of_scale
from ..geometry.fitting import gnomonic, line, mean_place
from ..geometry.plane import Plane
from ..geometry.tangent import plane_to_sky
from ..sources.headers import celestial_wcs
from ..sources.placing import plane_of_wcs
from .catalog import CatalogStars
from .solution import MatchedStar, Solution

if TYPE_CHECKING:
    import numpy as np

    from .detection import DetectedStars

    Array = np.ndarray[Any, Any]

FEWEST_MATCHED = 7
"""Fewest matched stars with which a solution is reported: four define a quad, so the others have to prove it."""

_CROWD = 3  # catalog stars that are considered for each detected one, the brightest
_REACH = (0.3, 0.6, 1.5)  # of the longer side: stars up to there from the quad are matched in each round
_MOST_BY_CHANCE = 1e-7  # largest probability of a reliable solution that so many stars match by chance
_BRIGHTEST = 15  # brightest catalog stars of the field, most of which must be in the picture
_SEEN = 0.5  # part of these
_IN_ORDER = 0.35  # smallest rank correlation of brightness
_WIDE = 2.0  # degrees of the longer side above which the tangent point can be told from the stars
_SIP_STARS = 25  # fewest stars for which a distortion is fitted
_SIP_GAIN = 0.7  # it must lower the residuals to this part
_SIP_ORDER = 3


@dataclass(frozen=True)
class FirstGuess:
    """A solver's match: the plane near its quad (`at`, in pixels from the lower left corner), and its own odds."""

    plane: Plane
    at: tuple[float, float]
    log_odds: float | None
    source: str


def first_guess(cards: Mapping[str, Any], log_odds: float | None, source: str) -> FirstGuess:
    """Return the guess that the cards of a TAN make, in pixels of FITS; SIP polynomials are not considered."""
    import numpy as np

    at = float(cards["CRPIX1"]) - 0.5, float(cards["CRPIX2"]) - 0.5
    matrix = np.array([[cards["CD1_1"], cards["CD1_2"]], [cards["CD2_1"], cards["CD2_2"]]], dtype=float)
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]) * 100
    touching = float(cards["CRVAL1"]), float(cards["CRVAL2"])
    east, north = matrix @ corners.T
    ra, dec = plane_to_sky(east, north, *touching)
    return FirstGuess(
        fitted_plane(corners[:, 0] + at[0], corners[:, 1] + at[1], ra, dec, touching), at, log_odds, source
    )


def width_of(plane: Plane, size: tuple[int, int]) -> float:
    """Return the angle in degrees that the longer side of a picture takes."""
    return base_of_scale(plane.scale, max(size))


def refined(guess: FirstGuess, stars: DetectedStars, catalog: CatalogStars) -> Solution:
    """Return the solution that a solver's first guess leads to.

    Raises
    ------
    SolveError
        If the stars of the picture contradict the guess.
    """
    import numpy as np

    height = stars.size[1]
    side = max(stars.size)
    x, y = stars.x, height - stars.y
    plane, pairs = guess.plane, (np.empty(0, int), np.empty(0, int))
    catalog = _brightest_in(catalog, plane, stars)
    tolerance = max(4.0, 0.005 * side)
    for reach in (*_REACH, *_REACH[-1:] * 4):
        cx, cy = plane.pixel(catalog.ra, catalog.dec)
        near = np.hypot(x - guess.at[0], y - guess.at[1]) < reach * side
        pairs = _mutual(x, y, cx, cy, tolerance, near)
        if len(pairs[0]) < FEWEST_MATCHED - 2:
            raise SolveError("The stars of the picture contradict the place that the solver found")
        plane = _plane(x[pairs[0]], y[pairs[0]], catalog.ra[pairs[1]], catalog.dec[pairs[1]], stars.size)
        off = _distances(plane, x, y, catalog, pairs)
        if reach == _REACH[-1]:
            tolerance = float(np.clip(4 * np.median(off), 1.0, tolerance))
    off = _distances(plane, x, y, catalog, pairs)
    kept = off <= max(1.0, 4 * float(np.median(off)))
    pairs = pairs[0][kept], pairs[1][kept]
    if len(pairs[0]) < FEWEST_MATCHED:
        raise SolveError(f"Only {len(pairs[0])} stars match the place that the solver found")
    doubts = _doubts(plane, stars, catalog, pairs, tolerance)
    return _solution(guess, stars, catalog, pairs, plane, doubts)


def _solution(
    guess: FirstGuess, stars: DetectedStars, catalog: CatalogStars, pairs: Any, plane: Plane, doubts: tuple[str, ...]
) -> Solution:
    from astropy.io.fits import Header

    height = stars.size[1]
    x, y = stars.x, height - stars.y
    header = plane.cards() | _distortion(plane, x[pairs[0]], y[pairs[0]], catalog.ra[pairs[1]], catalog.dec[pairs[1]])
    wcs = celestial_wcs(Header(list(header.items())), "The picture")[0]
    placed = plane_of_wcs(wcs, stars.size, "The picture", math.inf, remedy="")
    cx, cy = placed.plane.pixel(catalog.ra, catalog.dec)
    matched = [
        MatchedStar(
            float(stars.x[one]), float(stars.y[one]), float(catalog.ra[other]) % 360, float(catalog.dec[other]),
            float(cx[other] - x[one]), float(y[one] - cy[other]), _number(catalog.magnitude[other]),
        )
        for one, other in zip(*pairs, strict=True)
    ]  # fmt: skip
    return Solution(
        stars.size, placed.plane, tuple(matched), len(stars), guess.log_odds, doubts, header, placed.remarks,
        placed.inaccuracy, guess.source,
    )  # fmt: skip


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def _brightest_in(catalog: CatalogStars, plane: Plane, stars: DetectedStars) -> CatalogStars:
    """Return the catalog's brightest stars in and around the picture, a few for each detected one."""
    import numpy as np

    width, height = stars.size
    cx, cy = plane.pixel(catalog.ra, catalog.dec)
    margin = 0.1 * max(stars.size)
    inside = (cx > -margin) & (cx < width + margin) & (cy > -margin) & (cy < height + margin)
    kept = np.flatnonzero(inside)
    kept = kept[np.argsort(np.nan_to_num(catalog.magnitude[kept], nan=99.0), kind="stable")]
    kept = kept[: max(60, _CROWD * len(stars))]
    return CatalogStars(catalog.ra[kept], catalog.dec[kept], catalog.magnitude[kept])


def _mutual(x: Array, y: Array, cx: Array, cy: Array, tolerance: float, near: Array) -> tuple[Array, Array]:
    """Return the indices of stars and catalog stars that are each other's nearest, within the tolerance."""
    import numpy as np

    distance = np.hypot(x[:, None] - cx[None, :], y[:, None] - cy[None, :])
    distance = np.where(np.isfinite(distance) & near[:, None], distance, np.inf)
    nearest, back = distance.argmin(1), distance.argmin(0)
    one = np.flatnonzero((back[nearest] == np.arange(len(x))) & (distance.min(1) < tolerance))
    return one, nearest[one]


def _distances(plane: Plane, x: Array, y: Array, catalog: CatalogStars, pairs: Any) -> Array:
    import numpy as np

    cx, cy = plane.pixel(catalog.ra[pairs[1]], catalog.dec[pairs[1]])
    return np.asarray(np.hypot(cx - x[pairs[0]], cy - y[pairs[0]]))


def _plane(x: Array, y: Array, ra: Array, dec: Array, size: tuple[int, int]) -> Plane:
    """Return the plane through stars, tangent at the picture's middle, or where a wide picture's stars put the tangent point."""
    import numpy as np

    plane = fitted_plane(x, y, ra, dec, mean_place(ra, dec))
    for _ in range(5):
        plane = fitted_plane(x, y, ra, dec, plane.sky(size[0] / 2, size[1] / 2))
    if plane.scale * max(size) < _WIDE or len(x) < 2 * FEWEST_MATCHED:
        return plane
    from scipy.optimize import least_squares  # takes half a second to import

    middle = plane.ra, plane.dec
    reach = plane.scale * max(size)

    def touching(moved: Array) -> tuple[Any, Any]:
        east, north = np.clip(moved, -1, 1) * reach
        return plane_to_sky(float(east), float(north), *middle)

    def off(moved: Array) -> Any:
        fit = fitted_plane(x, y, ra, dec, touching(moved))
        cx, cy = fit.pixel(ra, dec)
        return np.nan_to_num(np.concatenate([cx - x, cy - y]), nan=1e3)

    found = least_squares(off, [0.0, 0.0], loss="soft_l1", diff_step=1e-3, max_nfev=30)
    before, after = (float(np.median(np.abs(off(at)))) for at in (np.zeros(2), found.x))
    if after > 0.9 * before:
        return plane
    return fitted_plane(x, y, ra, dec, touching(found.x))


def fitted_plane(x: Array, y: Array, ra: Array, dec: Array, touching: tuple[Any, Any]) -> Plane:
    """Return the plane with this tangent point that is closest to the stars, mirrored or not."""
    import numpy as np

    target = gnomonic(ra, dec, float(touching[0]), float(touching[1]))
    if not np.isfinite(target).all():
        raise SolveError("The stars of the picture contradict the place that the solver found")
    pixels = x + 1j * y
    fits = []
    for mirrored, at in ((True, pixels), (False, pixels.conj())):
        factor, origin, _ = line(at, target)
        scale = abs(factor) or 1.0
        error = float(np.mean(np.abs(target - factor * (at - origin)) ** 2)) / scale**2
        fits.append((error, mirrored, factor, origin if mirrored else origin.conjugate()))
    _, mirrored, factor, origin = min(fits, key=lambda fit: fit[0])
    return Plane.from_complex(float(touching[0]), float(touching[1]), origin, factor, mirrored)


def _doubts(
    plane: Plane, stars: DetectedStars, catalog: CatalogStars, pairs: tuple[Array, Array], tolerance: float
) -> tuple[str, ...]:
    """Return why a match may be a coincidence, by evidence that the solver did not use."""
    import numpy as np
    from scipy.special import bdtrc  # not scipy.stats, which takes a second to import

    width, height = stars.size
    cx, cy = plane.pixel(catalog.ra, catalog.dec)
    inside = np.flatnonzero((cx > 3) & (cx < width - 3) & (cy > 3) & (cy < height - 3))
    found, count = [], len(pairs[0])
    hit = min(0.5, len(stars) * math.pi * tolerance**2 / (width * height))
    chance = float(bdtrc(count - 1, max(count, len(inside)), hit))
    if chance > _MOST_BY_CHANCE:
        found.append(f"{count} of {len(inside)} catalog stars match, which may be chance (probability {chance:.0e})")
    magnitudes = catalog.magnitude[pairs[1]]
    known = np.isfinite(magnitudes)
    if known.sum() >= 8:
        order = _rank_correlation(-magnitudes[known], stars.flux[pairs[0]][known])
        if not order >= _IN_ORDER:
            found.append("the matched stars are not as bright in the picture as in the catalog")
        brightest = inside[np.argsort(catalog.magnitude[inside])][:_BRIGHTEST]
        seen = float(np.isin(brightest, pairs[1]).mean())
        if seen < _SEEN:
            found.append(f"{1 - seen:.0%} of the brightest catalog stars in the field are not in the picture")
    return tuple(found)


def _rank_correlation(one: Array, other: Array) -> float:
    """Return Spearman's coefficient."""
    import numpy as np

    return float(np.corrcoef(one.argsort().argsort(), other.argsort().argsort())[0, 1])


def _distortion(plane: Plane, x: Array, y: Array, ra: Array, dec: Array) -> dict[str, Any]:
    """Return the SIP cards, and the changed matrix and reference pixel, of a distortion that the stars show; {} for none."""
    import numpy as np

    if len(x) < _SIP_STARS:
        return {}
    powers = [(p, q) for p in range(_SIP_ORDER + 1) for q in range(_SIP_ORDER + 1 - p)]
    meant = np.stack(plane.pixel(ra, dec), axis=1) - (plane.x, plane.y)
    before = np.stack([x - plane.x, y - plane.y], axis=1)
    crpix, matrix = np.array([plane.x, plane.y]), np.eye(2)
    for _ in range(4):  # until the polynomials have no constant part: the reference pixel has it
        u, v = x - crpix[0], y - crpix[1]
        scale = max(np.abs(u).max(), np.abs(v).max(), 1.0)
        basis = np.stack([(u / scale) ** p * (v / scale) ** q for p, q in powers], axis=1)
        terms = np.linalg.lstsq(basis, meant, rcond=None)[0]
        terms /= np.array([scale ** (p + q) for p, q in powers])[:, None]
        at = {power: term for power, term in zip(powers, terms, strict=True)}
        matrix = np.stack([at[1, 0], at[0, 1]], axis=1)
        crpix = crpix - np.linalg.solve(matrix, at[0, 0])
    left = meant - basis @ (terms * np.array([scale ** (p + q) for p, q in powers])[:, None])
    rms = [float(np.sqrt(np.median((each**2).sum(1)))) for each in (meant - before, left)]
    if rms[1] > _SIP_GAIN * rms[0] or rms[0] < 0.3:
        return {}
    cd = np.array(plane.matrix) @ matrix
    sip = {power: np.linalg.solve(matrix, term) for power, term in at.items() if sum(power) > 1}
    cards: dict[str, Any] = {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}
    cards |= {"CRPIX1": float(crpix[0]) + 0.5, "CRPIX2": float(crpix[1]) + 0.5}
    cards |= {f"CD{i + 1}_{j + 1}": float(cd[i, j]) for i in (0, 1) for j in (0, 1)}
    for axis, letter in enumerate("AB"):
        cards[f"{letter}_ORDER"] = _SIP_ORDER
        cards |= {f"{letter}_{p}_{q}": float(term[axis]) for (p, q), term in sip.items()}
    return cards
