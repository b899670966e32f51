"""The sandbox as a thing to start, use and forget."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import weakref

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ports import free_port

from constellations_widgets.errors import SandboxError
from constellations_widgets.sandbox import Sandbox


def is_listening(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_it_can_be_started_and_closed_by_hand_and_again():
    box = Sandbox()
    assert box.start() is box
    url = box.api_url
    assert box.start().api_url == url
    assert is_listening(url)
    box.close()
    box.close()
    assert not is_listening(url)
    with box:
        assert is_listening(box.api_url)


def test_two_at_once_know_nothing_of_each_other(image):
    with Sandbox() as one, Sandbox() as two:
        post = httpx.post(
            f"{one.api_url}/handle/sandbox/image", json=image, headers={"Authorization": f"Bearer {one.token()}"}
        )
        assert post.status_code == 200
        assert httpx.get(two.api_url + post.json()["rel_url"]).status_code == 404
        headers = {"Authorization": f"Bearer {one.token()}"}
        assert httpx.get(f"{two.api_url}/handle/sandbox", headers=headers).status_code == 401


@pytest.mark.parametrize("name", ["", "no such folder/box.db", "text.txt"])
def test_what_can_be_no_database_is_said_and_the_port_is_free_again(tmp_path, name):
    (tmp_path / "text.txt").write_text("This is no database. " * 100)
    port = free_port()
    with pytest.raises(SandboxError, match="can't be used as the sandbox's database"):
        Sandbox(port=port, path=tmp_path / name).start()
    with Sandbox(port=port) as box:
        assert box.api_url.endswith(f":{port}")


def test_what_needs_a_running_server_says_so():
    box = Sandbox()
    assert repr(box) == "Sandbox(handle='sandbox', not running)"
    for use in (lambda: box.api_url, lambda: box.token(), lambda: box.add_handle("x")):
        with pytest.raises(SandboxError, match="not running"):
            use()


def test_a_port_in_use_and_a_missing_folder_are_refused(box, tmp_path):
    port = int(box.api_url.rpartition(":")[2])
    with pytest.raises(SandboxError, match=f"Port {port} can't be used"):
        Sandbox(port=port).start()
    with pytest.raises(SandboxError, match="Port 99999 can't be used"):
        Sandbox(port=99_999).start()
    with pytest.raises(SandboxError, match="is not a folder"):
        Sandbox(files=tmp_path / "nothing").start()
    with Sandbox() as bare, pytest.raises(SandboxError, match="serves no files"):
        bare.files_url  # noqa: B018


def test_its_files_stay_where_they_were_when_the_process_goes_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("here")
    monkeypatch.chdir(tmp_path)
    with Sandbox(files="files") as box:
        monkeypatch.chdir("/")
        assert httpx.get(f"{box.files_url}/a.txt").text == "here"


def test_its_repr_names_the_addresses_and_no_token(box):
    assert repr(box) == f"Sandbox(api_url={box.api_url!r}, keycloak_url={box.keycloak_url!r}, handle='sandbox')"


def test_a_forgotten_one_stops_by_itself():
    box = Sandbox().start()
    url, forgotten = box.api_url, weakref.ref(box)
    del box
    gc.collect()
    assert forgotten() is None
    assert not is_listening(url)


def test_a_program_that_forgets_it_ends():
    code = (
        "from urllib.request import urlopen; from constellations_widgets.sandbox import Sandbox; "
        "box = Sandbox().start(); urlopen(box.api_url + '/handle/sandbox')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_file_keeps_what_was_published(tmp_path, image):
    path = tmp_path / "box.sqlite"
    image["wwt"]["rotation"] = 1e999
    with Sandbox(path=path) as box:
        headers = {"Authorization": f"Bearer {box.token()}", "Content-Type": "application/json"}
        content = json.dumps(image).replace("Infinity", "1e999")
        answer = httpx.post(f"{box.api_url}/handle/sandbox/image", content=content, headers=headers).json()
    with Sandbox(path=path) as box:
        record = httpx.get(box.api_url + answer["rel_url"])
        assert record.json()["note"] == "A note"
        assert 'Rotation="Infinity"' in httpx.get(f"{box.api_url}{answer['rel_url']}/img.wtml").text
        headers = {"Authorization": f"Bearer {box.token()}"}
        assert httpx.get(f"{box.api_url}/handle/sandbox/stats", headers=headers).json()["images"] == {"count": 1}


def test_other_handles_and_their_owners(box, image):
    box.add_handle("team", "The team", owner="ann")
    box.add_handle("team", owner="bob")
    for account, status in (("ann", 200), ("bob", 200), (None, 403)):
        headers = {"Authorization": f"Bearer {box.token(account=account)}"}
        assert httpx.post(f"{box.api_url}/handle/team/image", json=image, headers=headers).status_code == status
    assert httpx.get(f"{box.api_url}/handle/team").json()["display_name"] == "The team"


def test_its_client_is_signed_in(box):
    client = box.client()
    assert client.may_add_images(box.handle)


def test_many_threads_at_once_lose_nothing(image):
    with (
        Sandbox() as box,
        httpx.Client(base_url=box.api_url, headers={"Authorization": f"Bearer {box.token()}"}) as client,
    ):
        ids: list[str] = []

        def publish() -> None:
            ids.extend(client.post("/handle/sandbox/image", json=image).json()["id"] for _ in range(10))

        threads = [threading.Thread(target=publish) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(ids)) == 80
        assert client.get("/handle/sandbox/imageinfo").json()["total_count"] == 80


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
TEXTS = st.text(max_size=20)
GOOD = st.fixed_dictionaries(
    {"note": TEXTS, "alt_text": TEXTS, "copyright": TEXTS, "credits": TEXTS.map("<b>".__add__)}
)


@given(GOOD, st.floats(allow_nan=False, allow_infinity=False))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60, deadline=None
)
def test_whatever_fits_the_schema_is_kept(owner, image, texts, number):
    image["permissions"] |= {name: texts[name] for name in ("copyright", "credits")}
    image |= {name: texts[name] for name in ("note", "alt_text")}
    image["wwt"]["rotation"] = number
    answer = owner.post("/handle/sandbox/image", json=image)
    assert answer.status_code == 200
    record = owner.get(answer.json()["rel_url"]).json()
    # The server writes whole numbers without an exponent, and with zeros where the double has no more digits.
    assert (record["note"], float(record["wwt"]["rotation"])) == (image["note"], number)


def has_key_with_nul(value: object) -> bool:
    """Return whether a key at any depth of a JSON value holds NUL, which the server's database cannot store."""
    if isinstance(value, dict):
        return any("\0" in key or has_key_with_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(has_key_with_nul, value))


