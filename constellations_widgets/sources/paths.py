"""Names of files that users give, and what the files are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..errors import SourceError
from ..state import user_path

_KINDS = {
    b"\x89PNG": "a PNG picture", b"\xff\xd8": "a JPEG picture", b"II*\0": "a TIFF picture", b"MM\0*": "a TIFF picture",
    b"8BPS": "a Photoshop file", b"XISF": "an XISF file", b"%PDF": "a PDF document", b"PK\x03\x04": "a ZIP archive",
    b"<": "a web page or another XML file",
}  # fmt: skip


def kind_of(start: bytes) -> str:
    """Return what a file that starts with these bytes is, such as "a PNG picture"; "" if that is unknown."""
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), "" if start else "empty")


def file_path(given: Any, what: str) -> Path:
    """Return the path of a file on this machine; "~" is the home folder.

    Raises
    ------
    SourceError
        If `given` is not a file name, or is a web address or a name that no file can have; `what` names the expected thing, such as "picture".
    """
    if not isinstance(given, str | Path):
        raise SourceError(
            f"The {what} must be named by a path (str or Path), not by an object of type {type(given).__name__}"
        )
    if isinstance(given, str) and re.match(r"\s*[a-z][a-z0-9+.-]+://", given, re.IGNORECASE):
        # not shown, since it may hold a password
        raise SourceError(f"The {what} must be on this machine, not at a web address: download it first")
    if "\0" in str(given):
        raise SourceError(f"{str(given)[:200]!r} is not the name of a {what}: it holds the character NUL")
    return user_path(given)
