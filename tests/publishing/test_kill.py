"""A program that publishes a batch is killed again and again; in the end each image is there exactly once.

``CXW_KILLS`` in the environment says how often: 6 times by default.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from publishing.conftest import FaultyProxy, make_draft, published

from constellations_widgets.publishing import history, publish_all, unsettled

KILLS = int(os.environ.get("CXW_KILLS", "6"))
needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="the program that is killed is a fork of one that is not"
)
DRAFTS = 24  # in a batch; when one is done, the next one's turn comes


class Program:
    """`publishing_program.py`, and what it says."""

    def __init__(self, box, *, url: str = "", again: bool = False):
        self._place = {"url": url or box.api_url, "token": box.token(), "handle": box.handle}
        command = [
            sys.executable,
            str(Path(__file__).with_name("publishing_program.py")),
            *(["again"] if again else []),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.line() == "ready"

    def line(self) -> str:
        said = self._process.stdout.readline()
        assert said, "the program has ended: it says why on stderr"
        return said.strip()

    def publish(self, drafts, *, resend: bool = False) -> int:
        """Tell it to publish these; gives the number of the process that does."""
        bodies = [json.dumps(draft.submission().to_request()) for draft in drafts]
        self._process.stdin.write(json.dumps({**self._place, "bodies": bodies, "resend": resend}) + "\n")
        self._process.stdin.flush()
        return int(next(line for line in iter(self.line, None) if line.startswith("pid "))[4:])

    def outcome(self, lines: int = 10_000) -> dict | None:
        """How the rows stand in the end, None if its next lines don't say it."""
        for line in (self.line() for _ in range(lines)):
            assert line != "gone", "it has ended too early: it says why on stderr"
            if line.startswith("{"):
                return json.loads(line)
        return None

    def was_done(self) -> bool:
        """Whether it has said how the rows stand, before it was gone."""
        return any([line.startswith("{") for line in iter(self.line, "gone")])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def program(box) -> Iterator:
    """Start a program that publishes when it is told to."""
    programs = []

    def start(**options) -> Program:
        programs.append(Program(box, **options))
        return programs[-1]

    yield start
    for each in programs:
        each.close()


def make_drafts() -> list:
    return [make_draft(note=f"Image {number}") for number in range(DRAFTS)]


@needs_fork
def test_a_batch_that_is_killed_again_and_again_publishes_each_draft_once(program, client, box):
    chance, children = random.Random(20261122), program(again=True)
    batches, left_open = [make_drafts()], 0
    # Half of the requests wait before they are done, the answers to the others are slow: kills hit both.
    box.faults.at_random(rate=0.5, seed=0, kinds=["slow_drip"], seconds=0.0005, path="/handle/*/image")
    box.faults.at_random(rate=1, seed=0, kinds=["delay"], seconds=0.02, path="/handle/*/image")
    try:
        for _ in range(KILLS):
            child = children.publish(batches[-1])
            is_done = children.outcome(chance.randint(0, 20)) is not None
            time.sleep(chance.uniform(0, 0.03))
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            if children.was_done() or is_done:
                batches.append(make_drafts())
            left_open += len(unsettled())
    finally:
        box.faults.clear()
    assert left_open > 0  # some were killed between a request and its answer
    for drafts in batches:
        children.publish(drafts, resend=True)
        assert children.outcome()["counts"] == {"published": DRAFTS}
    drafts = [draft for batch in batches for draft in batch]
    assert [published(client, draft) for draft in drafts] == [1] * len(drafts)
    kept = [attempt.image_id for attempt in history() if attempt.state == "published"]
    assert len(kept) == len(set(kept)) == len(drafts)


@needs_fork
def test_half_a_line_of_a_killed_program_does_not_hide_its_end():
    """Once in some hundred kills it did, and the test above waited for ever."""
    dies = "import os, publishing_program as it; it.publish = lambda: (os.write(1, b'chan'), os.kill(os.getpid(), 9))"
    command = [sys.executable, "-c", f"{dies}; it.publish_in_a_fork({{}})"]
    said = subprocess.run(
        command, cwd=Path(__file__).parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    assert said.stdout.split() == ["ready", "chan", "gone"]


def test_two_programs_publish_the_same_drafts_each_once(program, client, box):
    drafts, other = make_drafts(), program()
    other.publish(drafts)
    ours = publish_all(drafts, client, box.handle, threads=4).counts
    theirs = other.outcome()["counts"]
    assert [published(client, draft) for draft in drafts] == [1] * DRAFTS
    assert sum(attempt.state == "published" for attempt in history()) == DRAFTS
    # What the other one was just sending, this one was told of.
    assert all(set(counts) <= {"published", "failed", "blocked", "undecided", "skipped"} for counts in (ours, theirs))


def test_of_two_programs_with_one_draft_one_publishes_and_the_other_is_told(program, client, box, draft):
    told = threading.Event()

    def answer_when_the_other_was_told(connection, request):
        assert told.wait(60)
        connection.sendall(server.forward(request))

    with FaultyProxy(box, answer_when_the_other_was_told, commits=False) as server:
        first, second = program(url=server.url), program(url=server.url)
        first.publish([draft])
        assert server.reached.wait(60)
        second.publish([draft])
        said = second.outcome()
        assert "published" not in said["counts"]
        assert "right now" in said["reasons"][0]
        told.set()
        assert first.outcome()["counts"] == {"published": 1}
    assert published(client, draft) == 1
