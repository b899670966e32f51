"""Names for files on this disk, made from names that strangers chose."""

from __future__ import annotations

import mimetypes
import os
import re
import unicodedata
from pathlib import Path

LONGEST_NAME = 150
"""Bytes of a name, its ending included: file systems take 255, and a number may be added."""

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # of Windows
_LONGEST_ENDING = 12


def file_name(name: str, fallback: str, content_type: str = "") -> str:
    """A name for a file in one folder: without any path, safe on every system, with an ending.

    >>> file_name("../../etc/passwd", "image"), file_name("<b>.png", "image"), file_name("", "image", "image/png")
    ('passwd', '_b_.png', 'image.png')
    """
    last = re.split(r"[/\\]", name)[-1]
    last = "".join(character for character in last if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co"))
    last = _FORBIDDEN.sub("_", last).strip().lstrip(".").rstrip(". ")
    if not last:
        last = re.sub(r"[^\w-]", "_", fallback) or "image"
    if _DEVICES.fullmatch(last):
        last = f"_{last}"
    stem, ending = os.path.splitext(last)
    if not ending or len(ending) > _LONGEST_ENDING:
        stem, ending = last, mimetypes.guess_extension(content_type) or ""
    room = LONGEST_NAME - len(ending.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + ending


def reserve(folder: Path, name: str) -> Path:
    """A new, empty file in `folder`, called `name` or `name (2)` and so on. What is there already stays, links too."""
    stem, ending = os.path.splitext(name)
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem} ({number}){ending}")
        try:
            path.open("x").close()
            return path
        except FileExistsError:
            number += 1
