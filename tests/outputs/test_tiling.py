"""Tiles by libvips and by toasty: the same as toasty's own, in the right place, with a thumbnail; cancelled without a trace."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from outputs.tiles import LIBRARIES, use, whole
from PIL import Image

import constellations_widgets as cxw
from constellations_widgets.errors import SourceError

SIZE = (700, 401)


def wcs(parity: int = 1) -> WCS:
    placed = WCS(naxis=2)
    placed.wcs.ctype, placed.wcs.crval, placed.wcs.crpix = ["RA---TAN", "DEC--TAN"], (202.47, 47.2), (310.5, 77.25)
    placed.wcs.cd = 0.001 * np.array([[-0.8 * parity, 0.6], [0.6 * parity, 0.8]])
    placed.wcs.radesys = "ICRS"
    return placed


def pixels() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)


@pytest.fixture
def picture(tmp_path) -> Path:
    Image.fromarray(pixels()).save(tmp_path / "m51.png")
    return tmp_path / "m51.png"


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("parity", [1, -1])
def test_the_tiles_show_every_pixel_where_the_wcs_has_it(tmp_path, picture, parity, library, monkeypatch):
    use(library, monkeypatch)
    told: list[float] = []
    folder = cxw.tile(picture, tmp_path / "tiles", wcs=wcs(parity), progress=told.append).result(60)
    assert folder == tmp_path / "tiles" and told == sorted(told) and told[0] == 0 and told[-1] == 1
    draft = cxw.ImageDraft.from_wtml(folder, autosave=False)
    assert (draft.wwt.projection, draft.wwt.tile_levels, draft.wwt.bottoms_up) == ("Tan", 2, False)
    seen = whole(folder, 2)
    shown = pixels() if parity == 1 else pixels()[::-1]
    top, left = (1024 - SIZE[1]) // 2, (1024 - SIZE[0]) // 2
    assert (seen[top : top + SIZE[1], left : left + SIZE[0], :3] == shown).all() and seen[..., 3].sum() == 255 * shown[
        ..., 0
    ].size
    # The header of all tiles together puts each pixel of the picture where its own does.
    together = WCS(draft.to_wcs_header())
    for x, y in ((0.5, 0.5), (SIZE[0] + 0.5, 17), (300, SIZE[1] + 0.5)):
        row = y if parity == 1 else SIZE[1] + 1 - y
        world = wcs(parity).wcs_pix2world([[x, y]], 1)
        assert together.wcs_world2pix(world, 1)[0] == pytest.approx((x + left, row + 1024 - top - SIZE[1]), abs=1e-5)
    with Image.open(folder / "thumb.jpg") as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("JPEG", (96, 45))
    assert draft.wwt.thumbnail_url == "thumb.jpg" and draft.note == "m51"
    assert [p for p in draft.problems if "preview can't show" in p.message] == []


def test_the_tiles_of_toasty_are_those_of_its_builder(tmp_path, picture, monkeypatch):
    use("toasty", monkeypatch)
    from toasty.builder import Builder
    from toasty.image import ImageLoader
    from toasty.pyramid import PyramidIO

    ours = cxw.tile(picture, tmp_path / "ours", wcs=wcs()).result(60)
    image = ImageLoader().load_path(str(picture))
    builder = Builder(PyramidIO(str(tmp_path / "theirs"), default_format="png"))
    builder.tile_base_as_study(image).cascade(parallel=1)
    for level in (0, 1, 2):
        assert (whole(ours, level) == whole(tmp_path / "theirs", level)).all(), level


@pytest.mark.parametrize("parity", [1, -1])
def test_fits_becomes_pictures_or_keeps_its_values(tmp_path, parity):
    from toasty.image import Image as ToastyImage
    from toasty.pyramid import PyramidIO
    from toasty.study import tile_study_image

    values = np.random.default_rng(6).normal(size=SIZE[::-1]).astype("float32")
    fits.writeto(tmp_path / "m51.fits", values, wcs(parity).to_header())
    drawn = cxw.tile(tmp_path / "m51.fits", tmp_path / "drawn").result(60)
    assert whole(drawn, 2)[..., 3].any()
    kept = cxw.tile(tmp_path / "m51.fits", tmp_path / "kept", file_type=".fits").result(60)
    image = ToastyImage.from_array(values, wcs=wcs(parity), default_format="fits")
    image.ensure_negative_parity()
    tile_study_image(image, PyramidIO(str(tmp_path / "theirs"), default_format="fits"))
    theirs = sorted((tmp_path / "theirs" / "2").rglob("*.fits"))
    assert len(theirs) == 8
    for path in theirs:
        ours = fits.getdata(kept / path.relative_to(tmp_path / "theirs"))
        assert np.array_equal(ours, fits.getdata(path), equal_nan=True)
    draft = cxw.ImageDraft.from_wtml(kept, autosave=False)
    assert draft.wwt.file_type == ".fits" and (kept / "0/0/0_0.fits").exists() and (kept / "thumb.jpg").exists()


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_draft_is_tiled_as_it_stands(tmp_path, picture, library, monkeypatch):
    use(library, monkeypatch)
    draft = cxw.ImageDraft.from_image(picture, wcs=wcs(), autosave=False)
    draft.wwt.rotation, draft.note, draft.permissions.credits = 11.5, "Whirl", "signal &lt; noise"
    tiled = cxw.ImageDraft.from_wtml(cxw.tile(draft, tmp_path / "tiles").result(60), autosave=False)
    assert (tiled.wwt.rotation, tiled.permissions.credits, tiled.note) == (11.5, "signal &lt; noise", "Whirl")
    with pytest.raises(SourceError, match="nothing to tile"):
        cxw.tile(tiled, tmp_path / "again").result(60)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_tiling_that_is_cancelled_leaves_nothing(tmp_path, library, monkeypatch):
    use(library, monkeypatch)
    picture = tmp_path / "m51.png"
    Image.fromarray(np.random.default_rng(7).integers(0, 255, (1500, 2100, 3), dtype=np.uint8)).save(picture)
    begun, go_on = threading.Event(), threading.Event()

    def told(part: float) -> None:
        if part > 0.05:
            begun.set()
            go_on.wait(60)

    tiling = cxw.tile(picture, tmp_path / "tiles", wcs=wcs(), progress=told)
    assert begun.wait(60) and not tiling.done and " %" in repr(tiling)
    tiling.cancel()
    go_on.set()
    with pytest.raises(SourceError, match="was cancelled: nothing of it was kept"):
        tiling.result(60)
    assert tiling.done and "cancelled" in repr(tiling)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "state") == ["m51.png"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_cannot_be_tiled_is_named(tmp_path, picture, library, monkeypatch):
    use(library, monkeypatch)
    for source, options, message in (
        (tmp_path / "missing.png", {}, "No such file"),
        (7, {}, "not by an object of type int"),
        (picture, {}, "has no AVM"),
        (picture, {"wcs": wcs(), "file_type": ".fits"}, "is not a FITS image"),
        (cxw.ImageDraft(autosave=False), {}, "nothing to tile"),
        (cxw.ImageDraft.from_image(picture, wcs=wcs(), autosave=False), {"rows": "top"}, "change it there"),
    ):
        with pytest.raises(SourceError, match=message):
            cxw.tile(source, tmp_path / "tiles", **options).result(60)
    Image.new("RGB", (200, 100)).save(tmp_path / "small.png")
    with pytest.raises(SourceError, match="that is one tile"):
        cxw.tile(tmp_path / "small.png", tmp_path / "tiles", center=(1, 2), width=1).result(60)
    assert not (tmp_path / "tiles").exists()


def test_a_folder_that_is_taken_is_not_written_to(tmp_path, picture):
    with pytest.raises(SourceError, match="already exists"):
        cxw.tile(picture, tmp_path)
    with pytest.raises(SourceError, match="There is no folder"):
        cxw.tile(picture, tmp_path / "missing" / "tiles")
    with pytest.raises(SourceError, match="file_type= of tiles"):
        cxw.tile(picture, tmp_path / "tiles", file_type=".gif")


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_was_said_of_the_placement_is_said_of_the_tiles(tmp_path, picture, library, monkeypatch):
    use(library, monkeypatch)
    beside = wcs().to_header()
    beside["EQUINOX"], beside["RADESYS"] = 2023.45, "FK5"
    exact = cxw.tile(picture, tmp_path / "exact", wcs=beside).result(60)
    said = [p.message for p in cxw.ImageDraft.from_wtml(exact, autosave=False).problems if p.code == "CXW901"]
    assert any("EQUINOX is 2023.45" in words for words in said)
    assert str(tmp_path) not in (exact / "index_rel.wtml").read_text()

    beside["CDELT2"] *= 1.02  # pixels that are not square
    placed = cxw.ImageDraft.from_image(picture, wcs=beside, tolerance=20, autosave=False)
    [warning] = [p.message for p in placed.problems if p.code == "CXW909"]
    folders = (
        cxw.tile(picture, tmp_path / "file", wcs=beside, tolerance=20).result(60),
        cxw.tile(placed, tmp_path / "draft").result(60),
    )
    for folder in folders:
        draft = cxw.ImageDraft.from_wtml(folder, autosave=False)
        assert [p.message for p in draft.problems if p.code == "CXW909"] == [warning]
        assert "CXW909" in {p.code for p in cxw.ImageDraft.from_wtml(draft.to_wtml(), autosave=False).problems}
        draft.wwt.rotation = 3.0  # another placement
        assert "CXW909" not in {p.code for p in draft.problems} and "off by" not in draft.to_wtml()


def test_what_was_said_of_the_placement_of_a_fits_is_said_of_its_tiles(tmp_path):
    header = wcs().to_header()
    header["EQUINOX"], header["RADESYS"] = 2023.45, "FK5"
    chips = [fits.ImageHDU(np.ones(SIZE[::-1], "f4"), header, name="SCI") for _ in range(2)]
    fits.HDUList([fits.PrimaryHDU(), *chips]).writeto(tmp_path / "m51.fits")
    folder = cxw.tile(tmp_path / "m51.fits", tmp_path / "tiles").result(60)
    said = [p.message for p in cxw.ImageDraft.from_wtml(folder, autosave=False).problems if p.code == "CXW901"]
    assert any("EQUINOX is 2023.45" in words for words in said)
    assert str(tmp_path) not in (folder / "index_rel.wtml").read_text()
