"""The result of every source: values for a draft, and remarks about them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field  # the classes have a field of that name
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..geometry.transforms import PLACED
from ..schema.fields import fields

if TYPE_CHECKING:
    from .local import LocalImage


@dataclass(frozen=True)
class Suggestion:
    """A value that a source suggests for a field and must not fill in by itself; None if it only has a text for it."""

    field: str
    value: str | None
    words: str

    @property
    def label(self) -> str:
        """The label of the fix that takes the value."""
        return f"Use “{shorten(self.value or '', 60, placeholder='…')}”"

    @property
    def changes(self) -> Mapping[str, Any]:
        """The fix: path → value; empty without a value."""
        return {self.field: self.value} if self.value else {}


MIRRORED = (
    "the image is mirrored: it shows east clockwise of north. WWT draws it as its WCS says; if it does not lie on "
    "the stars of the "
    "preview, the WCS counts its rows from the other end"
)


@dataclass(frozen=True)
class Doubt:
    """A finding about values from a source; it holds until they are changed.

    Attributes
    ----------
    code : str
        Code of the resulting problem.
    field : str
        Path of the field; "" for the image as a whole.
    message : str
    label : str
        Label of the fix; "" if there is no fix.
    changes : mapping
        The fix: path → value.
    given : mapping
        Path → value: the finding no longer holds once one of these was changed.
    """

    code: str
    field: str
    message: str
    label: str = ""
    changes: Mapping[str, Any] = dataclass_field(default_factory=dict)
    given: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def holds(self, values: Any) -> bool:
        """Return whether nothing that it is about was changed; `values` gives the value of a path."""
        return all(values[path] == value for path, value in self.given.items())


def saved_doubts(doubts: Iterable[Doubt], values: Any) -> list[dict[str, Any]]:
    """Return the doubts that hold for `values` as plain data for JSON, which has no infinity."""
    held = (asdict(each) for each in doubts if each.holds(values))
    return [each for each in held if not any(value in (math.inf, -math.inf) for value in each["given"].values())]


def doubts_of(saved: Any) -> tuple[Doubt, ...]:
    """Return what `saved_doubts` made plain.

    Raises
    ------
    SourceError
        If it is anything else.
    """
    try:
        found = tuple(Doubt(**each) for each in saved or ())
        if all(isinstance(each.message, str) and {*each.given, *each.changes} <= fields().keys() for each in found):
            return found
    except TypeError:
        pass
    raise SourceError(
        "The draft was changed by another program: its doubts are not as they were saved. Read the image again"
    )


def values_for(saved: Mapping[str, Any], size: tuple[int, int] | None) -> tuple[dict[str, Any], str]:
    """Return the values of a saved draft that hold for an image of this size, and a remark about those that don't; usually ""."""
    values = {path: value for path, value in saved["values"].items() if path in fields()}
    was = (saved.get("local") or {}).get("size")
    if size is None or not was or tuple(was) == size or values.get("wwt.projection") != "SkyImage":
        return values, ""
    kept = {path: value for path, value in values.items() if path not in (*PLACED, "wwt.bottoms_up")}
    return kept, (
        f"the earlier edits are of an image of {was[0]} × {was[1]} pixels, and the file has {size[0]} × {size[1]} now: their placement, which "
        "counts pixels, was not restored"
    )


INACCURATE = "CXW909"


def inaccuracy(values: Mapping[str, Any], message: str) -> tuple[Doubt, ...]:
    """Return the doubt that an image is drawn beside its place, which holds until its placement is changed; none for ""."""
    given = {path: values[path] for path in PLACED}
    return (Doubt(INACCURATE, "", message, given=given),) if message else ()


def inaccuracy_in(findings: Iterable[Any]) -> str:
    """Return the message of `inaccuracy` among the doubts of a source or the problems of a draft, or ""."""
    return next((each.message for each in findings if each.code == INACCURATE), "")


@dataclass(frozen=True)
class ParsedImage:
    """One image as a source describes it.

    Attributes
    ----------
    values : mapping of str to object
        Flat values of a draft (``wwt.rotation`` → 12.5), as far as the source gives them.
    name : str
        The name of the image for people.
    origin : str
        Where the image was read; shown to users, and used to find earlier edits of the same image.
    local : LocalImage or None
        The image's own files, if they are on this machine's disk.
    remarks : tuple of str
        Remarks on information that can't be stored, or can't be trusted.
    suggestions : tuple of Suggestion
        Values that the user may accept.
    doubts : tuple of Doubt
        Probable faults of the values.
    fingerprint : str
        Digest of the image's description in a file that may hold several; "" if the file is the image.
    placed_by : tuple of str
        Those of the remarks that are about the placement, and hold for other files of the image too, such as tiles.
    """

    values: Mapping[str, Any]
    name: str = ""
    origin: str = ""
    local: LocalImage | None = None
    remarks: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    fingerprint: str = ""
    placed_by: tuple[str, ...] = ()


def image_of(saved: Mapping[str, Any], what: str) -> ParsedImage:
    """Return the image of a saved draft; `what` names the draft in errors.

    Raises
    ------
    SourceError
        If it is not the content of a draft.
    """
    from .local import LocalImage

    values, local = saved.get("values"), saved.get("local")
    if not isinstance(values, Mapping):
        raise SourceError(f"{what} is not a draft that this package saved (it has no values)")
    try:
        image = LocalImage.from_json(local) if local else None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(f"{what} is not a draft that this package saved (its local image: {error})") from None
    name, origin, fingerprint = (str(saved.get(key) or "") for key in ("name", "origin", "fingerprint"))
    values = {path: value for path, value in values.items() if path in fields()}
    return ParsedImage(values, name, origin, image, doubts=doubts_of(saved.get("doubts")), fingerprint=fingerprint)
