"""From a WCS to WWT's placement fields."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from wwt_data_formats.imageset import ImageSet

from constellations_widgets.errors import SourceError
from constellations_widgets.sources.placing import place_untiled


def tan_wcs(ra=10.0, dec=20.0, scale=0.001, turn=0.0, parity=1, crpix=(50.0, 60.0)) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    wcs.wcs.cd = scale * np.array([[-cos * parity, sin], [sin * parity, cos]])
    wcs.wcs.crpix, wcs.wcs.crval = crpix, (ra, dec)
    wcs.wcs.set()
    return wcs


@given(
    ra=st.floats(0, 359.999),
    dec=st.floats(-90, 90),
    scale=st.floats(1e-6, 0.01),
    turn=st.floats(-179, 179),
    parity=st.sampled_from([1, -1]),
    crpix=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_agrees_with_wwt_data_formats_on_the_header_of_the_picture(ra, dec, scale, turn, parity, crpix):
    height = 300
    wcs = tan_wcs(ra, dec, scale, turn, parity, crpix)
    (xx, xy), (yx, yy) = wcs.pixel_scale_matrix
    top_down = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": ra, "CRVAL2": dec,
        "CRPIX1": crpix[0], "CRPIX2": height + 1 - crpix[1], "CD1_1": xx, "CD1_2": -xy, "CD2_1": yx, "CD2_2": -yy,
    }  # fmt: skip
    peer = ImageSet()
    peer.set_position_from_wcs(top_down, 400, height)
    ours = place_untiled(wcs, "a test")
    assert ours["wwt.bottoms_up"] is bool(peer.bottoms_up)
    assert math.isclose(math.remainder(ours["wwt.rotation"] - peer.rotation_deg, 360), 0, abs_tol=1e-9)
    for ours_name, theirs in (
        ("center_x", peer.center_x),
        ("center_y", peer.center_y),
        ("base_degrees_per_tile", peer.base_degrees_per_tile),
        ("offset_x", peer.offset_x),
        ("offset_y", peer.offset_y),
    ):
        assert ours[f"wwt.{ours_name}"] == pytest.approx(theirs, rel=1e-12, abs=1e-9)


def with_(**keywords) -> WCS:
    wcs = tan_wcs()
    for name, value in keywords.items():
        setattr(wcs.wcs, name, value)
    wcs.wcs.set()
    return wcs


@pytest.mark.parametrize(
    ("wcs", "reason"),
    [
        (WCS(naxis=2), "no celestial WCS"),
        (with_(ctype=["GLON-TAN", "GLAT-TAN"]), "GLON coordinates"),
        (with_(ctype=["RA---SIN", "DEC--SIN"]), "plain TAN"),
        (with_(ctype=["DEC--TAN", "RA---TAN"]), "right ascension along x"),
        (with_(cd=[[-0.001, 0], [0, 0.002]]), "not square"),
        (with_(cd=[[-0.001, 0.0005], [0, 0.001]]), "not square"),
        (with_(radesys="FK4", equinox=1950.0), "FK4 1950"),
    ],
)
def test_what_wwt_cannot_draw_is_refused_with_the_reason(wcs, reason):
    with pytest.raises(SourceError, match=reason):
        place_untiled(wcs, "a test")
