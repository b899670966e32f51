"""A disk that is really full and a state directory that can't be written: nothing is sent, and the widget says why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from examples import body

from constellations_widgets import Sandbox

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="limits and namespaces are those of POSIX")

TESTS = Path(__file__).parents[1]

# Reviews and confirms as a page would. Between the two, or before both, the disk gets full.
PUBLISH = """
import contextlib, json, os, resource, sys, time
from pathlib import Path
from publishing.conftest import MadeUpWeb
from constellations_widgets import Constellations, ImageDraft, Publisher
from constellations_widgets.publishing import probes

url, token, handle, body, when = sys.stdin.read().split("\\n")
state = Path(os.environ["CXW_STATE_DIR"])
probes.WebProber = MadeUpWeb

def spoil():
    if sys.argv[1] == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
    elif sys.argv[1] == "full":
        with contextlib.suppress(OSError), open(state / "filler", "wb", buffering=0) as filler:
            for size in (4096, 512, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(bytes(size))

def wait(*phases):
    end = time.monotonic() + 120
    while publisher.status["phase"] not in phases or publisher._publication.worker.busy:
        assert time.monotonic() < end, publisher.status
        time.sleep(0.01)
    return publisher.status

def send(kind, **more):
    publisher._on_message(publisher, {"kind": kind, **more}, [])

if when == "before":
    spoil()
publisher = Publisher(ImageDraft.from_submission(json.loads(body), autosave=False), Constellations(url, token), handle)
send("review")
status = wait("review", "failed")
if status["phase"] == "review":
    spoil()
    send("confirm", ticket=status["review"]["ticket"])
    status = wait("published", "failed", "unclear")
print(json.dumps(status))
"""


def publish(box: Sandbox, state: Path, how: str, when: str, *around: str) -> tuple[dict, int]:
    """What a publisher in a process of its own says at the end, and how many images the sandbox has of what it sent."""
    url = f"https://example.org/{uuid.uuid4().hex}/{{1}}/{{3}}/{{3}}_{{2}}.png"
    text = json.dumps(body({"storage.legacy_url_template": url}))
    ended = subprocess.run(
        [*around, sys.executable, "-c", PUBLISH, how],
        input="\n".join([box.api_url, box.token(), box.handle, text, when]),
        env={**os.environ, "CXW_STATE_DIR": str(state), "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout), len(box.client().find_images(url))


def test_with_room_it_is_published(box, tmp_path):
    status, count = publish(box, tmp_path, "nothing", "after")
    assert (status["phase"], count) == ("published", 1)


def assert_stopped(status: dict, count: int) -> None:
    assert (status["phase"], count) == ("failed", 0)
    assert "The journal of publications can't be written" in status["message"]
    assert "free some space, set its permissions, or name another folder" in status["message"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_where_no_file_may_grow_nothing_is_sent(box, tmp_path, when):
    assert_stopped(*publish(box, tmp_path, "limit", when))


@pytest.mark.parametrize("when", ["before", "after"])
def test_on_a_full_disk_nothing_is_sent(box, tmp_path, when):
    # A small file system of this process's own: no rights are needed where the system lets everybody have namespaces.
    own = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    mount = ["sh", "-c", 'mount -t tmpfs -o size=600k tmpfs "$CXW_STATE_DIR" && exec "$@"', "sh"]
    allowed = (
        shutil.which("unshare")
        and not subprocess.run(
            [*own, *mount, "true"], env={**os.environ, "CXW_STATE_DIR": str(tmp_path)}, capture_output=True, check=False
        ).returncode
    )
    if not allowed:
        pytest.skip("this system lets nobody mount a small disk")
    status, count = publish(box, tmp_path, "full", when, *own, *mount)
    assert_stopped(status, count)
    assert "full" in status["message"] or "No space left" in status["message"]


@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everywhere"
)
def test_in_a_read_only_state_directory_nothing_is_sent(box, tmp_path):
    tmp_path.chmod(0o500)
    # Without its capabilities, root may not write either.
    around = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"] if os.geteuid() == 0 else []
    try:
        assert_stopped(*publish(box, tmp_path, "nothing", "after", *around))
    finally:
        tmp_path.chmod(0o700)
