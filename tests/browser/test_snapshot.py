"""What a live preview in JupyterLab is saved as: pictures that Python waits for, and pages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from browser.lab import Lab, Notebook
from browser.marked_image import find_marks, make_wcs, positions, sky_to_pixel
from browser.on_sky import SHOW, camera, tiled, wait_shown

WIDTH = 2048


@pytest.fixture(scope="module")
def notebook(lab_of_file: Lab, tiles: Path) -> Iterator[Notebook]:
    cells = [
        SHOW.format(draft=tiled(tiles)),
        f'saved = await preview.snapshot("plain.png", width={WIDTH})',
        f'saved = await preview.snapshot("drawn.png", width={WIDTH}, grid=True, scale_bar=True, compass=True)',
        "hidden = cxw.Preview(draft)",
        'try:\n    await hidden.snapshot("none.png")\nexcept cxw.ConstellationsError as error:\n    message = str(error)',
        'try:\n    await preview.snapshot("late.png", timeout=0.001)\nexcept cxw.ConstellationsError as error:\n    message = str(error)',
    ]
    yield lab_of_file.open_notebook(cells)
    assert lab_of_file.console_errors == []


def test_a_snapshot_has_the_marks_in_their_places_in_its_own_resolution(notebook: Notebook):
    notebook.run_cell(0)
    element = wait_shown(notebook)
    before = camera(element)
    notebook.run_cell(1)
    picture = np.asarray(Image.open(notebook.path.parent / "plain.png").convert("RGB"))
    height = round(WIDTH * before["height"] / before["width"])
    assert picture.shape[1] == WIDTH and abs(picture.shape[0] - height) <= 1
    view = before | {"width": picture.shape[1], "height": picture.shape[0]}
    found = find_marks(picture)
    assert len(found) == 4
    for name, position in positions(make_wcs()).items():
        assert math.dist(found[name], sky_to_pixel(*position, view)) < 2
    after = camera(element)
    assert all(math.isclose(after[name], before[name], abs_tol=1e-6) for name in before)
    assert element.locator("iframe").evaluate("(it) => it.style.cssText") == ""


def test_grid_scale_bar_and_compass_are_drawn_on_it(notebook: Notebook):
    notebook.run_cell(2)
    folder = notebook.path.parent
    plain, drawn = (np.asarray(Image.open(folder / f"{name}.png").convert("L"), int) for name in ("plain", "drawn"))
    changed = np.abs(drawn - plain) > 40
    height, width = changed.shape
    assert changed[: height // 4, -width // 8 :].sum() > 500  # the compass
    assert changed[-height // 8 :, -width // 3 :].sum() > 500  # the scale bar
    assert changed[height // 3 : height // 2, : width // 2].sum() > 500  # lines of the grid


def test_the_page_is_saved_beside_the_notebook_and_overwrites_nothing(notebook: Notebook):
    element = notebook.output(0).locator(".cxw-preview")
    folder, before = notebook.path.parent, set(notebook.path.parent.glob("*.html"))
    notebook.execute("draft._name = 'Four <b>marks'")
    for name in ("four-b-marks.html", "four-b-marks-2.html"):
        element.get_by_role("button", name="Save as HTML").click()
        expect(element.locator(".cxw-preview-note")).to_contain_text(f"Saved as {folder / name}")
    pages = set(folder.glob("*.html")) - before
    assert {page.name for page in pages} == {"four-b-marks.html", "four-b-marks-2.html"}
    assert all("cxw-preview" in page.read_text("utf-8") for page in pages)


def test_without_a_page_or_in_too_short_a_time_the_error_says_so(notebook: Notebook):
    notebook.run_cell(3)
    notebook.run_cell(4)
    assert "No page shows this preview" in notebook.evaluate("message")
    notebook.run_cell(5)
    assert "within 0.001 s" in notebook.evaluate("message")
    assert not notebook.evaluate("__import__('os').path.exists('late.png')")
