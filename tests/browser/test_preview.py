"""The preview in a real JupyterLab: the image is on the sky where its WCS says, and follows the draft."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from browser.lab import Lab, Notebook, pixels
from browser.marked_image import find_marks, make_image, make_wcs, positions, sky_to_pixel, tile_image
from playwright.sync_api import Locator

TILED = """
import constellations_widgets as cxw
draft = cxw.ImageDraft.from_wtml({folder!r}, autosave=False)
preview = cxw.Preview(draft, height="500px")
preview
"""


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marked")
    return tile_image(make_image(folder / "marked.png"), make_wcs(), folder / "tiles")


def root(notebook: Notebook, cell: int = 0) -> Locator:
    return notebook.output(cell).locator(".cxw-preview")


def wait_shown(notebook: Notebook, cell: int = 0) -> Locator:
    """Wait until what the draft says now is on the sky."""
    element = root(notebook, cell)
    revision = notebook.evaluate("preview.revision")
    notebook.page.wait_for_function(
        "([element, revision]) => element.dataset.cxwPreviewState === 'shown' && Number(element.dataset.cxwRevision) >= revision",
        arg=[element.element_handle(), revision],
        timeout=60_000,
    )
    return element


def sky(element: Locator) -> np.ndarray:
    return pixels(element.locator("iframe"))


def camera(element: Locator) -> dict[str, float]:
    return json.loads(element.get_attribute("data-cxw-camera"))


def worst_error(element: Locator, wcs) -> float:
    """The largest distance, in pixels, of a mark from where `wcs` puts it."""
    found, view = find_marks(sky(element)), camera(element)
    assert len(found) == 4
    expected = {name: sky_to_pixel(*position, view) for name, position in positions(wcs).items()}
    return max(float(np.hypot(*np.subtract(found[name], expected[name]))) for name in found)


def test_a_tiled_image_is_on_the_sky_where_its_wcs_says(lab: Lab, tiles: Path):
    notebook = lab.open_notebook([TILED.format(folder=str(tiles))])
    notebook.run_all()
    element = wait_shown(notebook)
    notebook.screenshot("preview-tiled", element)
    assert worst_error(element, make_wcs()) < 2
