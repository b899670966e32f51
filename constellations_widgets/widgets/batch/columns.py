"""Match the columns of a table to the fields of drafts, by name, synonym and unit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...geometry.position import CENTER_DEC, CENTER_RA, MIRRORED, PIXEL, ROTATION, WIDTH
from ...schema.fields import fields

FILE, CENTER = "file", "center"
"""Targets of the columns that name the file, and that hold right ascension and declination in one cell."""

_SYNONYMS = {
    FILE: "file, filename, file name, image file, picture, picture file, path, file path",
    "note": "title, note, object, object name, target, image title",
    "alt_text": "alt text, alt, alttext, alternative text, description, alt description",
    "permissions.credits": "credits, credit, credit line, creditline, attribution, image credit, image credits",
    "permissions.copyright": "copyright, copyright statement, copyright notice, rights, rights holder",
    "permissions.license": "license, licence, spdx, license id, spdx license",
    "storage.legacy_url_template": "url, image url, address, image address, web address, image link",
    "wwt.thumbnail_url": "thumbnail, thumb, thumbnail url, thumbnail address, thumbnail link",
    CENTER: "position, coordinates, coords, center, centre, ra dec, radec, sky position, skycoord",
    CENTER_RA: "ra, right ascension, center ra, centre ra, ra center, ra centre, ra j2000, raj2000, radeg",
    CENTER_DEC: "dec, declination, de, center dec, centre dec, dec center, dec centre, dec j2000, dej2000, decj2000, decdeg",
    WIDTH: "width, field width, image width, fov, field of view, width on the sky",
    PIXEL: "pixel scale, pixscale, pixelscale, scale, pixel size, image scale",
    ROTATION: "position angle, pa, rotation, orientation, posang",
    MIRRORED: "mirrored, mirror, flipped, parity",
}
_TITLES = {
    FILE: "File",
    CENTER: "Center RA and Dec",
    CENTER_RA: "Center RA",
    CENTER_DEC: "Center Dec",
    WIDTH: "Width",
    PIXEL: "Pixel scale",
    ROTATION: "Position angle",
    MIRRORED: "Mirrored",
}
_UNITS = {
    "°": "deg, degree, degrees, °, d",
    "h": "h, hr, hour, hours, hourangle, hms",
    "'": "arcmin, arcminute, arcminutes, ′, ', amin",
    '"': 'arcsec, arcsecond, arcseconds, ″, ", as, asec, arcsec/pixel, arcsec/px, arcsec per pixel, "/px, ″/px, arcsec/pix, "/pixel',
}
_FREE = {"", "dms", "j2000", "icrs", "html", "spdx", "sexagesimal", "public"}
"""What stands in brackets and is no unit of a number."""
_SIZES = {
    CENTER_RA: "°h",
    CENTER_DEC: "°",
    WIDTH: "°'\"",
    PIXEL: "°'\"",
    ROTATION: "°",
}
_BY_NAME = {name.strip(): target for target, names in _SYNONYMS.items() for name in names.split(",")}
_BY_UNIT = {name.strip(): unit for unit, names in _UNITS.items() for name in names.split(",")}
_BRACKETS = re.compile(r"^(.*?)\s*[\[(]([^\])]*)[\])]\s*$", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """Column of a table, and what it is for.

    Attributes
    ----------
    at : int
        Its number, counted from 0.
    header : str
    target : str
        "file", "center", a name of `geometry.position`, a path of `schema.fields`, or "" if it is not used.
    unit : str
        Unit of its bare numbers: "°", "h", "'" or '"'; "" if it names none.
    reason : str
        Why it is not used.
    """

    at: int
    header: str
    target: str
    unit: str = ""
    reason: str = ""

    @property
    def title(self) -> str:
        """The target for people; "" if the column is not used."""
        if not self.target:
            return ""
        title = _TITLES.get(self.target) or fields()[self.target].title
        unit = {"°": "degrees", "h": "hours", "'": "arcminutes", '"': "arcseconds"}.get(self.unit, "")
        return f"{title} ({unit})" if unit else title


def match_columns(headers: Sequence[str], rows: Sequence[Sequence[str]], keys: Iterable[str]) -> tuple[Column, ...]:
    """Return what each column is for.

    Parameters
    ----------
    headers : sequence of str
    rows : sequence of sequence of str
        The cells.
    keys : iterable of str
        Normalized names of the files, which tell the column that names files if its header does not.
    """
    found = [_match(at, header) for at, header in enumerate(headers)]
    if not any(column.target == FILE for column in found) and (at := _file_column(found, rows, set(keys))) is not None:
        found[at] = Column(at, headers[at], FILE)
    seen: dict[str, str] = {}
    for at, column in enumerate(found):
        if column.target in seen:
            found[at] = Column(at, column.header, "", reason=f"“{seen[column.target]}” is used for {column.title}")
        elif column.target:
            seen[column.target] = column.header
    return tuple(found)


def normalized_key(name: str) -> str:
    """Return a file's name as names are compared: without folders, upper case and differences in Unicode's forms."""
    return unicodedata.normalize("NFC", re.split(r"[/\\]", name.strip().rstrip("/\\"))[-1]).casefold()


def _file_column(columns: Sequence[Column], rows: Sequence[Sequence[str]], keys: set[str]) -> int | None:
    """Return the column most of whose cells name files; one that is not used otherwise comes first."""
    for column in sorted(columns, key=lambda each: each.target != ""):
        cells = [cell for row in rows if (cell := row[column.at])]
        if column.target in ("", "note") and cells and 2 * sum(normalized_key(it) in keys for it in cells) > len(cells):
            return column.at
    return None


def _match(at: int, header: str) -> Column:
    name, bracket = header.strip(), ""
    target = _target(name)
    if not target and (parts := _BRACKETS.match(name)):
        name, bracket = parts[1], parts[2].strip().lower()
        target = _target(name)
    if not target:
        words = _words(header).rpartition(" ")  # "ra deg", "width arcmin"
        if words[2] in _BY_UNIT and (target := _target(words[0])) in _SIZES:
            bracket = words[2]
        else:
            return Column(at, header, "", reason="no field has this name")
    if target not in _SIZES:
        return Column(at, header, target)
    unit = _BY_UNIT.get(bracket, "")
    if bracket not in _FREE and unit not in tuple(_SIZES[target]):
        return Column(at, header, "", reason=f"“{bracket}” is not a unit of {_TITLES[target].lower()}")
    return Column(at, header, target, unit)


def _target(name: str) -> str:
    words = _words(name)
    paths = {path.lower(): path for path in fields()}
    titles = {_words(spec.title): path for path, spec in fields().items()}
    return paths.get(name.strip().lower()) or _BY_NAME.get(words) or titles.get(words) or ""


def _words(name: str) -> str:
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    plain = " ".join(re.sub(r"[_\-.:/]+", " ", split).lower().split())
    return plain if plain in _BY_NAME else " ".join(re.sub(r"[_\-.:/]+", " ", name).lower().split())
