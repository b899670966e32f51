"""Tokens that end: renewed before it, once on a 401, once for all threads and kernels; and when nothing renews them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from auth.signing import kept, own_box, session_at, signed_in_at

from constellations_widgets import Constellations, Credentials
from constellations_widgets.api.session_clients import client_of
from constellations_widgets.auth import oidc_session
from constellations_widgets.auth.oidc_session import OidcSession
from constellations_widgets.auth.session import ImagesSession
from constellations_widgets.errors import NotSentError, SignInError
from constellations_widgets.sandbox import Sandbox


@pytest.fixture
def box(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with own_box(box, tmp_path, monkeypatch):
        box.identity.rotates = True  # a second renewal with the same token fails
        yield box


def stale(session: OidcSession, *, expired: bool = False) -> None:
    """Let the session's access token be due for renewal, here and in the store."""
    end = 0.0 if expired else time.time() + 60
    session._tokens = replace(session._tokens, renew_at=0.0, expires=end)
    session._store.write(kept(session) | {"renew_at": 0.0, "expires": end})


def renewals(box: Sandbox) -> int:
    return box.identity.granted.count("refresh_token")


def test_a_token_is_renewed_before_it_ends_once_for_many_threads(box):
    session = signed_in_at(box)
    old = session.header(box.api_url)
    stale(session)
    with ThreadPoolExecutor(32) as pool:
        headers = set(pool.map(lambda _: session.header(box.api_url), range(64)))
    assert len(headers) == 1 and old not in headers
    assert renewals(box) == 1
    with Constellations(box.api_url, session) as client:
        assert client.may_add_images(box.handle)


def test_short_lived_tokens_are_followed_by_others_in_the_middle_of_the_work(box):
    box.identity.token_lifetime = 2
    with Constellations(box.api_url, signed_in_at(box)) as client, ThreadPoolExecutor(4) as pool:

        def ask_for_a_while(_: int) -> int:
            ends, asked = time.monotonic() + 4, 0
            while time.monotonic() < ends:
                assert client.may_add_images(box.handle)
                asked += 1
            return asked

        assert sum(pool.map(ask_for_a_while, range(4))) > 4
    assert 1 <= renewals(box) <= 6


def test_after_a_401_there_is_one_renewal_and_one_more_try(box):
    with Constellations(box.api_url, signed_in_at(box)) as client:
        box.faults.next("token_expired", path="/handle/*", times=3)
        with ThreadPoolExecutor(3) as pool:
            assert all(pool.map(lambda _: client.may_add_images(box.handle), range(3)))
    assert 1 <= renewals(box) <= 3
    session = signed_in_at(box)
    refused = session.header(box.api_url)
    box.identity.granted.clear()
    with ThreadPoolExecutor(8) as pool:  # all of them were refused with the same token
        assert all(pool.map(lambda _: session.renew(refused), range(16)))
    assert renewals(box) == 1


def test_a_renewal_of_another_kernel_is_taken_over(box):
    first, second = signed_in_at(box), session_at(box)
    assert second.header(box.api_url) == first.header(box.api_url)
    stale(first)
    second._tokens = replace(second._tokens, renew_at=0.0)
    assert first.header(box.api_url) == second.header(box.api_url)
    assert renewals(box) == 1
    assert first.renew(first.header(box.api_url))
    assert second.renew("Bearer of-yesterday")
    assert second.renew(second.header(box.api_url)) and renewals(box) == 2


KERNEL = """
import sys
from constellations_widgets.auth.realms import realm_of
from constellations_widgets.api.session_clients import client_of
from constellations_widgets.auth import oidc_session
from constellations_widgets.auth.oidc_session import OidcSession
session = OidcSession(realm_of(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(session.header(sys.argv[1])[-16:], flush=True)
"""


def test_of_several_kernels_at_the_same_moment_one_renews(box):
    stale(signed_in_at(box))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    kernels = [subprocess.Popen([sys.executable, "-c", KERNEL, box.api_url], **pipes) for _ in range(4)]
    for kernel in kernels:
        assert kernel.stdout.readline() == "ready\n"
    for kernel in kernels:
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    headers = {kernel.communicate(timeout=60)[0] for kernel in kernels}
    assert len(headers) == 1 and headers != {""}
    assert renewals(box) == 1


