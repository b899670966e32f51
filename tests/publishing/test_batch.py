"""Batches: stopped, resumed, slowed down, retried, and each image there exactly once."""

from __future__ import annotations

import _thread
import csv
import json
import sqlite3
import threading
import time
from collections import Counter

import httpx
import pytest
from api.broken_server import reset
from publishing.conftest import FaultyProxy, make_draft, published

import constellations_widgets as cxw
from constellations_widgets.api.retries import Retries
from constellations_widgets.errors import BusyError, JournalError, NotSentError, PublishError, SignInError, SourceError
from constellations_widgets.publishing import Batch, history, plan
from constellations_widgets.publishing.backoff import MOST_PAUSES, Backoff


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("constellations_widgets.publishing.backoff.FIRST_PAUSE", 0.02)


@pytest.fixture
def drafts():
    return [make_draft() for _ in range(12)]


def states(batch: Batch) -> list[str]:
    return [row.state for row in batch.rows]


def each_once(client, drafts) -> bool:
    return [published(client, draft) for draft in drafts] == [1] * len(drafts)


def run(batch: Batch) -> Batch:
    batch.start()
    batch.wait()
    return batch


class Way(httpx.HTTPTransport):
    """The way to the sandbox. `step` sees each request that adds an image, and may answer it."""

    def __init__(self, step):
        super().__init__()
        self._step, self._lock = step, threading.Lock()
        self.sent = []

    def handle_request(self, request):
        if request.method == "POST" and request.url.path.startswith("/handle/"):
            with self._lock:
                number = len(self.sent)
                self.sent.append(time.monotonic())
            if response := self._step(number, request):
                return response
        return super().handle_request(request)


def by(box, step) -> tuple[cxw.Constellations, Way]:
    way = Way(step)
    return cxw.Constellations(box.api_url, box.token(), transport=way, retries=Retries(tries=1)), way


def test_every_draft_is_published_once_with_a_receipt_in_the_order_of_the_drafts(client, box, drafts, capsys):
    told = []
    batch = cxw.publish_all(drafts, client, box.handle, on_progress=lambda batch, row: told.append((row, row.state)))
    assert batch.counts == {"published": 12} and each_once(client, drafts)
    assert [row.step.draft for row in batch.rows] == drafts
    assert [client.image(receipt.id).storage.legacy_url_template for receipt in batch.receipts] == [
        draft.storage.legacy_url_template for draft in drafts
    ]
    assert all(draft.receipt == row.receipt for draft, row in zip(drafts, batch.rows, strict=True))
    assert Counter(state for _, state in told) == {"sending": 12, "published": 12}
    assert capsys.readouterr() == ("", "")


def test_what_the_plan_does_not_say_is_not_sent(client, box):
    good, bad, warned, twin = make_draft(), make_draft(**{"permissions.license": ""}), make_draft(alt_text=""), None
    there = make_draft()
    client.add_image(box.handle, there.submission())
    twin = cxw.ImageDraft.from_submission(good.submission(), autosave=False)
    batch = cxw.publish_all([good, bad, warned, there, twin], client, box.handle)
    assert states(batch) == ["published", "blocked", "undecided", "skipped", "skipped"]
    assert "license" in batch.rows[1].reason and "alt" in batch.rows[2].reason.lower()
    assert (published(client, good), published(client, warned), published(client, there)) == (1, 0, 1)
    batch = cxw.publish_all([good, bad, warned, there, twin], client, box.handle, anyway=True)
    assert states(batch) == ["published", "blocked", "published", "skipped", "skipped"]
    assert (published(client, good), published(client, warned), published(client, there)) == (1, 1, 1)


def test_what_the_journal_knows_as_published_is_not_sent_again_though_the_server_does_not_list_it(
    client, box, journal, draft
):
    body = draft.submission().to_json()
    key = journal.claim(client.api_url, box.handle, draft.storage.legacy_url_template, body).key
    journal.published(key, "f" * 24, "/image/x")
    (row,) = cxw.publish_all([draft], client, box.handle, anyway=True).rows
    assert (row.state, row.receipt.id, published(client, draft)) == ("published", "f" * 24, 0)


