"""Pictures that are larger than WWT can draw at once, made smaller for the preview."""

from __future__ import annotations

import functools
import io
from pathlib import Path

from ..errors import SourceError

LARGEST = 8192
"""Pixels of a side up to which every computer's graphics can draw a picture; WWT shows nothing of a larger one on many."""

_SHOWN = 4096  # pixels of a side that a larger one has in the preview


def factor_of(size: tuple[int, int]) -> int:
    """Pixels of a picture along a side of one that is shown."""
    longest = max(size)
    return 1 if longest <= LARGEST else -(-longest // _SHOWN)


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a picture in pixels.

    Raises
    ------
    OSError
        If it can't be read, or is no picture.
    SourceError
        If it has more pixels than this machine should unpack.
    """
    about = path.stat()
    return _size_of(path, (about.st_mtime_ns, about.st_size))


def smaller_picture(path: Path, factor: int) -> bytes:
    """The picture with means of factor × factor pixels, counted from its upper left corner. Raises what `size_of` does."""
    from PIL import Image

    size_of(path)
    with Image.open(path) as image:
        kind = image.format or "PNG"
        plain = image.convert("RGBA") if image.mode in ("P", "PA", "LA") else image
        stream = io.BytesIO()
        plain.reduce(factor).save(stream, kind)
    return stream.getvalue()


@functools.lru_cache(maxsize=64)
def _size_of(path: Path, _version: tuple[int, int]) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.size
    except Image.DecompressionBombError:
        raise SourceError(
            f"{path.name} has more pixels than can be drawn at once: make tiles of it first (cxw.tile)"
        ) from None
