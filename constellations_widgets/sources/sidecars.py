"""A WCS given beside a picture: astropy's own, a header, a .wcs or .ini file of a plate solver, header cards, AVM in .xmp."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..interface import in_terms
from ..schema.placement import shown
from .avm import avm_of, factor_between, scaled_copy
from .cards import SIZE_LIMIT, declared_size, parse_cards, two_sizes
from .hdus import open_fits, readable_hdus
from .headers import celestial_wcs, checked_wcs, says_where
from .paths import file_path, kind_of
from .placing import PlacedPlane, plane_of_wcs
from .quiet import quiet
from .xmp import packets_in

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

_BLOCK = 2880  # bytes, of which FITS files are made
_NAMED = 5  # most other HDUs of a file that are listed
_CENTERED = 1.0
"""Pixels from the middle of a picture at which a reference pixel is still taken to be there: some programs count from 0, or round."""
_SUFFIXES = (".wcs", ".wcs.gz", ".new", ".ini", ".head", ".hdr", ".xmp", ".fits", ".fit", ".fts")
"""Ends of the names that plate solvers and picture editors give to files with the WCS of a picture."""


_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # of texts that Windows writes


@dataclass(frozen=True)
class _Sidecar:
    wcs: WCS
    size: tuple[int, int] | None  # size of the image that it was made for, if known
    solved: bool = False  # whether astrometry.net made it, which counts rows from the top
    assumed: tuple[str, ...] = ()
    factor: float | None = None  # pixels of the picture along a side for each that the WCS counts, if the file gives it


def plane_beside(given: Any, size: tuple[int, int], what: str, rows: str | None, tolerance: float) -> PlacedPlane:
    """Return the plane that a WCS beside a picture describes.

    Parameters
    ----------
    given : astropy.wcs.WCS, Header, str or Path
        The WCS, or the name or the text of a file that holds it.
    size : (int, int)
        Width and height of the picture in pixels. A WCS for another size of the same picture is scaled.
    what : str
        Names the picture in errors.
    rows : {"bottom", "top"} or None
        Row at which the WCS starts to count: "bottom" as FITS does, "top" as astrometry.net does with a JPEG. None for
        "bottom"; for a WCS of astrometry.net the one with which the picture is not mirrored.
    tolerance : float
        See `plane_of_wcs`.

    Raises
    ------
    SourceError
        If it can't be read, belongs to another crop, or WWT can't draw it.
    """
    if rows not in (None, "bottom", "top"):
        raise SourceError(
            f'rows= is "bottom" (as FITS counts them) or "top" (as astrometry.net does with a JPEG), not {shown(rows)}'
        )
    with quiet():
        sidecar = _read(given, size)
    factor, scaled = (sidecar.factor, ()) if sidecar.factor else _factor(sidecar, size, what)
    plane, remarks, inaccuracy = plane_of_wcs(sidecar.wcs, size, what, tolerance, remedy="", factor=factor)
    remarks = (*sidecar.assumed, *scaled, *remarks)
    if rows == "top" or (rows is None and sidecar.solved and plane.mirrored):
        plane = plane.upside_down(size[1])
    if rows is None and sidecar.solved:
        remarks += (
            "its WCS is of astrometry.net, which may count rows from the top: the picture is taken not to be mirrored"
            + in_terms('. Give rows="top" or rows="bottom" if you know better', ""),
        )
    return PlacedPlane(plane, remarks, inaccuracy)


def _factor(sidecar: _Sidecar, size: tuple[int, int], what: str) -> tuple[float, tuple[str, ...]]:
    """Return the picture's pixels along a side for each that the WCS counts, and a remark about it."""
    if sidecar.size is None:
        return 1.0, _assumed_size(sidecar.wcs, size)
    factor = factor_between(sidecar.size, size)
    if factor is None:
        raise SourceError(
            f"The WCS belongs to another crop of {what}: it was made for {sidecar.size[0]} × {sidecar.size[1]} pixels, the file has "
            f"{size[0]} × {size[1]}. Give the picture that was solved, or the WCS of this one"
        )
    return factor, (scaled_copy("its WCS was made for", sidecar.size),) if factor != 1 else ()


def _assumed_size(wcs: WCS, size: tuple[int, int]) -> tuple[str, ...]:
    """Return a remark about a WCS that does not say for which size of the picture it was made.

    Most plate solvers put the reference pixel into the middle. If it is in the middle of this picture, the size is this one's.
    """
    if all(abs(at - (side + 1) / 2) <= _CENTERED for at, side in zip(wcs.wcs.crpix, size, strict=False)):
        return ()
    return (
        f"its WCS does not give the size of the picture that it was made for: taken as {size[0]} × {size[1]} pixels, the size of the file. "
        "If the picture was resized or cropped after it was solved, the placement is wrong",
    )


