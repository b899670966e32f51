"""Publishing exactly once, whatever the network and the server do."""

from __future__ import annotations

import threading
import warnings
from collections import Counter

import httpx
import pytest
from api.broken_server import answer, reset, silent, truncated
from publishing.conftest import FaultyProxy, make_draft, published

from constellations_widgets.api import Constellations
from constellations_widgets.errors import ForbiddenError, NotSentError, PublishError, TooLargeError, UnclearError
from constellations_widgets.publishing import Journal, history, plan, publish_draft, publish_planned, settle_all
from constellations_widgets.publishing.delivery import Outgoing, find_published, tell_nobody
from constellations_widgets.publishing.reconcile import reconcile
from constellations_widgets.schema.records import Receipt

HTML_500 = answer("500 Internal Server Error", "<pre>Internal Server Error</pre>", "Content-Type: text/html")
FAULTS = {"reset": reset, "silence": silent, "half an answer": truncated, "HTML 500": HTML_500, "no HTTP": b"?"}


def states() -> list[str]:
    return [attempt.state for attempt in history()]


def through(proxy, box) -> Constellations:
    return Constellations(proxy.url, box.token(), timeout=1.0 if proxy.is_silent else 30.0)


def test_a_draft_is_published_with_a_receipt(client, box, draft):
    receipt = publish_draft(draft, client, f"@{box.handle}")
    assert isinstance(receipt, Receipt)
    assert client.image(receipt.id).note == draft.note
    assert receipt.body == draft.submission().to_request()
    assert draft.receipt == receipt
    (attempt,) = history()
    assert (attempt.state, attempt.image_id, attempt.key, attempt.body_sha256) == (
        "published", receipt.id, receipt.key, receipt.body_sha256,
    )  # fmt: skip


def test_progress_is_told_in_the_thread_that_publishes(client, box, draft):
    told = []
    publish_draft(draft, client, box.handle, on_progress=lambda *told_: told.append((*told_, threading.get_ident())))
    assert [stage for stage, _, _ in told] == ["planning", "sending", "published"]
    assert all(message for _, message, _ in told) and {thread for *_, thread in told} == {threading.get_ident()}


def test_what_was_left_open_before_is_told_and_how_to_look(client, box, draft, journal):
    lost = make_draft()
    attempt = journal.claim(client.api_url, box.handle, lost.storage.legacy_url_template, lost.submission().to_json())
    journal.unclear(attempt.key, "lost")
    told = []
    publish_draft(draft, client, box.handle, on_progress=lambda _stage, what: told.append(what))
    assert any("Of 1 earlier publication the outcome is not known: cxw.settle_all" in what for what in told)


def test_progress_that_fails_stops_before_anything_is_sent(client, box, draft):
    def fail(stage, message):
        if stage == "sending":
            raise RuntimeError("the page is gone")

    with pytest.raises(RuntimeError):
        publish_draft(draft, client, box.handle, on_progress=fail)
    assert (published(client, draft), states()) == (0, [])


def test_progress_that_fails_later_does_not_hide_the_receipt(client, box, draft):
    def fail(stage, message):
        if stage == "published":
            raise RuntimeError("the page is gone")

    with pytest.warns(UserWarning, match="the page is gone"):
        receipt = publish_draft(draft, client, box.handle, on_progress=fail)
    assert client.image(receipt.id)


def test_a_second_time_is_refused_with_the_earlier_receipt_unless_it_is_wanted(client, box, draft):
    first = publish_draft(draft, client, box.handle)
    with pytest.raises(PublishError, match="again=True") as caught:
        publish_draft(draft, client, box.handle)
    assert first.id in str(caught.value) and first.wtml_url in str(caught.value)
    second = publish_draft(draft, client, box.handle, again=True)
    assert second.id != first.id and published(client, draft) == 2


def test_what_the_server_does_not_list_any_more_is_published_again_only_as_a_duplicate(client, box, draft, journal):
    url, body = draft.storage.legacy_url_template, draft.submission().to_json()
    journal.published(journal.claim(client.api_url, box.handle, url, body).key, "f" * 24, "/image/x")
    for options in ({}, {"anyway": True}):  # the list may only be late
        with pytest.raises(PublishError, match="published before"):
            publish_draft(draft, client, box.handle, **options)
    publish_draft(draft, client, box.handle, again=True)
    assert published(client, draft) == 1


def test_a_plan_that_others_have_overtaken_is_not_carried_out(client, box, draft):
    step = plan(draft, client, box.handle)[0]
    publish_planned(step, client)
    with pytest.raises(PublishError, match="published before"):
        publish_planned(step, client, anyway=True)
    assert published(client, draft) == 1


