"""Pictures of every kind keep their grays and colors, in full size, reduced and in tiles; rotation and animation are reported."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from outputs.tiles import LIBRARIES, use, whole
from PIL import Image, ImageOps, ImageSequence

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.outputs.tiling import tile
from constellations_widgets.sources.large_picture import smaller_picture
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.picture import read_picture

PLACE = {"center": (10.0, 20.0), "width": 1.0}
SIZE = (400, 300)
RAMP = np.tile(np.linspace(0, 255, SIZE[0]), (SIZE[1], 1))  # gray from left to right


def ramp(mode: str) -> Image.Image:
    gray = Image.fromarray(RAMP.round().astype("uint8"))
    if mode == "I;16":
        return Image.fromarray((RAMP * 257).round().astype("uint16"))
    if mode == "I":
        return Image.fromarray((RAMP * 1000 - 50_000).astype("int32"))
    if mode == "F":
        return Image.fromarray((RAMP / 7 - 3).astype("float32"))
    if mode == "1":
        return gray.point(lambda value: 255 * (value > 127)).convert("1", dither=Image.Dither.NONE)
    if mode == "P":
        return gray.convert("P")
    return gray.convert(mode)


KINDS = [
    ("png", "I;16"), ("png", "L"), ("png", "LA"), ("png", "RGB"), ("png", "RGBA"), ("png", "P"), ("png", "1"),
    ("tiff", "I;16"), ("tiff", "I"), ("tiff", "F"), ("tiff", "RGB"), ("tiff", "LA"), ("tiff", "CMYK"), ("tiff", "1"), ("tiff", "P"),
    ("jpeg", "L"), ("jpeg", "RGB"), ("jpeg", "CMYK"),
]  # fmt: skip


def grays(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=float)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_the_tiles_of_a_picture_have_its_grays(tmp_path, kind, mode, library, monkeypatch):
    use(library, monkeypatch)
    ramp(mode).save(tmp_path / f"m51.{kind}", kind, **({"quality": 95} if kind == "jpeg" else {}))
    folder = tile(tmp_path / f"m51.{kind}", tmp_path / "tiles", **PLACE).result(60)
    # 400 × 300 pixels in the middle of 512 × 512: x from 56, y from 106.
    tiles = whole(folder, 1)[106:406, 56:456]
    assert (tiles[..., 3] == 255).all()
    found = np.asarray(Image.fromarray(tiles).convert("L"), dtype=float)
    expected = np.where(RAMP > 127, 255.0, 0.0) if mode == "1" else RAMP
    assert np.abs(found - expected).mean() < 3
    assert abs(grays(folder / "thumb.jpg").mean() - 127) < 4


@pytest.mark.parametrize("mode", ["I;16", "L", "LA", "P", "1", "RGBA"])
def test_a_picture_that_is_larger_than_graphics_can_draw_keeps_its_grays_in_the_preview(tmp_path, mode):
    wide = ramp(mode).resize((8200, 4))
    wide.save(tmp_path / "wide.png")
    with Image.open(io.BytesIO(smaller_picture(LocalImage(tmp_path, "wide.png"), 4))) as small:
        found = np.asarray(small.convert("L"), dtype=float)
    expected = np.asarray(
        ramp("1" if mode == "1" else "L").convert("L").resize((8200, 4)).resize((2050, 1)), dtype=float
    )
    assert found.shape == (1, 2050) and np.abs(found - expected).mean() < 2


def test_a_gray_that_is_transparent_stays_so(tmp_path):
    ramp("I;16").save(tmp_path / "m51.png", transparency=0)
    with Image.open(io.BytesIO(smaller_picture(LocalImage(tmp_path, "m51.png"), 1))) as shown:
        alpha = np.asarray(shown.convert("RGBA"))[..., 3]
    assert (alpha[:, 0] == 0).all() and (alpha[:, 1:] == 255).all()
    palette = ramp("P")
    palette.info["transparency"] = 0
    palette.save(tmp_path / "p.png", transparency=0)
    with Image.open(io.BytesIO(smaller_picture(LocalImage(tmp_path, "p.png"), 1))) as shown:
        assert (np.asarray(shown.convert("RGBA"))[..., 3][:, 0] == 0).all()


# -- turned by EXIF


def turned(path: Path, orientation: int, kind: str) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    ramp("L").save(path, kind, exif=exif)
    return path


@pytest.mark.parametrize("kind", ["jpeg", "png"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_an_orientation_that_turns_is_refused_and_saved_upright_the_picture_is_placed(tmp_path, kind, orientation):
    path = turned(tmp_path / f"m51.{kind}", orientation, kind)
    with pytest.raises(SourceError, match=rf"EXIF orientation \({orientation}\)") as caught:
        read_picture(path, **PLACE)
    call = re.search(r"PIL\.(ImageOps\.exif_transpose\(image\)\.save\(name\))", str(caught.value))
    upright = tmp_path / f"upright.{kind}"
    with Image.open(path) as image:
        eval(call[1], {"ImageOps": ImageOps, "image": image, "name": upright})
    reading = read_picture(upright, **PLACE)
    assert reading.local.size == (SIZE[::-1] if orientation >= 5 else SIZE)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_tiff_that_is_turned_is_refused_and_no_call_is_named_for_it(tmp_path, orientation):
    with pytest.raises(SourceError, match="upright in a picture editor"):
        read_picture(turned(tmp_path / "m51.tiff", orientation, "tiff"), **PLACE)


@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff"])
@pytest.mark.parametrize("orientation", [0, 1, 9, 99])
def test_an_orientation_that_means_nothing_turns_nothing(tmp_path, kind, orientation):
    assert read_picture(turned(tmp_path / f"m51.{kind}", orientation, kind), **PLACE).local.size == SIZE


# -- several pictures in a file, and too large ones


def test_an_animated_picture_is_refused_and_a_frame_of_it_is_not(tmp_path):
    frames = [ramp("L"), ImageOps.mirror(ramp("L"))]
    frames[0].save(tmp_path / "m51.png", save_all=True, append_images=frames[1:])
    with pytest.raises(SourceError, match="is animated: .* save one of its 2 frames"):
        read_picture(tmp_path / "m51.png", **PLACE)
    with Image.open(tmp_path / "m51.png") as image:
        next(ImageSequence.Iterator(image)).copy().save(tmp_path / "frame.png")
    assert read_picture(tmp_path / "frame.png", **PLACE).local.size == SIZE


def test_of_several_pages_the_first_is_drawn_and_the_others_are_said(tmp_path):
    ramp("L").save(tmp_path / "m51.tif", save_all=True, append_images=[Image.new("L", SIZE)] * 2)
    reading = read_picture(tmp_path / "m51.tif", **PLACE)
    assert "it has 3 pages, of which the first is drawn" in reading.remarks
    assert abs(grays(reading.local.where(reading.local.template)).mean() - 127) < 2


def test_a_picture_in_several_sizes_is_read_as_the_first(tmp_path):
    ramp("RGB").save(tmp_path / "m51.jpg", "mpo", save_all=True, append_images=[ramp("RGB").resize((40, 30))])
    assert read_picture(tmp_path / "m51.jpg", **PLACE).local.size == SIZE


@pytest.mark.parametrize("kind", ["webp", "gif", "bmp"])
def test_a_kind_that_wwt_does_not_draw_is_refused_and_converted_it_is_placed(tmp_path, kind):
    ramp("RGB").save(tmp_path / f"m51.{kind}")
    with pytest.raises(SourceError, match=f"is a {kind.upper()}: WWT draws JPEG and PNG, convert it first"):
        read_picture(tmp_path / f"m51.{kind}", **PLACE)
    with Image.open(tmp_path / f"m51.{kind}") as image:
        image.convert("RGB").save(tmp_path / "m51.png")
    assert read_picture(tmp_path / "m51.png", **PLACE).local.size == SIZE


def test_a_picture_of_too_many_pixels_names_the_limit_and_the_remedy_works(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50_000)
    ramp("L").save(tmp_path / "m51.png")
    ramp("L").save(tmp_path / "m51.tif")
    ramp("L").save(tmp_path / "m51.jpg")
    for name in ("m51.png", "m51.tif", "m51.jpg"):
        with pytest.raises(SourceError, match=r"more than 100,000 pixels, .* make tiles of it with cxw\.tile$"):
            read_picture(tmp_path / name, **PLACE)
        assert (tile(tmp_path / name, tmp_path / f"{name} tiles", **PLACE).result(60) / "thumb.jpg").is_file()


def test_without_libvips_a_picture_of_too_many_pixels_names_what_to_install(tmp_path, monkeypatch):
    use("toasty", monkeypatch)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50_000)
    ramp("L").save(tmp_path / "m51.png")
    for attempt in (
        lambda: read_picture(tmp_path / "m51.png", **PLACE),
        lambda: tile(tmp_path / "m51.png", tmp_path / "tiles", **PLACE).result(60),
    ):
        with pytest.raises(SourceError, match=r'cxw\.tile after pip install "constellations_widgets\[tiling\]"'):
            attempt()


def test_nothing_of_the_libraries_is_printed_when_pictures_are_read_and_tiled(tmp_path):
    """In a process of its own: pytest hears warnings before anything else does."""
    ramp("RGB").save(tmp_path / "m51.png")
    fits.writeto(tmp_path / "m51.fits", np.ones((4, 6)))
    program = f"""
import PIL.Image
PIL.Image.MAX_IMAGE_PIXELS = 100_000  # 120,000 are worth a warning
import constellations_widgets as cxw
draft = cxw.ImageDraft.from_image({str(tmp_path / "m51.png")!r}, center=(1, 2), width=1, autosave=False)
cxw.tile(draft, {str(tmp_path / "tiles")!r}).result(60)
"""
    done = subprocess.run([sys.executable, "-W", "default", "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_fits_file_under_the_name_of_a_picture_is_sent_to_its_own_reader(tmp_path):
    fits.writeto(tmp_path / "m51.png", np.ones((4, 6)))
    with pytest.raises(SourceError, match=r"read it with ImageDraft\.from_fits"):
        ImageDraft.from_image(tmp_path / "m51.png", **PLACE)
