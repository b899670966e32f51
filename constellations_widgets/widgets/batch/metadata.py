"""Apply a table of metadata to drafts: match rows to files and columns to fields, and name what does not fit."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ...errors import LicenseError, SourceError
from ...geometry.angles import parse_number, parse_position
from ...geometry.position import CENTER_DEC, CENTER_RA, MIRRORED, PIXEL, ROTATION, WIDTH, changes_for
from ...schema.fields import fields
from ...schema.html_repr import capped, html_block, html_table, html_text
from ...schema.license import normalize_license
from ...text import stem_of
from .columns import CENTER, FILE, Column, match_columns, normalized_key
from .table_file import read_table

if TYPE_CHECKING:
    from ...draft import ImageDraft

_POSITION = (CENTER, CENTER_RA, CENTER_DEC, WIDTH, PIXEL, ROTATION, MIRRORED)  # in the order in which they are applied
_YES, _NO = {"yes", "y", "true", "1", "x", "-1", "mirrored"}, {"no", "n", "false", "0", "+1", "normal"}
_NAMED = 8  # rows named in one line


@dataclass(frozen=True)
class BadCell:
    """Cell that could not be applied. `row` is the row's number in the spreadsheet, `column` the header."""

    row: int
    column: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"Row {self.row}, {self.column}: {self.reason}"


@dataclass
class Metadata:
    """Table matched to drafts. Nothing is applied before `apply`.

    Attributes
    ----------
    name : str
        The table's name.
    columns : tuple of Column
        What each column is for.
    changes : dict
        By number of the draft: the new values by path.
    unmatched_rows : list of (int, str)
        Rows that belong to none of the files: number and reason.
    unmatched_files : list of str
        Files without a row.
    bad_cells : list of BadCell
        Cells that were left out; the others of their rows are used.
    """

    name: str
    columns: tuple[Column, ...]
    changes: dict[int, dict[str, Any]] = field(default_factory=dict)
    unmatched_rows: list[tuple[int, str]] = field(default_factory=list)
    unmatched_files: list[str] = field(default_factory=list)
    bad_cells: list[BadCell] = field(default_factory=list)

    @classmethod
    def of(cls, drafts: Sequence[ImageDraft], source: Any) -> Metadata:
        """Match a table to drafts. Parameters and errors are those of `drafts_from`."""
        table = read_table(source)
        keys = _Keys(drafts)
        rows = [cells for _, cells in table.rows]
        columns = match_columns(table.headers, rows, keys.known)
        files = [column for column in columns if column.target == FILE]
        if not files:
            raise SourceError(
                f"No column of {table.name} names the files: call one “file”. Its columns are {_listed(table.headers)}"
            )
        if len(columns) == 1 or not any(column.target not in ("", FILE) for column in columns):
            raise SourceError(f"No column of {table.name} belongs to a field. Its columns are {_listed(table.headers)}")
        found = cls(table.name, columns)
        taken: dict[int, int] = {}
        for number, cells in table.rows:
            at, reason = keys.find(cells[files[0].at])
            if at is not None and at in taken:
                reason = f"{cells[files[0].at]!r} is described by row {taken[at]} already"
                at = None
            if at is None:
                found.unmatched_rows.append((number, reason))
                continue
            taken[at] = number
            if new := found._read(drafts[at], number, cells):
                found.changes[at] = new
        found.unmatched_files = [_name(draft) for at, draft in enumerate(drafts) if at not in taken]
        return found

    def apply(self, drafts: Sequence[ImageDraft]) -> None:
        """Set the values of the table in the drafts it was matched to."""
        for at, new in self.changes.items():
            drafts[at].update(new)

    def _read(self, draft: ImageDraft, row: int, cells: Sequence[str]) -> dict[str, Any]:
        """Return the changes that a row makes; note the cells that can't be used."""
        given = {column.target: column for column in self.columns if column.target and cells[column.at]}
        changes: dict[str, Any] = {}
        for target, column in given.items():
            if target not in (FILE, *_POSITION):
                try:
                    changes[target] = _value(target, cells[column.at])
                except SourceError as error:
                    self._leave_out(row, column, cells, error)
        values = {**draft.values, **changes}
        size = draft.local.size if draft.local else None
        for target in _POSITION:
            if (placed := given.get(target)) is None:
                continue
            try:
                new = _placement(values, size, placed, cells[placed.at])
            except SourceError as error:
                self._leave_out(row, placed, cells, error)
            else:
                values |= new
                changes |= new
        return changes

    def _leave_out(self, row: int, column: Column, cells: Sequence[str], error: SourceError) -> None:
        self.bad_cells.append(BadCell(row, column.header, cells[column.at][:80], str(error).rstrip(".")))

    def lines(self) -> list[str]:
        """Return what did not fit, one line each."""
        unused = [f"Column “{it.header}” is not used: {it.reason}" for it in self.columns if not it.target]
        rows = [f"Row {number} is not used: {reason}" for number, reason in self.unmatched_rows]
        files = [f"{name} has no row" for name in self.unmatched_files]
        return [*unused, *self._grouped(), *rows, *files]

    def _grouped(self) -> list[str]:
        """Return the cells that were left out, those of a column with the same reason in one line."""
        groups: dict[tuple[str, str], list[int]] = {}
        for bad in self.bad_cells:
            groups.setdefault((bad.column, bad.reason), []).append(bad.row)
        lines = []
        for (column, reason), rows in groups.items():
            more = f" and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else ""
            numbers = ", ".join(map(str, rows[:_NAMED]))
            lines.append(f"Row{'s' * (len(rows) > 1)} {numbers}{more}, {column}: {reason}")
        return lines

    @property
    def summary(self) -> str:
        """What the table gives, in a sentence."""
        count = len(self.changes)
        return f"{self.name}: values for {count:,} image{'s' * (count != 1)}"

    def __str__(self) -> str:
        used = [f"  {column.header} → {column.title}" for column in self.columns if column.target]
        lines, others = capped(self.lines(), "first", "metadata.lines() has all.")
        return "\n".join([self.summary, *used, *(f"  {line}" for line in lines), *filter(None, [others])])

    def __repr__(self) -> str:
        return f"<Metadata {self.summary}, {len(self.lines())} remarks>"

    def _repr_html_(self) -> str:
        table = html_table(
            ("Column", "Field"), ((html_text(c.header), html_text(c.title or f"– {c.reason}")) for c in self.columns)
        )
        lines, others = capped(self.lines(), "first", "metadata.lines() has all.")
        remarks = "".join(f"<p>{html_text(line)}</p>" for line in [*lines, *filter(None, [others])])
        return html_block(f"<p>{html_text(self.summary)}</p>", table, remarks)


