"""The names of files that people give."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ..errors import SourceError


def file_path(given: Any, what: str) -> Path:
    """The path of a file on this machine, "~" being the home folder.

    Raises
    ------
    SourceError
        When it is no name, or a web address; `what` says what it is to be.
    """
    if not isinstance(given, str | Path):
        raise SourceError(f"A {type(given).__name__} is no {what}: give the name of a file")
    if isinstance(given, str) and re.match(r"\s*[a-z][a-z0-9+.-]+://", given, re.IGNORECASE):
        # not shown: it may hold a password
        raise SourceError(f"A web address is no {what} on this machine: download it first, and give the file's name")
    return Path(os.path.expanduser(given))  # Path's own fails at ~nobody
