"""The publisher in the kernel: review, confirmation, progress, outcome, against a real sandbox."""

from __future__ import annotations

import json
import threading
import time

import pytest
from api.broken_server import reset
from examples import tiled
from publishing.conftest import FaultyProxy, MadeUpWeb, made_up_web  # noqa: F401  (a fixture for all tests here)
from widgets.conftest import say

from constellations_widgets import Constellations, ImageDraft, InvalidError, PublishedImage, Publisher, Sandbox
from constellations_widgets.api.web import ProbeResult
from constellations_widgets.auth.oidc_session import session_at
from constellations_widgets.auth.session import Session
from constellations_widgets.publishing.image_source import ImageSource
from constellations_widgets.publishing.journal import default_journal
from constellations_widgets.publishing.plan import plan
from constellations_widgets.sources.reading import ParsedImage


@pytest.fixture
def draft(request):
    url = f"https://example.org/{request.node.name}/{{1}}/{{3}}/{{3}}_{{2}}.png"
    return ImageDraft(ParsedImage(tiled({"storage.legacy_url_template": url}), name="M 51"), autosave=False)


@pytest.fixture
def publisher(draft, box):
    made = Publisher(draft, box.client(), handle=box.handle)
    yield made
    wait(made, "editing", "review", "published", "failed", "unclear")
    made.close()


def wait(publisher: Publisher, *phases: str) -> dict:
    """The status, once the worker has come to one of these phases and is at rest."""
    deadline = time.monotonic() + 120
    while publisher.status["phase"] not in phases or publisher._publication.worker.busy:
        assert time.monotonic() < deadline, publisher.status
        time.sleep(0.01)
    return publisher.status


def sign_in_at(box: Sandbox) -> Session:
    return session_at(box.api_url, keycloak_url=box.keycloak_url)


def review(publisher: Publisher) -> dict:
    say(publisher, "review")
    return wait(publisher, "review")["review"]


@pytest.fixture
def proxied(draft, box, monkeypatch):
    """Makes a publisher whose first request to publish meets a broken connection; the sandbox gets it or not."""
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_WAITS", (0.0,))
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_TIME", 0.05)
    opened = []

    def unclear_publisher(*, commits: bool) -> Publisher:
        opened.append(FaultyProxy(box, reset, commits=commits))
        made = Publisher(draft, Constellations(opened[0].url, auth=box.token()), handle=box.handle)
        say(made, "confirm", ticket=review(made)["ticket"])
        opened.append(made)
        return made

    yield unclear_publisher
    for thing in reversed(opened):
        thing.close()


def test_an_image_whose_answer_was_lost_is_found_and_has_its_receipt(proxied, box, draft):
    assert wait(proxied(commits=True), "published", "unclear")["phase"] == "published"
    assert [image.id for image in images(box, draft)] == [draft.receipt.id]


def test_after_an_unclear_outcome_looking_sends_nothing_and_sending_again_sends_once(proxied, box, draft):
    publisher = proxied(commits=False)
    message = wait(publisher, "unclear")["message"]
    assert "was not found at the server" in message
    assert "again=True" not in message and "history()" not in message  # the page has buttons
    say(publisher, "check")
    wait(publisher, "unclear")
    assert images(box, draft) == []
    say(publisher, "resend")
    wait(publisher, "published")
    assert [image.id for image in images(box, draft)] == [draft.receipt.id]


def test_looking_for_what_was_given_up_meanwhile_sends_nothing(proxied, box, draft):
    publisher = proxied(commits=False)
    wait(publisher, "unclear")
    default_journal().refused(default_journal().unsettled()[0].key, "Given up.")
    say(publisher, "check")
    assert "abandoned" in wait(publisher, "failed", "published")["message"] and images(box, draft) == []


def test_what_another_process_found_or_sent_meanwhile_is_not_sent_again(proxied, box, draft):
    publisher = proxied(commits=False)
    wait(publisher, "unclear")
    receipt = box.client().add_image(box.handle, draft.submission())  # by another notebook, say
    (lost,) = default_journal().unsettled()
    default_journal().published(lost.key, receipt.id, receipt.rel_url)
    say(publisher, "resend")
    assert wait(publisher, "published", "failed")["receipt"]["id"] == receipt.id
    assert [image.id for image in images(box, draft)] == [receipt.id]


