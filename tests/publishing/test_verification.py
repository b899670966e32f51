"""A receipt is one of the image that was sent, whatever responses a middle box delivers to the wrong request."""

from __future__ import annotations

import json
import threading

import httpx
import pytest
from publishing.conftest import make_draft
from publishing.test_exactly_once import Gateway, make_same, through

import constellations_widgets as cxw
from constellations_widgets.errors import BadAnswerError, UnclearError
from constellations_widgets.publishing import Batch, history, plan, publish_all, publish_draft, publish_scene

NOT_FOUND = {"error": True, "message": "Not found"}


def named(id: str, kind: str = "image") -> httpx.Response:
    return httpx.Response(200, json={"error": False, "id": id, "rel_url": f"/{kind}/{id}"})


def crossing(ids, first=1):
    """Pass the request on, and answer as if it were another program's, which made the image with the next of these ids."""

    def on_write(gateway, request, number):
        response = gateway.pass_on(request)
        return named(ids[number - first]) if first <= number < first + len(ids) else response

    return on_write


def ids_of(client, draft) -> list[str]:
    return [image.id for image in client.find_images(draft.storage.legacy_url_template)]


@pytest.fixture
def theirs(box, client) -> list[str]:
    """Images that another program makes at the same time, and that this one has never heard of."""
    return [client.add_image(box.handle, make_draft().submission()).id for _ in range(3)]


def test_a_response_to_another_program_gives_no_receipt(box, client, draft, theirs):
    receipt = publish_draft(draft, through(box, Gateway(crossing(theirs))), box.handle)
    assert ids_of(client, draft) == [receipt.id] and history()[0].image_id == receipt.id


def test_a_response_to_another_program_gives_no_receipt_of_a_scene(box, client, draft):
    receipt = publish_draft(draft, client, box.handle)
    other = publish_scene(receipt, client, text="Another").id

    def on_write(gateway, request, _number):
        gateway.pass_on(request)
        return named(other, "scene")

    made = publish_scene(receipt, through(box, Gateway(on_write)))
    assert made.id != other and client.scene(made.id).text == draft.note


@pytest.mark.parametrize("crossed", [1, 3])
def test_a_batch_verifies_its_receipts_at_its_end(box, client, theirs, crossed):
    drafts = [make_draft() for _ in range(8)]
    gateway = Gateway(crossing(theirs[:crossed], first=4))
    batch = publish_all(drafts, through(box, gateway), box.handle)
    assert [[row.receipt.id] for row in batch.rows] == [ids_of(client, draft) for draft in drafts]
    assert [draft.receipt.id for draft in drafts] == [row.receipt.id for row in batch.rows]
    kept = {attempt.url: attempt.image_id for attempt in history()}
    assert kept == {row.step.url: row.receipt.id for row in batch.rows}
    assert len(gateway.writes) == 8


def test_a_row_whose_image_is_nowhere_is_unclear_and_has_no_receipt(box, client, theirs):
    draft, good = make_draft(), make_draft()

    def on_write(_gateway, request, _number):
        if draft.storage.legacy_url_template.encode() in request.content:
            return named(theirs[0])

    batch = publish_all([draft, good], through(box, Gateway(on_write)), box.handle)
    assert [row.state for row in batch.rows] == ["unclear", "published"]
    assert batch.rows[0].receipt is None and draft.receipt is None and not draft.locked
    assert theirs[0] in batch.rows[0].reason


def test_receipts_of_a_batch_that_was_killed_are_verified_by_the_next_one(box, client, journal, theirs):
    drafts = [make_draft() for _ in range(3)]
    for draft, id in zip(drafts, theirs, strict=True):
        record = client.add_image(box.handle, draft.submission()).id
        step = plan(make_same(draft), client, box.handle)[0]
        key = journal.claim(client.api_url, box.handle, step.url, step.body).key
        journal.published(key, id if draft is drafts[0] else record, f"/image/{id}")
    batch = publish_all(drafts, client, box.handle)
    assert [[row.receipt.id] for row in batch.rows] == [ids_of(client, draft) for draft in drafts]


def test_an_image_that_was_changed_since_keeps_its_receipt(box, client):
    drafts = [make_draft() for _ in range(3)]
    receipts = publish_all(drafts, client, box.handle).receipts
    for receipt in receipts:
        client.update_image(receipt.id, note="Changed", alt_text="Changed.", permissions={"credits": "Another"})
    batch = publish_all(list(map(make_same, drafts)), client, box.handle)
    assert batch.receipts == receipts and batch.counts == {"published": 3}


@pytest.mark.parametrize("fault", ["the list", "the records", "both"])
def test_what_can_not_be_verified_is_believed_where_nothing_is_odd(box, client, fault):
    sent = []

    def on_read(_gateway, request):
        is_list = "/imageinfo" in request.url.path and fault != "the records"
        is_record = request.url.path.startswith("/image/") and fault != "the list"
        if sent and (is_list or is_record):
            return httpx.Response(404, json=NOT_FOUND)

    def on_write(_gateway, request, _number):
        sent.append(request)

    way = through(box, Gateway(on_write, on_read))
    drafts = [make_draft() for _ in range(3)]
    batch = publish_all(drafts[:2], way, box.handle)
    receipts = [*batch.receipts, publish_draft(drafts[2], way, box.handle)]
    assert [[receipt.id] for receipt in receipts] == [ids_of(client, draft) for draft in drafts]
    assert len(sent) == 3


