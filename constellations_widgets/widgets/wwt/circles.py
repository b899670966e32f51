"""Circles of the size that was asked for.

WWT's engine draws a circle at declination d, whose radius is said to be r degrees, with an angle of atan(r · cos d / 44) around its
middle: 1.3 times too large at the equator, half as large as that at 67°. And it begins with 10° where pywwt believes 1°. So
another radius is said, which comes out right. (A radius in pixels the engine takes for degrees; that is left as it is.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from .replay import Message

_ENGINE = 44.0
_RADIUS = 1.0  # degrees; pywwt's default
_LARGEST = 89.0  # degrees


@dataclass
class _Circle:
    dec: float
    radius: float = _RADIUS
    on_sky: bool = True

    def said(self) -> float:
        """The radius to be said to the engine."""
        if not self.on_sky:
            return self.radius
        wanted = math.tan(math.radians(min(self.radius, _LARGEST)))
        return _ENGINE * wanted / max(math.cos(math.radians(self.dec)), 1e-6)


class Circles:
    """The circles of one view, as a program has described them."""

    def __init__(self) -> None:
        self._circles: dict[str, _Circle] = {}

    def corrected(self, message: Message, middle: tuple[float, float]) -> Iterator[Message]:
        """`message`, and what must be said for its circle to be right.

        Parameters
        ----------
        message : dict
            Any message to the app.
        middle : (float, float)
            RA and Dec in degrees of the middle of the view, where a new circle is.
        """
        event, id = message.get("event"), message.get("id")
        if event == "annotation_create" and message["shape"] == "circle":
            yield message
            message = {"event": "circle_set_center", "id": id, "ra": middle[0], "dec": middle[1]}
            self._circles[id] = _Circle(middle[1])
        elif event == "clear_annotations":
            self._circles.clear()
        elif event == "remove_annotation":
            self._circles.pop(id, None)
        circle = self._circles.get(id)
        if circle is None:
            yield message
        elif message["event"] == "circle_set_center":
            circle.dec = message["dec"]
            yield message
            yield {"event": "annotation_set", "id": id, "setting": "radius", "value": circle.said()}
        elif message.get("setting") == "radius":
            circle.radius = float(message["value"])
            yield {**message, "value": circle.said()}
        else:
            if message.get("setting") == "skyRelative":
                circle.on_sky = bool(message["value"])
            yield message
