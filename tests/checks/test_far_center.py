"""What WWT's engine draws away from its place is reported: with a fix where another projection center is better, else in words."""

from __future__ import annotations

import numpy as np
import pytest
from geometry.engine_model import apart, drawn, vectors
from sources.headers import header

from constellations_widgets.checks import IMAGE_SIZE, run
from constellations_widgets.draft import ImageDraft
from constellations_widgets.geometry.plane import Plane


def reported(values: dict, size: tuple[int, int]) -> list:
    return [problem for problem in run(values | {IMAGE_SIZE: size}) if problem.code in ("CXW219", "CXW220")]


def error(values: dict, plane: Plane, size: tuple[int, int]) -> float:
    """Pixels by which the engine draws the image away from the plane at most, if the image's middle is in view."""
    x, y = (part.ravel() for part in np.meshgrid(np.linspace(0, size[0], 5), np.linspace(0, size[1], 5)))
    wwt = {name.removeprefix("wwt."): value for name, value in values.items()}
    found = drawn(wwt, size, x, size[1] - y, (size[0] / 2, size[1] / 2))
    return float(apart(found, vectors(*plane.sky(x, y))).max() / plane.scale)


@pytest.mark.parametrize("block", range(4))
def test_an_image_of_known_size_is_never_drawn_beside_its_place_without_a_word(block):
    random = np.random.default_rng(block)
    far = 0
    for _ in range(60):
        size = tuple(int(side) for side in random.integers(30, 4000, 2))
        scale = min(10 ** random.uniform(-5, -1.3), 60 / max(size))
        at = random.uniform(-0.5, 1.5, 2) * size
        ra, dec, turn = random.uniform(0, 360), random.uniform(-90, 90), random.uniform(-180, 180)
        tiled = bool(random.random() < 0.5)
        plane = Plane(ra, dec, *at, scale, turn, not tiled and bool(random.random() < 0.5))
        values = plane.tiled(size, int(random.choice([1, 2]))) if tiled else plane.untiled()
        off, found = error(values, plane, size), reported(values, size)
        far += off > 1
        assert found or off <= 1.01, (plane, size, off)
        for problem in found:
            assert problem.severity == ("warning" if off > 1.01 else "info") or abs(off - 1) < 0.02
            if problem.fix:
                assert error(values | dict(problem.fix.changes), plane, size) < off
    assert far > 10


def test_an_image_too_wide_for_another_center_is_reported_without_a_fix():
    plane = Plane(150.0, 20.0, 400.0, 700.0, 0.00363, 30.0)
    [problem] = reported(plane.untiled(), (2845, 1242))
    assert (problem.code, problem.severity, problem.fix) == ("CXW219", "warning", None)
    pixels = f"{error(plane.untiled(), plane, (2845, 1242)):.2g} pixels"
    assert f"3.72 degrees from the middle of the image: WWT draws the image up to {pixels}" in problem.message
    assert "reproject the picture" in problem.message


def test_what_the_source_has_said_is_not_said_again():
    given = header(ra=150.0, dec=20.0, scale=0.00363, crpix=(400.0, 700.0))
    draft = ImageDraft.from_fits(given, shape=(1242, 2845), tolerance=99, autosave=False)
    assert [problem.code for problem in draft.problems if problem.code in ("CXW219", "CXW909")] == ["CXW909"]


@pytest.mark.parametrize("offset", [1e10, 1e160, 1.7e308])
def test_an_offset_of_any_size_can_be_typed(offset):
    values = Plane(10, 20, 40, 30, 0.01, 0).untiled() | {"wwt.offset_x": offset}
    assert [problem.code for problem in reported(values, (80, 60))] == ["CXW219"]
