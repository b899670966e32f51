"""What people do with notebooks, and what a preview shows after it: the picture, or a snapshot with a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from browser.lab import Lab, Notebook, pixels
from browser.marked_image import find_marks
from browser.on_sky import SHOW, camera, look, show, sky, tiled, untiled, wait_revision, wait_shown
from playwright.sync_api import Locator, Page, expect

PREVIEW = ".cxw-preview"
COUNT = "preview => preview.querySelectorAll('iframe').length"
LIVE = "() => document.querySelectorAll('.cxw-preview iframe').length"
LOSE = """frame => {
    const canvas = frame.contentDocument.querySelector('canvas');
    (canvas.getContext('webgl2') ?? canvas.getContext('webgl')).getExtension('WEBGL_lose_context').loseContext();
}"""
LOST = """frames => frames.map((frame) => {
    const canvas = frame.contentDocument.querySelector('canvas');
    return (canvas.getContext('webgl2') ?? canvas.getContext('webgl')).isContextLost();
})"""
MANY = """
import constellations_widgets as cxw
from IPython.display import display
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import Reading
{draft}
previews = [cxw.Preview(draft, height="{height}") for _ in range(20)]
for preview in previews:
    display(preview)
"""


def place(element: Locator) -> list[float]:
    """Where the preview looks: right ascension, declination, height of the view in degrees."""
    return [camera(element)[name] for name in ("ra", "dec", "fov")]


def shows_the_image(element: Locator, *, at: list[float] | None = None) -> None:
    """Wait until the image is on the sky, and check that it is seen; and that the view looks where it did, if that is given."""
    element.scroll_into_view_if_needed()
    wait_revision(element, 1)
    if at is not None:
        element.page.wait_for_function(
            "([it, at]) => Math.abs(JSON.parse(it.dataset.cxwCamera).fov - at[2]) < 1e-4",
            arg=[element.element_handle(), at],
        )
        assert place(element) == pytest.approx(at)
    assert len(find_marks(sky(element))) == 4


def picture_of(image: Locator) -> np.ndarray:
    image.scroll_into_view_if_needed()
    return pixels(image)


def test_hiding_moving_splitting_and_showing_twice_end_in_the_picture(lab: Lab, image: Path):
    notebook = lab.open_notebook([SHOW.format(draft=untiled(image)), "1 + 1"])
    notebook.run_all()
    first = notebook.output(0).locator(PREVIEW)
    wait_shown(notebook)
    look(first, 150.02, 20.01, 1.7)
    at = place(first)

    notebook._call("panel.content.activeCellIndex = 0")
    for command in ("notebook:hide-cell-outputs", "notebook:show-cell-outputs"):
        lab.command(command)
    shows_the_image(first, at=at)
    lab.command("launcher:create")
    notebook._call("jupyterapp.shell.activateById(panel.id)")
    shows_the_image(first, at=at)

    lab.command("notebook:move-cell-down")
    moved = notebook.output(1).locator(PREVIEW)
    shows_the_image(moved)
    notebook._call("panel.content.activeCellIndex = 1")
    lab.command("notebook:create-output-view")
    again = lab.page.locator(f".jp-LinkedOutputView {PREVIEW}")
    shows_the_image(again)
    shows_the_image(moved)
    notebook.screenshot("preview-output-view")
    notebook._call("jupyterapp.shell.activateById(panel.id)")
    lab.command("docmanager:clone")
    cloned = lab.page.locator(f".jp-NotebookPanel {PREVIEW}")
    expect(cloned).to_have_count(2)
    shows_the_image(cloned.nth(1))

    notebook.execute("draft.wwt.rotation = 75")
    for element in (again, cloned.nth(0), cloned.nth(1)):
        if element.is_visible():
            wait_revision(element, notebook.evaluate("preview.revision"))
    assert lab.console_errors == []


def test_a_notebook_that_is_reloaded_restarted_saved_and_opened_again(lab: Lab, tiles: Path, page: Page):
    code = f"import constellations_widgets as cxw\n{tiled(tiles)}\npanel = cxw.publish(draft)\npreview = panel.preview\npanel"
    notebook = lab.open_notebook([code])
    notebook.run_all()
    shows_the_image(page.locator(PREVIEW))
    notebook.save()

    page.goto(lab.address(notebook.name))
    notebook = Notebook(lab, notebook.name)
    shows_the_image(page.locator(PREVIEW))  # the kernel lives: no keepsake
    expect(page.get_by_label("Rotation", exact=True)).to_be_editable()

    other = page.context.new_page()
    other.goto(lab.address(notebook.name))
    shows_the_image(other.locator(PREVIEW))
    notebook.execute("draft.wwt.rotation = 75")
    for tab in (page, other):
        tab.bring_to_front()
        tab.locator(PREVIEW).scroll_into_view_if_needed()
        wait_revision(tab.locator(PREVIEW), notebook.evaluate("preview.revision"))
    other.close()

    page.bring_to_front()
    before = sky(page.locator(PREVIEW))
    notebook.save()
    saved = notebook.path.read_text()
    notebook.restart_kernel()
    expect(page.locator(PREVIEW).get_by_role("status").filter(has_text="The kernel does not answer")).to_be_visible()
    assert len(find_marks(sky(page.locator(PREVIEW)))) == 4  # what was on the sky is there still
    notebook.shut_down()

    page.goto(lab.address(notebook.name))
    notebook = Notebook(lab, notebook.name)  # with a fresh kernel
    output = notebook.output(0)
    expect(output.get_by_text("The preview of “Toasty” as it was when this notebook was saved. Run the cell")).to_be_visible()
    expect(output.get_by_text("was not published from here when this notebook was saved")).to_be_visible()
    expect(output.get_by_text("Error displaying widget")).to_have_count(0)
    kept = picture_of(output.locator("img"))
    assert abs(kept.shape[0] / kept.shape[1] - before.shape[0] / before.shape[1]) < 0.05 and len(find_marks(kept)) == 4
    notebook.screenshot("notebook-without-kernel", output)
    assert "_esm" not in saved and saved.count("data:image/jpeg") == 1

    notebook.run_all()
    shows_the_image(page.locator(PREVIEW))
    notebook.save()
    assert notebook.path.read_text().count("data:image/jpeg") == 1


def test_twenty_previews_are_six_alive_and_the_others_wake_when_they_are_seen(lab: Lab, image: Path):
    notebook = lab.open_notebook([MANY.format(draft=untiled(image), height="300px")])
    notebook.run_all()
    page, all_of_them = lab.page, notebook.output(0).locator(PREVIEW)
    expect(all_of_them).to_have_count(20)
    shows_the_image(all_of_them.nth(0))
    look(all_of_them.nth(0), 150.02, 20.01, 1.7)
    at = place(all_of_them.nth(0))
    assert all_of_them.nth(19).evaluate(COUNT) == 0  # never seen, never built
    expect(all_of_them.nth(19)).to_contain_text("starts when this is seen")
    for index in (2, 5, 8, 11, 14, 17, 19):
        shows_the_image(all_of_them.nth(index))
        assert page.evaluate(LIVE) <= 6
    first = all_of_them.nth(0)
    expect(first).to_have_attribute("data-cxw-preview-state", "parked")
    assert first.locator(".cxw-preview-parked img").evaluate("image => image.naturalWidth") > 300
    shows_the_image(first, at=at)
    assert page.evaluate(LIVE) <= 6

    # All of them in one screen: some live, the others show their picture and say how to wake them.
    page.add_style_tag(content=".cxw-preview-toolbar { display: none } .cxw-preview-stage { height: 34px !important }")
    notebook.cell(0).locator(".jp-Cell-inputWrapper").evaluate("it => it.remove()")
    expect(page.locator("[data-cxw-preview-state=shown]")).to_have_count(6)
    expect(page.locator("[data-cxw-preview-state=parked] img:visible")).to_have_count(14)
    notebook.screenshot("twenty-previews")
    parked = page.locator("[data-cxw-preview-state=parked]").first.element_handle()
    parked.query_selector("button.cxw-preview-parked").click()
    page.wait_for_function("it => it.dataset.cxwPreviewState === 'shown'", arg=parked)
    assert page.evaluate(LIVE) == 6
    assert [lost for lost in page.locator(f"{PREVIEW} iframe").evaluate_all(LOST) if lost] == []
    assert lab.console_errors == []


def test_a_preview_whose_graphics_memory_is_taken_away_begins_again_where_it_was(lab: Lab, image: Path):
    element = wait_shown(show(lab, untiled(image)))
    look(element, 150.02, 20.01, 1.7)
    at = place(element)
    for _ in range(2):
        frame = element.locator("iframe").element_handle()
        frame.evaluate(LOSE)
        lab.page.wait_for_function("frame => !frame.isConnected", arg=frame)
        shows_the_image(element, at=at)
    element.locator("iframe").evaluate(LOSE)
    expect(element.get_by_text("takes this preview's graphics memory away again and again")).to_be_visible()
    element.locator("button.cxw-preview-parked").click()
    shows_the_image(element, at=at)


def test_a_policy_that_forbids_the_scripts_is_named(lab: Lab, image: Path):
    notebook = lab.open_notebook([SHOW.format(draft=untiled(image))])
    lab.page.evaluate(
        """() => {
            const meta = document.createElement('meta');
            meta.httpEquiv = 'Content-Security-Policy';
            meta.content = "script-src 'self' 'unsafe-eval' blob:";
            document.head.append(meta);
        }"""
    )
    notebook.run_all()
    element = notebook.output(0).locator(PREVIEW)
    expect(element.get_by_text("its policy (“script-src-elem” in its Content-Security-Policy) forbids")).to_be_visible()
    expect(element).to_have_attribute("data-cxw-preview-state", "failed")
    notebook.screenshot("strict-policy", element)


def test_pages_that_come_and_go_are_known_to_the_kernel(lab: Lab, image: Path):
    notebook = show(lab, untiled(image))
    wait_shown(notebook)
    notebook.execute("earlier = preview")
    notebook.run_all()
    wait_shown(notebook)
    lab.page.wait_for_timeout(300)
    notebook.wait_idle()
    views: list[int] = notebook.evaluate("[len(earlier._views), len(preview._views)]")
    assert views == [0, 1]
    notebook.execute("draft.wwt.rotation = 75")
    assert notebook.evaluate("earlier.revision") == 1
