"""Metadata that travel with an image: AVM in a copy of its file, a WTML collection, DataCite JSON of a receipt."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyavm
import pytest
from astropy.wcs import WCS
from examples import TILED, UNTILED
from examples import body as request_body
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import constellations_widgets as cxw
from constellations_widgets.errors import SourceError
from constellations_widgets.schema.records import Receipt

SIZE = (70, 50)
RIGHTS = {
    "note": "M 51 <&> “the Whirlpool”",
    "permissions.credits": '<a href="https://example.org">A. Author</a> &amp; B',
    "permissions.copyright": "Copyright 2026 A. Author",
    "permissions.license": "CC-BY-4.0",
    "alt_text": "Two arms \u202e around \x00 a core",
}
OLD_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'


def picture(path: Path, **options: Any) -> Path:
    pixels = np.random.default_rng(3).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def drafted(path: Path, **placement: Any) -> cxw.ImageDraft:
    placement = {"center": (202.469, -47.195), "width": 0.2, "rotation": 33.3} | placement
    draft = cxw.ImageDraft.from_image(path, autosave=False, **placement)
    draft.update(RIGHTS)
    return draft


def pixel_error(wcs: WCS, draft: cxw.ImageDraft, size: tuple[int, int] = SIZE) -> float:
    """The largest distance of a corner, in pixels, of where `wcs` puts it from where the draft does."""
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], size])
    sky = WCS(draft.to_wcs_header(size)).wcs_pix2world(corners, 0)
    return float(np.abs(wcs.wcs_world2pix(sky, 0) - corners).max())


@pytest.mark.parametrize("parity", [1, -1])
@pytest.mark.parametrize(
    ("name", "options"), [("a.jpg", {"quality": 90}), ("a.png", {}), ("a.tif", {}), ("b.jpeg", {"xmp": OLD_XMP})]
)
@pytest.mark.parametrize("rotation", [33.3, -170.0, 0.0])
def test_avm_comes_back_in_the_same_place(
    tmp_path: Path, name: str, options: dict[str, Any], parity: int, rotation: float
):
    source = picture(tmp_path / name, **options)
    draft = drafted(source, parity=parity, rotation=rotation)
    copy = draft.to_avm(tmp_path / f"copy-{name}", source=source)
    again = cxw.ImageDraft.from_image(copy, autosave=False)
    assert pixel_error(WCS(again.to_wcs_header(SIZE)), draft) < 0.01
    assert again.note == RIGHTS["note"] and again.permissions.credits == "A. Author &amp; B"
    suggested = {
        problem.field: problem.fix.changes[problem.field]
        for problem in again.problems
        if problem.code == "CXW905" and problem.fix
    }
    for path in ("permissions.copyright", "permissions.license"):
        assert suggested[path] == RIGHTS[path]
    with Image.open(source) as before, Image.open(copy) as after:
        assert np.array_equal(np.asarray(before), np.asarray(after))
    if not name.endswith("tif"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            avm = pyavm.AVM.from_image(str(copy))
            assert pixel_error(avm.to_wcs(), draft) < 0.01
        assert avm.Title == RIGHTS["note"] and avm.Credit == "A. Author & B"


@pytest.mark.parametrize("dec", [90.0, -90.0])
@pytest.mark.parametrize("parity", [1, -1])
def test_an_image_on_a_pole_is_not_turned_by_readers_that_take_the_default_of_lonpole(
    tmp_path: Path, dec: float, parity: int
):
    source = picture(tmp_path / "a.jpg")
    draft = drafted(source, parity=parity, rotation=33.3)
    draft.wwt.center_y = dec
    copy = draft.to_avm(tmp_path / "copy.jpg", source=source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if parity == 1:  # pyavm reads no mirrored image
            assert pixel_error(pyavm.AVM.from_image(str(copy)).to_wcs(), draft) < 0.01
    again = cxw.ImageDraft.from_image(copy, autosave=False)
    assert pixel_error(WCS(again.to_wcs_header(SIZE)), draft) < 0.01


def test_exif_profile_and_text_stay_and_an_old_packet_is_replaced(tmp_path: Path):
    exif = Image.Exif()
    exif[0x010E] = "A description"
    jpeg = picture(tmp_path / "a.jpg", exif=exif, icc_profile=b"profile", comment=b"a comment", xmp=OLD_XMP)
    text = PngInfo()
    text.add_text("Comment", "a comment")
    text.add_itxt("XML:com.adobe.xmp", OLD_XMP.decode())
    png = picture(tmp_path / "a.png", pnginfo=text)
    for source in (jpeg, png):
        copy = drafted(source).to_avm(tmp_path / f"copy-{source.name}")
        again = cxw.ImageDraft.from_image(copy, autosave=False).to_avm(tmp_path / f"again-{source.name}")
        content = again.read_bytes()
        assert content.count(b"W5M0MpCehiHzreSzNTczkc9d") == 1 and OLD_XMP not in content
        with Image.open(again) as image:
            image.load()
            if source is jpeg:
                assert image.getexif()[0x010E] == "A description" and image.info["icc_profile"] == b"profile"
                assert image.info["comment"] == b"a comment"
            else:
                assert image.info["Comment"] == "a comment"


def test_the_picture_that_was_tiled_gets_the_placement_of_the_tiles(tmp_path: Path):
    source = tmp_path / "a.png"
    Image.new("RGB", (700, 500), "gray").save(source)
    draft = drafted(source)
    tiles = cxw.tile(draft, tmp_path / "tiles").result(120)
    tiled = cxw.ImageDraft.from_wtml(tiles, autosave=False)
    with pytest.raises(SourceError, match="name the picture with source="):
        tiled.to_avm(tmp_path / "copy.png")
    again = cxw.ImageDraft.from_image(tiled.to_avm(tmp_path / "copy.png", source=source), autosave=False)
    assert pixel_error(WCS(again.to_wcs_header((700, 500))), draft, (700, 500)) < 0.01


@pytest.mark.parametrize("parity", [1, -1])
def test_only_the_picture_that_was_tiled_gets_the_placement_of_the_tiles_and_the_right_way_up(
    tmp_path: Path, parity: int
):
    """A mirrored picture is turned upside down for its tiles, since WWT draws no mirrored ones."""
    size, source = (700, 500), tmp_path / "a.png"
    pixels = np.random.default_rng(5).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(source)
    draft = drafted(source, parity=parity)
    tiled = cxw.ImageDraft.from_wtml(cxw.tile(draft, tmp_path / "tiles").result(120), autosave=False)
    again = cxw.ImageDraft.from_image(tiled.to_avm(tmp_path / "copy.png", source=source), autosave=False)
    assert again.wwt.bottoms_up is (parity == -1)
    assert pixel_error(WCS(again.to_wcs_header(size)), draft, size) < 0.01
    for name, other, words in (
        ("turned", Image.fromarray(pixels[:, ::-1]), "is not the picture that the draft's tiles show"),
        (
            "smaller",
            Image.fromarray(pixels).resize((560, 400)),
            "or it was resized or cropped: name the picture that was tiled",
        ),
        ("half", Image.fromarray(pixels).resize((350, 250)), "need 1 level of tiles, and the draft has 2"),
    ):
        other.save(tmp_path / f"{name}.png")
        with pytest.raises(SourceError, match=words):
            tiled.to_avm(tmp_path / "copy.png", source=tmp_path / f"{name}.png")
    with pytest.raises(SourceError, match="350 × 250 pixels, and the image of the draft 700 × 500"):
        draft.to_avm(tmp_path / "copy.png", source=tmp_path / "half.png")
    with pytest.raises(SourceError, match="size= has 350 × 250 pixels, which need 1 level"):
        tiled.to_wcs_header((350, 250))


def test_a_picture_whose_tiles_are_not_on_this_machine_is_believed(tmp_path: Path):
    source = picture(tmp_path / "a.png")
    draft = cxw.ImageDraft.from_image(source, center=(10, 20), width=1, autosave=False)
    remote = cxw.ImageDraft.from_wtml(draft.to_wtml(), autosave=False)
    again = cxw.ImageDraft.from_image(remote.to_avm(tmp_path / "copy.png", source=source), autosave=False)
    assert pixel_error(WCS(again.to_wcs_header(SIZE)), draft) < 0.01


def test_what_cannot_hold_avm_is_refused(tmp_path: Path):
    draft = drafted(picture(tmp_path / "a.png"))
    with pytest.raises(SourceError, match="same kind as"):
        draft.to_avm(tmp_path / "copy.jpg")
    with pytest.raises(SourceError, match="can't be written to"):
        draft.to_avm(tmp_path / "no folder" / "copy.png")
    with pytest.raises(SourceError, match="can't be read"):
        draft.to_avm(tmp_path / "copy.png", source=tmp_path / "missing.png")
    picture(tmp_path / "a.gif")
    with pytest.raises(SourceError, match="a.gif is not a JPEG, PNG or TIFF file"):
        draft.to_avm(tmp_path / "copy.gif", source=tmp_path / "a.gif")
    for content in (b"\x89PNG\r\n\x1a\n\0", b"II*\0\xff\xff\0\0"):
        (tmp_path / "broken.png").write_bytes(content)
        with pytest.raises(SourceError):
            draft.to_avm(tmp_path / "copy.png", source=tmp_path / "broken.png")
    assert not (tmp_path / "copy.png").exists()


def test_several_drafts_are_one_collection(tmp_path: Path):
    drafts = [
        cxw.ImageDraft.from_submission(request_body({"note": "First"}), autosave=False),
        cxw.ImageDraft.from_submission(request_body({"note": "Second"}, UNTILED), autosave=False),
    ]
    text = cxw.to_wtml(drafts, tmp_path / "all.wtml", name="A <survey>")
    assert (tmp_path / "all.wtml").read_text("utf-8") == text and 'Name="A &lt;survey&gt;"' in text
    again = cxw.ImageDraft.all_from_wtml(tmp_path / "all.wtml", autosave=False)
    assert [draft.note for draft in again] == ["First", "Second"]
    for before, after in zip(drafts, again, strict=True):
        for path in TILED:
            if path.startswith(("wwt.", "storage.")):
                assert after[path] == before[path], path
    assert cxw.ImageDraft.all_from_wtml(cxw.to_wtml(drafts[:1]))[0].note == "First"


def receipt(**changes: Any) -> Receipt:
    when = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    body = request_body({"wwt.thumbnail_url": ...} | changes)
    return Receipt(
        id="5f",
        rel_url="/image/5f",
        api_url="https://api.example.org",
        handle="me",
        created=when,
        body=body,
        body_sha256="",
        key="k",
    )


def test_a_receipt_tells_its_datacite_metadata():
    found = json.loads(json.dumps(receipt().datacite()))
    assert found["titles"] == [{"title": TILED["note"]}] and found["publicationYear"] == 2026
    assert found["creators"] == [{"name": "ESA/Hubble & NASA, R. Smith et al."}]
    assert found["types"]["resourceTypeGeneral"] == "Image" and found["url"] == "https://api.example.org/image/5f"
    assert found["dates"] == [{"date": "2026-11-22T10:30:00Z", "dateType": "Issued"}]
    assert found["rightsList"][0]["rightsIdentifier"] == "CC-BY-4.0"
    assert found["rightsList"][0]["rightsUri"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert found["rightsList"][1] == {"rights": TILED["permissions.copyright"]}
    assert found["descriptions"][0]["description"] == TILED["alt_text"]


def test_datacite_names_no_identifier_for_a_license_expression_and_survives_an_empty_body():
    found = receipt(**{"permissions.license": "CC-BY-4.0 OR CC0-1.0"}).datacite()
    assert found["rightsList"][0] == {"rights": "CC-BY-4.0 OR CC0-1.0"}
    empty = receipt().model_copy(update={"body": {}}).datacite()
    assert empty["creators"] == [{"name": "@me"}] and empty["titles"] == [{"title": "Image 5f"}]
    assert "rightsList" not in empty and "descriptions" not in empty
