"""The celestial WCS of a FITS header as cameras, pipelines and people write it.

wcslib and astropy read a header as a whole, and one keyword that they misread or refuse spoils it: a D exponent loses
its power of ten, a text counts as 0, the pixel size of a camera passes for a photographic plate. Here only the
keywords of the placement are read, one by one, checked, and written into a new header for astropy. A rejection names
its keyword, and assumptions are reported.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..text import last_line
from .cards import Keywords
from .distortions import add_distortion, add_tables, latitude_axis
from .frames import frame_of

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

AMONG_STARS = ("RA", "GLON", "ELON", "SLON")  # coordinates fixed relative to the stars
_UNITS = {
    "": 1.0, "deg": 1.0, "degree": 1.0, "degrees": 1.0, "degs": 1.0, "°": 1.0,
    "arcmin": 1 / 60, "arcminute": 1 / 60, "arcminutes": 1 / 60, "arcmins": 1 / 60, "amin": 1 / 60,
    "arcsec": 1 / 3600, "arcsecond": 1 / 3600, "arcseconds": 1 / 3600, "arcsecs": 1 / 3600, "asec": 1 / 3600,
    "mas": 1 / 3.6e6, "milliarcsec": 1 / 3.6e6, "rad": 180 / math.pi, "radian": 180 / math.pi, "radians": 180 / math.pi,
}  # fmt: skip
PROJECTIONS = frozenset(
    "AZP SZP TAN STG SIN ARC ZPN ZEA AIR CYP CEA CAR MER COP COE COD COO SFL PAR MOL AIT BON PCO TSC CSC QSC HPX XPH "
    "GLS NCP TPV TNX ZPX".split()
)
_LONGITUDE, _LATITUDE = "RA|.LON|..LN", "DEC|.LAT|..LT"
_AGREE = 1e-2  # largest relative difference of two descriptions of the same pixels
_SAME_TURN = 1.0  # largest difference in degrees of two descriptions of the rotation
_PLATE = re.compile(r"AMD[XY]\d+|PPO\d|CNPIX[12]|[XY]PIXELSZ|PLT(RA[HMS]|DECSN|DEC[DMS])")
_PLATE_NEEDS = ("AMDX1", "AMDY1", "PPO3", "PPO6", "XPIXELSZ", "YPIXELSZ")


def celestial_wcs(header: Header, what: str, fobj: Any = None) -> tuple[WCS, tuple[str, ...]]:
    """Return the WCS of the first two axes of an image, and the assumptions made for it.

    Parameters
    ----------
    header : Header
        Header of the image, with any number of axes.
    what : str
        Names the image in errors.
    fobj : HDUList, optional
        The file that the header comes from, for tables of distortions.

    Raises
    ------
    SourceError
        If the header has no placement, or a keyword is invalid; the message names it.
    """
    from astropy.wcs import WCS

    try:
        keywords = Keywords(header)
        key, remarks = _key(keywords)
        clean = _Reader(keywords, key, remarks).celestial(header)
    except SourceError as error:
        raise SourceError(f"{what}: {error}") from None
    if fobj is None and any(card.keyword.startswith(("CPDIS", "D2IM")) for card in clean.cards):
        raise SourceError(
            f"{what}: its distortion is in tables of the file: give the file or its HDUList, not the header"
        )
    try:
        return WCS(clean, fobj=fobj), tuple(remarks)
    except Exception as error:  # wcslib raises many kinds of errors; the last line of each is readable  # noqa: BLE001
        raise SourceError(f"The WCS of {what} contradicts itself ({last_line(error)}): solve it again") from None


def checked_wcs(wcs: WCS, what: str) -> tuple[WCS, tuple[str, ...]]:
    """Return an astropy WCS with a reference system that astropy knows.

    Raises
    ------
    SourceError
        If it cannot be used.
    """
    for name in ("crval", "crpix"):
        if not all(map(math.isfinite, getattr(wcs.wcs, name))):
            raise SourceError(f"{what}: its wcs.{name} is not finite: correct it")
    code = next((str(kind)[:2] for kind in wcs.wcs.ctype if str(kind)[:2] in ("RA", "EL")), "")
    year = float(wcs.wcs.equinox)
    if not code:
        return wcs, ()
    try:
        frame = frame_of(wcs.wcs.radesys, None if math.isnan(year) else year, ("RADESYS", "EQUINOX"))
    except SourceError as error:
        raise SourceError(f"{what}: {error}") from None
    if frame.system == wcs.wcs.radesys.strip() and not frame.remarks:
        return wcs, ()
    wcs = wcs.deepcopy()
    wcs.wcs.radesys, wcs.wcs.equinox = frame.system, math.nan if frame.equinox is None else frame.equinox
    return wcs, frame.remarks


def says_where(header: Header) -> bool:
    """Return whether a header names sky axes, in its primary WCS or in an alternate one."""
    keywords = Keywords(header)
    try:
        return _is_plate(keywords) or any(_sky_axes(keywords, key) for key in ("", *_alternates(keywords)))
    except SourceError:
        return True  # in a way that can't be understood


def _is_plate(keywords: Keywords) -> bool:
    """Return whether a header holds the solution of a digitized plate; cameras use some of its keywords too."""
    return all(keywords.value(name) not in (None, 0) for name in _PLATE_NEEDS)


def _described_axes(keywords: Keywords) -> list[int]:
    """Return the numbers of the axes that the WCS of a header describes."""
    pattern = re.compile(r"(?:CTYPE|CRVAL|CRPIX|(?:CD|PC)0?\d_0?|(?:CD|PC)\d{3}00)(\d)[A-Z]?")
    numbers = [int(found[1]) for name in keywords if (found := pattern.fullmatch(name))]
    return list(range(1, max([2, *numbers]) + 1))


def _alternates(keywords: Keywords) -> list[str]:
    return sorted({name[-1] for name in keywords if re.fullmatch(r"CTYPE\d[A-Z]", name)})


def _sky_axes(keywords: Keywords, key: str) -> dict[int, str]:
    """Return the sky axes: number → code of the coordinate, such as RA; both or none."""
    codes = {axis: keywords.text(f"CTYPE{axis}{key}").partition("-")[0] for axis in _described_axes(keywords)}
    sky = {axis: code for axis, code in codes.items() if re.fullmatch(f"{_LONGITUDE}|{_LATITUDE}", code)}
    return sky if _is_pair(list(sky.values())) else {}


def _is_pair(codes: list[str]) -> bool:
    """Return whether two codes are the longitude and the latitude of one coordinate system, in any order."""
    endings = {("RA", "DEC"), ("ON", "AT"), ("LN", "LT")}
    return len(codes) == 2 and any(
        one[: -len(lon)] == other[: -len(lat)] and (one.endswith(lon) and other.endswith(lat))
        for one, other in (codes, codes[::-1])
        for lon, lat in endings
    )


def _key(keywords: Keywords) -> tuple[str, list[str]]:
    """Return the letter of the WCS to use ("" for the primary one), and remarks about the choice."""
    if _is_plate(keywords):
        return "", []
    found = {key: axes for key in ("", *_alternates(keywords)) if (axes := _sky_axes(keywords, key))}
    best = next((key for key, axes in found.items() if any(code in AMONG_STARS for code in axes.values())), None)
    if best is None and not found:
        types = [text for axis in _described_axes(keywords) if (text := keywords.text(f"CTYPE{axis}"))]
        said = f" (CTYPE is {', '.join(types)})" if types else ""
        raise SourceError(
            f"its header has no position on the sky (no celestial WCS){said}: solve it first, for "
            "example with "
            "astrometry.net"
        )
    if best is None:
        return next(iter(found)), []  # such as helioprojective ones, which `plane_of_wcs` rejects with a reason
    if best:
        named = ", ".join(keywords.text(f"CTYPE{axis}") or "none" for axis in (1, 2))
        return best, [f"its primary WCS ({named}) has no place among the stars: placed by its alternate WCS {best!r}"]
    return best, []


class _Reader:
    """Reader that copies the valid keywords of one WCS of a header into another header."""

    def __init__(self, keywords: Keywords, key: str, remarks: list[str]):
        self._keywords, self._key, self._remarks = keywords, key, remarks
        self._clean: dict[str, Any] = {}

    def celestial(self, header: Header) -> Header:
        from astropy.io.fits import Header

        self._clean = {"WCSAXES": 2}
        if not self._key and _is_plate(self._keywords):
            self._plate()
            return Header(list(self._clean.items()))
        axes = _sky_axes(self._keywords, self._key)
        if set(axes) != {1, 2}:
            names = ", ".join(self._keywords.text(f"CTYPE{axis}{self._key}") or "none" for axis in (1, 2))
            raise SourceError(f"its first two axes are {names}, and must be those of the sky: give one plane of it")
        self._types(axes)
        self._frame(axes)
        self._place(axes)
        add_distortion(self._keywords, self._key, self._clean, axes, self._remarks)
        clean = Header(list(self._clean.items()))
        if not self._key:
            add_tables(header, clean)
        return clean

    def _number(self, name: str) -> float | None:
        return self._keywords.number(f"{name}{self._key}")

    def _plate(self) -> None:
        """Copy the solution of a digitized photographic plate, which wcslib supports; it is better than its TAN."""
        for name in self._keywords:
            if _PLATE.fullmatch(name):
                sign = name == "PLTDECSN"
                self._clean[name] = self._keywords.value(name) if sign else self._keywords.number(name)
        self._clean["EQUINOX"] = self._keywords.number("EQUINOX") or 2000.0

    def _types(self, axes: dict[int, str]) -> None:
        for axis, code in axes.items():
            name = f"CTYPE{axis}{self._key}"
            written = self._keywords.text(name)
            found = re.fullmatch(r"([A-Z]+)-+([A-Z]{3})(?:-([A-Z]+))?", written)
            if found and found[2] == "TAB":
                raise SourceError(f"{name} is {written!r}: coordinates in a table can't be read. Solve the image again")
            if not found or found[2] not in PROJECTIONS:
                raise SourceError(f"{name} is {written!r}, which does not name a FITS projection: solve it again")
            if found[2] in ("TNX", "ZPX"):
                raise SourceError(
                    f"{name} is {written!r}: the distortion that IRAF keeps in WAT keywords can't be read: solve the "
                    "image "
                    "again, for example with astrometry.net"
                )
            if found[3] not in (None, "SIP"):
                raise SourceError(
                    f"{name} is {written!r}: the distortion {found[3]} that it names can't be read, and without it the image would lie "
                    "in the wrong place: solve it again"
                )
            self._clean[f"CTYPE{axis}"] = f"{code:-<4}-{found[2]}" + (f"-{found[3]}" if found[3] else "")
        first, second = (self._clean[f"CTYPE{axis}"][5:8] for axis in (1, 2))
        if first != second:
            raise SourceError(f"CTYPE1{self._key} and CTYPE2{self._key} name two projections, {first} and {second}")

    def _frame(self, axes: dict[int, str]) -> None:
        if not {"RA", "ELON"} & set(axes.values()):
            return  # EQUINOX and RADESYS have no meaning in these systems
        name, year = self._first("RADESYS", "RADECSYS"), self._first("EQUINOX", "EPOCH")
        frame = frame_of(self._keywords.value(name), self._keywords.value(year), (name, year))
        self._remarks.extend(frame.remarks)
        self._clean["RADESYS"] = frame.system
        if frame.equinox is not None:
            self._clean["EQUINOX"] = frame.equinox

    def _first(self, name: str, old: str) -> str:
        """Return the keyword of this WCS, or its older form if a primary WCS has only that."""
        name += self._key
        return old if not self._key and self._keywords.value(name) is None and old in self._keywords else name

    def _place(self, axes: dict[int, str]) -> None:
        factors = {axis: self._unit(axis) for axis in (1, 2)}
        # Their default is 0 by the FITS standard, but no program omits a place that it knows.
        if missing := self._missing("CRVAL"):
            raise SourceError(
                f"its WCS names its axes and not where they are ({_listed(missing)} missing): solve it again"
            )
        for axis, code in axes.items():
            value = self._required(f"CRVAL{axis}") * factors[axis]
            if re.fullmatch(_LATITUDE, code) and abs(value) > 90:
                raise SourceError(f"CRVAL{axis}{self._key} is {value:.10g} degrees, beyond the pole: correct it")
            self._clean[f"CRVAL{axis}"] = value
        if missing := self._missing("CRPIX"):
            raise SourceError(
                f"its WCS gives a place on the sky, and not the pixel that is there ({_listed(missing)} missing): solve it again, "
                f"or write the pixel into the header, as in header[{missing[0]!r}] = 512.5"
            )
        for axis in axes:
            self._clean[f"CRPIX{axis}"] = self._required(f"CRPIX{axis}")
        self._matrix(axes, factors)
        for name, most in (("LONPOLE", 360), ("LATPOLE", 90)):
            angle = self._number(name)
            if angle is not None and abs(angle) <= most:
                self._clean[name] = angle
            elif angle is not None:
                self._remarks.append(f"{name}{self._key} is {angle:g}, which is out of range: taken as missing")

    def _missing(self, form: str) -> list[str]:
        return [name for axis in (1, 2) if (name := f"{form}{axis}{self._key}") not in self._keywords]

    def _required(self, name: str) -> float:
        value = self._number(name)
        if value is None:
            raise SourceError(f"{name}{self._key} has no value: write it into the header")
        return value

    def _unit(self, axis: int) -> float:
        """Return the degrees per unit of an axis."""
        name = f"CUNIT{axis}{self._key}"
        written = str(self._keywords.value(name) or "").strip()
        factor = _UNITS.get(written.lower().rstrip("."))
        if factor is None:
            raise SourceError(
                f"{name} is {written!r}, which is not degrees, minutes or seconds of arc, or radians: write the WCS in "
                "degrees, and 'deg' there"
            )
        return factor

    def _matrix(self, axes: dict[int, str], factors: dict[int, float]) -> None:
        """Write the description of the pixels that has priority: CD before PC before CROTA."""
        cd, pc = self._elements("CD"), self._elements("PC")
        steps = {axis: self._number(f"CDELT{axis}") for axis in (1, 2)}
        turned = self._rotation(axes) if not cd and not pc else 0.0
        if cd and pc and any(steps.values()):
            self._compare(cd, pc, {axis: steps[axis] or 1.0 for axis in (1, 2)})
        if cd:
            self._add_cd(cd, factors)
            if not pc:
                self._remark_contradiction(axes, cd, steps)
            return
        if pc:
            turned_by = {(i, j): (steps[i] or 1.0) * pc.get((i, j), float(i == j)) for i in (1, 2) for j in (1, 2)}
            self._remark_rotation(axes, turned_by, "PC")
        self._add_steps(steps, factors, optional=bool(pc))
        for (i, j), value in pc.items():
            self._clean[f"PC{i}_{j}"] = value
        if turned:
            self._clean[f"CROTA{latitude_axis(axes)}"] = turned

    def _add_cd(self, cd: dict[tuple[int, int], float], factors: dict[int, float]) -> None:
        # astropy takes rows of zeros for missing, and then pixels for 1 degree wide
        if not any(cd.values()):
            raise SourceError("its CD matrix is 0 throughout, so its pixels have no size: solve it again")
        rows = _rows(cd)
        if not all(map(any, rows)) or not all(map(any, zip(*rows, strict=True))):
            missing = [f"CD{i}_{j}{self._key}" for i in (1, 2) for j in (1, 2) if (i, j) not in cd]
            raise SourceError(
                f"its CD matrix is singular{f' ({_listed(missing)} missing)' if missing else ''}, so its pixels have no "
                "size in one direction: solve it again"
            )
        for i in (1, 2):
            for j in (1, 2):
                self._clean[f"CD{i}_{j}"] = cd.get((i, j), 0.0) * factors[i]

    def _add_steps(self, steps: dict[int, float | None], factors: dict[int, float], optional: bool) -> None:
        missing = [f"CDELT{axis}{self._key}" for axis in (1, 2) if steps[axis] is None]
        if len(missing) == 1 or (missing and not optional):
            raise SourceError(
                f"its WCS does not say how large its pixels are: {_listed(missing)} missing: solve it again"
            )
        if missing:
            self._remarks.append(f"it has no {' and no '.join(missing)}, which are 1 by the FITS standard")
        for axis, step in steps.items():
            if step == 0:
                raise SourceError(f"CDELT{axis}{self._key} is 0, so its pixels have no size: solve it again")
            self._clean[f"CDELT{axis}"] = (1.0 if step is None else step) * factors[axis]

    def _elements(self, name: str) -> dict[tuple[int, int], float]:
        """Return the matrix elements that the header gives: in today's notation, that of AIPS and CASA, or that of 1988."""
        found = {}
        for i in (1, 2):
            for j in _described_axes(self._keywords):
                values = [
                    (form, self._number(form))
                    for form in (f"{name}{i}_{j}", f"{name}{i:02d}_{j:02d}", f"{name}{i:03d}{j:03d}")
                    if self._key == "" or "_" in form
                ]
                empty = [form for form, value in values if value is None and f"{form}{self._key}" in self._keywords]
                if empty:
                    raise SourceError(f"{empty[0]}{self._key} has no value: write it into the header")
                given = [(form, value) for form, value in values if value is not None]
                if given and j > 2 and given[0][1]:
                    raise SourceError(
                        f"its axes of the sky depend on axis {j} ({given[0][0]}{self._key}): give one plane of it"
                    )
                if given and j <= 2:
                    found[i, j] = given[0][1]
                    self._remarks.extend(
                        f"{form} is {value:g} and {given[0][0]} is {given[0][1]:g}: the latter counts"
                        for form, value in given[1:]
                        if value != given[0][1]
                    )
        return found

    def _rotation(self, axes: dict[int, str]) -> float:
        latitude = latitude_axis(axes)
        turned, other = self._number(f"CROTA{latitude}"), self._number(f"CROTA{3 - latitude}")
        if turned is None and other:
            raise SourceError(
                f"CROTA{3 - latitude}{self._key} is {other:g}, and CROTA{latitude}{self._key}, which counts, is "
                "missing: "
                "write the rotation there"
            )
        if other and other != turned:
            self._remarks.append(
                f"CROTA{3 - latitude}{self._key} is {other:g} and CROTA{latitude}{self._key} is {turned:g}: the "
                "latter counts"
            )
        return turned or 0.0

    def _compare(self, cd: Any, pc: Any, steps: Any) -> None:
        """Reject a header whose CD and PC matrices contradict each other."""
        size = max(map(abs, cd.values()))
        differ = [abs(cd.get((i, j), 0.0) - steps[i] * pc.get((i, j), float(i == j))) for i in (1, 2) for j in (1, 2)]
        if max(differ) > _AGREE * size:
            raise SourceError(
                "it gives both CDi_j and PCi_j, and they contradict each other: delete those that are wrong"
            )

    def _remark_contradiction(self, axes: dict[int, str], cd: Any, steps: Any) -> None:
        """Report CDELT or CROTA, which are ignored beside CD, if they contradict it."""
        given = None not in steps.values() and not {abs(step) for step in steps.values()} <= {0.0, 1.0}
        if contradictions(_rows(cd), [steps[1], steps[2]] if given else [], None)[0]:
            self._remarks.append("its CDELT and its CD matrix differ: the CD matrix counts")
        self._remark_rotation(axes, cd, "CD")

    def _remark_rotation(self, axes: dict[int, str], matrix: Any, name: str) -> None:
        """Report a CROTA that contradicts the CD or PC matrix beside it: wcslib and others ignore it."""
        if contradictions(_rows(matrix), [], self._number(f"CROTA{latitude_axis(axes)}"))[1]:
            self._remarks.append(f"its CROTA and its {name} matrix differ: the {name} matrix counts")


def _rows(matrix: Any) -> list[list[float]]:
    return [[matrix.get((i, j), 0.0) for j in (1, 2)] for i in (1, 2)]


def contradictions(cd: list[list[float]], steps: list[float], turned: float | None) -> tuple[bool, bool]:
    """Return whether the pixel sizes and the rotation beside a CD matrix differ from it.

    Parameters
    ----------
    cd : list of list of float
        The matrix: two rows.
    steps : list of float
        Sizes of a pixel along both axes, of any sign; empty if they are not given.
    turned : float or None
        The rotation in degrees, as CROTA2 gives it. Many programs write 0 for an unknown one, and some differ by half a turn.
    """
    sizes = [math.hypot(*column) for column in zip(*cd, strict=True)]
    upward = math.degrees(math.atan2(-cd[0][1], cd[1][1]))
    return (
        any(abs(abs(step) - size) > _AGREE * size for step, size in zip(steps, sizes, strict=False)),
        bool(turned) and abs(math.remainder((turned or 0.0) - upward, 180)) > _SAME_TURN,
    )


def _listed(names: list[str]) -> str:
    """Return names as the subject of a sentence, with its verb."""
    *others, last = names
    return f"{', '.join(others)} and {last} are" if others else f"{last} is"
