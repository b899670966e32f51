"""Distortion keywords of FITS headers: SIP, TPV, SCAMP's PV, and tables; only those that CTYPE names are used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from .cards import Keywords

if TYPE_CHECKING:
    from astropy.io.fits import Header

_SIP = re.compile(r"([AB])_(?:ORDER|(\d+)_(\d+))")
_TABLES = re.compile(r"(CPDIS|CQDIS|DP|DQ|CPERR|CQERR|D2IM\w+|AXISCORR)\d*(\..+)?")
_WITHOUT_PARAMETERS = ("TAN", "STG", "ARC", "ZEA", "CAR", "MER", "SFL", "PAR", "MOL", "AIT", "PCO", "TSC", "CSC", "QSC")


def add_distortion(
    keywords: Keywords, key: str, clean: dict[str, Any], axes: dict[int, str], remarks: list[str]
) -> None:
    """Add the polynomial distortion of one WCS to `clean`, whose CTYPE is set, and report ignored keywords.

    Raises
    ------
    SourceError
        If a keyword is invalid; the message names it.
    """
    sip = {} if key else {name: value for name in keywords if _SIP.fullmatch(name) for value in [keywords.number(name)]}
    uses_sip = _choose_sip(sip, clean, remarks)
    pv = _parameters(keywords, key, axes)
    projection = clean["CTYPE1"][5:8]
    if projection == "TAN" and _is_scamp(pv):
        if uses_sip:
            remarks.append(
                "the header has SIP and PV distortions, as PTF and ZTF write them: SIP is used, as CTYPE says"
            )
            return
        projection = "TPV"
        for axis in (1, 2):
            clean[f"CTYPE{axis}"] = f"{clean[f'CTYPE{axis}'][:5]}TPV"
    if projection == "TPV":
        pv = {(1, 1): 1.0, (2, 1): 1.0} | pv  # the convention's own defaults, which wcslib does not know
    elif projection in _WITHOUT_PARAMETERS:
        unused = {place: value for place, value in pv.items() if place[0] == latitude_axis(axes)}
        if any(unused.values()):
            remarks.append(f"the projection {projection} has no PV parameters: those of the header are not used")
        pv = {place: value for place, value in pv.items() if place not in unused}
    for (axis, m), value in pv.items():
        clean[f"PV{axis}_{m}"] = value


def _choose_sip(sip: dict[str, float | None], clean: dict[str, Any], remarks: list[str]) -> bool:
    """Add the SIP distortion if CTYPE asks for it, and return whether it does; report what contradicts CTYPE."""
    asked = ["-SIP" in clean[f"CTYPE{axis}"] for axis in (1, 2)]
    for axis in (1, 2):
        clean[f"CTYPE{axis}"] = clean[f"CTYPE{axis}"][:8]
    if any(asked) and sip:
        _add_sip(sip, clean)
        if not all(asked):
            remarks.append("only one of CTYPE1 and CTYPE2 ends in -SIP: the SIP distortion is used for both")
        return True
    if any(asked):
        remarks.append("CTYPE asks for a SIP distortion (-SIP), and the header has no coefficients: placed without")
    elif sip and clean["CTYPE1"][5:8] == "TPV":
        remarks.append("the header has SIP coefficients beside the TPV distortion that CTYPE asks for: TPV is used")
    elif any(value for name, value in sip.items() if "ORDER" not in name):
        remarks.append(
            "the header has SIP coefficients (A_ORDER and so on), and CTYPE does not ask for them with -SIP: placed "
            f"without. If they belong to the image, write header['CTYPE1'] = '{clean['CTYPE1']}-SIP' and "
            f"header['CTYPE2'] = '{clean['CTYPE2']}-SIP'"
        )
    return False


def add_tables(header: Header, clean: Header) -> None:
    """Copy the keywords of distortion tables to `clean` unchanged: astropy reads the tables of the file by them."""
    for card in header.cards:
        if _TABLES.fullmatch(card.keyword):
            clean.append(card)


def _is_scamp(pv: dict[tuple[int, int], float]) -> bool:
    """Return whether the PV parameters of a TAN are SCAMP's polynomials, as it wrote them before 2012."""
    linear = all(abs(pv.get((axis, 1), 0.0) - 1) < 0.1 for axis in (1, 2))
    return linear or any(m >= 5 for _, m in pv)  # the FITS standard defines only PVi_0 to PVi_4


def _parameters(keywords: Keywords, key: str, axes: dict[int, str]) -> dict[tuple[int, int], float]:
    """Return the PV parameters of the sky axes, in today's notation or in that of 1996 (PROJPm)."""
    found = {}
    for name in keywords:
        if not key and (old := re.fullmatch(r"PROJP(\d)", name)):
            place = (latitude_axis(axes), int(old[1]))
        elif new := re.fullmatch(rf"PV(\d)_(\d+){key}", name):
            place = (int(new[1]), int(new[2]))
        else:
            continue
        value = keywords.number(name)
        if place[0] in axes and value is not None and (place not in found or name.startswith("PV")):
            found[place] = value
    return found


def _add_sip(sip: dict[str, float | None], clean: dict[str, Any]) -> None:
    for letter in "AB":
        order = sip.get(f"{letter}_ORDER")
        if order is None or order != int(order) or not 0 <= order <= 9:
            raise SourceError(
                f"{letter}_ORDER is missing, and the SIP distortion that CTYPE asks for needs it: solve it again"
                if order is None
                else f"{letter}_ORDER is {order:g}, where a whole number from 0 to 9 is expected: solve it again"
            )
        clean[f"{letter}_ORDER"] = max(int(order), 2)  # astropy rejects an order below 2 if the other is above
        for name, value in sip.items():
            found = re.fullmatch(rf"{letter}_(\d+)_(\d+)", name)
            if found and value is not None and int(found[1]) + int(found[2]) <= order:
                clean[name] = value
    for axis in (1, 2):
        clean[f"CTYPE{axis}"] += "-SIP"


def latitude_axis(axes: dict[int, str]) -> int:
    """Return the number of the axis of declination or latitude."""
    return next(axis for axis, code in axes.items() if re.fullmatch(r"DEC|.LAT|..LT", code))
