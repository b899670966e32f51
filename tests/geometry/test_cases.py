"""The table of cases that Python and the page share, and the same for what the engine is known to do with far images."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from geometry.engine_model import apart, drawn, vectors
from geometry.make_cases import CASES, image_cases, tangent_cases

from constellations_widgets.geometry.engine import displacement
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.geometry.sphere import separation
from constellations_widgets.geometry.tangent import plane_to_sky, sky_to_plane

TABLE = json.loads(CASES.read_text(encoding="utf-8"))


def test_the_table_is_what_its_script_writes():
    for kind, made in (("tangent", tangent_cases()), ("images", image_cases())):
        assert [list(case) for case in TABLE[kind]] == [list(case) for case in made]
    skies = [[case["sky"] for case in TABLE["tangent"]], [case["sky"] for case in tangent_cases()]]
    np.testing.assert_allclose(*skies, atol=1e-9)


@pytest.mark.parametrize("case", TABLE["tangent"], ids=lambda case: f"{case['center']} {case['plane']}")
def test_the_tangent_plane_is_astropys(case):
    assert separation(plane_to_sky(*case["plane"], *case["center"]), tuple(case["sky"])) < 1e-9
    assert sky_to_plane(*case["sky"], *case["center"]) == pytest.approx(case["plane"], abs=1e-8)
    for found, number in zip(sky_to_plane(*map(np.array, case["sky"]), *case["center"]), case["plane"], strict=True):
        assert float(found) == pytest.approx(number, abs=1e-8)


def test_the_plane_has_no_place_for_the_far_side():
    assert math.isnan(sky_to_plane(180.0, 0.0, 0.0, 0.0)[0]) and np.isnan(
        sky_to_plane(np.array([90.1]), 0.0, 0.0, 0.0)[0]
    )


@pytest.mark.parametrize("case", TABLE["images"], ids=lambda case: case["name"])
def test_pixels_lie_where_the_engine_draws_them(case):
    plane = plane_of({f"wwt.{name}": value for name, value in case["placement"].items()}, tuple(case["size"]))
    for point in case["points"]:
        # One file is drawn by 2 tan(base / 2) a pixel, too; that of half a thousandth of a degree is the same.
        assert separation(plane.sky(*point["pixel"]), tuple(point["sky"])) < 1e-6 * plane.scale + 1e-8
        back = plane.pixel(*point["sky"])
        assert math.dist(back, point["pixel"]) < 1e-3


@pytest.mark.parametrize("width_factor", [1, 2])
@pytest.mark.parametrize("scale", [1e-4, 0.02, 0.2])
def test_tiles_come_back_as_they_were(width_factor, scale):
    plane, size = Plane(150.0, 20.0, 310.0, 220.0, scale, 30.0), (701, 300)
    back = plane_of(plane.tiled(size, width_factor), size)
    for name in ("x", "y", "scale"):
        assert getattr(back, name) == pytest.approx(getattr(plane, name), rel=1e-12)


@pytest.mark.parametrize("theta", [0.5, 2.0, 10.0])
def test_what_is_far_from_the_projection_center_is_displaced_as_the_engine_does_it(theta):
    scale = 0.25 / 3600
    plane = Plane(150.0, 20.0, 200.0 - math.degrees(math.tan(math.radians(theta))) / scale, 100.0, scale, 40.0)
    wwt = {name.removeprefix("wwt."): value for name, value in plane.untiled().items()}
    x, y = np.array([0, 400, 400, 0, 200.0]), np.array([0, 0, 200, 200, 100.0])
    moved = apart(drawn(wwt, (400, 200), x, 200 - y, (200, 100)), vectors(*plane.sky(x, y)))
    east, north = plane.on_plane(x, y)
    assert displacement(east, north, plane.on_plane(200, 100)) == pytest.approx(moved, rel=1e-5)
    angle = math.radians(theta)
    assert moved[-1] == pytest.approx(math.degrees(angle * (1 - math.cos(angle))), rel=0.03)


def test_the_table_is_beside_its_script():
    assert Path(__file__).with_name("cases.json") == CASES
