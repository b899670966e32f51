"""Publications through a network and a server that fail all the time, and what is left to say of them afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from examples import TILED

from constellations_widgets import Constellations, ImageDraft
from constellations_widgets.api import Retries
from constellations_widgets.publishing import Batch, Journal, plan
from constellations_widgets.sandbox import Sandbox
from constellations_widgets.sources.reading import ParsedImage

RATE = 0.2
"""Share of the requests that meet a fault: of those that publish, and of those that look what became of one."""
SECONDS = 0.5
"""Of a delay, and between two bytes of a slow answer: longer than the client waits, so some images appear after it has
given up. A Retry-After of it is one of 0 seconds."""
TIMEOUT = 0.3
"""Seconds that the client waits for bytes; for a whole request twice as many."""
SETTLED = 2 * SECONDS
"""Seconds after which nothing is under way at the server any more."""
MOST_ROUNDS = 40


@dataclass
class Outcome:
    """What a soak came to. All is well if `wrongs` is empty."""

    drafts: int
    seconds: float = 0.0
    starts: int = 0
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    """Of the journal, by their states."""
    wrongs: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"{self.drafts} drafts in {self.seconds:.0f} s, {self.starts} starts, {self.rounds} rounds of sending anew",
            f"{self.faults.total()} faults: {_counted(self.faults)}",
            f"{self.attempts.total()} attempts: {_counted(self.attempts)}",
            *(self.wrongs[:20] or ["Each draft was published once, and each was told of rightly."]),
        ]
        return "\n".join(lines)


def soak(count: int, seed: int, folder: Path, threads: int = 16) -> Outcome:
    """Publish `count` drafts as a user does who starts a stopped batch again, and sends anew what is unclear.

    Parameters
    ----------
    count : int
    seed : int
        Of the faults.
    folder : Path
        For the journal.
    threads : int, default 16
        Publications at the same time.
    """
    began, outcome, journal = time.monotonic(), Outcome(count), Journal(folder / "journal")
    drafts = [_draft(number) for number in range(count)]
    with Sandbox() as box, _short_waits(), _client(box) as client, box.client() as onlooker:
        # The plan is made by a client that waits for a busy machine; the one that publishes gives up soon.
        steps = plan(drafts, onlooker, box.handle, journal=journal, probe=False)
        batch = Batch(steps, client, threads=threads, journal=journal)
        while outcome.rounds < MOST_ROUNDS and batch.counts != {"published": count}:
            with _faults(box, seed + outcome.rounds):
                if outcome.rounds:
                    batch.resend_unclear()
                    batch.wait()
                    batch.retry_failed()
                    batch.wait()
                _run(batch, outcome)
            time.sleep(SETTLED)
            outcome.wrongs += _wrongs(batch, journal, onlooker, box.handle)
            outcome.rounds += 1
        outcome.wrongs += _left_over(batch, journal, onlooker, box.handle)
        outcome.faults = Counter(fault.kind for fault in box.faults.log)
    outcome.attempts = Counter(attempt.state for attempt in journal.attempts())
    outcome.seconds = time.monotonic() - began
    return outcome


def _draft(number: int) -> ImageDraft:
    url = f"https://example.org/soak/{number}/{{1}}/{{3}}/{{3}}_{{2}}.png"
    values = TILED | {"storage.legacy_url_template": url, "note": f"Image {number}"}
    return ImageDraft(ParsedImage(values, name=f"Image {number}"), autosave=False)


def _client(box: Sandbox) -> Constellations:
    hasty = Retries(first_wait=0.01, sleep=lambda seconds: time.sleep(min(seconds, 0.05)))
    return Constellations(box.api_url, box.token(), timeout=TIMEOUT, retries=hasty)


@contextmanager
def _short_waits() -> Iterator[None]:
    waits = (0.0, 0.1, SECONDS)
    rooms = "constellations_widgets.publishing"
    with (
        patch(f"{rooms}.reconcile.SETTLING_WAITS", waits),
        patch(f"{rooms}.reconcile.SETTLING_TIME", SETTLED),
        patch(f"{rooms}.batch.END_WAITS", (0.0,)),
        patch(f"{rooms}.backoff.FIRST_PAUSE", 0.05),
    ):
        yield


@contextmanager
def _faults(box: Sandbox, seed: int) -> Iterator[None]:
    box.faults.at_random(rate=RATE, seed=seed, seconds=SECONDS)
    try:
        yield
    finally:
        box.faults.clear()


def _run(batch: Batch, outcome: Outcome) -> None:
    """Start the batch, and again each time that it stops by itself, such as where the token counts as expired."""
    while batch.counts.get("waiting"):
        batch.start()
        batch.wait()
        outcome.starts += 1


def _on_server(client: Constellations, handle: str) -> dict[str, list[str]]:
    """The ids of the images, by their URLs."""
    found: dict[str, list[str]] = {}
    for page in client.handle_images(handle):
        for image in page:
            found.setdefault(image.storage.legacy_url_template or "", []).append(image.id)
    return found


def _wrongs(batch: Batch, journal: Journal, client: Constellations, handle: str) -> list[str]:
    """What is there twice, and which rows say what is not so. Called when nothing is under way."""
    wrongs, there = [], _on_server(client, handle)
    unclear = {attempt.url for attempt in journal.unsettled()}
    for row in batch.rows:
        ids = there.get(row.step.url, [])
        if len(ids) > 1:
            wrongs.append(f"{row!r} is there {len(ids)} times")
        if row.receipt and (row.state != "published" or ids != [row.receipt.id]):
            wrongs.append(f"{row!r} has a receipt of {row.receipt.id}, the server has {ids}")
        if row.state == "published" and not row.receipt:
            wrongs.append(f"{row!r} has no receipt")
        if ids and row.state not in ("published", "unclear") and row.step.url not in unclear:
            wrongs.append(f"{row!r} is there")
        if row.state == "unclear" and row.step.url not in unclear:
            wrongs.append(f"{row!r} is clear to the journal")
        could_not_look = row.state == "failed" and row.reason.startswith("Could not look")  # before it was sent again
        if row.state not in ("published", "unclear", "waiting") and not could_not_look:
            wrongs.append(f"{row!r} should have been sent")
    return wrongs


def _left_over(batch: Batch, journal: Journal, client: Constellations, handle: str) -> list[str]:
    """What differs in the end between rows, journal and server."""
    wrongs, there = [], _on_server(client, handle)
    rows = {row.step.url: [row.receipt.id if row.receipt else ""] for row in batch.rows}
    if rows != there:
        wrongs.append(
            f"The rows and the server differ in {[url for url in rows | there if rows.get(url) != there.get(url)]}"
        )
    kept: dict[str, list[str]] = {}
    for attempt in journal.attempts():
        if attempt.state == "published":
            kept.setdefault(attempt.url, []).append(attempt.image_id or "")
        elif attempt.state != "refused":
            wrongs.append(f"{attempt!r} is left open")
    if kept != there:
        wrongs.append(
            f"The journal and the server differ in {[url for url in kept | there if kept.get(url) != there.get(url)]}"
        )
    if sorted(receipt.id for receipt in batch.receipts) != sorted(id for ids in there.values() for id in ids):
        wrongs.append("The receipts are not those of the server's images")
    return wrongs


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counter.most_common())
