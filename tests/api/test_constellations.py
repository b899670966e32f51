"""The client against the sandbox, over a socket."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from api.conftest import make_submission
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.api import Constellations
from constellations_widgets.errors import (
    BadAnswerError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ServerError,
    SignInError,
)
from constellations_widgets.schema.images import ImagePermissions

NOWHERE = "0" * 24


@pytest.fixture
def stranger(box):
    with Constellations(box.api_url, box.token(account="somebody else")) as client:
        yield client


def test_what_was_sent_is_what_comes_back(client, box, submission):
    receipt = client.add_image(box.handle, submission)
    record = client.image(receipt.id)
    sent = submission.to_request()
    assert {field: getattr(record.wwt, field) for field in sent["wwt"]} == sent["wwt"]
    assert record.storage.legacy_url_template == sent["storage"]["legacy_url_template"]
    assert (record.note, record.alt_text) == (sent["note"], sent["alt_text"])
    assert (record.permissions.copyright, record.permissions.license) == tuple(sent["permissions"].values())
    assert (record.handle.handle, record.handle.display_name) == (box.handle, "Sandbox")
    assert abs(record.creation_date - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_receipt_says_what_went_where_and_when(client, box, submission):
    receipt = client.add_image(f"@{box.handle}", submission, key="my key")
    assert (receipt.api_url, receipt.handle, receipt.key) == (box.api_url, box.handle, "my key")
    assert receipt.body == submission.to_request()
    assert receipt.body_sha256 == hashlib.sha256(submission.to_json()).hexdigest()
    assert receipt.rel_url == f"/image/{receipt.id}"
    assert httpx.get(receipt.record_url).json()["note"] == submission.note
    assert httpx.get(receipt.wtml_url).text == client.wtml(receipt.id)


def test_images_are_found_by_their_exact_url_under_any_handle(client, box):
    box.add_handle("other")
    url = "https://example.org/find?a=b&c=é"
    image = make_submission(storage={"legacy_url_template": url}, wwt=untiled())
    made = {client.add_image(handle, image).id for handle in (box.handle, "other")}
    assert {found.id for found in client.find_images(url)} == made
    assert client.find_images(f"{url}/") == []


def untiled() -> dict:
    changes = {"projection": "SkyImage", "tile_levels": 0, "base_degrees_per_tile": 0.001}
    return {**make_submission().to_request()["wwt"], **changes}


def test_pages_hold_every_image_of_a_handle_once(client, box, submission):
    box.add_handle("paged")
    made = {client.add_image("paged", submission).id for _ in range(7)}
    pages = list(client.handle_images("paged", page_size=3))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert {image.id for page in pages for image in page} == made
    assert {page.total_count for page in pages} == {7}


def test_pages_are_only_asked_for_when_they_are_reached_and_survive_new_images(client, box, submission):
    box.add_handle("growing")
    made = {client.add_image("growing", submission).id for _ in range(4)}
    pages = client.handle_images("growing", page_size=2)
    seen = [image.id for image in next(pages)]
    client.add_image("growing", submission)  # pushes the last one of page 1 to page 2
    seen += [image.id for page in pages for image in page]
    assert len(seen) == len(set(seen)) and made <= set(seen)


def test_an_empty_handle_has_no_pages(client, box):
    box.add_handle("empty")
    assert list(client.handle_images("empty")) == []


@pytest.mark.parametrize("page_size", [0, 101, -1])
def test_a_page_size_that_the_server_would_change_in_silence_is_refused(client, box, page_size):
    with pytest.raises(InvalidError, match="1 to 100"):
        client.handle_images(box.handle, page_size)


def test_who_may_add_images(client, stranger, box):
    assert client.may_add_images(box.handle)
    assert not stranger.may_add_images(box.handle)
    assert not Constellations(box.api_url).may_add_images(box.handle)
    with pytest.raises(NotFoundError):
        client.may_add_images("nobody")


def test_who_may_edit_an_image(client, stranger, box, submission):
    id = client.add_image(box.handle, submission).id
    assert client.may_edit(id)
    assert not stranger.may_edit(id)


def test_a_stranger_is_told_that_the_handle_is_not_theirs(stranger, box, submission):
    with pytest.raises(ForbiddenError, match="the account that owns it"):
        stranger.add_image(box.handle, submission)
    with pytest.raises(ForbiddenError):
        list(stranger.handle_images(box.handle))


def test_without_signing_in_nothing_is_sent(box, submission):
    with pytest.raises(SignInError, match=r"Pass auth=sign_in\(...\)") as caught:
        Constellations(box.api_url).add_image(box.handle, submission)
    assert caught.value.status is None


@pytest.mark.parametrize("thing", [None, {}, b"no JSON", "text", b"[]", b"null", b"[" * 100_000, b"\xff"], ids=repr)
def test_what_is_no_submission_is_not_sent(client, box, thing):
    with pytest.raises(InvalidError, match=r"draft\.submission\(\)") as caught:
        client.add_image(box.handle, thing)
    assert caught.value.status is None


@pytest.mark.parametrize("as_another_type", [bytes.decode, bytearray], ids=["str", "bytearray"])
def test_a_body_of_which_no_receipt_could_be_made_is_not_sent(client, box, as_another_type):
    box.add_handle("receipts")
    with pytest.raises(InvalidError, match=r"draft\.submission\(\)"):
        client.add_image("receipts", as_another_type(make_submission().to_json()))
    assert list(client.handle_images("receipts")) == []


def test_a_key_that_is_a_number_is_text_in_the_receipt(client, box, submission):
    assert client.add_image(box.handle, submission, key=7).key == "7"


@pytest.mark.parametrize("thing", [None, 3, float("nan"), b"https://example.org/x.png"])
def test_an_image_url_to_look_for_is_text(client, thing):
    with pytest.raises(InvalidError, match="as text") as caught:
        client.find_images(thing)
    assert caught.value.status is None


def test_what_is_no_token_is_said_to_be_none(box):
    with pytest.raises(SignInError, match="auth is a int"):
        Constellations(box.api_url, 5)


def test_an_expired_token_is_said_to_be_expired(box, submission):
    with pytest.raises(SignInError, match="jwt expired.*Sign in again") as caught:
        Constellations(box.api_url, box.token(expired=True)).add_image(box.handle, submission)
    assert caught.value.status == 401


def test_a_handle_is_found_with_its_at_sign_but_only_with_its_capital_letters(client, box):
    assert client.handle(f" @{box.handle} ") == client.handle(box.handle)
    with pytest.raises(NotFoundError, match="capital letters matter"):
        client.handle(box.handle.upper())


@pytest.mark.parametrize("handle", ["", " ", "@", ".", "..", "\ud800", "x" * 100_000, None], ids=lambda x: repr(x)[:9])
def test_what_can_be_no_handle_is_refused_here(client, handle, submission):
    for call in (client.handle, client.may_add_images, lambda handle: client.add_image(handle, submission)):
        with pytest.raises(InvalidError, match="is not a handle") as caught:
            call(handle)
        assert caught.value.status is None


@pytest.mark.parametrize("handle", ["a/b", "../image", "a?b", "a#b", "a%2Fb", "a b", "é", "a\\b", "%zz", "a\r\nX: 1"])
def test_a_handle_never_changes_the_path(client, handle, submission):
    with pytest.raises(NotFoundError, match="andle not found|Not found"):
        client.handle(handle)
    with pytest.raises(NotFoundError, match="Handle not found"):
        client.add_image(handle, submission)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_handle_stays_one_step_of_the_path(handle):
    asked = []

    def remember(request):
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200, json={"error": False, "handle": "x"})

    name = handle.strip().removeprefix("@")
    if name in ("", ".", ".."):
        return
    Constellations("https://x.org", transport=httpx.MockTransport(remember)).handle(handle)
    assert asked[0].startswith("/handle/") and asked[0].count("/") == 2
    assert httpx.URL(f"https://x.org{asked[0]}").path == f"/handle/{name}"


@pytest.mark.parametrize("id", ["", "xyz", "../handle/me", "0" * 23, "0" * 25, "g" * 24, None])
def test_what_can_be_no_image_id_is_refused_here(client, id):
    for call in (client.image, client.may_edit, client.wtml, lambda id: client.update_image(id, note="x")):
        with pytest.raises(InvalidError, match="24 hexadecimal digits"):
            call(id)


def test_an_unknown_image_is_not_found(client):
    with pytest.raises(NotFoundError, match=NOWHERE):
        client.image(NOWHERE)


def post_unchecked(box, body) -> dict:
    """What other programs may send."""
    auth = {"Authorization": f"Bearer {box.token()}"}
    return httpx.post(f"{box.api_url}/handle/{box.handle}/image", json=body, headers=auth).json()


def test_an_image_without_url_has_no_wtml(client, box):
    body = make_submission().to_request()
    body["storage"] = {}
    made = post_unchecked(box, body)
    assert client.image(made["id"]).storage.legacy_url_template is None
    with pytest.raises(ServerError) as caught:
        client.wtml(made["id"])
    assert caught.value.status == 500


def test_a_record_with_anything_in_it_can_be_read(client, box):
    body = make_submission().to_request()
    body["wwt"] |= {"tile_levels": 1.5, "projection": "", "more": [1]}
    made = post_unchecked(box, body)
    wwt = client.image(made["id"]).wwt
    assert (wwt.tile_levels, wwt.projection, wwt.more) == (1.5, "", [1])


class TestUpdate:
    @pytest.fixture
    def id(self, client, box):
        credits = '<a href="https://noirlab.edu" title="NOIRLab">NOIRLab</a> &amp; friends'
        permissions = {"copyright": "Copyright 2020 A", "license": "CC-BY-4.0", "credits": credits}
        return client.add_image(box.handle, make_submission(permissions=permissions)).id

    def test_one_field_changes_and_the_others_stay(self, client, id):
        before = client.image(id)
        after = client.update_image(id, note="M 51b")
        assert after == client.image(id) == before.model_copy(update={"note": "M 51b"})

    def test_a_mapping_changes_some_of_the_permissions_and_keeps_the_credits(self, client, id):
        after = client.update_image(id, permissions={"license": "cc0-1.0"}).permissions
        assert (after.license, after.copyright) == ("CC0-1.0", "Copyright 2020 A")
        assert "NOIRLab" in after.credits

    def test_permissions_replace_all(self, client, id):
        new = ImagePermissions(copyright="B", license="MIT")
        after = client.update_image(id, permissions=new).permissions
        assert (after.copyright, after.license, after.credits) == ("B", "MIT", None)

    def test_credits_can_be_taken_away(self, client, id):
        assert not client.update_image(id, permissions={"credits": ""}).permissions.credits

    def test_credits_that_the_server_writes_differently_count_as_changed(self, client, id):
        credits = '<a href="https://x.org" title="t">x</a><br/>&copy; <p>y'
        assert "x</a>" in client.update_image(id, permissions={"credits": credits}).permissions.credits

    def test_the_same_values_again_are_no_error(self, client, id):
        before = client.image(id)
        again = client.update_image(id, note=before.note, permissions={"license": before.permissions.license})
        assert again.note == before.note

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({}, "nothing to change"),
            ({"note": None}, "nothing to change"),
            ({"note": ""}, "server ignores an empty text"),
            ({"alt_text": ""}, "server ignores an empty text"),
            ({"note": "😀" * 251}, "502 characters long, 500"),
            ({"alt_text": "x" * 5001}, "5001 characters long, 5000"),
            ({"note": 5}, "not text"),
            ({"permissions": {"license": "None"}}, "license"),
            ({"permissions": {"copyright": ""}}, "copyright"),
            ({"permissions": {"licence": "MIT"}}, "licence"),
            ({"permissions": {"license": "mitt"}}, "^permissions.license: 'mitt' is not an SPDX"),
            ({"permissions": "CC-BY-4.0"}, "permissions is a str"),
            ({"note": "\ud800"}, "note has the character"),
            ({"alt_text": "a\0b"}, "alt_text has the character"),
        ],
    )
    def test_what_the_server_would_ignore_or_refuse_is_refused_here(self, client, id, changes, reason):
        before = client.image(id)
        with pytest.raises(InvalidError, match=reason) as caught:
            client.update_image(id, **changes)
        assert caught.value.status is None
        assert client.image(id) == before

    def test_another_account_may_not_change_an_image(self, stranger, client, id):
        with pytest.raises(ForbiddenError):
            stranger.update_image(id, note="Mine")
        assert client.image(id).note != "Mine"

    def test_a_success_after_which_nothing_changed_is_an_error(self, box, client, id):
        record = httpx.get(f"{box.api_url}/image/{id}").json()

        def say_yes(request):
            return httpx.Response(200, json={"error": False} if request.method == "PATCH" else record)

        lying = Constellations("https://x.org", "token", transport=httpx.MockTransport(say_yes))
        with pytest.raises(BadAnswerError, match="did not change note, permissions.copyright"):
            lying.update_image(id, note="New", permissions={"copyright": "New"})
