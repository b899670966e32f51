"""Two people in one notebook, with jupyter-collaboration: one draft, one image, and the receipt in both pages."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect
from python_packages import COLLABORATION, environment, installed

from browser.conftest import SLOW_DISPLAY
from browser.form_steps import field
from browser.lab import Lab, LabServer, Notebook
from browser.test_panel import CELL, COMPLETE

SNAPSHOT = "path = await panel.preview.snapshot('view.png', width=256)"
CLICK_AT = "(button, time) => void setTimeout(() => button.click(), Math.max(0, time - Date.now()))"


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    folder = installed("jupyter-collaboration-5", COLLABORATION)
    server = LabServer(tmp_path_factory.mktemp("shared"), environment(folder))
    yield server
    server.stop()


@pytest.fixture
def other_context(chromium: Browser) -> Iterator[BrowserContext]:
    """The other person's browser: it shares nothing with the first."""
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    context.set_default_timeout(120_000)
    context.add_init_script(SLOW_DISPLAY)
    yield context
    context.close()


def trust(notebook: Notebook) -> None:
    notebook._call("void jupyterapp.commands.execute('notebook:trust');")
    notebook.page.get_by_role("dialog").get_by_role("button", name="Trust").click()


def test_two_people_edit_one_draft_and_publish_it_once(
    shared_server: LabServer, browser_context: BrowserContext, other_context: BrowserContext, image: Path
):
    (shared_server.root / "marked.png").write_bytes(image.read_bytes())
    lab, other_lab = (Lab(shared_server, context.new_page()) for context in (browser_context, other_context))
    mine = lab.open_notebook([CELL, SNAPSHOT], name="shared.ipynb")
    other_lab.page.goto(other_lab.address("shared.ipynb"))
    theirs = Notebook(other_lab, "shared.ipynb")
    panels = [notebook.output(0).locator(".cxw-panel") for notebook in (mine, theirs)]

    mine.run_cell(0)
    # JupyterLab trusts the outputs of cells that one has run oneself: until then there is a picture, and what to do.
    expect(theirs.output(0).get_by_text("trust the notebook instead")).to_be_visible()
    trust(theirs)
    for panel in panels:
        expect(panel.locator(".cxw-preview")).to_have_attribute("data-cxw-preview-state", "shown")

    _type_together(panels)
    mine.execute(COMPLETE)
    panels[1].get_by_role("button", name="Review and publish").click()
    reviews = [panel.get_by_role("dialog", name="Review") for panel in panels]
    for review in reviews:
        expect(review).to_contain_text(
            "Signed in as sandbox in this notebook’s kernel: that account publishes, whoever"
        )
        review.get_by_role("checkbox").check()
    theirs.screenshot("collaboration-review", panels[1])
    both_at = 1000 * time.time() + 500
    for review in reviews:
        review.get_by_role("button", name="Publish anyway").evaluate(CLICK_AT, both_at)
    on_server = "[it.id for page in box.client().handle_images(box.handle) for it in page]"
    assert [receipt_of(panel) for panel in panels] == 2 * mine.evaluate(on_server)
    theirs.screenshot("collaboration-receipt", panels[1])

    mine.run_cell(1)  # one of the two pages sends the picture
    assert (shared_server.root / "view.png").stat().st_size > 1000
    mine.run_cell(0)
    for panel in panels:
        expect(panel.locator(".cxw-published-before")).to_contain_text("You published this file")
    for each in (lab, other_lab):
        assert each.outside_requests == []
        each.page.close()


def _type_together(panels: list[Locator]) -> None:
    """Type into one field in both pages, letter by letter in turn: both end with all that was typed."""
    titles = [field(panel, "Title (public)") for panel in panels]
    titles[0].fill("M 51")
    expect(titles[1]).to_have_value("M 51")
    titles[0].press("End")
    titles[1].press("Home")
    for behind, before in zip(" in red", "Images ", strict=True):
        panels[0].page.keyboard.press(behind)
        panels[1].page.keyboard.press(before)
    for title in titles:
        expect(title).to_have_value("Images M 51 in red")


def receipt_of(panel: Locator) -> str:
    """Return the id of the image in the receipt, once it is there."""
    expect(panel.get_by_role("heading", name="Published")).to_be_visible()
    return panel.locator(".cxw-receipt code").first.inner_text()
