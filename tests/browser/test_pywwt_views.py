"""pywwt's views in a page of its own: modes, where they look and in which order, and what is drawn and reported over them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Galactic, SkyCoord
from astropy.wcs import WCS
from playwright.sync_api import Locator, Page, expect
from toasty import TilingMethod

from browser.bare_page import bare_page
from browser.frame_log import picture, watch_frames
from browser.lab import Lab
from browser.marked_image import sky_to_pixel
from browser.on_sky import UNTILED, camera, marked_draft, wait_revision
from browser.watching import WWT_SERVERS, WatchedPage
from constellations_widgets import Preview
from constellations_widgets.schema.scenes import ScenePlace

TARGET, NORTH_OF_IT = SkyCoord(83.8, -2.0, unit="deg"), SkyCoord(83.8, 8.0, unit="deg")
SOLAR_SYSTEM = (0.0, 0.0, 50.0)
MILKY_WAY = (114.85, -29.52, 6e9)


class View:
    """A preview that a program controls, in a page."""

    def __init__(self, preview: Preview, element: Locator):
        self.preview, self.wwt, self.element = preview, preview.wwt, element
        self.overlay = element.locator(".cxw-preview-overlay")
        self.may_ask: set[str] = set()  # servers outside of this machine

    def until(self, holds: Callable[[], Any], what: str) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + 240
        while not holds():
            assert time.monotonic() < deadline, f"{what}: {self.place}, {self.preview.view}"
            self.element.page.wait_for_timeout(200)

    @property
    def place(self) -> tuple[float, float, float]:
        """Where pywwt says that the view is: two angles and the height, degrees."""
        center = self.wwt.get_center()
        return center.ra.deg, center.dec.deg, self.wwt.get_fov().value

    def is_at(self, ra: float, dec: float, fov: float, within: float = 1e-6) -> bool:
        return np.allclose(self.place, (ra, dec, fov), rtol=1e-6, atol=within)

    def is_dark(self) -> bool:
        """Whether there are no stars."""
        return bool(picture(self.element).max() < 10)

    def spot(self) -> tuple[float, float]:
        """The middle of what is red, in pixels."""
        shown = picture(self.element).astype(int)
        y, x = np.nonzero((shown[..., 0] > 150) & (shown[..., 1:].max(axis=2) < 70))
        return (x.mean() + 0.5, y.mean() + 0.5) if len(x) else (math.inf, math.inf)


@pytest.fixture
def preview() -> Preview:
    return Preview(height="300px")


@pytest.fixture
def view(page: Page, preview: Preview) -> Iterator[View]:
    page.set_viewport_size({"width": 500, "height": 450})
    watch = WatchedPage(page)
    with bare_page(page, preview) as frame:
        element = wait_revision(frame.locator(".cxw-preview"), 1)
        watch_frames(element)
        preview.wwt.center_on_coordinates(TARGET, fov=20 * u.deg)
        shown = View(preview, element)
        shown.until(lambda: shown.wwt._appAlive and shown.is_at(83.8, -2, 20), "the view has not begun")
        yield shown
    assert {urlsplit(url).hostname for url in watch.outside_requests} <= shown.may_ask


def test_modes_come_and_go_whatever_was_shown_before_and_each_looks_where_pywwt_says(view: View):
    wwt, preview = view.wwt, view.preview
    view.element.get_by_role("button", name="Grid").click()
    view.until(lambda: preview.view is not None, "the sky is no view")
    wwt.background = "Black Sky Background"
    view.until(view.is_dark, "the survey is not shown")

    wwt.solar_system.milky_way = False  # else WWT draws it with a survey that is on the network
    view.may_ask = WWT_SERVERS  # for the surfaces of the planets
    wwt.set_view("solar system")
    view.until(lambda: view.is_at(*SOLAR_SYSTEM), "the Solar System is not where pywwt shows it")
    assert not view.is_dark()  # its planets
    expect(view.overlay).to_be_hidden()
    assert view.element.get_attribute("data-cxw-camera") == "null"
    view.until(lambda: preview.view is None, "the Solar System is a view of the sky")


def test_a_view_that_is_shown_later_is_in_the_mode_at_once_and_back_on_the_sky_when_it_is_told(
    page: Page, preview: Preview
):
    preview.wwt.background = "Black Sky Background"
    preview.wwt.solar_system.milky_way = False
    preview.wwt.set_view("milky way")
    with bare_page(page, preview) as frame:
        element = wait_revision(frame.locator(".cxw-preview"), 1)
        watch_frames(element)
        view = View(preview, element)
        view.until(lambda: view.wwt._appAlive and view.is_at(*MILKY_WAY), "the Milky Way is not where pywwt shows it")
        expect(view.overlay).to_be_hidden()
        assert preview.view is None
        view.wwt.set_view("sky")
        view.wwt.background = "Offline sky"  # while it flies
        view.until(lambda: preview.view is not None and view.is_at(0, 0, 60), "the view does not go back to the sky")
        expect(view.overlay).to_be_visible()
        assert not view.is_dark()
        view.wwt.background = "Black Sky Background"
        view.until(view.is_dark, "the stars stay")


def test_the_first_words_of_a_program_take_a_view_that_shows_its_image_already(page: Page, image: Path):
    preview = Preview(marked_draft(image), height="300px")
    with bare_page(page, preview) as frame:
        element = wait_revision(frame.locator(".cxw-preview"), preview.revision)
        watch_frames(element)
        assert abs(camera(element)["ra"] - UNTILED["wwt.center_x"]) < 1  # at its image
        preview.wwt.center_on_coordinates(TARGET, fov=20 * u.deg)  # as the first thing that is said
        view = View(preview, element)
        view.until(lambda: view.wwt._appAlive and view.is_at(83.8, -2, 20), "the view has not gone there")
        page.wait_for_timeout(2000)  # nor does it come back
        assert view.is_at(83.8, -2, 20)


def test_a_planet_is_shown_by_its_whole_name_and_is_no_view_of_the_sky(view: View, tmp_path: Path):
    # WWT's own are on the network. The engine takes the first imageset whose name contains what is asked for.
    sets = [("The Sun's corona", "Sky"), ("Sun", "Planet")]
    rest = 'BandPass="Visible" BaseDegreesPerTile="180" BaseTileLevel="0" BottomsUp="False" CenterX="0" CenterY="0" FileType=".png"'
    rest += ' Generic="False" OffsetX="0" OffsetY="0" QuadTreeMap="" Rotation="0" Sparse="False" TileLevels="0" WidthFactor="2"'
    images = "".join(
        f'<ImageSet Name="{name}" Url="" DataSetType="{kind}" Projection="Toast" {rest}/>' for name, kind in sets
    )
    (tmp_path / "index_rel.wtml").write_text(f"<Folder>{images}</Folder>")
    view.wwt.load_image_collection(str(tmp_path))
    view.until(lambda: view.preview.view is not None, "the sky is no view")
    view.wwt.set_view("sun")
    view.until(lambda: view.is_at(35.55, 11.43, 40), "the Sun is not where pywwt shows it")
    expect(view.overlay).to_be_hidden()
    view.until(lambda: view.preview.view is None, "the Sun is a view of the sky")


def wcs() -> WCS:
    made = WCS(naxis=2)
    made.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    made.wcs.crval, made.wcs.crpix, made.wcs.cdelt = [223, -36], [50, 50], [-0.03, 0.03]
    return made


def test_where_the_view_is_sent_last_is_where_it_ends(view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)  # pywwt writes images there
    wwt = view.wwt
    bright = np.full((100, 100), 1000.0)
    bright[0, 0] = 0

    def arrived(layer: Any) -> bool:
        """Whether the image is on the sky: only then can its flight have begun."""
        wwt.center_on_coordinates(SkyCoord(223, -36, unit="deg"), fov=5 * u.deg)
        view.until(lambda: view.is_at(223, -36, 5) and picture(view.element).mean() > 30, "the image is not on the sky")
        layer.remove()
        return True

    for method in (TilingMethod.TAN, TilingMethod.UNTILED):
        wwt.set_view("sky")
        layer = wwt.layers.add_image_layer(
            (bright, wcs()), tiling_method=method, verbose=False, cmap="gray", vmin=-1, vmax=0
        )
        wwt.center_on_coordinates(SkyCoord(10, 10, unit="deg"), fov=5 * u.deg)
        view.until(lambda: view.is_at(10, 10, 5), f"{method}: the view is not where it was sent")
        view.element.page.wait_for_timeout(3000)  # a flight to the image would have begun by now
        assert view.is_at(10, 10, 5), method
        assert arrived(layer)


def test_a_survey_that_is_chosen_while_the_view_flies_stays(view: View):
    view.wwt.center_on_coordinates(SkyCoord(150, 10, unit="deg"), fov=5 * u.deg, instant=False)
    view.wwt.background = "Black Sky Background"
    view.until(lambda: view.is_at(150, 10, 5), "the view does not arrive")
    assert view.is_dark()


def test_what_cannot_be_shown_is_said(view: View, tmp_path: Path):
    note = view.element.locator(".cxw-preview-note")
    view.wwt.set_view("jupiter")  # WWT's own planets are on the network, and this machine has none
    expect(note).to_contain_text("“jupiter” can't be shown: no such image is loaded.", timeout=180_000)


def test_in_every_mode_of_coordinates_all_that_is_said_of_the_view_is_true(view: View):
    wwt, preview = view.wwt, view.preview
    view.element.get_by_role("button", name="Grid").click()
    wwt.set_current_time(datetime(2026, 1, 1, tzinfo=UTC))  # the horizon turns, and angles are rounded to whole degrees
    wwt.pause_time()
    wwt.add_circle(NORTH_OF_IT, radius=0.7 * u.deg, line_color="red", fill=True, fill_color="red")
    words, frame = view.element.locator(".cxw-preview-coordinates"), view.element.locator("iframe")

    def north() -> tuple[float, float]:
        return sky_to_pixel(83.8, 8, camera(view.element))

    def under_pointer() -> tuple[float, float]:
        ra, dec = words.locator("div").nth(1).inner_text().split()[:2]
        return float(ra.strip("°+")), float(dec.strip("°+"))

    def right_with(roll: float, turned: float | None) -> None:
        """Look at the target with this `roll` in the mode's own system, which is `turned` against the equatorial one.

        Each `roll` is another than the last, so that what is told of the view before is not taken for this one.
        """
        assert wwt.get_roll().value != pytest.approx(roll)
        wwt.center_on_coordinates(TARGET, fov=30 * u.deg, roll=roll * u.deg)
        view.until(
            lambda: view.is_at(83.8, -2, 30, within=0.01) and wwt.get_roll().value == pytest.approx(roll),
            "the view is not where it was sent",
        )
        view.until(lambda: math.dist(view.spot(), north()) < 2, "north is elsewhere")
        view.until(
            lambda: preview.view is not None and abs(preview.view.roll - camera(view.element)["roll"]) < 0.1,
            "another roll is told",
        )
        at, seen = north(), camera(view.element)
        up = math.degrees(math.atan2(at[0] - seen["width"] / 2, seen["height"] / 2 - at[1]))
        place = ScenePlace.of_view(preview.view)  # of the scene that would be published
        assert math.degrees(place.roll_rad) == pytest.approx(up, abs=0.3)
        assert math.degrees(place.ra_rad) == pytest.approx(83.8, abs=0.05)
        if turned is not None:
            assert preview.view.roll == pytest.approx(roll + turned, abs=0.1)
        compass = view.element.locator(".cxw-preview-compass")
        expect(compass).to_have_attribute("aria-label", f"North is rotated {round(up)}° clockwise")
        box = frame.bounding_box()
        view.element.page.mouse.move(box["x"] + at[0], box["y"] + at[1])
        expect(words).to_contain_text("at pointer")
        expected = (pytest.approx(83.8, abs=0.1), pytest.approx(8, abs=0.1))
        view.until(lambda: under_pointer() == expected, "the words tell another place than that under the pointer")

    pole = SkyCoord(0, 90, unit="deg", frame=Galactic())
    right_with(30, 0)
    wwt.galactic_mode = True
    right_with(0, TARGET.position_angle(pole.icrs).wrap_at(180 * u.deg).deg)
    right_with(25, TARGET.position_angle(pole.icrs).wrap_at(180 * u.deg).deg)
    wwt.galactic_mode = False
    wwt.local_horizon_mode = True
    for latitude, roll in ((47, 10), (-33, 40)):
        wwt.location_latitude = latitude * u.deg
        right_with(roll, None)


def test_a_view_that_is_built_again_in_another_mode_is_where_it_was(view: View):
    view.wwt.galactic_mode = True
    view.wwt.center_on_coordinates(TARGET, fov=30 * u.deg, roll=25 * u.deg)
    view.until(lambda: camera(view.element)["fov"] == 30, "the view is not where it was sent")
    before = camera(view.element)
    known = ["ra", "dec", "fov", "roll"]

    def is_reported() -> bool:
        now = view.preview.view
        places = [before[name] for name in known]
        return now is not None and [now.ra, now.dec, now.height, now.roll] == pytest.approx(places, abs=1e-3)

    # As a host does it when a cell is moved.
    view.element.evaluate("it => { delete it.dataset.cxwCamera; const p = it.parentNode; it.remove(); p.append(it); }")
    handle = view.element.element_handle()
    handle.owner_frame().wait_for_function("it => it.dataset.cxwCamera", arg=handle, timeout=180_000)
    view.until(lambda: camera(view.element) == pytest.approx(before, abs=1e-3), "the view is elsewhere")
    view.until(is_reported, "another view was reported")  # the first report may come before the mode is set again


def test_the_api_stands_among_other_widgets_as_its_preview(lab: Lab):
    notebook = lab.open_notebook(
        [
            "import constellations_widgets as cxw\n"
            "from ipywidgets import HBox\n"
            "wwt = cxw.Preview().wwt\n"
            "wwt.layout.height, wwt.layout.width = '500px', '60%'\n"
            "HBox([wwt])",
            "wwt.close()",
        ]
    )
    notebook.run_cell(0)
    element = wait_revision(notebook.output(0).locator(".cxw-preview"), 1)
    whole, sky = element.bounding_box(), element.locator("iframe").bounding_box()
    assert whole["height"] == pytest.approx(500, abs=1)
    assert sky["y"] + sky["height"] == pytest.approx(whole["y"] + whole["height"], abs=2)  # the sky fills it
    notebook.run_cell(1)
    expect(element).to_have_count(0)
