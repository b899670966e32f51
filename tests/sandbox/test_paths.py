"""Which path is which call: words in any case, one slash at the end, handles to the letter; what all answers carry."""

from __future__ import annotations

import socket

import httpx
import pytest


@pytest.fixture
def raw(box):
    """The status of a request line sent as it is written, which no HTTP library would do."""

    def raw(method: str, path: str) -> tuple[int, str]:
        host, port = box.api_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            request = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(request.encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        head, _, body = answer.partition("\r\n\r\n")
        return int(head.split(" ")[1]), body

    return raw


@pytest.mark.parametrize(
    "path",
    [
        "/handle/sandbox",
        "/HANDLE/sandbox",
        "/handle/sandbox/",
        "/handle/s%61ndbox",
        "/handle/sandbox?x=y",
        "/Handle/sandbox/?",
    ],
)
def test_paths_that_mean_the_handle(raw, path):
    assert raw("GET", path) == (200, '{"error":false,"handle":"sandbox","display_name":"Sandbox"}')


@pytest.mark.parametrize(
    "path", ["/handle/Sandbox", "/handle/@sandbox", "/handle/a%2Fb", "/handle/sandbox%20", "/handle/%00"]
)
def test_paths_that_mean_another_handle(raw, path):
    assert raw("GET", path) == (404, '{"error":true,"message":"Not found"}')


@pytest.mark.parametrize(
    "path", ["/handle/%zz", "/handle/%", "/handle/%ff", "/handle/%e9/image", "/image/%zz/permissions"]
)
def test_a_bad_escape_is_a_page(raw, path):
    status, body = raw("GET", path)
    assert status == 400
    assert "<pre>URIError: Failed to decode param &#39;%" in body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "//handle/sandbox/image"),
        ("POST", "/handle//image"),
        ("POST", "/handle/sandbox/images"),
        ("POST", "/handle/sandbox/image//"),
        ("PUT", "/handle/sandbox/image"),
        ("GET", "/handle/sandbox/image"),
        ("DELETE", "/image/0123456789abcdef01234567"),
        ("PATCH", "/handle/sandbox/image"),
        ("GET", "/"),
        ("GET", "/nowhere/<b>"),
        ("GET", "/files"),
    ],
)
def test_unknown_paths_are_404(raw, method, path):
    status, body = raw(method, path)
    assert status == 404
    assert f"<pre>Cannot {method} {path.replace('<', '&lt;').replace('>', '&gt;')}</pre>" in body


def test_a_query_and_a_slash_do_not_keep_an_image_out(owner, image):
    assert owner.post("/HANDLE/sandbox/Image/?x=1", json=image).status_code == 200


def test_a_preflight_is_answered_for_any_path(anyone):
    asked = {
        "Origin": "http://localhost:8888",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    for path in ("/handle/sandbox/image", "/nowhere"):
        answer = anyone.options(path, headers=asked)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == "http://localhost:8888"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "PATCH" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == "authorization,content-type"


@pytest.mark.parametrize(("path", "status"), [("/handle/sandbox", 200), ("/nowhere", 404), ("/image/xyz", 500)])
def test_every_answer_names_the_page_that_asked(anyone, path, status):
    answer = anyone.get(path, headers={"Origin": "https://example.org"})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "https://example.org"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in answer.headers["vary"]
    assert answer.headers["set-cookie"].startswith("cxsession=")


def test_errors_carry_cors_too(anyone):
    answer = anyone.post(
        "/handle/sandbox/image", content=b"{", headers={"Content-Type": "application/json", "Origin": "http://x"}
    )
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (400, "http://x")


def test_an_answer_that_is_known_already_is_a_304(anyone):
    first = anyone.get("/handle/sandbox")
    again = anyone.get("/handle/sandbox", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["etag"].startswith('W/"')
    assert (again.status_code, again.content) == (304, b"")
    assert anyone.head("/handle/sandbox").headers["content-length"] == str(len(first.content))


def test_json_says_its_charset(anyone):
    assert anyone.get("/handle/sandbox").headers["content-type"] == "application/json; charset=utf-8"


def test_files_have_their_content_types(box):
    tile = httpx.get(f"{box.files_url}/0/0_0.png")
    assert (tile.status_code, tile.content) == (200, b"\x89PNG")
    assert tile.headers["content-type"] == "image/png"
    assert tile.headers["content-security-policy"] == "sandbox"
    assert httpx.get(f"{box.files_url}/index.wtml").headers["content-type"] == "application/x-wtml"


@pytest.mark.parametrize(
    "path",
    [
        "/files/../secret.txt",
        "/files/%2e%2e/secret.txt",
        "/files/0/../../secret.txt",
        "/files/out",
        "/files//etc/passwd",
    ],
)
def test_files_outside_of_the_folder_stay_out_of_reach(raw, path):
    status, body = raw("GET", path)
    assert status == 404
    assert "secret" not in body.replace("secret.txt", "")
