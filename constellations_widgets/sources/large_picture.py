"""Reduce pictures that are too large for WWT to draw at once, for the preview."""

from __future__ import annotations

import functools
import io

from ..errors import SourceError
from ..interface import in_terms
from .drawing import eight_bits
from .local import LocalImage
from .quiet import quiet

LARGEST = 8192
"""Pixels of a side up to which every computer's graphics can draw a picture; WWT shows nothing of a larger one on many."""

_SHOWN = 4096  # most pixels per side in the preview


def factor_of(size: tuple[int, int]) -> int:
    """Return how many of a picture's pixels per side are merged into one for the preview."""
    longest = max(size)
    return 1 if longest <= LARGEST else -(-longest // _SHOWN)


def size_of(local: LocalImage) -> tuple[int, int]:
    """Return width and height of a picture in pixels.

    Raises
    ------
    OSError
        If it can't or may not be read, or is not a picture.
    SourceError
        If it has more pixels than this machine should unpack.
    """
    about = local.guarded(local.top).stat()
    return _size_of(local, (about.st_mtime_ns, about.st_size))


def smaller_picture(local: LocalImage, factor: int) -> bytes:
    """Return the means of factor x factor pixels of a picture, from its upper left corner. Raises as `size_of`."""
    from PIL import Image

    size_of(local)
    with quiet(), local.open(local.top) as file, Image.open(file) as image:
        stream = io.BytesIO()
        eight_bits(image, local.where(local.top).name).reduce(factor).save(stream, image.format or "PNG")
    return stream.getvalue()


@functools.lru_cache(maxsize=64)
def _size_of(local: LocalImage, _version: tuple[int, int]) -> tuple[int, int]:
    from PIL import Image

    try:
        with quiet(), local.open(local.top) as file, Image.open(file) as image:
            return image.size
    except Image.DecompressionBombError:
        raise SourceError(
            f"{local.where(local.top).name} has more pixels than can be drawn at once: make tiles of it first ({in_terms('cxw.tile', 'constellations-widgets tile')})"
        ) from None