def test_a_stopped_batch_ends_what_is_under_way_and_goes_on_where_it_stopped(box, client, drafts):
    let_go, held = threading.Event(), threading.Barrier(4)

    def hold(number, request):
        if number < 3:
            held.wait(10)
            assert let_go.wait(10)

    slow, way = by(box, hold)
    batch = Batch(plan(drafts, slow, box.handle), slow, threads=3)
    batch.start()
    held.wait(10)
    batch.stop()
    assert batch.running and not batch.wait(0.01)
    with pytest.raises(PublishError, match="still running"):
        batch.retry_failed()
    let_go.set()
    assert batch.wait(10)
    assert batch.counts == {"waiting": 9, "published": 3} and len(way.sent) == 3
    assert run(batch).counts == {"published": 12}
    assert each_once(client, drafts)


def test_another_batch_of_the_same_drafts_goes_on_where_the_first_stopped(box, client, drafts):
    first = cxw.publish_all(drafts, client, box.handle, threads=1, on_progress=_stop_after(5))
    assert first.counts == {"waiting": 7, "published": 5}
    again = [cxw.ImageDraft.from_submission(draft.submission(), autosave=False) for draft in drafts]
    second = cxw.publish_all(again, client, box.handle)
    assert second.counts == {"published": 12} and each_once(client, drafts)
    assert [row.receipt for row in second.rows[:5]] == [row.receipt for row in first.rows[:5]]
    assert sum(attempt.state == "published" for attempt in history()) == 12


def _stop_after(count):
    def told(batch, row):
        if batch.counts.get("published") == count:
            batch.stop()

    return told


def test_a_server_that_asks_for_time_is_given_it_by_all_threads(box, client, drafts):
    refusal = httpx.Response(429, headers={"Retry-After": "1"}, text="Too Many Requests")
    busy, way = by(box, lambda number, request: refusal if number == 2 else None)
    told = []
    batch = Batch(
        plan(drafts, busy, box.handle), busy, threads=2, on_progress=lambda batch, row: told.append(batch.message)
    )
    assert run(batch).counts == {"published": 12} and each_once(client, drafts)
    assert any("Waiting" in message for message in told)
    asked = way.sent[2]
    # The other thread may have one under way, and one written down, before it hears of it; all else keeps the second.
    assert sum(asked < moment < asked + 0.95 for moment in way.sent) <= 2
    assert len(way.sent) == 13


