"""“Find position” in the panel: search, marks on the sky, accept, undo, cancel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect
from solving.skies import Sky

from browser.accessible import load_axe, violations
from browser.form_steps import open_step
from browser.lab import Lab, Notebook
from constellations_widgets.geometry.plane import Plane

SKY = Sky(Plane(202.47, 47.2, 500, 400, 0.004, 30), (1000, 800), seed=5)

NARROW = "it => new Promise((done) => { const look = () => (it.clientWidth < 360 ? done() : setTimeout(look, 50)); look(); })"

CELL = """
import constellations_widgets as cxw
panel = cxw.publish("stars.jpg")
draft = panel.draft
panel
"""


@pytest.fixture(scope="module")
def notebook(lab_of_file: Lab, index_folder: Path) -> Notebook:
    SKY.save(lab_of_file.server.root / "stars.jpg")
    lab_of_file.page.set_viewport_size({"width": 1400, "height": 900})
    notebook = lab_of_file.open_notebook([CELL])
    lab_of_file.command("application:toggle-left-area")
    notebook.run_all()
    return notebook


@pytest.fixture
def panel(notebook: Notebook) -> Locator:
    found = notebook.output(0).locator(".cxw-panel")
    open_step(found.locator(".cxw-form"), "Position on the sky")
    return found


def click(panel: Locator, name: str) -> None:
    panel.get_by_role("button", name=name, exact=True).click()


def test_a_position_is_found_shown_accepted_and_undone(notebook: Notebook, panel: Locator):
    finder = panel.get_by_role("region", name="Find position")
    marks = panel.locator(".cxw-solution circle.cxw-there")
    finder.get_by_label("Near (optional)").fill("13h30m +47d")
    finder.get_by_label("Width (optional)").fill("4°")
    click(finder, "Find position")
    expect(finder.get_by_text("Position found.")).to_be_visible(timeout=90_000)
    expect(finder).to_contain_text(re.compile(r"Matched stars\d+ of \d+ detected.*Confidencehigh"))
    assert notebook.evaluate("draft.wwt.center_x") is None  # nothing is changed
    expect(marks.nth(20)).to_be_attached(timeout=60_000)
    notebook.screenshot("find-position-found", panel)
    click(finder, "Discard")
    expect(marks).to_have_count(0)
    assert notebook.evaluate("draft.wwt.center_x") is None

    # By keyboard alone: the focus goes along.
    finder.get_by_role("button", name="Find position").focus()
    notebook.page.keyboard.press("Enter")
    expect(finder.get_by_role("button", name="Cancel")).to_be_focused()
    expect(finder.get_by_role("button", name="Accept")).to_be_focused(timeout=90_000)
    notebook.page.keyboard.press("Enter")
    expect(finder.get_by_text(re.compile(r"Placed by \d+ stars"))).to_be_visible()
    expect(finder.get_by_role("button", name="Find position")).to_be_focused()
    expect(marks).to_have_count(0)
    expect(panel.get_by_label("Center RA")).to_have_value(re.compile(r"13h 29m 52\.[78]"))
    expect(panel.get_by_label("Pixel scale")).to_have_value(re.compile("14.4"))
    click(finder, "Undo")
    expect(panel.get_by_label("Center RA")).to_have_value("")
    assert notebook.evaluate("draft.wwt.center_x") is None


def test_a_search_can_be_cancelled_and_a_wrong_hint_is_named(panel: Locator):
    finder = panel.get_by_role("region", name="Find position")
    finder.get_by_label("Near (optional)").fill("Nowhere Nebula")
    click(finder, "Find position")
    expect(finder.get_by_text("nor the name of one object")).to_be_visible()
    finder.get_by_label("Near (optional)").fill("10d -30d")  # elsewhere: all attempts are made
    finder.get_by_label("Width (optional)").fill("1°")
    click(finder, "Find position")
    click(finder, "Cancel")
    expect(finder.get_by_role("button", name="Find position")).to_be_visible()
    expect(finder.get_by_text("Messier, NGC")).to_have_count(0)


def test_index_files_and_the_service_are_offered_with_what_they_cost(notebook: Notebook, panel: Locator):
    finder = panel.get_by_role("region", name="Find position")
    finder.get_by_label("Near (optional)").fill("M 51")
    finder.get_by_label("Width (optional)").fill("12'")
    click(finder, "Find position")
    expect(finder.get_by_text("none that is 0.13° to 0.3° wide")).to_be_visible(timeout=90_000)
    expect(
        finder.get_by_text(re.compile(r"2 index files of astrometry\.net .* from portal\.nersc\.gov to"))
    ).to_be_visible()
    expect(finder.get_by_role("button", name=re.compile(r"Download \d+ MB"))).to_be_enabled()
    finder.get_by_text("Let nova.astrometry.net search").click()
    expect(finder.get_by_text("and not the image")).to_be_visible()
    search = finder.get_by_role("button", name="Send and search")
    expect(search).to_be_disabled()
    finder.get_by_label("Your key there").fill("a-key")
    expect(search).to_be_enabled()
    notebook.screenshot("find-position-offers", panel)
    load_axe(notebook.page)
    try:
        notebook.lab.theme("dark")
        notebook.page.set_viewport_size({"width": 400, "height": 844})
        finder.evaluate(NARROW)
        assert finder.evaluate("it => it.scrollWidth - it.clientWidth") <= 0
        assert violations(notebook.output(0)) == []
        notebook.screenshot("find-position-phone-dark", finder)
    finally:
        notebook.lab.theme("light")
        notebook.page.set_viewport_size({"width": 1400, "height": 900})
