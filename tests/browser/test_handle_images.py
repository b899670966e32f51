"""Published images in a page: the list of a handle's images, and the form that changes one of them."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from api.conftest import make_submission
from PIL import Image
from playwright.sync_api import Page, expect

from browser.bare_page import bare_page
from browser.form_steps import field
from browser.lab import Lab
from browser.screenshots import pixels
from browser.watching import WatchedPage
from constellations_widgets import HandleImages, ImageForm, PublishedImage, Sandbox
from constellations_widgets.api import Constellations

COUNT = 1000
PLACED = {"projection": "SkyImage", "tile_levels": 0, "base_degrees_per_tile": 0.01, "offset_x": 48.0, "offset_y": 22.5}

# From the top to the end: few rows are drawn at any time, and one wherever somebody looks.
SCROLL = """async (scroller) => {
  for (let top = 0; top < scroller.scrollHeight; top += 700) {
    scroller.scrollTop = top;
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    if (scroller.querySelectorAll("li").length > 30) throw Error("too many rows are drawn");
    const seen = scroller.getBoundingClientRect();
    const row = document.elementFromPoint(seen.left + 20, seen.top + seen.height / 2)?.closest("li");
    if (!row) throw Error(`nothing is drawn at ${top}`);
  }
}"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    files = tmp_path_factory.mktemp("thumbnails")
    picture = io.BytesIO()
    Image.new("RGB", (96, 45), "teal").save(picture, "JPEG")
    (files / "thumb.jpg").write_bytes(picture.getvalue())
    with Sandbox(files=files) as sandbox:
        yield sandbox


@pytest.fixture
def client(box: Sandbox) -> Iterator[Constellations]:
    with box.client() as signed_in:
        yield signed_in


def publish(box: Sandbox, client: Constellations, note: str, handle: str = "") -> str:
    permissions = {"copyright": "Copyright 2020 A", "license": "CC-BY-4.0", "credits": "NOIRLab"}
    wwt = make_submission().to_request()["wwt"] | PLACED | {"thumbnail_url": f"{box.files_url}/thumb.jpg"}
    storage = {"legacy_url_template": f"{box.files_url}/thumb.jpg"}
    submission = make_submission(note=note, permissions=permissions, wwt=wwt, storage=storage)
    return client.add_image(handle or box.handle, submission).id


def test_a_published_image_is_changed_by_keyboard_after_a_last_look(page: Page, box: Sandbox, client: Constellations):
    watch = WatchedPage(page)
    image = PublishedImage(client, publish(box, client, "M 51"))
    with bare_page(page, ImageForm(image)) as frame:
        rotation = field(frame.locator(".cxw-form"), "Rotation")
        expect(rotation).to_be_disabled()
        expect(rotation).to_have_value("12.5")
        save = frame.get_by_role("button", name="Save changes")
        expect(save).to_be_disabled()
        note = field(frame.locator(".cxw-form"), "Title (public)")
        note.fill("")
        expect(frame.get_by_text("Fix 1 error first: Title (public).")).to_be_visible()
        note.fill("M 51, the Whirlpool")
        field(frame.locator(".cxw-form"), "License").fill("cc0-1.0")
        expect(frame.get_by_text("Changed: Title (public), License. Nothing is saved yet.")).to_be_visible()
        client.update_image(image.id, note="theirs")
        save.press("Enter")
        review = frame.get_by_role("dialog", name="Review")
        expect(review.locator("h3")).to_be_focused()
        expect(review.locator("tbody tr")).to_contain_text(["Title (public)theirs", "LicenseCC-BY-4.0CC0-1.0"])
        expect(review).to_contain_text("Changed on the server since you read it.")
        pixels(page, save="published-review")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # Overwrite with my changes
        outcome = frame.locator(".cxw-receipt")
        expect(outcome).to_be_focused()
        expect(outcome.get_by_role("listitem")).to_have_text(
            [
                "Title (public) was changed from “theirs” to “M 51, the Whirlpool”",
                "License was changed from “CC-BY-4.0” to “CC0-1.0”",
            ]
        )
        box.faults.next("reset_before_read", method="PATCH")
        note = field(frame.locator(".cxw-form"), "Title (public)")
        note.fill("lost on the way")
        save.click()
        frame.get_by_role("button", name="Save", exact=True).click()
        expect(frame.locator(".cxw-failed")).to_contain_text(
            "Title (public) was not changed: it is still “M 51, the Whirlpool”"
        )
        expect(note).to_have_value("lost on the way")
        expect(frame.locator('[data-path="note"]')).to_contain_text("was not changed at the server: save again")
    record = client.image(image.id)
    assert (record.note, record.permissions.license, record.permissions.credits) == (
        "M 51, the Whirlpool",
        "CC0-1.0",
        "NOIRLab",
    )
    assert watch.console_errors == [] and watch.outside_requests == []


_numbers = itertools.count(1)


