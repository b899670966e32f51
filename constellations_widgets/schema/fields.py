"""The fields of a submission: paths, labels, help, units and limits, each once. Forms show them, the models in `images.py` take them.

Apart from the models, since a form or a preview describes and checks fields without pydantic, which takes 7 MB of a kernel's memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .placement import PROJECTIONS

BODY_LIMIT = 100 * 1024
"""Bytes of a whole request; the server answers 413 to one more."""
NOTE_LIMIT = 500
"""UTF-16 units; PATCH takes no longer note, so a longer one could never be set again."""
ALT_TEXT_LIMIT = 5_000
"""UTF-16 units; PATCH takes no longer alternative text."""

# Characters that XML can't hold: the server would write them into the image's WTML, which no program could then read.
FORBIDDEN_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")


def utf16_length(text: str) -> int:
    """Return the length of `text` in UTF-16 units, as the server counts: most emoji count twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True)
class FieldSpec:
    """Description of one field, as a form needs it.

    Attributes
    ----------
    path : str
        Its place in the submission, such as ``wwt.rotation``.
    title, description : str
        Its label, and a sentence on its meaning.
    kind : str
        number, integer, boolean, text, long (several lines), url, license or credits.
    required : bool
        Whether the server requires it.
    unit : str or dict of str
        "degrees", "" if it has none, or by projection where that decides.
    minimum, maximum : float or None
        Limits, both allowed, but for `above`: greater than this.
    limit : int or None
        The longest text, in UTF-16 units.
    choices : tuple of str
        Values to choose from.
    """

    path: str
    title: str
    description: str
    kind: str
    required: bool = True
    unit: str | dict[str, str] = ""
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    limit: int | None = None
    choices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the description as JSON data."""
        return {**asdict(self), "choices": list(self.choices)}


_FIELDS = (
    FieldSpec(
        "wwt.center_x",
        "Center X (RA)",
        "Right ascension of the projection center, 0 to 360.",
        "number",
        unit="degrees",
        minimum=0,
        maximum=360,
    ),
    FieldSpec(
        "wwt.center_y",
        "Center Y (Dec)",
        "Declination of the projection center, -90 to 90.",
        "number",
        unit="degrees",
        minimum=-90,
        maximum=90,
    ),
    FieldSpec(
        "wwt.rotation",
        "Rotation",
        "Turns the image east of north, counter-clockwise on the sky; clockwise if bottoms up.",
        "number",
        unit="degrees",
    ),
    FieldSpec(
        "wwt.base_degrees_per_tile",
        "Scale (base_degrees_per_tile)",
        "Tiled: angular height of all tiles together. Untiled: degrees per pixel, vertically.",
        "number",
        unit={"Tan": "degrees", "SkyImage": "degrees per pixel"},
        above=0,
    ),
    FieldSpec(
        "wwt.offset_x",
        "Offset X",
        "Tiled: moves the image right, in degrees; 0 puts its center on the projection center. Untiled: pixels from the left edge to the projection center.",
        "number",
        unit={"Tan": "degrees", "SkyImage": "pixels"},
    ),
    FieldSpec(
        "wwt.offset_y",
        "Offset Y",
        "Tiled: moves the image up, in degrees; 0 puts its center on the projection center. Untiled: pixels from the bottom edge to the projection center.",
        "number",
        unit={"Tan": "degrees", "SkyImage": "pixels"},
    ),
    FieldSpec(
        "wwt.bottoms_up",
        "Flip vertically (bottoms_up)",
        "Parity of an untiled image: off for JPEG and PNG, on for FITS (mirrors it). Must be off for a tiled one.",
        "boolean",
    ),
    FieldSpec(
        "wwt.projection",
        "Projection",
        "Tan for a tiled study, SkyImage for a single file.",
        "text",
        choices=PROJECTIONS,
    ),
    FieldSpec(
        "wwt.tile_levels",
        "Tile levels",
        "Tiled: log2 of the padded size / 256, at least 1. Untiled: 0.",
        "integer",
        minimum=0,
        maximum=30,
    ),
    FieldSpec(
        "wwt.width_factor",
        "Width factor",
        "Tiled: 2, or 1 for a pyramid two tiles wide at its root. An untiled image ignores it.",
        "integer",
        minimum=1,
        maximum=2,
    ),
    FieldSpec(
        "wwt.file_type",
        "File type",
        "Extension of the tiles or the file with its dot: .png, .jpg or .fits.",
        "text",
        choices=(".png", ".jpg", ".fits"),
    ),
    FieldSpec(
        "wwt.quad_tree_map",
        "Quad tree map",
        "Digits for {Q} in the image URL; empty unless the URL has {Q} or {S}.",
        "text",
    ),
    FieldSpec(
        "wwt.thumbnail_url",
        "Thumbnail",
        "Address of a JPEG of 96 × 45 pixels, shown in lists.",
        "url",
    ),
    FieldSpec(
        "storage.legacy_url_template",
        "Image address",
        "Public address of the image. Tiled: with {1} for the level, {2} for x and {3} for y, such as https://example.org/m51/{1}/{3}/{3}_{2}.png.",
        "url",
    ),
    FieldSpec(
        "note",
        "Title (public)",
        "The image's name in WWT.",
        "long",
        limit=NOTE_LIMIT,
    ),
    FieldSpec(
        "permissions.copyright",
        "Copyright",
        'Who owns it: "Copyright 2020 Henrietta Swan Leavitt" or "Public domain".',
        "text",
    ),
    FieldSpec(
        "permissions.credits",
        "Credit line",
        "Whom to credit. HTML links and emphasis are kept.",
        "credits",
        required=False,
    ),
    FieldSpec(
        "permissions.license",
        "License",
        "What others may do with it, as an SPDX expression.",
        "license",
    ),
    FieldSpec(
        "alt_text",
        "Alt text",
        "What the image shows, for people who can't see it.",
        "long",
        required=False,
        limit=ALT_TEXT_LIMIT,
    ),
)
_BY_PATH = {spec.path: spec for spec in _FIELDS}


def fields() -> dict[str, FieldSpec]:
    """Return every field of a submission by its path, in the order of the request."""
    return _BY_PATH


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested values: ``{"wwt": {"rotation": 1}}`` → ``{"wwt.rotation": 1}``."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def body_of(request: Mapping[str, Any]) -> bytes:
    """Return the exact bytes of a request's body: UTF-8 JSON."""
    return json.dumps(request, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Nest flat values; the inverse of `flatten`."""
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *groups, name = path.split(".")
        target = nested
        for group in groups:
            target = target.setdefault(group, {})
        target[name] = value
    return nested
