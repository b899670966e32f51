"""Read JPEG, PNG and TIFF files: placed by their AVM (Astronomy Visualization Metadata), by a WCS, or by hand."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import SourceError
from ..geometry.fitting import TOLERANCE, UNSEEN
from ..interface import in_terms, option
from ..text import stem_of
from . import vips_picture
from .avm import give_place, read_avm
from .drawing import as_png, open_header
from .fits import tiles_advised
from .local import LocalImage
from .manual_placement import plane_by_hand, plane_of_stars
from .paths import file_path, kind_of
from .placing import PlacedPlane, plane_of_wcs
from .quiet import quiet
from .reading import MIRRORED, ParsedImage, inaccuracy
from .sidecars import plane_beside, sidecar_of
from .xmp import png_chunks

_EXIF_ORIENTATION = 0x0112
_NEW_SUBFILE_TYPE, _COPY_OR_MASK = 254, 0b101
_TURNED = range(2, 9)  # 1 is upright; some cameras write the undefined 0, and viewers then turn nothing
_KINDS = {
    "jpeg": ".jpg",
    "png": ".png",
    "tiff": ".png",
    "mpo": ".jpg",
}  # format as which WWT draws each; MPO is a JPEG followed by others


def read_picture(
    path: str | Path,
    wcs: Any = None,
    *,
    stars: Any = None,
    rows: str | None = None,
    tolerance: float = TOLERANCE,
    to_tile: bool = False,
    **by_hand: Any,
) -> ParsedImage:
    """Read a picture file and its placement.

    Parameters
    ----------
    path : str or Path
        A JPEG, PNG or TIFF file. A TIFF is drawn as a PNG, in the user's state directory, which is what to upload.
    wcs : astropy.wcs.WCS, Header, str or Path, optional
        Placement to use instead of AVM; see `sidecars.plane_beside`, also for `rows`.
    stars : list of ((x, y), (ra, dec)), optional
        Stars whose places are known; see `manual_placement.plane_of_stars`.
    tolerance : float, default 1
        The largest error in pixels where WWT can't draw the WCS exactly.
    to_tile : bool, default False
        Whether it will be cut into tiles: where libvips reads its pixels for that, nothing but its header is read here,
        and a TIFF is not converted. A TIFF of several pictures is refused.
    **by_hand
        Center, width and so on, as `manual_placement.plane_by_hand` takes them.

    Raises
    ------
    SourceError
        If the file is not a picture, or has no reliable placement.
    """
    by_hand = {name: value for name, value in by_hand.items() if value is not None}
    _one_way(wcs, stars, by_hand)
    path = file_path(path, "picture")
    with quiet():
        return _read(path, wcs, stars, rows, tolerance, to_tile, by_hand)


def _read(
    path: Path, wcs: Any, stars: Any, rows: str | None, tolerance: float, to_tile: bool, by_hand: dict[str, Any]
) -> ParsedImage:
    by_vips = to_tile and vips_picture.can_read(path)
    size, kind, pages = _inspect(path, decode=not by_vips)
    if to_tile and kind == "tiff" and pages > 1:
        raise SourceError(f"{path.name} has {pages} pages: save the one to cut into tiles as a file of its own")
    described = _description(path, needed=wcs is None and stars is None and not by_hand)
    if wcs is not None:
        placed = plane_beside(wcs, size, path.name, rows, tolerance)
    elif stars is not None:
        placed = _among_stars(stars, size, by_hand.get("parity"))
    elif by_hand:
        placed = PlacedPlane(plane_by_hand(size, **by_hand))
    else:
        found, factor, assumed = described.wcs(size)
        placed = plane_of_wcs(found, size, path.name, tolerance, remedy="", factor=factor)
        placed = placed._replace(remarks=assumed + placed.remarks)
    plane, remarks, warning = placed
    if plane.mirrored:
        remarks += (MIRRORED,)
    placed_by = remarks
    if pages > 1 and kind == "tiff":
        remarks += (f"it has {pages} pages, of which the first is drawn",)
    shown = path
    if kind == "tiff" and not by_vips:
        shown = as_png(path, path.name)
        remarks += (f"drawn as {shown}: this picture is what to upload, and its address is the image URL",)
    name = (described and described.name) or stem_of(path.name)
    values = {"note": name} | plane.untiled() | dict(described.values if described else {})
    return ParsedImage(
        values | {"wwt.file_type": _KINDS[kind]},
        name,
        str(path.resolve()),
        LocalImage(shown.parent, quote(os.fsencode(shown.name)), size),
        remarks + tiles_advised(size),
        described.suggestions if described else (),
        inaccuracy(values, warning),
        placed_by=placed_by,
    )


def _one_way(wcs: Any, stars: Any, by_hand: dict[str, Any]) -> None:
    """Reject a placement that is given twice, or only in part."""
    known = {"center", "width", "pixel_scale", "rotation", "parity"}
    if unknown := by_hand.keys() - known:
        raise TypeError(
            f"from_image takes no {', '.join(map(repr, sorted(unknown)))}: it takes {', '.join(sorted(known))}"
        )
    placed = [
        name
        for name, given in (("wcs=", wcs), ("stars=", stars), ("center=", by_hand.get("center")))
        if given is not None
    ]
    if len(placed) > 1:
        raise SourceError(f"Give the place of the picture once: {' and '.join(placed)} may contradict each other")
    if placed != ["center="] and by_hand.keys() - ({"parity"} if stars is not None else set()):
        raise SourceError(
            f"Give {option('center')}, the middle of the picture, with {' and '.join(map(option, sorted(by_hand)))}"
        )


def _among_stars(stars: Any, size: tuple[int, int], parity: int | None) -> PlacedPlane:
    plane, error = plane_of_stars(stars, size, parity)
    told = f"its stars are at most {error:.2g} pixels from their positions"
    if error > TOLERANCE:
        return PlacedPlane(plane, (), told)
    return PlacedPlane(plane, (told,) if error > UNSEEN else ())


def _description(path: Path, needed: bool) -> Any:
    """Return the AVM of a picture, without its placement if that is given otherwise; then None if it is missing."""
    try:
        found = read_avm(path)
    except SourceError:
        if needed:
            raise
        return None
    if found is None and needed:
        beside = sidecar_of(path)
        way = give_place()
        if beside:
            way = in_terms(f"give its place with wcs={str(beside)!r}, which lies beside it", way)
        raise SourceError(f"{path.name} has no AVM with its position on the sky: {way}")
    return found


def _inspect(path: Path, *, decode: bool) -> tuple[tuple[int, int], str, int]:
    """Return size, kind and number of pictures of a file that WWT can draw; decodes it completely if `decode`."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) if decode else open_header(path) as image:
            size, kind = image.size, (image.format or "").lower()
            frames = getattr(image, "n_frames", 1)
            _check_kind(path.name, kind, frames)
            _check_orientation(path.name, kind, _exif(path, image).get(_EXIF_ORIENTATION, 1))
            if kind == "tiff":
                frames = _pictures_in(image)
            if decode:
                image.draft("L", (1, 1))  # fast: a JPEG is decoded at an eighth of its size
                image.load()
    except SourceError:
        raise
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the name") from None
    except IsADirectoryError:
        raise SourceError(f"{path} is a folder: give the name of a picture in it") from None
    except Image.DecompressionBombError:
        raise SourceError(
            f"{path.name} has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels, too many to be drawn as one "
            f"picture: make tiles of it with {in_terms('cxw.tile', 'constellations-widgets tile')}{'' if vips_picture.is_available() else f' after {vips_picture.INSTALL}'}"
        ) from None
    except Exception as error:  # Pillow raises many kinds of errors for broken files  # noqa: BLE001
        if not getattr(error, "errno", None) and re.match(rb"SIMPLE  =.{71}", _start_of(path)):
            _check_kind(path.name, "fits", 1)  # Pillow says that it is truncated, if it has no pixels
        reason: Any = error or type(error).__name__
        if isinstance(error, UnidentifiedImageError):
            reason = f"it is {kind_of(_start_of(path)) or 'of an unknown format'}"
        raise SourceError(
            f"{path.name} can't be read as a picture ({reason}): give a complete JPEG or PNG, or a TIFF of 8 or 16 "
            "bits per channel"
        ) from None
    return size, kind, frames


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(100)


