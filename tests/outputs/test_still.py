"""The still picture and the values of a draft, for viewers that can't show widgets."""

from __future__ import annotations

import base64
import io
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS
from browser.marked_fits import make_fits
from browser.marked_image import find_marks, make_image, make_wcs, positions, tile_image
from browser.on_sky import UNTILED
from examples import TILED
from matplotlib.backends.backend_agg import FigureCanvasAgg
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from constellations_widgets import ImageDraft, Preview, publish
from constellations_widgets.outputs import still
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def marked(tmp_path: Path) -> ImageDraft:
    image = make_image(tmp_path / "marked.png")
    return ImageDraft(ParsedImage(UNTILED, local=LocalImage(image.parent, image.name)), autosave=False)


def shown(draft: ImageDraft) -> np.ndarray:
    """The draft's picture: height × width × 3."""
    return np.asarray(Image.open(io.BytesIO(still.still_png(draft))).convert("RGB"))


def worst_error(draft: ImageDraft, monkeypatch: pytest.MonkeyPatch) -> float:
    """The largest distance, in pixels, of a mark from its place."""
    planes: list[Any] = []
    monkeypatch.setattr(still, "_draw_grid", lambda _brush, sky: planes.append(sky))  # its lines would cross the marks
    picture = shown(draft)
    found, [sky] = find_marks(picture), planes
    assert len(found) == 4
    height = picture.shape[0]
    places = {name: sky.pixel(*place) for name, place in positions(make_wcs()).items()}
    return max(math.dist(found[name], (x, height - y)) for name, (x, y) in places.items())


def test_the_picture_shows_the_image_in_its_place(marked: ImageDraft, monkeypatch: pytest.MonkeyPatch):
    assert worst_error(marked, monkeypatch) < 1


