"""Headers of all forms: placed within the error that is reported, or refused for a reason that names the cause.

Where an image lies is computed twice without the product's geometry: by astropy from the header in the standard's plain form,
and from the values of the draft as WWT draws them.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter

import numpy as np
import pytest
from sources.headers import corners
from sources.written import SIZE, written

from constellations_widgets.errors import SourceError
from constellations_widgets.geometry.fitting import TOLERANCE
from constellations_widgets.sources.fits import read_fits
from constellations_widgets.sources.reading import ParsedImage

WAYS, PARTS = 4, 8
SEEDS = int(os.environ.get("CXW_HEADERS", "800")) // WAYS  # `make soak`: 3,200 headers
UNSEEN = 0.02  # pixels that rounding of what is written may take


def as_wwt_draws(values: dict, pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """Unit vectors of pixels, as FITS counts them, of an untiled image; and degrees a pixel."""
    scale, turn = math.radians(values["wwt.base_degrees_per_tile"]), math.radians(values["wwt.rotation"])
    right, up = (pixels - 0.5 - [values["wwt.offset_x"], values["wwt.offset_y"]]).T * scale
    toward = turn + math.pi / 2 if values["wwt.bottoms_up"] else turn - math.pi / 2
    east = right * math.sin(toward) + up * math.sin(turn)
    north = right * math.cos(toward) + up * math.cos(turn)
    ra, dec = math.radians(values["wwt.center_x"]), math.radians(values["wwt.center_y"])
    to_center = np.array([math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)])
    to_east = np.array([-math.sin(ra), math.cos(ra), 0.0])
    vectors = to_center + east[:, None] * to_east + north[:, None] * np.cross(to_center, to_east)
    return vectors / np.linalg.norm(vectors, axis=1)[:, None], math.degrees(scale)


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Degrees between unit vectors."""
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(one - other, axis=1) / 2, 0, 1)))


def reported(reading: ParsedImage) -> float:
    """The largest error that is reported, in a remark or, if it is more than a pixel, in a warning."""
    said = [*reading.remarks, *(doubt.message for doubt in reading.doubts)]
    found = [float(number) for words in said for number in re.findall(r"off by at most ([\d.e+-]+) pixels", words)]
    assert all(
        (doubt.code, float(number) > TOLERANCE) == ("CXW909", True) for doubt in reading.doubts for number in found
    )
    return max([0.001, *found])


@pytest.mark.parametrize("part", range(PARTS))
def test_every_header_is_placed_within_the_reported_error_or_refused_for_a_true_reason(part):
    outcomes: Counter[str] = Counter()
    for seed in range(part, SEEDS, PARTS):
        cases = written(np.random.default_rng(seed), WAYS)
        truth = cases[0].truth(corners(SIZE))
        for case in cases:
            try:
                reading = read_fits(case.header, shape=SIZE[::-1], tolerance=20)
            except SourceError as error:
                # The projection, the skew or the distortion is too far from any plane: that, and no keyword, is at fault.
                assert re.search(r"off by up to|more of the sky|no place on the sky", str(error)), (
                    seed,
                    case.how,
                    str(error),
                )
                outcomes["refused"] += 1
                continue
            drawn, scale = as_wwt_draws(dict(reading.values), corners(SIZE))
            error = float(apart(drawn, truth).max() / scale)
            assert error <= reported(reading) * 1.01 + UNSEEN, (seed, case.how, error, reading.remarks)
            assert reading.values["wwt.bottoms_up"] == any("mirrored" in remark for remark in reading.remarks)
            outcomes["placed"] += 1
    assert outcomes["placed"] > 0.75 * (SEEDS * WAYS / PARTS)
