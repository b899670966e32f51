"""The built JavaScript: there, whole and small."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "constellations_widgets" / "static"
WIDGETS = sorted(path.parent.name for path in (ROOT / "js").glob("*/index.ts*"))


def gzipped(name: str) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.glob(f"{name}.*"))


@pytest.mark.parametrize("name", WIDGETS)
def test_every_widget_folder_is_a_bundle_with_nothing_left_to_load(name: str):
    text = (STATIC / f"{name}.js").read_text(encoding="utf-8")
    assert re.search(r"export\s*\{[^}]*\bas default\b", text)
    assert not re.search(r'(^|[;}])import\s*["\'{*\w]|\bimport\(\s*["\']', text)


def test_form_and_publisher_together_are_at_most_80_000_bytes_gzipped():
    assert gzipped("form") + gzipped("publisher") <= 80_000
