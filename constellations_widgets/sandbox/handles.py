"""Calls about handles."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from . import schema
from .calls import Call, RefusedError, is_owner, page_of, route
from .images import summary
from .jsvalues import to_utf8_safe, utf16_length
from .pages import json_response
from .store import Handle, Record

__all__ = ["ROUTES"]

_DISPLAY_NAME_LIMIT = 64


def get(call: Call) -> Response:
    """Return a handle's public information."""
    handle = call.handle()
    return json_response({"error": False, "handle": handle.handle, "display_name": handle.display_name})


def update(call: Call) -> Response:
    """Change a handle's display name. An empty one counts as absent, and a request with no change needs no permission."""
    handle = call.handle()
    display_name = schema.decode(schema.HANDLE_UPDATE, call.body).get("display_name")
    if display_name:
        if utf16_length(display_name) > _DISPLAY_NAME_LIMIT:
            raise RefusedError(400, "Invalid input display_name: too long")
        if not is_owner(handle, call.claims):
            raise RefusedError(403, "Forbidden")
        call.store.rename_handle(handle.id, to_utf8_safe(display_name))
    return json_response({"error": False})


def permissions(call: Call) -> Response:
    """Return whether the account may view the handle's dashboard."""
    handle = call.handle()
    return json_response({"error": False, "handle": handle.handle, "view_dashboard": is_owner(handle, call.claims)})


def stats(call: Call) -> Response:
    """Return the numbers of the handle's images and scenes."""
    handle = _own(call)
    scenes = [record.document for record in call.store.scenes_of_handle(handle.id)]
    totals = {name: sum(scene[name] for scene in scenes) for name in ("impressions", "likes", "clicks", "shares")}
    images = {"count": call.store.image_count(handle.id)}
    return json_response(
        {"error": False, "handle": handle.handle, "images": images, "scenes": {"count": len(scenes)} | totals}
    )


def image_info(call: Call) -> Response:
    """Return a page of the handle's images."""
    handle = _own(call)
    page, size = page_of(call.query)
    records = call.store.image_page(handle.id, min(page * size, 2**53), size)
    total = call.store.image_count(handle.id)
    return json_response({"error": False, "total_count": total, "results": [summary(record) for record in records]})


def scene_info(call: Call) -> Response:
    """Return a page of the handle's scenes."""
    handle = _own(call)
    page, size = page_of(call.query)
    records = call.store.scenes_of_handle(handle.id)
    shown = [_scene_summary(record) for record in records[page * size : (page + 1) * size]]
    return json_response({"error": False, "total_count": len(records), "results": shown})


def _scene_summary(record: Record) -> dict[str, Any]:
    """Return a scene as the handle's dashboard lists it."""
    names = ("text", "published", "impressions", "likes", "clicks", "shares")
    return {"_id": record.id, "creation_date": record.created} | {name: record.document[name] for name in names}


def _own(call: Call) -> Handle:
    handle = call.handle()
    if not is_owner(handle, call.claims):
        raise RefusedError(403, "Forbidden")
    return handle


ROUTES = [
    route("GET", "/handle/:handle", get),
    route("PATCH", "/handle/:handle", update),
    route("GET", "/handle/:handle/permissions", permissions),
    route("GET", "/handle/:handle/stats", stats),
    route("GET", "/handle/:handle/imageinfo", image_info),
    route("GET", "/handle/:handle/sceneinfo", scene_info),
]
