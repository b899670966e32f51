"""Open FITS files and their readable HDUs; decompression is limited to a sensible size."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..interface import in_terms, option
from ..schema.placement import shown
from .cards import Keywords, has_colors_last
from .headers import says_where
from .paths import kind_of

HduChoice = int | str | tuple[str, int]
"""What `hdu=` takes, as astropy does: a number, an EXTNAME, or an EXTNAME with its EXTVER, such as ("SCI", 2)."""

_SYSTEM = re.compile("RADE(CSYS|SYS)|EQUINOX|EPOCH")
_WCS = re.compile(
    rf"{_SYSTEM.pattern}|(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)[12]|(CD|PC)(0?[12]_0?[12]|00[12]00[12])|PV[12]_\d+|PROJP\d|(LON|LAT)POLE"
    r"|[AB]P?_(ORDER|\d_\d)"
)
_MOST_SEARCHED = 100  # most HDUs searched after the chosen one
_MOST = 10_000  # most HDUs read; a compressed file of a few megabytes can hold millions
_START = b"SIMPLE"
_CARD = 80  # bytes
_STRUCTURE = re.compile(r"(BITPIX|NAXIS\d*|[PG]COUNT|BSCALE|BZERO|BLANK|EXTEND) *=([^/]*)")
_STRUCTURE_VALUE = re.compile(r"[TF]|[+-]?(\d+\.?\d*|\.\d+)([EeDd][+-]?\d+)?")
_BLOCK = 2880  # bytes; astropy reads headers in blocks, and pixels at once
_LONGEST_HEADER = 4096  # most consecutive blocks of one header
_LARGEST = 2 << 30  # most bytes decompressed or skipped at once
_COLORS = "RGB"  # the CTYPE3 by which Aladin, Siril and astrometry.net tell colors from a spectrum
_SAYS_NOTHING = (None, "", 0, 1)  # values of CRVAL3 and CDELT3 that programs fill in
_ENDLESS = ("_CorruptedHDU", "_NonstandardHDU")
_PICTURES = {"a PNG picture": ".png", "a JPEG picture": ".jpg", "a TIFF picture": ".tif"}
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "ZIP",
    b"\x1f\x9d": "compress",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}


def open_fits(source: Any) -> Any:
    """Return an HDUList of a file, or of its decompressed content; headers are read on demand.

    Raises
    ------
    SourceError
        If the file's compression is not supported, or it is another kind of file.
    OSError
        If the file can't be read.
    """
    from astropy.io import fits

    if not isinstance(source, Path):
        return fits.open(source)
    if source.is_dir():
        raise SourceError(f"{source} is a folder: give the name of a file in it")
    packed = packed_with(source)
    if packed is not None and packed not in _UNPACKED:
        raise SourceError(f"{source.name} is packed with {packed}: unpack it first")
    with source.open("rb") if packed is None else _UNPACKED[packed](source) as file:
        _check_start(file.read(len(_START)), source.name)
    return fits.open(source if packed is None else _UNPACKED[packed](source))


def structure_fault(path: Path) -> str:
    """Return what is wrong with a keyword without which no pixels can be read, such as BSCALE; "" if nothing is.

    astropy calls such a file corrupt and names no keyword. The headers in the first megabyte are searched.
    """
    packed = packed_with(path)
    try:
        with path.open("rb") if packed is None else _UNPACKED[packed](path) as file:
            content = file.read(1 << 20)
    except (OSError, EOFError, KeyError, zlib.error, lzma.LZMAError):
        return ""
    for at in range(0, len(content) - _CARD + 1, _CARD):  # a card that is cut off has no value yet
        card = _STRUCTURE.match(content[at : at + _CARD].decode("latin-1"))
        if card and not _STRUCTURE_VALUE.fullmatch(value := card[2].strip()):
            value = value.strip("' ")
            return f"{card[1]} is {shown(value)}, which is not a number: correct it in the program that wrote it"
    return ""


def _check_start(start: bytes, what: str) -> None:
    """Raise SourceError if a file does not begin as FITS files do."""
    if start != _START:
        kind = kind_of(start)
        said = f"is {kind}" if kind else "is not a FITS file, which begins with SIMPLE"
        raise SourceError(f"{what} {said}: {_advice(kind)}")


def is_fits(path: Path) -> bool:
    """Return whether a file begins as FITS files do, or is compressed as a whole, which no picture is."""
    if packed_with(path) is not None:
        return True
    with path.open("rb") as file:
        return file.read(len(_START)) == _START


def packed_with(path: Path) -> str | None:
    """Return the name of the compression of a whole file; None if it is not compressed."""
    with path.open("rb") as file:
        start = file.read(6)
    return next((name for magic, name in _PACKED.items() if start.startswith(magic)), None)


def _names_system(keywords: Keywords) -> bool:
    """Return whether a header names a reference system.

    An equinox of 2000 alone, as Hubble's primary headers have it, does not: their places are ICRS, not FK5.
    """
    names = [name for name in keywords if _SYSTEM.fullmatch(name)]
    return any(name.startswith("RADE") or keywords.text(name).strip("J") not in ("2000", "2000.0") for name in names)


def readable_hdus(hdus: Any) -> Iterator[Any]:
    """Yield the HDUs before the first broken one.

    The end of a broken HDU is unknown: in a compressed file astropy would find it again and again, for ever.
    """
    for hdu in islice(hdus, _MOST):
        if type(hdu).__name__ in _ENDLESS:
            return
        yield hdu


@dataclass(frozen=True)
class ChosenImage:
    """An image of a FITS file, its number there, and the other images with a placement."""

    hdu: Any
    number: int
    others: tuple[ChosenImage, ...] = ()

    @property
    def color_axis(self) -> int | None:
        """Axis of the array that holds red, green and blue: -3, or -1 if the colors come last; None if none does."""
        axis = _axis_of_three(self.hdu.shape)
        return None if axis is None or _third_axis(self.hdu.header) else axis

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        shape = self.hdu.shape
        height, width = shape[-3:-1] if self.color_axis == -1 else shape[-2:]
        return height, width

    @property
    def pixels(self) -> np.ndarray[Any, Any]:
        """Pixels, rows from the bottom: of the shape (height, width), or (height, width, 3) of an image in color."""
        import numpy as np

        if self.color_axis is None:
            return np.reshape(self.hdu.data, self.plane_shape)
        planes = np.reshape(self.hdu.data, self.hdu.shape[-3:])
        return planes if self.color_axis == -1 else np.moveaxis(planes, 0, -1)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is assumed of the colors."""
        if self.color_axis == -1:
            return ("its first axis is taken for red, green and blue, and its WCS for that of the other two axes",)
        if self.color_axis is None or Keywords(self.hdu.header).text("CTYPE3") == _COLORS:
            return ()
        return ("its three planes are taken for red, green and blue",)

    @property
    def name(self) -> str:
        """Name of the HDU for users."""
        named = self.hdu.name and self.hdu.name != "PRIMARY"
        return f"HDU {self.number}" + (f" ({self.hdu.name})" if named else "")


