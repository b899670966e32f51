"""The panel of `cxw.publish`: laid out by its own width, with messages at the right time, a review and a receipt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from browser.accessible import load_axe, violations
from browser.form_steps import field, open_step
from browser.lab import Lab, Notebook

CELL = """
import constellations_widgets as cxw
box = globals().get("box") or cxw.Sandbox(files=".").start()
draft = cxw.ImageDraft.from_image("marked.png", center="13h29m52.7s +47d11m43s", width=0.16, rotation=17)
panel = cxw.publish(draft, box.client(), handle=box.handle)
panel
"""

# A cell that is run again shows what was typed; each test begins without.
FORGET = """
import constellations_widgets as cxw
from constellations_widgets.autosave import flush_all
flush_all()
for path in cxw.ImageDraft.autosaved():
    path.unlink()
"""

COMPLETE = """draft.update({
    "permissions.copyright": "Copyright 2026 Jane Doe", "permissions.license": "CC-BY-4.0", "permissions.credits": "<b>Jane Doe</b>",
    "alt_text": "Bright marks on a dark ground.", "storage.legacy_url_template": box.files_url + "/marked.png"})"""

WIDE, NARROW, PHONE = {"width": 1400, "height": 900}, {"width": 1000, "height": 900}, {"width": 760, "height": 844}


@pytest.fixture(scope="module")
def opened(lab_of_file: Lab, image: Path) -> Notebook:
    """A notebook that stays open from test to test."""
    (lab_of_file.server.root / "marked.png").write_bytes(image.read_bytes())
    lab_of_file.page.set_viewport_size(WIDE)
    notebook = lab_of_file.open_notebook([CELL])
    lab_of_file.command("application:toggle-left-area")
    return notebook


@pytest.fixture
def notebook(opened: Notebook) -> Iterator[Notebook]:
    """Its cell was just run: a draft and a panel of their own."""
    opened.page.bring_to_front()
    opened.execute(FORGET)
    opened.run_all()
    expect(opened.output(0).locator(".cxw-foot")).to_contain_text("missing: ")
    yield opened
    opened.page.set_viewport_size(WIDE)


@pytest.fixture
def panel(notebook: Notebook) -> Locator:
    return notebook.output(0).locator(".cxw-panel")


# Where sky and foot are in the panel: the notebook scrolls the panel itself into view.
STAYS = """it => [".cxw-preview", ".cxw-foot"].map(
    (name) => it.querySelector(name).getBoundingClientRect().y - it.getBoundingClientRect().y)"""


def box_of(element: Locator) -> dict[str, float]:
    found = element.bounding_box()
    assert found is not None
    return found


def test_a_wide_panel_shows_the_sky_beside_the_steps_and_is_610_pixels_high(notebook: Notebook, panel: Locator):
    whole, sky, form, foot = (
        box_of(panel.locator(it) if it else panel) for it in ("", ".cxw-preview", ".cxw-form", ".cxw-foot")
    )
    assert whole["width"] >= 860 and whole["height"] <= 640
    assert sky["x"] + sky["width"] <= form["x"] + 1 and abs(sky["y"] - form["y"]) < 2
    assert sky["height"] > 450 and foot["y"] + foot["height"] <= whole["y"] + whole["height"] + 1
    places = panel.evaluate(STAYS)
    for step in ("Position on the sky", "Rights and credit", "WWT parameters"):
        open_step(panel, step)
        assert box_of(panel)["height"] <= 640
        assert panel.evaluate(STAYS) == pytest.approx(places, abs=1)
    expect(panel.locator(".cxw-head")).to_contain_text("SANDBOX")
    notebook.screenshot("panel-wide", panel)


@pytest.mark.parametrize("viewport", [NARROW, PHONE], ids=["narrow", "phone"])
def test_in_a_narrow_panel_the_sky_is_a_strip_that_stays(notebook: Notebook, panel: Locator, viewport: dict[str, int]):
    notebook.page.set_viewport_size(viewport)
    sky = panel.locator(".cxw-preview")
    expect(panel.get_by_role("button", name="Enlarge")).to_be_visible()
    assert 160 <= box_of(sky)["height"] <= 180 and box_of(panel)["height"] <= 640
    open_step(panel, "WWT parameters")
    before = panel.evaluate(STAYS)
    panel.evaluate("it => it.scrollBy(0, 300)")
    assert panel.evaluate("it => it.scrollTop") > 100
    assert panel.evaluate(STAYS) == pytest.approx(before, abs=1)
    assert panel.evaluate("it => it.scrollWidth - it.clientWidth") <= 0
    notebook.screenshot(f"panel-{viewport['width']}", panel)
    panel.get_by_role("button", name="Enlarge").click()
    assert box_of(sky)["height"] > 300


def test_missing_values_are_quiet_until_their_field_is_left_or_publish_is_pressed(notebook: Notebook, panel: Locator):
    copyright = field(panel, "Copyright")
    message = panel.get_by_text("Enter a copyright statement")
    expect(message).to_have_count(0)
    expect(copyright).to_have_attribute("aria-invalid", "false")
    copyright.focus()
    copyright.press("Tab")
    expect(message).to_be_visible()
    expect(copyright).to_have_attribute("aria-invalid", "true")
    expect(panel.get_by_text("Choose a license, e.g.")).to_have_count(0)
    panel.get_by_role("button", name="Review and publish").click()
    expect(
        panel.locator('[data-path="storage.legacy_url_template"] input')
    ).to_be_focused()  # the first that is missing
    expect(panel.get_by_text("Enter the address under which everyone can load the image")).to_be_visible()
    expect(panel.get_by_role("dialog", name="Review")).to_have_count(0)
    panel.locator(".cxw-foot").get_by_role("button", name="License").click()
    expect(panel.get_by_label("License", exact=True)).to_be_focused()
    expect(panel.get_by_text("Choose a license, e.g.")).to_be_visible()
    assert panel.get_by_text("can be read by everyone").count() == 0  # nothing can be done about it


def test_the_message_of_a_field_that_is_left_by_a_click_does_not_move_what_is_clicked(
    notebook: Notebook, panel: Locator
):
    open_step(panel, "Title and description")
    panel.get_by_label("Alt text").focus()
    rights = panel.get_by_role("button", name="Rights and credit")
    rights.hover()
    notebook.page.mouse.down()
    notebook.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    notebook.page.mouse.up()
    expect(rights).to_have_attribute("aria-expanded", "true")
    open_step(panel, "Title and description")
    expect(panel.get_by_text("Describe in a sentence or two")).to_be_visible()


def test_positions_are_typed_as_people_write_them_and_questioned(notebook: Notebook, panel: Locator):
    ra = field(panel, "Center RA")
    expect(ra).to_have_value("13h 29m 52.70s")
    ra.fill("10h00m12s +20d10m")
    ra.press("Enter")
    expect(panel.get_by_label("Center Dec")).to_have_value("+20° 10′ 00.0″")
    ra.fill("13.4979")
    ra.press("Enter")
    expect(panel.get_by_text("Was it in hours?")).to_be_visible()
    panel.get_by_role("button", name="Use 13h 29m 52.4").click()
    expect(ra).to_have_value("13h 29m 52.44s")
    ra.fill("somewhere")
    ra.press("Tab")
    expect(panel.get_by_text("“somewhere” is not a right ascension")).to_be_visible()
    assert notebook.evaluate("round(draft.wwt.center_x, 4)") == 202.4685
    center = field(panel, "Center X (RA)")
    center.fill("202,4696")
    center.press("Tab")
    expect(center).to_have_value("202.4696")


def test_rights_are_told_as_a_story_and_the_list_covers_no_message(notebook: Notebook, panel: Locator):
    open_step(panel, "Rights and credit")
    panel.get_by_label("It is in the public domain").check()
    expect(panel.get_by_label("Copyright", exact=True)).to_have_value("Public domain")
    expect(panel.get_by_label("License", exact=True)).to_have_value("CC-PDDC")
    panel.get_by_label("I did, or my team").check()
    license = panel.get_by_label("License", exact=True)
    license.fill("CC BY NC")
    message, options = panel.get_by_text("does not say which version"), panel.get_by_role("listbox")
    expect(message).to_be_visible()
    expect(options).to_be_visible()
    above, below = box_of(message), box_of(options)
    assert above["y"] + above["height"] <= below["y"] + 1
    panel.get_by_role("button", name="Use CC-BY-NC-4.0").click()
    expect(license).to_have_value("CC-BY-NC-4.0")
    field(panel, "Credit line").fill("<b>Jane Doe</b>")
    expect(panel.get_by_text("Readers see:")).to_be_visible()
    notebook.screenshot("panel-rights", panel)


def test_publish_is_at_most_25_tab_stops_away(notebook: Notebook, panel: Locator):
    panel.evaluate("it => it.querySelector('button, select, input, iframe').focus()")
    keyboard = notebook.page.keyboard
    stops = 0
    while stops < 40:
        keyboard.press("Tab")
        stops += 1
        if notebook.page.evaluate("document.activeElement?.textContent === 'Review and publish…'"):
            break
    assert stops <= 25


def test_a_doubt_takes_a_tick_and_the_published_image_is_edited_in_place(notebook: Notebook, panel: Locator):
    notebook.execute(COMPLETE)
    panel.get_by_role("button", name="Review and publish").click()
    review = panel.get_by_role("dialog", name="Review")
    expect(review).to_contain_text("13h 29m 52.70s +47° 11′ 43.0″")
    expect(review).to_contain_text("✓ found")
    expect(review).to_contain_text("Image credits: Jane Doe. Copyright 2026 Jane Doe.")
    expect(review.locator("img")).to_be_visible()
    expect(review).to_contain_text("Thumbnail Enter the address of a JPEG")  # a recommendation is a doubt
    publish = review.get_by_role("button", name="Publish anyway")
    expect(publish).to_be_disabled()
    assert "cxw-primary" not in (publish.get_attribute("class") or "")
    notebook.screenshot("panel-review", panel)
    assert box_of(panel)["height"] <= 640
    review.get_by_label("I have checked").check()
    publish.click()
    expect(panel.get_by_role("heading", name="Published")).to_be_visible()
    expect(panel.get_by_role("link", name="Record")).to_be_visible()
    notebook.screenshot("panel-receipt", panel)
    panel.get_by_role("button", name="Edit description and rights").click()
    title = field(panel, "Title (public)")
    title.fill("Renamed afterwards")
    panel.get_by_role("button", name="Save changes").click()
    panel.get_by_role("button", name="Save", exact=True).click()
    expect(panel.get_by_text("Saved, and read back from the server")).to_be_visible()
    notebook.screenshot("panel-edit", panel)
    assert notebook.evaluate("box.client().image(draft.receipt.id).note") == "Renamed afterwards"
    panel.get_by_role("button", name="Back to the receipt").click()
    expect(panel.get_by_role("heading", name="Published")).to_be_visible()
    notebook.execute(
        "try:\n    draft.wwt.rotation = 30\nexcept cxw.PublishError as error:\n    said = str(error)\nassert 'PublishedImage' in said"
    )


def test_a_file_that_was_published_is_said_at_the_top_and_doubted(notebook: Notebook, panel: Locator):
    notebook.execute(COMPLETE)
    notebook.execute(
        "import shutil; shutil.copy('marked.png', 'first.png'); shutil.copy('marked.png', 'second.png')\n"
        "draft.update({'note': 'First of two', 'storage.legacy_url_template': box.files_url + '/first.png'})\n"
        "first = cxw.publish_draft(draft, box.client(), box.handle, anyway=True)"
    )
    notebook.run_all()
    notice = panel.locator(".cxw-published-before")
    expect(notice).to_contain_text("You published this file on")
    expect(notice.get_by_role("link").first).to_contain_text("First of two")
    assert box_of(notice)["y"] < box_of(panel.locator(".cxw-preview"))["y"]
    notebook.screenshot("panel-published-before", panel)
    notebook.page.set_viewport_size({"width": 500, "height": 844})
    notebook.screenshot("panel-published-before-phone", panel)
    assert panel.evaluate("it => it.scrollWidth - it.clientWidth") <= 0
    notebook.page.set_viewport_size(WIDE)
    notebook.execute(COMPLETE.replace("/marked.png", "/second.png"))
    panel.get_by_role("button", name="Review and publish").click()
    review = panel.get_by_role("dialog", name="Review")
    expect(review.get_by_role("listitem").filter(has_text="You published this file on").first).to_be_visible()
    publish = review.get_by_role("button", name="Publish anyway")
    expect(publish).to_be_disabled()
    review.get_by_role("checkbox").check()
    publish.click()
    expect(panel.get_by_role("heading", name="Published")).to_be_visible()
    expect(notice).to_have_count(0)
    assert notebook.evaluate("len({it.image_id for it in cxw.history(source='marked.png')})") >= 2
    # A panel without the tick does not publish either when the page sends the confirmation itself.
    notebook.run_all()
    notebook.execute(
        "draft.update({'storage.legacy_url_template': box.files_url + '/third.png'})\n"
        "try:\n    cxw.publish_draft(draft, box.client(), box.handle)\n"
        "except cxw.PublishError as error:\n    said = str(error)"
    )
    assert notebook.evaluate("draft.receipt") is None


def test_no_step_and_no_state_violates_an_accessibility_rule(notebook: Notebook, panel: Locator):
    load_axe(notebook.page)
    try:
        for theme in ("light", "dark"):
            notebook.lab.theme(theme)
            for step in (
                "Position on the sky",
                "Title and description",
                "Rights and credit",
                "Files on the web",
                "WWT parameters",
            ):
                open_step(panel, step)
                assert violations(panel, colors_only=theme == "dark") == [], (theme, step)
            panel.get_by_role("button", name="Review and publish").click()  # all that is missing is reported
            assert violations(panel, colors_only=theme == "dark") == [], theme
            notebook.screenshot(f"panel-{theme}", panel)
        notebook.execute(COMPLETE)
        panel.get_by_role("button", name="Review and publish").click()
        expect(panel.get_by_role("dialog", name="Review")).to_be_visible()
        assert violations(panel) == []
        notebook.screenshot("panel-review-dark", panel)
    finally:
        notebook.lab.theme("light")


def test_a_cell_that_is_run_again_keeps_the_edits_and_undoes_them(notebook: Notebook, panel: Locator):
    field(panel, "Title (public)").fill("Typed before the cell was run again")
    expect(panel.locator(".cxw-head")).to_contain_text("saved")
    notebook.run_all()
    title = field(panel, "Title (public)")
    expect(title).to_have_value("Typed before the cell was run again")
    panel.get_by_role("button", name="Discard").click()
    expect(title).to_have_value("marked")
    panel.get_by_role("button", name="Undo", exact=True).click()
    expect(title).to_have_value("Typed before the cell was run again")


def test_an_unknown_handle_is_reported_before_the_review(notebook: Notebook):
    notebook.execute("panel.close()")
    notebook.page.evaluate("0")
    code = "other = cxw.Publisher(draft, box.client(), handle='nobody-here')"
    notebook.execute(code)
    state = "other.status['account']"
    for _ in range(100):
        if notebook.evaluate(state)["message"]:
            break
        notebook.page.wait_for_timeout(100)
    assert notebook.evaluate(state)["blocks"] and "no handle @nobody-here" in notebook.evaluate(state)["message"]
