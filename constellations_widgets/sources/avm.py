"""AVM (Astronomy Visualization Metadata): an image's placement and rights as its file describes them.

Each tag is read by itself, so that an invalid one spoils nothing else: pyavm discards everything for one invalid
word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SourceError
from ..geometry.fitting import TOLERANCE
from ..interface import in_terms
from ..schema.placement import shown
from .avm_words import suggestions_of, values_of
from .frames import UNKNOWN, frame_of
from .headers import PROJECTIONS, celestial_wcs, contradictions
from .xmp import Properties, read_xmp

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from .reading import Suggestion

_SQUARE = 0.01
"""The two scales of AVM may differ by this fraction: the standard asks for the first one only."""

_SMALLEST = 2
"""Pixels per side below which a Spatial.ReferenceDimension is a placeholder, such as 0, and describes no picture."""

_AVM = re.compile(
    r"https?://www\.communicatingastronomy\.org/avm/1\.\d"
)  # some writers use the version of the standard
_AXES = {
    "ICRS": ("RA--", "DEC-"), "FK5": ("RA--", "DEC-"), "FK4": ("RA--", "DEC-"),
    "ECL": ("ELON", "ELAT"), "GAL": ("GLON", "GLAT"), "SGAL": ("SLON", "SLAT"),
}  # fmt: skip
_NAMES = {"GALACTIC": "GAL", "ECLIPTIC": "ECL", "SUPERGALACTIC": "SGAL"}  # frames as people spell them
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def give_place() -> str:
    """Return how to place a picture that has no usable AVM."""
    return in_terms("give its place with wcs=, or with center= and width=", "give its place with --center and --width")


@dataclass(frozen=True)
class Avm:
    """The AVM of one file.

    Attributes
    ----------
    name : str
        The image's name; "" if there is none.
    values : mapping
        Values of a draft: note and credits; never the license.
    suggestions : tuple of Suggestion
        Values that the user may accept.
    remarks : tuple of str
        Remarks on how the placement was chosen from several.
    """

    _tags: Mapping[str, list[str]]
    _what: str
    name: str
    values: Mapping[str, str]
    suggestions: tuple[Suggestion, ...]
    remarks: tuple[str, ...] = ()

    def wcs(self, size: tuple[int, int]) -> tuple[WCS, float, tuple[str, ...]]:
        """Return the WCS, the file's pixels along a side for each that it counts, and the assumptions made; the file has `size` pixels.

        Raises
        ------
        SourceError
            If the AVM is incomplete, contradicts itself, or belongs to another crop of the image.
        """
        if not self._tags:
            raise SourceError(f"The AVM in {self._what} gives no position on the sky: {give_place()}")
        try:
            return self._wcs(size)
        except SourceError as error:
            raise SourceError(f"The AVM in {self._what} can't place it ({error}): {give_place()}") from None

    def _wcs(self, size: tuple[int, int]) -> tuple[WCS, float, tuple[str, ...]]:
        from astropy.io.fits import Header

        if self._text("Quality").lower() == "position":
            raise SourceError(
                "it says that only its position can be trusted (Spatial.Quality is Position), not scale and rotation"
            )
        place, pixel = self._numbers("ReferenceValue", 2), self._numbers("ReferencePixel", 2)
        missing = [
            f"Spatial.{name}" for name, found in (("ReferenceValue", place), ("ReferencePixel", pixel)) if not found
        ]
        if not place or not pixel:
            raise SourceError(f"it has no {' and no '.join(missing)}")
        if abs(place[1]) > 90:
            raise SourceError(f"Spatial.ReferenceValue has {place[1]:g} degrees as its second number, beyond the pole")
        remarks = list(self.remarks)
        factor = self._factor(size, pixel, remarks)
        cards = self._frame(remarks)
        cards |= {"CRVAL1": place[0], "CRVAL2": place[1], "CRPIX1": pixel[0], "CRPIX2": pixel[1]}
        cards |= self._scale([side / factor for side in size], remarks)
        wcs, assumed = celestial_wcs(Header(cards), "the place that it gives")
        return wcs, factor, (*remarks, *assumed)

    def _text(self, name: str) -> str:
        return " ".join(self._tags.get(name, ())).strip()

    def _numbers(self, name: str, count: int) -> list[float]:
        """Return the numbers of a tag; empty if it is missing."""
        texts = self._tags.get(name, [])
        if len(texts) == 1 and count > 1:
            # In an attribute. "150,5" is ambiguous: one number or two.
            texts = [
                text for text in re.split(r"[;\s]+|(?<=[.\d]),\s+|(?<=\.\d),(?=[+-]?\d+\.)", texts[0].strip()) if text
            ]
        if not all(_NUMBER.fullmatch(text.strip()) for text in texts):
            expected = f"{count} numbers are" if count > 1 else "a number is"
            raise SourceError(f"Spatial.{name} is {shown(' '.join(texts))}, where {expected} expected")
        numbers = [float(text) for text in texts]
        if not all(map(math.isfinite, numbers)):
            raise SourceError(f"Spatial.{name} is {shown(' '.join(texts))}, which is not finite")
        if numbers and len(numbers) != count and (name, len(numbers)) != ("Scale", 1):
            said = "1 number" if len(numbers) == 1 else f"{len(numbers)} numbers"
            raise SourceError(f"Spatial.{name} has {said} instead of {count}")
        return numbers

    def _factor(self, size: tuple[int, int], pixel: list[float], remarks: list[str]) -> float:
        """Return the ratio of the file's pixels per side to those of the picture that the AVM was made for."""
        declared = self._dimension()
        if declared is None:
            written = self._text("ReferenceDimension")
            found = (
                f"has the Spatial.ReferenceDimension {shown(written)}"
                if written
                else "has no Spatial.ReferenceDimension"
            )
            if not (0 <= pixel[0] <= size[0] + 1 and 0 <= pixel[1] <= size[1] + 1):
                raise SourceError(
                    f"it {found}, so the size of the picture that it was made for is unknown, and its reference pixel "
                    f"lies outside the file's {size[0]} × {size[1]} pixels"
                )
            remarks.append(
                f"its AVM {found}, so it is assumed to describe a picture of this size, {size[0]} × {size[1]} pixels. If "
                "the picture was resized or cropped after the AVM was written, the placement is wrong"
            )
            return 1.0
        factor = factor_between(declared, size)
        if factor is None:
            raise SourceError(
                f"it belongs to another crop: it describes {declared[0]:g} × {declared[1]:g} pixels, the file has "
                f"{size[0]} × {size[1]}"
            )
        if factor != 1:
            remarks.append(scaled_copy("its AVM was made for", declared))
        return factor

    def _dimension(self) -> tuple[float, float] | None:
        """Return the size of the picture that the AVM was made for; None if it is missing.

        Writers that do not know it give zeros, NaN or a single number, which count as missing.
        """
        try:
            sides = [float(text) for text in re.split(r"[;\s]+", self._text("ReferenceDimension"))]
        except ValueError:
            sides = []  # missing, or a text, which is rejected below
        if sides and (len(sides) == 1 or not all(_SMALLEST <= side < math.inf for side in sides)):
            return None
        numbers = self._numbers("ReferenceDimension", 2)
        return (numbers[0], numbers[1]) if numbers else None

    def _frame(self, remarks: list[str]) -> dict[str, str | float]:
        code = self._projection(remarks)
        frame, equinox = self._text("CoordinateFrame").upper(), self._text("Equinox")
        frame = _NAMES.get(frame, frame)
        lon, lat = _AXES.get(frame, _AXES["ICRS"])
        cards: dict[str, str | float] = {"CTYPE1": f"{lon}-{code}", "CTYPE2": f"{lat}-{code}"}
        if frame in ("GAL", "SGAL"):
            return cards
        names = ("Spatial.CoordinateFrame", "Spatial.Equinox")
        system = frame_of("" if frame == "ECL" else frame, equinox, names)
        remarks.extend(system.remarks)
        if not frame:
            remarks.append(f"its AVM has no Spatial.CoordinateFrame: taken as {system.system}")
        if frame in ("FK5", "FK4", "ECL") and not equinox:
            remarks.append(f"its AVM has no Spatial.Equinox: taken as {'B1950' if frame == 'FK4' else 'J2000'}")
        if lon == "RA--":
            cards["RADESYS"] = system.system
        if system.equinox is not None:
            cards["EQUINOX"] = system.equinox
        return cards

    def _projection(self, remarks: list[str]) -> str:
        """Return the FITS code of the projection."""
        name = self._text("CoordsystemProjection").upper()
        if name in UNKNOWN:
            found = (
                f"has the Spatial.CoordsystemProjection {name!r}" if name else "has no Spatial.CoordsystemProjection"
            )
            remarks.append(f"its AVM {found}: taken as TAN")
            return "TAN"
        code = name.removesuffix("-SIP")
        if code not in PROJECTIONS:
            raise SourceError(
                f"Spatial.CoordsystemProjection is {shown(name)}, which is not a FITS projection such as TAN"
            )
        if code != name:
            remarks.append(f"its AVM names the projection {name}, and AVM has no distortion: placed as {code}")
        return code

    def _scale(self, size: Sequence[float], remarks: list[str]) -> dict[str, float]:
        """Return the cards of scale and rotation of a picture of `size` pixels."""
        matrix, scale, turned = self._numbers("CDMatrix", 4), self._numbers("Scale", 2), self._numbers("Rotation", 1)
        if any(matrix):
            differing = contradictions([matrix[:2], matrix[2:]], scale if all(scale) else [], sum(turned))
            remarks.extend(
                f"its AVM's Spatial.{name} and Spatial.CDMatrix differ: the matrix counts"
                for name, differs in zip(("Scale", "Rotation"), differing, strict=True)
                if differs
            )
            return {f"CD{i}_{j}": matrix[2 * i + j - 3] for i in (1, 2) for j in (1, 2)}
        if not scale or not all(scale):
            raise SourceError("it has no Spatial.Scale" if not scale else "Spatial.Scale is 0")
        first, second = abs(scale[0]), abs(scale[-1])
        if abs(second - first) <= _SQUARE * first:
            if (moved := abs(second / first - 1) * size[1] / 2) > TOLERANCE:
                remarks.append(
                    f"its AVM's two scales differ ({scale[0]:g}, {scale[-1]:g}): the first counts for both directions, as AVM asks. By the "
                    f"second its upper and lower edge would lie {moved:.2g} pixels from there"
                )
            second = first  # as in the standard: the first suffices, since the picture is not distorted
        sign = 1
        if len(scale) == 2 and scale[0] > 0 > scale[1]:
            sign = -1  # pyavm writes this for rotations of more than a right angle, and reads only the absolute values
            remarks.append("its AVM gives both scales with the opposite sign, which is half a turn: so it is placed")
        elif len(scale) == 2 and scale[0] * scale[1] > 0:
            remarks.append(
                f"its AVM gives both scales the same sign ({scale[0]:g}, {scale[1]:g}), which would be a mirrored "
                "image. AVM shows images "
                "as they are seen in the sky, so it is placed unmirrored: compare it with the stars of the preview"
            )
        if not turned:
            remarks.append("its AVM has no Spatial.Rotation: taken as 0, north is up")
        return {"CDELT1": -first * sign, "CDELT2": second * sign, "CROTA2": turned[0] if turned else 0.0}


