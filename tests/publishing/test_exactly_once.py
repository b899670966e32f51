"""What gateways, lists and connections do to a publication, and that it is there once nevertheless."""

from __future__ import annotations

import json
import threading

import httpx
import pytest
from publishing.conftest import make_draft, published

import constellations_widgets as cxw
from constellations_widgets.api.retries import Retries
from constellations_widgets.errors import BusyError, PublishError, UnclearError
from constellations_widgets.publishing import (
    Batch,
    Journal,
    Plan,
    history,
    plan,
    publish_draft,
    publish_planned,
    publish_scene,
    settle_all,
)
from constellations_widgets.publishing.delivery import WaitStoppedError
from constellations_widgets.publishing.published import PublishedImage
from constellations_widgets.schema.records import Receipt

RECONCILE = "constellations_widgets.publishing.reconcile"


class Gateway(httpx.BaseTransport):
    """Stands before the sandbox. `on_write` is called with this, a request that changes something and its number.

    It returns the response, or None to pass the request on; `pass_on` does that and returns what the sandbox says.
    `on_read` is the same for a request that only reads.
    """

    def __init__(self, on_write=lambda *_: None, on_read=lambda *_: None):
        self._inner = httpx.HTTPTransport()
        self._on_write, self._on_read, self._lock = on_write, on_read, threading.Lock()
        self.writes: list[httpx.Request] = []

    def handle_request(self, request):
        if request.method == "GET" or request.url.path.endswith("find-by-legacy-url"):
            response = self._on_read(self, request)
        else:
            with self._lock:
                self.writes.append(request)
                number = len(self.writes)
            response = self._on_write(self, request, number)
        return response or self.pass_on(request)

    def pass_on(self, request):
        response = self._inner.handle_request(request)
        return httpx.Response(response.status_code, headers=response.headers, content=response.read())


def through(box, gateway: Gateway) -> cxw.Constellations:
    return cxw.Constellations(box.api_url, box.token(), transport=gateway, retries=Retries(tries=1))


def answers_after(status: int, *, first: int = 1, times: int = 1, headers: dict[str, str] | None = None):
    """Let the sandbox do what is asked, `times` over, then answer the `first` such requests with another status."""

    def on_write(gateway, request, number):
        if number > first:
            return None
        for _ in range(times):
            gateway.pass_on(request)
        return httpx.Response(status, headers=headers or {}, text="<h1>Guru Meditation</h1>")

    return on_write


def answers_instead(status: int, *, first: int = 1):
    return lambda _gateway, _request, number: (
        httpx.Response(status, headers={"Retry-After": "0"}) if number <= first else None
    )