def test_a_thousand_images_are_scrolled_searched_and_asked_for_pictures_only_when_they_are_wanted(
    page: Page, box: Sandbox, client: Constellations
):
    handle = f"many-{next(_numbers)}"  # a second run finds no images of the first
    box.add_handle(handle)
    store = box._server.store  # by requests it would take ten seconds
    pattern = store.image(publish(box, client, "Image 0", handle))
    for number in range(1, COUNT):
        store.add_image(pattern.handle_id, pattern.document | {"note": f"Image {number}"})
    watch, pictures = WatchedPage(page), []
    page.on("request", lambda request: pictures.append(request.url) if "thumb.jpg" in request.url else None)
    images = HandleImages(client, handle)
    with bare_page(page, images.children[0]) as frame:
        expect(frame.get_by_text("100 of 1,000 images are loaded.")).to_be_visible()
        scroller = frame.locator(".cxw-records-scroller")
        scroller.evaluate("(it) => void (it.scrollTop = it.scrollHeight)")
        # A page that is drawn late can ask for one more.
        expect(frame.get_by_text(re.compile(r"[2-4]00 of 1,000 images are loaded\."))).to_be_visible()
        frame.get_by_label("Search").fill("image 99")
        some = re.compile(r"1[1-3] found\. [2-4]00 of 1,000 images are loaded\. [6-8]00 are not loaded")
        expect(frame.get_by_text(some)).to_be_visible()
        frame.get_by_role("button", name="Load all").click()
        expect(frame.get_by_text("19 found. 1,000 images.")).to_be_visible()
        frame.get_by_label("Search").fill("")
        expect(frame.get_by_text("1,000 images.", exact=True)).to_be_visible()
        scroller.evaluate(SCROLL)
        expect(frame.get_by_text("Image 0", exact=True)).to_be_visible()
        assert pictures == []
        frame.get_by_label("Load thumbnails from the web").check()
        shown = scroller.locator("img")
        expect(shown.last).to_have_js_property("naturalWidth", 96)
        expect(shown.last).to_have_attribute("alt", "A spiral galaxy seen from above.")
        assert len(images._records._known) < 30  # of those in sight alone
        box.faults.next("delay", path="/image/*", seconds=0.3)
        frame.get_by_role("button", name="Edit: Image 3", exact=True).press("Enter")
        close = frame.get_by_role("button", name="Close: Image 3", exact=True)
        expect(close).to_be_focused()
        expect(close).to_have_attribute("aria-expanded", "true")
        images.opened.note = "Image 3, renamed"
        images.opened.save()
        expect(frame.get_by_role("button", name="Close: Image 3, renamed")).to_be_visible()
        page.keyboard.press("ArrowUp")
        expect(frame.get_by_role("button", name="Edit: Image 4", exact=True)).to_be_focused()
        page.keyboard.press("Home")
        expect(frame.get_by_role("button", name="Edit: Image 999", exact=True)).to_be_focused()
        publish(box, client, "Newest", handle)
        frame.get_by_role("button", name="Refresh").click()
        expect(frame.get_by_text("100 of 1,001 images are loaded.")).to_be_visible()
        expect(scroller.locator("li").first).to_contain_text("Newest")
        pixels(page, save="handle-images")
    images.close()
    assert watch.console_errors == [] and watch.outside_requests == []


SHOW = """
import constellations_widgets as cxw
client = cxw.Constellations({api!r}, auth={token!r})
images = cxw.HandleImages(client, "sandbox")
display(images)
import pathlib, time
while not pathlib.Path({stop!r}).exists():
    time.sleep(0.1)
"""


def test_in_jupyterlab_the_form_and_the_sky_open_below_the_list_while_a_cell_runs(
    lab: Lab, box: Sandbox, client: Constellations, tmp_path: Path
):
    publish(box, client, "For JupyterLab")
    stop = tmp_path / "stop"
    notebook = lab.open_notebook([SHOW.format(api=box.api_url, token=box.token(), stop=str(stop))])
    notebook.start_cell(0)
    shown = notebook.output(0)
    shown.get_by_role("button", name="Edit: For JupyterLab").click()
    form = shown.locator(".cxw-form")
    field(form, "Alt text").fill("Typed in JupyterLab")
    form.get_by_role("button", name="Save changes").click()
    form.get_by_role("button", name="Save", exact=True).click()
    expect(form.locator(".cxw-receipt")).to_contain_text("Typed in JupyterLab")
    pixels(lab.page, save="handle-images-lab")
    shown.get_by_role("button", name="Show on the sky: For JupyterLab").click()
    expect(shown.locator(".cxw-preview")).to_have_attribute("data-cxw-preview-state", "shown", timeout=180_000)
    expect(form).to_have_count(0)
    shown.get_by_role("button", name="Close: For JupyterLab").click()
    expect(shown.locator(".cxw-preview")).to_have_count(0)
    assert notebook.is_running(0)  # all the time until now
    stop.touch()
    notebook.wait_idle()
