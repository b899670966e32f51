"""Finding where a picture is: real stars, drawn as cameras see them, and pictures that are not of the sky."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image, ImageDraw, ImageOps
from solving.skies import Sky, random_sky

import constellations_widgets as cxw
from constellations_widgets import ImageDraft, SolveError, SourceError, find_position
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.solving import engine
from constellations_widgets.solving.hints import near_hint

M51 = Plane(202.47, 47.2, 500, 400, 0.004, 30)
SKY = Sky(M51, (1000, 800), seed=5)

pytestmark = pytest.mark.usefixtures("index_folder")


def middle(sky: Sky) -> tuple[float, float]:
    ra, dec = sky.plane.sky(sky.size[0] / 2, sky.size[1] / 2)
    return float(ra), float(dec)


def width(sky: Sky) -> float:
    return math.degrees(2 * math.atan(math.radians(sky.plane.scale) * max(sky.size) / 2))


def largest_error(sky: Sky, plane: Plane) -> float:
    """Return by how many pixels a plane puts any part of a photograph beside its true place."""
    x, y = np.meshgrid(np.linspace(0, sky.size[0], 9), np.linspace(0, sky.size[1], 9))
    found_x, found_y = plane.pixel(*sky.plane.sky(x, y))
    return float(np.hypot(found_x - x, found_y - y).max())


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SKY.save(tmp_path_factory.mktemp("solving") / "m51.jpg")


@pytest.mark.parametrize("seed", range(4, 9))
def test_photographs_of_the_whole_sky_are_placed_within_a_pixel(seed, tmp_path):
    sky = random_sky(seed)
    path = sky.save(tmp_path / "sky.jpg", quality=60)
    solution = find_position(path, near=middle(sky), width=width(sky)).result()
    assert solution.confidence == "high", solution.doubts
    assert largest_error(sky, solution.plane) < 1
    assert solution.parity == (-1 if sky.plane.mirrored else 1)
    assert solution.rms < 1.5 and solution.rms <= solution.largest_residual
    assert len(solution.stars) >= 7


def test_a_picture_is_found_without_any_hint(photograph):
    solution = find_position(photograph).result()
    assert largest_error(SKY, solution.plane) < 0.3
    assert solution.pixel_scale == pytest.approx(14.4, rel=1e-4)
    assert solution.center == pytest.approx(middle(SKY), abs=1e-3)
    star = solution.stars[0]
    assert SKY.plane.pixel(star.ra, star.dec) == pytest.approx((star.x, SKY.size[1] - star.y), abs=0.5)
    assert solution.wcs().pixel_to_world_values(star.x - 0.5, SKY.size[1] - star.y - 0.5) == pytest.approx(
        (star.ra, star.dec), abs=1e-3
    )
    assert cxw.Solution.from_json(solution.to_json()) == solution


@pytest.mark.parametrize(
    "kind", ["color.png", "gray16.png", "stretched.tif", "sky.fits", "color.fits", "large.jpg", "negative.png"]
)
def test_every_kind_of_file_is_read(kind, tmp_path):
    pixels, sky = SKY.pixels(), SKY
    path = tmp_path / kind
    if kind == "color.png":
        Image.fromarray(np.stack([pixels, pixels // 2, pixels // 3], axis=2)).save(path)
    elif kind == "gray16.png":
        Image.fromarray(pixels.astype("uint16") * 200).save(path)
    elif kind == "negative.png":
        Image.fromarray(255 - pixels).save(path)
    elif kind == "stretched.tif":
        Image.fromarray(pixels.astype("float32") / 1000).save(path)
    elif kind == "sky.fits":  # rows from the bottom, and no WCS at all
        values = pixels[::-1].astype("float32")
        values[300:320, 200:260] = np.nan
        fits.PrimaryHDU(values).writeto(path)
    elif kind == "color.fits":
        fits.PrimaryHDU(np.stack([pixels, pixels // 2, pixels // 3])[:, ::-1].astype("uint16") * 200).writeto(path)
    else:
        sky = Sky(Plane(202.47, 47.2, 2000, 1600, 0.001, 30), (4000, 3200), seed=5)
        Image.fromarray(pixels).resize(sky.size, Image.Resampling.BICUBIC).save(path)
    solution = find_position(path, near=(202.47, 47.2), width=4).result()
    assert solution.size == sky.size
    assert largest_error(sky, solution.plane) < 1


def test_the_image_of_a_name_and_a_version_is_placed(tmp_path):
    chips = [
        fits.ImageHDU(values, name="SCI", ver=version)
        for version, values in ((1, np.ones((8, 9))), (2, SKY.pixels()[::-1]))
    ]
    fits.HDUList([fits.PrimaryHDU(), *chips]).writeto(tmp_path / "m51.fits")
    hints = {"near": (202.47, 47.2), "pixel_scale": 14.4}
    draft = ImageDraft.from_fits(tmp_path / "m51.fits", hdu=("SCI", 2), solve=hints, autosave=False)
    assert largest_error(SKY, plane_of(draft.values)) < 0.3
    assert draft.local is not None and draft.local.hdu == 2


def test_a_draft_is_placed_only_on_request(photograph):
    draft = ImageDraft.from_image(photograph, center=(0.0, 0.0), width=1.0, autosave=False)
    before = dict(draft.values)
    solution = draft.solve(near="13h29m53s +47d12m", width=4)
    assert draft.values == before
    draft.accept(solution)
    assert largest_error(SKY, plane_of(draft.values)) < 0.3
    placed = ImageDraft.from_image(photograph, solve={"near": (202.47, 47.2), "width": 4}, autosave=False)
    assert largest_error(SKY, plane_of(placed.values)) < 0.3
    other = ImageDraft.from_image(photograph, center=(0.0, 0.0), width=1.0, autosave=False)
    other.solve(accept=True, near=(202.47, 47.2), width=4)
    assert largest_error(SKY, plane_of(other.values)) < 0.3


def test_a_fits_file_without_wcs_becomes_a_draft(tmp_path):
    pixels = SKY.pixels()[::-1].astype("float32")
    fits.PrimaryHDU(pixels, fits.Header({"CRPIX1": 1.0, "OBJECT": "M 51"})).writeto(tmp_path / "m51.fits")
    with pytest.raises(SourceError):
        ImageDraft.from_fits(tmp_path / "m51.fits")
    draft = ImageDraft.from_fits(tmp_path / "m51.fits", solve={"near": (202.47, 47.2), "width": 4}, autosave=False)
    assert largest_error(SKY, plane_of(draft.values)) < 0.3
    assert draft.name == "M 51" and draft.local is not None and draft.local.pixels == tmp_path / "m51.fits"
    again = draft.solve(near=(202.47, 47.2), width=4)
    assert largest_error(SKY, again.plane) < 0.3


def test_a_tiled_draft_takes_the_solution_of_its_picture(photograph, tmp_path):
    tiling = cxw.tile(photograph, tmp_path / "tiles", center=(0.0, 0.0), width=1.0)
    draft = ImageDraft.from_wtml(tiling.result(), autosave=False)
    with pytest.raises(SourceError, match=r"draft\.accept"):
        draft.solve()
    draft.accept(find_position(photograph, near=(202.47, 47.2), width=4).result())
    assert largest_error(SKY, plane_of(draft.values, SKY.size)) < 0.3


def test_distortion_is_reported_as_for_fits(tmp_path):
    pixels = Image.fromarray(SKY.pixels())
    x, y = np.meshgrid(np.arange(1000) - 500.0, np.arange(800) - 400.0)
    stretch = 1 + 2e-8 * (x**2 + y**2)  # a barrel: 8 pixels at the corners
    from scipy.ndimage import map_coordinates

    distorted = map_coordinates(
        np.asarray(pixels, float), [400 + y * stretch, 500 + x * stretch], order=3, mode="nearest"
    )
    Image.fromarray(np.clip(distorted, 0, 255).astype("uint8")).save(tmp_path / "barrel.png")
    solution = find_position(tmp_path / "barrel.png", near=(202.47, 47.2), width=4).result()
    assert "The picture has SIP distortion" in solution.inaccuracy and "WWT can't draw" in solution.inaccuracy
    draft = ImageDraft.from_image(tmp_path / "barrel.png", center=(0.0, 0.0), width=1.0, autosave=False)
    draft.accept(solution)
    assert [problem.code for problem in draft.problems].count("CXW909") == 1
    true = SKY.plane.sky(500 + 450 * (1 + 2e-8 * 450**2), 400)
    assert solution.wcs().world_to_pixel_values(*true) == pytest.approx((949.5, 399.5), abs=0.5)


def text_picture(path: Path) -> None:
    image = Image.new("L", (900, 700), 255)
    draw = ImageDraw.Draw(image)
    for row in range(0, 700, 18):
        draw.text((10, row), "Where on the sky is this? It is a page of text, and no photograph. " * 3, fill=0)
    ImageOps.invert(image).save(path)


def noise_picture(path: Path) -> None:
    rng = np.random.default_rng(3)
    pixels = rng.normal(30, 4, (700, 900))
    for x, y in rng.uniform(5, 690, (80, 2)):
        pixels[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2] += rng.uniform(30, 200)
    Image.fromarray(np.clip(pixels, 0, 255).astype("uint8")).save(path)


def empty_picture(path: Path) -> None:
    Image.new("RGB", (400, 300), "navy").save(path)


@pytest.mark.parametrize(
    ("draw", "reason"),
    [(text_picture, "No match"), (noise_picture, "No match"), (empty_picture, "stars were detected")],
    ids=["text", "scrambled stars", "nothing"],
)
def test_what_is_not_the_sky_is_not_placed(draw, reason, tmp_path):
    draw(tmp_path / "picture.png")
    with pytest.raises(SolveError, match=reason):
        cxw.ImageDraft.from_image(
            tmp_path / "picture.png", solve={"near": (202.47, 47.2), "width": (2, 6), "timeout": 300}
        )


def test_a_search_ends_in_time_and_can_be_cancelled(tmp_path):
    noise_picture(tmp_path / "noise.png")
    with pytest.raises(SolveError, match=r"within 2 s: give hints"):
        find_position(tmp_path / "noise.png", timeout=2).result()
    began = threading.Event()
    solving = find_position(tmp_path / "noise.png", timeout=600, progress=lambda _part, _text: began.set())
    assert began.wait(60) and not solving.done
    solving.cancel()
    with pytest.raises(SolveError, match="cancelled"):
        solving.result(60)
    assert solving.done and solving._process.poll() is not None


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_the_worker_too(tmp_path):
    noise_picture(tmp_path / "noise.png")
    script = (
        "import sys; from constellations_widgets import find_position\n"
        "solving = find_position(sys.argv[1], timeout=600, progress=lambda _part, _text: print(solving._process.pid, flush=True))\n"
        "solving.result()"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "noise.png")], stdout=-1, stderr=-1) as process:
        worker = int(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    assert ended(worker)


def test_the_worker_ends_with_a_parent_that_is_killed(tmp_path):
    noise_picture(tmp_path / "noise.png")
    script = (
        "import sys; from constellations_widgets import find_position\n"
        "solving = find_position(sys.argv[1], timeout=600, progress=lambda _part, _text: print(solving._process.pid, flush=True))\n"
        "solving.result()"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "noise.png")], stdout=-1, stderr=-1) as process:
        worker = int(process.stdout.readline())
        process.kill()
    assert ended(worker)


def ended(pid: int) -> bool:
    """Return whether a process ends within a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if " Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_without_index_files_the_message_says_how_to_get_them(photograph, tmp_path, monkeypatch):
    monkeypatch.setattr("constellations_widgets.solving.indexes.DEBIAN", tmp_path)
    from constellations_widgets.solving.indexes import index_files, require_index_files

    with pytest.raises(SolveError, match=r"no index files .*apt-get install astrometry-data-tycho2"):
        require_index_files()
    monkeypatch.undo()
    files = index_files()
    assert len(files) == 13 and files[0].largest > 30 and files[-1].smallest < 0.4
    with pytest.raises(SolveError, match=r"recognize pictures .* and none that is 0\.013° to 0\.03° wide"):
        find_position(photograph, width=0.02).result()


