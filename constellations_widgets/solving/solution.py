"""The result of plate solving: a plane on the sky, the stars that prove it, and how far they are from it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..geometry.angles import format_dec, format_ra
from ..geometry.engine import base_of_scale
from ..geometry.plane import Plane

if TYPE_CHECKING:
    from astropy.wcs import WCS

HIGH, LOW = "high", "low"


@dataclass(frozen=True)
class MatchedStar:
    """A star of the picture that was identified in the catalog.

    Attributes
    ----------
    x, y : float
        Its position in the picture: pixels right and down from the upper left corner.
    ra, dec : float
        Its position in the catalog: ICRS, degrees.
    dx, dy : float
        Residual: pixels right and down from its position in the picture to where the solution puts the catalog's.
    magnitude : float or None
        Its magnitude in the catalog, if that has one.
    """

    x: float
    y: float
    ra: float
    dec: float
    dx: float
    dy: float
    magnitude: float | None = None

    @property
    def residual(self) -> float:
        """The length of the residual in pixels."""
        return math.hypot(self.dx, self.dy)


@dataclass(frozen=True)
class Solution:
    """Where a picture is on the sky, found from its stars.

    >>> solution = draft.solve(near=(202.5, 47.2))  # doctest: +SKIP
    >>> solution.doubts or draft.accept(solution)  # doctest: +SKIP

    Attributes
    ----------
    size : (int, int)
        Width and height of the picture in pixels.
    plane : Plane
        The plane on the sky that WWT will draw, closest to the picture.
    stars : tuple of MatchedStar
        The identified stars, the brightest first.
    detected : int
        Number of stars that were detected in the picture.
    log_odds : float or None
        Natural logarithm of the solver's odds that the match is no coincidence.
    doubts : tuple of str
        Why the solution may be wrong; empty if nothing speaks against it.
    header : mapping
        The WCS as cards of a FITS header: a TAN, with SIP polynomials if the picture is distorted.
    remarks : tuple of str
        How `plane` differs from `header`; empty if no difference is visible.
    inaccuracy : str
        A warning with the largest error of `plane`, if that is above one pixel; usually "".
    source : str
        The index file or the service that recognized the picture.
    """

    size: tuple[int, int]
    plane: Plane
    stars: tuple[MatchedStar, ...]
    detected: int
    log_odds: float | None = None
    doubts: tuple[str, ...] = ()
    header: Mapping[str, Any] = field(default_factory=dict, repr=False)
    remarks: tuple[str, ...] = ()
    inaccuracy: str = ""
    source: str = ""

    @property
    def confidence(self) -> str:
        """How sure the solution is: "high" if nothing speaks against it, "low" if `doubts` has reasons to look closely."""
        return LOW if self.doubts else HIGH

    @property
    def pixel_scale(self) -> float:
        """Arcseconds per pixel."""
        return self.plane.scale * 3600

    @property
    def width(self) -> float:
        """Angle that the picture's longer side takes on the sky, degrees."""
        return base_of_scale(self.plane.scale, max(self.size))

    @property
    def parity(self) -> int:
        """1 for a picture as seen in the sky, -1 for a mirrored one."""
        return -1 if self.plane.mirrored else 1

    @property
    def center(self) -> tuple[float, float]:
        """Right ascension and declination of the picture's middle, degrees."""
        ra, dec = self.plane.sky(self.size[0] / 2, self.size[1] / 2)
        return float(ra), float(dec)

    @property
    def rms(self) -> float:
        """Root mean square of the residuals, pixels."""
        return math.sqrt(sum(star.residual**2 for star in self.stars) / len(self.stars))

    @property
    def largest_residual(self) -> float:
        """The largest residual, pixels."""
        return max(star.residual for star in self.stars)

    def values(self) -> dict[str, Any]:
        """Return the placement as values of a draft whose image is one file."""
        return self.plane.untiled()

    def wcs(self) -> WCS:
        """Return the placement as an astropy WCS, with the distortion that was found."""
        from ..sources.headers import celestial_wcs

        return celestial_wcs(self.to_header(), "The solution")[0]

    def to_header(self) -> Any:
        """Return the placement as an astropy Header, with the distortion that was found."""
        from astropy.io.fits import Header

        return Header(list(self.header.items()))

    def to_json(self) -> dict[str, Any]:
        """Return the solution as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Solution:
        """Return the solution that `to_json` described.

        Raises
        ------
        SourceError
            If the data does not describe a solution.
        """
        try:
            width, height = saved["size"]
            made = {
                "size": (int(width), int(height)),
                "plane": Plane(**saved["plane"]),
                "stars": tuple(MatchedStar(**star) for star in saved["stars"]),
                "doubts": tuple(saved["doubts"]),
                "remarks": tuple(saved["remarks"]),
            }
            return cls(**{**saved, **made})
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(f"This is not a solution ({error}): find the position again") from None

    def __str__(self) -> str:
        """Return the solution in a sentence."""
        ra, dec = self.center
        mirrored = ", mirrored" if self.plane.mirrored else ""
        return (
            f"Center {format_ra(ra)} {format_dec(dec)}, {self.pixel_scale:.4g}″ per pixel, "
            f"position angle {math.remainder(self.plane.rotation, 360):.2f}°{mirrored}; {len(self.stars)} of {self.detected} stars "
            f"matched, residual {self.rms:.2f} pixels ({self.rms * self.pixel_scale:.2g}″) rms, confidence {self.confidence}"
        )

    def __repr__(self) -> str:
        return f"<Solution: {self}>"