def test_of_two_plans_that_know_of_an_attempt_that_never_left_one_is_carried_out(client, box, draft, journal):
    url, body = draft.storage.legacy_url_template, draft.submission().to_json()
    journal.not_sent(journal.claim(client.api_url, box.handle, url, body).key, "refused connection")
    first, second = (plan(draft, client, box.handle)[0] for _ in range(2))
    publish_planned(first, client)
    with pytest.raises(PublishError, match="published before"):
        publish_planned(second, client, anyway=True)
    assert published(client, draft) == 1


def test_what_was_unclear_when_the_plan_was_made_and_turned_out_to_be_published_is_not_sent(client, box, draft):
    with FaultyProxy(box, reset, commits=False) as proxy:
        way = through(proxy, box)
        with pytest.raises(UnclearError):
            publish_draft(draft, way, box.handle)
        step = plan(draft, way, box.handle)[0]
        proxy.forward(proxy.held)  # the slow server gets to it now, and somebody looks
        assert [attempt.state for attempt in settle_all(way)] == ["published"]
        with pytest.raises(PublishError, match="published before"):
            publish_planned(step, way, anyway=True)
    assert published(client, draft) == 1


def test_a_step_whose_outcome_is_unclear_can_be_looked_at_and_sent_again(client, box, draft):
    with FaultyProxy(box, reset, commits=False) as proxy:
        way = through(proxy, box)
        step = plan(draft, way, box.handle)[0]
        for _ in range(2):
            with pytest.raises(UnclearError):
                publish_planned(step, way, anyway=True)
        assert publish_planned(step, way, anyway=True, again=True).id
    assert published(client, draft) == 1


def test_of_twenty_threads_one_publishes_and_the_others_are_told(client, box, draft):
    step, outcomes, start = plan(draft, client, box.handle)[0], [], threading.Barrier(20)

    def run():
        start.wait()
        try:
            outcomes.append(publish_planned(step, client))
        except PublishError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(20)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert Counter(type(outcome) for outcome in outcomes) == {Receipt: 1, PublishError: 19}
    assert (published(client, draft), states()) == (1, ["published"])


@pytest.mark.parametrize("fault", FAULTS)
def test_an_image_whose_answer_was_lost_is_found_and_not_sent_again(client, box, draft, fault):
    told = []
    with FaultyProxy(box, FAULTS[fault], commits=True) as proxy:
        receipt = publish_draft(
            draft, through(proxy, box), box.handle, on_progress=lambda stage, message: told.append(stage)
        )
    assert told == ["planning", "sending", "looking", "published"]
    (found,) = client.find_images(draft.storage.legacy_url_template)
    assert (receipt.id, receipt.created) == (found.id, found.creation_date)
    assert (states(), history()[0].receipt) == (["published"], receipt)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_image_that_did_not_arrive_is_unclear_and_sent_again_only_on_demand(client, box, draft, fault):
    with FaultyProxy(box, FAULTS[fault], commits=False) as proxy:
        way = through(proxy, box)
        for _ in range(2):
            with pytest.raises(UnclearError, match="again=True"):
                publish_draft(draft, way, box.handle)
            assert (published(client, draft), states()) == (0, ["unclear"])
        receipt = publish_draft(draft, way, box.handle, again=True)
    assert [image.id for image in client.find_images(draft.storage.legacy_url_template)] == [receipt.id]
    assert states() == ["published", "refused"]


def test_an_earlier_image_that_the_server_has_lost_is_not_taken_for_the_one_that_is_unclear(
    client, box, draft, journal
):
    url, body = draft.storage.legacy_url_template, draft.submission().to_json()
    lost = journal.claim(client.api_url, box.handle, url, body)
    journal.published(lost.key, "f" * 24, "/image/x")
    second = journal.claim(client.api_url, box.handle, url, body, ignored_keys={lost.key: "published"})
    journal.unclear(second.key, "timeout")
    with pytest.raises(UnclearError):
        find_published(Outgoing(client.api_url, box.handle, url, body), client, journal, tell_nobody)


def test_an_image_that_arrives_late_is_found_by_the_next_attempt(client, box, draft):
    with FaultyProxy(box, silent, commits=False) as proxy:
        way = through(proxy, box)
        with pytest.raises(UnclearError):
            publish_draft(draft, way, box.handle)
        proxy.forward(proxy.held)  # the slow server gets to it now
        receipt = publish_draft(draft, way, box.handle)
        assert publish_count(proxy) == 1
    assert [image.id for image in client.find_images(draft.storage.legacy_url_template)] == [receipt.id]
    assert states() == ["published"]


def publish_count(proxy) -> int:
    return sum(request.startswith(b"POST /handle/") for request in proxy.requests)


def test_sending_again_checks_the_server_first(client, box, draft):
    with FaultyProxy(box, silent, commits=False) as proxy:
        way = through(proxy, box)
        with pytest.raises(UnclearError):
            publish_draft(draft, way, box.handle)
        proxy.forward(proxy.held)
        publish_draft(draft, way, box.handle, again=True)
    assert published(client, draft) == 1


