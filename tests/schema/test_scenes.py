"""Scenes on the wire, and where an image is on the sky."""

from __future__ import annotations

import json
import math

import pytest
from examples import TILED, UNTILED
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from constellations_widgets.geometry.extent import SkyView, view_of_image
from constellations_widgets.schema.fields import nest
from constellations_widgets.schema.scenes import ScenePlace, SceneReceipt, SceneSubmission

ID = "5e9f1c3a7b2d4e6f8a0b1c2d"
SCENE = {
    "place": {"ra_rad": 1.0, "dec_rad": 0.5, "roll_rad": 0.0, "roi_height_deg": 2.0, "roi_aspect_ratio": 1.5},
    "content": {"image_layers": [{"image_id": ID, "opacity": 1.0}]},
    "text": "M 51",
    "published": False,
}


def changed(path: str, value: object) -> dict:
    """The scene with one value changed."""
    scene = json.loads(json.dumps(SCENE))
    *parents, last = path.split(".")
    inner = scene
    for name in parents:
        inner = inner[int(name) if name.isdigit() else name]
    inner[last] = value
    return scene


def test_what_is_sent_is_what_was_said_and_never_public_by_itself():
    scene = SceneSubmission.model_validate({name: value for name, value in SCENE.items() if name != "published"})
    assert scene.to_request() == SCENE == json.loads(scene.to_json())
    assert SceneSubmission.model_validate(changed("outgoing_url", "https://x.org")).to_request()["outgoing_url"]
    behind = SceneSubmission.model_validate(changed("content.background_id", ID))
    assert behind.to_request()["content"]["background_id"] == ID


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("place.ra_rad", -0.001),
        ("place.ra_rad", 2 * math.pi + 0.001),
        ("place.dec_rad", 1.571),
        ("place.dec_rad", -1.571),
        ("place.roll_rad", 3.142),
        ("place.roi_height_deg", 0.0),
        ("place.roi_height_deg", 360.1),
        ("place.roi_aspect_ratio", 0.09),
        ("place.roi_aspect_ratio", 10.1),
        ("place.ra_rad", math.nan),
        ("place.ra_rad", True),
        ("content.image_layers", []),
        ("content.image_layers.0.opacity", 1.01),
        ("content.image_layers.0.opacity", -0.01),
        ("content.image_layers.0.image_id", "../image/x"),
        ("content.background_id", "../image/x"),
        ("text", ""),
        ("text", "x" * 5001),
        ("text", "😀" * 2501),
        ("outgoing_url", "https://x.org/" + "x" * 5000),
        ("outgoing_url", "javascript:alert(1)"),
        ("published", None),
        ("astropix", {}),
    ],
)
def test_what_could_not_be_right_is_refused_with_its_name(path, value):
    with pytest.raises(ValidationError, match=path.split(".")[-1]):
        SceneSubmission.model_validate(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("place.ra_rad", 2 * math.pi),
        ("place.dec_rad", -math.pi / 2),
        ("place.roll_rad", -math.pi),
        ("place.roi_height_deg", 360),
        ("place.roi_aspect_ratio", 10),
        ("text", "😀" * 2500),
        ("content.image_layers.0.opacity", 0),
    ],
)
def test_the_ends_of_the_ranges_are_in_them(path, value):
    SceneSubmission.model_validate(changed(path, value))


degrees = st.floats(-1e4, 1e4)


@given(degrees, st.floats(-90, 90), st.floats(1e-6, 180), st.floats(1e-3, 1e3), degrees)
def test_every_view_has_a_place(ra, dec, height, aspect, roll):
    place = ScenePlace.of_view(SkyView(ra, dec, height, aspect, roll))
    assert math.cos(place.ra_rad - math.radians(ra)) == pytest.approx(1)
    assert math.cos(place.roll_rad - math.radians(roll)) == pytest.approx(1)
    assert (place.dec_rad, place.roi_height_deg) == (pytest.approx(math.radians(dec)), height)


def wwt(values: dict, **changes: object) -> dict:
    return nest(values)["wwt"] | changes


@pytest.mark.parametrize(
    ("rotation", "size", "aspect"), [(0, None, 1), (0, (4096, 2048), 2), (90, (4096, 2048), 0.5), (45, (100, 100), 1)]
)
def test_a_tiled_image_is_as_large_as_its_pixels_or_its_square(rotation, size, aspect):
    view = view_of_image(wwt(TILED, offset_x=0.0, offset_y=0.0, rotation=rotation), size)
    assert (view.ra, view.dec) == (pytest.approx(202.47), pytest.approx(47.2))
    assert view.aspect == pytest.approx(aspect, rel=1e-3)
    if size is None:
        assert view.height == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize(("offset_x", "ra"), [(0.25, 202.47 - 0.25), (-0.25, 202.47 + 0.25)])
def test_an_offset_moves_a_tiled_image_right_which_is_west(offset_x, ra):
    view = view_of_image(wwt(TILED, center_y=0.0, rotation=0.0, offset_x=offset_x, offset_y=0.1))
    assert (view.ra, view.dec) == (pytest.approx(ra, abs=1e-4), pytest.approx(0.1, abs=1e-4))


def test_a_single_file_reaches_from_its_corner_and_is_mirrored_bottoms_up():
    placed = wwt(UNTILED, center_x=0.0, center_y=0.0, rotation=0.0, base_degrees_per_tile=0.001, offset_x=0.0)
    for bottoms_up, ra in ((False, 360 - 0.5), (True, 0.5)):
        view = view_of_image(placed | {"bottoms_up": bottoms_up, "offset_y": 0.0}, (1000, 500))
        assert (view.ra, view.dec) == (pytest.approx(ra, abs=1e-3), pytest.approx(0.25, abs=1e-3))
        assert (view.height, view.aspect) == (pytest.approx(0.5, abs=1e-3), pytest.approx(2, abs=1e-3))
    centered = view_of_image(placed | {"offset_x": 512.0, "offset_y": 256.0})
    assert (centered.height, centered.aspect) == (pytest.approx(0.512, abs=1e-3), pytest.approx(2, abs=1e-3))


def test_what_is_not_flat_is_seen_from_afar():
    assert view_of_image(wwt(TILED, projection="Toast")) == SkyView(202.47, 47.2, 60.0)


def test_a_scenes_receipt_links_to_its_page_and_says_whether_it_is_public():
    about = {"id": ID, "rel_url": f"/scene/{ID}", "handle": "me", "body_sha256": "ab" * 32, "key": "k"}
    site = about | {"api_url": "https://api.worldwidetelescope.org", "created": "2026-11-22T03:28:29Z"}
    receipt = SceneReceipt(body=SCENE, **site)
    assert receipt.record_url == f"https://api.worldwidetelescope.org/scene/{ID}"
    assert receipt.scene_url == f"https://worldwidetelescope.org/@me/{ID}"
    assert "Scene made, not published" in str(receipt) and receipt.scene_url in str(receipt)
    assert f"href='{receipt.scene_url}'" in receipt._repr_html_()
    assert str(SceneReceipt(body=SCENE | {"published": True}, **site)).startswith("Scene published\n")
    assert SceneReceipt(body=SCENE, **site | {"api_url": "http://127.0.0.1:1"}).scene_url is None
    assert SceneReceipt.from_json(receipt.to_json()) == receipt
