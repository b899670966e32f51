"""The judge: PyPI's wwt-api-client, unmodified, in an environment of its own, signs in and publishes to the sandbox."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from constellations_widgets import Constellations, sign_in
from constellations_widgets.sandbox import Sandbox

VERSION = "0.7.0"
URL = "http://example.com/official/{1}/{3}/{3}_{2}.png"
HERE = Path(__file__).parent

# The official client waits for its browser, so the browser must not wait for the official client.
BROWSER = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=30).read()"


@pytest.fixture(scope="session")
def official_python() -> Path:
    """The Python that has the official client: made once, in $CXW_OFFICIAL_CLIENT_ENV or in `build/`."""
    default = HERE.parents[1] / "build" / f"wwt-api-client-{VERSION}"
    folder = Path(os.environ.get("CXW_OFFICIAL_CLIENT_ENV", default))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = folder / "ready"
    if not ready.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run(
            [
                str(python),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                f"wwt-api-client=={VERSION}",
            ]
        )
        ready.touch()
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.fail(
            f"The official client wwt-api-client {VERSION} could not be installed to judge the sandbox "
            f"(it needs a package registry): {shlex.join(command)}\n{done.stdout}{done.stderr}",
            pytrace=False,
        )


@pytest.fixture
def official(official_python: Path, box: Sandbox, tmp_path: Path):
    """Run the script in the official client's environment, with a home of its own."""
    environment = {
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "PATH": os.environ.get("PATH", ""),
        "NUXT_PUBLIC_API_URL": box.api_url,
        "NUXT_PUBLIC_KEYCLOAK_URL": box.keycloak_url,
        "BROWSER": f"{shlex.join([sys.executable, '-c', BROWSER])} %s &",
    }

    def run(*arguments: str) -> dict[str, Any]:
        command = [str(official_python), str(HERE / "official_client.py"), *arguments]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_it_signs_in_and_does_all_that_it_can_with_images(official, box, tmp_path):
    box.add_handle("judge", "The judge")
    seen = official("judge", URL)
    first, second = seen["ids"]

    assert seen["handle"] == {"handle": "judge", "display_name": "The judge"}
    assert seen["may"] == [True, True]
    assert seen["listed"] == [[second, "From an imageset"], [first, "Changed"]]
    assert seen["found"] == [first]
    assert seen["not_found"] == []
    assert seen["backgrounds"] == []
    assert seen["stats"]["images"] == {"count": 2}

    before, after = seen["before"], seen["after"]
    assert before["wwt"]["rotation"] == 12.5
    assert before["permissions"] == {
        "copyright": "Copyright X",
        "license": "CC-BY-4.0",
        "credits": "By <strong>me</strong>",
    }
    assert (after["note"], after["permissions"]) == ("Changed", {"copyright": "Y", "license": "MIT", "credits": None})
    assert after["storage"] == before["storage"] == {"legacy_url_template": URL}
    assert seen["second"]["permissions"]["credits"] == "A &amp; B"
    assert seen["wtml"] == URL
    assert (seen["scene"], seen["timeline"]) == ("Look", [seen["scene_id"]])


def test_it_refreshes_a_token_that_has_expired(official, box, tmp_path):
    official(box.handle, URL)
    cache = tmp_path / ".openidc" / "oidc_wwt_api_client.json"
    kept = json.loads(cache.read_text())
    for session in kept.values():
        session["access_token"] = box.token(expired=True)
    cache.write_text(json.dumps(kept))
    assert official(box.handle, URL)["may"] == [True, True]
    assert len(json.loads(cache.read_text())) == 1


def test_what_it_keeps_can_be_used_by_our_own_sign_in(official, box, tmp_path, monkeypatch):
    official(box.handle, URL)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path / "state"))
    client = Constellations(box.api_url, auth=sign_in(api_url=box.api_url, use_official_cache=True))
    assert client.may_add_images(box.handle)
