"""Index files of astrometry.net on this machine: where they are, and which widths and parts of the sky they can recognize."""

from __future__ import annotations

import functools
import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import NoIndexError
from ..geometry.angles import format_dec, format_ra
from ..state import cache_dir, user_path

ENVIRONMENT = "ASTROMETRY_INDEX_PATH"
"""Environment variable that names folders of index files, separated as in PATH."""

DEBIAN = Path("/usr/share/astrometry")
"""Folder of Debian's and Ubuntu's packages astrometry-data-*."""

# Quads are searched that take this part of the picture's longer side. Smaller ones are many, and take long.
SMALLEST_QUAD, LARGEST_QUAD = 0.3, 0.6
_HEADER = 2880 * 8  # bytes of a file that hold its primary header
_CARD = re.compile(rb"(SCALE_[UL]|NSTARS|INDEXID|HEALPIX|HPNSIDE) *= *([-+0-9.Ee]+)")

INSTALL = (
    "cxw.index_download(width=…) lists them, and its run() downloads them. Or, on Debian and Ubuntu: apt-get "
    "install astrometry-data-tycho2 (300 MB, for pictures more than about 1° wide). Other folders of index-*.fits files can be named in "
    "ASTROMETRY_INDEX_PATH"
)


@dataclass(frozen=True)
class Tile:
    """A part of the sky: a pixel of HEALPix, numbered as astrometry.net does (base pixel, then x, then y)."""

    nside: int
    number: int

    @property
    def area(self) -> float:
        """Steradians."""
        return math.pi / (3 * self.nside**2)

    def is_near(self, ra: float, dec: float, radius: float) -> bool:
        """Return whether any of it may be within an angle of a position; all in degrees."""
        return self.number in tiles_near(self.nside, ra, dec, radius)


@functools.lru_cache(maxsize=64)
def tiles_near(nside: int, ra: float, dec: float, radius: float) -> frozenset[int]:
    """Return the numbers of the tiles, of this size, that may have a part within an angle of a position; all in degrees."""
    from astropy import units
    from astropy_healpix import HEALPix

    pixels = HEALPix(nside, order="nested")
    angles = (ra * units.deg, dec * units.deg, max(radius, 1e-3) * units.deg)
    return frozenset(_as_numbered(int(each), nside) for each in pixels.cone_search_lonlat(*angles))


def _as_numbered(nested: int, nside: int) -> int:
    """Return astrometry.net's number of a pixel in nested order, where the bits of x and y alternate."""
    base, inner = divmod(nested, nside**2)
    x = y = 0
    for bit in range(nside.bit_length() - 1):
        x |= (inner >> 2 * bit & 1) << bit
        y |= (inner >> 2 * bit + 1 & 1) << bit
    return base * nside**2 + x * nside + y


@dataclass(frozen=True)
class IndexFile:
    """One index file.

    Attributes
    ----------
    path : Path
    smallest, largest : float
        Size of its quads in degrees.
    tile : Tile or None
        The part of the sky that it covers; None for the whole.
    stars : int
    """

    path: Path
    smallest: float
    largest: float
    tile: Tile | None
    stars: int

    def recognizes(self, widths: tuple[float, float]) -> bool:
        """Return whether its quads fit into pictures whose longer side is within a range, in degrees."""
        return self.largest >= SMALLEST_QUAD * widths[0] and self.smallest <= LARGEST_QUAD * widths[1]

    def covers(self, ra: float, dec: float, radius: float = 0.0) -> bool:
        """Return whether it has any stars within an angle of a position; all in degrees."""
        return self.tile is None or self.tile.is_near(ra, dec, radius)

    def stars_expected(self, area: float) -> float:
        """Return how many stars it has in an area on the sky in steradians, on average."""
        return self.stars * area / (self.tile.area if self.tile else 4 * math.pi)


