"""A survey of the sky for a page without network: TOAST tiles of made-up stars, served in the place of DSS."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, Route
from scipy.ndimage import map_coordinates
from toasty.pyramid import Pos
from toasty.toast import create_single_tile, toast_tile_get_coords

from constellations_widgets.geometry.plane import Plane

DSS = re.compile(r"^https://cdn\.worldwidetelescope\.org/wwtweb/dss\.aspx\?q=(\d+),(\d+),(\d+)$")
SIGMA = 0.0017
"""Degrees."""

_PIXEL = SIGMA / 3


class StarField:
    """Stars around a position, `width` degrees across; each is `SIGMA` degrees wide."""

    def __init__(self, ra: float, dec: float, width: float, count: int, seed: int):
        rng = np.random.default_rng(seed)
        side = round(width / _PIXEL)
        x, y = rng.uniform(0, side, (2, count))
        self.light = np.exp(rng.uniform(math.log(15), math.log(220), count))
        self._plane = Plane(ra, dec, side / 2, side / 2, _PIXEL, 0)
        self.ra, self.dec = self._plane.sky(x, y)
        self._pixels = np.zeros((side, side), np.float32)  # rows from the bottom
        reach = math.ceil(5 * SIGMA / _PIXEL)
        for star_x, star_y, peak in zip(x, y, self.light, strict=True):
            left, low = (max(0, int(at) - reach) for at in (star_x, star_y))
            columns = np.arange(left, min(side, left + 2 * reach)) + 0.5 - star_x
            rows = np.arange(low, min(side, low + 2 * reach)) + 0.5 - star_y
            shape = (np.exp(-0.5 * (_PIXEL / SIGMA * each) ** 2) for each in (rows, columns))
            self._pixels[low : low + len(rows), left : left + len(columns)] += peak * np.outer(*shape)

    def picture(self, plane: Plane, size: tuple[int, int], path: Path) -> Path:
        """Write the stars as seen at a placement, with some noise."""
        x, y = np.meshgrid(np.arange(size[0]) + 0.5, size[1] - np.arange(size[1]) - 0.5)
        values = self._seen(*plane.sky(x, y)) + np.random.default_rng(0).normal(12, 3, size[::-1])
        Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(path)
        return path

    def tile(self, level: int, x: int, y: int) -> bytes:
        """Return a TOAST tile of the survey as a PNG."""
        values = np.full((256, 256), 8.0)
        if level > 5:  # a coarser one has no detail
            ra, dec = toast_tile_get_coords(create_single_tile(Pos(level, x, y)))
            values += self._seen(np.degrees(ra) % 360, np.degrees(dec))
        picture = io.BytesIO()
        Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB").save(picture, "PNG")
        return picture.getvalue()

    def serve(self, page: Page) -> None:
        """Answer for DSS in a page."""
        page.route(DSS, self._answer)

    def _answer(self, route: Route) -> None:
        level, x, y = map(int, DSS.match(route.request.url).groups())
        headers = {"access-control-allow-origin": "*"}
        route.fulfill(body=self.tile(level, x, y), content_type="image/png", headers=headers)

    def _seen(self, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
        """Return the light at positions."""
        x, y = self._plane.pixel(ra, dec)
        at = np.nan_to_num(np.stack([y - 0.5, x - 0.5]), nan=-1e6)
        return map_coordinates(self._pixels, at, order=1, cval=0.0)
