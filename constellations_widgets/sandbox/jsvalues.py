"""JavaScript's values: how Node 18 parses JSON, and how it serializes values.

A parsed JSON value is a Python `dict`, `list`, `str`, `bool`, `None` or `float`: every number is a double. Strings may
hold lone surrogates, as in JavaScript. `UNDEFINED` stands for an absent field, which is not `null`.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

__all__ = ["UNDEFINED", "js_string", "parse_int", "parse_json", "stringify", "to_utf8_safe", "utf16_length"]


class _Undefined:
    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = _Undefined()

_ARRAY_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,9})\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def parse_json(text: str) -> Any:
    """Parse a JSON text as body-parser does in its strict mode: RFC 8259, with an object or an array on top.

    Raises
    ------
    ValueError
        With the message of Node 18's `SyntaxError`.
    RecursionError
        When the text is nested deeper than Python goes.
    """
    start = re.search(r"[^ \t\n\r]", text)
    if start is None:
        raise ValueError("Unexpected end of JSON input")
    if start.group() not in "{[":
        raise ValueError(f"Unexpected token {start.group()} in JSON at position {start.start()}")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(_syntax_error(text, error.pos)) from None
    except _NotJsonError as error:
        raise ValueError(_syntax_error(text, text.find(error.args[0]))) from None


class _NotJsonError(Exception):
    """Word that Python's decoder takes and JSON does not have: NaN, Infinity, -Infinity."""


def _refuse_constant(word: str) -> float:
    raise _NotJsonError(word)


def _syntax_error(text: str, position: int) -> str:
    if position >= len(text):
        return "Unexpected end of JSON input"
    return f"Unexpected token {text[position]} in JSON at position {position}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object with its keys in JavaScript's order, with the last value of a duplicate.

    Array indices come first, ascending, then the other keys as they came.
    """
    found = dict(pairs)
    indices = sorted((key for key in found if _is_array_index(key)), key=int)
    return {key: found[key] for key in indices} | found if indices else found


def _is_array_index(key: str) -> bool:
    return bool(_ARRAY_INDEX.match(key)) and int(key) < 2**32 - 1


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=float, parse_int=float, parse_constant=_refuse_constant, strict=True
)


def js_string(number: float) -> str:
    """Return `String(number)`: the shortest digits that read back the same, in JavaScript's notation."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if len(text) <= point <= 21:
        text += "0" * (point - len(text))
    elif 0 < point <= 21:
        text = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{text}"
    else:
        mantissa = text if len(text) == 1 else f"{text[0]}.{text[1:]}"
        text = f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"-{text}" if sign else text


def stringify(value: Any) -> str:
    """Return `JSON.stringify(value)`: no spaces, non-ASCII as it is, lone surrogates escaped, non-finite as null."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{_ESCAPED.sub(_escape, value)}"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return js_string(value) if math.isfinite(value) else "null"
    if isinstance(value, list):
        return f"[{','.join(map(stringify, value))}]"
    return "{" + ",".join(f"{stringify(k)}:{stringify(v)}" for k, v in value.items() if v is not UNDEFINED) + "}"


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"


def to_utf8_safe(value: Any) -> Any:
    """Return the value as the database returns it: lone surrogates, in keys too, have become U+FFFD."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [to_utf8_safe(item) for item in value]
    if isinstance(value, dict):
        return {to_utf8_safe(key): to_utf8_safe(item) for key, item in value.items()}
    return value


def utf16_length(text: str) -> int:
    """Return `text.length`: a character outside the basic plane counts as two."""
    return len(text) + sum(char > "\uffff" for char in text)


def parse_int(text: str) -> int | None:
    """Return `parseInt(text, 10)`; None for NaN."""
    match = re.match(r"[\s\ufeff]*([+-]?[0-9]+)", text)
    return int(float(match.group(1)[:300])) if match else None
