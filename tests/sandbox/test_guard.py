"""What keeps web pages out: the Host that a request names, the page that sends it, and the files that are not served."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest
from PIL import Image

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SandboxError
from constellations_widgets.publishing import plan
from constellations_widgets.sandbox import Sandbox, tokens

REBOUND = ["evil.example", "evil.example:{port}", "localhost.evil.example", "127.0.0.1.evil.example:{port}", "10.0.0.1",
           "0.0.0.0:{port}", "[::]", "127.0.0.1@evil.example", "", "localhost:80:80"]  # fmt: skip
HERE = [
    "127.0.0.1:{port}",
    "localhost:{port}",
    "LOCALHOST",
    "localhost.:1",
    "[::1]:9",
    "127.8.9.1",
    "box.localhost:{port}",
]
PAGES = ["http://localhost:8888", "http://127.0.0.1:8867", "https://localhost", "http://[::1]:8888",
         "vscode-webview://1ab2c3"]  # fmt: skip
FOREIGN = [
    "https://evil.example",
    "http://localhost.evil.example:8888",
    "null",
    "http://10.0.0.1:8888",
    "file://",
    "http://[",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / ".cache" / "files"  # a hidden folder above it hides nothing
    (folder / ".git").mkdir(parents=True)
    (folder / "sub").mkdir()
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "tile.png").write_text("tile")
    (folder / "sub" / "..tile.png").write_text("secret")
    for hidden in (folder / ".env", folder / ".git" / "config", folder / "sub" / ".netrc"):
        hidden.write_text("secret")
    (folder / "out").symlink_to(folder.parent / "secret.txt")
    (folder / "sub" / "above").symlink_to(folder.parent)
    (folder / "shown").symlink_to(folder / ".env")
    (folder / "git").symlink_to(folder / ".git")
    (folder / "link.png").symlink_to("tile.png")
    return folder


@pytest.fixture(scope="module")
def guarded(folder: Path):
    with Sandbox(files=folder, origins=["http://Workstation.example:8888/"]) as box:
        yield box


def ask(box: Sandbox, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{box.api_url}{path}", headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("path", ["/handle/sandbox", "/files/tile.png", "/library/images", "/nowhere",
                                  "/realms/constellations/.well-known/openid-configuration"])  # fmt: skip
@pytest.mark.parametrize("host", REBOUND)
def test_a_host_that_is_not_this_machine_is_refused(guarded, path, host):
    answer = ask(guarded, path, Host=host.format(port=guarded.api_url.rpartition(":")[2]))
    assert answer.status_code in (400, 421)
    assert "access-control-allow-origin" not in answer.headers
    assert "sandbox" not in answer.text.lower() or "only requests to this machine" in answer.text


HUB = "hub.example.org"


def passed_on(
    box: Sandbox, path: str, host: str = HUB, prefix: str = "/user/ada/proxy/{port}", **headers: str
) -> httpx.Response:
    """Ask as jupyter-server-proxy does for a browser."""
    port = box.api_url.rpartition(":")[2]
    return ask(box, path, Host=host.format(port=port), X_Forwarded_Prefix=prefix.format(port=port), **headers)


def test_a_jupyter_server_may_pass_requests_on(guarded):
    for host in (HUB, f"{HUB}:8000"):
        assert passed_on(guarded, "/handle/sandbox", host).status_code == 200
        assert passed_on(guarded, "/files/tile.png", host, Origin=f"https://{host}").text == "tile"
    foreign = passed_on(guarded, "/files/tile.png", Origin="https://evil.example")
    assert foreign.status_code == 403 and "access-control-allow-origin" not in foreign.headers


@pytest.mark.parametrize(
    ("host", "prefix"), [("evil.example:{port}", "/proxy/{port}"), (HUB, "/proxy/1"), (HUB, "/proxy/1{port}")]
)
def test_what_was_not_passed_on_is_refused_whatever_a_page_says(guarded, host, prefix):
    assert passed_on(guarded, "/handle/sandbox", host, prefix).status_code == 421


@pytest.mark.parametrize("host", HERE)
def test_every_name_of_this_machine_is_served(guarded, host):
    assert ask(guarded, "/handle/sandbox", Host=host.format(port=guarded.api_url.rpartition(":")[2])).status_code == 200


@pytest.mark.parametrize("path", [".env", ".git/config", "sub/.netrc", "out", "sub/above/secret.txt", "shown", "git/config",
                                  "sub/..tile.png", "%2eenv", "sub/%2e%2e/.env", "sub//.netrc"])  # fmt: skip
def test_hidden_files_and_links_out_of_the_folder_are_not_served(guarded, path):
    answer = ask(guarded, f"/files/{path}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_link_within_the_folder_is_served(guarded):
    assert ask(guarded, "/files/link.png").text == "tile"


@pytest.mark.parametrize("origin", [*PAGES, "http://workstation.example:8888"])
def test_pages_of_this_machine_may_read_files(guarded, origin):
    for path, status in (("/files/tile.png", 200), ("/files/missing.png", 404)):
        answer = ask(guarded, path, Origin=origin)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, origin)
        assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", FOREIGN)
def test_pages_of_other_origins_may_not_read_files(guarded, origin):
    answer = ask(guarded, "/files/tile.png", Origin=origin)
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (403, None)
    assert "tile" not in answer.text


def test_a_program_needs_no_origin_and_gets_no_cors(guarded):
    answer = ask(guarded, "/files/tile.png")
    assert (answer.text, answer.headers.get("access-control-allow-origin")) == ("tile", None)


@pytest.mark.parametrize("origin", ["*", "evil.example", "http://a.example/path", "", 5])
def test_an_invalid_origin_is_refused_in_words(origin):
    with pytest.raises(SandboxError, match="is not the origin of a page: write it as"):
        Sandbox(origins=[origin])


def test_no_page_can_read_a_token(guarded):
    path = "/realms/constellations/protocol/openid-connect/token"
    form = {"grant_type": "refresh_token", "client_id": "automation", "refresh_token": "x"}
    for answer in (
        httpx.post(f"{guarded.api_url}{path}", data=form, headers={"Origin": "http://localhost:1"}),
        httpx.post(f"{guarded.images_url}/login", json={}, headers={"Origin": "http://localhost:1"}),
    ):
        assert "access-control-allow-origin" not in answer.headers


def test_all_tokens_of_a_sandbox_are_signed_by_one_key(monkeypatch):
    monkeypatch.setattr(tokens, "_key", None)
    keys, gate = [], threading.Barrier(4)

    def first() -> None:
        gate.wait()
        keys.append(tokens.private_key())

    threads = [threading.Thread(target=first) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(key) for key in keys}) == 1


def test_the_published_key_verifies_the_tokens_of_all_services(guarded):
    import jwt

    known = jwt.PyJWKSet.from_dict(
        httpx.get(f"{guarded.api_url}/realms/constellations/protocol/openid-connect/certs").json()
    )
    signed_in = {"name": guarded.images_user.name, "password": guarded.images_user.password}
    login = httpx.post(f"{guarded.images_url}/login", json=signed_in).json()["access_token"]
    for token in (guarded.token(), guarded.images_token(), login):
        key = known[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, ["RS256"], options={"verify_aud": False})["sub"]


def test_a_token_of_one_service_is_worth_nothing_at_the_other(guarded):
    bearer = {"Authorization": f"Bearer {guarded.token(account=guarded.images_user.name)}"}
    assert httpx.get(f"{guarded.images_url}/images", headers=bearer).status_code == 401
    bearer = {"Authorization": f"Bearer {guarded.images_token()}"}
    assert httpx.get(f"{guarded.api_url}/handle/sandbox", headers=bearer).status_code == 401


def test_a_plan_finds_the_files_of_the_sandbox_at_their_addresses(tmp_path):
    """The check before publishing loads them in the name of WWT's site, as the site's page would."""
    Image.new("RGB", (300, 200)).save(tmp_path / "m51.png")
    Image.new("RGB", (96, 45)).save(tmp_path / "thumb.jpg")
    draft = ImageDraft.from_image(tmp_path / "m51.png", center=(202.4, 47.2), width=0.2, autosave=False)
    with Sandbox(files=tmp_path) as box, box.client() as client:
        draft.update({"wwt.thumbnail_url": "thumb.jpg", "permissions.copyright": "Public domain"})
        draft.update({"permissions.license": "CC0-1.0", "permissions.credits": "Me", "alt_text": "Black."})
        draft.host_at(box.files_url)
        [step] = plan(draft, client, box.handle)
    assert not [reason for reason in step.reasons if "m51.png" in reason or "thumb.jpg" in reason], step.reasons
