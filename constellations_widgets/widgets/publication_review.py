"""What the review before a publication shows: as readers will see it, what speaks against it, and the exact request."""

from __future__ import annotations

import base64
from typing import Any

from ..errors import CreditsError
from ..geometry.position import position_of
from ..publishing import Step
from ..publishing.plan import BLOCKED, DECIDE, SKIP
from ..publishing.probes import targets
from ..schema.credits import clean_credits, credits_tree
from ..schema.fields import fields, flatten
from ..schema.images import ImageSubmission
from ..schema.license import license_choices
from .thumbnails import thumbnail

_SIDE = 240  # pixels of the picture


def review_of(step: Step) -> dict[str, Any]:
    """Return the review of a planned publication for the page: most of a `PublishReview`.

    `reasons` says why it can't be published, or what speaks against it; then confirming takes a tick.
    """
    ready = step.decision not in (BLOCKED, SKIP)
    review = {
        "ready": ready,
        "reasons": list(step.reasons) if not ready or step.decision == DECIDE else [],
        "picture": _picture(step),
    }
    values = flatten(step.request or {})
    local = step.draft.local
    position = position_of(values, local.size if local else None)
    license, credits = str(values.get("permissions.license", "")), str(values.get("permissions.credits", ""))
    try:
        tree = credits_tree(clean_credits(credits))
    except CreditsError:
        tree = []
    return review | {
        "title": str(values.get("note") or step.name),
        "position": str(position) if position else "",
        "addresses": _addresses(step),
        "credits": tree,
        "copyright": str(values.get("permissions.copyright", "")),
        "license": next(
            (f"{each.id}: {each.meaning}" for each in license_choices() if each.id == license and each.meaning), license
        ),
        "alt_text": str(values.get("alt_text", "")),
    }


def _addresses(step: Step) -> list[dict[str, Any]]:
    """Return the addresses that were probed, and whether all was well there."""
    if step.body is None:
        return []
    found = targets(ImageSubmission.model_validate_json(step.body))
    return [
        {
            "title": fields()[target.field].title,
            "url": target.url,
            "checked": step.decision not in (BLOCKED, SKIP)
            and not any(reason.startswith(f"{target.field}: {target.what}") for reason in step.reasons),
        }
        for target in found
    ]


def _picture(step: Step) -> str:
    """Return a small picture of the draft's image as a data: address; "" if there is none on this machine."""
    picture = thumbnail(step.draft, _SIDE)
    if picture is None:
        return ""
    return f"data:{picture.content_type};base64,{base64.b64encode(picture.content).decode()}"
