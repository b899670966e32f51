"""Index files of astrometry.net on this machine: where they are, and which widths of a picture they can recognize."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import SolveError

ENVIRONMENT = "ASTROMETRY_INDEX_PATH"
"""Environment variable that names folders of index files, separated as in PATH."""

DEBIAN = Path("/usr/share/astrometry")
"""Folder of Debian's and Ubuntu's packages astrometry-data-*."""

# Quads are searched that take this part of the picture's longer side. Smaller ones are many, and take long.
_SMALLEST_QUAD, _LARGEST_QUAD = 0.3, 0.6
_HEADER = 2880 * 8  # bytes of a file that hold its primary header
_CARD = re.compile(rb"(SCALE_[UL]|NSTARS|INDEXID|HEALPIX) *= *([-+0-9.Ee]+)")

INSTALL = (
    "On Debian and Ubuntu: apt-get install astrometry-data-tycho2 (300 MB, for pictures more than about 1° wide). Elsewhere: put "
    "index-*.fits files of astrometry.net (data.astrometry.net, series 4100 or 5200) into a folder and name it in ASTROMETRY_INDEX_PATH"
)


@dataclass(frozen=True)
class IndexFile:
    """One index file, the smallest and largest size of its quads in degrees, whether it covers the whole sky, and its number of stars."""

    path: Path
    smallest: float
    largest: float
    all_sky: bool
    stars: int

    def recognizes(self, widths: tuple[float, float]) -> bool:
        """Return whether its quads fit into pictures whose longer side is within a range, in degrees."""
        return self.largest >= _SMALLEST_QUAD * widths[0] and self.smallest <= _LARGEST_QUAD * widths[1]


def index_folders() -> list[Path]:
    """Return the folders that are searched: those of `ASTROMETRY_INDEX_PATH`, and that of Debian's packages."""
    named = [Path(each).expanduser() for each in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if each]
    return [*named, DEBIAN]


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
            index = _inspect(path)
            if index is not None:
                found.setdefault(path.name, index)
    return sorted(found.values(), key=lambda each: -each.largest)


def require_index_files(widths: tuple[float, float] | None = None) -> list[IndexFile]:
    """Return the index files on this machine that recognize pictures of a range of widths, in degrees.

    Raises
    ------
    SolveError
        If there are none; the message says how to get them.
    """
    available = index_files()
    if not available:
        searched = ", ".join(map(str, index_folders()))
        raise SolveError(f"There are no index files to find positions with (searched: {searched}). {INSTALL}")
    fitting = [index for index in available if widths is None or index.recognizes(widths)]
    if not fitting:
        low, high = widest(available)
        raise SolveError(
            f"The index files here recognize pictures {low:.2g}° to {high:.2g}° wide, and none that is {_range(widths)} wide. "
            "Get those for this scale (data.astrometry.net, series 5200), and name their folder in ASTROMETRY_INDEX_PATH"
        )
    return fitting


def widest(files: Sequence[IndexFile]) -> tuple[float, float]:
    """Return the smallest and the largest width in degrees of pictures that index files recognize."""
    return (
        min(each.smallest for each in files) / _LARGEST_QUAD,
        min(60.0, max(each.largest for each in files) / _SMALLEST_QUAD),
    )


def _range(widths: tuple[float, float] | None) -> str:
    low, high = widths or (0.0, 0.0)
    return f"{low:.2g}°" if math.isclose(low, high, rel_tol=0.01) else f"{low:.2g}° to {high:.2g}°"


def _inspect(path: Path) -> IndexFile | None:
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER)
    except OSError:
        return None
    if not start.startswith(b"SIMPLE  =                    T") or ".bigendian." in path.name:
        return None
    cards = {name.decode(): float(value) for name, value in _CARD.findall(start)}
    low, high = cards.get("SCALE_L"), cards.get("SCALE_U")
    if not low or not high or "INDEXID" not in cards:
        return None
    return IndexFile(
        path, math.degrees(low), math.degrees(high), cards.get("HEALPIX", -1) < 0, int(cards.get("NSTARS", 0))
    )
