"""A preview in a page: code that shows the marked image, when it is on the sky, and how far from where it should be."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from astropy.wcs import WCS
from playwright.sync_api import Locator

from browser.lab import Lab, Notebook, pixels
from browser.marked_image import find_marks, positions, sky_to_pixel
from constellations_widgets import ImageDraft
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage

SHOW = """
import constellations_widgets as cxw
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage
{draft}
preview = cxw.Preview(draft, height="320px")
preview
"""

# The limit for marks in a view 300 pixels high: the same angle as one pixel of a view of 500.
SMALL_PIXEL = 0.6

# The marked image as one file; its WCS as the schema's table says for an untiled image.
UNTILED = {
    "wwt.center_x": 150.0,
    "wwt.center_y": 20.0,
    "wwt.rotation": 30.0,
    "wwt.offset_x": 310.0,
    "wwt.offset_y": 500 - 220.0,
    "wwt.base_degrees_per_tile": 0.001,
    "wwt.bottoms_up": False,
    "wwt.projection": "SkyImage",
    "wwt.tile_levels": 0,
    "wwt.file_type": ".png",
}


def tiled(folder: Path) -> str:
    """Code that makes the draft of a folder of tiles."""
    return f"draft = cxw.ImageDraft.from_wtml({str(folder)!r}, autosave=False)"


def untiled(image: Path, **changes: Any) -> str:
    """Code that makes the draft of the marked image as one file."""
    local = f"LocalImage({str(image.parent)!r}, {image.name!r})"
    return f"draft = cxw.ImageDraft(ParsedImage({UNTILED | changes!r}, local={local}), autosave=False)"


def marked_draft(image: Path) -> ImageDraft:
    """The draft of the marked image as one file, in this process."""
    return ImageDraft(ParsedImage(UNTILED, local=LocalImage(image.parent, image.name)), autosave=False)


def show(lab: Lab, draft: str) -> Notebook:
    """A notebook whose first cell shows a preview of what `draft`, code, makes."""
    notebook = lab.open_notebook([SHOW.format(draft=draft)])
    notebook.run_all()
    return notebook


def wait_shown(notebook: Notebook) -> Locator:
    """Wait until what the draft says now is on the sky; the preview's element."""
    element = notebook.output(0).locator(".cxw-preview")
    return wait_revision(element, notebook.evaluate("preview.revision"))


def wait_revision(element: Locator, revision: int) -> Locator:
    """Wait until a preview shows this state of its draft, or a newer one."""
    handle = element.element_handle()
    handle.owner_frame().wait_for_function(
        "([it, revision]) => it.dataset.cxwPreviewState === 'shown' && Number(it.dataset.cxwRevision) >= revision",
        arg=[handle, revision],
        timeout=180_000,
    )
    return element


def sky(element: Locator) -> np.ndarray:
    """The view's pixels, after the view was moved to a whole pixel of the page."""
    frame = element.locator("iframe")
    box = frame.bounding_box()
    for side, at in (("top", box["y"]), ("left", box["x"])):
        element.evaluate(
            "(it, [side, more]) => {"
            "it.style.position = 'relative'; it.style[side] = `${parseFloat(it.style[side] || 0) + more}px`; }",
            [side, math.ceil(at) - at],
        )
    return pixels(frame)


def camera(element: Locator) -> dict[str, float]:
    """Where the preview looks; see `sky_to_pixel`."""
    return json.loads(element.get_attribute("data-cxw-camera"))


def look(element: Locator, ra: float, dec: float, fov: float) -> None:
    """Turn the view, as a person would by dragging and zooming.

    A hand on the sky has the preview draw; a message to the app alone would not, if the preview has come to rest by then.
    """
    message = {"event": "center_on_coordinates", "ra": ra, "dec": dec, "fov": fov, "instant": True}
    element.locator("iframe").evaluate("(f, message) => f.contentWindow.postMessage(message, location.origin)", message)
    if element.get_attribute("data-cxw-camera") is None:  # without a way into the engine nobody knows
        element.page.wait_for_timeout(1500)
        return
    handle = element.element_handle()
    handle.owner_frame().wait_for_function(
        "([it, to]) => { it.querySelector('iframe')?.contentWindow.dispatchEvent(new Event('resize'));"
        "const at = JSON.parse(it.dataset.cxwCamera);"
        "return ['ra', 'dec', 'fov'].every((name) => Math.abs(at[name] - to[name]) < 1e-6); }",
        arg=[handle, message],
        timeout=180_000,
    )


def worst_error(element: Locator, wcs: WCS, shown: np.ndarray | None = None) -> float:
    """The largest distance, in pixels, of a mark from where `wcs` puts it. All four must be in sight.

    `shown` is the view's pixels, if not those of the page, where words may lie over the marks.
    """
    found, view = find_marks(sky(element) if shown is None else shown), camera(element)
    assert len(found) == 4
    expected = {name: sky_to_pixel(*position, view) for name, position in positions(wcs).items()}
    return max(math.dist(found[name], expected[name]) for name in found)
