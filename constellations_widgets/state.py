"""Where this package keeps what must outlive a kernel: the user's state directory."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def state_dir(*parts: str) -> Path:
    """A folder for drafts, journal and the like, made with mode 0700 where it is missing.

    ``CXW_STATE_DIR`` in the environment takes the place of the platform's own (on Linux ``~/.local/state/constellations_widgets``).
    """
    import platformdirs

    root = Path(os.environ.get("CXW_STATE_DIR") or platformdirs.user_state_path("constellations_widgets", appauthor=False))
    folder = root.joinpath(*parts)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def write_json(path: Path, content: Any) -> None:
    """Write `content` so that `path` holds the old text or the new one, never half of it, whenever the power goes."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, allow_nan=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
