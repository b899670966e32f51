"""Detect the stars of a picture: their positions and brightness, in pixels of the original."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SolveError, SourceError
from ..sources import vips_picture
from ..sources.drawing import is_deep_gray, open_header, plain_mode
from ..sources.fits_pixels import means_of
from ..sources.hdus import HduChoice, chosen_image, is_fits, open_fits
from ..sources.quiet import quiet

if TYPE_CHECKING:
    import numpy as np

LARGEST = 2560
"""Pixels of a side above which blocks of pixels are averaged before stars are searched."""

MOST_STARS = 1000
"""Most stars that are kept, the brightest."""

_MESHES = (64, 16)  # pixels of a side of the mesh of the background; the finer one where nebulosity is bright
_THRESHOLDS = (5.0, 12.0, 40.0)  # in units of the noise; the higher ones where the field is too crowded for sep
_FEWEST_PIXELS = 4
_MOST_OBJECTS = 20_000


@dataclass(frozen=True)
class DetectedStars:
    """The stars of a picture, the brightest first.

    Attributes
    ----------
    size : (int, int)
        Width and height of the picture in pixels.
    x, y : array of float
        Pixels right and down from the picture's upper left corner.
    flux : array of float
        Brightness, in the picture's own units.
    """

    size: tuple[int, int]
    x: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    flux: np.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.x)

    def to_json(self) -> dict[str, Any]:
        """Return the stars as plain data."""
        return {"size": self.size, **{name: [float(v) for v in getattr(self, name)] for name in ("x", "y", "flux")}}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> DetectedStars:
        """Return the stars that `to_json` described."""
        import numpy as np

        width, height = saved["size"]
        return cls((width, height), *(np.array(saved[name], dtype=float) for name in ("x", "y", "flux")))


def detect_stars(path: Path, hdu: HduChoice | None = None) -> DetectedStars:
    """Return the stars of a picture or a FITS image.

    Colors are averaged. A picture of more than 2560 pixels a side is reduced while it is read.

    Parameters
    ----------
    path : Path
        A JPEG, PNG, TIFF or FITS file.
    hdu : int, str or (str, int), optional
        Number or name of the HDU of a FITS file, or its EXTNAME and EXTVER.

    Raises
    ------
    SourceError
        If the file can't be read.
    """
    with quiet():
        pixels, factor, size = brightness(path, hdu)
    found = _objects(pixels)
    return DetectedStars(size, (found[0] + 0.5) * factor, (found[1] + 0.5) * factor, found[2])


def brightness(path: Path, hdu: HduChoice | None = None) -> tuple[np.ndarray[Any, Any], int, tuple[int, int]]:
    """Return the brightness of a picture's pixels, rows from the top, averaged over blocks; the block's side; the size.

    Raises
    ------
    SourceError
        If the file can't be read.
    """
    with errors_of(path):
        return _of_fits(path, hdu) if is_fits(path) else _of_picture(path)


def _of_fits(path: Path, hdu: HduChoice | None) -> tuple[np.ndarray[Any, Any], int, tuple[int, int]]:
    with open_fits(path) as hdus:
        chosen = chosen_image(hdus, path.name, hdu)
        height, width = chosen.plane_shape
        factor = _factor((width, height))
        # Blocks are counted from the top, as the rows are: the last one, at the bottom, may hold fewer.
        pixels = means_of(chosen.pixels[::-1], factor)
    return pixels, factor, (width, height)


def _of_picture(path: Path) -> tuple[np.ndarray[Any, Any], int, tuple[int, int]]:
    import numpy as np

    with open_header(path) as header:
        size, mode = header.size, header.mode
        factor = _factor(size)
        if factor > 1 and vips_picture.can_read(path):
            return _by_vips(path, factor), factor, size
        if factor > 1 and header.format == "JPEG":
            header.draft("L", (size[0] // factor, size[1] // factor))  # decoded at a half, a quarter or an eighth
        if not is_deep_gray(mode):
            image = header.convert("RGB" if "A" in (plain := plain_mode(header, path.name)) else plain).convert("L")
        else:
            image = header.copy()
    values = np.asarray(image, dtype=np.float32)
    decoded = round(size[0] / values.shape[1])
    return means_of(values, max(1, factor // decoded)), max(1, factor // decoded) * decoded, size


def _by_vips(path: Path, factor: int) -> np.ndarray[Any, Any]:
    """Return the means of blocks of a picture of any size; libvips reads it in strips."""
    import numpy as np
    import pyvips

    image = pyvips.Image.new_from_file(str(path), access="sequential")
    if image.hasalpha():
        image = image.flatten()
    small = image.bandmean().cast("float").shrink(factor, factor, ceil=True)
    return np.asarray(small.numpy(), dtype=np.float32)


def size_of(path: Path, hdu: HduChoice | None = None) -> tuple[int, int]:
    """Return width and height of a picture or a FITS image in pixels; only headers are read.

    Raises
    ------
    SourceError
        If the file can't be read.
    """
    with quiet(), errors_of(path):
        if is_fits(path):
            with open_fits(path) as hdus:
                height, width = chosen_image(hdus, path.name, hdu).plane_shape
            return width, height
        with open_header(path) as header:
            return header.size


@contextlib.contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Context in which every error of reading a picture becomes a SourceError that names its file."""
    try:
        yield
    except SourceError:
        raise
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the name") from None
    except Exception as error:  # Pillow, libvips and astropy raise many kinds of errors  # noqa: BLE001
        raise SourceError(f"{path.name} can't be read as a picture ({error or type(error).__name__})") from None


