"""A WCS that comes beside a picture: astropy's own, a header, a .wcs file of astrometry.net, a text of header cards."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..schema.placement import shown
from .avm import factor_between, resized
from .hdus import open_fits, readable_hdus
from .paths import file_path
from .placing import plane_of_wcs
from .plane import Plane

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

_SIZE_LIMIT = 8 << 20  # bytes of a text of header cards
_SIZES = (("IMAGEW", "IMAGEH"), ("ZNAXIS1", "ZNAXIS2"), ("NAXIS1", "NAXIS2"))


@dataclass(frozen=True)
class _Sidecar:
    wcs: WCS
    size: tuple[int, int] | None  # of the image that it was made for, where it says
    solved: bool = False  # by astrometry.net, which counts the rows of a picture from its top


def plane_beside(
    given: Any, size: tuple[int, int], what: str, rows: str | None, tolerance: float
) -> tuple[Plane, tuple[str, ...]]:
    """The plane that a WCS beside a picture means, and what has to be said about it.

    Parameters
    ----------
    given : astropy.wcs.WCS, Header, str or Path
        The WCS, or the name or the text of a file that holds it.
    size : (int, int)
        Width and height of the picture in pixels. A WCS for another size of the same picture is scaled.
    what : str
        Names the picture in errors.
    rows : {"bottom", "top"} or None
        Where the WCS begins to count the picture's rows: "bottom" as FITS does, "top" as astrometry.net does with a JPEG. None for
        "bottom"; for a WCS of astrometry.net the one with which the picture is not mirrored.
    tolerance : float
        See `plane_of_wcs`.

    Raises
    ------
    SourceError
        When it can't be read, belongs to another crop, or WWT can't draw it.
    """
    if rows not in (None, "bottom", "top"):
        raise SourceError(
            f'rows= is "bottom" (as FITS counts them) or "top" (as astrometry.net does with a JPEG), not {shown(rows)}'
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sidecar = _read(given)
    wcs = sidecar.wcs
    if sidecar.size is not None:
        factor = factor_between(sidecar.size, size)
        if factor is None:
            raise SourceError(
                f"The WCS belongs to another crop of {what}: it was made for {sidecar.size[0]} × {sidecar.size[1]} pixels, the file has "
                f"{size[0]} × {size[1]}. Give the picture that was solved, or the WCS of this one"
            )
        wcs = resized(wcs, factor)
    plane, remarks = plane_of_wcs(wcs, size, what, tolerance)
    if rows == "top" or rows is None and sidecar.solved and plane.mirrored:
        plane = plane.upside_down(size[1])
    if rows is None and sidecar.solved:
        remarks += (
            "its WCS is of astrometry.net, which may count rows from the top: the picture is taken not to be mirrored. "
            'Give rows="top" or rows="bottom" if you know better',
        )
    return plane, remarks


def _read(given: Any) -> _Sidecar:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    if isinstance(given, WCS):
        return _Sidecar(given, given.pixel_shape and (int(given.pixel_shape[0]), int(given.pixel_shape[1])))
    if isinstance(given, Header):
        return _of_header(given, "The header")
    if not isinstance(given, str | Path):
        raise SourceError(
            f"wcs= takes an astropy.wcs.WCS, a FITS header or the name of a file with one, not a {type(given).__name__}: "
            "make one with astropy.wcs.WCS(header)"
        )
    if isinstance(given, str) and "CTYPE1" in given:
        return _of_header(_cards(given, "The text"), "The text")
    return _from_file(file_path(given, "WCS"))


def _from_file(path: Path) -> _Sidecar:
    try:
        with path.open("rb") as file:
            start = file.read(9)
            if not start.startswith((b"SIMPLE  =", b"\x1f\x8b")):
                content = start + file.read(_SIZE_LIMIT)
                return _of_header(_cards(content.decode("ascii", "replace"), path.name), path.name)
        with open_fits(path) as hdus:  # only headers are read
            headers = [hdu.header for hdu in readable_hdus(hdus)]
            if not headers:
                raise SourceError(f"{path.name} is a broken FITS file: get it again from where it came")
            return _of_header(next((each for each in headers if "CTYPE1" in each), headers[0]), path.name)
    except SourceError:
        raise
    except FileNotFoundError:
        raise SourceError(f"There is no file {path} with a WCS: check the name") from None
    except Exception as error:  # astropy has many ways to fail at a broken file
        raise SourceError(f"{path.name} holds no WCS that can be read ({error or type(error).__name__})") from None


def _cards(text: str, what: str) -> Header:
    """Cards of 80 characters, or one on each line."""
    from astropy.io.fits import Header

    if "CTYPE1" not in text or len(text) > _SIZE_LIMIT:
        raise SourceError(
            f"{what} is no FITS header: it says nothing of CTYPE1. Give a .wcs file, or a text of header cards"
        )
    lines = text.splitlines()
    if len(lines) == 1:
        lines = [text[start : start + 80] for start in range(0, len(text), 80)]
    return Header.fromstring("\n".join(line.rstrip() for line in lines if line.strip()), sep="\n")


def declared_size(header: Header) -> tuple[int, int] | None:
    """Width and height in pixels of the image that a header belongs to, where it says."""
    sizes = ((header.get(width), header.get(height)) for width, height in _SIZES)
    return next(((int(width), int(height)) for width, height in sizes if width and height), None)


def _of_header(header: Header, what: str) -> _Sidecar:
    from astropy.wcs import WCS

    try:
        notes = " ".join(str(header[name]) for name in ("COMMENT", "HISTORY") if name in header)
        return _Sidecar(WCS(header, naxis=2), declared_size(header), "astrometry.net" in notes.lower())
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
        raise SourceError(f"{what} holds no WCS that can be read ({reason})") from None