def test_a_list_that_lags_does_not_hinder(box, client):
    def on_read(_gateway, request):
        if "/imageinfo" in request.url.path:
            return httpx.Response(200, json={"error": False, "total_count": 0, "results": []})

    drafts = [make_draft() for _ in range(3)]
    batch = publish_all(drafts, through(box, Gateway(on_read=on_read)), box.handle)
    assert batch.counts == {"published": 3}


@pytest.mark.parametrize("verified", ["before", "after"])
def test_an_image_that_was_given_to_another_attempt_comes_back_to_its_own(box, client, journal, verified):
    """Two threads: one has got the response to the other's request, and believed it before the other got the same."""
    wrong, right = make_draft(), make_draft()
    way = through(box, Gateway())
    step = plan(wrong, client, box.handle)[0]
    key = journal.claim(client.api_url, box.handle, step.url, step.body).key

    def on_write(gateway, request, _number):
        response = gateway.pass_on(request)
        id = json.loads(response.content)["id"]
        journal.published(key, id, f"/image/{id}")
        return response

    way = through(box, Gateway(on_write))
    if verified == "before":
        receipt = publish_draft(right, way, box.handle)
    else:
        batch = Batch(plan(right, way, box.handle), way)
        batch.start()
        batch.wait()
        (receipt,) = batch.receipts
    assert ids_of(client, right) == [receipt.id]
    states = {attempt.url: (attempt.state, attempt.image_id) for attempt in journal.attempts()}
    assert states[step.url] == ("unclear", None)


@pytest.mark.parametrize("shape", ["a record", "no address", "more fields"])
def test_a_response_to_a_read_is_no_receipt(box, client, draft, theirs, shape):
    """The response to a read of a record comes a second time, in the place of the response to a request to publish."""

    def on_write(gateway, request, _number):
        gateway.pass_on(request)
        if shape == "a record":
            return gateway.pass_on(httpx.Request("GET", f"{box.api_url}/image/{theirs[0]}"))
        said = {"error": False, "id": theirs[0]} | (
            {"rel_url": f"/image/{theirs[0]}", "edit": True} if "more" in shape else {}
        )
        return httpx.Response(200, json=said)

    def on_read(_gateway, request):  # nor is it one if the record can't be read just then
        if request.url.path == f"/image/{theirs[0]}":
            return httpx.Response(500, json={"error": True, "message": "boom"})

    way = through(box, Gateway(on_write, on_read))
    batch = publish_all([draft], way, box.handle)
    assert [receipt.id for receipt in batch.receipts] == ids_of(client, draft)


def test_an_id_that_the_server_does_not_have_is_not_believed(box, client):
    draft, nowhere = make_draft(), make_draft()

    def on_write(gateway, request, _number):
        if nowhere.storage.legacy_url_template.encode() not in request.content:
            gateway.pass_on(request)
        return named("a" * 24)

    batch = publish_all([draft, nowhere], through(box, Gateway(on_write)), box.handle)
    assert [receipt.id for receipt in batch.receipts] == ids_of(client, draft)
    assert [row.state for row in batch.rows] == ["published", "unclear"]


@pytest.mark.parametrize("kind", ["image", "scene"])
def test_the_record_of_another_id_is_a_bad_answer(box, client, draft, kind):
    first, second = client.add_image(box.handle, draft.submission()), client.add_image(box.handle, draft.submission())
    if kind == "scene":
        first, second = (publish_scene(each, client, text=each.id) for each in (first, second))

    def on_read(gateway, request):
        return gateway.pass_on(httpx.Request("GET", f"{box.api_url}/{kind}/{second.id}"))

    way = through(box, Gateway(on_read=on_read))
    with pytest.raises(BadAnswerError, match=f"is the {kind} '{second.id}'"):
        getattr(way, kind)(first.id)
    assert getattr(way, kind)(second.id.upper()).id == second.id


def test_one_id_for_two_requests_is_believed_by_one_of_them_at_most(box, client):
    """32 threads, and every response but one names the same image."""
    drafts, first, lock = [make_draft() for _ in range(32)], [], threading.Lock()

    def on_write(gateway, request, _number):
        response = gateway.pass_on(request)
        with lock:
            first.append(response)
        return named(json.loads(first[0].content)["id"])

    batch = publish_all(drafts, through(box, Gateway(on_write)), box.handle)
    assert [[row.receipt.id] for row in batch.rows] == [ids_of(client, draft) for draft in drafts]


def test_a_single_image_whose_record_is_another_and_that_is_nowhere_is_unclear(box, draft, theirs):
    way = through(box, Gateway(lambda *_: named(theirs[0])))
    with pytest.raises(UnclearError, match=f"{theirs[0]}, which is not known to be what was sent"):
        publish_draft(draft, way, box.handle)
    assert isinstance(draft, cxw.ImageDraft) and draft.receipt is None
