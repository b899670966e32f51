"""The marked image as FITS: one file, or a pyramid of tiles."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from browser.marked_image import HEIGHT, MARKS, SIDE, WIDTH, make_wcs

LOW, GROUND, MARK = 100.0, 325.0, 1000.0
NOTHING = "red"  # at this mark's place there are no values


def fits_pixels() -> np.ndarray:
    """HEIGHT × WIDTH, rows from the bottom: three bright marks, a hole in the fourth's place, a dark stripe through the middle."""
    pixels = np.full((HEIGHT, WIDTH), GROUND)
    pixels[HEIGHT // 2 - 20 : HEIGHT // 2 + 20] = LOW
    for name, (_, (x, y)) in MARKS.items():
        pixels[y : y + SIDE, x : x + SIDE] = np.nan if name == NOTHING else MARK
    return pixels[::-1]


def fits_wcs() -> WCS:
    """The WCS of `make_wcs`, for rows counted from the bottom."""
    wcs = make_wcs()
    flipped = WCS(naxis=2)
    flipped.wcs.ctype, flipped.wcs.crval = wcs.wcs.ctype, wcs.wcs.crval
    flipped.wcs.crpix = [wcs.wcs.crpix[0], HEIGHT + 1 - wcs.wcs.crpix[1]]
    flipped.wcs.cd = wcs.wcs.cd * [[1, -1], [1, -1]]
    flipped.wcs.set()
    return flipped


def make_fits(path: Path) -> Path:
    """Write the image as one file of 64-bit floats."""
    fits.writeto(path, fits_pixels(), fits_wcs().to_header())
    return path


def make_color_fits(path: Path) -> Path:
    """Write the marks on a ramp of gray as three planes of 16 bits, as Siril does."""
    planes = np.empty((3, HEIGHT, WIDTH), "uint16")
    planes[:] = np.linspace(5000, 40000, WIDTH)
    for color, (x, y) in MARKS.values():
        planes[:, y : y + SIDE, x : x + SIDE] = np.reshape(color, (3, 1, 1)) * 257
    header = fits_wcs().to_header()
    header["CTYPE3"], header["ROWORDER"] = "RGB", "BOTTOM-UP"
    fits.writeto(path, planes[:, ::-1], header)
    return path


def tile_fits(folder: Path) -> Path:
    """Tile it with toasty, as people do; returns its folder."""
    from toasty.builder import Builder
    from toasty.image import Image
    from toasty.pyramid import PyramidIO

    image = Image.from_array(fits_pixels().astype("float32"), wcs=fits_wcs(), default_format="fits")
    builder = Builder(PyramidIO(str(folder), default_format="fits"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.ensure_negative_parity()
        builder.tile_base_as_study(image)
        builder.default_tiled_study_astrometry()
        builder.apply_wcs_info(image.wcs, image.width, image.height)
        builder.cascade()
    builder.write_index_rel_wtml()
    return folder
