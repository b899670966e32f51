"""Faults of real services: retried where that helps, else named truly; nothing missing, nothing replaced, no secret told."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import traceback
from datetime import timedelta
from pathlib import Path

import pytest
from hosting.faults import faulty_s3
from hosting.servers import Place, folder_place
from hosting.test_host import noise, put, tiles, tree  # noqa: F401  (fixtures)

import constellations_widgets as cxw
from constellations_widgets import HostingError, ImageDraft
from constellations_widgets.hosting import stores


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch, own_folder: Path) -> None:
    backoff = {"init_backoff": timedelta(milliseconds=1), "max_backoff": timedelta(milliseconds=20)}
    monkeypatch.setitem(stores.RETRIES, "backoff", backoff)


def all_there(place: Place, tree: Path) -> bool:  # noqa: F811
    paths = [path for path in tree.rglob("*.png")]
    return all(place.read(path.relative_to(tree).as_posix()) == path.read_bytes() for path in paths)


def test_a_busy_service_is_asked_again_after_a_pause(tiles, tree):  # noqa: F811
    with faulty_s3(lambda number, _key: "slow down" if number <= 2 else "") as (place, app):
        assert put(tiles, place).verified > 4
        assert all_there(place, tree) and set(app.done.values()) == {1}
        assert set(app.puts.values()) == {3}


def test_a_service_that_stays_busy_is_named(tiles, monkeypatch):  # noqa: F811
    monkeypatch.setitem(stores.RETRIES, "max_retries", 2)
    with faulty_s3(lambda *_: "slow down") as (place, app):
        with pytest.raises(
            HostingError, match=r"S3 is busy: wait a minute, then call again; only what is missing is sent"
        ):
            put(tiles, place)
        assert not app.done and not (tiles.storage.legacy_url_template or "").startswith("http")


def test_cut_connections_lose_nothing_and_replace_nothing(tiles, tree):  # noqa: F811
    chance = random.Random(1)

    def fault(number: int, _key: str) -> str:
        return "" if number > 4 else chance.choice(["", "cut before", "cut after", "slow down"])

    with faulty_s3(fault) as (place, _app):
        for _ in range(20):
            try:
                done = put(tiles, place)
                break
            except HostingError as error:
                assert "What was uploaded stays" in str(error) and "hidden" not in str(error)
        assert done.url and all_there(place, tree)
        assert put(tiles, place).sent == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("denied", r"does not let this account write to 'faulty'"),
        ("wrong key", r"did not accept the credentials"),
    ],
)
def test_what_the_service_refuses_is_named_and_not_repeated(tiles, fault, words):  # noqa: F811
    with faulty_s3(lambda *_: fault) as (place, app):
        with pytest.raises(HostingError, match=words):
            put(tiles, place)
        assert set(app.puts.values()) == {1} and not app.done


def test_a_full_disk_is_named_and_nothing_looks_complete(tmp_path, tiles):  # noqa: F811
    """A real file system of 64 kB."""
    target = tmp_path / "small"
    target.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=100", "tmpfs", str(target)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    try:
        with pytest.raises(HostingError, match=r"No space left on device. Make room or choose another folder"):
            cxw.host(tiles, target, "http://127.0.0.1:9/")
        there = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
        assert not there & {"0/0/0_0.png", "thumb.jpg", "index_rel.wtml"}
        assert not [path for path in there if path.endswith(".part")]
    finally:
        subprocess.run(["umount", str(target)], check=True)


def frames_of(error: BaseException) -> str:
    """The traceback with the values of all local variables but those of this file, which holds the keys itself."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    report.stack = traceback.StackSummary.from_list([it for it in report.stack if "/tests/" not in it.filename])
    return "".join(report.format())


@pytest.mark.parametrize("where", ["credentials", "options"])
def test_no_traceback_message_or_repr_shows_a_key(tiles, where):  # noqa: F811
    keys = {"access_key_id": "id", "secret_access_key": "hidden-key", "session_token": "hidden-token"}
    with faulty_s3(lambda *_: "denied") as (place, _app):
        given = {"options": {**place.extra["options"]}, "credentials": {}}
        given[where] = given[where] | keys
        with pytest.raises(HostingError) as caught:
            cxw.host(tiles, place.target, **given)
        text = frames_of(caught.value) + repr(caught.value) + repr(tiles)
        assert "secret_access_key" in text or "store" in text  # the frames are there
        assert "hidden" not in text.replace("<hidden>", "")
        store = stores.open_store(place.target, place.extra["options"], keys)
        assert "hidden" not in repr(store) and "hidden" not in str(store)


