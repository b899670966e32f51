"""Uploads to the sandbox's files: by its owner's programs only, whole or not at all, and nowhere else."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import httpx
import pytest

from constellations_widgets.sandbox import Sandbox, file_uploads

SITE = {"Origin": "https://worldwidetelescope.org"}


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


@pytest.fixture
def box(folder):
    with Sandbox(files=folder) as running:
        yield running


@pytest.fixture(params=["files_url", "uploads_url"])
def url(request, box) -> str:
    return getattr(box, request.param)


def put(box: Sandbox, url: str, content: bytes = b"abc", **headers: str) -> httpx.Response:
    return httpx.put(url, content=content, headers={"Authorization": f"Bearer {box.token()}", **headers})


def test_what_is_uploaded_can_be_loaded_by_the_site(box, url):
    done = put(box, f"{url}/m%2051/0/%C3%BC.png", b"\x89PNG")
    assert done.status_code == 201 and done.headers["ETag"]
    loaded = httpx.get(f"{url}/m%2051/0/%C3%BC.png", headers=SITE)
    assert (loaded.content, loaded.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert loaded.headers["access-control-allow-origin"] == SITE["Origin"]


def test_only_its_owner_uploads_and_no_page(box, url):
    with Sandbox() as other:
        tokens = [None, "x", other.token(), box.token(account="another"), box.token(expired=True)]
    for token in tokens:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert httpx.put(f"{url}/a.png", content=b"x", headers=headers).status_code == 401
        assert httpx.get(f"{url}/?list", headers=headers).status_code == 401
    for origin in ("https://example.org", "http://localhost:8888", "null"):
        assert put(box, f"{url}/a.png", Origin=origin).status_code == 403
    assert httpx.options(f"{url}/a.png", headers={"Origin": "http://localhost:1"}).status_code == 405  # no preflight
    assert httpx.get(f"{url}/a.png").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "../out.png",
        "a/../../out.png",
        "..%2Fout.png",
        "a%2F..%2F..%2Fout.png",
        "%2e%2e/out.png",
        "%2Fetc/out.png",
        ".hidden",
        "a/.hidden/b.png",
        "a//b.png",
        "a/",
        "",
        "a%5C..%5Cout.png",
        "a%00b.png",
        "a%0Ab.png",
        "link/out.png",
        "file.png",
        "x" * 300,
        "/".join("a" * 40),
    ],
)
def test_no_path_leads_out_of_the_folder(box, folder, path):
    outside = folder.parent / "outside"
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "file.png").symlink_to(folder.parent / "out.png")
    host, port = box.api_url.removeprefix("http://").split(":")
    import http.client

    connection = http.client.HTTPConnection(host, int(port))  # httpx would resolve the dots
    connection.request("PUT", f"/files/{path}", b"x", {"Authorization": f"Bearer {box.token()}"})
    assert connection.getresponse().status in (400, 404, 405)
    connection.close()
    assert {each.name for each in folder.parent.iterdir()} == {"files", "outside"} and not list(outside.iterdir())


def test_a_file_that_is_there_is_replaced_only_if_asked_for(box, url):
    assert put(box, f"{url}/a.png", b"first", **{"If-None-Match": "*"}).status_code == 201
    assert put(box, f"{url}/a.png", b"second", **{"If-None-Match": "*"}).status_code == 412
    assert httpx.get(f"{url}/a.png").content == b"first"
    assert put(box, f"{url}/a.png", b"second").status_code == 201
    assert httpx.get(f"{url}/a.png").content == b"second"
    assert put(box, f"{url}/a.png/b.png").status_code == 412


def test_a_file_may_not_be_too_large(box, folder, monkeypatch):
    monkeypatch.setattr(file_uploads, "MOST_BYTES", 1000)
    assert put(box, f"{box.files_url}/a.png", b"x" * 1001).status_code == 413
    chunks = iter([b"x" * 600, b"x" * 600])
    headers = {"Authorization": f"Bearer {box.token()}"}
    assert httpx.put(f"{box.files_url}/a.png", content=chunks, headers=headers).status_code == 413
    assert not list(folder.iterdir())
    assert put(box, f"{box.files_url}/a.png", b"x" * 1000).status_code == 201


def test_an_upload_that_was_cut_off_leaves_nothing(box, folder):
    arrived = threading.Event()

    def content():
        yield b"x" * 100
        arrived.set()
        raise OSError("cut")

    headers = {"Authorization": f"Bearer {box.token()}", "Content-Length": "1000"}
    with pytest.raises((OSError, httpx.HTTPError)):
        httpx.put(f"{box.files_url}/a.png", content=content(), headers=headers)
    assert arrived.is_set()
    put(box, f"{box.files_url}/b.png")
    for _ in range(100):
        if [each.name for each in folder.iterdir()] == ["b.png"]:
            break
        threading.Event().wait(0.05)
    assert [each.name for each in folder.iterdir()] == ["b.png"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_named(box, folder, monkeypatch):
    monkeypatch.setattr(file_uploads, "_put_in_place", lambda *_a, **_k: Path("/dev/full").write_bytes(b"x"))
    done = put(box, f"{box.files_url}/a.png")
    assert done.status_code == 507 and "No space left" in done.text and not list(folder.iterdir())


def test_the_list_holds_what_was_uploaded(box, url):
    put(box, f"{url}/m/0/a.png", b"abc")
    put(box, f"{url}/m/b.png", b"abcd")
    headers = {"Authorization": f"Bearer {box.token()}"}
    files = httpx.get(f"{url}/m/?list", headers=headers).json()["files"]
    assert {each["path"]: each["size"] for each in files} == {"0/a.png": 3, "b.png": 4}
    assert httpx.get(f"{url}/nowhere/?list", headers=headers).json() == {"files": []}


def test_uploads_of_a_sandbox_with_a_database_are_kept(tmp_path):
    with Sandbox(path=tmp_path / "box.sqlite") as box:
        put(box, f"{box.uploads_url}/a.png")
    with Sandbox(path=tmp_path / "box.sqlite") as box:
        assert httpx.get(f"{box.uploads_url}/a.png").content == b"abc"
