"""What callers give: where it is something else, they are told at once how to come by it."""

from __future__ import annotations

from typing import Any

from ..schema.records import Receipt


def require_client(taker: str, client: Any) -> None:
    """Raise a TypeError that tells how a client is made, if `client` is none."""
    if not hasattr(client, "add_image"):
        raise TypeError(
            f"{taker} takes a client, not a {type(client).__name__}: make one with cxw.Constellations(api_url, auth=…)"
        )


def require_unpublished(taker: str, draft: Any) -> None:
    """Raise a TypeError that tells how a draft is made, if `draft` is none; a published image is none."""
    if hasattr(draft, "submission"):
        return
    if hasattr(draft, "update") and hasattr(draft, "draft"):
        raise TypeError(
            f"{taker} takes an ImageDraft, and this image is published already: change it with cxw.ImageForm(image), or make a "
            "draft of it for a second image with image.draft()"
        )
    raise TypeError(
        f"{taker} takes an ImageDraft, not a {type(draft).__name__}: "
        "make one with ImageDraft.from_wtml (all_from_wtml for several), from_fits or from_image"
    )


def require_receipt(image: Any) -> None:
    """Raise a TypeError that tells where receipts are found, if `image` is none of an image."""
    if not isinstance(image, Receipt):
        raise TypeError(
            f"A scene is made of the receipt of a published image, not of this {type(image).__name__}: "
            "give draft.receipt, or that of one of cxw.history()"
        )
