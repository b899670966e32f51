"""Snapping: an approximate placement is refined by a FITS image of the same sky, and refused where nothing matches."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from constellations_widgets import ImageDraft, Preview, SolveError, SourceError
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.solving.snap import snap

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
    angle, far = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.2) * SIZE[0]
    true = TRUE
    return Plane(
        true.ra, true.dec, true.x + far * math.cos(angle), true.y + far * math.sin(angle),
        true.scale * rng.uniform(0.95, 1.05), true.rotation + rng.uniform(-10, 10), mirrored,
    )  # fmt: skip


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
    snapped = snap(picture, displaced(seed), survey)
    assert largest_error(snapped.plane) < 1
    assert snapped.correlation > 0.3 and snapped.parts >= 8 and snapped.rms < 1


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
            snap(picture, displaced(1), reference)


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
