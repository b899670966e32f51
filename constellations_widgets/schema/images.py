"""An image in a request: the body of `POST /handle/:handle/image`, and nothing that cannot be valid.

Titles, descriptions, units and limits of the fields stand here once: the form's labels and help come from them (see `fields.py`).
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from . import placement
from .credits import clean_credits
from .license import normalize_license

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


def _readable(text: str) -> str:
    if found := FORBIDDEN_CHARACTERS.search(text):
        raise ValueError(f"has the character {found[0]!r}, which XML can't carry: remove it")
    return text


def _within(limit: int) -> AfterValidator:
    def check(text: str) -> str:
        if (length := utf16_length(text)) > limit:
            raise ValueError(f"is {length} characters long, {limit} is the server's limit (an emoji counts as two)")
        return text

    return AfterValidator(check)


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("is true or false where a number belongs")
    return value


def _integral(value: Any) -> Any:
    """Accept a whole number that is written as a float, such as 2.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else _no_boolean(value)


Number = Annotated[
    float, BeforeValidator(_no_boolean), Field(allow_inf_nan=False), AfterValidator(lambda x: x + 0.0)
]  # -0 → 0
Whole = Annotated[int, BeforeValidator(_integral)]
Text = Annotated[str, AfterValidator(_readable)]
OptionalText = Annotated[
    Text, BeforeValidator(lambda text: "" if text is None else text)
]  # both are left out of the request


