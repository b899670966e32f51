"""Download index files of astrometry.net into the user's cache: on request, after their number, size and source are named.

The list of files with their sizes comes from the package astrometry: series 5200 (Gaia and Tycho-2) for small pictures, series
4100 (Tycho-2) for those of more than about a degree. There are no published checksums, so a file is verified by its exact size
and its structure.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import SolveError, needs_extra
from ..sources import web
from ..sources.quiet import quiet
from ..state import file_lock
from .hints import angle_range, near_hint
from .indexes import (
    LARGEST_QUAD,
    SMALLEST_QUAD,
    IndexFile,
    Tile,
    download_folder,
    index_files,
    inspect,
    tiles_near,
    widths_text,
)

if TYPE_CHECKING:
    from ..http import Response

Report = Callable[[float, str], Any]

_QUADS = (2, 2.8, 4, 5.6, 8, 11, 16, 22, 30, 42, 60, 85, 120, 170, 240, 340, 480, 680, 1000, 1400, 2000)
# Borders of the scales in minutes of arc: quads of scale n are between the numbers n and n + 1.
_FINE, _FIRST_COARSE = "5200", 7  # series of the scales below 7; those from there on are of series 4100
_COARSE = "4100"
_NSIDES = {1: 0, 12: 1, 48: 2}  # of HEALPix, by the number of tiles into which a scale is cut; 0 for none
_SMALLEST_WANTED = (
    0.33  # of the picture's longer side: smaller quads would be of use, too, but their files are much larger
)
_RADIUS = 1.0
_ATTEMPTS = 5  # in a row that bring nothing, before a download is given up
_PAUSE = 1.0  # seconds after the first of them, then twice as long each time
_SPARE = 50_000_000  # bytes that are left free on the disk
_LONGEST_WAIT = 24 * 3600.0  # seconds for another process that is downloading the same file


@dataclass(frozen=True)
class RemoteIndex:
    """An index file that can be downloaded: its address, its size in bytes, and its part of the sky (None: all of it)."""

    url: str
    size: int
    tile: Tile | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class IndexDownload:
    """Index files that are missing here, from where, and how large they are. Nothing is downloaded before `run`.

    >>> download = cxw.index_download(width=0.3, near=(202.5, 47.2))  # doctest: +SKIP
    >>> print(download)  # doctest: +SKIP
    2 index files of astrometry.net for pictures 0.3° wide, 77 MB, from portal.nersc.gov to ~/.cache/constellations_widgets/astrometry
    >>> download.run(progress=lambda part, text: print(text))  # doctest: +SKIP

    Attributes
    ----------
    files : tuple of RemoteIndex
        What is missing; empty if nothing is.
    folder : Path
        Where it is put.
    what : str
        The pictures that they are for.
    """

    files: tuple[RemoteIndex, ...]
    folder: Path
    what: str

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(each.size for each in self.files)

    @property
    def source(self) -> str:
        """The servers that have them."""
        return " and ".join(dict.fromkeys(urlsplit(each.url).hostname or "" for each in self.files))

    def __str__(self) -> str:
        """Return what would be downloaded, in a sentence."""
        if not self.files:
            return f"The index files for {self.what} are here"
        count = f"{len(self.files)} index files" if len(self.files) > 1 else "1 index file"
        return f"{count} of astrometry.net for {self.what}, {size_text(self.size)}, from {self.source} to {self.folder}"

    def run(self, progress: Report | None = None, stop: threading.Event | None = None) -> list[Path]:
        """Download the files. After an interrupt (Ctrl-C), a crash or a broken connection, the next run continues where it ended.

        Parameters
        ----------
        progress : callable, optional
            Called with a number from 0 to 1 and a text.
        stop : threading.Event, optional
            Stops the download when it is set.

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        SolveError
            If a file can't be downloaded or is damaged, the disk is full, or the download was stopped; the message says which.
        """
        stop = stop or threading.Event()
        done = 0
        paths = []
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_space()
            for number, remote in enumerate(self.files):
                label = f"File {number + 1} of {len(self.files)}"

                def report(received: int, done: int = done, label: str = label) -> None:
                    if progress:
                        whole = done + received
                        progress(whole / max(1, self.size), f"{label}, {size_text(whole)} of {size_text(self.size)}")

                report(0)
                paths.append(_Transfer(remote, self.folder, stop, report).run())
                done += remote.size
        except OSError as error:
            raise SolveError(_disk_error(self.folder, error)) from None
        return paths

    def _check_space(self) -> None:
        needed = sum(each.size - _size(self.folder / f"{each.name}.part") for each in self.files if not self._has(each))
        free = shutil.disk_usage(self.folder).free
        if needed + _SPARE > free and needed > 0:
            raise SolveError(
                f"{size_text(needed)} are to be downloaded, and only {size_text(free)} are free in {self.folder}: free some, or set "
                "CXW_CACHE_DIR to a folder on another disk"
            )

    def _has(self, remote: RemoteIndex) -> bool:
        return _size(self.folder / remote.name) == remote.size


def index_download(width: Any = None, *, near: Any = None, radius: Any = None) -> IndexDownload:
    """Return which index files are missing to find the position of pictures, with their size and source; download nothing.

    >>> cxw.index_download(width=0.3, near=(202.5, 47.2)).run()  # doctest: +SKIP

    Parameters
    ----------
    width : float, (float, float) or astropy Quantity, optional
        Width of the pictures' longer side in degrees, or the smallest and the largest; from 0.06 on. Default: those for all pictures of
        more than 0.7 degrees.
    near : (float, float), str or astropy SkyCoord, optional
        A position in the pictures. Files for less than about a degree are cut into 48 parts of the sky, so few of them are needed.
    radius : float or astropy Quantity, default 1
        How far the pictures may be from `near`, in degrees.

    Returns
    -------
    IndexDownload
        Its `run` downloads them.

    Raises
    ------
    SourceError
        If an argument is invalid.
    SolveError
        If there are no index files for such a width.
    """
    widths = angle_range(width, "width=", "deg", spread=1.0) if width is not None else None
    place = near_hint(near, radius, _RADIUS)
    what = "all pictures more than 0.7° wide" if widths is None else f"pictures {widths_text(widths)} wide"
    if place and widths and _scales(widths)[0] < _FIRST_COARSE:
        what += f" within {place[2]:.2g}° of {place[0]:.4g}° {place[1]:+.4g}°"
    present = index_files()
    files = [each for scale in _scales(widths) for each in _missing(scale, place, present)]
    return IndexDownload(tuple(files), download_folder(), what)


def size_text(size: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"


def _scales(widths: tuple[float, float] | None) -> list[int]:
    """Return the numbers of the scales whose quads fit into pictures of these widths."""
    count = len(_QUADS) - 1
    if widths is None:
        return list(range(_FIRST_COARSE, count))
    low, high = 60 * _SMALLEST_WANTED * widths[0], 60 * LARGEST_QUAD * widths[1]
    found = [scale for scale in range(count) if low <= math.sqrt(_QUADS[scale] * _QUADS[scale + 1]) <= high]
    if not found:
        covered = _QUADS[0] / LARGEST_QUAD / 60, _QUADS[-1] / SMALLEST_QUAD / 60
        raise SolveError(
            f"astrometry.net has no index files for pictures {widths_text(widths)} wide, only for those {widths_text(covered)} wide"
        )
    return found


def _missing(scale: int, place: tuple[float, float, float] | None, present: list[IndexFile]) -> Iterator[RemoteIndex]:
    """Yield the files of a scale, at a place, that are not here."""
    middle = math.sqrt(_QUADS[scale] * _QUADS[scale + 1]) / 60
    here = [each for each in present if each.smallest <= middle <= each.largest]
    if any(each.tile is None for each in here):
        return
    series = _series(_FINE if scale < _FIRST_COARSE else _COARSE)
    sizes = series.scale_to_sizes[scale]
    nside = _NSIDES[len(sizes)]
    for number, size in enumerate(sizes):
        tile = Tile(nside, number) if nside else None
        if tile and (tile in [each.tile for each in here] or (place and number not in tiles_near(nside, *place))):
            continue
        url = series.url_pattern.format(scale=f"{scale:02d}", index=f"-{number:02d}" if tile else "")
        yield RemoteIndex(url.replace("http://", "https://", 1), size, tile)


def _series(name: str) -> Any:
    with needs_extra("solve", "The list of index files", SolveError):
        import astrometry
    return getattr(astrometry, f"series_{name}")


class _StoppedError(Exception):
    """The download was stopped."""


class _AgainError(Exception):
    """An attempt failed in a way that may pass; the text says how."""


class _Transfer:
    """The download of one file, into ``NAME.part`` first; processes that want the same file wait for each other."""

    def __init__(self, remote: RemoteIndex, folder: Path, stop: threading.Event, report: Callable[[int], None]):
        self._remote, self._stop, self._report = remote, stop, report
        self._path, self._part = folder / remote.name, folder / f"{remote.name}.part"
        self._lock = folder / f".{remote.name}.lock"

    def run(self) -> Path:
        """Return the file, which may be here already."""
        try:
            with file_lock(self._lock, patience=_LONGEST_WAIT, wait=self._wait):
                if _size(self._path) != self._remote.size:
                    self._fetch()
                    self._verify()
                    os.replace(self._part, self._path)
        except _StoppedError:
            raise SolveError("The download was stopped; the next one continues where it ended") from None
        return self._path

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _StoppedError

    def _fetch(self) -> None:
        failures, before = 0, _size(self._part)
        while (received := _size(self._part)) != self._remote.size:
            try:
                self._attempt(received if received < self._remote.size else 0)
            except _AgainError as error:
                failures = 1 if _size(self._part) > before else failures + 1
                before = _size(self._part)
                if failures >= _ATTEMPTS:
                    raise SolveError(
                        f"{self._remote.name} could not be downloaded from {self._remote.url} ({error}): try again later. What was "
                        "received is kept, and the next download continues there"
                    ) from None
                self._wait(_PAUSE * 2 ** (failures - 1))

    def _attempt(self, offset: int) -> None:
        from .. import http

        headers = {"Range": f"bytes={offset}-"} if offset else {}
        try:
            with web.get(self._remote.url, headers) as (response, _):
                start = self._start_of(response, offset)
                with self._part.open("r+b" if start else "wb") as file:
                    file.seek(start)
                    file.truncate()
                    self._receive(response, file, start)
        except http.BlockedAddressError as error:
            raise SolveError(f"{self._remote.url} leads to {error}, which is in a private network") from None
        except (http.HTTPError, http.InvalidURL) as error:
            raise _AgainError(str(error)[:200] or type(error).__name__) from None

    def _start_of(self, response: Response, offset: int) -> int:
        """Return where in the file the response's body begins."""
        status = response.status_code
        total = response.headers.get("Content-Length", "")
        start = 0
        if status == 206:
            given, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
            if given.partition("-")[0] != str(offset):
                raise _AgainError("the server sent another part of it than was requested")
            start = offset
        elif status == 416:
            self._part.unlink(missing_ok=True)
            raise _AgainError("the server has less of it than is here")
        elif status in (408, 425, 429) or status >= 500:
            raise _AgainError(f"the server says {status} {response.reason_phrase}".rstrip())
        elif status != 200:
            raise SolveError(
                f"{self._remote.url} can't be downloaded: the server says {status} {response.reason_phrase}".rstrip()
            )
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise SolveError(f"{self._remote.url} can't be downloaded: the server compresses it")
        if total.isdecimal() and int(total) != self._remote.size:
            raise SolveError(
                f"{self._remote.url} has {int(total):,} bytes, not {self._remote.size:,}: the file was changed, so it was not "
                "downloaded. A newer version of the package astrometry may know it"
            )
        return start

    def _receive(self, response: Response, file: IO[bytes], received: int) -> None:
        for part in response.iter_bytes():
            if self._stop.is_set():
                raise _StoppedError
            received += len(part)
            if received > self._remote.size:
                raise SolveError(f"{self._remote.url} sends more than its {self._remote.size:,} bytes")
            file.write(part)
            self._report(received)
        file.flush()
        os.fsync(file.fileno())
        if received < self._remote.size:
            raise _AgainError("the connection was closed early")

    def _verify(self) -> None:
        fault = fits_fault(self._part)
        index = inspect(self._part)
        if not fault and (index is None or index.tile != self._remote.tile):
            fault = "it is not the index file that its name says"
        if fault:
            self._part.unlink(missing_ok=True)
            raise SolveError(f"{self._remote.name} arrived damaged ({fault}) and was deleted: download it again")


def fits_fault(path: Path) -> str:
    """Return what is wrong with the structure of a FITS file, "" for nothing: each HDU must have its header and all its data."""
    from astropy.io import fits

    size, end = _size(path), 0
    with quiet(), contextlib.suppress(OSError), fits.open(path) as hdus:
        for hdu in hdus:
            place = hdu.fileinfo()
            end = place["datLoc"] + place["datSpan"]
    if end < size:  # astropy stops there
        return f"an unreadable header at byte {end:,}"
    return "" if end == size else f"{size:,} bytes, where its headers announce {end:,}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _disk_error(folder: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk of {folder} is full: free some space, or set CXW_CACHE_DIR to a folder on another disk. What was received is "
            "kept, and the next download continues there"
        )
    return f"Index files can't be written to {folder} ({error.strerror or error}): set CXW_CACHE_DIR to another folder"
