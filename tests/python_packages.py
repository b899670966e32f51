"""Install Python packages beside the environment of the tests, for a Jupyter server that has more of them than the others."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import platformdirs
import pytest

TIMEOUT = 900  # seconds; Jupyter Book has 250 MB

COLLABORATION = (
    *("jupyter-collaboration>=5.0,<6", "jupyter-collaboration-ui", "jupyter-docprovider", "jupyter-server-ydoc"),
    *("jupyter-ydoc", "jupyter-server-fileid", "pycrdt", "pycrdt-store", "pycrdt-websocket", "sqlite-anyio"),
)
"""jupyter-collaboration and those of its dependencies that JupyterLab does not have."""
SERVER_PROXY = (
    *("jupyter-server-proxy>=4.6,<5", "simpervisor", "aiohttp", "aiohappyeyeballs", "aiosignal", "attrs"),
    *("frozenlist", "multidict", "propcache", "yarl", "idna"),
)
"""jupyter-server-proxy and those of its dependencies that JupyterLab does not have."""
HUB = (
    *("jupyterhub>=6,<7", "alembic", "Mako", "certipy", "oauthlib", "pamela", "SQLAlchemy", "greenlet"),
    *("prometheus-client", "python-dateutil", "six", "aiodns", "pycares", "cryptography", "cffi"),
)
"""JupyterHub and its dependencies, but for those of JupyterLab and of `SERVER_PROXY`."""


JUPYTER_BOOK = ("jupyter-book>=1.0,<2",)
"""Jupyter Book 1, which is Sphinx. Jupyter Book 2 downloads its theme from api.mystmd.org when it builds."""
MKDOCS = ("mkdocs-jupyter>=0.25", "mkdocs-material>=9.5")
"""MkDocs; it brings a JupyterLab extension that Voila can't load."""


def installed(name: str, packages: Sequence[str], *, alone: bool = True) -> Path:
    """Return the folder of the user's cache in which packages are installed.

    Without a registry the test is skipped, and fails in CI.

    Parameters
    ----------
    name : str
        Name of the folder.
    packages : sequence of str
        Requirements of all packages.
    alone : bool, default True
        Whether their dependencies are left out.
    """
    cache = platformdirs.user_cache_path("constellations_widgets_tests", ensure_exists=True)
    folder = cache / f"{name}-{sys.implementation.cache_tag}"
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory(dir=cache) as begun:
        target = Path(begun) / name
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), *packages]
        if alone:
            command.append("--no-deps")
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            why = done.stderr.strip()[-300:] if done.returncode else ""
        except (OSError, subprocess.SubprocessError) as error:
            why = str(error)
        if not why and not folder.exists():  # another process may have been faster
            target.rename(folder)
    if why and os.environ.get("CI"):
        pytest.fail(f"pip could not install {packages[0]}: {why}")
    if why:
        pytest.skip(f"pip could not install {packages[0]}: {why}")
    return folder


def environment(*folders: Path) -> dict[str, str]:
    """Return environment variables with which Jupyter finds what is installed in these folders."""

    def joined(*parts: str) -> str:
        return os.pathsep.join(str(folder.joinpath(*parts)) for folder in folders)

    return {
        "PYTHONPATH": os.pathsep.join(filter(None, [joined(), os.environ.get("PYTHONPATH")])),
        "JUPYTER_PATH": joined("share", "jupyter"),
        "JUPYTER_CONFIG_PATH": joined("etc", "jupyter"),
    }
