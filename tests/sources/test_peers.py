"""Beside others on the same input: where they agree with us, and where ours is right and theirs is not, with the reason.

What is right is what astropy's WCS says of the pixels of the picture, but for AVM, where it is what the standard says.

=====================================  =================  =========  ==========================================================
input                                  who                agree      reason where not
=====================================  =================  =========  ==========================================================
CD, CDELT with PC, both parities       wwt_data_formats   yes
CDELT with CROTA2                      wwt_data_formats   no         knows no CROTA: the image lies unturned
pixels wider than high                 wwt_data_formats   no         takes up to 5 % in silence; ours fits and tells, or refuses
SIP distortion                         wwt_data_formats   refuses    ours fits it and tells the error
TPV distortion                         wwt_data_formats   no         leaves the distortion away, in silence
B1950 coordinates                      wwt_data_formats   no         takes them for J2000: half a degree off
LONPOLE, the pole itself               wwt_data_formats   no         looks at neither: the image lies turned
tiled placement                        toasty             no         writes the size as scale times pixels; WWT takes it for an angle
AVM of the picture's own size          pyavm              yes
AVM of a WCS turned by pyavm           pyavm              no         writes both scales with the opposite sign, and reads no sign
AVM of another size, Scale             pyavm              no         moves the reference pixel by half a pixel's difference
AVM of another size, CDMatrix          pyavm              no         leaves the matrix as it was: wrong scale
=====================================  =================  =========  ==========================================================

The last two are tested in `test_picture.py`, beside our own reading of the same files.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyavm
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from sources.headers import SIP, SIZE, beside, header
from wwt_data_formats.imageset import ImageSet

from constellations_widgets.errors import SourceError
from constellations_widgets.geometry.plane import plane_of
from constellations_widgets.sources.picture import read_picture
from constellations_widgets.sources.placing import plane_of_wcs


def top_down(given: fits.Header) -> fits.Header:
    """The same for a picture whose rows count from the top, as wwt_data_formats wants it."""
    turned = given.copy()
    turned["CRPIX2"] = SIZE[1] + 1 - given["CRPIX2"]
    for card in ("CD1_2", "CD2_2", "PC1_2", "PC2_1"):
        if card in turned:
            turned[card] *= -1
    if "CDELT2" in turned:
        turned["CDELT2"] *= -1
    return turned


def theirs(given: fits.Header) -> WCS:
    """What wwt_data_formats makes of a header, as a WCS again."""
    peer = ImageSet()
    peer.set_position_from_wcs(top_down(given), *SIZE)
    values = {
        f"wwt.{name}": getattr(peer, name) for name in ("center_x", "center_y", "offset_x", "offset_y", "bottoms_up")
    }
    values |= {"wwt.rotation": peer.rotation_deg, "wwt.base_degrees_per_tile": peer.base_degrees_per_tile}
    return WCS(fits.Header(plane_of(values | {"wwt.projection": "SkyImage", "wwt.tile_levels": 0}).cards()))


def ours(given: fits.Header) -> tuple[WCS, tuple[str, ...]]:
    plane, remarks, warning = plane_of_wcs(WCS(given), SIZE, "a test", tolerance=10)
    return WCS(fits.Header(plane.cards())), (*remarks, warning) if warning else remarks


TPV = {"PV1_1": 1.0, "PV1_7": 0.5, "PV2_1": 1.0, "CRPIX1": 200.0, "CRPIX2": 150.0}


@pytest.mark.parametrize("parity", [1, -1])
@pytest.mark.parametrize("form", ["CD", "PC"])
def test_wwt_data_formats_agrees_on_plain_headers(form, parity):
    given = header(turn=25.0, parity=parity, form=form)
    assert beside(ours(given)[0], WCS(given)) < 1e-6
    assert beside(theirs(given), WCS(given)) < 1e-6


@pytest.mark.parametrize(
    ("given", "off_by", "ours_off_by", "told"),
    [
        (header(turn=25.0, form="CROTA"), 10.0, 1e-6, False),
        (header(CD1_1=-0.00103), 5.0, 4.0, True),
        (header(kind="TPV", **TPV), 3.0, 3.0, True),
        (header(RADESYS="FK4", EQUINOX=1950.0), 100.0, 1e-2, True),
        (header(LONPOLE=150.0), 10.0, 1e-6, False),
        (header(dec=90.0), 10.0, 1e-6, False),
    ],
    ids=["CROTA2", "not square", "TPV", "B1950", "LONPOLE", "the pole"],
)
def test_wwt_data_formats_is_wrong_in_silence_where_ours_is_right_or_tells(given, off_by, ours_off_by, told):
    placed, remarks = ours(given)
    assert beside(placed, WCS(given)) <= ours_off_by
    assert len(remarks) == told and all("off by at most" in remark for remark in remarks)
    assert beside(theirs(given), WCS(given)) > off_by


def test_sip_is_refused_by_wwt_data_formats_and_fitted_by_ours():
    given = header(crpix=(200.0, 150.0), **SIP)
    with pytest.raises(ValueError, match="equatorial/TAN"):
        theirs(given)
    placed, [remark] = ours(given)
    assert beside(placed, WCS(given)) < 1 and "SIP distortion" in remark


@pytest.mark.parametrize("size", [(700, 401), (513, 300), (256, 257)])
def test_toastys_builder_agrees_on_tiles_but_for_what_their_size_means(tmp_path, size):
    from toasty.builder import Builder
    from toasty.image import Image
    from toasty.pyramid import PyramidIO

    given = header(turn=25.0)
    image = Image.from_array(np.zeros((size[1], size[0], 3), "uint8"), wcs=WCS(given))
    image.ensure_negative_parity()
    builder = Builder(PyramidIO(str(tmp_path), default_format="png"))
    builder.prepare_study_tiling(image)
    builder.apply_wcs_info(image.wcs, image.width, image.height)
    values: dict[str, Any] = plane_of_wcs(WCS(given), size, "a test")[0].tiled(size)
    half = math.radians(values["wwt.base_degrees_per_tile"]) / 2
    for name in ("base_degrees_per_tile", "offset_x", "offset_y"):
        values[f"wwt.{name}"] *= math.tan(half) / half
    for name in ("center_x", "center_y", "offset_x", "offset_y", "base_degrees_per_tile", "tile_levels"):
        assert values[f"wwt.{name}"] == pytest.approx(getattr(builder.imgset, name), rel=1e-9, abs=1e-12), name
    assert values["wwt.rotation"] == pytest.approx(builder.imgset.rotation_deg)


@pytest.mark.filterwarnings("ignore:Spatial.Equinox")
@pytest.mark.parametrize(("turn", "off_by"), [(0.0, 0.0), (25.0, 800.0), (-25.0, 0.0)])
def test_pyavm_agrees_on_a_picture_of_its_own_size_unless_it_wrote_half_a_turn(tmp_path, turn, off_by):
    given = header(turn=turn)
    avm = pyavm.AVM.from_wcs(WCS(given), shape=SIZE[::-1])
    Image.new("RGB", SIZE).save(tmp_path / "plain.jpg")
    avm.embed(str(tmp_path / "plain.jpg"), str(tmp_path / "m51.jpg"))
    placed = plane_of(read_picture(tmp_path / "m51.jpg").values)
    assert beside(WCS(fits.Header(placed.cards())), WCS(given)) < 1e-5
    assert beside(avm.to_wcs(target_shape=SIZE), WCS(given)) == pytest.approx(off_by, abs=100 if off_by else 1e-5)


def test_what_no_plane_comes_close_to_is_refused_and_not_drawn_in_the_wrong_place():
    with pytest.raises(SourceError, match="not square"):
        plane_of_wcs(WCS(header(CD1_1=-0.00104)), SIZE, "a test")
    assert beside(theirs(header(CD1_1=-0.00104)), WCS(header(CD1_1=-0.00104))) > 10
