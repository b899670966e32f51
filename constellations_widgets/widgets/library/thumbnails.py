"""Small pictures of large ones, for the page."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import ConstellationsError

THUMBNAIL = 192
"""Pixels of a thumbnail's longer side."""
PICTURE = 1024
"""Pixels of the longer side of an image that somebody looks at."""
MOST_BYTES = 32 << 20
"""Bytes of an image of which a thumbnail is made."""
_MOST_PIXELS = 50_000_000  # which are decoded; a JPEG is decoded smaller than it is
_MOST_KEPT = 500


class NoThumbnail(ConstellationsError):
    """Why there is no small picture of an image, in a few words."""


@dataclass(frozen=True)
class SmallPicture:
    """What the page shows of an image."""

    content: bytes
    content_type: str
    size: tuple[int, int]
    """Width and height of the image itself, in pixels."""


def small_picture(content: bytes, side: int) -> SmallPicture:
    """A JPEG or PNG of at most `side` pixels on a side.

    Raises
    ------
    NoThumbnail
        If this is no picture that can be shown.
    """
    try:
        from PIL import Image
    except ImportError:
        raise NoThumbnail('Thumbnails need Pillow: pip install "constellations_widgets[sources]"') from None
    if content.startswith(b"SIMPLE  ="):
        raise NoThumbnail("A FITS file: “Show on the sky” draws it.")
    try:
        with Image.open(io.BytesIO(content)) as image:
            size = image.size
            image.draft("RGB", (2 * side, 2 * side))
            if image.width * image.height > _MOST_PIXELS:
                raise NoThumbnail(f"{size[0]} × {size[1]} pixels: too many for a thumbnail.")
            image.thumbnail((side, side))
            has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
            small = io.BytesIO()
            if has_alpha:
                image.convert("RGBA").save(small, "PNG")
            else:
                image.convert("RGB").save(small, "JPEG", quality=82)
    except NoThumbnail:
        raise
    except Image.DecompressionBombError:
        raise NoThumbnail("Too many pixels for a thumbnail.") from None
    except Exception:  # Pillow has many ways to fail at a broken file
        raise NoThumbnail("Not an image that can be shown.") from None
    return SmallPicture(small.getvalue(), "image/png" if has_alpha else "image/jpeg", size)


class Thumbnails:
    """Keeps the latest small pictures, and why others could not be made.

    Parameters
    ----------
    read : function of an image's id
        The bytes of the image.
    """

    def __init__(self, read: Callable[[str], bytes]):
        self._read = read
        self._kept: OrderedDict[str, SmallPicture | NoThumbnail] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, id: str) -> SmallPicture:
        """The thumbnail of an image; what `read` raises is not kept. Raises NoThumbnail."""
        with self._lock:
            found = self._kept.get(id)
            if found is not None:
                self._kept.move_to_end(id)
        if found is None:
            found = self._made(id)
            with self._lock:
                self._kept[id] = found
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        if isinstance(found, NoThumbnail):
            raise found.with_traceback(None)
        return found

    def _made(self, id: str) -> SmallPicture | NoThumbnail:
        content = self._read(id)
        try:
            return small_picture(content, THUMBNAIL)
        except NoThumbnail as error:
            return error
