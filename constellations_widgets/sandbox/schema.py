"""The server's schema in io-ts 2.2.21: permissive decoding, and messages that name every invalid leaf."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .dompurify import sanitize
from .jsvalues import UNDEFINED, stringify
from .spdx import is_license_expression

__all__ = [
    "FIND_BY_LEGACY_URL",
    "HANDLE_UPDATE",
    "IMAGE",
    "IMAGE_UPDATE",
    "SCENE",
    "SCENE_UPDATE",
    "SchemaError",
    "decode",
]


class SchemaError(Exception):
    """Mismatch of a body; the text is the message of the server's 400."""


@dataclass(frozen=True)
class Codec:
    """io-ts type: its printed name, and a function that validates a value at a path and collects errors."""

    name: str
    validate: Callable[[Any, str, list[str]], Any] = field(repr=False)


def decode(codec: Codec, value: Any) -> Any:
    """Return the decoded value, with defaults and sanitized credits.

    Raises
    ------
    SchemaError
        Naming every field that does not fit.
    """
    errors: list[str] = []
    decoded = codec.validate(value, f": {codec.name}", errors)
    if errors:
        raise SchemaError("Submission did not match schema: " + "\n".join(errors))
    return decoded


def _fail(value: Any, path: str, errors: list[str]) -> None:
    if value is UNDEFINED:
        shown = "undefined"
    elif isinstance(value, float) and math.isinf(value):
        shown = "Infinity" if value > 0 else "-Infinity"
    else:
        shown = stringify(value)
    errors.append(f"Invalid value {shown} supplied to {path}")


def _leaf(name: str, accepts: Callable[[Any], bool], convert: Callable[[Any], Any] = lambda value: value) -> Codec:
    def validate(value: Any, path: str, errors: list[str]) -> Any:
        if accepts(value):
            return convert(value)
        _fail(value, path, errors)
        return value

    return Codec(name, validate)


def _props(fields: dict[str, Codec]) -> str:
    return "{ " + ", ".join(f"{name}: {codec.name}" for name, codec in fields.items()) + " }"


def _object(fields: dict[str, Codec], *, partial: bool = False) -> Codec:
    name = f"Partial<{_props(fields)}>" if partial else _props(fields)

    def validate(value: Any, path: str, errors: list[str]) -> Any:
        if not isinstance(value, dict):
            return _fail(value, path, errors)
        decoded = dict(value)
        for key, codec in fields.items():
            found = value.get(key, UNDEFINED)
            if partial and found is UNDEFINED:
                continue
            decoded[key] = codec.validate(found, f"{path}/{key}: {codec.name}", errors)
        return decoded

    return Codec(name, validate)


def _both(left: Codec, right: Codec) -> Codec:
    def validate(value: Any, path: str, errors: list[str]) -> Any:
        before = len(errors)
        parts = [codec.validate(value, f"{path}/{i}: {codec.name}", errors) for i, codec in enumerate((left, right))]
        if len(errors) > before:
            return value
        changed = {key: item for key, item in parts[1].items() if key not in value or item is not value[key]}
        return parts[0] | changed

    return Codec(f"({left.name} & {right.name})", validate)


def _either(left: Codec, right: Codec) -> Codec:
    def validate(value: Any, path: str, errors: list[str]) -> Any:
        collected: list[str] = []
        for i, codec in enumerate((left, right)):
            tried: list[str] = []
            decoded = codec.validate(value, f"{path}/{i}: {codec.name}", tried)
            if not tried:
                return decoded
            collected += tried
        errors += collected
        return value

    return Codec(f"({left.name} | {right.name})", validate)


def _array(item: Codec) -> Codec:
    def validate(value: Any, path: str, errors: list[str]) -> Any:
        if not isinstance(value, list):
            return _fail(value, path, errors)
        return [item.validate(part, f"{path}/{i}: {item.name}", errors) for i, part in enumerate(value)]

    return Codec(f"Array<{item.name}>", validate)


def _optional(codec: Codec) -> Codec:
    return _either(codec, _NOTHING)


_NOTHING = _leaf("undefined", lambda value: value is UNDEFINED)
_STRING = _leaf("string", lambda value: isinstance(value, str))
_NUMBER = _leaf("number", lambda value: isinstance(value, float))
_BOOLEAN = _leaf("boolean", lambda value: isinstance(value, bool))
_LICENSE = _leaf("SpdxExpression", lambda value: isinstance(value, str) and is_license_expression(value))
_CREDITS = _leaf("CleanHtml", lambda value: isinstance(value, str), sanitize)
_FRACTION = _leaf("UnitInterval", lambda value: isinstance(value, float) and 0 <= value <= 1)

_WWT = _object(
    {
        "base_degrees_per_tile": _NUMBER,
        "bottoms_up": _BOOLEAN,
        "center_x": _NUMBER,
        "center_y": _NUMBER,
        "file_type": _STRING,
        "offset_x": _NUMBER,
        "offset_y": _NUMBER,
        "projection": _STRING,
        "quad_tree_map": _STRING,
        "rotation": _NUMBER,
        "thumbnail_url": _STRING,
        "tile_levels": _NUMBER,
        "width_factor": _NUMBER,
    }
)
_STORAGE = _object({"legacy_url_template": _optional(_STRING)})
_PERMISSIONS = _both(
    _object({"copyright": _STRING, "license": _LICENSE}),
    _object({"credits": _CREDITS}, partial=True),
)

IMAGE = _both(
    _object({"wwt": _WWT, "storage": _STORAGE, "note": _STRING, "permissions": _PERMISSIONS}),
    _object({"alt_text": _STRING}, partial=True),
)
IMAGE_UPDATE = _object({"note": _STRING, "alt_text": _STRING, "permissions": _PERMISSIONS}, partial=True)
HANDLE_UPDATE = _object({"display_name": _STRING}, partial=True)
FIND_BY_LEGACY_URL = _object({"wwt_legacy_url": _STRING})

_PLACE = _object(
    dict.fromkeys(("ra_rad", "dec_rad", "roll_rad", "roi_height_deg", "roi_aspect_ratio"), _NUMBER),
)
_LAYERS = _array(_object({"image_id": _STRING, "opacity": _FRACTION}))
_ASTROPIX = _object({"publisher_id": _STRING, "image_id": _STRING})
_CONTENT = _object({"image_layers": _optional(_LAYERS), "background_id": _optional(_STRING)})

SCENE = _object(
    {
        "place": _PLACE,
        "content": _CONTENT,
        "text": _STRING,
        "outgoing_url": _optional(_STRING),
        "published": _optional(_BOOLEAN),
        "astropix": _optional(_ASTROPIX),
    }
)
SCENE_UPDATE = _object(
    {
        "text": _optional(_STRING),
        "outgoing_url": _optional(_STRING),
        "place": _optional(_PLACE),
        "content": _optional(_object({"background_id": _optional(_STRING)})),
        "published": _optional(_BOOLEAN),
        "astropix": _optional(_ASTROPIX),
    }
)
