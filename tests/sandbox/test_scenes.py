"""Scenes: made of images, read with the images in them."""

from __future__ import annotations

import copy

import pytest

SCENE = {
    "place": {"ra_rad": 1, "dec_rad": 0.5, "roll_rad": 0, "roi_height_deg": 2, "roi_aspect_ratio": 1.5},
    "content": {"image_layers": []},
    "text": "Look",
}
PATH = "/handle/sandbox/scene"


@pytest.fixture
def scene(add):
    scene = copy.deepcopy(SCENE)
    scene["content"]["image_layers"] = [{"image_id": add(), "opacity": 0.5}]
    return scene


def test_a_scene_shows_its_images(owner, anyone, scene):
    answer = owner.post(PATH, json=scene | {"outgoing_url": "http://x"}).json()
    assert answer["rel_url"] == f"/scene/{answer['id']}"
    shown = anyone.get(answer["rel_url"]).json()
    layer = shown["content"]["image_layers"][0]
    assert layer["image"]["id"] == scene["content"]["image_layers"][0]["image_id"]
    assert set(layer["image"]) == {"id", "wwt", "permissions", "storage", "alt_text"}
    assert (layer["opacity"], shown["text"], shown["published"], shown["liked"]) == (0.5, "Look", True, False)
    assert (shown["outgoing_url"], shown["place"], shown["likes"], shown["error"]) == (
        "http://x",
        scene["place"],
        0,
        False,
    )


def test_who_may_make_one(owner, anyone, other, scene):
    assert owner.post("/handle/nobody/scene", json={}).json()["message"] == "Handle not found"
    for client in (anyone, other):
        assert client.post(PATH, json={}).status_code == 403


@pytest.mark.parametrize("opacity", [-0.1, 1.1, None, "1"])
def test_opacity_is_from_0_to_1(owner, scene, opacity):
    scene["content"]["image_layers"][0]["opacity"] = opacity
    assert owner.post(PATH, json=scene).status_code == 400


def test_its_images_must_be_there(owner, scene):
    missing = "0" * 24
    scene["content"]["image_layers"].append({"image_id": missing, "opacity": 1})
    answer = owner.post(PATH, json=scene)
    assert (answer.status_code, answer.json()["message"]) == (400, f"Required image {missing} not found")


def test_layers_may_be_none_but_not_absent(owner, scene):
    assert owner.post(PATH, json=scene | {"content": {"image_layers": []}}).status_code == 200
    answer = owner.post(PATH, json=scene | {"content": {}})
    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid scene content: no image layers")


