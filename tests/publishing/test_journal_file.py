"""The journal's file where it disappears, on file systems that can't do everything, and shared by hosts and versions."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading

import pytest

from constellations_widgets.errors import JournalError
from constellations_widgets.publishing import Journal, database_file
from constellations_widgets.publishing.process_lock import ProcessLock, Sender

PLACE = ("https://x.org", "me", "https://example.org/a.png")
ID = "5e9f1c3a7b2d4e6f8a0b1c2d"

_WITHOUT_MMAP = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>
void *mmap(void *a, size_t l, int p, int f, int fd, off_t o) {
  static void *(*real)(void *, size_t, int, int, int, off_t);
  if (!real) real = dlsym(RTLD_NEXT, "mmap");
  if (fd >= 0 && (f & MAP_SHARED) && (p & PROT_WRITE)) { errno = ENODEV; return MAP_FAILED; }
  return real(a, l, p, f, fd, o);
}
void *mmap64(void *a, size_t l, int p, int f, int fd, off_t o) __attribute__((alias("mmap")));
"""
_PUBLISH = """
import sys
from constellations_widgets.publishing import Journal
journal = Journal(sys.argv[1])
key = journal.claim("https://x.org", "me", "u", sys.argv[2].encode()).key
journal.published(key, sys.argv[3], "/image/x")
known = len(journal.attempts())
with journal._database.transaction() as db:
    print(*(db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")), known)
"""


@pytest.mark.parametrize("happens", ["removed", "replaced", "emptied"])
def test_a_journal_that_disappears_stops_everything_before_the_next_claim(tmp_path, happens):
    folder = tmp_path / "journal"
    journal = Journal(folder)
    key = journal.claim(*PLACE, b"{}").key
    if happens == "replaced":
        folder.rename(tmp_path / "before")
        subprocess.run([sys.executable, "-c", _PUBLISH, folder, "{}", ID], check=True, stdout=subprocess.DEVNULL)
    elif happens == "removed":
        shutil.copytree(folder, tmp_path / "before")
        shutil.rmtree(folder)
    else:
        [path.unlink() for path in folder.glob("journal.*")]
    with pytest.warns(UserWarning, match="could not be recorded"):  # and what was under way is told of nevertheless
        assert journal.published(key, ID, "/image/x") is None
    for again in (journal, Journal(folder)):  # another object of this process knows it too
        with pytest.raises(JournalError, match=r"journal of publications was (removed|replaced) while it was in use"):
            again.claim(*PLACE, b'{"note":"next"}')


def test_a_journal_that_is_put_back_goes_on(tmp_path):
    folder = tmp_path / "journal"
    journal = Journal(folder)
    journal.claim(*PLACE, b"{}")
    folder.rename(tmp_path / "away")
    with pytest.raises(JournalError, match="put the folder back"):
        journal.claim(*PLACE, b"[]")
    (tmp_path / "away").rename(folder)
    journal.claim(*PLACE, b"[]")
    assert len(journal.attempts()) == 2


