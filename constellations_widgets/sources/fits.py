"""Read FITS images: placed by their WCS, drawn as a picture that can also be uploaded."""

from __future__ import annotations

import contextlib
import hashlib
import operator
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import SourceError
from ..geometry.fitting import TOLERANCE
from ..interface import in_terms
from ..text import last_line, stem_of
from .cards import Keywords, declared_size, two_sizes
from .drawing import is_stretched, picture_name, picture_of
from .hdus import (
    ChosenImage,
    HduChoice,
    chosen_image,
    described_by,
    open_fits,
    packed_with,
    replace_wcs,
    structure_fault,
)
from .headers import celestial_wcs, checked_wcs, says_where
from .local import LocalImage
from .paths import file_path
from .placing import plane_of_wcs
from .quiet import quiet
from .reading import MIRRORED, ParsedImage, inaccuracy

if TYPE_CHECKING:
    from astropy.wcs import WCS

LARGEST = 4096
"""Pixels of a side up to which a FITS image is made into one picture; a larger one wants tiles."""

_PIXINSIGHT = "Astrometric solution by PixInsight"  # in a COMMENT
_NAMED = 5  # most other images of a file that are listed
_TILES = 2048  # pixels per side above which tiles are better


def read_fits(
    source: Any,
    shape: Sequence[int] | None = None,
    tolerance: float = TOLERANCE,
    hdu: HduChoice | None = None,
    wcs: Any = None,
) -> ParsedImage:
    """Read the first image of a FITS file, or of what astropy made of one, that has a celestial WCS.

    It is placed by its WCS and drawn as a PNG with an asinh stretch between its 1 and 99.7 percentiles; that PNG, in the user's state
    directory, is shown by the preview and is the file to upload. An image of more than 4096 pixels a side is only placed: its pixels
    are not read.

    Three planes are drawn as red, green and blue, unless the header says that their axis is another, such as a spectrum; at any size
    that pictures may have. Colors of 8 bits are drawn as they are, all others with one stretch, so that hues stay.

    Parameters
    ----------
    source : str, Path, HDUList, HDU, Header or WCS
        A file, which may be packed (gzip, bzip2, xz); or what astropy made of one. A header and a WCS have no pixels: they give the placement alone.
    shape : (int, int), optional
        Height and width in pixels, for a header or a WCS that does not say.
    tolerance : float, default 1
        The largest error in pixels where WWT can't draw the WCS exactly.
    hdu : int, str or (str, int), optional
        Number or name of the HDU to read instead of the first that has a place on the sky; or its EXTNAME and EXTVER: ``("SCI", 2)``.
    wcs : Header, optional
        Placement to use for a file's image instead of its own.

    Raises
    ------
    SourceError
        If the file can't be read, holds no image with a placement, or one that WWT can't draw.
    """
    from astropy.io import fits
    from astropy.wcs import WCS

    if isinstance(source, str | Path):
        return _from_file(file_path(source, "FITS image"), tolerance, hdu, wcs)
    what = f"The {type(source).__name__}"
    with _source_errors(what):
        if isinstance(source, WCS):
            wcs, remarks = checked_wcs(source, what)
            return _placed(wcs, _size(shape, source.array_shape, what), what, tolerance, remarks)
        if isinstance(source, fits.Header):
            size = _size(shape, (declared_size(source) or ())[::-1] or None, what)
            wcs, remarks = celestial_wcs(source, what)
            return _placed(wcs, size, what, tolerance, remarks, source)
        if hasattr(source, "is_image"):
            source = fits.HDUList([source])
        if isinstance(source, fits.HDUList):
            return _of_hdus(source, what, None, tolerance, hdu)
    raise SourceError(
        "from_fits takes the name of a FITS file, or astropy's HDUList, HDU, Header or WCS, not an object of type "
        f"{type(source).__name__}"
    )


def _from_file(path: Path, tolerance: float, wanted: HduChoice | None, wcs: Any) -> ParsedImage:
    try:
        with _source_errors(path.name, path), open_fits(path) as hdus:
            if wcs is not None:
                replace_wcs(chosen_image(hdus, path.name, wanted), wcs)
            return _of_hdus(hdus, path.name, path, tolerance, wanted)
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the name") from None


