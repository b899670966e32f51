"""The calls about scenes."""

from __future__ import annotations

import math
from typing import Any

from starlette.responses import Response

from . import schema
from .calls import Call, Refused, ServerFault, check_storable, is_owner, page_of, route
from .jsvalues import to_utf8_safe, utf16_length
from .pages import json_response
from .store import Record, Store, parse_object_id

__all__ = ["ROUTES"]

_TEXT_LIMIT = 5000
_PLACE_RANGES = {
    "ra_rad": (0, 2 * math.pi),
    "dec_rad": (-math.pi / 2, math.pi / 2),
    "roll_rad": (-math.pi, math.pi),
    "roi_height_deg": (0, 360),
    "roi_aspect_ratio": (0.1, 10),
}
_COUNTS = ("likes", "impressions", "clicks", "shares")
_TIMELINE_PAGE = 10


def add(call: Call) -> Response:
    handle = call.handle(missing="Handle not found")
    if not is_owner(handle, call.claims):
        raise Refused(403, "Forbidden")
    scene = schema.decode(schema.SCENE, call.body)
    content = scene["content"]
    if "image_layers" not in content:
        raise Refused(400, "Invalid scene content: no image layers")
    for layer in content["image_layers"]:
        if call.store.image(_object_id(layer["image_id"])) is None:
            raise Refused(400, f"Required image {layer['image_id']} not found")
    if "astropix" in scene and not call.has_role("manage-astropix"):
        raise Refused(403, "Modification of astropix data forbidden")
    kept = {name: scene[name] for name in ("place", "content", "text", "outgoing_url", "astropix") if name in scene}
    kept |= dict.fromkeys(_COUNTS, 0) | {"published": scene.get("published", True)}
    check_storable(kept)
    record = call.store.add_scene(handle.id, to_utf8_safe(kept))
    return json_response({"error": False, "id": record.id, "rel_url": f"/scene/{record.id}"})


def get(call: Call) -> Response:
    record = _find(call)
    return json_response(_hydrated(call, record) | {"error": False})


def permissions(call: Call) -> Response:
    record = _find(call)
    return json_response(call.may_edit(record))


def update(call: Call) -> Response:
    record = _find(call)
    changes = schema.decode(schema.SCENE_UPDATE, call.body)
    for name in ("text", "outgoing_url"):
        if utf16_length(changes.get(name, "")) > _TEXT_LIMIT:
            raise Refused(400, f"Invalid input `{name}`: too long")
    if "place" in changes and not _is_place(changes["place"]):
        raise Refused(400, "Invalid input `place`")
    known = ("text", "outgoing_url", "place", "content", "published", "astropix")
    changes = {name: changes[name] for name in known if changes.get(name) not in (None, "", {})}
    if changes:
        if not call.owns(record):
            raise Refused(403, "Forbidden")
        if "astropix" in changes and not call.has_role("manage-astropix"):
            raise Refused(403, "Modification of astropix data forbidden")
        if "content" in changes:
            changes["content"] = record.document["content"] | changes["content"]
        check_storable(changes)
        call.store.update_scene(record.id, record.document | to_utf8_safe(changes))
    return json_response({"error": False})


def timeline(call: Call) -> Response:
    handle = call.handle()
    page, _ = page_of(call.query)
    published = [record for record in call.store.scenes_of_handle(handle.id) if record.document["published"]]
    shown = published[page * _TIMELINE_PAGE : (page + 1) * _TIMELINE_PAGE]
    return json_response({"error": False, "results": [_hydrated(call, record) for record in shown]})


def _is_place(place: dict[str, float]) -> bool:
    return all(low <= place[name] <= high for name, (low, high) in _PLACE_RANGES.items())


def _object_id(text: str) -> str:
    id = parse_object_id(text)
    if id is None:
        raise ServerFault
    return id


def _find(call: Call) -> Record:
    record = call.store.scene(call.object_id())
    if record is None:
        raise Refused(404, "Not found")
    return record


def _hydrated(call: Call, record: Record) -> dict[str, Any]:
    """The scene with its images in it. One that names a background that is not there can't be shown: 500."""
    store, scene = call.store, record.document
    layers = [
        {"image": _shown_image(store, layer["image_id"]), "opacity": layer["opacity"]}
        for layer in scene["content"]["image_layers"]
    ]
    content: dict[str, Any] = {"image_layers": layers}
    if scene["content"].get("background_id"):
        content["background"] = _shown_image(store, scene["content"]["background_id"])
    shown = call.head_of(record)
    shown |= {name: scene[name] for name in (*_COUNTS, "place", "text")}
    shown |= {"liked": False, "content": content, "published": scene["published"]}
    shown |= {name: scene[name] for name in ("outgoing_url", "astropix") if name in scene}
    return shown | {"previews": {}}


def _shown_image(store: Store, id: str) -> dict[str, Any]:
    image = store.image(_object_id(id))
    if image is None:
        raise ServerFault
    fields = ("wwt", "permissions", "storage", "alt_text")
    return {"id": image.id} | {name: image.document[name] for name in fields if name in image.document}


ROUTES = [
    route("POST", "/handle/:handle/scene", add),
    route("GET", "/handle/:handle/timeline", timeline),
    route("GET", "/scene/:id", get),
    route("GET", "/scene/:id/permissions", permissions),
    route("PATCH", "/scene/:id", update),
]
