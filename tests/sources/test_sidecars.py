"""A WCS beside the picture: of astropy, of a file, of astrometry.net, of a text."""

from __future__ import annotations

import gzip
import io
import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sources.headers import corners
from sources.test_avm import packet
from sources.test_oracle import apart, as_wwt_draws

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.sources.fits import read_fits
from constellations_widgets.sources.picture import read_picture

SIZE = (60, 40)


def header(**cards) -> fits.Header:
    placed = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 202.47, "CRVAL2": 47.2, "CRPIX1": 10.5, "CRPIX2": 5.5,
        "CD1_1": -0.001, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.001, "IMAGEW": SIZE[0], "IMAGEH": SIZE[1],
    }  # fmt: skip
    return fits.Header({name: value for name, value in (placed | cards).items() if value is not None})


def sky(wcs: WCS, pixels: np.ndarray) -> np.ndarray:
    """Unit vectors, ICRS, of pixels as FITS counts them."""
    places = wcs.pixel_to_world(*(pixels.T - 1)).icrs
    return np.array(places.cartesian.xyz.value).T


@pytest.fixture
def picture(tmp_path) -> Path:
    Image.new("RGB", SIZE).save(tmp_path / "m51.jpg")
    return tmp_path / "m51.jpg"


def placed(picture: Path, wcs, **options) -> dict:
    draft = ImageDraft.from_image(picture, wcs, autosave=False, **options)
    return {
        name: draft[f"wwt.{name}"]
        for name in ("offset_x", "offset_y", "bottoms_up", "rotation", "base_degrees_per_tile")
    }


HERE = {"offset_x": 10.0, "offset_y": 5.0, "bottoms_up": False, "rotation": 0.0, "base_degrees_per_tile": 0.001}


def test_a_wcs_is_taken_in_every_form(picture, tmp_path):
    cards = header()
    fits.PrimaryHDU(header=cards).writeto(tmp_path / "m51.wcs")
    (tmp_path / "cards.txt").write_text(cards.tostring())
    (tmp_path / "lines.hdr").write_text(cards.tostring(sep="\n", endcard=False, padding=False))
    (tmp_path / "loose.txt").write_text("\n".join(f"{name} = {value!r} / by hand" for name, value in cards.items()))
    for given_wcs in (
        WCS(cards), cards, tmp_path / "m51.wcs", str(tmp_path / "m51.wcs"), tmp_path / "cards.txt",
        tmp_path / "lines.hdr", tmp_path / "loose.txt", cards.tostring(), cards.tostring(sep="\n"),
    ):  # fmt: skip
        assert placed(picture, given_wcs) == pytest.approx(HERE)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_text_of_cards_is_read_as_windows_writes_it(picture, tmp_path, encoding):
    (tmp_path / "m51.txt").write_text(header().tostring(sep="\r\n").lower(), encoding=encoding)
    assert placed(picture, tmp_path / "m51.txt") == pytest.approx(HERE)