@pytest.mark.parametrize("damage", ["SCALE_L = 1E", "HEALPIX = -", "NSTARS  = 1E999"])
def test_an_index_file_with_a_damaged_header_is_left_out(tmp_path, damage):
    from constellations_widgets.solving.indexes import index_files

    cards = {"SIMPLE": "SIMPLE  =                    T", "SCALE_L": "SCALE_L = 0.1", "SCALE_U": "SCALE_U = 0.2"}
    cards |= {"INDEXID": "INDEXID = 4107"}
    for name, changes in (("index-whole.fits", {}), ("index-damaged.fits", {damage[:7]: damage})):
        text = "".join(card.ljust(80) for card in (cards | changes).values())
        (tmp_path / name).write_text(text.ljust(2880))
    assert [found.path.name for found in index_files([tmp_path])] == ["index-whole.fits"]


@pytest.mark.parametrize(
    ("hints", "message"),
    [
        (
            {"near": "Nowhere Nebula"},
            "near='Nowhere Nebula' is neither a position nor the name of one object in the Messier",
        ),
        ({"near": "Galaxy"}, "nor the name of one object"),
        ({"near": "x%' OR 1=1 --"}, "Names of objects are not looked up"),
        ({"width": -1}, "width= takes a positive number"),
        ({"width": 1, "pixel_scale": 1}, "once"),
        ({"parity": 2}, "parity="),
        ({"radius": 5}, "near="),
        ({"timeout": 0}, "timeout="),
    ],
)
def test_wrong_hints_are_named_before_anything_runs(hints, message, photograph):
    with pytest.raises(SourceError, match=message):
        find_position(photograph, **hints)


