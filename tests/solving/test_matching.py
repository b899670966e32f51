"""What speaks against a match, beside the solver's own odds; a solution with doubts is never taken without a look."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from constellations_widgets import SolveError, SourceError
from constellations_widgets.geometry.plane import Plane
from constellations_widgets.solving.acceptance import placement_by
from constellations_widgets.solving.catalog import CatalogStars
from constellations_widgets.solving.detection import DetectedStars
from constellations_widgets.solving.matching import FirstGuess, refined
from constellations_widgets.solving.solution import Solution
from constellations_widgets.solving.solver import reliable

SIZE = (1000, 800)
TRUE = Plane(202.47, 47.2, 500, 400, 0.004, 30, True)
GUESS = FirstGuess(dataclasses.replace(TRUE, rotation=30.05, scale=0.004004), (500, 400), 100.0, "index")


def field(count: int = 60) -> tuple[np.ndarray, np.ndarray, CatalogStars]:
    """Return stars anywhere in a picture, and the same stars in a catalog, the brightest first."""
    rng = np.random.default_rng(1)
    x, y = rng.uniform(20, 980, count), rng.uniform(20, 780, count)
    return x, y, CatalogStars(*TRUE.sky(x, y), np.linspace(4, 11, count))


def detected(x: np.ndarray, y: np.ndarray, flux: np.ndarray) -> DetectedStars:
    return DetectedStars(SIZE, x, SIZE[1] - y, flux)


def test_stars_that_agree_in_place_and_brightness_leave_no_doubt():
    x, y, catalog = field()
    solution = refined(GUESS, detected(x, y, np.linspace(1000, 10, len(x))), catalog)
    assert solution.doubts == () and solution.confidence == "high" and reliable(solution, "m51.jpg") is solution
    assert len(solution.stars) == 60 and solution.rms < 1e-3 and solution.parity == -1
    assert solution.plane.scale == pytest.approx(TRUE.scale, rel=1e-6)


def test_stars_of_another_brightness_are_doubtful():
    x, y, catalog = field()
    flux = np.random.default_rng(2).permutation(np.linspace(1000, 10, len(x)))
    solution = refined(GUESS, detected(x, y, flux), catalog)
    assert "the matched stars are not as bright in the picture as in the catalog" in solution.doubts
    with pytest.raises(
        SolveError, match=r"m51\.jpg was found, and it may be wrong: the matched stars are not as bright"
    ):
        reliable(solution, "m51.jpg")


def test_missing_bright_stars_are_doubtful():
    x, y, catalog = field()
    faint = slice(12, None)
    solution = refined(GUESS, detected(x[faint], y[faint], np.linspace(1000, 10, 48)), catalog)
    assert [
        doubt for doubt in solution.doubts if "brightest catalog stars in the field are not in the picture" in doubt
    ]


def test_other_stars_are_no_match():
    _, _, catalog = field()
    rng = np.random.default_rng(3)
    other = detected(rng.uniform(20, 980, 60), rng.uniform(20, 780, 60), np.linspace(1000, 10, 60))
    with pytest.raises(SolveError):
        refined(GUESS, other, catalog)


def test_tiles_take_no_solution_of_a_smaller_copy_of_their_picture():
    plane = Plane(202.47, 47.2, 350, 250, 0.001, 30)
    tiles = plane.tiled((700, 500))
    placed = placement_by(Solution((700, 500), plane, (), 0), tiles | {"wwt.rotation": 0.0}, None)
    assert placed == tiles
    half = Solution((350, 250), Plane(202.47, 47.2, 175, 125, 0.002, 30), (), 0)
    with pytest.raises(
        SourceError, match="The picture that was solved has 350 × 250 pixels, which need 1 level of tiles"
    ):
        placement_by(half, tiles, None)
