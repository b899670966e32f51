"""A position in the numbers that people use: set through geometry, read back the same."""

from __future__ import annotations

import pytest

from constellations_widgets.errors import SourceError
from constellations_widgets.geometry.plane import Plane
from constellations_widgets.geometry.position import changes_for, position_of

SIZE = (1600, 1200)
UNTILED = Plane(202.47, 47.195, 800, 600, 0.0001, 17, False).untiled()
CUTOUT = Plane(202.47, 47.195, -2000, 5000, 0.0001, 17, False).untiled()  # the tangent point is far outside
MIRRORED = Plane(202.47, 89.7, 700, 900, 0.0001, -120, True).untiled()  # close to the pole
TILED = Plane(10.0, -30.0, 0, 0, 0.0001, 17, False).tiled(SIZE)


@pytest.mark.parametrize("values", [UNTILED, CUTOUT, MIRRORED, TILED], ids=["untiled", "cutout", "mirrored", "tiled"])
@pytest.mark.parametrize(
    ("name", "typed", "changed"),
    [("ra", "13:30:00", {"ra": 202.5}), ("dec", "47° 12′ N", {"dec": 47.2}), ("dec", "13h30m0s -47d12m", {"ra": 202.5, "dec": -47.2}),
     ("width", "12'", {"width": 0.2}), ("pixel", "0.72 arcsec", {"pixel": 0.0002}), ("rotation", "−20°", {"rotation": -20})],
)  # fmt: skip
def test_a_number_that_is_set_is_read_back_and_the_others_stay(values, name, typed, changed):
    before = position_of(values, SIZE)
    after = position_of(values | changes_for(values, SIZE, name, typed), SIZE)
    assert before is not None and after is not None
    pixel = after.pixel
    for number in ("ra", "dec", "rotation"):
        wanted = changed.get(number, getattr(before, number))
        assert abs((getattr(after, number) - wanted + 180) % 360 - 180) < max(
            pixel, 0.01 if number == "rotation" else 0
        ), number
    assert after.mirrored == before.mirrored
    if name in ("width", "pixel"):
        assert getattr(after, name) == pytest.approx(changed[name], rel=1e-4)
    else:
        assert after.pixel == pytest.approx(before.pixel, rel=1e-9)


def test_mirroring_keeps_the_middle():
    after = position_of(CUTOUT | changes_for(CUTOUT, SIZE, "mirrored", True), SIZE)
    before = position_of(CUTOUT, SIZE)
    assert after.mirrored and (after.ra, after.dec) == pytest.approx((before.ra, before.dec), abs=1e-6)
    assert changes_for(CUTOUT, SIZE, "mirrored", False) == {}


def test_an_image_without_a_placement_gets_one_step_by_step():
    values: dict = {"wwt.width_factor": 2, "wwt.bottoms_up": False}
    for name, typed in (("ra", "10h00m12s +20d10m"), ("rotation", "12"), ("width", "10'")):
        assert position_of(values, SIZE) is None
        values |= changes_for(values, SIZE, name, typed)
    found = position_of(values, SIZE)
    assert (found.ra, found.dec, found.rotation) == pytest.approx((150.05, 20.1666667, 12), abs=1e-6)
    assert found.width == pytest.approx(1 / 6, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "typed", "reason"),
    [("dec", "202.47", "between −90 and"), ("ra", "400", "between 0 and 360"), ("ra", "M 51", "not a right ascension"), ("width", "0", "greater than 0"),
     ("pixel", "2°", "at most 1 degree"), ("rotation", "north", "not an angle")],
)  # fmt: skip
def test_what_can_not_be_is_refused_in_words(name, typed, reason):
    with pytest.raises(SourceError, match=reason):
        changes_for(UNTILED, SIZE, name, typed)


def test_without_a_size_the_pixel_scale_is_asked_for():
    assert position_of(UNTILED, None).width is None
    with pytest.raises(SourceError, match="pixel scale"):
        changes_for(UNTILED, None, "width", "10'")
