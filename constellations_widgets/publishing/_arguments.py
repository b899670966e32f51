"""Check arguments of public functions; the errors say how to obtain the right objects."""

from __future__ import annotations

from typing import Any

from ..errors import PublishError
from ..schema.records import Receipt


def require_client(taker: str, client: Any) -> None:
    """Raise a TypeError that says how to make a client, if `client` is not one."""
    if not hasattr(client, "add_image"):
        raise TypeError(
            f"{taker} takes a client, not a {type(client).__name__}: make one with cxw.Constellations(api_url, auth=…)"
        )


def require_unpublished(taker: str, draft: Any) -> None:
    """Raise a TypeError that says how to make a draft, if `draft` is not one; a published image is not one."""
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
    """Raise a TypeError that says where to find receipts, if `image` is not a receipt of an image."""
    if not isinstance(image, Receipt):
        raise TypeError(
            f"A scene is made of the receipt of a published image, not of this {type(image).__name__}: "
            "give draft.receipt, or that of one of cxw.history()"
        )


def image_id_of(client: Any, image: Any) -> str:
    """Return the id of an image that is named by its id, receipt or record; raise if it is not one of the client's API."""
    require_client("PublishedImage", client)
    api_url = getattr(image, "api_url", client.api_url)
    if api_url != client.api_url:
        raise PublishError(
            f"The receipt is one of {api_url}, the client is one of {client.api_url}: give a client of that."
        )
    if getattr(image, "kind", "image") != "image":
        raise PublishError(f"The receipt is one of a {image.kind}, and only images can be changed here.")
    found = image if isinstance(image, str) else getattr(image, "id", None)
    if not isinstance(found, str):
        raise TypeError(f"PublishedImage takes an image's id, receipt or record, not a {type(image).__name__}")
    return found
