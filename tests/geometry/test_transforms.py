"""A placement moved, turned, scaled and mirrored on the sky: what stays, what changes, and in which digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy.coordinates import angular_separation
from astropy.coordinates import position_angle as angle_between
from geometry.engine_model import drawn
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.errors import SourceError
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.geometry.transforms import changes, mirrored, moved, scaled, turned, without_negative_base

SIZE = (700, 500)
CORNERS = [(0, 0), (700, 0), (700, 500), (0, 500)]
UNTILED = Plane(150, 20, 310, 280, 0.001, 30).untiled()
TILED = Plane(150, 20, 310, 280, 0.001, 30).tiled(SIZE)

places = st.tuples(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
planes = st.builds(
    Plane,
    ra=st.one_of(st.floats(0, 360, exclude_max=True), st.sampled_from([0.0, 359.9999])),
    dec=st.one_of(st.floats(-90, 90), st.sampled_from([90.0, -90.0, 89.99])),
    x=st.floats(-200, 900),
    y=st.floats(-200, 900),
    scale=st.floats(1e-6, 0.01),
    rotation=st.floats(-180, 180),
    mirrored=st.booleans(),
)
# Of a picture, and near it.
pixels = st.tuples(st.floats(0, 700), st.floats(0, 500))


def apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Degrees between two places."""
    return math.degrees(angular_separation(*map(math.radians, (*one, *other))))


def position_angle(plane: Plane, at: tuple[float, float]) -> float:
    """Of the picture's "up" at a pixel, in degrees."""
    here, above = plane.sky(*at), plane.sky(at[0], at[1] + 1)
    return math.degrees(angle_between(*map(math.radians, (*here, *above))).value)


def after(values: dict, plane: Plane) -> Plane:
    """The plane of the values with the changes that `plane` makes."""
    return plane_of({**values, **changes(values, plane)}, SIZE)


@given(planes, pixels, places)
def test_a_move_takes_what_was_taken_hold_of_to_where_it_is_let_go(plane: Plane, pixel, end):
    there = moved(plane, plane.sky(*pixel), end)
    assert apart(there.sky(*pixel), end) < 1e-9
    for corner in CORNERS:  # and all else as a stiff sheet
        assert apart(there.sky(*pixel), there.sky(*corner)) == pytest.approx(
            apart(plane.sky(*pixel), plane.sky(*corner)), abs=1e-9
        )
    assert (there.x, there.y, there.scale, there.mirrored) == (plane.x, plane.y, plane.scale, plane.mirrored)


def test_a_move_over_the_pole_and_over_right_ascension_0_ends_where_astropy_says():
    plane = Plane(359.99, 89.9, 350, 250, 0.001, 10)
    there = moved(plane, (359.99, 89.9), (179.99, 89.9))
    assert apart((there.ra, there.dec), (179.99, 89.9)) < 1e-9
    assert math.remainder(there.rotation - 190, 360) == pytest.approx(0, abs=1e-6)  # north is behind now
    east = moved(Plane(359.99, 0, 350, 250, 0.001, 10), (359.99, 0), (0.02, 0))
    assert (east.ra, east.dec, east.rotation) == pytest.approx((0.02, 0, 10), abs=1e-9)


@given(planes.filter(lambda plane: abs(plane.dec) < 80), pixels, st.floats(-180, 180))
def test_a_turn_adds_to_the_position_angle_where_it_turns_about(plane: Plane, pixel, angle):
    about = plane.sky(*pixel)
    there = turned(plane, angle, about)
    assert apart(there.sky(*pixel), about) < 1e-9
    difference = position_angle(there, pixel) - position_angle(plane, pixel) - angle
    assert math.remainder(difference, 360) == pytest.approx(0, abs=1e-4)


@given(planes, pixels, st.floats(0.1, 10))
def test_scaling_leaves_the_place_about_which_it_scales(plane: Plane, pixel, factor):
    about = plane.sky(*pixel)
    there = scaled(plane, factor, about)
    assert there.scale == pytest.approx(plane.scale * factor)
    assert apart(there.sky(*pixel), about) < 1e-9


@given(planes.filter(lambda plane: abs(plane.dec) < 80), pixels)
def test_mirroring_exchanges_left_and_right_and_twice_is_nothing(plane: Plane, pixel):
    x, y = pixel
    about = plane.sky(x, y)
    there = mirrored(plane, about)
    assert there.mirrored is not plane.mirrored
    assert apart(there.sky(x, y), about) < 1e-9
    assert apart(there.sky(x, y + 50), plane.sky(x, y + 50)) < 1e-9
    # The same distances to the left as to the right, on a sphere: measured from the column that stays.
    for corner in CORNERS:
        assert apart(there.sky(*corner), about) == pytest.approx(apart(plane.sky(*corner), about), abs=1e-9)
    back = mirrored(there, about)
    assert all(apart(back.sky(*corner), plane.sky(*corner)) < 1e-9 for corner in CORNERS)


