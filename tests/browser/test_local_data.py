"""Images from the kernel's disk: FITS with a stretch, pyramids that come whole, files that vanish and come back."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS
from playwright.sync_api import Locator, Page, expect

from browser.frame_log import picture, watch_frames
from browser.marked_fits import NOTHING, make_color_fits, make_fits, tile_fits
from browser.marked_image import make_wcs, positions, sky_to_pixel
from browser.on_sky import SMALL_PIXEL, camera
from browser.screenshots import pixels
from browser.test_live_edits import load_afresh, shown_alone
from browser.test_preview import Shown, untiled
from constellations_widgets import ImageDraft, Preview
from constellations_widgets.widgets.preview.image_files import ImageFiles

SKY = 40  # what is darker is the sky behind the image


def at(element: Locator, shown: np.ndarray, position: tuple[float, float]) -> np.ndarray:
    """The color of the sky at RA and Dec."""
    x, y = sky_to_pixel(*position, camera(element))
    return shown[int(y), int(x)].astype(int)


def worst_of_white(element: Locator, shown: np.ndarray, wcs: WCS) -> float:
    """How far, in pixels, the white marks are from where `wcs`, for rows from the top, puts them."""
    white, view = shown.min(axis=2) > 240, camera(element)
    distances = []
    for name, position in positions(wcs).items():
        x, y = sky_to_pixel(*position, view)
        top, left = max(int(y) - 30, 0), max(int(x) - 30, 0)
        rows, columns = np.nonzero(white[top : top + 60, left : left + 60])
        if name == NOTHING:
            assert not len(rows)
        else:
            distances.append(math.dist((left + columns.mean() + 0.5, top + rows.mean() + 0.5), (x, y)))
    return max(distances)


def see(element: Locator) -> np.ndarray:
    """The sky, once it is as the controls say."""
    expect(element).to_have_attribute("data-cxw-preview-state", "shown", timeout=180_000)
    return picture(element)


def turned(it: Shown, rotation: float) -> np.ndarray:
    """The sky after this edit of the draft."""
    it.draft.wwt.rotation = rotation
    return picture(it.up_to_date())


def test_a_fits_file_is_stretched_and_colored_where_its_wcs_says(page: Page, tmp_path: Path):
    draft = ImageDraft.from_fits(make_fits(tmp_path / "marked.fits"), autosave=False)
    with shown_alone(page, draft) as it:
        element = it.up_to_date()
        watch_frames(element)
        # The picture that is to be uploaded.
        assert worst_of_white(element, picture(element), make_wcs()) < SMALL_PIXEL

        stretch, colors = element.get_by_label("Stretch"), element.get_by_label("Colors")
        assert "Constellations stores no stretch" in stretch.get_attribute("title")
        ground = tuple(map(float, make_wcs().wcs_pix2world(350, 120, 0)))
        levels = {}
        for choice in ("linear", "log", "power", "sqrt", "equalized"):
            stretch.select_option(choice)
            if choice == "linear":  # the others keep them
                element.get_by_label("Low cut").fill("100")
                element.get_by_label("High cut").fill("1000")
            shown = see(element)
            if choice != "equalized":  # then nearly everything is nearly white
                assert worst_of_white(element, shown, make_wcs()) < SMALL_PIXEL, choice
            assert at(element, shown, positions(make_wcs())[NOTHING]).max() < SKY  # there are no values there
            levels[choice] = int(at(element, shown, ground).mean())
        pixels(element, save="preview-fits")
        assert levels.pop("equalized") > 200  # nine tenths of the pixels are not brighter
        assert levels == pytest.approx({"linear": 64, "log": 193, "power": 16, "sqrt": 128}, abs=3)

        colors.select_option("viridis")
        assert at(element, see(element), positions(make_wcs())["lime"]) == pytest.approx([253, 231, 37], abs=3)
        colors.select_option("gray")
        stretch.select_option("linear")
        moved = turned(it, 75)
        assert worst_of_white(element, moved, make_wcs(rotation=75)) < SMALL_PIXEL
        load_afresh(element)
        assert np.abs(moved.astype(int) - picture(element)).max() <= 2
        assert draft.wwt.file_type == ".png"

        stretch.select_option("picture")
        assert worst_of_white(element, see(element), make_wcs(rotation=75)) < SMALL_PIXEL
        assert not element.get_by_label("Colors").is_visible()


def test_a_fits_file_in_color_is_a_picture_where_its_wcs_says(page: Page, tmp_path: Path):
    with shown_alone(page, ImageDraft.from_fits(make_color_fits(tmp_path / "marked.fit"), autosave=False)) as it:
        assert it.worst_error() < SMALL_PIXEL
        for control in ("Stretch", "Colors", "Low cut", "High cut"):
            expect(it.element.get_by_label(control)).to_be_hidden()
        pixels(it.element, save="preview-color-fits")


def test_fits_tiles_are_stretched_and_colored_where_their_wcs_says(page: Page, tmp_path: Path):
    folder = tile_fits(tmp_path / "tiles")
    with shown_alone(page, ImageDraft.from_wtml(folder, autosave=False)) as it:
        element = it.up_to_date()
        watch_frames(element)
        cut = re.search(r'PixelCutHigh="([\d.]+)"', (folder / "index_rel.wtml").read_text())[1]
        assert element.get_by_label("High cut").get_attribute("placeholder") == cut
        element.get_by_label("High cut").fill("1000")
        element.get_by_label("Colors").select_option("gray")
        element.get_by_label("Stretch").select_option("sqrt")
        shown = see(element)
        assert worst_of_white(element, shown, make_wcs()) < SMALL_PIXEL
        assert at(element, shown, positions(make_wcs())[NOTHING]).max() < SKY
        moved = turned(it, 75)
        assert worst_of_white(element, moved, make_wcs(rotation=75)) < SMALL_PIXEL
        load_afresh(element)
        assert np.abs(moved.astype(int) - picture(element)).max() <= 2


def test_a_small_pyramid_comes_whole_and_each_file_of_it_once_a_page(
    page: Page, tiles: Path, monkeypatch: pytest.MonkeyPatch
):
    reads, answers = [], []

    def noted(log: list[str], of: type, name: str, note: Any) -> None:
        method = getattr(of, name)

        def noting(self: Any, argument: Any) -> Any:
            log.append(note(argument))
            return method(self, argument)

        monkeypatch.setattr(of, name, noting)

    noted(reads, ImageFiles, "read", str)
    noted(answers, Preview, "_files", lambda _request: "files")
    noted(answers, Preview, "_all_files", lambda _request: "whole")
    draft = ImageDraft.from_wtml(tiles, autosave=False)
    with shown_alone(page, draft, another := Preview(draft, height="300px")) as it:
        element = it.up_to_date()
        files = sorted(path.relative_to(tiles).as_posix() for path in tiles.rglob("*.png"))
        assert sorted(reads) == files
        assert set(answers) == {"whole"}
        before = list(answers)
        load_afresh(element)
        below = it.frame.locator(".cxw-preview").last
        below.scroll_into_view_if_needed()
        assert Shown(another, it.frame, 1).worst_error() < SMALL_PIXEL
        assert (sorted(reads), answers) == (files, before)


def gone(it: Shown, name: str) -> Locator:
    """Wait for the words that `name` is gone, after an edit of the draft."""
    it.draft.wwt.rotation += 1
    words = it.element.get_by_text(f"{name} no longer exists on the kernel's disk")
    expect(words).to_be_visible()
    return words


def test_a_file_that_vanishes_is_said_and_the_picture_comes_back_with_it(page: Page, image: Path, tmp_path: Path):
    path = Path(shutil.copy(image, tmp_path / "here.png"))
    draft = untiled(path)
    with shown_alone(page, draft) as it:
        again = it.up_to_date().get_by_role("button", name="Retry")
        expect(again).to_be_hidden()

        path.unlink()
        words = gone(it, "here.png")
        assert it.worst_error(rotation=31) < SMALL_PIXEL  # what is there stays, and moves
        shutil.copy(image, path)
        again.click()
        expect(words).to_have_count(0)
        expect(again).to_be_hidden()
        assert it.worst_error(rotation=31) < SMALL_PIXEL

    path.unlink()
    with shown_alone(page, draft) as it:  # a preview that never had it
        expect(it.element).to_have_attribute("data-cxw-preview-state", "failed", timeout=180_000)
        expect(it.element.get_by_text("here.png no longer exists on the kernel's disk").first).to_be_visible()
        shutil.copy(image, path)
        draft.wwt.rotation = 45.0  # any change of the draft tries again
        assert it.worst_error(rotation=45) < SMALL_PIXEL


def test_a_tile_or_the_folder_that_vanishes_is_said_and_comes_back(
    page: Page, tiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        "constellations_widgets.widgets.preview.image_files._QUICK", 60.0
    )  # however busy this machine is
    folder = Path(shutil.copytree(tiles, tmp_path / "study"))
    with shown_alone(page, ImageDraft.from_wtml(folder, autosave=False)) as it:
        element = it.up_to_date()
        tile = next((folder / "2").rglob("*.png"))
        content = tile.read_bytes()
        tile.unlink()
        words = gone(it, tile.name)
        tile.write_bytes(content)
        element.get_by_role("button", name="Fit to image").click()
        expect(words).to_have_count(0)
        it.up_to_date()

        folder.rename(tmp_path / "elsewhere")
        it.draft.wwt.rotation = 75.0
        words = element.get_by_text("The image's folder no longer exists on the kernel's disk")
        expect(words).to_be_visible()
        assert it.worst_error(rotation=75) < SMALL_PIXEL
        (tmp_path / "elsewhere").rename(folder)
        element.get_by_role("button", name="Retry").click()
        expect(words).to_have_count(0)
        assert it.worst_error(rotation=75) < SMALL_PIXEL