def _factor(size: tuple[int, int]) -> int:
    return -(-max(size) // LARGEST)


def _objects(pixels: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """Return x, y and flux of point-like objects, the brightest first."""
    import numpy as np
    import sep

    known = np.isfinite(pixels)
    if not known.any():
        raise SolveError("The picture has no pixel with a value: there are no stars to be found")
    values = np.ascontiguousarray(np.where(known, pixels, np.median(pixels[known])), dtype=np.float32)
    mask = None if known.all() else ~known
    if _is_negative(values[known]):
        values = -values
    sep.set_extract_pixstack(2_000_000)
    sep.set_sub_object_limit(4096)
    mesh = max(8, min(_MESHES[0], *(side // 4 for side in values.shape)))
    background = sep.Background(values, mask=mask, bw=mesh, bh=mesh)
    values -= background.back()
    noise = background.globalrms or float(values.std()) or 1.0
    for threshold in _THRESHOLDS:
        try:
            found = sep.extract(values, threshold, err=noise, mask=mask, minarea=_FEWEST_PIXELS)
        except Exception as error:  # sep raises plain exceptions if its buffers are full  # noqa: BLE001
            if threshold == _THRESHOLDS[-1]:
                raise SolveError(f"The picture's stars can't be told apart ({error}): give a part of it") from None
            continue
        if len(found) < _MOST_OBJECTS:
            break
    return _point_like(found, values)


def _is_negative(values: np.ndarray[Any, Any]) -> bool:
    """Return whether stars are dark on a bright sky, as on a scanned photographic plate."""
    import numpy as np

    low, middle, high = np.percentile(values, [0.1, 50, 99.9])
    return bool(high - middle < 0.3 * (middle - low))


def _point_like(found: Any, values: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """Return centroids and fluxes of the objects that may be stars: not much wider than most of the bright ones."""
    import numpy as np
    import sep

    found = found[np.argsort(-found["flux"])][: 3 * MOST_STARS]
    if not len(found):
        return np.empty(0), np.empty(0), np.empty(0)
    sigma = np.sqrt(found["a"] * found["b"])
    usual = max(float(np.median(sigma[:200])), 0.7)
    found = found[(sigma < 4 * usual) & (found["a"] < 12 * usual)][:MOST_STARS]
    x, y, flag = sep.winpos(values, found["x"], found["y"], np.clip(np.sqrt(found["a"] * found["b"]), 0.7, 3 * usual))
    moved = np.hypot(x - found["x"], y - found["y"])
    good = (flag == 0) & (moved < found["a"])
    return np.where(good, x, found["x"]), np.where(good, y, found["y"]), found["flux"]
