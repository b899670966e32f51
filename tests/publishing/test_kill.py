"""A program that publishes a batch is killed again and again; in the end each image is there exactly once.

``CXW_KILLS`` in the environment says how often: 5 times by default.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time

import pytest
from publishing.conftest import make_draft, published

from constellations_widgets.publishing import history, publish_all, unsettled

KILLS = int(os.environ.get("CXW_KILLS", "5"))
DRAFTS = max(40, 8 * KILLS)

# Reads where and what to publish from its input, says "ready", a line for each change of a row, and at last how the rows stand.
PUBLISH = """
import json
import sys
from constellations_widgets.api import Constellations
from constellations_widgets.draft import ImageDraft
from constellations_widgets.publishing import batch, publish_all

batch.SETTLING_WAITS = (0.0, 0.05)  # the sandbox is not long at work on anything
url, token, handle, which, *bodies = sys.stdin.readline().rstrip().split("\\t")
drafts = [ImageDraft.from_submission(json.loads(body), autosave=False) for body in bodies]
client = Constellations(url, token)
print("ready", flush=True)
def tell(batch, row):
    print("changed", flush=True)


done = publish_all(drafts, client, handle, threads=4, probe=False, on_progress=tell)
if which == "last":  # the user: the server has had its time, so what it does not show is not there
    done.resend_unclear()
    done.wait()
print(json.dumps(done.counts), flush=True)
"""


@pytest.fixture
def start(box):
    """Start a program that publishes these drafts, and wait until it begins."""
    children = []

    def run(drafts, which="one of many") -> subprocess.Popen:
        child = subprocess.Popen(
            [sys.executable, "-c", PUBLISH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        children.append(child)
        bodies = [json.dumps(draft.submission().to_request()) for draft in drafts]
        child.stdin.write("\t".join([box.api_url, box.token(), box.handle, which, *bodies]) + "\n")
        child.stdin.flush()
        assert child.stdout.readline() == "ready\n"
        return child

    yield run
    for child in children:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


def outcome(child) -> dict[str, int]:
    """How the rows stood in the end."""
    return json.loads(next(line for line in child.stdout if line.startswith("{")))


def test_a_batch_that_is_killed_again_and_again_publishes_each_draft_once(start, client, box):
    chance = random.Random(20261122)
    drafts = [make_draft(note=f"Image {number}") for number in range(DRAFTS)]
    left_open = 0
    # Half of the requests wait before they are done, the answers to the others are slow: kills hit both.
    box.faults.at_random(rate=0.5, seed=0, kinds=["slow_drip"], seconds=0.0005, path="/handle/*/image")
    box.faults.at_random(rate=1, seed=0, kinds=["delay"], seconds=0.02, path="/handle/*/image")
    try:
        for _ in range(KILLS):
            child = start(drafts)
            for _ in range(chance.randint(1, 20)):
                child.stdout.readline()
            time.sleep(chance.uniform(0, 0.03))
            child.kill()
            child.wait()
            left_open += len(unsettled())
    finally:
        box.faults.clear()
    assert left_open > 0  # some were killed between a request and its answer
    assert outcome(start(drafts, "last")) == {"published": DRAFTS}
    assert [published(client, draft) for draft in drafts] == [1] * DRAFTS
    kept = [attempt.image_id for attempt in history() if attempt.state == "published"]
    assert len(kept) == len(set(kept)) == DRAFTS


def test_two_programs_publish_the_same_drafts_each_once(start, client, box):
    drafts = [make_draft(note=f"Image {number}") for number in range(DRAFTS)]
    child = start(drafts)
    ours = publish_all(drafts, client, box.handle, threads=4).counts
    theirs = outcome(child)
    assert [published(client, draft) for draft in drafts] == [1] * DRAFTS
    assert sum(attempt.state == "published" for attempt in history()) == DRAFTS
    # What the other one was just sending, this one was told of.
    assert all(set(counts) <= {"published", "failed", "blocked", "undecided", "skipped"} for counts in (ours, theirs))
