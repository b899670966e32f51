"""Tests with state directories of their own leave no file open."""

from __future__ import annotations

from pathlib import Path

import pytest
from open_files import close_journals

from constellations_widgets.publishing.journal import default_journal

FILES = Path("/proc/self/fd")


def claim(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXW_STATE_DIR", str(folder))
    default_journal().claim("https://x.org", "me", "https://example.org/m51.png", b"{}")


@pytest.mark.skipif(not FILES.is_dir(), reason="this system does not show open files in /proc")
def test_the_files_of_a_test_s_journal_are_closed(tmp_path, monkeypatch, state_of_its_own):
    before = len([*FILES.iterdir()])
    for number in range(20):
        claim(tmp_path / str(number), monkeypatch)
    assert len([*FILES.iterdir()]) >= before + 40
    close_journals(state_of_its_own)
    assert len([*FILES.iterdir()]) <= before


def test_a_closed_journal_can_be_used_again(tmp_path, monkeypatch, state_of_its_own):
    claim(tmp_path, monkeypatch)
    close_journals(state_of_its_own)
    assert len(default_journal().attempts()) == 1
