"""Rules of WWT that tie several fields together: what breaks them can't be drawn, or is drawn in the wrong place.

Each rule looks at the flat values of a draft (see `fields.py`), whatever was typed there, and stays silent about values of the wrong type:
those are other rules' business. The submission refuses what any of `RULES` finds; the checks show it at the field, with its fix.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

Values = Mapping[str, Any]

PROJECTIONS = ("Tan", "SkyImage", "Toast", "Healpix", "Mercator", "Equirectangular", "Spherical", "Plotted")
PLACEHOLDERS = re.compile(r"\{[^{}]*\}")

URL = "storage.legacy_url_template"
THUMBNAIL = "wwt.thumbnail_url"


@dataclass(frozen=True)
class Fault:
    """What a rule found: the field, a message in words, and changes (path → value) that would mend it, named by `label`."""

    field: str
    message: str
    label: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


Rule = Callable[[Values], Fault | None]


def text(values: Values, path: str) -> str:
    """The text at `path`, "" where there is none."""
    value = values.get(path)
    return value if isinstance(value, str) else ""


def number(values: Values, path: str) -> float | None:
    """The number at `path`, None where there is none that is finite."""
    value = values.get(path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # a whole number beyond all floats
        return None


def shown(value: Any, limit: int = 60) -> str:
    """A value for a message: never longer than `limit`, whatever was typed."""
    try:
        text = repr(value)
    except Exception:  # a number of thousands of digits, an object that can't be shown
        text = f"this {type(value).__name__}"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def is_tan(values: Values) -> bool:
    return text(values, "wwt.projection") == "Tan"


def is_sky_image(values: Values) -> bool:
    return text(values, "wwt.projection") == "SkyImage"


def has_tiles(url: str) -> bool:
    """Whether `url` is a template of tile addresses rather than the address of one file."""
    return bool(PLACEHOLDERS.search(url))


def known_projection(values: Values) -> Fault | None:
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
        f"{shown(name)} is no projection of WWT, which would silently draw it as Toast; choose one of {', '.join(PROJECTIONS)}",
    )


def tan_is_not_bottoms_up(values: Values) -> Fault | None:
    if is_tan(values) and values.get("wwt.bottoms_up") is True:
        return Fault(
            "wwt.bottoms_up",
            "must be off for a tiled image (Tan): nothing would be drawn",
            "Turn it off",
            {"wwt.bottoms_up": False},
        )
    return None


def tan_has_levels(values: Values) -> Fault | None:
    levels = number(values, "wwt.tile_levels")
    if is_tan(values) and levels is not None and levels < 1:
        return Fault("wwt.tile_levels", "must be at least 1 for a tiled image (Tan): log2 of the padded size / 256")
    return None


def sky_image_has_no_levels(values: Values) -> Fault | None:
    levels = number(values, "wwt.tile_levels")
    if is_sky_image(values) and levels is not None and levels != 0:
        return Fault("wwt.tile_levels", "must be 0 for an untiled image (SkyImage)", "Set to 0", {"wwt.tile_levels": 0})
    return None


def tan_url_names_tiles(values: Values) -> Fault | None:
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
    url = text(values, URL)
    if is_sky_image(values) and (found := PLACEHOLDERS.search(url)):
        return Fault(
            URL,
            f"an untiled image (SkyImage) is one file, but its URL has the placeholder {_plain(found[0])}; for tiles use Tan",
        )
    return None


_SETS_OF_PLACEHOLDERS = (
    {"{1}", "{2}", "{3}"},
    {"{0}", "{1}", "{2}", "{3}"},
    {"{L}", "{X}", "{Y}"},
    {"{Q}"},
)


def url_has_all_placeholders(values: Values) -> Fault | None:
    url = text(values, URL)
    found = set(PLACEHOLDERS.findall(url))
    if re.search("[{}]", PLACEHOLDERS.sub("", url)):
        return Fault(URL, "has a brace without its partner: a placeholder is written {1}")
    if not found or found - {"{S}"} in _SETS_OF_PLACEHOLDERS:
        return None
    names = ", ".join(sorted(found))
    return Fault(
        URL,
        f"has the placeholders {_plain(names)}; WWT knows {{1}} {{2}} {{3}} (level, x, y), {{L}} {{X}} {{Y}}, or {{Q}}",
    )


def _plain(words: str) -> str:
    return words if len(words) <= 60 else f"{words[:59]}…"


def quad_tree_map_has_a_use(values: Values) -> Fault | None:
    url = text(values, URL)
    if text(values, "wwt.quad_tree_map") and url and "{Q}" not in url and "{S}" not in url:
        return Fault(
            "wwt.quad_tree_map",
            "must be empty unless the image URL has {Q} or {S}",
            "Empty it",
            {"wwt.quad_tree_map": ""},
        )
    return None


@lru_cache(maxsize=256)  # several rules ask for the same addresses
def web_address_fault(url: str) -> str | None:
    """Why `url` is no absolute web address that others can use, or None if it is one."""
    if re.search(r"[\s\\]", url):
        return "has a space or a backslash in it: write %20 for a space, / for a backslash"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is no web address ({_plain(str(error))})"
    if not parts.scheme:
        return "is no whole web address: say where everybody will find it, beginning with https:// (in Python: draft.host_at)"
    if parts.scheme.lower() not in ("http", "https"):
        return "must be a public web address that begins with https:// (or http://)"
    if not host or not re.search(r"\w", host):
        return "names no server after https://"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password, and everybody will be able to read it: use an address that needs none"
    return None


def url_is_a_web_address(values: Values) -> Fault | None:
    url = text(values, URL)
    reason = url and web_address_fault(PLACEHOLDERS.sub("0", url))
    return Fault(URL, reason) if reason else None


def thumbnail_is_a_web_address(values: Values) -> Fault | None:
    url = text(values, THUMBNAIL)
    reason = url and (
        web_address_fault(url) or (has_tiles(url) and "is the address of one small JPEG and takes no placeholders")
    )
    return Fault(THUMBNAIL, reason) if reason else None


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
    """All that `RULES` find wrong with `values`."""
    return [fault for rule in RULES if (fault := rule(values))]
