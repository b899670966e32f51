"""The judge: PyPI's wwt-api-client, unmodified, in an environment of its own, signs in and publishes to the sandbox."""

from __future__ import annotations

import json
import math
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from official_python import official_python

from constellations_widgets import Constellations, sign_in
from constellations_widgets.sandbox import Sandbox

URL = "http://example.com/official/{1}/{3}/{3}_{2}.png"
HERE = Path(__file__).parent

# The official client waits for its browser, so the browser must not wait for the official client.
BROWSER = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=120).read()"


@pytest.fixture(scope="session", name="official_python")
def official_python_fixture() -> Path:
    try:
        return official_python()
    except RuntimeError as error:
        pytest.fail(str(error), pytrace=False)


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
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_it_signs_in_and_makes_each_of_its_calls(official, box, owner, add):
    background = add()
    box.add_background(background)
    box.add_handle("judge", "The judge")
    seen = official("judge", URL)
    first, second = seen["ids"]

    assert seen["uncalled"] == [] and seen["public"] >= 25
    assert seen["handle"] == {"handle": "judge", "display_name": "The judge"}
    assert seen["may"] == [True, True]
    assert seen["listed"] == [[second, "From an imageset"], [first, "Changed"]]
    assert seen["found"] == [first]
    assert seen["not_found"] == []
    assert background in seen["backgrounds"]
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
    assert seen["wtml_urls"] == [
        f"{box.api_url}/image/{first}/img.wtml",
        f"{box.api_url}/scene/{seen['scene_ids'][0]}/place.wtml",
    ]
    assert seen["imagesets"] == ["Changed"]


def test_it_makes_reads_lists_and_changes_scenes(official, box):
    box.add_handle("scenes", "Before")
    url = f"{URL}?scenes"
    seen = official("scenes", url)
    (first, second), (scene, hidden) = seen["ids"], seen["scene_ids"]
    assert seen["renamed"] == {"handle": "scenes", "display_name": "Renamed"}
    shown = seen["scene"]
    assert (shown["text"], shown["published"], shown["likes"], shown["liked"]) == ("Changed", True, 0, False)
    assert shown["content"]["background"]["id"] == second
    assert [layer["image"]["id"] for layer in shown["content"]["image_layers"]] == [first]
    made = seen["from_place"]
    assert (made["text"], made["published"], made["place"]["roi_height_deg"]) == ("From a place", False, 2)
    assert made["place"]["ra_rad"] == pytest.approx(math.pi / 4)
    assert seen["may_edit_scene"] is True
    assert seen["place"] == [f"Scene {scene}", pytest.approx(12 / math.pi), url]
    assert seen["scene_info"] == [[hidden, "From a place", False], [scene, "Changed", True]]
    assert seen["timeline"] == [scene]
    assert scene in seen["home"] and hidden not in seen["home"]
    assert seen["stats"]["scenes"] == {"count": 2, "impressions": 0, "likes": 0, "clicks": 0, "shares": 0}


def test_it_refreshes_a_token_that_has_expired(official, box, tmp_path):
    box.add_handle("expired", "Of an expired token")
    official("expired", URL)
    cache = tmp_path / ".openidc" / "oidc_wwt_api_client.json"
    kept = json.loads(cache.read_text())
    for session in kept.values():
        session["access_token"] = box.token(expired=True)
    cache.write_text(json.dumps(kept))
    assert official("expired", URL)["may"] == [True, True]
    assert len(json.loads(cache.read_text())) == 1


def test_what_it_keeps_can_be_used_by_our_own_sign_in(official, box, tmp_path, monkeypatch):
    box.add_handle("kept", "Of a sign-in that is kept")
    official("kept", URL)
    monkeypatch.setenv("HOME", str(tmp_path))
    client = Constellations(box.api_url, auth=sign_in(api_url=box.api_url, use_official_cache=True))
    assert client.may_add_images("kept")
