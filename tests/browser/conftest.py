"""One JupyterLab and one Chromium for all browser tests; a page of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browser.chromium import FLAGS, find_chromium
from browser.lab import Lab, LabServer
from browser.marked_image import make_image, make_wcs, tile_image

expect.set_options(timeout=120_000)  # for a busy machine; what is there is seen at once

# A display that asks each preview for ten frames a second: at sixty, software WebGL would have both cores to itself.
# What a preview draws unasked, at an edit or when a file has come, it draws as soon as ever. `see_every_frame` lifts it.
SLOW_DISPLAY = """
if (window.frameElement?.className === "cxw-preview-frame" && !window.top.cxwEveryFrame) {
    const [ask, period] = [window.requestAnimationFrame.bind(window), 100];
    let last = 0;
    const draw = (callback) => ask((time) => { last = performance.now(); callback(time); });
    window.requestAnimationFrame = (callback) => void setTimeout(draw, last + period - performance.now(), callback);
}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the browser tests. One that fails is run once more, and stands in the summary as a rerun.

    Chromium, JupyterLab and ipywidgets have races of their own, which a loaded machine meets. A rerun is a defect to be
    mended, in the product or in the test; it says nothing of the change that is tested.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="package")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    server = LabServer(tmp_path_factory.mktemp("jupyter"))
    yield server
    server.stop()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.fail("No Chromium: `make test` installs it, or says what to install.")
    # Playwright keeps an event loop running in this thread while it is open: a test of another folder that runs a loop
    # of its own would fail in the worker that drove a browser before. So it ends with this folder, not with the session.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    # One for all tests, so that JupyterLab's own files come from the cache from the second page on.
    context = chromium.new_context(viewport={"width": 1000, "height": 800})
    context.set_default_timeout(120_000)
    context.add_init_script(SLOW_DISPLAY)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    page = browser_context.new_page()
    yield page
    page.close()


@pytest.fixture
def lab(lab_server: LabServer, page: Page) -> Iterator[Lab]:
    """JupyterLab in a page. The test fails if the page asked anything of another machine.

    A test in which it must may clear `lab.outside_requests`.
    """
    lab = Lab(lab_server, page)
    yield lab
    lab.close()
    assert lab.outside_requests == []


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marked image as one file."""
    return make_image(tmp_path_factory.mktemp("image") / "marked.png")


@pytest.fixture(scope="session")
def tiles(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marked image as a pyramid of tiles."""
    return tile_image(image, make_wcs(), tmp_path_factory.mktemp("tiles"))
