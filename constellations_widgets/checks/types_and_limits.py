"""CXW1xx: check that each value has the right type, is within its limits, and is accepted by the server."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

from ..errors import SourceError
from ..geometry.angles import ANGLE, DEC, RA, parse_angle, parse_number
from ..geometry.transforms import without_negative_base
from ..schema.fields import BODY_LIMIT, FORBIDDEN_CHARACTERS, FieldSpec, fields, nest, utf16_length
from ..schema.placement import Fault, Values, number, shown
from .registry import ERROR, rule

_NUMBERS = ("number", "integer")
_WHAT_TO_ENTER = {
    "permissions.copyright": "Enter a copyright statement, e.g. “Copyright 2026 Jane Doe”",
    "permissions.license": "Choose a license, e.g. CC-BY-4.0",
    "storage.legacy_url_template": "Enter the address under which everyone can load the image, e.g. https://example.org/m51.jpg",
}
_MAY_BE_EMPTY = {"note", "wwt.quad_tree_map", "wwt.thumbnail_url", "wwt.file_type"}  # other rules report it


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value


@cache
def _specs(*kinds: str) -> tuple[tuple[str, FieldSpec], ...]:
    return tuple((path, spec) for path, spec in fields().items() if not kinds or spec.kind in kinds)


def _filled(values: Values, *kinds: str) -> Iterator[tuple[FieldSpec, Any]]:
    for path, spec in _specs(*kinds):
        value = values.get(path)
        if value is not None and not _is_blank(value):
            yield spec, value


@rule("CXW101", ERROR)
def required_fields_are_filled(values: Values) -> Iterator[Fault]:
    """Report an empty field that the server requires."""
    for path, spec in fields().items():
        value = values.get(path)
        if spec.required and (
            value is None or (isinstance(value, str) and not value.strip() and path not in _MAY_BE_EMPTY)
        ):
            yield Fault(path, _WHAT_TO_ENTER.get(path) or f"Required. {spec.description.removesuffix('.')}")


def _is_in_range(spec: FieldSpec, value: float) -> bool:
    above, least, most = spec.above, spec.minimum, spec.maximum
    return (above is None or value > above) and (least is None or value >= least) and (most is None or value <= most)


_MEANING = {"wwt.center_x": RA, "wwt.center_y": DEC}
_PIXELS = ("wwt.offset_x", "wwt.offset_y")


def number_meant(path: str, typed: Any, projection: Any = None) -> float | int | None:
    """Return the number that a text typed into a number field means, within the field's range; None if that is unclear.

    "13:29:52.7" is a right ascension in hours, "202,4696" has a decimal comma, "0.36 arcsec" is converted to degrees.
    Offsets are angles unless `projection` is SkyImage, which counts them in pixels.
    """
    spec = fields().get(path)
    if spec is None or spec.kind not in _NUMBERS or not isinstance(typed, str) or not typed.strip():
        return None
    plain = spec.kind == "integer" or (path in _PIXELS and projection != "Tan") or not spec.unit
    try:
        meant = parse_number(typed) if plain else parse_angle(typed, what=_MEANING.get(path, ANGLE))
    except SourceError:
        return None
    if spec.kind == "integer":
        if not meant.is_integer():
            return None
        meant = int(meant)
    return meant if _is_in_range(spec, meant) else None


@rule("CXW102", ERROR)
def numbers_are_numbers(values: Values) -> Iterator[Fault]:
    """Report a value that is not a number where one is required."""
    for spec, value in _filled(values, *_NUMBERS):
        if not _is_number(value):
            meant = number_meant(spec.path, value, values.get("wwt.projection"))
            fix = (f"Use {meant!r}", {spec.path: meant}) if meant is not None else ()
            unit = f" of {spec.unit}" if isinstance(spec.unit, str) and spec.unit else ""
            yield Fault(spec.path, f"must be a number{unit}, not {shown(value)}", *fix)


@rule("CXW103", ERROR)
def numbers_are_finite(values: Values) -> Iterator[Fault]:
    """Report NaN, infinity, or a number too large for a double."""
    for spec, value in _filled(values, *_NUMBERS):
        if _is_number(value) and number(values, spec.path) is None:
            yield Fault(spec.path, "must be a finite number")


@rule("CXW104", ERROR)
def counts_are_whole(values: Values) -> Iterator[Fault]:
    """Report a fraction where a whole number is required."""
    for spec, value in _filled(values, "integer"):
        if isinstance(value, float) and math.isfinite(value) and not value.is_integer():
            near = round(value)
            fix = (f"Use {near}", {spec.path: near}) if _is_in_range(spec, near) else ()
            yield Fault(spec.path, f"must be a whole number, not {shown(value)}", *fix)


@rule("CXW105", ERROR)
def switches_are_true_or_false(values: Values) -> Iterator[Fault]:
    """Report a value that is not a boolean where one is required."""
    for spec, value in _filled(values, "boolean"):
        if not isinstance(value, bool):
            meant = {"true": True, "1": True, "false": False, "0": False}.get(shown(value).strip("' ").lower())
            fix = () if meant is None else (f"Use {str(meant).lower()}", {spec.path: meant})
            yield Fault(spec.path, f"must be true or false, not {shown(value)}", *fix)


@rule("CXW106", ERROR)
def texts_are_text(values: Values) -> Iterator[Fault]:
    """Report a value that is not text where text is required."""
    for spec, value in _filled(values, "text", "long", "url", "license", "credits"):
        if not isinstance(value, str):
            plain = isinstance(value, (int, float)) and number(values, spec.path) is not None
            yield Fault(
                spec.path,
                f"must be text, not {shown(value)}",
                *(("Make it text", {spec.path: shown(value)}) if plain else ()),
            )


@rule("CXW107", ERROR)
def texts_can_be_read(values: Values) -> Iterator[Fault]:
    """Report a character that XML cannot hold: no program could read the image's WTML."""
    for spec, value in _filled(values):
        if isinstance(value, str) and (found := FORBIDDEN_CHARACTERS.search(value)):
            cleaned = FORBIDDEN_CHARACTERS.sub("", value)
            yield Fault(
                spec.path,
                f"has the invisible character {found[0]!r}, which WWT can't read",
                "Remove it",
                {spec.path: cleaned},
            )


