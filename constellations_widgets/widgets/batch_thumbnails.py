"""Small pictures of images on this machine's disk, for lists."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ..publishing.probes import THUMBNAIL_SIZE

if TYPE_CHECKING:
    from ..draft import ImageDraft

_MOST_BYTES = 32 * 2**20
_MOST_PIXELS = 60_000_000


def has_thumbnail(draft: ImageDraft) -> bool:
    """Whether there are local files that a thumbnail may be made of."""
    return draft.local is not None and not draft.local.fits


def thumbnail(draft: ImageDraft) -> bytes | None:
    """A small JPEG picture of the draft's image, drawn anew from its local files; None where there is nothing to draw."""
    if not has_thumbnail(draft):
        return None
    try:
        from PIL import Image

        path = draft.local.where(draft.local.top)
        if path.stat().st_size > _MOST_BYTES:
            return None
        with Image.open(io.BytesIO(draft.local.read(draft.local.top))) as image:
            if image.width * image.height > _MOST_PIXELS:
                return None
            image.draft("RGB", (2 * THUMBNAIL_SIZE[0], 2 * THUMBNAIL_SIZE[1]))
            image.thumbnail(THUMBNAIL_SIZE)
            stream = io.BytesIO()
            image.convert("RGB").save(stream, "JPEG", quality=80)
        return stream.getvalue()
    except Exception:  # noqa: BLE001  (no Pillow, no file, a broken one: a list does without)
        return None
