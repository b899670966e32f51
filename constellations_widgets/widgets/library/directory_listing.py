"""Listings of the kernel's folders, for the page's file picker."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from ...errors import ConstellationsError
from ..protocol.services import DirectoryEntry, DirectoryListing

MOST = 2000
"""Maximum number of entries of one folder."""
_IMAGES = {
    ".avif", ".bmp", ".fit", ".fits", ".fts", ".gif", ".heic", ".jp2", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff",
    ".webp",
}  # fmt: skip


def folder_entries(folder: str) -> DirectoryListing:
    """Return the entries of a folder: folders first, then files, each by name, without hidden ones.

    Parameters
    ----------
    folder : str
        Path as the page names it; "" for the working directory.

    Raises
    ------
    ConstellationsError
        If it can't be read.
    """
    try:
        path = Path(kernel_path(folder) or os.getcwd()).expanduser().resolve()
        found = [_entry(entry) for entry in os.scandir(path) if not entry.name.startswith(".")]
    except (OSError, ValueError, RuntimeError) as error:
        raise ConstellationsError(
            f"{folder or 'The working directory'} can't be read: {getattr(error, 'strerror', None) or error}."
        ) from None
    found.sort(key=lambda entry: (entry["size"] is not None, entry["name"].casefold()))
    return {
        "folder": str(path),
        "parent": page_path(path.parent) if path.parent != path else None,
        "entries": found[:MOST],
        "omitted": max(len(found) - MOST, 0),
    }


def page_path(path: str | Path) -> str:
    """Return a path as the page names it to the kernel: percent-encoded, since names of files need not be UTF-8."""
    return quote(os.fsencode(path), safe="/\\:")


def kernel_path(name: str) -> str:
    """Return the path that `page_path` made `name` of."""
    return os.fsdecode(unquote_to_bytes(name))


def _entry(entry: os.DirEntry[str]) -> DirectoryEntry:
    try:
        size = None if entry.is_dir() else entry.stat().st_size
    except OSError:  # a broken link
        size = 0
    is_image = size is not None and os.path.splitext(entry.name)[1].lower() in _IMAGES
    return {"name": entry.name, "path": page_path(entry.path), "size": size, "image": is_image}
