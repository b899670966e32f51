"""Parse angles and positions as people write them, and format them: the one place for both.

Hand-written, because the checks parse at every keystroke, where astropy's parser (a grammar that takes milliseconds,
and no decimal comma, no "N" or "S", no typographic primes) would be felt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from ..errors import SourceError

_LONGEST = 80  # characters
_PLAIN = str.maketrans({
    "−": "-", "–": "-", "˗": "-", "‐": "-", "‑": "-", "‒": "-", "﹣": "-", "－": "-", "＋": "+", "º": "°", "˚": "°", "′": "'", "’": "'", "‘": "'", "´": "'", "ʹ": "'", "ʰ": "h", "ᵐ": "m",
    "ˢ": "s", "ᵈ": "d", "″": '"', "”": '"', "“": '"', "ʺ": '"', "\u00a0": " ", "\u2009": " ", "\u202f": " ",
})  # fmt: skip
_UNITS = {
    "°": 1.0, "d": 1.0, "deg": 1.0, "degs": 1.0, "degree": 1.0, "degrees": 1.0,
    "'": 1 / 60, "arcmin": 1 / 60, "arcmins": 1 / 60, "arcminute": 1 / 60, "arcminutes": 1 / 60, "m": 1 / 60,
    '"': 1 / 3600, "''": 1 / 3600, "arcsec": 1 / 3600, "arcsecs": 1 / 3600, "arcsecond": 1 / 3600, "arcseconds": 1 / 3600,
    "as": 1 / 3600, "mas": 1 / 3.6e6, "rad": math.degrees(1), "radian": math.degrees(1), "radians": math.degrees(1),
    "h": 15.0, "hr": 15.0, "hour": 15.0, "hours": 15.0, "hourangle": 15.0,
}  # fmt: skip
_HOURS = frozenset({"h", "hr", "hour", "hours", "hourangle"})
_NUMBER = r"(?:\d+(?:[.,]\d*)?|[.,]\d+)"
_H, _D, _M, _S = (
    r"(?:h|hr|hrs|hours?)",
    r"(?:d|°|degs?|degrees?)",
    r"(?:m|'|mins?|minutes?|arcmins?|arcminutes?)",
    r"(?:s|\"|''|secs?|seconds?|arcsecs?|arcseconds?)",
)
_SINGLE = re.compile(rf"({_NUMBER}(?:e[+-]?\d+)?)\s*([a-z°'\"]*)", re.ASCII | re.IGNORECASE)
_PARTS = re.compile(
    rf"(\d+)\s*({_H}|{_D}|:|\s)\s*(\d+(?:[.,]\d+)?)\s*(?:({_M}|:|\s|$)\s*(?:({_NUMBER})\s*(?:{_S}|$))?)?",
    re.ASCII | re.IGNORECASE,
)
_ARC_PARTS = re.compile(
    rf"(\d+)\s*(?:'|arcmins?|arcminutes?)\s*({_NUMBER})\s*(?:\"|''|arcsecs?|arcseconds?)", re.ASCII | re.IGNORECASE
)
_POINT_BEHIND = re.compile(r"(\d)\s*([hmsd°'\"])\.(\d+)", re.ASCII | re.IGNORECASE)  # 52ˢ.7 for 52.7ˢ
_COMPACT = re.compile(r"(\d\d)(\d\d)(\d\d)\.?(\d*)\s*([+-])(\d\d)(\d\d)(\d\d)\.?(\d*)", re.ASCII)
_SURVEY = re.compile(r"(?:\w{1,8}\s+)?J(?=\d{6})", re.IGNORECASE)
_SKYCOORD = re.compile(r"<SkyCoord \((?:ICRS|FK5: equinox=J2000\.000)\): \(ra, dec\) in deg\s*\((.*)\)>")
_EPOCH = re.compile(r"[(;,\s]*\b(?:j2000(?:\.0)?|icrs|fk5)\b(?!\d)[);,\s]*", re.IGNORECASE)
_OTHER_FRAME = re.compile(r"\b(?:[bB]\s?1950|FK4|[gG]alactic|[eE]cliptic)\b|\b(?:[lb]|lon|lat|glon|glat)\s*=")
_LABEL = r"(?:\b(?:{})|{})\s*[=:]?\s*(?=[\d+.,-]|$)"
_LABELS = {
    "right ascension": re.compile(_LABEL.format(r"r\.?\s?a\.?|right ascension", "α"), re.IGNORECASE),
    "declination": re.compile(_LABEL.format(r"dec(?:l)?\.?|declination", "δ"), re.IGNORECASE),
    "angle": re.compile(_LABEL.format(r"p\.?\s?a\.?|position angle", "θ"), re.IGNORECASE),
}
_PER_PIXEL = re.compile(r"\s*(?:/|per)\s*(?:px|pix|pixel)\.?$", re.IGNORECASE)
_FROM_NORTH = re.compile(r"\s*(?:(east|e)|west|w)\.?\s*(?:of|from)\s*(?:north|n)\.?$", re.IGNORECASE)

RA, DEC, ANGLE = "right ascension", "declination", "angle"
_HINTS = {
    "frame": "it is not in J2000 (ICRS). Convert it first, for instance with astropy's SkyCoord",
    "sixty": "minutes and seconds must be less than 60",
}


def parse_angle(text: str, unit: str = "°", what: str = ANGLE) -> float:
    """Return the angle in degrees that a text means.

    Parameters
    ----------
    text : str
        A number, with a unit ("17°", "0.36 arcsec", "9.6'", "13.4979h"), or in sexagesimal parts ("47° 11′ 43″ N",
        "13:29:52.7"); with a decimal point or a decimal comma.
    unit : str, default "°"
        The unit of a number that has none.
    what : {"angle", "right ascension", "declination"}
        Sexagesimal parts without letters are hours for a right ascension, degrees otherwise.

    Raises
    ------
    SourceError
        If the text means no angle.
    """
    return _parse(text, unit, what)


def _parse(text: str, unit: str, what: str, *, half: bool = False) -> float:
    """Return the angle as `parse_angle` does; "13 29" is hours and minutes only as `half` of a position."""
    written = _unlabeled(_plain(text), what) if len(text) <= _LONGEST else ""
    sign, body, pole = _signed(written, what)
    if what == ANGLE and (turn := _FROM_NORTH.search(body)):
        body, sign = body[: turn.start()], sign if turn[1] else -sign
    degrees = _parts(body, what) if half or not re.fullmatch(r"\d+\s+[\d.,]+", body) else None
    if degrees is None:
        degrees = _single(body, unit, what)
    if degrees is None or not math.isfinite(degrees) or (pole and sign < 0):
        hint = _HINTS["sixty"] if _PARTS.fullmatch(body) and re.search(r"\D[6-9]\d(?!\d)", body) else _EXAMPLES[what]
        raise SourceError(f"“{text[:_LONGEST]}” is not {_article(what)}: {hint}")
    return float(f"{sign * (pole or 1) * degrees:.15g}") + 0.0  # 0.36″ is 0.0001°, not 9.999999999999999e-05


def _plain(text: str) -> str:
    """Return a text with ASCII signs, and decimals in front of their unit."""
    return _POINT_BEHIND.sub(r"\1.\3\2", text.translate(_PLAIN).strip())


def _unlabeled(written: str, what: str) -> str:
    """Return what was written without the name of the number, the equinox J2000, and "per pixel"."""
    written = _LABELS[what].sub("", _EPOCH.sub(" ", written)).strip()
    return _PER_PIXEL.sub("", written) if what == ANGLE else written


def parse_number(text: str) -> float:
    """Return the number that a text means, with a decimal point or a decimal comma.

    Raises
    ------
    SourceError
        If the text means no finite number.
    """
    written = text.translate(_PLAIN).strip() if len(text) <= _LONGEST else ""
    if re.fullmatch(rf"[+-]?{_NUMBER}(?:e[+-]?\d+)?", written, re.ASCII | re.IGNORECASE) is None:
        raise SourceError(f"“{text[:_LONGEST]}” is not a number")
    value = _number(written)
    if not math.isfinite(value):
        raise SourceError(f"“{text[:_LONGEST]}” is too large a number")
    return value


def parse_position(text: str) -> tuple[float, float]:
    """Return right ascension and declination in degrees of a position in one text.

    Two plain numbers are degrees. Separators are a comma, a semicolon, white space, or the declination's sign:
    ``"13h29m52.7s +47d11m43s"``, ``"13 29 52.7 +47 11 43"``, ``"202.4696, 47.1952"``, ``"202,4696 47,1952"``.

    Raises
    ------
    SourceError
        If the text means no position.
    """
    written = _position_text(text) if len(text) <= 2 * _LONGEST else ""
    hint = (
        "write right ascension and declination, such as 13h29m52.7s +47d11m43s or 202.4696 47.1952. "
        "Names of objects are not looked up"
    )
    if _OTHER_FRAME.search(written):
        hint, written = _HINTS["frame"], ""
    for first, second in _halves(written):
        try:
            ra, dec = _parse(first, "°", RA, half=True), _parse(second, "°", DEC, half=True)
        except SourceError as error:
            hint = _HINTS["sixty"] if str(error).endswith(_HINTS["sixty"]) else hint
            continue
        return ra, dec
    raise SourceError(f"“{text[:_LONGEST]}” is not a position: {hint}")


def may_be_hours(text: str) -> float | None:
    """Return the right ascension in a text, in degrees, if it is a number without a unit that could be meant in hours."""
    written = _position_text(text) if len(text) <= 2 * _LONGEST else ""
    plain = re.compile(r"\+?(\d{1,2}(?:[.,]\d*)?)", re.ASCII)
    whole = plain.fullmatch(_unlabeled(written, RA))
    for first, second in () if whole else _halves(written):
        try:
            _parse(first, "°", RA, half=True), _parse(second, "°", DEC, half=True)
        except SourceError:
            continue
        whole = plain.fullmatch(_unlabeled(first, RA))
        break
    return degrees if whole and (degrees := _number(whole[1])) < 24 else None


def _position_text(text: str) -> str:
    """Return the text of a position with right ascension first, and without brackets, names and the equinox J2000."""
    written = " ".join(_plain(text).split())
    written = found[1] if (found := _SKYCOORD.fullmatch(written)) else written
    written = re.sub(r"^[(\[]([^()\[\]]*)[)\]]$", r"\1", written)
    written = _SURVEY.sub("", _EPOCH.sub(" ", written).strip())
    if found := _COMPACT.fullmatch(written):
        h, m, s, fraction, sign, d, arcmin, arcsec, more = found.groups()
        return f"{h}h{m}m{s}.{fraction or 0}s {sign}{d}d{arcmin}m{arcsec}.{more or 0}s"
    ra, dec = _LABELS[RA].search(written), _LABELS[DEC].search(written)
    if ra and dec and dec.start() < ra.start():
        written = f"{written[ra.end() :].strip(' ,;/|')}; {written[dec.end() : ra.start()].strip(' ,;/|')}"
    else:
        written = _LABELS[DEC].sub(" ", _LABELS[RA].sub(" ", written)).strip()
    return " ".join(re.sub(r"\s*[;/|]\s*", "; ", written).split())


def _halves(written: str) -> Iterator[tuple[str, str]]:
    """Yield ways to split a position in two, the most likely first."""
    cuts: list[tuple[int, int]] = []
    cuts += [found.span() for found in re.finditer(r"\s*;\s*|\s*,\s+", written)]
    cuts += [(found.start(), found.end()) for found in re.finditer(r"(?<=[\dhmsd°'\"])\s*(?=[+-])", written)]
    spaces = [found.span() for found in re.finditer(r"\s+", written)]
    fields = len(spaces) + 1
    cuts += sorted(spaces, key=lambda span: abs(fields - 2 * (1 + sum(each < span for each in spaces))))
    if written.count(",") == 1 and not spaces:
        cuts.append((written.index(","), written.index(",") + 1))
    if fields == 1 and written.count(",") == 3:  # decimal commas, and one between the numbers
        cuts.append((second := [at for at, each in enumerate(written) if each == ","][1], second + 1))
    for start, end in cuts:
        left, right = written[:start], written[end:]
        # "10 11 43" is not 10° and 11° 43′, nor 10h 11m and 43°: bare numbers are as many on both sides.
        bare = all(re.fullmatch(r"[+-]?\d+(?:\s+[\d.,]+)*", half) for half in (left, right))
        if not bare or len(left.split()) == len(right.split()):
            yield left, right


def _signed(written: str, what: str) -> tuple[int, str, int]:
    """Return the sign, the text without it, and the sign of a trailing N or S (0 without one)."""
    sign = -1 if written.startswith("-") else 1
    body = written.removeprefix("-").removeprefix("+").strip() if written[:1] in ("-", "+") else written
    if what == DEC and body[-1:].upper() in ("N", "S") and not re.search(r"[hmd:\d.]\s*s$|\d\s*s$", body):
        return sign, body[:-1].strip(), 1 if body[-1:].upper() == "N" else -1
    if what == DEC and sign > 0 and (first := re.match(r"([NS])(?:orth|outh)?\s*(?=\d)", body, re.IGNORECASE)):
        return sign, body[first.end() :], 1 if first[1].upper() == "N" else -1
    if what == DEC and re.search(r"['\"]\s*S$", body):
        return sign, body[:-1].strip(), -1
    return sign, body, 0


def _parts(body: str, what: str) -> float | None:
    if what == ANGLE and (arc := _ARC_PARTS.fullmatch(body)):
        return int(arc[1]) / 60 + _number(arc[2]) / 3600
    found = _PARTS.fullmatch(body)
    if found is None:
        return None
    whole, mark, minutes, seconds = found[1], found[2].strip().lower(), found[3], found[5]
    if seconds is not None and re.search("[.,]", minutes):
        return None
    small = [_number(minutes), _number(seconds or "0")]
    if max(small) >= 60:
        return None
    hours = mark[:1] == "h" or (what == RA and mark[:1] not in ("d", "°"))
    if mark[:1] == "h" and what == DEC:
        return None
    return (int(whole) + small[0] / 60 + small[1] / 3600) * (15 if hours else 1)


def _single(body: str, unit: str, what: str) -> float | None:
    found = _SINGLE.fullmatch(body)
    if found is None:
        return None
    name = (found[2] or unit).lower()
    factor = _UNITS.get(name)
    if factor is None or (what == DEC and name in _HOURS) or (found[2].lower() == "m" and what == RA):
        return None
    return _number(found[1]) * factor


def _number(text: str) -> float:
    return float(text.replace(",", "."))


_EXAMPLES = {
    RA: "write 13h 29m 52.7s, 13:29:52.7 or 202.4696 (degrees)",
    DEC: "write +47° 11′ 43″, +47:11:43 or 47.1952 (degrees)",
    ANGLE: "write a number with a unit, such as 17°, 9.6′ or 0.36″",
}


def _article(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"


def format_ra(degrees: float, decimals: int = 2) -> str:
    """Return a right ascension as ``13h 29m 52.70s``."""
    hours, minutes, seconds = _split(degrees % 360 / 15, decimals)
    return f"{hours % 24:02d}h {minutes:02d}m {seconds}s"


def format_dec(degrees: float, decimals: int = 1) -> str:
    """Return a declination as ``+47° 11′ 42.7″``."""
    whole, minutes, seconds = _split(abs(degrees), decimals)
    return f"{'−' if degrees < 0 and (whole, minutes, float(seconds)) != (0, 0, 0) else '+'}{whole:02d}° {minutes:02d}′ {seconds}″"


def format_angle(degrees: float, digits: int = 4) -> str:
    """Return an angle with `digits` significant digits in the unit that suits it: 2°, 30′, 0.36″."""
    factor, unit = next(((f, u) for f, u in ((1, "°"), (60, "′"), (3600, "″")) if abs(degrees) * f >= 1), (3600, "″"))
    return f"{float(f'{degrees * factor:.{digits}g}'):.10g}{unit}"


def seconds_decimals(pixel: float) -> tuple[int, int]:
    """Return the decimals of RA seconds and Dec seconds that show half a pixel of `pixel` degrees."""
    half = max(pixel * 3600 / 2, 1e-6)
    of_dec = min(max(math.ceil(-math.log10(half)), 0), 5)
    return min(of_dec + 1, 6), of_dec


def _split(value: float, decimals: int) -> tuple[int, int, str]:
    """Return whole units, minutes and seconds of a value; rounded first, so that no 60 comes out."""
    ticks = round(value * 3600 * 10**decimals)
    minute = 60 * 10**decimals
    rest = ticks % minute / 10**decimals
    width = decimals + 3 if decimals else 2
    return ticks // minute // 60, ticks // minute % 60, f"{rest:0{width}.{decimals}f}"
