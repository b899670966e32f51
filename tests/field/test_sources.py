"""Small files modelled on real ones and on public reports: placed right, or refused or remarked upon with the true cause.

`tests/data/field` holds them; FITS files are packed there, and unpacked for the test.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from sources.headers import corners
from sources.test_oracle import apart, as_wwt_draws

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.outputs.tiling import tile

DATA = Path(__file__).parents[1] / "data" / "field"
SIZE = (80, 60)
PLAIN = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 20.0, "CRPIX1": 40.5, "CRPIX2": 30.5,
    "CDELT1": -0.001, "CDELT2": 0.001,
}  # fmt: skip
TURNED = PLAIN | {"CROTA2": 30.0}


@pytest.fixture
def unpacked(tmp_path):
    """The path of a FITS file of the field."""

    def unpack(name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.decompress((DATA / f"{name}.gz").read_bytes()))
        return path

    return unpack


def off(draft: ImageDraft, truth: WCS) -> float:
    """Pixels between where the image is drawn and where it is to be."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lon, lat = np.radians(truth.all_pix2world(corners(SIZE), 1)).T
    drawn, scale = as_wwt_draws(dict(draft.values), corners(SIZE))
    return float(
        apart(drawn, np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]).T).max() / scale
    )


def remarks(draft: ImageDraft) -> str:
    return " | ".join(problem.message for problem in draft.problems if problem.code == "CXW901")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plain", ""),
        ("d_exponents", ""),
        ("equinox_zero", "EQUINOX is 0"),
        ("cunit_degree", ""),
        ("cunit_degrees", ""),
        ("xpixelsz", ""),
        ("cnpix", ""),
        ("radesys_J2000", ""),
        ("radesys_fk5", ""),
        ("crval_string", ""),
        ("crpix_string", ""),
        ("sip_left_over", "CTYPE does not ask for them with -SIP"),
        ("helioprojective_with_A", "alternate WCS 'A'"),
    ],
)
def test_a_fits_file_lies_where_its_header_means_it_to(unpacked, name, words):
    draft = ImageDraft.from_fits(unpacked(f"{name}.fits"), autosave=False)
    assert off(draft, WCS(fits.Header(PLAIN))) < 0.01
    assert words in remarks(draft)


def test_that_the_other_chips_of_a_file_are_left_out_is_said_and_they_can_be_chosen(unpacked):
    path = unpacked("mef_four_chips.fits")
    first, third = (ImageDraft.from_fits(path, hdu=hdu, autosave=False) for hdu in (None, 3))
    assert "HDU 2 (SCI), HDU 3 (SCI), HDU 4 (SCI)" in remarks(first) and "left out" not in remarks(third)
    with fits.open(path) as hdus:
        assert [draft.wwt.center_x for draft in (first, third)] == [hdus[number].header["CRVAL1"] for number in (1, 3)]


def test_a_header_that_gives_no_number_is_refused_by_the_keyword(unpacked):
    with pytest.raises(SourceError, match="CRVAL1 is 'NaN'"):
        ImageDraft.from_fits(unpacked("crval_nan.fits"), autosave=False)


@pytest.mark.filterwarnings("ignore")
def test_sip_beside_pv_is_placed_by_sip(unpacked):
    path = unpacked("sip_and_pv.fits")
    draft = ImageDraft.from_fits(path, tolerance=9, autosave=False)
    assert off(draft, WCS(fits.getheader(path))) < 0.6 and "SIP is used, as CTYPE says" in remarks(draft)


@pytest.mark.filterwarnings("ignore")
def test_three_planes_are_drawn_in_color(unpacked):
    path = unpacked("rgb_sip.fits")
    draft = ImageDraft.from_fits(path, autosave=False)
    assert off(draft, WCS(fits.getheader(path), naxis=2)) < 0.6 and "three colors" in remarks(draft)


@pytest.mark.filterwarnings("ignore")
def test_the_call_in_the_message_takes_a_plane_of_the_cube(unpacked):
    path = unpacked("cube_4d.fits")
    with pytest.raises(SourceError, match="is a cube of") as caught:
        ImageDraft.from_fits(path, autosave=False)
    with fits.open(path) as hdus:
        names = {"hdu": hdus[0], "fits": fits, "from_fits": lambda given: ImageDraft.from_fits(given, autosave=False)}
        draft = eval(re.search(r"from_fits\(.*?\)\)", str(caught.value))[0], names)
        header = hdus[0].header.copy()
    for card in ("NAXIS3", "NAXIS4", "CTYPE3", "CTYPE4"):
        header.remove(card, ignore_missing=True)
    header["NAXIS"] = 2
    assert off(draft, WCS(header, naxis=2)) < 0.6


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plain", ""),
        ("empty_notes", ""),
        ("unknown_type", ""),
        ("one_scale", ""),
        ("scales_both_positive", "both scales the same sign"),
        ("no_dimension", "no Spatial.ReferenceDimension"),
        ("noproj", "no Spatial.CoordsystemProjection: taken as TAN"),
        ("no_xpacket", ""),
        ("extended_xmp", ""),
        ("bytes_after_end", ""),
        ("long_description", ""),
    ],
)
def test_a_picture_lies_where_its_avm_says(name, words):
    draft = ImageDraft.from_image(DATA / f"avm_{name}.jpg", autosave=False)
    assert off(draft, WCS(fits.Header(TURNED))) < 0.01
    assert words in remarks(draft)
    assert not [problem for problem in draft.problems if problem.code == "CXW108"]


def test_exif_orientation_0_turns_nothing():
    draft = ImageDraft.from_image(DATA / "exif_orientation_0.jpg", autosave=False)
    assert off(draft, WCS(fits.Header(TURNED))) < 0.01


@pytest.mark.parametrize("name", ["plain.fits", "header_totextfile.txt"])
def test_a_wcs_beside_a_picture_places_it(unpacked, name):
    beside: Any = unpacked(name) if name.endswith(".fits") else DATA / name
    draft = ImageDraft.from_image(DATA / "picture.jpg", wcs=beside, autosave=False)
    assert off(draft, WCS(fits.Header(PLAIN))) < 0.01


def test_16_bits_of_gray_keep_their_grays_in_tiles(tmp_path):
    folder = tile(DATA / "grey16.png", tmp_path / "tiles", center=(1, 2), width=1).result(60)
    with Image.open(folder / "thumb.jpg") as thumbnail, Image.open(folder / "0" / "0" / "0_0.png") as top:
        gray, alpha = np.moveaxis(np.asarray(top.convert("LA"), dtype=float), 2, 0)
        assert abs(np.asarray(thumbnail.convert("L")).mean() - 127) < 3 and abs(gray[alpha > 0].mean() - 127) < 3


@pytest.mark.parametrize(
    "call",
    [
        "from_fits({0!r} + '/sip_left_over.fits', tolerance=99, autosave=False)",
        "from_fits({0!r} + '/cunit_degrees.fits', autosave=False)",
        "from_image({1!r} + '/hundred_megapixels.png', center=(1, 2), width=1, autosave=False)",
        "from_image({1!r} + '/avm_extended_xmp.jpg', autosave=False)",
    ],
)
def test_nothing_of_the_libraries_own_is_printed(unpacked, call):
    folder = unpacked("sip_left_over.fits").parent
    unpacked("cunit_degrees.fits")
    program = f"import constellations_widgets as cxw; cxw.ImageDraft.{call.format(str(folder), str(DATA))}"
    done = subprocess.run([sys.executable, "-W", "default", "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
