"""A scene after the publication, in the kernel: what the page is told and what it may ask for, against a real sandbox."""

from __future__ import annotations

import json
import time

import pytest
from api.broken_server import reset
from examples import tiled
from publishing.conftest import FaultyProxy, made_up_web  # noqa: F401  (a fixture for all tests here)

from constellations_widgets import Constellations, ImageDraft, Publisher, Sandbox, SkyView
from constellations_widgets.publishing import history, publish_draft, publish_scene
from constellations_widgets.publishing.journal import default_journal
from constellations_widgets.sources.reading import ParsedImage


class Looking:
    """A preview whose page looks somewhere."""

    view: SkyView | None = SkyView(202.0, 47.0, height=0.8, aspect=1.6, roll=10)


@pytest.fixture
def draft(monkeypatch, request):
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_WAITS", (0.0,))
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_TIME", 0.05)
    url = f"https://example.org/{request.node.name}/{{1}}/{{3}}/{{3}}_{{2}}.png"
    return ImageDraft(ParsedImage(tiled({"storage.legacy_url_template": url}), name="M 51"), autosave=False)


@pytest.fixture
def publish(draft, box):
    """Makes a publisher on the draft, which it publishes before."""
    made = []

    def publish(url: str = box.api_url, preview: object = None) -> Publisher:
        client = Constellations(url, auth=box.token())
        draft.published(publish_draft(draft, Constellations(url, auth=box.token()), box.handle, anyway=True))
        made.append(Publisher(draft, client, box.handle, preview))
        return made[-1]

    yield publish
    for publisher in made:
        publisher.close()


def ask(publisher: Publisher, action: str, **more) -> dict:
    publisher._on_message(publisher, {"kind": "scene", "action": action, **more}, [])
    return publisher.scene


def review(publisher: Publisher, text: str = "Look", *, view: bool = True) -> dict:
    """Fill the form in, and return the review."""
    ask(publisher, "open")
    ask(publisher, "edit", name="text", value=text)
    if view:
        ask(publisher, "use_view")
    ask(publisher, "fade_layer", of=publisher.receipt.id, value=0.5)
    ask(publisher, "review")
    return wait(publisher, "review")["review"]


def wait(publisher: Publisher, *phases: str) -> dict:
    deadline = time.monotonic() + 120
    while publisher.scene["phase"] not in phases or publisher._scene.worker.busy:
        assert time.monotonic() < deadline, publisher.scene
        time.sleep(0.01)
    return publisher.scene


def scenes(box: Sandbox) -> list:
    client = box.client()
    return [client.scene(each.id) for each in client.handle_scenes(box.handle)]


def test_a_scene_is_offered_once_the_image_is_published_and_made_of_the_view_shown(publish, draft, box):
    before = len(scenes(box))
    unpublished = Publisher(draft, box.client(), box.handle)
    assert unpublished.scene["phase"] == "none" and ask(unpublished, "review")["phase"] == "none"
    publisher = publish(preview=Looking())
    assert (publisher.scene["phase"], publisher.scene["preview"]) == ("editing", True)
    found = review(publisher)
    view = next(row["after"] for row in found["rows"] if row["name"] == "view")
    assert view == "13h 28m 00.0s +47° 00′ 00″ · 1.28° × 48′ · roll 10°" and not found["published"]
    assert found["request"] == f"POST {box.api_url}/handle/{box.handle}/scene"
    assert len(scenes(box)) == before
    ask(publisher, "confirm", ticket="another")
    assert publisher.scene["phase"] == "review"
    ask(publisher, "confirm", ticket=found["ticket"])
    made = wait(publisher, "made")["made"]
    ask(publisher, "confirm", ticket=found["ticket"])
    record = scenes(box)[0]
    assert len(scenes(box)) == before + 1
    assert record.id == made["id"] == publisher.scene_receipt.id
    assert record.is_made_of(json.loads(found["body"]))
    assert (record.text, record.published, record.place["roi_height_deg"]) == ("Look", False, 0.8)
    assert not made["published"] and made["scene_url"] is None  # the sandbox has no website
    unpublished.close()


def test_what_is_made_is_shown_on_the_site_after_a_confirmation_and_left_as_it_is_without(publish, box):
    publisher = publish()
    ask(publisher, "confirm", ticket=review(publisher)["ticket"])
    id = wait(publisher, "made")["made"]["id"]
    ask(publisher, "publish", value=True)
    assert [row["name"] for row in wait(publisher, "review")["review"]["rows"]] == ["published"]
    ask(publisher, "cancel")
    assert not wait(publisher, "made")["open"] and not box.client().scene(id).published
    ask(publisher, "publish", value=True)
    ask(publisher, "confirm", ticket=wait(publisher, "review")["review"]["ticket"])
    shown = wait(publisher, "made")
    assert box.client().scene(id).published and shown["made"]["published"] and not shown["open"]
    ask(publisher, "another")
    assert not publisher.scene["exists"] and publisher.scene["form"]["layers"][0]["id"] == publisher.receipt.id


def test_a_scene_that_was_made_before_is_shown_where_the_cell_is_run_again_and_another_can_be_made(publish, draft, box):
    first = publish_scene(publish().receipt, box.client(), text="The first one")
    publisher = Publisher(draft, box.client(), box.handle)
    assert wait(publisher, "made")["made"]["id"] == first.id and publisher.scene_receipt == first
    assert ask(publisher, "another")["phase"] == "editing"
    ask(publisher, "confirm", ticket=review(publisher, view=False)["ticket"])
    assert wait(publisher, "made")["made"]["id"] not in ("", first.id)
    publisher.close()