def chosen_image(hdus: Any, what: str, wanted: HduChoice | None = None) -> ChosenImage:
    """Return the requested image, in gray or in color; by default the first with a placement, or else the first of all.

    Raises
    ------
    SourceError
        If there is no such image, or it is a cube of anything but three colors; `what` names the file.
    """
    chosen = _first_image(hdus, what) if wanted is None else _wanted_image(hdus, what, wanted)
    shape = chosen.hdu.shape
    if any(size != 1 for size in shape[:-2]) and chosen.color_axis is None:
        plane = "..., 0" if has_colors_last(shape) else ", ".join("0" for _ in shape[:-2])
        described = f" ({axis})" if (axis := _third_axis(chosen.hdu.header)) else ""
        remedy = f"from_fits(fits.PrimaryHDU(hdu.data[{plane}], hdu.header))"
        if _axis_of_three(shape) is not None:
            remedy += f". If these are red, green and blue, in this order, set hdu.header['CTYPE3'] = {_COLORS!r} and call from_fits with hdu"
        raise SourceError(
            f"{what} is a cube of {' × '.join(map(str, shape))}{described}: give one plane of "
            f"it. With hdu = hdus[{chosen.number}] of the open file that is {remedy}"
        )
    return chosen


def chosen_plane(hdus: Any, what: str, wanted: HduChoice | None = None) -> ChosenImage:
    """Return the image of `chosen_image`, which WWT can draw from its FITS pixels.

    Raises
    ------
    SourceError
        As `chosen_image`, or if the image is in color.
    """
    chosen = chosen_image(hdus, what, wanted)
    if chosen.color_axis is not None:
        raise SourceError(
            f"{what} is in color, and WWT draws FITS pixels of one plane: read it with ImageDraft.from_fits, which draws a PNG"
        )
    return chosen


