"""Layers: which module may import which, and what no file may contain."""

from __future__ import annotations

import ast
import importlib.metadata
import itertools
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "constellations_widgets"
LONGEST = 600  # lines
GENERATED = {"js/protocol.ts"}

# Every module of the package, and the modules below it that it may import. All may import BASE.
BASE = {"errors", "outcomes", "state", "forks", "runtime", "tasks", "text", "interface"}
LAYERS = {
    "errors": set(),
    "outcomes": set(),
    "state": set(),
    "forks": set(),
    "runtime": set(),
    "tasks": set(),
    "text": set(),
    "interface": set(),
    "network": set(),
    "fetch": {"network"},
    "http": {"network", "fetch"},
    "schema": set(),
    "autosave": set(),
    "geometry": {"schema"},
    "checks": {"schema", "geometry"},
    "wtml": {"schema"},
    "sources": {"schema", "geometry", "network", "http", "wtml"},
    "solving": {"schema", "geometry", "sources", "network", "http", "auth"},
    "observable": {"schema", "checks"},
    "outputs": {"schema", "geometry", "sources", "wtml"},
    "draft": {"outputs", "observable", "checks", "solving", "sources", "geometry", "schema", "autosave"},
    "auth": {"network", "http"},
    "api": {"schema", "network", "http", "auth"},
    "publishing": {"draft", "observable", "checks", "sources", "geometry", "schema", "autosave", "api"},
    "hosting": {"publishing", "draft", "outputs", "checks", "sources", "schema", "api", "auth", "http", "wtml"},
    "widgets": {
        "hosting",
        "publishing",
        "draft",
        "outputs",
        "checks",
        "solving",
        "sources",
        "geometry",
        "schema",
        "autosave",
        "api",
        "auth",
        "sandbox",
        "wtml",
    },
    "sandbox": set(),
}
BROUGHT = {"ipython", "matplotlib"}  # by ipywidgets and pywwt
IN_BROWSER = {"pyodide"}  # of Python in a browser

# The public names and the command line may import every module.
TOP = {"__init__", "__main__", "cli"}


def python_files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def js_files() -> list[Path]:
    files = (path for path in (ROOT / "js").rglob("*") if path.suffix in {".ts", ".tsx", ".mjs", ".css"})
    return sorted(path for path in files if "node_modules" not in path.parts)


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path, *, in_functions: bool = True) -> Iterator[tuple[str, int]]:
    """Each module that a file imports, as its full dotted name, and the line; not what only type checkers import."""
    package = ["constellations_widgets", *path.relative_to(PACKAGE).parts[:-1]]
    for node in _statements(ast.parse(path.read_text(encoding="utf-8")), in_functions):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            # `from .. import errors` imports a module as surely as `from ..errors import X` does.
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def _statements(node: ast.AST, in_functions: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not in_functions:
            continue
        yield child
        yield from _statements(child, in_functions)


@pytest.mark.parametrize("path", python_files(), ids=names(python_files()))
def test_imports_go_only_down(path: Path):
    layer = layer_of(path)
    if layer in TOP:
        return
    assert layer in LAYERS, f"{layer} is a new module: add it to LAYERS in this test, and to CONTRIBUTING.md"
    # A function of the sandbox may hand out our own client; what the sandbox is made of must not share our mistakes.
    for module, line in imported(path, in_functions=layer != "sandbox"):
        parts = module.split(".")
        if parts[0] == "constellations_widgets" and len(parts) > 1:
            assert parts[1] in {layer, "__version__"} | BASE | LAYERS[layer], f"line {line} imports {module}"


def test_one_module_imports_httpx():
    users = [path for path in python_files() if any(module.startswith("httpx") for module, _ in imported(path))]
    assert names(users) == ["constellations_widgets/http.py"]


def test_every_package_that_is_imported_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    asked = {canonicalize_name(Requirement(text).name) for text in requirements} | BROUGHT
    distributions = importlib.metadata.packages_distributions()
    used = {module.split(".")[0] for path in python_files() for module, _ in imported(path)}
    used -= sys.stdlib_module_names | {"constellations_widgets"} | IN_BROWSER
    unasked = {name for name in used if not {canonicalize_name(it) for it in distributions.get(name, [name])} & asked}
    assert unasked == set()


def test_no_file_is_longer_than_a_reader_can_hold():
    files = [path for path in [*python_files(), *js_files()] if path.relative_to(ROOT).as_posix() not in GENERATED]
    assert names([path for path in files if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST]) == []


@pytest.mark.parametrize(
    ("files", "forbidden"),
    [
        (python_files(), r"nest_asyncio"),
        (js_files(), r"dangerouslySetInnerHTML|\.(inner|outer)HTML\s*\+?=(?!=)|insertAdjacentHTML|\beval\("),
        ([ROOT / "js" / "package-lock.json"], r'"resolved":'),
        (
            [ROOT / "js" / "package-lock.json", ROOT / "js" / "package.json"],
            r"https?://[\w.-]*(registry|npmjs|yarnpkg)",
        ),
        ([ROOT / "pyproject.toml", ROOT / "Makefile"], r"index-url|pypi\.org|find-links"),
    ],
    ids=["nest_asyncio", "uncleaned HTML", "lock without addresses", "no npm registry", "no Python index"],
)
def test_what_stands_in_no_file(files: list[Path], forbidden: str):
    found = [path for path in files if re.search(forbidden, path.read_text(encoding="utf-8"))]
    assert names(found) == []


def test_the_lock_file_holds_every_platforms_programs():
    # `npm ci` refuses a lock file that lacks one, and npm leaves out what the registry did not have that day.
    packages = json.loads((ROOT / "js" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    locked = {path.rpartition("node_modules/")[2] for path in packages}
    wanted = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    assert wanted - locked == set()
    assert "@esbuild/darwin-arm64" in wanted


def test_built_javascript_is_not_in_git():
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    built = ["git", "ls-files", "constellations_widgets/static", "js/node_modules"]
    assert subprocess.run(built, cwd=ROOT, capture_output=True, text=True, check=True).stdout == ""
