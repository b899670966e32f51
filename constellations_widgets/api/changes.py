"""What `PATCH /image/:id` may change, and whether it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..errors import InvalidError
from ..schema.credits import clean_credits
from ..schema.images import ALT_TEXT_LIMIT, FORBIDDEN_CHARACTERS, NOTE_LIMIT, ImagePermissions, utf16_length
from ..schema.records import ImageRecord


def image_changes(
    before: ImageRecord,
    *,
    note: str | None,
    alt_text: str | None,
    permissions: ImagePermissions | Mapping[str, str] | None,
) -> dict[str, Any]:
    """The body of a PATCH. Raises InvalidError for what the server would ignore or refuse."""
    changes: dict[str, Any] = {}
    for field, text, limit in (("note", note, NOTE_LIMIT), ("alt_text", alt_text, ALT_TEXT_LIMIT)):
        if text is not None:
            changes[field] = _text(field, text, limit)
    if permissions is not None:
        changes["permissions"] = _whole_permissions(before, permissions)
    if not changes:
        raise InvalidError("There is nothing to change: give a note, an alt_text or permissions.")
    return changes


def unmade_changes(before: ImageRecord, changes: Mapping[str, Any], after: ImageRecord) -> list[str]:
    """The fields in which `after` is not what `changes` asked for."""
    old, new, wanted = _flat(before), _flat(after), dict(changes)
    wanted.update(wanted.pop("permissions", {}))
    return [field for field, value in wanted.items() if not _made(field, old[field], value, new[field])]


def _made(field: str, old: str, wanted: str, new: str) -> bool:
    if field == "credits":  # the server cleans them in its own way, and turns the order of attributes round each time
        return new in (wanted, clean_credits(wanted)) or new != old
    return new == wanted


def _flat(record: ImageRecord) -> dict[str, str]:
    permissions = record.permissions
    return {
        "note": record.note,
        "alt_text": record.alt_text,
        "copyright": permissions.copyright,
        "license": permissions.license,
        "credits": permissions.credits or "",
    }


def _text(field: str, text: str, limit: int) -> str:
    if not isinstance(text, str):
        raise InvalidError(f"{field} is not text.")
    if not text:
        raise InvalidError(
            f"{field} is empty: the server ignores an empty text, so it can't be removed, only replaced."
        )
    if found := FORBIDDEN_CHARACTERS.search(text):
        raise InvalidError(f"{field} has the character {found[0]!r}, which XML can't carry: remove it.")
    if (length := utf16_length(text)) > limit:
        raise InvalidError(
            f"{field} is {length} characters long, {limit} is the server's limit (an emoji counts as two)."
        )
    return text


def _whole_permissions(before: ImageRecord, new: ImagePermissions | Mapping[str, str]) -> dict[str, str]:
    """All of the permissions, since the server deletes what is left out."""
    if not isinstance(new, ImagePermissions):
        if not isinstance(new, Mapping):
            raise InvalidError(
                f"permissions is a {type(new).__name__}: give ImagePermissions, or a dict of what changes."
            )
        old = before.permissions
        kept = {"copyright": old.copyright, "license": old.license, "credits": old.credits or ""}
        try:
            new = ImagePermissions.model_validate({**kept, **new})
        except ValidationError as error:
            faults = ((".".join(("permissions", *map(str, fault["loc"]))), fault["msg"]) for fault in error.errors())
            said = (f"{field}: {message.removeprefix('Value error, ')}" for field, message in faults)
            raise InvalidError("; ".join(said)) from None
    body = new.model_dump()
    if not body["credits"]:
        del body["credits"]
    return body
