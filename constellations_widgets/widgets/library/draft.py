"""Drafts of the library's images: downloaded to be shown, with the library's address as the image URL."""

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
from ...sources.hdus import is_fits
from ...sources.quiet import quiet
from ...sources.reading import ParsedImage

if TYPE_CHECKING:
    from ...api import ImagesClient
    from ...api.images.progress import Progress
    from ...schema.records import LibraryImage

PLACED = "The placement comes from the file."
UNPLACED = (
    "{reason}. It is shown at RA 0°, Dec 0°, one degree wide, which is not its position: set the placement with “Adjust "
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
    """Return a draft of an image of the library, and a note about its placement.

    Parameters
    ----------
    folder : Path
        Folder for the download, which gets a folder of its own: the preview shows this file.
    progress, stop : optional
        As for `ImagesClient.download`.

    Raises
    ------
    ApiError
        If it can't be downloaded.
    SourceError
        If it is not an image that WWT can draw.
    """
    path = images.download(image, tempfile.mkdtemp(dir=folder), progress=progress, stop=stop)
    parsed, note = _placed(path)
    values = {**parsed.values, URL: image.url}
    origin = f"{images.base_url}/images/{image.id}"
    return ImageDraft(dataclasses.replace(parsed, values=values, origin=origin)), note


def _placed(path: Path) -> tuple[ParsedImage, str]:
    """Parse an image file; without a placement, give it one and return a note about that."""
    from ...sources.fits import read_fits
    from ...sources.picture import read_picture

    if is_fits(path) or path.suffix.lower() in _FITS:
        return read_fits(path), PLACED
    try:
        return read_picture(path), PLACED
    except SourceError as error:
        reason = str(error)
    return read_picture(path, _default_wcs(path)), UNPLACED.format(reason=reason.partition(": give")[0].rstrip("."))


def _default_wcs(path: Path) -> object:
    """Return a WCS for a picture without a placement: around RA 0, Dec 0, one degree wide."""
    from astropy.wcs import WCS
    from PIL import Image

    try:
        with quiet(), Image.open(path) as picture:
            width, height = picture.size
    except Exception:  # noqa: BLE001  (Pillow has many ways to fail at a broken file)
        raise SourceError(f"{path.name} is not a readable picture") from None
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [0.0, 0.0]
    wcs.wcs.crpix = [(width + 1) / 2, (height + 1) / 2]
    wcs.wcs.cdelt = [-1.0 / width, 1.0 / width]
    return wcs
