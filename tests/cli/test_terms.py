"""What the command line says to do can be done at the command line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from constellations_widgets.cli.app import main
from constellations_widgets.interface import PAGE, call_from, command_line, in_terms, option

PYTHON = re.compile(r"(?<![-\w?&])[a-z_]+=|\bcxw\.|ImageDraft|\w\(\)|from_\w+|\bdraft\.|\bclient\.|call again")
"""Parts of Python calls: "wcs=", "cxw.tile", "history()"."""

COMMANDS = [
    "check turned.jpg",
    "check plain.fits",
    "check jpeg.fits",
    "check fits.jpg",
    "check picture.wcs",
    "check .",
    "tile plain.jpg --out out",
    "tile plain.jpg --out out --center 1 2",
    "tile plain.jpg --out out --center 1 2 --width 200",
    "tile plain.jpg --out out --width 2",
    "tile plain.jpg --out out --center 1 2 --width 1 --file-type .gif",
    "tile plain.jpg --out plain.jpg/out --center 1 2 --width 1",
    "host plain.jpg --to folder",
    "host plain.jpg --to sftp://me:password@localhost/y",
    "host three.wtml --to folder",
    "publish three.wtml --handle me --api-url http://127.0.0.1:9",
    "scenes list me --api-url http://127.0.0.1:9",
    "scenes show abc --api-url http://me:password@127.0.0.1:9",
    "sign-in --api-url http://example.org",
    "sandbox --files nowhere",
    "index-files --radius 1",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    picture = Image.new("RGB", (64, 48), "navy")
    picture.save(folder / "plain.jpg")
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(folder / "turned.jpg", exif=exif)
    picture.save(folder / "jpeg.fits", "JPEG")
    fits.writeto(folder / "plain.fits", np.zeros((8, 8), "f4"))
    (folder / "fits.jpg").write_bytes((folder / "plain.fits").read_bytes())
    (folder / "picture.wcs").write_text("x")
    one = '<ImageSet Name="a" Url="https://example.org/a.png" Projection="SkyImage" CenterX="1" CenterY="2" FileType=".png"/>'
    (folder / "three.wtml").write_text(f"<Folder>{one * 3}</Folder>")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_messages_name_commands_and_options(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CONSTELLATIONS_TOKEN", raising=False)
    assert main(command.split()) in (1, 2)
    said = "".join(capsys.readouterr())
    assert said and not PYTHON.search(said), said


def test_elsewhere_they_name_functions():
    assert (option("public_url"), in_terms("call", "run")) == ("public_url=", "call")
    with command_line():
        assert (option("public_url"), in_terms("call", "run")) == ("--public-url", "run")
    assert in_terms("call", "run", "press") == "call"
    assert call_from(PAGE, in_terms, "call", "run", "press") == "press"
    assert call_from(PAGE, in_terms, "call", "run") == "call"
