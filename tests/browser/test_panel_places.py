"""The panel wherever it is shown: 360 pixels wide, at 200 %, in a view of its own, in a side panel, in Voila."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.accessible import load_axe, violations
from browser.form_steps import field, open_step
from browser.hosts import Voila
from browser.lab import LabServer, Notebook, pixels
from browser.test_panel import CELL, COMPLETE, box_of, notebook, opened, panel

__all__ = ["notebook", "opened", "panel"]  # fixtures

SHADES = pytest.mark.parametrize("theme", ["light", "dark"])
HEIGHT = 640

# What sticks out of its panel, or is cut off in it; a field scrolls its own text.
CUT = """(panel) => {
    const { left, right } = panel.getBoundingClientRect();
    const shown = [...panel.querySelectorAll("button, input, textarea, select, a, label, dd, li, h3")].filter(
        (it) => it.checkVisibility({ visibilityProperty: true }) && !it.closest(".cxw-hidden"));
    return shown.filter((it) => {
        const box = it.getBoundingClientRect();
        return box.width > 1 && (box.left < left - 1 || box.right > right + 1);
    }).map((it) => it.outerHTML.slice(0, 120));
}"""


DROP_VIEWS = """() => {
    const views = [...jupyterapp.shell.widgets("main"), ...jupyterapp.shell.widgets("right")];
    for (const it of views) if (it.node.querySelector(".jp-LinkedOutputView")) it.dispose();
}"""


def fits(panel: Locator) -> None:
    """Nothing sticks out, at any step and in the review; the button stays in sight."""
    for step in ("Position on the sky", "Rights and credit", "Files on the web", "WWT parameters"):
        panel.evaluate("it => it.scrollTo(0, 0)")  # what is below the sky can't be clicked
        open_step(panel, step)
        assert panel.evaluate("it => it.scrollWidth - it.clientWidth") <= 0, step
        assert panel.evaluate(CUT) == [], step
        whole, foot = box_of(panel), box_of(panel.locator(".cxw-foot"))
        assert foot["y"] + foot["height"] <= whole["y"] + whole["height"] + 1
    assert box_of(panel)["height"] <= HEIGHT


def make_narrow(notebook: Notebook, panel: Locator) -> None:
    """Give the panel at most 360 pixels: JupyterLab takes the rest of the window."""
    notebook.page.set_viewport_size({"width": 470, "height": 780})
    expect(panel.locator(".cxw-enlarge")).to_be_visible()
    expect(panel.locator(".cxw-preview")).to_have_attribute("data-room", "short")
    assert 330 <= box_of(panel)["width"] <= 360


@SHADES
def test_at_360_pixels_everything_fits(notebook: Notebook, panel: Locator, theme: str):
    notebook.lab.theme(theme)
    try:
        make_narrow(notebook, panel)
        notebook.screenshot(f"panel-360-{theme}", panel)
        fits(panel)
        panel.get_by_role("button", name="Adjust placement").click()
        expect(panel.get_by_role("button", name="Align stars")).to_be_visible()
        assert box_of(panel.locator(".cxw-preview-stage"))["height"] >= 200
        assert panel.evaluate(CUT) == []
        panel.get_by_role("button", name="Adjust placement").click()
        notebook.execute(COMPLETE)
        panel.get_by_role("button", name="Review and publish").click()
        review = panel.get_by_role("dialog", name="Review")
        expect(review).to_be_visible()
        assert panel.evaluate(CUT) == []
        notebook.screenshot(f"panel-360-review-{theme}", panel)
    finally:
        notebook.lab.theme("light")


FOCUSED = "() => (document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
IN_SIGHT = """() => {
    const at = document.activeElement;
    const { left, top, width, height } = at.getBoundingClientRect();
    const above = document.elementFromPoint(left + width / 2, top + height / 2);
    return above !== null && (at.contains(above) || above.contains(at));
}"""


def test_nothing_that_has_the_focus_is_behind_the_foot_of_a_narrow_panel(notebook: Notebook, panel: Locator):
    make_narrow(notebook, panel)
    notebook.page.set_viewport_size({"width": 360, "height": 780})  # the foot takes several lines
    panel.evaluate("it => it.scrollTo(0, 0)")
    open_step(panel, "Position on the sky")
    for title in ("Title and description", "Rights and credit"):  # the step above closes
        step = panel.get_by_role("button", name=title)
        step.focus()
        notebook.page.wait_for_function(IN_SIGHT)
        notebook.page.keyboard.press("Enter")
        expect(step).to_have_attribute("aria-expanded", "true")
        notebook.page.wait_for_function(IN_SIGHT)
    open_step(panel, "Position on the sky")
    panel.get_by_role("button", name="Position on the sky").first.focus()
    notebook.page.keyboard.press("Tab")
    reached = []
    while (name := panel.evaluate(FOCUSED)) != "Review and publish…":
        reached.append(name)
        notebook.page.wait_for_function(IN_SIGHT)  # JupyterLab scrolls smoothly
        assert len(reached) < 40, reached
        notebook.page.keyboard.press("Tab")
    assert {"Find position", "WWT parameters"} <= {name.lstrip("⋯").partition(" (")[0] for name in reached}

    license = field(panel, "License")
    license.focus()
    for _ in range(6):  # as many options as the list shows at once, or more
        notebook.page.keyboard.press("ArrowDown")
    chosen = panel.get_by_role("option", selected=True).bounding_box()
    foot = panel.locator(".cxw-foot").bounding_box()
    notebook.page.emulate_media(forced_colors="active")
    outlines = "them => them.map((it) => getComputedStyle(it).outlineStyle)"
    assert panel.get_by_role("option").evaluate_all(outlines).count("solid") == 1  # the chosen one can be told
    notebook.page.emulate_media(forced_colors="none")
    assert chosen and foot and chosen["y"] + chosen["height"] <= foot["y"]


@pytest.mark.parametrize("width", [360, 1000])
def test_the_tools_take_one_row_and_the_rest_is_behind_three_dots(notebook: Notebook, panel: Locator, width: int):
    page, keyboard = notebook.page, notebook.page.keyboard
    if width == 360:
        make_narrow(notebook, panel)
    tools = panel.get_by_role("toolbar", name="Preview")
    assert box_of(tools)["height"] < 40  # one row
    grid, dots = tools.get_by_role("button", name="Grid"), tools.get_by_role("button", name="More tools")
    expect(grid).to_be_hidden()
    tools.get_by_role("button").first.focus()
    keyboard.press("ArrowLeft")  # to the last one
    expect(dots).to_be_focused()
    keyboard.press("Enter")
    expect(grid).to_be_visible()
    assert panel.evaluate(CUT) == []
    load_axe(page)
    assert violations(panel) == []
    notebook.screenshot(f"panel-tools-{width}", panel)
    keyboard.press("ArrowRight")
    keyboard.press("Escape")
    expect(dots).to_be_focused()
    expect(grid).to_be_hidden()
    keyboard.press("Enter")
    grid.click()
    expect(grid).to_have_attribute("aria-pressed", "true")  # and it stays open
    panel.locator(".cxw-foot button").first.focus()
    expect(grid).to_be_hidden()


def test_at_200_percent_the_steps_keep_most_of_the_room(notebook: Notebook, panel: Locator):
    # What a window of 1280 × 800 has at 200 %.
    notebook.page.set_viewport_size({"width": 640, "height": 400})
    notebook.screenshot("panel-200-percent")
    fits(panel)
    assert box_of(panel.locator(".cxw-preview"))["height"] <= 90
    title = field(panel, "Title (public)")
    title.focus()
    top, foot = box_of(panel.locator(".cxw-preview")), box_of(panel.locator(".cxw-foot"))
    at = box_of(title)
    assert at["y"] >= top["y"] + top["height"] - 1 and at["y"] + at["height"] <= foot["y"] + 1  # nothing covers it


def test_in_a_view_of_its_own_it_takes_the_width_of_that(notebook: Notebook):
    notebook.page.evaluate(DROP_VIEWS)  # of a first run of this test that failed
    notebook.lab.command("notebook:create-output-view")
    view = notebook.page.locator(".jp-LinkedOutputView .cxw-panel")
    expect(view.locator("[data-cxw-preview-state=shown]")).to_be_visible()
    expect(view.locator(".cxw-foot")).to_contain_text("missing: ")
    notebook.screenshot("panel-own-view")
    fits(view)
    field(view, "Title (public)").fill("Typed in the view of its own")
    expect(field(notebook.output(0), "Title (public)")).to_have_value("Typed in the view of its own")
    # Into the side panel, which is narrow.
    notebook.page.evaluate("""() => {
        const view = [...jupyterapp.shell.widgets('main')].find((it) => it.node.querySelector('.jp-LinkedOutputView'));
        jupyterapp.shell.add(view, 'right');
        jupyterapp.shell.activateById(view.id);
    }""")
    page, edge = notebook.page, notebook.page.locator("#jp-right-stack").bounding_box()
    page.mouse.move(edge["x"] - 2, 400)
    page.mouse.down()
    page.mouse.move(edge["x"] + edge["width"] - 400, 400, steps=5)  # however wide an earlier test has left it
    page.mouse.up()
    expect(view.locator(".cxw-preview")).to_have_attribute("data-room", "short")
    notebook.screenshot("panel-side")
    assert 300 < box_of(view)["width"] < 480
    fits(view)


def test_in_voila_it_is_the_same_panel(lab_server: LabServer, page: Page, opened: Notebook):
    page.set_viewport_size({"width": 1100, "height": 900})
    host = Voila(lab_server, page)
    host.show(CELL)
    panel = page.locator(".cxw-panel")
    expect(panel.locator("[data-cxw-preview-state=shown]")).to_be_visible()
    pixels(page, save="panel-voila")
    fits(panel)
    assert box_of(panel.locator(".cxw-panel-form"))["y"] == pytest.approx(
        box_of(panel.locator(".cxw-preview"))["y"], abs=2
    )
    field(panel, "Copyright").fill("Public domain")
    page.set_viewport_size({"width": 420, "height": 780})
    pixels(page, save="panel-voila-phone")
    fits(panel)
    host.stop()
