"""The preview in a page of its own, with no Jupyter: the image is on the sky where its WCS says, and follows the draft."""

from __future__ import annotations

import functools
import http.server
import json
import math
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from anywidget import AnyWidget
from playwright.sync_api import FrameLocator, Locator, Page, expect

from browser.bare_page import bare_page
from browser.frame_log import picture, watch_frames
from browser.marked_image import find_marks, make_wcs, positions, sky_to_pixel
from browser.on_sky import SMALL_PIXEL, UNTILED, camera, look, wait_revision, worst_error
from browser.watching import WatchedPage
from constellations_widgets import ImageDraft, Preview
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage

# A busy page: what is posted to the app comes late.
LATE = """
if (window.frameElement?.className === "cxw-preview-frame") {
    const post = window.postMessage.bind(window);
    const later = window.parent.eval("(post, message) => void setTimeout(() => post(...message), 1000)"); // it is the source
    window.postMessage = (...message) => later(post, message);
}
"""


def untiled(image: Path | None, **changes: Any) -> ImageDraft:
    """The marked image as one file, or what `changes` say of it where it is not on this disk."""
    local = image and LocalImage(image.parent, image.name)
    return ImageDraft(ParsedImage(UNTILED | changes, local=local), autosave=False)


class Shown:
    """A preview in a small page: software WebGL takes its time for each pixel."""

    def __init__(self, preview: Preview, frame: FrameLocator, number: int = 0):
        self.preview, self.draft, self.frame = preview, preview.draft, frame
        self.element = frame.locator(".cxw-preview").nth(number)

    def up_to_date(self) -> Locator:
        """Wait until what the draft says is on the sky."""
        return wait_revision(self.element, self.preview.revision)

    def worst_error(self, **wcs: float) -> float:
        """How far the marks are from where they should be, in pixels; of the sky that is drawn, as words at its foot lie over much of it."""
        element = self.up_to_date()
        watch_frames(element)
        return worst_error(element, make_wcs(**wcs), picture(element))


@contextmanager
def shown(page: Page, draft: ImageDraft, *more: AnyWidget) -> Iterator[Shown]:
    """A preview of `draft` with `more` widgets below it."""
    preview = Preview(draft, height="300px")
    page.set_viewport_size({"width": 500, "height": 450})
    with bare_page(page, preview, *more) as frame:
        yield Shown(preview, frame)


class Web(NamedTuple):
    """A server of files: its address, and whether it answers yet."""

    url: str
    answers: threading.Event


