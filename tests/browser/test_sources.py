"""Twelve headers of all forms: the marks of the picture are on the sky where astropy says, in one file and in tiles."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from playwright.sync_api import Page
from sources.headers import SIP, header

import constellations_widgets as cxw
from browser.bare_page import bare_page
from browser.frame_log import picture, watch_frames
from browser.marked_image import HEIGHT, MARKS, SIDE, WIDTH, find_marks, sky_to_pixel
from browser.on_sky import SMALL_PIXEL, camera, look, wait_revision
from constellations_widgets.geometry.plane import Plane
from constellations_widgets.sources.placing import plane_of_wcs

SIZE = (WIDTH, HEIGHT)
MIDDLE = (WIDTH / 2 + 0.5, HEIGHT / 2 + 0.5)
HEADERS = {
    "CD": header(turn=25, crpix=(310.5, 280.5)),
    "CD, mirrored": header(turn=25, parity=-1, crpix=(310.5, 280.5)),
    "PC": header(ra=83.8, dec=-5.4, turn=-70, form="PC", crpix=(100.2, 300.7)),
    "PC, mirrored": header(ra=83.8, dec=-5.4, turn=140, form="PC", parity=-1, crpix=(-200.0, 250.0)),
    "CROTA": header(ra=359.9999, dec=41.3, turn=33, form="CROTA", crpix=(400.0, 100.0), RADESYS="FK5"),
    "CROTA, mirrored": header(ra=0.0001, dec=-41.3, turn=200, form="CROTA", parity=-1, crpix=(350.0, 250.0)),
    "the north pole": header(ra=0.0, dec=90.0, turn=10, crpix=(200.0, 250.0)),
    "the north pole, mirrored": header(ra=120.0, dec=90.0, parity=-1, crpix=(500.0, 250.0)),
    "near the south pole": header(ra=200.0, dec=-89.9, turn=-120, crpix=(350.0, 400.0)),
    "the south pole, mirrored": header(ra=33.0, dec=-90.0, turn=60, parity=-1, crpix=(350.0, 400.0)),
    "galactic": header(ra=30.0, dec=5.0, turn=15, crpix=MIDDLE, CTYPE1="GLON-TAN", CTYPE2="GLAT-TAN"),
    "SIP, mirrored": header(turn=15, parity=-1, crpix=MIDDLE, **SIP | {"A_2_0": 1e-6, "B_0_2": -1e-6}),
}  # fmt: skip
PLANES = {name: plane_of_wcs(WCS(given), SIZE, name)[0] for name, given in HEADERS.items()}


def small_preview(page: Page, draft: cxw.ImageDraft) -> cxw.Preview:
    page.set_viewport_size({"width": 500, "height": 450})  # software WebGL pays by the pixel
    return cxw.Preview(draft, height="300px")


def error_of(preview: cxw.Preview, element, name: str, plane: Plane) -> float:
    """By how many pixels of the screen the worst mark is beside the place that astropy gives it."""
    element = wait_revision(element, preview.revision)
    watch_frames(element)
    look(element, *plane.sky(WIDTH / 2, HEIGHT / 2), 1.0)
    found, at = find_marks(picture(element)), camera(element)
    assert len(found) == 4, f"{name}: only {', '.join(found)}"
    errors = []
    for mark, (_, (left, top)) in MARKS.items():
        x, y = left + (SIDE - 1) / 2, HEIGHT - 1 - (top + (SIDE - 1) / 2)
        place: SkyCoord = WCS(HEADERS[name]).pixel_to_world(x, y).icrs
        errors.append(math.dist(found[mark], sky_to_pixel(place.ra.deg, place.dec.deg, at)))
    return max(errors)


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
def test_one_file_lies_where_astropy_says_for_headers_of_all_forms(page: Page, image: Path):
    draft = cxw.ImageDraft.from_image(image, wcs=WCS(HEADERS["CD"]), autosave=False)
    preview = small_preview(page, draft)
    with bare_page(page, preview) as frame:
        errors = {}
        for name, given in HEADERS.items():
            draft.update(cxw.ImageDraft.from_image(image, wcs=WCS(given), autosave=False).values)
            errors[name] = error_of(preview, frame.locator(".cxw-preview"), name, PLANES[name])
    assert len(errors) == 12 and {name: error for name, error in errors.items() if error > SMALL_PIXEL} == {}


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
@pytest.mark.parametrize("mirrored", [False, True], ids=["as seen", "mirrored"])
def test_tiles_lie_where_astropy_says_for_headers_of_all_forms(page: Page, image: Path, tmp_path: Path, mirrored: bool):
    names = [name for name, plane in PLANES.items() if plane.mirrored == mirrored]
    tiles = cxw.tile(image, tmp_path / "tiles", wcs=fits.Header(HEADERS[names[0]])).result(120)
    draft = cxw.ImageDraft.from_wtml(tiles, autosave=False)
    preview = small_preview(page, draft)
    with bare_page(page, preview) as frame:
        errors = {}
        for name in names:
            plane = PLANES[name]
            draft.update((plane.upside_down(HEIGHT) if mirrored else plane).tiled(SIZE))
            errors[name] = error_of(preview, frame.locator(".cxw-preview"), name, plane)
    assert len(errors) == 6 and {name: error for name, error in errors.items() if error > SMALL_PIXEL} == {}
