"""Each fault, as a plain client sees it on the socket, and what the sandbox holds afterwards."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from constellations_widgets.errors import SandboxError
from constellations_widgets.sandbox import Sandbox

POST = "/handle/sandbox/image"
ALL = [
    "delay",
    "reset_before_read",
    "too_many_requests",
    "unavailable_until",
    "unavailable",
    "token_expired",
    "reset_after_commit",
    "error_after_commit",
    "unavailable_after_commit",
    "truncated",
    "slow_drip",
]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture(scope="module")
def owner(box) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=box.api_url, headers={"Authorization": f"Bearer {box.token()}"}) as client:
        yield client


@pytest.fixture(autouse=True)
def _nothing_left_over(box):
    yield
    box.faults.clear()
    box.faults.log.clear()


@pytest.fixture
def held(owner, image):
    """How many records of this test's image the sandbox holds, asked for without faults."""
    image["storage"]["legacy_url_template"] = f"http://example.com/{time.monotonic_ns()}.jpg"

    def held() -> int:
        body = {"wwt_legacy_url": image["storage"]["legacy_url_template"]}
        return len(owner.post("/images/find-by-legacy-url", json=body).json()["results"])

    return held


@pytest.mark.parametrize("kind", ["reset_before_read", "reset_after_commit"])
def test_a_reset_is_one_on_the_real_connection(box, owner, kind):
    box.faults.next(kind)
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        owner.get("/handle/sandbox")


@pytest.mark.parametrize(("kind", "stored"), [("reset_before_read", 0), ("reset_after_commit", 1)])
def test_what_a_reset_leaves_behind(box, owner, image, held, kind, stored):
    box.faults.next(kind)
    with pytest.raises(httpx.TransportError):  # one of several kinds, if the reset comes while the body is being sent
        owner.post(POST, json=image)
    assert held() == stored


@pytest.mark.parametrize(
    ("kind", "status", "header", "text", "stored"),
    [
        ("too_many_requests", 429, "1", "429 Too Many Requests", 0),
        ("unavailable_until", 503, "1", "503 Service Temporarily Unavailable", 0),
        ("unavailable", 503, None, "503 Service Temporarily Unavailable", 0),
        ("token_expired", 401, None, "UnauthorizedError: jwt expired", 0),
        ("error_after_commit", 500, None, "Internal Server Error", 1),
        ("unavailable_after_commit", 503, "5", "503 Backend fetch failed", 1),
    ],
)
def test_a_refusal_is_an_html_page(box, owner, image, held, kind, status, header, text, stored):
    box.faults.next(kind)
    answer = owner.post(POST, json=image)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == header
    assert answer.headers["Content-Type"].startswith("text/html")
    assert text in answer.text
    assert held() == stored


def test_a_gateway_that_repeats_a_request_makes_two_records(box, owner, image, held):
    box.faults.next("duplicate_commit", path=POST)
    answer = owner.post(POST, json=image)
    assert answer.status_code == 200
    found = owner.post("/images/find-by-legacy-url", json={"wwt_legacy_url": image["storage"]["legacy_url_template"]})
    ids = [each["_id"] for each in found.json()["results"]]
    assert len(ids) == held() == 2
    assert answer.json()["id"] == ids[1]
    assert owner.post(POST, json=image).status_code == 200
    assert held() == 3


def test_a_repeated_request_keeps_its_body_whole(box, owner, image, held):
    image["note"] = "x" * 90_000  # several messages of the server
    box.faults.next("duplicate_commit", path=POST)
    assert owner.post(POST, json=image).status_code == 200
    assert held() == 2


def test_lists_that_lag_show_a_record_later_that_can_be_read_at_once(box, owner, image, held):
    before = owner.get("/handle/sandbox/imageinfo").json()["total_count"]
    box.faults.next("lagging_list", path=POST, seconds=60)
    id = owner.post(POST, json=image).json()["id"]
    assert owner.get(f"/image/{id}").json()["id"] == id
    assert held() == 0
    info = owner.get("/handle/sandbox/imageinfo?pagesize=100").json()
    assert info["total_count"] == before
    assert id not in [each["_id"] for each in info["results"]]
    assert owner.post(POST, json=image).status_code == 200
    assert held() == 1


