"""Build a JupyterLite site with this package: JupyterLab and Python in the browser, without a server.

The site holds the core of Pyodide (npm), this checkout's wheel, and its dependencies from PyPI. Wheels that Pyodide has
and the registries have not (numpy, Pillow, astropy) come from the folder of a full Pyodide distribution, if one is
given; otherwise the build says what the site can't do without them.

::

    python notebooks/lite.py FOLDER [--pyodide FOLDER]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from pathlib import Path
from types import ModuleType
from typing import Any

import platformdirs
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
PYODIDE = "pyodide@314.0.7"
KERNEL = ["comm", "ipython", "jedi", "micropip", "packaging"]
"""What jupyterlite-pyodide-kernel loads into the kernel, other than its own wheels."""
SERVED = {"jupyterlab-widgets", "widgetsnbextension"}
"""Requirements that the page needs and the kernel does not; the site serves them as extensions."""
KERNEL_EXTENSION = "@jupyterlite/pyodide-kernel-extension"
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "anywidget"]
BUILDER = ["jupyterlite-core>=0.8,<0.9", "jupyterlite-pyodide-kernel>=0.8,<0.9"]
"""JupyterLite has a folder of its own: its kernel extension fails in a JupyterLab of the same environment."""
CORE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]
LOCK, MISSING = "pyodide-lock.json", "missing.json"
TIMEOUT = 600  # seconds


class UnavailableError(Exception):
    """A package that the site needs can't be had here; the text names it."""


@dataclass(frozen=True)
class Wheel:
    """A wheel, and what Pyodide's lock file has to say about it."""

    path: Path
    version: str
    requires: tuple[Requirement, ...]
    imports: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Wheel:
        """Read a wheel's metadata."""
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
            fields = BytesParser().parsebytes(archive.read(metadata))
        tops = {name.partition("/")[0] for name in names if name.endswith((".py", ".so"))}
        return cls(
            path,
            str(parse_wheel_filename(path.name)[1]),
            tuple(map(Requirement, fields.get_all("Requires-Dist", []))),
            tuple(sorted(top.partition(".")[0] for top in tops if ".dist-info" not in top and ".data" not in top)),
        )


