"""What people do with notebooks, and what a preview shows after it: the picture, or a snapshot with a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from browser import on_sky
from browser.bare_page import bare_page
from browser.form_steps import field
from browser.lab import Lab, Notebook
from browser.marked_image import find_marks, make_wcs
from browser.on_sky import SHOW, camera, marked_draft, sky, tiled, untiled, wait_revision, wait_shown, worst_error
from browser.screenshots import pixels
from browser.watching import WatchedPage
from constellations_widgets import Preview

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
ALL_IN_SIGHT = """page => {
    const style = document.createElement("style");
    style.textContent = ".cxw-preview-toolbar { display: none } .cxw-preview-stage { height: 34px !important }";
    page.append(style);
}"""
EIGHT_IN_SIGHT = """page => {
    const style = document.createElement("style");
    style.textContent = `.cxw-preview-stage { height: 80px !important }`;
    page.append(style);
    for (const preview of [...page.querySelectorAll(".cxw-preview")].slice(8)) preview.style.display = "none";
}"""
SMALL = ViewportSize(
    width=1300, height=800
)  # wide enough for a panel with the sky beside its steps; software WebGL pays by the pixel


_LISTEN = """(it, [ra, fov]) => void (it.cxwTold = new Promise((done) => {
    const degrees = 180 / Math.PI, near = (a, b) => Math.abs(a - b) < 1e-6;
    window.addEventListener("message", function listen({ data }) {
        if (data?.type !== "wwt_view_state" || !near(data.raRad * degrees, ra) || !near(data.fovDeg, fov)) return;
        window.removeEventListener("message", listen);
        done();
    });
}))"""


def place(element: Locator) -> list[float]:
    """Where the preview looks: right ascension, declination, height of the view in degrees."""
    return [camera(element)[name] for name in ("ra", "dec", "fov")]


def look(element: Locator, ra: float, dec: float, fov: float) -> None:
    """Turn the view, and wait until the app has told it, which it does five times a second: a view built anew goes by it."""
    element.evaluate(_LISTEN, [ra, fov])
    on_sky.look(element, ra, dec, fov)
    element.evaluate("it => it.cxwTold")


def shows_the_image(element: Locator, *, at: list[float] | None = None) -> None:
    """Wait until the image is on the sky, and check that it is seen; and that the view looks where it did, if that is given."""
    element.scroll_into_view_if_needed()
    wait_revision(element, 1)
    if at is not None:
        handle = element.element_handle()
        handle.owner_frame().wait_for_function(
            "([it, at]) => Math.abs(JSON.parse(it.dataset.cxwCamera).fov - at[2]) < 1e-4", arg=[handle, at]
        )
        assert place(element) == pytest.approx(at)
    assert len(find_marks(sky(element))) == 4


def reopened(lab: Lab, notebook: Notebook) -> Notebook:
    """Load the page of a saved notebook, with a fresh kernel.

    ipywidgets gives up on what the file holds, without a word, if the kernel's first connection breaks while it is asked for
    its widgets (`restoreWidgets` ignores the error), as happens under load: the page is loaded again then.
    """
    for _ in range(3):
        lab.page.goto(lab.address(notebook.name))
        notebook = Notebook(lab, notebook.name)
        output = notebook.output(0)
        given_up = output.get_by_text("Error displaying widget: model not found")
        expect(output.get_by_text("taken when this notebook was saved").or_(given_up).first).to_be_visible()
        if not given_up.is_visible():
            break
    return notebook


def picture_of(image: Locator) -> np.ndarray:
    image.scroll_into_view_if_needed()
    return pixels(image)


PAGES = "[len(earlier._views), len(preview._views)]"
"""How many pages show the `earlier` preview and how many the present one, as the kernel knows it."""

# Observers are told in the order in which they were made: the preview's own before this one.
_UNSEEN = """(it) => new Promise((done) => {
    const observer = new IntersectionObserver((entries) => {
        if (entries.at(-1).isIntersecting) return;
        observer.disconnect();
        done();
    });
    observer.observe(it);
})"""


def wait_unseen(element: Locator) -> None:
    """Wait until the browser has told a preview that it is out of sight."""
    element.locator(".cxw-preview-stage").evaluate(_UNSEEN)


def test_hiding_moving_splitting_and_showing_twice_end_in_the_picture(lab: Lab, page: Page, image: Path):
    page.set_viewport_size({"width": 1400, "height": 800})  # it is split in three
    notebook = lab.open_notebook([SHOW.format(draft=untiled(image)), "1 + 1"])
    notebook.run_all()
    first = notebook.output(0).locator(PREVIEW)
    wait_shown(notebook)
    look(first, 150.02, 20.01, 1.0)
    at = place(first)

    # JupyterLab takes no key from a control.
    first.get_by_role("button", name="Fit to image").focus()
    for _ in range(3):  # past the buttons that zoom
        page.keyboard.press("ArrowRight")
    slider = first.get_by_role("slider", name="Opacity")
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(slider).to_have_value("99")
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowUp")

    notebook._call("panel.content.activeCellIndex = 0")
    for command in ("notebook:hide-cell-outputs", "notebook:show-cell-outputs"):
        lab.command(command)
    shows_the_image(first, at=at)
    lab.command("launcher:create")
    expect(first).to_be_hidden()
    wait_unseen(first)
    notebook.execute("draft.wwt.rotation = 40")
    notebook.wait_idle()
    page.wait_for_timeout(500)
    assert first.get_attribute("data-cxw-revision") == "1"  # nobody sees it
    notebook._call("jupyterapp.shell.activateById(panel.id)")
    wait_shown(notebook)
    shows_the_image(first, at=at)

    lab.command("notebook:move-cell-down")
    moved = notebook.output(1).locator(PREVIEW)
    shows_the_image(moved)
    notebook._call("panel.content.activeCellIndex = 1")
    lab.command("notebook:create-output-view")
    again = page.locator(f".jp-LinkedOutputView {PREVIEW}")
    shows_the_image(again)
    shows_the_image(moved)
    notebook.screenshot("preview-output-view")
    notebook._call("jupyterapp.shell.activateById(panel.id)")
    lab.command("docmanager:clone")
    cloned = page.locator(f".jp-NotebookPanel {PREVIEW}")
    expect(cloned).to_have_count(2)
    shows_the_image(cloned.nth(1))

    notebook.execute("draft.wwt.rotation = 75")
    for element in (again, cloned.nth(0), cloned.nth(1)):
        if element.is_visible():
            wait_revision(element, notebook.evaluate("preview.revision"))
    assert lab.console_errors == []


def test_a_notebook_that_is_reloaded_restarted_saved_and_opened_again(lab: Lab, tiles: Path, page: Page):
    page.set_viewport_size(SMALL)
    code = f"import constellations_widgets as cxw\n{tiled(tiles)}\npanel = cxw.publish(draft)\npreview = panel.preview\npanel"
    notebook = lab.open_notebook([code])
    notebook.run_all()
    shows_the_image(page.locator(PREVIEW))
    notebook.save()

    page.goto(lab.address(notebook.name))
    notebook = Notebook(lab, notebook.name)
    shows_the_image(page.locator(PREVIEW))  # the kernel lives: no keepsake
    expect(field(page.locator(".cxw-form"), "Rotation")).to_be_editable()

    other = page.context.new_page()
    other.set_viewport_size(SMALL)
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
    expect(
        page.locator(PREVIEW).get_by_role("status").filter(has_text="The kernel was restarted or shut down.")
    ).to_be_visible()
    assert len(find_marks(sky(page.locator(PREVIEW)))) == 4  # what was on the sky is there still
    notebook.shut_down()

    snapshot = "Snapshot of the preview of “Toasty”, taken when this notebook was saved. Run the cell"
    assert snapshot in notebook.path.read_text()  # as it was saved, whatever was written since
    notebook = reopened(lab, notebook)
    output = notebook.output(0)
    expect(output.get_by_text(snapshot)).to_be_visible()
    expect(output.get_by_text("was not published from here when this notebook was saved")).to_be_visible()
    expect(output.get_by_text("Error displaying widget")).to_have_count(0)
    kept = picture_of(output.locator("img"))
    assert abs(kept.shape[0] / kept.shape[1] - before.shape[0] / before.shape[1]) < 0.05 and len(find_marks(kept)) == 4
    notebook.screenshot("notebook-without-kernel", output)
    assert "_esm" not in saved and saved.count("data:image/jpeg") == 1

    # Run once more: one preview, one picture in the file, and the kernel knows which preview has a page.
    notebook.run_all()
    shows_the_image(page.locator(PREVIEW))
    notebook.execute("earlier = preview")
    notebook.run_all()
    shows_the_image(page.locator(PREVIEW))
    assert page.evaluate(LIVE) == 1
    notebook.wait_for_value(PAGES, [0, 1])
    notebook.execute("draft.wwt.rotation = 75")
    assert notebook.evaluate("[earlier.revision, preview.revision]") == [1, 2]
    notebook.save()
    assert notebook.path.read_text().count("data:image/jpeg") == 1
    lab.command("notebook:clear-all-cell-outputs")
    expect(page.locator(f"{PREVIEW} iframe")).to_have_count(0)
    notebook.wait_for_value(PAGES, [0, 0])


def test_twenty_previews_are_six_alive_and_the_others_wake_when_they_are_seen(page: Page, image: Path):
    page.set_viewport_size({"width": 480, "height": 720})
    watch, draft = WatchedPage(page), marked_draft(image)
    previews = [Preview(draft, height="320px") for _ in range(20)]
    with bare_page(page, *previews) as frame:
        all_of_them = frame.locator(PREVIEW)
        expect(all_of_them).to_have_count(20)
        first, last = all_of_them.nth(0), all_of_them.nth(19)
        shows_the_image(first)
        look(first, 150.02, 20.01, 1.0)
        at = place(first)
        assert last.evaluate(COUNT) == 0  # never seen, never built
        expect(last).to_contain_text("starts when this preview is scrolled into view")
        for index in (7, 13, 19):
            shows_the_image(all_of_them.nth(index))
            assert frame.locator("body").evaluate(LIVE) <= 6
        expect(first).to_have_attribute("data-cxw-preview-state", "paused")
        assert first.locator(".cxw-preview-paused img").evaluate("image => image.naturalWidth") > 300
        draft.wwt.rotation = 75.0
        assert sum(preview.revision > 1 for preview in previews) <= 7  # the others are out of sight
        assert previews[0].revision == 1
        expect(first.locator(".cxw-preview-outdated")).to_contain_text("Checking for changes")
        first.scroll_into_view_if_needed()
        wait_revision(first, 2)
        assert place(first) == pytest.approx(at) and worst_error(first, make_wcs(rotation=75.0)) < 1
        assert frame.locator("body").evaluate(LIVE) <= 6

        # All of them in one screen: some live, the others show their picture and say how to wake them.
        frame.locator("html").evaluate(ALL_IN_SIGHT)
        expect(frame.locator("[data-cxw-preview-state=shown]")).to_have_count(6, timeout=120_000)
        expect(frame.locator("[data-cxw-preview-state=paused] img:visible")).to_have_count(14)
        expect(frame.locator(".cxw-preview-outdated:visible")).to_have_count(0)
        pixels(page, save="twenty-previews")
        outdated = frame.locator(".cxw-preview-outdated:visible").get_by_text(
            "The image has changed since this snapshot"
        )
        for rotation in range(200):  # while the image changes, no snapshot is redrawn
            draft.wwt.rotation = rotation
            if outdated.count() == 14:
                break
            page.wait_for_timeout(100)
        pixels(page, save="twenty-previews-outdated")
        frame.locator("html").evaluate(EIGHT_IN_SIGHT)
        expect(frame.locator(".cxw-preview-outdated:visible")).to_have_count(0, timeout=120_000)
        expect(frame.locator("[data-cxw-preview-state=paused] img:visible")).to_have_count(2)
        pixels(page, save="eight-previews-redrawn")
        assert frame.locator("body").evaluate(LIVE) <= 6
        parked = frame.locator("[data-cxw-preview-state=paused]").first.element_handle()
        parked.query_selector("button.cxw-preview-paused").click()
        parked.owner_frame().wait_for_function("it => it.dataset.cxwPreviewState === 'shown'", arg=parked)
        number = frame.locator(PREVIEW).evaluate_all("(all, it) => all.indexOf(it)", parked)
        assert int(parked.get_attribute("data-cxw-revision")) == previews[number].revision
        assert frame.locator("body").evaluate(LIVE) == 6
        assert not any(frame.locator(f"{PREVIEW} iframe").evaluate_all(LOST))
    assert watch.console_errors == []


def test_a_preview_whose_graphics_memory_is_taken_away_begins_again_where_it_was(page: Page, image: Path):
    page.set_viewport_size({"width": 480, "height": 420})
    with bare_page(page, Preview(marked_draft(image), height="320px")) as frame:
        element = wait_revision(frame.locator(PREVIEW), 1)
        look(element, 150.02, 20.01, 1.0)
        at = place(element)
        for _ in range(2):
            app = element.locator("iframe").element_handle()
            app.evaluate(LOSE)
            app.owner_frame().wait_for_function("frame => !frame.isConnected", arg=app)
            shows_the_image(element, at=at)
        element.locator("iframe").evaluate(LOSE)
        expect(element.get_by_text("keeps reclaiming this preview's graphics memory")).to_be_visible()
        element.locator("button.cxw-preview-paused").click()
        shows_the_image(element, at=at)
