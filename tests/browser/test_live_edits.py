"""Edits of a draft repaint the sky in place: no dark frame, nothing but the newest values, the picture that a fresh load gives."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from anywidget import AnyWidget
from playwright.sync_api import Locator, Page

from browser.form_steps import field
from browser.frame_log import count_pictures, frames, picture, see_every_frame, watch_frames
from browser.on_sky import SMALL_PIXEL, wait_revision
from browser.test_preview import Shown, shown, untiled
from browser.watching import WatchedPage
from constellations_widgets import ImageDraft, ImageForm

# One edit of each of the 13 fields, each on top of those before, so that most of the image stays in sight. After each group the
# picture is compared with a fresh load; no edit that loads the image again hides what one before it did in place.
OF_A_FILE: list[list[dict[str, Any]]] = [
    [
        *({"wwt.center_x": 150.1}, {"wwt.center_y": 20.05}, {"wwt.rotation": 110.0}),
        *({"wwt.base_degrees_per_tile": 0.0008}, {"wwt.offset_x": 260.0}, {"wwt.offset_y": 300.0}),
    ],
    [{"wwt.bottoms_up": True}, {"wwt.thumbnail_url": "https://example.org/thumb.jpg"}, {"wwt.width_factor": 1}],
    [
        {"wwt.quad_tree_map": "0123"},
        {"wwt.projection": "Tan", "wwt.tile_levels": 1, "wwt.bottoms_up": False},  # waits: there is no tile
        *({"wwt.projection": "SkyImage", "wwt.tile_levels": 0}, {"wwt.file_type": ".jpg"}),
    ],
]
OF_TILES: list[list[dict[str, Any]]] = [
    [
        *({"wwt.center_x": 150.1}, {"wwt.center_y": 20.05}, {"wwt.rotation": 110.0}),
        *({"wwt.base_degrees_per_tile": 0.9}, {"wwt.offset_x": 0.05}, {"wwt.offset_y": -0.04}),
    ],
    [
        *({"wwt.bottoms_up": True}, {"wwt.bottoms_up": False}),  # the first waits: nothing would be drawn
        *({"wwt.thumbnail_url": "https://example.org/thumb.jpg"}, {"wwt.quad_tree_map": "0123"}),
    ],
    [{"wwt.file_type": ".jpg"}, {"wwt.file_type": ".png"}, {"wwt.tile_levels": 1}, {"wwt.width_factor": 1}],
    [{"wwt.projection": "Toast"}],
]

COMPLETE = {
    "storage.legacy_url_template": "https://example.org/{1}/{3}/{3}_{2}.png",
    "wwt.thumbnail_url": "https://example.org/thumb.jpg",
    "note": "Marks",
    "permissions.copyright": "Copyright A. Tester",
    "permissions.credits": "A. Tester",
    "permissions.license": "CC0-1.0",
}


@contextmanager
def shown_alone(page: Page, draft: ImageDraft, *more: AnyWidget) -> Iterator[Shown]:
    """As `shown`. Nothing that happens meanwhile may be an error or ask another machine."""
    watch = WatchedPage(page)
    with shown(page, draft, *more) as it:
        yield it
    assert watch.console_errors == watch.outside_requests == []


def load_afresh(element: Locator) -> None:
    """Empty the preview's frame: the app is built anew, looks where it looked, and loads the image as it is now."""
    revision = int(element.get_attribute("data-cxw-revision"))
    element.evaluate(
        "it => { delete it.dataset.cxwRevision; const place = it.parentNode; it.remove(); place.append(it); }"
    )
    wait_revision(element, revision)
    watch_frames(element)


def edit_each_field(it: Shown, groups: list[list[dict[str, Any]]]) -> None:
    element = it.up_to_date()
    watch_frames(element)
    for group in groups:
        picture(element)
        before = frames(element)[-1]["bright"]
        for edit in group:
            it.draft.update(edit)
            log = frames(element, it.preview.revision)
            after = log[-1]["bright"] if log else before  # the sky has no thumbnail
            assert min(before, after) > 100
            assert min([frame["bright"] for frame in log], default=after) >= 0.9 * min(before, after), (edit, log)
            before = after
        edited = picture(element)
        load_afresh(element)
        assert np.abs(edited.astype(int) - picture(element)).max() <= 2, group


def test_every_field_of_an_untiled_image_is_edited_without_a_dark_frame_and_looks_as_if_loaded_so(
    page: Page, image: Path
):
    see_every_frame(page)
    with shown_alone(page, untiled(image)) as it:
        edit_each_field(it, OF_A_FILE)


def test_every_field_of_a_tiled_image_is_edited_without_a_dark_frame_and_looks_as_if_loaded_so(page: Page, tiles: Path):
    see_every_frame(page)
    with shown_alone(page, ImageDraft.from_wtml(tiles, autosave=False)) as it:
        edit_each_field(it, OF_TILES)


DRAG = """async (input) => {
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    for (let step = 0; step < 30; step += 1) {
        set.call(input, String(75 + 2 * step));
        input.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((later) => setTimeout(later, 50));
    }
}"""


def test_a_drag_at_twenty_changes_a_second_is_followed_and_ends_exact(page: Page, tiles: Path):
    draft = ImageDraft.from_wtml(tiles, autosave=False)
    draft.update(COMPLETE)
    before = draft.submission().to_request()
    with shown_alone(page, draft, ImageForm(draft)) as it:
        page.set_viewport_size({"width": 500, "height": 1400})  # sky and field are in sight together
        element = it.up_to_date()
        watch_frames(element)
        for step in range(30):
            draft.wwt.rotation = 30 + 1.5 * (step + 1)
            time.sleep(0.05)
        assert it.worst_error(rotation=75) < SMALL_PIXEL
        assert count_pictures(frames(element)) >= 5  # how many depends on the machine

        arrived = threading.Event()
        draft.on_change(lambda draft, _changed: draft.wwt.rotation == 133 and arrived.set())
        field(it.frame.locator(".cxw-form"), "Rotation").evaluate(DRAG)
        assert arrived.wait(30)
        assert it.worst_error(rotation=133) < SMALL_PIXEL
        assert count_pictures(frames(element)) >= 5

        # Neither way of drawing it has left a trace in what will be sent.
        draft.wwt.width_factor = 1
        it.up_to_date()
        draft.update({"wwt.width_factor": 2, "wwt.rotation": 30.0})
        it.up_to_date()
    assert draft.submission().to_request() == before | {"wwt": before["wwt"] | {"rotation": 30.0}}