def test_a_journal_without_its_locks_stops_everything(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.claim(*PLACE, b"{}")
    shutil.rmtree(tmp_path / "journal" / "running")
    with pytest.raises(JournalError, match="lost the folder of its locks"):
        journal.claim(*PLACE, b"[]")


def without_shared_memory(tmp_path) -> dict[str, str]:
    """An environment in which no file can be mapped as shared, writable memory, as on a FUSE file system with direct_io."""
    source, library = tmp_path / "without_mmap.c", tmp_path / "without_mmap.so"
    source.write_text(_WITHOUT_MMAP)
    subprocess.run([shutil.which("cc"), "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {**os.environ, "LD_PRELOAD": str(library)}


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="needs Linux and a C compiler")
def test_where_files_can_not_be_shared_memory_the_journal_is_kept_without_a_write_ahead_log(tmp_path):
    env, folder = without_shared_memory(tmp_path), tmp_path / "journal"
    for number in (1, 2):
        body, id = f'{{"note":"{number}"}}', f"{number:024x}"
        done = subprocess.run(
            [sys.executable, "-c", _PUBLISH, folder, body, id], env=env, check=True, capture_output=True, text=True
        )
        assert done.stdout.split() == ["delete", "3", str(number)]  # 3: EXTRA


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="needs Linux and a C compiler")
def test_a_journal_with_a_write_ahead_log_is_read_and_written_where_there_is_no_shared_memory(tmp_path):
    env, folder = without_shared_memory(tmp_path), tmp_path / "journal"
    command = [sys.executable, "-c", _PUBLISH, folder]
    first = subprocess.run([*command, "{}", "1" * 24], check=True, capture_output=True, text=True)
    assert first.stdout.split() == ["wal", "2", "1"]
    moved = subprocess.run([*command, "[]", "2" * 24], env=env, check=True, capture_output=True, text=True)
    assert moved.stdout.split() == ["delete", "3", "2"]


@pytest.mark.parametrize("kind", ["nfs4", "lustre", "fuse.sshfs", "fuse", "cifs", "smb3", "9p"])
def test_on_a_network_file_system_there_is_no_write_ahead_log(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(database_file.Path, "read_text", lambda *_, **__: _mounts(tmp_path, kind))
    assert database_file.is_shared(tmp_path / "some folder" / "journal.sqlite3")
    db = database_file.open_file(tmp_path / "journal.sqlite3")
    assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert db.execute("PRAGMA synchronous").fetchone() == (3,)  # EXTRA
    db.close()


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs", "fuseblk", "apfs"])
def test_on_a_local_file_system_there_is_one(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(database_file.Path, "read_text", lambda *_, **__: _mounts(tmp_path, kind))
    assert not database_file.is_shared(tmp_path / "journal.sqlite3")
    db = database_file.open_file(tmp_path / "journal.sqlite3")
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def _mounts(folder, kind: str) -> str:
    point = str(folder.resolve()).replace(" ", r"\040")
    return f"22 1 8:1 / / rw - nfs server:/ rw\n36 22 98:0 / {point} rw,noatime shared:1 - {kind} source rw,errors=continue\n"


def test_a_write_ahead_log_is_left_when_the_file_lies_on_a_network_file_system(tmp_path, monkeypatch):
    path = tmp_path / "journal.sqlite3"
    database_file.open_file(path).close()
    monkeypatch.setattr(database_file, "is_shared", lambda _path: True)
    db = database_file.open_file(path)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    db.close()


def test_a_journal_of_the_first_version_is_read_and_goes_on(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    with sqlite3.connect(folder / "journal.sqlite3") as db:
        db.executescript(f"PRAGMA journal_mode = WAL; {database_file._TABLE} PRAGMA user_version = 1;")
        row = (
            "k",
            *PLACE,
            "sha",
            b"{}",
            "[]",
            "published",
            "1-a",
            "2026-01-01T00:00:00+00:00",
            None,
            None,
            ID,
            "/image/x",
        )
        columns = "key, api_url, handle, url, body_sha256, body, known_ids, state, owner, planned, sent, settled, image_id, rel_url"
        db.execute(f"INSERT INTO attempts ({columns}) VALUES ({', '.join('?' * len(row))})", row)
    db.close()
    journal = Journal(folder)
    assert [(attempt.key, attempt.duplicates) for attempt in journal.attempts()] == [("k", ())]
    assert (
        journal.published(journal.claim(*PLACE, b"[]").key, ID, "/image/x").state == "unclear"
    )  # it is the first one's


def test_a_process_of_another_host_counts_as_alive_until_its_lock_is_gone(tmp_path, monkeypatch):
    folder = tmp_path / "journal"
    theirs = Journal(folder)
    theirs.claim(*PLACE, b"{}")
    with theirs._database.transaction() as db:
        db.execute("UPDATE attempts SET owner = '4711-abc@elsewhere'")
    lock = folder / "running" / "4711-abc@elsewhere"
    lock.touch()  # nobody holds it, as far as this host can see
    with pytest.raises(Exception, match="right now, by another window or program on the host elsewhere"):
        Journal(folder).claim(*PLACE, b"{}")
    assert [attempt.state for attempt in Journal(folder).attempts()] == ["sending"] and lock.exists()
    lock.unlink()
    assert [attempt.state for attempt in Journal(folder).attempts()] == ["unclear"]


def test_a_lock_names_its_host_and_one_of_an_earlier_version_is_this_hosts(tmp_path):
    lock = ProcessLock(tmp_path / "running")
    assert lock.name.endswith(f"@{socket.gethostname()}") and lock.is_alive(lock.name) and lock.is_in_place
    (tmp_path / "running" / "4711-abc").touch()
    assert not lock.is_alive("4711-abc") and not (tmp_path / "running" / "4711-abc").exists()


def test_an_attempt_is_being_sent_for_as_long_as_the_call_that_sends_it(tmp_path):
    journal, go_on, claimed = Journal(tmp_path / "journal"), threading.Event(), threading.Event()

    def send() -> None:
        sender = Sender()
        with sender.lock:
            journal.claim(*PLACE, b"{}", sender=sender)
            claimed.set()
            assert go_on.wait(30)

    thread = threading.Thread(target=send)
    thread.start()
    assert claimed.wait(30)
    assert [attempt.state for attempt in journal.attempts()] == ["sending"]
    go_on.set()
    thread.join()
    assert [attempt.state for attempt in journal.attempts()] == ["unclear"]
