"""After the publication, in a page: what was left open is looked for, and a scene of the view that is shown is made."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from examples import untiled
from playwright.sync_api import Page, expect

from browser.bare_page import bare_page
from browser.marked_image import HEIGHT, WIDTH
from browser.on_sky import UNTILED, camera, look, wait_revision
from browser.screenshots import pixels
from browser.watching import WatchedPage
from constellations_widgets import ImageDraft, Preview, Publisher, Sandbox
from constellations_widgets.publishing.journal import default_journal
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage


@pytest.fixture
def box():
    with Sandbox() as sandbox:
        yield sandbox


def wait_until(page: Page, true: Callable[[], bool]) -> None:
    """Wait for this process to know something that the page has told."""
    for _ in range(600):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("the page has not told it")


def test_what_was_left_open_is_found_and_becomes_a_scene_of_the_view_shown(page: Page, image: Path, box: Sandbox):
    watch = WatchedPage(page)
    values = untiled(
        {**UNTILED, "wwt.thumbnail_url": "https://example.org/thumbnail.jpg", "note": "The marked <i>image</i>"}
    )
    local = LocalImage(image.parent, image.name, (WIDTH, HEIGHT))
    draft = ImageDraft(ParsedImage(values, name="Marks", local=local), autosave=False)
    client, body = box.client(), draft.submission().to_json()
    attempt = default_journal().claim(box.api_url, box.handle, draft.storage.legacy_url_template, body)
    default_journal().unclear(attempt.key, "The program that sent it ended before the answer came.")
    id = client.add_image(box.handle, draft.submission()).id  # it had arrived
    preview = Preview(draft, height="400px")
    publisher = Publisher(draft, client, box.handle, preview)
    with bare_page(page, preview, publisher) as frame:
        element = wait_revision(frame.locator(".cxw-preview"), preview.revision)
        offer = frame.get_by_role("status").filter(has_text="1 image was being sent when an earlier session ended")
        expect(offer).to_contain_text("“The marked <i>image</i>” to @sandbox")
        pixels(page, save="left-open")
        look_now = frame.get_by_role("button", name="Check now")
        look_now.focus()
        page.keyboard.press("Enter")
        expect(frame.get_by_role("status").filter(has_text="It was published.")).to_contain_text(id)
        receipt = frame.get_by_role("region", name="Receipt").or_(frame.locator(".cxw-receipt"))
        expect(receipt.first).to_contain_text(id)

        look(element, 150.4, 20.3, 1.5)
        wait_until(page, lambda: preview.view is not None and abs(preview.view.ra - 150.4) < 1e-6)
        scene = frame.locator(".cxw-scene")
        expect(scene).to_contain_text("To show the image on the website, create a scene.")
        scene.get_by_role("button", name="Create scene…").focus()
        page.keyboard.press("Enter")
        scene.get_by_label("Text").fill("Marks, seen from the side")
        scene.get_by_label("Opacity of").fill("80")
        scene.get_by_label("“See more” address").fill("no address")
        scene.get_by_role("button", name="Review scene").click()
        expect(scene.get_by_role("alert")).to_contain_text("“See more” address: has a space")
        scene.get_by_label("“See more” address").fill("")
        expect(scene.get_by_label("Center RA")).to_have_value(re.compile("10h 01m 36"))  # as in the preview
        pixels(page, save="scene-form")
        page.keyboard.press("Enter")
        review = scene.get_by_role("dialog", name="Review of the scene")
        expect(review).to_contain_text("10h 01m 36")
        expect(review).to_contain_text("Unlisted")
        expect(review).to_contain_text("Marks, seen from the side")
        assert client.handle_scenes(box.handle) == []
        pixels(page, save="scene-review")
        review.get_by_role("button", name="Create scene").focus()
        page.keyboard.press("Enter")
        expect(scene.get_by_role("heading", name="Scene created, not published")).to_be_focused()
        pixels(page, save="scene-made")
        seen = camera(element)

    (made,) = client.handle_scenes(box.handle)
    record = client.scene(made.id)
    assert (record.text, record.published) == ("Marks, seen from the side", False)
    assert [(it["image"]["id"], it["opacity"]) for it in record.content["image_layers"]] == [(id, 0.8)]
    place = record.place
    assert place["ra_rad"] == pytest.approx(seen["ra"] * 3.141592653589793 / 180)
    assert (seen["ra"], seen["dec"], seen["fov"]) == (pytest.approx(150.4), pytest.approx(20.3), pytest.approx(1.5))
    assert place["roi_height_deg"] == pytest.approx(seen["fov"])
    assert place["roi_aspect_ratio"] == pytest.approx(seen["width"] / seen["height"])
    assert draft.receipt.id == id and publisher.scene_receipt.id == made.id
    assert watch.console_errors == [] and watch.outside_requests == []
