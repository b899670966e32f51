"""What stands over and behind the image: lines, coordinates and scale are where astropy says, and surveys are asked for on demand only."""

from __future__ import annotations

import io
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from browser.bare_page import bare_page
from browser.marked_image import find_marks, make_wcs, positions, sky_to_pixel
from browser.on_sky import camera, marked_draft, sky, wait_revision
from browser.screenshots import pixels
from browser.watching import WatchedPage
from constellations_widgets import Preview

BETELGEUSE, BELLATRIX, RIGEL = (88.7929, 7.4071), (81.2828, 6.3497), (78.6345, -8.2016)
DSS = re.compile(r"^https://cdn\.worldwidetelescope\.org/wwtweb/dss\.aspx\?q=\d+,\d+,\d+$")


@pytest.fixture
def watch(page: Page) -> WatchedPage:
    return WatchedPage(page)


@pytest.fixture
def element(page: Page, watch: WatchedPage, image: Path) -> Iterator[Locator]:
    """A preview of the marked image: small, as software WebGL pays by the pixel."""
    page.set_viewport_size({"width": 560, "height": 460})
    with bare_page(page, Preview(marked_draft(image), height="320px")) as frame:
        yield wait_revision(frame.locator(".cxw-preview"), 1)


def comes_to_look_like(picture: np.ndarray, element: Locator) -> bool:
    """Whether the sky looks like `picture`, now or in some seconds: the engine's files come when they come.

    A few pixels may differ: those at the ends of the scale bar, whose width the browser rounds.
    """
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        settle(element)
        if (np.abs(sky(element).astype(int) - picture).max(axis=2) > 2).sum() <= 10:
            return True
    return False


def test_lines_and_constellations_come_and_go_and_lie_on_the_sky(element: Locator, watch: WatchedPage):
    turn(element, 84, 0, 24)
    bare, view = sky(element), camera(element)

    def at(position: tuple[float, float]) -> tuple[float, float]:
        return sky_to_pixel(*position, view)

    between = np.mean([at(BETELGEUSE), at(BELLATRIX)], axis=0)
    for star in (BETELGEUSE, BELLATRIX, RIGEL):
        assert around(bare, at(star)).max() > 150  # of the sky that comes with the package
    last = bare
    lines = {
        "Constellation lines": [between, at(BETELGEUSE), at(BELLATRIX)],  # a line between these two
        "Boundaries": [],
        "Grid": [at((85, 3.3)), at((82, 5)), at((90, 1))],
        "Crosshair": [(view["width"] / 2 + 14, view["height"] / 2), (view["width"] / 2, view["height"] / 2 - 14)],
    }
    for name, places in lines.items():
        press(element, name)
        settle(element)
        picture = sky(element)
        assert difference(picture, last) > 60, name
        for place in places:
            assert difference(around(picture, place), around(last, place)) > 30, (name, place)
        last = picture
    pixels(element, save="preview-lines")

    element.locator("iframe").evaluate("(it) => { it.dataset.emptied = 'yes' }")
    element.evaluate("(it) => it.parentNode.append(it)")  # the browser empties the frame
    expect(element.locator("iframe")).not_to_have_attribute("data-emptied", "yes")
    wait_revision(element, 1)
    assert comes_to_look_like(last, element)
    for name in lines:
        press(element, name)
    assert comes_to_look_like(bare, element)
    assert watch.console_errors == watch.outside_requests == []


