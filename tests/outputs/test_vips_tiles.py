"""Pictures cut by libvips: the tiles of toasty, from files of every kind, in bounded memory, whole or subtree by subtree."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import PIL
import pytest
import pyvips
from astropy.io import fits
from outputs.tiles import pixels_of, tiles_of, use, whole
from PIL import Image, TiffImagePlugin

import constellations_widgets as cxw
from constellations_widgets.errors import SourceError
from constellations_widgets.outputs import tiling as tiling_module
from constellations_widgets.outputs.tiling import split_tiling, tile
from constellations_widgets.sources import vips_picture

PLACE = {"center": (10.0, 20.0), "width": 1.0}
SHAPES = [
    (257, 1), (1, 257), (255, 513), (256, 257), (257, 257), (512, 512), (511, 1), (513, 2), (301, 201), (401, 700),
    (1025, 3), (3, 1025), (1024, 256), (999, 1000), (640, 480), (2049, 5), (5, 2049), (3000, 7),
]  # fmt: skip
if os.environ.get("CXW_LARGE"):  # `make soak`: toasty looks at 350,000 places for a tile, of which almost all are empty
    SHAPES += [
        (257, 256), (512, 1), (300, 200), (700, 401), (1023, 255), (1, 1024), (1000, 999), (1025, 1025), (4097, 1), (1, 4097),
        (16400, 3), (3, 16400), (65600, 3), (3, 65600),
    ]  # fmt: skip


def noise(width: int, height: int, channels: int = 3, seed: int = 1) -> np.ndarray:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def by_both(source: Path, folder: Path, monkeypatch, **options) -> tuple[Path, Path]:
    """Return the tiles that libvips makes of a picture, and those of toasty."""
    ours = tile(source, folder / "ours", **(PLACE | options)).result(900)
    with monkeypatch.context() as patch:
        use("toasty", patch)
        return ours, tile(source, folder / "theirs", **(PLACE | options)).result(900)


# -- the tiles of toasty


@pytest.mark.parametrize(
    ("shape", "parity"),
    [(shape, 1) for shape in SHAPES] + [(shape, -1) for shape in SHAPES if max(shape) <= 2048],
    ids=lambda value: "x".join(map(str, value)) if isinstance(value, tuple) else str(value),
)
def test_the_tiles_are_those_of_toasty(tmp_path, shape, parity, monkeypatch):
    Image.fromarray(noise(*shape)).save(tmp_path / "m51.png")
    ours, theirs = by_both(tmp_path / "m51.png", tmp_path, monkeypatch, parity=parity)
    deepest = math.ceil(math.log2(max(shape) / 256))
    for level in range(deepest, -1, -1):
        found, expected = tiles_of(ours, level), tiles_of(theirs, level)
        assert found.keys() >= expected.keys(), level
        if level == deepest:
            assert found.keys() == expected.keys()
        for place, path in expected.items():
            tile_of_ours, tile_of_theirs = pixels_of(found[place]).astype(int), pixels_of(path).astype(int)
            if level == deepest:
                assert (tile_of_ours == tile_of_theirs).all()
            # toasty averages colors with the black of transparent pixels, libvips does not.
            opaque = (tile_of_ours[..., 3] == 255) & (tile_of_theirs[..., 3] == 255)
            difference = np.abs(tile_of_ours - tile_of_theirs)
            assert difference[opaque].max(initial=0) <= 3
            assert difference[..., 3].max() <= 3
    assert not (ours / str(deepest + 1)).exists()
    index = (ours / "index_rel.wtml").read_text()
    assert index == (theirs / "index_rel.wtml").read_text()
    small, as_today = (np.asarray(Image.open(folder / "thumb.jpg"), dtype=int) for folder in (ours, theirs))
    assert small.shape == as_today.shape == (45, 96, 3)
    assert abs(small.mean() - as_today.mean()) < 6


def test_the_thumbnail_is_that_of_the_picture_also_if_it_is_mirrored(tmp_path, monkeypatch):
    down, right = np.mgrid[0:900, 0:1300]
    picture = np.stack([down * 255 // 900, right * 255 // 1300, 0 * down + 40], -1).astype("uint8")
    Image.fromarray(picture).save(tmp_path / "m51.png")
    for parity in (1, -1):
        folder = tmp_path / str(parity)
        folder.mkdir()
        ours, theirs = by_both(tmp_path / "m51.png", folder, monkeypatch, parity=parity)
        small, as_today = (np.asarray(Image.open(path / "thumb.jpg"), dtype=int) for path in (ours, theirs))
        # By JPEG, and at the edge by pixels of the coarser level that the picture covers in part.
        assert np.abs(small - as_today).mean() < 3 and np.abs(small - as_today).max() <= 25
        assert small[0, 48, 0] + 50 < small[-1, 48, 0]


def test_tiles_above_faint_pixels_are_there_though_they_are_transparent(tmp_path):
    """WWT loads nothing below a tile that is missing, so a single star must not be lost."""
    pixels = np.zeros((2048, 2048, 4), "uint8")
    pixels[1500, 700] = 255
    Image.fromarray(pixels).save(tmp_path / "star.png")
    folder = tile(tmp_path / "star.png", tmp_path / "tiles", **PLACE).result(60)
    assert [list(tiles_of(folder, level)) for level in range(4)] == [[(0, 0)], [(0, 1)], [(1, 2)], [(2, 5)]]
    Image.new("RGBA", (600, 600)).save(tmp_path / "nothing.png")
    with pytest.raises(SourceError, match="transparent everywhere"):
        tile(tmp_path / "nothing.png", tmp_path / "none", **PLACE).result(60)


# -- kinds of files


def vips_image(pixels: np.ndarray, interpretation: str) -> pyvips.Image:
    return pyvips.Image.new_from_array(pixels).copy(interpretation=interpretation)


def deep(channels: int) -> np.ndarray:
    shape = (300, 400, channels) if channels > 1 else (300, 400)
    return np.random.default_rng(3).integers(1000, 60_000, shape, dtype=np.uint16)


def write_kind(kind: str, folder: Path) -> Path:
    """Write one kind of picture file, 400 × 300 pixels."""
    rgb, rgba, gray = noise(400, 300), noise(400, 300, 4), noise(400, 300, 1)
    path = folder / f"m51.{kind.split(maxsplit=1)[0]}"
    smooth = Image.fromarray(
        np.stack(
            np.broadcast_arrays(np.arange(400, dtype=np.uint8), np.arange(300, dtype=np.uint8)[:, None], np.uint8(90)),
            -1,
        )
    )
    p3, cmyk = pyvips.Image.profile_load("p3"), pyvips.Image.profile_load("cmyk")
    floats = np.random.default_rng(4).normal(size=(300, 400)).astype("float32")
    floats[5, 5:9] = [np.nan, np.inf, -np.inf, np.nan]
    floats[0, 0] = np.nan
    palette = smooth.quantize(40) if "palette" in kind else None  # it takes longer than all the rest
    {
        "png grey16": lambda: vips_image(deep(1), "grey16").pngsave(str(path)),
        "png rgb16": lambda: vips_image(deep(3), "rgb16").pngsave(str(path)),
        "png rgba16": lambda: vips_image(deep(4), "rgb16").pngsave(str(path)),
        "png interlaced": lambda: vips_image(rgb, "srgb").pngsave(str(path), interlace=True),
        "png gray alpha": lambda: Image.fromarray(rgba[..., :2], "LA").save(path),
        "png palette": lambda: palette.save(path),
        "png palette transparent": lambda: palette.save(path, transparency=3),
        "png rgb transparent": lambda: smooth.save(path, transparency=smooth.getpixel((9, 9))),
        "png grey16 transparent": lambda: Image.fromarray(deep(1)).save(path, transparency=int(deep(1)[7, 7])),
        "png bits": lambda: Image.fromarray(gray > 99).save(path),
        "png p3": lambda: smooth.save(path, icc_profile=p3),
        "png p3 alpha": lambda: Image.fromarray(rgba).save(path, icc_profile=p3),
        "png p3 palette": lambda: palette.save(path, icc_profile=p3),
        "png wrong profile": lambda: Image.fromarray(gray).save(path, icc_profile=p3),
        "png damaged profile": lambda: smooth.save(path, icc_profile=p3[:200]),
        "tif grey16": lambda: Image.fromarray(deep(1)).save(path),
        "tif rgb16": lambda: vips_image(deep(3), "rgb16").tiffsave(str(path)),
        "tif rgba16": lambda: vips_image(deep(4), "rgb16").tiffsave(str(path)),
        "tif int16": lambda: Image.fromarray(deep(1).astype("int32") - 30_000).save(path),
        "tif float": lambda: Image.fromarray(floats).save(path),
        "tif tiled": lambda: vips_image(rgb, "srgb").tiffsave(str(path), tile=True, compression="deflate"),
        "tif big": lambda: vips_image(rgba, "srgb").tiffsave(str(path), bigtiff=True, compression="lzw"),
        "tif jpeg": lambda: smooth.save(path, compression="jpeg"),
        "tif pyramid": lambda: vips_image(rgb, "srgb").tiffsave(str(path), tile=True, pyramid=True),
        "tif white is zero": lambda: vips_image(gray, "b-w").tiffsave(str(path), miniswhite=True),
        "tif bits": lambda: Image.fromarray(gray > 99).save(path, compression="group4"),
        "tif palette": lambda: palette.save(path),
        "tif cmyk": lambda: Image.fromarray(rgba, "CMYK").save(path),
        "tif cmyk profile": lambda: Image.fromarray(rgba, "CMYK").save(path, icc_profile=cmyk),
        "tif lab": lambda: smooth.convert("LAB").save(path),
        "tif ycbcr": lambda: smooth.convert("YCbCr").save(path),
        "tif alpha premultiplied": lambda: Image.fromarray(premultiplied(rgba)).save(
            path, tiffinfo={TiffImagePlugin.EXTRASAMPLES: 1}
        ),
        "jpg gray": lambda: Image.fromarray(gray).save(path),
        "jpg progressive": lambda: smooth.save(path, progressive=True),
        "jpg cmyk": lambda: smooth.convert("CMYK").save(path),
        "jpg cmyk profile": lambda: smooth.convert("CMYK").save(path, icc_profile=cmyk),
        "jpg p3": lambda: smooth.save(path, icc_profile=p3),
    }[kind]()
    return path


def premultiplied(rgba: np.ndarray) -> np.ndarray:
    alpha = np.maximum(rgba[..., 3:], 40)
    return np.concatenate([rgba[..., :3].astype(int) * alpha // 255, alpha], -1).astype("uint8")


KINDS = {  # counts by which the colors may differ: conversions by profile are rounded differently
    "png grey16": 0, "png rgb16": 0, "png rgba16": 0, "png interlaced": 0, "png gray alpha": 0, "png palette": 0,
    "png palette transparent": 0, "png rgb transparent": 0, "png grey16 transparent": 0, "png bits": 0, "png p3": 2,
    "png p3 alpha": 2, "png p3 palette": 2, "png wrong profile": 0, "png damaged profile": 0, "tif grey16": 0,
    "tif rgb16": 0, "tif rgba16": 0, "tif int16": 1, "tif float": 1, "tif tiled": 0, "tif big": 0, "tif jpeg": 1,
    "tif pyramid": 0, "tif white is zero": 0, "tif bits": 0, "tif palette": 0, "tif cmyk": 0, "tif cmyk profile": 3,
    "tif lab": 2, "tif ycbcr": 2, "tif alpha premultiplied": 1, "jpg gray": 1, "jpg progressive": 1, "jpg cmyk": 1, "jpg cmyk profile": 3, "jpg p3": 3,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_has_the_pixels_that_pillow_reads(tmp_path, kind, monkeypatch):
    if kind == "tif ycbcr" and int(PIL.__version__.partition(".")[0]) < 13:
        pytest.skip("Pillow before 13 cannot read YCbCr TIFF files, and the package refuses them")
    path = write_kind(kind, tmp_path)
    ours, theirs = by_both(path, tmp_path, monkeypatch)
    found, expected = whole(ours, 1).astype(int), whole(theirs, 1).astype(int)
    assert (found[..., 3] == expected[..., 3]).all()
    shown = found[..., 3] > 0
    assert shown.any() and np.abs(found - expected)[shown].max() <= KINDS[kind]
    if "profile" in kind or "p3" in kind:
        with Image.open(path) as image:
            unconverted = np.asarray(image.convert("RGB"), dtype=int)
        changed = np.abs(found[106:406, 56:456, :3] - unconverted).max() > 3
        assert changed == (kind not in ("png wrong profile", "png damaged profile"))


def test_a_profile_of_srgb_moves_no_color(tmp_path):
    Image.fromarray(noise(400, 300)).save(tmp_path / "m51.png", icc_profile=pyvips.Image.profile_load("srgb"))
    found = whole(tile(tmp_path / "m51.png", tmp_path / "tiles", **PLACE).result(60), 1)
    assert (found[106:406, 56:456, :3] == noise(400, 300)).all()


@pytest.mark.parametrize("library", ["libvips", "toasty"])
@pytest.mark.parametrize("kind", ["png", "tif", "jpg"])
def test_a_damaged_file_leaves_no_tiles(tmp_path, kind, library, monkeypatch):
    use(library, monkeypatch)
    path = tmp_path / f"m51.{kind}"
    Image.fromarray(noise(900, 700)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(SourceError, match=r"m51\.\w+ can't be (read as a picture|cut into tiles)"):
        tile(path, tmp_path / "tiles", **PLACE).result(60)
    assert sorted(each.name for each in tmp_path.iterdir() if each.name != "state") == [path.name]


@pytest.mark.parametrize("library", ["libvips", "toasty"])
def test_a_tiff_of_several_pictures_is_refused(tmp_path, library, monkeypatch):
    use(library, monkeypatch)
    first, second = Image.fromarray(noise(400, 300)), Image.fromarray(noise(400, 300, seed=2))
    first.save(tmp_path / "m51.tif", save_all=True, append_images=[second])
    with pytest.raises(SourceError, match=r"m51\.tif has 2 pages: save the one"):
        tile(tmp_path / "m51.tif", tmp_path / "tiles", **PLACE).result(60)


def test_jpeg_tiles_are_for_pictures_that_fill_them(tmp_path):
    down, right = np.mgrid[0:1024, 0:1024]
    Image.fromarray(np.stack([down // 4, right // 4, right // 8], -1).astype("uint8")).save(tmp_path / "full.png")
    folder = tile(tmp_path / "full.png", tmp_path / "tiles", file_type=".jpg", **PLACE).result(60)
    draft = cxw.ImageDraft.from_wtml(folder, autosave=False)
    assert (draft.wwt.file_type, draft.local.template) == (".jpg", "{1}/{3}/{3}_{2}.jpg")
    assert [len(tiles_of(folder, level)) for level in range(3)] == [1, 4, 16]
    found = whole(folder, 2)
    assert np.abs(found[..., 0].astype(int) - down // 4).max() < 8
    for name, picture in {
        "wide": Image.fromarray(noise(1024, 1000)),
        "alpha": Image.fromarray(noise(512, 512, 4)),
    }.items():
        picture.save(tmp_path / f"{name}.png")
        with pytest.raises(SourceError, match=r'JPEG would show black there. Use file_type=".png"'):
            tile(tmp_path / f"{name}.png", tmp_path / name, file_type=".jpg", **PLACE).result(60)


def test_jpeg_tiles_without_libvips_name_what_to_install(tmp_path, monkeypatch):
    use("toasty", monkeypatch)
    Image.new("RGB", (512, 512)).save(tmp_path / "m51.png")
    with pytest.raises(SourceError, match=r'pip install "constellations_widgets\[tiling\]"'):
        tile(tmp_path / "m51.png", tmp_path / "tiles", file_type=".jpg", **PLACE).result(60)


# -- memory, and a process that is killed


LARGE = r"""
import re, sys
from pathlib import Path
import constellations_widgets as cxw
folder = cxw.tile(sys.argv[1], sys.argv[2], center=(10, 20), width=1, parity=int(sys.argv[3])).result()
# Of this process alone: ru_maxrss counts what the process that started it had.
print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.parametrize(
    ("size", "name", "parity"),
    [((14_000, 13_000), "m51.png", 1), ((33_000, 300), "m51.tif", -1)],
)
def test_the_memory_does_not_grow_with_the_picture(tmp_path, size, name, parity):
    """Of 182 million pixels, more than Pillow opens, RGBA alone would be 728 MB."""
    ramp = pyvips.Image.xyz(*size)[0].linear(255 / size[0], 0).cast("uchar").copy(interpretation="b-w")
    ramp.write_to_file(str(tmp_path / name), **({"compression": "deflate"} if name.endswith("tif") else {}))
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(tmp_path / name), str(tmp_path / "tiles"), str(parity)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) < 650
    assert (tmp_path / "tiles" / "0" / "0" / "0_0.png").is_file()


