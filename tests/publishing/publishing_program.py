"""Run as a program: publishes a batch, told by a line of its input, and says how it goes on.

The line holds, as JSON: `url`, `token`, `handle`, `bodies`, and `resend`: whether the user has waited, so that what the
server does not show is not there. It answers "pid …", a line for each change of a row, and at last how the rows stand.

With the argument "again" it takes one line after the other and does each in a fork, which may be killed: "gone" is said
when it is. So a child costs no imports. A publication that takes too long says where each of its threads is, and ends.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from typing import Any

from constellations_widgets.api import Constellations
from constellations_widgets.draft import ImageDraft
from constellations_widgets.publishing import batch, publish_all, reconcile

# The sandbox is not long at work on anything.
batch.END_WAITS = reconcile.SETTLING_WAITS = (0.0, 0.05)
reconcile.SETTLING_TIME = 0.05
TOO_LONG = 100  # seconds


def publish(url: str, token: str, handle: str, bodies: list[str], resend: bool) -> None:
    faulthandler.dump_traceback_later(TOO_LONG, exit=True)
    say(f"pid {os.getpid()}")
    drafts = [ImageDraft.from_submission(json.loads(body), autosave=False) for body in bodies]
    with Constellations(url, token) as client:
        done = publish_all(drafts, client, handle, threads=4, probe=False, on_progress=lambda *_: say("changed"))
        if resend:
            done.resend_unclear()
            done.wait()
    say(json.dumps({"counts": done.counts, "reasons": [row.reason for row in done.rows]}))
    faulthandler.cancel_dump_traceback_later()


def publish_in_a_fork(order: dict[str, Any]) -> None:
    child = os.fork()
    if child == 0:
        try:
            publish(**order)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    say("\ngone")  # a line of its own, whatever the child left of its last one


def say(line: str) -> None:
    """In one write: a print without a buffer (PYTHONUNBUFFERED) makes two, and a kill between them leaves half a line."""
    print(f"{line}\n", end="", flush=True)


say("ready")
for line in sys.stdin:
    (publish_in_a_fork if "again" in sys.argv else lambda order: publish(**order))(json.loads(line))