def test_a_survey_is_asked_for_when_it_is_chosen_and_nothing_else_is(element: Locator, watch: WatchedPage):
    turn(element, 200, -40, 50)  # the image is not in sight
    offline = sky(element)
    choice = element.get_by_role("combobox", name="Sky")
    assert choice.locator("option").count() > 10
    assert watch.outside_requests == []

    element.page.route(DSS, lambda route: route.abort())
    choice.select_option("DSS (visible)")
    expect(element.get_by_role("status").filter(has_text="cdn.worldwidetelescope.org does not answer")).to_be_visible()
    expect(choice).to_have_value("")
    element.get_by_role("button", name="Dismiss").click()
    expect(element.get_by_text("does not answer")).to_have_count(0)
    settle(element)
    assert difference(sky(element), offline) <= 2
    assert watch.outside_requests and all(map(DSS.match, watch.outside_requests))

    element.page.unroute(DSS)
    element.page.route(DSS, serve_tile)
    choice.select_option("DSS (visible)")
    expect(element.get_by_text("DSS Consortium")).to_be_visible()
    wait_for(element, lambda picture: np.median(picture, axis=(0, 1)).tolist() == [0, 90, 160])
    count = len(watch.outside_requests)
    choice.select_option("Offline sky")
    settle(element)
    assert difference(sky(element), offline) <= 2
    assert len(watch.outside_requests) == count and all(map(DSS.match, watch.outside_requests))


def test_the_tools_measure_compare_and_save(element: Locator):
    page = element.page
    coordinates = element.locator(".cxw-preview-coordinates")
    frame = element.locator("iframe")

    # What the pointer is over, north and scale: as it is, and in a view that was turned.
    for roll in (0, 40):
        turn(element, 149.95, 19.99, 0.8, roll)
        picture, view = sky(element), camera(element)
        assert view["roll"] == roll
        box = frame.bounding_box()
        degrees_per_pixel = view["fov"] / view["height"]
        for name, (x, y) in find_marks(picture).items():
            page.mouse.move(box["x"] + x, box["y"] + y)
            expect(coordinates).to_contain_text("at pointer")
            ra, dec = positions(make_wcs())[name]
            for _ in range(100):
                found = decimals(coordinates)
                error = math.hypot((found[0] - ra) * math.cos(math.radians(dec)), found[1] - dec)
                if error < 2 * degrees_per_pixel:
                    break
                page.wait_for_timeout(50)  # the page hears of the pointer later than it is moved
            assert error < 2 * degrees_per_pixel
        page.mouse.move(box["x"] + 20, box["y"] - 20)
        expect(coordinates).to_contain_text("at center")
        assert decimals(coordinates) == (149.95, 19.99)
        expect(coordinates).to_contain_text("09h 59m 48.0s +19° 59′ 24″")

        middle = (view["width"] / 2, view["height"] / 2)
        for letter, (x, y) in {"N": (149.95, 20.09), "E": (150.05, 19.99)}.items():
            step = np.subtract(sky_to_pixel(x, y, view), middle)
            assert np.dot(step / np.hypot(*step), compass_arm(element, letter)) > 0.99
        bar = element.locator(".cxw-preview-scale")
        minutes = int(re.fullmatch(r"(\d+)′", bar.inner_text())[1])
        ends = [sky_to_pixel(149.95, 19.99 + sign * minutes / 120, view) for sign in (-1, 1)]
        assert abs(bar.bounding_box()["width"] - math.dist(*ends)) < 1

    element.get_by_role("button", name="Fit to image").click()
    settle(element)
    whole = sky(element)
    with page.expect_download() as download:
        element.get_by_role("button", name="Save picture").click()
    saved = np.asarray(Image.open(io.BytesIO(Path(download.value.path()).read_bytes())).convert("RGB"))
    assert saved.shape == whole.shape
    assert difference(saved[100:-100], whole[100:-100]) <= 2  # between the compass and the coordinates

    # Fade and blink.
    slider = element.get_by_role("slider", name="Opacity")
    slider.fill("0")
    wait_for(element, lambda picture: find_marks(picture) == {})
    slider.fill("100")
    wait_for(element, lambda picture: len(find_marks(picture)) == 4)
    press(element, "Flicker compare")
    for count in (0, 4, 0):
        wait_for(element, lambda picture, count=count: len(find_marks(picture)) == count)
    press(element, "Flicker compare")
    page.emulate_media(reduced_motion="reduce")
    press(element, "Flicker compare")
    wait_for(element, lambda picture: find_marks(picture) == {})
    page.wait_for_timeout(900)  # more than half a period
    assert find_marks(sky(element)) == {}  # the sky stays until the next press
    press(element, "Flicker compare")
    wait_for(element, lambda picture: len(find_marks(picture)) == 4)
    page.emulate_media(reduced_motion="no-preference")

    full = element.get_by_role("button", name="Full screen")
    full.click()
    expect(full).to_have_attribute("aria-pressed", "true")
    handle = element.element_handle()
    handle.owner_frame().wait_for_function("(it) => it.clientHeight >= innerHeight - 4", arg=handle)
    assert frame.bounding_box()["height"] > 330
    full.click()
    expect(full).to_have_attribute("aria-pressed", "false")
    element.evaluate("() => { Element.prototype.requestFullscreen = () => Promise.reject(new TypeError('no')); }")
    full.click()
    expect(element.get_by_role("status").filter(has_text="does not allow full screen")).to_be_visible()


