"""The preview while a cell runs: on ipykernel 7 it goes on, on ipykernel 6 it says that it waits, and goes on afterwards."""

from __future__ import annotations

import time
from pathlib import Path

from astropy.wcs import WCS
from playwright.sync_api import Locator, expect

from browser.form_steps import field
from browser.lab import PATIENCE, Lab, Notebook
from browser.marked_image import make_wcs
from browser.on_sky import tiled, worst_error

MAKE = """
import time
from pathlib import Path
import constellations_widgets as cxw
from IPython.display import display

stop = Path({stop!r})
{draft}
preview, form = cxw.Preview(draft, height="320px"), cxw.ImageForm(draft)
"""
# Cells that run until somebody makes the file.
SLEEPS = "while not stop.exists(): time.sleep(0.05)"
COMPUTES = "while not stop.exists(): sum(range(100_000))"
SENDS = """
while not stop.exists():
    draft.wwt.center_x = 150 if draft.wwt.center_x > 150 else 150 + 1e-7
    time.sleep(0.01)
"""

FETCH = """async (frame, path) => {
    const response = await frame.contentWindow.fetch("http://localhost:1/1/image/" + path);
    return [response.status, (await response.arrayBuffer()).byteLength];
}"""


def open_notebook(lab: Lab, tiles: Path, stop: Path, *cells: str, kernel: str) -> Notebook:
    code = MAKE.format(stop=str(stop), draft=tiled(tiles))
    notebook = lab.open_notebook([code, *cells], kernel=kernel)
    notebook.run_cell(0)
    return notebook


def let_it_end(notebook: Notebook, cell: int, stop: Path) -> None:
    assert notebook.is_running(cell)  # all the time until now
    stop.touch()
    notebook.wait_idle()
    stop.unlink()


def type_rotation(notebook: Notebook, degrees: int) -> None:
    rotation = field(notebook.page.locator(".cxw-form"), "Rotation")
    rotation.fill(str(degrees))
    rotation.blur()


def wait_on_sky(element: Locator, wcs: WCS) -> None:
    element.scroll_into_view_if_needed()  # the field that was typed into may be below
    deadline = time.monotonic() + PATIENCE
    while (error := worst_error(element, wcs)) >= 1:
        element.page.wait_for_timeout(100)
        assert time.monotonic() < deadline, f"{error} pixels from where it should be"


def test_on_ipykernel_7_tiles_load_and_edits_show_while_a_cell_sleeps_computes_or_sends(
    lab: Lab, tiles: Path, tmp_path: Path
):
    stop, tile = tmp_path / "stop", next((tiles / "2").rglob("*.png"))
    shown_and_asleep = f"display(preview, form)\n{SLEEPS}"
    notebook = open_notebook(lab, tiles, stop, shown_and_asleep, COMPUTES, SENDS, kernel="python3")
    assert notebook.evaluate("__import__('ipykernel').version_info[0]") == 7
    element = notebook.page.locator(".cxw-preview")
    for cell, degrees in ((1, 75), (2, -100), (3, 10)):
        notebook.start_cell(cell)
        element.scroll_into_view_if_needed()  # out of sight nothing is drawn
        expect(element).to_have_attribute("data-cxw-preview-state", "shown", timeout=180_000)
        type_rotation(notebook, degrees)
        wait_on_sky(element, make_wcs(rotation=degrees))
        loaded = element.locator("iframe").evaluate(FETCH, tile.relative_to(tiles).as_posix())
        assert loaded == [200, tile.stat().st_size]
        let_it_end(notebook, cell, stop)
    assert lab.console_errors == []


def test_on_ipykernel_6_the_preview_says_that_it_waits_and_goes_on_when_the_cell_ends(
    lab: Lab, tiles: Path, tmp_path: Path
):
    stop = tmp_path / "stop"
    notebook = open_notebook(
        lab, tiles, stop, f"display(preview, form)\n{SLEEPS}", COMPUTES, kernel="python3-ipykernel6"
    )
    assert notebook.evaluate("__import__('ipykernel').version_info[0]") == 6
    element = notebook.page.locator(".cxw-preview")
    waits = element.get_by_role("status").filter(has_text="The kernel is not responding. If it is running another cell")
    notebook.start_cell(1)
    expect(waits).to_be_visible()
    expect(element).to_have_attribute("data-cxw-preview-state", "waiting")
    let_it_end(notebook, 1, stop)
    expect(element).to_have_attribute("data-cxw-preview-state", "shown", timeout=180_000)
    expect(waits).to_have_count(0)
    assert worst_error(element, make_wcs()) < 1

    notebook.start_cell(2)
    type_rotation(notebook, 75)
    expect(notebook.page.locator(".cxw-form").get_by_text("The kernel has not taken your last edits")).to_be_visible()
    let_it_end(notebook, 2, stop)
    wait_on_sky(element, make_wcs(rotation=75))
    assert lab.console_errors == []
