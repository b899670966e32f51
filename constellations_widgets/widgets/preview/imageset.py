"""The imageset that WWT draws of a draft."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from ...schema import placement
from ...schema.fields import FieldSpec, fields
from ...wtml import DRAWN


def imageset_of(
    values: Mapping[str, Any], url: str, last: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Return the imageset that the sky shows for `values`, which may be incomplete.

    Parameters
    ----------
    values : mapping
        The draft's flat values, ``wwt.rotation`` and so on. Any of them may be of the wrong type.
    url : str
        Address from which WWT loads the image, with placeholders if it is tiled; "" if there is none.
    last : mapping or None
        The imageset that was shown before: its values are kept where the new ones can't be used.

    Returns
    -------
    imageset : dict or None
        Field name without ``wwt.`` (and ``url``) → value: finite numbers, bools, strings. None while a value is missing
        that was never set.
    waiting : dict
        Path of the field → message, for each value that is not shown.
    """
    last = last or {}
    waiting: dict[str, str] = {}
    imageset: dict[str, Any] = {}
    for path, default in DRAWN.items():
        name, value = path.removeprefix("wwt."), values.get(path)
        if value is None and default is not None:
            value = default
        reason = _why_not(fields()[path], value)
        if reason is None:
            imageset[name] = float(cast(float, value)) if fields()[path].kind == "number" else value
            continue
        waiting[path] = reason
        imageset[name] = last.get(name, default)
    if not url:
        waiting[placement.URL] = "is missing"
    imageset["url"] = url or last.get("url")
    # Values that are valid by themselves but not together (a SkyImage with tile levels) wait together: some of them alone would
    # draw an unintended picture.
    together = {f"wwt.{name}": value for name, value in imageset.items() if name != "url"} | {
        placement.URL: imageset["url"]
    }
    faults = [fault for fault in placement.faults(together) if fault.field in DRAWN or fault.field == placement.URL]
    if faults:
        waiting = {fault.field: fault.message for fault in faults} | waiting
        return (dict(last) or None), waiting
    if None in imageset.values():
        return None, waiting
    return imageset, waiting


def smaller(imageset: Mapping[str, Any], factor: int, below: int = 0) -> dict[str, Any]:
    """Return the untiled `imageset` of a picture whose pixels are blocks of factor × factor pixels of the original.

    `below` is the number of the original's pixels by which the lowest blocks extend beyond it.
    """
    return {
        **imageset,
        "base_degrees_per_tile": imageset["base_degrees_per_tile"] * factor,
        "offset_x": imageset["offset_x"] / factor,
        "offset_y": (imageset["offset_y"] + below) / factor,
    }


def _why_not(spec: FieldSpec, value: Any) -> str | None:
    """Return why `value` can't be drawn, or None if it can."""
    if value is None or (value == "" and spec.kind != "text"):
        return "is missing"
    if spec.kind == "boolean":
        return None if isinstance(value, bool) else "must be true or false"
    if spec.kind == "text":
        return None if isinstance(value, str) and (value or spec.path != "wwt.projection") else "must be text"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "is not a number"
    try:
        if not math.isfinite(value):
            return "is not a finite number"
    except OverflowError:
        return "is too large"
    if spec.kind == "integer" and int(value) != value:
        return "must be a whole number"
    if spec.above is not None and value <= spec.above:
        return f"must be greater than {spec.above:g}"
    if (spec.minimum is not None and value < spec.minimum) or (spec.maximum is not None and value > spec.maximum):
        return f"must be between {spec.minimum:g} and {spec.maximum:g}"
    return None
