"""Calls about images."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from . import schema
from .calls import Call, RefusedError, ServerFaultError, check_storable, is_owner, route
from .jsvalues import UNDEFINED, to_utf8_safe, utf16_length
from .pages import json_response
from .store import Record
from .wtml import image_folder

__all__ = ["ROUTES", "summary"]

_LIMITS = {"note": 500, "alt_text": 5000}


def summary(record: Record) -> dict[str, Any]:
    """Return the short form of an image in lists, with `_id` for the id."""
    return {
        "_id": record.id,
        "handle_id": record.handle_id,
        "creation_date": record.created,
        "storage": record.document["storage"],
        "note": record.document["note"],
    }


def add(call: Call) -> Response:
    """Store an image under a handle."""
    handle = call.handle(missing="Handle not found")
    if not is_owner(handle, call.claims):
        raise RefusedError(403, "Forbidden")
    image = schema.decode(schema.IMAGE, call.body)
    kept = {
        "wwt": image["wwt"],
        "permissions": image["permissions"],
        # The driver writes a template that is absent as null.
        "storage": {key: None if value is UNDEFINED else value for key, value in image["storage"].items()},
        "note": image["note"],
    }
    if "alt_text" in image:
        kept["alt_text"] = image["alt_text"]
    check_storable(kept)
    record = call.store.add_image(handle.id, to_utf8_safe(kept), call.list_lag)
    return json_response({"error": False, "id": record.id, "rel_url": f"/image/{record.id}"})


def get(call: Call) -> Response:
    """Return an image's record."""
    record = _find(call)
    fields = ("wwt", "permissions", "storage", "note", "alt_text")
    shown = {name: record.document[name] for name in fields if name in record.document}
    return json_response(call.head_of(record) | shown | {"error": False})


def permissions(call: Call) -> Response:
    """Return whether the account may change an image."""
    record = _find(call)
    return json_response(call.may_edit(record))


def wtml(call: Call) -> Response:
    """Return an image's WTML."""
    record = _find(call)
    if not record.document["storage"]["legacy_url_template"]:
        raise ServerFaultError
    return Response(image_folder(record.document).encode(), media_type="application/xml; charset=utf-8")


def update(call: Call) -> Response:
    """Change an image's note, alt text or permissions."""
    record = _find(call)
    changes = schema.decode(schema.IMAGE_UPDATE, call.body)
    for name, limit in _LIMITS.items():
        if utf16_length(changes.get(name, "")) > limit:
            raise RefusedError(400, f"Invalid input `{name}`: too long")
    # An empty text counts as absent, so it can't clear anything, and a request with no change asks for no permission.
    changes = {name: changes[name] for name in ("note", "alt_text", "permissions") if changes.get(name)}
    if changes:
        if not call.owns(record):
            raise RefusedError(403, "Forbidden")
        check_storable(changes)
        call.store.update_image(record.id, record.document | to_utf8_safe(changes))
    return json_response({"error": False})


def find_by_legacy_url(call: Call) -> Response:
    """Return the images with an image URL."""
    wanted = schema.decode(schema.FIND_BY_LEGACY_URL, call.body)["wwt_legacy_url"]
    return json_response(
        {"error": False, "results": [summary(r) for r in call.store.images_of_url(to_utf8_safe(wanted))]}
    )


def builtin_backgrounds(call: Call) -> Response:
    """Return the built-in backgrounds."""
    return json_response({"error": False, "results": [summary(record) for record in call.store.backgrounds()]})


def _find(call: Call) -> Record:
    record = call.store.image(call.object_id())
    if record is None:
        raise RefusedError(404, "Not found")
    return record


ROUTES = [
    route("POST", "/handle/:handle/image", add),
    route("GET", "/image/:id", get),
    route("GET", "/image/:id/permissions", permissions),
    route("GET", "/image/:id/img.wtml", wtml),
    route("PATCH", "/image/:id", update),
    route("POST", "/images/find-by-legacy-url", find_by_legacy_url),
    route("GET", "/images/builtin-backgrounds", builtin_backgrounds),
]
