"""Stand-alone pages: what they hold and what they must not, limits, and errors. How they look is tested in tests/browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from examples import TILED
from PIL import Image

from constellations_widgets import ImageDraft, Preview, save_html
from constellations_widgets.errors import ConstellationsError, SourceError
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets.preview.stand_alone import without_addresses

UNTILED = {
    "wwt.center_x": 150.0,
    "wwt.center_y": 20.0,
    "wwt.rotation": 30.0,
    "wwt.offset_x": 32.0,
    "wwt.offset_y": 24.0,
    "wwt.base_degrees_per_tile": 0.001,
    "wwt.projection": "SkyImage",
    "wwt.tile_levels": 0,
    "wwt.file_type": ".png",
}


class Written:
    """A page, taken apart."""

    def __init__(self, path: Path):
        self.text = path.read_text("utf-8")
        self.content: dict[str, Any] = json.loads(self._element("cxw-content"))
        self.policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', self.text)[1])

    def _element(self, name: str) -> str:
        return re.search(rf'<script type="[^"]*" id="{name}"[^>]*>(.*?)</script>', self.text, re.DOTALL)[1]

    def file(self, path: str) -> bytes:
        return base64.b64decode(self._element(self.content["files"][path]))

    def app(self, name: str) -> bytes:
        return gzip.decompress(base64.b64decode(self._element(dict(self.content["app"])[name])))

    @property
    def states(self) -> list[dict[str, Any]]:
        return [image["state"] for image in self.content["images"]]


@pytest.fixture
def picture(tmp_path: Path) -> ImageDraft:
    noise = np.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "secret name.png")
    return ImageDraft(ParsedImage(UNTILED, local=LocalImage(tmp_path, "secret%20name.png")), autosave=False)


@pytest.fixture
def tree(tmp_path: Path) -> ImageDraft:
    """Tiles of three levels, 1,000 bytes each."""
    for level in range(3):
        for y in range(2**level):
            (tmp_path / f"tiles/{level}/{y}").mkdir(parents=True)
            for x in range(2**level):
                (tmp_path / f"tiles/{level}/{y}/{y}_{x}.png").write_bytes(bytes([level, y, x]) + bytes(997))
    values = TILED | {"wwt.tile_levels": 2}
    return ImageDraft(ParsedImage(values, local=LocalImage(tmp_path / "tiles", "{1}/{3}/{3}_{2}.png")), autosave=False)


def test_a_page_holds_all_files_and_allows_only_its_own_scripts(picture: ImageDraft, tmp_path: Path):
    page = Written(Preview(picture).to_html(tmp_path / "page.html"))
    assert page.file("image0/picture.png") == (tmp_path / "secret name.png").read_bytes()
    assert json.loads(page.app("surveys.json")) == []
    [module] = re.findall(r'<script type="module">(.*?)</script>', page.text, re.DOTALL)
    for code in (module.encode(), page.app("libraries"), page.app("app")):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(code).digest()).decode()}'" in page.policy
    assert page.policy.startswith("default-src 'none'; script-src 'sha256-") and "http" not in page.policy
    assert "unsafe" not in page.policy.partition("style-src")[0]
    assert '<div id="cxw-preview"><img src="data:image/png;base64,' in page.text  # where no script runs
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o644


def test_no_path_of_this_machine_is_in_a_page(picture: ImageDraft, tree: ImageDraft, tmp_path: Path):
    (tmp_path / "tiles/1/0/0_0.png").write_bytes(bytes(2000))
    page = Written(save_html([picture, tree], tmp_path / "page.html", problems=True))
    plain = [page.text, *(page.app(name).decode() for name, _ in page.content["app"] if not name.endswith(".jpg"))]
    for secret in (
        str(tmp_path),
        tmp_path.name,
        "secret",
        str(Path.home()),
        hashlib.sha256(str(tmp_path).encode()).hexdigest(),
    ):
        assert not any(secret in text for text in plain)


@pytest.mark.parametrize(
    ("message", "public"),
    [
        ("could not write /home/ada/drafts/m51.json: disk full", "could not write m51.json: disk full"),
        (r"could not write C:\Users\Ada\m51.json", "could not write m51.json"),
        ("is in ~/data/m51.fits now", "is in m51.fits now"),
        ("“/srv/x/y.png” can't be read", "“y.png” can't be read"),
        ("use https://example.org/a/b.png?token=1 here", "use https://example.org/a/b.png here"),
        ("http://127.0.0.1:8888/x?token=1 can't be reached", "(a private address) can't be reached"),
        ("http://user:word@[fe80::1]/x and http://lab.local/y", "(a private address) and (a private address)"),
        ("2/3 of 96 × 45 pixels, and/or", "2/3 of 96 × 45 pixels, and/or"),
    ],
)
def test_messages_name_no_place_on_this_machine(message: str, public: str):
    assert without_addresses(message) == public


def test_above_the_limit_tiles_of_the_deepest_level_are_left_out(tree: ImageDraft, tmp_path: Path):
    whole = Written(save_html(tree, tmp_path / "whole.html", max_bytes=21_000))
    assert len(whole.content["files"]) == 21 and whole.states[0]["imageset"]["tile_levels"] == 2
    less = Written(save_html(tree, tmp_path / "less.html", max_bytes=20_999))
    assert sorted(less.content["files"]) == sorted(
        f"image0/{path}" for path in ("0/0/0_0.png", "1/0/0_0.png", "1/0/0_1.png", "1/1/1_0.png", "1/1/1_1.png")
    )
    assert less.states[0]["imageset"] == whole.states[0]["imageset"] | {"tile_levels": 1}
    assert 'TileLevels="1"' in less.states[0]["wtml"]
    assert tree.wwt.tile_levels == 2
    with pytest.raises(SourceError, match="5,000 bytes, more than max_bytes=4,999"):
        save_html(tree, tmp_path / "none.html", max_bytes=4_999)
    assert not (tmp_path / "none.html").exists()


def test_above_the_limit_a_picture_has_a_lower_resolution_and_the_same_place(picture: ImageDraft, tmp_path: Path):
    page = Written(save_html(picture, tmp_path / "page.html", max_bytes=4000))
    state = page.states[0]
    assert state["size"] == [32, 24] and state["imageset"]["base_degrees_per_tile"] == 0.002
    assert (state["imageset"]["offset_x"], state["imageset"]["offset_y"]) == (16.0, 12.0)
    assert len(page.file("image0/picture.png")) <= 4000


def test_above_the_limit_an_image_can_be_loaded_from_its_address(tree: ImageDraft, picture: ImageDraft, tmp_path: Path):
    page = Written(save_html([tree, picture], tmp_path / "page.html", max_bytes=20_000, above="link"))
    assert list(page.content["files"]) == ["image1/picture.png"]
    assert page.states[0]["imageset"]["url"] == "http://localhost:1/network/https://example.org/m51/{1}/{3}/{3}_{2}.png"
    assert "img-src data: blob: https://example.org; connect-src https://example.org;" in page.policy
    with pytest.raises(SourceError, match="can't be loaded from the web. Image address is missing"):
        save_html(picture, tmp_path / "none.html", max_bytes=100, above="link")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/{1}/{3}/{3}_{2}.png", "https://nas/{1}/{3}/{3}_{2}.png"])
def test_an_address_that_others_cannot_reach_is_not_linked(url: str, tmp_path: Path):
    draft = ImageDraft(ParsedImage(TILED | {"storage.legacy_url_template": url}), autosave=False)
    with pytest.raises(SourceError, match="can be reached only from your network"):
        save_html(draft, tmp_path / "page.html")


def test_numbered_servers_are_allowed_each(tmp_path: Path):
    url = "https://r{S}.example.org/{Q}.png"
    draft = ImageDraft(
        ParsedImage(TILED | {"storage.legacy_url_template": url, "wwt.quad_tree_map": "0123"}), autosave=False
    )
    policy = Written(save_html(draft, tmp_path / "page.html")).policy
    assert all(f"https://r{number}.example.org" in policy for number in range(4))


def test_what_cannot_be_shown_is_an_error(picture: ImageDraft, tmp_path: Path):
    path = tmp_path / "page.html"
    with pytest.raises(ConstellationsError, match="at least one draft"):
        save_html([], path)
    with pytest.raises(TypeError, match="save_html takes an ImageDraft, not a str"):
        save_html(["m51.png"], path)
    with pytest.raises(ConstellationsError, match='above= takes "reduce" or "link"'):
        save_html(picture, path, above="drop")
    with pytest.raises(ConstellationsError, match="has no image"):
        Preview().to_html(path)
    with pytest.raises(SourceError, match="page can't be written to"):
        save_html(picture, tmp_path / "no folder\0/page.html")
    (tmp_path / "secret name.png").unlink()
    with pytest.raises(SourceError, match="no longer exists"):
        save_html(picture, path)
    with pytest.raises(ConstellationsError, match="can't be shown in a page: Center X"):
        save_html(ImageDraft(ParsedImage(TILED | {"wwt.center_x": None}), autosave=False), path)
    assert not path.exists()


def test_hostile_text_is_escaped_in_every_place(picture: ImageDraft, tmp_path: Path):
    evil = "</script><script>evil()</script><!--<script>\u2028\ud800$policy"
    picture._name = evil
    paths = (
        "note",
        "alt_text",
        "permissions.copyright",
        "permissions.credits",
        "permissions.license",
        "wwt.thumbnail_url",
    )
    picture.update(dict.fromkeys(paths, evil))
    text = save_html([picture, picture], tmp_path / "page.html", problems=True).read_text("utf-8")
    assert "<script>evil" not in text and "<!--" not in text
    assert len(re.findall(r"<script\b", text)) == len(re.findall("</script>", text))
