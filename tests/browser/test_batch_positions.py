"""Positions of a table's images in the page: found by stars, shown on the sky, accepted by keyboard, undone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect
from solving.skies import Sky

from browser.accessible import load_axe, violations
from browser.lab import Lab
from constellations_widgets import Sandbox
from constellations_widgets.geometry.plane import Plane

SKY = Sky(Plane(202.47, 47.2, 500, 400, 0.004, 30), (1000, 800), seed=5)
CELL = """
import constellations_widgets as cxw
client = cxw.Constellations({url!r}, auth={token!r})
batch = cxw.BatchPublisher("unplaced", client, {handle!r}, probe=False)
batch
"""
NARROW = "it => new Promise((done) => { const look = () => (it.clientWidth < 420 ? done() : setTimeout(look, 50)); look(); })"


def test_positions_of_a_folder_are_found_shown_accepted_and_undone(lab: Lab, index_folder: Path):
    pictures = lab.server.root / "unplaced"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir()
    SKY.save(pictures / "stars.jpg")
    Image.new("RGB", (400, 300), "navy").save(pictures / "navy.png")
    with Sandbox() as box:
        notebook = lab.open_notebook([CELL.format(url=box.api_url, token=box.token(), handle=box.handle)])
        notebook.run_all()
        output, page = notebook.output(0), notebook.page
        batch = output.locator(".cxw-batch")
        section = batch.get_by_role("region", name="Positions")
        section.get_by_label("Width (optional)").fill("4°")
        section.get_by_label("Near (optional)").fill("M 51")
        start = section.get_by_role("button", name="Find positions of 2 images")
        start.focus()
        page.keyboard.press("Enter")
        expect(section.get_by_role("button", name="Cancel")).to_be_focused()
        expect(section.get_by_text("1 of 2 images found.")).to_be_visible(timeout=90_000)
        stars, navy = (section.get_by_role("listitem", name=name) for name in ("stars", "navy"))
        expect(stars).to_contain_text(re.compile(r"Matched stars\d+ of \d+ detected.*Residual.*Confidencehigh"))
        expect(navy).to_contain_text("stars were detected")
        expect(section.get_by_role("list", name="Results")).to_be_focused()
        assert notebook.evaluate("batch.drafts[1].wwt.center_x") is None

        section.get_by_role("button", name="Show next on the sky").focus()
        page.keyboard.press("Enter")
        marks = output.locator(".cxw-solution circle.cxw-there")
        expect(marks.nth(20)).to_be_attached(timeout=60_000)
        load_axe(page)
        try:
            for theme in ("light", "dark"):
                lab.theme(theme)
                assert violations(output, colors_only=theme == "dark") == [], theme
                notebook.screenshot(f"batch-positions-{theme}", output)
            lab.command("application:toggle-left-area")
            page.set_viewport_size({"width": 476, "height": 844})
            batch.evaluate(NARROW)
            parts = batch.locator(".cxw-positions, .cxw-positions-list")
            assert parts.evaluate_all("all => all.every((it) => it.scrollWidth <= it.clientWidth)")
            notebook.screenshot("batch-positions-phone", output)
        finally:
            lab.theme("light")
            page.set_viewport_size({"width": 1400, "height": 900})

        stars.get_by_role("button", name="Accept").focus()
        page.keyboard.press("Enter")
        expect(stars.get_by_text(re.compile(r"Placed by \d+ stars"))).to_be_visible()
        expect(marks).to_have_count(0)
        assert notebook.evaluate("[round(batch.drafts[1].wwt.base_degrees_per_tile, 5), len(batch.drafts)]") == [
            0.004,
            2,
        ]
        batch.get_by_role("button", name="Undo: Position of 1 image").click()
        expect(stars.get_by_role("button", name="Accept")).to_be_visible()
        assert notebook.evaluate("batch.drafts[1].wwt.center_x") is None
        stars.get_by_role("button", name="Discard").click()
        expect(stars).to_have_count(0)
        expect(start).to_be_visible()
        section.get_by_role("button", name="Close sky").click()
        expect(output.locator(".cxw-solution")).to_have_count(0)
