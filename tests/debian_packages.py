"""Install Debian's packages for tests that need a browser or an independent server, where that may be done unasked."""

from __future__ import annotations

import os
import shutil
import subprocess


def install(*packages: str) -> str:
    """Install packages with apt, as root; return why that was not possible, or "". No service is started."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"Install them first (Debian: apt-get install {' '.join(packages)})."
    print(f"Installing {' and '.join(packages[:2])} for the tests.", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*apt, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode and arguments[0] == "install":  # a list of packages may be old, and still serve
            return f"apt-get could not install {' '.join(packages)}: {done.stderr.strip()[-300:]}"
    return ""
