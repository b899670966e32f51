"""The sandbox's Images API: every answer of its document, and the faults."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from constellations_widgets.errors import SandboxError
from constellations_widgets.sandbox import Sandbox, environment_of, running

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
def images(box: Sandbox) -> Iterator[httpx.Client]:
    """The user who may write to the sandbox's own constellation."""
    with client_of(box, box.images_token()) as client:
        yield client


def client_of(box: Sandbox, token: str | None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=box.images_url, headers=headers)


def upload(client: httpx.Client, name: str = "m51.png", content: bytes = PNG) -> httpx.Response:
    return client.post("/images", files={"file": (name, content, "image/png")})


@pytest.fixture
def uuid(images: httpx.Client) -> str:
    return upload(images).json()["uuid"]


def test_name_and_password_give_a_token_and_wrong_ones_none(box: Sandbox):
    user = box.images_user
    with client_of(box, None) as anyone:
        answer = anyone.post("/login", json={"name": user.name, "password": user.password})
        assert answer.status_code == 200 and answer.json()["token_type"] == "bearer"
        assert anyone.post("/login", json={"name": user.name, "password": "guess"}).status_code == 401
        assert anyone.post("/login", json={"name": "nobody", "password": user.password}).status_code == 401
        assert anyone.post("/login", json={"name": user.name}).status_code == 400
        assert anyone.post("/login", content=b"{").status_code == 400
    with client_of(box, answer.json()["access_token"]) as signed_in:
        assert signed_in.get("/images").status_code == 200
    assert user.password not in repr(user)


def test_an_image_is_uploaded_listed_read_renamed_and_deleted(images: httpx.Client):
    answer = upload(images, 'a "b" é.png')
    assert answer.status_code == 201
    uuid = answer.json()["uuid"]
    assert answer.json() == {"uuid": uuid, "filename": 'a "b" é.png'}
    row = {"image_uuid": uuid, "name": 'a "b" é.png', "url": f"{images.base_url}images/{uuid}"}
    assert row in images.get("/images").json()["images"]
    read = images.get(f"/images/{uuid}")
    assert (read.status_code, read.content, read.headers["Content-Type"]) == (200, PNG, "image/png")
    renamed = images.patch(f"/images/{uuid}", json={"name": "../<b>M 51</b>"})
    assert (renamed.status_code, renamed.json()) == (200, row | {"name": "../<b>M 51</b>"})
    deleted = images.delete(f"/images/{uuid}")
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Image deleted"})
    assert images.get(f"/images/{uuid}").status_code == 404


Ask = Callable[[httpx.Client, str], httpx.Response]
CALLS: dict[str, Ask] = {
    "list": lambda client, uuid: client.get("/images"),
    "upload": lambda client, uuid: upload(client, content=bytes(3_000_000)),
    "get": lambda client, uuid: client.get(f"/images/{uuid}"),
    "rename": lambda client, uuid: client.patch(f"/images/{uuid}", json={"name": "x"}),
    "delete": lambda client, uuid: client.delete(f"/images/{uuid}"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("token", ["none", "nonsense", "expired", "of another service"])
def test_every_call_wants_a_good_token(box: Sandbox, uuid: str, call: str, token: str):
    tokens = {
        "none": None,
        "nonsense": "x.y.z",
        "expired": box.images_token(expired=True),
        "of another service": box.token(),
    }
    with client_of(box, tokens[token]) as client:
        answer = CALLS[call](client, uuid)
    assert answer.status_code == 401 and answer.json()["message"]


@pytest.mark.parametrize(
    ("call", "status"), [("list", 200), ("get", 200), ("upload", 403), ("rename", 403), ("delete", 403)]
)
def test_only_who_has_write_access_to_its_constellation_changes_an_image(
    box: Sandbox, uuid: str, call: str, status: int
):
    box.library.add_user("reader", constellations=[])
    with client_of(box, box.images_token("reader")) as reader:
        assert CALLS[call](reader, uuid).status_code == status


@pytest.mark.parametrize("call", ["get", "rename", "delete"])
def test_an_image_that_is_not_there_is_404(images: httpx.Client, call: str):
    assert CALLS[call](images, "00000000-0000-0000-0000-000000000000").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"files": {"file": ("a.png", b"")}},
        {"files": {"picture": ("a.png", PNG)}},
        {"files": {"file": (" ", PNG)}},
        {"files": {"file": ("x" * 256, PNG)}},
        {"files": {"file": ("x" * 10_000, PNG)}},
        {"data": {"file": "text"}},
        {"json": {"file": "binary"}},
        {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    ],
    ids=["0 bytes", "other part", "no name", "long", "longer", "no file", "JSON", "no end", "no form"],
)
def test_a_malformed_upload_is_400_and_leaves_nothing(box: Sandbox, images: httpx.Client, body: dict[str, Any]):
    files, rows = os.listdir(box.library.folder), images.get("/images").json()
    assert images.post("/images", **body).status_code == 400
    assert (os.listdir(box.library.folder), images.get("/images").json()) == (files, rows)


@pytest.mark.parametrize(
    "body", [{"json": {}}, {"json": {"name": ""}}, {"json": {"name": 5}}, {"json": ["name"]}, {"content": b"{"}]
)
def test_an_invalid_name_is_400(images: httpx.Client, uuid: str, body: dict[str, Any]):
    assert images.patch(f"/images/{uuid}", **body).status_code == 400


def test_faults_hit_this_api_too(box: Sandbox, images: httpx.Client):
    box.faults.next("reset_after_commit", path="/library/images", method="POST")
    with pytest.raises(httpx.ReadError):
        upload(images, "lost answer.png")
    assert "lost answer.png" in {image["name"] for image in images.get("/images").json()["images"]}
    box.faults.next("token_expired", path="/library/*")
    assert images.get("/images").status_code == 401


def test_ten_thousand_images_are_there_at_once_and_share_files_until_the_last_is_deleted(tmp_path: Path):
    with Sandbox(path=tmp_path / "box.sqlite") as box:
        box.fill_library(10_000)
        with client_of(box, box.images_token()) as client:
            rows = client.get("/images").json()["images"]
            assert len(rows) == len({row["name"] for row in rows}) == 10_000
            first, same = rows[0]["image_uuid"], rows[24]["image_uuid"]
            content = client.get(f"/images/{first}").content
            assert client.delete(f"/images/{first}").status_code == 200
            assert client.get(f"/images/{same}").content == content
        password = box.images_user.password
    with Sandbox(path=tmp_path / "box.sqlite") as box:
        assert box.images_user.password == password
        assert len(box.library.names()) == 9_999


def test_a_temporary_library_goes_with_its_sandbox():
    with Sandbox() as box:
        folder = box.library.folder
        assert folder.is_dir()
    assert not folder.exists()
    with pytest.raises(SandboxError, match="not running"):
        _ = box.images_url


def test_another_process_finds_the_library(box: Sandbox, monkeypatch: pytest.MonkeyPatch):
    for name, value in environment_of(box).items():
        monkeypatch.setenv(name, value)
    joined = running.running_sandbox()
    assert (joined.images_url, joined.images_user.password) == (box.images_url, box.images_user.password)
    assert box.images_user.password not in repr(joined)
    assert httpx.get(f"{joined.images_url}/images", headers={"Authorization": joined.images_auth().header(joined.images_url)}).status_code == 200  # fmt: skip
