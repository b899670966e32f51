from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import httpx
import pytest
from api.broken_server import silent
from publishing.conftest import FaultyProxy, make_draft, published

from constellations_widgets.api import Constellations
from constellations_widgets.api.retries import Retries
from constellations_widgets.errors import NotSentError, PublishError, UnclearError
from constellations_widgets.publishing import (
    Journal,
    history,
    pending_attempts,
    publish_draft,
    settle_all,
    unsettled,
)
from constellations_widgets.publishing.reconcile import reconcile

PUBLISH = """
import json
import sys
from constellations_widgets.api import Constellations
from constellations_widgets.draft import ImageDraft
from constellations_widgets.publishing import publish_draft

url, token, handle, body = sys.stdin.read().split("\\n")
draft = ImageDraft.from_submission(json.loads(body), autosave=False)
publish_draft(draft, Constellations(url, token), handle, probe=False)
"""


@pytest.fixture
def unclear(client, box, journal, draft):
    """An unclear attempt whose image is not at the server."""
    attempt = journal.claim(client.api_url, box.handle, draft.storage.legacy_url_template, draft.submission().to_json())
    journal.unclear(attempt.key, "No answer in time.")
    return journal.attempt(attempt.key)


def test_an_image_that_is_there_settles_the_attempt(client, box, draft, unclear):
    id = client.add_image(box.handle, draft.submission()).id
    settled = reconcile(unclear, client).attempt
    assert (settled.state, settled.receipt.id, settled.receipt.key) == ("published", id, unclear.key)
    assert settled.receipt.created == client.image(id).creation_date
    assert unsettled() == []


def test_an_image_that_is_not_there_leaves_it_open(client, unclear):
    slept = []
    assert reconcile(unclear, client, waits=(0, 1, 2), sleep=slept.append).attempt.state == "unclear"
    assert slept == [1, 2]
    assert [attempt.key for attempt in unsettled()] == [unclear.key]


def test_looking_sends_nothing_that_changes_anything(unclear, box):
    methods = []

    def look(request):
        methods.append((request.method, request.url.path))
        return httpx.Response(200, json={"error": False, "results": []})

    reconcile(unclear, Constellations(unclear.api_url, box.token(), transport=httpx.MockTransport(look)))
    assert methods == [("POST", "/images/find-by-legacy-url")]


@pytest.mark.parametrize(
    "change",
    [
        {"note": "Another note"},
        {"wwt.center_x": 10.0},
        {"permissions.copyright": "Copyright 2021 Somebody"},
        {"permissions.license": "CC0-1.0"},
    ],
)
def test_an_image_that_differs_is_not_taken_for_ours(client, box, draft, unclear, change):
    draft.update(change)
    client.add_image(box.handle, draft.submission())
    assert reconcile(unclear, client).attempt.state == "unclear"


def test_the_same_image_of_another_handle_is_not_taken_for_ours(client, box, draft, unclear):
    box.add_handle("someone")
    client.add_image("someone", draft.submission())
    assert reconcile(unclear, client).attempt.state == "unclear"


def test_an_image_that_was_there_before_is_not_taken_for_ours(client, box, journal, draft):
    old = client.add_image(box.handle, draft.submission()).id
    url, body = draft.storage.legacy_url_template, draft.submission().to_json()
    attempt = journal.claim(client.api_url, box.handle, url, body, known_ids=[old])
    journal.unclear(attempt.key, "")
    assert reconcile(journal.attempt(attempt.key), client).attempt.state == "unclear"


@pytest.mark.parametrize("hours", [-5, -0.2, 0.2, 5])
@pytest.mark.parametrize("date_too", [True, False])
def test_no_clock_hides_an_image_that_is_ours(client, box, draft, unclear, hours, date_too):
    id = client.add_image(box.handle, draft.submission()).id
    wrong = Constellations(client.api_url, box.token(), transport=_Shifted(timedelta(hours=hours), date_too=date_too))
    assert reconcile(unclear, wrong).attempt.image_id == id


class _Shifted(httpx.HTTPTransport):
    """The sandbox with creation dates, and its Date header too if wanted, moved."""

    def __init__(self, by: timedelta, date_too: bool = False):
        super().__init__()
        self._by, self._date_too = by, date_too

    def handle_request(self, request):
        response = super().handle_request(request)
        content = json.loads(response.read())
        for record in [content, *content.get("results", [])]:
            if "creation_date" in record:
                moved = datetime.fromisoformat(record["creation_date"]) + self._by
                record["creation_date"] = moved.isoformat()
        date = parsedate_to_datetime(response.headers["Date"]) + (self._by if self._date_too else timedelta())
        return httpx.Response(200, json=content, headers={"Date": format_datetime(date, usegmt=True)})


def test_of_several_records_the_oldest_is_the_receipt_and_the_others_are_named_as_duplicates(
    client, box, draft, unclear
):
    ids = [client.add_image(box.handle, draft.submission()).id for _ in range(3)]
    seen = reconcile(unclear, client)
    assert (seen.outcome, seen.receipt.id, set(seen.receipt.duplicates)) == ("several", ids[0], set(ids[1:]))
    assert all(id in history()[0].answer and id in str(seen.receipt) for id in ids[1:])
    assert all(id in str(seen) for id in ids)


