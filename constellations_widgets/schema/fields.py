"""The fields of a submission as a flat list: paths, labels, help, units and limits, from the models in `images.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from .images import ALT_TEXT_LIMIT, NOTE_LIMIT, ImageSubmission


@dataclass(frozen=True)
class FieldSpec:
    """Description of one field, as a form needs it.

    Attributes
    ----------
    path : str
        Its place in the submission, such as ``wwt.rotation``.
    kind : str
        number, integer, boolean, text, long (several lines), url, license or credits.
    unit : str or dict of str
        "degrees", "" if it has none, or by projection where that decides.
    minimum, maximum : float or None
        Limits, both allowed, but for `above`: greater than this.
    limit : int or None
        The longest text, in UTF-16 units.
    """

    path: str
    title: str
    description: str
    kind: str
    required: bool
    unit: str | dict[str, str] = ""
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    limit: int | None = None
    choices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the description as JSON data."""
        return {**asdict(self), "choices": list(self.choices)}


_KINDS: dict[Any, str] = {float: "number", int: "integer", bool: "boolean", str: "text"}
_LIMITS = {"note": NOTE_LIMIT, "alt_text": ALT_TEXT_LIMIT}


def _spec(path: str, info: FieldInfo) -> FieldSpec:
    extra: dict[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    limits = {
        name: getattr(m, name)
        for m in info.metadata
        for name in ("ge", "gt", "le")
        if getattr(m, name, None) is not None
    }
    return FieldSpec(
        path=path,
        title=info.title or path,
        description=info.description or "",
        kind=str(extra.get("kind", _KINDS[info.annotation])),
        required=info.is_required(),
        unit=extra.get("unit", ""),
        minimum=limits.get("ge"),
        above=limits.get("gt"),
        maximum=limits.get("le"),
        limit=_LIMITS.get(path),
        choices=tuple(extra.get("choices", ())),
    )


def _walk(model: type[BaseModel], prefix: str = "") -> Iterator[FieldSpec]:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _walk(info.annotation, f"{prefix}{name}.")
        else:
            yield _spec(prefix + name, info)


@cache
def fields() -> dict[str, FieldSpec]:
    """Return every field of a submission by its path, in the order of the request."""
    return {spec.path: spec for spec in _walk(ImageSubmission)}


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested values: ``{"wwt": {"rotation": 1}}`` → ``{"wwt.rotation": 1}``."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


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
