"""Files of a draft's image for the preview: their bytes, holes in the pyramid, and errors."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path

from ...errors import ConstellationsError, SourceError
from ...sources import large_picture
from ...sources.fits_pixels import FitsPixels, pixels_of, plain_tile, shape_of, tile_pixels
from ...sources.local import LinkOutError, LocalImage
from ..protocol.preview import FilesState
from ..protocol.preview import FitsPixels as FitsStretch
from .drawing import Reduced

# A pyramid up to this size is sent completely: each message has a cost, and the engine would request level by level. It is sent in
# parts, the coarse levels first; the first part is enough for a view of the whole image, and the page requests the others later.
MOST_FILES = 256
MOST_BYTES = 16 << 20
FIRST_PART_BYTES = 1 << 20
PART_BYTES = 2 << 20

PIXELS = "pixels.fits"
"""The page's name for the pixels of a single FITS file."""

PICTURE = "picture"
"""The page's name for a picture in lower resolution."""

_QUICK = 0.02  # seconds for checking all files
_PATIENCE = 50  # a slow disk is checked for one part in so many of the time
_OLDEST = 5.0  # seconds

_AGAIN = "then press “Try again”"


class ImageFiles:
    """Reader of the files of one image for one preview. May be used by several threads at once.

    Parameters
    ----------
    local : LocalImage
        The image.
    """

    def __init__(self, local: LocalImage):
        self._local = local
        self._served: set[str] = set()
        self._state: FilesState | None = None
        self._valid_until = 0.0

    @property
    def picture(self) -> bool:
        """Whether there is a picture, rather than FITS files only."""
        return not self._local.fits

    @property
    def fits(self) -> Path | None:
        """The single FITS file that the image is, or was drawn from; None if there is none."""
        local = self._local
        if local.pixels is not None:
            return local.pixels
        return local.where(local.template) if local.fits and not local.tiled else None

    def read(self, relative: str) -> bytes:
        """Return the bytes of one tile, or of the single file.

        Raises
        ------
        OSError
            For a hole in the pyramid, or a file that the page may not read.
        SourceError
            If the file should exist but can't be read; the message is for the user.
        """
        content = self._read(relative)
        self._served.add(relative)
        local = self._local
        return plain_tile(content, f"The tile {relative}") if local.fits and local.tiled else content

    def read_pixels(self, name: str) -> bytes:
        """Return the pixels of the single FITS file, or the picture in lower resolution. Raises the errors of `read`."""
        if name == PIXELS and self.fits is not None:
            return self._single().content
        if name == PICTURE and (size := self._too_large()):
            return large_picture.smaller_picture(self._local, large_picture.factor_of(size))
        raise PermissionError(f"this image has no pixels {name!r}")

    def stretch(self) -> FitsStretch:
        """Return the initial stretch of FITS pixels: cuts, quantiles and a note. Raises the errors of `read`."""
        pixels = self._single() if self.fits is not None else self._top()
        return {"cuts": self._local.cuts or pixels.cuts, "quantiles": list(pixels.quantiles), "note": pixels.words}

    def reduced_pixels(self, url: str) -> Reduced | None:
        """Return the pixels of the single FITS file, if there is one, as the page loads them from `url`.

        If the file can't be read, their factor is 1 and their size None: reading them reports why.
        """
        if self.fits is None:
            return None
        try:
            shape = shape_of(self._guarded_fits(), self._local.hdu)
        except (OSError, ConstellationsError):
            return Reduced(url, 1, None)
        width, height = (-(-side // shape.factor) for side in shape.size)
        return Reduced(url, shape.factor, (width, height))

    def reduced_picture(self, url: str) -> Reduced | None:
        """Return the picture in lower resolution, as the page loads it from `url`; None if it is shown as it is."""
        size = self._too_large()
        return Reduced(url, large_picture.factor_of(size), size) if size is not None else None

    def state(self, *, fresh: bool = False) -> FilesState:
        """Return the state of the files: a key, whether they are sent completely, and errors.

        On a slow disk it may be some seconds old, unless `fresh` is true: a draft changes twenty times a second.
        """
        began = time.monotonic()
        if not fresh and self._state and began < self._valid_until:
            return self._state
        self._state = self._check_files()
        took = time.monotonic() - began
        self._valid_until = began + (min(_PATIENCE * took, _OLDEST) if took > _QUICK else 0)
        return self._state

    def _check_files(self) -> FilesState:
        local = self._local
        single_fits = local.fits and not local.tiled
        listing = None if single_fits else local.listing(MOST_FILES, MOST_BYTES)
        about = {relative: (found.st_mtime_ns, found.st_size) for relative, found in (listing or {}).items()}
        fault = None
        for path in (local.where(local.top), self.fits):
            try:
                found = path.stat() if path is not None else None
                if path == local.where(local.top):
                    local.guarded(local.top)
                about[str(path)] = (found.st_mtime_ns, found.st_size) if found is not None else (0, 0)
            except OSError as error:
                if path != local.pixels:  # the picture exists all the same; reading the pixels reports the error
                    fault = self._fault(local.top, error)
        if fault is None and listing:
            gone = sorted(name for name in self._served - listing.keys() if not local.where(name).exists())
            fault = _why(local.where(gone[0]), FileNotFoundError()) if gone else None
        text = repr((str(local.root), local.template, sorted(about.items())))
        key = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        size = self._too_large()
        note = size and (
            f"The picture has {size[0]} × {size[1]} pixels, more than WWT can draw on many computers: tile it (cxw.tile). "
            "It is shown here in lower resolution."
        )
        return {"key": key, "whole": bool(listing) and not size, "fault": fault, "note": note or ""}

    def part(self, start: int) -> tuple[dict[str, bytes], int | None, bool]:
        """Return the files from number `start` on, up to a limit, if they are few; the coarse levels first.

        Parameters
        ----------
        start : int
            Number of files that were sent before.

        Returns
        -------
        contents : dict
            Path for `read` → bytes.
        further : int or None
            Start of the next part.
        complete : bool
            Whether no file was left out. A file that can't be read is left out; the engine requests it later.
        """
        names = sorted(self._local.listing(MOST_FILES, MOST_BYTES) or {}, key=_numbers)
        contents: dict[str, bytes] = {}
        complete, size, limit = bool(names), 0, PART_BYTES if start else FIRST_PART_BYTES
        for at, relative in enumerate(names[start:], start):
            if size >= limit:
                return contents, at, complete
            try:
                contents[relative] = self.read(relative)
                size += len(contents[relative])
            except (OSError, ConstellationsError):
                complete = False
        return contents, None, complete

    def _too_large(self) -> tuple[int, int] | None:
        local = self._local
        if local.tiled or local.fits:
            return None
        try:
            size = local.size or large_picture.size_of(local)
        except (OSError, ConstellationsError):
            return None  # reading it reports why
        return size if large_picture.factor_of(size) > 1 else None

    def _single(self) -> FitsPixels:
        try:
            return pixels_of(self._guarded_fits(), self._local.hdu)
        except OSError as error:
            raise SourceError(_why(self.fits or self._local.root, error)) from None

    def _guarded_fits(self) -> Path:
        """Return the file of `fits`: the one that the user named, or one in the image's folder. Raises LinkOutError otherwise."""
        return self._local.pixels or self._local.guarded(self._local.template)

    def _top(self) -> FitsPixels:
        coarsest = self._local.coarsest
        return tile_pixels(self._read(coarsest), "The tile " + coarsest)

    def _read(self, relative: str) -> bytes:
        try:
            return self._local.read(relative)
        except OSError as error:
            if error.errno is None and isinstance(error, PermissionError):
                raise  # our own guard: the page may not read this file
            words = self._fault(relative, error)
            if words is None:
                raise
            raise SourceError(words) from None

    def _fault(self, relative: str, error: OSError) -> str | None:
        """Return why a file of the image can't be read; None for a hole in the pyramid."""
        local = self._local
        if not local.root.is_dir():
            return f"The image's folder no longer exists on the kernel's disk: {local.root}. Restore it, {_AGAIN}."
        if isinstance(error, FileNotFoundError) and local.tiled and relative not in self._served | {local.top}:
            return None
        return _why(local.where(relative), error)


def _numbers(relative: str) -> tuple[list[int], str]:
    """Return a key that sorts files by level."""
    return [int(number) for number in re.findall(r"[0-9]{1,10}", relative)], relative


def _why(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path.name} no longer exists on the kernel's disk: {path}. Restore it, {_AGAIN}."
    if isinstance(error, LinkOutError):
        return (
            f"{path.name} is a link to a file outside the image's folder: {path}. Put the file itself there, {_AGAIN}."
        )
    reason = error.strerror or str(error)
    return f"{path.name} can't be read on the kernel's disk ({reason}): {path}. Fix that, {_AGAIN}."
