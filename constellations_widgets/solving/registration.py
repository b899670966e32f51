"""Register a picture with a reference image of the same part of the sky, whose place is known.

The reference is drawn onto the pixels of the picture as it is placed now. Phase correlation at each of a grid of rotations and
scales finds how the picture may differ from it. Then many small parts of the picture are registered, to a fraction of a pixel, and
a plane is fitted to their displacements. A match is proved by parts that have nothing in common with each other, and agree.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SolveError
from ..geometry import transforms
from ..geometry.plane import Plane
from ..sources.fits_pixels import means_of
from .matching import fitted_plane

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Box = tuple[tuple[int, int], tuple[int, int]]
    Draw = Callable[[Plane, Array, Array], Array]

Progress = Callable[[float, str], object]
"""Called with a number from 0 to 1 and a text; what it raises ends the registration."""

COARSEST = 8.0
"""Most pixels of the picture that a pixel of the reference may be wide: a coarser one can't place it within a pixel."""

FINEST = 900
"""Most pixels of a side at which a match is refined."""

_COARSE = (192, 96)  # most pixels of a side at which first matches are searched; the coarser one sees smooth clouds
_FIRST = (320, 160)  # at which they are checked
_FEWEST_PIXELS = 48  # of the shorter side, at the resolution of the reference
_SHARPEST = 0.45  # of the reference's pixel: the smallest pixel at which it is compared
_TURNS = tuple(1.25 * step for step in range(-9, 10))  # degrees that are tried
_SCALES = tuple(1.5 * step for step in range(-4, 5))  # percent that are tried
_MARGIN = 0.3  # part of a side by which the reference is drawn larger
_BLUR = 6.0  # pixels: what is coarser is taken for the background
_FARTHEST = 0.3  # part of a side by which the picture may be displaced
_CANDIDATES = 3  # first matches at each resolution that are checked
_PARTS = 9  # most parts along a side that are registered one by one
_ROUNDS = (4, 6, 8, 8)  # parts that make up the picture's shorter side, in each round
_PROPOSALS = 1500  # pairs of parts whose displacements are tried on all others
_CLEAR = 4.5  # height of a part's correlation peak above the rest of it, in standard deviations
_NOISY = 4.0  # height of a peak of noise
_FEWEST_FITTED = 4  # parts to which a plane is fitted
_FEWEST_PARTS = 8  # parts that must agree in the end
_FEWEST_APART = 5  # of them without a pixel in common
_PROMISING = 0.25  # the same, in the rounds before
_AGREEING = 0.5  # part of those with a clear peak, weighted by how clear it is
_CLOSE = 2.0  # pixels of the refined picture within which parts agree
_SURELY_AGREEING = 0.75  # below, there is a doubt
_ALIKE = 0.2  # smallest correlation of the agreeing parts
_LARGEST_ERROR = 2.0  # pixels of the picture; above one, the confidence is low


class Picture(NamedTuple):
    """A picture's brightness, averaged over blocks of pixels."""

    pixels: Array
    """Rows from the top; NaN where unknown."""
    factor: int
    """Pixels of the picture along a side of a block."""
    size: tuple[int, int]
    """Width and height of the picture in pixels."""


class Reference(NamedTuple):
    """An image whose place is known."""

    draw: Draw
    """Returns its brightness at pixels (x, y from the lower left corner) of a plane; NaN outside of it."""
    pixel: float
    """Degrees along a side of its own pixels."""
    name: str


@dataclass(frozen=True)
class Snapped:
    """A refined placement, and how well it is proved.

    Attributes
    ----------
    plane : Plane
        The placement.
    size : (int, int)
        Width and height of the picture in pixels.
    correlation : float
        Correlation of the picture's details with those of the reference, at most 1.
    rms : float
        Root mean square of the parts' residuals, in pixels of the picture.
    error : float
        Largest standard error of the placement in the picture, in its pixels.
    agreeing : float
        Part of the clear matches of the picture's parts that agree with the placement, from 0.5 to 1.
    parts : int
        Number of parts of the picture that agree.
    reference : str
        Name of the reference.
    marks : tuple of ((x, y), (ra, dec))
        The middle of each agreeing part, in pixels right and up from the lower left corner, and its place in the reference, degrees.
    """

    plane: Plane
    size: tuple[int, int]
    correlation: float
    rms: float
    error: float
    agreeing: float
    parts: int
    reference: str
    marks: tuple[tuple[tuple[float, float], tuple[float, float]], ...]

    @property
    def confidence(self) -> str:
        """How sure the placement is: "high", or "low" if `doubt` says why."""
        return "low" if self.doubt else "high"

    @property
    def doubt(self) -> str:
        """Why the placement may be off by more than a pixel, or wrong; "" if nothing speaks against it."""
        if self.agreeing < _SURELY_AGREEING:
            return "Many parts of the image do not agree: compare both before you accept."
        if self.error > 1:
            return f"The placement is exact to about {self.error:.1f} pixels: {self.reference} shows too little detail for more."
        return ""


