"""CXW2xx: check that WWT draws the image, and draws it in the right place."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import SourceError
from ..geometry.engine import base_of_scale, displacement
from ..geometry.extent import guessed_size, middle_of
from ..geometry.fitting import TOLERANCE, UNSEEN, recentered
from ..geometry.plane import Plane, plane_of, width_factor_of
from ..geometry.sphere import separation
from ..geometry.transforms import PLACED, tidy
from ..schema import placement
from ..schema.placement import URL, Fault, Values, is_sky_image, is_tan, number, shown, text
from ..schema.tiles import SERVER
from .registry import ERROR, IMAGE_SIZE, INFO, WARNING, rule

for _code, _check in (
    ("CXW201", placement.known_projection),
    ("CXW202", placement.tan_is_not_bottoms_up),
    ("CXW203", placement.tan_has_levels),
    ("CXW204", placement.sky_image_has_no_levels),
    ("CXW205", placement.quad_tree_map_has_a_use),
):
    rule(_code, ERROR)(_check)


@rule("CXW206", ERROR)
def something_is_drawn(values: Values) -> Fault | None:
    """Report a size with which WWT draws no tile (`getTilesXForLevel` and `geoTo3dTan` of its engine)."""
    path, projection = "wwt.base_degrees_per_tile", text(values, "wwt.projection")
    base = number(values, path)
    if base is None or base <= 0:
        return None
    if projection == "Mercator" and base < 360:
        message = f"{base:g} degrees make WWT draw nothing in the projection Mercator, whose one tile has 360"
        return Fault(path, message, "Use 360", {path: 360.0})
    if projection == "Equirectangular" and base > 360:
        return Fault(path, f"{base:g} degrees make WWT draw nothing: a tile has at most 360, mostly 180")
    if projection == "Tan" and base >= 180:
        return Fault(path, f"{base:g} degrees make WWT draw nothing: no plane shows 180 degrees of the sky or more")
    return None


@rule("CXW207", WARNING)
def url_names_each_tile(values: Values) -> Fault | None:
    """Report a template that gives several tiles the same address, or has an unknown placeholder."""
    url, path = text(values, URL), "wwt.quad_tree_map"
    if "{Q}" in url and not text(values, path):
        message = "is empty, so that {Q} in the image URL is 0 for every tile: give the digits of its names"
        return Fault(path, message, "Use 0123", {path: "0123"})
    if "{1}" in url and (found := SERVER.search(url)):
        return Fault(URL, f"has {found[0]}, which WWT leaves as it is beside {{1}}: name one server")
    return None


@rule("CXW211", INFO)
def tan_is_two_tiles_wide(values: Values) -> Fault | None:
    """Report a tiled image whose pyramid is two tiles wide at its root, as older WWT tools write it."""
    if is_tan(values) and number(values, "wwt.width_factor") == 1:
        return Fault(
            "wwt.width_factor",
            "is 1: WWT looks for two tiles at the root, as older tools make them (0/0/0_0 and 0/0/0_1). toasty and cxw.tile make one, "
            "which is 2",
        )
    return None


@rule("CXW212", WARNING)
def tan_offsets_are_degrees(values: Values) -> list[Fault]:
    """Report offsets of a tiled image that are so large that they are probably pixels.

    A cutout of a mosaic may lie several image sizes away from its projection center.
    """
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
    """Report offsets of an untiled image that look like degrees, or were never set."""
    x, y = number(values, "wwt.offset_x"), number(values, "wwt.offset_y")
    if not is_sky_image(values) or x is None or y is None:
        return None
    if x == 0 and y == 0:
        return Fault(
            "wwt.offset_x",
            "is 0, and so is the other: that puts the image's lower left corner on the center. Its middle is half its width and height, in pixels",
        )
    if 0 < abs(x) < 1 and 0 < abs(y) < 1:
        return Fault(
            "wwt.offset_x",
            f"{x:g} and {y:g} are fractions of a pixel: are they degrees? Offsets of an untiled image are pixels",
        )
    return None


_WIDEST = 100.0  # degrees; lenses with a wider view do not project the sky on a plane
_FINEST = 1e-3 / 3600  # degrees per pixel: a milliarcsecond, which only interferometers resolve


@rule("CXW214", WARNING)
def scale_is_plausible(values: Values) -> Fault | None:
    """Report a scale that makes the image larger than the sky, or finer than any camera."""
    path = "wwt.base_degrees_per_tile"
    scale, levels = number(values, path), number(values, "wwt.tile_levels")
    if scale is None or scale <= 0:
        return None
    if is_sky_image(values) and scale > 0.5:
        return Fault(
            path,
            f"{scale:g} degrees for each pixel is very coarse: an untiled image takes degrees per pixel, not its whole height",
        )
    if (
        is_sky_image(values)
        and (size := values.get(IMAGE_SIZE))
        and (wide := base_of_scale(scale, max(size))) > _WIDEST
    ):
        words = f"{scale:g} degrees for each pixel makes the image {wide:.0f} degrees wide: is that seconds or minutes of arc? An untiled image"
        return Fault(path, f"{words} takes degrees per pixel")
    if is_tan(values) and scale > 180:
        return Fault(
            path, f"{scale:g} degrees is more than half the sky: a tiled image takes its padded height in degrees"
        )
    if is_tan(values) and levels is not None and 1 <= levels <= 30:
        pixel = scale / (256 * 2**levels)
        if pixel < _FINEST:
            words = f"{scale:g} degrees for the whole image makes pixels of {pixel * 3.6e6:.2g} milliarcseconds: is that degrees per pixel?"
            return Fault(path, f"{words} A tiled image takes its padded height")
    return None


@rule("CXW215", WARNING)
def rotation_is_within_a_turn(values: Values) -> Fault | None:
    """Report a rotation of more than one whole turn."""
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
    """Report an image at the default position, which was probably never placed."""
    if not (is_tan(values) or is_sky_image(values)):
        return None
    if number(values, "wwt.center_x") != 0 or number(values, "wwt.center_y") != 0:
        return None
    return Fault(
        "wwt.center_x",
        "is 0, and so is the declination, as in an image that was never placed. Set where on the sky the image belongs",
    )


@dataclass(frozen=True)
class _FarCenter:
    """A projection center away from the middle of an image: by how many pixels WWT displaces the image, and how to change that."""

    displaced: float
    fault: Fault


def _far_center(values: Values) -> _FarCenter | None:
    known = values.get(IMAGE_SIZE)
    try:
        plane, size = plane_of(values, known), known or guessed_size(values)
        far = separation((plane.ra, plane.dec), middle_of(plane, size))
    except (SourceError, ArithmeticError, TypeError):
        return None
    width, height = size
    corners = [(x, y) for x in (0, width) for y in (0, height)] if known else []
    displaced = _displaced(plane, (width / 2, height / 2), *corners)
    if not UNSEEN < displaced < math.inf:  # numbers of any size can be typed
        return None
    nearer, error = recentered(plane, size)
    message = f"is the projection center, {far:.3g} degrees from the middle of the image: WWT draws the image up to {displaced:.2g} pixels"
    if error > displaced / 2 or nearer.mirrored != plane.mirrored:
        # Within the tolerance, no other plane is worth the advice.
        return _FarCenter(displaced, Fault("wwt.center_x", f"{message} {_TOO_WIDE}")) if displaced > TOLERANCE else None
    # For tiles, `size` may be that of all tiles together: their middle is the image's.
    there = (
        nearer.tiled(size, width_factor_of(values), int(values["wwt.tile_levels"]))
        if is_tan(values)
        else nearer.untiled()
    )
    changes = tidy({path: there[path] for path in PLACED}, plane.scale, is_tan(values))
    message += f" nearer to it than it is. A projection center in the image is off by at most {max(error, 0.001):.2g}"
    return _FarCenter(displaced, Fault("wwt.center_x", message, "Move the projection center to the image", changes))


_TOO_WIDE = (
    "away from its place if its middle is in view. The image is too wide for another projection center to be much better: reproject the "
    "picture to a projection center in its middle"
)


def _displaced(plane: Plane, middle: tuple[float, float], *others: tuple[float, float]) -> float:
    """Return how many pixels away from its place WWT draws one of these pixels at most, if the first one is in the middle of the view."""
    looking_at = plane.on_plane(*middle)
    found = (float(displacement(*plane.on_plane(*pixel), looking_at)) for pixel in (middle, *others))
    return max(found) / plane.scale


@rule("CXW219", WARNING)
def image_is_at_its_projection_center(values: Values) -> Fault | None:
    """Report a projection center so far from the image that WWT visibly draws the image in the wrong place."""
    found = _far_center(values)
    return found.fault if found and found.displaced > TOLERANCE else None


@rule("CXW220", INFO)
def projection_center_may_be_far(values: Values) -> Fault | None:
    """Report a projection center that displaces the image a little, or perhaps much: if the size of its file is unknown."""
    found = _far_center(values)
    if found:
        return found.fault if found.displaced <= TOLERANCE else None
    if values.get(IMAGE_SIZE) or not is_sky_image(values):
        return None
    try:
        plane = plane_of(values)
    except (SourceError, ArithmeticError, TypeError):
        return None
    # The corner that every image has, whatever its size.
    displaced = _displaced(plane, (0, 0))
    if displaced <= TOLERANCE:
        return None
    return Fault(
        "wwt.offset_x",
        f"and the other, {plane.x:g} and {plane.y:g} pixels, place the projection center, and the size of the image is not known. If "
        f"the image is smaller than that, WWT draws it up to {displaced:.2g} pixels away from its position: compare its width and height",
    )


@rule("CXW221", WARNING)
def projection_is_drawn(values: Values) -> Fault | None:
    """Report a projection that WWT's web engine does not draw (`Imageset.getNewTile`)."""
    path, name = "wwt.projection", text(values, "wwt.projection")
    if name == "Spherical":
        return Fault(
            path,
            "is Spherical, which WWT draws as Toast: the image lies in the wrong place unless its tiles are made for Toast. For tiles "
            "in right ascension and declination use Equirectangular",
        )
    if name == "Plotted":
        return Fault(path, "is Plotted, for which WWT draws lists of stars and no pictures: use Tan, SkyImage or Toast")
    return None


