"""`make audit`: known vulnerabilities of what the package needs and carries, and a bill of materials of a whole installation.

pip-audit checks the newest allowed Python packages with all extras, npm audit the JavaScript packages of js/package-lock.json,
those of the tests included. A service that does not answer is named, and is no failure: the report ends with what was not
audited. The bill, with every Python package, is build/audit/environment.cdx.json; that of the wheel itself is in the wheel.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "audit"
JS = ROOT / "js"
PATIENCE = 1200  # seconds; pip compiles some packages

sys.path.insert(0, str(JS))

import bundle


def main() -> int:
    """Return the exit status: 1 if a vulnerability is known."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found, not_audited = [], []
    for name, audit in (("Python packages", audit_python), ("JavaScript packages", audit_javascript)):
        try:
            problems, skipped = audit()
        except OSError as error:
            not_audited.append(f"!! NOT AUDITED: {name}. {error}")
            continue
        found += problems
        if skipped:
            not_audited.append(f"!! NOT AUDITED: {len(skipped)} {name}, among them {', '.join(skipped[:5])}")
        print(f"{name}: {len(problems)} known vulnerabilities, {len(skipped)} packages not audited", flush=True)
    try:
        print(f"Bill of materials: {write_bill().relative_to(ROOT)}")
    except OSError as error:
        not_audited.append(f"!! NO BILL OF MATERIALS: {error}")
    print("\n".join([*found, *not_audited]), flush=True)
    return 1 if found else 0


def audit_python() -> tuple[list[str], list[str]]:
    """Return a line for each known vulnerability of the newest allowed packages, and the packages that the service does not know.

    Raises OSError if the service does not answer, or knows none of them.
    """
    requirements = FOLDER / "requirements.txt"
    options = ["--quiet", "--extra", "all", "--no-header", "--no-annotate", "--output-file", str(requirements)]
    _run(sys.executable, "-m", "uv", "pip", "compile", *options, str(ROOT / "pyproject.toml"))
    options = ["--format", "json", "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    report = _json(*_tool("pip-audit", "pip-audit"), *options, "--requirement", str(requirements))
    # pip-audit ends with "No known vulnerabilities" also where its service knows none of the packages.
    reasons = {
        package["name"]: package["skip_reason"] for package in report["dependencies"] if "skip_reason" in package
    }
    if len(reasons) == len(report["dependencies"]):
        raise OSError(
            f"The service of pip-audit knows none of {len(reasons)}: {next(iter(reasons.values()), '')[:200]}"
        )
    skipped = list(reasons)
    problems = [
        f"{package['name']} {package['version']}: {problem['id']}, fixed in {', '.join(problem['fix_versions']) or 'no version'}"
        for package in report["dependencies"]
        for problem in package.get("vulns", [])
    ]
    return problems, skipped


def audit_javascript() -> tuple[list[str], list[str]]:
    """Do the same for the locked packages of npm."""
    node = bundle.find_node()
    if node is None:
        raise OSError("There is no Node here: run `make js` first")
    report = _json(*node.npm, "audit", "--json", "--package-lock-only", cwd=JS)
    if "vulnerabilities" not in report:
        raise OSError(str(report.get("message") or report.get("error") or report)[:300])
    return [f"{name}: {problem['severity']}" for name, problem in report["vulnerabilities"].items()], []


def write_bill() -> Path:
    """Write the bill of materials of an installation with all extras; return its path."""
    place, bill = FOLDER / "environment", FOLDER / "environment.cdx.json"
    uv = (sys.executable, "-m", "uv")
    _run(*uv, "venv", "--quiet", "--clear", str(place))
    python = str(next(place.glob("[bS]*/python*")))
    _run(*uv, "pip", "install", "--quiet", "--python", python, f"{ROOT}[all]")
    options = ["--output-reproducible", "--output-file", str(bill)]
    _run(*_tool("cyclonedx-bom", "cyclonedx-py"), "environment", *options, python)
    return bill


def _tool(package: str, program: str) -> list[str]:
    """Return the command of a program that uv takes from PyPI for this run."""
    return [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", package, program]


def _json(*command: str, cwd: Path = ROOT) -> Any:
    """Return what a program prints as JSON. It may end with an error status, as it does if it finds something."""
    done = _run(*command, cwd=cwd, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        raise OSError(f"{Path(command[0]).name} could not reach its service: {lines[-1][:300]}") from None


def _run(*command: str, cwd: Path = ROOT, check: bool = True) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise OSError(f"{Path(command[0]).name} took longer than {PATIENCE} s") from None
    if check and done.returncode:
        raise OSError(done.stderr.strip()[-600:])
    return done


if __name__ == "__main__":
    sys.exit(main())
