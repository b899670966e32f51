"""Parse FITS header cards from text, and read single values strictly; an invalid one is rejected by name."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..schema.placement import shown

if TYPE_CHECKING:
    from astropy.io.fits import Header

SIZE_LIMIT = 8 << 20  # largest text of header cards in bytes
_CARD = re.compile(r"\s*([A-Za-z0-9_-]{1,8})\s*=\s*(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", re.ASCII)
_CHANNELS = (3, 4)  # samples per pixel of a color image
_SOLVED = ("IMAGEW", "IMAGEH")
_SIZES = (("ZNAXIS1", "ZNAXIS2"), ("NAXIS1", "NAXIS2"), _SOLVED)
"""Keywords of an image's size; those of its pixels first, since programs that cut an image leave what others wrote into its header."""


def parse_cards(text: str, what: str) -> Header:
    """Return the header in a text: cards of 80 characters without a break, or one card on each line.

    Raises
    ------
    SourceError
        If the text holds no WCS; `what` names it.
    """
    from astropy.io.fits import Header

    if not re.search("CTYPE1|PLTSOLVD", text, re.IGNORECASE) or len(text) > SIZE_LIMIT:
        raise _no_header(what)
    lines = re.split(r"[\r\n]+", text.strip("\r\n"))
    if len(lines) == 1:
        lines = [text[start : start + 80] for start in range(0, len(text), 80)]
    cards = []
    for at, line in enumerate(lines):
        if line.strip() == "END":
            if any(re.match("CTYPE1 *=", other, re.IGNORECASE) for other in lines[at:]):
                raise SourceError(
                    f"{what} holds the headers of several images, one after another: save the one of this image, up to its line END, as "
                    "a file of its own"
                )
            break
        found = _CARD.fullmatch(line.rstrip().partition(" //")[0]) if not line.startswith("HIERARCH") else None
        cards.append(f"{found[1].upper():8}= {found[2]}" if found else line.rstrip())
    header = Header.fromstring("\n".join(card for card in cards if card.strip()), sep="\n")
    return _completed(header, what)


def _no_header(what: str) -> SourceError:
    return SourceError(
        f"{what} is not a FITS header: it has no card CTYPE1 = …. Give a .wcs file, an .xmp file with AVM, or a text of "
        "header cards"
    )


def _completed(header: Header, what: str) -> Header:
    """Add the projection to a solution of ASTAP's .ini files, which is TAN and not written there."""
    if "CTYPE1" in header:
        return header
    if "PLTSOLVD" not in header:
        raise _no_header(what)  # another text that mentions it
    if header["PLTSOLVD"] in (False, "F"):
        raise SourceError(f"{what} says that the plate was not solved (PLTSOLVD is F): solve it first")
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    if declared_size(header) is None:
        middle = [Keywords(header).number(f"CRPIX{axis}") or 0.0 for axis in (1, 2)]
        width, height = (2 * at - 1 for at in middle)  # ASTAP's reference pixel is the middle of the picture
        if min(width, height) > 1 and width.is_integer() and height.is_integer():
            header["IMAGEW"], header["IMAGEH"] = int(width), int(height)
    return header


class Keywords:
    """The keywords of a header; each is read strictly, and an invalid one is rejected by name.

    Parameters
    ----------
    header : Header
        It is not changed.
    """

    def __init__(self, header: Header):
        self._cards: dict[str, list[Any]] = {}
        for card in header.cards:
            self._cards.setdefault(card.keyword, []).append(card)
        self._read: dict[str, Any] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._cards)

    def __contains__(self, name: str) -> bool:
        return name in self._cards

    def value(self, name: str) -> Any:
        """Return the value as astropy reads it; the card's text if astropy can't; None if it is missing.

        Raises
        ------
        SourceError
            If the keyword occurs several times with different values.
        """
        if name not in self._read:
            found = [_value(card) for card in self._cards.get(name, ())]
            if any(value != found[0] for value in found[1:]):
                raise SourceError(
                    f"{name} stands there {len(found)} times with different values: delete all but the right one"
                )
            self._read[name] = found[0] if found else None
        return self._read[name]

    def number(self, name: str) -> float | None:
        """Return the number of a keyword; None if it is missing or has no value.

        Raises
        ------
        SourceError
            If the value is not a finite number; the message names the keyword.
        """
        value = self.value(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(re.sub("[dD]", "e", value.strip()))
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SourceError(
                f"{name} is {shown(value)}, which is not a number: correct it, as in header[{name!r}] = 1.5"
            )
        if not math.isfinite(value):
            raise SourceError(f"{name} is not finite: correct it, as in header[{name!r}] = 1.5")
        return float(value)

    def text(self, name: str) -> str:
        """Return the text of a keyword in capitals, without surrounding spaces; "" if it is missing."""
        value = self.value(name)
        return "" if value is None else str(value).strip().upper()


def _value(card: Any) -> Any:
    from astropy.io.fits.card import Undefined
    from astropy.io.fits.verify import VerifyError

    try:
        value = card.value
    except (VerifyError, ValueError):
        value = _text(card)[9:].partition("/")[0].strip(" '")
    value = value.rstrip() if isinstance(value, str) else value
    return None if isinstance(value, Undefined) or value == "" else value


def _text(card: Any) -> str:
    """Return the 80 characters of a card that astropy can't parse."""
    from astropy.io.fits.verify import VerifyError

    try:
        return str(copy.copy(card))  # a copy: when astropy writes such a card, it changes the value to text
    except (VerifyError, ValueError):  # its text has no end, or it holds a tab or another control character
        return str(card._image)


def has_colors_last(shape: tuple[int, ...]) -> bool:
    """Return whether the colors come last, as other programs hold them in memory; by the standard they come first."""
    return len(shape) == 3 and shape[2] in _CHANNELS and min(shape[:2]) > max(_CHANNELS)


def declared_size(header: Header) -> tuple[int, int] | None:
    """Return (width, height) in pixels of the image that a header belongs to; None if it does not say."""
    keywords = Keywords(header)
    axes = tuple(int(keywords.number(f"NAXIS{axis}") or 0) for axis in (3, 2, 1))
    if keywords.number("NAXIS") == len(axes) and has_colors_last(axes):
        return axes[1], axes[0]
    return next(filter(None, (_size(keywords, names) for names in _SIZES)), None)


def two_sizes(header: Header, size: tuple[int, int] | None = None) -> tuple[str, ...]:
    """Return a remark about a header that was written for an image of another size than `size`, or than its own pixels."""
    size, solved = size or declared_size(header), _size(Keywords(header), _SOLVED)
    if size is None or solved is None or size == solved:
        return ()
    return (
        f"its header names two sizes: its WCS was made for {solved[0]} × {solved[1]} pixels (IMAGEW, IMAGEH), and the image has {size[0]} "
        f"× {size[1]}. If the program that resized or cropped it did not change the WCS too, the placement is wrong",
    )


def _size(keywords: Keywords, names: tuple[str, str]) -> tuple[int, int] | None:
    width, height = (keywords.number(name) for name in names)
    return (int(width), int(height)) if width and height else None