def read_avm(path: Path) -> Avm | None:
    """Return the AVM of a JPEG, PNG or TIFF file; None if it has none.

    Raises
    ------
    SourceError
        If the file can't be read.
    """
    try:
        packets = read_xmp(path)
    except SourceError as error:
        raise SourceError(f"The AVM in {path.name} can't be read ({error}): {give_place()}") from None
    if not packets:
        return None
    return avm_of(packets, path.name)


def avm_of(packets: list[Properties], what: str) -> Avm:
    """Return the AVM in a file's XMP packets: the placement of the first that has one, the texts of all."""
    tags: dict[str, list[str]] = {}
    texts: dict[tuple[str, str], list[str]] = {}
    ignored = 0
    for packet in sorted(packets, key=lambda each: not _spatial(each)):  # stable: those with a placement first
        found = _spatial(packet)
        # One description may be split into a standard and an extended packet; a copy for another picture contradicts it.
        if any(tags.get(name, value) != value for name, value in found.items()):
            ignored += 1
        else:
            tags |= found
        for key, value in packet.items():
            texts.setdefault(key, value)
    values, name = values_of(texts)
    remarks = ("its XMP packets contain different placements: the first one is used",) if ignored else ()
    return Avm(tags, what, name, values, suggestions_of(texts), remarks)


def _spatial(packet: Properties) -> dict[str, list[str]]:
    """Return the Spatial tags of a packet: name without the prefix → texts."""
    return {
        name.removeprefix("Spatial."): value
        for (namespace, name), value in packet.items()
        if _AVM.fullmatch(namespace) and name.startswith("Spatial.")
    }


def scaled_copy(what: str, declared: tuple[float, float]) -> str:
    """Return a remark about a placement that was scaled from the `declared` size of the picture."""
    return (
        f"{what} {declared[0]:g} × {declared[1]:g} pixels, and is scaled to the size of the file. If the file is a part of that picture, "
        "cut out in the same shape, the placement is wrong"
    )


def factor_between(declared: tuple[float, float], size: tuple[int, int]) -> float | None:
    """Return the ratio of a picture's pixels per side to the declared ones; None if it is another crop.

    A size in whole pixels may miss the other's aspect ratio by one of the coarser pixels. A larger difference means
    that the picture was cropped.
    """
    width, height = declared
    if not (width > 0 and height > 0):
        return None
    factor = size[0] / width if size[0] >= size[1] else size[1] / height
    missed = max(abs(size[0] - factor * width), abs(size[1] - factor * height))
    return factor if missed <= max(factor, 1.0) else None