def register(picture: Picture, plane: Plane, reference: Reference, progress: Progress = lambda *_: None) -> Snapped:
    """Return a placement of a picture, refined by a reference.

    Parameters
    ----------
    picture : Picture
    plane : Plane
        Where the picture is thought to be: within 20 % of its width, 10° and 5 % in scale.
    reference : Reference
    progress : callable, optional

    Raises
    ------
    SolveError
        If nothing matches, or the reference is too coarse.
    """
    if reference.pixel > COARSEST * plane.scale:
        raise SolveError(
            f"{reference.name} is too coarse for this image: one of its pixels is as wide as {reference.pixel / plane.scale:.0f} of "
            f"the image's, and at most {COARSEST:g} will do. Choose one of higher resolution"
        )
    tried: list[Plane] = []
    for number, longest in enumerate(_COARSE):
        start = 0.5 * number
        for candidate in _candidates(picture, plane, reference, longest, functools.partial(_report, progress, start)):
            if any(_is_near(candidate, other, picture.size) for other in tried):
                continue
            tried.append(candidate)
            progress(start + 0.4, "Registering parts of the image")
            if found := _checked(picture, candidate, reference):
                return found
    raise no_match(reference.name)


def no_match(name: str) -> SolveError:
    """Return the error that says that a picture does not match the reference called `name`."""
    return SolveError(
        f"The image does not match {name} near its present place, so it was not moved: place it by hand within 20 % of its width, "
        "10° and 5 % in scale, or find its position by its stars"
    )


def _report(progress: Progress, start: float, part: float) -> None:
    progress(start + part, "Comparing rotations and scales")


def _candidates(
    picture: Picture, plane: Plane, reference: Reference, longest: int, progress: Callable[[float], object]
) -> list[Plane]:
    """Return the planes at whose rotation and scale the phase correlation with the reference is highest."""
    import numpy as np
    from scipy import fft
    from scipy.ndimage import affine_transform

    small, step = _reduced(picture, plane, reference, longest)
    shape = np.array(small.shape)
    # The reference is drawn once, with a margin, and turned and scaled as a picture.
    margin = (shape * _MARGIN).astype(int)
    x, y = _grid(tuple(shape + 2 * margin), step, picture.size[1])
    canvas = _details(reference.draw(plane, x - margin[1] * step, y + margin[0] * step))
    window = np.outer(np.hanning(shape[0] + 2)[1:-1], np.hanning(shape[1] + 2)[1:-1]).astype(np.float32)
    ours = fft.rfft2(_details(small) * window)
    down, right = (np.minimum(np.arange(side), side - np.arange(side)) for side in shape)
    near = (down[:, None] <= _FARTHEST * shape[0]) & (right[None, :] <= _FARTHEST * shape[1])
    middle, center = (shape - 1) / 2, (np.array(canvas.shape) - 1) / 2
    found: list[tuple[float, float, float, int, int]] = []
    for number, turn in enumerate(_TURNS):
        progress(0.4 * number / len(_TURNS))
        for percent in _SCALES:
            # Of rows and columns, which go down and right: a plane turned from north to east goes along counter-clockwise.
            angle, scale = math.radians(turn) * (-1 if plane.mirrored else 1), 1 + percent / 100
            matrix = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
            view = affine_transform(canvas, matrix, center - matrix @ middle, tuple(shape), order=1)
            cross = ours * np.conj(fft.rfft2(view * window))
            surface = fft.irfft2(cross / (np.abs(cross) + 1e-3 * np.abs(cross).max() + 1e-30), tuple(shape))
            at = np.unravel_index(int(np.argmax(np.where(near, surface, -np.inf))), surface.shape)
            dy, dx = (int(k) - side if k > side / 2 else int(k) for k, side in zip(at, shape, strict=True))
            found.append((float(surface[at]), turn, percent, dx, dy))
    best: list[Plane] = []
    for height, turn, percent, dx, dy in sorted(found, reverse=True):
        candidate = _displaced(plane, picture.size, turn, 1 + percent / 100, dx * step, -dy * step)
        if height > 0 and not any(_is_near(candidate, other, picture.size) for other in best):
            best.append(candidate)
        if len(best) == _CANDIDATES:
            break
    return best


