"""pywwt's API on a preview, in a real JupyterLab: each call that pywwt documents, and the pictures that must come of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from matplotlib import colormaps
from playwright.sync_api import Locator

from browser.lab import Lab, Notebook
from browser.marked_image import sky_to_pixel
from browser.on_sky import camera, sky
from browser.watching import WWT_SERVERS

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "pywwt.ipynb"
TARGET = SkyCoord(83.8, -2.0, unit="deg")

# The engine's app, when the view is sent elsewhere before it has arrived.
HARMLESS = {"superseded"}

OPEN = """
import constellations_widgets as cxw
from astropy import units as u
from astropy.coordinates import SkyCoord
wwt = await cxw.Preview(height="400px").wwt.becomes_ready()
"""
CIRCLE = """
wwt.center_on_coordinates(SkyCoord(83.8, -2.0, unit="deg"), fov=10 * u.deg)
wwt.add_circle(SkyCoord(83.8, -2.0, unit="deg"), radius=2 * u.deg, line_color="red")
"""


class Stage:
    """One view, and what is seen on it."""

    def __init__(self, element: Locator):
        self.element = element

    def until(self, seen: Callable[[np.ndarray], bool]) -> None:
        """Wait until the picture is as it should be."""
        deadline = time.monotonic() + 240
        while not seen(picture := sky(self.element)):
            assert time.monotonic() < deadline, f"{seen.__name__} is not to be seen"
            self.element.page.wait_for_timeout(300)
        assert picture.size

    def at(self, ra: float, dec: float) -> tuple[float, float]:
        """Where a position, in degrees, is on the screen."""
        return sky_to_pixel(ra, dec, camera(self.element))

    def color(self, picture: np.ndarray, ra: float, dec: float) -> np.ndarray:
        x, y = np.clip(
            self.at(ra, dec), 2, np.array(picture.shape[1::-1]) - 3
        )  # what is out of sight has a wrong color
        return picture[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].reshape(-1, 3).mean(axis=0)

    def circle(self, degrees: float) -> Callable[[np.ndarray], bool]:
        """A red line at this distance from the target."""

        def a_circle(picture: np.ndarray) -> bool:
            y, x = np.nonzero(red(picture))
            middle, edge = self.at(TARGET.ra.deg, TARGET.dec.deg), self.at(TARGET.ra.deg, TARGET.dec.deg + degrees)
            found = np.hypot(x + 0.5 - middle[0], y + 0.5 - middle[1])
            around = np.unique(np.round(np.degrees(np.arctan2(y - middle[1], x - middle[0])) / 30))
            return len(around) >= 12 and bool(np.abs(found - (middle[1] - edge[1])).max() < 3)

        return a_circle


def red(picture: np.ndarray) -> np.ndarray:
    return (picture[..., 0] > 150) & (picture[..., 1] < 70) & (picture[..., 2] < 70)


def wcs(size: int) -> WCS:
    """That of the notebook's images."""
    made = WCS(naxis=2)
    made.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    made.wcs.crval = [TARGET.ra.deg, TARGET.dec.deg]
    made.wcs.crpix = [(size + 1) / 2, (size + 1) / 2]
    made.wcs.cdelt = [-4 / size, 4 / size]
    return made


def stage(notebook: Notebook, cell: int = 0) -> Stage:
    element = notebook.output(cell).locator(".cxw-preview")
    element.scroll_into_view_if_needed(timeout=180_000)  # a view begins when it is seen
    element.locator("iframe").wait_for(timeout=180_000)
    return Stage(element)


