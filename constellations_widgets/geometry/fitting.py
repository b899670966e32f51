"""Fit the plane that best reproduces where the pixels of an image are on the sky, as WWT's engine draws it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .engine import displacement
from .plane import Plane
from .sphere import Place, between, separation
from .tangent import sky_to_plane

# The errors of a placement, in pixels of the image, that all sources and checks distinguish.
EXACT = 1e-3
"""Largest error that counts as rounding."""
UNSEEN = 0.02
"""Largest error that is not reported. A fiftieth of a pixel moves no star by more than its centroid can be measured on a well exposed
image, and every WCS is less certain than that; so a remark about it would only hide those that matter."""
TOLERANCE = 1.0
"""Largest error that is only a remark. A larger one is visible: such an image is refused, or placed with a warning if the user allows it."""

GRID = 33  # points along a side of the image at which a fit is made and evaluated
_TANGENT_POINTS = 8  # tangent points tried between the given one and the middle of the image


def grid(size: tuple[float, float], count: int = GRID) -> tuple[Any, Any]:
    """Return x and y, in pixels from the lower left corner, of count x count points over an image, edges included."""
    import numpy as np

    x, y = np.meshgrid(np.linspace(0, size[0], count), np.linspace(0, size[1], count))
    return x.ravel(), y.ravel()


@dataclass(frozen=True)
class SkyGrid:
    """Grid of points of an image with their positions on the sky.

    Attributes
    ----------
    size : (float, float)
        Width and height of the image in pixels.
    x, y : array
        The points, in pixels from the lower left corner: those of `grid`, of an odd count.
    ra, dec : array
        Their positions on the sky, ICRS, in degrees.
    touching : (float, float) or None
        Tangent point of the image's own plane, if it has one.
    """

    size: tuple[float, float]
    x: Any
    y: Any
    ra: Any
    dec: Any
    touching: Place | None = None

    @property
    def middle(self) -> Place:
        """Position of the middle of the image."""
        return float(self.ra[len(self.ra) // 2]), float(self.dec[len(self.dec) // 2])

    def is_drawn_by(self, plane: Plane) -> bool:
        """Return whether WWT draws the plane where the image is, up to an invisible error."""
        difference, displaced = self._errors_of(plane)
        return bool((difference + displaced).max() <= UNSEEN)

    def closest(self) -> tuple[Plane, float] | None:
        """Return the plane that fits the image best, and its largest error in pixels; None if no plane holds the image.

        WWT displaces a plane whose tangent point is far from the image; a plane with another tangent point than the
        image's own is not an exact copy. The best of the tangent points between the two is used.
        """
        found = [self._fitted(self.touching or self.middle)]
        if self.touching is not None and found[0][1] > UNSEEN:
            parts = (part / _TANGENT_POINTS for part in range(_TANGENT_POINTS, 0, -1))
            found += [self._fitted(between(self.touching, self.middle, part)) for part in parts]
        least = min(error for _, error in found)
        return next(((plane, error) for plane, error in found if plane and error <= least + UNSEEN), None)

    def far_reference(self) -> float:
        """Return the degrees from the tangent point to the middle if that displaces the image in WWT; else 0."""
        if self.touching is None:
            return 0.0
        plane, error = self._fitted(self.touching)
        if plane is None or not math.isfinite(error) or self._errors_of(plane)[1].max() <= EXACT:
            return 0.0
        return separation(self.touching, self.middle)

    def _errors_of(self, plane: Plane) -> tuple[Any, Any]:
        """Return the pixels by which the plane differs from the image, and WWT's view of the image from the plane."""
        import numpy as np

        meant = gnomonic(self.ra, self.dec, plane.ra, plane.dec)
        east, north = plane.on_plane(self.x, self.y)
        looking_at = plane.on_plane(self.size[0] / 2, self.size[1] / 2)
        difference = np.nan_to_num(np.abs(meant - (east + 1j * north)), nan=math.inf)
        return difference / plane.scale, displacement(east, north, looking_at) / plane.scale

    def _fitted(self, touching: Place) -> tuple[Plane | None, float]:
        """Return the best plane with this tangent point and its error; None if it does not hold the whole image."""
        import numpy as np

        target = gnomonic(self.ra, self.dec, *touching)
        if not np.isfinite(target).all():
            return None, math.inf
        pixels = self.x + 1j * self.y
        fits = [(line(pixels, target), True), (line(pixels.conj(), target), False)]
        (factor, at, error), mirrored = min(fits, key=lambda fit: fit[0][2])
        plane = Plane.from_complex(*touching, at if mirrored else at.conjugate(), factor, mirrored)
        if not math.isfinite(error):
            return plane, error
        difference, displaced = self._errors_of(plane)
        return plane, float((difference + displaced).max())


def recentered(plane: Plane, size: tuple[float, float]) -> tuple[Plane, float]:
    """Return the plane tangent to the sky at the image, to replace one that WWT draws in the wrong place.

    The second value is the largest remaining error in pixels.
    """
    x, y = grid(size)
    found = SkyGrid(size, x, y, *plane.sky(x, y), (plane.ra, plane.dec)).closest()
    return found or (plane, math.inf)


def line(pixels: Any, plane: Any) -> tuple[complex, complex, float]:
    """Return the least-squares fit of plane = factor * (pixels - at) to complex arrays, and its largest pixel error."""
    import numpy as np

    middle, target = pixels.mean(), plane.mean()
    offsets = pixels - middle
    factor = np.vdot(offsets, plane - target) / np.vdot(offsets, offsets)
    if not abs(factor) > 0:
        return complex(0), complex(0), math.inf
    error = np.abs(plane - target - factor * offsets).max() / abs(factor)
    return complex(factor), complex(middle - target / factor), float(error)


def mean_place(ra: Any, dec: Any) -> Place:
    """Return the direction of the mean of the unit vectors of positions, arrays in degrees."""
    import numpy as np

    ra, dec = np.radians(ra), np.radians(dec)
    x, y, z = (part.mean() for part in (np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)))
    return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.atan2(z, math.hypot(x, y)))


def gnomonic(ra: Any, dec: Any, ra0: float, dec0: float) -> Any:
    """Return `sky_to_plane` of arrays as degrees east + i degrees north; NaN for positions off the plane."""
    import numpy as np

    east, north = sky_to_plane(np.asarray(ra, dtype=float), np.asarray(dec, dtype=float), ra0, dec0)
    return east + 1j * north