def _displaced(plane: Plane, size: tuple[int, int], turn: float, factor: float, dx: float, dy: float) -> Plane:
    """Return the plane turned and scaled about the picture's middle, and moved by pixels; its tangent point is the same pixel."""
    middle = size[0] / 2, size[1] / 2
    about = plane.sky(*middle)
    plane = transforms.scaled(transforms.turned(plane, turn, about), factor, about)
    # The picture's detail at (x, y) is the reference's at (x - dx, y - dy).
    return transforms.moved(plane, plane.sky(middle[0] + dx, middle[1] + dy), plane.sky(*middle))


def _is_near(one: Plane, other: Plane, size: tuple[int, int]) -> bool:
    """Return whether two planes put the picture's corners in nearly the same places."""
    width, height = size
    near = 0.04 * max(size)
    for x, y in ((0, 0), (width, 0), (0, height), (width, height)):
        there = other.pixel(*one.sky(x, y))
        if math.hypot(there[0] - x, there[1] - y) > near:
            return False
    return True


def _checked(picture: Picture, candidate: Plane, reference: Reference) -> Snapped | None:
    """Return the placement to which a first match leads; None if the picture's parts contradict it."""
    for longest in _FIRST:
        found = _refined(picture, candidate, reference, longest, _ROUNDS)
        finer = _refined(picture, found.plane, reference, FINEST, _ROUNDS[1:]) if found else None
        best = finer if finer and found and finer.error < found.error else found
        if best and best.error < _LARGEST_ERROR:
            return best
    return None


