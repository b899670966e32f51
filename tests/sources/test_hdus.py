"""Packed FITS files: read as they are, and unpacked no farther than makes sense."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image
from sources.headers import header

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.sources import hdus
from constellations_widgets.sources.fits import read_fits
from constellations_widgets.sources.picture import read_picture


def write(path: Path, side: int = 40) -> Path:
    fits.PrimaryHDU(np.arange(side * side, dtype=float).reshape(side, side), header()).writeto(path, overwrite=True)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        read_fits(path)
    return str(caught.value)


@pytest.mark.parametrize("packer", [gzip, bz2, lzma])
def test_a_packed_file_is_read_as_it_is(tmp_path, packer):
    plain, packed = write(tmp_path / "a.fits"), tmp_path / "a.fits.packed"
    packed.write_bytes(packer.compress(plain.read_bytes()))
    one, other = ImageDraft.from_fits(plain, autosave=False), ImageDraft.from_fits(packed, autosave=False)
    shown = [draft.local.where(draft.local.template).read_bytes() for draft in (one, other)]
    assert one.wwt.center_x == other.wwt.center_x and shown[0] == shown[1]


@pytest.mark.parametrize("packer", [gzip, bz2, lzma])
@pytest.mark.filterwarnings("ignore")
def test_of_a_packed_file_without_end_no_more_is_unpacked_than_the_memory_holds(tmp_path, packer, monkeypatch):
    monkeypatch.setattr(hdus, "_LONGEST_HEADER", 50)
    monkeypatch.setattr(hdus, "_LARGEST", 1 << 20)
    path, card = tmp_path / "a.fits.packed", b"COMMENT".ljust(80)
    path.write_bytes(packer.compress(b"SIMPLE  =                    T".ljust(80) + card * 100_000))
    assert re.search(r"can.t be read as a FITS image \(.*END card", refusal(path))
    path.write_bytes(packer.compress(write(tmp_path / "a.fits", 600).read_bytes()))
    assert "is packed, and holds more than" in refusal(path)


def test_an_archive_is_to_be_unpacked_first(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.fits", b"SIMPLE")
    assert "a.zip is packed with ZIP: unpack it first" in refusal(tmp_path / "a.zip")


@pytest.mark.parametrize("simple", [b"D`/", b"F /"])
@pytest.mark.filterwarnings("ignore")
def test_a_packed_file_that_astropy_reads_again_and_again_ends(tmp_path, simple):
    path, picture = tmp_path / "a.fits.gz", tmp_path / "m51.png"
    path.write_bytes(gzip.compress(write(tmp_path / "a.fits").read_bytes().replace(b"T /", simple, 1)))
    assert "a.fits.gz holds no image that can be read" in refusal(path)
    for hdu in (1, "SCI"):
        with pytest.raises(SourceError, match=rf"a\.fits\.gz has no HDU {hdu!r}"):
            read_fits(path, hdu=hdu)
    Image.new("RGB", (60, 40)).save(picture)
    with pytest.raises(SourceError, match=r"a\.fits\.gz is a broken FITS file"):
        read_picture(picture, path)
