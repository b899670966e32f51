"""Read the imagesets of a WTML: their values, their files, and what can't be trusted in them."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from ..errors import SourceError
from ..geometry.engine import base_of_scale, scale_of_base
from ..geometry.plane import padded, width_factor_of
from ..schema.placement import URL, is_tan, number, shown
from ..schema.tiles import without_extension
from ..wtml import Notes, read_imageset, read_notes
from .local import LocalImage
from .reading import Doubt, ParsedImage, Suggestion, inaccuracy

# Attributes of an imageset without a field in Constellations, and their neutral values.
_NOT_KEPT = {
    "BandPass": ("Visible", ""),
    "BaseTileLevel": ("0", ""),
    "ElevationModel": ("False", "false", "0", ""),
    "PixelCutLow": ("0", "", "0.0"),
    "PixelCutHigh": ("0", "", "0.0"),
    "ReferenceFrame": ("", "Sky"),
}
DOUBTED_SIZE = "CXW906"
_LONGEST_PROPERTIES = 1 << 20  # bytes
_SEEN = 0.5  # largest difference, in pixels at the edge of a tiled image, of the two meanings of its size


def reading_of(
    element: Element, origin: str, *, path: Path | None = None, address: str = "", place: str = ""
) -> ParsedImage:
    """Return the reading of one ImageSet element.

    Relative addresses count from the file or web address that contains it; `place` is the name of the enclosing
    Place.
    """
    name, values = read_imageset(element, address)
    url = values[URL]
    remarks = [
        f"{attribute}={shown(element.get(attribute))} of the WTML is not kept: Constellations has no place for it"
        for attribute, silent in _NOT_KEPT.items()
        if element.get(attribute, silent[0]) not in silent
    ]
    notes = read_notes(element)
    remarks += [*_left_out(element, values), *notes.remarks]
    local = None
    if path and url and not re.match(r"[A-Za-z][\w+.-]*:|//|/|\\", url):
        try:
            template = without_extension(url) if values["wwt.projection"] == "Healpix" else url
            local = LocalImage(path.parent, template.replace("\\", "/"), cuts=_cuts(element))
            first = local.where(local.top)
            if not first.exists():
                remarks.append(f"no file of the image lies at {first}: the preview can't show it")
        except (SourceError, OSError) as error:
            remarks.append(f"the preview can't show the image's files: {str(error)[:300]}")
    place = place.strip()
    offers = (Suggestion("note", place, "The WTML gives this name to the image's place"),) if place and not name else ()
    found = (_other_sky(element), _meaning_of_size(notes, values), _width(values, local), _frame_of_hips(values, local))
    doubts = tuple(filter(None, found))
    doubts += inaccuracy(values, notes.inaccuracy)
    return ParsedImage(
        values, name or place or "image", origin, local, tuple(remarks), offers, doubts, _fingerprint(element)
    )


def _left_out(element: Element, values: Mapping[str, Any]) -> list[str]:
    """Return remarks about attributes of a flat image's placement that are missing; its writer may have lost them."""
    found = []
    if element.get("Projection") is None:
        found.append(
            "the WTML has no Projection, without which WWT draws nothing: taken as SkyImage, which is a single file"
        )
    if not is_tan(values) and values["wwt.projection"] != "SkyImage":
        return found
    names = ("CenterX", "CenterY", "Rotation") + (() if is_tan(values) else ("OffsetX", "OffsetY"))
    if missing := [name for name in names if element.get(name) is None]:
        found.append(
            f"the WTML has no {' and no '.join(missing)}, which WWT takes for 0: compare the image with the sky of the preview"
        )
    return found


def _fingerprint(element: Element) -> str:
    """Return a digest of an ImageSet element, whatever the order of its attributes and the white space between its parts."""
    parts = [(each.tag, sorted(each.attrib.items()), (each.text or "").strip()) for each in element.iter()]
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()


def _other_sky(element: Element) -> Doubt | None:
    """Return the doubt that the image does not show the sky."""
    kind = element.get("DataSetType", "Sky")
    if kind.strip().lower() == "sky":
        return None
    return Doubt(
        "CXW907",
        "",
        f"DataSetType={shown(kind)} of the WTML is not kept: Constellations shows every image on the sky, "
        "where this one does not belong. Do not publish it",
    )


