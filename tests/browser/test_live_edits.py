"""Edits of a draft repaint the sky in place: no dark frame, nothing but the newest values, the picture that a fresh load gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from browser.frame_log import STRIDE, count_pictures, frames, picture, watch_frames
from browser.lab import Lab, Notebook
from browser.marked_image import make_wcs
from browser.on_sky import SHOW, show, tiled, untiled, wait_revision, wait_shown, worst_error
from playwright.sync_api import Locator

# One edit of each of the 13 fields, each on top of those before, so that most of the image stays in sight.
OF_A_FILE: list[dict[str, Any]] = [
    {"wwt.center_x": 150.1},
    {"wwt.center_y": 20.05},
    {"wwt.rotation": 110.0},
    {"wwt.base_degrees_per_tile": 0.0008},
    {"wwt.offset_x": 260.0},
    {"wwt.offset_y": 300.0},
    {"wwt.bottoms_up": True},
    {"wwt.width_factor": 1},
    {"wwt.quad_tree_map": "0123"},
    {"wwt.thumbnail_url": "https://example.org/thumb.jpg"},
    {"wwt.projection": "Tan", "wwt.tile_levels": 1, "wwt.bottoms_up": False},  # waits: there is one file and no tile
    {"wwt.projection": "SkyImage", "wwt.tile_levels": 0},
    {"wwt.file_type": ".jpg"},
]
OF_TILES: list[dict[str, Any]] = [
    {"wwt.center_x": 150.1},
    {"wwt.center_y": 20.05},
    {"wwt.rotation": 110.0},
    {"wwt.base_degrees_per_tile": 0.9},
    {"wwt.offset_x": 0.05},
    {"wwt.offset_y": -0.04},
    {"wwt.bottoms_up": True},  # waits: nothing would be drawn
    {"wwt.bottoms_up": False},
    {"wwt.quad_tree_map": "0123"},
    {"wwt.thumbnail_url": "https://example.org/thumb.jpg"},
    {"wwt.file_type": ".jpg"},
    {"wwt.file_type": ".png"},
    {"wwt.tile_levels": 1},
    {"wwt.width_factor": 1},
    {"wwt.projection": "Toast"},
]

COMPLETE = {
    "storage.legacy_url_template": "https://example.org/{1}/{3}/{3}_{2}.png",
    "wwt.thumbnail_url": "https://example.org/thumb.jpg",
    "note": "Marks",
    "permissions.copyright": "Copyright A. Tester",
    "permissions.credits": "A. Tester",
    "permissions.license": "CC0-1.0",
}


def load_afresh(element: Locator) -> None:
    """Empty the preview's frame: the app is built anew, looks where it looked, and loads the image as it is now."""
    revision = int(element.get_attribute("data-cxw-revision"))
    element.evaluate(
        "it => { delete it.dataset.cxwRevision; const place = it.parentNode; it.remove(); place.append(it); }"
    )
    wait_revision(element, revision)
    watch_frames(element)


def edit_each_field(notebook: Notebook, element: Locator, edits: list[dict[str, Any]]) -> None:
    watch_frames(element)
    shown = picture(element)
    for edit in edits:
        frames(element)
        notebook.execute(f"draft.update({edit!r})")
        wait_shown(notebook)
        edited = picture(element)
        least = 0.9 * min(bright(shown), bright(edited))
        log = frames(element)
        assert min(frame["bright"] for frame in log) >= least, (edit, least, log)
        load_afresh(element)
        shown = picture(element)
        assert np.abs(edited.astype(int) - shown).max() <= 2, edit


def bright(pixels: np.ndarray) -> int:
    """Pixels that are no sky, as `frames` counts them."""
    return int((pixels[::-1].reshape(-1, 3)[::STRIDE].astype(int).sum(axis=1) > 180).sum())


def test_every_field_of_an_untiled_image_is_edited_without_a_dark_frame_and_looks_as_if_loaded_so(
    lab: Lab, image: Path
):
    notebook = show(lab, untiled(image))
    notebook.execute("preview.height = '250px'")
    edit_each_field(notebook, wait_shown(notebook), OF_A_FILE)


def test_every_field_of_a_tiled_image_is_edited_without_a_dark_frame_and_looks_as_if_loaded_so(lab: Lab, tiles: Path):
    notebook = show(lab, tiled(tiles))
    notebook.execute("preview.height = '250px'")
    edit_each_field(notebook, wait_shown(notebook), OF_TILES)


DRAG = """async (input) => {
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    for (let step = 0; step < 60; step += 1) {
        set.call(input, String(75 + step));
        input.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((later) => setTimeout(later, 50));
    }
}"""


def test_a_drag_at_twenty_changes_a_second_is_followed_and_ends_exact(lab: Lab, tiles: Path):
    notebook = lab.open_notebook([SHOW.format(draft=tiled(tiles)), "form = cxw.ImageForm(draft)\nform"])
    notebook.run_all()
    element = wait_shown(notebook)
    notebook.execute(f"draft.update({COMPLETE!r})")
    before = notebook.evaluate("draft.submission().to_request()")
    watch_frames(element)

    notebook.execute("import time")
    notebook.execute("for step in range(60):\n    draft.wwt.rotation = 30.75 + 0.75 * step\n    time.sleep(0.05)")
    assert worst_error(wait_shown(notebook), make_wcs(rotation=75)) < 1
    assert count_pictures(frames(element)) >= 5  # how many depends on the machine

    notebook.output(1).get_by_label("Rotation", exact=False).first.evaluate(DRAG)
    notebook.wait_idle()
    assert notebook.evaluate("draft.wwt.rotation") == 134
    assert worst_error(wait_shown(notebook), make_wcs(rotation=134)) < 1
    assert count_pictures(frames(element)) >= 5

    # Neither way of drawing it has left a trace in what will be sent.
    notebook.execute("draft.wwt.width_factor = 1")
    wait_shown(notebook)
    notebook.execute("draft.update({'wwt.width_factor': 2, 'wwt.rotation': 30.0})")
    wait_shown(notebook)
    after = notebook.evaluate("draft.submission().to_request()")
    assert after == before | {"wwt": before["wwt"] | {"rotation": 30.0}}
