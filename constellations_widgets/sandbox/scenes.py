"""Calls about scenes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from . import schema
from .calls import Call, RefusedError, ServerFaultError, check_storable, is_owner, page_of, route
from .jsvalues import UNDEFINED, to_utf8_safe, utf16_length
from .pages import json_response
from .store import Record, Store, parse_object_id
from .visits import Visit
from .wtml import place_folder

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
_TIMELINE_PAGE = 8
_SHARE_WAYS = {"copy", "email", "facebook", "linkedin", "twitter"}
_URL_CHARACTERS = "%/:=&?~#+!$,;'@()*[]"
_NOT_AN_IMAGE = "Invalid input `content.background_id`: not an image ID"


def add(call: Call) -> Response:
    """Store a scene under a handle."""
    handle = call.handle(missing="Handle not found")
    if not is_owner(handle, call.claims):
        raise RefusedError(403, "Forbidden")
    scene = _given(schema.decode(schema.SCENE, call.body))
    scene["content"] = content = _given(scene["content"])
    if "image_layers" not in content:
        raise RefusedError(400, "Invalid scene content: no image layers")
    for layer in content["image_layers"]:
        if _image(call.store, layer["image_id"]) is None:
            raise RefusedError(400, f"Required image {layer['image_id']} not found")
    if "background_id" in content and parse_object_id(content["background_id"]) is None:
        raise RefusedError(400, _NOT_AN_IMAGE)
    if "astropix" in scene and not call.has_role("manage-astropix"):
        raise RefusedError(403, "Modification of astropix data forbidden")
    kept = {name: scene[name] for name in ("place", "content", "text", "outgoing_url", "astropix") if name in scene}
    kept |= dict.fromkeys(_COUNTS, 0) | {"published": scene.get("published", True)}
    check_storable(kept)
    record = call.store.add_scene(handle.id, to_utf8_safe(kept), call.list_lag)
    return json_response({"error": False, "id": record.id, "rel_url": f"/scene/{record.id}"})


def get(call: Call) -> Response:
    """Return a scene's record."""
    record = _find(call)
    return json_response(_hydrated(call, record) | {"error": False})


def permissions(call: Call) -> Response:
    """Return whether the account may change a scene."""
    record = _find(call)
    return json_response(call.may_edit(record))


def update(call: Call) -> Response:
    """Change a scene."""
    record = _find(call)
    changes = _given(schema.decode(schema.SCENE_UPDATE, call.body))
    for name in ("text", "outgoing_url"):
        if utf16_length(changes.get(name, "")) > _TEXT_LIMIT:
            raise RefusedError(400, f"Invalid input `{name}`: too long")
    if "place" in changes and not _is_place(changes["place"]):
        raise RefusedError(400, "Invalid input `place`")
    if "content" in changes:
        changes["content"] = _given(changes["content"])
        if "background_id" in changes["content"] and _image(call.store, changes["content"]["background_id"]) is None:
            raise RefusedError(400, _NOT_AN_IMAGE)
    known = ("text", "outgoing_url", "place", "content", "published", "astropix")
    changes = {name: changes[name] for name in known if changes.get(name) not in (None, "", {})}
    if changes:
        if not call.owns(record):
            raise RefusedError(403, "Forbidden")
        if "astropix" in changes and not call.has_role("manage-astropix"):
            raise RefusedError(403, "Forbidden")
        if "content" in changes:
            changes["content"] = record.document["content"] | changes["content"]
        check_storable(changes)
        call.store.update_scene(record.id, record.document | to_utf8_safe(changes))
    return json_response({"error": False})


def place_wtml(call: Call) -> Response:
    """Return a scene as a place in WTML; 404 if its only image has no address."""
    record = _find(call)
    layers = record.document["content"]["image_layers"]
    image = _image(call.store, layers[0]["image_id"]) if len(layers) == 1 else None
    if image and not image.document["storage"]["legacy_url_template"]:
        raise RefusedError(404, f"scene {call.params['id']} cannot be represented as a WWT Place")
    text = place_folder(f"Scene {call.params['id']}", record.document["place"], image.document if image else None)
    return Response(text.encode(), media_type="application/xml; charset=utf-8")


