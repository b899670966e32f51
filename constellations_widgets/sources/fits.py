"""FITS images: placed by their WCS, shown as a picture that is also what can be uploaded."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import SourceError
from ..state import state_dir, write_file
from .local import LocalImage
from .placing import place_untiled
from .reading import Reading

if TYPE_CHECKING:
    import numpy as np

LARGEST = 4096
"""Pixels of a side up to which a FITS image is made into one picture; a larger one wants tiles."""


def read_fits(path: str | Path) -> Reading:
    """The first image of a FITS file that has a celestial WCS.

    It is placed by its WCS and drawn as a PNG with an asinh stretch between its 1 and 99.7 percentiles; that PNG, in the user's state
    directory, is shown by the preview and is the file to upload.

    Parameters
    ----------
    path : str or Path
        The file; may be gzipped.

    Raises
    ------
    SourceError
        When the file can't be read, holds no image with a place on the sky, or one that WWT can't draw.
    """
    from astropy.io import fits
    from astropy.wcs import FITSFixedWarning

    path = Path(os.path.expanduser(path))  # Path's own fails at ~nobody
    what = path.name
    try:
        with warnings.catch_warnings(), fits.open(path) as hdus:
            warnings.simplefilter("ignore", FITSFixedWarning)
            hdu, wcs = image_of(hdus, what)
            values = place_untiled(wcs, what)
            height, width = hdu.shape[-2:]
            if max(height, width) > LARGEST:
                raise SourceError(
                    f"{what} has {width} × {height} pixels; above {LARGEST} make tiles of it first (toasty), and use from_wtml"
                )
            pixels = hdu.data.reshape(height, width)
            name = str(hdu.header.get("OBJECT") or path.name.split(".")[0]).strip()
    except SourceError:
        raise
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the name") from None
    except Exception as error:  # astropy has many ways to fail at a broken file
        reason = (
            (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
        )  # wcslib says where in its C source, first
        raise SourceError(f"{what} is no FITS image that can be read ({reason})") from None
    try:
        picture = _picture_of(pixels, path)
    except OSError as error:
        raise SourceError(
            f"The picture of {what} can't be written to the state directory ({error}): set CXW_STATE_DIR to another"
        ) from None
    values |= {"wwt.file_type": ".png", "note": name}
    remark = (
        f"drawn with an asinh stretch as {picture}: this picture is what to upload, and its address is the image URL"
    )
    local = LocalImage(picture.parent, quote(picture.name), (width, height), pixels=path.resolve())
    return Reading(values, name, str(path.resolve()), local, (remark,))


def image_of(hdus: Any, what: str) -> tuple[Any, Any]:
    """The first image with a celestial WCS, or else the first image, and its WCS."""
    from astropy.wcs import WCS

    images = [hdu for hdu in hdus if hdu.is_image and len(hdu.shape) >= 2]
    if not images:
        raise SourceError(f"{what} holds no image: give a FITS file with an image of two dimensions")
    found = [(hdu, WCS(hdu.header, naxis=2)) for hdu in images]
    hdu, wcs = next(((hdu, wcs) for hdu, wcs in found if wcs.has_celestial), found[0])
    if any(size != 1 for size in hdu.shape[:-2]):
        raise SourceError(f"{what} is a cube of {' × '.join(map(str, hdu.shape))}: give one plane of it")
    return hdu, wcs


def _picture_of(pixels: np.ndarray[Any, Any], path: Path) -> Path:
    """An 8-bit PNG of `pixels` in the user's state directory, rows from top to bottom."""
    import numpy as np
    from astropy.visualization import AsinhStretch
    from PIL import Image

    values = np.asarray(pixels, dtype=float)
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise SourceError(f"{path.name} has no finite pixel: there is nothing to draw")
    low, high = np.percentile(finite, [1, 99.7])
    with np.errstate(over="ignore"):  # infinite pixels, and ranges too small for a double, end at 0 and 1
        scaled = np.clip((np.nan_to_num(values, nan=low) - low) / ((high - low) or 1.0), 0, 1)
    grey = (AsinhStretch(0.1)(scaled) * 255).round().astype("uint8")[::-1]
    alpha = np.where(np.isfinite(values), 255, 0).astype("uint8")[::-1]
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    target = state_dir("pictures") / f"{path.name.split('.')[0]}-{digest}.png"
    png = io.BytesIO()
    Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]).save(png, "png")
    write_file(target, png.getvalue())
    return target
