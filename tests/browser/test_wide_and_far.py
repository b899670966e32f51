"""Images for which the size of tiles, the width of the tree or a far projection center decide where the engine draws them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from astropy.wcs import WCS
from PIL import Image
from playwright.sync_api import Page
from sources.headers import header

import constellations_widgets as cxw
from browser.bare_page import bare_page
from browser.frame_log import picture, watch_frames
from browser.marked_image import HEIGHT, MARKS, SIDE, WIDTH, find_marks, sky_to_pixel
from browser.on_sky import SMALL_PIXEL, camera, look, wait_revision

MIDDLE = (WIDTH / 2 + 0.5, HEIGHT / 2 + 0.5)


def wide_header(degrees: float, turn: float):
    """Of an image of so many degrees from left to right, that touches the sky in its middle."""
    scale = math.degrees(2 * math.tan(math.radians(degrees) / 2)) / WIDTH
    return header(ra=150.0, dec=20.0, scale=scale, turn=turn, crpix=MIDDLE)


def error_in(page: Page, draft: cxw.ImageDraft, wcs: WCS, fov: float) -> float:
    """By how many pixels of the screen the worst mark is beside the place that astropy gives it."""
    page.set_viewport_size({"width": 500, "height": 450})  # software WebGL pays by the pixel
    preview = cxw.Preview(draft, height="300px")
    with bare_page(page, preview) as frame:
        element = wait_revision(frame.locator(".cxw-preview"), preview.revision)
        watch_frames(element)
        middle = wcs.pixel_to_world((WIDTH - 1) / 2, (HEIGHT - 1) / 2).icrs
        look(element, middle.ra.deg, middle.dec.deg, fov)
        found, at = find_marks(picture(element)), camera(element)
    assert len(found) == 4
    errors = []
    for mark, (_, (left, top)) in MARKS.items():
        place = wcs.pixel_to_world(left + (SIDE - 1) / 2, HEIGHT - 1 - (top + (SIDE - 1) / 2)).icrs
        errors.append(math.dist(found[mark], sky_to_pixel(place.ra.deg, place.dec.deg, at)))
    return max(errors)


def test_tiles_of_40_degrees_lie_where_astropy_says(page: Page, image: Path, tmp_path: Path):
    wcs = WCS(wide_header(40.0, 20.0))
    tiles = cxw.tile(image, tmp_path / "tiles", wcs=wcs).result(120)
    draft = cxw.ImageDraft.from_wtml(tiles, autosave=False)
    assert not [problem for problem in draft.problems if problem.code == "CXW906"]
    assert error_in(page, draft, wcs, 44.0) <= SMALL_PIXEL


def test_toastys_tiles_of_40_degrees_do_once_their_size_is_converted(page: Page, image: Path, tmp_path: Path):
    wcs = WCS(wide_header(40.0, 20.0))
    tiles = cxw.tile(image, tmp_path / "tiles", wcs=wcs).result(120)
    draft = cxw.ImageDraft.from_wtml(tiles, autosave=False)
    text = draft.to_wtml().replace(' BaseDegreesIs="angle"', "")
    scale, base = abs(wcs.pixel_scale_matrix[1, 1]) / math.cos(math.radians(20.0)), draft.wwt.base_degrees_per_tile
    (tiles / "index_rel.wtml").write_text(
        text.replace(f'BaseDegreesPerTile="{base}"', f'BaseDegreesPerTile="{scale * 1024}"').replace(
            'Url=""', f'Url="{draft.local.template}"'
        )
    )
    draft = cxw.ImageDraft.from_wtml(tiles, autosave=False)
    [doubt] = [problem for problem in draft.problems if problem.code == "CXW906"]
    draft.apply(doubt)
    assert error_in(page, draft, wcs, 44.0) <= SMALL_PIXEL


@pytest.mark.parametrize("degrees", [0.7, 30.0])
def test_a_tree_two_tiles_wide_lies_where_astropy_says(page: Page, image: Path, tmp_path: Path, degrees: float):
    wide, high, levels = 1024, 512, 1
    whole = Image.new("RGBA", (wide, high))
    whole.paste(Image.open(image).convert("RGBA"), ((wide - WIDTH) // 2, (high - HEIGHT) // 2))
    for level in (1, 0):
        part = whole.resize((512 * 2**level, 256 * 2**level))
        for y in range(2**level):
            (tmp_path / f"{level}/{y}").mkdir(parents=True)
            for x in range(2 * 2**level):
                part.crop((256 * x, 256 * y, 256 * x + 256, 256 * y + 256)).save(tmp_path / f"{level}/{y}/{y}_{x}.png")
    wcs = WCS(wide_header(degrees, -35.0))
    scale = math.radians(math.sqrt(abs(wcs.wcs.cd[0, 0] * wcs.wcs.cd[1, 1] - wcs.wcs.cd[0, 1] * wcs.wcs.cd[1, 0])))
    base = math.degrees(2 * math.atan(scale * high / 2))
    (tmp_path / "index_rel.wtml").write_text(
        f'<Folder><ImageSet Name="Two wide" Url="{{1}}/{{3}}/{{3}}_{{2}}.png" BaseDegreesPerTile="{base}" TileLevels="{levels}" '
        'WidthFactor="1" DataSetType="Sky" BandPass="Visible" FileType=".png" BottomsUp="False" Projection="Tan" '
        'CenterX="150" CenterY="20" Rotation="-35" OffsetX="0" OffsetY="0"/></Folder>'
    )
    draft = cxw.ImageDraft.from_wtml(tmp_path, autosave=False)
    draft.wwt.base_degrees_per_tile = base  # what is meant by it is known here
    assert error_in(page, draft, wcs, 1.25 * degrees) <= SMALL_PIXEL


def test_an_image_two_degrees_from_its_reference_pixel_lies_where_astropy_says(page: Page, image: Path):
    wcs = WCS(header(ra=150.0, dec=20.0, scale=0.25 / 3600, turn=10.0, crpix=(-28800.0, 130.0)))
    draft = cxw.ImageDraft.from_image(image, wcs=wcs, autosave=False)
    assert error_in(page, draft, wcs, 0.045) <= SMALL_PIXEL


def test_a_draft_two_degrees_off_lies_right_once_its_problem_is_fixed(page: Page, image: Path):
    given = header(ra=150.0, dec=20.0, scale=0.25 / 3600, turn=10.0, crpix=(-28800.0, 130.0))
    draft = cxw.ImageDraft.from_image(image, wcs=WCS(given), autosave=False)
    draft.update(
        {
            "wwt.center_x": 150.0, "wwt.center_y": 20.0, "wwt.rotation": 10.0, "wwt.base_degrees_per_tile": 0.25 / 3600,
            "wwt.offset_x": -28800.5, "wwt.offset_y": 129.5,
        }
    )  # fmt: skip
    [problem] = [problem for problem in draft.problems if problem.code == "CXW219"]
    assert "4.4" in problem.message or "17" in problem.message or "18" in problem.message
    draft.apply(problem)
    assert not [problem for problem in draft.problems if problem.code == "CXW219"]
    assert error_in(page, draft, WCS(given), 0.045) <= SMALL_PIXEL
