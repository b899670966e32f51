"""Images from the kernel's disk: FITS with a stretch, pyramids that come whole, files that vanish and come back."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS
from browser.frame_log import picture, watch_frames
from browser.lab import Lab, Notebook
from browser.marked_fits import NOTHING, make_fits, tile_fits
from browser.marked_image import make_wcs, positions, sky_to_pixel
from browser.on_sky import SHOW, camera, show, tiled, untiled, wait_shown, worst_error
from browser.test_live_edits import load_afresh
from playwright.sync_api import Locator, expect

SKY = 40  # what is darker is the sky behind the image

COUNT_READS = """
from constellations_widgets.widgets.image_files import ImageFiles
reads, read, answers = [], ImageFiles.read, []
def counted(self, path):
    reads.append(path)
    return read(self, path)
ImageFiles.read = counted
import constellations_widgets.widgets.preview as module
for name in ("_files", "_whole"):
    def answer(self, request, name=name, method=getattr(module.Preview, name)):
        answers.append(name)
        return method(self, request)
    setattr(module.Preview, name, answer)
"""


def at(element: Locator, shown: np.ndarray, position: tuple[float, float]) -> np.ndarray:
    """The colour of the sky at RA and Dec."""
    x, y = sky_to_pixel(*position, camera(element))
    return shown[int(y), int(x)].astype(int)


def worst_of_white(element: Locator, shown: np.ndarray, wcs: WCS) -> float:
    """How far, in pixels, the white marks are from where `wcs`, for rows from the top, puts them."""
    white = shown.min(axis=2) > 240
    distances = []
    for name, position in positions(wcs).items():
        x, y = sky_to_pixel(*position, camera(element))
        top, left = max(int(y) - 30, 0), max(int(x) - 30, 0)
        rows, columns = np.nonzero(white[top : top + 60, left : left + 60])
        if name == NOTHING:
            assert not len(rows)
        else:
            distances.append(math.dist((left + columns.mean() + 0.5, top + rows.mean() + 0.5), (x, y)))
    return max(distances)


def see(element: Locator) -> np.ndarray:
    """The sky, once it is as the controls say."""
    expect(element).to_have_attribute("data-cxw-preview-state", "shown", timeout=60_000)
    return picture(element)


def test_a_fits_file_is_stretched_and_coloured_where_its_wcs_says(lab: Lab, tmp_path: Path):
    path = make_fits(tmp_path / "marked.fits")
    notebook = show(lab, f"draft = cxw.ImageDraft.from_fits({str(path)!r}, autosave=False)")
    element = wait_shown(notebook)
    watch_frames(element)
    assert worst_of_white(element, picture(element), make_wcs()) < 1  # the picture that is to be uploaded

    stretch, colours = element.get_by_label("Stretch"), element.get_by_label("Colours")
    assert "Constellations keeps no stretch" in stretch.get_attribute("title")
    ground = tuple(map(float, make_wcs().wcs_pix2world(350, 120, 0)))
    levels = {}
    for choice in ("linear", "log", "power", "sqrt", "equalised"):
        stretch.select_option(choice)
        expect(element.get_by_label("Darkest")).to_be_visible()
        element.get_by_label("Darkest").fill("100")
        element.get_by_label("Brightest").fill("1000")
        shown = see(element)
        if choice != "equalised":  # then nearly everything is nearly white
            assert worst_of_white(element, shown, make_wcs()) < 1, choice
        assert at(element, shown, positions(make_wcs())[NOTHING]).max() < SKY  # there are no values there
        levels[choice] = int(at(element, shown, ground).mean())
    notebook.screenshot("preview-fits", element)
    assert levels.pop("equalised") > 200  # nine tenths of the pixels are not brighter
    assert levels == pytest.approx({"linear": 64, "log": 193, "power": 16, "sqrt": 128}, abs=3)

    colours.select_option("viridis")
    assert at(element, see(element), positions(make_wcs())["lime"]) == pytest.approx([253, 231, 37], abs=3)
    colours.select_option("gray")
    stretch.select_option("linear")
    notebook.execute("draft.wwt.rotation = 75")
    wait_shown(notebook)
    assert worst_of_white(element, see(element), make_wcs(rotation=75)) < 1
    moved = see(element)
    load_afresh(element)
    assert np.abs(moved.astype(int) - picture(element)).max() <= 2
    assert notebook.evaluate("draft.wwt.file_type") == ".png"

    stretch.select_option("picture")
    assert worst_of_white(element, see(element), make_wcs(rotation=75)) < 1
    assert not element.get_by_label("Colours").is_visible()
    assert lab.console_errors == []


def test_fits_tiles_are_stretched_and_coloured_where_their_wcs_says(lab: Lab, tmp_path: Path):
    folder = tile_fits(tmp_path / "tiles")
    notebook = show(lab, tiled(folder))
    element = wait_shown(notebook)
    watch_frames(element)
    cut = re.search(r'PixelCutHigh="([\d.]+)"', (folder / "index_rel.wtml").read_text())[1]
    assert element.get_by_label("Brightest").get_attribute("placeholder") == cut
    element.get_by_label("Brightest").fill("1000")
    element.get_by_label("Colours").select_option("gray")
    element.get_by_label("Stretch").select_option("sqrt")
    assert worst_of_white(element, see(element), make_wcs()) < 1
    assert at(element, see(element), positions(make_wcs())[NOTHING]).max() < SKY
    notebook.execute("draft.wwt.rotation = 75")
    wait_shown(notebook)
    moved = see(element)
    assert worst_of_white(element, moved, make_wcs(rotation=75)) < 1
    load_afresh(element)
    assert np.abs(moved.astype(int) - picture(element)).max() <= 2


def test_a_small_pyramid_comes_whole_and_each_file_of_it_once_a_page(lab: Lab, tiles: Path):
    cells = [COUNT_READS + SHOW.format(draft=tiled(tiles)), "another = cxw.Preview(draft, height='300px')\nanother"]
    notebook = lab.open_notebook(cells)
    notebook.run_cell(0)
    element = wait_shown(notebook)
    files = sorted(path.relative_to(tiles).as_posix() for path in tiles.rglob("*.png"))
    assert notebook.evaluate("sorted(reads)") == files
    answers = notebook.evaluate("answers")
    assert set(answers) == {"_whole"}
    load_afresh(element)
    notebook.run_cell(1)
    notebook.output(1).locator(".cxw-preview").scroll_into_view_if_needed()
    expect(notebook.output(1).locator(".cxw-preview")).to_have_attribute(
        "data-cxw-preview-state", "shown", timeout=60_000
    )
    assert notebook.evaluate("answers") == answers


def gone(notebook: Notebook, element: Locator, name: str) -> Locator:
    """Wait for the words that `name` is gone, after an edit of the draft."""
    notebook.execute("draft.wwt.rotation = draft.wwt.rotation + 1")
    words = element.get_by_text(f"{name} is gone from the kernel's disk")
    expect(words).to_be_visible()
    return words


def test_a_file_that_vanishes_is_said_and_the_picture_comes_back_with_it(lab: Lab, image: Path, tmp_path: Path):
    path = Path(shutil.copy(image, tmp_path / "here.png"))
    notebook = show(lab, untiled(path))
    element = wait_shown(notebook)
    again = element.get_by_role("button", name="Try again")
    expect(again).to_be_hidden()

    path.unlink()
    words = gone(notebook, element, "here.png")
    assert worst_error(wait_shown(notebook), make_wcs(rotation=31)) < 1  # what is there stays, and moves
    shutil.copy(image, path)
    again.click()
    expect(words).to_have_count(0)
    expect(again).to_be_hidden()
    assert worst_error(wait_shown(notebook), make_wcs(rotation=31)) < 1

    path.unlink()
    notebook.run_all()  # a preview that never had it
    element = notebook.output(0).locator(".cxw-preview")
    expect(element).to_have_attribute("data-cxw-preview-state", "failed", timeout=60_000)
    expect(element.get_by_text("here.png is gone from the kernel's disk").first).to_be_visible()
    shutil.copy(image, path)
    notebook.execute("draft.wwt.rotation = 45.0")  # any change of the draft tries again
    assert worst_error(wait_shown(notebook), make_wcs(rotation=45)) < 1


def test_a_tile_or_the_folder_that_vanishes_is_said_and_comes_back(lab: Lab, tiles: Path, tmp_path: Path):
    folder = Path(shutil.copytree(tiles, tmp_path / "study"))
    notebook = show(lab, tiled(folder))
    element = wait_shown(notebook)
    tile = next((folder / "2").rglob("*.png"))
    content = tile.read_bytes()
    tile.unlink()
    words = gone(notebook, element, tile.name)
    tile.write_bytes(content)
    element.get_by_role("button", name="Go to image").click()
    expect(words).to_have_count(0)
    wait_shown(notebook)

    folder.rename(tmp_path / "elsewhere")
    notebook.execute("draft.wwt.rotation = 75.0")
    words = element.get_by_text("The folder of the image is gone from the kernel's disk")
    expect(words).to_be_visible()
    assert worst_error(wait_shown(notebook), make_wcs(rotation=75)) < 1.5
    (tmp_path / "elsewhere").rename(folder)
    element.get_by_role("button", name="Try again").click()
    expect(words).to_have_count(0)
    assert worst_error(wait_shown(notebook), make_wcs(rotation=75)) < 1.5
