"""Write the bill of materials of the wheel: what it carries of other projects, for scanners (CycloneDX in the wheel, as in PEP 770).

What the wheel only depends on stands in its metadata. The few fields are written here, with the standard library: a
generator of bills would be a dependency of each build from source. The tests validate the file with CycloneDX's own library.
The same sources give the same bytes, so there is no date in it.
"""

from __future__ import annotations

import base64
import json
import uuid
from pathlib import Path
from typing import Any

import research_app

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "js" / "package-lock.json"
DATA = ROOT / "constellations_widgets" / "schema" / "data"
TARGET = ROOT / "build" / "constellations_widgets.cdx.json"
NOTICES = "Copyright and license: THIRD-PARTY-NOTICES.txt"


def write(version: str) -> Path:
    """Write the bill of this version of the package; return its path."""
    components = sorted([*_bundled(), _research_app(), *_data()], key=lambda component: component["bom-ref"])
    own = f"pkg:pypi/constellations-widgets@{version}"
    bill: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": own,
                "name": "constellations_widgets",
                "version": version,
                "purl": own,
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": [component["bom-ref"] for component in components]}],
    }
    bill["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill, sort_keys=True)).urn
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return TARGET


def _bundled() -> list[dict[str, Any]]:
    """Return the npm packages that are bundled into the widgets' JavaScript: those that are not for development only."""
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    found = []
    for path, package in packages.items():
        if not path or package.get("dev") or package.get("devOptional"):
            continue
        name = path.rpartition("node_modules/")[2]
        algorithm, _, digest = package["integrity"].partition("-")
        found.append(
            _component(
                f"pkg:npm/{name.replace('@', '%40')}@{package['version']}",
                package["license"],
                f"Bundled into the JavaScript of the widgets. {NOTICES}",
                {"alg": f"SHA-{algorithm.removeprefix('sha')}", "content": base64.b64decode(digest).hex()},
            )
        )
    return found


def _research_app() -> dict[str, Any]:
    about = (
        "Its research app, which draws the sky, without its Python code. The app is itself a bundle; pywwt does not record "
        f"the versions in it. {NOTICES}"
    )
    digest = {"alg": "SHA-256", "content": research_app.SHA256}
    return _component(f"pkg:pypi/pywwt@{research_app.VERSION}", "BSD-3-Clause", about, digest)


def _data() -> list[dict[str, Any]]:
    """Return the projects from which data files were made."""
    about = f"Source of data files. {NOTICES}"
    licenses = {"spdx-license-ids": "CC0-1.0", "spdx-exceptions": "CC-BY-3.0"}
    lists = json.loads((DATA / "spdx.json").read_text(encoding="utf-8"))
    spdx = {(name, version) for which in ("pinned", "newest") for name, version in lists[which]["versions"].items()}
    purifier = json.loads((DATA / "dompurify.json").read_text(encoding="utf-8"))["version"]
    return [
        *(_component(f"pkg:npm/{name}@{version}", licenses[name], about) for name, version in spdx),
        _component(f"pkg:npm/dompurify@{purifier}", "MPL-2.0 OR Apache-2.0", about),
        _component("pkg:npm/d3-celestial", "BSD-3-Clause", about),
        _component("pkg:pypi/k2fov", "MIT", about),
    ]


def _component(purl: str, license: str, about: str, digest: dict[str, str] | None = None) -> dict[str, Any]:
    name, _, version = purl.partition("/")[2].replace("%40", "@").rpartition("@")
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name or version,
        "purl": purl,
        "licenses": [{"expression": license}],
        "description": about,
    }
    if name:
        component["version"] = version
    if digest:
        component["hashes"] = [digest]
    return component
