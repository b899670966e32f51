"""A view of the sky, for scenes and previews; apart from the models of scenes, which no preview needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SkyView:
    """A view of the sky: its middle and its extent.

    Attributes
    ----------
    ra, dec : float
        Right ascension and declination of the middle, degrees.
    height : float
        Height of the view, degrees.
    aspect : float
        Width / height. Default 1.
    roll : float
        Turn of the view, degrees; the sky turns clockwise. Default 0: north is up.

    Examples
    --------
    >>> cxw.SkyView(ra=202.47, dec=47.2, height=0.5)
    """

    ra: float
    dec: float
    height: float
    aspect: float = 1.0
    roll: float = 0.0
