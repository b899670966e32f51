"""Stand-alone pages in a real Chromium: from a file and over HTTP, in both color schemes, without a network and without a kernel."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import constellations_widgets as cxw
from browser.accessible import load_axe, violations
from browser.conftest import SLOW_DISPLAY
from browser.frame_log import picture, watch_frames
from browser.marked_fits import make_fits
from browser.marked_image import make_wcs
from browser.on_sky import camera, marked_draft, wait_revision, worst_error
from browser.screenshots import pixels
from browser.watching import WatchedPage

HOSTILE = [
    "<script>window.cxwRan = 'script'</script>",
    "<img src=x onerror=\"window.cxwRan = 'img'\">",
    "</script><script>window.cxwRan = 'end of script'</script>",
    "</title></style><svg onload=\"window.cxwRan = 'svg'\">",
    "<a href=\"javascript:window.cxwRan = 'link'\">a link</a>",
    '"><iframe srcdoc="<script>top.cxwRan = 1</script>"></iframe>',
    "<!--<script>$policy ${script} {{7*7}} \u202egpj.exe",
]


class Opened:
    """A page that is open, and all that it has requested and reported."""

    def __init__(self, page: Page):
        self.page, self.watch, self.requests = page, WatchedPage(page), list[str]()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self._note(message.type, message.text))
        self.warnings: list[str] = []

    def _note(self, kind: str, text: str) -> None:
        if "Content Security Policy" in text or kind == "error":
            self.warnings.append(text)

    @property
    def element(self) -> Locator:
        return self.page.locator(".cxw-preview")

    def loaded(self) -> list[str]:
        """Addresses of all requests but those for what the page itself holds."""
        return [url for url in self.requests if not url.startswith(("data:", "blob:", "about:"))]


@pytest.fixture
def opened(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Opened]:
    """An empty page that prefers light colors, or those of the parameter."""
    scheme = getattr(request, "param", "light")
    context = chromium.new_context(viewport={"width": 700, "height": 700}, color_scheme=scheme)
    context.set_default_timeout(30_000)
    context.add_init_script(SLOW_DISPLAY)
    opened = Opened(context.new_page())
    yield opened
    context.close()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a server on loopback of the files in `tmp_path`."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def wait_at_rest(element: Locator) -> None:
    """Wait until the view has not moved for a second: WWT eases out of a drag."""
    element.evaluate(
        """async (it) => {
            for (let seen, same = 0; same < 5; ) {
                await new Promise((later) => setTimeout(later, 200));
                it.querySelector("iframe").contentWindow.dispatchEvent(new Event("resize"));
                same = it.dataset.cxwCamera === seen ? same + 1 : 0;
                seen = it.dataset.cxwCamera;
            }
        }"""
    )


def described(image: Path) -> cxw.ImageDraft:
    draft = marked_draft(image)
    draft.update(
        {
            "note": "Four marks on a gray ground",
            "permissions.copyright": "Copyright 2026 A. Author",
            "permissions.credits": '<a href="https://example.org/">A. Author</a> &amp; others',
            "permissions.license": "CC-BY-4.0",
            "alt_text": "A gray rectangle with a mark in each corner.",
        }
    )
    return draft


@pytest.mark.parametrize(("opened", "scheme"), [("light", "file"), ("dark", "http")], indirect=["opened"])
def test_the_image_is_on_the_sky_and_can_be_panned_and_zoomed(
    opened: Opened, image: Path, tmp_path: Path, address: str, scheme: str
):
    path = cxw.Preview(described(image)).to_html(tmp_path / "marked.html", problems=True)
    page, url = opened.page, path.as_uri() if scheme == "file" else f"{address}/marked.html"
    page.goto(url)
    page.context.set_offline(True)
    element = wait_revision(opened.element, 1)
    assert worst_error(element, make_wcs()) < 2
    before = camera(element)["fov"]
    page.get_by_role("button", name="Zoom out").click()
    page.wait_for_function(
        "([it, fov]) => JSON.parse(it.dataset.cxwCamera).fov > 1.1 * fov", arg=[element.element_handle(), before]
    )
    wait_at_rest(element)
    assert worst_error(element, make_wcs()) < 2
    before = camera(element)["ra"]
    box = element.locator("iframe").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 240, box["y"] + 200, steps=5)
    page.mouse.up()
    page.wait_for_function(
        "([it, ra]) => Math.abs(JSON.parse(it.dataset.cxwCamera).ra - ra) > 0.01",
        arg=[element.element_handle(), before],
    )
    wait_at_rest(element)
    watch_frames(element)
    assert worst_error(element, make_wcs(), picture(element)) < 2  # without the words that lie over the sky
    pixels(page, save=f"stand-alone-{scheme}-{page.evaluate('matchMedia(`(prefers-color-scheme: dark)`).matches')}")
    for text in ("Four marks on a gray ground", "A. Author & others", "CC-BY-4.0", "A gray rectangle", "CXW101"):
        expect(page.locator("main")).to_contain_text(text)
    for needs_a_kernel in ("Adjust placement", "Save as HTML"):
        expect(page.get_by_role("button", name=needs_a_kernel)).to_have_count(0)
    assert opened.watch.console_errors == [] and opened.warnings == []
    assert opened.loaded() == [url]
    page.context.set_offline(False)


@pytest.mark.parametrize("opened", ["light", "dark"], indirect=True)
def test_no_accessibility_rule_is_violated(opened: Opened, image: Path, tiles: Path, tmp_path: Path):
    drafts = [described(image), cxw.ImageDraft.from_wtml(tiles, autosave=False)]
    opened.page.goto(cxw.save_html(drafts, tmp_path / "two.html", problems=True).as_uri())
    wait_revision(opened.element, 1)
    load_axe(opened.page)
    assert violations(opened.page.locator("html")) == []


def test_several_drafts_share_one_engine(opened: Opened, image: Path, tiles: Path, tmp_path: Path):
    far = make_wcs()
    drafts = [described(image), cxw.ImageDraft.from_wtml(tiles, autosave=False)]
    page = opened.page
    page.goto(cxw.save_html(drafts, tmp_path / "two.html").as_uri())
    names = page.locator("nav").get_by_role("button")
    expect(names).to_have_count(2)
    for shown, revision in ((0, 1), (1, 2), (0, 3)):
        names.nth(shown).click()
        element = wait_revision(opened.element, revision)
        expect(names.nth(shown)).to_have_attribute("aria-pressed", "true")
        expect(page.locator("section").nth(shown)).to_be_visible()
        expect(page.locator("section").nth(1 - shown)).to_be_hidden()
        watch_frames(element)
        assert worst_error(element, far, picture(element)) < 2  # of a frame that is drawn from now on
    expect(page.locator("iframe")).to_have_count(1)
    assert opened.watch.console_errors == [] and opened.warnings == []


def test_a_reduced_image_is_in_the_same_place(opened: Opened, image: Path, tiles: Path, tmp_path: Path):
    for name, draft in (("image", marked_draft(image)), ("tiles", cxw.ImageDraft.from_wtml(tiles, autosave=False))):
        whole = cxw.save_html(draft, tmp_path / "whole.html").stat().st_size
        files = sum(entry.about.st_size for entry in draft.local.entries()) or image.stat().st_size
        path = cxw.save_html(draft, tmp_path / f"{name}.html", max_bytes=files - 1)
        assert path.stat().st_size < whole
        opened.page.goto(path.as_uri())
        element = wait_revision(opened.element, 1)
        assert worst_error(element, make_wcs()) < 2


def test_fits_pixels_are_shown(opened: Opened, tmp_path: Path):
    draft = cxw.ImageDraft.from_fits(make_fits(tmp_path / "marked.fits"), autosave=False)
    opened.page.goto(cxw.save_html(draft, tmp_path / "fits.html").as_uri())
    wait_revision(opened.element, 1)
    expect(opened.page.get_by_label("Stretch")).to_be_visible()
    assert opened.watch.console_errors == []


def test_hostile_titles_and_credits_do_not_run(opened: Opened, image: Path, tmp_path: Path):
    drafts = []
    for text in HOSTILE:
        draft = marked_draft(image)
        draft._name = text
        draft.update(
            {
                path: text
                for path in ("note", "alt_text", "permissions.credits", "permissions.copyright", "permissions.license")
            }
        )
        drafts.append(draft)
    page = opened.page
    page.goto(cxw.save_html(drafts, tmp_path / "hostile.html", problems=True).as_uri())
    wait_revision(opened.element, 1)
    for number in range(len(drafts)):
        page.locator("[data-cxw-show]").nth(number).click()
        expect(page.locator("section").nth(number)).to_contain_text(HOSTILE[number])
    assert page.evaluate("window.cxwRan") is None
    assert page.locator(":is(h1, nav, section) :is(script, img, svg, iframe)").count() == 0
    assert (
        page.evaluate(
            "[...document.querySelectorAll('section a[href]')].filter((a) => !/^https?:/.test(a.href)).length"
        )
        == 0
    )
    assert opened.watch.console_errors == [] and opened.warnings == []