@dataclass
class Distribution:
    """A Pyodide distribution in a folder: its core, its lock file and wheels."""

    folder: Path
    lock: dict[str, Any]
    wheels: dict[str, Wheel] = field(default_factory=dict)
    missing: dict[str, set[str]] = field(default_factory=dict)
    """Packages that can't be had, and which packages require them."""

    @property
    def tags(self) -> list[str]:
        """Return pip's options for wheels of this Pyodide."""
        info = self.lock["info"]
        version = ".".join(info["python"].split(".")[:2])
        platform = f"pyemscripten_{info['abi_version']}_wasm32"
        return ["--platform", platform, "--python-version", version, "--implementation", "cp"]

    @property
    def environment(self) -> dict[str, str]:
        """Return the values of environment markers in this Pyodide."""
        python = self.lock["info"]["python"]
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": "wasm32",
            "platform_python_implementation": "CPython",
            "platform_system": "Emscripten",
            "python_full_version": python,
            "python_version": ".".join(python.split(".")[:2]),
            "sys_platform": "emscripten",
            "extra": "",
        }

    def is_compiled(self, name: str) -> bool:
        """Return whether Pyodide builds a package itself, so that it may not be on PyPI."""
        entry = self.lock["packages"].get(name)
        return entry is not None and not entry["file_name"].endswith("-none-any.whl")

    def has(self, name: str) -> bool:
        """Return whether the folder holds the very file of one of the lock's packages."""
        entry = self.lock["packages"].get(name)
        path = self.folder / entry["file_name"] if entry else None
        return path is not None and path.is_file() and _digest(path) == entry["sha256"]

    def add(self, requirements: Iterable[Requirement]) -> None:
        """Add packages and all that they require, from PyPI where the distribution lacks them."""
        asked: dict[str, dict[str, SpecifierSet]] = {}
        self._ask(asked, "this package", requirements)
        while needed := self._needed(asked):
            by_pip = {name: it for name, it in needed.items() if not self.has(name) and not self.is_compiled(name)}
            if len(by_pip) > 1:
                self._fetch_together(by_pip)
            for name, specifier in sorted(needed.items()):
                if name not in self.wheels or self.wheels[name].version not in specifier:
                    self._fetch(name, specifier, asked[name])

    def _ask(self, asked: dict[str, dict[str, SpecifierSet]], by: str, requirements: Iterable[Requirement]) -> None:
        for requirement in requirements:
            name, marker = canonicalize_name(requirement.name), requirement.marker
            if name not in SERVED and (marker is None or marker.evaluate(self.environment)):
                asked.setdefault(name, {})[by] = requirement.specifier

    def _needed(self, asked: dict[str, dict[str, SpecifierSet]]) -> dict[str, SpecifierSet]:
        """Collect what the wheels require, into `asked`; return what is not there yet, or in another version."""
        for by, wheel in self.wheels.items():
            self._ask(asked, by, wheel.requires)
        needed = {}
        for name, specifiers in asked.items():
            specifier = SpecifierSet(",".join(sorted(str(each) for each in specifiers.values() if str(each))))
            if name in self.missing:
                self.missing[name] |= set(specifiers)
            elif name not in self.wheels or self.wheels[name].version not in specifier:
                needed[name] = specifier
        return needed

    def _fetch(self, name: str, specifier: SpecifierSet, by: Mapping[str, object]) -> None:
        if self.has(name):
            self._keep(self.folder / self.lock["packages"][name]["file_name"])
            return
        with tempfile.TemporaryDirectory() as target:
            try:
                _pip("download", "--only-binary=:all:", *self.tags, "--dest", target, f"{name}{specifier}")
            except UnavailableError:
                if self.is_compiled(name):
                    self.missing[name] = set(by)
                    return
                _pip("wheel", "--wheel-dir", target, f"{name}{specifier}")  # PyPI has its source only
            wheel = next(Path(target).glob("*.whl"))
            if not wheel.name.endswith(("-none-any.whl", "_wasm32.whl")):
                raise UnavailableError(f"{name} has no wheel for Pyodide, and is not pure Python.")
            self._keep(Path(shutil.move(wheel, self.folder / wheel.name)))

    def _fetch_together(self, needed: Mapping[str, SpecifierSet]) -> None:
        """Download wheels with one call of pip, which starts slowly; none if it can't get one of them."""
        with tempfile.TemporaryDirectory() as target, contextlib.suppress(UnavailableError):
            wanted = [f"{name}{specifier}" for name, specifier in sorted(needed.items())]
            _pip("download", "--only-binary=:all:", *self.tags, "--dest", target, *wanted)
            for wheel in sorted(Path(target).glob("*.whl")):
                self._keep(Path(shutil.move(wheel, self.folder / wheel.name)))

    def _keep(self, path: Path) -> None:
        name = canonicalize_name(parse_wheel_filename(path.name)[0])
        if name in self.wheels and self.wheels[name].path != path:
            self.wheels[name].path.unlink()
        self.wheels[name] = Wheel.read(path)

    def write_lock(self, own: Path) -> None:
        """Write the lock file, with the package whose wheel is `own` and all packages whose files are here."""
        self._keep(own)
        packages = {name: entry for name, entry in self.lock["packages"].items() if self.has(name)}
        for name, wheel in self.wheels.items():
            if name not in packages:
                packages[name] = self._entry(name, wheel)
        lock = self.lock | {"packages": packages}
        (self.folder / "pyodide-lock.json").write_text(json.dumps(lock, indent=1), "utf-8")

    def _entry(self, name: str, wheel: Wheel) -> dict[str, Any]:
        depends = {
            canonicalize_name(requirement.name)
            for requirement in wheel.requires
            if requirement.marker is None or requirement.marker.evaluate(self.environment)
        }
        return {
            "name": name,
            "version": wheel.version,
            "file_name": wheel.path.name,
            "install_dir": "site",
            "sha256": _digest(wheel.path),
            "package_type": "package",
            "imports": list(wheel.imports),
            "depends": sorted(depends & self.wheels.keys()),
            "unvendored_tests": False,
        }


