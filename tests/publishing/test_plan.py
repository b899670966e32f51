from __future__ import annotations

import json
import threading

import httpx
import pytest
from publishing.conftest import make_draft, published

from constellations_widgets.api import Constellations
from constellations_widgets.checks import UNSAVED
from constellations_widgets.errors import InvalidError, NotSentError
from constellations_widgets.publishing import plan, publish_all, publish_draft, publish_scene, settle_all
from constellations_widgets.publishing.published import PublishedImage


def only(steps):
    (step,) = steps
    return step


def test_a_good_draft_is_to_be_published_exactly_as_it_stands(client, box, draft):
    step = only(plan(draft, client, f"@{box.handle}"))
    assert (step.decision, step.api_url, step.handle) == ("publish", box.api_url, box.handle)
    assert step.body == draft.submission().to_json()
    assert step.request == json.loads(step.body) == draft.submission().to_request()
    assert step.name == draft.name and box.handle in step.destination


def test_a_plan_sends_nothing_that_changes_anything(client, box, draft):
    plan(draft, client, box.handle)
    assert published(client, draft) == 0


def test_what_is_no_draft_client_handle_or_receipt_is_said_before_anything_is_asked(client, box, draft):
    image = PublishedImage(client, publish_draft(make_draft(), client, box.handle))
    for call, fault in (
        (lambda: publish_all("m51/index_rel.wtml", client, box.handle), "not a str.*all_from_wtml"),
        (lambda: plan(None, client, box.handle), "takes an ImageDraft, not a NoneType"),
        (lambda: plan([draft, image], client, box.handle), "is published already.*ImageForm"),
        (lambda: publish_draft(draft, box.api_url, box.handle), "takes a client, not a str"),
        (lambda: settle_all(None), "takes a client"),
        (lambda: publish_scene(draft, client), "receipt of a published image, not of this ImageDraft"),
    ):
        with pytest.raises(TypeError, match=fault):
            call()
    with pytest.raises(InvalidError, match="is not a handle"):
        plan(draft, client, client.handle(box.handle))


def test_progress_is_reported_and_its_callback_can_cancel(client, box):
    drafts, told = [make_draft() for _ in range(3)], []

    def tell(*what):
        told.append(what)
        if what == ("web", 2, 4):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan(drafts, client, box.handle, on_progress=tell)
    assert told == [("server", done, 3) for done in (1, 2, 3)] + [("web", done, 4) for done in (1, 2)]  # one thumbnail


def test_later_changes_of_the_draft_do_not_reach_the_plan(client, box, draft):
    step = only(plan(draft, client, box.handle))
    draft.note = "Something else"
    assert step.request["note"] != "Something else"


def test_a_draft_with_errors_is_blocked_and_each_error_said(client, box):
    step = only(plan(make_draft(**{"permissions.license": "Creative", "wwt.center_x": 400.0}), client, box.handle))
    assert (step.decision, step.body) == ("blocked", None)
    assert any("license" in reason for reason in step.reasons) and any("center_x" in reason for reason in step.reasons)


def test_warnings_need_a_decision(client, box):
    step = only(plan(make_draft(alt_text=""), client, box.handle))
    assert step.decision == "decide"
    assert any(reason.startswith("alt_text") for reason in step.reasons)


def test_edits_that_cannot_be_saved_say_nothing_about_the_image(client, box, draft):
    draft._autosave_told(OSError("No space left on device"))  # the journal, which can be written, decides
    assert UNSAVED in {problem.code for problem in draft.problems}
    assert only(plan(draft, client, box.handle)).decision == "publish"


def test_the_same_url_under_this_handle_is_skipped(client, box, draft):
    id = client.add_image(box.handle, draft.submission()).id
    draft.note = "The same image, described anew"
    step = only(plan(draft, client, box.handle))
    assert step.decision == "skip"
    assert id in step.reasons[0]
    assert [image.id for image in step.existing] == [id]


