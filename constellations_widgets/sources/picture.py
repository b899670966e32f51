"""JPEG, PNG and TIFF files: placed by the AVM (Astronomy Visualization Metadata) in them, by a WCS, or by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import SourceError
from .avm import read_avm
from .by_hand import plane_by_hand, plane_of_stars
from .drawing import as_png
from .fits import tiles_advised
from .local import LocalImage
from .paths import file_path
from .placing import TOLERANCE, plane_of_wcs
from .plane import Plane
from .reading import Reading
from .sidecars import plane_beside

_EXIF_ORIENTATION = 0x0112
_KINDS = {
    "jpeg": ".jpg",
    "png": ".png",
    "tiff": ".png",
    "mpo": ".jpg",
}  # as what WWT draws them; MPO: a JPEG with others behind it


def read_picture(
    path: str | Path,
    wcs: Any = None,
    *,
    stars: Any = None,
    rows: str | None = None,
    tolerance: float = TOLERANCE,
    **by_hand: Any,
) -> Reading:
    """A picture file with its place on the sky.

    Parameters
    ----------
    path : str or Path
        A JPEG, PNG or TIFF file. A TIFF is drawn as a PNG, in the user's state directory, which is what to upload.
    wcs : astropy.wcs.WCS, Header, str or Path, optional
        Where it is, instead of AVM; see `sidecars.plane_beside`, also for `rows`.
    stars : list of ((x, y), (ra, dec)), optional
        Stars whose places are known; see `by_hand.plane_of_stars`.
    tolerance : float, default 1
        The largest error in pixels where WWT can't draw the WCS exactly.
    **by_hand
        Centre, width and so on, as `by_hand.plane_by_hand` takes them.

    Raises
    ------
    SourceError
        When the file is no picture, or nothing trustworthy says where it belongs.
    """
    by_hand = {name: value for name, value in by_hand.items() if value is not None}
    _one_way(wcs, stars, by_hand)
    path = file_path(path, "picture")
    size, kind = _look_at(path)
    described = _description(path, needed=wcs is None and stars is None and not by_hand)
    remarks: tuple[str, ...] = ()
    if wcs is not None:
        plane, remarks = plane_beside(wcs, size, path.name, rows, tolerance)
    elif stars is not None:
        plane, remarks = _among_stars(stars, size, by_hand.get("parity"))
    elif by_hand:
        plane = plane_by_hand(size, **by_hand)
    else:
        found, assumed = described.wcs(size)
        plane, remarks = plane_of_wcs(found, size, path.name, tolerance)
        remarks = assumed + remarks
    shown = path
    if kind == "tiff":
        shown = as_png(path, path.name)
        remarks += (f"drawn as {shown}: this picture is what to upload, and its address is the image URL",)
    name = (described and described.name) or path.stem
    values = {"note": name} | plane.untiled() | dict(described.values if described else {})
    return Reading(
        values | {"wwt.file_type": _KINDS[kind]},
        name,
        str(path.resolve()),
        LocalImage(shown.parent, quote(shown.name), size),
        remarks + tiles_advised(size),
        described.suggestions if described else (),
    )


def _one_way(wcs: Any, stars: Any, by_hand: dict[str, Any]) -> None:
    """Refuse what says twice where the picture is, or only half of it."""
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
            f"{', '.join(f'{name}=' for name in sorted(by_hand))} go with center=, the middle of the picture"
        )


def _among_stars(stars: Any, size: tuple[int, int], parity: int | None) -> tuple[Plane, tuple[str, ...]]:
    plane, error = plane_of_stars(stars, size, parity)
    return plane, (f"its stars are at most {error:.2g} pixels beside their places",) if error > 0.01 else ()


def _description(path: Path, needed: bool) -> Any:
    """The AVM of a picture; without its place where that is given in another way, and None where it is missing then."""
    try:
        found = read_avm(path)
    except SourceError:
        if needed:
            raise
        return None
    if found is None and needed:
        beside = path.with_suffix(".wcs")
        way = f'wcs="{beside.name}", which lies beside it' if beside.is_file() else "wcs=, or with center= and width="
        raise SourceError(f"{path.name} holds no AVM that says where it is on the sky: give its place with {way}")
    return found


def _look_at(path: Path) -> tuple[tuple[int, int], str]:
    """Size and kind of a picture that WWT can draw, looked through to its end."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            size, kind = image.size, (image.format or "").lower()
            if kind == "fits":
                raise SourceError(f"{path.name} is FITS: read it with ImageDraft.from_fits")
            if kind not in _KINDS:
                raise SourceError(
                    f"{path.name} is a {kind.upper() or 'picture of unknown kind'}: WWT draws JPEG and PNG, convert it first"
                )
            if image.getexif().get(_EXIF_ORIENTATION, 1) != 1:
                raise SourceError(
                    f"{path.name} is turned or mirrored by its EXIF orientation, so its pixels are not where they are seen: save it upright"
                )
            image.draft("L", (1, 1))  # quick: a JPEG is decoded at an eighth of its size
            image.load()
    except SourceError:
        raise
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the name") from None
    except Image.DecompressionBombError:
        raise SourceError(
            f"{path.name} has more pixels than are unpacked unasked: if you trust it, set PIL.Image.MAX_IMAGE_PIXELS to None, and "
            "make tiles of it with cxw.tile"
        ) from None
    except Exception as error:  # Pillow has many ways to fail at a broken file
        raise SourceError(
            f"{path.name} is no picture that can be read ({error or type(error).__name__}): give a whole JPEG or PNG, or a TIFF of 8 or "
            "16 bits a channel"
        ) from None
    return size, kind