def _refined(
    picture: Picture, plane: Plane, reference: Reference, longest: int, rounds: tuple[int, ...]
) -> Snapped | None:
    """Return the plane fitted to the displacements of many parts; None if they do not agree."""
    fine, step = _reduced(picture, plane, reference, longest)
    x, y = _grid(fine.shape, step, picture.size[1])
    height, mirrored = picture.size[1], plane.mirrored
    ours = _details(fine)
    box = _box_of(ours != 0)
    for divisor in rounds:
        half = max(12, min(high - low for low, high in box) // divisor)
        parts = _parts(ours, _details(reference.draw(plane, x, y)), box, half)
        if len(parts.middles) < _FEWEST_FITTED:
            return None
        rows, columns = parts.middles.T + 0.5
        at = columns * step, height - rows * step
        true = (columns - parts.offsets[:, 1]) * step, height - (rows - parts.offsets[:, 0]) * step
        places = plane.sky(*true)
        agreed = _agreed(plane, at, places, _CLOSE * step * (2 if divisor == _ROUNDS[0] else 1))
        if agreed is None or agreed[0].mirrored != mirrored:
            return None
        plane, kept, off = agreed
        agreeing = float(parts.clarity[kept].sum()) / float(parts.clarity.sum())
        if agreeing < _PROMISING:
            return None
    if kept.sum() < _FEWEST_PARTS or agreeing < _AGREEING or _apart(parts.middles[kept], half) < _FEWEST_APART:
        return None
    correlation = _correlation(ours, _details(reference.draw(plane, x, y)), parts.middles[kept], half)
    if not correlation > _ALIKE:
        return None
    marks = tuple(
        ((float(px), float(py)), (float(ra) % 360, float(dec)))
        for px, py, ra, dec in zip(at[0][kept], at[1][kept], places[0][kept], places[1][kept], strict=True)
    )
    error = _standard_error(at[0][kept], at[1][kept], off, picture.size)
    rms = math.sqrt(float((off**2).mean()))
    return Snapped(plane, picture.size, correlation, rms, error, agreeing, len(marks), reference.name, marks)


class _Parts(NamedTuple):
    middles: Array
    """Row and column of each part."""
    offsets: Array
    """By how many rows and columns ours is displaced from theirs there."""
    clarity: Array
    """By how much the correlation peak is clearer than one of noise may be."""


def _parts(ours: Array, theirs: Array, box: Box, half: int) -> _Parts:
    """Return the parts, `half` pixels from the middle to each side, that have a clear place in the reference."""
    import numpy as np
    from scipy import fft

    window = np.outer(np.hanning(2 * half + 1)[:-1], np.hanning(2 * half + 1)[:-1]).astype(np.float32)
    middles, offsets, clarity = [], [], []
    for row, column in _middles(box, half):
        part = slice(row - half, row + half), slice(column - half, column + half)
        one, other = ours[part], theirs[part]
        if one.shape != window.shape:
            continue  # the picture is too small for this part
        if (other != 0).mean() < 0.7 or (one != 0).mean() < 0.7 or one.std() < 0.02 or other.std() < 0.02:
            continue
        one, other = (one - one.mean()) * window, (other - other.mean()) * window
        surface = fft.irfft2(fft.rfft2(one) * np.conj(fft.rfft2(other)), one.shape)
        height = float(surface.max() / (surface.std() or 1.0))
        if height >= _CLEAR:
            middles.append((row - 0.5, column - 0.5))
            offsets.append(_peak(surface))
            clarity.append(height - _NOISY)
    return _Parts(np.array(middles).reshape(-1, 2), np.array(offsets).reshape(-1, 2), np.array(clarity))


def _peak(surface: Array) -> tuple[float, float]:
    """Return row and column of the highest place of a periodic surface, by a parabola through its neighbors in each direction.

    The parabola is wrong by some hundredths of a pixel, and exact once the displacement is 0, to which each round comes closer.
    """
    import numpy as np

    at = np.unravel_index(int(np.argmax(surface)), surface.shape)
    found = []
    for axis, (place, side) in enumerate(zip(at, surface.shape, strict=True)):
        before, here, after = (
            float(surface[tuple((place + step) % side if each == axis else at[each] for each in (0, 1))])
            for step in (-1, 0, 1)
        )
        curve = before - 2 * here + after
        moved = 0.5 * (before - after) / curve if curve < 0 else 0.0
        found.append((int(place) - side if place > side / 2 else int(place)) + moved)
    return found[0], found[1]


def _middles(box: Box, half: int) -> Iterator[tuple[int, int]]:
    """Yield the row and column of the middles of parts, half a part from each other where there are not too many."""
    import numpy as np

    along = [
        np.linspace(low + half, high - half, int(np.clip((high - low - 2 * half) // half + 1, 1, _PARTS))).astype(int)
        for low, high in box
    ]
    return ((int(row), int(column)) for row in along[0] for column in along[1])


def _box_of(known: Array) -> Box:
    """Return the first and last row and column, which is not part of it, of what is known of a picture; the tiles' margins are not."""
    import numpy as np

    found = (np.flatnonzero(known.any(axis)) for axis in (1, 0))
    rows, columns = ((int(each[0]), int(each[-1]) + 1) if each.size else (0, 0) for each in found)
    return rows, columns


def _agreed(plane: Plane, at: Any, places: Any, close: float) -> tuple[Plane, Array, Array] | None:
    """Return the plane that most parts agree on, which they are, and their residuals; None if too few agree.

    The worst part is left out until all are close.
    """
    import numpy as np

    x, y = at
    ra, dec = places
    kept = _consensus(x + 1j * y, np.asarray(plane.pixel(ra, dec)[0] + 1j * plane.pixel(ra, dec)[1]), 2 * close)
    if kept.sum() < _FEWEST_FITTED:
        return None
    while True:
        fitted, pixel = plane, (plane.x, plane.y)
        for _ in range(3):  # the tangent point stays the same pixel
            try:
                fitted = fitted_plane(x[kept], y[kept], ra[kept], dec[kept], fitted.sky(*pixel))
            except SolveError:
                return None
        cx, cy = fitted.pixel(ra, dec)
        off = np.hypot(cx - x, cy - y)
        limit = min(close, max(0.15 * close, 4 * float(np.median(off[kept]))))
        if off[kept].max() <= limit:
            kept = off <= limit  # those, too, that were left out too early
            return _tangent_at(fitted, *pixel), kept, off[kept]
        kept &= off < np.sort(off[kept])[-1]
        if kept.sum() < _FEWEST_FITTED:
            return None


def _consensus(ours: Array, theirs: Array, close: float) -> Array:
    """Return which of the displacements the rotation, scale and shift explain that explain most; each pair of parts makes a proposal.

    Rotations of more than 8° and scales of more than 8 % are none: the first match is closer than that.
    """
    import numpy as np

    one, other = np.triu_indices(len(ours), 1)
    apart = theirs[other] - theirs[one]
    usable = np.abs(apart) > 4 * close
    one, other, apart = one[usable], other[usable], apart[usable]
    if not len(one):
        return np.ones(len(ours), bool)
    if len(one) > _PROPOSALS:  # evenly chosen
        chosen = np.linspace(0, len(one) - 1, _PROPOSALS).astype(int)
        one, other, apart = one[chosen], other[chosen], apart[chosen]
    factor = (ours[other] - ours[one]) / apart
    likely = np.abs(factor - 1) < 0.14
    if not likely.any():
        return np.zeros(len(ours), bool)
    factor, one = factor[likely, None], one[likely]
    off = np.abs(ours[one, None] + factor * (theirs[None, :] - theirs[one, None]) - ours[None, :])
    agree = off < close
    best = int((agree.sum(1) - (np.minimum(off, close) / close).sum(1) / len(ours)).argmax())
    return np.asarray(agree[best])


def _tangent_at(plane: Plane, x: float, y: float) -> Plane:
    """Return a plane whose tangent point is at this pixel, within a thousandth of a pixel, with just this one as reference."""
    ra, dec = plane.sky(x, y)
    return replace(plane, ra=float(ra) % 360, dec=float(dec), x=x, y=y)


def _apart(middles: Array, half: int) -> int:
    """Return how many of the parts have no pixel in common."""
    chosen: list[Any] = []
    for middle in middles:
        if all(abs(middle - other).max() >= 2 * half for other in chosen):
            chosen.append(middle)
    return len(chosen)


def _standard_error(x: Array, y: Array, off: Array, size: tuple[int, int]) -> float:
    """Return the standard error, in pixels, of a fitted plane at the corner of the picture where it is largest.

    Neighboring parts have half of their pixels in common, so a quarter of them counts.
    """
    import numpy as np

    count = max(len(x) / 4, 2.5)
    sigma = math.sqrt(float((off**2).sum()) / len(x) * count / (count - 2) / 2)
    mx, my = float(x.mean()), float(y.mean())
    spread = float(np.mean((x - mx) ** 2 + (y - my) ** 2)) or 1.0
    far = max(math.hypot(cx - mx, cy - my) for cx in (0, size[0]) for cy in (0, size[1]))
    return sigma * math.sqrt(2 / count * (1 + far**2 / spread))


def _correlation(ours: Array, theirs: Array, middles: Array, half: int) -> float:
    """Return the correlation of both in the agreeing parts."""
    import numpy as np

    there = np.zeros(ours.shape, bool)
    for row, column in middles + 0.5:
        there[int(row) - half : int(row) + half, int(column) - half : int(column) + half] = True
    there &= (theirs != 0) & (ours != 0)
    return float(np.corrcoef(ours[there], theirs[there])[0, 1]) if there.sum() > 100 else 0.0


def _details(values: Array) -> Array:
    """Return what is finer than the background, in units of its own spread and with bright stars held back; 0 where unknown."""
    import numpy as np
    from scipy.ndimage import binary_erosion, gaussian_filter

    known = np.isfinite(values)
    if not known.any():
        return np.zeros(values.shape, np.float32)
    weight = known.astype(float)
    filled = np.where(known, values, 0.0)
    # Means of what is known alone: an edge of the known part is no detail.
    fine, background = (
        gaussian_filter(filled, blur) / np.maximum(gaussian_filter(weight, blur), 1e-6) for blur in (0.8, _BLUR)
    )
    fine = fine - background
    if not known.all():
        known = binary_erosion(known, iterations=2, border_value=1)
        if not known.any():
            return np.zeros(values.shape, np.float32)
    spread = 1.4826 * float(np.median(np.abs(fine[known]))) or float(fine[known].std()) or 1.0
    return np.where(known, np.arcsinh(fine / (3 * spread)), 0.0).astype(np.float32)


def _reduced(picture: Picture, plane: Plane, reference: Reference, longest: int) -> tuple[Array, int]:
    """Return the picture at most `longest` pixels wide and high, and no sharper than the reference; and its new block's side.

    Raises
    ------
    SolveError
        If too few pixels are left.
    """
    pixels, factor, _ = picture
    more = max(1, -(-max(pixels.shape) // longest), round(_SHARPEST * reference.pixel / (plane.scale * factor)))
    reduced = means_of(pixels, more)
    if min(reduced.shape) < _FEWEST_PIXELS and min(pixels.shape) >= _FEWEST_PIXELS and longest == _FIRST[0]:
        raise SolveError(
            f"{reference.name} is too coarse for this image, which covers only {reduced.shape[1]} × {reduced.shape[0]} of its pixels: "
            "choose one of higher resolution"
        )
    return reduced, factor * more


def _grid(shape: tuple[int, ...], step: int, height: int) -> tuple[Array, Array]:
    """Return x and y, from the picture's lower left corner, of the middles of reduced pixels, rows from the top."""
    import numpy as np

    rows, columns = shape
    return np.meshgrid((np.arange(columns) + 0.5) * step, height - (np.arange(rows) + 0.5) * step)
