"""Changing a published image: what the server deletes, overwrites, or does without saying so."""

from __future__ import annotations

import httpx
import pytest
from api.conftest import make_submission

from constellations_widgets.api import Constellations
from constellations_widgets.api.retries import Retries
from constellations_widgets.errors import ConflictError, InvalidError, UnclearError
from constellations_widgets.schema.images import ImagePermissions

LINK = '<a href="https://noirlab.edu" title="NOIRLab">NOIRLab</a> &amp; friends'


@pytest.fixture
def id(box):
    """An image that another program has published: with fields of its own, and a link with two attributes."""
    body = make_submission().to_request()
    body["permissions"] |= {"credits": LINK, "publisher": {"name": "NOIRLab"}}
    auth = {"Authorization": f"Bearer {box.token()}"}
    return httpx.post(f"{box.api_url}/handle/{box.handle}/image", json=body, headers=auth).json()["id"]


def test_permissions_that_do_not_change_go_back_as_they_came(client, id):
    before = client.image(id).permissions
    after = client.update_image(id, permissions={"license": "CC0-1.0"}).permissions
    assert after.license == "CC0-1.0"
    assert after.model_extra == before.model_extra == {"publisher": {"name": "NOIRLab"}}
    assert 'href="https://noirlab.edu"' in after.credits and 'title="NOIRLab"' in after.credits


def test_permissions_as_a_whole_leave_nothing_else(client, id):
    after = client.update_image(id, permissions=ImagePermissions(copyright="B", license="MIT")).permissions
    assert (after.credits, after.model_extra) == (None, {})


def test_credits_that_would_bring_the_server_down_are_not_sent_back_either(client, box, id):
    deep = "<b>" * 150 + "x"  # the sandbox survives
    auth = {"Authorization": f"Bearer {box.token()}"}
    permissions = {"copyright": "A", "license": "MIT", "credits": deep}
    httpx.patch(f"{box.api_url}/image/{id}", json={"permissions": permissions}, headers=auth).raise_for_status()
    with pytest.raises(InvalidError, match=r"^permissions\.credits: .*nested"):
        client.update_image(id, permissions={"license": "CC0-1.0"})


class TestSomebodyElse:
    @pytest.fixture
    def seen(self, client, id):
        return client.image(id)

    @pytest.mark.parametrize(
        ("theirs", "mine", "named"),
        [
            ({"note": "theirs"}, {"note": "mine"}, "note"),
            ({"permissions": {"license": "MIT"}}, {"permissions": {"credits": "mine"}}, "permissions.license"),
            ({"permissions": {"credits": ""}}, {"note": "x", "permissions": {"license": "MIT"}}, "permissions.credits"),
        ],
    )
    def test_what_they_have_changed_is_not_overwritten(self, client, id, seen, theirs, mine, named):
        now = client.update_image(id, **theirs)
        with pytest.raises(
            ConflictError, match=f"{named} changed on the server since you read it. Nothing was sent"
        ) as caught:
            client.update_image(id, seen=seen, **mine)
        assert caught.value.record == now == client.image(id)

    @pytest.mark.parametrize(
        ("theirs", "mine"),
        [
            ({"note": "same"}, {"note": "same", "alt_text": "mine"}),
            ({"note": "theirs"}, {"permissions": {"license": "MIT"}}),
            ({"permissions": {"license": "MIT"}}, {"note": "mine"}),
            ({"permissions": {"license": "CC-BY-4.0"}}, {"permissions": {"license": "MIT"}}),  # turns attributes round
        ],
    )
    def test_what_they_have_done_elsewhere_or_alike_is_no_conflict(self, client, id, seen, theirs, mine):
        client.update_image(id, **theirs)
        after = client.update_image(id, seen=seen, **mine)
        note = mine.get("note", theirs.get("note", seen.note))
        assert after.note == note


def test_an_answer_that_is_lost_is_settled_by_looking(box, client, id):
    box.faults.next("reset_after_commit", method="PATCH")
    assert client.update_image(id, note="after all").note == "after all"
    box.faults.next("error_after_commit", method="PATCH")
    assert client.update_image(id, alt_text="after all").alt_text == "after all"


def test_a_change_that_was_not_made_is_unclear_and_can_be_made_again(box, client, id):
    box.faults.next("reset_before_read", method="PATCH")
    with pytest.raises(UnclearError, match="The record was read since: note not changed so far"):
        client.update_image(id, note="again")
    assert client.update_image(id, note="again").note == "again"


@pytest.mark.parametrize("answers", [True, False])
def test_a_look_that_fails_after_the_change_never_says_that_nothing_was_sent(box, client, id, answers):
    record = httpx.get(f"{box.api_url}/image/{id}").json()
    sent = []

    def server(request):
        if "PATCH" in sent or (request.method == "PATCH" and not answers):
            sent.append(request.method)
            raise httpx.ReadError("gone") if request.method == "PATCH" else httpx.ConnectError("refused")
        sent.append(request.method)
        return httpx.Response(200, json={"error": False} if request.method == "PATCH" else record)

    far = Constellations("https://x.org", "token", transport=httpx.MockTransport(server), retries=Retries(tries=1))
    with pytest.raises(UnclearError, match="check before sending it again"):
        far.update_image(id, note="New")
    assert sent == ["GET", "PATCH", "GET"]


def test_pages_go_on_where_they_were_cut_off(client, box, submission):
    box.add_handle("cut")
    for _ in range(5):
        client.add_image("cut", submission)
    ids = [image.id for page in client.handle_images("cut", 2) for image in page]
    assert [image.id for page in client.handle_images("cut", 2, first_page=1) for image in page] == ids[2:]
    assert list(client.handle_images("cut", 2, first_page=3)) == []


def test_a_page_that_holds_nothing_new_is_not_the_last(client, box, submission):
    box.add_handle("busy")
    old = {client.add_image("busy", submission).id for _ in range(4)}
    pages = client.handle_images("busy", 2)
    seen = {image.id for image in next(pages)}
    for _ in range(2):
        client.add_image("busy", submission)  # page 1 is now what page 0 was
    assert old <= seen | {image.id for page in pages for image in page}
