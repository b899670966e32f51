"""FITS: placed by its WCS, drawn as a picture, and every file that can't be told why."""

from __future__ import annotations

import gzip
import importlib.util
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import constellations_widgets as cxw
from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.sources.fits import read_fits

PYWWT = Path(
    importlib.util.find_spec("pywwt").submodule_search_locations[0]
)  # without importing it, which takes seconds
M101 = PYWWT / "tests" / "data" / "m101_swiftx.fits"


def header(**cards: Any) -> fits.Header:
    placed = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 202.47, "CRVAL2": 47.2, "CRPIX1": 3.0, "CRPIX2": 2.0,
        "CDELT1": -0.001, "CDELT2": 0.001, "RADESYS": "ICRS",
    }  # fmt: skip
    return fits.Header({name: value for name, value in (placed | cards).items() if value is not None})


def pixels(height: int = 4, width: int = 6) -> np.ndarray:
    return np.arange(height * width, dtype="float32").reshape(height, width)


def write(path: Path, *hdus: Any) -> Path:
    fits.HDUList(list(hdus) or [fits.PrimaryHDU(pixels(), header())]).writeto(path, output_verify="silentfix")
    return path


def picture_of(draft: ImageDraft) -> np.ndarray:
    """Gray and alpha of the picture, rows from top to bottom."""
    assert draft.local.read(draft.local.template).startswith(b"\x89PNG")
    with Image.open(draft.local.root / draft.local.template) as image:
        return np.asarray(image.convert("LA"))


def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        read_fits(path)
    assert len(str(caught.value)) < 700
    return str(caught.value)


# -- the image of M 101 that comes with pywwt


def test_m101_lies_where_its_header_says():
    draft = ImageDraft.from_fits(M101, autosave=False)
    assert (
        draft.values
        | {
            "wwt.center_x": 210.774,
            "wwt.center_y": 54.2737,
            "wwt.rotation": 0,
            "wwt.base_degrees_per_tile": 0.001,
            "wwt.offset_x": 70.0,  # CRPIX 70.5 of 140 pixels: its middle
            "wwt.offset_y": 70.0,
            "wwt.bottoms_up": False,
            "wwt.projection": "SkyImage",
            "wwt.tile_levels": 0,
            "wwt.file_type": ".png",
        }
        == draft.values
    )
    assert draft.name == "m101_swiftx" and draft.local.size == (140, 140)
    assert draft.origin == str(M101.resolve())


def test_the_picture_of_m101_is_bright_where_the_fits_is():
    gray, alpha = np.moveaxis(picture_of(ImageDraft.from_fits(M101, autosave=False)), 2, 0)
    counts = fits.getdata(M101)[::-1]  # FITS counts rows from the bottom
    assert gray.shape == counts.shape == (140, 140) and (alpha == 255).all()
    brightest = counts >= np.sort(counts, axis=None)[-50]
    assert (gray[brightest] == 255).all()
    order = np.argsort(counts, axis=None)
    assert (np.diff(gray.flat[order].astype(int)) >= 0).all()  # brighter in one is never darker in the other


def test_a_star_of_the_picture_is_at_its_place_on_the_sky(tmp_path):
    """The one bright pixel, from the picture back through WWT's own formulas to the sky."""
    data = np.zeros((40, 60), "float32")
    data[30, 10] = 1.0
    turn = math.radians(20)
    cd = {
        "CD1_1": -0.001 * math.cos(turn),
        "CD1_2": 0.001 * math.sin(turn),
        "CD2_1": 0.001 * math.sin(turn),
        "CD2_2": 0.001 * math.cos(turn),
    }
    placed = header(**cd, CDELT1=None, CDELT2=None, CRPIX1=33.0, CRPIX2=18.0)
    draft = ImageDraft.from_fits(write(tmp_path / "star.fits", fits.PrimaryHDU(data, placed)), autosave=False)
    row, column = np.argwhere(picture_of(draft)[..., 0] == 255)[0]
    wwt = draft.wwt
    right = (
        column + 0.5 - wwt.offset_x
    ) * wwt.base_degrees_per_tile  # degrees on the tangent plane, right and up in the picture
    up = (40 - (row + 0.5) - wwt.offset_y) * wwt.base_degrees_per_tile
    turned = math.radians(wwt.rotation)
    west, north = right * math.cos(turned) - up * math.sin(turned), right * math.sin(turned) + up * math.cos(turned)
    plane = WCS(header(CRPIX1=1.0, CRPIX2=1.0, CRVAL1=wwt.center_x, CRVAL2=wwt.center_y))
    ra, dec = plane.all_pix2world(west / 0.001, north / 0.001, 0)
    assert np.allclose((ra, dec), WCS(placed).all_pix2world(10, 30, 0), rtol=0, atol=1e-9)