def test_tiles_are_drawn_in_their_place(marked: ImageDraft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tile_image(tmp_path / "marked.png", make_wcs(), tmp_path / "tiles")
    assert worst_error(ImageDraft.from_wtml(folder, autosave=False), monkeypatch) < 1.5


def test_fits_pixels_are_drawn(tmp_path: Path):
    draft = ImageDraft.from_fits(make_fits(tmp_path / "marked.fits"), autosave=False)
    assert shown(draft).std() > 5


def test_the_figure_has_the_axes_of_the_sky(marked: ImageDraft):
    figure = Preview(marked).figure()
    [axes] = figure.axes
    assert isinstance(axes.wcs, WCS) and axes.wcs.wcs.ctype[0] == "RA---TAN"
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    found = find_marks(pixels)
    assert len(found) == 4
    for name, place in positions(make_wcs()).items():
        x, y = axes.transData.transform(axes.wcs.wcs_world2pix([place], 0))[0]
        assert math.dist(found[name], (x, pixels.shape[0] - y)) < 2


@pytest.mark.parametrize("widget", [Preview, publish])
def test_preview_and_panel_show_a_picture_and_the_values_where_widgets_cannot_run(marked: ImageDraft, widget: Any):
    marked.update({"note": "Four marks", "alt_text": 'Marks "in" <corners>', "permissions.license": "CC-BY-4.0"})
    data, metadata = widget(marked)._repr_mimebundle_()
    assert WIDGET in data and metadata["image/png"] == {"alt": 'Marks "in" <corners>'}
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    text = data["text/html"]
    assert 'alt="Marks &quot;in&quot; &lt;corners&gt;"' in text and data["image/png"] in text
    for value in ("Four marks", "CC-BY-4.0", "RA 150.00000°, Dec +20.00000°", "30°"):
        assert value in text
    assert len(text) < still.MOST_BYTES and len(data["image/png"]) < still.MOST_BYTES


def test_nbconvert_shows_the_picture_with_its_alt_text(marked: ImageDraft):
    marked.update({"alt_text": "Four marks on gray"})
    data, metadata = Preview(marked)._repr_mimebundle_()
    output = new_output("display_data", data, metadata=metadata)
    page, _ = HTMLExporter().from_notebook_node(new_notebook(cells=[new_code_cell(outputs=[output])]))
    [image] = re.findall("<img [^>]*>", page)
    assert data["image/png"] in image and 'alt="Four marks on gray"' in image


def test_pictures_of_noise_are_small_enough(tmp_path: Path):
    noise = np.random.default_rng(2).integers(0, 255, (500, 700, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    values = UNTILED | dict.fromkeys(
        ("note", "alt_text", "permissions.credits", "permissions.copyright"), "word " * 5000
    )
    draft = ImageDraft(ParsedImage(values, local=LocalImage(tmp_path, "noise.png")), autosave=False)
    data, _ = still.still(draft)
    assert max(len(value.encode()) for value in data.values()) < still.MOST_BYTES


@pytest.mark.parametrize(
    "values",
    [
        TILED,  # its files are elsewhere: the outline
        TILED | {"wwt.center_y": 89.9},
        TILED | {"wwt.center_y": -90.0, "wwt.base_degrees_per_tile": 60.0},
        UNTILED | {"wwt.base_degrees_per_tile": 1e-9},
        UNTILED | {"wwt.center_x": 0.0},
    ],
)
def test_the_outline_of_an_image_without_files_is_drawn_anywhere_on_the_sky(values: dict[str, Any]):
    picture = shown(ImageDraft(ParsedImage(values), autosave=False))
    assert (np.abs(picture.astype(int) - (0x4A, 0xA3, 0xFF)).max(axis=2) < 60).sum() > 300


@pytest.mark.parametrize(
    "changes",
    [
        {"wwt.projection": "Toast"},
        {"wwt.center_x": None},
        {"wwt.center_x": "abc"},
        {"wwt.base_degrees_per_tile": -1},
        {"wwt.base_degrees_per_tile": 1e300},
        {"wwt.tile_levels": 10**400},
        {"wwt.offset_x": float("nan")},
    ],
)
def test_without_a_usable_placement_there_are_the_values_and_the_reason(changes: dict[str, Any]):
    draft = ImageDraft(ParsedImage(TILED | changes), autosave=False)
    data, _ = Preview(draft)._repr_mimebundle_()
    assert "image/png" in data or "There is no picture" in data["text/html"]
    assert "Henrietta Swan Leavitt" in data["text/html"] and WIDGET in data


def test_a_file_that_is_gone_or_broken_is_no_reason_to_show_nothing(marked: ImageDraft, tmp_path: Path):
    (tmp_path / "marked.png").write_bytes(b"no picture")
    for _ in range(2):
        data, _ = Preview(marked)._repr_mimebundle_()
        assert "There is no picture" in data["text/html"] and str(tmp_path) not in data["text/html"]
        (tmp_path / "marked.png").unlink(missing_ok=True)


def test_hostile_text_is_escaped(marked: ImageDraft):
    evil = "</td><script>evil()</script>\" onerror='evil()' <img src=x onerror=evil()>"
    marked._name = evil
    marked.update(
        dict.fromkeys(("note", "alt_text", "permissions.credits", "permissions.copyright", "permissions.license"), evil)
    )
    text = still.still(marked)[0]["text/html"]
    assert "<script" not in text and text.count("<img") == 1 and 'alt="&lt;/td&gt;' in text


def test_showing_a_preview_imports_no_matplotlib(tmp_path: Path):
    image = make_image(tmp_path / "marked.png")
    code = (
        "import sys; import constellations_widgets as cxw\n"
        f"draft = cxw.ImageDraft.from_image({str(image)!r}, center=(1, 2), width=1, autosave=False)\n"
        "assert 'image/png' in cxw.Preview(draft)._repr_mimebundle_()[0]\n"
        "print([name for name in ('matplotlib', 'pywwt') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
