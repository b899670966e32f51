"""What may have been published is not published a second time with another text, unless a duplicate is asked for."""

from __future__ import annotations

import threading

import httpx
import pytest
from publishing.conftest import make_draft, published
from publishing.test_exactly_once import Gateway, answers_after, answers_instead, make_same, moved, through

import constellations_widgets as cxw
from constellations_widgets.errors import PublishError, UnclearError
from constellations_widgets.publishing import (
    Batch,
    history,
    plan,
    publish_all,
    publish_draft,
    publish_planned,
    publish_scene,
    settle_all,
)

TEXTS = [
    {"note": "Another note"},
    {"alt_text": "Another text."},
    {"permissions.credits": "ESO"},
    {"permissions.license": "CC-BY-SA-4.0"},
    {"permissions.copyright": "Another"},
    {"wwt.thumbnail_url": "https://example.org/other.jpg"},
]


def edited(draft, changes=None):
    other = make_same(draft)
    other.update(changes or TEXTS[0])
    return other


def unclear(box, draft) -> cxw.Constellations:
    """Return a client through which an attempt has become unclear; the server made nothing."""
    way = through(box, Gateway(answers_instead(502)))
    with pytest.raises(UnclearError):
        publish_draft(draft, way, box.handle)
    return way


@pytest.mark.parametrize("changes", TEXTS, ids=lambda it: next(iter(it)))
def test_another_text_is_not_sent_while_an_attempt_is_unclear(box, client, draft, changes):
    way = unclear(box, draft)
    with pytest.raises(PublishError, match=r"may have succeeded.*Reconcile it first: cxw\.settle_all") as caught:
        publish_draft(edited(draft, changes), way, box.handle, anyway=True)
    assert "again=True" in str(caught.value)
    assert published(client, draft) == 0 and [it.state for it in history()] == ["unclear"]
    settle_all(way, forget=True)
    publish_draft(edited(draft, changes), way, box.handle)
    assert published(client, draft) == 1


def test_a_duplicate_with_another_text_is_sent_if_it_is_asked_for(box, client, draft):
    way = unclear(box, draft)
    publish_draft(edited(draft), way, box.handle, again=True)
    assert published(client, draft) == 1 and [it.state for it in history()] == ["published", "unclear"]


def test_a_batch_sends_no_other_text_while_an_attempt_is_unclear(box, client, draft):
    way = unclear(box, draft)
    batch = publish_all([edited(draft), make_draft()], way, box.handle, anyway=True)
    assert [row.state for row in batch.rows] == ["skipped", "published"] and published(client, draft) == 0
    assert "settle_all" in batch.rows[0].reason


@pytest.mark.parametrize("state", ["sending", "unclear", "published"])
@pytest.mark.parametrize("change", ["text", "placement"])
def test_a_plan_that_is_out_of_date_sends_nothing_beside_what_began_since(box, client, journal, draft, state, change):
    """Two programs plan at the same time: the second one to send is stopped by the journal, whatever its plan says."""
    other = edited(draft) if change == "text" else moved(draft)
    step = plan(other, client, box.handle)[0]
    assert step.decision == "publish"
    request = draft.submission().to_json()
    attempt = journal.claim(client.api_url, box.handle, step.url, request)
    if state == "unclear":
        journal.unclear(attempt.key, "No answer.")
    elif state == "published":
        journal.published(attempt.key, "a" * 24, f"/image/{'a' * 24}")
    for options in ({"anyway": True}, *([{"again": True}] if change == "placement" else [])):
        with pytest.raises(PublishError, match=f"the same image URL and another {change}"):
            publish_planned(step, client, **options)
    assert published(client, draft) == 0
    if change == "text":
        publish_planned(step, client, again=True)
        assert published(client, draft) == 1


def test_of_two_threads_with_two_texts_of_one_image_one_publishes(box, client, draft):
    begin, outcomes = threading.Barrier(2), []
    steps = [plan(each, client, box.handle)[0] for each in (draft, edited(draft))]

    def publish(step):
        begin.wait()
        try:
            outcomes.append(publish_planned(step, client))
        except PublishError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=publish, args=[step]) for step in steps]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert published(client, draft) == 1 and sorted(type(it).__name__ for it in outcomes)[1] == "Receipt"


def test_a_batch_row_that_another_text_has_overtaken_fails_and_says_why(box, client, draft):
    batch = Batch(plan(edited(draft), client, box.handle), client, anyway=True)
    publish_draft(draft, client, box.handle)
    batch.start()
    batch.wait()
    assert batch.rows[0].state == "failed" and "was published as" in batch.rows[0].reason
    assert published(client, draft) == 1


@pytest.mark.parametrize("made", [True, False])
def test_what_is_sent_again_is_looked_for_together_with_its_other_texts(box, client, draft, made):
    """Both the image and a duplicate with another text are unclear. One of them is sent again."""
    held: list[httpx.Request] = []

    def hold(_gateway, request, number):
        held.append(request)
        return httpx.Response(504) if number <= 2 else None

    gateway = Gateway(hold)
    way, other = through(box, gateway), edited(draft)
    for each in (draft, other):
        with pytest.raises(UnclearError):
            publish_draft(each, way, box.handle, again=True)
    if made:
        gateway.pass_on(held[0])
    step = plan(other, way, box.handle, journal=None)[0]
    keys = {it.key for it in step.earlier}
    if made:
        with pytest.raises(PublishError):
            publish_planned(step, way, resend=keys)
    else:
        publish_planned(step, way, resend=keys)
    assert published(client, draft) == 1


def test_a_published_image_whose_record_cannot_be_read_is_not_sent_with_another_text(box, client, draft):
    id = publish_draft(draft, client, box.handle).id

    def on_read(_gateway, request):
        if request.url.path == f"/image/{id}":
            return httpx.Response(500, json={"error": True, "message": "boom"})

    with pytest.raises(PublishError, match=f"as {id}"):
        publish_draft(edited(draft), through(box, Gateway(on_read=on_read)), box.handle, anyway=True)
    assert published(client, draft) == 1


def test_a_scene_with_another_text_is_not_sent_while_the_first_is_unclear(box, client, draft):
    receipt = publish_draft(draft, client, box.handle)
    before = {scene.id for scene in client.handle_scenes(box.handle)}
    way = through(box, Gateway(answers_instead(502)))
    with pytest.raises(UnclearError):
        publish_scene(receipt, way, text="First")
    for changes in (
        {"text": "Second"},
        {"text": "First", "published": True},
        {"text": "First", "outgoing_url": "https://a.org"},
    ):
        with pytest.raises(PublishError, match="the same view and layers and another text.*settle_all.*again=True"):
            publish_scene(receipt, way, **changes)
    assert {scene.id for scene in client.handle_scenes(box.handle)} == before
    publish_scene(receipt, way, text="Second", opacity=0.5)  # another scene
    publish_scene(receipt, way, text="Second", again=True)
    assert len(client.handle_scenes(box.handle)) == len(before) + 2


def test_a_second_scene_of_an_image_needs_nothing_said(box, client, draft):
    receipt = publish_draft(draft, client, box.handle)
    way = through(box, Gateway(answers_after(502)))
    first, second = publish_scene(receipt, way, text="First"), publish_scene(receipt, way, text="Second")
    assert first.id != second.id
