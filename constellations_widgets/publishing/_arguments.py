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


def record_id_of(taker: str, kind: str, client: Any, named: Any) -> str:
    """Return the id of an image or a scene that is named by its id, receipt or record.

    Raises
    ------
    PublishError
        If it is a receipt of another API, or of another kind.
    TypeError
        If it names nothing.
    """
    require_client(taker, client)
    api_url = getattr(named, "api_url", client.api_url)
    if api_url != client.api_url:
        raise PublishError(
            f"The receipt is one of {api_url}, the client is one of {client.api_url}: give a client of that."
        )
    if getattr(named, "kind", kind) != kind:
        raise PublishError(f"The receipt is one of a {named.kind}, and only {kind}s can be changed here.")
    found = named if isinstance(named, str) else getattr(named, "id", None)
    if not isinstance(found, str):
        article = "an" if kind == "image" else "a"
        raise TypeError(f"{taker} takes {article} {kind}'s id, receipt or record, not a {type(named).__name__}")
    return found
