"""The files of a draft's image, as one preview's page gets them: what is there, what is a hole, and what is wrong."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path
from typing import Any

from ..errors import ConstellationsError, SourceError
from ..sources import large_picture
from ..sources.fits_pixels import FitsPixels, pixels_of, plain_tile, shape_of, tile_pixels
from ..sources.local import LocalImage

# A pyramid up to this size is sent whole: the cost is by the message, and the engine would ask level by level. It comes in parts,
# the coarse levels first; the first part is what a view of the whole image needs, and the page lets the others wait for the picture.
MOST_FILES = 256
MOST_BYTES = 16 << 20
FIRST_PART_BYTES = 1 << 20
PART_BYTES = 2 << 20

PIXELS = "pixels.fits"
"""What the page calls the pixels of a single FITS file."""

PICTURE = "picture"
"""What the page calls a picture that was made smaller."""

_QUICK = 0.02  # seconds to look at all files
_PATIENCE = 50  # of a slow disk's time, one part in so many is used for looking
_OLDEST = 5.0  # seconds

_AGAIN = "then press “Try again”"


class ImageFiles:
    """Reads the files of one image for one preview. All of it may run in any thread, several at once.

    Parameters
    ----------
    local : LocalImage
        The image.
    """

    def __init__(self, local: LocalImage):
        self._local = local
        self._served: set[str] = set()
        self._state: dict[str, Any] | None = None
        self._valid_until = 0.0

    @property
    def picture(self) -> bool:
        """Whether there is a picture, rather than FITS alone."""
        return not self._local.fits

    @property
    def fits(self) -> Path | None:
        """The single FITS file whose pixels can be shown, if that is what the image is or was drawn from."""
        local = self._local
        if local.pixels is not None:
            return local.pixels
        return local.where(local.template) if local.fits and not local.tiled else None

    def read(self, relative: str) -> bytes:
        """The bytes of one tile, or of the one file.

        Raises
        ------
        OSError
            A hole in the pyramid, or what the page may not read.
        SourceError
            What ought to be there and can't be read; the message is for the user.
        """
        content = self._read(relative)
        self._served.add(relative)
        local = self._local
        return plain_tile(content, f"The tile {relative}") if local.fits and local.tiled else content

    def read_pixels(self, name: str) -> bytes:
        """The pixels of the single FITS file; raises what `read` does."""
        if name == PIXELS and self.fits is not None:
            return self._single().content
        if name == PICTURE and (size := self._too_large()):
            return large_picture.smaller_picture(self._local.where(self._local.top), large_picture.factor_of(size))
        raise PermissionError(f"{name!r} are no pixels of this image")

    def look(self) -> dict[str, Any]:
        """What the stretch of FITS pixels begins with, for the page: cuts, quantiles and what is to be said.

        Raises what `read` does.
        """
        pixels = self._single() if self.fits is not None else self._top()
        return {"cuts": self._local.cuts or pixels.cuts, "quantiles": pixels.quantiles, "words": pixels.words}

    def factor_and_size(self) -> tuple[int, tuple[int, int] | None]:
        """By how much the single FITS file is made smaller to be shown, and the width and height that it then has.

        Where the file can't be read that is 1 and None: whoever reads its pixels is told why.
        """
        try:
            shape = shape_of(self.fits) if self.fits is not None else None
        except (OSError, ConstellationsError):
            shape = None
        if shape is None:
            return 1, None
        width, height = (-(-side // shape.factor) for side in shape.size)
        return shape.factor, (width, height)

    def large_picture(self) -> tuple[int, tuple[int, int]] | None:
        """Factor by which the picture is made smaller to be shown, and its width and height; None if it is shown as it is."""
        size = self._too_large()
        return (large_picture.factor_of(size), size) if size is not None else None

    def state(self, *, fresh: bool = False) -> dict[str, Any]:
        """For the page: a name for the state of the files, whether they are few enough to be sent whole, and what is wrong.

        On a slow disk it may be some seconds old, unless it is to be `fresh`: a draft changes twenty times a second.
        """
        began = time.monotonic()
        if not fresh and self._state and began < self._valid_until:
            return self._state
        self._state = self._look_at_files()
        took = time.monotonic() - began
        self._valid_until = began + (min(_PATIENCE * took, _OLDEST) if took > _QUICK else 0)
        return self._state

    def _look_at_files(self) -> dict[str, Any]:
        local = self._local
        single_fits = local.fits and not local.tiled
        listing = None if single_fits else local.listing(MOST_FILES, MOST_BYTES)
        about = {relative: (found.st_mtime_ns, found.st_size) for relative, found in (listing or {}).items()}
        fault = None
        for path in (local.where(local.top), self.fits):
            try:
                found = path.stat() if path is not None else None
                about[str(path)] = (found.st_mtime_ns, found.st_size) if found is not None else (0, 0)
            except OSError as error:
                if path != local.pixels:  # the picture is there all the same; who wants to see the pixels is told then
                    fault = self._fault(local.top, error)
        if fault is None and listing:
            gone = sorted(name for name in self._served - listing.keys() if not local.where(name).exists())
            fault = _why(local.where(gone[0]), FileNotFoundError()) if gone else None
        text = repr((str(local.root), local.template, sorted(about.items())))
        key = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        size = self._too_large()
        words = size and (
            f"The picture has {size[0]} × {size[1]} pixels, more than WWT can draw on many computers: make tiles of it (cxw.tile). "
            "It is shown here made smaller."
        )
        return {"key": key, "whole": bool(listing) and not size, "fault": fault, "words": words or ""}

    def part(self, start: int) -> tuple[dict[str, bytes], int | None, bool]:
        """Some of all files, if they are few; the coarse levels first.

        Parameters
        ----------
        start : int
            How many came before.

        Returns
        -------
        contents : dict
            The path that `read` takes → the bytes.
        further : int or None
            Where the next part starts.
        complete : bool
            Whether none had to be left out. One that can't be read is left for the engine to ask for.
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
            size = local.size or large_picture.size_of(local.where(local.top))
        except (OSError, ConstellationsError):
            return None  # whoever reads it is told why
        return size if large_picture.factor_of(size) > 1 else None

    def _single(self) -> FitsPixels:
        path = self.fits
        assert path is not None
        try:
            return pixels_of(path)
        except OSError as error:
            raise SourceError(_why(path, error)) from None

    def _top(self) -> FitsPixels:
        return tile_pixels(self._read(self._local.top), "The tile " + self._local.top)

    def _read(self, relative: str) -> bytes:
        try:
            return self._local.read(relative)
        except OSError as error:
            if error.errno is None and isinstance(error, PermissionError):
                raise  # our own guard: the page asked for what is none of its business
            words = self._fault(relative, error)
            if words is None:
                raise
            raise SourceError(words) from None

    def _fault(self, relative: str, error: OSError) -> str | None:
        """Why a file that the image is made of can't be read; None for a hole in the pyramid."""
        local = self._local
        if not local.root.is_dir():
            return f"The folder of the image is gone from the kernel's disk: {local.root}. Put it back, {_AGAIN}."
        if isinstance(error, FileNotFoundError) and local.tiled and relative not in self._served | {local.top}:
            return None
        return _why(local.where(relative), error)


def _numbers(relative: str) -> tuple[list[int], str]:
    """By which the files are in the order of their levels."""
    return [int(number) for number in re.findall(r"[0-9]{1,10}", relative)], relative


def _why(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path.name} is gone from the kernel's disk: there is no file {path}. Put it back, {_AGAIN}."
    reason = error.strerror or str(error)
    return f"{path.name} can't be read on the kernel's disk ({reason}): {path}. See to that, {_AGAIN}."