@pytest.mark.parametrize("name", ["M 51", "m51", "Messier 51", "NGC5194", "Whirlpool Galaxy", "whirlpool"])
def test_names_of_objects_are_looked_up_here(name):
    assert near_hint(name, None, 10.0) == pytest.approx((202.47, 47.2, 10.0), abs=0.01)


@pytest.mark.parametrize(
    ("package", "version", "system", "machine", "place"),
    [
        ("astrometry", (3, 13), "linux", "x86_64", ""),
        ("astrometry", (3, 13), "darwin", "arm64", ""),
        ("astrometry", (3, 13), "linux", "riscv64", "on riscv64"),
        ("astrometry", (3, 13), "win32", "AMD64", "on AMD64"),
        ("astrometry", (3, 14), "darwin", "arm64", "Python 3.14"),
        ("sep", (3, 13), "win32", "AMD64", ""),
        ("sep", (3, 15), "linux", "x86_64", "Python 3.15"),
        ("scipy", (3, 15), "win32", "AMD64", ""),  # only part of the extra: the command installs it
    ],
)
def test_a_package_without_a_wheel_is_told_from_one_that_was_not_installed(
    package, version, system, machine, place, monkeypatch
):
    monkeypatch.setattr(engine.platform, "machine", lambda: machine)
    monkeypatch.setattr(engine.sys, "platform", system)
    monkeypatch.setattr(engine.sys, "version_info", (*version, 0))
    message = engine._without(package)
    assert "pip install 'constellations_widgets[solve]'" in message
    assert ("has no wheel for" in message) == bool(place) and place in message
    assert ("online=True" in message) == (bool(place) and package == "astrometry")


def test_a_missing_package_is_named_with_the_command_that_installs_it(photograph, tmp_path, monkeypatch):
    (tmp_path / "sep.py").write_text("raise ModuleNotFoundError('No module named sep', name='sep')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SolveError, match=r"without the package sep: .*pip install"):
        find_position(photograph).result()
