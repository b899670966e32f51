"""CXW1xx: is there a value of the right type, within its limits, that the server can take?"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from ..schema.fields import FieldSpec, fields, nest
from ..schema.images import BODY_LIMIT, FORBIDDEN_CHARACTERS, utf16_length
from ..schema.placement import Fault, Values
from .registry import ERROR, rule

_NUMBERS = ("number", "integer")
_MAY_BE_EMPTY = {"note", "wwt.quad_tree_map", "wwt.thumbnail_url", "wwt.file_type"}  # other rules say what that means


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _filled(values: Values, *kinds: str) -> Iterator[tuple[FieldSpec, Any]]:
    for path, spec in fields().items():
        value = values.get(path)
        if value is not None and value != "" and (not kinds or spec.kind in kinds):
            yield spec, value


@rule("CXW101", ERROR)
def required_fields_are_filled(values: Values) -> Iterator[Fault]:
    """A field that the server requires is empty."""
    for path, spec in fields().items():
        value = values.get(path)
        if spec.required and (value is None or (value == "" and path not in _MAY_BE_EMPTY)):
            yield Fault(path, f"is missing: {spec.description}")


@rule("CXW102", ERROR)
def numbers_are_numbers(values: Values) -> Iterator[Fault]:
    """Something else stands where a number belongs."""
    for spec, value in _filled(values, *_NUMBERS):
        if not _is_number(value):
            try:
                meant = float(value) if isinstance(value, str) else math.nan
            except ValueError:
                meant = math.nan
            changes = {spec.path: int(meant) if spec.kind == "integer" and meant.is_integer() else meant} if math.isfinite(meant) else {}
            yield Fault(spec.path, f"{_shown(value)} is not a number", f"Use the number {value}", changes)


@rule("CXW103", ERROR)
def numbers_are_finite(values: Values) -> Iterator[Fault]:
    """NaN, infinity, or a number too large for a double."""
    for spec, value in _filled(values, *_NUMBERS):
        try:
            finite = not _is_number(value) or math.isfinite(value)
        except OverflowError:
            finite = False
        if not finite:
            yield Fault(spec.path, "is not a finite number, which neither JSON nor the sky has a place for")


@rule("CXW104", ERROR)
def counts_are_whole(values: Values) -> Iterator[Fault]:
    """A fraction where a whole number belongs."""
    for spec, value in _filled(values, "integer"):
        if isinstance(value, float) and math.isfinite(value) and not value.is_integer():
            yield Fault(spec.path, f"must be a whole number, not {value:g}", f"Use {round(value)}", {spec.path: round(value)})


@rule("CXW105", ERROR)
def switches_are_true_or_false(values: Values) -> Iterator[Fault]:
    """Something else stands where true or false belongs."""
    for spec, value in _filled(values, "boolean"):
        if not isinstance(value, bool):
            yield Fault(spec.path, f"must be true or false, not {_shown(value)}")


@rule("CXW106", ERROR)
def texts_are_text(values: Values) -> Iterator[Fault]:
    """Something else stands where text belongs."""
    for spec, value in _filled(values, "text", "long", "url", "license", "credits"):
        if not isinstance(value, str):
            yield Fault(spec.path, f"must be text, not {_shown(value)}", "Make it text", {spec.path: str(value)})


@rule("CXW107", ERROR)
def texts_can_be_read(values: Values) -> Iterator[Fault]:
    """A character that XML can't carry: the image's WTML could not be read by any program."""
    for spec, value in _filled(values):
        if isinstance(value, str) and (found := FORBIDDEN_CHARACTERS.search(value)):
            cleaned = FORBIDDEN_CHARACTERS.sub("", value)
            yield Fault(spec.path, f"has the invisible character {found[0]!r}, which WWT can't read", "Remove it", {spec.path: cleaned})


@rule("CXW108", ERROR)
def texts_are_short_enough(values: Values) -> Iterator[Fault]:
    """A text longer than the server would let anybody set again."""
    for spec, value in _filled(values):
        if spec.limit and isinstance(value, str) and (length := utf16_length(value)) > spec.limit:
            yield Fault(spec.path, f"is {length} characters long, {spec.limit} is the limit: shorten it by {length - spec.limit}")


@rule("CXW109", ERROR)
def numbers_are_in_range(values: Values) -> Iterator[Fault]:
    """A number outside its range."""
    for spec, value in _filled(values, *_NUMBERS):
        if not _is_number(value) or isinstance(value, float) and not math.isfinite(value):
            continue
        if spec.above is not None and value <= spec.above:
            yield Fault(spec.path, f"must be greater than {spec.above:g}, not {value:g}")
        elif spec.minimum is not None and value < spec.minimum or spec.maximum is not None and value > spec.maximum:
            wrapped = {"wwt.center_x": float(value) % 360} if spec.path == "wwt.center_x" else {}
            label = f"Use {wrapped['wwt.center_x']:g}" if wrapped else ""
            yield Fault(spec.path, f"must be between {spec.minimum:g} and {spec.maximum:g}, not {value:g}", label, wrapped)


@rule("CXW110", ERROR)
def request_is_small_enough(values: Values) -> Fault | None:
    """The whole request is larger than the server takes."""
    texts = {path: value for path, value in values.items() if isinstance(value, str)}
    size = len(json.dumps(nest(texts), ensure_ascii=False).encode("utf-8", "replace"))
    if size > BODY_LIMIT - 1024:  # leaves room for numbers
        longest = max(texts, key=lambda path: len(texts[path]))
        return Fault(longest, f"makes the whole request {size >> 10} kB long, the server takes {BODY_LIMIT >> 10} kB: shorten it")
    return None