# -- pixels


def test_pixels_without_a_value_are_transparent(tmp_path):
    data = pixels()
    data[0, 0], data[3, 5] = np.nan, np.inf
    alpha = picture_of(
        ImageDraft.from_fits(write(tmp_path / "a.fits", fits.PrimaryHDU(data, header())), autosave=False)
    )[..., 1]
    assert alpha[3, 0] == alpha[0, 5] == 0 and (alpha > 0).sum() == 22


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "float64"])
def test_every_type_of_pixel_is_drawn(tmp_path, kind):
    draft = ImageDraft.from_fits(
        write(tmp_path / "a.fits", fits.PrimaryHDU(pixels().astype(kind), header())), autosave=False
    )
    gray = picture_of(draft)[..., 0]
    assert gray[0, 5] == 255 and gray[3, 0] == 0


def test_a_flat_image_is_drawn_too(tmp_path):
    draft = ImageDraft.from_fits(write(tmp_path / "a.fits", fits.PrimaryHDU(np.ones((4, 6)), header())), autosave=False)
    assert (picture_of(draft)[..., 0] == 0).all()


# -- which image


def test_the_first_image_with_a_place_on_the_sky_is_taken(tmp_path):
    table = fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])])
    weight = fits.ImageHDU(np.ones((9, 9), "float32"))
    science = fits.ImageHDU(pixels(), header(), name="SCI")
    draft = ImageDraft.from_fits(write(tmp_path / "a.fits", fits.PrimaryHDU(), table, weight, science), autosave=False)
    assert draft.local.size == (6, 4) and draft.wwt.center_x == 202.47


def test_an_image_whose_wcs_is_broken_hides_no_other(tmp_path):
    lost = header(CPDIS1="LOOKUP", DP1=1.0)
    lost["CPDIS1"], lost["DP1"] = "LOOKUP", "EXTVER: 7"
    broken = fits.ImageHDU(np.ones((9, 9), "float32"), lost)
    science = fits.ImageHDU(pixels(), header(), name="SCI")
    draft = ImageDraft.from_fits(write(tmp_path / "a.fits", fits.PrimaryHDU(), broken, science), autosave=False)
    assert draft.local.size == (6, 4)
    assert any("HDU 1 can't be placed" in problem.message for problem in draft.problems)
    assert "The WCS of b.fits contradicts itself" in refusal(write(tmp_path / "b.fits", fits.PrimaryHDU(), broken))


def test_a_large_compressed_image_is_placed(tmp_path):
    write(tmp_path / "a.fits", fits.PrimaryHDU(), fits.CompImageHDU(np.ones((20, 5000), "int16"), header()))
    assert ImageDraft.from_fits(tmp_path / "a.fits", autosave=False).local.size == (5000, 20)


def test_a_compressed_image_is_read(tmp_path):
    write(tmp_path / "a.fits.fz", fits.PrimaryHDU(), fits.CompImageHDU(np.ones((40, 60), "int16"), header()))
    assert ImageDraft.from_fits(tmp_path / "a.fits.fz", autosave=False).local.size == (60, 40)
    write(tmp_path / "b.fits.gz")
    assert ImageDraft.from_fits(tmp_path / "b.fits.gz", autosave=False).name == "b"


def test_axes_of_length_one_are_no_cube(tmp_path):
    path = write(tmp_path / "a.fits", fits.PrimaryHDU(pixels()[None, None], header(CTYPE3="FREQ", CTYPE4="STOKES")))
    assert ImageDraft.from_fits(path, autosave=False).local.size == (6, 4)


def test_the_name_is_that_of_the_object(tmp_path):
    path = write(tmp_path / "a.fits", fits.PrimaryHDU(pixels(), header(OBJECT="M 51 ")))
    assert ImageDraft.from_fits(path, autosave=False).note == "M 51"


def test_a_name_may_have_dots(tmp_path):
    path = write(tmp_path / "m51.final.v2.fits")
    draft = ImageDraft.from_fits(path, autosave=False)
    assert draft.name == draft.note == "m51.final.v2" and draft.local.template.startswith("m51.final.v2-")
    assert any(problem.code == "CXW606" for problem in draft.problems)
    [outcome] = cxw.tile_all(
        [write(tmp_path / "m51.v3.fits", fits.PrimaryHDU(pixels(300, 400), header()))], tmp_path / "tiles"
    )
    assert Path(outcome.result).name == "m51.v3"


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    path = write(tmp_path / f"{'Größe' * 35}.fits")
    assert ImageDraft.from_fits(path, autosave=False).name == "Größe" * 35


