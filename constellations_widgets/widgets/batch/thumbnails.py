"""Small pictures of drafts' images on this machine's disk, for the rows of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ConstellationsError
from ...publishing.probes import THUMBNAIL_SIZE
from ..library.thumbnails import MOST_BYTES, small_picture

if TYPE_CHECKING:
    from ...draft import ImageDraft


def has_thumbnail(draft: ImageDraft) -> bool:
    """Whether there are local files that a thumbnail may be made of."""
    return draft.local is not None and not draft.local.fits


def thumbnail(draft: ImageDraft) -> tuple[bytes, str] | None:
    """A small picture of the draft's image, drawn anew from its local files, and its type; None where there is none."""
    if draft.local is None or draft.local.fits:
        return None
    try:
        if draft.local.where(draft.local.top).stat().st_size > MOST_BYTES:
            return None
        picture = small_picture(draft.local.read(draft.local.top), max(THUMBNAIL_SIZE))
    except (OSError, ConstellationsError):  # no Pillow, no file, a broken one: a list does without
        return None
    return picture.content, picture.content_type
