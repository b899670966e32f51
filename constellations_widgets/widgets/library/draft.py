"""An image of the library as a draft: downloaded to be seen, with the library's address as the image URL."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...draft import ImageDraft
from ...errors import SourceError
from ...schema.placement import URL
from ...sources.reading import Reading

if TYPE_CHECKING:
    from ...api import ImagesClient
    from ...api.library.progress import Progress
    from ...schema.library import LibraryImage

PLACED = "It is placed by what its file says."
BY_HAND = (
    "{reason}. So it lies at RA 0°, Dec 0°, one degree wide, where it does not belong: set its place by hand, with “Adjust "
    "placement” above the sky, in a form, or with draft.wwt in Python."
)
_FITS = (".fits", ".fit", ".fts")


def draft_of_image(
    images: ImagesClient,
    image: LibraryImage,
    folder: Path,
    *,
    progress: Callable[[Progress], object] | None = None,
    stop: threading.Event | None = None,
) -> tuple[ImageDraft, str]:
    """A draft of an image of the library, and what has to be said of its place.

    Parameters
    ----------
    folder : Path
        Where the image is downloaded to, into a folder of its own: the preview shows the file that lies there.
    progress, stop : optional
        As for `ImagesClient.download`.

    Raises
    ------
    ApiError
        If it can't be downloaded.
    SourceError
        If it is no image that WWT can draw.
    """
    path = images.download(image, tempfile.mkdtemp(dir=folder), progress=progress, stop=stop)
    reading, words = _placed(path)
    values = {**reading.values, URL: image.url}
    origin = f"{images.base_url}/images/{image.id}"
    return ImageDraft(dataclasses.replace(reading, values=values, origin=origin)), words


def _placed(path: Path) -> tuple[Reading, str]:
    from ...sources.fits import read_fits
    from ...sources.picture import read_picture

    with path.open("rb") as file:
        is_fits = file.read(9) == b"SIMPLE  ="
    if is_fits or path.suffix.lower() in _FITS:
        return read_fits(path), PLACED
    try:
        return read_picture(path), PLACED
    except SourceError as error:
        reason = str(error)
    return read_picture(path, _somewhere(path)), BY_HAND.format(reason=reason.partition(": give")[0].rstrip("."))


def _somewhere(path: Path) -> object:
    """A place for a picture that has none: a WCS around RA 0, Dec 0, one degree wide."""
    from astropy.wcs import WCS
    from PIL import Image

    try:
        with Image.open(path) as picture:
            width, height = picture.size
    except Exception:  # Pillow has many ways to fail at a broken file
        raise SourceError(f"{path.name} is no picture that can be read") from None
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [0.0, 0.0]
    wcs.wcs.crpix = [(width + 1) / 2, (height + 1) / 2]
    wcs.wcs.cdelt = [-1.0 / width, 1.0 / width]
    return wcs
