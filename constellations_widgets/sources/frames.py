"""Names of reference systems and equinoxes in FITS headers and AVM."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import SourceError

_SYSTEMS = {
    "ICRS": "ICRS", "ICRF": "ICRS", "ICRF1": "ICRS", "ICRF2": "ICRS", "ICRF3": "ICRS",
    "FK5": "FK5", "FK4": "FK4", "FK4NOE": "FK4-NO-E",
}  # fmt: skip
_EPOCH = re.compile("([JB](?:2000|1950))0?")  # "J2000.0" without its point
_EPOCHS = {
    "J2000": ("FK5", "ICRS"),
    "B1950": ("FK4", "FK4-NO-E"),
}  # the systems that an epoch goes with, the default first
UNKNOWN = ("", "UNKNOWN", "NONE", "NA", "N/A", "UNDEFINED")
"""Texts in capitals that stand for a missing value."""
_EQUINOX = re.compile(r"([JB]?)\s*([0-9]+(?:\.[0-9]*)?)", re.IGNORECASE)
_PLAUSIBLE = (1800.0, 2200.0)  # years
_USUAL = (1950.0, 2000.0)  # equinoxes of catalogs
_PRECESSION = 50.3  # seconds of arc a year, along the ecliptic


class Frame(NamedTuple):
    """A reference system of right ascension and declination, and its equinox in years; None if it has none."""

    system: str
    equinox: float | None
    remarks: tuple[str, ...] = ()


def frame_of(system: object, equinox: object, names: tuple[str, str]) -> Frame:
    """Return the frame of a system and an equinox in any spelling; the FITS default for missing ones.

    Parameters
    ----------
    system, equinox : str, float or None
        Values as written in the file.
    names : (str, str)
        Names of the two keywords, for messages.

    Raises
    ------
    SourceError
        If either is unknown, or the coordinates are apparent ones of a date.
    """
    text = "" if system is None else str(system).strip()
    key = re.sub(r"[^A-Z0-9]", "", text.upper())
    epoch = _EPOCH.search(key)
    name = _EPOCH.sub("", key, count=1)
    known = _SYSTEMS.get(name) if name or not epoch else _EPOCHS[epoch[1]][0]
    if known and epoch and known not in _EPOCHS[epoch[1]]:
        raise SourceError(f"{names[0]} is {system!r}, which contradicts itself: correct it to ICRS, FK5 or FK4")
    if known == "ICRS":
        return Frame("ICRS", None)  # which needs no equinox
    year, era, remarks = _year(equinox, names[1])
    if key in UNKNOWN:
        if text:
            remarks = (*remarks, f"{names[0]} is {system!r}: taken as missing")
        known = "ICRS" if year is None else "FK4" if era == "B" or (not era and year < 1984) else "FK5"
    elif key == "GAPPT":
        raise SourceError(
            f"{names[0]} is GAPPT: apparent places of a date, not of a catalog. Give the WCS in ICRS or FK5: solve "
            "it again"
        )
    elif not known:
        raise SourceError(f"{names[0]} is {system!r}, an unknown reference system: correct it to ICRS, FK5 or FK4")
    elif epoch and year not in (None, float(epoch[1][1:])):
        raise SourceError(f"{names[0]} is {system!r} and {names[1]} is {equinox}: they contradict each other")
    if known == "ICRS":
        return Frame(known, None, remarks)
    if year not in (None, *_USUAL):
        remarks = (*remarks, _moved(names[1], year))
    return Frame(known, year or (2000.0 if known == "FK5" else 1950.0), remarks)


def _moved(name: str, year: float) -> str:
    """Return a remark about an equinox that no catalog and no plate solver uses today: some cameras write the date of the night."""
    minutes = abs(year - 2000.0) * _PRECESSION / 60
    return (
        f"{name} is {year:g}: its places count from the equinox of that year, and are moved by up to {minutes:.3g} minutes of arc "
        f"to those of today's catalogs. If a plate solver found its place, that is wrong: change {name} to 2000.0"
    )


def _year(written: object, name: str) -> tuple[float | None, str, tuple[str, ...]]:
    """Return the year of an equinox, the letter before it, and the assumptions made."""
    text = "" if written is None else str(written).strip()
    if text.upper() in ("", "ICRS", "N/A", "NONE"):
        return None, "", ()
    found = _EQUINOX.fullmatch(text)
    if not found or isinstance(written, bool):
        raise SourceError(f"{name} is {text!r}, which is not a year: correct it, for example to 2000.0")
    year = float(found[2])
    if year == 0:
        return None, "", (f"{name} is 0, which is not a year: taken as missing",)
    if not _PLAUSIBLE[0] <= year <= _PLAUSIBLE[1]:
        raise SourceError(f"{name} is {text}, which is not the year of an equinox: correct it, for example to 2000.0")
    return year, found[1].upper(), ()