def test_what_was_not_sent_can_simply_be_sent_later(client, box, draft):
    step = plan(draft, client, box.handle)[0]

    def unreachable(request):
        raise httpx.ConnectError("refused", request=request)

    cut = Constellations(box.api_url, box.token(), transport=httpx.MockTransport(unreachable))
    with pytest.raises(NotSentError):
        publish_planned(step, cut)
    assert states() == ["planned"]
    publish_planned(step, client)
    assert (published(client, draft), states()) == (1, ["published"])


def test_a_refusal_is_remembered_and_does_not_stand_in_the_way(client, box, draft):
    too_large = answer("413 Payload Too Large", "<pre>PayloadTooLargeError: request entity too large</pre>")
    with FaultyProxy(box, too_large, commits=False) as proxy:
        with pytest.raises(TooLargeError):
            publish_draft(draft, through(proxy, box), box.handle)
        assert states() == ["refused"] and "request entity too large" in history()[0].answer
        publish_draft(draft, through(proxy, box), box.handle)
    assert published(client, draft) == 1


def test_the_journal_never_holds_the_token(state, box, draft):
    token = box.token()
    echo = answer("403 Forbidden", f"<pre>Bearer {token}</pre>")
    with FaultyProxy(box, echo, commits=False) as proxy, pytest.raises(ForbiddenError) as caught:
        publish_draft(draft, Constellations(proxy.url, token), box.handle)
    assert token not in str(caught.value) and "[token]" in history()[0].answer
    assert not any(token.encode() in file.read_bytes() for file in (state / "journal").rglob("*") if file.is_file())


def test_an_interrupted_publication_is_unclear(client, box, draft):
    step = plan(draft, client, box.handle)[0]

    def interrupted(request):
        raise KeyboardInterrupt

    stopped = Constellations(box.api_url, box.token(), transport=httpx.MockTransport(interrupted))
    with pytest.raises(KeyboardInterrupt):
        publish_planned(step, stopped)
    assert states() == ["unclear"]


def test_a_step_that_is_not_to_be_published_is_not(client, box):
    bad = plan(make_draft(**{"permissions.license": ""}), client, box.handle)[0]
    for options in ({}, {"again": True, "anyway": True}):
        with pytest.raises(PublishError, match="license"):
            publish_planned(bad, client, **options)
    warned = make_draft(alt_text="")
    with pytest.raises(PublishError, match="anyway=True"):
        publish_draft(warned, client, box.handle)
    assert published(client, warned) == 0
    publish_draft(warned, client, box.handle, anyway=True)


def test_one_draft_is_published_at_a_time(client, box, draft):
    with pytest.raises(TypeError, match="takes an ImageDraft, not a list"):
        publish_draft([draft], client, box.handle)
    assert published(client, draft) == 0


def test_a_plan_is_only_good_for_its_own_server(client, box, draft):
    step = plan(draft, client, box.handle)[0]
    with pytest.raises(PublishError, match="Make a plan with this client"):
        publish_planned(step, Constellations("http://127.0.0.1:1", "token"))


def test_without_a_journal_nothing_is_sent(client, box, draft, state):
    step = plan(draft, client, box.handle)[0]
    broken = Journal(state / "broken")
    broken.path.mkdir(parents=True)
    with pytest.raises(PublishError, match="can't be written"):
        publish_planned(step, client, broken)
    assert published(client, draft) == 0


def test_a_journal_that_breaks_after_sending_does_not_hide_the_receipt(client, box, draft, journal, monkeypatch):
    add_image, database = client.add_image, journal._database._open()

    def add_and_break(*what, **key):
        receipt = add_image(*what, **key)
        database.execute("PRAGMA query_only = on")
        return receipt

    monkeypatch.setattr(client, "add_image", add_and_break)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        receipt = publish_draft(draft, client, box.handle, journal=journal)
    assert client.image(receipt.id) and "could not be recorded" in str(told[-1].message)
    database.execute("PRAGMA query_only = off")
    (left,) = journal.unsettled()
    assert reconcile(left, client, journal).receipt.id == receipt.id
    assert not journal._process_lock().lost  # no transaction asks about it any more


class ResponsesBehindByOne(httpx.HTTPTransport):
    """A middle box that answers each request for a new image with the response to the one before."""

    kept: tuple[int, bytes] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if not (request.method == "POST" and request.url.path.endswith("/image")):
            return response
        before, self.kept = self.kept, (response.status_code, response.read())
        status, content = before or self.kept
        return httpx.Response(status, content=content, headers={"Content-Type": "application/json"})


def test_a_response_to_a_request_that_the_journal_does_not_know_is_no_receipt_either(box):
    client = Constellations(box.api_url, box.token(), transport=ResponsesBehindByOne())
    client.add_image(box.handle, make_draft().submission())
    for _ in range(2):
        draft = make_draft()
        receipt = publish_draft(draft, client, box.handle)
        assert client.image(receipt.id).storage.legacy_url_template == draft.values["storage.legacy_url_template"]
