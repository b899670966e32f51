"""In WebKit, Safari's engine, the image is in its place, is described, reviewed and published."""

from __future__ import annotations

import io
import json
import math
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from browser.lab import LabServer
from browser.marked_image import find_marks, make_wcs, positions, sky_to_pixel
from browser.on_sky import SMALL_PIXEL, untiled
from browser.screenshots import SCREENSHOTS
from browser.webkit import PATIENCE, webkit

ALT = "Four marks on a gray ground."

PANEL = """
import constellations_widgets as cxw
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage
box = cxw.Sandbox(files=".").start()
{draft}
draft.update({{
    "note": "Four marks", "permissions.copyright": "Copyright 2026 Jane Doe", "permissions.license": "CC-BY-4.0",
    "storage.legacy_url_template": box.files_url + "/marked.png"}})
cxw.publish(draft, box.client(), handle=box.handle)
"""

OPENED = "return [...(window.jupyterapp?.shell.widgets('main') ?? [])].some((it) => it.context?.path === arguments[0])"

RUN = """
window.cxwErrors = [];
for (const event of ["error", "unhandledrejection"])
    window.addEventListener(event, (it) => cxwErrors.push(String(it.message ?? it.reason)));
const log = console.error;
console.error = (...words) => { cxwErrors.push(words.join(" ")); log(...words); };
const { context } = jupyterapp.shell.currentWidget;
const run = () => jupyterapp.commands.execute("notebook:run-all-cells");
context.ready.then(() => context.sessionContext.ready).then(run).then(() => arguments[0]());
"""

# Where the view is, once it has been drawn and stands at a whole pixel of the page, and what it shows.
VIEW = """
const preview = document.querySelector(".cxw-panel .cxw-preview");
const camera = JSON.parse(preview?.dataset.cxwCamera ?? "null");
if (preview?.dataset.cxwPreviewState !== "shown" || !camera?.fov) return null;
const frame = preview.querySelector("iframe");
const { x, y } = frame.getBoundingClientRect();
if (x % 1 || y % 1) {
    preview.style.position = "relative";
    preview.style.left = `${parseFloat(preview.style.left || 0) + Math.ceil(x) - x}px`;
    preview.style.top = `${parseFloat(preview.style.top || 0) + Math.ceil(y) - y}px`;
    return null;
}
const box = frame.getBoundingClientRect();
return { camera, box: [box.left, box.top, box.right, box.bottom] };
"""

# The address was checked and the picture is there: nothing moves under the pointer any more.
REVIEWED = """
const dialog = document.querySelector(".cxw-panel [role=dialog]");
return dialog?.textContent.includes("✓ found") && [...dialog.querySelectorAll("img")].every((it) => it.naturalWidth);
"""


def test_in_webkit_the_image_is_in_its_place_and_is_published(lab_server: LabServer, image: Path, tmp_path: Path):
    shutil.copy(image, lab_server.root / "marked.png")
    name = lab_server.write_notebook([PANEL.format(draft=untiled(image))])
    with webkit(tmp_path) as browser:
        browser.get(lab_server.address(f"lab/workspaces/{Path(name).stem}/tree/{name}"))
        _wait(browser, OPENED, name)
        browser.execute_async_script(RUN)
        view = _at_rest(browser)
        _screenshot(browser, "webkit-panel").crop(view["box"]).save(tmp_path / "view.png")

        _alt_text(browser).send_keys(ALT)
        _press(browser, "Review and publish…")
        _wait(browser, REVIEWED)
        _find(browser, "[role=dialog] input[type=checkbox]").click()
        assert _find(browser, "[role=dialog] :checked")
        _press(browser, "Publish anyway")
        number = _find(browser, ".cxw-receipt code").text
        record = _fetch_json(_find(browser, ".cxw-receipt a[href]").get_attribute("href"))
        _screenshot(browser, "webkit-receipt")
        assert browser.execute_script("return cxwErrors") == []

    marks = find_marks(np.asarray(Image.open(tmp_path / "view.png")))
    places = positions(make_wcs())
    assert marks.keys() == places.keys()
    for mark, place in places.items():
        assert math.dist(marks[mark], sky_to_pixel(*place, view["camera"])) < SMALL_PIXEL
    assert (record["id"], record["alt_text"]) == (number, ALT)


def _wait(browser: WebKitGTK, script: str, *arguments: Any) -> Any:
    """Wait until a script returns something true, and return that."""
    return WebDriverWait(browser, PATIENCE, 0.1).until(lambda it: it.execute_script(script, *arguments))


def _at_rest(browser: WebKitGTK) -> dict[str, Any]:
    """Wait until the view is drawn and stands still for half a second."""
    before, view = None, _wait(browser, VIEW)
    while before != view:
        browser.execute_async_script("setTimeout(arguments[0], 500)")
        before, view = view, _wait(browser, VIEW)
    return view


def _find(browser: WebKitGTK, selector: str) -> WebElement:
    """Wait for an element of the panel."""
    return _wait(browser, "return document.querySelector(arguments[0])", f".cxw-panel {selector}")


def _alt_text(browser: WebKitGTK) -> WebElement:
    fields = browser.find_elements(By.CSS_SELECTOR, ".cxw-panel textarea")
    return next(it for it in fields if it.accessible_name.startswith("Alt text"))


def _press(browser: WebKitGTK, text: str) -> None:
    """Press the button with this text, once it can be pressed."""
    script = """return [...document.querySelectorAll(".cxw-panel button")].find(
        (it) => it.textContent.trim() === arguments[0] && !it.disabled)"""
    _wait(browser, script, text).click()


def _screenshot(browser: WebKitGTK, name: str) -> Image.Image:
    """Write build/screenshots/<name>.png of the page, and return the picture."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    png = browser.get_screenshot_as_png()
    (SCREENSHOTS / f"{name}.png").write_bytes(png)
    return Image.open(io.BytesIO(png)).convert("RGB")


def _fetch_json(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return json.loads(answer.read())
