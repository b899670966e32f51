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

from constellations_widgets.publishing import history, publish_all

KILLS = int(os.environ.get("CXW_KILLS", "5"))
DRAFTS = 40

# Reads where and what to publish from its input, says "ready" when it begins, and at last how the rows stand.
PUBLISH = """
import json
import sys
from constellations_widgets.api import Constellations
from constellations_widgets.draft import ImageDraft
from constellations_widgets.publishing import publish_all

url, token, handle, which, *bodies = sys.stdin.readline().rstrip().split("\\t")
drafts = [ImageDraft.from_submission(json.loads(body), autosave=False) for body in bodies]
client = Constellations(url, token)
print("ready", flush=True)
batch = publish_all(drafts, client, handle, threads=4, probe=False)
if which == "last":  # the user: the server has had its time, so what it does not show is not there
    batch.resend_unclear()
    batch.wait()
print(json.dumps(batch.counts), flush=True)
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


def test_a_batch_that_is_killed_again_and_again_publishes_each_draft_once(start, client):
    chance = random.Random(20261122)
    drafts = [make_draft(note=f"Image {number}") for number in range(DRAFTS)]
    killed_within = 0
    for _ in range(KILLS):
        child = start(drafts)
        time.sleep(chance.uniform(0.05, 0.6))  # the journal and the server are slowest at the beginning
        child.kill()
        killed_within += child.wait() != 0
        if sum(attempt.state == "published" for attempt in history()) > DRAFTS - 4:
            drafts += [make_draft(note=f"Image {number}") for number in range(len(drafts), len(drafts) + DRAFTS)]
    said = json.loads(start(drafts, "last").stdout.readline())
    assert said == {"published": len(drafts)}
    assert killed_within > 0
    assert [published(client, draft) for draft in drafts] == [1] * len(drafts)
    kept = [attempt.image_id for attempt in history() if attempt.state == "published"]
    assert len(kept) == len(set(kept)) == len(drafts)


def test_two_programs_publish_the_same_drafts_each_once(start, client, box):
    drafts = [make_draft(note=f"Image {number}") for number in range(DRAFTS)]
    child = start(drafts)
    ours = publish_all(drafts, client, box.handle, threads=4).counts
    theirs = json.loads(child.stdout.readline())
    assert [published(client, draft) for draft in drafts] == [1] * DRAFTS
    assert sum(attempt.state == "published" for attempt in history()) == DRAFTS
    # What the other one was just sending, this one was told of.
    assert all(set(counts) <= {"published", "failed", "blocked", "undecided", "skipped"} for counts in (ours, theirs))
