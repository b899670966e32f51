"""Make drafts of a folder of pictures, or of other sources, described by a table."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ...draft import ImageDraft
from ...errors import SourceError
from ...schema.html_repr import capped, html_block, html_text
from ..publish_source import draft_of
from .metadata import Metadata

_INDEX = "index_rel.wtml"
_COMPANIONS = (".csv", ".tsv", ".txt", ".wcs", ".xmp", ".md", ".ini", ".log", ".xlsx", ".ods")
"""Kinds of files that lie beside pictures and need no word; the table is one of them."""


@dataclass(frozen=True)
class Skipped:
    """File or folder of which no draft was made, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} was skipped: {self.reason}"


class DraftList(list[ImageDraft]):
    """Drafts, in the order of their files.

    Attributes
    ----------
    skipped : tuple of Skipped
        Files and folders of which no draft was made.
    metadata : Metadata or None
        The table, matched to the drafts; its values are in them.
    """

    def __init__(self, drafts: Iterable[ImageDraft], skipped: Sequence[Skipped] = (), metadata: Metadata | None = None):
        super().__init__(drafts)
        self.skipped, self.metadata = tuple(skipped), metadata

    def __str__(self) -> str:
        lines, others = capped(self.skipped, "first", "drafts.skipped has all.")
        about = [str(self.metadata)] if self.metadata else []
        return "\n".join([f"{len(self)} drafts", *map(str, lines), *filter(None, [others]), *about])

    def __repr__(self) -> str:
        return f"<DraftList: {len(self)} drafts, {len(self.skipped)} files skipped>"

    def _repr_html_(self) -> str:
        lines, others = capped(self.skipped, "first", "drafts.skipped has all.")
        words = [f"{len(self)} drafts", *map(str, lines), *filter(None, [others])]
        return html_block(*(f"<p>{html_text(line)}</p>" for line in words)) + (
            self.metadata._repr_html_() if self.metadata else ""
        )


def drafts_from(source: Any, metadata: Any = None, *, autosave: bool = True) -> DraftList:
    """Make drafts of a folder of pictures, or of several files, and describe them by a table.

    Parameters
    ----------
    source : str, Path, wwt_data_formats Folder, or iterable of str, Path or ImageDraft
        A folder of pictures (JPEG, PNG, TIFF, FITS, WTML, WWTL, saved drafts, and folders that toasty wrote); a WTML file or
        text, with all its imagesets; or files and drafts. Other folders inside a folder are skipped, and so is what can't be
        read: see `DraftList.skipped`.
    metadata : str, Path, pandas.DataFrame, astropy Table, or list of dict, optional
        A table with a row for each file: a CSV file as spreadsheets write it, or an object. One column names the files
        ("file"); others are matched to fields by name: title, alt text, credits, copyright, license, url, thumbnail, ra, dec,
        position, width, pixel scale, position angle, mirrored, or a field's path such as ``wwt.rotation``. Units stand in
        brackets: ``width [arcmin]``. Empty cells change nothing. See `DraftList.metadata` for what did not fit.
    autosave : bool, default True
        Whether each draft saves its edits.

    Returns
    -------
    DraftList
        A list of `ImageDraft` with the table's values.

    Raises
    ------
    SourceError
        If there is no such file or folder, no draft can be made of any of its files, or the table can't be read, names no
        files or has no known column.

    Examples
    --------
    >>> drafts = cxw.drafts_from("images/", metadata="metadata.csv")
    >>> print(drafts.metadata)
    """
    drafts, skipped = read_source(source, autosave=autosave)
    table = None
    if metadata is not None:
        table = Metadata.of(drafts, metadata)
        table.apply(drafts)
    return DraftList(drafts, skipped, table)


def read_source(source: Any, *, autosave: bool = True) -> tuple[list[ImageDraft], list[Skipped]]:
    """Return the drafts of a source of `drafts_from`, and what was skipped."""
    if hasattr(source, "to_xml"):
        source = ElementTree.tostring(source.to_xml(), encoding="unicode")
    if isinstance(source, str | Path):
        folder = _folder(source)
        if folder is None or (folder / _INDEX).exists():
            return _of_one(source, folder, autosave=autosave), []
        return _of_folder(folder, autosave=autosave)
    drafts: list[ImageDraft] = []
    for one in source if isinstance(source, Iterable) else [source]:
        if isinstance(one, ImageDraft):
            drafts.append(one)
        elif isinstance(one, str | Path):
            drafts += _of_one(one, _folder(one), autosave=autosave)
        else:
            raise SourceError(
                f"Give a folder, a WTML file, folder or text, paths, or drafts, not a {type(one).__name__}."
            )
    return list(dict.fromkeys(drafts)), []


def _of_one(source: str | Path, folder: Path | None, *, autosave: bool) -> list[ImageDraft]:
    """Return the drafts of one file, WTML text, web address, or folder that toasty wrote."""
    text = str(source)
    is_text = text.lstrip().startswith("<") or text.startswith(("http://", "https://"))
    if folder is not None or is_text or text.lower().endswith((".wtml", ".xml", ".wwtl")):
        return ImageDraft.all_from_wtml(source, autosave=autosave)
    return [draft_of(source, autosave=autosave)]


def _folder(source: str | Path) -> Path | None:
    """Return the folder at a path; None if it is no folder."""
    try:
        path = Path(source).expanduser()
        return path if path.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # text of WTML, or a name that no file can have
        return None


def _of_folder(folder: Path, *, autosave: bool) -> tuple[list[ImageDraft], list[Skipped]]:
    drafts: list[ImageDraft] = []
    skipped: list[Skipped] = []
    try:
        names = sorted(os.listdir(folder), key=_natural)
    except OSError as error:
        raise SourceError(f"{folder} can't be read: {error.strerror or error}") from None
    for name in names:
        path = folder / name
        if name.startswith(".") or name.lower().endswith(_COMPANIONS):
            continue
        if path.is_dir() and not (path / _INDEX).exists():
            skipped.append(
                Skipped(f"{name}/", "a folder without index_rel.wtml; folders inside a folder are not searched")
            )
            continue
        try:
            drafts += _of_one(path, path if path.is_dir() else None, autosave=autosave)
        except SourceError as error:
            skipped.append(Skipped(name, str(error).rstrip(".")))
    if not drafts:
        why = "".join(f"\n  {one}" for one in skipped[:10])
        raise SourceError(f"No drafts can be made of the files in {folder.resolve()}{why}")
    return drafts, skipped


def _natural(name: str) -> list[Any]:
    """Return a key that sorts image2 before image10."""
    return [(int(part), "") if part.isdecimal() else (0, part.casefold()) for part in re.split(r"(\d+)", name)]
