"""Property tests: what the notes on the real API say about scenes holds for any request, not only for examples.

Each rule is written down here a second time, from the notes, without the sandbox's own schema.
"""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

JSON = {"Content-Type": "application/json"}
PLACE = {"ra_rad": 1.0, "dec_rad": 0.5, "roll_rad": 0.0, "roi_height_deg": 2.0, "roi_aspect_ratio": 1.5}
RANGES = {
    "ra_rad": (0, 2 * math.pi),
    "dec_rad": (-math.pi / 2, math.pi / 2),
    "roll_rad": (-math.pi, math.pi),
    "roi_height_deg": (0, 360),
    "roi_aspect_ratio": (0.1, 10),
}
NOT_AN_IMAGE = "Invalid input `content.background_id`: not an image ID"
COUNTS = dict.fromkeys(("likes", "impressions", "clicks", "shares"), 0)
KEYS = "id handle_id handle creation_date likes impressions clicks shares place text liked content published".split()

use_fixtures = settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-10, 10)
strange = st.none() | st.booleans() | st.lists(st.integers(0, 3), max_size=2)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ids = st.sampled_from(["image", "image in capitals", "0" * 24, "x", "abcdefghijkl", "g" * 24])
layers = st.fixed_dictionaries({"image_id": ids, "opacity": st.sampled_from([0, 0.5, 1, -0.1, 1.1, "1", None])})
NOTHING = object()


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.just(NOTHING) | strategy


places = st.fixed_dictionaries({name: numbers for name in PLACE})
whole_scenes = st.fixed_dictionaries(
    {
        "place": st.just(PLACE) | places,
        "content": st.fixed_dictionaries({"image_layers": optional(st.lists(layers, max_size=3))}),
        "text": texts | strange,
        "outgoing_url": optional(texts | strange),
        "published": optional(st.booleans() | st.none() | st.just("yes")),
    }
)


