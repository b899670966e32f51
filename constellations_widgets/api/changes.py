"""Build the body of `PATCH /image/:id` and of `PATCH /handle/:handle`, and verify that the server applied it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..errors import CreditsError, InvalidError, UnclearError
from ..schema.credits import check_credits, in_one_order
from ..schema.fields import ALT_TEXT_LIMIT, FORBIDDEN_CHARACTERS, NOTE_LIMIT, utf16_length
from ..schema.images import ImagePermissions
from ..schema.records import DISPLAY_NAME_LIMIT, ImageRecord

# Stands in for what a mapping of permissions leaves out while the rest is checked.
_OTHERS = {"copyright": "Public domain", "license": "CC0-1.0"}


def image_changes(
    before: ImageRecord,
    *,
    note: str | None,
    alt_text: str | None,
    permissions: ImagePermissions | Mapping[str, str] | None,
) -> dict[str, Any]:
    """Return the body of a PATCH. Raises InvalidError for values that the server would ignore or refuse."""
    changes: dict[str, Any] = {}
    for field, text, limit in (("note", note, NOTE_LIMIT), ("alt_text", alt_text, ALT_TEXT_LIMIT)):
        if text is not None:
            changes[field] = checked_text(field, text, limit)
    if permissions is not None:
        changes["permissions"] = _whole_permissions(before, permissions)
    if not changes:
        raise InvalidError("There is nothing to change: give a note, an alt_text or permissions.")
    return changes


def handle_changes(display_name: str) -> dict[str, Any]:
    """Return the body of a PATCH of a handle. Raises InvalidError for a name that the server would ignore or refuse."""
    return {"display_name": checked_text("display_name", display_name, DISPLAY_NAME_LIMIT)}


def changed_meanwhile(seen: ImageRecord, now: ImageRecord, changes: Mapping[str, Any]) -> list[str]:
    """Return the fields that `changes` would overwrite and that changed on the server since the record was `seen`.

    The permissions count as one field: credits are edited with the license in mind that applied at the time.
    """
    old, new, wanted = _flat(seen), _flat(now), _flat_changes(changes)
    parts = [[field] for field in ("note", "alt_text") if field in changes]
    if "permissions" in changes:
        parts.append([field for field in {**new, **old} if field.startswith("permissions.")])
    changed = []
    for part in parts:
        if any(not same(field, wanted.get(field), new.get(field)) for field in part):
            changed += [field for field in part if not same(field, old.get(field), new.get(field))]
    return changed


def unmade_changes(before: ImageRecord, changes: Mapping[str, Any], after: ImageRecord) -> list[str]:
    """Return the fields in which `after` differs from what `changes` requested."""
    old, new = _flat(before), _flat(after)
    return [
        field
        for field, wanted in _flat_changes(changes).items()
        if not same(field, wanted, new.get(field)) and not _cleaned(field, old.get(field), new.get(field))
    ]


def not_made(what: str, unclear: UnclearError, fields: list[str]) -> UnclearError:
    """Return the error for a change with an unclear outcome that does not show in these fields of the record."""
    cause = unclear.message.rstrip(".")
    error = UnclearError(
        f"Could not {what}: {cause}. The record was read since: {', '.join(fields)} not changed so far. "
        "Repeating the change is safe.",
        url=unclear.url,
        status=unclear.status,
    )
    error.message, error.retry_after = cause, unclear.retry_after
    return error


def same(field: str, one: Any, other: Any) -> bool:
    """Return whether two values are the same to the server, which reverses the order of attributes in credits."""
    if field != "permissions.credits":
        return bool(one == other)
    return in_one_order(one or "") == in_one_order(other or "")


def _cleaned(field: str, old: Any, new: Any) -> bool:
    """Return whether the server applied these credits, which it sanitizes in its own way."""
    return field == "permissions.credits" and not same(field, old, new)


def _flat(record: ImageRecord) -> dict[str, Any]:
    """Return what a PATCH can change, by path, and the other permissions; a field without a value is ""."""
    permissions = record.permissions.model_dump() | {"credits": record.permissions.credits or ""}
    return _flat_changes({"note": record.note, "alt_text": record.alt_text, "permissions": permissions})


def _flat_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    permissions = changes.get("permissions", {})
    texts = {field: changes[field] for field in ("note", "alt_text") if field in changes}
    return texts | {f"permissions.{name}": value for name, value in permissions.items()}


def checked_text(field: str, text: str, limit: int) -> str:
    """Return a text that the server would store as it is. Raises InvalidError for any other."""
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


def _whole_permissions(before: ImageRecord, new: ImagePermissions | Mapping[str, str]) -> dict[str, Any]:
    """Return the complete permissions, since the server deletes those that are left out."""
    if isinstance(new, ImagePermissions):
        body = new.model_dump()
    elif isinstance(new, Mapping):
        # Unchanged values are sent back as received, even unnormalized ones and unknown fields.
        body = before.permissions.model_dump() | _checked(new)
    else:
        raise InvalidError(f"permissions is a {type(new).__name__}: give ImagePermissions, or a dict of what changes.")
    try:
        check_credits(body["credits"] or "")
    except CreditsError as error:
        raise InvalidError(f"permissions.credits: {error}") from None
    if not body["credits"]:
        del body["credits"]
    return body


def _checked(new: Mapping[str, str]) -> dict[str, str]:
    try:
        permissions = ImagePermissions.model_validate({**_OTHERS, **new})
    except ValidationError as error:
        faults = ((".".join(("permissions", *map(str, fault["loc"]))), fault["msg"]) for fault in error.errors())
        listed = (f"{field}: {message.removeprefix('Value error, ')}" for field, message in faults)
        raise InvalidError("; ".join(listed)) from None
    return {name: getattr(permissions, name) for name in new}
