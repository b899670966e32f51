"""Identity servers that are wrong, hostile or half there: nothing they say shows a secret or leads anybody astray."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from constellations_widgets.auth.code_flow import CodeFlow
from constellations_widgets.auth.credentials import Secret
from constellations_widgets.auth.device_flow import DeviceFlow, checked_link
from constellations_widgets.auth.identity import IdentityServer
from constellations_widgets.auth.post_form import get_json, post_form
from constellations_widgets.auth.realms import Realm
from constellations_widgets.auth.tokens import Tokens, tokens_of
from constellations_widgets.errors import BadAnswerError, NoAnswerError, NotSentError, SignInError

ISSUER = "https://id.example.org/realms/constellations"
OFFER = {
    "issuer": ISSUER,
    "token_endpoint": f"{ISSUER}/token",
    "device_authorization_endpoint": f"{ISSUER}/device",
    "end_session_endpoint": f"{ISSUER}/logout",
}


def server(offer: Any = OFFER, answer: Callable[[httpx.Request], httpx.Response] | None = None) -> IdentityServer:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("openid-configuration"):
            return offer if isinstance(offer, httpx.Response) else httpx.Response(200, json=offer)
        return answer(request)

    realm = Realm("https://api.example.org", (ISSUER,), "automation")
    return IdentityServer(realm, transport=httpx.MockTransport(respond))


def jwt(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        (OFFER | {"issuer": "https://evil.example"}, "calls itself 'https://evil.example'"),
        ({}, "did not respond like an identity server"),
        (httpx.Response(404), "did not respond like an identity server"),
        (httpx.Response(302, headers={"Location": "https://evil.example"}), "did not respond like an identity server"),
        (httpx.Response(200, text="<html>Sign in to the hotel's network"), "did not respond like an identity server"),
    ],
)
def test_what_is_no_identity_server_of_this_api_is_not_asked_further(offer, words):
    with pytest.raises(BadAnswerError, match=words):
        server(offer).offer()


def test_an_endpoint_in_the_clear_is_never_asked():
    with pytest.raises(SignInError, match="plain http"):
        server(OFFER | {"token_endpoint": "http://id.example.org/token"}).tokens("refresh_token", {})


def test_no_offer_leads_from_another_api_to_production():
    elsewhere = "https://worldwidetelescope.org/auth/token"
    with pytest.raises(SignInError, match="is not production, so it must not use"):
        server(OFFER | {"token_endpoint": elsewhere}).tokens("refresh_token", {})
    with pytest.raises(SignInError, match="is not production, so it must not use"):
        checked_link(elsewhere, server())


def test_the_first_server_that_answers_is_it():
    def respond(request: httpx.Request) -> httpx.Response:
        issuer = str(request.url).partition("/.well-known")[0]
        return httpx.Response(200, json={"issuer": issuer}) if "8080" in issuer else httpx.Response(404, text="<html>")

    realm = Realm("http://localhost:1", ("http://localhost:1/r", "http://localhost:8080/r"), "automation")
    assert IdentityServer(realm, transport=httpx.MockTransport(respond)).issuer == "http://localhost:8080/r"


def test_a_server_that_repeats_what_it_was_sent_does_not_show_it():
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error": "invalid_grant", "error_description": request.content.decode()})

    answer = server(answer=echo).post("token_endpoint", {"refresh_token": Secret("secret-refresh"), "grant_type": "x"})
    refusal = str(server().refusal("sign in", "token_endpoint", answer))
    assert "secret-refresh" not in refusal and "[hidden]" in str(answer)


def test_a_message_names_the_endpoint_and_the_cause():
    no = {"error": "invalid_client", "error_description": "Client not enabled."}
    refusal = server().refusal("sign in", "token_endpoint", no, "Sign in again.")
    assert str(refusal) == (
        f"Could not sign in: the token endpoint {ISSUER}/token responded with 'Client not enabled' (invalid_client). Sign in again."
    )
    with pytest.raises(
        BadAnswerError, match=f"the token endpoint {ISSUER}/token did not .* 502 Bad Gateway.* try again later"
    ):
        server(answer=lambda _: httpx.Response(502, text="<html>")).tokens("refresh_token", {})
    with pytest.raises(BadAnswerError, match=f"the OpenID configuration {ISSUER}/.* 404 Not Found.* Check the address"):
        server(httpx.Response(404)).offer()


@pytest.mark.parametrize("written", [f"{ISSUER}/", ISSUER])
@pytest.mark.parametrize("claimed", [f"{ISSUER}/", ISSUER])
def test_an_issuer_may_end_with_a_slash(written, claimed):
    answer = {"access_token": "a", "id_token": jwt(**GOOD | {"iss": claimed})}
    asked = server(OFFER | {"issuer": written}, lambda _: httpx.Response(200, json=answer))
    assert asked.tokens("authorization_code", {}, nonce="n").subject == "1"
    flow = CodeFlow(server(OFFER | {"issuer": written, "authorization_endpoint": f"{ISSUER}/auth"}), listens=False)
    flow.paste(f"http://localhost/?code=c&state={flow._state}&iss={claimed}")


def test_a_sign_in_that_can_not_begin_leaves_no_port_open():
    before = set(threading.enumerate())
    with pytest.raises(SignInError, match="has no sign-in page"):
        CodeFlow(server())
    assert not [it for it in threading.enumerate() if it not in before and it.name == "constellations-sign-in"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("no route"), NotSentError),
        (httpx.ReadTimeout("slow"), NoAnswerError),
        (httpx.RemoteProtocolError("gone"), NoAnswerError),
    ],
)
def test_no_answer_is_our_error_with_no_trace_of_the_request(error, kind):
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(kind) as caught:
        post_form(f"{ISSUER}/token", {"token": "secret"}, transport=httpx.MockTransport(fail))
    assert caught.value.__context__ is None and caught.value.__cause__ is None


def test_an_endless_response_is_not_read_to_its_end():
    endless = httpx.MockTransport(lambda _: httpx.Response(200, content=(b" " * 65536 for _ in range(10**9))))
    assert get_json(ISSUER, transport=endless) == (200, None)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"device_code": "d", "user_code": "u"},
        {"device_code": "d", "user_code": "u", "verification_uri": "javascript:alert(1)"},
        {"device_code": "d", "user_code": "u", "verification_uri": "http://id.example.org/device"},
        {"device_code": 5, "user_code": "u", "verification_uri": ISSUER},
    ],
)
def test_a_device_response_without_a_safe_link_is_rejected(answer):
    with pytest.raises(BadAnswerError):
        DeviceFlow.start(server(answer=lambda _: httpx.Response(200, json=answer)))


def test_where_nothing_can_be_revoked_the_session_is_ended():
    asked: list[httpx.Request] = []
    server(answer=lambda request: asked.append(request) or httpx.Response(204)).revoke(Secret("secret"))
    assert (asked[0].url.path, b"refresh_token=secret" in asked[0].content) == ("/realms/constellations/logout", True)


GOOD = {"iss": ISSUER, "aud": "automation", "exp": 2e10, "nonce": "n", "sub": "1", "preferred_username": "ada"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"iss": "https://evil.example"}, "of another server"),
        ({"aud": "other"}, "for another program"),
        ({"azp": "other"}, "for another program"),
        ({"exp": 1}, "has expired"),
        ({"exp": "never"}, "has expired"),
        ({"nonce": "m"}, "belongs to another sign-in"),
        ({"nonce": None}, "belongs to another sign-in"),
    ],
)
def test_an_id_token_must_be_ours(change, words):
    answer = {"access_token": "access", "expires_in": 300, "id_token": jwt(**GOOD)}
    tokens = tokens_of(answer, ISSUER, "automation", nonce="n")
    assert (tokens.username, tokens.subject, tokens.refresh) == ("ada", "1", None)
    with pytest.raises(SignInError, match=words):
        tokens_of(answer | {"id_token": jwt(**GOOD | change)}, ISSUER, "automation", nonce="n")


@pytest.mark.parametrize("id_token", [None, "", "x", "a.b.c", "..", f"e30.{'A' * 400_000}.x", 5])
def test_without_an_id_token_a_nonce_is_not_repeated(id_token):
    with pytest.raises(SignInError, match="is missing, or none"):
        tokens_of({"access_token": "access", "id_token": id_token}, ISSUER, "automation", nonce="n")


@pytest.mark.parametrize(
    "answer", [{}, {"access_token": None}, {"access_token": "a b"}, {"access_token": "a", "refresh_token": "b c"}]
)
def test_a_response_without_tokens_is_rejected(answer):
    with pytest.raises(SignInError, match="a token in the response"):
        tokens_of(answer, ISSUER, "automation")


@pytest.mark.parametrize(("expires_in", "seconds"), [(300, 270), (2, 1.5), (None, 45), ("x", 45), (-1, 45), (True, 45)])
def test_tokens_are_renewed_before_they_end(expires_in, seconds):
    before = time.time()
    tokens = tokens_of({"access_token": "a", "expires_in": expires_in}, ISSUER, "automation")
    assert seconds - 0.001 <= tokens.renew_at - before <= seconds + 5
    kept = Tokens(Secret("a"), Secret("r")).followed_by(tokens)
    assert (kept.refresh, kept.access) == (Secret("r"), Secret("a"))