def test_each_call_that_pywwt_documents_works_and_shows_what_it_should(lab: Lab):  # noqa: C901  (one notebook)
    names = [cell.id for cell in nbformat.read(NOTEBOOK, 4).cells]
    notebook = lab.open_notebook(NOTEBOOK)
    left = iter([name for name in names if not name.startswith("text")])

    def run_to(last: str) -> None:
        for name in left:
            notebook.run_cell(names.index(name))
            if name == last:
                return

    def says(cell: str, text: str) -> None:
        """Run a cell until the view has told what it asks for."""
        deadline = time.monotonic() + 240
        while text not in (said := notebook.output(names.index(cell)).inner_text()):
            assert time.monotonic() < deadline, f"{cell}: {said}"
            notebook.run_cell(names.index(cell))

    run_to("where")
    says("where", "05h35m12.0s -02d00m00.0s")
    run_to("time")
    says("time", "2026-03-20 12:00")
    run_to("circle")
    view = stage(notebook, names.index("open"))
    view.until(view.circle(2))

    run_to("table")

    def three_points(picture: np.ndarray) -> bool:
        y, x = np.nonzero(red(picture))
        for position in [(80.0, 0.0), (84.0, -4.0), (88.0, 0.0)]:
            expected = view.at(*position)
            near = np.hypot(x - expected[0], y - expected[1]) < 25
            if near.sum() < 30 or math.dist((x[near].mean() + 0.5, y[near].mean() + 0.5), expected) > 2:
                return False
        return True

    view.until(three_points)

    run_to("fits_colors")

    def plasma_by_root(picture: np.ndarray) -> bool:
        at = [(30, 40), (60, 150), (95, 20), (110, 180), (150, 100), (180, 60)]
        values = [(1 + math.cos(x / 12)) * 500 + y for x, y in at]
        expected = colormaps["plasma"](np.sqrt(np.clip(np.array(values) / 1000, 0, 1)))[:, :3] * 255
        places = [wcs(200).wcs_pix2world(x, y, 0) for x, y in at]
        found = np.array([view.color(picture, float(ra), float(dec)) for ra, dec in places])
        return bool(np.abs(found - expected).max() < 45)

    view.until(plasma_by_root)

    def squares(colors: str, strength: float) -> Callable[[np.ndarray], bool]:
        def checkered(picture: np.ndarray) -> bool:
            for column, row in [(0, 0), (1, 0), (3, 3), (3, 4), (6, 6), (0, 5)]:
                ra, dec = wcs(700).wcs_pix2world(column * 100 + 50, row * 100 + 50, 0)
                expected = np.array(colormaps[colors]((column + row) % 2 * 1.0)[:3]) * 255 * strength
                if np.abs(view.color(picture, float(ra), float(dec)) - expected).max() > 60:
                    return False
            return True

        return checkered

    run_to("tiled")
    view.until(squares("viridis", 1))
    run_to("foreground")
    view.until(squares("viridis", 0.8))
    run_to("preloaded")
    view.until(squares("gray", 1))

    run_to("solar_system")

    def no_sky(picture: np.ndarray) -> bool:
        return bool((picture.max(axis=2) < 6).mean() > 0.7)

    view.until(no_sky)
    run_to("reset")

    def only_the_sky(picture: np.ndarray) -> bool:
        return not no_sky(picture) and not red(picture).any()

    view.until(only_the_sky)
    # Letters and the Solar System need files of WWT's own: they are requested here, in vain.
    assert {urlsplit(url).hostname for url in lab.outside_requests} == WWT_SERVERS
    lab.outside_requests.clear()
    errors = {error for error in lab.console_errors if not error.startswith(("Failed to load resource", "Not Found"))}
    assert errors <= HARMLESS


def test_a_view_that_is_rebuilt_or_comes_later_replays_all_messages(lab: Lab):
    below = "\n".join(["print('that the first cell is out of sight when all have run')"] * 60)
    notebook = lab.open_notebook([OPEN, CIRCLE, below, "wwt"])
    notebook.run_all()  # JupyterLab goes to the last cell: nobody sees the view that the first one waits for
    first, second = stage(notebook), stage(notebook, 3)
    for view in (first, second):
        view.until(view.circle(2))

    notebook.execute("wwt.center_on_coordinates(SkyCoord(83.8, -1.0, unit='deg'), fov=8 * u.deg)")
    first.element.evaluate(
        "it => { delete it.dataset.cxwCamera; const place = it.parentNode; it.remove(); place.append(it); }"
    )
    first.element.scroll_into_view_if_needed()
    first.element.page.wait_for_function(
        "it => it.dataset.cxwCamera", arg=first.element.element_handle(), timeout=180_000
    )
    first.until(first.circle(2))
    assert camera(first.element)["fov"] == 8
    assert round(notebook.evaluate("wwt.get_center().dec.deg"), 3) == -1
    assert set(lab.console_errors) <= HARMLESS
