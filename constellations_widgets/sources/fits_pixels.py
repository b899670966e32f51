"""The pixels of FITS files as WWT's engine reads them: one plane of 32-bit floats, not too large, and nothing else in the file."""

from __future__ import annotations

import functools
import io
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from .fits import image_of
from .hdus import BoundedGzip, open_fits

if TYPE_CHECKING:
    import numpy as np

LARGEST = 4096
"""Pixels of a side above which only means of blocks of pixels are shown."""

_CUTS = (0.005, 0.995)  # toasty's own choice
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
        What has to be said about it; mostly "".
    """

    content: bytes
    size: tuple[int, int]
    factor: int
    quantiles: tuple[float, ...]
    words: str = ""

    @property
    def cuts(self) -> tuple[float, float]:
        """The values to be drawn darkest and brightest, the lower one first."""
        low, high = (self.quantiles[round(part * (_QUANTILES - 1))] for part in _CUTS)
        if low < high:
            return low, high
        low, high = self.quantiles[0], self.quantiles[-1]
        return (low, high) if low < high else (low, low + (abs(low) or 1.0))


@dataclass(frozen=True)
class FitsShape:
    """Width and height of a FITS image in pixels, and the `factor` by which it is made smaller to be shown."""

    size: tuple[int, int]

    @property
    def factor(self) -> int:
        return -(-max(self.size) // LARGEST)


def shape_of(path: Path) -> FitsShape:
    """The size of the image that `pixels_of` shows; only the file's headers are read.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    SourceError
        If it holds no image that can be shown.
    """
    return _shape_of(path, _version(path))


def pixels_of(path: Path) -> FitsPixels:
    """The image of a FITS file that `from_fits` would take, ready to be shown. May be gzipped or packed by fpack.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    SourceError
        If it holds no image that can be shown.
    """
    with _reading:  # the pixels and what is known of them are asked for at the same time
        return _pixels_of(path, _version(path))


def plain_tile(content: bytes, what: str) -> bytes:
    """A FITS tile as a file of 32-bit floats; SourceError names `what` if that can't be."""
    return _encode(_tile(content, what))


def tile_pixels(content: bytes, what: str) -> FitsPixels:
    """A FITS tile with its quantiles."""
    pixels = _tile(content, what)
    return FitsPixels(b"", pixels.shape[::-1], 1, _quantiles(pixels, what))


def _version(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_mtime_ns, about.st_size


@functools.lru_cache(maxsize=64)
def _shape_of(path: Path, _version: tuple[int, int]) -> FitsShape:
    with _opened(path, path.name) as hdus:
        height, width = image_of(hdus, path.name)[0].shape[-2:]
    return FitsShape((width, height))


@functools.lru_cache(maxsize=2)  # every preview of a draft shows the same
def _pixels_of(path: Path, _version: tuple[int, int]) -> FitsPixels:
    with _opened(path, path.name) as hdus:
        hdu, _ = image_of(hdus, path.name)
        height, width = hdu.shape[-2:]
        factor = FitsShape((width, height)).factor
        pixels = _smaller(hdu.data.reshape(height, width), factor)
    words = (
        factor > 1
        and f"{path.name} has {width} × {height} pixels; each pixel shown is the mean of {factor} × {factor}."
    )
    return FitsPixels(_encode(pixels), pixels.shape[::-1], factor, _quantiles(pixels, path.name), words or "")


def _tile(content: bytes, what: str) -> np.ndarray[Any, Any]:
    stream = io.BytesIO(content)
    with _opened(BoundedGzip(fileobj=stream) if content[:2] == b"\x1f\x8b" else stream, what) as hdus:
        hdu, _ = image_of(hdus, what)
        height, width = hdu.shape[-2:]
        if max(height, width) > LARGEST:
            raise SourceError(f"{what} has {width} × {height} pixels: a tile is no larger than {LARGEST}")
        return _floats(hdu.data.reshape(height, width))


class _opened:
    """The HDUs of a FITS file; whatever astropy raises at a broken one is a SourceError."""

    def __init__(self, source: Any, what: str):
        self._source, self._what = source, what

    def __enter__(self) -> Any:
        self._quiet = warnings.catch_warnings()
        self._quiet.__enter__()
        warnings.simplefilter("ignore")
        try:
            self._hdus = open_fits(self._source)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self._hdus

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        self._quiet.__exit__(None, None, None)
        if hasattr(self, "_hdus"):
            self._hdus.close()
        system = isinstance(error, OSError) and error.errno is not None
        if isinstance(error, Exception) and not system and not isinstance(error, SourceError):
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
            raise SourceError(f"{self._what} is no FITS image that can be read ({reason})") from None


def _floats(values: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    with np.errstate(over="ignore"):
        pixels = np.asarray(values).astype(np.float32)
    pixels[~np.isfinite(pixels)] = np.nan
    return pixels


def _smaller(values: Any, factor: int) -> np.ndarray[Any, Any]:
    """Means of blocks of factor × factor pixels, counted from the lower left corner; what is not finite does not count."""
    import numpy as np

    if factor == 1:
        return _floats(values)
    height, width = values.shape
    rows, columns = -(-height // factor), -(-width // factor)
    result = np.empty((rows, columns), np.float32)
    for row in range(rows):  # one at a time: the file may be larger than the memory
        strip = np.full((factor, columns * factor), np.nan)
        part = np.asarray(values[row * factor : (row + 1) * factor], dtype=float)
        strip[: part.shape[0], :width] = np.where(np.isfinite(part), part, np.nan)
        blocks = strip.reshape(factor, columns, factor)
        count = np.isfinite(blocks).sum(axis=(0, 2))
        with np.errstate(invalid="ignore", over="ignore"):
            result[row] = np.nansum(blocks, axis=(0, 2)) / np.where(count, count, np.nan)
    return _floats(result)


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