def build(site: Path, contents: Path, pyodide: Path | None = None) -> dict[str, list[str]]:
    """Build the site into `site`, with the files in `contents`.

    Parameters
    ----------
    site : Path
        An existing site there is replaced.
    contents : Path
        Folder whose files the site's file browser shows.
    pyodide : Path, optional
        Folder of a full Pyodide distribution. By default the core comes from npm.

    Returns
    -------
    dict
        The packages that can't be had, and which packages require them.

    Raises
    ------
    UnavailableError
        If a program or a package can't be had that the site can't do without.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        wheel = Path(next(WheelBuilder(str(ROOT)).build(directory=folder, versions=["standard"])))
        cached = _distribution(Wheel.read(wheel).requires, pyodide)
        served = work / "static" / "pyodide"
        shutil.copytree(cached, served)
        distribution = _read(served)
        distribution.write_lock(Path(shutil.copy(wheel, served)))
        shutil.rmtree(site, ignore_errors=True)
        _run_jupyterlite(work, contents, site)
        return {name: sorted(by) for name, by in distribution.missing.items()}


def _distribution(requires: Iterable[Requirement], pyodide: Path | None) -> Path:
    """Return a folder of the user's cache with Pyodide and the wheels that the package requires."""
    requirements = [*requires, *map(Requirement, KERNEL)]
    made_of = [PYODIDE, str(pyodide or ""), Path(__file__).read_text("utf-8"), *sorted(map(str, requirements))]
    key = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]
    folder = platformdirs.user_cache_path("constellations_widgets_docs") / f"pyodide-{key}"
    if not (folder / MISSING).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as part:
            made = Path(part) / "pyodide"
            if pyodide is None:
                _unpack_core(made)
            else:
                shutil.copytree(pyodide, made)
            distribution = Distribution(made, json.loads((made / LOCK).read_text("utf-8")))
            distribution.add(requirements)
            missing = {name: sorted(by) for name, by in distribution.missing.items()}
            (made / MISSING).write_text(json.dumps(missing), "utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
    return folder


def _read(folder: Path) -> Distribution:
    distribution = Distribution(folder, json.loads((folder / LOCK).read_text("utf-8")))
    for path in folder.glob("*.whl"):
        distribution._keep(path)
    missing = json.loads((folder / MISSING).read_text("utf-8"))
    distribution.missing.update({name: set(by) for name, by in missing.items()})
    return distribution


def _unpack_core(folder: Path) -> None:
    """Download the core of Pyodide with npm."""
    node = _bundle().find_node()
    if node is None:
        raise UnavailableError("There is no Node, whose npm downloads Pyodide.")
    with tempfile.TemporaryDirectory() as target:
        command = [*node.npm, "pack", "--silent", "--pack-destination", target, PYODIDE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False, cwd=target)
        if done.returncode != 0:
            raise UnavailableError(f"npm can't download {PYODIDE}: {done.stderr.strip()[-300:]}")
        with tarfile.open(next(Path(target).glob("*.tgz"))) as archive:
            folder.mkdir()
            for name in CORE:
                (folder / name).write_bytes(archive.extractfile(f"package/{name}").read())  # type: ignore[union-attr]


def _bundle() -> ModuleType:
    """Load js/bundle.py, which finds a Node and is no module of a package."""
    spec = importlib.util.spec_from_file_location("bundle_for_lite", ROOT / "js" / "bundle.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules["bundle_for_lite"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _builder() -> Path:
    """Return the folder of the user's cache in which JupyterLite is installed."""
    key = hashlib.sha256(" ".join([*BUILDER, sys.version]).encode()).hexdigest()[:12]
    folder = platformdirs.user_cache_path("constellations_widgets_docs", ensure_exists=True) / f"jupyterlite-{key}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as part:
            made = Path(part) / "jupyterlite"
            _pip("install", "--target", str(made), *BUILDER, alone=False)
            with contextlib.suppress(OSError):  # another process was faster
                made.rename(folder)
    return folder


def _run_jupyterlite(work: Path, contents: Path, site: Path) -> None:
    builder, shared = _builder(), Path("share", "jupyter", "labextensions")
    extensions = [builder / shared / KERNEL_EXTENSION, *(sys.prefix / shared / name for name in EXTENSIONS)]
    settings = {
        "apps": ["lab", "notebooks"],
        "contents": [str(contents.resolve())],
        "federated_extensions": [*map(str, extensions)],
        "ignore_sys_prefix": ["federated_extensions"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "output_dir": str(site.resolve()),
    }
    (work / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": settings}), "utf-8")
    command = [sys.executable, "-m", "jupyterlite_core", "build"]
    path = os.pathsep.join(filter(None, [str(builder), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path}
    options: dict[str, Any] = {"cwd": work, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run(command, timeout=TIMEOUT, check=False, **options)
    if done.returncode != 0:
        raise UnavailableError(f"JupyterLite was not built: {(done.stderr or done.stdout).strip()[-1000:]}")


def _pip(command: str, *options: str, alone: bool = True) -> None:
    """Run pip for packages; `alone` without what they require."""
    quiet = ["--quiet", "--disable-pip-version-check", *(["--no-deps"] if alone else [])]
    arguments = [sys.executable, "-m", "pip", command, *quiet, *options]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode != 0:
        raise UnavailableError(f"pip can't get {options[-1]}: {done.stderr.strip()[-300:]}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Build the site from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--contents", type=Path, default=Path(__file__).with_name("browser"))
    parser.add_argument("--pyodide", type=Path, help="folder of a full Pyodide distribution")
    options = parser.parse_args()
    report(build(options.site, options.contents, options.pyodide))
    print(f"Serve it, such as with: python -m http.server --directory {options.site}")
    return 0


def report(missing: Mapping[str, Iterable[str]]) -> None:
    """Print what the site can't do."""
    if missing:
        print(
            f"JupyterLite lacks {', '.join(sorted(missing))}: neither PyPI nor npm has them for Pyodide. The site reads no FITS "
            "files and no pictures (AVM). Name a full Pyodide distribution with --pyodide to add them.",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main())
