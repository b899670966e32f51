"""The view of a scene as its form shows it: center, height, shape and roll, as people write them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from ..errors import SourceError
from ..geometry.angles import format_angle, format_dec, format_ra, parse_angle, parse_number, seconds_decimals
from ..geometry.position import CENTER_DEC, CENTER_RA, parse_center
from ..schema.sky_view import SkyView
from ..text import about
from .protocol.drafts import PositionField

HEIGHT, ASPECT, ROLL = "height", "aspect", "roll"
_FIELDS = {
    CENTER_RA: ("Center RA", "13h 29m 52.7s or 202.4696; RA and Dec may be pasted as one text"),
    CENTER_DEC: ("Center Dec", "+47° 11′ 43″ or 47.1952"),
    HEIGHT: ("Height", "with ° ′ or ″; this region stays in view whatever the shape of the window"),
    ASPECT: ("Width / height", "0.1 to 10"),
    ROLL: ("Roll", "0° is north up; the sky turns clockwise"),
}
_LONGEST = 80  # characters of what is typed
_FINE = 500  # the last digit of the center is this part of the height
_START = SkyView(0.0, 0.0, 60.0)  # the whole sky: what is not typed yet of a new view


class ViewFields:
    """What was typed of a scene's view. The view itself belongs to the scene."""

    def __init__(self) -> None:
        self._errors: dict[str, tuple[str, str]] = {}  # by name: what was typed and not understood, and why
        self.taken = 0
        """How many texts were taken."""

    def state(self, view: SkyView | None) -> list[PositionField]:
        """Return the fields for the page."""
        shown = texts_of(view) if view is not None else {}
        return [
            {
                "name": name,
                "title": title,
                "text": shown.get(name, ""),
                "help": help_text,
                "typed": self._errors.get(name, ("", ""))[0],
                "error": self._errors.get(name, ("", ""))[1],
            }
            for name, (title, help_text) in _FIELDS.items()
        ]

    @property
    def faults(self) -> list[str]:
        """What was typed and not understood, by the title of its field."""
        return [about(_FIELDS[name][0], error) for name, (_, error) in self._errors.items()]

    def clear(self) -> None:
        """Forget what was not understood, because the view was set otherwise."""
        self._errors = {}

    def take(self, view: SkyView | None, name: str, typed: Any) -> SkyView | None:
        """Return the view with a number that the user typed; `view` as it is if that is not understood."""
        self.taken += 1
        if name not in _FIELDS or not isinstance(typed, str) or len(typed) > _LONGEST:
            return view
        self._errors.pop(name, None)
        try:
            return dataclasses.replace(view or _START, **_parse(view, name, typed))
        except SourceError as error:
            self._errors[name] = (typed, f"{error}. The view has not changed.")
            return view


def texts_of(view: SkyView) -> dict[str, str]:
    """Return each number of a view as the form shows it."""
    of_ra, of_dec = seconds_decimals(view.height / _FINE)
    return {
        CENTER_RA: format_ra(view.ra, of_ra),
        CENTER_DEC: format_dec(view.dec, of_dec),
        HEIGHT: format_angle(view.height),
        ASPECT: f"{view.aspect:.4g}",
        ROLL: f"{float(f'{view.roll:.3f}') + 0.0:g}°",
    }


def summary_of(view: SkyView | None) -> str:
    """Return a view in one line."""
    if view is None:
        return "none"
    shown = texts_of(view)
    roll = "north up" if shown[ROLL] == "0°" else f"roll {shown[ROLL]}"
    width = format_angle(view.height * view.aspect, 3)
    return f"{shown[CENTER_RA]} {shown[CENTER_DEC]} · {width} × {format_angle(view.height, 3)} · {roll}"


def _parse(view: SkyView | None, name: str, typed: str) -> dict[str, float]:
    if name in (CENTER_RA, CENTER_DEC):
        ra, dec = parse_center(name, typed)
        return {key: value for key, value in (("ra", ra), ("dec", dec)) if value is not None}
    if name == ASPECT:
        aspect = parse_number(typed)
        if not 0.1 <= aspect <= 10:
            raise SourceError("Width / height is between 0.1 and 10")
        return {ASPECT: aspect}
    if name == ROLL:
        return {ROLL: math.remainder(parse_angle(typed), 360)}
    unit = format_angle(view.height)[-1] if view is not None else "°"
    height = parse_angle(typed, unit.translate({8242: "'", 8243: '"'}))
    if not 0 < height <= 360:
        raise SourceError("The height is greater than 0 and at most 360 degrees")
    return {HEIGHT: height}