def sidecar_of(path: Path) -> Path | None:
    """Return a file that lies beside a picture and may hold its WCS; None if there is none."""
    names = (*(path.with_suffix(suffix) for suffix in _SUFFIXES), path.with_name(f"{path.name}.xmp"))
    return next((beside for beside in names if beside != path and beside.is_file()), None)


def _read(given: Any, size: tuple[int, int]) -> _Sidecar:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    if isinstance(given, WCS):
        wcs, assumed = checked_wcs(given, "The WCS")
        return _Sidecar(
            wcs, given.pixel_shape and (int(given.pixel_shape[0]), int(given.pixel_shape[1])), False, assumed
        )
    if isinstance(given, Header):
        return _of_header(given, "The header")
    if not isinstance(given, str | Path):
        raise SourceError(
            "wcs= takes an astropy.wcs.WCS, a FITS header or the name of a file with one, not an object of type "
            f"{type(given).__name__}: make one with astropy.wcs.WCS(header)"
        )
    if isinstance(given, str) and "CTYPE1" in given:
        return _of_header(parse_cards(given, "The text"), "The text")
    return _from_file(file_path(given, "file with the WCS"), size)


def _from_file(path: Path, size: tuple[int, int]) -> _Sidecar:
    try:
        with path.open("rb") as file:
            start = file.read(_BLOCK)
            # Header.totextfile and ASTAP write cards that begin with SIMPLE, too, with line breaks or without padding.
            binary = start.startswith(b"SIMPLE") and len(start) == _BLOCK and not set(start) & set(b"\r\n")
            if not binary and not start.startswith(b"\x1f\x8b"):
                return _from_text(start + file.read(SIZE_LIMIT), path, size)
        with open_fits(path) as hdus:  # only headers are read
            headers = [hdu.header for hdu in readable_hdus(hdus)]
            if not headers:
                raise SourceError(f"{path.name} is a broken FITS file: download or create it again")
            number, remarks = _number_for(headers, size, path.name)
            return _of_header(headers[number], path.name, remarks)
    except SourceError:
        raise
    except FileNotFoundError:
        raise SourceError(f"There is no file {path} with a WCS: check the name") from None
    except IsADirectoryError:
        raise SourceError(f"{path} is a folder: give the name of a file in it") from None
    except Exception as error:  # astropy raises many kinds of errors for broken files  # noqa: BLE001
        raise SourceError(f"{path.name} has no WCS that can be read ({error or type(error).__name__})") from None


def _from_text(content: bytes, path: Path, size: tuple[int, int]) -> _Sidecar:
    if packets := packets_in(content):
        wcs, factor, assumed = avm_of(packets, path.name).wcs(size)
        return _Sidecar(wcs, None, False, assumed, factor)
    if kind_of(content) == "an XISF file":
        raise SourceError(f"{path.name} is an XISF file: save it as FITS in PixInsight, and give that")
    mark = next((encoding for bom, encoding in _MARKS.items() if content.startswith(bom)), "ascii")
    return _of_header(parse_cards(content.decode(mark, "replace"), path.name), path.name)


def _number_for(headers: list[Header], size: tuple[int, int], what: str) -> tuple[int, tuple[str, ...]]:
    """Return the number of the first HDU with a WCS that may be of a picture of this size, and a remark if there are several."""
    placed = [number for number, header in enumerate(headers) if says_where(header)] or [0]
    if len(placed) == 1:
        return placed[0], ()
    sizes = {number: declared_size(headers[number]) for number in placed}
    same = [number for number, declared in sizes.items() if declared == size]
    scaled = [number for number, declared in sizes.items() if declared and factor_between(declared, size)]
    number, *others = same or scaled or placed
    if not others:
        return number, ()
    listed = ", ".join(map(str, others[:_NAMED])) + (" and more" if len(others) > _NAMED else "")
    return number, (
        f"{what} holds the WCS of several images, and that of HDU {number} is used. If the picture shows another ({listed}), "
        + in_terms("give its header with wcs=", "save its header as a file of its own"),
    )


def _of_header(header: Header, what: str, remarks: tuple[str, ...] = ()) -> _Sidecar:
    wcs, assumed = celestial_wcs(header, what)
    notes = " ".join(str(header[name]) for name in ("COMMENT", "HISTORY") if name in header)
    remarks = (*remarks, *two_sizes(header), *assumed)
    return _Sidecar(wcs, declared_size(header), "astrometry.net" in notes.lower(), remarks)
