"""The stars of index files. The solver gives those of its own match alone, too few to prove it in a coarse index."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..geometry.plane import Plane
from ..geometry.sphere import to_vector
from .indexes import IndexFile

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_PACKED_BYTES = 12  # of a star: three unsigned numbers of 32 bits
_RANGES = 7  # numbers in the table that says how they are scaled


@dataclass(frozen=True)
class CatalogStars:
    """Stars of an index: positions in degrees, and magnitudes, NaN where unknown."""

    ra: Array
    dec: Array
    magnitude: Array


def stars_around(plane: Plane, size: tuple[int, int], files: Sequence[IndexFile], wanted: int) -> CatalogStars | None:
    """Return the stars in and around a picture, of an index file that covers it; None if no file can be read.

    The coarsest file that should have as many stars there as are wanted is read: the finest ones take a second.

    The stars lie in the file's k-d tree, in a format that astrometry.net's ``kdtree_fits_io.c`` defines; only its usual form
    (three coordinates of 32 bits) is read.
    """
    width, height = (math.radians(plane.scale * side) for side in size)
    ra, dec = map(float, plane.sky(size[0] / 2, size[1] / 2))
    covering = [(each.stars_expected(width * height), each) for each in files if each.covers(ra, dec)]
    for _, index in sorted(covering, key=lambda each: (each[0] < wanted, abs(each[0] - wanted))):
        try:
            return _read(index, plane, size)
        except (OSError, KeyError, ValueError, TypeError):
            continue
    return None


def _read(index: IndexFile, plane: Plane, size: tuple[int, int]) -> CatalogStars:
    import numpy as np
    from astropy.io import fits

    with fits.open(index.path, memmap=True) as hdus:
        tables = {name: hdu for hdu in hdus[1:] for name in hdu.columns.names}
        ranges = np.frombuffer(tables["kdtree_range_stars"].data.tobytes(), "<f8")
        packed = tables["kdtree_data_stars"].data
        if len(ranges) != _RANGES or packed.dtype.itemsize != _PACKED_BYTES:
            raise ValueError("another kind of tree")
        numbers = np.ascontiguousarray(packed).view("<u4").reshape(-1, 3)
        ra, dec = plane.sky(size[0] / 2, size[1] / 2)
        reach = math.cos(math.atan(math.radians(plane.scale) * math.hypot(*size) * 0.6))
        xyz = numbers / ranges[-1] + ranges[:3]
        near = np.flatnonzero(xyz @ np.array(to_vector((float(ra), float(dec)))) > reach)
        magnitude = np.full(len(near), np.nan)
        name = next((name for name in tables if name.upper().startswith("MAG")), None)
        if name:
            magnitude = np.asarray(tables[name].data[name][near], dtype=float)
    x, y, z = xyz[near].T
    return CatalogStars(np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(np.clip(z, -1, 1))), magnitude)