@pytest.mark.parametrize("target", ["sftp://me@127.0.0.1:9/x", "webdav://me@127.0.0.1:9/x", "az://x/y", "gs://x/y"])
def test_a_place_that_cannot_be_reached_shows_no_key(tiles, target, monkeypatch):  # noqa: F811
    monkeypatch.setitem(stores.RETRIES, "max_retries", 0)
    keys = {"password": "hidden-key"}
    options = {}
    if target.startswith("az"):
        keys, options = {"account_key": "aGlkZGVuLWtleQ=="}, {"account_name": "a", "endpoint": "http://127.0.0.1:9/a"}
    if target.startswith("gs"):
        keys = {"service_account_key": "hidden-key"}
    with pytest.raises(HostingError) as caught:
        cxw.host(tiles, target, "https://example.org/x", credentials=keys, options=options)
    text = frames_of(caught.value) + repr(caught.value)
    assert not any(key in text for key in keys.values())


MANY = """
import importlib, re, sys
import constellations_widgets as cxw
hosting = importlib.import_module("constellations_widgets.hosting.host")
tree, target = sys.argv[1:]
hosting._verified = lambda wanted, *_: len(wanted)
draft = cxw.ImageDraft.from_wtml(tree, autosave=False)
done = cxw.host(draft, target, "https://example.org/x/")
peak = re.search("VmHWM:\\s*([0-9]+) kB", open("/proc/self/status").read())[1]  # that of getrusage may be the parent's
print(done.sent, done.kept, peak)
"""


def grown(tree: Path, folder: Path, count: int) -> Path:  # noqa: F811
    """A tree of this many tiles of a few bytes."""
    (folder / "0/0").mkdir(parents=True)
    (folder / "0/0/0_0.png").write_bytes((tree / "0/0/0_0.png").read_bytes())
    index = (tree / "index_rel.wtml").read_text()
    (folder / "index_rel.wtml").write_text(index)
    for number in range(count - 1):
        row, column = divmod(number, 1000)
        if column == 0:
            (folder / f"9/{row}").mkdir(parents=True)
        (folder / f"9/{row}/{row}_{column}.png").write_bytes(b"\x89PNG%d" % number)
    return folder


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux")
def test_many_small_files_need_little_more_memory_than_few(tmp_path, tree):  # noqa: F811
    many = int(os.environ.get("CXW_FILES", "10000"))  # `make soak` takes 100,000
    peaks: dict[tuple[int, str], float] = {}
    for count in (500, many):
        source = grown(tree, tmp_path / f"tree{count}", count)
        for turn, sent in (("first", count + 2), ("second", 0)):
            command = [sys.executable, "-c", MANY, str(source), str(tmp_path / f"target{count}")]
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=1800).stdout.split()
            assert (int(done[0]), int(done[1])) == (sent, count + 2 - sent)
            peaks[count, turn] = int(done[2]) / 1024  # MB
    print(peaks)
    assert peaks[many, "first"] - peaks[500, "first"] < 25, peaks
    assert peaks[many, "second"] - peaks[500, "second"] < 40, peaks


def test_a_place_on_the_web_that_asks_to_sign_in_is_refused_as_before(tmp_path):
    """An address whose server shows a page is no address of a file, however it is asked for."""
    noise(300, 200).save(tmp_path / "a.png")
    draft = ImageDraft.from_image(tmp_path / "a.png", center=(1, 2), width=0.2, autosave=False)
    with folder_place(tmp_path / "place") as place:
        draft.storage.legacy_url_template = f"{place.public_url}a.html"
        (place.target / "a.html").write_text("<!DOCTYPE html><title>Sign in</title>")
        found = cxw.check_address(draft, private=True)
    assert (
        not found.works
        and found.content_type == "text/html"
        and any("served as text/html" in fault for fault in found.faults)
    )