def test_a_process_that_is_killed_leaves_nothing_that_looks_complete(tmp_path):
    Image.fromarray(noise(4000, 3000)).save(tmp_path / "m51.png", compress_level=1)
    process = subprocess.Popen([sys.executable, "-c", LARGE, str(tmp_path / "m51.png"), str(tmp_path / "tiles"), "1"])
    try:
        while process.poll() is None and not list(tmp_path.glob(".tiles.*.part/.work.*/**/*.png")):
            time.sleep(0.01)
        assert process.poll() is None, "it was done before it could be killed"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "tiles").exists()
    assert tile(tmp_path / "m51.png", tmp_path / "tiles", **PLACE).result(900) == tmp_path / "tiles"


# -- subtree by subtree


@pytest.mark.parametrize("parity", [1, -1])
@pytest.mark.parametrize("size", [(2100, 1300), (2049, 5), (1100, 4000)])
def test_subtrees_make_the_bytes_of_the_whole(tmp_path, size, parity, monkeypatch):
    monkeypatch.setattr(tiling_module, "_SUBTREE_LEVELS", 2)
    Image.fromarray(noise(*size, channels=4)).save(tmp_path / "m51.png")
    options = PLACE | {"parity": parity}
    alone = tile(tmp_path / "m51.png", tmp_path / "alone", **options).result(60)
    split = split_tiling(tmp_path / "m51.png", tmp_path / "split", **options)
    assert split is not None and len(split.subtrees) > 1
    for subtree in reversed(split.subtrees):
        split.write(subtree)
    split.write(split.subtrees[0])  # a task that is run again, since its worker died
    assert not (tmp_path / "split").exists()
    assert split.finish() == tmp_path / "split"
    found, expected = (
        {path.relative_to(folder): path.read_bytes() for folder in [root] for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "split", alone)
    )
    assert found == expected


def test_a_picture_that_was_drawn_on_this_machine_is_not_split(tmp_path):
    cards = {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": 202.47,
        "CRVAL2": 47.2,
        "CRPIX1": 8000.0,
        "CRPIX2": 10.0,
    }
    header = fits.Header(list((cards | {"CDELT1": -1e-5, "CDELT2": 1e-5}).items()))
    fits.PrimaryHDU(np.zeros((3, 20, 16_400), "uint8"), header).writeto(tmp_path / "m51.fits")
    assert split_tiling(tmp_path / "m51.fits", tmp_path / "split") is None


def test_a_small_picture_is_not_split(tmp_path):
    Image.fromarray(noise(2100, 1300)).save(tmp_path / "m51.png")
    assert split_tiling(tmp_path / "m51.png", tmp_path / "split", **PLACE) is None
    assert not list(tmp_path.glob(".split*"))


def test_libvips_without_its_library_counts_as_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvips", None)
    assert not vips_picture.is_available()
