"""One Chromium for all browser tests, and one page of one JupyterLab in it; a page of its own for each test that takes `page`.

To load JupyterLab takes longer than most tests. So its page stays open: a test opens its notebook there, with a kernel of its
own, and the page is cleared when it ends. After a test that failed it is closed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browser.chromium import FLAGS, find_chromium
from browser.lab import VIEWPORT, Lab, LabServer
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

# A preview starts a second app while its page is idle, for the next preview. In a plain page of one preview nobody takes it.
NO_SECOND_APP = """
try { if (window !== window.top && !window.top.cxwPrewarms) delete Element.prototype.moveBefore; } catch { /* a sandbox */ }
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
    context = chromium.new_context(viewport=VIEWPORT)
    context.set_default_timeout(120_000)
    context.add_init_script(SLOW_DISPLAY)
    context.add_init_script(NO_SECOND_APP)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    page = browser_context.new_page()
    yield page
    page.close()


class SharedPage:
    """The page in which JupyterLab stays open, one `Lab` after the other."""

    def __init__(self, server: LabServer, context: BrowserContext, failures: list[str]):
        self._server, self._context, self._failures = server, context, failures
        self._page: Page | None = None
        self.is_taken = False

    @contextmanager
    def lab(self) -> Iterator[Lab]:
        """JupyterLab with nothing open."""
        self._page = self._page or self._context.new_page()
        lab, before = Lab(self._server, self._page), len(self._failures)
        self.is_taken = True
        self._page.bring_to_front()
        yield lab
        try:
            lab.close()
            if len(self._failures) > before or not lab.is_loaded:
                self.drop()
            else:
                lab.clear()
                lab.stop_watching()
        except Exception:
            self.drop()
            raise
        finally:
            self.is_taken = False

    def drop(self) -> None:
        """Close the page; the next test loads JupyterLab again."""
        page, self._page = self._page, None
        if page is not None:
            page.close()


FAILURES = pytest.StashKey[list[str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.config.stash.setdefault(FAILURES, []).append(item.nodeid)
    return report


@pytest.fixture(scope="package")
def shared_page(
    lab_server: LabServer, browser_context: BrowserContext, pytestconfig: pytest.Config
) -> Iterator[SharedPage]:
    shared = SharedPage(lab_server, browser_context, pytestconfig.stash.setdefault(FAILURES, []))
    yield shared
    shared.drop()


@pytest.fixture
def lab(request: pytest.FixtureRequest, lab_server: LabServer, shared_page: SharedPage) -> Iterator[Lab]:
    """JupyterLab for one test. The test fails if the page asked anything of another machine.

    A test in which it must may clear `lab.outside_requests`. A test that takes `page` too has JupyterLab in that page.
    """
    if "page" in request.fixturenames or shared_page.is_taken:
        lab = Lab(lab_server, request.getfixturevalue("page"))
        yield lab
        lab.close()
    else:
        with shared_page.lab() as lab:
            yield lab
    assert lab.outside_requests == []


@pytest.fixture(scope="module")
def lab_of_file(shared_page: SharedPage) -> Iterator[Lab]:
    """JupyterLab for a notebook that stays open from test to test of a file. Nothing may be asked of another machine."""
    with shared_page.lab() as lab:
        yield lab
    assert lab.outside_requests == []


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marked image as one file."""
    return make_image(tmp_path_factory.mktemp("image") / "marked.png")


@pytest.fixture(scope="session")
def tiles(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marked image as a pyramid of tiles."""
    return tile_image(image, make_wcs(), tmp_path_factory.mktemp("tiles"))