LATER = {"Retry-After": "0"}
GATEWAYS = [
    (500, {}),
    (502, {}),
    (503, {}),
    (503, LATER),
    (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    (504, LATER),
    (599, LATER),
    (408, {}),
]


@pytest.mark.parametrize(("status", "headers"), GATEWAYS)
def test_an_error_of_a_gateway_after_the_record_was_made_makes_no_second_one(box, client, draft, status, headers):
    gateway = Gateway(answers_after(status, first=9, headers=headers))
    receipt = publish_draft(draft, through(box, gateway), box.handle)
    (record,) = client.find_images(draft.storage.legacy_url_template)
    assert record.id == receipt.id and len(gateway.writes) == 1


def test_a_batch_and_a_scene_are_made_once_though_every_answer_is_a_503(box, client):
    drafts = [make_draft() for _ in range(4)]
    way = through(box, Gateway(answers_after(503, first=99, headers=LATER)))
    batch = cxw.publish_all(drafts, way, box.handle)
    assert batch.counts == {"published": 4} and [published(client, draft) for draft in drafts] == [1] * 4
    before = {scene.id for scene in client.handle_scenes(box.handle)}
    receipt = publish_scene(batch.receipts[0], way)
    assert {scene.id for scene in client.handle_scenes(box.handle)} - before == {receipt.id}


def test_a_503_that_made_nothing_leaves_it_unclear_and_nothing_is_sent_again_unasked(box, client, draft):
    gateway = Gateway(answers_instead(503))
    way = through(box, gateway)
    for options in ({}, {"anyway": True}):
        with pytest.raises(UnclearError, match="was not found at the server"):
            publish_draft(draft, way, box.handle, **options)
    assert [attempt.state for attempt in history()] == ["unclear"] and len(gateway.writes) == 1
    publish_draft(draft, way, box.handle, again=True)
    assert published(client, draft) == 1


@pytest.mark.parametrize("commits", [True, False])
def test_after_a_429_the_server_is_looked_at_before_it_is_sent_again(box, client, draft, commits):
    answer = answers_after(429, headers=LATER) if commits else answers_instead(429)
    gateway = Gateway(answer)
    receipt = publish_draft(draft, through(box, gateway), box.handle)
    assert [image.id for image in client.find_images(draft.storage.legacy_url_template)] == [receipt.id]
    assert len(gateway.writes) == (1 if commits else 2)


def test_a_pause_that_is_too_long_is_left_to_the_user(box, client, draft):
    long = httpx.Response(429, headers={"Retry-After": "3600"})
    with pytest.raises(BusyError) as caught:
        publish_draft(draft, through(box, Gateway(lambda *_: long)), box.handle)
    assert caught.value.retry_after == 3600 and published(client, draft) == 0


def test_twins_that_a_gateway_made_are_named_and_nothing_more_is_sent(box, client, draft):
    gateway = Gateway(answers_after(502, times=3))
    way = through(box, gateway)
    receipt = publish_draft(draft, way, box.handle)
    ids = [record.id for record in sorted(client.find_images(draft.storage.legacy_url_template), key=lambda it: it.id)]
    assert (receipt.id, set(receipt.duplicates)) == (ids[0], set(ids[1:])) and ids[1] in str(receipt)
    assert ids[1] in history()[0].answer and history()[0].receipt == receipt
    with pytest.raises(PublishError, match="published before"):
        publish_draft(make_same(draft), way, box.handle)
    assert len(gateway.writes) == 1


def test_a_twin_that_can_not_be_read_is_named_as_one_that_may_be(box, client, draft):
    broken = []

    def on_write(gateway, request, _number):
        gateway.pass_on(request)
        broken.append(json.loads(gateway.pass_on(request).content)["id"])
        return httpx.Response(502)

    def on_read(_gateway, request):
        if broken and request.url.path == f"/image/{broken[0]}":
            return httpx.Response(404, json={"error": True, "message": "Not found"})

    told = []
    receipt = publish_draft(
        draft, through(box, Gateway(on_write, on_read)), box.handle, on_progress=lambda *what: told.append(what)
    )
    assert receipt.id != broken[0] and receipt.duplicates == ()
    assert f"{broken[0]} could not be read" in history()[0].answer and broken[0] in told[-1][1]


def make_same(draft):
    return cxw.ImageDraft.from_submission(draft.submission(), autosave=False)


def test_anyway_sends_nothing_that_was_published_or_may_have_been_though_no_list_shows_it(box, client):
    def shows_nothing(_gateway, request):
        if request.url.path.endswith("find-by-legacy-url"):
            return httpx.Response(200, json={"error": False, "results": []})

    known, lost = make_draft(), make_draft()
    publish_draft(known, through(box, Gateway(on_read=shows_nothing)), box.handle)
    gateway = Gateway(answers_after(502), shows_nothing)
    with pytest.raises(UnclearError):
        publish_draft(lost, through(box, gateway), box.handle)
    for draft, error in ((known, PublishError), (lost, UnclearError)):
        with pytest.raises(error):
            publish_draft(make_same(draft), through(box, Gateway(on_read=shows_nothing)), box.handle, anyway=True)
    assert [published(client, draft) for draft in (known, lost)] == [1, 1]


def test_sending_again_waits_out_the_settling_time_says_so_and_looks_at_its_end(box, client, draft, monkeypatch):
    monkeypatch.setattr(f"{RECONCILE}.SETTLING_TIME", 0.3)
    is_late, told = [True], []

    def shows_late(_gateway, request):
        if is_late and request.url.path.endswith("find-by-legacy-url"):
            return httpx.Response(200, json={"error": False, "results": []})

    gateway = Gateway(answers_after(502), shows_late)
    way = through(box, gateway)
    with pytest.raises(UnclearError):
        publish_draft(draft, way, box.handle)

    def tell(stage, message):
        told.append((stage, message))
        if stage == "waiting":
            is_late.clear()  # meanwhile, the list catches up

    receipt = publish_draft(draft, way, box.handle, again=True, on_progress=tell)
    assert any(stage == "waiting" and "then checking" in message for stage, message in told)
    assert [image.id for image in client.find_images(draft.storage.legacy_url_template)] == [receipt.id]
    assert len(gateway.writes) == 1


def test_a_wall_clock_that_is_corrected_does_not_shorten_the_settling_time(box, draft, monkeypatch):
    from datetime import UTC, datetime, timedelta

    monkeypatch.setattr(f"{RECONCILE}.SETTLING_TIME", 30.0)
    way = through(box, Gateway(answers_instead(502)))
    step = plan(draft, way, box.handle)[0]
    with pytest.raises(UnclearError):
        publish_planned(step, way)
    for hours in (-2, 2):
        later = datetime.now(UTC) + timedelta(hours=hours)
        monkeypatch.setattr("constellations_widgets.publishing.clock.now", lambda later=later: later)

        def stop(_seconds):
            raise WaitStoppedError

        with pytest.raises(UnclearError):
            publish_planned(step, way, again=True, sleep=stop)
    assert [attempt.state for attempt in history()] == ["unclear"]


@pytest.mark.parametrize("change", [{"alt_text": "Another"}, {"permissions.credits": "ESO"}, {"note": "Another"}])
def test_of_two_that_differ_little_the_record_belongs_to_the_one_that_was_sent(box, client, draft, change):
    other = make_same(draft)
    other.update(change)
    held = []

    def hold(_gateway, request, _number):
        held.append(request)
        return httpx.Response(504)

    gateway = Gateway(hold)
    way = through(box, gateway)
    for each in (draft, other):
        with pytest.raises(UnclearError):
            publish_draft(each, way, box.handle, again=True)
    id = json.loads(gateway.pass_on(held[0]).content)["id"]  # the first arrives late, the second never
    settle_all(way)
    states = {attempt.body: (attempt.state, attempt.image_id) for attempt in history()}
    assert states[draft.submission().to_json()] == ("published", id)
    assert states[other.submission().to_json()] == ("unclear", None)


def test_a_response_that_was_delivered_twice_gives_no_receipt_to_the_next_image(box, client):
    """A middle box sends one response twice on a kept connection: each request then gets the answer to the one before."""
    answers = []

    def shifted(gateway, request, number):
        answers.append(gateway.pass_on(request))
        return httpx.Response(200, content=answers[max(0, number - 2)].content)

    way, drafts = through(box, Gateway(shifted)), [make_draft() for _ in range(4)]
    receipts = [publish_draft(draft, way, box.handle) for draft in drafts]
    for draft, receipt in zip(drafts, receipts, strict=True):
        assert [image.id for image in client.find_images(draft.storage.legacy_url_template)] == [receipt.id]
    assert len({receipt.id for receipt in receipts}) == 4


@pytest.mark.parametrize("odd", ["another rel_url", "an id that was listed before"])
def test_an_odd_response_is_checked_against_the_record(box, client, draft, odd):
    box.add_handle("colleague")
    theirs = client.add_image("colleague", draft.submission()).id

    def answer(gateway, request, _number):
        id = json.loads(gateway.pass_on(request).content)["id"]
        named = (theirs, f"/image/{theirs}") if odd.startswith("an id") else (id, f"/image/{theirs}")
        return httpx.Response(200, json={"error": False, "id": named[0], "rel_url": named[1]})

    receipt = publish_draft(draft, through(box, Gateway(answer)), box.handle, anyway=True)
    assert client.image(receipt.id).handle.handle == box.handle and receipt.rel_url == f"/image/{receipt.id}"


def test_not_found_and_could_not_look_are_told_apart(box, draft):
    down = threading.Event()

    def on_read(_gateway, request):
        if down.is_set():
            raise httpx.ConnectError("refused", request=request)

    def on_write(_gateway, _request, _number):
        down.set()
        return httpx.Response(502)

    with pytest.raises(UnclearError, match="Could not check whether the server has the image: .*refused"):
        publish_draft(draft, through(box, Gateway(on_write, on_read)), box.handle)
    with pytest.raises(UnclearError, match="The image was not found at the server"):
        publish_draft(draft, box.client(), box.handle)


def test_a_strangers_record_that_can_not_be_read_hides_neither_ours_nor_anything_else(box, client, draft):
    box.add_handle("colleague")

    def on_write(gateway, request, _number):
        gateway.pass_on(request)
        theirs.append(client.add_image("colleague", draft.submission()).id)  # with the same URL and note
        return httpx.Response(502)

    def on_read(_gateway, request):
        if theirs and request.url.path == f"/image/{theirs[0]}":
            return httpx.Response(404, json={"error": True, "message": "Not found"})

    theirs: list[str] = []
    receipt = publish_draft(draft, through(box, Gateway(on_write, on_read)), box.handle)
    assert client.image(receipt.id).handle.handle == box.handle


def test_a_candidate_that_can_not_be_read_is_reported_and_only_a_duplicate_that_is_asked_for_goes_past_it(
    box, client, draft
):
    def on_read(_gateway, request):
        if request.url.path.startswith("/image/"):
            return httpx.Response(404, json={"error": True, "message": "Not found"})

    way = through(box, Gateway(answers_after(502), on_read))
    step = plan(draft, way, box.handle)[0]
    (id,) = unclear_id(way, step, client)
    keys = {attempt.key for attempt in history()}
    with pytest.raises(UnclearError, match=f"image {id} can't be read"):
        publish_planned(step, way, resend=keys)
    assert published(client, draft) == 1
    publish_planned(step, way, again=True)
    assert published(client, draft) == 2


def unclear_id(way, step, client) -> list[str]:
    with pytest.raises(UnclearError):
        publish_planned(step, way)
    return [image.id for image in client.find_images(step.url)]


def test_what_is_unclear_is_looked_for_again_at_the_end_of_a_batch_without_being_asked(box, client, monkeypatch):
    """The server is restarted in mid-batch: it does what it was sent, answers nothing, and can't be looked at for a while."""
    monkeypatch.setattr("constellations_widgets.publishing.batch.END_WAITS", (0.0, 0.05, 0.05))
    drafts, down, looks = [make_draft() for _ in range(12)], threading.Event(), []

    def on_write(gateway, request, number):
        if number in (4, 5, 6):
            down.set()
            return answers_after(502, first=99)(gateway, request, number)

    def on_read(_gateway, request):
        if down.is_set() and request.url.path.endswith("find-by-legacy-url"):
            looks.append(request)
            if len(looks) < 9:  # for as long as the rows themselves look, and at the first look at the end
                raise httpx.ConnectError("refused", request=request)

    way, told = through(box, Gateway(on_write, on_read)), []
    batch = Batch(
        plan(drafts, way, box.handle), way, threads=4, on_progress=lambda batch, _row: told.append(batch.message)
    )
    batch.start()
    batch.wait()
    assert batch.counts == {"published": 12} and [published(client, draft) for draft in drafts] == [1] * 12
    assert any("Checking the server again" in message for message in told) and batch.message == ""


def test_a_batch_that_waits_to_send_again_says_so_and_can_be_stopped(box, client, draft, monkeypatch):
    way = through(box, Gateway(answers_instead(502)))
    batch = Batch(plan(draft, way, box.handle), way, on_progress=lambda batch, _row: told.append(batch.message))
    told: list[str] = []
    batch.start()
    batch.wait()
    monkeypatch.setattr(f"{RECONCILE}.SETTLING_TIME", 600.0)
    batch.resend_unclear()
    while not any("Waiting" in message for message in told):
        assert batch.running
    batch.stop()
    assert batch.wait(20) and batch.counts == {"unclear": 1} and published(client, draft) == 0


def moved(draft):
    other = make_same(draft)
    other.wwt.center_x = 99.0
    return other


@pytest.mark.parametrize("handle", ["own", "colleague"])
def test_the_same_url_with_another_placement_is_refused_whatever_is_said(box, client, draft, handle):
    box.add_handle("colleague")
    first = client.add_image(box.handle if handle == "own" else handle, draft.submission()).id
    for options in ({}, {"anyway": True}, {"again": True}, {"again": True, "anyway": True}):
        with pytest.raises(PublishError, match=f"{first}.*another placement.*another address"):
            publish_draft(moved(draft), client, box.handle, **options)
    assert published(client, draft) == 1


def test_the_same_url_with_another_placement_is_refused_before_a_list_shows_it_and_within_one_plan(box, client, draft):
    def shows_nothing(_gateway, request):
        if request.url.path.endswith("find-by-legacy-url"):
            return httpx.Response(200, json={"error": False, "results": []})

    blind = through(box, Gateway(on_read=shows_nothing))
    steps = plan([draft, moved(draft)], blind, box.handle)
    assert [step.decision for step in steps] == ["publish", "blocked"] and "in this plan already" in steps[1].reasons[0]
    publish_draft(draft, blind, box.handle)
    assert plan(moved(draft), blind, box.handle)[0].decision == "blocked"


def test_an_unclear_attempt_with_another_placement_has_to_be_reconciled_first(box, client, draft):
    way = through(box, Gateway(answers_instead(502)))
    with pytest.raises(UnclearError):
        publish_draft(draft, way, box.handle)
    corrected = moved(draft)
    with pytest.raises(PublishError, match="settle_all"):
        publish_draft(corrected, way, box.handle, again=True, anyway=True)
    settle_all(way, forget=True)
    publish_draft(corrected, way, box.handle)
    assert published(client, draft) == 1


def test_another_thumbnail_is_no_other_placement(box, client, draft):
    client.add_image(box.handle, draft.submission())
    draft.wwt.thumbnail_url = "https://example.org/other.jpg"
    assert plan(draft, client, box.handle)[0].decision == "skip"


@pytest.mark.parametrize("fault", ["the look-up", "the record"])
def test_what_can_not_be_asked_of_the_server_stops_its_own_draft_alone(box, client, fault):
    drafts = [make_draft() for _ in range(5)]
    box.add_handle("colleague")
    theirs = client.add_image("colleague", drafts[2].submission()).id

    def on_read(_gateway, request):
        is_lookup = drafts[2].storage.legacy_url_template.encode() in request.content
        if (fault == "the look-up" and is_lookup) or (fault == "the record" and request.url.path == f"/image/{theirs}"):
            return httpx.Response(500, json={"error": True, "message": "boom"})

    batch = cxw.publish_all(drafts, through(box, Gateway(on_read=on_read)), box.handle)
    assert [row.state for row in batch.rows] == ["published"] * 2 + ["undecided"] + ["published"] * 2
    assert "boom" in batch.rows[2].reason


@pytest.mark.parametrize(
    "odd", [{"note": None}, {"note": 5, "storage": None}, {"creation_date": "yesterday"}, {"handle_id": []}]
)
def test_a_list_with_a_record_of_any_shape_can_be_read(box, client, draft, odd):
    def on_read(gateway, request):
        if request.url.path.endswith("find-by-legacy-url"):
            found = json.loads(gateway.pass_on(request).content)
            stranger = {"_id": "f" * 24, "storage": {}, "note": "x"} | odd
            return httpx.Response(200, json={"error": False, "results": [*found["results"], stranger]})

    way = through(box, Gateway(answers_after(502), on_read))
    receipt = publish_draft(draft, way, box.handle, anyway=True)
    assert [image.id for image in client.find_images(draft.storage.legacy_url_template)] == [receipt.id]


@pytest.mark.parametrize(
    "answer", [answers_after(503, headers=LATER), answers_after(429, headers=LATER), answers_instead(429)]
)
def test_a_change_of_a_published_image_is_read_back_before_it_is_sent_again(box, client, draft, answer):
    id = client.add_image(box.handle, draft.submission()).id
    gateway = Gateway(answer)
    image = PublishedImage(through(box, gateway), id)
    image.note = "Changed"
    assert image.save().complete and client.image(id).note == "Changed"
    assert len(gateway.writes) == (2 if client.image(id) and answer.__name__ == "<lambda>" else 1)


def test_a_full_journal_after_the_request_left_is_unclear_and_no_publish_error(box, draft, monkeypatch):
    journal = Journal()
    way = through(box, Gateway(answers_instead(502)))
    steps = plan(draft, way, box.handle, journal=journal)
    look = "constellations_widgets.publishing.reconcile._look"

    def fail(*_):
        raise cxw.JournalError("full")

    monkeypatch.setattr(look, fail)
    with pytest.raises(UnclearError, match="full"):
        publish_planned(steps[0], way, journal)
    assert isinstance(steps, Plan) and [it.state for it in journal.attempts()] == ["unclear"]


def test_a_receipt_of_an_earlier_version_has_no_duplicates(box, client, draft):
    content = json.loads(client.add_image(box.handle, draft.submission()).to_json())
    del content["duplicates"]
    assert Receipt.from_json(json.dumps(content)).duplicates == ()