def test_once_an_attempt_is_reconciled_its_source_is_said_to_be_published(proxied, box, draft, monkeypatch):
    monkeypatch.setattr(ImageSource, "of", lambda _draft: ImageSource("m51.jpg", "its digest"))
    first = proxied(commits=False)
    wait(first, "unclear")
    receipt = box.client().add_image(box.handle, draft.submission())  # the request arrives after all
    values = tiled({"storage.legacy_url_template": "https://example.org/again/{1}/{3}/{3}_{2}.png"})
    again = Publisher(ImageDraft(ParsedImage(values), autosave=False), first._publication.client, box.handle)
    wait_for_source(again, "You may have published this file ")
    deadline = time.monotonic() + 120
    while again.pending_attempts["phase"] != "offer" or again._pending.worker.busy:
        assert time.monotonic() < deadline, again.pending_attempts
        time.sleep(0.01)
    say(again, "reconcile")
    wait_for_source(again, "You published this file ")
    assert receipt.id in again.published_before[0]["name"]


def test_what_another_window_publishes_is_followed_until_its_outcome(publisher, box, draft, monkeypatch):
    monkeypatch.setattr("constellations_widgets.widgets.publisher._LOOK_AGAIN", 0.01)
    source = ImageSource("m51.jpg", "its digest")
    monkeypatch.setattr(ImageSource, "of", lambda _draft: source)
    body, url = draft.submission().to_json(), draft.storage.legacy_url_template
    other = default_journal().claim(box.api_url, box.handle, url, body, source=source)
    say(publisher, "review")
    wait_for_source(publisher, "This file is being published right now")
    default_journal().published(other.key, "f" * 24, "/image/f")
    wait_for_source(publisher, "You published this file ")


def wait_for_source(publisher: Publisher, beginning: str) -> None:
    """Wait until the publisher says this of the one earlier publication of its source."""
    deadline = time.monotonic() + 120
    while not [it for it in publisher.published_before if it["head"].startswith(beginning)]:
        assert time.monotonic() < deadline, publisher.published_before
        time.sleep(0.01)


def test_a_new_reason_to_decide_is_told_before_anything_is_sent(publisher, box, draft):
    shown = review(publisher)
    box.add_handle("elsewhere")
    box.client().add_image("elsewhere", draft.submission())
    say(publisher, "confirm", ticket=shown["ticket"])
    assert "'elsewhere' has an image with the same image URL" in wait(publisher, "failed", "published")["message"]
    assert len(images(box, draft)) == 1


def test_what_was_confirmed_already_is_not_said_again_when_the_image_is_there_meanwhile(publisher, box, draft):
    draft.update({"alt_text": ""})
    shown = review(publisher)
    assert any(reason.startswith("alt_text") for reason in shown["reasons"])
    box.client().add_image(box.handle, draft.submission())
    say(publisher, "confirm", ticket=shown["ticket"], anyway=True)
    message = wait(publisher, "failed", "published")["message"]
    assert message.startswith("There already: image ") and "alt_text" not in message


def test_what_was_changed_after_an_unclear_outcome_is_sent_once_that_is_reconciled(proxied, box, draft):
    publisher = proxied(commits=False)
    wait(publisher, "unclear")
    draft.edit({"note": "Another note"})
    say(publisher, "resend")
    shown = wait(publisher, "review", "published")["review"]
    assert json.loads(shown["body"])["note"] == "Another note" and "may have succeeded" in " ".join(shown["reasons"])
    assert not shown["ready"] and images(box, draft) == []  # the first attempt is to be reconciled, or given up, first
    say(publisher, "confirm", ticket=shown["ticket"], anyway=True)
    assert publisher.status["phase"] == "review" and images(box, draft) == []
    deadline = time.monotonic() + 120
    while [item["state"] for item in publisher.pending_attempts["items"]] != ["refused"]:
        assert time.monotonic() < deadline, publisher.pending_attempts
        say(publisher, "abandon")  # too early, it is not abandoned yet
        time.sleep(0.05)
    shown = review(publisher)
    say(publisher, "confirm", ticket=shown["ticket"], anyway=True)
    wait(publisher, "published")
    assert [image.note for image in images(box, draft)] == ["Another note"]


def images(box: Sandbox, draft: ImageDraft) -> list:
    return box.client().find_images(draft.storage.legacy_url_template)


def test_the_review_shows_the_exact_request_and_sends_nothing(publisher, box, draft):
    shown = review(publisher)
    assert json.loads(shown["body"]) == draft.submission().to_request()
    assert shown["request"] == f"POST {box.api_url}/handle/{box.handle}/image"
    assert shown["size"] == len(draft.submission().to_json())
    assert shown["ready"]
    assert images(box, draft) == []