def _meaning_of_size(notes: Notes, values: Mapping[str, Any]) -> Doubt | None:
    """Return the doubt that the size of a tiled image is scale times pixels, as toasty writes it, and not an angle.

    Only our own attribute in a WTML distinguishes the two, so the doubt is raised if the difference is visible.
    """
    path = "wwt.base_degrees_per_tile"
    base, levels = number(values, path), number(values, "wwt.tile_levels")
    if notes.is_angle or not is_tan(values) or base is None or not 0 < base < 180:
        return None
    if levels is None or not 0 <= levels <= 30:
        return None
    wide, high = padded(int(levels), width_factor_of(values))
    pixels = wide / 2 * (scale_of_base(base, high) * high / base - 1)
    if pixels < _SEEN:
        return None
    angle = base_of_scale(base / high, high)
    scaled = (path, "wwt.offset_x", "wwt.offset_y")
    changes = {each: value * angle / base for each in scaled if (value := number(values, each)) is not None}
    return Doubt(
        DOUBTED_SIZE,
        path,
        f"{base:g} degrees may be the size of a pixel times their number, as toasty and other tools write it. WWT takes it for an "
        f"angle, and draws the image too large: up to {pixels:.2g} pixels at the edge of its tiles. If such a tool made the tiles, "
        "use the angle",
        f"Use {angle:.6g} degrees",
        changes,
        {each: values.get(each) for each in (*scaled, "wwt.tile_levels", "wwt.width_factor", "wwt.projection")},
    )


def _width(values: Mapping[str, Any], local: LocalImage | None) -> Doubt | None:
    """Return the doubt that the width of the tile tree on disk differs from its width factor."""
    path = "wwt.width_factor"
    if local is None or not local.tiled or not is_tan(values) or not local.where(local.top).is_file():
        return None
    if not (second := local.second_root):
        return None
    given = {path: values.get(path), "wwt.projection": "Tan"}
    if local.where(second).is_file():
        if width_factor_of(values) == 1:
            return None
        message = (
            f"must be 1: the tree has two tiles at its root, and with {shown(values.get(path))} WWT draws one of them"
        )
        return Doubt("CXW908", path, message, "Use 1", {path: 1}, given)
    if width_factor_of(values) == 2:
        return None
    message = "must be 2: the tree has one tile at its root, and with 1 WWT draws the image beside its place"
    return Doubt("CXW908", path, message, "Use 2", {path: 2}, given)


def _frame_of_hips(values: Mapping[str, Any], local: LocalImage | None) -> Doubt | None:
    """Return the doubt that WWT draws the HiPS on disk in another frame than its properties name.

    The engine turns one whose ``hips_frame`` is exactly "galactic" (`HealpixTile`), and takes any other for equatorial.
    """
    if local is None or not local.hips or values["wwt.projection"] != "Healpix":
        return None
    try:
        with local.open(local.top) as file:
            lines = file.read(_LONGEST_PROPERTIES).decode("utf-8", "replace").splitlines()
    except OSError:
        return None  # a remark says that it is not there
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    frame = next((value.strip() for name, _, value in pairs if name.strip() == "hips_frame"), "")
    if frame in ("", "galactic", "equatorial", "ICRS", "icrs"):
        return None
    return Doubt(
        "CXW910",
        "",
        f"The properties of the HiPS name the frame {shown(frame)} (hips_frame): WWT draws a HiPS in equatorial coordinates, or in galactic ones if "
        "it is called galactic, so this one would lie in the wrong place. Make it in one of these, for example with Aladin's hipsgen",
        given={"wwt.projection": "Healpix"},  # hosting changes the URL, and not the frame
    )


def _cuts(element: Element) -> tuple[float, float] | None:
    """Return the FITS pixel values drawn darkest and brightest, if given."""
    try:
        low, high = (float(element.get(attribute, "nan")) for attribute in ("PixelCutLow", "PixelCutHigh"))
    except ValueError:
        return None
    return (low, high) if -math.inf < low < high < math.inf else None


def based_at(base: str, url: str) -> str:
    """Return `url` as an absolute address under `base`; placeholders such as {1} stay unchanged.

    Raises
    ------
    SourceError
        If `base` is no web address.
    """
    try:
        return urljoin(base if base.endswith("/") else base + "/", url)
    except ValueError as error:
        raise SourceError(f"{shown(base)} is not a web address ({error}): correct it") from None
