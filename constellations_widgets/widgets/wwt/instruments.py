"""Outlines of telescopes' fields of view, by pywwt's names. They come with the package: pywwt downloads them from its web site.

`instruments.json` holds cameras whose outline can be put anywhere. The footprint of NASA's K2 mission is computed: `k2.json` has the
camera's channels and the campaigns' pointings, both from K2fov (see data/K2-LICENSE).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from pywwt.instruments import Instruments

from .app import DATA


class PreviewInstruments(Instruments):
    """The outlines that come with the preview; each is an attribute."""

    def __init__(self) -> None:
        self.entry: dict[str, list[Any]] = json.loads((DATA / "instruments.json").read_text(encoding="utf-8"))
        self.entry["k2"] = ["absolute", k2_outlines()]
        self.available = sorted(self.entry)

    def __getattr__(self, name: str) -> str:
        if name in ("entry", "available") or name not in self.available:
            raise AttributeError(f"{name!r} is not one of the instruments: {', '.join(self.available)}")
        return name


def k2_outlines() -> list[list[list[float]]]:
    """Return the outline of each channel that worked in each campaign of K2: right ascensions and declinations in degrees."""
    content = json.loads((DATA / "k2.json").read_text(encoding="utf-8"))
    outlines = []
    for campaign in content["campaigns"]:
        rotation = _rotation(*campaign["pointing"])
        for channel, corners in content["channels"].items():
            if int(channel) not in campaign["broken"]:
                x, y, z = rotation @ np.array(corners).T
                ra = np.degrees(np.arctan2(y, x)) % 360
                outlines.append([ra.round(6).tolist(), np.degrees(np.arcsin(z)).round(6).tolist()])
    return outlines


def _rotation(ra: float, dec: float, roll: float) -> np.ndarray:
    """Return the matrix that takes a camera on the x axis to a pointing: a roll around its axis, then declination and right ascension."""
    (sin_ra, sin_dec, sin_roll), (cos_ra, cos_dec, cos_roll) = (
        f(np.radians([ra, dec, roll])) for f in (np.sin, np.cos)
    )
    around_x = np.array([[1, 0, 0], [0, cos_roll, -sin_roll], [0, sin_roll, cos_roll]])
    around_y = np.array([[cos_dec, 0, -sin_dec], [0, 1, 0], [sin_dec, 0, cos_dec]])
    around_z = np.array([[cos_ra, -sin_ra, 0], [sin_ra, cos_ra, 0], [0, 0, 1]])
    return around_z @ around_y @ around_x
