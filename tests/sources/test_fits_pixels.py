"""FITS pixels for the preview: plain, not too large, and with the values that a stretch begins with."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from constellations_widgets.errors import SourceError
from constellations_widgets.sources import fits_pixels
from constellations_widgets.sources.fits_pixels import pixels_of, plain_tile, shape_of, tile_pixels

VALUES = np.arange(35.0).reshape(5, 7)


def image_in(content: bytes) -> np.ndarray:
    """The pixels of a file that must be a FITS file of 32-bit floats and nothing else."""
    with fits.open(io.BytesIO(content)) as hdus:
        hdus.verify("exception")
        assert len(hdus) == 1 and hdus[0].header["BITPIX"] == -32
        assert len(content) == 2880 * 2
        return hdus[0].data.copy()


def write(path: Path, values: np.ndarray, **cards: object) -> Path:
    hdu = fits.PrimaryHDU(values)
    hdu.header.update(cards)
    hdu.writeto(path)
    return path


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"])
@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_numbers_of_any_kind_become_plain_floats(tmp_path: Path, kind: str, suffix: str):
    path = write(tmp_path / f"a{suffix}", VALUES.astype(kind))
    found = pixels_of(path)
    assert (image_in(found.content) == VALUES).all()
    assert found.size == (7, 5) and found.factor == 1 and found.words == ""
    assert (image_in(plain_tile(path.read_bytes(), "it")) == VALUES).all()


def test_scaled_and_blank_pixels_have_their_values(tmp_path: Path):
    raw = VALUES.astype("int16")
    raw[0, 0] = -32768
    path = write(tmp_path / "a.fits", raw, BSCALE=0.5, BZERO=10.0, BLANK=-32768)
    found = image_in(pixels_of(path).content)
    assert np.isnan(found[0, 0]) and (found.ravel()[1:] == VALUES.ravel()[1:] * 0.5 + 10).all()


def test_the_first_image_is_found_behind_tables_packed_or_with_idle_axes(tmp_path: Path):
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])])
    for name, hdu in {
        "packed": fits.CompImageHDU(VALUES.astype("float32"), quantize_level=0),
        "idle": fits.ImageHDU(VALUES[None, None]),
    }.items():
        path = tmp_path / f"{name}.fits"
        fits.HDUList([fits.PrimaryHDU(), table, hdu]).writeto(path)
        assert (image_in(pixels_of(path).content) == VALUES).all(), name


def test_what_is_not_finite_or_too_large_for_a_float_is_nothing(tmp_path: Path):
    values = VALUES.copy()
    values[0, :4] = np.nan, np.inf, -np.inf, 1e300
    found = pixels_of(write(tmp_path / "a.fits", values))
    assert np.isnan(image_in(found.content)[0, :4]).all()
    assert found.quantiles[0] == 4 and found.quantiles[-1] == 34


def test_a_large_image_is_shown_as_means_of_blocks_from_the_lower_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fits_pixels, "LARGEST", 4)
    values = VALUES.copy()
    values[0, 0] = np.nan
    path = write(tmp_path / "a.fits", values)
    found = pixels_of(path)
    assert found.factor == 2 == shape_of(path).factor and found.size == (4, 3) and shape_of(path).size == (7, 5)
    expected = [[16 / 3, 6, 8, 9.5], [18, 20, 22, 23.5], [28.5, 30.5, 32.5, 34]]
    assert image_in(found.content) == pytest.approx(np.array(expected))
    assert found.words == "a.fits has 7 × 5 pixels; each pixel shown is the mean of 2 × 2."


def test_cuts_leave_out_half_a_percent_at_either_end(tmp_path: Path):
    found = pixels_of(write(tmp_path / "a.fits", np.arange(10000.0).reshape(100, 100)))
    assert found.cuts == pytest.approx((50, 9950), abs=20)


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0])
def test_an_image_of_one_value_has_cuts_that_differ(tmp_path: Path, value: float):
    low, high = pixels_of(write(tmp_path / "a.fits", np.full((5, 7), value))).cuts
    assert low == value < high


def test_a_file_that_is_overwritten_is_read_again(tmp_path: Path):
    path = write(tmp_path / "a.fits", VALUES)
    before = pixels_of(path)
    assert pixels_of(path) is before
    path.unlink()
    write(path, VALUES + 1, LATER=True)
    assert (image_in(pixels_of(path).content) == VALUES + 1).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b"no FITS at all"), "is not a FITS file|can't be read as a FITS image"),
        (lambda path: path.write_bytes(b""), "is empty|can't be read as a FITS image"),
        (lambda path: write(path, VALUES * np.nan), "no finite pixel"),
        (lambda path: write(path, np.zeros((4, 5, 7))), "is a cube"),
        (lambda path: write(path, np.zeros((3, 5, 7))), "is in color"),
        (lambda path: fits.PrimaryHDU().writeto(path), "holds no image"),
    ],
)
def test_what_can_not_be_shown_is_refused_by_name(tmp_path: Path, make, words: str):
    path = tmp_path / "odd.fits"
    make(path)
    with pytest.raises(SourceError, match=f"odd.fits.*({words})"):
        pixels_of(path)
    with pytest.raises(SourceError, match=f"The tile.*({words})"):
        tile_pixels(path.read_bytes(), "The tile")


def test_a_cut_off_file_is_refused_by_name(tmp_path: Path):
    path = write(tmp_path / "a.fits", np.zeros((100, 100)))
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(SourceError, match="a.fits can't be read as a FITS image"):
        pixels_of(path)


def test_a_file_that_is_not_there_is_the_systems_error(tmp_path: Path):
    for read in (pixels_of, shape_of):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "nowhere.fits")