def test_the_same_url_under_another_handle_needs_a_decision(client, box, draft):
    box.add_handle("colleague")
    client.add_image("colleague", draft.submission())
    step = only(plan(draft, client, box.handle))
    assert step.decision == "decide"
    assert "'colleague'" in step.reasons[0]


def test_the_same_draft_twice_in_a_plan_is_published_once(client, box, draft):
    other = make_draft()
    decisions = [step.decision for step in plan([draft, other, draft], client, box.handle)]
    assert decisions == ["publish", "publish", "skip"]


def test_the_same_image_url_twice_in_a_plan_is_published_once(client, box, draft):
    url = draft.storage.legacy_url_template
    other = make_draft(**{"storage.legacy_url_template": url, "note": "The same image, described anew"})
    first, second = plan([draft, other], client, box.handle)
    assert (first.decision, second.decision) == ("publish", "skip")
    assert draft.name in second.reasons[0] and "the same image URL" in second.reasons[0]


def test_the_server_is_asked_for_each_url_once_and_for_several_beside_each_other(client, box, draft, monkeypatch):
    asked, beside = [], threading.Barrier(8, timeout=120)
    find = client.find_images

    def find_with_others(url):
        asked.append(url)
        beside.wait()  # passes once eight are asked for at the same time
        return find(url)

    monkeypatch.setattr(client, "find_images", find_with_others)
    drafts = [draft, draft, *(make_draft() for _ in range(7))]
    steps = plan(drafts, client, box.handle)
    assert len(asked) == 8 and [step.url for step in steps] == [d.storage.legacy_url_template for d in drafts]


def test_a_server_that_goes_away_during_the_lookups_is_an_error(client, box, draft, monkeypatch):
    def gone(url):
        raise NotSentError("the server is gone")

    monkeypatch.setattr(client, "find_images", gone)
    with pytest.raises(NotSentError, match="is gone"):
        plan([draft, make_draft()], client, box.handle)


@pytest.mark.parametrize("handle", ["nobody", "a/b"])
def test_an_unknown_handle_blocks_all(client, draft, handle):
    steps = plan([draft, make_draft()], client, handle)
    assert [step.decision for step in steps] == ["blocked", "blocked"]
    assert f"There is no handle {handle!r}" in str(steps)


def test_a_handle_of_another_user_blocks_all(client, box, draft):
    box.add_handle("theirs", owner="somebody else")
    step = only(plan(draft, client, "theirs"))
    assert step.decision == "blocked" and "may not add images" in step.reasons[0]


def test_who_is_not_signed_in_is_told_so(box, draft):
    step = only(plan(draft, Constellations(box.api_url), box.handle))
    assert step.decision == "blocked" and "not signed in" in step.reasons[0]


def test_a_server_that_is_not_there_is_an_error(draft):
    with pytest.raises(NotSentError):
        plan(draft, Constellations("http://127.0.0.1:1", "token"), "me")


def test_what_the_journal_knows_as_published_is_skipped_though_the_server_does_not_list_it(client, box, draft, journal):
    body = draft.submission().to_json()
    attempt = journal.claim(client.api_url, box.handle, draft.storage.legacy_url_template, body)
    journal.published(attempt.key, "f" * 24, "/image/x")
    step = only(plan(draft, client, box.handle))
    assert step.decision == "skip" and "does not show it" in step.reasons[0]


def test_what_is_being_published_elsewhere_is_blocked(client, box, draft, journal):
    journal.claim(client.api_url, box.handle, draft.storage.legacy_url_template, draft.submission().to_json())
    assert only(plan(draft, client, box.handle)).decision == "blocked"