def test_a_dead_refresh_token_leads_back_to_signing_in_with_no_traceback_of_others(box):
    session = signed_in_at(box)
    session.server.revoke(session._tokens.refresh)
    stale(session, expired=True)
    told: list[bool] = []
    session.on_change(lambda: told.append(session.has_token))
    around = sys.exception()  # of the thread that runs the tests: browser tests in it may leave one
    with Constellations(box.api_url, session) as client, pytest.raises(SignInError) as caught:
        client.may_add_images(box.handle)
    assert "has ended" in str(caught.value) and f"cxw.SignIn('{box.api_url}')" in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is around
    assert told == [False] and kept(session) is None and not session.renew("Bearer x")


def test_while_the_identity_server_is_away_a_good_token_is_used_and_a_dead_one_said(box):
    session = signed_in_at(box)
    path = urlsplit(session.server.address("token_endpoint")).path
    stale(session)
    box.faults.next("unavailable", path=path)
    with Constellations(box.api_url, session) as client:
        assert client.may_add_images(box.handle)
    stale(session, expired=True)
    box.faults.next("reset_before_read", path=path)
    with pytest.raises(NotSentError, match="could not be renewed"):
        session.header(box.api_url)
    assert session.header(box.api_url)  # it is back


def test_the_sign_in_of_another_account_is_not_taken_over(box):
    mine = signed_in_at(box)
    mine._store.write(kept(mine) | {"subject": "somebody-else", "access": "of-somebody-else"})
    mine._tokens = replace(mine._tokens, renew_at=0.0)
    assert mine.header(box.api_url) != "Bearer of-somebody-else"
    assert kept(mine)["access"] == "of-somebody-else"


@pytest.mark.parametrize(
    "change",
    [{"issuer": "https://other.example"}, {"client_id": "x"}, {"access": "a b"}, {"expires": "x"}, {"refresh": 5}],
)
def test_what_is_kept_for_another_server_or_is_damaged_is_not_used(box, change):
    session = signed_in_at(box)
    session._store.write(kept(session) | change)
    assert not session_at(box).signed_in


def test_a_session_shows_no_token_and_hides_old_ones_too(box):
    session = signed_in_at(box)
    tokens = [session._tokens]
    stale(session)
    session.header(box.api_url)
    tokens.append(session._tokens)
    secrets = [secret for each in tokens for secret in (each.access, each.refresh)]
    shown = "".join([repr(session), repr(vars(session)), repr(tokens), str(tokens[0])])
    echoed = session.hide_in(" ".join(secrets).encode()).decode()
    assert not [secret for secret in secrets if secret in shown or secret in echoed]


def test_a_session_without_renewal_ends_at_the_first_401_and_begins_again(box):
    session = ImagesSession(box.api_url)
    client = Constellations(box.api_url, session)
    with pytest.raises(SignInError, match=r"Not signed in at .* show the widget cxw.SignIn\(images_url="):
        client.may_add_images(box.handle)
    session.use_token(box.token(expired=True))
    with pytest.raises(SignInError):
        client.may_add_images(box.handle)
    assert not session.signed_in and "rejected the token" in session.why
    session.use_token(box.token())
    assert client.may_add_images(box.handle)


def test_a_session_says_what_it_offers_and_refuses_the_rest_in_words(box):
    constellations, images = oidc_session.session_at(box.api_url), oidc_session.session_at(images_url=box.images_url)
    assert (constellations.service, constellations.offers_browser, constellations.offers_password) == (
        "constellations",
        True,
        False,
    )
    assert (images.service, images.offers_browser, images.offers_password) == ("images", False, True)
    with pytest.raises(SignInError, match="no sign-in by password. Sign in by browser, or with a token"):
        constellations.login("me", "hunter2")
    with pytest.raises(SignInError, match="no sign-in by browser. Sign in with name and password"):
        images.begin(listens=False)
    assert not images.offers_official and not images.accept_official()
    with pytest.raises(SignInError, match="takes one service"):
        oidc_session.session_at(box.api_url, images_url=box.images_url)


def test_each_session_has_its_own_client_and_hears_of_later_sign_ins(box):
    user = box.images_user
    images = oidc_session.session_at(images_url=box.images_url)
    changes: list[bool] = []
    stop = images.on_change(lambda: changes.append(images.has_token))
    with client_of(images) as client:
        images.accept(images.login(user.name, user.password))
        assert client.list() == [] and images.username == user.name
    images.sign_out()
    stop()
    images.use_token("another")
    assert changes == [True, False]
    fixed = Credentials.token("fixed")
    fixed.on_change(lambda: changes.append(True))()
    assert fixed.has_token and isinstance(client_of(oidc_session.session_at(box.api_url)), Constellations)
