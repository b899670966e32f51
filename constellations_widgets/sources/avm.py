"""AVM (Astronomy Visualization Metadata): what a picture file says of its place on the sky, and of whose it is."""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from .reading import Suggestion

if TYPE_CHECKING:
    from astropy.wcs import WCS

_SQUARE = 0.01
"""The two scales of AVM may differ by this fraction: the standard asks for the first one only."""

_GIVE = "give its place with wcs=, or with center= and width="
_CC = re.compile(r"\b(CC[ -]BY|CC0|creative ?commons)", re.IGNORECASE)


@dataclass(frozen=True)
class Avm:
    """The AVM of one file.

    Attributes
    ----------
    name : str
        What it calls the image; "" if it does not.
    values : mapping
        Values of a draft: note and credits; never the license.
    suggestions : tuple of Suggestion
        What may be taken over, if the user wants it.
    """

    _content: Any
    _what: str
    name: str
    values: Mapping[str, str]
    suggestions: tuple[Suggestion, ...]

    def wcs(self, size: tuple[int, int]) -> tuple[WCS, tuple[str, ...]]:
        """The place of the file's `size` pixels, and what had to be assumed for it.

        Raises
        ------
        SourceError
            When the AVM says too little, contradicts itself, or belongs to another crop of the image.
        """
        spatial, what = self._content.Spatial, self._what
        if not spatial.ReferenceDimension or not spatial.ReferenceValue or not spatial.ReferencePixel:
            raise SourceError(f"The AVM in {what} does not say where it is on the sky: {_GIVE}")
        if spatial.Quality == "Position":
            raise SourceError(
                f"The AVM in {what} says of itself that only its position can be trusted (Spatial.Quality is Position), not scale "
                f"and rotation: {_GIVE}"
            )
        try:
            factor = _factor(tuple(map(float, spatial.ReferenceDimension)), size, what)
            with warnings.catch_warnings(record=True) as assumptions:
                warnings.simplefilter("always")
                wcs = self._content.to_wcs()
            remarks = tuple(f"its AVM is incomplete: {each.message}" for each in assumptions)
            scale = spatial.Scale or (0, 0)
            if spatial.CDMatrix is None and abs(abs(scale[1]) - abs(scale[0])) <= _SQUARE * abs(scale[0]):
                # As the standard has it: the first is enough, since the picture is not distorted.
                wcs.wcs.cdelt = [-abs(scale[0]), abs(scale[0])]
            if spatial.CDMatrix is None and scale[0] > 0 > scale[1]:
                # pyavm writes so what is turned by more than a right angle, and reads only the size of these numbers.
                wcs.wcs.cdelt = -wcs.wcs.cdelt
                remarks += ("its AVM gives both scales with the opposite sign, which is half a turn: so it is placed",)
            return resized(wcs, factor), remarks
        except SourceError:
            raise
        except Exception as error:  # whatever was written there
            raise SourceError(f"The AVM in {what} is incomplete or contradicts itself ({error}): {_GIVE}") from None


def read_avm(path: Path) -> Avm | None:
    """The AVM of a JPEG, PNG or TIFF file; None where there is none. Raises SourceError where it can't be read."""
    try:
        from pyavm import AVM
        from pyavm.exceptions import NoXMPPacketFound
        from pyavm.extract import extract_xmp
    except ImportError:
        raise SourceError('Reading AVM needs pyavm: pip install "constellations_widgets[sources]"') from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TIFF is only scanned, and that the first of several packets is taken
            packet = extract_xmp(str(path))
        if re.search(rb"<!(DOCTYPE|ENTITY)", packet):
            raise SourceError(f"The AVM in {path.name} declares XML entities, which no AVM needs: refused. {_GIVE}")
        start = packet.index(b"?>", packet.index(b"<?xpacket begin=")) + 2
        content = AVM.from_xml(packet[start : packet.index(b"</x:xmpmeta>") + 12])
        return Avm(content, path.name, _text(content.Title, content.Headline), _values(content), _suggestions(content))
    except SourceError:
        raise
    except NoXMPPacketFound:
        return None
    except Exception as error:  # pyavm raises whatever its XML parser does
        raise SourceError(f"The AVM in {path.name} can't be read ({error}): {_GIVE}") from None