_SPELLINGS = {".jpeg": ".jpg", ".fit": ".fits", ".fts": ".fits", ".tiff": ".tif"}
_DRAWN = (".png", ".jpg", ".fits")
_PICTURES = (*_DRAWN, ".gif", ".webp", ".tif")


def _extension(name: str) -> str:
    """Return the extension of `name` in WWT's spelling (".jpg" for "a/b.JPEG"); "" if it is not a known one."""
    found = re.search(r"\.[a-z]+$", name.lower())
    extension = _SPELLINGS.get(found[0], found[0]) if found else ""
    return extension if extension in _PICTURES else ""


@rule("CXW216", WARNING)
def file_type_matches_url(values: Values) -> Fault | None:
    """Report a file type that differs from the URL's extension."""
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
    """Report a file type that WWT does not draw, or not under this name."""
    given = text(values, "wwt.file_type")
    name = given.strip()
    if not name and isinstance(values.get("wwt.file_type"), str):
        meant = _extension(text(values, URL))
        fix = (f"Use {meant}", {"wwt.file_type": meant}) if meant in _DRAWN else ()
        return Fault("wwt.file_type", "is empty: give .png, .jpg or .fits", *fix)
    if " " in name or given in (*_DRAWN, ".jpeg"):
        return None
    if text(values, "wwt.projection") == "Healpix" and name.lower().lstrip(".") in (
        "png",
        "jpg",
        "jpeg",
        "fits",
        "tsv",
    ):
        return None  # for a HiPS these are names of types
    meant = _extension("." + name.lstrip("."))
    if meant in _DRAWN:
        return Fault("wwt.file_type", f"{shown(given)} is written {meant}", f"Use {meant}", {"wwt.file_type": meant})
    if meant == ".tif":
        return Fault(
            "wwt.file_type", f"is {shown(given)}, which no browser draws: use .png, .jpg or, for FITS, exactly .fits"
        )
    return None
