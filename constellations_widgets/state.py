"""Where this package keeps what must outlive a kernel: the user's state directory."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any


def state_dir(*parts: str) -> Path:
    """A folder for drafts, journal and the like, made with mode 0700 where it is missing.

    ``CXW_STATE_DIR`` in the environment takes the place of the platform's own (on Linux ``~/.local/state/constellations_widgets``).
    Raises OSError where it can't be made.
    """
    import platformdirs

    chosen = os.environ.get("CXW_STATE_DIR")
    try:
        folder = (
            Path(chosen).expanduser()
            if chosen
            else platformdirs.user_state_path("constellations_widgets", appauthor=False)
        )
    except RuntimeError as error:  # "~somebody" of whom there is no home
        raise FileNotFoundError(errno.ENOENT, str(error), chosen) from None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in parts:  # `parents` would make those in between readable for everybody
        folder /= part
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_file(path: Path, content: bytes) -> None:
    """Write `content` so that `path` holds the old bytes or the new ones, never half of them, whenever the power goes."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON, whole or not at all."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:  # half of a character: JSON can escape it, UTF-8 can't hold it
        encoded = json.dumps(content, allow_nan=False, indent=1).encode()
    write_file(path, encoded)
