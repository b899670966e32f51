"""WTML files, texts and objects, whatever they come from: each imageset in them becomes a reading."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

from ..errors import SourceError
from ..schema.placement import shown
from .imagesets import SIZE_LIMIT, parse, readings_of
from .reading import Reading
from .web import fetch
from .wwtl import is_archive, read_archive


def read_wtml(source: Any) -> list[Reading]:
    """Every imageset of a WTML file or text, in order.

    Parameters
    ----------
    source : str, Path or a wwt_data_formats object
        A file or folder, a web address, the XML itself (a text that begins with ``<``), a ``.wwtl`` archive, or a Folder, Place or
        ImageSet. Relative addresses in it count from the file, or from the web address.

    Raises
    ------
    SourceError
        When there is no such file, it is no WTML, or it holds no imageset.
    """
    if hasattr(source, "to_xml"):
        return readings_of(source.to_xml(), f"this {type(source).__name__}")
    if hasattr(source, "imgset"):
        raise SourceError(
            "Give the folder that toasty wrote to rather than its Builder, which may not know what is there already"
        )
    if not isinstance(source, str | Path):
        raise SourceError(
            f"A {type(source).__name__} is no imageset: give a wwt_data_formats ImageSet, Place or Folder, or a WTML file"
        )
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith("<"):
        return readings_of(parse(source.lstrip("\ufeff \t\r\n"), "The WTML text"), "The WTML text")
    if isinstance(source, str) and re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE):
        content, address = fetch(source, SIZE_LIMIT)
        return readings_of(parse(content, address), address, address=address)
    if not str(source).strip() or "\n" in str(source):
        raise SourceError(
            f"{shown(str(source))} is neither WTML nor the name of a file: give a WTML file, such as the index_rel.wtml of toasty"
        )
    path = Path(source)
    try:
        path = path.expanduser()
        path = path / "index_rel.wtml" if path.is_dir() else path
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise SourceError(f"{path} is not a file: give a WTML file, such as the index_rel.wtml that toasty writes")
        with path.open("rb") as file:
            if is_archive(file.read(256)):
                return read_archive(path, about.st_size)
        if about.st_size > SIZE_LIMIT:
            raise SourceError(f"{path} is larger than {SIZE_LIMIT >> 20} MB: this is not a WTML file")
        content = path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"There is no file {path} (looked in {path.parent.resolve()}): check the name") from None
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in the name; "~nobody"
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SourceError(f"{shown(str(path), 200)} can't be read: {reason}") from None
    return readings_of(parse(content, str(path)), str(path), path=path.resolve())


def read_imageset(imageset: Any, index: int | None = None) -> Reading:
    """A `wwt_data_formats` ImageSet, or one of those of a Place or Folder.

    Raises
    ------
    SourceError
        When it is none of these, or it is not clear which imageset is meant.
    """
    if not hasattr(imageset, "to_xml"):
        raise SourceError(
            f"A {type(imageset).__name__} is no imageset: give a wwt_data_formats ImageSet, Place or Folder"
        )
    return choose(read_wtml(imageset), index)


def choose(found: list[Reading], index: int | None) -> Reading:
    """One of several readings, counted from 0. Raises SourceError where it is not clear which."""
    if index is None and len(found) > 1:
        names = ", ".join(f"{number}: {reading.name}" for number, reading in enumerate(found[:8]))
        more = ", …" if len(found) > 8 else ""
        raise SourceError(f"The WTML holds {len(found)} imagesets ({names}{more}): choose one with index=")
    if index is not None and (isinstance(index, bool) or not isinstance(index, int)):
        raise SourceError(f"index= is a whole number, counted from 0, not {shown(index)}")
    if index is not None and not 0 <= index < len(found):
        raise SourceError(f"There is no imageset {index}: the WTML holds {len(found)}, counted from 0")
    return found[index or 0]