@given(st.sampled_from(["wwt", "storage", "note", "permissions", "alt_text"]), VALUES)
@example("storage", {"\0": None})
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_does_not_fit_is_refused_in_words(owner, image, name, value):
    answer = owner.post("/handle/sandbox/image", json=image | {name: value})
    if answer.status_code == 400:
        assert answer.json()["message"].startswith("Submission did not match schema: Invalid value ")
    elif name == "storage" and has_key_with_nul(value):
        assert answer.status_code == 500
        assert answer.json()["message"] == "error serving POST /handle/sandbox/image"
    else:
        fits = isinstance(value, str) if name in ("note", "alt_text") else name == "storage" and isinstance(value, dict)
        assert fits and answer.status_code == 200


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_runs_until_it_is_told_to_stop(tmp_path, number):
    command = [
        sys.executable,
        "-m",
        "constellations_widgets",
        "sandbox",
        "--handle",
        "me",
        "--path",
        str(tmp_path / "box.sqlite"),
    ]
    command += ["--files", str(tmp_path), "--show-token"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        text = "".join(lines)
        api = re.search(r"export NUXT_PUBLIC_API_URL=(\S+)", text).group(1)
        token = re.search(r"(eyJ\S+)", text).group(1)
        answer = httpx.get(f"{api}/handle/me/permissions", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["view_dashboard"] is True
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out, err) == (0, "", "")


def test_the_command_says_in_a_line_what_is_wrong(box):
    port = box.api_url.rpartition(":")[2]
    command = [sys.executable, "-m", "constellations_widgets", "sandbox", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: Port {port} can't be used") and done.stderr.count("\n") == 1


def test_without_its_extra_it_says_what_to_install():
    code = (
        "import sys; sys.modules['starlette'] = None; "
        "from constellations_widgets.__main__ import main; sys.exit(main(['sandbox']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert 'pip install "constellations_widgets[sandbox]"' in done.stderr
