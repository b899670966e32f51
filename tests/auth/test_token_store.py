"""Where a sign-in is kept: a keyring that works, else a file that nobody else reads; and one at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from constellations_widgets.auth import token_store, user_keyring
from constellations_widgets.auth.token_store import TokenStore
from constellations_widgets.errors import NotSentError

CONTENT = {"refresh": "secret-refresh", "access": "secret-access"}


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.fails = self.hangs = False

    def set_password(self, service: str, username: str, password: str) -> None:
        self._work()
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        self._work()
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]

    def _work(self) -> None:
        if self.fails:
            raise RuntimeError("no D-Bus here")
        if self.hangs:
            time.sleep(5)


@pytest.fixture(autouse=True)
def folder(state: Path) -> Path:
    return state / "sign_in"


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ring]:
    monkeypatch.setattr(user_keyring, "_given_up", False)
    before = keyring.get_keyring()
    ring = Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def test_without_a_keyring_it_is_a_file_that_only_the_user_reads(folder):
    folder.mkdir(mode=0o755, parents=True)
    os.chmod(folder, 0o755)
    store = TokenStore("https://api.example.org")
    assert store.read() is None
    assert store.write(CONTENT)
    (file,) = files(folder)
    assert file.name.startswith("api.example.org-")
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)
    file.chmod(0o644)  # a copy, say
    assert TokenStore("https://api.example.org").read() == CONTENT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert TokenStore("https://api.example.org/other").read() is None
    store.delete()
    assert files(folder) == [] and store.read() is None
    store.delete()


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "\x00", "[" * 100_000])
def test_a_damaged_file_is_as_good_as_none(folder, text):
    store = TokenStore("https://api.example.org")
    store.write(CONTENT)
    files(folder)[0].write_text(text)
    assert store.read() is None


def test_a_disk_that_takes_nothing_is_survived(monkeypatch, tmp_path):
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path / "taken"))
    store = TokenStore("https://api.example.org")
    with store.locked():
        assert not store.write(CONTENT) and store.read() is None
    store.delete()


def test_a_keyring_that_works_keeps_it_and_no_file_does(folder, ring):
    ring.fails = True
    store = TokenStore("https://api.example.org")
    store.write(CONTENT)
    assert len(files(folder)) == 1  # it did not work so far
    user_keyring._given_up = ring.fails = False
    store.write(CONTENT)
    assert files(folder) == [] and len(ring.kept) == 1
    assert store.read() == CONTENT
    store.delete()
    assert ring.kept == {} and store.read() is None


def test_a_keyring_that_waits_for_its_user_is_waited_for_once(folder, ring, monkeypatch):
    monkeypatch.setattr(user_keyring, "_PATIENCE", 0.1)
    ring.hangs = True
    store = TokenStore("https://api.example.org")
    assert store.write(CONTENT) and store.read() == CONTENT
    assert len(files(folder)) == 1 and user_keyring._given_up


def test_a_keyring_that_keeps_things_in_plain_sight_is_not_used(folder, ring, monkeypatch):
    monkeypatch.setattr(Ring, "priority", 0.5)
    TokenStore("https://api.example.org").write(CONTENT)
    assert ring.kept == {} and len(files(folder)) == 1


def test_one_at_a_time_in_this_process_and_in_others():
    store, inside, counted = TokenStore("https://api.example.org"), [], []

    def work() -> None:
        with TokenStore("https://api.example.org").locked():
            inside.append(1)
            counted.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [1] * 5
    other = (
        "from constellations_widgets.auth import token_store\n"
        "token_store._PATIENCE = 0.2\n"
        "with token_store.TokenStore('https://api.example.org').locked(): print('in')"
    )
    with store.locked():
        held = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, timeout=60)
    assert held.stdout == "" and "another program has been signing in" in held.stderr
    free = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, timeout=60)
    assert free.stdout == "in\n"


def test_a_lock_that_is_held_too_long_is_said(monkeypatch):
    monkeypatch.setattr(token_store, "_PATIENCE", 0.1)
    store = TokenStore("https://api.example.org")
    with store.locked(), pytest.raises(NotSentError, match="too long"), store.locked():
        pass
