"""A virtual environment with PyPI's wwt-api-client, unmodified: the judge of the sandbox and the peer of the benchmarks."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

VERSION = "0.7.0"


def official_python() -> Path:
    """Return the Python that has the official client; it is made once, in $CXW_OFFICIAL_CLIENT_ENV or in `build/`.

    Raises RuntimeError if the client can't be installed.
    """
    default = Path(__file__).parents[1] / "build" / f"wwt-api-client-{VERSION}"
    folder = Path(os.environ.get("CXW_OFFICIAL_CLIENT_ENV", default))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = folder / "ready"
    if not ready.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, f"wwt-api-client=={VERSION}"])
        ready.touch()
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(
            f"The official client wwt-api-client {VERSION} could not be installed (it needs a package registry): "
            f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
        )