def test_what_the_web_lacks_is_in_the_review_and_can_be_published_nonetheless(publisher, box, draft, monkeypatch):
    looks = []

    def nothing_there(web, url, enough, *, private):
        looks.append(threading.current_thread() is threading.main_thread())
        return ProbeResult(status=404)

    monkeypatch.setattr(MadeUpWeb, "probe", nothing_there)
    shown = review(publisher)
    assert [reason.split(":")[0] for reason in shown["reasons"]] == ["storage.legacy_url_template", "wwt.thumbnail_url"]
    assert all("the status 404" in reason for reason in shown["reasons"])
    assert looks == [False, False]  # the page waits for no other server
    for anyway in ({}, {"anyway": False}, {"anyway": "yes"}):  # a doubt takes a decision, whatever a page sends
        say(publisher, "confirm", ticket=shown["ticket"], **anyway)
        assert publisher.status["phase"] == "review"
    say(publisher, "confirm", ticket=shown["ticket"], anyway=True)
    wait(publisher, "published")
    assert len(images(box, draft)) == 1 and len(looks) == 2


def test_a_confirmation_publishes_once_however_often_it_comes(publisher, box, draft):
    ticket = review(publisher)["ticket"]
    threads = [threading.Thread(target=say, args=(publisher, "confirm"), kwargs={"ticket": ticket}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    status = wait(publisher, "published")
    say(publisher, "confirm", ticket=ticket)
    say(publisher, "review")
    assert [image.id for image in images(box, draft)] == [status["receipt"]["id"]] == [draft.receipt.id]
    assert publisher.receipt is draft.receipt


def test_the_review_names_the_account_and_holds_for_that_account_only(draft, box):
    signed = sign_in_at(box)
    signed.use_token(box.token())
    made = Publisher(draft, Constellations(box.api_url, auth=signed), handle=box.handle)
    shown = review(made)
    assert shown["account"] == box.handle
    signed.use_token(box.token(claims={"preferred_username": "grace"}))
    say(made, "confirm", ticket=shown["ticket"], anyway=True)
    assert wait(made, "editing")["message"] == "The sign-in changed after the review. Review it again."
    assert images(box, draft) == []
    shown = review(made)
    assert shown["account"] == "grace"
    say(made, "confirm", ticket=shown["ticket"], anyway=True)
    wait(made, "published")
    made.close()


@pytest.mark.parametrize("ticket", [None, "", "another", 7])
def test_a_confirmation_of_another_review_does_nothing(publisher, box, draft, ticket):
    review(publisher)
    say(publisher, "confirm", ticket=ticket)
    assert wait(publisher, "review")
    assert images(box, draft) == []


def test_a_change_after_the_review_takes_it_back(publisher, box, draft):
    ticket = review(publisher)["ticket"]
    draft.note = "another"
    assert publisher.status["phase"] == "editing"
    say(publisher, "confirm", ticket=ticket)
    assert publisher.status["phase"] == "editing"
    assert images(box, draft) == []


def test_a_change_while_the_review_is_made_takes_it_back_too(publisher, draft, monkeypatch):
    from constellations_widgets.widgets import publisher as module

    def slow_plan(*arguments):
        made = plan(*arguments)
        draft.note = "changed meanwhile"
        return made

    plan = module.plan
    monkeypatch.setattr(module, "plan", slow_plan)
    say(publisher, "review")
    assert wait(publisher, "editing")["review"] is None


def test_an_image_that_is_there_already_can_not_be_confirmed(publisher, box, draft):
    box.client().add_image(box.handle, draft.submission())
    shown = review(publisher)
    assert not shown["ready"]
    assert "There already" in shown["reasons"][0]
    say(publisher, "confirm", ticket=shown["ticket"])
    assert wait(publisher, "review")
    assert len(images(box, draft)) == 1


def test_an_account_that_may_not_is_told_before_anything_is_sent(draft, box):
    publisher = Publisher(draft, Constellations(box.api_url, auth=box.token(account="stranger")), handle=box.handle)
    shown = review(publisher)
    assert not shown["ready"]
    assert "may not add images" in shown["reasons"][0]
    publisher.close()


def test_a_server_that_is_not_there_is_said_and_the_draft_stays(draft):
    publisher = Publisher(draft, Constellations("http://127.0.0.1:9", auth="a.b.c"), handle="me")
    say(publisher, "review")
    status = wait(publisher, "failed")
    assert "127.0.0.1:9" in status["message"]
    say(publisher, "cancel")
    assert wait(publisher, "editing")
    assert draft.problems == ImageDraft.from_submission(draft.submission(), autosave=False).problems
    publisher.close()


def test_without_client_or_handle_the_reason_is_said(draft, box):
    for publisher in (Publisher(draft), Publisher(draft, box.client())):
        assert "pass " in publisher.status["blocked"]
        say(publisher, "review")
        assert publisher.status["phase"] == "editing"
        publisher.close()


def test_what_is_no_draft_client_or_handle_is_said_at_once(draft, box):
    client = box.client()
    image = PublishedImage(client, client.add_image(box.handle, draft.submission()).id)
    with pytest.raises(TypeError, match=r"is published already.*ImageForm\(image\)"):
        Publisher(image, client, box.handle)
    with pytest.raises(TypeError, match="takes a client, not a str"):
        Publisher(draft, box.api_url, box.handle)
    with pytest.raises(InvalidError, match="is not a handle"):
        Publisher(draft, client, client.handle(box.handle))


def test_a_draft_with_errors_is_blocked_in_the_review(publisher, box, draft):
    draft.permissions.license = "bogus"
    assert not review(publisher)["ready"]


def test_no_status_holds_the_token(draft, box):
    token = box.token()
    publisher = Publisher(draft, Constellations(box.api_url, auth=token), handle=box.handle)
    seen = [json.dumps(publisher.get_state(), default=str)]
    publisher.observe(lambda change: seen.append(json.dumps(change["new"])), "status")
    say(publisher, "confirm", ticket=review(publisher)["ticket"])
    wait(publisher, "published")
    assert len(seen) > 3
    assert not any(token in text or token.split(".")[2] in text for text in seen)
    publisher.close()


def test_while_it_is_published_the_page_can_change_nothing(publisher, box, draft, monkeypatch):
    from constellations_widgets.widgets import publisher as module

    def slow(*arguments, **keywords):
        assert publisher.state["locked"]
        message = {"kind": "edit", "client": "a-page", "seq": 1, "changes": {"note": "EDIT WHILE SENDING"}}
        publisher._on_message(publisher, message, [])
        return send_it(*arguments, **keywords)

    send_it = module.publish_planned
    monkeypatch.setattr(module, "publish_planned", slow)
    say(publisher, "confirm", ticket=review(publisher)["ticket"])
    assert wait(publisher, "published")["receipt"]["same"]
    assert draft.note == box.client().image(draft.receipt.id).note != "EDIT WHILE SENDING"


def test_a_change_in_python_while_it_is_published_is_said_beside_the_receipt(publisher, draft, monkeypatch):
    from constellations_widgets.widgets import publisher as module

    def slow(*arguments, **keywords):
        receipt = send_it(*arguments, **keywords)
        draft.note = "changed too late"
        return receipt

    send_it = module.publish_planned
    monkeypatch.setattr(module, "publish_planned", slow)
    say(publisher, "confirm", ticket=review(publisher)["ticket"])
    assert not wait(publisher, "published")["receipt"]["same"]


def test_an_image_published_during_the_review_is_not_published_again(publisher, box, draft):
    ticket = review(publisher)["ticket"]
    box.client().add_image(box.handle, draft.submission())  # a colleague, on another machine
    say(publisher, "confirm", ticket=ticket)
    assert "There already" in wait(publisher, "failed")["message"]
    assert len(images(box, draft)) == 1
    assert not draft.locked  # and the draft is free again


@pytest.mark.parametrize("kind", ["resend", "check", "confirm", "cancel"])
def test_what_a_page_writes_into_a_trait_decides_nothing(publisher, box, draft, kind):
    review(publisher)
    status = dict(publisher.status)
    forged = {**status, "phase": "unclear", "review": {**status["review"], "ticket": "mine", "ready": True}}
    publisher._handle_msg({"content": {"data": {"method": "update", "state": {"status": forged}, "buffer_paths": []}}})
    assert publisher.status == status  # nothing is taken from it
    publisher.status = forged  # and if it were, nothing would rest on it
    say(publisher, kind, ticket="mine")
    assert not publisher._publication.worker.busy and publisher._publication.phase == (
        "editing" if kind == "cancel" else "review"
    )
    assert images(box, draft) == []


def test_a_check_that_takes_long_is_cancelled_and_its_end_changes_nothing(publisher, monkeypatch):
    def slow(*arguments):
        workers.append(threading.current_thread())
        asked.set()
        assert answered.wait(120)
        return plan(*arguments)

    workers: list[threading.Thread] = []
    asked, answered = threading.Event(), threading.Event()
    monkeypatch.setattr("constellations_widgets.widgets.publisher.plan", slow)
    say(publisher, "review")
    assert asked.wait(120) and publisher.status["phase"] == "planning"
    say(publisher, "cancel")
    assert publisher.status["phase"] == "editing"
    answered.set()
    workers[0].join(120)
    assert publisher.status["phase"] == "editing" and publisher.status["review"] is None
    assert review(publisher)["ready"]


def test_waiting_to_send_again_is_shown_and_can_be_stopped(proxied, box, draft, monkeypatch):
    made = proxied(commits=False)
    wait(made, "unclear")
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_TIME", 600.0)
    say(made, "resend")
    deadline = time.monotonic() + 120
    while not made.status["waiting"]:
        assert time.monotonic() < deadline, made.status
        time.sleep(0.01)
    assert "Waiting" in made.status["progress"]
    say(made, "cancel")
    assert "was not found at the server" in wait(made, "unclear")["message"]
    assert images(box, draft) == []
