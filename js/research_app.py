"""Copy WWT's research app, which draws the sky, from the pywwt package into the widgets' static files.

The app is never in git: it comes from the pywwt that is installed here, if it is of `VERSION`, else from its source
archive on PyPI, of which pip downloads nothing else (pywwt's dependencies need a compiler). Source maps are left out.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "0.26.0"
SHA256 = "b2a4a82d141be383111a1b746481228ba625cb1b5418e8a2f752e8b524766c86"  # of its source archive
FOLDER = Path(__file__).resolve().parents[1] / "constellations_widgets" / "static" / "research"

_LICENSE = "LICENSE.rst"
_PATTERNS = ("index.html", "css/app.*.css", "js/app.*.js", "js/chunk-vendors.*.js")


def is_copied() -> bool:
    """Return whether the app of `VERSION` is among the static files."""
    stamp = FOLDER / ".stamp"
    return stamp.is_file() and stamp.read_text().strip() == VERSION


def is_installed() -> bool:
    """Return whether the pywwt of `VERSION` is installed here."""
    try:
        return importlib.metadata.version("pywwt") == VERSION
    except importlib.metadata.PackageNotFoundError:
        return False


def copy() -> None:
    """Copy the app and its license notice, unless they are there already; print one line if that is impossible."""
    if is_copied():
        return
    spec = importlib.util.find_spec("pywwt") if is_installed() else None
    with tempfile.TemporaryDirectory() as temporary:
        if spec is not None and spec.submodule_search_locations:
            package = Path(next(iter(spec.submodule_search_locations)))
            notice = next(
                Path(str(path.locate())) for path in importlib.metadata.files("pywwt") or [] if path.name == _LICENSE
            )
        else:
            root = _download(Path(temporary))
            package, notice = root / "pywwt", root / _LICENSE
        _copy(package / "web_static" / "research", notice)


def _copy(app: Path, notice: Path) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    for pattern in _PATTERNS:
        found = list(app.glob(pattern))
        if len(found) != 1:
            sys.exit(f"pywwt {VERSION} has {len(found)} files {pattern} in its research app instead of one.")
        target = FOLDER / found[0].relative_to(app)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found[0], target)
    shutil.copyfile(notice, FOLDER / _LICENSE)
    (FOLDER / ".stamp").write_text(VERSION + "\n")


def _download(folder: Path) -> Path:
    """Download and unpack pywwt's source archive; return the folder of its files."""
    options = ["--no-deps", "--no-binary", "pywwt", "--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, f"pywwt=={VERSION}"]
    if subprocess.call(command, stdin=subprocess.DEVNULL):
        sys.exit(f"The preview needs the files of pywwt {VERSION}, which could not be downloaded from PyPI; see above.")
    archive = next(folder.glob("pywwt-*.tar.gz"))
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        sys.exit(
            f"{archive.name} is not the archive of pywwt {VERSION} that this version of the widgets was tested with."
        )
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")
