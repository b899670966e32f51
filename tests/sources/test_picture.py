"""JPEG and PNG: placed by AVM that can be trusted, or by a WCS; shown and uploaded as the file that it is."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyavm
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.sources.avm import factor_between
from constellations_widgets.sources.picture import read_picture

DEEP_FIELD = Path(__file__).parents[2] / "notebooks" / "hubble_deep_field.jpg"
SIZE = (60, 40)
pytestmark = [
    pytest.mark.filterwarnings("ignore:Spatial.Equinox"),
    pytest.mark.filterwarnings("ignore:cdelt will be ignored"),
]


def wcs(crpix: tuple[float, float] = (30.5, 20.5)) -> WCS:
    placed = WCS(naxis=2)
    placed.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    placed.wcs.crval, placed.wcs.crpix, placed.wcs.cdelt = (202.47, 47.2), crpix, (-0.001, 0.001)
    placed.wcs.radesys = "ICRS"
    placed.wcs.set()
    return placed


def encoded(kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = SIZE, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, kind, **options)
    return stream.getvalue()


def write(path: Path, content: bytes | None = None) -> Path:
    path.write_bytes(encoded() if content is None else content)
    return path


def with_avm(path: Path, size: tuple[int, int] = SIZE, **fields: Any) -> Path:
    """A JPEG that says where it is."""
    avm = pyavm.AVM.from_wcs(wcs(), shape=(size[1], size[0]))
    for name, value in fields.items():
        setattr(avm, name, value)
    plain = write(path.with_name(f"plain-{path.name}"))
    avm.embed(str(plain), str(path))
    return path


def refusal(path: Path, placed: WCS | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        read_picture(path, placed)
    assert path.name in str(caught.value) and len(str(caught.value)) < 700
    return str(caught.value)


# -- placed by AVM


def test_a_picture_lies_where_its_avm_says(tmp_path):
    path = with_avm(tmp_path / "m51.jpg", Title="The Whirlpool", Credit="NASA & ESA, signal < noise")
    draft = ImageDraft.from_image(path, autosave=False)
    wwt = draft.wwt
    assert (wwt.center_x, wwt.center_y, wwt.rotation) == pytest.approx((202.47, 47.2, 0))
    assert (wwt.offset_x, wwt.offset_y, wwt.base_degrees_per_tile) == pytest.approx((30.0, 20.0, 0.001))
    assert (wwt.projection, wwt.bottoms_up, wwt.file_type, wwt.tile_levels) == ("SkyImage", False, ".jpg", 0)
    assert draft.name == draft.note == "The Whirlpool"
    assert draft.permissions.credits == "NASA &amp; ESA, signal &lt; noise" and draft.permissions.license is None
    assert draft.local.read("m51.jpg") == path.read_bytes() and draft.local.size == SIZE
    assert draft.origin == str(path.resolve())


@pytest.mark.parametrize("matrix", [False, True], ids=["scale", "CDMatrix"])
@pytest.mark.parametrize("declared", [(600, 400), (6, 4), (601, 400)])
def test_avm_for_another_size_of_the_same_picture_is_scaled(tmp_path, declared, matrix):
    """The edges of the picture stay where they are in the sky; pyavm 0.9 forgets the half pixel, and CDMatrix altogether."""
    large = pyavm.AVM.from_wcs(wcs((declared[0] / 2 + 0.5, declared[1] / 2 + 0.5)), shape=declared[::-1])
    if matrix:
        large.Spatial.CDMatrix, large.Spatial.Scale = [-0.001, 0.0, 0.0, 0.001], None
    large.embed(str(write(tmp_path / "plain.jpg")), str(tmp_path / "m51.jpg"))
    values = read_picture(tmp_path / "m51.jpg").values
    assert values["wwt.base_degrees_per_tile"] == pytest.approx(0.001 * declared[0] / SIZE[0])
    assert (values["wwt.offset_x"], values["wwt.offset_y"]) == pytest.approx((30.0, 20.0), abs=0.2)
    if declared != (601, 400):
        assert (values["wwt.offset_x"], values["wwt.offset_y"]) == pytest.approx((30.0, 20.0), abs=1e-9)
        peer = large.to_wcs(target_shape=SIZE)
        assert abs(peer.wcs.crpix[0] - 0.5 - 30.0) > 0.4
        assert matrix == (abs(abs(peer.pixel_scale_matrix[0, 0]) - values["wwt.base_degrees_per_tile"]) > 1e-6)


def test_avm_in_galactic_coordinates_is_turned_into_those_of_wwt(tmp_path):
    placed = WCS(naxis=2)
    placed.wcs.ctype, placed.wcs.crval = ["GLON-TAN", "GLAT-TAN"], (30.0, 5.0)
    placed.wcs.crpix, placed.wcs.cdelt = (30.5, 20.5), (-0.001, 0.001)
    pyavm.AVM.from_wcs(placed, shape=(40, 60)).embed(str(write(tmp_path / "plain.jpg")), str(tmp_path / "m51.jpg"))
    draft = ImageDraft.from_image(tmp_path / "m51.jpg", autosave=False)
    expected = SkyCoord(30, 5, unit="deg", frame="galactic").icrs
    assert (draft.wwt.center_x, draft.wwt.center_y) == pytest.approx((expected.ra.deg, expected.dec.deg))
    north = expected.position_angle(SkyCoord(30, 5.001, unit="deg", frame="galactic").icrs).deg
    assert math.remainder(draft.wwt.rotation - north, 360) == pytest.approx(0, abs=1e-3)


def test_the_first_scale_of_avm_is_enough(tmp_path):
    """By the standard; the second was rounded."""
    avm = pyavm.AVM.from_wcs(wcs(), shape=(40, 60))
    avm.Spatial.Scale = [-0.001, 0.001005]
    avm.embed(str(write(tmp_path / "plain.jpg")), str(tmp_path / "m51.jpg"))
    reading = read_picture(tmp_path / "m51.jpg")
    assert reading.values["wwt.base_degrees_per_tile"] == pytest.approx(0.001, rel=1e-9)
    assert not any("off by" in remark for remark in reading.remarks)


def test_avm_that_doubts_itself_is_not_trusted(tmp_path):
    avm = pyavm.AVM.from_wcs(wcs(), shape=(40, 60))
    avm.Spatial.Quality = "Position"
    avm.embed(str(write(tmp_path / "plain.jpg")), str(tmp_path / "m51.jpg"))
    assert "only its position can be trusted" in refusal(tmp_path / "m51.jpg")


def test_rights_in_the_avm_are_offered_and_never_taken(tmp_path):
    path = with_avm(
        tmp_path / "m51.jpg",
        Title="M 51",
        Description="A spiral in red light",
        Creator="ESA/Hubble",
        Rights="Creative Commons Attribution 4.0",
        ReferenceURL="https://example.org/m51",
    )
    draft = ImageDraft.from_image(path, autosave=False)
    assert draft.note == "M 51"
    assert draft.permissions.credits == '<a href="https://example.org/m51">ESA/Hubble</a>'
    assert not draft.permissions.copyright and not draft.permissions.license
    offers = {problem.field: problem for problem in draft.problems if problem.code == "CXW905"}
    assert "Creative Commons Attribution 4.0" in offers["permissions.license"].message
    assert offers["permissions.license"].fix.label == "Use “CC-BY-4.0”"
    draft.apply(offers["permissions.copyright"])
    draft.apply(offers["permissions.license"])
    draft.apply(offers["alt_text"])
    assert (draft.permissions.copyright, draft.permissions.license) == ("Copyright ESA/Hubble", "CC-BY-4.0")
    assert draft.alt_text == "A spiral in red light"
    assert not [p for p in draft.problems if p.code == "CXW905"]


def test_avm_that_declares_entities_is_refused(tmp_path):
    bomb = b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&a;</x:xmpmeta>"
    xmp = b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>" + bomb + b"<?xpacket end='w'?>"
    assert "declare XML entities" in refusal(write(tmp_path / "m51.jpg", encoded(xmp=xmp)))


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "I;16", "F", "L", "RGBA"])
def test_a_tiff_is_placed_and_drawn_as_a_png(tmp_path, mode):
    xmp = pyavm.AVM.from_wcs(wcs(), shape=(40, 60)).to_xmp()
    path = write(tmp_path / "m51.tif", encoded("TIFF", mode, tiffinfo={700: xmp}))
    draft = ImageDraft.from_image(path, autosave=False)
    assert draft.wwt.center_x == pytest.approx(202.47) and draft.wwt.file_type == ".png"
    picture = draft.local.where(draft.local.template)
    assert any(str(picture) in problem.message for problem in draft.problems)
    with Image.open(picture) as drawn:
        assert drawn.size == SIZE and drawn.mode in ("RGB", "L", "RGBA")


@pytest.mark.parametrize("kind", ["uint16", "float32", "int32"])
def test_a_tiff_of_many_bits_of_gray_is_drawn_from_its_darkest_to_its_brightest(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("constellations_widgets.sources.drawing._STRIP", 60 * 7)  # seven rows at a time
    values = np.linspace(1000, 9000, 60 * 40).reshape(40, 60).astype(kind)
    expected = ((values.astype(float) - 1000) / 8000 * 255).round()
    if kind == "float32":
        values[5, 5], values[30, 1], expected[5, 5], expected[30, 1] = np.nan, np.inf, 0, 0
    Image.fromarray(values).save(tmp_path / "m51.tif")
    draft = ImageDraft.from_image(tmp_path / "m51.tif", center=(1, 2), width=1, autosave=False)
    with Image.open(draft.local.where(draft.local.template)) as drawn:
        assert np.abs(np.asarray(drawn) - expected).max() <= 1


@pytest.mark.parametrize("declared", ["400 × 400", "60 × 42", "62 × 40", "6000 × 4200"])
def test_avm_of_another_crop_is_not_trusted(tmp_path, declared):
    width, height = map(int, declared.split(" × "))
    said = refusal(with_avm(tmp_path / "m51.jpg", size=(width, height)))
    assert (
        "belongs to another crop" in said
        and f"{declared} pixels" in said
        and "the file has 60 × 40" in said
        and "wcs=" in said
    )


@pytest.mark.parametrize(
    ("declared", "size", "factor"),
    [
        ((10_000, 9_000), (1_000, 900), 0.1),
        ((3380, 2251), (257, 171), 257 / 3380),  # rounded
        ((2251, 3380), (171, 256), 256 / 3380),  # cut off after the point
        ((257, 171), (3380, 2251), 3380 / 257),
        ((10_000, 9_000), (10_000, 9_000), 1.0),
        ((10_000, 9_000), (10_000, 8_950), None),  # half a percent, and fifty pixels
        ((10_000, 9_000), (9_950, 9_000), None),
        ((0, 10), (10, 10), None),
    ],
)
def test_another_size_is_told_from_another_crop_by_a_pixel(declared, size, factor):
    assert factor_between(declared, size) == (factor and pytest.approx(factor))


def test_the_avm_of_the_hubble_deep_field_is_of_another_crop():
    said = refusal(DEEP_FIELD)
    assert "belongs to another crop" in said and "wcs=" in said


def test_what_had_to_be_assumed_of_avm_is_said(tmp_path):
    assert read_picture(with_avm(tmp_path / "m51.jpg")).remarks == ()  # ICRS needs no equinox
    avm = pyavm.AVM.from_wcs(wcs(), shape=(40, 60))
    avm.Spatial.CoordinateFrame = None
    avm.embed(str(tmp_path / "plain-m51.jpg"), str(tmp_path / "m51.jpg"))
    assert read_picture(tmp_path / "m51.jpg").remarks == ("its AVM has no Spatial.CoordinateFrame: taken as ICRS",)


@pytest.mark.parametrize(
    "damage",
    [
        lambda avm: setattr(avm.Spatial, "ReferenceDimension", None),
        lambda avm: setattr(avm.Spatial, "ReferenceValue", None),
        lambda avm: setattr(avm.Spatial, "ReferencePixel", None),
        lambda avm: setattr(avm.Spatial, "Scale", None),
        lambda avm: setattr(avm.Spatial, "ReferenceDimension", [0.0, 0.0]),
        lambda avm: setattr(avm.Spatial, "CoordinateFrame", None),
        lambda avm: setattr(avm.Spatial, "CoordsystemProjection", None),
    ],
)
def test_avm_that_says_too_little_is_told_so(tmp_path, damage):
    avm = pyavm.AVM.from_wcs(wcs(), shape=(40, 60))
    damage(avm)
    avm.embed(str(write(tmp_path / "plain.jpg")), str(tmp_path / "m51.jpg"))
    try:
        assert read_picture(tmp_path / "m51.jpg").values["wwt.center_x"] == pytest.approx(202.47)
    except SourceError as error:
        assert "AVM in m51.jpg" in str(error) and "wcs=" in str(error)


def test_a_picture_without_avm_needs_a_wcs(tmp_path):
    assert "has no AVM" in refusal(write(tmp_path / "m51.jpg"))
    write(tmp_path / "m51.wcs", b"SIMPLE")
    assert f"with wcs={str(tmp_path / 'm51.wcs')!r}, which lies beside it" in refusal(tmp_path / "m51.jpg")


@pytest.mark.parametrize(
    "packet", [b"", b"<x:xmpmeta>", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a></x:xmpmeta>", b"\xff\xfe not XML"]
)
def test_avm_that_is_broken_is_told_so(tmp_path, packet):
    xmp = b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>" + packet + b"<?xpacket end='w'?>"
    path = write(tmp_path / "m51.jpg", encoded(xmp=xmp))
    assert "AVM" in refusal(path)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from([b"202.47", b"47.2", b"30.5", b"20.5", b"60.0", b"40.0", b"0.001", b"ICRS", b"TAN", b"Full"]),
        st.one_of(st.floats().map(repr), st.integers().map(str), st.text("ABCDEGLNST0.-", max_size=6)),
        min_size=1,
        max_size=4,
    )
)
@pytest.mark.filterwarnings("ignore")
def test_whatever_the_avm_says_the_picture_is_placed_or_it_is_refused(tmp_path_factory, changes):
    xmp = pyavm.AVM.from_wcs(wcs(), shape=(40, 60)).to_xmp()
    for old, new in changes.items():
        xmp = xmp.replace(old, new.encode())
    path = write(tmp_path_factory.getbasetemp() / "avm.jpg", encoded(xmp=xmp))
    try:
        values = read_picture(path).values
    except SourceError as error:
        assert "avm.jpg" in str(error)
    else:
        assert values["wwt.base_degrees_per_tile"] > 0 and -90 <= values["wwt.center_y"] <= 90


# -- placed by a WCS


@pytest.mark.parametrize(("kind", "extension"), [("JPEG", ".jpg"), ("PNG", ".png")])
def test_a_wcs_that_is_given_places_the_picture(tmp_path, kind, extension):
    path = write(tmp_path / "m51.dat", encoded(kind))
    values = read_picture(path, wcs((10.5, 5.5))).values
    assert (values["wwt.offset_x"], values["wwt.offset_y"], values["wwt.file_type"]) == (10.0, 5.0, extension)
    assert values["note"] == "m51.dat"  # an extension that says nothing may be part of the name


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "I;16"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "LA")],
)
def test_every_kind_of_jpeg_and_png_is_taken(tmp_path, kind, mode):
    path = write(tmp_path / "m51.img", encoded(kind, mode))
    assert read_picture(path, wcs()).local.size == SIZE


@pytest.mark.parametrize("name", ["my image.jpg", "100%25.jpg", "a{1}.jpg", "a#b?.jpg", "Größe.jpg"])
def test_a_file_may_be_called_anything(tmp_path, name):
    path = write(tmp_path / name)
    draft = ImageDraft.from_image(path, wcs=wcs(), autosave=False)
    assert draft.local.read(draft.local.template) == path.read_bytes()
    draft.host_at("https://example.org/m51")
    assert not [p for p in draft.problems if p.field == "storage.legacy_url_template" and p.severity == "error"]


# -- what can't be read or drawn


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_a_picture_that_viewers_turn_is_not_placed_by_its_pixels(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = write(tmp_path / "m51.jpg", encoded(exif=exif))
    assert "EXIF orientation" in refusal(path, wcs())


def test_an_upright_picture_may_say_so(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 1
    assert read_picture(write(tmp_path / "m51.jpg", encoded(exif=exif)), wcs()).local.size == SIZE


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP"])
def test_other_kinds_of_picture_are_to_be_converted(tmp_path, kind):
    assert f"is a {kind}: WWT draws JPEG and PNG" in refusal(write(tmp_path / "m51.png", encoded(kind)), wcs())


def test_a_fits_file_is_sent_to_its_own_door(tmp_path):
    fits.writeto(tmp_path / "m51.fits", np.ones((4, 6)))
    assert "read it with ImageDraft.from_fits" in refusal(tmp_path / "m51.fits", wcs())
    fits.PrimaryHDU(header=wcs().to_header()).writeto(tmp_path / "m51.wcs")
    assert (
        "is FITS: read it with" in (said := refusal(tmp_path / "m51.wcs"))
        and "give the picture, and this as wcs=" in said
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.95])
def test_a_picture_that_is_cut_off_is_told_so(tmp_path, kind, part):
    stream = io.BytesIO()
    Image.effect_noise((200, 200), 80).save(stream, kind)
    content = stream.getvalue()
    path = write(tmp_path / "m51.img", content[: int(len(content) * part)])
    assert "can't be read as a picture" in refusal(path, wcs())


@pytest.mark.parametrize(
    "content",
    [b"", b"M 51", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"SIMPLE  =", b"\xff\xd8\xff\xe0" + b"\0" * 100],
)
def test_what_is_no_picture_is_told_so(tmp_path, content):
    assert "can't be read as a picture" in refusal(write(tmp_path / "m51.jpg", content), wcs())


def test_a_picture_of_too_many_pixels_wants_tiles(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert "make tiles of it with cxw.tile" in refusal(write(tmp_path / "m51.png", encoded("PNG")), wcs())


def test_a_file_that_is_not_there_is_told_so(tmp_path):
    assert "There is no file" in refusal(tmp_path / "missing.jpg")
    assert "There is no file" in refusal(Path("~nobody-of-this-name/m51.jpg"))
    assert "is a folder" in refusal(tmp_path)


@settings(max_examples=40)
@given(
    st.sampled_from(["JPEG", "PNG"]),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=5),
)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_picture_is_read_or_told_so(tmp_path_factory, kind, damage):
    content = bytearray(encoded(kind))
    for place, byte in damage:
        content[int(place * len(content))] = byte
    path = write(tmp_path_factory.getbasetemp() / "damaged.img", bytes(content))
    try:
        assert read_picture(path, wcs()).values["wwt.projection"] == "SkyImage"
    except SourceError as error:
        assert "damaged.img" in str(error)


@pytest.mark.parametrize("wcs", [{}, 7, b"CTYPE1"])
def test_a_wcs_of_another_kind_is_refused_with_the_call_that_makes_one(wcs, tmp_path):
    with pytest.raises(SourceError, match=r"astropy\.wcs\.WCS\(header\)"):
        read_picture(write(tmp_path / "any.jpg"), wcs)


def test_earlier_edits_of_a_picture_of_another_size_keep_their_words_and_not_their_placement(tmp_path, monkeypatch):
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "m51.png"

    def drafted(size: tuple[int, int]) -> ImageDraft:
        Image.new("RGB", size).save(path)
        return ImageDraft.from_image(path, center=(202.47, 47.2), width=0.2)

    first = drafted((80, 60))
    first.note, first.wwt.rotation = "the Whirlpool", 30.0
    first.save(tmp_path / "earlier.json")
    same, half = drafted((80, 60)), drafted((40, 30))
    placed = half.wwt.base_degrees_per_tile
    for draft in (same, half):
        draft.restore(tmp_path / "earlier.json")
    assert (same.note, same.wwt.rotation) == ("the Whirlpool", 30.0)
    assert (half.note, half.wwt.rotation, half.wwt.base_degrees_per_tile) == ("the Whirlpool", 0.0, placed)
    for draft, count in ((same, 0), (half, 1)):
        said = [problem.message for problem in draft.problems if problem.code == "CXW901"]
        assert sum("80 × 60 pixels, and the file has 40 × 30 now" in each for each in said) == count
