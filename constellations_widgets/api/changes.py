"""What `PATCH /image/:id` may change, and whether it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..errors import CreditsError, InvalidError, UnclearError
from ..schema.credits import check_credits, in_one_order
from ..schema.images import ALT_TEXT_LIMIT, FORBIDDEN_CHARACTERS, NOTE_LIMIT, ImagePermissions, utf16_length
from ..schema.records import ImageRecord

# Stands in for what a mapping of permissions leaves out while the rest is checked.
_OTHERS = {"copyright": "Public domain", "license": "CC0-1.0"}


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


def body_of(changes: Mapping[str, Any]) -> bytes:
    """The exact bytes of a PATCH."""
    return json.dumps(changes, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def changed_meanwhile(seen: ImageRecord, now: ImageRecord, changes: Mapping[str, Any]) -> list[str]:
    """The fields that `changes` would replace and that somebody else has changed since the record was `seen`.

    The permissions are one: who changes the credits has the license in mind under which that was done.
    """
    old, new, wanted = _flat(seen), _flat(now), _flat_changes(changes)
    parts = [[field] for field in ("note", "alt_text") if field in changes]
    if "permissions" in changes:
        parts.append([field for field in {**new, **old} if field.startswith("permissions.")])
    changed = []
    for part in parts:
        if any(not _same(field, wanted.get(field), new.get(field)) for field in part):
            changed += [field for field in part if not _same(field, old.get(field), new.get(field))]
    return changed


def unmade_changes(before: ImageRecord, changes: Mapping[str, Any], after: ImageRecord) -> list[str]:
    """The fields in which `after` is not what `changes` asked for."""
    old, new = _flat(before), _flat(after)
    return [
        field
        for field, wanted in _flat_changes(changes).items()
        if not _same(field, wanted, new.get(field)) and not _cleaned(field, old.get(field), new.get(field))
    ]


def not_made(what: str, unclear: UnclearError, fields: list[str]) -> UnclearError:
    """The error for a change with an unclear outcome that was looked for, and is not to be seen in these fields."""
    said = unclear.message.rstrip(".")
    error = UnclearError(
        f"Could not {what}: {said}. It was looked at since: {', '.join(fields)} not changed so far. "
        "Changing it once more does no harm.",
        url=unclear.url,
        status=unclear.status,
    )
    error.message = said
    return error


def _same(field: str, one: Any, other: Any) -> bool:
    if field != "permissions.credits":
        return one == other
    return in_one_order(one or "") == in_one_order(other or "")


def _cleaned(field: str, old: Any, new: Any) -> bool:
    """Whether the server has taken these credits, though it cleans them in a way of its own."""
    return field == "permissions.credits" and not _same(field, old, new)


def _flat(record: ImageRecord) -> dict[str, Any]:
    """What a PATCH can change, by path, and what else stands in the permissions; a field without a value is ""."""
    permissions = record.permissions.model_dump() | {"credits": record.permissions.credits or ""}
    return _flat_changes({"note": record.note, "alt_text": record.alt_text, "permissions": permissions})


def _flat_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    permissions = changes.get("permissions", {})
    texts = {field: changes[field] for field in ("note", "alt_text") if field in changes}
    return texts | {f"permissions.{name}": value for name, value in permissions.items()}


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


def _whole_permissions(before: ImageRecord, new: ImagePermissions | Mapping[str, str]) -> dict[str, Any]:
    """All of the permissions, since the server deletes what is left out."""
    if isinstance(new, ImagePermissions):
        body = new.model_dump()
    elif isinstance(new, Mapping):
        # What stays goes back as it came, also where it is not as we would write it, or a field that we don't know.
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
        said = (f"{field}: {message.removeprefix('Value error, ')}" for field, message in faults)
        raise InvalidError("; ".join(said)) from None
    return {name: getattr(permissions, name) for name in new}
