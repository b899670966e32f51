"""Build the body of `PATCH /scene/:id`, and verify that the server applied it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ..errors import InvalidError
from ..schema.placement import web_address_fault
from ..schema.scenes import TEXT_LIMIT, ScenePlace, SceneRecord
from ..schema.sky_view import SkyView
from .addresses import record_path
from .changes import checked_text


def scene_changes(
    *,
    text: str | None,
    outgoing_url: str | None,
    place: SkyView | ScenePlace | None,
    published: bool | None,
    background_id: str | None,
) -> dict[str, Any]:
    """Return the body of a PATCH. Raises InvalidError for values that the server would ignore or refuse."""
    changes: dict[str, Any] = {}
    if text is not None:
        changes["text"] = checked_text("text", text, TEXT_LIMIT)
    if outgoing_url is not None:
        changes["outgoing_url"] = checked_text("outgoing_url", outgoing_url, TEXT_LIMIT)
        if fault := web_address_fault(outgoing_url):
            raise InvalidError(f"outgoing_url {fault}.")
    if place is not None:
        changes["place"] = _place(place).model_dump()
    if published is not None:
        if not isinstance(published, bool):
            raise InvalidError(f"published is {published!r}: give True or False.")
        changes["published"] = published
    if background_id is not None:
        record_path("image", background_id)  # refuses what is no id
        changes["content"] = {"background_id": background_id.lower()}
    if not changes:
        raise InvalidError("There is nothing to change: give a text, outgoing_url, place, published or background_id.")
    return changes


def scene_changed_meanwhile(seen: SceneRecord, now: SceneRecord, changes: Mapping[str, Any]) -> list[str]:
    """Return the fields that `changes` would overwrite and that changed on the server since the record was `seen`."""
    old, new = _flat(seen), _flat(now)
    return [field for field, wanted in _flat_changes(changes).items() if new[field] not in (old[field], wanted)]


def unmade_scene_changes(changes: Mapping[str, Any], after: SceneRecord) -> list[str]:
    """Return the fields in which `after` differs from what `changes` requested."""
    new = _flat(after)
    return [field for field, wanted in _flat_changes(changes).items() if new[field] != wanted]


def _place(place: SkyView | ScenePlace) -> ScenePlace:
    if isinstance(place, ScenePlace):
        return place
    if not isinstance(place, SkyView):
        raise InvalidError(f"place is a {type(place).__name__}: give a SkyView, such as preview.view, or a ScenePlace.")
    try:
        return ScenePlace.of_view(place)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise InvalidError(f"place.{fault['loc'][0]}: {fault['msg']}") from None


def _flat(record: SceneRecord) -> dict[str, Any]:
    """Return what a PATCH can change."""
    fields = {"text": record.text, "outgoing_url": record.outgoing_url, "published": record.published}
    return fields | {"place": record.place, "content.background_id": record.background_id}


def _flat_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    fields = {field: value for field, value in changes.items() if field != "content"}
    return fields | {f"content.{field}": value for field, value in changes.get("content", {}).items()}
