"""Read a table of metadata: a CSV file as spreadsheets write it, a DataFrame, an astropy Table, or a list of dicts."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import SourceError
from ...state import user_path

_DELIMITERS = ",;\t"
_DECLARED = re.compile(rf"[^\S\n]*sep=([{_DELIMITERS}])[^\S\n]*(?:\n|$)", re.I)  # a line that Excel writes and reads
_LARGEST = 200 << 20  # bytes
_LONGEST = 1 << 20  # characters of a cell
_EMPTY = {"", "nan", "none", "null", "n/a", "<na>", "--", "nat"}


@dataclass(frozen=True)
class Table:
    """Texts in columns.

    Attributes
    ----------
    name : str
        The table's name for people.
    headers : tuple of str
        Names of the columns, with units in brackets.
    rows : tuple of (int, tuple of str)
        Each row's number, as a spreadsheet counts it (the headers are row 1), and its cells, "" where there is no value.
    """

    name: str
    headers: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_table(source: Any) -> Table:
    """Read a table.

    Parameters
    ----------
    source : str or Path, pandas.DataFrame, astropy.table.Table, or list of dict
        A path is that of a CSV file: separated by commas, semicolons or tabs; in UTF-8, UTF-16 or Windows' Western European
        encoding.

    Raises
    ------
    SourceError
        If it can't be read, or has no columns.
    """
    if isinstance(source, str | Path):
        return _of_file(user_path(source))
    if hasattr(source, "colnames"):
        return _of_astropy(source)
    if hasattr(source, "itertuples") and hasattr(source, "columns"):
        headers = [str(name) for name in source.columns]
        return _of_objects("the DataFrame", headers, source.itertuples(index=False, name=None))
    if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source):
        headers = list(dict.fromkeys(str(name) for row in source for name in row))
        named = ({str(name): value for name, value in row.items()} for row in source)
        return _of_objects("the list", headers, ([row.get(name) for name in headers] for row in named))
    raise SourceError(
        f"metadata is a {type(source).__name__}: give a CSV file, a pandas DataFrame, an astropy Table, or a list of dicts"
    )


def _of_astropy(table: Any) -> Table:
    units = {name: str(getattr(table[name], "unit", None) or "") for name in table.colnames}
    headers = [f"{name} [{units[name]}]" if units[name] else str(name) for name in table.colnames]
    plain = [getattr(table[name], "value", table[name]) if units[name] else table[name] for name in table.colnames]
    return _of_objects("the Table", headers, (tuple(column[at] for column in plain) for at in range(len(table))))


def _of_objects(name: str, headers: Sequence[str], rows: Iterable[Iterable[Any]]) -> Table:
    cells = ((number, tuple(map(_text, row))) for number, row in enumerate(rows, 2))
    return _checked(name, headers, cells)


def _text(cell: Any) -> str:
    """Return a value of Python as a text that is parsed like a cell of a CSV file."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)) or bool(getattr(cell, "mask", False)):
        return ""
    if hasattr(cell, "ra") and hasattr(cell, "dec"):  # a SkyCoord
        return f"{float(cell.ra.deg)!r} {float(cell.dec.deg)!r}"
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    item = getattr(cell, "item", None)  # of numpy: its repr would name the type
    plain = item() if callable(item) and not isinstance(cell, str) else cell
    text = str(plain).strip()
    return "" if text.lower() in _EMPTY else text


def _of_file(path: Path) -> Table:
    if path.suffix.lower() in (".xlsx", ".xls", ".ods", ".numbers"):
        raise SourceError(
            f"{path.name} is a spreadsheet: save it as CSV, or read it with pandas and give the DataFrame"
        )
    try:
        if path.stat().st_size > _LARGEST:
            raise SourceError(f"{path.name} has {path.stat().st_size >> 20} MB: at most {_LARGEST >> 20} MB are read")
        content = path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"There is no file {path.name!r} in {path.parent.resolve()}") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    text = _decoded(content)
    declared = _DECLARED.match(text)
    text = text[declared.end() :] if declared else text
    rows = _records(path, text, declared[1] if declared else _delimiter_of(text))
    headers = next(rows, [])
    cells = ((number, tuple(cell.strip() for cell in row)) for number, row in enumerate(rows, 3 if declared else 2))
    cleared = ((number, tuple("" if cell.lower() in _EMPTY else cell for cell in row)) for number, row in cells)
    return _checked(path.name, [header.strip() for header in headers], cleared)


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return content.decode("cp1252")
        except UnicodeDecodeError:
            return content.decode("latin-1")


def _delimiter_of(text: str) -> str:
    """Return the character that separates most columns in the first record, outside of quotes."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for character in text[:_LONGEST]:
        if character == '"':
            quoted = not quoted
        elif character in "\r\n" and not quoted and any(counts.values()):
            break
        elif character in counts and not quoted:
            counts[character] += 1
    return max(counts, key=lambda each: counts[each])


def _records(path: Path, text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    limit = csv.field_size_limit(_LONGEST)
    try:
        yield from list(reader)
    except csv.Error as error:
        raise SourceError(f"{path.name} can't be read as CSV, line {reader.line_num}: {error}") from None
    finally:
        csv.field_size_limit(limit)


def _checked(name: str, headers: Sequence[str], rows: Iterable[tuple[int, tuple[str, ...]]]) -> Table:
    if not any(headers):
        raise SourceError(f"{name} has no columns: its first row names them, such as file, title, license, ra, dec")
    width = len(headers)
    full = tuple((number, (*row[:width], *[""] * (width - len(row)))) for number, row in rows if any(row))
    return Table(name, tuple(headers), full)
