"""The calls about handles."""

from __future__ import annotations

from starlette.responses import Response

from .calls import Call, is_owner, page_of, route
from .images import summary
from .pages import json_response, refusal
from .store import Handle

__all__ = ["ROUTES"]


def get(call: Call) -> Response:
    handle = _find(call)
    if isinstance(handle, Response):
        return handle
    return json_response({"error": False, "handle": handle.handle, "display_name": handle.display_name})


def permissions(call: Call) -> Response:
    handle = _find(call)
    if isinstance(handle, Response):
        return handle
    return json_response({"error": False, "handle": handle.handle, "view_dashboard": is_owner(handle, call.claims)})


def stats(call: Call) -> Response:
    handle = _find_own(call)
    if isinstance(handle, Response):
        return handle
    scenes = [record.document for record in call.store.scenes_of_handle(handle.id)]
    totals = {name: sum(scene[name] for scene in scenes) for name in ("impressions", "likes", "clicks", "shares")}
    images = {"count": call.store.image_count(handle.id)}
    return json_response(
        {"error": False, "handle": handle.handle, "images": images, "scenes": {"count": len(scenes)} | totals}
    )


def image_info(call: Call) -> Response:
    handle = _find_own(call)
    if isinstance(handle, Response):
        return handle
    page, size = page_of(call.query)
    records = call.store.image_page(handle.id, min(page * size, 2**53), size)
    total = call.store.image_count(handle.id)
    return json_response({"error": False, "total_count": total, "results": [summary(record) for record in records]})


def _find(call: Call) -> Handle | Response:
    return call.store.handle(call.params["handle"]) or refusal(404, "Not found")


def _find_own(call: Call) -> Handle | Response:
    handle = _find(call)
    if isinstance(handle, Handle) and not is_owner(handle, call.claims):
        return refusal(403, "Forbidden")
    return handle


ROUTES = [
    route("GET", "/handle/:handle", get),
    route("GET", "/handle/:handle/permissions", permissions),
    route("GET", "/handle/:handle/stats", stats),
    route("GET", "/handle/:handle/imageinfo", image_info),
]
