"""A scene from the published image to the site and off it again, in JupyterLab, compared with what the sandbox has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from browser.accessible import load_axe, violations
from browser.lab import Lab, Notebook
from browser.on_sky import camera

CELLS = [
    """
import constellations_widgets as cxw
box = cxw.Sandbox(files=".").start()
client = box.client()

def draft_of(note, width):
    draft = cxw.ImageDraft.from_image("marked.png", center="13h29m52.7s +47d11m43s", width=width, rotation=17)
    draft.update({
        "note": note, "permissions.copyright": "Copyright 2026 Jane Doe", "permissions.license": "CC-BY-4.0",
        "permissions.credits": "Jane Doe", "alt_text": "Bright marks.", "wwt.thumbnail_url": box.files_url + "/marked.png",
        "storage.legacy_url_template": box.files_url + f"/marked.png?{width}"})
    return draft

small = cxw.publish_draft(draft_of("Small marks", 0.04), client, box.handle, anyway=True)
draft = draft_of("Wide marks", 0.16)
publisher = cxw.Publisher(draft, client, box.handle)
publisher
""",
    "scenes = cxw.HandleScenes(client, box.handle)\nscenes",
]
WIDE = {"width": 1300, "height": 950}


@pytest.fixture(scope="module")
def notebook(lab_of_file: Lab, image: Path) -> Notebook:
    (lab_of_file.server.root / "marked.png").write_bytes(image.read_bytes())
    lab_of_file.page.set_viewport_size(WIDE)
    opened = lab_of_file.open_notebook(CELLS)
    lab_of_file.command("application:toggle-left-area")
    return opened


def record(notebook: Notebook, id: str) -> dict[str, Any]:
    """What the sandbox has stored of a scene."""
    document: dict[str, Any] = notebook.evaluate(f"box._server.store.scene({id!r}).document")
    return document


def wait_drawn(shown: Locator, count: int) -> Locator:
    """Wait until the preview has drawn so many images; its element."""
    preview = shown.locator(".cxw-preview")
    states = json.dumps({"states": ["drawn"] * count}, separators=(",", ":"))[1:-1]
    expect(preview).to_have_attribute("data-cxw-scene", re.compile(re.escape(states)), timeout=180_000)
    return preview


def test_an_image_is_published_and_its_scene_made_shown_edited_and_unpublished(notebook: Notebook):
    notebook.run_cell(0)
    page, publisher = notebook.page, notebook.output(0)
    publisher.get_by_role("button", name="Review and publish").click()
    image_review = publisher.get_by_role("dialog", name="Review")
    image_review.get_by_role("checkbox").check()  # the sandbox's address is on this computer
    image_review.get_by_role("button", name="Publish anyway").click()
    scene = publisher.locator(".cxw-scene")
    scene.get_by_role("button", name="Create scene…").press("Enter")
    scene.get_by_label("Text").fill("Marks on the sky")
    height = scene.get_by_label("Height", exact=True)
    height.fill("30'")
    height.press("Tab")
    expect(scene.get_by_role("status").filter(has_text="× 30′")).to_be_visible()
    scene.get_by_role("button", name="Review scene").press("Enter")
    review = scene.get_by_role("dialog", name="Review of the scene")
    expect(review).to_contain_text("Marks on the sky")
    assert notebook.evaluate("len(list(client.scenes(box.handle)))") == 0
    notebook.screenshot("scene-review-lab", scene)
    review.get_by_role("button", name="Create scene").press("Enter")
    expect(scene.get_by_role("heading", name="Scene created, not published")).to_be_focused()
    id = notebook.evaluate("publisher.scene_receipt.id")
    stored = record(notebook, id)
    assert (stored["text"], stored["published"]) == ("Marks on the sky", False)
    assert stored["place"]["roi_height_deg"] == pytest.approx(0.5)
    assert stored["content"]["image_layers"] == [{"image_id": notebook.evaluate("draft.receipt.id"), "opacity": 1}]
    scene.get_by_role("button", name="Show on the site…").press("Enter")
    scene.get_by_role("button", name="Publish", exact=True).press("Enter")
    expect(scene.get_by_role("heading", name="Scene published")).to_be_focused()
    assert record(notebook, id)["published"] is True

    notebook.run_cell(1)
    shown = notebook.output(1)
    row = shown.locator("li").filter(has_text="Marks on the sky")
    expect(row).to_contain_text("Published")
    row.get_by_role("button", name="Edit: Marks on the sky").press("Enter")
    wait_drawn(shown, 1)
    form = shown.locator(".cxw-scene")
    form.get_by_label("Text").fill("Marks, seen again")
    form.get_by_label("“See more” address").fill("https://example.org/marks")
    form.get_by_role("button", name="Save changes…").press("Enter")
    form.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(form).to_contain_text("Saved. The server has these values.")
    stored = record(notebook, id)
    assert (stored["text"], stored["outgoing_url"], stored["published"]) == (
        "Marks, seen again",
        "https://example.org/marks",
        True,
    )
    expect(shown.locator("li").first).to_contain_text("Marks, seen again")
    notebook.screenshot("scene-edited-lab", shown)

    form.get_by_role("button", name="Unpublish…").press("Enter")
    form.get_by_role("button", name="Unpublish", exact=True).press("Enter")
    expect(form.get_by_role("heading", name="Scene, unlisted")).to_be_focused()
    assert record(notebook, id)["published"] is False
    expect(shown.locator("li").first).to_contain_text("Unlisted")
    page.keyboard.press("Escape")


def test_a_scene_of_two_images_is_made_by_keyboard_with_the_view_of_the_preview(notebook: Notebook):
    notebook.run_cell(1)  # with nothing open, also when this is run once more
    shown = notebook.output(1)
    shown.get_by_role("button", name="New scene…").press("Enter")
    form = shown.locator(".cxw-scene")
    heading = form.get_by_role("heading", name="Scene", exact=True)
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    adder = form.get_by_label("Add an image")
    for image in ("draft.receipt.id", "small.id"):
        adder.fill(notebook.evaluate(image))
        adder.press("Enter")
        expect(adder).to_have_value("")
        expect(form.locator("li")).to_have_count(1 if image.startswith("draft") else 2)
    preview = wait_drawn(shown, 2)
    opacity = form.get_by_label("Opacity of Small marks")
    opacity.focus()
    opacity.press("Home")
    for _ in range(5):
        opacity.press("PageUp")
    form.get_by_role("button", name="Move down: Small marks").press("Enter")
    expect(form.locator("li").first).to_contain_text("Wide marks")
    before = preview.get_attribute("data-cxw-camera")
    height = camera(preview)["fov"]
    preview.get_by_role("button", name="Zoom out").click()
    expect(preview).not_to_have_attribute("data-cxw-camera", str(before))
    seen = camera(preview)["fov"]  # the kernel has it before the next key
    form.get_by_role("button", name="Use the current view").press("Enter")
    form.get_by_label("Text").fill("Both marks")
    notebook.screenshot("scene-two-images-lab", shown)
    form.get_by_role("button", name="Review scene").press("Enter")
    form.get_by_role("button", name="Create scene").press("Enter")
    expect(form.get_by_role("heading", name="Scene created, not published")).to_be_focused()
    expect(shown.locator("li").first).to_contain_text("Both marks")
    stored = record(notebook, notebook.evaluate("scenes.scenes[0].id"))
    layers = [(layer["image_id"], layer["opacity"]) for layer in stored["content"]["image_layers"]]
    assert layers == [(notebook.evaluate("small.id"), 0.5), (notebook.evaluate("draft.receipt.id"), 1)]
    assert stored["place"]["roi_height_deg"] == pytest.approx(seen) == pytest.approx(height * 1.5)


def test_neither_the_list_nor_the_form_violates_an_accessibility_rule_or_is_too_wide(notebook: Notebook):
    shown, page = notebook.output(1), notebook.page
    load_axe(page)
    shown.get_by_role("button", name="Edit: Marks, seen again").click()
    form = shown.locator(".cxw-scene")
    expect(form.get_by_role("button", name="Save changes…")).to_be_visible()
    form.get_by_label("Center Dec").fill("95")
    form.get_by_label("Center Dec").press("Tab")
    expect(form).to_contain_text("The view has not changed.")
    for theme in ("light", "dark"):
        notebook.lab.theme(theme)
        assert violations(shown.locator(".cxw-records")) == violations(form) == [], theme
        notebook.screenshot(f"scenes-{theme}", shown)
    form.get_by_label("Center Dec").fill("47")
    form.get_by_label("Center Dec").press("Tab")
    form.get_by_role("button", name="Save changes…").click()
    expect(form.get_by_role("dialog")).to_be_visible()
    assert violations(form) == []
    page.keyboard.press("Escape")
    expect(form.get_by_role("dialog")).to_have_count(0)
    form.get_by_role("button", name="Discard changes").click()
    page.set_viewport_size({"width": 360, "height": 800})
    for part in (shown.locator(".cxw-records"), form):
        assert part.evaluate("it => it.scrollWidth - it.clientWidth") <= 0
    notebook.screenshot("scenes-360", shown)
    page.set_viewport_size(WIDE)
