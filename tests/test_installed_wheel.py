"""The built wheel in an environment of its own, which has no compiler, no pywwt and nothing of this checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
PROGRAM = Path(__file__).with_name("first_user.py")
MOST_MEGABYTES = 330


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel and its sandbox."""
    folder = tmp_path_factory.mktemp("empty")
    wheel = next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    venv.create(folder / "venv")
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "CC": "false",
        "CXX": "false",
    }
    # This environment's pip, and no bytecode of modules that nothing imports: both take longer than the tests.
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-compile", "--quiet"]
    command = [*pip, f"{wheel}[sandbox]"]
    subprocess.run(command, check=True, cwd=folder, env=environment, timeout=900)
    return python


def test_a_first_user_needs_no_compiler_and_no_pywwt(python: Path, tmp_path: Path):
    found = json.loads(run(python, str(PROGRAM), str(tmp_path), cwd=tmp_path).splitlines()[-1])
    assert {name: [round(value, 2) for value in center] for name, center in found["centers"].items()} == {
        "WTML": [202.47, 47.2],
        "FITS": [202.47, 47.2],
        "AVM": [202.47, 47.2],
    }
    assert found["page"] > 1_000_000  # WWT itself is in it, compressed
    assert found["still"] and found["published"] and found["heavy"] == []
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    # Without the extra "keyring" sign-ins are stored in a file: nothing lacks it.
    assert {name.split()[0] for name in found["missing"]} == set(extras) - {"all", "demo", "docs", "keyring", "test"}
    for name, message in found["missing"].items():
        extra, package, _ = name.split()
        assert package in message and f"constellations_widgets[{extra}]" in message, (name, message)
        assert "ModuleNotFoundError" not in message and "Traceback" not in message, (name, message)


def test_an_installation_stays_small(python: Path):
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert size < MOST_MEGABYTES * 1e6
    assert not any((packages / name).exists() for name in ("pywwt", "toasty", "matplotlib", "dask", "wwt_data_formats"))


def run(python: Path, *arguments: str, **options: Any) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), *arguments], capture_output=True, text=True, env=environment, timeout=300, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