@pytest.mark.parametrize("name", ["my image.fits", "100%25.fits", "a{1}.fits", "a#b?.fits", "Größe.fits"])
def test_a_file_may_be_called_anything(tmp_path, name):
    draft = ImageDraft.from_fits(write(tmp_path / name), autosave=False)
    assert draft.local.read(draft.local.template).startswith(b"\x89PNG")
    draft.host_at("https://example.org/m51")
    assert not [p for p in draft.problems if p.field == "storage.legacy_url_template" and p.severity == "error"]


# -- what astropy made of a file


def placement(draft: ImageDraft) -> dict[str, Any]:
    return {path: value for path, value in draft.values.items() if path.startswith("wwt.") and path != "wwt.file_type"}


def test_an_open_file_an_image_a_header_and_a_wcs_are_taken_as_the_file_is(tmp_path):
    path = write(tmp_path / "a.fits")
    expected = placement(ImageDraft.from_fits(path, autosave=False))
    with fits.open(path) as hdus:
        cards = hdus[0].header
        for source in (hdus, hdus[0], cards, WCS(cards)):
            shape = (4, 6) if isinstance(source, WCS) else None
            draft = ImageDraft.from_fits(source, shape=shape, autosave=False)
            assert placement(draft) == expected
            assert (draft.local is None) == isinstance(source, fits.Header | WCS)
        assert picture_of(ImageDraft.from_fits(hdus, autosave=False)).shape == (4, 6, 2)


def test_a_header_needs_the_shape_of_the_image_from_somewhere():
    bare = header()
    for source in (bare, WCS(bare)):
        with pytest.raises(SourceError, match="give shape="):
            read_fits(source)
        assert read_fits(source, shape=(4, 6)).values["wwt.offset_x"] == 2.5
        for shape in (5, "4x6", (0, 6), ("a", "b"), (4,)):
            with pytest.raises(SourceError, match="shape= is|nothing to place"):
                read_fits(source, shape=shape)
    with pytest.raises(SourceError, match="not an object of type dict"):
        read_fits({})


def test_in_memory_images_with_the_same_header_do_not_share_a_picture():
    first, second = (
        ImageDraft.from_fits(fits.PrimaryHDU(data, header()), autosave=False)
        for data in (pixels(), pixels()[::-1].copy())
    )
    assert (picture_of(first) != picture_of(second)).any()


def test_a_wcs_that_wwt_cannot_draw_is_fitted_with_a_remark_or_refused(tmp_path):
    sheared = header(CD1_1=-0.001, CD1_2=1e-6, CD2_1=0.0, CD2_2=0.001, CDELT1=None, CDELT2=None)
    path = write(tmp_path / "a.fits", fits.PrimaryHDU(np.ones((400, 600)), sheared))
    [said] = [p.message for p in ImageDraft.from_fits(path, autosave=False).problems if "shear" in p.message]
    assert "off by at most" in said and said.startswith("a.fits has a shear of 0.1 %")
    with pytest.raises(SourceError, match="reproject_interp"):
        ImageDraft.from_fits(path, tolerance=0.01)
    with pytest.raises(SourceError, match="tolerance= is"):
        ImageDraft.from_fits(path, tolerance=0)


# -- large images