def test_lists_that_lag_show_it_in_the_end(box, owner, image, held):
    box.faults.next("lagging_list", path=POST, seconds=0.05)
    assert owner.post(POST, json=image).status_code == 200
    ends = time.monotonic() + 120
    while not held():
        assert time.monotonic() < ends
    assert held() == 1


def test_a_scene_can_lag_too(box, owner, image):
    image_id = owner.post(POST, json=image).json()["id"]
    place = {"ra_rad": 1, "dec_rad": 0.5, "roll_rad": 0, "roi_height_deg": 2, "roi_aspect_ratio": 1}
    scene = {"place": place, "content": {"image_layers": [{"image_id": image_id, "opacity": 1}]}, "text": "Look"}
    box.faults.next("lagging_list", path="/handle/sandbox/scene", seconds=60)
    id = owner.post("/handle/sandbox/scene", json=scene).json()["id"]
    assert owner.get(f"/scene/{id}").status_code == 200
    listed = owner.get("/handle/sandbox/sceneinfo?pagesize=100").json()["results"]
    assert id not in [each["_id"] for each in listed]


def test_idle_connections_are_closed_as_node_does(box, owner):
    assert owner.get("/handle/sandbox").headers["Keep-Alive"] == "timeout=5"
    box.faults.next("unavailable")
    assert owner.get("/handle/sandbox").headers["Keep-Alive"] == "timeout=5"


def test_an_idle_connection_is_closed_after_its_time():
    with Sandbox() as box, socket.create_connection(("127.0.0.1", int(box.api_url.rpartition(":")[2]))) as connection:
        box.faults.keep_alive = 0.2
        host = box.api_url.partition("//")[2]
        connection.settimeout(30)
        began = time.monotonic()
        connection.sendall(f"GET /handle/sandbox HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 200")
    assert said.count(b"HTTP/1.1") == 1
    assert time.monotonic() - began >= 0.2  # it was open meanwhile


def test_by_chance_nothing_comes_that_no_client_can_see_at_once(box, owner, image, held):
    box.faults.at_random(rate=1, seed=3, seconds=0, method="GET")
    for _ in range(200):
        with contextlib.suppress(httpx.TransportError):
            owner.get("/handle/sandbox")
    assert not {fault.kind for fault in box.faults.log} & {"duplicate_commit", "lagging_list"}


def test_a_truncated_answer_announces_more_than_comes(box, owner, image, held):
    box.faults.next("truncated")
    parts = []
    cut_short = pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body")
    with cut_short, owner.stream("POST", POST, json=image) as answer:
        parts.extend(answer.iter_raw())
    assert answer.status_code == 200
    assert 0 < len(b"".join(parts)) < int(answer.headers["Content-Length"])
    assert b"".join(parts).startswith(b'{"error":false')
    assert held() == 1


def test_a_drip_comes_whole_but_in_single_bytes(box, owner, image, held):
    box.faults.next("slow_drip", seconds=0.001)
    with owner.stream("POST", POST, json=image) as answer:
        parts = list(answer.iter_raw())
    assert len(parts) > 20  # some bytes may reach us together
    assert b"".join(parts).startswith(b'{"error":false')
    assert held() == 1


def test_who_gives_up_on_a_drip_leaves_a_server_that_goes_on(box, owner, image, held, caplog):
    box.faults.next("slow_drip", seconds=0.02)
    with owner.stream("POST", POST, json=image) as answer:
        next(answer.iter_raw())
    assert held() == 1
    assert caplog.messages == []


def test_a_delay_changes_nothing_but_the_time(box, owner, image, held):
    box.faults.next("delay", seconds=0.1)
    start = time.monotonic()
    assert owner.post(POST, json=image).json()["error"] is False
    assert time.monotonic() - start >= 0.1
    assert held() == 1