def timeline(call: Call) -> Response:
    """Return a page of a handle's published scenes, with their images."""
    return _timeline(call, call.handle().id)


def home_timeline(call: Call) -> Response:
    """Return a page of the published scenes of all handles, newest first.

    The real server shows those that its operators chose, in their order.
    """
    return _timeline(call, None)


def _timeline(call: Call, handle_id: str | None) -> Response:
    page, _ = page_of(call.query)
    records = call.store.timeline(min(page * _TIMELINE_PAGE, 2**53), _TIMELINE_PAGE, handle_id)
    return json_response({"error": False, "results": [_hydrated(call, record) for record in records]})


def impress(call: Call) -> Response:
    """Count that a visitor has seen a scene: once in ten seconds."""
    return _counted(call, lambda visit, id: visit.impress(id), "impressions", 1)


def like(call: Call) -> Response:
    """Count a visitor's like: once."""
    return _counted(call, lambda visit, id: visit.like(id), "likes", 1)


def unlike(call: Call) -> Response:
    """Take back a visitor's like."""
    return _counted(call, lambda visit, id: visit.unlike(id), "likes", -1)


def share(call: Call) -> Response:
    """Count that a visitor shared a scene by one of the ways that the site offers."""
    if call.params["way"] not in _SHARE_WAYS:
        raise RefusedError(400, "Invalid share type")
    return _counted(call, lambda visit, _id: visit.settled, "shares", 1)


def leave(call: Call) -> Response:
    """Send a visitor to a scene's outgoing address, and count the click."""
    record = _find(call)
    url = record.document.get("outgoing_url")
    if not url:
        raise RefusedError(404, "Not found")
    call.store.count(record.id, "clicks", 1)
    return Response(status_code=302, headers={"Location": quote(url, safe=_URL_CHARACTERS)})


def _counted(call: Call, valid: Callable[[Visit, str], bool], counter: str, step: int) -> Response:
    """Count what a visitor did, if the session allows it. The response tells whether it was counted; its status doesn't."""
    record = _find(call)
    success = call.visit is not None and valid(call.visit, record.id)
    if success:
        call.store.count(record.id, counter, step)
    return json_response({"error": False, "id": record.id, "success": success})


def _is_place(place: dict[str, float]) -> bool:
    return all(low <= place[name] <= high for name, (low, high) in _PLACE_RANGES.items())


def _given(value: dict[str, Any]) -> dict[str, Any]:
    """Return the object without the optional fields that were left out."""
    return {name: item for name, item in value.items() if item is not UNDEFINED}


def _image(store: Store, text: str) -> Record | None:
    """Return the image of this id; None if there is none, or if the text is not an id."""
    id = parse_object_id(text)
    return store.image(id) if id is not None else None


def _find(call: Call) -> Record:
    record = call.store.scene(call.object_id())
    if record is None:
        raise RefusedError(404, "Not found")
    return record


def _hydrated(call: Call, record: Record) -> dict[str, Any]:
    """Return the scene with its images. A scene whose background does not exist can't be shown: 500."""
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
    liked = call.visit is not None and call.visit.likes(record.id)
    shown |= {"liked": liked, "content": content, "published": scene["published"]}
    shown |= {name: scene[name] for name in ("outgoing_url", "astropix") if name in scene}
    return shown | {"previews": {}}


def _shown_image(store: Store, id: str) -> dict[str, Any]:
    image = _image(store, id)
    if image is None:
        raise ServerFaultError
    fields = ("wwt", "permissions", "storage", "alt_text")
    return {"id": image.id} | {name: image.document[name] for name in fields if name in image.document}


ROUTES = [
    route("POST", "/handle/:handle/scene", add),
    route("GET", "/handle/:handle/timeline", timeline),
    route("GET", "/scene/:id", get),
    route("GET", "/scene/:id/permissions", permissions),
    route("GET", "/scene/:id/place.wtml", place_wtml),
    route("GET", "/scene/:id/outgoing", leave),
    route("PATCH", "/scene/:id", update),
    route("POST", "/scene/:id/impressions", impress),
    route("POST", "/scene/:id/likes", like),
    route("DELETE", "/scene/:id/likes", unlike),
    route("POST", "/scene/:id/shares/:way", share),
    route("GET", "/scenes/home-timeline", home_timeline),
]
