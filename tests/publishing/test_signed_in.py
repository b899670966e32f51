"""A sign-in that ends in the middle of a batch: renewed where it can be, else signed in again, and each image is there once."""

from __future__ import annotations

import pytest
from auth.signing import own_box, sign_in_by, signed_in_at
from publishing.conftest import make_draft

import constellations_widgets as cxw
from constellations_widgets.errors import SignInError


@pytest.fixture
def drafts():
    return [make_draft() for _ in range(12)]


def urls(client, handle) -> list[str]:
    return [image.storage.legacy_url_template for page in client.handle_images(handle) for image in page]


def test_tokens_that_end_in_the_middle_of_a_batch_are_followed_by_others(box, drafts, tmp_path, monkeypatch):
    with own_box(box, tmp_path, monkeypatch), cxw.Constellations(box.api_url, signed_in_at(box)) as client:
        box.identity.rotates = True

        def refuse_one(batch, row) -> None:
            if row.state == "published":
                box.faults.next("token_expired", method="POST", path="/handle/*/image")

        batch = cxw.publish_all(drafts, client, box.handle, threads=1, on_progress=refuse_one)
        assert batch.counts == {"published": 12}
        box.faults.clear()
        there = urls(client, box.handle)
        assert [there.count(draft.storage.legacy_url_template) for draft in drafts] == [1] * 12
        assert box.identity.granted.count("refresh_token") == 11


def test_after_a_dead_sign_in_the_batch_goes_on_with_the_next_one(box, drafts, tmp_path, monkeypatch):
    with own_box(box, tmp_path, monkeypatch):
        session = signed_in_at(box)
        client = cxw.Constellations(box.api_url, session)

        def end_it(batch, row) -> None:
            if batch.counts.get("published", 0) == 4 and session.has_token:
                session.server.revoke(session._tokens.refresh)
                session.use_token(box.token(expired=True))

        with pytest.raises(SignInError, match="Sign in again"):
            cxw.publish_all(drafts, client, box.handle, threads=1, on_progress=end_it)
        assert not session.signed_in
        sign_in_by(session.begin(listens=False), session)
        assert cxw.publish_all(drafts, client, box.handle).counts == {"published": 12}
        there = urls(client, box.handle)
        assert [there.count(draft.storage.legacy_url_template) for draft in drafts] == [1] * 12
