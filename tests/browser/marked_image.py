"""An image with colored marks near its corners, its WCS, and where on the screen a position of the sky appears."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from astropy.wcs import WCS
from PIL import Image

WIDTH, HEIGHT = 700, 500
SCALE = 0.001  # degrees per pixel
SIDE = 24  # of a mark, pixels

# Color and upper left corner of each mark, in pixels from the image's upper left corner.
MARKS = {
    "red": ((255, 0, 0), (20, 20)),
    "lime": ((0, 255, 0), (WIDTH - 20 - SIDE, 20)),
    "blue": ((0, 0, 255), (20, HEIGHT - 20 - SIDE)),
    "yellow": ((255, 255, 0), (WIDTH - 20 - SIDE, HEIGHT - 20 - SIDE)),
}


def make_image(path: Path) -> Path:
    """Write the image as a PNG: marks on gray."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for color, (x, y) in MARKS.values():
        pixels[y : y + SIDE, x : x + SIDE] = color
    Image.fromarray(pixels).save(path)
    return path


def make_wcs(
    ra: float = 150.0, dec: float = 20.0, rotation: float = 30.0, reference: tuple[float, float] = (310.5, 220.5)
) -> WCS:
    """The WCS of the image, for rows counted from the top.

    Parameters
    ----------
    ra, dec : float
        Degrees.
    rotation : float
        Degrees, east of north.
    reference : (float, float)
        CRPIX, which is off the middle so that mistakes with offsets show.
    """
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = reference
    cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    wcs.wcs.cd = SCALE * np.array([[-cos, -sin], [sin, -cos]])
    wcs.wcs.set()
    return wcs


def tile_image(image: Path, wcs: WCS, folder: Path) -> Path:
    """Tile the image with toasty, as people do; returns its folder."""
    from toasty.builder import Builder
    from toasty.image import ImageLoader
    from toasty.pyramid import PyramidIO

    builder = Builder(PyramidIO(str(folder), default_format="png"))
    builder.tile_base_as_study(ImageLoader().load_path(str(image)))
    builder.default_tiled_study_astrometry()
    builder.apply_wcs_info(wcs, WIDTH, HEIGHT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder.cascade()
    builder.write_index_rel_wtml()
    return folder


def positions(wcs: WCS) -> dict[str, tuple[float, float]]:
    """RA and Dec, in degrees, of the middle of each mark."""
    middle = (SIDE - 1) / 2
    return {
        name: tuple(map(float, wcs.wcs_pix2world(x + middle, y + middle, 0))) for name, (_, (x, y)) in MARKS.items()
    }


def sky_to_pixel(ra: float, dec: float, camera: dict[str, Any]) -> tuple[float, float]:
    """Where a position of the sky appears in the view.

    Parameters
    ----------
    ra, dec : float
        Degrees.
    camera : dict
        What a preview writes to ``data-cxw-camera``: ra, dec, fov, roll (degrees), width, height (pixels). WWT's view is gnomonic;
        fov is the angle from its lower to its upper edge (its "zoom" is six times that), and roll turns the sky clockwise.

    Returns
    -------
    (float, float)
        Pixels from the upper left corner of the view; the middle of the first pixel is at 0.5.
    """
    ra, dec, ra0, dec0, roll = (math.radians(x) for x in (ra, dec, camera["ra"], camera["dec"], camera["roll"]))
    depth = math.sin(dec0) * math.sin(dec) + math.cos(dec0) * math.cos(dec) * math.cos(ra - ra0)
    east = math.cos(dec) * math.sin(ra - ra0) / depth
    north = (math.cos(dec0) * math.sin(dec) - math.sin(dec0) * math.cos(dec) * math.cos(ra - ra0)) / depth
    right, up = north * math.sin(roll) - east * math.cos(roll), north * math.cos(roll) + east * math.sin(roll)
    unit = camera["height"] / 2 / math.tan(math.radians(camera["fov"]) / 2)
    return camera["width"] / 2 + right * unit, camera["height"] / 2 - up * unit


def find_marks(picture: np.ndarray) -> dict[str, tuple[float, float]]:
    """The middle of each mark that is to be seen in `picture` (height × width × 3), as `sky_to_pixel` counts."""
    found = {}
    for name, (color, _) in MARKS.items():
        near = np.abs(picture.astype(int) - color).max(axis=2) < 60
        if near.sum() >= 20:
            y, x = np.nonzero(near)
            found[name] = (float(x.mean()) + 0.5, float(y.mean()) + 0.5)
    return found