def test_with_another_text_while_an_attempt_is_unclear_it_is_skipped(client, box, draft, journal):
    url = draft.storage.legacy_url_template
    attempt = journal.claim(client.api_url, box.handle, url, draft.submission().to_json())
    journal.unclear(attempt.key, "timeout")
    draft.note = "Another body with the same URL"
    step = only(plan(draft, client, box.handle))
    assert step.decision == "skip" and "may have succeeded" in step.reasons[0] and "settle_all" in step.reasons[0]


def test_a_plan_shows_itself_escaped(client, box):
    steps = plan([make_draft(note="<script>x</script>")], client, box.handle)
    shown = steps._repr_html_()
    assert "<script" not in shown and "To the handle" in shown
    assert repr(steps) == f"<Plan for {box.handle!r} at {box.api_url}: 1 {steps[0].decision}>"


def test_after_publishing_the_plan_says_skip(client, box, draft):
    publish_draft(draft, client, box.handle)
    assert only(plan(draft, client, box.handle)).decision == "skip"


@pytest.mark.parametrize("outcome", ["published", "unclear", "sending"])
def test_another_placement_under_another_handle_is_blocked_by_the_journal_alone(client, box, journal, outcome):
    first, second = make_draft(), make_draft()
    second.update({**first.values, "wwt.center_x": first.values["wwt.center_x"] + 1.0})
    url = first.values["storage.legacy_url_template"]
    attempt = journal.claim(client.api_url, "other", url, first.submission().to_json())
    if outcome == "published":
        journal.published(attempt.key, "0" * 24, "/image/" + "0" * 24)
    if outcome == "unclear":
        journal.unclear(attempt.key, "Timeout.")
    step = only(plan(second, client, box.handle, journal=journal, probe=False))
    assert step.decision == "blocked" and step.earlier == ()
    assert journal.related(client.api_url, box.handle, "", url) == []


def test_the_same_image_in_another_handle_that_may_be_there_needs_a_decision(client, box, draft, journal):
    url, body = draft.values["storage.legacy_url_template"], draft.submission().to_json()
    attempt = journal.claim(client.api_url, "other", url, body)
    journal.unclear(attempt.key, "Timeout.")
    step = only(plan(draft, client, box.handle, journal=journal, probe=False))
    assert step.decision == "decide" and "under the handle 'other'" in step.reasons[0]
    journal.published(attempt.key, "0" * 24, "/image/" + "0" * 24)
    step = only(plan(draft, client, box.handle, journal=journal, probe=False))
    assert step.decision == "decide" and "published at" in step.reasons[0]


def test_an_unclear_attempt_with_another_text_is_not_said_to_be_looked_at(client, box, draft, journal):
    url, body = draft.values["storage.legacy_url_template"], draft.submission().to_json()
    journal.unclear(journal.claim(client.api_url, box.handle, url, body).key, "Timeout.")
    draft.alt_text = "Another description."
    step = only(plan(draft, client, box.handle, journal=journal, probe=False))
    assert step.decision == "skip" and "settle_all" in step.reasons[0]


class Elsewhere(httpx.BaseTransport):
    """The sandbox, under the address of an API on the internet."""

    def __init__(self, box):
        self._url, self._client = httpx.URL(box.api_url), httpx.Client(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(scheme=self._url.scheme, host=self._url.host, port=self._url.port)
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        found = self._client.request(request.method, url, content=request.read(), headers=headers)
        return httpx.Response(found.status_code, content=found.content, headers={"Content-Type": "application/json"})


def test_an_address_of_this_machine_is_a_doubt_where_the_record_leaves_it(client, box):
    draft = make_draft(**{"storage.legacy_url_template": f"{box.api_url}/tiles/{{1}}/{{3}}/{{3}}_{{2}}.png"})
    assert plan(draft, client, box.handle, probe=False)[0].decision == "publish"
    public = Constellations("https://api.example.org", box.token(), transport=Elsewhere(box))
    step = plan(draft, public, box.handle, probe=False)[0]
    assert step.decision == "decide" and "only from your network" in " ".join(step.reasons)
