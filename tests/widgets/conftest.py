"""For the tests of the widgets' Python halves."""

from __future__ import annotations

from pathlib import Path

import pytest

from constellations_widgets.widgets import static


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview whose page's half is built, though what was built is of no matter."""
    folder = tmp_path / "static"
    folder.mkdir()
    for name in (
        "preview.js",
        "preview.css",
        "sign_in.js",
        "sign_in.css",
        "image_library.js",
        "image_library.css",
        "form.js",
        "form.css",
    ):
        (folder / name).write_text("/* built */")
    monkeypatch.setattr(static, "FOLDER", folder)
