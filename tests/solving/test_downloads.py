"""Index files on request: what is named before, and that a download survives what networks and disks do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from solving.index_server import IndexServer, index_bytes, index_server

import constellations_widgets as cxw
from constellations_widgets import SolveError, SourceError
from constellations_widgets.solving import downloads
from constellations_widgets.solving.indexes import (
    Tile,
    index_files,
    index_folders,
    require_index_files,
    tiles_near,
    widths_text,
)

NAME = "index-5204-09.fits"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    monkeypatch.setattr(downloads, "_PAUSE", 0.0)
    with index_server({NAME: index_bytes(tmp_path)}) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "astrometry"


@pytest.fixture
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without index files."""
    monkeypatch.setattr("constellations_widgets.solving.indexes.DEBIAN", tmp_path / "none")
    monkeypatch.setenv("CXW_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("ASTROMETRY_INDEX_PATH", raising=False)


class TestPlan:
    pytestmark = pytest.mark.usefixtures("empty_machine")

    @pytest.fixture(autouse=True)
    def _package(self) -> None:
        pytest.importorskip("astrometry", reason="the list of index files comes from the package astrometry")

    def test_only_the_scales_and_the_part_of_the_sky_that_are_asked_for(self, folder):
        download = cxw.index_download(width=0.3, near="13h29m52.7s +47d11m43s")
        assert [each.name for each in download.files] == ["index-5203-09.fits", NAME]
        assert str(download) == (
            "2 index files of astrometry.net for pictures 0.3° wide within 1° of 202.5° +47.2°, 76 MB, from portal.nersc.gov "
            f"to {folder}"
        )
        assert all(each.url.startswith("https://") for each in download.files)
        assert not folder.exists()  # nothing is downloaded or made
        wide = cxw.index_download(width=5)
        assert [each.name for each in wide.files] == ["index-4111.fits", "index-4112.fits"]
        assert wide.source == "data.astrometry.net"
        assert len(cxw.index_download().files) == 13 and len(cxw.index_download(width=0.3).files) == 96

    def test_files_that_are_here_are_left_out(self, folder, tmp_path):
        folder.mkdir(parents=True)
        (folder / NAME).write_bytes(index_bytes(tmp_path, Tile(2, 9)))
        assert folder in index_folders() and index_files()[0].tile == Tile(2, 9)
        download = cxw.index_download(width=0.3, near=(202.47, 47.2))
        assert [each.name for each in download.files] == ["index-5203-09.fits"]
        assert require_index_files((0.3, 0.3), (202.47, 47.2, 1.0))
        with pytest.raises(
            cxw.NoIndexError, match=r"other parts of the sky, and none within 1° of 00h 40m .*index_download"
        ):
            require_index_files((0.3, 0.3), (10.0, -30.0, 1.0))
        with pytest.raises(cxw.NoIndexError, match=r"none that is 5° wide"):
            require_index_files((5.0, 5.0))

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"width": 0.01}, SolveError, "no index files for pictures 0.01° wide, only for those 0.056°"),
            ({"width": -1}, SourceError, "width= takes a positive number"),
            ({"width": 1, "radius": 2}, SourceError, "radius= goes with near="),
        ],
    )
    def test_what_does_not_exist_is_named(self, arguments, error, message):
        with pytest.raises(error, match=message):
            cxw.index_download(**arguments)


@pytest.mark.parametrize(
    ("place", "nside", "number"),
    # As astrometry.net's own get-healpix numbers them.
    [((202.47, 47.2), 2, 9), ((10.68, 41.27), 2, 1), ((83.8, -5.4), 2, 20), ((266.4, -29.0), 1, 7), ((155.75, -60.8943), 4, 148)],
)  # fmt: skip
def test_tiles_are_numbered_as_astrometry_net_does(place, nside, number):
    assert tiles_near(nside, *place, 0.001) == {number}
    assert number in tiles_near(nside, *place, 20) and len(tiles_near(2, *place, 180)) == 48


def test_a_file_is_downloaded_whole(server, folder):
    told: list[tuple[float, str]] = []
    assert server.download(folder).run(progress=lambda part, text: told.append((part, text))) == [folder / NAME]
    assert (folder / NAME).read_bytes() == server.files[NAME]
    assert told[0][0] == 0 and told[-1] == (1, "File 1 of 1, 0.2 MB of 0.2 MB")
    assert not (folder / f"{NAME}.part").exists()
    server.download(folder).run()
    assert server.ranges == [""]  # it is here


def test_cut_connections_are_continued(server, folder):
    server.most = 60_000
    server.download(folder).run()
    assert (folder / NAME).read_bytes() == server.files[NAME]
    assert server.ranges == ["", "bytes=60000-", "bytes=120000-", "bytes=180000-"]


def test_a_server_without_ranges_sends_it_again(server, folder):
    server.most = 60_000
    server.with_ranges = False
    with pytest.raises(SolveError, match=r"index-5204-09\.fits could not be downloaded from http.*try again later"):
        server.download(folder).run()
    assert len(server.ranges) == downloads._ATTEMPTS
    server.most = 1 << 30
    server.download(folder).run()
    assert (folder / NAME).read_bytes() == server.files[NAME]


def test_passing_failures_are_repeated_and_lasting_ones_named(server, folder):
    server.statuses = [503, 429, 500, 408]
    server.download(folder).run()
    assert (folder / NAME).read_bytes() == server.files[NAME]
    for status, message in ((404, "the server says 404 Not Found"), (403, "says 403 Forbidden")):
        server.statuses = [status]
        with pytest.raises(SolveError, match=message):
            server.download(folder / "other").run()
    server.statuses = [503] * 9
    with pytest.raises(SolveError, match=r"503 Service Unavailable.*What was received is kept"):
        server.download(folder / "other").run()