def resized(wcs: WCS, factor: float) -> WCS:
    """The WCS of the same picture with `factor` times as many pixels to a side: of the matrix, whatever its form, and of the edge.

    The picture's edge stays where it is, which is half a pixel before the middle of the first one, whatever its size.
    """
    scaled = wcs.deepcopy()
    if factor != 1:
        if scaled.sip is not None or scaled.cpdis1 is not None or scaled.cpdis2 is not None:
            raise SourceError(
                "A distorted WCS fits only the size of picture that it was made for: give the picture in that size"
            )
        if scaled.wcs.has_cd():
            scaled.wcs.cd = scaled.wcs.cd / factor
        else:
            scaled.wcs.cdelt = scaled.wcs.cdelt / factor
        scaled.wcs.crpix = (scaled.wcs.crpix - 0.5) * factor + 0.5
    return scaled


def factor_between(declared: tuple[float, float], size: tuple[int, int]) -> float | None:
    """How many times as many pixels to a side a picture has as was declared; None if that is another crop.

    A size in whole pixels may miss the aspect ratio of the other by one of the coarser pixels. What misses more was cut.
    """
    width, height = declared
    if not (width > 0 and height > 0):
        return None
    factor = size[0] / width if size[0] >= size[1] else size[1] / height
    missed = max(abs(size[0] - factor * width), abs(size[1] - factor * height))
    return factor if missed <= max(factor, 1.0) else None


def _factor(declared: tuple[float, ...], size: tuple[int, int], what: str) -> float:
    width, height = declared
    factor = factor_between((width, height), size)
    if factor is None:
        raise SourceError(
            f"The AVM in {what} belongs to another crop of it: it describes {width:g} × {height:g} pixels, "
            f"the file has {size[0]} × {size[1]}. Its place can't be told from that: {_GIVE}"
        )
    return factor


def _text(*found: Any) -> str:
    """The first that says something; several of one are joined."""
    for each in found:
        words = ", ".join(str(word).strip() for word in each if word) if isinstance(each, list | tuple) else each
        if words and str(words).strip():
            return str(words).strip()
    return ""


def _values(avm: Any) -> dict[str, str]:
    title, description = _text(avm.Title, avm.Headline), _text(avm.Description)
    note = f"{title}: {description}" if title and description and title not in description else description or title
    credit = html.escape(_text(avm.Credit, avm.Creator), quote=False)
    link = _text(avm.ReferenceURL)
    if credit and re.match(r"https?://[^\s<>\"]+$", link):
        credit = f'<a href="{html.escape(link)}">{credit}</a>'
    return {path: text for path, text in (("note", note), ("permissions.credits", credit)) if text}


def _suggestions(avm: Any) -> tuple[Suggestion, ...]:
    rights, creator, year = _text(avm.Rights), _text(avm.Creator, avm.Contact.Name, avm.Publisher), _text(avm.Date)[:4]
    found = []
    if re.search(r"copyright|©|\(c\)|public domain", rights, re.IGNORECASE) and len(rights) <= 200:
        found.append(Suggestion("permissions.copyright", rights, "its AVM says this of its rights"))
    elif creator:
        words = " ".join(filter(None, ["Copyright", year if year.isdigit() else "", creator]))
        found.append(Suggestion("permissions.copyright", words, "its AVM names this as its maker"))
    if rights and (_CC.search(rights) or len(rights) > 200 or not found):
        said = rights if len(rights) <= 200 else f"{rights[:199]}…"
        found.append(
            Suggestion("permissions.license", None, f"its AVM says of its use: “{said}”. Choose the license yourself")
        )
    return tuple(found)
