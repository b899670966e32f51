"""From a WCS to what WWT can draw, as astropy itself sees it; and what it can't draw, with the error that is left."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sources.headers import SIP, SIZE, beside, header
from wwt_data_formats.imageset import ImageSet

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.geometry.engine import displacement
from constellations_widgets.geometry.fitting import TOLERANCE, UNSEEN
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.geometry.sphere import separation
from constellations_widgets.sources.placing import _as_it_is, plane_of_wcs

HEADERS = st.builds(
    header,
    ra=st.one_of(st.floats(0, 359.999), st.sampled_from([0.0, 1e-9, 359.999999])),
    dec=st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 89.99999])),
    scale=st.floats(1e-6, 3e-4),  # above, the reference pixels below are so far away that the plane is moved
    turn=st.floats(-180, 180),
    parity=st.sampled_from([1, -1]),
    crpix=st.tuples(st.floats(-500, 900), st.floats(-500, 900)),
    form=st.sampled_from(["CD", "PC", "CROTA"]),
    RADESYS=st.sampled_from(["ICRS", "FK5"]),
)


@settings(max_examples=200)
@given(HEADERS, st.booleans())
def test_a_tan_header_comes_back_from_a_draft_as_it_was(given_header, tiled):
    wcs = WCS(given_header)
    plane, remarks, _ = plane_of_wcs(wcs, SIZE, "a test")
    if tiled and plane.mirrored:
        plane, flipped = plane.upside_down(SIZE[1]), True
    else:
        flipped = False
    values = plane.tiled(SIZE) if tiled else plane.untiled()
    back = plane_of(values, SIZE)
    back = back.upside_down(SIZE[1]) if flipped else back
    assert remarks == ()
    assert beside(WCS(fits.Header(back.cards())), wcs) < UNSEEN  # of FK5, where it is to be seen, the frame is fitted


@settings(max_examples=50)
@given(HEADERS, st.tuples(st.floats(0, 400), st.floats(0, 300)))
def test_the_sky_of_a_pixel_is_where_astropy_says(given_header, pixel):
    plane, *_ = plane_of_wcs(WCS(given_header), SIZE, "a test")
    place: SkyCoord = WCS(given_header).pixel_to_world(pixel[0] - 0.5, pixel[1] - 0.5).icrs
    assert SkyCoord(*plane.sky(*pixel), unit="deg").separation(place).deg < UNSEEN * plane.scale


# -- a reference pixel far from the image: the engine draws the image elsewhere


@pytest.mark.parametrize(("far", "off_by"), [(1.0, 2.2), (2.0, 17.5), (-2.0, 17.5), (10.0, 2170.0)])
def test_the_plane_of_a_far_reference_pixel_is_moved_to_the_image(far, off_by):
    given_header = header(scale=0.25 / 3600, turn=30.0, crpix=(-far * 14400, 130.0))
    wcs = WCS(given_header)
    as_written, _ = _as_it_is(wcs, SIZE)
    middle = as_written.on_plane(200, 150)
    assert float(displacement(*middle, middle)) / as_written.scale == pytest.approx(off_by, rel=0.05)
    plane, remarks, warning = plane_of_wcs(wcs, SIZE, "m51.fits")
    assert separation((plane.ra, plane.dec), plane.sky(200, 150)) < 0.02
    error = beside(WCS(fits.Header(plane.cards())), wcs)
    if error <= UNSEEN:
        assert (remarks, warning) == ((), "")
        return
    [said] = remarks or [warning]
    assert "m51.fits has its reference pixel" in said and "degrees from its middle" in said
    assert error <= float(said.rpartition("at most ")[2].split()[0])
    assert bool(warning) == (error > TOLERANCE)


def test_a_far_reference_pixel_is_refused_only_where_the_error_is_large_for_the_image():
    given_header = header(scale=0.05, crpix=(-800.0, 150.0))
    with pytest.raises(SourceError, match="reference pixel .* off by up to") as caught:
        plane_of_wcs(WCS(given_header), SIZE, "m51.fits")
    tolerance = int(str(caught.value).rpartition("tolerance=")[2])
    plane, remarks, warning = plane_of_wcs(WCS(given_header), SIZE, "m51.fits", tolerance=tolerance)
    assert plane.scale > 0 and remarks == () and "off by at most" in warning


def test_an_error_that_is_accepted_is_a_warning_until_the_placement_is_changed():
    given_header = header(crpix=(200, 150), CDELT1=None, **{"CD1_1": -0.00102})
    del given_header["CDELT1"]
    draft = ImageDraft.from_fits(given_header, shape=SIZE[::-1], tolerance=5, autosave=False)
    [problem] = [problem for problem in draft.problems if problem.code == "CXW909"]
    assert problem.severity == "warning" and re.search(r"not square .* off by at most [\d.]+ pixels", problem.message)
    draft.wwt.rotation = 12.0
    assert not [problem for problem in draft.problems if problem.code == "CXW909"]


def test_a_reference_pixel_in_the_corner_of_a_small_image_stays_where_it_is():
    plane, remarks, _ = plane_of_wcs(WCS(header(scale=2e-4, crpix=(0.5, 0.5))), SIZE, "m51.fits")
    assert (plane.ra, plane.dec, plane.x, plane.y, remarks) == (10.0, 20.0, 0.0, 0.0, ())


def test_fk5_is_not_taken_for_icrs_where_pixels_are_small():
    wcs = WCS(header(scale=1e-5, RADESYS="FK5", EQUINOX=2000.0))
    plane, remarks, _ = plane_of_wcs(wcs, SIZE, "hubble.fits")
    assert remarks == () and beside(WCS(fits.Header(plane.cards())), wcs) < 2e-3
    assert separation((plane.ra, plane.dec), (10.0, 20.0)) / 1e-5 > 0.5  # pixels between the two frames


# -- against peers


@settings(max_examples=50)
@given(HEADERS.filter(lambda given_header: given_header["RADESYS"] == "ICRS"))
def test_agrees_with_wwt_data_formats_on_the_header_of_the_picture(given_header):
    """For a CD matrix and away from the pole; for the rest see `test_peers.py`."""
    wcs, height = WCS(given_header), SIZE[1]
    assume(abs(given_header["CRVAL2"]) < 89.9)
    (xx, xy), (yx, yy) = wcs.pixel_scale_matrix
    top_down = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": given_header["CRVAL1"], "CRVAL2": given_header["CRVAL2"],
        "CRPIX1": given_header["CRPIX1"], "CRPIX2": height + 1 - given_header["CRPIX2"],
        "CD1_1": xx, "CD1_2": -xy, "CD2_1": yx, "CD2_2": -yy,
    }  # fmt: skip
    peer = ImageSet()
    peer.set_position_from_wcs(top_down, *SIZE)
    ours = plane_of_wcs(wcs, SIZE, "a test")[0].untiled()
    assert ours["wwt.bottoms_up"] is bool(peer.bottoms_up)
    assert math.isclose(math.remainder(ours["wwt.rotation"] - peer.rotation_deg, 360), 0, abs_tol=1e-9)
    for name in ("center_x", "center_y", "base_degrees_per_tile", "offset_x", "offset_y"):
        assert ours[f"wwt.{name}"] == pytest.approx(getattr(peer, name), rel=1e-12, abs=1e-9)


# -- what WWT can't draw as it is

CLOSE = {
    "galactic": (header(CTYPE1="GLON-TAN", CTYPE2="GLAT-TAN", RADESYS=None), "galactic coordinates"),
    "ecliptic": (header(CTYPE1="ELON-TAN", CTYPE2="ELAT-TAN"), "ecliptic coordinates"),
    "supergalactic": (header(CTYPE1="SLON-TAN", CTYPE2="SLAT-TAN"), "supergalactic coordinates"),
    "B1950": (header(RADESYS="FK4", EQUINOX=1950.0), "coordinates of FK4 1950"),
    "an old FK5": (header(RADESYS="FK5", EQUINOX=1975.0), "coordinates of FK5 1975"),
    "SIN": (header(kind="SIN", crpix=(200, 150)), "the projection SIN"),
    "CAR": (header(kind="CAR", crpix=(200, 150), dec=0.0), "the projection CAR"),
    "SIP": (header(crpix=(200, 150), **SIP), "SIP distortion"),
    "not square": (header(form="PC", CDELT2=0.001002), "pixels that are not square"),
    "sheared": (header(CD1_2=1e-6), "a shear of"),
    "not square at the pole": (header(dec=90.0, form="PC", CDELT2=0.001002), "pixels that are not square (0.998004 times"),
}  # fmt: skip


@pytest.mark.parametrize(("given_header", "reason"), CLOSE.values(), ids=CLOSE.keys())
def test_what_wwt_cannot_draw_is_fitted_and_the_largest_error_is_told(given_header, reason):
    given_header.remove("RADESYS", ignore_missing=True) if given_header["RADESYS"] is None else None
    wcs = WCS(given_header)
    plane, remarks, _ = plane_of_wcs(wcs, SIZE, "m51.fits")
    error = beside(WCS(fits.Header(plane.cards())), wcs)
    assert error < 1
    [remark] = remarks
    assert f"m51.fits has {reason}" in remark and "off by at most" in remark
    assert float(remark.rpartition("at most ")[2].split()[0]) == pytest.approx(error, rel=0.3, abs=0.002)


@pytest.mark.parametrize(
    "given_header",
    [
        header(LONPOLE=150.0),
        header(dec=90.0),
        header(dec=-90.0, parity=-1),
        header(CTYPE1="DEC--TAN", CTYPE2="RA---TAN", CRVAL1=20.0, CRVAL2=10.0),
    ],
    ids=["a pole turned", "north pole", "south pole", "axes exchanged"],
)
def test_what_is_only_written_in_another_way_is_placed_exactly_and_nothing_has_to_be_said(given_header):
    wcs = WCS(given_header)
    plane, remarks, _ = plane_of_wcs(wcs, SIZE, "m51.fits")
    assert remarks == () and beside(WCS(fits.Header(plane.cards())), wcs) < 1e-6


FAR = {
    "SIN": (header(kind="SIN", scale=0.05, crpix=(200, 150)), "the projection SIN"),
    "CAR": (header(kind="CAR", dec=0.0, scale=0.05, crpix=(200, 150)), "the projection CAR"),
    "galactic SIN": (header(scale=0.05, CTYPE1="GLON-SIN", CTYPE2="GLAT-SIN"), "the projection SIN, galactic coordinates"),
    "SIP": (header(**SIP | {"A_2_0": 2e-4}), "SIP distortion"),
    "not square": (header(CD2_2=0.002), "pixels that are not square (0.5 times as wide as high)"),
    "sheared": (header(CD1_2=0.0005), "shear of 50 %"),
}  # fmt: skip


@pytest.mark.parametrize(("given_header", "reason"), FAR.values(), ids=FAR.keys())
def test_what_is_too_far_off_is_refused_with_the_error_and_the_call_that_mends_it(given_header, reason):
    wcs = WCS(given_header)
    with pytest.raises(SourceError, match="off by up to") as caught:
        plane_of_wcs(wcs, SIZE, "m51.fits")
    said = str(caught.value)
    assert reason in said and "reproject_interp(hdu, target" in said
    taken, *_ = plane_of_wcs(wcs, SIZE, "m51.fits", tolerance=int(said.rpartition("tolerance=")[2]))
    assert taken.scale > 0


@pytest.mark.parametrize("name", ["galactic SIN", "SIN"])
def test_the_call_that_is_named_mends_it(name):
    pytest.importorskip("reproject")
    hdu = fits.PrimaryHDU(np.ones(SIZE[::-1]), FAR[name][0])
    with pytest.raises(SourceError, match="Reproject it, and read the result: ") as caught:
        plane_of_wcs(WCS(hdu.header), SIZE, "m51.fits")
    call = str(caught.value).partition("read the result: ")[2].partition(". Or take it")[0]
    names = {"hdu": hdu, "WCS": WCS}
    exec(call, names)
    target, shape, pixels = names["target"], names["shape"], names["pixels"]
    plane, remarks, _ = plane_of_wcs(target, shape[::-1], "the result")
    assert remarks == () and pixels.shape == shape
    assert beside(WCS(fits.Header(plane.cards())), target, shape[::-1]) < 1e-3


@pytest.mark.parametrize(
    ("wcs", "reason"),
    [
        (WCS(naxis=2), "no celestial WCS"),
        (WCS(header(CTYPE1="FREQ", CTYPE2="STOKES")), "no celestial WCS"),
        (WCS(header(CD1_1=0.0, CD1_2=0.0)), "not square|contradicts itself"),
        (WCS(header(CRPIX1=1e300)), "not near any picture"),
        (WCS(header(kind="AIT", dec=0.0, scale=1.0, crpix=(200, 150))), "no place on the sky|more of the sky"),
        (WCS(header(kind="CAR", dec=0.0, scale=0.5, crpix=(200, 150))), "more of the sky than one plane"),
        (WCS(header(kind="TPV")), "all pixels the same place"),
        (WCS(header(CTYPE1="HPLN-TAN", CTYPE2="HPLT-TAN")), "can't be turned into RA and Dec.* or place it by hand"),
    ],
)
def test_what_has_no_place_on_one_plane_is_refused_with_the_reason(wcs, reason):
    with pytest.raises(SourceError, match=reason):
        plane_of_wcs(wcs, SIZE, "a test")


def test_a_draft_whose_placement_is_not_complete_has_no_plane():
    values = Plane(10, 20, 200, 150, 0.001, 5).untiled()
    for change in (
        {"wwt.center_x": None},
        {"wwt.base_degrees_per_tile": 0},
        {"wwt.tile_levels": 99},
        {"wwt.rotation": "x"},
    ):
        with pytest.raises(SourceError, match="not complete"):
            plane_of(values | change)
    with pytest.raises(SourceError, match="'Toast' is not a plane"):
        plane_of(values | {"wwt.projection": "Toast"})
