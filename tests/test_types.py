"""Type checkers and editors understand code that uses the package: examples of README and guides, and a draft's fields."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import jedi
import pytest

import constellations_widgets as cxw

ROOT = Path(__file__).parents[1]

# What the examples take for granted.
BEFORE = """
from concurrent.futures import Executor

import astropy.units as u
from astropy.coordinates import SkyCoord

import constellations_widgets as cxw


panel = cxw.publish("m51/index_rel.wtml")
api_url = "https://api.worldwidetelescope.org"


async def examples(draft: cxw.ImageDraft, drafts: list[cxw.ImageDraft], preview: cxw.Preview, executor: Executor) -> None:
    wwt = await preview.wwt.becomes_ready()
"""
# Each line with "wrong" must be an error, and no other.
FIELDS = """
import constellations_widgets as cxw

draft = cxw.ImageDraft()
draft.wwt.rotation = 12.5
draft.wwt.rotation = 12
draft.wwt.bottoms_up = True
draft.permissions.license = "cc-by-4.0"
draft.note = None
turned: float = (draft.wwt.rotation or 0.0) + 90
note: str = draft.wwt.rotation  # wrong
draft.wwt.rotation = "x"  # wrong
draft.wwt.rotatoin = 12.5  # wrong
draft.wwt.tile_levels = 4.5  # wrong
draft.permissions.license = 4  # wrong
draft.note = 51  # wrong
draft.nota = "M 51"  # wrong
draft.update({"wwt.rotation": 12.5})
codes: list[str] = [problem.code for problem in draft.problems]
cxw.ImageDraft.from_fit("m51.fits")  # wrong
receipt = cxw.publish_draft(draft, cxw.Constellations("https://example.org", auth=cxw.sign_in()), "me")
address: str = receipt.record_url
number: int = receipt.record_url  # wrong
"""


def example_code() -> str:
    """Return the examples that are not run: those of the README, and those in the text of the guides."""
    guides = [json.loads(path.read_text("utf-8"))["cells"] for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    texts = ["".join(cell["source"]) for cells in guides for cell in cells if cell["cell_type"] == "markdown"]
    texts = [(ROOT / "README.md").read_text("utf-8"), *texts, (ROOT / "notebooks" / "index.md").read_text("utf-8")]
    blocks = [block for text in texts for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)]
    assert len(blocks) > 8
    return BEFORE + textwrap.indent("\n".join(blocks), "    ")


def mypy(folder: Path) -> dict[str, dict[int, str]]:
    """Return the errors that mypy finds, by file and line, with the options of `make lint`: they are strict.

    What that has found about the package is in the cache, and errors in the package itself are its own concern.
    """
    files = sorted(map(str, folder.glob("*.py")))
    version = "--python-version={}.{}".format(*sys.version_info)  # packages may have syntax of this version
    command = [sys.executable, "-m", "mypy", "--no-error-summary", version, *files]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode in (0, 1), run.stdout + run.stderr
    found: dict[str, dict[int, str]] = {}
    for line in run.stdout.splitlines():
        file, number, message = [*line.split(":", 2), "", ""][:3]
        if str(ROOT / file) in files and message.startswith(" error:"):
            found.setdefault(Path(file).name, {})[int(number)] = message
    return found


def pyright(folder: Path) -> dict[str, dict[int, str]]:
    """Return the errors that pyright finds, by file and line."""
    config = {"typeCheckingMode": "standard", "reportMissingTypeStubs": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", f"--pythonpath={sys.executable}"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    found: dict[str, dict[int, str]] = {}
    for each in json.loads(run.stdout)["generalDiagnostics"]:
        if each["severity"] == "error":
            lines = found.setdefault(Path(each["file"]).name, {})
            lines[each["range"]["start"]["line"] + 1] = each["message"]
    return found


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_type_checkers_find_what_is_wrong_and_nothing_else(checker):
    # Always in the same place: from its cache, mypy repeats the errors of unchanged code with the path that it had then.
    folder = ROOT / "build" / "types"
    folder.mkdir(parents=True, exist_ok=True)
    codes = {"user_examples.py": example_code(), "user_fields.py": FIELDS}
    for name, code in codes.items():
        (folder / name).write_text(code, encoding="utf-8")
    found = checker(folder)
    assert found.keys() <= codes.keys()
    for name, code in codes.items():
        errors = found.get(name, {})
        wrong = {number for number, line in enumerate(code.splitlines(), 1) if line.endswith("# wrong")}
        assert {number: errors.get(number) for number in wrong ^ set(errors)} == {}, name


def completed(code: str) -> set[str]:
    return {each.name for each in jedi.Script(f"import constellations_widgets as cxw\n{code}").complete()}


def test_editors_complete_public_names_and_fields():
    assert set(cxw.__all__) <= completed("cxw.")
    assert {"wwt", "permissions", "storage", "note", "alt_text", "problems"} <= completed("cxw.ImageDraft().")
    draft = cxw.ImageDraft(autosave=False)
    for group in ("wwt", "permissions", "storage"):
        assert set(getattr(draft, group).trait_names()) <= completed(f"cxw.ImageDraft().{group}.")