def test_something_else_than_a_preview_is_refused_in_words(draft, box):
    with pytest.raises(TypeError, match="takes a Preview, not a dict"):
        Publisher(draft, box.client(), box.handle, {})


def test_what_is_out_of_range_is_said_and_the_offer_stays(publish, box):
    publisher = publish()
    for name, wrong in (("text", "x" * 5001), ("outgoing_url", "no address")):
        ask(publisher, "edit", name=name, value=wrong)
        ask(publisher, "review")
        said = wait(publisher, "editing")
        assert name in said["message"]
        ask(publisher, "edit", name=name, value="")
    for wrong in (2, "1", None):
        assert ask(publisher, "fade_layer", of=publisher.receipt.id, value=wrong)["form"]["layers"][0]["opacity"] == 1
    assert ask(publisher, "remove_layer", of=publisher.receipt.id)["form"]["layers"] == []
    ask(publisher, "review")
    assert "no image" in wait(publisher, "editing")["message"]


def test_a_preview_that_no_page_has_shown_gives_no_view_and_that_is_said(publish):
    preview = Looking()
    preview.view = None
    publisher = publish(preview=preview)
    whole = publisher.scene["form"]["summary"]
    assert ask(publisher, "open")["form"]["summary"] == whole != "none"
    assert "no page has shown it" in ask(publisher, "use_view")["form"]["message"]


def test_a_scene_that_did_not_arrive_is_unclear_and_sent_again_only_on_demand(publish, box):
    before = len(scenes(box))
    with FaultyProxy(box, None, commits=False) as proxy:
        publisher = publish(proxy.url)
        ticket = review(publisher)["ticket"]
        proxy._fault = reset
        ask(publisher, "confirm", ticket=ticket)
        assert "was not found at the server" in wait(publisher, "unclear")["message"]
        ask(publisher, "check")
        wait(publisher, "unclear")
        assert len(scenes(box)) == before
        ask(publisher, "resend")
        assert wait(publisher, "made")["made"]["id"] == scenes(box)[0].id
        assert len(scenes(box)) == before + 1


@pytest.mark.parametrize("found", [True, False], ids=["found", "given-up"])
def test_a_scene_that_was_found_or_given_up_elsewhere_is_not_sent_again(publish, box, found):
    before = len(scenes(box))
    with FaultyProxy(box, None, commits=False) as proxy:
        publisher = publish(proxy.url)
        ticket = review(publisher)["ticket"]
        proxy._fault = reset
        ask(publisher, "confirm", ticket=ticket)
        wait(publisher, "unclear")
        (left,) = default_journal().unsettled()
        if found:
            default_journal().published(left.key, "f" * 24, "/scene/x")
            ask(publisher, "resend")
            assert wait(publisher, "made")["made"]["id"] == "f" * 24
        else:
            default_journal().refused(left.key, "Given up.")
            ask(publisher, "check")
            assert "abandoned" in wait(publisher, "failed", "made")["message"]
    assert len(scenes(box)) == before


def test_what_an_earlier_session_left_open_is_offered_and_settled_by_looking(draft, box):
    client = box.client()
    url = "https://example.org/other/{1}/{3}/{3}_{2}.png"
    other = ImageDraft(ParsedImage(tiled({"storage.legacy_url_template": url})), autosave=False)
    for each in (draft, other):
        body = each.submission().to_json()
        attempt = default_journal().claim(client.api_url, box.handle, each.storage.legacy_url_template, body)
        default_journal().unclear(attempt.key, "killed")
    id = client.add_image(box.handle, draft.submission()).id  # it had arrived
    publisher = Publisher(draft, client, box.handle)
    offered = wait_for(publisher, "offer")
    assert (offered["count"], [item["state"] for item in offered["items"]]) == (2, ["unclear"] * 2)
    publisher._on_message(publisher, {"kind": "reconcile"}, [])
    done = wait_for(publisher, "done")
    assert [(item["state"], item["id"]) for item in done["items"]] == [("published", id), ("unclear", "")]
    assert draft.receipt.id == id and publisher.status["phase"] == "published"  # it was this very draft
    assert client.find_images(other.storage.legacy_url_template) == []
    assert [attempt.state for attempt in history()] == ["unclear", "published"]
    with default_journal()._database.transaction() as db:
        db.execute("UPDATE attempts SET sent = '2026-01-01T00:00:00+00:00'")
    deadline = time.monotonic() + 60
    while [item["state"] for item in wait_for(publisher, "done")["items"]] != ["refused"]:
        assert time.monotonic() < deadline, publisher.pending_attempts
        publisher._on_message(publisher, {"kind": "abandon"}, [])  # too early, it is not abandoned yet
        time.sleep(0.05)
    assert client.find_images(other.storage.legacy_url_template) == []
    publisher.close()


def wait_for(publisher: Publisher, phase: str) -> dict:
    deadline = time.monotonic() + 30
    while publisher.pending_attempts["phase"] != phase or publisher._pending.worker.busy:
        assert time.monotonic() < deadline, publisher.pending_attempts
        time.sleep(0.01)
    return publisher.pending_attempts


def test_a_server_that_can_not_be_looked_at_leaves_the_offer_and_says_why(draft):
    attempt = default_journal().claim("http://127.0.0.1:9", "me", "", draft.submission().to_json())
    default_journal().unclear(attempt.key, "lost")
    publisher = Publisher(draft, Constellations("http://127.0.0.1:9", auth="a.b.c"), "me")
    wait_for(publisher, "offer")
    publisher._on_message(publisher, {"kind": "reconcile"}, [])
    deadline = time.monotonic() + 120
    while not publisher.pending_attempts["message"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert publisher.pending_attempts["phase"] == "offer" and "127.0.0.1:9" in publisher.pending_attempts["message"]
    publisher.close()