@pytest.fixture
def web(image: Path) -> Iterator[Web]:
    """A server that has the marked image, and lets every page use it."""
    answers = threading.Event()
    answers.set()

    class Files(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.wait()
            super().do_GET()

        def end_headers(self) -> None:
            self.send_header("Access-Control-Allow-Origin", "*")
            super().end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(image.parent)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield Web(f"http://127.0.0.1:{server.server_port}", answers)
    answers.set()
    server.shutdown()
    server.server_close()


def test_a_tiled_image_is_on_the_sky_where_its_wcs_says_and_follows_the_draft(page: Page, tiles: Path):
    watch, asked = WatchedPage(page), []
    page.on("request", lambda request: asked.append(request.url))
    with shown(page, ImageDraft.from_wtml(tiles, autosave=False)) as it:
        element = it.up_to_date()
        assert asked and not [
            url for url in asked if url.startswith("http://localhost:1/")
        ]  # answered before it is one
        before = camera(element)
        assert it.worst_error() < SMALL_PIXEL

        it.draft.wwt.rotation = 75
        assert it.worst_error(rotation=75) < SMALL_PIXEL
        it.draft.wwt.center_x = 150.2
        assert it.worst_error(ra=150.2, rotation=75) < SMALL_PIXEL
        it.draft.update({"wwt.center_x": 149.9, "wwt.center_y": 20.1, "wwt.rotation": -100})
        assert it.worst_error(ra=149.9, dec=20.1, rotation=-100) < SMALL_PIXEL
        assert camera(element) == before  # edits move the image, not the view

        element.get_by_role("button", name="Fit to image").click()
        page.frames[1].wait_for_function(
            "([it, old]) => it.dataset.cxwCamera !== old", arg=[element.element_handle(), json.dumps(before)]
        )
        assert it.worst_error(ra=149.9, dec=20.1, rotation=-100) < SMALL_PIXEL
    assert watch.console_errors == watch.outside_requests == []


def test_a_hole_in_the_pyramid_is_no_error(page: Page, tiles: Path, tmp_path: Path):
    sparse = tmp_path / "sparse"
    shutil.copytree(tiles, sparse)
    removed = [tile for tile in (sparse / "2").rglob("*.png") if tile.name in ("0_0.png", "1_1.png", "2_2.png")]
    for tile in removed:
        tile.unlink()
    assert removed
    with shown(page, ImageDraft.from_wtml(sparse, autosave=False)) as it:
        assert it.worst_error() < 1.5 * SMALL_PIXEL


def test_only_the_images_own_files_come_to_the_page(page: Page, image: Path):
    (image.parent / "secret.png").write_bytes(image.read_bytes())
    fetch = """async (frame, name) => {
        const response = await frame.contentWindow.fetch("http://localhost:1/1/image/" + name);
        return [response.status, (await response.arrayBuffer()).byteLength];
    }"""
    wrong = "secret.png ../marked.png %2e%2e/marked.png /etc/passwd ..%2f..%2fetc/passwd MARKED.PNG marked.png/ ./marked.png"
    with shown(page, untiled(image)) as it:
        frame = it.up_to_date().locator("iframe")
        assert frame.evaluate(fetch, "marked.png") == [200, image.stat().st_size]
        assert {name: frame.evaluate(fetch, name) for name in wrong.split()} == {
            name: [404, 0] for name in wrong.split()
        }


def test_a_value_that_cannot_be_drawn_leaves_the_last_good_one_and_is_named(page: Page, image: Path):
    with shown(page, untiled(image)) as it:
        watch_frames(it.up_to_date())
        before = picture(it.element)
        it.draft.wwt.center_x = "fifty"
        words = it.element.get_by_role("status").filter(has_text="Center X (RA) is not a number")
        expect(words).to_be_visible()
        assert (picture(it.up_to_date()) == before).all()
        it.draft.wwt.rotation = 75
        it.draft.wwt.center_x = 150.1
        assert it.worst_error(ra=150.1, rotation=75) < SMALL_PIXEL
        expect(words).to_have_count(0)


def test_the_next_preview_takes_an_app_that_was_started_while_the_page_was_idle(page: Page, image: Path):
    page.add_init_script("window.cxwPrewarms = true")
    page.set_viewport_size({"width": 1000, "height": 600})
    previews = [Preview(untiled(image, **{"wwt.rotation": rotation}), height="640px") for rotation in (30, 75)]
    with bare_page(page, *previews) as frame:
        seen, below = (frame.locator(".cxw-preview").nth(number) for number in (0, 1))
        wait_revision(seen, previews[0].revision)
        expect(below).to_contain_text("starts when this preview is scrolled into view")
        spare = frame.locator(".cxw-preview-prewarmed iframe")
        spare.wait_for(state="attached")
        spare.evaluate("it => { it.dataset.spare = 'yes' }")
        seen.element_handle().owner_frame().wait_for_function(
            "globalThis[Symbol.for('constellations_widgets.prewarmed.1')].frame?.listens"
        )
        below.scroll_into_view_if_needed()
        wait_revision(below, previews[1].revision)
        expect(below.locator("iframe")).to_have_attribute("data-spare", "yes")
        assert worst_error(below, make_wcs(rotation=75)) < 1


def test_a_remote_image_is_loaded_by_the_page(page: Page, web: Web):
    with shown(page, untiled(None, **{"storage.legacy_url_template": f"{web.url}/marked.png"})) as it:
        assert it.worst_error() < SMALL_PIXEL


def test_an_image_whose_size_comes_late_does_not_take_the_view_from_who_has_moved_it(page: Page, web: Web):
    web.answers.clear()
    with shown(page, untiled(None, **{"storage.legacy_url_template": f"{web.url}/marked.png"})) as it:
        zoom = it.element.get_by_role("button", name="Zoom out")
        expect(it.element).to_have_attribute("data-cxw-camera", re.compile('"ra":1(49.9|50)'))
        for _ in range(2):
            before = it.element.get_attribute("data-cxw-camera")
            zoom.click()
            expect(it.element).not_to_have_attribute("data-cxw-camera", str(before))
        moved = camera(it.element)
        assert it.element.get_attribute("data-cxw-preview-state") == "ready"
        web.answers.set()
        assert camera(it.up_to_date()) == moved


def test_without_webgl_the_cell_says_so(page: Page, image: Path):
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    with shown(page, untiled(image)) as it:
        expect(it.element.get_by_text("The preview needs WebGL")).to_be_visible()
        expect(it.element).to_have_attribute("data-cxw-preview-state", "failed")


def test_a_browser_that_is_too_old_is_told_so(page: Page, image: Path):
    page.add_init_script("delete window.IntersectionObserver")
    with bare_page(page, Preview(untiled(image))) as frame:
        expect(frame.get_by_text("The preview needs a browser from 2020 or later")).to_be_visible()


def test_without_wwts_app_the_cell_says_so(page: Page, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("constellations_widgets.widgets.wwt.app.RESEARCH_APP", tmp_path)
    with shown(page, untiled(image)) as it:
        expect(it.element.get_by_text("Install constellations_widgets again")).to_be_visible()


def test_a_file_that_is_no_image_is_said_in_words(page: Page, tmp_path: Path):
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with shown(page, untiled(tmp_path / "broken.png")) as it:
        expect(it.element.get_by_text("The image file could not be read")).to_be_visible()


def test_without_a_way_into_the_engine_every_change_still_reaches_the_sky(page: Page, image: Path):
    # By these texts the engine is found in the app's bundle.
    page.add_init_script("if (location.pathname === '/widgets') Function.prototype.toString = () => ''")
    with shown(page, untiled(image)) as it:
        element = it.up_to_date()
        assert element.get_attribute("data-cxw-camera") is None
        it.draft.wwt.rotation = 75
        it.up_to_date()
        look(element, 150.0, 20.0, 1.0)
        watch_frames(element)
        height, width, _ = (seen := picture(element)).shape
        found = find_marks(seen)
        view = {"ra": 150.0, "dec": 20.0, "fov": 1.0, "roll": 0.0, "width": width, "height": height}
        expected = {name: sky_to_pixel(*at, view) for name, at in positions(make_wcs(rotation=75)).items()}
        assert len(found) == 4 and max(math.dist(found[name], expected[name]) for name in found) < SMALL_PIXEL


def test_an_image_is_shown_when_the_view_is_where_it_was_sent_however_long_that_takes(page: Page, image: Path):
    page.add_init_script(LATE)
    with shown(page, untiled(image)) as it:
        assert camera(it.up_to_date())["fov"] < 5