class _Keys:
    """Names under which a table may refer to each draft: its path, file name, and file name without extension."""

    def __init__(self, drafts: Sequence[ImageDraft]):
        self._exact: dict[str, list[int]] = {}
        self._stems: dict[str, list[int]] = {}
        for at, draft in enumerate(drafts):
            names = {normalized_key(_name(draft))}
            if url := str(draft.values.get("storage.legacy_url_template") or ""):
                names.add(normalized_key(unquote(urlsplit(url).path)))
            for name in names:
                self._exact.setdefault(name, []).append(at)
            file = normalized_key(_name(draft))
            for name in {stem_of(file), os.path.splitext(file)[0], normalized_key(draft.name)}:
                self._stems.setdefault(name, []).append(at)
        self.known = {*self._exact, *self._stems}

    def find(self, cell: str) -> tuple[int | None, str]:
        """Return the number of the draft that a cell names, or None and the reason why no draft matches."""
        if not cell:
            return None, "it names no file"
        key = normalized_key(cell)
        found = self._exact.get(key) or self._stems.get(key) or []
        if len(found) > 1:
            return None, f"{cell!r} names {len(found)} files: add the extension"
        return (found[0], "") if found else (None, f"there is no file {cell!r}")


def _name(draft: ImageDraft) -> str:
    """Return the name of a draft's file, or the draft's name if it has none."""
    origin = draft.origin
    if not origin or origin.startswith("values:"):
        return draft.name
    path = Path(urlsplit(origin).path if "://" in origin else origin)
    return f"{path.parent.name}/" if path.name == "index_rel.wtml" else path.name


def _value(path: str, text: str) -> Any:
    spec = fields()[path]
    if spec.kind == "number":
        return parse_number(text)
    if spec.kind == "integer":
        value = parse_number(text)
        if value != int(value):
            raise SourceError(f"“{text}” is not a whole number")
        return int(value)
    if spec.kind == "boolean":
        return _is_yes(text)
    if spec.kind == "license":
        try:
            return _license(text)
        except LicenseError as error:
            raise SourceError(str(error)) from None
    return text


_license = functools.cache(normalize_license)  # a table has few licenses, and many rows


def _is_yes(text: str) -> bool:
    if (word := text.strip().lower()) in _YES | _NO:
        return word in _YES
    raise SourceError(f"“{text}” is neither yes nor no")


def _placement(values: dict[str, Any], size: tuple[int, int] | None, column: Column, text: str) -> dict[str, Any]:
    target = column.target
    if target == MIRRORED:
        is_parity = "parity" in column.header.lower()  # 1 is not mirrored there
        return changes_for(
            values, size, target, text.strip() in ("-1", "-1.0") if is_parity and _is_number(text) else _is_yes(text)
        )
    if target == CENTER:
        parse_position(text)  # raises a SourceError that speaks of a position
        return changes_for(values, size, CENTER_RA, text)
    if _is_number(text):
        if column.unit:
            text = f"{text.strip()}{column.unit}"
        elif target in (WIDTH, PIXEL):
            example = "width [arcmin]" if target == WIDTH else "pixel scale [arcsec]"
            raise SourceError(f"“{text}” has no unit: name it in the column, such as “{example}”")
    return changes_for(values, size, target, text)


def _is_number(text: str) -> bool:
    try:
        parse_number(text)
    except SourceError:
        return False
    return True


def _listed(names: Iterable[str]) -> str:
    listed = [f"“{name}”" for name in names]
    return ", ".join(listed[:20]) + (" …" if len(listed) > 20 else "")
