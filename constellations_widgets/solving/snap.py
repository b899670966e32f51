"""Refine an approximate placement: by a FITS image of the same part of the sky, or by a picture of the sky whose place is known."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import SolveError, SourceError, needs_extra
from ..geometry.plane import TILE, Plane, levels_of, padded, plane_of, width_factor_of
from ..geometry.tangent import sky_to_plane
from ..schema.placement import is_tan, number
from ..sources.fits_pixels import means_of
from ..sources.hdus import HduChoice, chosen_image, described_by, open_fits
from ..sources.headers import celestial_wcs
from ..sources.paths import file_path
from ..sources.quiet import quiet
from .detection import LARGEST, brightness, errors_of
from .registration import FINEST, Picture, Progress, Reference, Snapped, no_match, register

if TYPE_CHECKING:
    import numpy as np

    from ..sources.local import LocalImage

    Array = np.ndarray[Any, Any]

_MARGIN = 0.7  # part of the picture's longer side, beyond it, in which the reference is read
_VIEW_MARGIN = 0.35  # part of the longer side beside each edge that is drawn of the sky
_WIDEST = 100.0  # degrees of a view of the sky
_SIDE = 2560  # most pixels of a side of the part of the reference that is held in memory


def snap(
    picture: Picture,
    plane: Plane,
    reference: Reference | str | Path,
    progress: Progress = lambda *_: None,
) -> Snapped:
    """Return a placement of a picture, refined by a reference that shows the same part of the sky.

    Parameters
    ----------
    picture : Picture
        As `picture_of` or `picture_of_file` returns it.
    plane : Plane
        Where it is thought to be: within 20 % of its width, 10° and 5 % in scale. Its parity is kept.
    reference : Reference, str or Path
        `sky_reference`, or a FITS file; its first image with a WCS is used.
    progress : callable, optional
        Called with a number from 0 to 1 and a text; what it raises ends the registration.

    Raises
    ------
    SolveError
        If nothing matches, or an extra is not installed.
    SourceError
        If a file can't be read, or the reference has no WCS.
    """
    with needs_extra("solve", "Snapping", SolveError):
        import scipy  # noqa: F401
    if not isinstance(reference, Reference):
        reference = fits_reference(reference, plane, picture.size)
    return register(picture, plane, reference, progress)


def picture_of_file(path: Path, hdu: HduChoice | None = None) -> Picture:
    """Return the brightness of a picture's file or FITS image, reduced to at most 2560 pixels a side while it is read."""
    with quiet():
        return Picture(*brightness(path, hdu))


def picture_of(local: LocalImage | None, values: Mapping[str, Any]) -> tuple[Picture, Plane]:
    """Return the picture of a draft's image, and the plane on which it is placed now.

    Raises
    ------
    SourceError
        If its files are not on this machine or can't be read, or the placement is incomplete or no plane.
    """
    if values.get("wwt.projection") not in ("Tan", "SkyImage"):
        plane_of(values)  # says which projection it has
    if local is None:
        raise SourceError(
            "The image's file is not on this machine, so it can't be compared with the sky: make a draft of a copy, with "
            "ImageDraft.from_wtml or from_image"
        )
    if not is_tan(values):
        path, hdu = local.pixels or local.where(local.template), local.hdu
        return picture_of_file(path, hdu), plane_of(values)
    size = padded(int(number(values, "wwt.tile_levels") or 0), width_factor_of(values))
    return _picture_of_tiles(local, size, width_factor_of(values)), plane_of(values)