def _of_hdus(hdus: Any, what: str, path: Path | None, tolerance: float, wanted: HduChoice | None) -> ParsedImage:
    first = chosen_image(hdus, what, wanted)
    chosen, wcs, assumed = _usable(first, hdus, what, path)
    hdu, (height, width) = chosen.hdu, chosen.plane_shape
    _check_length(hdu, path)
    placed = _placed(wcs, (width, height), what, tolerance, assumed, hdu.header)
    placed = replace(placed, remarks=(*placed.remarks, *_left_out(first, chosen, path)))
    name = placed.name or (stem_of(path.name) if path else "")
    values = dict(placed.values) | ({"note": name} if name else {})
    origin = str(path.resolve()) if path else ""
    number = chosen.number if wanted is not None or chosen is not first else None
    if chosen.color_axis is None and max(width, height) > LARGEST:
        local = LocalImage(path.parent, quote(os.fsencode(path.name)), (width, height), hdu=number) if path else None
        return replace(placed, values=values | {"wwt.file_type": ".fits"}, name=name, origin=origin, local=local)
    key = str(path.resolve()) + (f"[{number}]" if number is not None else "") if path else _key(hdu)
    if chosen.color_axis is not None:
        _check_colors(what, (width, height), path)
    picture = picture_of(chosen.pixels, what, picture_name(path.name if path else "image", key))
    pixels = path.resolve() if path and chosen.color_axis is None else None  # WWT draws no colors from FITS pixels
    local = LocalImage(picture.parent, quote(os.fsencode(picture.name)), (width, height), pixels=pixels, hdu=number)
    return replace(
        placed,
        values=values | {"wwt.file_type": ".png"},
        name=name,
        origin=origin,
        local=local,
        remarks=(*placed.remarks, _drawn_as(picture, chosen)),
    )


def _usable(first: ChosenImage, hdus: Any, what: str, path: Path | None) -> tuple[ChosenImage, WCS, tuple[str, ...]]:
    """Return the first image with a valid WCS, and remarks about it."""
    failures: list[SourceError] = []
    for chosen in (first, *first.others):
        if chosen.color_axis is None and any(size != 1 for size in chosen.hdu.shape[:-2]):
            continue
        try:
            header, inherited = described_by(chosen, hdus)
            wcs, remarks = celestial_wcs(header, what, hdus)
        except SourceError as error:
            failures.append(error)
            continue
        passed = (f"{first.name} can't be placed ({failures[0]}): {chosen.name} is",) if failures else ()
        return chosen, wcs, (*passed, *inherited, *chosen.remarks, *remarks)
    if first.number and not says_where(first.hdu.header) and says_where(hdus[0].header):
        raise SourceError(
            f"{what}: the header of {first.name} has no position on the sky, and that of the file, HDU 0, is not said to be valid for it. "
            + in_terms(
                f"If it is, set hdus[{first.number}].header['INHERIT'] = True in the open file, and give that: from_fits(hdus, "
                f"hdu={first.number})",
                f"If it is, add the keyword INHERIT = T to the header of {first.name}",
            )
        )
    if path is not None and not any(says_where(chosen.hdu.header) for chosen in (first, *first.others)):
        by_stars = f", or find its place by the stars in it: from_fits({str(path)!r}, solve=True)"
        raise SourceError(f"{failures[0]}{in_terms(by_stars, '')}")
    raise failures[0]


def _left_out(first: ChosenImage, chosen: ChosenImage, path: Path | None) -> tuple[str, ...]:
    """Return a remark about the other images in the file."""
    others = [each for each in first.others if each is not chosen]
    if not others:
        return ()
    named = ", ".join(each.name for each in others[:_NAMED]) + (" and more" if len(others) > _NAMED else "")
    call = f"from_fits({str(path) if path else '…'!r}, hdu={others[0].number})"
    return (
        f"{chosen.name} is used; other images of the file with a place on the sky are left out: {named}. "
        + in_terms(f"Choose another with {call}", "To use another one, save it as a file of its own"),
    )


def _check_colors(what: str, size: tuple[int, int], path: Path | None) -> None:
    """Raise SourceError if an image in color has more pixels than one picture may have."""
    from PIL import Image

    most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
    if most and size[0] * size[1] > most:
        given = repr(str(path)) if path else "its header"
        raise SourceError(
            f"{what} has {size[0]} × {size[1]} pixels in color, too many to be drawn as one picture: save it as TIFF, and make "
            f"tiles of that with cxw.tile('picture.tif', 'tiles', wcs={given})"
        )


