"""FITS files opened, and their HDUs as far as they can be read; packed ones are unpacked no farther than makes sense."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import SourceError

_MOST = 10_000  # HDUs; a packed file of a few megabytes can hold millions
_BLOCK = 2880  # bytes; astropy reads headers in blocks, and pixels at once
_LONGEST_HEADER = 4096  # blocks in a row
_LARGEST = 2 << 30  # bytes that are unpacked at once, or passed over
_ENDLESS = ("_CorruptedHDU", "_NonstandardHDU")
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "ZIP", b"\x1f\x9d": "compress"}


def open_fits(source: Any) -> Any:
    """An HDUList of a file, or of the unpacked content of one; its headers are read when they are asked for.

    Raises
    ------
    SourceError
        When it is packed in a way that is not known here.
    OSError
        When it can't be read.
    """
    from astropy.io import fits

    if not isinstance(source, Path):
        return fits.open(source)
    packed = packed_with(source)
    if packed is None:
        return fits.open(source)
    if packed not in _UNPACKED:
        raise SourceError(f"{source.name} is packed with {packed}: unpack it first")
    return fits.open(_UNPACKED[packed](source))


def packed_with(path: Path) -> str | None:
    """The name of what packed a file as a whole; None if it is not."""
    with path.open("rb") as file:
        start = file.read(6)
    return next((name for magic, name in _PACKED.items() if start.startswith(magic)), None)


def readable_hdus(hdus: Any) -> Iterator[Any]:
    """The HDUs in front of the first broken one, whose end nobody knows: in a packed file astropy finds it again and again, for ever."""
    for hdu in islice(hdus, _MOST):
        if type(hdu).__name__ in _ENDLESS:
            return
        yield hdu


class _Bounded:
    """A packed file of which nobody unpacks more than the memory holds, whatever it declares."""

    _blocks = _end = 0

    def read(self, size: int | None = -1) -> bytes:
        size = -1 if size is None else size
        self._blocks = self._blocks + 1 if 0 <= size <= _BLOCK and self.tell() == self._end else 0
        if self._blocks > _LONGEST_HEADER:
            raise OSError("its header has no end")
        content = super().read(min(size, _LARGEST + 1) if size >= 0 else _LARGEST + 1)
        self._end = self.tell()
        _check(len(content))
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        _check(offset - self.tell() if whence == 0 else 0)
        return super().seek(offset, whence)


class BoundedGzip(_Bounded, gzip.GzipFile):
    """See `_Bounded`."""


class _BoundedBzip2(_Bounded, bz2.BZ2File):
    pass


class _BoundedXz(_Bounded, lzma.LZMAFile):
    pass


_UNPACKED = {"gzip": BoundedGzip, "bzip2": _BoundedBzip2, "xz": _BoundedXz}


def _check(length: int) -> None:
    if length > _LARGEST:
        raise OSError(f"it is packed, and holds more than {_LARGEST >> 30} GB: unpack it first")
