"""Positions of a table's images in the page: found by stars, shown on the sky, accepted by keyboard, undone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from solving.skies import Sky

from browser.accessible import load_axe, violations
from browser.bare_page import bare_page
from browser.lab import Lab
from browser.on_sky import wait_revision
from browser.screenshots import pixels
from constellations_widgets import BatchPublisher, Constellations
from constellations_widgets.geometry.plane import Plane

DARK = """document.body.dataset.jpThemeLight = "false";
for (const [name, value] of [["layout-color1", "#111"], ["layout-color2", "#222"], ["ui-font-color1", "#eee"], ["ui-font-color2", "#bbb"]])
    document.body.style.setProperty(`--jp-${name}`, value);
document.body.style.background = "#111"; """

SKY = Sky(Plane(202.47, 47.2, 500, 400, 0.004, 30), (1000, 800), seed=5)


@pytest.fixture
def batch(tmp_path: Path, index_folder: Path) -> BatchPublisher:
    """A table of a photograph of stars and of a picture without any."""
    SKY.save(tmp_path / "stars.jpg")
    Image.new("RGB", (400, 300), "navy").save(tmp_path / "navy.png")
    paths = [tmp_path / "navy.png", tmp_path / "stars.jpg"]
    return BatchPublisher(paths, Constellations("http://127.0.0.1:9", "token"), "me", probe=False)


def test_positions_are_found_shown_accepted_and_undone(page: Page, batch: BatchPublisher):
    draft = batch.drafts[1]
    assert batch._row_form.box  # as a notebook shows it
    preview = batch.show_on_sky(1)  # a page of this kind has no widgets that are made later
    page.set_viewport_size({"width": 900, "height": 1500})
    with bare_page(page, batch, preview) as frame:
        table = frame.locator(".cxw-batch")
        section = table.get_by_role("region", name="Positions")
        section.get_by_label("Near (optional)").fill("M 51")
        section.get_by_label("Width (optional)").fill("4°")
        start = section.get_by_role("button", name="Find positions of 2 images")
        start.focus()
        page.keyboard.press("Enter")
        expect(section.get_by_role("button", name="Cancel")).to_be_focused()
        expect(section.get_by_text("1 of 2 images found.")).to_be_visible(timeout=90_000)
        stars, navy = (section.get_by_role("listitem", name=name) for name in ("stars", "navy"))
        expect(stars).to_contain_text(re.compile(r"Matched stars\d+ of \d+ detected.*Residual.*Confidencehigh"))
        expect(navy).to_contain_text("stars were detected")
        expect(section.get_by_role("list", name="Results")).to_be_focused()
        assert draft.wwt.center_x is None

        section.get_by_role("button", name="Show next on the sky").focus()
        page.keyboard.press("Enter")
        wait_revision(frame.locator(".cxw-preview"), preview.revision)
        marks = frame.locator(".cxw-solution circle.cxw-there")
        expect(marks.nth(20)).to_be_attached(timeout=60_000)
        inner = page.frames[1]
        load_axe(inner)
        assert violations(section) == []
        pixels(frame.locator("body"), save="batch-positions")
        inner.evaluate(DARK)
        page.set_viewport_size({"width": 360, "height": 1900})
        expect(section.get_by_role("button", name="Accept 1 shown")).to_be_visible()
        assert violations(section, colors_only=True) == []
        parts = section.locator("xpath=self::* | .//ul")
        assert parts.evaluate_all("all => all.every((it) => it.scrollWidth <= it.clientWidth)")
        pixels(frame.locator("body"), save="batch-positions-narrow-dark")

        stars.get_by_role("button", name="Accept").focus()
        page.keyboard.press("Enter")
        expect(stars.get_by_text(re.compile(r"Placed by \d+ stars"))).to_be_visible()
        expect(marks).to_have_count(0)
        assert round(draft.wwt.base_degrees_per_tile, 5) == 0.004
        table.get_by_role("button", name="Undo: Position of 1 image").click()
        expect(stars.get_by_role("button", name="Accept")).to_be_visible()
        assert draft.wwt.center_x is None
        stars.get_by_role("button", name="Discard").click()
        expect(stars).to_have_count(0)
        expect(start).to_be_visible()


CELL = """
%env ASTROMETRY_INDEX_PATH={folder}
import constellations_widgets as cxw
cxw.BatchPublisher(["stars.jpg"], cxw.Constellations("http://127.0.0.1:9", "token"), "me", probe=False)
"""


def test_in_jupyterlab_a_click_shows_the_image_on_the_sky(lab: Lab, index_folder: Path):
    SKY.save(lab.server.root / "stars.jpg")
    notebook = lab.open_notebook([CELL.format(folder=index_folder)])
    notebook.run_all()
    output = notebook.output(0)
    section = output.get_by_role("region", name="Positions")
    section.get_by_label("Near (optional)").fill("M 51")
    section.get_by_label("Width (optional)").fill("4°")
    section.get_by_role("button", name="Find position of 1 image").click()
    section.get_by_role("button", name="Show on the sky").click(timeout=90_000)
    expect(output.locator(".cxw-solution circle.cxw-there").nth(20)).to_be_attached(timeout=60_000)
    pixels(output, save="batch-positions-jupyterlab")
    section.get_by_role("button", name="Accept 1 shown").click()
    expect(section.get_by_text(re.compile(r"Placed by \d+ stars"))).to_be_visible()
    expect(output.locator(".cxw-preview")).to_have_attribute("data-cxw-preview-state", "shown")