def test_only_the_requests_that_are_meant_are_hit_as_often_as_said_and_the_log_tells(box, owner):
    box.faults.next("unavailable", path="/handle/*/permissions", times=2)
    box.faults.next("token_expired", method="post")
    asked = ["/handle/sandbox", "/handle/sandbox/permissions", "/handle/sandbox/permissions?x", "/handle/sandbox"]
    assert [owner.get(path).status_code for path in asked] == [200, 503, 503, 200]
    assert owner.get("/handle/sandbox/permissions").status_code == 200
    assert [owner.post(POST, json={}).status_code for _ in range(2)] == [401, 400]
    assert [(fault.kind, fault.method, fault.path) for fault in box.faults.log] == [
        ("unavailable", "GET", "/handle/sandbox/permissions"),
        ("unavailable", "GET", "/handle/sandbox/permissions"),
        ("token_expired", "POST", "/handle/sandbox/image"),
    ]


def test_a_refusal_says_when_to_come_back_only_where_its_kind_does(box, owner):
    for kind in ("too_many_requests", "unavailable_until", "unavailable"):
        box.faults.next(kind, seconds=7)
    answers = [owner.get("/handle/sandbox") for _ in range(3)]
    assert [answer.headers.get("Retry-After") for answer in answers] == ["7", "7", None]
    assert [fault.seconds for fault in box.faults.log] == [7, 7, None]


def test_what_is_to_come_next_comes_before_chance(box, owner):
    box.faults.at_random(rate=1, seed=1, kinds=["unavailable"])
    box.faults.next("token_expired")
    box.faults.next("too_many_requests")
    assert [owner.get("/handle/sandbox").status_code for _ in range(4)] == [401, 429, 503, 503]
    box.faults.clear()
    assert owner.get("/handle/sandbox").status_code == 200
    assert len(box.faults.log) == 4


def test_the_same_seed_hits_the_same_requests(box, owner):
    def hit(seed: int) -> list[int]:
        box.faults.clear()
        kinds = ["unavailable", "token_expired", "too_many_requests"]
        box.faults.at_random(rate=0.3, seed=seed, kinds=kinds, method="GET")
        return [owner.get("/handle/sandbox").status_code for _ in range(100)]

    first = hit(1)
    assert hit(1) == first
    assert hit(2) != first
    assert set(first) == {200, 401, 429, 503}
    assert 15 <= sum(status != 200 for status in first) <= 45


def test_faults_at_random_are_of_every_kind(box, owner):
    box.faults.at_random(rate=1, seed=0, seconds=0)
    for _ in range(100):
        with contextlib.suppress(httpx.TransportError):
            owner.get("/handle/sandbox")
    assert sorted({fault.kind for fault in box.faults.log}) == sorted(ALL)


def test_a_fault_that_does_not_exist_is_refused_at_once(box):
    for wrong in ("", "reset", "unavailable "):
        with pytest.raises(SandboxError, match="is no kind of fault; there are delay, reset_before_read"):
            box.faults.next(wrong)
    with pytest.raises(SandboxError, match="is no kind of fault"):
        box.faults.at_random(rate=0.5, seed=1, kinds=[])
    with pytest.raises(SandboxError, match="hits no request"):
        box.faults.next("delay", times=0)
    for rate in (-0.1, 1.5, float("nan")):
        with pytest.raises(SandboxError, match="is not a share"):
            box.faults.at_random(rate=rate, seed=1)


def test_faults_may_be_told_before_the_server_runs():
    box = Sandbox()
    box.faults.next("unavailable")
    with box:
        assert httpx.get(f"{box.api_url}/handle/sandbox").status_code == 503


@pytest.mark.parametrize("kind", ["delay", "slow_drip"])
def test_a_sandbox_may_close_while_a_request_waits(kind, caplog):
    ends: list[Exception] = []

    def wait() -> None:
        try:
            httpx.get(f"{url}/handle/sandbox")
        except httpx.TransportError as error:
            ends.append(error)

    with Sandbox() as box:
        url = box.api_url
        box.faults.next(kind, seconds=60)
        waiting = threading.Thread(target=wait)
        waiting.start()
        while not box.faults.log:
            time.sleep(0.001)
    waiting.join(timeout=120)
    assert len(ends) == 1
    assert caplog.messages == []
