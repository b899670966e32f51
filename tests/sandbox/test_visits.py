"""What visitors of the site do with scenes: counted once, in a session that is old enough."""

from __future__ import annotations

import threading

import httpx
import pytest

from constellations_widgets.sandbox import visits

SCENE = {
    "place": {"ra_rad": 1, "dec_rad": 0.5, "roll_rad": 0, "roi_height_deg": 2, "roi_aspect_ratio": 1.5},
    "text": "Look",
}


@pytest.fixture
def scene(owner, add) -> str:
    """Path of a scene."""
    content = {"image_layers": [{"image_id": add(), "opacity": 1}]}
    return owner.post("/handle/sandbox/scene", json=SCENE | {"content": content, "outgoing_url": "http://x/ä"}).json()[
        "rel_url"
    ]


@pytest.fixture
def visitor(box, monkeypatch):
    """A visitor whose session counts at once."""
    monkeypatch.setattr(visits, "_SETTLING_TIME", -1)
    with httpx.Client(base_url=box.api_url) as client:
        assert client.post("/session/init").json() == {"error": False}
        yield client


def counts(client, scene) -> dict[str, int]:
    record = client.get(scene).json()
    return {name: record[name] for name in ("impressions", "likes", "clicks", "shares")}


def test_each_counts_once_in_a_session(visitor, anyone, owner, scene):
    id = scene.rpartition("/")[2]
    before = owner.get("/handle/sandbox/stats").json()["scenes"]
    for expected in (True, False):
        assert visitor.post(f"{scene}/impressions").json() == {"error": False, "id": id, "success": expected}
        assert visitor.post(f"{scene}/likes").json()["success"] is expected
    assert visitor.post(f"{scene}/shares/email").json()["success"]
    answer = visitor.get(f"{scene}/outgoing")
    assert (answer.status_code, answer.headers["location"]) == (302, "http://x/%C3%A4")
    once = {"impressions": 1, "likes": 1, "clicks": 1, "shares": 1}
    assert counts(anyone, scene) == once
    (listed,) = [it for it in owner.get("/handle/sandbox/sceneinfo").json()["results"] if it["_id"] == id]
    assert {name: listed[name] for name in once} == once
    after = owner.get("/handle/sandbox/stats").json()["scenes"]
    assert {name: after[name] - before[name] for name in once} == once
    assert (visitor.get(scene).json()["liked"], anyone.get(scene).json()["liked"]) == (True, False)


def test_a_like_can_be_taken_back(visitor, anyone, scene):
    assert visitor.delete(f"{scene}/likes").json()["success"] is False
    visitor.post(f"{scene}/likes")
    assert visitor.delete(f"{scene}/likes").json()["success"] is True
    assert counts(anyone, scene)["likes"] == 0
    assert visitor.get(scene).json()["liked"] is False


def test_without_a_session_that_is_old_enough_nothing_counts(box, scene):
    for started in (False, True):
        with httpx.Client(base_url=box.api_url) as client:
            if started:
                client.post("/session/init")
            for what in ("impressions", "likes", "shares/copy"):
                answer = client.post(f"{scene}/{what}")
                assert (answer.status_code, answer.json()["success"]) == (200, False)
            assert counts(client, scene) == {"impressions": 0, "likes": 0, "clicks": 0, "shares": 0}


def test_what_is_not_there_is_not_counted(visitor, scene):
    missing = f"/scene/{'0' * 24}"
    for method, path in (("POST", "impressions"), ("POST", "likes"), ("DELETE", "likes"), ("GET", "outgoing")):
        assert visitor.request(method, f"{missing}/{path}").status_code == 404
        assert visitor.request(method, f"/scene/x/{path}").status_code == 500
    assert visitor.post(f"{scene}/shares/pigeon").status_code == 400


def test_no_visit_is_lost_when_many_come_at_once(box, anyone, scene, monkeypatch):
    monkeypatch.setattr(visits, "_SETTLING_TIME", -1)

    def visit() -> None:
        with httpx.Client(base_url=box.api_url) as client:
            client.post("/session/init")
            client.post(f"{scene}/impressions")

    threads = [threading.Thread(target=visit) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(anyone, scene)["impressions"] == 12
