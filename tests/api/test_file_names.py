"""Files whose names are no UTF-8, values with half a character, and links that lead out: read, shown, or refused in words."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from examples import TILED
from jupyter_client.session import json_packer
from PIL import Image

import constellations_widgets as cxw
from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import ConstellationsError, DraftError
from constellations_widgets.schema.html_repr import html_text
from constellations_widgets.sources import large_picture
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.text import readable
from constellations_widgets.widgets.library.directory_listing import folder_entries, kernel_path
from constellations_widgets.widgets.preview.image_files import PICTURE, PIXELS, ImageFiles

posix = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are Unicode on this system")
NAME = os.fsdecode(b"caf\xe9")
HALF = "a\ud800b"
WTML = """<Folder><ImageSet Name="x" Url="{1}/{3}/{3}_{2}.png" Projection="Tan" TileLevels="1" BaseDegreesPerTile="0.5"
 CenterX="202" CenterY="47" FileType=".png" WidthFactor="2"/></Folder>"""
PLACE = {"center": (202.5, 47.2), "width": 0.2}
HEADER = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 202.5, "CRVAL2": 47.2, "CRPIX1": 4.0, "CRPIX2": 4.0,
          "CDELT1": -0.01, "CDELT2": 0.01}  # fmt: skip


def picture(path: Path, size: tuple[int, int] = (8, 8)) -> Path:
    Image.new("L", size).save(path)
    return path


def fits_file(path: Path) -> Path:
    hdu = fits.PrimaryHDU(np.ones((8, 8), "f4"))
    hdu.header.update(HEADER)
    with path.open("wb") as file:
        hdu.writeto(file)
    return path


def tree(folder: Path) -> Path:
    (folder / "0" / "0").mkdir(parents=True)
    picture(folder / "0" / "0" / "0_0.png")
    (folder / "index_rel.wtml").write_text(WTML)
    return folder


MADE = {
    "a picture": lambda folder: ImageDraft.from_image(picture(folder / f"{NAME}.png"), **PLACE, autosave=False),
    "a FITS file": lambda folder: ImageDraft.from_fits(fits_file(folder / f"{NAME}.fits"), autosave=False),
    "a folder of tiles": lambda folder: ImageDraft.from_wtml(tree(folder / NAME), autosave=False),
}


def send(widget: Any) -> list[dict[str, Any]]:
    """Let a widget send as Jupyter does to a page that shows it; gives what the page reads."""
    came: list[dict[str, Any]] = []
    widget._handle_custom_msg({"kind": "view", "view": "a", "open": True}, [])
    widget._send = lambda message, buffers=None: came.append(json.loads(json_packer(message).decode("utf-8")))
    return came


def has_come(came: list[dict[str, Any]]) -> bool:
    """Wait until a page has read something: what many widgets send is sent in turn."""
    end = time.monotonic() + 30
    while not came and time.monotonic() < end:
        time.sleep(0.005)
    return bool(came)


@posix
@pytest.mark.parametrize("kind", MADE)
def test_a_name_that_is_no_utf8_is_read_and_shown(kind, tmp_path):
    draft = MADE[kind](tmp_path)
    assert draft.local is not None and draft.local.read(draft.local.top)
    for text in (draft.name, repr(draft), str(draft.problems)):
        text.encode("utf-8")
    assert kind == "a folder of tiles" or "\ufffd" in draft.name
    draft.save(tmp_path / "saved.json")
    again = ImageDraft.load(tmp_path / "saved.json")
    assert again.local is not None and again.local.read(again.local.top) == draft.local.read(draft.local.top)
    for widget in (cxw.Preview(draft), cxw.ImageForm(draft), cxw.Publisher(draft)):
        came = send(widget)
        json_packer(widget.get_state()).decode("utf-8")
        draft.wwt.rotation = 1.0 + (draft.wwt.rotation or 0)
        assert has_come(came)
        widget.close()


@posix
def test_what_can_not_be_read_is_said_in_text_that_can_be_printed(tmp_path):
    broken = tmp_path / f"{NAME}.fits"
    broken.write_bytes(b"no FITS")
    for make, path in (
        (ImageDraft.from_fits, broken),
        (ImageDraft.from_wtml, tmp_path / NAME),
        (ImageDraft.from_image, broken),
    ):
        with pytest.raises(cxw.SourceError) as caught:
            make(path)
        assert "caf\ufffd" in str(caught.value)
        assert "codec" not in str(caught.value)


@posix
def test_such_a_file_is_chosen_and_uploaded_to_the_library(box, tmp_path):
    folder = tmp_path / os.fsdecode(b"d\xff")
    folder.mkdir()
    picture(folder / f"{NAME}.png")
    (entry,) = folder_entries(str(tmp_path))["entries"]
    listed = folder_entries(entry["path"])
    (file,) = listed["entries"]
    assert file["path"].isascii() and kernel_path(file["path"]) == str(folder / f"{NAME}.png")
    assert kernel_path(listed["parent"]) == str(tmp_path)
    with box.images_client() as images:
        image = images.upload(kernel_path(file["path"]))
        assert image.name == "caf\ufffd.png"
        assert images.download(image, tmp_path / "back").read_bytes() == (folder / f"{NAME}.png").read_bytes()


@pytest.mark.parametrize("kind", [cxw.Preview, cxw.ImageForm, cxw.Publisher])
@pytest.mark.parametrize("path", sorted(TILED))
def test_half_a_character_in_a_value_is_shown_and_never_published(kind, path):
    draft = ImageDraft(ParsedImage(TILED, name=HALF), autosave=False)
    widget = kind(draft)
    came = send(widget)
    draft.update({path: HALF})
    json_packer(widget.get_state()).decode("utf-8")
    assert kind is cxw.Preview or has_come(came)
    assert HALF not in json.dumps(came, ensure_ascii=False)
    with pytest.raises(DraftError, match=path.replace(".", r"\.")):
        draft.submission()
    assert draft.values[path] == HALF


def test_text_that_can_be_shown():
    assert (readable("M 51 – 😀"), readable(HALF), readable("")) == ("M 51 – 😀", "a\ufffdb", "")
    assert str(ConstellationsError(HALF)) == "a\ufffdb"
    assert html_text(HALF) == "<bdi>a\ufffdb</bdi>"


# Links that lead out


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "image").mkdir()
    secret = tmp_path / "outside"
    secret.mkdir()
    picture(secret / "picture.png", (large_picture.LARGEST + 8, 16))
    fits_file(secret / "pixels.fits")
    return secret


@pytest.mark.parametrize(("name", "pixels"), [("picture.png", PICTURE), ("pixels.fits", PIXELS)])
@pytest.mark.parametrize("size", [None, (large_picture.LARGEST + 8, 16)])
def test_no_way_leads_a_page_to_a_file_that_a_link_names(outside, name, pixels, size):
    link = outside.parent / "image" / name
    link.symlink_to(outside / name)
    files = ImageFiles(LocalImage(link.parent, name, size))
    for read in (lambda: files.read(name), lambda: files.read_pixels(pixels), files.stretch):
        with pytest.raises((OSError, ConstellationsError)) as caught:
            read()
        assert any(
            words in str(caught.value)
            for words in ("is no file", "leads out", "outside the image", "no pixels", "no FITS")
        )
    assert "is a link to a file outside the image's folder" in files.state()["fault"]
    assert files.part(0)[0] == {}
    assert files.reduced_pixels("x") in (None, ("x", 1, None))
    assert size is not None or files.reduced_picture("x") is None


@pytest.mark.parametrize("name", ["picture.png", "pixels.fits"])
def test_a_link_within_the_folder_is_shown(outside, name):
    folder = outside.parent / "image"
    shutil.copy(outside / name, folder / f"real_{name}")
    (folder / name).symlink_to(f"real_{name}")
    files = ImageFiles(LocalImage(folder, name))
    assert files.state()["fault"] is None and files.read(name)
    assert files.read_pixels(PIXELS if name.endswith("fits") else PICTURE)


def test_the_fits_file_that_the_user_names_may_lie_anywhere(outside):
    picture(outside.parent / "image" / "drawn.png")
    local = LocalImage(outside.parent / "image", "drawn.png", pixels=outside / "pixels.fits")
    assert ImageFiles(local).read_pixels(PIXELS)