def press(element: Locator, name: str) -> None:
    element.get_by_role("button", name=name, exact=True).click()


def turn(element: Locator, ra: float, dec: float, fov: float, roll: float = 0) -> None:
    """Turn the view, as a person would by dragging and zooming."""
    message = {"event": "center_on_coordinates", "ra": ra, "dec": dec, "fov": fov, "roll": roll, "instant": True}
    element.locator("iframe").evaluate("(f, message) => f.contentWindow.postMessage(message, location.origin)", message)
    settle(element)


def settle(element: Locator) -> None:
    """Wait until what was asked for is drawn: some frames of the app, as no word says that a line or a turn of the view is."""
    frames = """(frame) => new Promise((done) => {
        let left = 6;
        const step = () => {
            frame.contentWindow.dispatchEvent(new Event("touchmove")); // keeps it awake
            if (left--) frame.contentWindow.requestAnimationFrame(step);
            else done();
        };
        step();
    })"""
    element.locator("iframe").evaluate(frames)


def wait_for(element: Locator, expected) -> None:
    """Wait until the view's picture is as expected."""
    for _ in range(100):
        if expected(sky(element)):
            return
        element.page.wait_for_timeout(50)
    raise AssertionError("the view never came to look as expected")


def around(picture: np.ndarray, place: tuple[float, float]) -> np.ndarray:
    x, y = (round(value) for value in place)
    return picture[y - 3 : y + 4, x - 3 : x + 4]


def difference(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other).max())


def decimals(coordinates: Locator) -> tuple[float, ...]:
    """Right ascension and declination as the second line tells them, in degrees."""
    line = coordinates.locator("div").nth(1).inner_text()
    return tuple(float(text.replace("−", "-")) for text in re.findall(r"([+−]?[\d.]+)°", line))


def compass_arm(element: Locator, letter: str) -> np.ndarray:
    """The direction, right and down, in which a letter stands from the middle of the compass."""
    text = element.locator(".cxw-preview-compass text", has_text=letter)
    arm = np.array([float(text.get_attribute(name)) for name in ("x", "y")])
    return arm / np.hypot(*arm)


def serve_tile(route: Route) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (256, 256), (0, 90, 160)).save(picture, "PNG")
    route.fulfill(body=picture.getvalue(), content_type="image/png", headers={"access-control-allow-origin": "*"})


def test_the_wheel_scrolls_the_page_until_the_preview_is_in_use(element: Locator, page: Page):
    element.evaluate("it => (it.style.marginBottom = '3000px')")
    window = element.element_handle().owner_frame()
    scrolled = "() => document.scrollingElement.scrollTop"
    fov = camera(element)["fov"]
    element.locator("iframe").hover()
    page.mouse.wheel(0, 100)
    window.wait_for_function(f"({scrolled})() > 0")
    expect(element.locator(".cxw-preview-hint")).to_be_visible()
    assert camera(element)["fov"] == fov

    window.evaluate("() => document.scrollingElement.scrollTo(0, 0)")
    element.locator("iframe").click()
    page.mouse.wheel(0, -200)
    narrower = "([it, fov]) => JSON.parse(it.dataset.cxwCamera).fov < fov"
    window.wait_for_function(narrower, arg=[element.element_handle(), fov])
    assert window.evaluate(scrolled) == 0

    now = camera(element)["fov"]
    element.get_by_role("button", name="Zoom in").click()
    window.wait_for_function(narrower, arg=[element.element_handle(), now / 1.4])