def test_astropix_needs_a_role(box, owner, scene):
    scene["astropix"] = {"publisher_id": "p", "image_id": "i"}
    answer = owner.post(PATH, json=scene)
    assert (answer.status_code, answer.json()["message"]) == (403, "Modification of astropix data forbidden")
    token = box.token(roles=["manage-astropix"])
    assert owner.post(PATH, json=scene, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_background_that_is_not_there_spoils_reading(owner, scene):
    scene["content"]["background_id"] = "0" * 24
    answer = owner.post(PATH, json=scene)
    assert answer.status_code == 200
    assert owner.get(answer.json()["rel_url"]).status_code == 500


@pytest.mark.parametrize("id", ["x", "", "0" * 23, "g" * 24, "0" * 25])
def test_what_is_no_id_is_refused(owner, scene, id):
    layers = [{"image_id": id, "opacity": 1}]
    answer = owner.post(PATH, json=scene | {"content": {"image_layers": layers}})
    assert (answer.status_code, answer.json()["message"]) == (400, f"Required image {id} not found")
    scene["content"]["background_id"] = id
    assert owner.post(PATH, json=scene).status_code == 400


@pytest.mark.parametrize("id", ["x", "", "0" * 24, "abcdefghijkl"])
def test_a_scene_s_background_is_changed_to_images_only(owner, scene, add, id):
    path = owner.post(PATH, json=scene).json()["rel_url"]
    answer = owner.patch(path, json={"content": {"background_id": id}})
    message = "Invalid input `content.background_id`: not an image ID"
    assert (answer.status_code, answer.json()["message"]) == (400, message)
    background = add()
    assert owner.patch(path, json={"content": {"background_id": background}}).json() == {"error": False}
    content = owner.get(path).json()["content"]
    assert content["background"]["id"] == background
    assert len(content["image_layers"]) == 1


def test_astropix_is_changed_with_a_role_only(box, owner, scene):
    path = owner.post(PATH, json=scene).json()["rel_url"]
    change = {"astropix": {"publisher_id": "p", "image_id": "i"}}
    answer = owner.patch(path, json=change)
    assert (answer.status_code, answer.json()["message"]) == (403, "Forbidden")
    token = box.token(roles=["manage-astropix"])
    assert owner.patch(path, json=change, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert owner.get(path).json()["astropix"] == change["astropix"]


def test_what_does_not_match_is_named_in_one_flat_type(owner, scene):
    number = "{ ra_rad: number, dec_rad: number, roll_rad: number, roi_height_deg: number, roi_aspect_ratio: number }"
    layers = "(Array<{ image_id: string, opacity: UnitInterval }> | undefined)"
    content = f"{{ image_layers: {layers}, background_id: (string | undefined) }}"
    astropix = "({ publisher_id: string, image_id: string } | undefined)"
    rest = f"outgoing_url: (string | undefined), published: (boolean | undefined), astropix: {astropix} }}"
    whole = f"{{ place: {number}, content: {content}, text: string, {rest}"
    answer = owner.post(PATH, json=scene | {"text": 1, "outgoing_url": None})
    assert answer.status_code == 400
    assert answer.json()["message"].split("\n") == [
        f"Submission did not match schema: Invalid value 1 supplied to : {whole}/text: string",
        f"Invalid value null supplied to : {whole}/outgoing_url: (string | undefined)/0: string",
        f"Invalid value null supplied to : {whole}/outgoing_url: (string | undefined)/1: undefined",
    ]


@pytest.mark.parametrize("left_out", ["outgoing_url", "published", "astropix"])
def test_what_is_left_out_is_not_shown(owner, scene, left_out):
    shown = owner.get(owner.post(PATH, json=scene).json()["rel_url"]).json()
    assert shown.get(left_out) == {"published": True}.get(left_out)
    assert "background" not in shown["content"]


def test_it_can_be_changed_within_limits(owner, anyone, scene):
    path = owner.post(PATH, json=scene | {"published": False}).json()["rel_url"]
    assert owner.patch(path, json={"text": "New", "published": True}).json() == {"error": False}
    shown = owner.get(path).json()
    assert (shown["text"], shown["published"], shown["place"]) == ("New", True, scene["place"])
    assert anyone.patch(path, json={"text": "mine"}).status_code == 403
    assert owner.patch(path, json={"text": "x" * 5001}).json()["message"] == "Invalid input `text`: too long"
    place = {"place": scene["place"] | {"dec_rad": 2}}
    assert owner.patch(path, json=place).json()["message"] == "Invalid input `place`"


def test_the_timeline_and_the_counts_know_it(owner, scene):
    before = owner.get("/handle/sandbox/stats").json()["scenes"]["count"]
    id = owner.post(PATH, json=scene).json()["id"]
    hidden = owner.post(PATH, json=scene | {"published": False}).json()["id"]
    assert owner.get("/handle/sandbox/stats").json()["scenes"]["count"] == before + 2
    owner.patch(f"/scene/{hidden}", json={"text": "still hidden"})
    store = owner.get(f"/scene/{id}/permissions").json()
    assert store == {"error": False, "id": id, "edit": True}


def test_its_owner_can_list_all_of_a_handles_scenes(owner, anyone, other, scene):
    ids = [owner.post(PATH, json=scene | {"published": published}).json()["id"] for published in (True, False)]
    for client in (anyone, other):
        assert client.get("/handle/sandbox/sceneinfo").status_code == 403
    assert owner.get("/handle/nobody/sceneinfo").json()["message"] == "Not found"
    first = owner.get("/handle/sandbox/sceneinfo?pagesize=1").json()
    second = owner.get("/handle/sandbox/sceneinfo?pagesize=1&page=1").json()
    assert [answer["results"][0]["_id"] for answer in (first, second)] == ids[::-1]
    counts = dict.fromkeys(("impressions", "likes", "clicks", "shares"), 0)
    shown = {name: value for name, value in first["results"][0].items() if name not in ("_id", "creation_date")}
    assert shown == {"text": scene["text"], "published": False} | counts
    assert first["total_count"] == second["total_count"] >= 2