def test_a_server_that_stays_busy_or_cannot_be_reached_stops_the_batch(box, client, drafts):
    def cut(number, request):
        raise httpx.ConnectError("refused", request=request)

    unreachable, way = by(box, cut)
    batch = Batch(plan(drafts, unreachable, box.handle), unreachable, threads=1)
    run(batch)
    assert isinstance(batch.error, NotSentError) and "Stopped" in repr(batch)
    assert batch.counts == {"waiting": 12} and len(way.sent) == MOST_PAUSES + 1
    long, _ = by(box, lambda number, request: httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(BusyError) as caught:
        cxw.publish_all(drafts, long, box.handle, threads=4)
    assert "To continue" in caught.value.__notes__[0]
    assert cxw.publish_all(drafts, client, box.handle).counts == {"published": 12}
    assert each_once(client, drafts)


def test_the_batch_sends_by_itself_again_what_provably_never_left(box, client, drafts):
    def flaky(number, request):
        if number % 3 == 0:
            raise httpx.ConnectError("refused", request=request)

    way, _ = by(box, flaky)
    assert cxw.publish_all(drafts, way, box.handle, threads=3).counts == {"published": 12}
    assert each_once(client, drafts)


def test_whatever_goes_wrong_at_the_server_each_draft_is_there_once_in_the_end(box):
    drafts = [make_draft(note=f"Image {number}") for number in range(60)]
    kinds = ["reset_before_read", "reset_after_commit", "error_after_commit", "truncated", "unavailable", "delay"]
    box.faults.at_random(rate=0.3, seed=4, kinds=kinds, path="/handle/*/image", seconds=0.1)
    try:
        with box.client() as client:
            batch = cxw.publish_all(drafts, client, box.handle)
            # Where the fault came after the image, it was found; the others are for the user to decide.
            assert batch.counts["unclear"] > 0 and set(batch.counts) <= {"published", "unclear"}
            assert [published(client, row.step.draft) for row in batch.rows] == [
                int(row.state == "published") for row in batch.rows
            ]
            while "unclear" in batch.counts:
                batch.resend_unclear()
                batch.wait()
            assert (
                len({fault.kind for fault in box.faults.log}) >= 4
            )  # which of the six is chance: it goes by the request
            assert each_once(client, drafts)
    finally:
        box.faults.clear()


def test_an_interrupt_stops_the_batch_and_ends_what_is_under_way(box, client, drafts):
    once = iter([True])

    def interrupt(batch, row):
        if batch.counts.get("published") == 3 and next(once, False):
            _thread.interrupt_main()

    slow, _ = by(box, lambda number, request: time.sleep(0.15))
    with pytest.raises(KeyboardInterrupt):
        cxw.publish_all(drafts, slow, box.handle, threads=2, on_progress=interrupt)
    assert {attempt.state for attempt in history()} == {"published"} and 3 <= len(history()) < 12
    assert cxw.publish_all(drafts, client, box.handle).counts == {"published": 12} and each_once(client, drafts)


def test_requests_that_were_under_way_together_ask_for_one_pause():
    pause, began = Backoff(), time.monotonic()
    waits = [pause.ask(began, None) for _ in range(16)]
    assert max(waits) < 0.03
    assert pause.ask(time.monotonic() + 1, None) > 0.03
    assert pause.ask(began, 1000.0) is None


def test_a_token_that_expires_stops_the_batch_and_a_new_one_goes_on(box, client, drafts):
    expired = httpx.Response(401, html="<pre>UnauthorizedError: jwt expired</pre>")
    old, way = by(box, lambda number, request: expired if number >= 4 else None)
    with pytest.raises(SignInError):
        cxw.publish_all(drafts, old, box.handle, threads=1)
    assert len(way.sent) == 5
    assert cxw.publish_all(drafts, client, box.handle).counts == {"published": 12} and each_once(client, drafts)


def test_failed_rows_are_retried_alone(box, client, drafts):
    flawed = {drafts[1].storage.legacy_url_template, drafts[7].storage.legacy_url_template}

    def refuse(number, request):
        if number < 12 and json.loads(request.content)["storage"]["legacy_url_template"] in flawed:
            return httpx.Response(413, html="<pre>PayloadTooLargeError: request entity too large</pre>")

    way, sent = by(box, refuse)
    batch = Batch(plan([*drafts, make_draft(alt_text="")], way, box.handle), way)
    assert run(batch).counts == {"published": 10, "failed": 2, "undecided": 1}
    assert "too large" in batch.rows[1].reason
    batch.retry_failed()
    batch.wait()
    assert batch.counts == {"published": 12, "undecided": 1} and len(sent.sent) == 14
    assert each_once(client, drafts)


def test_an_answer_that_was_lost_is_looked_up_and_one_that_is_unclear_is_sent_again_only_on_demand(box, client):
    found, lost = make_draft(), make_draft()
    for draft, commits in ((found, True), (lost, False)):
        with FaultyProxy(box, reset, commits=commits) as proxy:
            way = cxw.Constellations(proxy.url, box.token())
            batch = cxw.publish_all([draft], way, box.handle)
            if commits:
                assert states(batch) == ["published"]
                continue
            assert states(batch) == ["unclear"] and "resend_unclear" in batch.rows[0].reason
            again = cxw.publish_all([draft], way, box.handle, anyway=True)  # looks, and sends nothing
            assert (states(again), published(client, draft)) == (["unclear"], 0)
            for one in (again, batch):  # the second finds out that the first did it
                one.resend_unclear()
                one.wait()
                assert states(one) == ["published"]
    assert (published(client, found), published(client, lost)) == (1, 1)


def test_two_programs_with_the_same_drafts_publish_each_once_and_are_told(box, client, drafts):
    steps = [plan(drafts, client, box.handle) for _ in range(2)]
    batches = [Batch(each, client, threads=4) for each in steps]
    [batch.start() for batch in batches]
    [batch.wait() for batch in batches]
    assert each_once(client, drafts)
    for row, other in zip(batches[0].rows, batches[1].rows, strict=True):
        assert "published" in (row.state, other.state)
        assert any("another window or program" in said.reason for said in (row, other))
    batches[0].retry_failed()
    batches[0].wait()
    assert batches[0].counts == {"published": 12} and each_once(client, drafts)


@pytest.mark.filterwarnings("ignore:An outcome could not be recorded")  # if one shares the claim that fails
def test_a_full_disk_stops_the_batch_before_the_next_request_leaves(box, client, drafts, journal):
    way, sent = by(box, lambda number, request: None)
    steps = plan(drafts, way, box.handle)
    connection = journal._database._open()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    batch = run(Batch(steps, way, threads=2, journal=journal))
    assert isinstance(batch.error, JournalError) and "full" in batch.message
    connection.execute(f"PRAGMA max_page_count = {2**30}")
    known = sum(attempt.state == "published" for attempt in journal.attempts())
    assert len(sent.sent) == batch.counts.get("published", 0) < 12 and known <= len(sent.sent)
    assert cxw.publish_all(drafts, client, box.handle, journal=journal).counts == {"published": 12}
    assert each_once(client, drafts)


def test_a_journal_that_becomes_read_only_stops_the_batch_before_anything_is_sent(box, client, drafts, journal):
    way, sent = by(box, lambda number, request: None)
    steps = plan(drafts, way, box.handle, journal=journal)
    journal._database._open().execute("PRAGMA query_only = ON")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        journal._database._open().execute("CREATE TABLE t (x)")
    batch = run(Batch(steps, way, journal=journal))
    assert isinstance(batch.error, JournalError) and "Nothing is published without it" in batch.message
    assert batch.counts == {"waiting": 12} and sent.sent == []


def test_without_a_state_directory_nothing_is_sent(box, client, drafts, state, monkeypatch):
    (state / "file").write_text("")
    monkeypatch.setenv("CXW_STATE_DIR", str(state / "file"))
    with pytest.raises(JournalError, match="CXW_STATE_DIR"):
        cxw.publish_all(drafts, client, box.handle)
    assert [published(client, draft) for draft in drafts] == [0] * 12


def test_progress_that_fails_does_not_stop_the_batch(box, client, drafts):
    def fail(batch, row):
        raise RuntimeError("the page is gone")

    batch = Batch(plan(drafts[:2], client, box.handle), client, on_progress=fail)
    with pytest.warns(UserWarning, match="the page is gone"):
        run(batch)
    assert batch.counts == {"published": 2}


def test_what_became_of_a_batch_is_written_as_json_and_csv(box, client, state):
    note = '=cmd|"/C calc"!A0'
    evil = cxw.ImageDraft.from_submission(make_draft(note=note).submission(), autosave=False)
    batch = cxw.publish_all([evil, make_draft(**{"permissions.license": ""})], client, box.handle, anyway=True)
    target = state / "receipts.csv"
    target.write_text("old")
    assert batch.export(target) == target
    with target.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    receipt = batch.receipts[0]
    assert rows[0]["name"] == "'" + note and not target.read_text().startswith("old")
    assert (rows[0]["id"], rows[0]["record"], rows[0]["wtml"]) == (receipt.id, receipt.record_url, receipt.wtml_url)
    assert (rows[0]["api"], rows[0]["handle"], rows[0]["url"]) == (
        client.api_url, box.handle, evil.storage.legacy_url_template,
    )  # fmt: skip
    assert (rows[1]["state"], rows[1]["id"]) == ("blocked", "") and "license" in rows[1]["reason"]
    content = json.loads(batch.export(state / "receipts.json").read_text(encoding="utf-8"))
    assert content["rows"][0]["name"] == note
    assert content["rows"][0]["receipt"]["body"] == receipt.body and content["rows"][1]["receipt"] is None
    assert sorted(path.name for path in state.glob(".*part")) == []
    for name in ("receipts.txt", "nowhere/receipts.csv"):
        with pytest.raises(SourceError, match="can't be written"):
            batch.export(state / name)
    assert box.token() not in target.read_text()
    shown = batch._repr_html_()
    assert receipt.record_url in shown and receipt.wtml_url in shown and '"/C' not in shown
    assert receipt.record_url in str(batch) and "license" in str(batch)  # in a saved notebook without HTML


def test_a_batch_is_only_good_for_its_own_server_and_a_number_of_threads(box, client, draft):
    steps = plan([draft], client, box.handle)
    with pytest.raises(PublishError, match="Make a plan with this client"):
        Batch(steps, cxw.Constellations("http://127.0.0.1:1", "token"))
    for threads in (0, 33, 2.5):
        with pytest.raises(PublishError, match="from 1 to 32"):
            Batch(steps, client, threads=threads)


def test_rows_are_decided_one_by_one_and_only_these_are_published(client, box, drafts):
    for draft in drafts[:3]:
        draft.alt_text = ""  # a warning
    batch = Batch(plan(drafts, client, box.handle), client)
    assert states(batch)[:4] == ["undecided"] * 3 + ["waiting"]
    batch.decide(batch.rows[:2])
    batch.decide(batch.rows[1:2], anyway=False)
    batch.decide(batch.rows[3:4], anyway=False)  # nothing to decide there
    run(batch)
    assert states(batch)[:4] == ["published", "undecided", "undecided", "published"]
    assert [published(client, draft) for draft in drafts[:4]] == [1, 0, 0, 1]


def test_what_others_published_since_the_plan_is_seen_before_it_is_sent(client, box, drafts):
    batch = Batch(plan(drafts, client, box.handle), client)
    client.add_image(box.handle, drafts[0].submission())  # a colleague, on another machine
    batch.renew()
    assert batch.rows[0].state == "skipped" and "There already" in batch.rows[0].reason
    assert states(batch)[1:] == ["waiting"] * 11
    run(batch)
    assert each_once(client, drafts)


def test_a_new_reason_to_decide_takes_the_decision_back(client, box, drafts):
    drafts[0].alt_text = ""
    batch = Batch(plan(drafts, client, box.handle), client)
    batch.decide(batch.rows[:1])
    batch.renew()
    assert batch.rows[0].state == "waiting"  # what it was decided on is still so
    box.add_handle("elsewhere")
    client.add_image("elsewhere", drafts[0].submission())
    batch.renew()
    assert batch.rows[0].state == "undecided" and "elsewhere" in batch.rows[0].reason
    run(batch)
    assert batch.rows[0].receipt is None


def test_a_draft_that_was_changed_since_the_plan_stops_the_batch_before_it_sends(client, box, drafts):
    batch = Batch(plan(drafts, client, box.handle), client)
    drafts[3].note = "Another note"
    with pytest.raises(PublishError, match="Changed since"):
        batch.renew()
    assert not any(published(client, draft) for draft in drafts)


def test_looking_again_sends_nothing_and_finds_what_has_come_meanwhile(box, drafts, monkeypatch):
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_WAITS", (0.0,))
    with FaultyProxy(box, reset, commits=False) as proxy, cxw.Constellations(proxy.url, auth=box.token()) as client:
        batch = run(Batch(plan(drafts[:1], client, box.handle), client))
        assert states(batch) == ["unclear"]
        batch.look_again()
        batch.wait()
        assert states(batch) == ["unclear"] and published(client, drafts[0]) == 0
        proxy.forward(proxy.held)  # the request was only slow
        batch.look_again()
        batch.wait()
        assert states(batch) == ["published"] and published(client, drafts[0]) == 1


def test_looking_again_for_what_was_given_up_meanwhile_sends_nothing(box, drafts, journal, monkeypatch):
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_WAITS", (0.0,))
    with FaultyProxy(box, reset, commits=False) as proxy, cxw.Constellations(proxy.url, auth=box.token()) as client:
        batch = run(Batch(plan(drafts[:1], client, box.handle), client))
        journal.refused(journal.unsettled()[0].key, "Given up.")
        batch.look_again()
        batch.wait()
        assert states(batch) == ["failed"] and "abandoned" in batch.rows[0].reason
        assert published(client, drafts[0]) == 0
        batch.retry_failed()
        batch.wait()
        assert states(batch) == ["published"]
