"""Notebooks that are run and converted without a browser: what their pages show, opened from a file without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Locator, Page, expect
from python_packages import JUPYTER_BOOK, MKDOCS, installed

import constellations_widgets as cxw
from browser.accessible import load_axe, violations
from browser.conftest import SLOW_DISPLAY
from browser.lab import SCREENSHOTS, Lab, Notebook
from browser.marked_image import make_wcs
from browser.on_sky import camera, untiled, wait_revision, worst_error
from browser.test_stand_alone import wait_at_rest
from browser.watching import WatchedPage

SCRIPTS = ("require_js_url", "mathjax_url", "mermaid_js_url", "jquery_url", "widget_renderer_url")
"""What nbconvert's own template loads from a CDN."""

ITS_OWN = ("https://unpkg.com/**", "https://cdn.jsdelivr.net/npm/mathjax@**")
"""What mkdocs-jupyter loads, whatever a notebook shows; MathJax from 0.27 on, which needs Python 3.12."""

THEME_ERRORS = (
    "Got invalid theme mode",
    "Identifier 'THEBE_JS_URL' has already been declared",
    "mkdocs-jupyter: MathJax rendering failed",
)
"""What Jupyter Book 1.0 and mkdocs-jupyter report of their own scripts without a network, whatever a page shows."""

MKDOCS_CONFIG = """
site_name: Lessons
theme:
  name: material
  font: false
  palette:
  - {media: "(prefers-color-scheme: light)", scheme: default}
  - {media: "(prefers-color-scheme: dark)", scheme: slate}
plugins:
- mkdocs-jupyter: {execute: false}
"""

JUPYTER_BOOK_CONFIG = """
title: Lessons
execute: {execute_notebooks: "off"}
sphinx:
  config: {nb_ipywidgets_js: {}}  # else it loads scripts from a CDN, whatever a notebook shows
"""

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


