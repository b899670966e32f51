"""Notebooks that are run and converted without a browser: what their pages show, opened from a file without a network."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, expect

import constellations_widgets as cxw
from browser.conftest import SLOW_DISPLAY
from browser.lab import Lab, Notebook
from browser.marked_image import make_wcs
from browser.on_sky import untiled, wait_revision, worst_error
from browser.test_stand_alone import wait_at_rest
from browser.watching import WatchedPage

SCRIPTS = ("require_js_url", "mathjax_url", "mermaid_js_url", "jquery_url", "widget_renderer_url")
"""What nbconvert's own template loads from a CDN."""

SHOW = """
import constellations_widgets as cxw
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage
{draft}
draft.note = "Four marks"
cxw.Preview(draft, height="320px", {options})
"""


def converted(notebook: nbformat.NotebookNode, path: Path) -> Path:
    """Write a notebook as nbconvert's HTML, without the scripts that its template loads."""
    page, _ = HTMLExporter(**dict.fromkeys(SCRIPTS, "data:,")).from_notebook_node(notebook)
    path.write_text(page, encoding="utf-8")
    return path


def run(*cells: str) -> nbformat.NotebookNode:
    """Run cells as nbconvert, Quarto and Jupyter Book do."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    return NotebookClient(notebook, timeout=300, kernel_name="python3").execute()


@pytest.fixture
def offline(chromium: Browser) -> Page:
    context = chromium.new_context(viewport={"width": 800, "height": 700}, offline=True)
    context.set_default_timeout(60_000)
    context.add_init_script(SLOW_DISPLAY)
    yield context.new_page()
    context.close()


def check_live(page: Page, path: Path) -> None:
    """Open a page, and require the marks of a live preview in their places, no request and no error."""
    watch, requests = WatchedPage(page), list[str]()
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    frame = page.frame_locator("iframe[srcdoc]")
    element = frame.locator(".cxw-preview")
    element.scroll_into_view_if_needed()
    wait_revision(element, 1)
    wait_at_rest(element)
    assert worst_error(element, make_wcs()) < 2
    expect(frame.locator("main")).to_contain_text("Four marks")
    page.wait_for_function("document.querySelector('iframe[srcdoc]').style.height.endsWith('px')")
    assert watch.console_errors == []
    assert [url for url in requests if not url.startswith(("data:", "blob:", "about:"))] == [path.as_uri()]


def test_a_notebook_that_nbconvert_runs_shows_the_picture(offline: Page, image: Path, tmp_path: Path):
    notebook = run(SHOW.format(draft=untiled(image), options=""), "cxw.ImageForm(draft)")
    data = notebook.cells[0].outputs[0].data
    assert not any("widget-view" in kind for cell in notebook.cells for kind in cell.outputs[0].data)
    assert notebook.cells[1].outputs[0].data["text/plain"].startswith("<ImageForm of")
    watch = WatchedPage(offline)
    offline.goto(converted(notebook, tmp_path / "still.html").as_uri())
    picture = offline.locator(f"img[src='data:image/png;base64,{data['image/png']}']")
    expect(picture).to_be_visible()
    assert picture.evaluate("(it) => it.naturalWidth") > 100
    expect(offline.locator("body")).to_contain_text("RA 150.00000°")
    assert watch.console_errors == [] and watch.outside_requests == []


def test_an_embedded_preview_is_live_in_the_page_of_nbconvert(
    offline: Page, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(os.environ, "CXW_EMBED_PREVIEWS", "1")  # for the whole notebook
    notebook = run(
        SHOW.format(draft=untiled(image), options=""), SHOW.format(draft=untiled(image), options="embed=False")
    )
    assert "<iframe" not in notebook.cells[1].outputs[0].data["text/html"]
    check_live(offline, converted(notebook, tmp_path / "live.html"))


def test_an_embedded_preview_is_a_widget_in_jupyterlab_and_live_in_the_page_of_what_that_saved(
    lab: Lab, offline: Page, image: Path, tmp_path: Path
):
    notebook: Notebook = lab.open_notebook([SHOW.format(draft=untiled(image), options="embed=True")])
    notebook.run_all()
    expect(notebook.output(0).locator(".cxw-preview")).to_have_count(1)
    expect(notebook.output(0).locator("iframe[srcdoc]")).to_have_count(0)
    notebook.save()
    saved = nbformat.read(notebook.path, as_version=4)
    assert "widget" in str(saved.cells[0].outputs[0].data.keys())
    check_live(offline, converted(saved, tmp_path / "saved.html"))


def test_what_can_not_be_embedded_is_shown_as_a_picture_or_a_reason(tmp_path: Path):
    data, _ = cxw.Preview(cxw.ImageDraft(autosave=False), embed=True)._repr_mimebundle_()
    assert "There is no picture" in data["text/html"] and "<iframe" not in data["text/html"]