def placement_of(snapped: Snapped, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a draft whose image is placed like this; of tiles, too."""
    if not is_tan(values):
        return snapped.plane.untiled()
    return snapped.plane.tiled(snapped.size, width_factor_of(values), int(number(values, "wwt.tile_levels") or 0))


def marks_of(snapped: Snapped) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return, for each agreeing part, where the image would have it and where the reference does: RA and Dec, degrees."""
    marks = []
    for pixel, there in snapped.marks:
        ra, dec = snapped.plane.sky(*pixel)
        marks.append(((float(ra), float(dec)), there))
    return marks


def _picture_of_tiles(local: LocalImage, size: tuple[int, int], width_factor: int) -> Picture:
    """Return the picture in the finest level of a pyramid that has at most 2560 pixels a side."""
    import numpy as np
    from PIL import Image

    if local.fits or "{Q}" in local.template:
        kind = "Tiles of FITS pixels" if local.fits else "Tiles with a quad tree's names"
        raise SourceError(f"{kind} can't be compared with the sky: snap a draft of the picture that they were cut from")
    levels = levels_of(size, width_factor)
    level = next(each for each in range(levels, -1, -1) if each == 0 or max(padded(each, width_factor)) <= LARGEST)
    width, height = padded(level, width_factor)
    pixels = np.full((height, width), np.nan, np.float32)
    for y in range(height // TILE):
        for x in range(width // TILE):
            relative = local.tile(level, x, y)
            if not local.where(relative).is_file():
                continue  # a hole in the pyramid
            with errors_of(local.where(relative)), Image.open(io.BytesIO(local.read(relative))) as image:
                rgba = np.asarray(image.convert("RGBA").resize((TILE, TILE)), dtype=np.float32)
            there = slice(TILE * y, TILE * y + TILE), slice(TILE * x, TILE * x + TILE)
            pixels[there] = np.where(rgba[..., 3] > 0, rgba[..., :3].mean(2), np.nan)
    if not np.isfinite(pixels).any():
        raise SourceError(f"The image has no tiles of level {level}: make the tiles again")
    return Picture(pixels, 2 ** (levels - level), size)


def fits_reference(path: str | Path, plane: Plane, size: tuple[int, int]) -> Reference:
    """Return the part of a FITS image with a WCS around a picture, read with bounded memory.

    Parameters
    ----------
    path : str or Path
    plane, size : Plane, (int, int)
        Where the picture is thought to be, and its width and height in pixels.

    Raises
    ------
    SolveError
        If the reference shows another part of the sky.
    SourceError
        If it can't be read, or has no WCS.
    """
    import numpy as np

    path = file_path(path, "reference image")
    with errors_of(path), quiet(), open_fits(path) as hdus:
        chosen = chosen_image(hdus, path.name)
        header, _ = described_by(chosen, hdus)
        wcs, _ = celestial_wcs(header, path.name, hdus)
        rows, columns = chosen.plane_shape
        far = _MARGIN * max(size)
        x, y = (np.linspace(-far, side + far, 9) for side in size)
        at = wcs.world_to_pixel_values(*plane.sky(*np.meshgrid(x, y)))
        at = [np.asarray(each)[np.isfinite(at[0]) & np.isfinite(at[1])] for each in at]
        if at[0].size < 4:
            raise no_match(path.name)
        (left, right), (low, high) = (
            (max(0, int(each.min())), min(side, int(each.max()) + 1))
            for each, side in zip(at, (columns, rows), strict=True)
        )
        if right - left < 8 or high - low < 8:
            raise no_match(path.name)
        factor = -(-max(right - left, high - low) // _SIDE)
        values = means_of(chosen.pixels[low:high, left:right], factor)
        if not np.isfinite(values).any():
            raise no_match(path.name)
        degrees = float(np.sqrt(np.abs(np.linalg.det(wcs.celestial.pixel_scale_matrix)))) * factor

    sampled = _sampler(values)

    def draw(plane: Plane, x: Array, y: Array) -> Array:
        with quiet():
            column, row = wcs.world_to_pixel_values(*plane.sky(x, y))
        return sampled((row - low - (factor - 1) / 2) / factor, (column - left - (factor - 1) / 2) / factor)

    return Reference(draw, degrees, path.name)


class View(NamedTuple):
    """A gnomonic view of the sky around a picture."""

    ra: float
    dec: float
    fov: float
    """Height in degrees."""
    roll: float
    """Position angle of "up" in degrees."""
    width: int
    height: int
    """Size in pixels."""

    @property
    def plane(self) -> Plane:
        """The plane of its pixels."""
        scale = 2 * math.degrees(math.tan(math.radians(self.fov) / 2)) / self.height
        return Plane(self.ra, self.dec, self.width / 2, self.height / 2, scale, self.roll)


def view_around(plane: Plane, size: tuple[int, int]) -> View:
    """Return the view in which a picture can be searched: with a margin, along its edges, at the scale at which it is registered."""
    width, height = size
    ra, dec = plane.sky(width / 2, height / 2)
    east, north = sky_to_plane(*plane.sky(width / 2, height / 2 + 1), ra, dec)
    pixel = math.hypot(east, north) * max(1, -(-max(size) // FINEST))
    margin = 2 * _VIEW_MARGIN * max(size)
    sides = [math.ceil((side + margin) * math.hypot(east, north) / pixel) for side in size]
    most = 2 * math.degrees(math.tan(math.radians(_WIDEST / 2))) / pixel
    columns, rows = (max(16, min(side, int(most))) for side in sides)
    fov = 2 * math.degrees(math.atan(math.radians(rows * pixel) / 2))
    return View(float(ra), float(dec), fov, math.degrees(math.atan2(east, north)), columns, rows)


def picture_of_sky(content: bytes) -> Array:
    """Return the brightness of a PNG of the sky, rows from the top; NaN where it is transparent."""
    import numpy as np
    from PIL import Image

    with errors_of(Path("The picture of the sky")), Image.open(io.BytesIO(content)) as image:
        gray, opacity = np.asarray(image.convert("LA"), dtype=np.float32).transpose(2, 0, 1)
    return np.where(opacity > 250, gray, np.nan)


def sky_reference(pixels: Array, plane: Plane, pixel: float, name: str) -> Reference:
    """Return a picture of the sky as a reference.

    Parameters
    ----------
    pixels : array of float
        Its brightness, rows from the top; NaN where it shows nothing.
    plane : Plane
        Where it is, in its own pixels.
    pixel : float
        Degrees along a side of a pixel of what it was drawn from; its own may be smaller.
    name : str
        Name of the survey.
    """
    if not (pixels == pixels).any():
        raise SolveError(f"{name} shows nothing around the image. Choose another one under “Sky”")
    height, sampled = pixels.shape[0], _sampler(pixels)

    def draw(at: Plane, x: Array, y: Array) -> Array:
        column, up = plane.pixel(*at.sky(x, y))
        return sampled(height - up - 0.5, column - 0.5)

    return Reference(draw, max(pixel, plane.scale), name)


def _sampler(values: Array) -> Callable[[Array, Array], Array]:
    """Return a function that gives values between pixels, whose middles have whole numbers; NaN beside unknown ones, and outside.

    Between pixels that are coarser than the picture's, anything less than a cubic spline would move the stars.
    """
    import numpy as np
    from scipy.ndimage import map_coordinates, spline_filter

    known = np.isfinite(values)
    low = float(np.nanmedian(values))
    spline = spline_filter(np.where(known, values, low), order=3, output=np.float32)
    beside = known.astype(np.float32)

    def sampled(row: Array, column: Array) -> Array:
        at = np.nan_to_num(np.stack([row, column]), nan=-1e6)
        there = map_coordinates(beside, at, order=1, cval=0.0) > 0.999
        result = map_coordinates(spline, at, order=3, prefilter=False, cval=low)
        return np.asarray(np.where(there, result, np.nan))

    return sampled