def download_folder() -> Path:
    """Return the folder that `cxw.index_download` fills."""
    return cache_dir("astrometry")


def index_folders() -> list[Path]:
    """Return the folders that are searched: those of `ASTROMETRY_INDEX_PATH`, that of downloads, and that of Debian's packages."""
    named = [user_path(each) for each in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if each]
    return [*named, download_folder(), DEBIAN]


def index_files(folders: Iterable[str | Path] | None = None) -> list[IndexFile]:
    """Return the index files in folders, the coarsest first; without folders those of `index_folders`.

    Files of the wrong byte order, damaged ones and other FITS files are left out.
    """
    found: dict[str, IndexFile] = {}
    for folder in index_folders() if folders is None else map(Path, folders):
        try:
            names = sorted(folder.glob("*.fits"))
        except OSError:
            continue
        for path in names:
            index = inspect(path)
            if index is not None:
                found.setdefault(path.name, index)
    return sorted(found.values(), key=lambda each: -each.largest)


def require_index_files(
    widths: tuple[float, float] | None = None, near: Sequence[float] | None = None
) -> list[IndexFile]:
    """Return the index files on this machine that recognize pictures of a range of widths and near a position.

    Parameters
    ----------
    widths : (float, float), optional
        Smallest and largest width in degrees.
    near : (float, float, float), optional
        Right ascension, declination and radius in degrees.

    Raises
    ------
    NoIndexError
        If there are none; the message says how to get them.
    """
    available = index_files()
    if not available:
        searched = ", ".join(map(str, index_folders()))
        raise NoIndexError(f"There are no index files to find positions with (searched: {searched}). {INSTALL}")
    fitting = [index for index in available if widths is None or index.recognizes(widths)]
    if widths is not None and not fitting:
        raise NoIndexError(
            f"The index files here recognize pictures {widths_text(widest(available))} wide, and none that is {widths_text(widths)} wide. {INSTALL}"
        )
    there = [index for index in fitting if near is None or index.covers(*near)]
    if not there:
        ra, dec, radius = near or (0.0, 0.0, 0.0)
        raise NoIndexError(
            f"The index files here for this width cover other parts of the sky, and none within {radius:.2g}° of "
            f"{format_ra(ra)} {format_dec(dec)}. {INSTALL}"
        )
    return there


def widest(files: Sequence[IndexFile]) -> tuple[float, float]:
    """Return the smallest and the largest width in degrees of pictures that index files recognize."""
    return (
        min(each.smallest for each in files) / LARGEST_QUAD,
        min(60.0, max(each.largest for each in files) / SMALLEST_QUAD),
    )


def widths_text(widths: tuple[float, float]) -> str:
    """Return widths in degrees as people read them, with two digits and no exponent: "0.17° to 110°"."""
    low, high = (f"{width:.2g}" if width < 99.5 else f"{width:.0f}" for width in widths)
    return f"{low}°" if math.isclose(*widths, rel_tol=0.01) else f"{low}° to {high}°"


def inspect(path: Path) -> IndexFile | None:
    """Return what an index file says about itself; None if it is none, or has another byte order than this machine."""
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER)
    except OSError:
        return None
    if not start.startswith(b"SIMPLE  =                    T") or ".bigendian." in path.name:
        return None
    try:
        cards = {name.decode(): float(value) for name, value in _CARD.findall(start)}
        number, nside = int(cards.get("HEALPIX", -1)), int(cards.get("HPNSIDE", 0)) or 1
        stars = int(cards.get("NSTARS", 0))
    except (ValueError, OverflowError):
        return None
    low, high = cards.get("SCALE_L"), cards.get("SCALE_U")
    if not low or not high or "INDEXID" not in cards:
        return None
    if number >= 12 * nside**2 or nside & (nside - 1):
        return None
    tile = Tile(nside, number) if number >= 0 else None
    return IndexFile(path, math.degrees(low), math.degrees(high), tile, stars)
