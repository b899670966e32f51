"""Displaced placements for the tests of snapping: pictures of a synthetic sky, and a survey of it by another telescope."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from solving.skies import Sky, catalog

from constellations_widgets.geometry import transforms
from constellations_widgets.geometry.plane import Plane
from constellations_widgets.solving.registration import Picture, Reference
from constellations_widgets.solving.snap import sky_reference

KINDS = (
    "stars", "nebula with stars", "nebula", "galaxies", "other band", "noise and gradient", "saturated", "finer", "small",
    "partly covered",
)  # fmt: skip
HARD = "galaxies without stars"
"""A kind with so little detail that many are refused."""


@dataclass(frozen=True)
class Case:
    """A picture, where it is, where it is placed, and a survey of the same sky."""

    kind: str
    picture: Picture
    true: Plane
    placed: Plane
    survey: Reference

    def error(self, plane: Plane) -> float:
        """Return by how many pixels a plane puts any part of the picture beside its true place."""
        size = self.picture.size
        x, y = np.meshgrid(np.linspace(0, size[0], 7), np.linspace(0, size[1], 7))
        found_x, found_y = plane.pixel(*self.true.sky(x, y))
        return float(np.nanmax(np.hypot(found_x - x, found_y - y)))


@dataclass(frozen=True)
class Field:
    """A part of the sky, 1 wide: stars of the catalog, and clouds."""

    ra: float
    dec: float
    width: float
    seed: int
    stars: bool = True
    clouds: int = 0
    clumps: int = 0

    def sources(self, band: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return RA, Dec, brightness and width (degrees, 0 for a star) as another band shows them."""
        rng, other = np.random.default_rng(self.seed), np.random.default_rng((self.seed, band))
        reach = 1.6 * self.width
        east, north = rng.uniform(-reach, reach, (2, self.clouds))
        sizes = self.width * np.exp(rng.uniform(math.log(0.004), math.log(0.12), self.clouds))
        light = np.exp(rng.uniform(math.log(8), math.log(80), self.clouds))
        if self.clumps:
            east, north, sizes, light = self._galaxies(rng)
        if band:
            light = light * np.exp(other.normal(0, 0.8, len(light)))
        plane = Plane(self.ra, self.dec, 0, 0, 1, 0)
        ra, dec = plane.sky(-east, north)
        if not self.stars:
            return ra, dec, light, sizes
        sky = Sky(Plane(self.ra, self.dec, 500, 500, 3.2 * self.width / 1000, 0), (1000, 1000), limit=13.0)
        x, y, magnitude = sky.stars()
        if band:
            magnitude = magnitude + other.normal(0, 0.8, len(magnitude))
        flux = 600 * 10 ** (-0.4 * (magnitude - np.sort(magnitude)[min(60, len(magnitude) - 1)]))
        star_ra, star_dec = sky.plane.sky(x, y)
        return (
            np.concatenate([ra, star_ra]), np.concatenate([dec, star_dec]), np.concatenate([light, flux]),
            np.concatenate([sizes, np.zeros(len(flux))]),
        )  # fmt: skip

    def _galaxies(self, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Return galaxies, each a spiral of clumps."""
        parts = []
        for _ in range(self.clouds):
            arm = np.sqrt(rng.uniform(0, 1, self.clumps))
            angle = (
                4 * arm
                + math.pi * rng.integers(0, 2, self.clumps)
                + rng.uniform(0, 6)
                + rng.normal(0, 0.2, self.clumps)
            )
            reach, flat = self.width * rng.uniform(0.05, 0.2), rng.uniform(0.3, 1)
            at = rng.uniform(-1.6 * self.width, 1.6 * self.width, 2)
            east, north = at[0] + reach * arm * np.cos(angle), at[1] + flat * reach * arm * np.sin(angle)
            sizes = reach * rng.uniform(0.04, 0.2, self.clumps)
            parts.append((east, north, sizes, rng.uniform(10, 60, self.clumps) * (1.3 - arm)))
        return tuple(np.concatenate(each) for each in zip(*parts, strict=True))

    def drawn(
        self, plane: Plane, size: tuple[int, int], seeing: float, noise: float, band: int = 0, grain: int = 0
    ) -> np.ndarray:
        """Return the field as seen by a telescope, rows from the top; `seeing` in pixels."""
        image = np.zeros(size[::-1], np.float32)
        ra, dec, light, widths = self.sources(band)
        x, y = plane.pixel(ra, dec)
        for x0, y0, peak, width in zip(x, size[1] - y, light, widths / plane.scale, strict=True):
            _add(
                image,
                float(x0),
                float(y0),
                float(peak) if width else float(peak) * (2.0 / seeing) ** 2,
                math.hypot(width, seeing),
            )
        return image + np.random.default_rng((self.seed, grain)).normal(0, noise, image.shape).astype(np.float32)


def _add(image: np.ndarray, x: float, y: float, peak: float, sigma: float) -> None:
    """Add a source at (x, y) from the upper left corner."""
    reach = math.ceil(4.5 * sigma)
    height, width = image.shape
    x0, x1 = max(0, math.floor(x) - reach), min(width, math.floor(x) + reach + 1)
    y0, y1 = max(0, math.floor(y) - reach), min(height, math.floor(y) + reach + 1)
    if x0 < x1 and y0 < y1:
        dx, dy = np.arange(x0, x1) + 0.5 - x, np.arange(y0, y1) + 0.5 - y
        image[y0:y1, x0:x1] += peak * np.outer(np.exp(-(dy**2) / (2 * sigma**2)), np.exp(-(dx**2) / (2 * sigma**2)))


def field(seed: int, **changes: object) -> Field:
    """Return a field anywhere in the sky, around a star of the catalog."""
    rng = np.random.default_rng(seed)
    xyz, _ = catalog()
    x, y, z = xyz[rng.integers(len(xyz))]
    ra, dec = math.degrees(math.atan2(y, x)) % 360, math.degrees(math.asin(z))
    return replace(Field(ra, dec, math.exp(rng.uniform(math.log(1.5), math.log(12))), seed), **changes)


def case(seed: int, kind: str = "", mirrored: bool = False, other: int | None = None) -> Case:
    """Return a displaced placement: up to 20 % of the width, 10° and 5 % in scale.

    Parameters
    ----------
    seed : int
    kind : str, optional
        One of `KINDS`; by default they take turns.
    mirrored : bool, default False
        Whether the picture is placed with the wrong parity.
    other : int, optional
        Seed of the field that the survey shows instead of the picture's.
    """
    kind = kind or KINDS[seed % len(KINDS)]
    rng = np.random.default_rng((seed, 7))
    contents = {
        "nebula with stars": {"clouds": 400}, "nebula": {"clouds": 1500, "stars": False},
        "galaxies": {"clouds": 40, "clumps": 30}, HARD: {"clouds": 40, "clumps": 30, "stars": False},
    }  # fmt: skip
    sky = field(seed, **contents.get(kind, {"clouds": 30}))
    longest = {"small": 220, "finer": 1500}.get(kind, int(rng.integers(500, 1100)))
    size = (longest, int(longest * rng.uniform(0.6, 1.0)))
    scale = sky.width / longest
    true = Plane(
        sky.ra, sky.dec, size[0] * rng.uniform(0.4, 0.6), size[1] * rng.uniform(0.4, 0.6), scale, rng.uniform(-180, 180)
    )
    noise, seeing = rng.uniform(1, 5), rng.uniform(1.0, 2.0) * (3 if kind == "finer" else 1)
    pixels = sky.drawn(true, size, seeing, 25.0 if kind.startswith("noise") else noise)
    yy, xx = np.mgrid[0 : size[1], 0 : size[0]] / longest
    if kind.startswith("noise"):
        pixels += 150 * xx + 80 * yy**2 + 100 * np.exp(-((xx - 0.5) ** 2 + (yy - 0.3) ** 2) / 0.1)
    if kind == "saturated":
        pixels = np.minimum(pixels, 40)
    pixels = np.clip(255 * np.sqrt(np.clip(pixels + 20, 0, None) / 400), 0, 255).round()

    shown = (
        sky
        if other is None
        else replace(field(other), width=sky.width, clouds=sky.clouds, stars=sky.stars, ra=field(other).ra)
    )
    coarser = {"finer": 5.0, "small": 0.9}.get(kind, rng.uniform(0.7, 1.6))
    side = int(longest * 1.7 / coarser)
    at = Plane(sky.ra, sky.dec, side / 2, side / 2, scale * coarser, rng.uniform(-180, 180))
    drawn_at = replace(at, ra=shown.ra, dec=shown.dec)
    values = shown.drawn(
        drawn_at, (side, side), rng.uniform(0.9, 1.6), rng.uniform(1, 5), band=int(kind == "other band"), grain=1
    )
    if kind == "partly covered":
        values[:, : int(side * rng.uniform(0.3, 0.45))] = np.nan
    survey = sky_reference(values, at, at.scale, "the survey")

    angle, far = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.2) * size[0]
    about = true.sky(size[0] / 2, size[1] / 2)
    placed = transforms.scaled(transforms.turned(true, rng.uniform(-10, 10), about), rng.uniform(0.95, 1.05), about)
    there = placed.sky(size[0] / 2 + far * math.cos(angle), size[1] / 2 + far * math.sin(angle))
    placed = transforms.moved(placed, about, there)
    if mirrored:
        placed = transforms.mirrored(placed, there)
    return Case(kind, Picture(pixels.astype(np.float32), 1, size), true, placed, survey)
