"""What a preview's page gets of the image's files: holes, faults, pyramids whole, FITS made plain."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from constellations_widgets.errors import SourceError
from constellations_widgets.sources import large_picture
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.widgets.preview import image_files
from constellations_widgets.widgets.preview.image_files import PIXELS, ImageFiles
from constellations_widgets.widgets.preview.imageset import smaller

TILES = {"0/0/0_0.png": b"top", "1/0/0_0.png": b"left", "1/1/1_1.png": b"right"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "study"
    for name, content in TILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "index_rel.wtml").write_text("private")
    (tmp_path / "secret.png").write_bytes(b"secret")
    return root


@pytest.fixture
def local(folder: Path) -> LocalImage:
    return LocalImage(folder, "{1}/{3}/{3}_{2}.png")


@pytest.fixture
def files(local: LocalImage) -> ImageFiles:
    return ImageFiles(local)


def test_a_small_pyramid_is_sent_whole(files):
    assert files.state()["whole"] and files.state()["fault"] is None
    assert files.part(0) == (TILES, None, True)


def test_it_is_sent_in_parts_with_the_coarse_levels_first(files, folder, monkeypatch):
    monkeypatch.setattr(image_files, "FIRST_PART_BYTES", 2)
    monkeypatch.setattr(image_files, "PART_BYTES", 2)
    for level in ("10", "2"):
        (folder / level / "0").mkdir(parents=True)
        (folder / level / "0" / "0_0.png").write_bytes(b"xx")
    sent, start = [], 0
    while start is not None:
        contents, start, complete = files.part(start)
        assert len(contents) == 1 and complete
        sent.extend(contents)
    assert [name.split("/")[0] for name in sent] == ["0", "1", "1", "2", "10"]


@pytest.mark.parametrize("limit", ["MOST_FILES", "MOST_BYTES"])
def test_a_large_pyramid_is_not_sent_whole(files, monkeypatch, limit):
    monkeypatch.setattr(image_files, limit, 2)
    assert not files.state()["whole"] and files.part(0) == ({}, None, False)
    assert files.read("1/0/0_0.png") == b"left"


def test_a_listing_has_nothing_but_tiles_and_follows_no_links(local, folder):
    (folder / "1/0/0_1.png").symlink_to(folder.parent / "secret.png")
    (folder / "2").symlink_to(folder.parent, target_is_directory=True)
    (folder / "1/2").symlink_to(folder / "1/0", target_is_directory=True)
    (folder / "1/1/0_1.png").write_bytes(b"no tile: its folder says 1, its name 0")
    (folder / "1/1/1_01.png").write_bytes(b"no tile")
    (folder / "1/1/1_2.png").mkdir()
    os.mkfifo(folder / "1/1/1_3.png")
    assert sorted(local.listing(100, 1000)) == sorted(TILES)


def test_a_folder_full_of_other_things_is_given_up_soon(local, folder):
    for number in range(100):
        (folder / f"1/0/other{number}").write_text("")
    assert local.listing(5, 1000) is None and local.listing(100, 1000) is not None


def test_names_are_listed_as_urls_write_them(tmp_path):
    (tmp_path / "my tiles").mkdir()
    (tmp_path / "my tiles" / "0 0.png").write_bytes(b"x")
    image = LocalImage(tmp_path, "my%20tiles/{2}%20{3}.png")
    assert list(image.listing(10, 10)) == ["my%20tiles/0%200.png"] and image.read("my%20tiles/0%200.png") == b"x"


def test_a_file_that_is_lost_between_listing_and_reading_makes_the_whole_incomplete(files, local, monkeypatch):
    read = LocalImage.read

    def racing(self, relative):
        if relative == "1/0/0_0.png":
            raise FileNotFoundError(errno.ENOENT, "gone", relative)
        return read(self, relative)

    monkeypatch.setattr(LocalImage, "read", racing)
    contents, _, complete = files.part(0)
    assert not complete and sorted(contents) == ["0/0/0_0.png", "1/1/1_1.png"]


def test_the_key_changes_with_any_file_and_with_nothing_else(files, folder):
    first = files.state(fresh=True)["key"]
    assert files.state(fresh=True)["key"] == first
    (folder / "index_rel.wtml").write_text("changed")
    assert files.state(fresh=True)["key"] == first
    (folder / "1/1/1_1.png").write_bytes(b"longer than before")
    second = files.state(fresh=True)["key"]
    (folder / "1/1/1_1.png").unlink()
    assert len({first, second, files.state(fresh=True)["key"]}) == 3


def test_a_slow_disk_is_not_asked_at_every_change(files, folder, monkeypatch):
    monkeypatch.setattr(image_files, "_QUICK", 0.0)
    monkeypatch.setattr(image_files, "_PATIENCE", 1e9)
    first = files.state()
    (folder / "1/1/1_1.png").write_bytes(b"longer than before")
    assert files.state() == first != files.state(fresh=True)


def test_the_key_of_a_large_pyramid_changes_with_its_top(files, folder, monkeypatch):
    monkeypatch.setattr(image_files, "MOST_FILES", 1)
    first = files.state(fresh=True)["key"]
    (folder / "0/0/0_0.png").write_bytes(b"made anew")
    assert files.state(fresh=True)["key"] != first


def test_a_hole_is_no_fault_but_a_tile_that_was_there_is(files, folder):
    with pytest.raises(FileNotFoundError):
        files.read("1/1/1_0.png")
    files.read("1/1/1_1.png")
    (folder / "1/1/1_1.png").unlink()
    with pytest.raises(SourceError, match=r"1_1.png no longer exists on the kernel's disk.*Try again"):
        files.read("1/1/1_1.png")
    assert "1_1.png no longer exists" in files.state(fresh=True)["fault"]
    (folder / "1/1/1_1.png").write_bytes(b"back")
    assert files.read("1/1/1_1.png") == b"back" and files.state(fresh=True)["fault"] is None


def test_without_its_top_tile_or_its_folder_an_image_is_a_fault(files, folder):
    (folder / "0/0/0_0.png").unlink()
    for _ in range(2):
        with pytest.raises(SourceError, match="0_0.png no longer exists"):
            files.read("0/0/0_0.png")
    folder.rename(folder.parent / "elsewhere")
    assert "The image's folder no longer exists" in files.state()["fault"] and str(folder) in files.state()["fault"]
    with pytest.raises(SourceError, match="The image's folder no longer exists"):
        files.read("1/1/1_0.png")


def test_a_file_that_may_not_be_read_is_a_fault_with_the_systems_words(files, monkeypatch):
    def refuse(*_arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SourceError, match=r"1_1.png can't be read on the kernel's disk \(Permission denied\)"):
        files.read("1/1/1_1.png")


@pytest.mark.parametrize("name", ["../secret.png", "index_rel.wtml", "/etc/passwd", "1/1/1_1.PNG", "%31/1/1_1.png", ""])
def test_what_is_no_file_of_the_image_is_refused_without_a_word(files, name):
    with pytest.raises(PermissionError):
        files.read(name)
    with pytest.raises(PermissionError):
        files.read_pixels(name)


def write_fits(path: Path, values: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.writeto(path, values)
    return path


def test_fits_tiles_come_as_plain_floats_and_tell_their_cuts(tmp_path):
    write_fits(tmp_path / "0/0/0_0.fits", np.arange(12, dtype="int16").reshape(3, 4))
    files = ImageFiles(LocalImage(tmp_path, "{1}/{3}/{3}_{2}.fits"))
    with fits.open(io.BytesIO(files.read("0/0/0_0.fits"))) as hdus:
        assert hdus[0].header["BITPIX"] == -32 and hdus[0].data[2, 3] == 11
    assert files.fits is None and not files.picture
    look = files.stretch()
    assert look["cuts"] == pytest.approx((0, 11), abs=0.2) and len(look["quantiles"]) == 513
    chosen = ImageFiles(LocalImage(tmp_path, "{1}/{3}/{3}_{2}.fits", cuts=(2.0, 9.0)))
    assert chosen.stretch()["cuts"] == (2.0, 9.0)


def test_a_single_fits_file_is_read_as_pixels_and_its_faults_are_said(tmp_path):
    path = write_fits(tmp_path / "one.fits.gz", np.ones((3, 4)))
    files = ImageFiles(LocalImage(tmp_path, "one.fits.gz"))
    assert files.fits == path and files.reduced_pixels("x") == ("x", 1, (4, 3)) and not files.state()["whole"]
    assert files.read_pixels(PIXELS)[:6] == b"SIMPLE"
    path.unlink()
    assert files.reduced_pixels("x") == ("x", 1, None)
    assert "one.fits.gz no longer exists" in files.state(fresh=True)["fault"]
    for read in (files.stretch, lambda: files.read_pixels(PIXELS)):
        with pytest.raises(SourceError, match=r"one.fits.gz no longer exists on the kernel's disk"):
            read()


def test_a_picture_of_a_fits_file_has_both(tmp_path):
    pixels = write_fits(tmp_path / "data/one.fits", np.ones((3, 4)))
    (tmp_path / "one.png").write_bytes(b"picture")
    files = ImageFiles(LocalImage(tmp_path, "one.png", (4, 3), pixels=pixels))
    assert files.picture and files.fits == pixels and files.part(0) == ({"one.png": b"picture"}, None, True)
    key = files.state()["key"]
    pixels.unlink()
    assert (
        files.read("one.png") == b"picture" and files.state(fresh=True)["fault"] is None and files.state()["key"] != key
    )
    with pytest.raises(SourceError, match="one.fits no longer exists"):
        files.stretch()


def test_a_picture_that_is_too_large_for_graphics_is_made_smaller_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(large_picture, "LARGEST", 6)
    monkeypatch.setattr(large_picture, "_SHOWN", 4)
    Image.fromarray(np.arange(35, dtype="uint8").reshape(5, 7)).save(tmp_path / "large.png")
    files = ImageFiles(LocalImage(tmp_path, "large.png"))
    assert files.reduced_picture("x") == ("x", 2, (7, 5)) and "7 × 5 pixels" in files.state()["note"]
    assert not files.state()["whole"]
    with Image.open(io.BytesIO(files.read_pixels(image_files.PICTURE))) as image:
        assert image.size == (4, 3) and image.getpixel((0, 0)) == 4  # of 0, 1, 7 and 8
    place = {"base_degrees_per_tile": 0.5, "offset_x": 3.0, "offset_y": 2.0, "rotation": 7.0}
    found = smaller(place, 2, below=1)
    assert found == {"base_degrees_per_tile": 1.0, "offset_x": 1.5, "offset_y": 1.5, "rotation": 7.0}
