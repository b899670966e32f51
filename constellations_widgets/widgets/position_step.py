"""The form's Position step: the position in human numbers, and what was typed of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..geometry.angles import DEC, format_dec, format_ra, may_be_hours, parse_angle, parse_position
from ..geometry.position import (
    CENTER_DEC,
    CENTER_RA,
    MIRRORED,
    PIXEL,
    ROTATION,
    WIDTH,
    changes_for,
    is_flat,
    position_of,
)
from ..schema.placement import is_tan, number
from ..sources.local import LocalImage
from .protocol.drafts import PositionState
from .publish_source import NOT_PLACED

if TYPE_CHECKING:
    from ..draft import ImageDraft

_FIELDS = {
    CENTER_RA: ("Center RA", "13h 29m 52.7s or 202.4696; RA and Dec may be pasted as one text"),
    CENTER_DEC: ("Center Dec", "+47° 11′ 43″ or 47.1952"),
    WIDTH: ("Width", "with ° ′ or ″"),
    PIXEL: ("Pixel scale", "per pixel"),
    ROTATION: ("Position angle", "of the image's top edge, from north through east"),
}
_LONGEST = 80  # characters of what is typed


class PositionStep:
    """The position of a draft as the form shows it; what is typed goes through geometry into the draft's raw fields."""

    def __init__(self, draft: Any):
        self._draft: ImageDraft = draft
        self._errors: dict[str, tuple[str, str]] = {}  # by name: what was typed and not understood, and why
        self._question, self._label = "", ""
        self._answer: dict[str, str] = {}  # what the question's button types
        self._taken = 0

    @property
    def _size(self) -> tuple[int, int] | None:
        local = self._draft.local
        return local.size if isinstance(local, LocalImage) else None

    def state(self) -> PositionState:
        """Return the step for the page: see js/form/position.tsx."""
        values = self._draft.values
        flat = is_flat(values)
        found = position_of(values, self._size) if flat else None
        shown = found.texts() if found else _incomplete(values)
        names = [name for name in _FIELDS if name != WIDTH or self._size or (found and found.width is not None)]
        return {
            "flat": flat,
            "complete": found is not None,
            "fields": [
                {
                    "name": name,
                    "title": _FIELDS[name][0],
                    "text": shown.get(name, ""),
                    "help": _FIELDS[name][1],
                    "typed": self._errors.get(name, ("", ""))[0],
                    "error": self._errors.get(name, ("", ""))[1],
                }
                for name in names
            ],
            "mirrored": values.get("wwt.bottoms_up") is True,
            "unmirrored": "WWT draws no mirrored tiles." if is_tan(values) else "",
            "summary": str(found) if found else "",
            "question": self._question or ("" if found or not flat else self._why_not_placed()),
            "label": self._label,
            "taken": self._taken,
        }

    def _why_not_placed(self) -> str:
        remarks = (problem.message for problem in self._draft.problems if problem.message.startswith(NOT_PLACED))
        return next(remarks, NOT_PLACED) + ". Enter the center and the width, or the pixel scale."

    def placed(self) -> None:
        """Discard the typed texts, because the image was placed otherwise."""
        self._errors, self._question, self._label, self._answer = {}, "", "", {}

    def take(self, name: str, typed: Any) -> dict[str, Any]:
        """Return the changes to the draft that a number typed by the user makes; remember why there are none."""
        self._taken += 1
        if name != MIRRORED and (name not in _FIELDS or not isinstance(typed, str) or len(typed) > _LONGEST):
            return {}
        self._errors.pop(name, None)
        self._question, self._label, self._answer = "", "", {}
        values = self._draft.values
        try:
            changes = changes_for(values, self._size, name, typed)
        except SourceError as error:
            self._errors[name] = (str(typed), f"{error}. The image has not moved.")
            self._ask_if_swapped(values, name, str(typed))
            return {}
        if name == CENTER_RA and (degrees := may_be_hours(typed)) is not None:
            self._question = f"{degrees:g} was taken as degrees, which is {format_ra(degrees)}. Was it in hours?"
            self._label = f"Use {format_ra(degrees * 15)}"
            self._answer = {CENTER_RA: format_ra(degrees * 15, 6)}
        return changes

    def answer(self) -> dict[str, Any]:
        """Return the changes that the question's button makes."""
        typed, changes = self._answer, dict[str, Any]()
        for name, text in typed.items():
            changes |= self.take(name, text)
        self.placed()
        return changes

    def _ask_if_swapped(self, values: Mapping[str, Any], name: str, typed: str) -> None:
        try:
            ra, dec = parse_position(typed)
        except SourceError:
            if name != CENTER_DEC:
                return
            try:
                dec = parse_angle(typed, what=DEC)
            except SourceError:
                return
            found = position_of(values, self._size)
            ra = found.ra if found else number(values, "wwt.center_x") or 0.0
        if 90 < dec <= 360 and abs(ra) <= 90:
            self._question = "A declination is at most 90°. Are right ascension and declination swapped?"
            self._label = f"Use RA {format_ra(dec)}, Dec {format_dec(ra)}"
            self._answer = {CENTER_RA: f"{format_ra(dec, 6)} {format_dec(ra, 5)}"}


def _incomplete(values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is known of a placement that is not complete."""
    ra, dec, rotation = (number(values, f"wwt.{name}") for name in ("center_x", "center_y", "rotation"))
    shown = {CENTER_RA: format_ra(ra) if ra is not None else "", CENTER_DEC: format_dec(dec) if dec is not None else ""}
    return shown | {ROTATION: f"{rotation:g}°" if rotation is not None else ""}
