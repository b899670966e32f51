"""Snapping: an approximate placement is refined by a picture of the same sky, and refused where nothing matches."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from constellations_widgets import ConstellationsError, ImageDraft, Preview, SolveError, SourceError
from constellations_widgets.geometry import transforms
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.solving.detection import brightness
from constellations_widgets.solving.snap import picture_of_file, sky_reference, snap, view_around
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage

SIZE = (700, 560)
TRUE = Plane(202.47, 47.2, 350, 280, 0.004, 30)


def nebula(plane: Plane, size: tuple[int, int], seed: int) -> np.ndarray:
    """Return a patch of sky with clouds and stars, rows from the top, as seen at a placement."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, size[1] - np.arange(size[1]) - 0.5)
    ra, dec = plane.sky(x, y)
    east, north = (ra - 202.47) * math.cos(math.radians(47.2)), dec - 47.2
    image = np.full(size[::-1], 30.0)
    for _ in range(250):
        at, width, height = rng.uniform(-2.5, 2.5, 2), rng.uniform(0.02, 0.3), rng.uniform(5, 60)
        image += height * np.exp(-((east - at[0]) ** 2 + (north - at[1]) ** 2) / (2 * width**2))
    for _ in range(250):
        at, height = rng.uniform(-2.5, 2.5, 2), rng.uniform(20, 300)
        image += height * np.exp(-((east - at[0]) ** 2 + (north - at[1]) ** 2) / (2 * 0.006**2))
    return image


def displaced(seed: int, mirrored: bool = False) -> Plane:
    """Return a placement that is off by up to 20 % of the width, 10° and 5 % in scale."""
    rng = np.random.default_rng(seed)
    middle = TRUE.sky(SIZE[0] / 2, SIZE[1] / 2)
    placed = transforms.scaled(transforms.turned(TRUE, rng.uniform(-10, 10), middle), rng.uniform(0.95, 1.05), middle)
    angle, far = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.2) * SIZE[0]
    there = placed.sky(SIZE[0] / 2 + far * math.cos(angle), SIZE[1] / 2 + far * math.sin(angle))
    placed = transforms.moved(placed, middle, there)
    return transforms.mirrored(placed, there) if mirrored else placed


