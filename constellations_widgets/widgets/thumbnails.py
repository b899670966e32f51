"""Thumbnails for the page: of images of the library, and of drafts with local files."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConstellationsError
from ..publishing.probes import THUMBNAIL_SIZE
from ..sources.drawing import eight_bits
from ..sources.quiet import quiet

if TYPE_CHECKING:
    from ..draft import ImageDraft

THUMBNAIL = 192
"""Pixels of a thumbnail's longer side."""
PICTURE = 1024
"""Pixels of the longer side of an image that is opened."""
MOST_BYTES = 32 << 20
"""Maximum size in bytes of an image of which a thumbnail is made."""
_MOST_PIXELS = 50_000_000  # which are decoded; a JPEG is decoded smaller than it is
_MOST_KEPT = 500


class NoThumbnailError(ConstellationsError):
    """There is no small picture of an image; the message says why in a few words."""


@dataclass(frozen=True)
class SmallPicture:
    """A small picture of an image."""

    content: bytes
    content_type: str
    size: tuple[int, int]
    """Width and height of the image itself, in pixels."""


def small_picture(content: bytes, side: int) -> SmallPicture:
    """Return a JPEG or PNG of at most `side` pixels on a side.

    Raises
    ------
    NoThumbnailError
        If this is not a picture that can be shown.
    """
    from PIL import Image

    if content.startswith(b"SIMPLE  ="):
        raise NoThumbnailError("A FITS file: “Show on the sky” draws it.")
    try:
        with quiet(), Image.open(io.BytesIO(content)) as image:
            size = image.size
            image.draft("RGB", (2 * side, 2 * side))
            if image.width * image.height > _MOST_PIXELS:
                raise NoThumbnailError(f"{size[0]} × {size[1]} pixels: too many for a thumbnail.")
            picture = eight_bits(image, "The image")
            picture.thumbnail((side, side))
            has_alpha = picture.mode in ("RGBA", "LA")
            small = io.BytesIO()
            if has_alpha:
                picture.save(small, "PNG")
            else:
                picture.save(small, "JPEG", quality=82)
    except NoThumbnailError:
        raise
    except Image.DecompressionBombError:
        raise NoThumbnailError("Too many pixels for a thumbnail.") from None
    except Exception:  # noqa: BLE001  (Pillow has many ways to fail at a broken file)
        raise NoThumbnailError("Not an image that can be shown.") from None
    return SmallPicture(small.getvalue(), "image/png" if has_alpha else "image/jpeg", size)


class Thumbnails:
    """Cache of the latest small pictures, and of the reasons why others could not be made.

    Parameters
    ----------
    read : callable
        Called with an image's id; returns the bytes of the image.
    """

    def __init__(self, read: Callable[[str], bytes]):
        self._read = read
        self._kept: OrderedDict[str, SmallPicture | NoThumbnailError] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, id: str) -> SmallPicture:
        """Return the thumbnail of an image. Errors of `read` are not cached. Raises NoThumbnailError."""
        with self._lock:
            found = self._kept.get(id)
            if found is not None:
                self._kept.move_to_end(id)
        if found is None:
            found = self._make(id)
            with self._lock:
                self._kept[id] = found
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        if isinstance(found, NoThumbnailError):
            raise found.with_traceback(None)
        return found

    def _make(self, id: str) -> SmallPicture | NoThumbnailError:
        content = self._read(id)
        try:
            return small_picture(content, THUMBNAIL)
        except NoThumbnailError as error:
            return error


def has_thumbnail(draft: ImageDraft) -> bool:
    """Return whether a draft has local files of which a thumbnail may be made."""
    return draft.local is not None and not draft.local.fits


def thumbnail(draft: ImageDraft, side: int = max(THUMBNAIL_SIZE)) -> SmallPicture | None:
    """Return a picture of a draft's local files, of at most `side` pixels on a side; None if none can be made."""
    local = draft.local
    if local is None or local.fits:
        return None
    try:
        if local.where(local.top).stat().st_size > MOST_BYTES:
            return None
        return small_picture(local.read(local.top), side)
    except (OSError, ConstellationsError):  # no file, a broken file: it is shown without
        return None