def _drawn_as(picture: Path, chosen: ChosenImage) -> str:
    """Return a remark about how an image was drawn."""
    in_color, is_new = chosen.color_axis is not None, is_stretched(chosen.pixels)
    how = ("with one asinh stretch of its three colors " if in_color else "with an asinh stretch ") if is_new else ""
    advice = ". If it was stretched before, save it with 8 bits per color: these are drawn as they are"
    return (
        f"drawn {how}as {picture}: this picture is what to upload, and its address is the image URL"
        f"{advice if in_color and is_new else ''}"
    )


def _check_length(hdu: Any, path: Path | None) -> None:
    """Raise SourceError if the file ends before its pixels do: those of a large image are not read here."""
    if path is None or packed_with(path) or hasattr(hdu, "compressed_data"):
        return
    end, length = hdu.fileinfo()["datLoc"] + hdu.size, path.stat().st_size
    if length < end:
        raise SourceError(
            f"{path.name} is cut off: it has {length} bytes, and its header declares {end}. Download it again"
        )


def _placed(
    wcs: WCS, size: tuple[int, int], what: str, tolerance: float, assumed: tuple[str, ...], header: Any = None
) -> ParsedImage:
    plane, remarks, warning = plane_of_wcs(wcs, size, what, tolerance)
    if plane.mirrored:
        remarks += (MIRRORED,)
    if header is not None:
        remarks += _order_of_rows(header, plane.mirrored)
        assumed = (*assumed, *two_sizes(header, size))
    name = _name_of(header) if header is not None else ""
    values = plane.untiled() | ({"note": name} if name else {})
    remarks = (*assumed, *remarks)
    return ParsedImage(
        values, name, remarks=(*remarks, *tiles_advised(size)), doubts=inaccuracy(values, warning), placed_by=remarks
    )


def _order_of_rows(header: Any, mirrored: bool) -> tuple[str, ...]:
    """Return a remark about rows that are in the file from the top, as ROWORDER says, if they may be counted otherwise."""
    if not Keywords(header).text("ROWORDER").startswith("TOP"):
        return ()
    if any(_PIXINSIGHT in str(line) for line in header.get("COMMENT", ())):
        # `AstrometricMetadata::ComputeWCSKeywords` of its class library, whatever the order in the file is.
        return (
            "its WCS is of PixInsight, which counts rows from the bottom of the picture that it shows, and ROWORDER is TOP-DOWN: the file may "
            "begin with the top row, and then the image is drawn upside down. Compare it with the stars of the preview; if they do not match, "
            "save it from PixInsight with the coordinate origin at the lower left corner",
        )
    if not mirrored:
        return ()
    return (
        "ROWORDER is TOP-DOWN, which says how its camera shows the rows: the WCS counts them as they are in the file, and so the image is placed",
    )


def tiles_advised(size: tuple[int, int]) -> tuple[str, ...]:
    """Return a remark about an image that is too large to be one file."""
    if max(size) <= _TILES:
        return ()
    return (
        f"it has {size[0]} × {size[1]} pixels: above {_TILES} make tiles of it with {in_terms('cxw.tile', 'constellations-widgets tile')}. Browsers load only the tiles "
        "in view, and every graphics card can draw them",
    )


def _size(given: Sequence[int] | None, declared: Sequence[int] | None, what: str) -> tuple[int, int]:
    """Return (width, height) in pixels."""
    shape = given if given is not None else declared
    if shape is None:
        raise SourceError(f"{what} does not say how many pixels the image has: give shape=(height, width)")
    try:
        height, width = (operator.index(side) for side in tuple(shape)[-2:])
    except (TypeError, ValueError):
        raise SourceError(f"shape= is height and width in pixels, such as (1024, 2048), not {given!r}") from None
    if height < 1 or width < 1:
        raise SourceError(f"{what} has {width} × {height} pixels: there is nothing to place")
    return width, height


def _name_of(header: Any) -> str:
    """Return the image's name in the header."""
    try:
        return " ".join(str(Keywords(header).value("OBJECT") or "").split())
    except SourceError:
        return ""  # it has several names


def _key(hdu: Any) -> str:
    return hashlib.sha256(repr(hdu.header).encode() + hdu.data.tobytes()).hexdigest()


@contextlib.contextmanager
def _source_errors(what: str, path: Path | None = None) -> Iterator[None]:
    """Context that turns any error of astropy for a broken file into a SourceError, and silences its warnings."""
    try:
        with quiet():
            yield
    except (SourceError, FileNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001
        if path is not None and (fault := structure_fault(path)):
            raise SourceError(f"{what}: {fault}") from None
        raise SourceError(f"{what} can't be read as a FITS image ({last_line(error)}): download it again") from None
