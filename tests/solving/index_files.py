"""Index files of astrometry.net for the tests of plate solving: Debian's packages, installed here if that is possible."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

INDEXES = Path("/usr/share/astrometry")
CATALOG = INDEXES / "index-tycho2-07.littleendian.fits"
PACKAGES = [f"astrometry-data-tycho2-{name}-littleendian" for name in ("07", "08", "09", "10-19")]
MISSING = (
    f"PLATE SOLVING IS NOT TESTED: there are no index files in {INDEXES}, and they could not be installed here. "
    "Run `apt-get install astrometry-data-tycho2` (300 MB) and test again"
)


@pytest.fixture(scope="session")
def index_folder() -> Path:
    """Return the folder of the index files; skip the test, and say so loudly, if they can't be had. In CI that is a failure."""
    pytest.importorskip("astrometry", reason="PLATE SOLVING IS NOT TESTED: `astrometry` has no wheel for this Python")
    if not _is_installed() and shutil.which("apt-get") and os.geteuid() == 0:
        # Each of several test processes does this: one installs, the others wait for its lock.
        apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
            subprocess.run([*apt, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    if not CATALOG.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    return INDEXES


def _is_installed() -> bool:
    """Return whether all packages are, not only some of their files."""
    if not shutil.which("dpkg-query"):
        return CATALOG.exists()
    command = ["dpkg-query", "--show", "--showformat", "${db:Status-Status}\n", *PACKAGES]
    told = subprocess.run(command, capture_output=True, text=True).stdout.split()
    return told == ["installed"] * len(PACKAGES)