def _pictures_in(image: Any) -> int:
    """Return the number of different pictures in a TIFF: smaller copies and masks of another page are none."""
    count = 1
    for page in range(1, image.n_frames):
        image.seek(page)
        count += not image.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & _COPY_OR_MASK
    image.seek(0)
    return count


def _exif(path: Path, image: Any) -> Any:
    """Return the EXIF data of a picture; Pillow itself decodes all pixels of a PNG to find it behind them."""
    from PIL import Image

    if image.format == "PNG" and "exif" not in image.info:
        with path.open("rb") as file:
            file.seek(8)
            for _, content in png_chunks(file, {b"eXIf"}):
                image.info["exif"] = b"Exif\0\0" + content
    return Image.Image.getexif(image)


def _check_kind(name: str, kind: str, frames: int) -> None:
    """Raise SourceError if WWT does not draw pictures of this format."""
    if kind == "fits":
        raise SourceError(
            f"{name} is FITS: "
            + in_terms(
                "read it with ImageDraft.from_fits; if it holds only the WCS of a picture, give the picture, and this as wcs=",
                "give it a name that ends with .fits",
            )
        )
    if kind not in _KINDS:
        said = kind.upper() or "picture of unknown format"
        raise SourceError(f"{name} is a {said}: WWT draws JPEG and PNG, convert it first")
    if kind == "png" and frames > 1:
        raise SourceError(f"{name} is animated: WWT draws one picture, save one of its {frames} frames")


def _check_orientation(name: str, kind: str, orientation: Any) -> None:
    """Raise SourceError if a picture is to be turned or mirrored before it is shown.

    Chromium does that for what WWT draws, with JPEG and with PNG; whether every browser does, and whether a WCS or AVM
    counts the pixels before or after it, is not known. So it is not known where the image would lie.
    """
    if orientation not in _TURNED:
        return
    # Not for TIFF: Pillow 13 garbles the pixels of those turned by a right angle.
    call = ", with PIL.ImageOps.exif_transpose(image).save(name),"
    if kind == "tiff" or in_terms("", "command"):
        call = " in a picture editor,"
    raise SourceError(
        f"{name} is turned or mirrored by its EXIF orientation ({orientation}), so its pixels are not where they are "
        f"seen, and what says where it is may mean either: save it upright{call} and give the place of the result with "
        + in_terms("wcs=, stars= or center=", "--center")
    )
