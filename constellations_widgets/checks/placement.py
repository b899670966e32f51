"""CXW2xx: would WWT draw the image, and draw it where it belongs?"""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from ..schema import placement
from ..schema.placement import URL, Fault, Values, is_sky_image, is_tan, number, text
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
    if is_tan(values) and values.get("wwt.width_factor") == 1:
        return Fault("wwt.width_factor", "1 shifts a tiled image: WWT's tools write 2", "Use 2", {"wwt.width_factor": 2})
    return None


@rule("CXW212", WARNING)
def tan_offsets_are_degrees(values: Values) -> list[Fault]:
    """Offsets of a tiled image that are larger than the image: probably pixels."""
    size = number(values, "wwt.base_degrees_per_tile")
    if not is_tan(values) or size is None or not 0 < size < math.inf:
        return []
    paths = ("wwt.offset_x", "wwt.offset_y")
    far = [path for path in paths if abs(number(values, path) or 0) > size]
    return [
        Fault(path, f"{values[path]:g} degrees moves the image by more than its own size ({size:g}°): is that pixels? Tiled offsets are degrees")
        for path in far
    ]


@rule("CXW213", WARNING)
def sky_image_offsets_are_pixels(values: Values) -> Fault | None:
    """Offsets of an untiled image that look like degrees, or were never set."""
    x, y = number(values, "wwt.offset_x"), number(values, "wwt.offset_y")
    if not is_sky_image(values) or x is None or y is None:
        return None
    if x == 0 and y == 0:
        return Fault("wwt.offset_x", "0 and 0 put the image's lower left corner on the centre; its middle is half its width and height, in pixels")
    if 0 < abs(x) < 1 and 0 < abs(y) < 1:
        return Fault("wwt.offset_x", f"{x:g} and {y:g} are fractions of a pixel: are they degrees? Offsets of an untiled image are pixels")
    return None


@rule("CXW214", WARNING)
def scale_is_plausible(values: Values) -> Fault | None:
    """A scale that would make the image larger than the sky, or a point."""
    path = "wwt.base_degrees_per_tile"
    scale = number(values, path)
    if scale is None or not 0 < scale < math.inf:
        return None
    if is_sky_image(values) and scale > 0.5:
        return Fault(path, f"{scale:g} degrees for each pixel is very coarse: an untiled image wants degrees per pixel, not its whole height")
    if is_tan(values) and scale > 180:
        return Fault(path, f"{scale:g} degrees is more than half the sky: a tiled image wants its padded height in degrees")
    if is_tan(values) and scale < 1e-5:
        return Fault(path, f"{scale:g} degrees is {scale * 3600:g} arcseconds for the whole image: is that degrees per pixel?")
    return None


@rule("CXW215", WARNING)
def rotation_is_within_a_turn(values: Values) -> Fault | None:
    """More than one whole turn."""
    turn = number(values, "wwt.rotation")
    if turn is None or not math.isfinite(turn) or abs(turn) <= 360:
        return None
    same = math.remainder(turn, 360)
    return Fault("wwt.rotation", f"{turn:g} degrees is more than a whole turn; {same:g} is the same", f"Use {same:g}", {"wwt.rotation": same})


@rule("CXW216", WARNING)
def file_type_matches_url(values: Values) -> Fault | None:
    """The file type is another than the URL's extension."""
    given, url = text(values, "wwt.file_type"), text(values, URL)
    try:
        name = urlsplit(url).path.rsplit("/", 1)[-1]
    except ValueError:
        return None
    meant = "." + name.rsplit(".", 1)[-1].lower() if "." in name.strip(".") else ""
    same = {".jpeg": ".jpg", ".fit": ".fits", ".fts": ".fits"}
    known = (".png", ".jpg", ".jpeg", ".fits", ".fit", ".fts", ".gif", ".webp", ".tif", ".tiff")
    if meant not in known or same.get(given.lower(), given.lower()) == same.get(meant, meant):
        return None
    use = same.get(meant, meant)
    return Fault("wwt.file_type", f"{given or 'nothing'!r} is given, but the image URL ends with {meant}", f"Use {use}", {"wwt.file_type": use})


@rule("CXW217", WARNING)
def file_type_is_shown_by_wwt(values: Values) -> Fault | None:
    """A file type that WWT's web client does not draw."""
    given = text(values, "wwt.file_type")
    if given and not given.startswith(".") and " " not in given and given.lower() in ("png", "jpg", "jpeg", "fits"):
        use = ".jpg" if given.lower() == "jpeg" else f".{given.lower()}"
        return Fault("wwt.file_type", f"{given!r} needs its dot", f"Use {use}", {"wwt.file_type": use})
    if given.lower() in (".tif", ".tiff", ".fit", ".fts"):
        return Fault("wwt.file_type", f"WWT does not draw {given} files: use .png, .jpg or, for FITS, exactly .fits")
    if not given and "wwt.file_type" in values:
        return Fault("wwt.file_type", "is empty: give .png, .jpg or .fits")
    return None