def test_a_part_of_another_length_is_not_continued(server, folder):
    folder.mkdir(parents=True)
    (folder / f"{NAME}.part").write_bytes(bytes(10_000_000))
    server.download(folder).run()
    assert (folder / NAME).read_bytes() == server.files[NAME] and server.ranges == [""]


def _damaged(content: bytes) -> bytes:
    return content[:2880] + bytes(2880) + content[5760:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_damaged, r"arrived damaged \(an unreadable header at byte 2,880.*and was deleted"),
        (lambda content: content[:-2880] + b"", r"has \d\d\d,\d\d\d bytes, not \d\d\d,\d\d\d: the file was changed"),
        (lambda content: content.replace(b"INDEXID", b"OTHERID"), r"not the index file that its name says"),
        (lambda content: content.replace(b"NAXIS1  =                    1", b"NAXIS1  =                    2"), "headers announce"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_never_used(server, folder, change, message):
    download = server.download(folder)
    server.files[NAME] = change(server.files[NAME])
    with pytest.raises(SolveError, match=message):
        download.run()
    assert index_files([folder]) == [] and not (folder / f"{NAME}.part").exists()


def test_a_file_of_another_part_of_the_sky_is_not_taken(server, folder):
    download = downloads.IndexDownload((server.remote(NAME, Tile(2, 9)),), folder, "a test")
    with pytest.raises(SolveError, match="not the index file that its name says"):
        download.run()


def test_a_download_is_stopped_and_continued(server, folder):
    stop = threading.Event()
    server.on_part = lambda sent: stop.set() if sent > 60_000 else None
    with pytest.raises(SolveError, match="stopped; the next one continues"):
        server.download(folder).run(stop=stop)
    received = (folder / f"{NAME}.part").stat().st_size
    server.on_part = lambda sent: None
    server.download(folder).run()
    assert server.ranges[1] == (f"bytes={received}-" if received else "")
    assert (folder / NAME).read_bytes() == server.files[NAME]


SCRIPT = """
import sys
from pathlib import Path
from constellations_widgets.solving.downloads import IndexDownload, RemoteIndex
IndexDownload((RemoteIndex(sys.argv[1], int(sys.argv[2])),), Path(sys.argv[3]), "a test").run()
"""


def start(server: IndexServer, folder: Path) -> subprocess.Popen[bytes]:
    remote = server.remote(NAME)
    return subprocess.Popen([sys.executable, "-c", SCRIPT, remote.url, str(remote.size), str(folder)])


def test_two_processes_download_a_file_once(server, folder):
    began, go_on = threading.Event(), threading.Event()

    def wait(_sent: int) -> None:
        began.set()
        go_on.wait(60)

    server.on_part = wait
    first = start(server, folder)
    assert began.wait(60)
    second = start(server, folder)
    go_on.set()
    assert (first.wait(60), second.wait(60)) == (0, 0)
    assert (folder / NAME).read_bytes() == server.files[NAME]
    assert server.sent == len(server.files[NAME])


def test_after_a_kill_the_next_process_continues(server, folder):
    reached, go_on = threading.Event(), threading.Event()

    def pause(sent: int) -> None:
        if sent > 150_000:
            reached.set()
            go_on.wait(60)

    server.on_part = pause
    process = start(server, folder)
    assert reached.wait(60)
    part = folder / f"{NAME}.part"
    while not part.exists() or not part.stat().st_size:
        assert process.poll() is None
    process.kill()
    process.wait()
    go_on.set()
    received = part.stat().st_size
    server.download(folder).run()
    assert received > 0 and server.ranges == ["", f"bytes={received}-"]
    assert (folder / NAME).read_bytes() == server.files[NAME]


def test_a_full_disk_is_named_before_and_while_it_fills(server, tmp_path, monkeypatch):
    """A real file system of 128 kB."""
    target = tmp_path / "small"
    target.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k,nr_inodes=100", "tmpfs", str(target)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system")
    try:
        with pytest.raises(
            SolveError, match=r"0\.2 MB are to be downloaded, and only 0\.1 MB are free in .*CXW_CACHE_DIR"
        ):
            server.download(target).run()
        assert server.ranges == []
        monkeypatch.setattr(downloads, "_SPARE", -1_000_000)
        with pytest.raises(SolveError, match=r"The disk of .* is full: free some space.*continues there"):
            server.download(target).run()
        assert not (target / NAME).exists() and (target / f"{NAME}.part").stat().st_size > 0
        subprocess.run(["mount", "-o", "remount,size=1m", str(target)], check=True)
        server.download(target).run()
        assert (target / NAME).read_bytes() == server.files[NAME] and server.ranges[1].startswith("bytes=")
    finally:
        subprocess.run(["umount", str(target)], check=True)


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SolveError, match=r"can't be written to .*set CXW_CACHE_DIR"):
        server.download(tmp_path / "file" / "cache").run()


@pytest.mark.parametrize(
    ("widths", "text"),
    [
        ((0.166, 112.4), "0.17° to 112°"),
        ((2, 2.01), "2°"),
        ((1.234, 33.4), "1.2° to 33°"),
        ((99.6, 120), "100° to 120°"),
    ],
)
def test_widths_have_two_digits_and_no_exponent(widths: tuple[float, float], text: str):
    assert widths_text(widths) == text