@pytest.fixture(params=["light"])
def offline(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": 800, "height": 700}, offline=True, color_scheme=request.param, service_workers="block"
    )
    context.set_default_timeout(60_000)
    context.add_init_script(SLOW_DISPLAY)
    for address in ITS_OWN:
        context.route(address, lambda route: route.fulfill(body=""))
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def executed(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that was run without a page, with three previews: embedded, not embedded, and that of a panel."""
    notebook = run(
        "%env CXW_EMBED_PREVIEWS=1",  # for the whole notebook
        SHOW.format(draft=untiled(image), options=""),
        SHOW.format(draft=untiled(image), options="embed=False"),
        "cxw.publish(draft)",
    )
    path = tmp_path_factory.mktemp("executed") / "lesson.ipynb"
    nbformat.write(notebook, path)
    return path


def nbconvert_page(notebook: Path, folder: Path) -> Path:
    return converted(nbformat.read(notebook, as_version=4), folder / "page.html")


def mkdocs_page(notebook: Path, folder: Path) -> Path:
    (folder / "docs").mkdir()
    shutil.copy(notebook, folder / "docs" / "index.ipynb")
    (folder / "mkdocs.yml").write_text(MKDOCS_CONFIG)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    environment = os.environ | {"PYTHONPATH": str(installed("mkdocs", MKDOCS, alone=False))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder / "site" / "index.html"


def jupyter_book_page(notebook: Path, folder: Path) -> Path:
    shutil.copy(notebook, folder / "lesson.ipynb")
    (folder / "_config.yml").write_text(JUPYTER_BOOK_CONFIG)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: lesson\n")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "-W", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(installed("jupyter-book", JUPYTER_BOOK, alone=False))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder / "_build" / "html" / "lesson.html"


def check_live(page: Page, path: Path) -> None:
    """Open a page, and require a live preview with the marks in their places, no request, no error and no barrier."""
    watch, requests = WatchedPage(page), list[str]()
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    frame = page.frame_locator("iframe[srcdoc]").first
    element = frame.locator(".cxw-preview")
    check_place(element)
    inner, before = element.element_handle().owner_frame(), camera(element)["fov"]
    for button, changed in (("Zoom out", "fov > 1.1 * before"), ("Fit to image", "fov < 1.1 * before")):
        frame.get_by_role("button", name=button).click()
        inner.wait_for_function(
            f"([it, before]) => {{ const {{ fov }} = JSON.parse(it.dataset.cxwCamera); return {changed}; }}",
            arg=[element.element_handle(), before],
        )
    check_place(element)
    expect(frame.locator("main")).to_contain_text("Four marks")
    page.wait_for_function("document.querySelector('iframe[srcdoc]').style.height.endsWith('px')")
    assert [message for message in watch.console_errors if not message.startswith(THEME_ERRORS)] == []
    elsewhere = [url for url in requests if not url.startswith(("data:", "blob:", "about:", "file:"))]
    assert [url for url in elsewhere if not any(fnmatch(url, address) for address in ITS_OWN)] == []
    load_axe(inner)
    assert violations(inner.locator("html")) == []
    page.emulate_media(media="print")  # a canvas is cut off on paper
    expect(page.locator(".cxw-saved iframe").first).to_be_hidden()
    expect(page.locator(".cxw-saved img").first).to_be_visible()
    page.emulate_media(media="screen")
    expect(page.locator(".cxw-saved img").first).to_be_hidden()


def check_place(element: Locator) -> None:
    element.scroll_into_view_if_needed()
    wait_revision(element, 1)
    wait_at_rest(element)
    assert worst_error(element, make_wcs()) < 2


@pytest.fixture(scope="module", params=[nbconvert_page, mkdocs_page, jupyter_book_page])
def page_of(request: pytest.FixtureRequest, executed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a notebook, as a converter has made it."""
    page: Path = request.param(executed, tmp_path_factory.mktemp(request.param.__name__))
    return page


@pytest.mark.parametrize("offline", ["light", "dark"], indirect=True)
def test_an_embedded_preview_is_live_in_the_pages_of(page_of: Path, offline: Page, executed: Path):
    outputs = [cell.outputs[0].data["text/html"] for cell in nbformat.read(executed, as_version=4).cells[1:]]
    assert ["<iframe" in output for output in outputs] == [True, False, True]
    check_live(offline, page_of)
    scheme = f"({offline.evaluate('matchMedia(`(prefers-color-scheme: dark)`).matches')})"
    offline.screenshot(path=SCREENSHOTS / f"embedded-{page_of.stem}{scheme}.png")


def test_an_embedded_page_is_light_or_dark_as_the_page_around_it(offline: Page, executed: Path, tmp_path: Path):
    offline.goto(nbconvert_page(executed, tmp_path).as_uri())
    ground = offline.frame_locator("iframe[srcdoc]").first.locator("body")
    expect(ground).to_have_css("background-color", "rgb(255, 255, 255)")
    offline.evaluate("document.querySelector('.cxw-saved').parentElement.style.color = 'oklch(0.9 0 0)'")
    offline.evaluate("document.body.className += ' theme-changed'")
    expect(ground).to_have_css("background-color", "rgb(22, 22, 22)")
    assert ground.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


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


def test_an_embedded_preview_is_a_widget_in_jupyterlab_and_a_live_page_where_that_is_gone(
    lab: Lab, page: Page, offline: Page, image: Path, tmp_path: Path
):
    notebook: Notebook = lab.open_notebook(
        [SHOW.format(draft=untiled(image), options="embed=True"), "cxw.publish(draft)"]
    )
    notebook.execute("import os; os.environ['CXW_EMBED_PREVIEWS'] = '1'")
    notebook.run_all()
    for number in (0, 1):
        expect(notebook.output(number).locator(".cxw-preview")).to_have_count(1)
        expect(notebook.output(number).locator(".cxw-saved")).to_be_hidden()
    notebook.save()
    saved = nbformat.read(notebook.path, as_version=4)
    assert "widgets" not in saved.metadata  # a converter would show it, and load scripts from a CDN
    check_live(offline, converted(saved, tmp_path / "saved.html"))
    notebook.shut_down()

    page.goto(lab.address(notebook.name))
    reopened = Notebook(lab, notebook.name)
    for number in (0, 1):
        expect(reopened.output(number).locator(".cxw-saved")).to_be_visible()
        expect(reopened.output(number).get_by_text("Error displaying widget")).to_be_hidden()
    check_place(reopened.output(0).frame_locator("iframe[srcdoc]").locator(".cxw-preview"))
    reopened.screenshot("embedded-reopened")
    reopened.shut_down()

    saved.cells[0].source += "\n# from someone else"
    strange = f"strange-{notebook.name}"
    nbformat.write(saved, lab.server.root / strange)
    page.goto(lab.address(strange))
    untrusted = Notebook(lab, strange)
    for number in (0, 1):
        expect(untrusted.output(number).locator("img[src^='data:image/png']")).to_be_visible()
        expect(untrusted.output(number).locator("iframe")).to_have_count(0)
        expect(untrusted.output(number)).to_contain_text("RA 150.00000°")
    untrusted.screenshot("embedded-untrusted")
    untrusted.shut_down()


def test_what_can_not_be_embedded_is_shown_as_a_picture_or_a_reason(tmp_path: Path):
    data, _ = cxw.Preview(cxw.ImageDraft(autosave=False), embed=True)._repr_mimebundle_()
    assert "There is no picture" in data["text/html"] and "<iframe" not in data["text/html"]
    with pytest.raises(NotImplementedError):  # IPython goes on with the data
        cxw.Preview(cxw.ImageDraft(autosave=False), embed=True)._ipython_display_()
    assert "text/html" not in cxw.Preview(embed=True)._repr_mimebundle_()[0]