AVM = {
    "CoordinateFrame": "ICRS", "CoordsystemProjection": "TAN", "ReferenceValue": ["202.47", "47.2"], "Rotation": "0",
    "ReferenceDimension": ["60", "40"], "ReferencePixel": ["10.5", "5.5"], "Scale": ["-0.001", "0.001"],
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_avm_in_an_xmp_file_beside_a_picture_places_it(picture, tmp_path, encoding):
    beside = tmp_path / "m51.xmp"
    beside.write_text(packet(AVM), encoding=encoding)
    assert placed(picture, beside) == pytest.approx(HERE)
    beside.write_text(packet(dict.fromkeys([*AVM, "Quality"]), dc_title="M 51"))
    with pytest.raises(SourceError, match="The AVM in m51.xmp gives no position on the sky"):
        placed(picture, beside)


ASTAP = "\n".join(f"{name}= {value} // ASTAP" for name, value in header().items() if not name.startswith("CTYPE"))


@pytest.mark.parametrize(
    "name",
    ["m51.wcs", "m51.wcs.gz", "m51.new", "m51.ini", "m51.head", "m51.xmp", "m51.jpg.xmp", "m51.fits"],
)
def test_a_file_that_a_solver_left_beside_a_picture_is_named_and_places_it(picture, tmp_path, name):
    hdu = fits.PrimaryHDU(header=header())
    solved = io.BytesIO()
    hdu.writeto(solved)
    texts = {".ini": f"PLTSOLVD=T\n{ASTAP}", ".head": header().tostring(sep="\n"), ".xmp": packet(AVM)}
    text = texts.get(Path(name).suffix)
    content = text.encode() if text else solved.getvalue()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(SourceError, match="which lies beside it") as caught:
        ImageDraft.from_image(picture, autosave=False)
    found = re.search(r"give its place with wcs='(.*)', which", str(caught.value))[1]
    assert found == str(tmp_path / name)
    assert placed(picture, found) == pytest.approx(HERE)


def test_a_wcs_for_another_size_of_the_picture_is_scaled(picture):
    twice = header(IMAGEW=120, IMAGEH=80, CRPIX1=20.5, CRPIX2=10.5, CD1_1=-0.0005, CD2_2=0.0005)
    assert placed(picture, twice) == pytest.approx(HERE)
    [said] = read_picture(picture, twice).remarks
    assert "its WCS was made for 120 × 80 pixels, and is scaled to the size of the file. If the file is a part" in said
    with pytest.raises(SourceError, match="another crop of m51.jpg: it was made for 60 × 60"):
        placed(picture, header(IMAGEH=60))


PLATE = {
    "PLTRAH": 13, "PLTRAM": 34, "PLTRAS": 29.5, "PLTDECSN": "+", "PLTDECD": 47, "PLTDECM": 20, "PLTDECS": 12.3, "PLTSCALE": 67.2,
    "XPIXELSZ": 25.28445, "YPIXELSZ": 25.28445, "PPO3": 177500.0, "PPO6": 177500.0, "CNPIX1": 5000, "CNPIX2": 7000,
    **dict(zip((f"AMDX{number}" for number in range(1, 14)), (67.2, -0.03, -239.2, -1.2e-5, 7.7e-6, 0, 0, 2e-6, 0, 2.1e-6, 0, 0, 0), strict=True)),
    **dict(zip((f"AMDY{number}" for number in range(1, 14)), (67.2, 0.03, -10.4, -1.2e-5, -2.4e-6, 0, 0, 2.1e-6, 0, 2e-6, 0, 0, 0), strict=True)),
}  # fmt: skip
SCALED = {
    "SIP": header(CTYPE1="RA---TAN-SIP", CTYPE2="DEC--TAN-SIP", A_ORDER=2, B_ORDER=2, A_2_0=2e-8, B_0_2=-1e-8, CRPIX1=990.5),
    "TPV": header(CTYPE1="RA---TPV", CTYPE2="DEC--TPV", PV1_1=1.0, PV2_1=1.0, PV1_4=1e-4, PV2_5=-2e-4),
    "CROTA2": header(CD1_1=None, CD1_2=None, CD2_1=None, CD2_2=None, CDELT1=-0.001, CDELT2=0.001, CROTA2=30.0),
    "a plate of the Digitized Sky Survey": fits.Header(PLATE),
}  # fmt: skip


@pytest.mark.parametrize("cards", SCALED.values(), ids=SCALED.keys())
@pytest.mark.parametrize("factor", [40, 2, 0.5])
@pytest.mark.filterwarnings("ignore")
def test_a_copy_of_another_size_lies_where_the_solved_picture_does(picture, cards, factor):
    """astropy gives the places of the original's pixels, which distortions count, too."""
    cards = cards.copy()
    cards["IMAGEW"], cards["IMAGEH"] = (int(side * factor) for side in SIZE)
    reading = read_picture(picture, cards, tolerance=99)
    drawn, scale = as_wwt_draws(dict(reading.values), corners(SIZE))
    off = apart(drawn, sky(WCS(cards), (corners(SIZE) - 0.5) * factor + 0.5)).max() / scale
    said = [*reading.remarks, *(doubt.message for doubt in reading.doubts)]
    reported = max(
        [0.02, *(float(found[1]) for each in said if (found := re.search(r"at most ([\d.e+-]+) pixels", each)))]
    )
    assert off <= reported * 1.01


def test_a_wcs_of_unknown_size_is_taken_for_the_pictures_and_this_is_said(picture):
    unknown = header(IMAGEW=None, IMAGEH=None)
    assert placed(picture, unknown) == pytest.approx(HERE)
    for wcs in (unknown, WCS(unknown), unknown.tostring(sep="\n")):
        [said] = read_picture(picture, wcs).remarks
        assert "does not give the size of the picture that it was made for: taken as 60 × 40 pixels" in said
    for crpix in ((30.5, 20.5), (30.0, 20.0)):  # solvers put it into the middle, which half a size has elsewhere
        assert read_picture(picture, header(CRPIX1=crpix[0], CRPIX2=crpix[1], IMAGEW=None, IMAGEH=None)).remarks == ()


def test_a_solution_of_astap_tells_the_size_of_its_picture_by_its_middle(picture, tmp_path):
    beside = tmp_path / "m51.ini"
    for (x, y), factor in (((30.5, 20.5), 1), ((60.5, 40.5), 2)):
        cards = header(CRPIX1=x, CRPIX2=y, IMAGEW=None, IMAGEH=None)
        beside.write_text(
            "PLTSOLVD=T\n" + "".join(f"{name}={cards[name]:.16E}\n" for name in cards if not name.startswith("CTYPE"))
        )
        reading = read_picture(picture, beside)
        assert reading.values["wwt.base_degrees_per_tile"] == pytest.approx(0.001 * factor)
        assert (reading.values["wwt.offset_x"], reading.values["wwt.offset_y"]) == pytest.approx((30.0, 20.0))
        assert [
            f"made for {60 * factor} × {40 * factor} pixels, and is scaled" in said for said in reading.remarks
        ] == [True] * (factor - 1)
    beside.write_text(beside.read_text().replace("CRPIX2=4.05", "CRPIX2=3.05"))
    with pytest.raises(SourceError, match="made for 120 × 60 pixels, the file has 60 × 40"):
        read_picture(picture, beside)


def test_the_pixels_of_a_file_tell_its_size_and_what_a_solver_wrote_into_its_header_is_said(picture, tmp_path):
    path = tmp_path / "cut.fits"
    fits.PrimaryHDU(np.arange(2400.0).reshape(40, 60), header(IMAGEW=120, IMAGEH=80)).writeto(path)
    words = "its WCS was made for 120 × 80 pixels (IMAGEW, IMAGEH), and the image has 60 × 40"
    assert placed(picture, path) == pytest.approx(HERE)
    for remarks in (read_picture(picture, path).remarks, read_fits(path).remarks):
        assert sum(words in said for said in remarks) == 1
    fits.PrimaryHDU(np.arange(2400.0).reshape(40, 60), header()).writeto(path, overwrite=True)
    for remarks in (read_picture(picture, path).remarks, read_fits(path).remarks):
        assert not any("two sizes" in said for said in remarks)


def test_of_several_wcs_in_a_fits_file_that_of_the_pictures_size_is_used_and_others_of_it_are_named(picture, tmp_path):
    other = fits.ImageHDU(np.zeros((30, 20), "u1"), header(CRVAL1=10.0, IMAGEW=20, IMAGEH=30))
    same = [fits.ImageHDU(np.zeros((40, 60), "u1"), header(CRVAL1=ra)) for ra in (202.47, 10.0)]
    path = tmp_path / "chips.fits"
    for hdus, words in (
        ([other, same[0]], ""),
        ([other, *same], "that of HDU 2 is used. If the picture shows another (3)"),
    ):
        fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path, overwrite=True)
        reading = read_picture(picture, path)
        assert reading.values["wwt.center_x"] == 202.47
        assert words in " ".join(reading.remarks) if words else reading.remarks == ()


