"""Folders of the kernel's disk, for the page's file picker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...errors import ConstellationsError

MOST = 2000
"""Entries of one folder that are shown."""
_IMAGES = {
    ".avif", ".bmp", ".fit", ".fits", ".fts", ".gif", ".heic", ".jp2", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff",
    ".webp",
}  # fmt: skip


def folder_entries(folder: str) -> dict[str, Any]:
    """What a folder holds, for the page: folders first, then files, each by name; hidden ones are left out.

    Parameters
    ----------
    folder : str
        "" is the working directory.

    Raises
    ------
    ConstellationsError
        If it can't be read.
    """
    try:
        path = Path(folder or os.getcwd()).expanduser().resolve()
        found = [_entry(entry) for entry in os.scandir(path) if not entry.name.startswith(".")]
    except (OSError, ValueError, RuntimeError) as error:
        raise ConstellationsError(
            f"{folder or 'The working directory'} can't be read: {getattr(error, 'strerror', None) or error}."
        ) from None
    found.sort(key=lambda entry: (entry["size"] is not None, entry["name"].casefold()))
    return {
        "folder": str(path),
        "parent": str(path.parent) if path.parent != path else None,
        "entries": found[:MOST],
        "left_out": max(len(found) - MOST, 0),
    }


def _entry(entry: os.DirEntry[str]) -> dict[str, Any]:
    try:
        size = None if entry.is_dir() else entry.stat().st_size
    except OSError:  # a link that leads nowhere
        size = 0
    is_image = size is not None and os.path.splitext(entry.name)[1].lower() in _IMAGES
    return {"name": entry.name, "path": entry.path, "size": size, "image": is_image}
