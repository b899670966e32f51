"""CXW1xx: is there a value of the right type, within its limits, that the server can take?"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from ..schema.fields import FieldSpec, fields, nest
from ..schema.images import BODY_LIMIT, FORBIDDEN_CHARACTERS, utf16_length
from ..schema.placement import Fault, Values, number, shown
from .registry import ERROR, rule

_NUMBERS = ("number", "integer")
_MAY_BE_EMPTY = {"note", "wwt.quad_tree_map", "wwt.thumbnail_url", "wwt.file_type"}  # other rules say what that means


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
    """A field that the server requires is empty."""
    for path, spec in fields().items():
        value = values.get(path)
        if spec.required and (
            value is None or (isinstance(value, str) and not value.strip() and path not in _MAY_BE_EMPTY)
        ):
            yield Fault(path, f"is missing: {spec.description.removesuffix('.')}")


_SEXAGESIMAL = re.compile(
    r"\s*([+−-]?)(\d{1,3})[h°d:\s]\s*([0-5]?\d)[m′':\s]\s*([0-5]?\d(?:\.\d{1,12})?)\s*[s″\"]?\s*", re.ASCII
)


def _is_in_range(spec: FieldSpec, value: float) -> bool:
    above, least, most = spec.above, spec.minimum, spec.maximum
    return (above is None or value > above) and (least is None or value >= least) and (most is None or value <= most)


def _meant(spec: FieldSpec, typed: Any) -> float | int | None:
    """The number that somebody meant who typed `typed`: "12.5", or a position such as "13:29:52.7" (RA in hours) or "+47 11 43"."""
    if not isinstance(typed, str) or len(typed) > 40:
        return None
    if spec.path in ("wwt.center_x", "wwt.center_y") and (found := _SEXAGESIMAL.fullmatch(typed)):
        degrees = int(found[2]) + int(found[3]) / 60 + float(found[4]) / 3600
        hours = spec.path == "wwt.center_x" and not re.search("[d°]", typed)
        return round(degrees * (15 if hours else 1) * (-1 if found[1] in ("-", "−") else 1), 9)
    try:
        meant = float(typed.replace("−", "-"))
    except ValueError:
        return None
    if not math.isfinite(meant):
        return None
    return int(meant) if spec.kind == "integer" and meant.is_integer() else meant


@rule("CXW102", ERROR)
def numbers_are_numbers(values: Values) -> Iterator[Fault]:
    """Something else stands where a number belongs."""
    for spec, value in _filled(values, *_NUMBERS):
        if not _is_number(value):
            meant = _meant(spec, value)
            fix = (
                (f"Use the number {meant!r}", {spec.path: meant})
                if meant is not None and _is_in_range(spec, meant)
                else ()
            )
            unit = f" of {spec.unit}" if isinstance(spec.unit, str) and spec.unit else ""
            yield Fault(spec.path, f"must be a number{unit}, not {shown(value)}", *fix)


@rule("CXW103", ERROR)
def numbers_are_finite(values: Values) -> Iterator[Fault]:
    """NaN, infinity, or a number too large for a double."""
    for spec, value in _filled(values, *_NUMBERS):
        if _is_number(value) and number(values, spec.path) is None:
            yield Fault(spec.path, "is not a finite number, which neither JSON nor the sky has a place for")


@rule("CXW104", ERROR)
def counts_are_whole(values: Values) -> Iterator[Fault]:
    """A fraction where a whole number belongs."""
    for spec, value in _filled(values, "integer"):
        if isinstance(value, float) and math.isfinite(value) and not value.is_integer():
            near = round(value)
            fix = (f"Use {near}", {spec.path: near}) if _is_in_range(spec, near) else ()
            yield Fault(spec.path, f"must be a whole number, not {shown(value)}", *fix)


@rule("CXW105", ERROR)
def switches_are_true_or_false(values: Values) -> Iterator[Fault]:
    """Something else stands where true or false belongs."""
    for spec, value in _filled(values, "boolean"):
        if not isinstance(value, bool):
            meant = {"true": True, "1": True, "false": False, "0": False}.get(shown(value).strip("' ").lower())
            fix = () if meant is None else (f"Use {str(meant).lower()}", {spec.path: meant})
            yield Fault(spec.path, f"must be true or false, not {shown(value)}", *fix)


@rule("CXW106", ERROR)
def texts_are_text(values: Values) -> Iterator[Fault]:
    """Something else stands where text belongs."""
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
    """A character that XML can't carry: the image's WTML could not be read by any program."""
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
    """A text longer than the server would let anybody set again."""
    for spec, value in _filled(values):
        if spec.limit and isinstance(value, str) and (length := utf16_length(value)) > spec.limit:
            yield Fault(
                spec.path,
                f"is {length} characters long, {spec.limit} is the limit: shorten it by {length - spec.limit}",
            )


@rule("CXW109", ERROR)
def numbers_are_in_range(values: Values) -> Iterator[Fault]:
    """A number outside its range."""
    for spec, _ in _filled(values, *_NUMBERS):
        value = number(values, spec.path)
        if value is None or _is_in_range(spec, value):
            continue
        turned = round(float(value) % 360, 9)
        fix = (f"Use {turned:g}", {spec.path: turned}) if spec.path == "wwt.center_x" else ()
        limits = (
            f"greater than {spec.above:g}"
            if spec.above is not None
            else f"between {spec.minimum:g} and {spec.maximum:g}"
        )
        yield Fault(spec.path, f"must be {limits}, not {shown(value)}", *fix)


@rule("CXW110", ERROR)
def request_is_small_enough(values: Values) -> Fault | None:
    """The whole request is larger than the server takes."""
    texts = {path: value for path, value in values.items() if isinstance(value, str)}
    size = len(json.dumps(nest(texts), ensure_ascii=False).encode("utf-8", "replace"))
    if size > BODY_LIMIT - 1024:  # leaves room for numbers
        longest = max(texts, key=lambda path: utf16_length(texts[path]))
        return Fault(
            longest, f"makes the whole request {size >> 10} kB long, the server takes {BODY_LIMIT >> 10} kB: shorten it"
        )
    return None
