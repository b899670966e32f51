"""Refine an approximate placement against a FITS image of the same part of the sky, whose place is known.

The reference is drawn onto the pixels of the picture as it is placed now. Phase correlation at each of a grid of rotations and
scales finds how the picture differs from it; then many small parts of the picture are registered, to a fraction of a pixel, and a
plane is fitted to their displacements. Parts that contradict each other are the sign that nothing matches.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SolveError, SourceError
from ..geometry.plane import Plane
from ..sources.hdus import chosen_image, described_by, open_fits
from ..sources.headers import celestial_wcs
from ..sources.paths import file_path
from ..sources.quiet import quiet
from .detection import brightness
from .matching import fitted_plane

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Draw = Callable[[Plane, Array, Array], Array]

_COARSE, _FINE = 192, 900  # most pixels of a side at which a first match is searched, and at which it is refined
_TURNS = range(-12, 13)  # degrees that are tried
_SCALES = range(-6, 7)  # percent that are tried
_MARGIN = 0.25  # part of a side by which the reference is drawn larger
_BLUR = 6.0  # pixels: what is coarser is taken for the background
_FARTHEST = 0.3  # part of a side by which the picture may be displaced
_PARTS = 7  # parts along a side that are registered one by one
_ROUNDS = 3
_FEWEST_PARTS = 8  # parts that must agree
_AGREEING = 0.5  # part of those with any detail
_CLOSE = 2.0  # pixels of the refined picture within which parts agree
_ALIKE = 0.25  # smallest correlation of the whole pictures


@dataclass(frozen=True)
class Snapped:
    """A refined placement.

    Attributes
    ----------
    plane : Plane
    correlation : float
        Correlation of the picture's details with those of the reference, at most 1.
    rms : float
        Root mean square of the parts' residuals, in pixels of the picture.
    parts : int
        Number of parts of the picture that agree.
    """

    plane: Plane
    correlation: float
    rms: float
    parts: int


def snap(picture: Path, plane: Plane, reference: str | Path, hdu: int | None = None) -> Snapped:
    """Return a placement of a picture, refined by a FITS image with a WCS that shows the same part of the sky.

    Parameters
    ----------
    picture : Path
        The picture's file.
    plane : Plane
        Where it is thought to be: within 20 % of its width, 10° and 5 % in scale.
    reference : str or Path
        A FITS file; its first image with a WCS is used.
    hdu : int, optional
        Number of the HDU of the picture, if that is FITS.

    Raises
    ------
    SolveError
        If nothing matches.
    SourceError
        If a file can't be read, or the reference has no WCS.
    """
    try:
        import skimage.registration  # noqa: F401
    except ImportError:
        raise SolveError("Snapping needs scikit-image: pip install 'constellations_widgets[solve]'") from None
    path = file_path(reference, "reference image")
    with quiet():
        draw = _reference(path)
        pixels, factor, size = brightness(picture, hdu)
    plane = _coarsely(pixels, factor, size, plane, draw, path.name)
    return _finely(pixels, factor, size, plane, draw, path.name)


def _reference(path: Path) -> Draw:
    """Return a function that draws the reference at pixels (x, y from the lower left corner) of a plane; NaN outside of it."""
    import numpy as np
    from scipy.ndimage import map_coordinates

    try:
        with open_fits(path) as hdus:
            chosen = chosen_image(hdus, path.name)
            header, _ = described_by(chosen, hdus)
            wcs, _ = celestial_wcs(header, path.name, hdus)
            values = np.asarray(chosen.hdu.data.reshape(chosen.plane_shape), dtype=np.float32)
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the name") from None
    values = np.where(np.isfinite(values), values, np.nanmedian(values))

    def draw(plane: Plane, x: Array, y: Array) -> Array:
        column, row = wcs.world_to_pixel_values(*plane.sky(x, y))
        return np.asarray(map_coordinates(values, [row, column], order=1, cval=np.nan))

    return draw


def _details(values: Array, blur: float) -> Array:
    """Return what is finer than a scale, in units of its own spread and with bright stars held back; 0 where unknown."""
    import numpy as np
    from scipy.ndimage import gaussian_filter

    known = np.isfinite(values)
    if not known.any():
        return np.zeros_like(values)
    filled = np.where(known, values, np.median(values[known]))
    fine = gaussian_filter(filled, 0.8) - gaussian_filter(filled, blur)
    spread = 1.4826 * float(np.median(np.abs(fine[known]))) or float(fine[known].std()) or 1.0
    return np.asarray(np.where(known, np.arcsinh(fine / (3 * spread)), 0.0))


def _reduced(pixels: Array, factor: int, longest: int) -> tuple[Array, int]:
    from ..sources.fits_pixels import means_of

    more = max(1, -(-max(pixels.shape) // longest))
    return means_of(pixels, more), factor * more


def _grid(shape: tuple[int, ...], step: int, height: int) -> tuple[Array, Array]:
    """Return x and y, from the picture's lower left corner, of the middles of reduced pixels, rows from the top."""
    import numpy as np

    rows, columns = shape
    return np.meshgrid((np.arange(columns) + 0.5) * step, height - (np.arange(rows) + 0.5) * step)


