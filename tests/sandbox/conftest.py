"""One sandbox for all tests of this folder, and what they send to it."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from constellations_widgets.sandbox import Sandbox

SAMPLE = Path(__file__).parents[1] / "data" / "backend-verdicts-sample.json.gz"

IMAGE = {
    "wwt": {
        "base_degrees_per_tile": 1.5,
        "bottoms_up": False,
        "center_x": 10.25,
        "center_y": -20.5,
        "file_type": ".png",
        "offset_x": 0.1,
        "offset_y": -0.2,
        "projection": "Tan",
        "quad_tree_map": "",
        "rotation": 12.5,
        "thumbnail_url": "http://example.com/t.jpg",
        "tile_levels": 4,
        "width_factor": 2,
    },
    "storage": {"legacy_url_template": "http://example.com/{1}/{3}/{3}_{2}.png"},
    "note": "A note",
    "permissions": {"copyright": "Copyright X", "license": "CC-BY-4.0", "credits": "By <b>me</b>"},
    "alt_text": "Alt",
}


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    files = tmp_path_factory.mktemp("files")
    (files / "0").mkdir()
    (files / "0" / "0_0.png").write_bytes(b"\x89PNG")
    (files / "index.wtml").write_text("<Folder/>")
    (files.parent / "secret.txt").write_text("secret")
    (files / "out").symlink_to(files.parent / "secret.txt")
    with Sandbox(files=files) as box:
        yield box


@pytest.fixture(scope="session")
def anyone(box: Sandbox) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=box.api_url) as client:
        yield client


@pytest.fixture(scope="session")
def owner(box: Sandbox) -> Iterator[httpx.Client]:
    """The owner of the sandbox's handle."""
    with httpx.Client(base_url=box.api_url, headers={"Authorization": f"Bearer {box.token()}"}) as client:
        yield client


@pytest.fixture(scope="session")
def other(box: Sandbox) -> Iterator[httpx.Client]:
    """Somebody with an account, who owns nothing."""
    token = box.token(account="somebody-else")
    with httpx.Client(base_url=box.api_url, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


@pytest.fixture
def image() -> dict[str, Any]:
    """A body that the server takes, to be changed at will."""
    return copy.deepcopy(IMAGE)


@pytest.fixture
def add(owner: httpx.Client, image: dict[str, Any]) -> Callable[..., str]:
    """Publish an image with some fields changed; returns its id."""

    def add(**changes: Any) -> str:
        answer = owner.post("/handle/sandbox/image", json=image | changes)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    return add


@pytest.fixture(scope="session")
def verdicts() -> dict[str, Any]:
    """What the real server answered."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as file:
        return json.load(file)
