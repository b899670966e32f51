"""CXW2xx: would WWT draw the image, and draw it where it belongs?"""

from __future__ import annotations

import math
import re
from urllib.parse import urlsplit

from ..schema import placement
from ..schema.placement import URL, Fault, Values, is_sky_image, is_tan, number, shown, text
from .registry import ERROR, WARNING, rule

for _code, _check in (
    ("CXW201", placement.known_projection),
    ("CXW202", placement.tan_is_not_bottoms_up),
    ("CXW203", placement.tan_has_levels),
    ("CXW204", placement.sky_image_has_no_levels),
    ("CXW205", placement.quad_tree_map_has_a_use),
):
    rule(_code, ERROR)(_check)


@rule("CXW211", WARNING)
def tan_has_width_factor_2(values: Values) -> Fault | None:
    """A tiled image with another width factor is shifted."""
    if is_tan(values) and number(values, "wwt.width_factor") == 1:
        return Fault(
            "wwt.width_factor", "1 shifts a tiled image: WWT's tools write 2", "Use 2", {"wwt.width_factor": 2}
        )
    return None


@rule("CXW212", WARNING)
def tan_offsets_are_degrees(values: Values) -> list[Fault]:
    """Offsets of a tiled image so large that they are probably pixels. (A cutout of a mosaic may lie some sizes away from its centre.)"""
    size = number(values, "wwt.base_degrees_per_tile")
    if not is_tan(values) or size is None or size <= 0:
        return []
    offsets = {path: number(values, path) or 0 for path in ("wwt.offset_x", "wwt.offset_y")}
    return [
        Fault(
            path,
            f"{offset:g} degrees moves an image of {size:g} degrees out of sight: is that pixels? Offsets of a tiled image are degrees",
        )
        for path, offset in offsets.items()
        if abs(offset) > min(10 * size, 90)
    ]


@rule("CXW213", WARNING)
def sky_image_offsets_are_pixels(values: Values) -> Fault | None:
    """Offsets of an untiled image that look like degrees, or were never set."""
    x, y = number(values, "wwt.offset_x"), number(values, "wwt.offset_y")
    if not is_sky_image(values) or x is None or y is None:
        return None
    if x == 0 and y == 0:
        return Fault(
            "wwt.offset_x",
            "is 0, and so is the other: that puts the image's lower left corner on the centre. Its middle is half its width and height, in pixels",
        )
    if 0 < abs(x) < 1 and 0 < abs(y) < 1:
        return Fault(
            "wwt.offset_x",
            f"{x:g} and {y:g} are fractions of a pixel: are they degrees? Offsets of an untiled image are pixels",
        )
    return None


_FINEST = 1e-3 / 3600  # degrees for a pixel: a milliarcsecond, which only interferometers resolve


@rule("CXW214", WARNING)
def scale_is_plausible(values: Values) -> Fault | None:
    """A scale that would make the image larger than the sky, or finer than any camera."""
    path = "wwt.base_degrees_per_tile"
    scale, levels = number(values, path), number(values, "wwt.tile_levels")
    if scale is None or scale <= 0:
        return None
    if is_sky_image(values) and scale > 0.5:
        return Fault(
            path,
            f"{scale:g} degrees for each pixel is very coarse: an untiled image wants degrees per pixel, not its whole height",
        )
    if is_tan(values) and scale > 180:
        return Fault(
            path, f"{scale:g} degrees is more than half the sky: a tiled image wants its padded height in degrees"
        )
    if is_tan(values) and levels is not None and 1 <= levels <= 30:
        pixel = scale / (256 * 2**levels)
        if pixel < _FINEST:
            words = f"{scale:g} degrees for the whole image makes pixels of {pixel * 3.6e6:.2g} milliarcseconds: is that degrees per pixel?"
            return Fault(path, f"{words} A tiled image wants its padded height")
    return None


@rule("CXW215", WARNING)
def rotation_is_within_a_turn(values: Values) -> Fault | None:
    """More than one whole turn."""
    turn = number(values, "wwt.rotation")
    if turn is None or abs(turn) <= 360:
        return None
    same = round(math.remainder(turn, 360), 9)
    return Fault(
        "wwt.rotation",
        f"{turn:g} degrees is more than a whole turn; {same:g} is the same",
        f"Use {same:g}",
        {"wwt.rotation": same},
    )


@rule("CXW218", WARNING)
def center_was_given(values: Values) -> Fault | None:
    """An image exactly where those lie that nobody has placed."""
    if not (is_tan(values) or is_sky_image(values)):
        return None
    if number(values, "wwt.center_x") != 0 or number(values, "wwt.center_y") != 0:
        return None
    return Fault(
        "wwt.center_x",
        "is 0, and so is the declination: there lies what nobody has placed. Say where on the sky the image belongs",
    )


_SPELLINGS = {".jpeg": ".jpg", ".fit": ".fits", ".fts": ".fits", ".tiff": ".tif"}
_DRAWN = (".png", ".jpg", ".fits")
_PICTURES = (*_DRAWN, ".gif", ".webp", ".tif")


def _extension(name: str) -> str:
    """The kind of file that `name` names, spelled as WWT does: ".jpg" for "a/b.JPEG", "" where it names none that is known."""
    found = re.search(r"\.[a-z]+$", name.lower())
    extension = _SPELLINGS.get(found[0], found[0]) if found else ""
    return extension if extension in _PICTURES else ""


@rule("CXW216", WARNING)
def file_type_matches_url(values: Values) -> Fault | None:
    """The file type is another than the URL's extension."""
    given = text(values, "wwt.file_type").strip()
    try:
        meant = _extension(urlsplit(text(values, URL)).path)
    except ValueError:
        return None
    if not meant or not given or " " in given or _extension("." + given.lstrip(".")) == meant:  # several words: HiPS
        return None
    fix = (f"Use {meant}", {"wwt.file_type": meant}) if meant in _DRAWN else ()
    return Fault("wwt.file_type", f"{shown(given)} is given, but the image URL ends with {meant}", *fix)


@rule("CXW217", WARNING)
def file_type_is_shown_by_wwt(values: Values) -> Fault | None:
    """A file type that WWT does not draw, or not under this name."""
    given = text(values, "wwt.file_type")
    name = given.strip()
    if not name and isinstance(values.get("wwt.file_type"), str):
        meant = _extension(text(values, URL))
        fix = (f"Use {meant}", {"wwt.file_type": meant}) if meant in _DRAWN else ()
        return Fault("wwt.file_type", "is empty: give .png, .jpg or .fits", *fix)
    if " " in name or given in (*_DRAWN, ".jpeg"):
        return None
    meant = _extension("." + name.lstrip("."))
    if meant in _DRAWN:
        return Fault("wwt.file_type", f"{shown(given)} is written {meant}", f"Use {meant}", {"wwt.file_type": meant})
    if meant == ".tif":
        return Fault(
            "wwt.file_type", f"is {shown(given)}, which no browser draws: use .png, .jpg or, for FITS, exactly .fits"
        )
    return None