def test_the_left_edge_of_a_mirrored_image_is_where_the_right_one_was():
    plane = Plane(150, 20, 350, 250, 0.001, 30)
    there = mirrored(plane, (150, 20))
    assert apart(there.sky(0, 100), plane.sky(700, 100)) < 1e-9


@given(planes, places)
def test_the_values_are_in_normal_form_and_as_near_as_a_hundredth_of_a_pixel(plane: Plane, end):
    values = plane.untiled()
    there = moved(plane, (plane.ra, plane.dec), end)
    new = {**values, **changes(values, there)}
    assert 0 <= new["wwt.center_x"] < 360 and -90 <= new["wwt.center_y"] <= 90 and -180 <= new["wwt.rotation"] <= 180
    drawn = plane_of(new)
    assert all(apart(drawn.sky(*corner), there.sky(*corner)) < 0.01 * plane.scale + 1e-9 for corner in CORNERS)


@pytest.mark.parametrize("values", [UNTILED, TILED])
def test_only_what_has_changed_is_written(values):
    plane = plane_of(values)
    middle = plane_of(values, SIZE).sky(350, 250)
    assert changes(values, plane) == {}
    assert set(changes(values, moved(plane, middle, (151.0, 20.0)))) == {
        "wwt.center_x",
        "wwt.center_y",
        "wwt.rotation",
    }
    assert changes(values, turned(plane, 12.5, (plane.ra, plane.dec))) == {"wwt.rotation": 42.5}
    of_scale = {"wwt.base_degrees_per_tile"} | ({"wwt.offset_x", "wwt.offset_y"} if values is TILED else set())
    assert set(changes(values, scaled(plane, 1.1, (plane.ra, plane.dec)))) == of_scale
    assert all(len(repr(value)) < 14 for value in changes(values, scaled(plane, 1.1, middle)).values())


@pytest.mark.parametrize("values", [UNTILED, TILED])
def test_a_scaled_draft_has_its_corners_where_the_scaled_plane_has_them(values):
    plane = plane_of(values, SIZE)
    there = scaled(plane, 1.25, plane.sky(350, 250))
    drawn = after(values, there)
    assert all(apart(drawn.sky(*corner), there.sky(*corner)) < 1e-2 * there.scale for corner in CORNERS)


def test_digits_that_were_typed_stay_where_nothing_moved():
    values = {**UNTILED, "wwt.center_x": 150.1234567890123, "wwt.center_y": -20.9876543210987}
    plane = plane_of(values)
    assert changes(values, turned(plane, 5, (plane.ra, plane.dec))) == {"wwt.rotation": 35.0}


def test_tiles_are_not_mirrored():
    with pytest.raises(SourceError, match="mirrored tiles"):
        changes(TILED, mirrored(plane_of(TILED), (150, 20)))


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf, 1e9])
def test_a_scale_that_makes_no_sense_is_refused(factor):
    with pytest.raises(SourceError, match="degree"):
        scaled(plane_of(UNTILED), factor, (150, 20))


def test_a_place_on_the_other_side_of_the_sky_is_refused():
    for change in (lambda: scaled(plane_of(UNTILED), 1.1, (330, -20)), lambda: mirrored(plane_of(UNTILED), (330, -20))):
        with pytest.raises(SourceError, match="other side"):
            change()


@pytest.mark.parametrize("width_factor", [1, 2])
def test_wide_tiles_are_scaled_on_the_plane_and_keep_their_projection_center(width_factor):
    size = (1000, 700)
    values = Plane(150, 20, 410, 280, 0.04, 30).tiled(size, width_factor)
    plane = plane_of(values, size)
    about = plane.sky(100, 600)
    there = plane_of({**values, **changes(values, scaled(plane_of(values), 1.5, about))}, size)
    assert there.scale == pytest.approx(0.06, rel=1e-9)
    assert (there.x, there.y) == pytest.approx((410, 280), abs=1e-3)
    assert apart(there.sky(100, 600), about) < 1e-3 * there.scale


@pytest.mark.parametrize("projection", ["Tan", "SkyImage"])
@pytest.mark.parametrize("width_factor", [1, 2])
def test_a_negative_size_is_made_positive_where_the_engine_draws_the_image(projection, width_factor):
    values = {
        **(Plane(150, 20, 310, 280, 0.001, 30).tiled(SIZE, width_factor) if projection == "Tan" else UNTILED),
        "wwt.rotation": 170.0,
    }
    values["wwt.base_degrees_per_tile"] *= -1
    mended = {**values, **without_negative_base(values)}
    x, y = np.array([0.0, 700, 0, 300]), np.array([0.0, 0, 500, 200])
    both = [
        drawn({path.removeprefix("wwt."): each for path, each in it.items()}, SIZE, x, y) for it in (values, mended)
    ]
    assert mended["wwt.base_degrees_per_tile"] > 0 and np.abs(both[0] - both[1]).max() < 1e-12


def test_where_a_negative_size_puts_other_projections_is_not_known():
    for projection in ("Mercator", "Equirectangular", "Plotted"):
        assert without_negative_base(TILED | {"wwt.projection": projection, "wwt.base_degrees_per_tile": -1.0}) == {}