def _coarsely(pixels: Array, factor: int, size: tuple[int, int], plane: Plane, draw: Draw, name: str) -> Plane:
    """Return the plane at whose rotation and scale the phase correlation with the reference is highest."""
    import numpy as np
    from scipy import fft
    from scipy.ndimage import affine_transform

    small, step = _reduced(pixels, factor, _COARSE)
    shape = np.array(small.shape)
    plane = _about_middle(plane, size, 0, 1)
    # The reference is drawn once, with a margin, and turned and scaled as a picture.
    margin = (shape * _MARGIN).astype(int)
    x, y = _grid(tuple(shape + 2 * margin), step, size[1])
    canvas = _details(draw(plane, x - margin[1] * step, y + margin[0] * step), _BLUR)
    window = np.outer(np.hanning(shape[0] + 2)[1:-1], np.hanning(shape[1] + 2)[1:-1])
    ours = fft.rfft2(_details(small, _BLUR) * window)
    down, right = (np.minimum(np.arange(side), side - np.arange(side)) for side in shape)
    near = (down[:, None] <= _FARTHEST * shape[0]) & (right[None, :] <= _FARTHEST * shape[1])
    middle, center = (shape - 1) / 2, (np.array(canvas.shape) - 1) / 2
    best, found = 0.0, None
    for turn in _TURNS:
        for percent in _SCALES:
            # Of rows and columns, which go down and right: a plane turned from north to east goes along counter-clockwise.
            angle, scale = math.radians(turn) * (-1 if plane.mirrored else 1), 1 + percent / 100
            matrix = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
            view = affine_transform(canvas, matrix, center - matrix @ middle, tuple(shape), order=1)
            cross = ours * np.conj(fft.rfft2(view * window))
            surface = fft.irfft2(cross / (np.abs(cross) + 1e-3 * np.abs(cross).max() + 1e-30), tuple(shape))
            at = np.unravel_index(int(np.argmax(np.where(near, surface, -np.inf))), surface.shape)
            if surface[at] > best:
                best = float(surface[at])
                dy, dx = (int(k) - side if k > side / 2 else int(k) for k, side in zip(at, shape, strict=True))
                # The picture's detail at (x, y) is the reference's at (x - dx, y - dy): the tangent point moves along.
                found = _shifted(_about_middle(plane, size, turn, scale), dx * step, -dy * step)
    if found is None:
        raise _no_match(name)
    return found