class _Wire(BaseModel):
    """Base of the request models: strict types, no unknown names, no silent conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _about(unit: str | dict[str, str] = "", **more: Any) -> dict[str, Any]:
    return {"unit": unit, **more}


class ImageWwt(_Wire):
    """The 13 placement fields of a WWT imageset.

    A *tiled* image (projection ``Tan``) is a pyramid of 256-pixel tiles, an *untiled* one (``SkyImage``) a single file;
    several fields change their meaning between the two. Source: the WorldWide Telescope engine and `wwt_data_formats`.

    Examples
    --------
    >>> draft.submission().wwt.center_x
    """

    center_x: Annotated[
        Number,
        Field(title="Center X (RA)", ge=0, le=360, json_schema_extra=_about("degrees")),
    ] = Field(description="Right ascension of the projection centre, 0 to 360.")
    center_y: Annotated[
        Number,
        Field(title="Center Y (Dec)", ge=-90, le=90, json_schema_extra=_about("degrees")),
    ] = Field(description="Declination of the projection centre, -90 to 90.")
    rotation: Annotated[
        Number,
        Field(title="Rotation", json_schema_extra=_about("degrees")),
    ] = Field(description="Turns the image east of north, counter-clockwise on the sky; clockwise if bottoms up.")
    base_degrees_per_tile: Annotated[
        Number,
        Field(
            title="Scale (base_degrees_per_tile)",
            gt=0,
            json_schema_extra=_about({"Tan": "degrees", "SkyImage": "degrees per pixel"}),
        ),
    ] = Field(description="Tiled: angular height of all tiles together. Untiled: degrees per pixel, vertically.")
    offset_x: Annotated[
        Number,
        Field(title="Offset X", json_schema_extra=_about({"Tan": "degrees", "SkyImage": "pixels"})),
    ] = Field(
        description="Tiled: moves the image right, in degrees; 0 puts its centre on the projection centre. "
        "Untiled: pixels from the left edge to the projection centre."
    )
    offset_y: Annotated[
        Number,
        Field(title="Offset Y", json_schema_extra=_about({"Tan": "degrees", "SkyImage": "pixels"})),
    ] = Field(
        description="Tiled: moves the image up, in degrees; 0 puts its centre on the projection centre. "
        "Untiled: pixels from the bottom edge to the projection centre."
    )
    bottoms_up: Annotated[bool, Field(title="Flip vertically (bottoms_up)")] = Field(
        description="Parity of an untiled image: off for JPEG and PNG, on for FITS (mirrors it). Must be off for a tiled one."
    )
    projection: Annotated[
        Text,
        Field(title="Projection", min_length=1, json_schema_extra=_about(choices=list(placement.PROJECTIONS))),
    ] = Field(description="Tan for a tiled study, SkyImage for a single file.")
    tile_levels: Annotated[
        Whole,
        Field(title="Tile levels", ge=0, le=30, json_schema_extra=_about()),
    ] = Field(description="Tiled: log2 of the padded size / 256, at least 1. Untiled: 0.")
    width_factor: Annotated[
        Whole,
        Field(title="Width factor", ge=1, le=2, json_schema_extra=_about()),
    ] = Field(description="Tiled: 2, or 1 for a pyramid two tiles wide at its root. An untiled image ignores it.")
    file_type: Annotated[
        Text,
        Field(title="File type", json_schema_extra=_about(choices=[".png", ".jpg", ".fits"])),
    ] = Field(description="Extension of the tiles or the file with its dot: .png, .jpg or .fits.")
    quad_tree_map: Annotated[Text, Field(title="Quad tree map")] = Field(
        description="Digits for {Q} in the image URL; empty unless the URL has {Q} or {S}."
    )
    thumbnail_url: Annotated[Text, Field(title="Thumbnail", json_schema_extra=_about(kind="url"))] = Field(
        description="Address of a JPEG of 96 × 45 pixels, shown in lists."
    )


class ImagePermissions(_Wire):
    """Rights and credits of an image: who owns it, whom to credit, and what others may do with it.

    Examples
    --------
    >>> cxw.ImagePermissions(copyright="Copyright 2026 Jane Doe", credits="Jane Doe", license="CC-BY-4.0")
    """

    copyright: Annotated[Text, Field(title="Copyright", min_length=1)] = Field(
        description='Who owns it: "Copyright 2020 Henrietta Swan Leavitt" or "Public domain".'
    )
    credits: Annotated[
        OptionalText,
        AfterValidator(clean_credits),
        Field(title="Credit line", json_schema_extra=_about(kind="credits")),
    ] = Field(
        default="",
        description="Whom to credit. HTML links and emphasis are kept.",
    )
    license: Annotated[
        Text,
        AfterValidator(normalize_license),
        Field(title="License", json_schema_extra=_about(kind="license")),
    ] = Field(description="What others may do with it, as an SPDX expression.")


class ImageStorage(_Wire):
    """Addresses of the image's pixels.

    Examples
    --------
    >>> cxw.ImageStorage(legacy_url_template="https://example.org/m51/{1}/{3}/{3}_{2}.png")
    """

    legacy_url_template: Annotated[
        Text,
        Field(title="Image address", min_length=1, json_schema_extra=_about(kind="url")),
    ] = Field(
        description="Public address of the image. Tiled: with {1} for the level, {2} for x and {3} for y, "
        "such as https://example.org/m51/{1}/{3}/{3}_{2}.png."
    )


class ImageSubmission(_Wire):
    """The validated body of `POST /handle/:handle/image`.

    Raises
    ------
    pydantic.ValidationError
        Naming each field that the server would refuse, or that WWT could not draw.

    Examples
    --------
    >>> submission = draft.submission()
    >>> submission.to_request()
    """

    wwt: ImageWwt
    storage: ImageStorage
    note: Annotated[Text, _within(NOTE_LIMIT), Field(title="Title (public)", json_schema_extra=_about(kind="long"))] = (
        Field(description="The image's name in WWT.")
    )
    permissions: ImagePermissions
    alt_text: Annotated[
        OptionalText, _within(ALT_TEXT_LIMIT), Field(title="Alt text", json_schema_extra=_about(kind="long"))
    ] = Field(default="", description="What the image shows, for people who can't see it.")

    @model_validator(mode="after")
    def _fits_together(self) -> ImageSubmission:
        from .fields import flatten

        faults = placement.faults(flatten(self.model_dump()))
        if faults:
            raise ValueError("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        if (size := len(self.to_json())) > BODY_LIMIT:
            raise ValueError(
                f"the whole request is {size} bytes, {BODY_LIMIT} is the server's limit: shorten credits or texts"
            )
        return self

    def to_request(self) -> dict[str, Any]:
        """Return the exact JSON body. Empty optional fields are left out, since the server rejects ``null``."""
        body = self.model_dump()
        if not body["permissions"]["credits"]:
            del body["permissions"]["credits"]
        if not body["alt_text"]:
            del body["alt_text"]
        return body

    def to_json(self) -> bytes:
        """Return the exact bytes of the body: UTF-8 JSON."""
        return json.dumps(self.to_request(), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
