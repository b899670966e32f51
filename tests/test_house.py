"""The rules of the house: which room may import which, and what stands in no file."""

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
LONGEST = 400  # lines

# Every room of the package, and the rooms below it that it may import. All may import GROUND.
GROUND = {"errors", "state", "forks"}
FLOORS = {
    "errors": set(),
    "state": set(),
    "forks": set(),
    "schema": set(),
    "autosave": set(),
    "checks": {"schema"},
    "sources": {"schema"},
    "observable": {"schema"},
    "checked": {"observable", "checks"},
    "exports": {"schema", "sources"},
    "draft": {"exports", "checked", "checks", "sources", "schema", "autosave"},
    "api": {"schema"},
    "publishing": {"draft", "checked", "observable", "checks", "sources", "schema", "autosave", "api"},
    "widgets": {"publishing", "draft", "checks", "sources", "schema", "autosave", "api", "sandbox"},
    "sandbox": set(),
}
WITH_PYWWT = {"astropy", "ipython", "matplotlib", "numpy"}  # and with ipywidgets, which pywwt needs, too

# The package's face and its commands stand above all floors.
ROOF = {"__init__", "__main__"}


def python_files() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def js_files() -> list[Path]:
    files = (path for path in (ROOT / "js").rglob("*") if path.suffix in {".ts", ".tsx", ".mjs", ".css"})
    return sorted(path for path in files if "node_modules" not in path.parts)


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def room_of(path: Path) -> str:
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
    room = room_of(path)
    if room in ROOF:
        return
    assert room in FLOORS, f"{room} is a new room: give it a floor in this test and in DESIGN"
    # A function of the sandbox may hand out our own client; what the sandbox is made of must not share our mistakes.
    for module, line in imported(path, in_functions=room != "sandbox"):
        parts = module.split(".")
        if parts[0] == "constellations_widgets" and len(parts) > 1:
            assert parts[1] in {room, "__version__"} | GROUND | FLOORS[room], f"line {line} imports {module}"


def test_only_the_api_room_touches_httpx():
    users = [path for path in python_files() if any(module.startswith("httpx") for module, _ in imported(path))]
    assert {room_of(path) for path in users} == {"api"}


def test_every_package_that_is_imported_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    asked = {canonicalize_name(Requirement(text).name) for text in requirements} | WITH_PYWWT
    distributions = importlib.metadata.packages_distributions()
    used = {module.split(".")[0] for path in python_files() for module, _ in imported(path)}
    used -= sys.stdlib_module_names | {"constellations_widgets"}
    unasked = {name for name in used if not {canonicalize_name(it) for it in distributions.get(name, [name])} & asked}
    assert unasked == set()


def test_no_file_is_longer_than_a_reader_can_hold():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in [*python_files(), *js_files()]}
    assert {path.relative_to(ROOT).as_posix(): length for path, length in lengths.items() if length > LONGEST} == {}


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