def _axis_of_three(shape: tuple[int, ...]) -> int | None:
    """Return the axis of an array that may hold three colors, or None."""
    if len(shape) < 3 or any(size != 1 for size in shape[:-3]):
        return None
    if shape[-3] == len(_COLORS):
        return -3
    return -1 if shape[-1] == len(_COLORS) and has_colors_last(shape) else None


def _third_axis(header: Any) -> str:
    """Return how a header says that its third axis holds something else than colors; "" if it does not say so.

    The cutouts of the Legacy Surveys name their filters in BANDS, as "grz": the bluest first, where red is to be.
    """
    keywords = Keywords(header)
    if keywords.text("CTYPE3") == _COLORS:
        return ""
    types = [name for name in keywords if re.fullmatch("(CTYPE|CUNIT)3[A-Z]?|BANDS", name) and keywords.text(name)]
    numbers = [name for name in ("CRVAL3", "CDELT3", "CD3_3") if keywords.value(name) not in _SAYS_NOTHING]
    return f"{name} is {shown(keywords.value(name))}" if (name := next(iter(types + numbers), "")) else ""


def replace_wcs(chosen: ChosenImage, cards: Any) -> None:
    """Write a WCS into the header of an opened image, in memory, in place of what it has of one."""
    header = chosen.hdu.header
    for name in [name for name in header if _WCS.fullmatch(name)]:
        del header[name]
    header.update(cards)