@rule("CXW108", ERROR)
def texts_are_short_enough(values: Values) -> Iterator[Fault]:
    """Report a text longer than the server accepts in a later change."""
    for spec, value in _filled(values):
        if spec.limit and isinstance(value, str) and (length := utf16_length(value)) > spec.limit:
            yield Fault(
                spec.path,
                f"is {length} characters long, {spec.limit} is the limit: shorten it by {length - spec.limit}",
            )


@rule("CXW109", ERROR)
def numbers_are_in_range(values: Values) -> Iterator[Fault]:
    """Report a number outside its range."""
    for spec, _ in _filled(values, *_NUMBERS):
        value = number(values, spec.path)
        if value is None or _is_in_range(spec, value):
            continue
        turned = round(float(value) % 360, 9)
        fix = (f"Use {turned:g}", {spec.path: turned}) if spec.path == "wwt.center_x" else ()
        if (
            spec.path == "wwt.center_y"
            and (ra := number(values, "wwt.center_x")) is not None
            and abs(ra) <= 90
            and 0 <= value <= 360
        ):
            fix = ("Swap RA and Dec", {"wwt.center_x": value, "wwt.center_y": ra})
        if spec.path == "wwt.base_degrees_per_tile" and (changes := without_negative_base(values)):
            fix = ("Make it positive and turn the image by 180 degrees, which leaves it where it is", changes)
            if len(changes) == 1:
                fix = ("Make it positive, which leaves the image where it is", changes)
        limits = (
            f"greater than {spec.above:g}"
            if spec.above is not None
            else f"between {spec.minimum:g} and {spec.maximum:g}"
        )
        yield Fault(spec.path, f"must be {limits}, not {shown(value)}", *fix)


@rule("CXW110", ERROR)
def request_is_small_enough(values: Values) -> Fault | None:
    """Report a request that is larger than the server accepts."""
    texts = {path: value for path, value in values.items() if isinstance(value, str)}
    size = len(json.dumps(nest(texts), ensure_ascii=False).encode("utf-8", "replace"))
    if size > BODY_LIMIT - 1024:  # leaves room for numbers
        longest = max(texts, key=lambda path: utf16_length(texts[path]))
        return Fault(
            longest, f"makes the whole request {size >> 10} kB long, the server takes {BODY_LIMIT >> 10} kB: shorten it"
        )
    return None
