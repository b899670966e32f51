"""LocalImage: the image's own files are served, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.errors import SourceError
from constellations_widgets.sources.local import LocalImage

TILES = "{1}/{3}/{3}_{2}.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "image"
    for level, x, y in [(0, 0, 0), (1, 0, 0), (1, 1, 0), (2, 3, 1)]:
        tile = root / f"{level}/{y}/{y}_{x}.png"
        tile.parent.mkdir(parents=True, exist_ok=True)
        tile.write_bytes(f"tile {level} {x} {y}".encode())
    (root / "notes.txt").write_text("private")
    (root / "1/0/0_0.txt").write_text("private")
    (tmp_path / "secret.png").write_text("secret")
    return root


@pytest.fixture
def tiles(folder: Path) -> LocalImage:
    return LocalImage(folder, TILES, (700, 500))


def test_tiles_are_read_by_the_path_that_the_engine_fills_in(tiles):
    assert tiles.read("0/0/0_0.png") == b"tile 0 0 0"
    assert tiles.read("2/1/1_3.png") == b"tile 2 3 1"
    assert tiles.tiled


def test_a_single_file_is_read_by_its_name_alone(folder):
    (folder / "image.png").write_bytes(b"pixels")
    image = LocalImage(folder, "image.png")
    assert image.read("image.png") == b"pixels" and not image.tiled
    with pytest.raises(PermissionError):
        image.read("notes.txt")


def test_a_name_with_a_space_is_written_as_a_url_does(folder):
    (folder / "my image.png").write_bytes(b"pixels")
    assert LocalImage(folder, "my%20image.png").read("my%20image.png") == b"pixels"


def test_a_hole_in_the_pyramid_is_not_found(tiles):
    with pytest.raises(FileNotFoundError):
        tiles.read("2/0/0_0.png")


def test_a_folder_or_a_pipe_in_the_place_of_a_tile_is_not_found_and_does_not_hang(tiles, folder):
    (folder / "1/0/0_7.png").mkdir()
    os.mkfifo(folder / "1/0/0_8.png")
    for name in ("1/0/0_7.png", "1/0/0_8.png"):
        with pytest.raises(OSError):
            tiles.read(name)


REFUSED = [
    "",
    "notes.txt",
    "1/0/0_0.txt",
    "../secret.png",
    "1/0/../../../secret.png",
    "..%2fsecret.png",
    "%2e%2e/secret.png",
    "1/0/0_0.png/",
    "./1/0/0_0.png",
    "1//0/0_0.png",
    "1\\0\\0_0.png",
    "/etc/passwd",
    "1/0/0_0.PNG",
    "01/0/0_0.png",
    "1/0/1_0.png",
    "1/0/0_0.png\n",
    "1/0/0_0.png\0",
    "１/0/0_0.png",
    "1/0/0_0.png?x",
    "file:///etc/passwd",
    "C:\\secret.png",
]


@pytest.mark.parametrize("name", REFUSED)
def test_anything_but_a_tile_is_refused(tiles, name):
    with pytest.raises(PermissionError):
        tiles.read(name)


def test_an_absolute_path_is_refused_even_if_it_names_a_tile(tiles, folder):
    with pytest.raises(PermissionError):
        tiles.read(str(folder / "1/0/0_0.png"))


def test_what_is_not_text_is_refused(tiles):
    for name in (None, 7, b"1/0/0_0.png", ["1/0/0_0.png"]):
        with pytest.raises(PermissionError):
            tiles.read(name)


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(tiles, folder):
    (folder / "2/2").mkdir()
    (folder / "2/2/2_0.png").symlink_to(folder.parent / "secret.png")
    (folder / "2/2/2_1.png").symlink_to(folder / "0/0/0_0.png")
    (folder / "2/3").symlink_to(folder.parent, target_is_directory=True)
    (folder.parent / "3_0.png").write_text("secret")
    for name in ("2/2/2_0.png", "2/3/3_0.png"):
        with pytest.raises(PermissionError):
            tiles.read(name)
    assert tiles.read("2/2/2_1.png") == b"tile 0 0 0"


def test_the_folder_itself_may_be_reached_by_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert LocalImage(tmp_path / "link", TILES).read("0/0/0_0.png") == b"tile 0 0 0"


@pytest.mark.parametrize(
    "template",
    [
        "",
        "/tiles/{1}.png",
        "../{1}/{3}/{3}_{2}.png",
        "a/../../{1}.png",
        "%2e%2e/{1}.png",
        "a\\{1}.png",
        "http://x/{1}.png",
        "{7}/a.png",
        "a/{1.png",
    ],
)
def test_a_template_that_could_lead_elsewhere_makes_no_image(tmp_path, template):
    with pytest.raises(SourceError):
        LocalImage(tmp_path, template)


@given(st.text() | st.text(alphabet="./\\%2eE_0123456789png") | st.builds(quote, st.text(alphabet="./\\012_png")))
def test_whatever_is_asked_for_nothing_but_tiles_comes_back(tmp_path_factory, name):
    root = tmp_path_factory.getbasetemp() / "guarded"
    if not root.exists():
        (root / "image/0/0").mkdir(parents=True)
        (root / "image/0/0/0_0.png").write_bytes(b"tile")
        (root / "image/secret").write_bytes(b"secret")
        (root / "secret.png").write_bytes(b"secret")
    try:
        found = LocalImage(root / "image", TILES).read(name)
    except OSError:
        return
    assert found == b"tile"


def test_what_is_written_to_a_draft_s_file_is_the_same_image_again(folder):
    plain = LocalImage(folder, "image.png")
    full = LocalImage(folder, "a.png", (7, 5), folder / "a.fits", (0.5, 20.0))
    for image in (plain, full):
        assert LocalImage.from_json(json.loads(json.dumps(image.to_json()))) == image
