"""The calls about handles."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from .calls import Call, Refused, is_owner, page_of, route
from .images import summary
from .pages import json_response
from .store import Handle, Record

__all__ = ["ROUTES"]


def get(call: Call) -> Response:
    handle = call.handle()
    return json_response({"error": False, "handle": handle.handle, "display_name": handle.display_name})


def permissions(call: Call) -> Response:
    handle = call.handle()
    return json_response({"error": False, "handle": handle.handle, "view_dashboard": is_owner(handle, call.claims)})


def stats(call: Call) -> Response:
    handle = _own(call)
    scenes = [record.document for record in call.store.scenes_of_handle(handle.id)]
    totals = {name: sum(scene[name] for scene in scenes) for name in ("impressions", "likes", "clicks", "shares")}
    images = {"count": call.store.image_count(handle.id)}
    return json_response(
        {"error": False, "handle": handle.handle, "images": images, "scenes": {"count": len(scenes)} | totals}
    )


def image_info(call: Call) -> Response:
    handle = _own(call)
    page, size = page_of(call.query)
    records = call.store.image_page(handle.id, min(page * size, 2**53), size)
    total = call.store.image_count(handle.id)
    return json_response({"error": False, "total_count": total, "results": [summary(record) for record in records]})


def scene_info(call: Call) -> Response:
    handle = _own(call)
    page, size = page_of(call.query)
    records = call.store.scenes_of_handle(handle.id)
    shown = [_scene_summary(record) for record in records[page * size : (page + 1) * size]]
    return json_response({"error": False, "total_count": len(records), "results": shown})


def _scene_summary(record: Record) -> dict[str, Any]:
    """The keys that the API's documentation promises; the server has come to send more."""
    counts = {name: record.document[name] for name in ("impressions", "likes")}
    return {"_id": record.id, "creation_date": record.created} | counts


def _own(call: Call) -> Handle:
    handle = call.handle()
    if not is_owner(handle, call.claims):
        raise Refused(403, "Forbidden")
    return handle


ROUTES = [
    route("GET", "/handle/:handle", get),
    route("GET", "/handle/:handle/permissions", permissions),
    route("GET", "/handle/:handle/stats", stats),
    route("GET", "/handle/:handle/imageinfo", image_info),
    route("GET", "/handle/:handle/sceneinfo", scene_info),
]
