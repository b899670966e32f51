"""Placement by hand: a center and a scale, or stars."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.io.fits import Header
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.geometry.fitting import gnomonic
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.sources.manual_placement import plane_by_hand, plane_of_stars
from constellations_widgets.sources.reading import ParsedImage

SIZE = (400, 300)
PLANES = st.builds(
    Plane,
    ra=st.floats(0, 359.999),
    dec=st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0])),
    x=st.just(200.0),
    y=st.just(150.0),
    scale=st.floats(1e-5, 0.05),
    rotation=st.floats(-180, 180),
    mirrored=st.booleans(),
)


def beside(one: Plane, other: Plane) -> float:
    """By how many pixels the corners of two planes differ at most."""
    corners = [(x, y) for x in (0, SIZE[0]) for y in (0, SIZE[1])]
    places = [SkyCoord([plane.sky(*corner) for corner in corners], unit="deg") for plane in (one, other)]
    return float(places[0].separation(places[1]).deg.max()) / other.scale


def star(plane: Plane, x: float, y: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """As a user clicks it, from the upper left corner."""
    return (x, y), plane.sky(x, SIZE[1] - y)


@given(PLANES, st.sampled_from([1, 2, 3]))
def test_stars_solve_the_placement(plane, third):
    stars = [star(plane, 30, 40), star(plane, 350, 260), star(plane, 60, 280)][: max(2, third)]
    parity = (-1 if plane.mirrored else 1) if len(stars) == 2 else None
    found, error = plane_of_stars(stars, SIZE, parity)
    assert found.mirrored == plane.mirrored and error < 1e-5
    assert beside(found, plane) < 1e-4


def test_two_stars_without_a_parity_make_a_picture_as_the_sky_is_seen():
    plane = Plane(202, 47, 200, 150, 0.001, 30, mirrored=True)
    found, error = plane_of_stars([star(plane, 30, 40), star(plane, 350, 260)], SIZE)
    assert not found.mirrored and error < 1e-6


def test_stars_that_do_not_fit_say_by_how_much(tmp_path):
    plane = Plane(202, 47, 200, 150, 0.001, 30)
    stars = [star(plane, 30, 40), star(plane, 350, 260), star(plane, 60, 280)]
    stars[2] = ((63, 276), stars[2][1])
    Image.new("RGB", SIZE).save(tmp_path / "m51.png")
    draft = ImageDraft.from_image(tmp_path / "m51.png", stars=stars, autosave=False)
    [said] = [p.message for p in draft.problems if "stars" in p.message]
    assert 1 < float(said.split("most ")[1].split()[0]) < 4


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_draft_is_aligned_by_two_stars_and_stays_mirrored_or_not(mirrored):
    meant = Plane(202, 47, 200, 150, 0.001, 30, mirrored)
    draft = ImageDraft(ParsedImage(meant.untiled() | {"wwt.center_x": 10.0, "wwt.rotation": 0.0}), autosave=False)
    stars = [star(meant, 30, 40), star(meant, 350, 260)]
    assert draft.align(stars, size=SIZE) < 1e-6
    assert beside(plane_of(draft.values), meant) < 1e-6
    with pytest.raises(SourceError, match="give size="):
        draft.align(stars)


def test_tiles_are_aligned_too():
    size = (1024, 1024)
    meant = Plane(202, 47, 300, 150, 0.001, 30)
    draft = ImageDraft(ParsedImage(meant.tiled(size) | {"wwt.rotation": 0.0}), autosave=False)
    stars = [((x, y), meant.sky(x, 1024 - y)) for x, y in ((30, 40), (900, 800))]
    assert draft.align(stars) < 1e-6
    assert (draft.wwt.projection, draft.wwt.tile_levels, draft.wwt.bottoms_up) == ("Tan", 2, False)
    for star_ in stars:
        found = plane_of(draft.values, size).sky(star_[0][0], 1024 - star_[0][1])
        assert found == pytest.approx(star_[1], abs=1e-9)
    with pytest.raises(
        SourceError, match="size= has 512 × 512 pixels, which need 1 level of tiles, and the draft has 2"
    ):
        draft.align(stars, size=(512, 512))


@pytest.mark.parametrize(
    "stars",
    [
        [],
        [((1, 2), (3, 4))],
        [((1, 2), (3, 4)), ((1, 2), (5, 6))],
        [((1, 2), (3, 4)), ((5, 6), (3, 4))],
        [((1, 2), (0, 0)), ((5, 6), (180, 0))],
        [((1, 2), (3, 400)), ((5, 6), (3, 4))],
        [((1, math.nan), (3, 40)), ((5, 6), (3, 4))],
        [(1, 2), (3, 4)],
        "stars",
        [((1, 2), "not a place"), ((5, 6), (3, 4))],
    ],
)
def test_stars_that_tell_nothing_are_refused(stars):
    with pytest.raises(SourceError):
        plane_of_stars(stars, SIZE)


@given(PLANES)
def test_a_center_by_hand_is_the_middle_and_up_is_where_it_is_said(plane):
    width = math.degrees(2 * math.atan(math.radians(plane.scale * SIZE[0] / 2)))
    parity = -1 if plane.mirrored else 1
    found = plane_by_hand(SIZE, (plane.ra, plane.dec), width=width, rotation=plane.rotation, parity=parity)
    assert beside(found, plane) < 1e-6
    up = gnomonic(*found.sky(200, 151), found.ra, found.dec)
    turned = math.degrees(math.atan2(up.real, up.imag))
    assert math.remainder(turned - plane.rotation, 360) == pytest.approx(0, abs=1e-4)
    right = gnomonic(*found.sky(201, 150), found.ra, found.dec) / up
    assert (right.imag > 0) == (
        not plane.mirrored
    )  # east is left: to the right is clockwise of up, seen with east to the left


def test_a_picture_is_placed_by_hand(tmp_path):
    Image.new("RGB", SIZE).save(tmp_path / "m51.png")
    for placement in (
        {"center": (202.47, 47.2), "width": 0.4},
        {"center": SkyCoord(202.47, 47.2, unit="deg"), "width": 24 * u.arcmin},
        {"center": "13h29m52.8s +47d12m00s", "width": 0.4},
        {"center": "13 29 52.8 +47 12 00", "width": 0.4},
        {"center": "202.47d 47.2d", "pixel_scale": 3.6},
        {"center": "202.47 47.2", "pixel_scale": 3.6},
        {"center": " 202.47, +47.2", "pixel_scale": 3.6},
        {"center": (202.47, 47.2), "pixel_scale": 0.001 * u.deg},
    ):
        draft = ImageDraft.from_image(tmp_path / "m51.png", **placement, rotation=10, parity=-1, autosave=False)
        wwt = draft.wwt
        assert (wwt.center_x, wwt.center_y, wwt.rotation) == pytest.approx((202.47, 47.2, 10))
        assert (wwt.offset_x, wwt.offset_y, wwt.bottoms_up) == (200, 150, True)
        assert wwt.base_degrees_per_tile == pytest.approx(0.001, rel=1e-4)
        header = draft.to_wcs_header()
        middle = WCS(Header(header)).pixel_to_world((SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2)
        assert (middle.ra.deg, middle.dec.deg) == pytest.approx((202.47, 47.2))


@pytest.mark.parametrize(
    "center",
    [
        ("13:29:52.7", "+47:11:43"), ("13h29m52.7s", "47d11m43s"), ["13 29 52.7", "47 11 43"], "13:29:52.7 +47:11:43",
        (202.469583, "47:11:43"), ("202.469583", 47.195278), (Angle("13h29m52.7s"), Angle("47d11m43s")),
    ],
    ids=str,
)  # fmt: skip
def test_a_right_ascension_in_parts_is_hours_alone_and_beside_a_declination(tmp_path, center):
    Image.new("RGB", SIZE).save(tmp_path / "m51.png")
    draft = ImageDraft.from_image(tmp_path / "m51.png", center=center, width=1, autosave=False)
    assert (draft.wwt.center_x, draft.wwt.center_y) == pytest.approx((202.469583, 47.195278), abs=1e-6)
    plane = Plane(202.469583, 47.195278, 200, 150, 0.001, 0)
    found, error = plane_of_stars([((200, 150), center), star(plane, 30, 40)], SIZE)
    assert error < 0.01 and beside(found, plane) < 0.01


@pytest.mark.parametrize(
    ("placement", "message"),
    [
        ({"center": (1, 2)}, "width= in degrees, or pixel_scale="),
        ({"center": (1, 2), "width": 1, "pixel_scale": 1}, "width= in degrees, or pixel_scale="),
        ({"center": (1, 2), "width": -1}, "width= is the angle"),
        ({"center": (1, 2), "width": 200}, "width= is the angle"),
        ({"center": (1, 2), "width": math.nan}, "finite number"),
        ({"center": (1, 2), "width": 1 * u.m}, "width= takes a number"),
        ({"center": (1, 2), "pixel_scale": 0}, "pixel_scale= is the angle"),
        ({"center": (1, 2), "width": 1, "parity": 0}, "parity= is 1"),
        ({"center": (1, 2), "width": 1, "rotation": "up"}, "rotation= takes a number"),
        ({"center": (1, 99), "width": 1}, "declination 99"),
        ({"center": (1, "2h"), "width": 1}, "center= takes .* “2h” is not a declination: write"),
        ({"center": (1, 2, 3), "width": 1}, "center= takes right ascension and declination in degrees"),
        ({"center": "M 51", "width": 1}, "right ascension and declination"),
        ({"center": 5, "width": 1}, "right ascension and declination"),
        ({"width": 1}, "Give center=, the middle"),
        ({"rotation": 1}, "Give center=, the middle"),
        ({"center": (1, 2), "width": 1, "wcs": "a.wcs"}, "Give the place of the picture once"),
    ],
)
def test_half_a_placement_is_refused_with_what_is_missing(tmp_path: Path, placement, message):
    Image.new("RGB", SIZE).save(tmp_path / "m51.png")
    with pytest.raises(SourceError, match=message):
        ImageDraft.from_image(tmp_path / "m51.png", autosave=False, **placement)


def test_a_name_that_from_image_does_not_know_is_an_error(tmp_path):
    with pytest.raises(TypeError, match="takes no 'centre': it takes center"):
        ImageDraft.from_image(tmp_path / "m51.png", centre=(1, 2))


def test_gnomonic_of_the_far_side_is_nowhere():
    assert np.isnan(gnomonic([180.0], [0.0], 0.0, 0.0)).all()
