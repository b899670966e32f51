"""`make compat`: the tests without a browser, with the oldest and the newest allowed packages, on each Python from 3.11 to 3.14.

With the newest packages, mypy checks the types too: they are those of other packages, NumPy's above all.

`python tests/compat.py --python 3.11 --resolution lowest-direct tests/sources` runs a part. A Python that is not on this
machine is skipped, and the report ends with its name. Environments are kept in build/compat, and made again when their
packages change. Needs uv, which is in the extra `test`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "compat"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
RESOLUTIONS = ("lowest-direct", "highest")
IGNORED = ("browser", "test_package.py", "test_types.py")
"""Tests of browsers; of archives, which depend on build tools only (twine 7, which knows the metadata that hatchling writes, needs a
newer rich than this package); and of type checkers, which need the newest types of other packages."""
LEFT_OUT = {"marimo"}
"""Test tools that only browser tests use, and whose requirements may exclude the oldest packages that this project allows."""
MISSING = "SKIPPED"


def main() -> int:
    """Return the exit status: 1 if anything went wrong, or nothing was run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", action="append", dest="pythons")
    parser.add_argument("--resolution", action="append", dest="resolutions", choices=RESOLUTIONS)
    parser.add_argument("--workers", default=os.environ.get("WORKERS", "2"))
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()
    versions = options.pythons or PYTHONS
    pythons = {version: _find(version) for version in versions}
    print(warning := _warn(pythons), end="", flush=True)
    outcomes: dict[str, str] = {}
    for version, python in pythons.items():
        for resolution in options.resolutions or RESOLUTIONS:
            name = f"{version} {resolution}"
            print(f"-- Python {name}", flush=True)
            run = (python, version, resolution, options.workers, options.tests)
            outcomes[name] = _try(*run) if python else MISSING
    print("\n".join(f"{name:20} {outcome}" for name, outcome in outcomes.items()))
    print(warning, end="", flush=True)
    return 0 if {"passed"} <= set(outcomes.values()) <= {"passed", MISSING} else 1


def _warn(pythons: dict[str, str | None]) -> str:
    missing = [version for version, python in pythons.items() if python is None]
    return "".join(
        f"!! NOT TESTED: Python {version} is not on this machine. To test it: uv python install {version}, or pyenv.\n"
        for version in missing
    )


def _find(version: str) -> str | None:
    """Return the path of this machine's Python of a version, None if there is none."""
    found = subprocess.run(
        [*_uv("python", "find"), "--no-python-downloads", "--no-project", "--system", version],
        capture_output=True,
        text=True,
        env=_environment() | _all_of_pyenv(),
    )
    return found.stdout.strip() if found.returncode == 0 else None


def _all_of_pyenv() -> dict[str, str]:
    """Return the setting with which pyenv's commands start each Python that it has installed, not its chosen one only."""
    if not (pyenv := shutil.which("pyenv")):
        return {}
    names = subprocess.run(
        [pyenv, "versions", "--bare", "--skip-aliases"], capture_output=True, text=True
    ).stdout.split()
    return {"PYENV_VERSION": ":".join(name for name in names if name.startswith(PYTHONS))}


def _try(python: str, version: str, resolution: str, workers: str, tests: list[str]) -> str:
    """Make the environment, unless it is there, and run the tests in it; return the outcome."""
    place = FOLDER / f"{version}-{resolution}"
    constraints, stamp = FOLDER / f"{place.name}.txt", place / ".stamp"
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        pins = _pins(version, resolution)
    except subprocess.CalledProcessError as error:
        print(error.stderr, flush=True)
        return "not resolvable"
    constraints.write_text("\n".join(pins))
    wanted = "\n".join([python, *pins, (ROOT / "pyproject.toml").read_text(encoding="utf-8")])
    if not stamp.is_file() or stamp.read_text() != wanted:
        packages = ["-c", str(constraints), "--editable", f"{ROOT}[all]", *_tools()]
        steps = (
            (_uv("venv", "--quiet", "--clear", "--seed", "--python", python, str(place)), "no environment"),
            (_uv("pip", "install", "--quiet", "--python", str(place), *packages), "not installable"),
        )
        for step, failed in steps:
            if subprocess.call(step, cwd=ROOT, env=_environment()):
                return failed
        stamp.write_text(wanted)
    python_here = str(place / "bin" / "python")
    if resolution == "highest" and subprocess.call([python_here, "-m", "mypy"], cwd=ROOT, env=_environment()):
        return "types failed"
    options = ["-q", "-n", workers, "--dist=loadfile", "-p", "no:cacheprovider"]
    chosen = tests or [str(ROOT / "tests"), *(f"--ignore={ROOT / 'tests' / name}" for name in IGNORED)]
    command = [python_here, "-m", "pytest", *options, *chosen]
    return "failed" if subprocess.call(command, cwd=ROOT, env=_environment()) else "passed"


def _pins(version: str, resolution: str) -> list[str]:
    """Return the versions of the packages that this project itself asks for; others may be anything."""
    options = ["--quiet", "--extra", "all", "--no-annotate", "--no-header", "--python-version", version]
    command = _uv("pip", "compile", *options, "--resolution", resolution, "pyproject.toml")
    resolved = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    extras = _project()["optional-dependencies"]
    asked = [
        *_project()["dependencies"],
        *(it for name in extras if name not in ("demo", "test") for it in extras[name]),
    ]
    names = {_name(it) for it in asked}
    return [line for line in resolved if _name(line) in names]


def _tools() -> list[str]:
    tools = _project()["optional-dependencies"]["test"]
    return [it for it in tools if _name(it) not in LEFT_OUT | {"constellations-widgets"}]


def _project() -> dict[str, dict[str, list[str]]]:
    project: dict[str, dict[str, list[str]]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    return project


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def _uv(*words: str) -> list[str]:
    return [sys.executable, "-m", "uv", *words]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


if __name__ == "__main__":
    sys.exit(main())