def described_by(chosen: ChosenImage, hdus: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the header that describes where an image is, and remarks about it.

    ``INHERIT = T`` makes the keywords of the primary header valid for an extension. An extension with a WCS of its own
    takes only the reference system from there; a mixture of two descriptions of the pixels would be neither.
    """
    header, primary = chosen.hdu.header, hdus[0].header
    if chosen.number == 0 or Keywords(header).value("INHERIT") is not True:
        return header, ()
    own = says_where(header)
    if own and not _names_system(Keywords(primary)):
        return header, ()
    missing = [
        card
        for card in primary.cards
        if card.keyword not in header and (_SYSTEM if own else _WCS).fullmatch(card.keyword)
    ]
    if not missing or not (own or says_where(primary)):
        return header, ()
    header = header.copy()
    header.extend(missing)
    what = "the reference system" if own else "the WCS"
    return header, (f"{chosen.name} has INHERIT = T: {what} of the primary header is used",)


def _first_image(hdus: Any, what: str) -> ChosenImage:
    placed: list[ChosenImage] = []
    first: ChosenImage | None = None
    try:
        for number, hdu in enumerate(readable_hdus(hdus)):
            if _is_image(hdu):
                first = first or ChosenImage(hdu, number)
                if says_where(hdu.header):
                    placed.append(ChosenImage(hdu, number))
            if placed and number >= placed[0].number + _MOST_SEARCHED:
                break
    except Exception:  # HDUs after the image may be broken
        if not placed:
            raise
    if first is None:
        raise SourceError(
            f"{what} holds no image that can be read: give a FITS file with an image of two dimensions"
            + (
                in_terms(". Its header alone can place a picture, as wcs= of ImageDraft.from_image", "")
                if _only_header(hdus)
                else ""
            )
        )
    chosen, *others = placed or [first]
    return replace(chosen, others=tuple(others))


def _advice(kind: str) -> str:
    """Return what to do with a file of this kind, which is no FITS."""
    if kind in _PICTURES:
        return in_terms("read it with ImageDraft.from_image", f"give it a name that ends with {_PICTURES[kind]}")
    if kind == "an XISF file":
        return "save it as FITS in PixInsight"
    if kind == "a web page or another XML file":
        wtml = in_terms("read WTML with ImageDraft.from_wtml", "give WTML a name that ends with .wtml")
        return f"download it again, or {wtml}"
    return "download it again"


def _only_header(hdus: Any) -> bool:
    """Return whether a file has a position on the sky and no pixels, as plate solvers write it."""
    found = list(islice(readable_hdus(hdus), 2))
    return len(found) == 1 and getattr(found[0], "shape", None) == () and says_where(found[0].header)


def _wanted_image(hdus: Any, what: str, wanted: HduChoice) -> ChosenImage:
    if not _is_choice(wanted):
        raise SourceError(
            f"{option('hdu')} is the number or the name of an HDU, or its name and its version (EXTVER), such as 1, 'SCI' or ('SCI', 2), "
            f"not {shown(wanted)}"
        )
    names = [(hdu.name, hdu.ver) for hdu in readable_hdus(hdus)]
    try:
        number = range(len(names))[wanted] if isinstance(wanted, int) else _index_of(wanted, names)
    except (ValueError, IndexError):
        there = f"its HDUs are 0 to {len(names) - 1}" if names else "it has none that can be read, so download it again"
        raise SourceError(f"{what} has no HDU {wanted!r}: {there}") from None
    if not _is_image(hdus[number]):
        raise SourceError(f"{what} has no image in HDU {wanted!r}: give the number of another")
    return ChosenImage(hdus[number], number, _namesakes(hdus, number) if isinstance(wanted, str) else ())


def _is_choice(wanted: Any) -> bool:
    if isinstance(wanted, tuple):
        return list(map(type, wanted)) == [str, int]
    return isinstance(wanted, int | str) and not isinstance(wanted, bool)


def _index_of(wanted: str | tuple[str, int], names: list[tuple[str, int]]) -> int:
    """Return the number of the first HDU with a name, or with a name and a version. Raises ValueError if no HDU has them."""
    if isinstance(wanted, str):
        return [name for name, _ in names].index(wanted.strip().upper())
    return names.index((wanted[0].strip().upper(), wanted[1]))


def _namesakes(hdus: Any, number: int) -> tuple[ChosenImage, ...]:
    """Return the images with a placement behind an HDU that have its name: the chips of a camera may all be called SCI."""
    found: list[ChosenImage] = []
    with contextlib.suppress(Exception):  # HDUs after the image may be broken
        for at, hdu in enumerate(islice(readable_hdus(hdus), number + _MOST_SEARCHED)):
            if at > number and hdu.name == hdus[number].name and _is_image(hdu) and says_where(hdu.header):
                found.append(ChosenImage(hdu, at))
    return tuple(found)


def _is_image(hdu: Any) -> bool:
    return hdu.is_image and len(hdu.shape) >= 2 and all(hdu.shape)


if TYPE_CHECKING:
    import numpy as np

    _Stream = io.BufferedIOBase  # what `_Bounded` is mixed into
else:
    _Stream = object


class _Bounded(_Stream):
    """Mixin that limits the decompressed size of a file to the memory, whatever the file declares."""

    _blocks = _end = 0

    def read(self, size: int | None = -1) -> bytes:
        size = -1 if size is None else size
        self._blocks = self._blocks + 1 if 0 <= size <= _BLOCK and self.tell() == self._end else 0
        if self._blocks > _LONGEST_HEADER:
            raise OSError("its header has no END card")
        content = super().read(min(size, _LARGEST + 1) if size >= 0 else _LARGEST + 1)
        self._end = self.tell()
        _check(len(content))
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        _check(offset - self.tell() if whence == 0 else 0)
        return super().seek(offset, whence)


class BoundedGzip(_Bounded, gzip.GzipFile):
    """A gzip file with a limited decompressed size; see `_Bounded`."""


class _BoundedBzip2(_Bounded, bz2.BZ2File):
    pass


class _BoundedXz(_Bounded, lzma.LZMAFile):
    pass


_UNPACKED = {"gzip": BoundedGzip, "bzip2": _BoundedBzip2, "xz": _BoundedXz}


def _check(length: int) -> None:
    if length > _LARGEST:
        raise OSError(f"it is packed, and holds more than {_LARGEST >> 30} GB: unpack it first")
