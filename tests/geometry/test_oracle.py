"""Many headers: WWT's engine draws each image where astropy says, within the error that is reported.

The engine is `engine_model`, which shares nothing with the package. The view looks at the image, as a preview does.
"""

from __future__ import annotations

import math
import os
import re
import warnings

import numpy as np
import pytest
from astropy.coordinates import FK4, FK5, Galactic, SkyCoord
from astropy.time import Time
from astropy.wcs import WCS
from geometry.engine_model import apart, drawn, vectors
from sources.headers import header

from constellations_widgets.geometry.fitting import UNSEEN
from constellations_widgets.geometry.plane import Plane
from constellations_widgets.sources.placing import plane_of_wcs

BLOCKS = 8
COUNT = int(os.environ.get("CXW_HEADERS", "800")) // BLOCKS  # headers of each block; `make soak`: 400
GRID = np.array([(x, y) for x in (0, 0.25, 0.5, 0.75, 1) for y in (0, 0.25, 0.5, 0.75, 1)])
FRAMES = {
    "icrs": (None, {"RADESYS": "ICRS"}),
    "fk5": (FK5(), {"RADESYS": "FK5", "EQUINOX": 2000.0}),
    "fk4": (FK4(equinox=Time("B1950")), {"RADESYS": "FK4", "EQUINOX": 1950.0}),
    "galactic": (Galactic(), {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}),
}


def made(random: np.random.Generator) -> tuple[str, WCS, tuple[int, int]]:
    """A header as archives have them: small or wide, cut out of a mosaic or not, in any frame."""
    size = tuple(int(side) for side in random.integers(40, 3000, 2))
    frame = random.choice(list(FRAMES), p=[0.9, 0.04, 0.03, 0.03])
    wide = 10 ** random.uniform(-2, 1.6)  # degrees, up to 40
    scale = math.degrees(2 * math.tan(math.radians(wide) / 2)) / max(size)
    crpix = random.uniform(0, 1, 2) * size if random.random() < 0.5 else np.array(size) / 2
    if random.random() < 0.3:
        crpix = crpix + random.normal(size=2) * 10 ** random.uniform(-1, 1) / scale / 2
    kind = "SIN" if frame != "galactic" and random.random() < 0.05 and wide < 0.5 else "TAN"
    cards = FRAMES[frame][1]
    if kind == "TAN" and random.random() < 0.05:
        cards = cards | {"LONPOLE": random.uniform(0, 360)}
    dec = random.choice([random.uniform(-89, 89), 90.0, -90.0], p=[0.96, 0.02, 0.02])
    where = {
        "ra": random.uniform(0, 360),
        "dec": dec,
        "turn": random.uniform(-180, 180),
        "parity": random.choice([1, -1]),
    }
    form = random.choice(["CD", "PC"]) if abs(dec) < 89 else "CD"
    found = header(scale=scale, crpix=tuple(crpix), form=form, kind=kind, **where, **cards)
    return frame, WCS(found), size


def truth(frame: str, wcs: WCS, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    lon, lat = wcs.all_pix2world(x + 0.5, y + 0.5, 1)
    if FRAMES[frame][0] is None:
        return vectors(lon, lat)
    places = SkyCoord(lon, lat, unit="deg", frame=FRAMES[frame][0]).icrs
    return vectors(places.ra.deg, places.dec.deg)


def placements(plane: Plane, size: tuple[int, int]):
    """The values of the image as one file, as tiles and as tiles two wide; whether their rows were turned."""
    yield plane.untiled(), False
    seen = plane.upside_down(size[1]) if plane.mirrored else plane
    for width_factor in (2, 1):
        yield seen.tiled(size, width_factor), plane.mirrored


def reported(remarks: tuple[str, ...]) -> float:
    found = [re.search(r"off by at most ([\d.e+-]+) pixels", remark) for remark in remarks]
    return max([float(each[1]) for each in found if each] or [0.0])


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_engine_draws_what_astropy_says_within_the_reported_error(block):
    random = np.random.default_rng(13_000 + block)
    wrong, placed, moved = [], 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(COUNT):
            frame, wcs, size = made(random)
            plane, remarks, warning = plane_of_wcs(wcs, size, "a test", tolerance=1e9)
            remarks = (*remarks, warning)
            x, y = (GRID * size).T
            places = truth(frame, wcs, x, y)
            limit = (reported(remarks) or UNSEEN) + 2e-3
            moved += remarks != ("",)
            for values, turned in placements(plane, size):
                wwt = {name.removeprefix("wwt."): value for name, value in values.items()}
                down = y if turned else size[1] - y
                found = drawn(wwt, size, x, down, (size[0] / 2, size[1] / 2))
                error = float(apart(found, places).max() / plane.scale)
                placed += 1
                if not error <= limit:
                    wrong.append((number, values["wwt.projection"], error, limit, remarks, wcs.to_header()))
    assert wrong == []
    assert placed == 3 * COUNT and moved > COUNT / 20
