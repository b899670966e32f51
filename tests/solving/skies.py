"""Synthetic photographs of the real sky, drawn from the stars of Debian's Tycho-2 index files."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from PIL import Image
from solving.index_files import CATALOG

from constellations_widgets.geometry.plane import Plane

_DRAWN = 2500  # most stars in a photograph


@dataclass(frozen=True)
class Sky:
    """One synthetic photograph: where it is, and what spoils it."""

    plane: Plane
    size: tuple[int, int]
    noise: float = 3.0
    trail: float = 0.0  # length in pixels
    galaxies: int = 0
    limit: float = 11.5  # magnitude
    seed: int = 0

    def pixels(self) -> np.ndarray:
        """Return the photograph in gray, 8 bits, rows from the top."""
        rng = np.random.default_rng(self.seed)
        width, height = self.size
        image = np.zeros((height, width), np.float32)
        x, y, mag = self.stars()
        fwhm = rng.uniform(2.2, 3.6)
        brightest = mag.min() if len(mag) else 0.0
        reference = max(brightest + 1.5, np.sort(mag)[min(len(mag) - 1, 120)] - 3.0) if len(mag) else 0.0
        for x0, y0, m in zip(x, y, mag, strict=True):
            _add(image, x0, height - y0, 400 * 10 ** (-0.4 * (m - reference)), fwhm / 2.355, self.trail)
        for _ in range(self.galaxies):
            at = rng.uniform(0, width), rng.uniform(0, height)
            _add(image, *at, rng.uniform(30, 120), rng.uniform(5, width / 40), 0.0)
        yy, xx = np.mgrid[0:height, 0:width]
        image += 18 + 8 * xx / width + 5 * yy / height
        image += rng.normal(0, self.noise, image.shape)
        return np.clip(image, 0, 255).astype(np.uint8)

    def stars(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return x, y (pixels right and up from the lower left corner) and magnitude of the stars in the photograph."""
        xyz, mags = catalog()
        width, height = self.size
        ra, dec = self.plane.sky(width / 2, height / 2)
        middle = _vector(ra, dec)
        radius = math.atan(math.radians(self.plane.scale) * math.hypot(width, height) / 2)
        near = np.flatnonzero((xyz @ middle > math.cos(radius)) & (mags < self.limit))
        near = near[np.argsort(mags[near])][: 2 * _DRAWN]
        stars = xyz[near]
        ra = np.degrees(np.arctan2(stars[:, 1], stars[:, 0])) % 360
        dec = np.degrees(np.arcsin(np.clip(stars[:, 2], -1, 1)))
        x, y = self.plane.pixel(ra, dec)
        inside = (x > 0) & (x < width) & (y > 0) & (y < height)
        return x[inside][:_DRAWN], y[inside][:_DRAWN], mags[near][inside][:_DRAWN]

    def save(self, path: Path, quality: int = 85) -> Path:
        """Write the photograph as the kind of file that the path's suffix names."""
        options = {"quality": quality} if path.suffix in (".jpg", ".jpeg") else {}
        Image.fromarray(self.pixels()).save(path, **options)
        return path


def random_sky(seed: int, side: tuple[int, int] = (600, 1400), widths: tuple[float, float] = (1.0, 40.0)) -> Sky:
    """Return a photograph anywhere in the sky, 1 to 40 degrees wide, rotated, perhaps mirrored, noisy, with trails or galaxies."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(*side)), int(rng.integers(*side))
    width = math.exp(rng.uniform(*map(math.log, widths)))
    scale = math.degrees(2 * math.tan(math.radians(width) / 2)) / size[0]
    ra, dec = rng.uniform(0, 360), math.degrees(math.asin(rng.uniform(-1, 1)))
    # The tangent point may be off the middle, as in a cropped photograph.
    x, y = size[0] * rng.uniform(0.3, 0.7), size[1] * rng.uniform(0.3, 0.7)
    plane = Plane(ra, dec, x, y, scale, rng.uniform(-180, 180), bool(rng.integers(2)))
    trail = float(rng.choice([0, 0, 0, 4, 9]))
    galaxies = int(rng.choice([0, 0, 3, 8]))
    return Sky(plane, size, float(rng.uniform(1, 8)), trail, galaxies, 12.0, seed)


@functools.cache
def catalog() -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors and magnitudes of the stars of an index file."""
    with fits.open(CATALOG, memmap=False) as hdus:
        tables = {column: hdu for hdu in hdus[1:] for column in hdu.columns.names}
        low = np.frombuffer(tables["kdtree_range_stars"].data.tobytes(), "<f8")
        packed = np.frombuffer(tables["kdtree_data_stars"].data.tobytes(), "<u4").reshape(-1, 3)
        mags = np.frombuffer(tables["MAG_VT"].data.tobytes(), ">f4").astype(np.float32)
    dimensions = 3
    xyz = low[:dimensions] + packed / low[-1]
    return xyz, mags


def _vector(ra: float, dec: float) -> np.ndarray:
    ra, dec = math.radians(ra), math.radians(dec)
    return np.array([math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)])


def _add(image: np.ndarray, x: float, y: float, peak: float, sigma: float, trail: float) -> None:
    """Add a star at (x, y) from the upper left corner, smeared along x."""
    reach = math.ceil(4 * sigma + trail)
    height, width = image.shape
    x0, x1 = max(0, int(x) - reach), min(width, int(x) + reach + 1)
    y0, y1 = max(0, int(y) - reach), min(height, int(y) + reach + 1)
    if x0 >= x1 or y0 >= y1 or peak < 0.2:
        return
    dx, dy = np.arange(x0, x1) + 0.5 - x, np.arange(y0, y1) + 0.5 - y
    steps = np.linspace(-trail / 2, trail / 2, max(1, round(trail) + 1))
    along = np.mean([np.exp(-((dx - step) ** 2) / (2 * sigma**2)) for step in steps], axis=0)
    image[y0:y1, x0:x1] += peak * np.outer(np.exp(-(dy**2) / (2 * sigma**2)), along)
