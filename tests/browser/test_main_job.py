"""The main job, as a new user does it: run the tutorial, see the image, describe it, be told what is wrong, publish it once."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import types
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from browser.form_steps import field
from browser.lab import Lab, Notebook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def prepare() -> types.ModuleType:
    """notebooks/prepare.py, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("prepare", NOTEBOOKS / "prepare.py")
    module = sys.modules["prepare"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tutorial_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tutorial") / "data"
    prepare().data(folder)
    return folder


PANEL = """
import constellations_widgets as cxw
if "box" in globals():
    box.close()
box = cxw.Sandbox(files="data").start()
client = box.client()
draft = cxw.ImageDraft.from_wtml("data/hxdf")
draft.host_at(box.files_url + "/hxdf/")
panel = cxw.publish(draft, client, handle=box.handle)
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


@pytest.fixture
def data(lab: Lab, tutorial_data: Path) -> None:
    shutil.copytree(tutorial_data, lab.server.root / "data", dirs_exist_ok=True)


@pytest.fixture(scope="module")
def opened(lab_of_file: Lab, tutorial_data: Path) -> Notebook:
    """A notebook that stays open from test to test."""
    shutil.copytree(tutorial_data, lab_of_file.server.root / "data", dirs_exist_ok=True)
    return lab_of_file.open_notebook([PANEL])


@pytest.fixture
def notebook(opened: Notebook) -> Notebook:
    """Its cell was just run: a sandbox, a draft and a panel of their own."""
    opened.page.bring_to_front()
    opened.execute(FORGET)
    opened.run_all()
    expect(field(opened.output(0), "Rotation")).to_be_editable()
    return opened


def describe(panel: Locator) -> None:
    field(panel, "Copyright").fill("Public domain")
    field(panel, "License").fill("CC-PDDC")
    field(panel, "Alt text").fill("Thousands of galaxies on black sky, from blue spirals to tiny red dots.")


def review(panel: Locator) -> Locator:
    """Press the button of the foot; the review."""
    panel.get_by_role("button", name="Review and publish").click()
    return panel.get_by_role("dialog", name="Review")


def test_the_tutorial_runs_from_top_to_bottom_and_shows_the_image(lab: Lab, data: None):
    notebook = lab.open_notebook(NOTEBOOKS / "tutorial.ipynb")
    notebook.run_all()
    first = notebook.page.locator("[data-cxw-preview-state]").first
    first.scroll_into_view_if_needed()  # out of sight it rests
    expect(first).to_have_attribute("data-cxw-preview-state", "shown", timeout=180_000)
    seen = notebook.screenshot("tutorial", first.locator("iframe"))
    assert (seen.max(axis=2) > 200).mean() > 0.001  # galaxies
    expect(notebook.page.locator(".cxw-foot").first).to_contain_text("missing: ")
    here = "[attempt.state for attempt in cxw.history() if attempt.api_url == box.api_url]"
    assert notebook.evaluate(here) == ["published"]  # the one that was published without a widget


def test_python_and_the_form_show_the_same_draft(notebook: Notebook):
    panel = notebook.output(0)
    notebook.execute("draft.note = 'A note from Python'")
    note = field(panel, "Title (public)")
    expect(note).to_have_value("A note from Python")
    note.fill("A note from the page")
    notebook.wait_for_value("draft.note", "A note from the page")
    note.press_sequentially(", typed on")  # the echo of each key must not disturb the next
    notebook.wait_for_value("draft.note", "A note from the page, typed on")
    expect(note).to_have_value("A note from the page, typed on")
    rotation = field(panel, "Rotation")
    rotation.fill("12.5")
    rotation.press("ArrowUp")
    expect(rotation).to_have_value("12.6")
    rotation.fill("a quarter")
    expect(panel.get_by_text("must be a number of degrees, not 'a quarter'").first).to_be_visible()
    assert notebook.evaluate("draft.wwt.rotation") == "a quarter"  # as typed


def test_a_bad_license_is_refused_and_a_good_one_is_found_by_keyboard(notebook: Notebook):
    panel = notebook.output(0)
    describe(panel)
    license_field, foot = field(panel, "License"), panel.locator(".cxw-foot")
    expect(foot).to_contain_text("Ready to review")
    license_field.fill("public domain")
    expect(foot).to_contain_text("1 to fix: License")
    panel.get_by_role("button", name="Review and publish").click()  # goes to what is wrong
    expect(license_field).to_be_focused()
    expect(panel.get_by_role("button", name="Use CC-PDDC")).to_be_visible()
    license_field.fill("attribution 4.0")
    license_field.press("ArrowDown")
    license_field.press("Enter")
    expect(license_field).to_have_value("CC-BY-4.0")
    expect(foot).not_to_contain_text("to fix")


def test_credits_show_what_the_server_keeps_and_run_nothing(notebook: Notebook):
    panel = notebook.output(0)
    notebook.page.evaluate("window.ran = 0")
    field(panel, "Credit line").fill("<b>NASA</b><img src=x onerror='window.ran=1'><script>window.ran=1</script>")
    expect(panel.get_by_text("The server keeps", exact=True)).to_be_visible()
    expect(panel.locator(".cxw-credits b")).to_have_text("NASA")
    assert panel.locator(".cxw-credits :is(img, script)").count() == 0
    assert notebook.page.evaluate("window.ran") == 0
    panel.get_by_role("button", name="Use what the server keeps").first.click()
    expect(field(panel, "Credit line")).to_have_value("<b>NASA</b>")


def test_what_is_confirmed_is_published_once_and_read_back_the_same(notebook: Notebook):
    panel = notebook.output(0)
    describe(panel)
    confirm = review(panel).get_by_role("button", name="Publish", exact=True)
    expect(confirm).to_be_visible()
    notebook.screenshot("review", panel)
    panel.get_by_text("Technical details").click()
    promised = json.loads(panel.locator(".cxw-review pre").inner_text().split("\n", 1)[1])
    assert notebook.evaluate("len(list(client.handle_images(box.handle)))") == 0
    confirm.dblclick()
    expect(panel.get_by_role("heading", name="Published")).to_be_visible()
    identity = notebook.evaluate("draft.receipt.id")
    expect(panel.get_by_text(identity).first).to_be_visible()
    assert notebook.evaluate("len(list(client.handle_images(box.handle)))") == 1
    record = notebook.evaluate("client.image(draft.receipt.id).model_dump(mode='json')")
    for group in ("wwt", "storage", "permissions"):
        assert {name: record[group][name] for name in promised[group]} == promised[group]
    assert (record["note"], record["alt_text"]) == (promised["note"], promised["alt_text"])
    assert promised["wwt"]["thumbnail_url"].startswith(notebook.evaluate("box.files_url"))


def test_cancel_and_a_change_after_the_review_send_nothing(notebook: Notebook):
    panel = notebook.output(0)
    describe(panel)
    back = panel.get_by_role("button", name="Back", exact=True)
    review(panel)
    back.click()
    expect(panel.get_by_role("button", name="Review and publish")).to_be_visible()
    review(panel)
    expect(back).to_be_visible()
    notebook.execute("draft.note = 'Something else'")  # what the review showed is no longer true
    expect(panel.get_by_role("dialog", name="Review")).to_have_count(0)
    expect(panel.locator(".cxw-foot")).to_contain_text("The draft changed after the review")
    assert notebook.evaluate("len(list(client.handle_images(box.handle)))") == 0
    assert (
        notebook.evaluate("len(cxw.history())") == 0 or notebook.evaluate("cxw.history()[0].note") != "Something else"
    )


LOSE_MESSAGES = """() => {
    const { send } = WebSocket.prototype;
    window.cxwLost = 0;
    WebSocket.prototype.send = () => void (window.cxwLost += 1);
    window.cxwFound = () => {
        WebSocket.prototype.send = send;
    };
}"""


def test_a_click_whose_message_is_lost_takes_effect_when_the_connection_is_back_but_publishes_nothing(
    notebook: Notebook,
):
    """A message that is sent while the connection to the kernel is broken is lost, and nothing reports it."""
    panel = notebook.output(0)
    describe(panel)
    expect(panel.get_by_text("Ready to review.")).to_be_visible()  # all edits have arrived
    dialog = panel.get_by_role("dialog", name="Review")
    confirm = dialog.get_by_role("button", name="Publish", exact=True)
    notebook.page.evaluate(LOSE_MESSAGES)
    try:
        panel.get_by_role("button", name="Review and publish").click()
        notebook.page.wait_for_function("window.cxwLost > 0")
        expect(dialog).to_have_count(0)
        notebook.page.evaluate("window.cxwFound()")
        expect(confirm).to_be_visible()
        notebook.page.evaluate(LOSE_MESSAGES)
        confirm.click()
        notebook.page.wait_for_function("window.cxwLost > 0")
        panel.get_by_role("button", name="Back", exact=True).click()
    finally:
        notebook.page.evaluate("window.cxwFound()")
    expect(dialog).to_have_count(0)
    assert notebook.evaluate("len(list(client.handle_images(box.handle)))") == 0


def test_a_server_that_is_gone_loses_no_typed_text(notebook: Notebook):
    panel = notebook.output(0)
    describe(panel)
    notebook.execute("box.close()")
    panel.get_by_role("button", name="Review and publish").click()
    expect(panel.get_by_text("Nothing was published")).to_be_visible()
    panel.get_by_role("button", name="Back to the draft").click()
    expect(panel.get_by_role("button", name="Review and publish")).to_be_enabled()
    expect(field(panel, "Copyright")).to_have_value("Public domain")


def test_the_whole_job_by_keyboard(notebook: Notebook):
    panel, keyboard = notebook.output(0), notebook.page.keyboard
    describe(panel)
    publish = panel.get_by_role("button", name="Review and publish")
    expect(publish).to_be_enabled()
    publish.focus()
    keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="Publish “")).to_be_focused()
    keyboard.press("Escape")
    expect(publish).to_be_enabled()
    publish.focus()
    keyboard.press("Enter")
    confirm = panel.get_by_role("button", name="Publish", exact=True)
    expect(confirm).to_be_visible()
    for _ in range(40):
        keyboard.press("Tab")
        if confirm.evaluate("button => button === document.activeElement"):
            break
    keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="Published")).to_be_focused()


# Every text below an element whose contrast with what is behind it is less than WCAG's 4.5 to 1, with its ratio.
FAINT = """panel => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const color = rgba(getComputedStyle(at).backgroundColor);
            if (color[3] > 250) return color;
        }
        return [255, 255, 255, 255];
    };
    const light = (color) => {
        const [r, g, b] = color.map((part) => part / 255).map((part) => (part <= 0.04 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint = [];
    const texts = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const [text, element] = [texts.currentNode.textContent.trim(), texts.currentNode.parentElement];
        if (!text || !element.offsetParent || element.closest('.cxw-hidden, :disabled')) continue;
        const [front, back] = [rgba(getComputedStyle(element).color), ground(element)];
        const seen = front.slice(0, 3).map((part, at) => (part * front[3] + back[at] * (255 - front[3])) / 255);
        const [low, high] = [light(seen), light(back)].sort((a, b) => a - b);
        const ratio = (high + 0.05) / (low + 0.05);
        if (ratio < 4.5) faint.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return faint;
}"""


def test_the_panel_can_be_read_in_both_themes(notebook: Notebook):
    panel = notebook.output(0)
    field(panel, "Credit line").fill("<b>NASA</b><script></script>")  # compared with what the server keeps
    license_field = field(panel, "License")
    try:
        for theme in ("light", "dark"):
            notebook.lab.theme(theme)
            license_field.fill("cc by")  # opens the list
            license_field.press("ArrowDown")
            expect(panel.get_by_role("listbox").get_by_role("option", selected=True)).to_be_visible()
            for widget in panel.locator(".cxw").all():
                assert widget.evaluate(FAINT) == [], theme
            ground = license_field.evaluate("input => getComputedStyle(input).backgroundColor")
            assert (int(ground.split("(")[1].split(",")[0]) > 128) == (theme == "light")
        notebook.screenshot("panel-dark", panel)
    finally:
        notebook.lab.theme("light")


def test_a_restarted_kernel_is_reported_at_once_and_what_was_typed_is_shown_again(notebook: Notebook):
    panel = notebook.output(0)
    note = field(panel, "Title (public)")
    note.fill("Typed before the kernel was restarted")
    notebook.wait_for_value("draft.note", "Typed before the kernel was restarted")
    notebook.execute("draft._autosave.flush()")  # as half a second does
    notebook.restart_kernel()
    expect(panel.get_by_text("The kernel was restarted or shut down. Run the cell again").first).to_be_visible()
    expect(note).not_to_be_editable()
    expect(
        panel.get_by_text("The kernel is gone: what you type here is not kept")
    ).to_be_visible()  # at the field in use
    notebook.run_all()
    expect(field(panel, "Title (public)")).to_have_value("Typed before the kernel was restarted")
    panel.get_by_role("button", name="Discard").click()
    expect(field(panel, "Title (public)")).not_to_have_value("Typed before the kernel was restarted")
    panel.get_by_role("button", name="Undo", exact=True).click()
    expect(field(panel, "Title (public)")).to_have_value("Typed before the kernel was restarted")
