"""A Chromium for the browser tests: the machine's own, or installed where this may be done unasked.

``python tests/browser/chromium.py`` makes one available, or says in one line what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = [
    "--no-sandbox",  # Chromium's own sandbox can't start as root, as CI runs it; only our own pages are opened
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu-rasterization",  # which Debian switches on: without a GPU, text is drawn sooner by the processor
    # Nothing but this machine can be reached, by name or by number.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]",
]


def flags_of_another_machine(host: str) -> list[str]:
    """Return flags for a browser that finds this machine under the name `host` only, as one on another machine does."""
    return [*FLAGS[:-1], f"--host-resolver-rules=MAP {host} 127.0.0.1, MAP * ~NOTFOUND"]


def find_chromium() -> str | None:
    """The program named by CXW_CHROMIUM, or the first on PATH that starts; None if there is none."""
    for name in filter(None, (os.environ.get("CXW_CHROMIUM"), *NAMES)):
        program = shutil.which(name)
        if program and _starts(program):
            return program
    return None


def _starts(program: str) -> bool:
    # Ubuntu's package is a script that only says how to install a snap.
    try:
        return subprocess.run([program, "--version"], check=False, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from debian_packages import install

    why = "" if find_chromium() else install("chromium", "fonts-dejavu-core")
    if find_chromium() is None:
        sys.exit(f"The browser tests need Chromium, or CXW_CHROMIUM with the path of another one. {why}".rstrip())
