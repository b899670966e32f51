"""Match records at the server with attempts: the whole record, as the server stores it.

Clocks play no part: records are distinguished by their content alone. What the server changes when it stores a request
is normalized here before the comparison: lone surrogates become U+FFFD, -0 becomes 0, an omitted field is absent or
null, and credits are sanitized HTML in which the attributes of a tag may come in another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import CreditsError
from ..schema.credits import clean_credits, in_one_order
from ..schema.records import ImageRecord, RecordWwt
from ..schema.scenes import SceneRecord
from .attempts import Attempt


def is_record_of(record: ImageRecord | SceneRecord, attempt: Attempt) -> bool:
    """Return whether `record` is the whole of what `attempt` sent, under the same handle."""
    if record.handle.handle != attempt.handle:
        return False
    request = as_stored(attempt.request)
    if isinstance(record, SceneRecord):
        return record.is_made_of(request)
    return _is_image(record, request)


def is_edited_record_of(record: ImageRecord, attempt: Attempt) -> bool:
    """Return whether `record` is what `attempt` sent, but for what can be changed since: its texts and permissions."""
    request = as_stored(attempt.request)
    return record.handle.handle == attempt.handle and _is_same_image(record, request)


def is_summary_of(note: str, attempt: Attempt) -> bool:
    """Return whether the note in a list is the one that `attempt` sent."""
    return bool(note == as_stored(attempt.note))


def same_placement(record: ImageRecord, request: Mapping[str, Any]) -> bool:
    """Return whether WWT draws the record's image exactly where it would draw that of `request`."""
    return _placement(record.wwt.model_dump()) == _placement_sent(request)


def same_placement_sent(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two requests place their images alike."""
    return _placement_sent(one) == _placement_sent(other)


def differs_in_text_only(one: Attempt, other: Attempt) -> bool:
    """Return whether two attempts with the same image URL, or two at a scene, would show the same on the sky."""
    if one.kind != other.kind:
        return False
    first, second = one.request, other.request
    if one.kind == "image":
        return same_placement_sent(first, second)
    return all(as_stored(first.get(part)) == as_stored(second.get(part)) for part in ("place", "content"))


def as_stored(value: Any) -> Any:
    """Return a part of a request as the server stores it."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, Mapping):
        return {as_stored(name): as_stored(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_stored(each) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) + 0.0  # JavaScript has only doubles; adding 0 turns -0 into 0
    return value


def _is_image(record: ImageRecord, sent: Mapping[str, Any]) -> bool:
    permissions, kept = sent.get("permissions", {}), record.permissions
    return (
        _is_same_image(record, sent)
        and (record.note, record.alt_text) == (sent.get("note", ""), sent.get("alt_text", ""))
        and (kept.copyright, kept.license) == (permissions.get("copyright", ""), permissions.get("license", ""))
        and same_credits(kept.credits or "", permissions.get("credits") or "")
    )


def _is_same_image(record: ImageRecord, sent: Mapping[str, Any]) -> bool:
    """Return whether the fields are the same that can never be changed."""
    return _wwt(record.wwt.model_dump()) == _wwt(sent.get("wwt", {})) and (
        record.storage.legacy_url_template or ""
    ) == (sent.get("storage", {}).get("legacy_url_template") or "")


def same_credits(kept: str, sent: str) -> bool:
    """Return whether the server keeps `kept` of the credits `sent`."""
    if in_one_order(kept) == in_one_order(sent):
        return True
    try:
        cleaned = clean_credits(sent)
        # The server keeps all attributes of a tag, this package one: such credits are compared in this package's form.
        return in_one_order(kept) == in_one_order(cleaned) or (cleaned != sent and clean_credits(kept) == cleaned)
    except CreditsError:
        return False


def _wwt(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the placement with all 13 fields, and further fields that were sent or stored with them."""
    return {name: None for name in RecordWwt.model_fields} | dict(fields)


def _placement(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in _wwt(fields).items() if name != "thumbnail_url"}


def _placement_sent(request: Mapping[str, Any]) -> dict[str, Any]:
    return _placement(as_stored(request.get("wwt", {})))
