"""Install programs from npm, with the project's Node, for tests that need an independent server."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import platformdirs
import pytest

BUNDLE = Path(__file__).parents[1] / "js" / "bundle.py"
TIMEOUT = 600  # seconds; Azurite has 400 dependencies


def _bundle() -> ModuleType:
    """Load js/bundle.py, which finds a Node and is no module of a package."""
    spec = importlib.util.spec_from_file_location("bundle_for_npm", BUNDLE)
    module = sys.modules["bundle_for_npm"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def path_with_node() -> str:
    """Return this process's PATH, preceded by the folder of the project's Node: a fresh machine has no other."""
    node = _bundle().find_node()
    folder = str(Path(node.program).parent) if node else ""
    return os.pathsep.join(filter(None, [folder, os.environ["PATH"]]))


def installed(package: str, what: str) -> tuple[str, Path]:
    """Return the path of Node, and the folder of the user's cache in which a package is installed.

    Without npm or its registry the test is skipped, and fails in CI.

    Parameters
    ----------
    package : str
        Name and version, such as ``"azurite@3.35.0"``.
    what : str
        What it is, for the message.
    """
    node = _bundle().find_node()
    folder = platformdirs.user_cache_path("constellations_widgets_tests") / package.replace("@", "-")
    why = "there is no Node"
    if node is not None:
        if (folder / "installed").exists():
            return node.program, folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        command = [*node.npm, "install", *quiet, "--prefix", str(folder), package]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            if done.returncode == 0:
                (folder / "installed").touch()
                return node.program, folder
            why = (done.stderr.strip() or done.stdout.strip())[-300:]
        except (OSError, subprocess.SubprocessError) as error:
            why = str(error)
    if os.environ.get("CI"):
        pytest.fail(f"npm could not install {package}: {why}")
    pytest.skip(f"npm could not install {package}, {what}: {why}")