def _finely(pixels: Array, factor: int, size: tuple[int, int], plane: Plane, draw: Draw, name: str) -> Snapped:
    """Return the plane fitted to the displacements of many parts."""
    import numpy as np

    fine, step = _reduced(pixels, factor, _FINE)
    x, y = _grid(fine.shape, step, size[1])
    ours = _details(fine, _BLUR)
    for turn in range(_ROUNDS):
        theirs = _details(draw(plane, x, y), _BLUR)
        middles, offsets = _displacements(ours, theirs, widely=turn == 0)
        if len(middles) < _FEWEST_PARTS:
            raise _no_match(name)
        at = (middles[:, 1] + 0.5) * step, size[1] - (middles[:, 0] + 0.5) * step
        true = (middles[:, 1] + 0.5 - offsets[:, 1]) * step, size[1] - (middles[:, 0] + 0.5 - offsets[:, 0]) * step
        plane, off = _agreed(plane, at, true, _CLOSE * step, name)
    if off.size < max(_FEWEST_PARTS, _AGREEING * len(middles)):
        raise _no_match(name)
    theirs = _details(draw(plane, x, y), _BLUR)
    known = theirs != 0
    correlation = float(np.corrcoef(ours[known], theirs[known])[0, 1]) if known.sum() > 100 else 0.0
    if not correlation > _ALIKE:
        raise _no_match(name)
    return Snapped(plane, correlation, float(np.sqrt(np.mean(off**2))), int(off.size))


def _displacements(ours: Array, theirs: Array, widely: bool) -> tuple[Array, Array]:
    """Return the middles (row, column) of parts with detail, and by how much ours is displaced from theirs there."""
    import numpy as np
    from skimage.registration import phase_cross_correlation

    rows, columns = ours.shape
    half = max(16, min(ours.shape) // (4 if widely else 8))
    middles, offsets = [], []
    for row in np.linspace(half, rows - half, _PARTS).astype(int):
        for column in np.linspace(half, columns - half, _PARTS).astype(int):
            part = slice(row - half, row + half), slice(column - half, column + half)
            one, other = ours[part], theirs[part]
            if (other != 0).mean() < 0.7 or one.std() < 0.05 or other.std() < 0.05:
                continue
            window = np.outer(np.hanning(one.shape[0]), np.hanning(one.shape[1]))
            shift, _, _ = phase_cross_correlation(  # type: ignore[no-untyped-call]
                one * window, other * window, upsample_factor=20, normalization=None, disambiguate=False
            )
            middles.append((row - 0.5, column - 0.5))
            offsets.append(shift)
    return np.array(middles).reshape(-1, 2), np.array(offsets).reshape(-1, 2)


def _agreed(plane: Plane, at: Any, true: Any, close: float, name: str) -> tuple[Plane, Array]:
    """Return the plane that most parts agree on, and their residuals: the worst part is left out until all are close."""
    import numpy as np

    x, y = at
    ra, dec = plane.sky(*true)
    kept = np.ones(len(x), bool)
    while True:
        fitted = fitted_plane(x[kept], y[kept], ra[kept], dec[kept], (plane.ra, plane.dec))
        cx, cy = fitted.pixel(ra, dec)
        off = np.hypot(cx - x, cy - y)
        if off[kept].max() <= close:
            return fitted, off[kept]
        kept &= off < np.sort(off[kept])[-1]
        if kept.sum() < _FEWEST_PARTS:
            raise _no_match(name)


def _about_middle(plane: Plane, size: tuple[int, int], turn: float, factor: float) -> Plane:
    """Return the plane turned and scaled about the picture's middle, which is its tangent point then."""
    middle = size[0] / 2, size[1] / 2
    ra, dec = plane.sky(*middle)
    return Plane(float(ra), float(dec), *middle, plane.scale * factor, plane.rotation + turn, plane.mirrored)


def _shifted(plane: Plane, dx: float, dy: float) -> Plane:
    return Plane(plane.ra, plane.dec, plane.x + dx, plane.y + dy, plane.scale, plane.rotation, plane.mirrored)


def _no_match(name: str) -> SolveError:
    return SolveError(
        f"The image does not match {name} near its present place, so it was not moved: place it by hand within 20 % of its width, "
        "10° and 5 % in scale, or find its position by its stars"
    )
