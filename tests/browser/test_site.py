"""The documentation site: every guide runs, the build is strict, and its pages work from a file without a network."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.accessible import load_axe, violations
from browser.conftest import SLOW_DISPLAY
from browser.on_sky import wait_revision
from browser.watching import WatchedPage

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\ssrc=["']?(?:https?:)?//|<link\b[^>]*\shref=["']?(?:https?:)?//"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site. Sphinx runs every guide but the one that needs a page, and fails at an error or a warning."""
    work = tmp_path_factory.mktemp("docs")
    run = subprocess.run(
        [sys.executable, NOTEBOOKS / "build_site.py", work, "--without-lite"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-6000:]
    return work / "site"


@pytest.fixture(params=["light", "dark"])
def opened(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1100, "height": 800}, offline=True, color_scheme=request.param)
    context.set_default_timeout(60_000)
    context.add_init_script(SLOW_DISPLAY)
    yield context.new_page()
    context.close()


def test_every_guide_is_a_page_which_loads_nothing_from_elsewhere(site: Path):
    pages = {path.stem: path.read_text("utf-8") for path in site.glob("*.html")}
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} <= set(pages)
    assert {name: found[0] for name, page in pages.items() if (found := LOADED.search(page))} == {}
    assert pages["placement"].count("srcdoc=") == 2  # its previews are live


def test_pages_fit_a_phone_and_violate_no_accessibility_rule(site: Path, opened: Page):
    opened.set_viewport_size({"width": 360, "height": 740})
    dark = opened.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for name in ("tutorial", "after_publishing", "where_it_works"):
        opened.goto((site / f"{name}.html").as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth") == 360
        load_axe(opened)
        assert violations(opened.locator("html"), colors_only=dark) == [], name


def test_the_first_page_shows_a_live_preview_and_violates_no_accessibility_rule(site: Path, opened: Page):
    watch = WatchedPage(opened)
    opened.goto((site / "index.html").as_uri())
    frame = opened.frame_locator("iframe[srcdoc]")
    wait_revision(frame.locator(".cxw-preview"), 1)
    expect(frame.locator("main")).to_contain_text("HUDF09 Team")
    assert watch.console_errors == [] and watch.outside_requests == []  # before axe, which requests style sheets
    for page in (opened.main_frame, opened.locator("iframe[srcdoc]").element_handle().content_frame()):
        load_axe(page)
        assert violations(page.locator("html")) == []
