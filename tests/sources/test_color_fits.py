"""FITS images in color, in the forms that programs write: each color at its place on the sky; other cubes are refused."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from outputs.tiles import LIBRARIES, use, whole
from PIL import Image
from sources.headers import SIP, header
from sources.test_oracle import apart, as_wwt_draws

import constellations_widgets as cxw
from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.hosting.collect import Collection
from constellations_widgets.solving.detection import brightness
from constellations_widgets.sources.fits import read_fits
from constellations_widgets.widgets.preview.image_files import ImageFiles

WIDTH, HEIGHT, SIDE = 400, 300, 11
GROUND = 0.1
MARKS = {"red": (30, 20), "green": (350, 150), "blue": (60, 260)}
"""Center of each mark: column and row, counted from 0 at the lower left."""
ASSUMED = "its three planes are taken for red, green and blue"
SIRIL = {"ROWORDER": "BOTTOM-UP", "CTYPE3": "RGB"}


def planes() -> np.ndarray:
    """Three planes from 0 to 1: a mark of each color on gray."""
    values = np.full((3, HEIGHT, WIDTH), GROUND, "float32")
    for channel, (x, y) in enumerate(MARKS.values()):
        values[:, y - SIDE // 2 : y + SIDE // 2 + 1, x - SIDE // 2 : x + SIDE // 2 + 1] = 0
        values[channel, y - SIDE // 2 : y + SIDE // 2 + 1, x - SIDE // 2 : x + SIDE // 2 + 1] = 1
    return values


def placed(**cards: Any) -> fits.Header:
    return header(turn=30, **cards)


def of(bits: int) -> np.ndarray:
    return (planes() * (2**bits - 1)).round().astype(f"uint{bits}")


def write(path: Path, *hdus: Any) -> Path:
    fits.HDUList(list(hdus)).writeto(path)
    return path


def packed(path: Path) -> Path:
    plain = write(path.with_suffix(""), fits.PrimaryHDU(of(16), placed()))
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


FORMS = {
    "siril.fit": lambda path: write(path, fits.PrimaryHDU(of(16), placed(**SIRIL))),
    "pixinsight.fits": lambda path: write(path, fits.PrimaryHDU(planes(), placed(COLORSPC="RGB"))),
    "maxim.fts": lambda path: write(path, fits.PrimaryHDU(of(16), placed())),
    "eight_bits.fits": lambda path: write(path, fits.PrimaryHDU(of(8), placed())),
    "double.fits": lambda path: write(path, fits.PrimaryHDU(planes().astype(">f8"), placed())),
    "filled_in.fits": lambda path: write(
        path, fits.PrimaryHDU(of(16), placed(CTYPE3="", CRPIX3=0.0, CRVAL3=0.0, CDELT3=1.0))
    ),
    "sip.fits": lambda path: write(path, fits.PrimaryHDU(of(16), placed(**SIP, CTYPE3="RGB"))),
    "mirrored.fits": lambda path: write(path, fits.PrimaryHDU(planes()[:, ::-1], placed(parity=-1))),
    "packed.fits.gz": packed,
    "fpacked.fits.fz": lambda path: write(path, fits.PrimaryHDU(), fits.CompImageHDU(of(16), placed())),
    "extension.fits": lambda path: write(
        path, fits.PrimaryHDU(), fits.ImageHDU(np.ones((9, 9)), name="WEIGHT"), fits.ImageHDU(of(16), placed())
    ),
    "four_axes.fits": lambda path: write(path, fits.PrimaryHDU(planes()[np.newaxis], placed())),
    "last.fits": lambda path: write(path, fits.PrimaryHDU(np.moveaxis(of(8), 0, 2).copy(), placed())),
}


def drawn(draft: ImageDraft) -> np.ndarray:
    """Colors of the picture to upload, rows from the bottom."""
    with Image.open(draft.local.where(draft.local.template)) as image:
        assert image.mode == "RGB"
        return np.asarray(image)[::-1]


def marks_in(colors: np.ndarray) -> np.ndarray:
    """Centers of the red, the green and the blue mark, as FITS counts pixels."""
    found = []
    for channel in range(3):
        others = np.delete(colors, channel, axis=2).max(axis=2)
        rows, columns = np.nonzero((colors[..., channel] > 240) & (others < 20))
        assert len(rows) == SIDE**2
        found.append((columns.mean() + 1, rows.mean() + 1))
    return np.array(found)


def on_sky(ra: Any, dec: Any) -> np.ndarray:
    ra, dec = np.radians(ra), np.radians(dec)
    return np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)]).T


def true_places(cards: fits.Header, *, upside_down: bool = False) -> np.ndarray:
    """Where the header has the marks, as unit vectors."""
    pixels = np.array([(x + 1, HEIGHT - y if upside_down else y + 1) for x, y in MARKS.values()], float)
    return on_sky(*WCS(cards, naxis=2).all_pix2world(pixels, 1).T)


@pytest.mark.parametrize("name", FORMS)
def test_each_color_is_at_its_place_on_the_sky(tmp_path, name):
    draft = ImageDraft.from_fits(FORMS[name](tmp_path / name), autosave=False)
    cards = placed(**SIP) if name == "sip.fits" else placed(parity=-1) if name == "mirrored.fits" else placed()
    places, scale = as_wwt_draws(dict(draft.values), marks_in(drawn(draft)))
    assert apart(places, true_places(cards, upside_down=name == "mirrored.fits")).max() / scale < 0.6
    assert (draft.local.size, draft.wwt.file_type) == ((WIDTH, HEIGHT), ".png")
    said = [problem.message for problem in draft.problems if problem.code == "CXW901"]
    assert (ASSUMED in said) == (name not in ("siril.fit", "sip.fits", "last.fits"))
    assert any("first axis is taken for red" in words for words in said) == (name == "last.fits")
    assert any("one asinh stretch of its three colors" in words for words in said) == (
        name not in ("eight_bits.fits", "last.fits")
    )


def test_an_open_file_is_drawn_in_color(tmp_path):
    draft = ImageDraft.from_fits(fits.HDUList([fits.PrimaryHDU(of(16), placed())]), autosave=False)
    assert marks_in(drawn(draft)) == pytest.approx(np.array(list(MARKS.values())) + 1)


@pytest.mark.parametrize("name", ["siril.fit", "last.fits", "fpacked.fits.fz"])
def test_the_header_of_a_file_in_color_places_other_pictures(tmp_path, name):
    path = FORMS[name](tmp_path / name)
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "m51.jpg")
    beside = ImageDraft.from_image(tmp_path / "m51.jpg", wcs=path, autosave=False)
    own = ImageDraft.from_fits(path, autosave=False)
    alone = read_fits(fits.getheader(path, 1 if name.endswith(".fz") else 0))
    for field in ("wwt.center_x", "wwt.center_y", "wwt.rotation", "wwt.offset_x", "wwt.offset_y"):
        assert beside.values[field] == own.values[field] == alone.values[field]


def test_one_stretch_keeps_hues_and_8_bits_stay_as_they_are(tmp_path):
    values = np.random.default_rng(7).gamma(2, 0.02, (3, HEIGHT, WIDTH)).astype("float32")
    values[1] = values[0]
    values[2] *= 3
    colors = drawn(ImageDraft.from_fits(fits.PrimaryHDU(values, placed()), autosave=False)).astype(int)
    assert (colors[..., 0] == colors[..., 1]).all() and len(np.unique(colors[..., 0])) > 200
    order = np.argsort(np.moveaxis(values, 0, 2), axis=None)
    assert (np.diff(colors.flat[order]) >= 0).all()  # a brighter value is never drawn darker, whatever its color

    eight = np.random.default_rng(8).integers(0, 256, (3, HEIGHT, WIDTH), dtype="uint8")
    assert (
        drawn(ImageDraft.from_fits(fits.PrimaryHDU(eight, placed()), autosave=False)) == np.moveaxis(eight, 0, 2)
    ).all()


def test_only_what_has_no_color_is_transparent(tmp_path):
    values = planes()
    values[:, :, :50] = np.nan
    values[0, :, 50:60] = np.inf
    draft = ImageDraft.from_fits(fits.PrimaryHDU(values, placed()), autosave=False)
    with Image.open(draft.local.where(draft.local.template)) as image:
        alpha = np.asarray(image)[..., 3]
    assert (alpha[:, :50] == 0).all() and (alpha[:, 50:] == 255).all()
    with pytest.raises(SourceError, match="no finite pixel"):
        ImageDraft.from_fits(fits.PrimaryHDU(values * np.nan, placed()), autosave=False)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", ["siril.fit", "mirrored.fits", "packed.fits.gz", "last.fits"])
def test_the_tiles_have_each_color_at_its_place(tmp_path, name, library, monkeypatch):
    use(library, monkeypatch)
    [outcome] = cxw.tile_all([FORMS[name](tmp_path / name)], tmp_path / "tiles")
    assert not outcome.error
    draft = ImageDraft.from_wtml(outcome.result, autosave=False)
    colors = whole(outcome.result, draft.wwt.tile_levels)[::-1, :, :3]
    places = on_sky(*WCS(draft.to_wcs_header()).all_pix2world(marks_in(colors), 1).T)
    mirrored = name == "mirrored.fits"
    truth = true_places(placed(parity=-1) if mirrored else placed(), upside_down=mirrored)
    assert apart(places, truth).max() < 0.1 * 0.001
    with Image.open(outcome.result / "thumb.jpg") as thumbnail:
        assert np.asarray(thumbnail.convert("HSV"))[..., 1].max() > 200


def test_what_is_shown_and_uploaded_is_the_picture(tmp_path):
    draft = ImageDraft.from_fits(FORMS["siril.fit"](tmp_path / "m51.fit"), autosave=False)
    files = ImageFiles(draft.local)
    assert files.picture and files.fits is None  # so the page offers no stretch
    assert files.reduced_pixels("pixels") is None
    image, thumbnail, _ = Collection(draft).files()
    assert image.key.endswith(".png") and Path(image.source).read_bytes().startswith(b"\x89PNG")
    assert thumbnail.content_type == "image/jpeg"
    with pytest.raises(SourceError, match="not a FITS image of one plane"):
        cxw.tile(draft, tmp_path / "tiles", file_type=".fits").result(60)


def test_stars_are_searched_in_the_mean_of_the_colors(tmp_path):
    path = FORMS["pixinsight.fits"](tmp_path / "m51.fits")
    pixels, factor, size = brightness(path)
    assert (factor, size) == (1, (WIDTH, HEIGHT))
    assert np.allclose(pixels, planes().mean(axis=0)[::-1], atol=1e-6)


def test_a_picture_with_too_many_pixels_is_refused_and_the_advice_works(tmp_path, monkeypatch):
    path = FORMS["siril.fit"](tmp_path / "m51.fit")
    Image.fromarray(np.moveaxis(of(8), 0, 2)[::-1].copy()).save(tmp_path / "picture.tif")
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Image, "MAX_IMAGE_PIXELS", WIDTH * HEIGHT // 2 - 1)
        with pytest.raises(SourceError, match="400 × 300 pixels in color") as caught:
            read_fits(path)
    folder = eval(re.search(r"cxw\.tile\(.*\)", str(caught.value))[0], {"cxw": cxw}).result(60)
    draft = ImageDraft.from_wtml(folder, autosave=False)
    colors = whole(folder, draft.wwt.tile_levels)[::-1, :, :3]
    places = on_sky(*WCS(draft.to_wcs_header()).all_pix2world(marks_in(colors), 1).T)
    assert apart(places, true_places(placed())).max() < 0.1 * 0.001


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({"CTYPE3": "VELO-LSR"}, "CTYPE3 is 'VELO-LSR'"),
        ({"CTYPE3": "STOKES", "CRVAL3": 1.0}, "CTYPE3 is 'STOKES'"),
        ({"CTYPE3": "WAVE", "CUNIT3": "m"}, "CTYPE3 is 'WAVE'"),
        ({"CTYPE3": "LINEAR"}, "CTYPE3 is 'LINEAR'"),
        ({"BANDS": "grz", "BAND0": "g"}, "BANDS is 'grz'"),  # cutouts of the Legacy Surveys: blue comes first
        ({"CTYPE3A": "FREQ"}, "CTYPE3A is 'FREQ'"),
        ({"CUNIT3": "Hz"}, "CUNIT3 is 'Hz'"),
        ({"CRVAL3": 5500.0}, "CRVAL3 is 5500.0"),
        ({"CDELT3": 1.25}, "CDELT3 is 1.25"),
        ({"CD3_3": 0.5}, "CD3_3 is 0.5"),
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_three_planes_of_something_else_are_refused_and_the_advice_works(tmp_path, cards, words, last):
    values = np.moveaxis(of(8), 0, 2).copy() if last else of(8)
    path = write(tmp_path / "cube.fits", fits.PrimaryHDU(values, placed(**cards)))
    with pytest.raises(SourceError, match=re.escape(words)) as caught:
        ImageDraft.from_fits(path, autosave=False)
    plane, call = re.search(
        r"that is (from_fits\(.*\))\. If these are red, green and blue, in this order, set (.*) and call from_fits with hdu$",
        str(caught.value),
    ).groups()
    with fits.open(path) as hdus:
        names = {"hdu": hdus[0], "fits": fits, "from_fits": lambda given: ImageDraft.from_fits(given, autosave=False)}
        assert Image.open((local := eval(plane, names).local).where(local.template)).mode == "LA"
        exec(call, names)
        draft = names["from_fits"](names["hdu"])
    assert (drawn(draft) == np.moveaxis(of(8), 0, 2)).all()


@pytest.mark.parametrize(
    "shape", [(4, 20, 30), (2, 20, 30), (3, 2, 20, 30), (2, 3, 20, 30), (3, 1, 20, 30), (20, 30, 4), (20, 3, 3)]
)
def test_other_numbers_of_planes_are_no_colors(shape):
    with pytest.raises(SourceError, match="is a cube of"):
        ImageDraft.from_fits(fits.PrimaryHDU(np.ones(shape), placed()), autosave=False)
