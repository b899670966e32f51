"""FITS pixels in the only form WWT's engine reads: one plane of 32-bit floats, of limited size."""

from __future__ import annotations

import contextlib
import functools
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..text import last_line
from .hdus import BoundedGzip, chosen_plane, open_fits
from .quiet import quiet

if TYPE_CHECKING:
    import numpy as np

LARGEST = 4096
"""Pixels of a side above which only means of blocks of pixels are shown."""

_CUTS = (0.005, 0.995)  # as toasty does
_QUANTILES = 513
_BLOCK = 2880
_reading = threading.Lock()


@dataclass(frozen=True)
class FitsPixels:
    """A FITS image as it is shown.

    Attributes
    ----------
    content : bytes
        A FITS file of 32-bit floats, rows from the bottom. What has no finite value is NaN.
    size : (int, int)
        Width and height in pixels.
    factor : int
        Pixels of the original along a side of one of these.
    quantiles : tuple of float
        Values below which 0/512, 1/512, … 512/512 of the finite pixels are.
    words : str
        A remark about the image; usually "".
    """

    content: bytes
    size: tuple[int, int]
    factor: int
    quantiles: tuple[float, ...]
    words: str = ""

    @property
    def cuts(self) -> tuple[float, float]:
        """The values drawn darkest and brightest, the lower one first."""
        low, high = (self.quantiles[round(part * (_QUANTILES - 1))] for part in _CUTS)
        if low < high:
            return low, high
        low, high = self.quantiles[0], self.quantiles[-1]
        return (low, high) if low < high else (low, low + (abs(low) or 1.0))


@dataclass(frozen=True)
class FitsShape:
    """Width and height of a FITS image in pixels, and the `factor` by which it is reduced for the preview."""

    size: tuple[int, int]

    @property
    def factor(self) -> int:
        """Pixels of the original along a side of one shown pixel."""
        return -(-max(self.size) // LARGEST)


def shape_of(path: Path, hdu: int | None = None) -> FitsShape:
    """Return the size of the image that `pixels_of` shows; only the file's headers are read.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    SourceError
        If it holds no image that can be shown.
    """
    return _shape_of(path, hdu, _version(path))


def pixels_of(path: Path, hdu: int | None = None) -> FitsPixels:
    """Return the FITS image that `from_fits` reads, ready for the preview. It may be gzipped or packed by fpack.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    SourceError
        If it holds no image that can be shown.
    """
    with _reading:  # the page requests the pixels and their metadata at the same time
        return _pixels_of(path, hdu, _version(path))


def plain_tile(content: bytes, what: str) -> bytes:
    """Return a FITS tile as a file of 32-bit floats.

    Raises
    ------
    SourceError
        If that is impossible; the message names `what`.
    """
    return _encode(_tile(content, what))


def tile_pixels(content: bytes, what: str) -> FitsPixels:
    """Return a FITS tile with its quantiles."""
    pixels = _tile(content, what)
    return FitsPixels(b"", pixels.shape[::-1], 1, _quantiles(pixels, what))


def _version(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_mtime_ns, about.st_size


@functools.lru_cache(maxsize=64)
def _shape_of(path: Path, number: int | None, _version: tuple[int, int]) -> FitsShape:
    with _opened(path, path.name) as hdus:
        height, width = chosen_plane(hdus, path.name, number).plane_shape
    return FitsShape((width, height))


@functools.lru_cache(maxsize=2)  # all previews of a draft show the same pixels
def _pixels_of(path: Path, number: int | None, _version: tuple[int, int]) -> FitsPixels:
    with _opened(path, path.name) as hdus:
        chosen = chosen_plane(hdus, path.name, number)
        height, width = chosen.plane_shape
        factor = FitsShape((width, height)).factor
        pixels = means_of(chosen.pixels, factor)
    words = (
        factor > 1
        and f"{path.name} has {width} × {height} pixels; each pixel shown is the mean of {factor} × {factor}."
    )
    return FitsPixels(_encode(pixels), pixels.shape[::-1], factor, _quantiles(pixels, path.name), words or "")


def _tile(content: bytes, what: str) -> np.ndarray[Any, Any]:
    stream = io.BytesIO(content)
    with _opened(BoundedGzip(fileobj=stream) if content[:2] == b"\x1f\x8b" else stream, what) as hdus:
        chosen = chosen_plane(hdus, what)
        height, width = chosen.plane_shape
        if max(height, width) > LARGEST:
            raise SourceError(f"{what} has {width} × {height} pixels: a tile is no larger than {LARGEST}")
        return _floats(chosen.pixels)


@contextlib.contextmanager
def _opened(source: Any, what: str) -> Iterator[Any]:
    """Context with the HDUs of a FITS file; any error of astropy for a broken one becomes a SourceError."""
    try:
        with quiet(), open_fits(source) as hdus:
            yield hdus
    except SourceError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise SourceError(f"{what} can't be read as a FITS image ({last_line(error)})") from None


def _floats(values: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    with np.errstate(over="ignore"):
        pixels = np.asarray(values).astype(np.float32)
    pixels[~np.isfinite(pixels)] = np.nan
    return pixels


def means_of(values: Any, factor: int) -> np.ndarray[Any, Any]:
    """Return the means of factor x factor pixels, counted from the lower left corner; not-finite pixels are ignored.

    `values` has the shape (height, width), or (height, width, 3): then the means of the colors.
    """
    import numpy as np

    if factor == 1:
        return _floats(_gray(values))
    height, width = values.shape[:2]
    rows, columns = -(-height // factor), -(-width // factor)
    result = np.empty((rows, columns), np.float32)
    for row in range(rows):  # one at a time, since the file may not fit in memory
        strip = np.full((factor, columns * factor), np.nan)
        part = np.asarray(_gray(values[row * factor : (row + 1) * factor]), dtype=float)
        strip[: part.shape[0], :width] = np.where(np.isfinite(part), part, np.nan)
        blocks = strip.reshape(factor, columns, factor)
        count = np.isfinite(blocks).sum(axis=(0, 2))
        with np.errstate(invalid="ignore", over="ignore"):
            result[row] = np.nansum(blocks, axis=(0, 2)) / np.where(count, count, np.nan)
    return _floats(result)


def _gray(values: Any) -> Any:
    return values if values.ndim == 2 else values.mean(axis=2, dtype=float)


def _quantiles(pixels: np.ndarray[Any, Any], what: str) -> tuple[float, ...]:
    import numpy as np

    finite = pixels[np.isfinite(pixels)].astype(float)
    if not finite.size:
        raise SourceError(f"{what} has no finite pixel: there is nothing to draw")
    return tuple(np.quantile(finite, np.linspace(0, 1, _QUANTILES)).tolist())


def _encode(pixels: np.ndarray[Any, Any]) -> bytes:
    height, width = pixels.shape
    cards = ["SIMPLE  =                    T", "BITPIX  =                  -32", "NAXIS   =                    2"]
    cards += [f"NAXIS1  = {width:20d}", f"NAXIS2  = {height:20d}", "END"]
    header = "".join(card.ljust(80) for card in cards).ljust(_BLOCK).encode("ascii")
    data = pixels.astype(">f4").tobytes()
    return header + data + bytes(-len(data) % _BLOCK)