def largest_error(plane: Plane) -> float:
    x, y = np.meshgrid(np.linspace(0, SIZE[0], 7), np.linspace(0, SIZE[1], 7))
    found_x, found_y = plane.pixel(*TRUE.sky(x, y))
    return float(np.hypot(found_x - x, found_y - y).max())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a picture, stretched and noisy, and a FITS image of the same sky by another telescope."""
    folder, rng = tmp_path_factory.mktemp("snap"), np.random.default_rng(1)
    picture = 255 * (nebula(TRUE, SIZE, 1) / 400) ** 0.5 + rng.normal(0, 4, SIZE[::-1])
    Image.fromarray(np.clip(picture, 0, 255).astype("uint8")).save(folder / "picture.jpg", quality=80)
    survey = Plane(202.3, 47.4, 500, 450, 0.0047, -5)
    write(folder / "survey.fits", survey, nebula(survey, (1000, 900), 1) + rng.normal(0, 3, (900, 1000)))
    return folder / "picture.jpg", folder / "survey.fits"


def write(path: Path, plane: Plane, pixels: np.ndarray) -> Path:
    fits.PrimaryHDU(pixels[::-1].astype("float32"), fits.Header(list(plane.cards().items()))).writeto(path)
    return path


@pytest.mark.parametrize("seed", range(3))
def test_a_displaced_placement_is_refined_to_a_pixel(seed, files):
    picture, survey = files
    snapped = snap(picture_of_file(picture), displaced(seed), survey)
    assert largest_error(snapped.plane) < 1
    assert snapped.correlation > 0.3 and snapped.parts >= 8 and snapped.rms < 1
    assert snapped.confidence == "high" and snapped.error < 0.5 and snapped.reference == "survey.fits"


def test_an_unrelated_image_moves_nothing(files, tmp_path):
    picture, _ = files
    survey = Plane(202.3, 47.4, 500, 450, 0.0047, -5)
    other = write(tmp_path / "other.fits", survey, nebula(survey, (1000, 900), 2))
    noise = write(tmp_path / "noise.fits", survey, np.random.default_rng(0).normal(0, 1, (900, 1000)))
    elsewhere = write(
        tmp_path / "elsewhere.fits", Plane(20.0, -40.0, 500, 450, 0.0047, 0), nebula(survey, (1000, 900), 1)
    )
    for reference in (other, noise, elsewhere):
        with pytest.raises(SolveError, match="does not match"):
            snap(picture_of_file(picture), displaced(1), reference)


def test_placing_snaps_and_undoes_it_and_leaves_a_refused_placement_alone(files, tmp_path):
    picture, survey = files
    rough = displaced(2)
    draft = ImageDraft.from_image(picture, center=(0.0, 0.0), width=1.0, autosave=False)
    draft.update(rough.untiled())
    placing = Preview(draft).placing
    before = dict(draft.values)
    snapped = placing.snap(survey)
    assert largest_error(plane_of(draft.values)) < 1
    assert snapped.parts >= 8 and placing.undo_label == "snap"
    placing.undo()
    assert draft.values == before
    other = write(tmp_path / "other.fits", Plane(202.3, 47.4, 500, 450, 0.0047, -5), np.ones((900, 1000)))
    with pytest.raises(SolveError, match=r"does not match other\.fits near its present place, so it was not moved"):
        placing.snap(other)
    assert draft.values == before
    with pytest.raises(SourceError, match="There is no file"):
        placing.snap(tmp_path / "missing.fits")


def test_a_mirrored_placement_keeps_its_parity_and_is_refused(files):
    picture, survey = files
    with pytest.raises(SolveError, match="does not match"):
        snap(picture_of_file(picture), displaced(1, mirrored=True), survey)


def test_a_reference_that_is_too_coarse_is_named_as_that(files, tmp_path):
    picture, _ = files
    coarse = write(tmp_path / "coarse.fits", Plane(202.47, 47.2, 50, 50, 0.04, 0), nebula(TRUE, (100, 100), 1))
    with pytest.raises(
        SolveError, match=r"coarse\.fits is too coarse .* one of its pixels is as wide as 10 of the image's"
    ):
        snap(picture_of_file(picture), displaced(1), coarse)


def test_of_a_large_reference_only_the_part_around_the_picture_is_held(files, tmp_path):
    picture, _ = files
    survey = Plane(202.47, 47.2, 3000, 3000, 0.0047, 0)
    around = Plane(202.47, 47.2, 500, 500, 0.0047, 0)
    pixels = np.zeros((6000, 6000), "float32")
    pixels[2500:3500, 2500:3500] = nebula(around, (1000, 1000), 1)[::-1]
    path = tmp_path / "large.fits"
    fits.PrimaryHDU(pixels, fits.Header(list(survey.cards().items()))).writeto(path)
    seen = []
    snapped = snap(picture_of_file(picture), displaced(0), path, lambda part, text: seen.append((part, text)))
    assert largest_error(snapped.plane) < 1
    assert all(0 <= part <= 1 for part, _ in seen) and {text for _, text in seen} >= {"Comparing rotations and scales"}


def test_what_its_progress_raises_ends_a_registration(files):
    picture, survey = files

    def stop(_part: float, _text: str) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        snap(picture_of_file(picture), displaced(0), survey, stop)


def test_tiles_are_snapped_and_stay_tiles(files, tmp_path):
    _, survey = files
    wide = Plane(TRUE.ra, TRUE.dec, 512, 512, TRUE.scale, TRUE.rotation)
    image = Image.new("LA", (1024, 1024), (0, 0))  # transparent beside the picture
    picture = Image.fromarray(np.clip(nebula(TRUE, SIZE, 1) / 2, 0, 255).astype("uint8"))
    image.paste(picture, (162, 232))
    for level in range(3):
        for y in range(2**level):
            for x in range(2**level):
                path = tmp_path / str(level) / str(y) / f"{y}_{x}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                small = image.resize((256 * 2**level,) * 2, Image.Resampling.BOX)
                small.crop((256 * x, 256 * y, 256 * x + 256, 256 * y + 256)).save(path)
    local = LocalImage(tmp_path, "{1}/{3}/{3}_{2}.png")
    about = wide.sky(512, 512)
    rough = transforms.moved(transforms.turned(wide, 6, about), about, (about[0] + 0.3, about[1] - 0.2))
    draft = ImageDraft(ParsedImage(rough.tiled((1024, 1024)), local=local), autosave=False)
    placing = Preview(draft).placing
    snapped = placing.snap(survey)
    assert snapped.size == (1024, 1024) and placing.undo_label == "snap"
    assert draft.wwt.projection == "Tan" and draft.wwt.tile_levels == 2
    x, y = np.meshgrid([162, 862], [232, 792])
    found_x, found_y = plane_of(draft.values).pixel(*wide.sky(x, y))
    assert np.hypot(found_x - x, found_y - y).max() < 1


def test_other_projections_and_files_elsewhere_are_refused_with_the_reason(files):
    _, survey = files
    away = ImageDraft(ParsedImage(TRUE.untiled()), autosave=False)
    with pytest.raises(SourceError, match="file is not on this machine"):
        Preview(away).placing.snap(survey)
    all_sky = ImageDraft(ParsedImage(TRUE.untiled() | {"wwt.projection": "Toast"}), autosave=False)
    with pytest.raises(ConstellationsError, match=r"Only flat images \(Tan, SkyImage\) can be placed"):
        Preview(all_sky).placing.snap(survey)


def test_without_a_page_the_sky_behind_the_image_is_not_there(files):
    draft = ImageDraft.from_image(files[0], center=(202.47, 47.2), width=2.8, autosave=False)
    before = dict(draft.values)
    placing = Preview(draft).placing
    with pytest.raises(ConstellationsError, match="No page shows this preview"):
        placing.snap()
    assert draft.values == before and placing.status()["snap"]["phase"] == "failed"
    with pytest.raises(ConstellationsError, match="No placement waits to be accepted"):
        placing.accept()


def test_what_was_found_waits_until_it_is_accepted_or_the_image_is_placed_otherwise(files):
    picture, survey = files
    draft = ImageDraft.from_image(picture, center=(0.0, 0.0), width=1.0, autosave=False)
    draft.update(displaced(2).untiled())
    preview = Preview(draft)
    placing, before = preview.placing, dict(draft.values)
    for decide in (placing.discard, lambda: placing.turn(1.0)):
        placing.snap(survey, accept=False)
        assert placing.status()["snap"]["phase"] == "found" and draft.values == before
        assert ("Compared with", "survey.fits") in placing.status()["snap"]["facts"]
        assert preview._state()["imageset"]["rotation"] != pytest.approx(draft.wwt.rotation)  # it is shown there
        decide()
        assert placing.status()["snap"]["phase"] == "idle"
        assert preview._state()["imageset"]["rotation"] == pytest.approx(draft.wwt.rotation)
    placing.undo()
    placing.snap(survey, accept=False)
    placing.accept()
    assert largest_error(plane_of(draft.values)) < 1 and placing.undo_label == "snap"
    placing.undo()
    assert draft.values == before


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_view_around_a_picture_is_along_its_edges_with_a_margin(mirrored):
    plane = Plane(10.0, 89.0, 100, 700, 0.003, 77, mirrored)
    view = view_around(plane, (1400, 900))
    x, y = view.plane.pixel(*plane.sky(np.array([0, 1400, 1400, 0]), np.array([0, 0, 900, 900])))
    assert x.min() > 0.2 * view.width and x.max() < 0.8 * view.width
    assert y.min() > 0.1 * view.height and y.max() < 0.9 * view.height
    assert view.plane.scale == pytest.approx(0.006, rel=1e-2)
    right = (x[1] - x[0], y[1] - y[0])
    assert abs(right[1] / right[0]) < 0.02 and (right[0] < 0) == mirrored


def test_blocks_of_a_large_fits_image_are_counted_from_the_top(tmp_path):
    pixels = np.zeros((2563, 600), "float32")
    pixels[-1] = 4.0  # the uppermost row
    fits.PrimaryHDU(pixels).writeto(tmp_path / "high.fits")
    rows, factor, size = brightness(tmp_path / "high.fits")
    assert factor == 2 and size == (600, 2563)
    assert rows[0].tolist() == [2.0] * 300 and not rows[1:].any()


@pytest.mark.usefixtures("index_folder")
@pytest.mark.parametrize("seed", [8, 9, 6, 2])
def test_displaced_placements_come_back_within_a_pixel(seed):
    from solving.displaced import case

    each = case(seed)
    assert each.error(snap(each.picture, each.placed, each.survey).plane) < 1, each.kind


@pytest.mark.usefixtures("index_folder")
@pytest.mark.parametrize("seed", [8, 9])
def test_another_part_of_the_sky_moves_nothing(seed):
    from solving.displaced import case

    each = case(seed, other=seed + 5000)
    with pytest.raises(SolveError, match="does not match the survey"):
        snap(each.picture, each.placed, each.survey)


def test_a_sky_that_shows_nothing_is_named():
    with pytest.raises(SolveError, match="DSS shows nothing around the image"):
        sky_reference(np.full((50, 50), np.nan), TRUE, 0.001, "DSS")
