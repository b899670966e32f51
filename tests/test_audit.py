"""The report of `make audit`: a service that does not answer, or knows none of the packages, is named and never looks like a pass."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
UNKNOWN = {"name": "astropy", "skip_reason": "Dependency not found on PyPI and could not be audited: astropy (8.0)"}
CLEAN = {"name": "httpx", "version": "0.28", "vulns": []}
VULNERABLE = {"name": "pillow", "version": "12.2", "vulns": [{"id": "CVE-1", "fix_versions": ["12.3"]}]}


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """tools/audit.py, whose bill of materials is there already."""
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which it adds js/
    spec = importlib.util.spec_from_file_location("audit", ROOT / "tools" / "audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "write_bill", lambda: ROOT / "build" / "audit" / "environment.cdx.json")
    return module


def answer(audit: ModuleType, monkeypatch: pytest.MonkeyPatch, python: list[dict[str, Any]], npm: str) -> None:
    """Let pip-audit report these packages, and npm audit print this."""

    def run(*command: str, **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(
            command, 0, npm if "audit" in command else json.dumps({"dependencies": python}), ""
        )

    monkeypatch.setattr(audit, "_run", run)


@pytest.mark.parametrize(
    ("python", "npm", "status", "told"),
    [
        ([CLEAN], '{"vulnerabilities": {}}', 0, ["Python packages: 0 known vulnerabilities, 0 packages not audited"]),
        ([CLEAN, VULNERABLE], '{"vulnerabilities": {}}', 1, ["pillow 12.2: CVE-1, fixed in 12.3"]),
        ([CLEAN], '{"vulnerabilities": {"esbuild": {"severity": "low"}}}', 1, ["esbuild: low"]),
        ([CLEAN, UNKNOWN], '{"vulnerabilities": {}}', 0, ["!! NOT AUDITED: 1 Python packages, among them astropy"]),
        ([UNKNOWN], '{"vulnerabilities": {}}', 0, ["!! NOT AUDITED: Python packages. The service of pip-audit knows none of 1"]),
        ([CLEAN], '{"message": "405 Method Not Allowed"}', 0, ["!! NOT AUDITED: JavaScript packages. 405 Method Not Allowed"]),
        ([CLEAN], "", 0, ["!! NOT AUDITED: JavaScript packages.", "could not reach its service"]),
    ],
)  # fmt: skip
def test_what_was_not_audited_is_named(audit, monkeypatch, capsys, python, npm, status, told):
    answer(audit, monkeypatch, python, npm)
    assert audit.main() == status
    report = capsys.readouterr().out
    assert all(line in report for line in told), report
    assert ("Python packages: 0" in report) == (CLEAN in python and VULNERABLE not in python)
