"""The user's state directory, for data that must outlive a kernel."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

PUBLIC = 0o644
"""Mode of a file that is made to be shared."""


def state_dir(*parts: str) -> Path:
    """Return a folder for drafts, journal and similar data; it is created with mode 0700 if missing.

    ``CXW_STATE_DIR`` in the environment replaces the platform's own folder (on Linux
    ``~/.local/state/constellations_widgets``).

    Raises
    ------
    OSError
        If the folder can't be created.
    """
    import platformdirs

    chosen = os.environ.get("CXW_STATE_DIR")
    try:
        folder = (
            Path(chosen).expanduser()
            if chosen
            else platformdirs.user_state_path("constellations_widgets", appauthor=False)
        )
    except RuntimeError as error:  # "~name" of a user without a home folder
        raise FileNotFoundError(errno.ENOENT, str(error), chosen) from None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in parts:  # `parents=True` would make the folders in between readable for everyone
        folder /= part
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write `content` atomically: after a power failure `path` holds either the old or the new bytes.

    Only the user may read the file, unless `mode` says otherwise.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode != 0o600:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON, atomically."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can escape but UTF-8 can't encode
        encoded = json.dumps(content, allow_nan=False, indent=1).encode()
    write_file(path, encoded)
