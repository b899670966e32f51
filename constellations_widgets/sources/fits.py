"""FITS images: placed by their WCS, shown as a picture that is also what can be uploaded."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..errors import SourceError
from .drawing import picture_of
from .hdus import open_fits, packed_with, readable_hdus
from .local import LocalImage
from .paths import file_path
from .placing import TOLERANCE, plane_of_wcs
from .reading import Reading
from .sidecars import declared_size

if TYPE_CHECKING:
    from astropy.wcs import WCS

LARGEST = 4096
"""Pixels of a side up to which a FITS image is made into one picture; a larger one wants tiles."""

_TILES = 2048  # pixels of a side above which tiles are the better way


def read_fits(source: Any, shape: Sequence[int] | None = None, tolerance: float = TOLERANCE) -> Reading:
    """The first image of a FITS file, or of what astropy made of one, that has a celestial WCS.

    It is placed by its WCS and drawn as a PNG with an asinh stretch between its 1 and 99.7 percentiles; that PNG, in the user's state
    directory, is shown by the preview and is the file to upload. An image of more than 4096 pixels a side is only placed: its pixels
    are not read.

    Parameters
    ----------
    source : str, Path, HDUList, HDU, Header or WCS
        A file, which may be packed (gzip, bzip2, xz); or what astropy made of one. A header and a WCS have no pixels: they give the placement alone.
    shape : (int, int), optional
        Height and width in pixels, for a header or a WCS that does not say.
    tolerance : float, default 1
        The largest error in pixels where WWT can't draw the WCS exactly.

    Raises
    ------
    SourceError
        When the file can't be read, holds no image with a place on the sky, or one that WWT can't draw.
    """
    from astropy.io import fits
    from astropy.wcs import WCS

    if isinstance(source, str | Path):
        return _from_file(file_path(source, "FITS image"), tolerance)
    what = f"The {type(source).__name__}"
    if isinstance(source, WCS):
        return _placed(source, _size(shape, source.array_shape, what), what, tolerance)
    with _errors_of(what):
        if isinstance(source, fits.Header):
            size = _size(shape, (declared_size(source) or ())[::-1] or None, what)
            return _placed(WCS(source, naxis=2), size, what, tolerance, _name_of(source))
        if hasattr(source, "is_image"):
            source = fits.HDUList([source])
        if isinstance(source, fits.HDUList):
            return _of_hdus(source, what, None, tolerance)
    raise SourceError(
        f"A {type(source).__name__} is no FITS image: give a file, or astropy's HDUList, HDU, Header or WCS"
    )


def _from_file(path: Path, tolerance: float) -> Reading:
    try:
        with _errors_of(path.name), open_fits(path) as hdus:
            return _of_hdus(hdus, path.name, path, tolerance)
    except FileNotFoundError:
        raise SourceError(f"There is no file {path}: check the name") from None


def _of_hdus(hdus: Any, what: str, path: Path | None, tolerance: float) -> Reading:
    hdu, wcs = image_of(hdus, what)
    height, width = size = hdu.shape[-2:]
    name = _name_of(hdu.header) or (path.name.split(".")[0] if path else "")
    placed = _placed(wcs, (width, height), what, tolerance, name)
    origin = str(path.resolve()) if path else ""
    if max(size) > LARGEST:
        _look_at_length(hdu, path)
        local = path and LocalImage(path.parent, quote(path.name), (width, height))
        return Reading(placed.values | {"wwt.file_type": ".fits"}, placed.name, origin, local or None, placed.remarks)
    stem, key = (path.name.split(".")[0], str(path.resolve())) if path else ("image", _key(hdu))
    picture = picture_of(hdu.data.reshape(height, width), what, f"{stem}-{_digest(key)}")
    remark = (
        f"drawn with an asinh stretch as {picture}: this picture is what to upload, and its address is the image URL"
    )
    local = LocalImage(picture.parent, quote(picture.name), (width, height), pixels=path.resolve() if path else None)
    return Reading(placed.values | {"wwt.file_type": ".png"}, placed.name, origin, local, (*placed.remarks, remark))


def _look_at_length(hdu: Any, path: Path | None) -> None:
    """The pixels are not read here, but that they are there can be seen."""
    if path is None or packed_with(path) or hasattr(hdu, "compressed_data"):
        return
    end, length = hdu.fileinfo()["datLoc"] + hdu.size, path.stat().st_size
    if length < end:
        raise SourceError(f"{path.name} is cut off: it has {length} bytes, and its header declares {end}. Get it again")


def _placed(wcs: WCS, size: tuple[int, int], what: str, tolerance: float, name: str = "") -> Reading:
    plane, remarks = plane_of_wcs(wcs, size, what, tolerance)
    return Reading(plane.untiled() | ({"note": name} if name else {}), name, remarks=(*remarks, *tiles_advised(size)))


def tiles_advised(size: tuple[int, int]) -> tuple[str, ...]:
    """What is to be said of an image that is too large to be one file."""
    if max(size) <= _TILES:
        return ()
    return (
        f"it has {size[0]} × {size[1]} pixels: above {_TILES} make tiles of it with cxw.tile, so that everybody loads no more than "
        "what is in view, and every graphics card can draw it",
    )


def _size(given: Sequence[int] | None, declared: Sequence[int] | None, what: str) -> tuple[int, int]:
    """Width and height in pixels."""
    shape = given if given is not None else declared
    if shape is None:
        raise SourceError(f"{what} does not say how many pixels the image has: give shape=(height, width)")
    try:
        height, width = (int(side) for side in tuple(shape)[-2:])
    except (TypeError, ValueError):
        raise SourceError(f"shape= is height and width in pixels, such as (1024, 2048), not {given!r}") from None
    if height < 1 or width < 1:
        raise SourceError(f"{what} has {width} × {height} pixels: there is nothing to place")
    return width, height


def _name_of(header: Any) -> str:
    return str(header.get("OBJECT") or "").strip()


def _key(hdu: Any) -> str:
    return hashlib.sha256(repr(hdu.header).encode() + hdu.data.tobytes()).hexdigest()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


class _errors_of:
    """Whatever astropy raises at a broken file is a SourceError; it says nothing of what it mends."""

    def __init__(self, what: str):
        self._what = what

    def __enter__(self) -> None:
        from astropy.io.fits.verify import VerifyWarning
        from astropy.wcs import FITSFixedWarning

        self._quiet = warnings.catch_warnings()
        self._quiet.__enter__()
        for kind in (FITSFixedWarning, VerifyWarning):
            warnings.simplefilter("ignore", kind)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        self._quiet.__exit__(None, None, None)
        if isinstance(error, Exception) and not isinstance(error, SourceError | FileNotFoundError):
            # wcslib says where in its C source, first
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
            raise SourceError(
                f"{self._what} is no FITS image that can be read ({reason}): get it again from where it came"
            ) from None


def image_of(hdus: Any, what: str) -> tuple[Any, Any]:
    """The first image with a celestial WCS, or else the first image, and its WCS."""
    from astropy.wcs import WCS

    others: list[tuple[Any, Any]] = []
    failures: list[Exception] = []
    for hdu in readable_hdus(hdus):  # no farther than needed: in a packed file all in front of an HDU is unpacked
        if not hdu.is_image or len(hdu.shape) < 2:
            continue
        try:
            wcs = WCS(hdu.header, fobj=hdus, naxis=2)
        except Exception as error:  # the next one may do
            failures.append(error)
            continue
        if wcs.has_celestial:
            break
        others.append((hdu, wcs))
    else:
        if failures and not others:
            raise failures[0]
        if not others:
            raise SourceError(
                f"{what} holds no image that can be read: give a FITS file with an image of two dimensions"
            )
        hdu, wcs = others[0]
    if any(size != 1 for size in hdu.shape[:-2]):
        raise SourceError(
            f"{what} is a cube of {' × '.join(map(str, hdu.shape))}: give one plane of it, such as "
            "from_fits(fits.PrimaryHDU(hdu.data[0], WCS(hdu.header).celestial.to_header()))"
        )
    return hdu, wcs
