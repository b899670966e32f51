"""WWT's rules across several fields: a placement that breaks one is not drawn, or is drawn in the wrong place.

Each rule reads the flat values of a draft (see `fields.py`), whatever the user typed, and ignores values of the wrong
type, which other rules report. The submission rejects what any of `RULES` finds; the checks show it at the field,
with its fix.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field  # the classes have a field of that name
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from ..interface import in_terms
from ..text import clipped
from .tiles import PLACEHOLDERS, has_tiles, is_hips, is_known_template, uses_quad_tree, without_extension

Values = Mapping[str, Any]

PROJECTIONS = ("Tan", "SkyImage", "Toast", "Healpix", "Mercator", "Equirectangular", "Spherical", "Plotted")

URL = "storage.legacy_url_template"
THUMBNAIL = "wwt.thumbnail_url"


@dataclass(frozen=True)
class Fault:
    """Finding of a rule: the field, a message, and changes (path → value) that fix it, named by `label`."""

    field: str
    message: str
    label: str = ""
    changes: Mapping[str, Any] = dataclass_field(default_factory=dict)


Rule = Callable[[Values], Fault | None]


def text(values: Values, path: str) -> str:
    """Return the text at `path`; "" if there is none."""
    value = values.get(path)
    return value if isinstance(value, str) else ""


def number(values: Values, path: str) -> float | None:
    """Return the number at `path`; None if there is no finite one."""
    value = values.get(path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer too large for a float
        return None


def shown(value: Any, limit: int = 60) -> str:
    """Return a value for a message, never longer than `limit`."""
    try:
        text = repr(value)
    except Exception:  # a number with thousands of digits, or an object without a repr  # noqa: BLE001
        text = f"this {type(value).__name__}"
    return clipped(text, limit)


def is_tan(values: Values) -> bool:
    """Return whether the projection is Tan: a tiled image on a tangent plane."""
    return text(values, "wwt.projection") == "Tan"


def is_sky_image(values: Values) -> bool:
    """Return whether the projection is SkyImage: an untiled image on a tangent plane."""
    return text(values, "wwt.projection") == "SkyImage"


def known_projection(values: Values) -> Fault | None:
    """Return a fault if the projection is unknown to WWT."""
    name = text(values, "wwt.projection")
    if name in PROJECTIONS or not name:
        return None
    use = {"tangent": "Tan"} | {known.lower(): known for known in PROJECTIONS}
    if known := use.get(name.strip().lower()):
        reason = "which breaks the Constellations site" if known == "Tan" else "which WWT does not know"
        message = f"is written {shown(name)}, {reason}; the name to use is {known}"
        return Fault("wwt.projection", message, f"Use {known}", {"wwt.projection": known})
    return Fault(
        "wwt.projection",
        f"{shown(name)} is not a projection of WWT, which would silently draw it as Toast; choose one of {', '.join(PROJECTIONS)}",
    )


def tan_is_not_bottoms_up(values: Values) -> Fault | None:
    """Return a fault if a tiled image is bottoms-up: WWT would draw nothing."""
    if is_tan(values) and values.get("wwt.bottoms_up") is True:
        return Fault(
            "wwt.bottoms_up",
            "must be off for a tiled image (Tan): nothing would be drawn",
            "Turn it off",
            {"wwt.bottoms_up": False},
        )
    return None


def tan_has_levels(values: Values) -> Fault | None:
    """Return a fault if a tiled image has no levels of tiles."""
    levels = number(values, "wwt.tile_levels")
    if is_tan(values) and levels is not None and levels < 1:
        return Fault("wwt.tile_levels", "must be at least 1 for a tiled image (Tan): log2 of the padded size / 256")
    return None


def sky_image_has_no_levels(values: Values) -> Fault | None:
    """Return a fault if an untiled image has levels of tiles."""
    levels = number(values, "wwt.tile_levels")
    if is_sky_image(values) and levels is not None and levels != 0:
        return Fault("wwt.tile_levels", "must be 0 for an untiled image (SkyImage)", "Set to 0", {"wwt.tile_levels": 0})
    return None


def tan_url_names_tiles(values: Values) -> Fault | None:
    """Return a fault if the URL of a tiled image has no placeholders."""
    url = text(values, URL)
    if not is_tan(values) or not url or has_tiles(url):
        return None
    if has_tiles(decoded := re.sub("%7B", "{", re.sub("%7D", "}", url, flags=re.IGNORECASE), flags=re.IGNORECASE)):
        return Fault(
            URL, "has %7B and %7D, as a browser writes them, where WWT looks for { and }", "Use { and }", {URL: decoded}
        )
    return Fault(
        URL,
        "a tiled image (Tan) needs the place of level, x and y in its URL, such as …/{1}/{3}/{3}_{2}.png; for a single file use SkyImage",
    )


def sky_image_url_is_one_file(values: Values) -> Fault | None:
    """Return a fault if the URL of an untiled image has placeholders."""
    url = text(values, URL)
    if is_sky_image(values) and (found := PLACEHOLDERS.search(url)):
        return Fault(
            URL,
            f"an untiled image (SkyImage) is one file, but its URL has the placeholder {clipped(found[0])}; for tiles use Tan",
        )
    return None


def url_has_all_placeholders(values: Values) -> Fault | None:
    """Return a fault if WWT does not know the placeholders of the image URL."""
    url, projection = text(values, URL), text(values, "wwt.projection")
    if re.search("[{}]", PLACEHOLDERS.sub("", url)):
        return Fault(URL, "has an unmatched brace: a placeholder is written {1}")
    if projection == "Healpix":
        return _hips_fault(url)
    found = set(PLACEHOLDERS.findall(url))
    if not found or is_known_template(url, projection, text(values, "wwt.quad_tree_map")):
        return None
    if is_hips(url):
        return Fault(URL, f"is an address of HiPS tiles, but the projection is {shown(projection)}: HiPS needs Healpix")
    names = ", ".join(sorted(found))
    return Fault(
        URL,
        f"has the placeholders {clipped(names)}; WWT knows {{1}} {{2}} {{3}} (level, x, y), {{L}} {{X}} {{Y}}, or {{Q}}",
    )


def _hips_fault(url: str) -> Fault | None:
    if not url:
        return None
    if not is_hips(url):
        return Fault(URL, "must name HiPS tiles as …/Norder{0}/Dir{1}/Npix{2}, since the projection is Healpix")
    if "norder" not in url.lower():
        return Fault(URL, "has no Norder{0}: WWT looks for the file properties of a HiPS in the folder above that")
    if (plain := without_extension(url)) != url:
        return Fault(
            URL,
            "ends with an extension, and WWT appends one itself: its tiles are not found",
            "Remove it",
            {URL: plain},
        )
    return None


def quad_tree_map_has_a_use(values: Values) -> Fault | None:
    """Return a fault if there is a quad tree map, but the image URL has no quad tree placeholder."""
    url = text(values, URL)
    if text(values, "wwt.quad_tree_map") and url and not uses_quad_tree(url, text(values, "wwt.projection")):
        return Fault(
            "wwt.quad_tree_map",
            "must be empty unless the image URL has {Q} or {S}",
            "Empty it",
            {"wwt.quad_tree_map": ""},
        )
    return None


@lru_cache(maxsize=256)  # several rules check the same addresses
def web_address_fault(url: str) -> str | None:
    """Return why `url` is no absolute web address that others can use; None if it is one."""
    if re.search(r"[\s\\]", url):
        return "has a space or a backslash in it: write %20 for a space, / for a backslash"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a web address ({clipped(str(error))})"
    if not parts.scheme:
        return "Enter a full web address starting with https://"
    if parts.scheme.lower() not in ("http", "https"):
        return "must be a public web address that begins with https:// (or http://)"
    if not host or not re.search(r"\w", host):
        return "The address has no host name after https://"
    if parts.username is not None or parts.password is not None:
        return "contains a user name or password, which will be public: use an address that needs none"
    return None


def url_is_a_web_address(values: Values) -> Fault | None:
    """Return a fault if the image URL is no public web address."""
    url = text(values, URL)
    reason = url and web_address_fault(PLACEHOLDERS.sub("0", url))
    hint = (
        in_terms(" (in Python: draft.host_at)", " (constellations-widgets host enters it)") if "://" not in url else ""
    )  # a path, as tools write it
    return _address_fault(URL, url, f"{reason}{hint}") if reason else None


def _address_fault(path: str, url: str, reason: str) -> Fault:
    """Return the fault of an address; with the address that is meant, where only https:// is missing or a space is to be escaped."""
    meant = url.strip().replace(" ", "%20")
    if re.match(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/", meant, re.IGNORECASE):
        meant = f"https://{meant}"
    if meant == url or web_address_fault(PLACEHOLDERS.sub("0", meant)):
        return Fault(path, reason)
    return Fault(path, reason, f"Use {clipped(meant)}", {path: meant})


def thumbnail_is_a_web_address(values: Values) -> Fault | None:
    """Return a fault if the thumbnail URL is no public web address."""
    url = text(values, THUMBNAIL)
    reason = url and (
        web_address_fault(url) or (has_tiles(url) and "is the address of one small JPEG and takes no placeholders")
    )
    return _address_fault(THUMBNAIL, url, reason) if reason else None


RULES: tuple[Rule, ...] = (
    known_projection,
    tan_is_not_bottoms_up,
    tan_has_levels,
    sky_image_has_no_levels,
    tan_url_names_tiles,
    sky_image_url_is_one_file,
    url_has_all_placeholders,
    quad_tree_map_has_a_use,
    url_is_a_web_address,
    thumbnail_is_a_web_address,
)


def faults(values: Values) -> list[Fault]:
    """Return everything that `RULES` find wrong with `values`."""
    return [fault for rule in RULES if (fault := rule(values))]