@pytest.fixture
def large(tmp_path) -> Path:
    """10,000 × 10,000 pixels, none of which takes room on the disk."""
    path = tmp_path / "large.fits"
    cards = header(CRPIX1=5000.5, CRPIX2=5000.5)  # a far reference pixel would be moved
    fits.StreamingHDU(
        path, fits.Header({"SIMPLE": True, "BITPIX": -32, "NAXIS": 2, "NAXIS1": 10_000, "NAXIS2": 10_000} | dict(cards))
    ).close()
    with path.open("ab") as file:
        file.truncate(2880 * -(-(path.stat().st_size + 4 * 10_000**2) // 2880))
    return path


def test_the_pixels_of_a_large_image_are_not_read(large, monkeypatch):
    monkeypatch.setattr(fits.PrimaryHDU, "data", property(lambda _: pytest.fail("they were read")))
    draft = ImageDraft.from_fits(large, autosave=False)
    assert (draft.wwt.center_x, draft.wwt.file_type, draft.local.size) == (202.47, ".fits", (10_000, 10_000))
    assert draft.local.where(draft.local.template) == large and draft.local.fits
    assert any("make tiles of it with cxw.tile" in problem.message for problem in draft.problems)


# -- what can't be read or drawn


@pytest.mark.parametrize(
    ("hdus", "message"),
    [
        ([fits.PrimaryHDU(pixels())], r"no celestial WCS.* or find its place by the stars in it: from_fits\('.*a.fits', solve=True\)"),
        ([fits.PrimaryHDU(header=header())], "holds no image .* Its header alone can place a picture, as wcs= of ImageDraft.from_image"),
        ([fits.PrimaryHDU()], "holds no image"),
        ([fits.PrimaryHDU(np.ones(5))], "holds no image"),
        ([fits.PrimaryHDU(np.ones((5, 4, 6)), header())], "is a cube of 5 × 4 × 6"),
        ([fits.PrimaryHDU(np.full((4, 6), np.nan), header())], "no finite pixel"),
        ([fits.PrimaryHDU(np.ones((40, 60)), header(CTYPE1="GLON-SIN", CTYPE2="GLAT-SIN", CDELT1=-0.5, CDELT2=0.5))], "projection SIN, galactic"),
        ([fits.PrimaryHDU(pixels(), header(CDELT2=0.002))], "not square"),
        ([fits.PrimaryHDU(pixels(), header(CDELT1=0.0))], "CDELT1 is 0, so its pixels have no size"),
    ],
)  # fmt: skip
def test_what_wwt_cannot_draw_is_told_why(tmp_path, hdus, message):
    path = write(tmp_path / "a.fits", *hdus)
    with pytest.raises(SourceError, match=message) as caught:
        read_fits(path)
    assert "a.fits" in str(caught.value)


@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_a_header_that_declares_more_than_there_is_allocates_nothing(tmp_path):
    path = write(tmp_path / "a.fits")
    content = path.read_bytes()
    for axis in ("NAXIS1", "NAXIS2"):
        start = content.index(axis.encode())
        content = content[:start] + f"{axis:8}= {100_000:>20}".encode() + content[start + 30 :]
    path.write_bytes(content)
    assert "is cut off: it has 5760 bytes, and its header declares 40000002880" in refusal(path)


@pytest.mark.parametrize("length", [0, 100, 2880, 3000])
@pytest.mark.filterwarnings("ignore")
def test_a_file_that_is_cut_off_is_told_so(tmp_path, length):
    path = tmp_path / "a.fits"
    path.write_bytes(M101.read_bytes()[: length + (0 if length < 2880 else 2880 * 3)])
    said = (
        "is empty" if not path.stat().st_size else "is cut off" if length >= 2880 else "can't be read as a FITS image"
    )
    assert f"a.fits {said}" in refusal(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"M 51", "is not a FITS file, which begins with SIMPLE"),
        (b"\n" + M101.read_bytes()[:2880], "is not a FITS file, which begins with SIMPLE"),
        (bytes(range(256)) * 50, "is not a FITS file"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG picture: read it with ImageDraft.from_image"),
        (b"\xff\xd8\xff\xe0", "is a JPEG picture"),
        (b"XISF0100" + b"x" * 3000, "is an XISF file: save it as FITS in PixInsight"),
        (
            b"\n<!doctype html><h1>404</h1>",
            "is a web page or another XML file: download it again, or read WTML with ImageDraft.from_wtml",
        ),
        (b"\x28\xb5\x2f\xfd" + b"x" * 3000, "is packed with Zstandard"),
        (b"SIMPLE  =                    T" + b" " * 50, "can't be read as a FITS image"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_file_that_is_no_fits_is_told_what_it_is(tmp_path, content, words):
    path = tmp_path / "a.fits"
    for written in (content, gzip.compress(content) if content[:1].isalpha() else content):
        path.write_bytes(written)
        assert f"a.fits {words}" in refusal(path)


# -- INHERIT, the convention of a primary header that is valid for the extensions


def test_an_extension_inherits_what_it_lacks_if_it_says_so(tmp_path):
    system = {"RADESYS": "FK4", "EQUINOX": 1950.0}
    chip = header(RADESYS=None)
    inheriting = chip.copy()
    inheriting["INHERIT"] = True
    whole = read_fits(write(tmp_path / "whole.fits", fits.PrimaryHDU(pixels(), fits.Header(dict(chip) | system))))
    for name, primary, extension, same in (
        ("system", fits.Header(system), inheriting, True),
        ("wcs", fits.Header(dict(chip) | system), fits.Header({"INHERIT": True}), True),
        ("system, not inherited", fits.Header(system), chip, False),
        ("equinox 2000, which tells ICRS from FK5 nowhere", fits.Header({"EQUINOX": 2000.0}), inheriting, False),
    ):
        path = write(tmp_path / f"{name}.fits", fits.PrimaryHDU(header=primary), fits.ImageHDU(pixels(), extension))
        reading = read_fits(path)
        assert (reading.values["wwt.center_x"] == pytest.approx(whole.values["wwt.center_x"], abs=1e-6)) is same, name
        assert any("INHERIT = T" in remark for remark in reading.remarks) is same


def test_a_wcs_of_the_primary_header_alone_is_used_once_it_is_said_to_be_valid(tmp_path):
    path = write(tmp_path / "a.fits", fits.PrimaryHDU(header=header()), fits.ImageHDU(pixels()))
    said = refusal(path)
    assert (
        "the header of HDU 1 has no position on the sky, and that of the file, HDU 0, is not said to be valid for it"
        in said
    )
    assignment, call = re.search(r"set (hdus\S+ = True) in .*(from_fits\(.*\))$", said).groups()
    alone = read_fits(write(tmp_path / "b.fits", fits.PrimaryHDU(pixels(), header())))
    with fits.open(path) as hdus:
        exec(assignment, {"hdus": hdus})
        draft = eval(call, {"hdus": hdus, "from_fits": ImageDraft.from_fits})
    assert draft.wwt.center_x == alone.values["wwt.center_x"] and draft.wwt.offset_x == alone.values["wwt.offset_x"]


def test_the_whole_wcs_is_inherited_in_every_notation(tmp_path):
    turned = header(PC001001=0.8, PC001002=-0.6, PC002001=0.6, PC002002=0.8)
    path = write(
        tmp_path / "a.fits", fits.PrimaryHDU(header=turned), fits.ImageHDU(pixels(), fits.Header({"INHERIT": True}))
    )
    alone = read_fits(write(tmp_path / "b.fits", fits.PrimaryHDU(pixels(), turned)))
    assert alone.values["wwt.rotation"] == pytest.approx(math.degrees(math.atan2(0.6, 0.8)))
    assert read_fits(path).values["wwt.rotation"] == pytest.approx(alone.values["wwt.rotation"])


def test_of_several_images_of_the_same_name_the_others_are_named(tmp_path):
    chips = [fits.ImageHDU(pixels(), header(CRVAL1=ra), name="SCI", ver=at) for at, ra in enumerate((10.0, 20.0), 1)]
    path = write(tmp_path / "a.fits", fits.PrimaryHDU(), *chips)
    reading = read_fits(path, hdu="sci")
    assert reading.values["wwt.center_x"] == 10.0
    assert (
        "HDU 1 (SCI) is used; other images of the file with a place on the sky are left out: HDU 2 (SCI)"
        in reading.remarks[0]
    )
    assert not any("left out" in remark for remark in read_fits(path, hdu=2).remarks)


def test_the_call_for_four_channels_in_the_last_axis_takes_a_plane_of_the_picture(tmp_path):
    path = write(tmp_path / "a.fits", fits.PrimaryHDU(np.ones((40, 60, 4)), header()))
    call = re.search(r"from_fits\(.*\)\)", refusal(path))[0]
    with fits.open(path) as hdus:
        draft = eval(call, {"from_fits": ImageDraft.from_fits, "fits": fits, "hdu": hdus[0]})
    assert draft.local.size == (60, 40)


def test_a_file_that_is_not_there_is_told_so(tmp_path):
    assert "There is no file" in refusal(tmp_path / "missing.fits")
    assert "There is no file" in refusal(Path("~nobody-of-this-name/m51.fits"))
    assert "is a folder: give the name of a file in it" in refusal(tmp_path)


def test_a_state_directory_that_cannot_be_written_is_told_so(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path / "file" / "state"))
    state = tmp_path / "file" / "state"
    assert f"can't be written (Not a directory): make {state} writable, or name another folder" in refusal(M101)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 2879), st.sampled_from(b"\0 =-'/0159TFAEN~\xff")), min_size=1, max_size=8),
    st.integers(0, 6000),
)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_is_read_or_told_so(tmp_path_factory, damage, length):
    path = tmp_path_factory.getbasetemp() / "damaged.fits"
    path.unlink(missing_ok=True)
    content = bytearray(write(path).read_bytes())
    for position, byte in damage:
        content[position] = byte
    path.write_bytes(content[: max(length, 2000)])
    try:
        assert read_fits(path).values["wwt.projection"] == "SkyImage"
    except SourceError as error:
        assert str(error)