def test_an_image_without_url_is_found_in_the_list_of_its_handle(client, box, journal):
    box.add_handle("no-urls")
    body = make_draft().submission().to_request()
    body["storage"] = {}
    sent = json.dumps(body).encode()
    attempt = journal.claim(client.api_url, "no-urls", "", sent)
    id = client.add_image("no-urls", sent).id
    journal.unclear(attempt.key, "")
    assert reconcile(journal.attempt(attempt.key), client).attempt.image_id == id


def test_a_client_of_another_server_is_refused(unclear):
    with pytest.raises(PublishError, match="one of the same API"):
        reconcile(unclear, Constellations("https://other.org"))


def test_what_is_settled_stays_so(client, box, draft, unclear, journal):
    journal.refused(unclear.key, "given up")
    client.add_image(box.handle, draft.submission())
    assert settle_all(client) == []  # it is not asked about any more


@pytest.mark.parametrize("commits", [True, False], ids=["after the server had it", "before the server had it"])
def test_a_kernel_killed_while_it_publishes_leaves_an_unclear_attempt_that_is_settled_by_looking(
    client, box, draft, commits
):
    with FaultyProxy(box, silent, commits=commits) as proxy:
        child = subprocess.Popen([sys.executable, "-c", PUBLISH], stdin=subprocess.PIPE, text=True)
        child.stdin.write("\n".join([proxy.url, box.token(), box.handle, json.dumps(draft.submission().to_request())]))
        child.stdin.close()
        assert proxy.reached.wait(30)
        way = Constellations(proxy.url, box.token())
        with pytest.raises(PublishError, match="right now"):
            publish_draft(draft, way, box.handle, again=True)
        assert unsettled() == []
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        (attempt,) = unsettled()
        assert [it.state for it in settle_all(way)] == ["published" if commits else "unclear"]
        assert bool(pending_attempts(way)) is not commits and reconcile(attempt, way).attempt.state != "sending"
        if not commits:
            with pytest.raises(UnclearError):
                publish_draft(draft, way, box.handle)
            publish_draft(draft, way, box.handle, again=True)
    assert published(client, draft) == 1
    assert sum(attempt.state == "published" for attempt in history()) == 1


def test_what_was_left_open_is_settled_in_one_call_by_looking_alone(client, box, journal):
    drafts = [make_draft() for _ in range(4)]
    for draft in drafts:
        attempt = journal.claim(client.api_url, box.handle, draft.storage.legacy_url_template, to_json(draft))
        journal.unclear(attempt.key, "killed")
    elsewhere = journal.claim("https://api.example", box.handle, "", to_json(make_draft()))
    journal.unclear(elsewhere.key, "")
    ids = {client.add_image(box.handle, draft.submission()).id for draft in drafts[:3]}
    seen = []
    settled = settle_all(client, on_progress=lambda *what: seen.append(what))
    assert [attempt.state for attempt in settled] == ["published"] * 3 + ["unclear"]
    assert {attempt.receipt.id for attempt in settled[:3]} == ids
    assert [done for _, done, _ in seen] == [1, 2, 3, 4] and {total for *_, total in seen} == {4}
    assert {attempt.key for attempt in pending_attempts(client)} == {settled[3].key}
    assert published(client, drafts[3]) == 0
    assert "1 of 5 may have succeeded" not in str(settled) and "1 of 4 may still have succeeded" in str(settled)
    assert "killed The image was not found at the server; it may still appear." in str(settled)
    assert "cxw.settle_all" not in str(settled)
    assert "settle_all" in history()._repr_html_()


def test_what_the_server_does_not_show_can_be_given_up_once_it_has_had_its_time(
    client, box, draft, unclear, journal, monkeypatch
):
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_TIME", 60.0)
    assert [it.state for it in settle_all(client, forget=True)] == ["unclear"]  # it may still be at work on it
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_TIME", 0.0)
    assert [it.state for it in settle_all(client, forget=True)] == ["refused"]
    answer = "No answer in time. The image was not found at the server; it may still appear."
    assert journal.attempt(unclear.key).answer == answer
    assert pending_attempts(client) == []
    client.add_image(box.handle, draft.submission())  # and now it appears: it is looked for before anything is sent
    assert publish_draft(draft, client, box.handle, again=True).key == unclear.key
    assert published(client, draft) == 1


def test_what_can_not_be_looked_at_stays_open_and_says_why(unclear, client, box, journal):
    other = make_draft()
    attempt = journal.claim(client.api_url, box.handle, other.storage.legacy_url_template, to_json(other))
    journal.unclear(attempt.key, "lost")

    def answer(request):
        if other.storage.legacy_url_template in request.content.decode():
            return httpx.Response(500, json={"error": True, "message": "down"})
        return httpx.Response(200, json={"error": False, "results": []})

    partly = Constellations(
        client.api_url, box.token(), transport=httpx.MockTransport(answer), retries=Retries(tries=1)
    )
    states = {it.key: (it.state, "Could not check" in it.answer) for it in settle_all(partly)}
    assert states == {unclear.key: ("unclear", False), attempt.key: ("unclear", True)}
    with pytest.raises(NotSentError):
        settle_all(
            Constellations("http://127.0.0.1:9", "a.b.c", retries=Retries(tries=1)), _at(journal, "http://127.0.0.1:9")
        )
    assert settle_all(Constellations("https://nothing.example")) == []


def _at(journal: Journal, api_url: str) -> Journal:
    """The journal, with an unclear attempt at another API."""
    attempt = journal.claim(api_url, "me", "", to_json(make_draft()))
    journal.unclear(attempt.key, "")
    return journal


def to_json(draft) -> bytes:
    return draft.submission().to_json()