def given_parts(value: Any) -> Any:
    """The value without what was left out."""
    if isinstance(value, dict):
        return {name: given_parts(item) for name, item in value.items() if item is not NOTHING}
    return [given_parts(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def image(owner) -> str:
    """The id of a published image."""
    body = {
        "wwt": {
            "base_degrees_per_tile": 1.5, "bottoms_up": False, "center_x": 10, "center_y": 20, "file_type": ".png",
            "offset_x": 0, "offset_y": 0, "projection": "Tan", "quad_tree_map": "", "rotation": 0,
            "thumbnail_url": "", "tile_levels": 4, "width_factor": 2,
        },
        "storage": {"legacy_url_template": "http://example.com/{1}/{3}/{3}_{2}.png"},
        "note": "A note",
        "permissions": {"copyright": "X", "license": "MIT"},
    }  # fmt: skip
    return owner.post("/handle/sandbox/image", json=body).json()["id"]


def with_ids(value: Any, image: str) -> Any:
    if isinstance(value, str):
        return {"image": image, "image in capitals": image.upper()}.get(value, value)
    if isinstance(value, dict):
        return {name: with_ids(item, image) for name, item in value.items()}
    return [with_ids(item, image) for item in value] if isinstance(value, list) else value


def doubles(answer: httpx.Response) -> Any:
    """The content with all numbers as doubles, which they are in JavaScript, also those written without a point."""
    return json.loads(answer.text, parse_int=float)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def refusal(body: dict[str, Any], image: str) -> str | None:
    """The beginning of the message of the real server's 400 to a new scene; None if it takes it."""
    schema = "Submission did not match schema: "
    layers = body["content"].get("image_layers")
    fits = isinstance(body["text"], str) and isinstance(body.get("outgoing_url", ""), str)
    fits &= isinstance(body.get("published", True), bool)
    fits &= all(is_number(layer["opacity"]) and 0 <= layer["opacity"] <= 1 for layer in layers or [])
    if not fits:
        return schema
    if layers is None:
        return "Invalid scene content: no image layers"
    for layer in layers:
        if layer["image_id"].lower() != image:
            return f"Required image {layer['image_id']} not found"
    return None


@use_fixtures
@given(whole_scenes)
def test_a_new_scene_is_taken_or_refused_as_recorded(owner, anyone, image, scene):
    body = with_ids(given_parts(scene), image)
    answer = owner.post("/handle/sandbox/scene", content=json.dumps(body), headers=JSON)
    expected = refusal(body, image)
    if expected is not None:
        assert (answer.status_code, answer.json()["error"]) == (400, True)
        assert answer.json()["message"].startswith(expected)
        return
    id = answer.json()["id"]
    assert answer.json() == {"error": False, "id": id, "rel_url": f"/scene/{id}"}
    record = doubles(anyone.get(f"/scene/{id}"))
    tail = [name for name in ("outgoing_url",) if name in body]
    assert list(record) == [*KEYS, *tail, "previews", "error"]
    kept = {name: record[name] for name in ("place", "text", "published", *tail)}
    assert kept == {"published": True} | {name: body[name] for name in ("place", "text", *tail)} | (
        {"published": body["published"]} if "published" in body else {}
    )
    shown = [(layer["image"]["id"], layer["opacity"]) for layer in record["content"]["image_layers"]]
    assert shown == [(image, layer["opacity"]) for layer in body["content"]["image_layers"]]
    assert {name: record[name] for name in COUNTS} == COUNTS
    assert (record["liked"], record["error"], record["handle"]["handle"]) == (False, False, "sandbox")
    # The list of the owner has it, and the timeline if it is public.
    assert owner.get("/handle/sandbox/sceneinfo?pagesize=1").json()["results"][0]["_id"] == id
    for timeline in ("/handle/sandbox/timeline", "/scenes/home-timeline"):
        newest = anyone.get(timeline).json()["results"]
        assert (id in [it["id"] for it in newest]) is record["published"]


changes = st.fixed_dictionaries(
    {},
    optional={
        "text": texts | strange | st.just("x" * 5001) | st.just("😀" * 2500),
        "outgoing_url": texts | st.none() | st.just("😀" * 2501),
        "place": st.just(PLACE) | places | st.none(),
        "published": st.booleans() | st.just("no"),
        "content": st.fixed_dictionaries({}, optional={"background_id": ids}),
        "likes": st.just(7),
    },
)


def change_refused(body: dict[str, Any], image: str, may: bool) -> tuple[int, str] | None:
    schema = (400, "Submission did not match schema: ")
    if not all(isinstance(body.get(name, ""), str) for name in ("text", "outgoing_url")):
        return schema
    if not isinstance(body.get("published", True), bool) or ("place" in body and body["place"] is None):
        return schema
    for name in ("text", "outgoing_url"):
        if len(body.get(name, "").encode("utf-16-le")) // 2 > 5000:
            return 400, f"Invalid input `{name}`: too long"
    if "place" in body and not all(low <= body["place"][name] <= high for name, (low, high) in RANGES.items()):
        return 400, "Invalid input `place`"
    background = body.get("content", {}).get("background_id")
    if background is not None and background.lower() != image:
        return 400, NOT_AN_IMAGE
    asks = any(
        body.get(name) not in (None, "", {}) for name in ("text", "outgoing_url", "place", "published", "content")
    )
    return (403, "Forbidden") if asks and not may else None


@use_fixtures
@given(changes, st.sampled_from(["owner", "other", "anyone"]))
@example({"text": ""}, "anyone")
@example({"published": False}, "anyone")
@example({"place": PLACE | {"ra_rad": 7}}, "other")
def test_a_scene_is_changed_as_recorded(owner, other, anyone, image, change, who):
    content = {"image_layers": [{"image_id": image, "opacity": 1}]}
    scene = {"place": PLACE, "content": content, "text": "Before", "outgoing_url": "http://before"}
    path = owner.post("/handle/sandbox/scene", json=scene).json()["rel_url"]
    before = doubles(anyone.get(path))
    client, body = {"owner": owner, "other": other, "anyone": anyone}[who], with_ids(change, image)
    answer = client.patch(path, content=json.dumps(body), headers=JSON)
    after = doubles(anyone.get(path))
    expected = change_refused(body, image, who == "owner")
    if expected is not None:
        assert answer.status_code == expected[0]
        assert answer.json()["message"].startswith(expected[1])
        assert after == before
        return
    assert (answer.status_code, answer.json()) == (200, {"error": False})
    made = {
        name: body[name] for name in ("text", "outgoing_url", "place", "published") if body.get(name) not in ("", None)
    }
    wanted = before | made
    if body.get("content", {}).get("background_id"):
        assert after["content"].pop("background")["id"] == image
    assert after == wanted


@pytest.fixture(scope="module")
def listed(box, owner, image) -> list[tuple[str, bool]]:
    """25 scenes of a handle of their own, newest first: their ids, and whether they are published."""
    box.add_handle("paged")
    scene = {"place": PLACE, "content": {"image_layers": []}, "text": "Look"}
    made = [
        (owner.post("/handle/paged/scene", json=scene | {"published": i % 3 > 0}).json()["id"], i % 3 > 0)
        for i in range(25)
    ]
    return made[::-1]


@use_fixtures
@given(st.text(st.sampled_from("0123456789-+x. e"), max_size=4))
def test_pages_are_read_as_recorded(owner, anyone, listed, number):
    """`parseInt`; a page that is no number is the first, a size outside 1 to 100 is 10; the total is always true."""

    def parsed(text: str) -> int | None:
        digits = ""
        for char in text.strip():
            if not (char.isdigit() or (char in "+-" and not digits)):
                break
            digits += char
        return int(digits) if digits.strip("+-") else None

    page, size = max(parsed(number) or 0, 0), parsed(number)
    size = size if size is not None and 1 <= size <= 100 else 10
    every, public = [id for id, _ in listed], [id for id, published in listed if published]
    for asked, wanted in (({"page": number, "pagesize": number}, page), ({"pagesize": number}, 0)):
        answer = owner.get("/handle/paged/sceneinfo", params=asked).json()
        assert answer["total_count"] == len(every)
        assert [each["_id"] for each in answer["results"]] == every[wanted * size : (wanted + 1) * size]
    shown = anyone.get("/handle/paged/timeline", params={"page": number}).json()["results"]
    assert [each["id"] for each in shown] == public[page * 8 : (page + 1) * 8]


@use_fixtures
@given(st.fixed_dictionaries(dict.fromkeys(PLACE, st.floats(-400, 400))), st.booleans(), st.integers(0, 2))
def test_a_scene_is_a_place_with_at_most_one_image(owner, anyone, image, place, published, count):
    content = {"image_layers": [{"image_id": image, "opacity": 0.5}] * count}
    body = {"place": place, "content": content, "text": "<Look> & see", "published": published}
    path = owner.post("/handle/sandbox/scene", content=json.dumps(body), headers=JSON).json()["rel_url"]
    answer = anyone.get(f"{path}/place.wtml")
    assert answer.headers["content-type"].startswith("application/xml")
    (shown,) = ET.fromstring(answer.text)
    assert shown.tag == "Place"
    numbers = {name: float(shown.get(name, "nan")) for name in ("RA", "Dec", "Rotation", "ZoomLevel")}
    stored = anyone.get(path).json()["place"]
    assert numbers == pytest.approx(
        {
            "RA": math.degrees(stored["ra_rad"]) / 15,
            "Dec": math.degrees(stored["dec_rad"]),
            "Rotation": math.degrees(stored["roll_rad"]),
            "ZoomLevel": stored["roi_height_deg"] * 6,
        }
    )
    assert [each.get("Url") for each in shown.iter("ImageSet")] == (
        ["http://example.com/{1}/{3}/{3}_{2}.png"] if count == 1 else []
    )
