"""An image in a request: the body of `POST /handle/:handle/image`, and nothing that cannot be valid.

Titles, descriptions, units and limits of the fields are those of `fields.py`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from . import placement
from .credits import clean_credits
from .fields import ALT_TEXT_LIMIT, BODY_LIMIT, FORBIDDEN_CHARACTERS, NOTE_LIMIT, body_of, fields, flatten, utf16_length
from .license import normalize_license


def _readable(text: str) -> str:
    if found := FORBIDDEN_CHARACTERS.search(text):
        raise ValueError(f"has the character {found[0]!r}, which XML can't carry: remove it")
    return text


def within(limit: int) -> AfterValidator:
    """Return the check of a text that may have up to `limit` UTF-16 units."""

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


class Wire(BaseModel):
    """Base of the request models: strict types, no unknown names, no silent conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _about(path: str) -> Any:
    """Return title, description, unit and limits of a field, for its annotation."""
    spec = fields()[path]
    unit: dict[str, Any] = {"unit": spec.unit}
    return Field(
        title=spec.title,
        description=spec.description,
        ge=spec.minimum,
        gt=spec.above,
        le=spec.maximum,
        json_schema_extra=unit if spec.unit else None,
    )


class ImageWwt(Wire):
    """The 13 placement fields of a WWT imageset.

    A *tiled* image (projection ``Tan``) is a pyramid of 256-pixel tiles, an *untiled* one (``SkyImage``) a single file;
    several fields change their meaning between the two. Source: the WorldWide Telescope engine and `wwt_data_formats`.

    Examples
    --------
    >>> draft.submission().wwt.center_x
    """

    center_x: Annotated[Number, _about("wwt.center_x")]
    center_y: Annotated[Number, _about("wwt.center_y")]
    rotation: Annotated[Number, _about("wwt.rotation")]
    base_degrees_per_tile: Annotated[Number, _about("wwt.base_degrees_per_tile")]
    offset_x: Annotated[Number, _about("wwt.offset_x")]
    offset_y: Annotated[Number, _about("wwt.offset_y")]
    bottoms_up: Annotated[bool, _about("wwt.bottoms_up")]
    projection: Annotated[Text, Field(min_length=1), _about("wwt.projection")]
    tile_levels: Annotated[Whole, _about("wwt.tile_levels")]
    width_factor: Annotated[Whole, _about("wwt.width_factor")]
    file_type: Annotated[Text, _about("wwt.file_type")]
    quad_tree_map: Annotated[Text, _about("wwt.quad_tree_map")]
    thumbnail_url: Annotated[Text, _about("wwt.thumbnail_url")]


class ImagePermissions(Wire):
    """Rights and credits of an image: who owns it, whom to credit, and what others may do with it.

    Examples
    --------
    >>> cxw.ImagePermissions(copyright="Copyright 2026 Jane Doe", credits="Jane Doe", license="CC-BY-4.0")
    """

    copyright: Annotated[Text, Field(min_length=1), _about("permissions.copyright")]
    credits: Annotated[OptionalText, AfterValidator(clean_credits), _about("permissions.credits")] = ""
    license: Annotated[Text, AfterValidator(normalize_license), _about("permissions.license")]


class ImageStorage(Wire):
    """Addresses of the image's pixels.

    Examples
    --------
    >>> cxw.ImageStorage(legacy_url_template="https://example.org/m51/{1}/{3}/{3}_{2}.png")
    """

    legacy_url_template: Annotated[Text, Field(min_length=1), _about("storage.legacy_url_template")]


class ImageSubmission(Wire):
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
    note: Annotated[Text, within(NOTE_LIMIT), _about("note")]
    permissions: ImagePermissions
    alt_text: Annotated[OptionalText, within(ALT_TEXT_LIMIT), _about("alt_text")] = ""

    @model_validator(mode="after")
    def _fits_together(self) -> ImageSubmission:
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
        return body_of(self.to_request())
