"""A Chromium for the browser tests: the machine's own, or installed where this may be done unasked.

``python tests/browser/chromium.py`` makes one available, or says in one line what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

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


def install_chromium() -> str | None:
    """Install Chromium by apt where this is root on Debian or Ubuntu; the program, or None."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return None
    print("Installing Chromium for the browser tests.", flush=True)
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    install = ["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], install):
        subprocess.call([*apt, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return find_chromium()


if __name__ == "__main__":
    if not (find_chromium() or install_chromium()):
        sys.exit("The browser tests need Chromium: install it (Debian: apt-get install chromium) or set CXW_CHROMIUM.")
