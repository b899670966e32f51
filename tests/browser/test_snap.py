"""“Snap to sky”: the sky behind the image is taken exactly, and a displaced placement comes back to its place."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import FrameLocator, Page, Route, expect

from browser.bare_page import bare_page
from browser.on_sky import wait_revision
from browser.screenshots import pixels
from browser.sky_survey import DSS, SIGMA, StarField
from constellations_widgets import ConstellationsError, ImageDraft, Preview
from constellations_widgets.geometry import transforms
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.solving.snap import View, picture_of_sky

SIZE = (640, 480)
TRUE = Plane(202.4, 47.2, 320, 240, 0.0012, 25)
SKY = StarField(202.4, 47.2, 2.4, 900, seed=3)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SKY.picture(TRUE, SIZE, tmp_path_factory.mktemp("snap") / "stars.png")


@pytest.fixture
def preview(picture: Path) -> Preview:
    """A preview of the image beside its place."""
    draft = ImageDraft.from_image(picture, center=(0.0, 0.0), width=1.0, autosave=False)
    placed = transforms.scaled(transforms.turned(TRUE, 7, (202.4, 47.2)), 1.04, (202.4, 47.2))
    draft.update(transforms.moved(placed, (202.4, 47.2), (202.5, 47.25)).untiled())
    return Preview(draft, height="300px")


@pytest.fixture
def frame(page: Page, preview: Preview) -> Iterator[FrameLocator]:
    page.set_viewport_size({"width": 560, "height": 620})
    SKY.serve(page)
    with bare_page(page, preview) as frame:
        wait_revision(frame.locator(".cxw-preview"), preview.revision)
        yield frame


def largest_error(plane: Plane) -> float:
    x, y = np.meshgrid(np.linspace(0, SIZE[0], 5), np.linspace(0, SIZE[1], 5))
    found_x, found_y = plane.pixel(*TRUE.sky(x, y))
    return float(np.hypot(found_x - x, found_y - y).max())


@pytest.mark.parametrize("roll", [0.0, 130.0])
def test_the_sky_is_where_its_plane_says_to_a_tenth_of_a_pixel(page: Page, frame: FrameLocator, preview: Preview, roll):
    sep = pytest.importorskip("sep", exc_type=ModuleNotFoundError)  # it has no wheel for Python 3.14
    frame.get_by_role("combobox", name="Sky").select_option("DSS (visible)")
    view = View(202.4, 47.2, 1.2, roll, 1000, 900)
    take_sky = preview.placing.snapping.take_sky
    received = in_thread(page, lambda: take_sky(100.0, threading.Event(), **view._asdict()))
    assert received.about["survey"] == "DSS (visible)"
    assert received.about["pixel"] == pytest.approx(180 / 2**12 / 256)
    seen = picture_of_sky(received.content)
    assert seen.shape == (900, 1000) and np.isfinite(seen).all()
    x, y = view.plane.pixel(SKY.ra, SKY.dec)
    light = np.ascontiguousarray(seen - np.median(seen))
    off = []
    for number in np.argsort(-SKY.light):
        near = np.hypot(x - x[number], y - y[number])
        if np.sort(near)[1] > 20 and 20 < x[number] < 980 and 20 < y[number] < 880 and SKY.light[number] > 60:
            at = x[number] - 0.5, 900 - y[number] - 0.5
            found_x, found_y, _ = sep.winpos(light, at[:1], at[1:], [SIGMA / view.plane.scale])
            off.append((found_x[0] - at[0], found_y[0] - at[1]))
    off = np.array(off)
    assert len(off) > 25
    assert np.abs(np.median(off, axis=0)).max() < 0.05
    assert np.hypot(*off.T).max() < 0.3 and np.sqrt((off**2).sum(1).mean()) < 0.1


def test_a_displaced_placement_is_snapped_accepted_undone_and_refused_where_nothing_matches(
    page: Page, frame: FrameLocator, preview: Preview
):
    draft, before = preview.draft, dict(preview.draft.values)
    marks = frame.locator(".cxw-solution circle.cxw-there")
    panel = frame.get_by_role("group", name="Snap to sky")

    def button(name: str):
        return frame.get_by_role("button", name=name, exact=True)

    button("Adjust placement").click()
    button("Snap to sky").click()  # the offline sky
    expect(panel).to_contain_text("The offline sky is too coarse for this image")
    frame.get_by_role("combobox", name="Sky").select_option("DSS (visible)")
    button("Snap to sky").focus()
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("Match found", timeout=120_000)
    expect(panel).to_contain_text(re.compile(r"Compared withDSS \(visible\).*Confidencehigh"))
    assert draft.values == before  # nothing is changed yet
    expect(marks.nth(10)).to_be_attached()
    pixels(frame.locator(".cxw-preview"), save="snap-found")
    button("Discard").click()
    expect(marks).to_have_count(0)
    expect(panel).to_be_hidden()
    expect(button("Snap to sky")).to_be_focused()
    assert draft.values == before

    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    button("Snap to sky").click()
    expect(panel).to_contain_text("Match found", timeout=120_000)
    pixels(frame.locator(".cxw-preview"), save="snap-narrow-dark")
    width = frame.locator(".cxw-preview").evaluate("(it) => it.scrollWidth - it.clientWidth")
    assert width <= 0  # nothing is cut off
    button("Accept").click()
    expect(button("Undo: snap")).to_be_visible()
    assert largest_error(plane_of(draft.values)) < 1
    button("Undo: snap").click()
    expect(button("Redo: snap")).to_be_visible()
    assert draft.values == before

    draft.update({"wwt.center_x": 203.6, "wwt.center_y": 48.4})  # beside all stars
    button("Snap to sky").click()
    expect(panel).to_contain_text("does not match DSS (visible) near its present place, so it was not moved")
    assert draft.wwt.center_x == 203.6


def test_a_survey_out_of_reach_is_named_and_a_search_can_be_cancelled(page: Page, preview: Preview):
    held: list[Route] = []
    page.route(DSS, lambda route: held.append(route))
    with bare_page(page, preview) as frame:
        wait_revision(frame.locator(".cxw-preview"), preview.revision)
        panel = frame.get_by_role("group", name="Snap to sky")
        frame.get_by_role("button", name="Adjust placement").click()
        frame.get_by_role("combobox", name="Sky").select_option("DSS (visible)")
        frame.get_by_role("button", name="Snap to sky").click()
        expect(panel).to_contain_text("Waiting for the sky behind the image")
        panel.get_by_role("button", name="Cancel").click()
        expect(panel).to_be_hidden()
        with pytest.raises(ConstellationsError, match="tiles? (is|are) missing of DSS"):
            in_thread(page, lambda: preview.placing.snap(timeout=3.0))
        for route in held:
            route.abort()


def in_thread(page: Page, run: Callable[[], Any]) -> Any:
    """Return what a function returns that waits for the page, or raise its error."""
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(run)
        while not future.done():
            page.wait_for_timeout(50)
    return future.result()