def test_a_text_with_the_headers_of_several_images_is_refused(picture, tmp_path):
    heads = tmp_path / "m51.head"
    heads.write_text((header().tostring(sep="\n", padding=False) + "\n") * 2)
    with pytest.raises(SourceError, match="m51.head holds the headers of several images"):
        placed(picture, heads)
    heads.write_text(header().tostring(sep="\n", padding=False) + "\n\nPLTSOLVD=T\n")
    assert placed(picture, heads) == pytest.approx(HERE)


def test_rows_may_be_counted_from_the_top(picture):
    top = header(CD2_2=-0.001, CRPIX2=35.5)
    assert placed(picture, top, rows="top") == pytest.approx(HERE)
    assert placed(picture, top)["bottoms_up"] is True
    with pytest.raises(SourceError, match='rows= is "bottom"'):
        placed(picture, top, rows="up")


def test_astrometry_net_counts_the_rows_of_a_jpeg_from_the_top(picture, tmp_path):
    """Its issue 151: a JPEG and a FITS file of the same image are solved with opposite parity."""
    solved = header(CD2_2=-0.001, CRPIX2=35.5)
    solved["HISTORY"] = "Created by the Astrometry.net suite."
    fits.PrimaryHDU(header=solved).writeto(tmp_path / "m51.wcs")
    assert placed(picture, tmp_path / "m51.wcs") == pytest.approx(HERE)
    remarks = [p.message for p in ImageDraft.from_image(picture, solved, autosave=False).problems if p.code == "CXW901"]
    assert any("of astrometry.net, which may count rows from the top" in remark for remark in remarks)
    assert placed(picture, solved, rows="bottom")["bottoms_up"] is True


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a FITS header"),
        (b"M 51", "is not a FITS header"),
        (b"SIMPLE  =                    T" + b" " * 50, "is not a FITS header"),
        (
            b"CTYPE1 = 'RA---TAN'\nCTYPE2 = 'DEC--TAN'\nCRVAL1 = far away\nCRVAL2 = 5",
            "CRVAL1 is 'far away', which is not a number",
        ),
        (b'{"CTYPE1": "RA---TAN"}', "is not a FITS header"),
        (b"<html><p>CTYPE1", "is not a FITS header"),
        (b"XISF0100 <xisf> CTYPE1", "is an XISF file: save it as FITS in PixInsight"),
        (b"PLTSOLVD=F\nCRVAL1=1\nCRVAL2=2", r"the plate was not solved \(PLTSOLVD is F\)"),
        (b"CTYPE1 = 'NOTHING'", r"no celestial WCS\) \(CTYPE is NOTHING"),
        (bytes(range(256)) * 20 + b"CTYPE1", "no celestial WCS|no WCS that can be read|not a FITS header"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_file_that_holds_no_wcs_is_refused(picture, tmp_path, content, message):
    (tmp_path / "m51.wcs").write_bytes(content)
    with pytest.raises(SourceError, match=message):
        placed(picture, tmp_path / "m51.wcs")


def test_a_sidecar_that_is_not_there_is_said(picture, tmp_path):
    with pytest.raises(SourceError, match="There is no file .*missing.wcs"):
        placed(picture, tmp_path / "missing.wcs")


@given(
    st.dictionaries(
        st.sampled_from(list(header())), st.one_of(st.floats(), st.integers(), st.text("RADECTNSIP-", max_size=8))
    )
)
@pytest.mark.filterwarnings("ignore")
def test_whatever_the_cards_say_the_picture_is_placed_or_they_are_refused(tmp_path_factory, cards):
    path = tmp_path_factory.getbasetemp() / "sidecar.jpg"
    if not path.exists():
        Image.new("RGB", SIZE).save(path)
    lines = "\n".join(f"{name} = {value!r}" for name, value in (dict(header()) | cards).items())
    try:
        assert placed(path, lines)["base_degrees_per_tile"] > 0
    except SourceError as error:
        assert str(error)
