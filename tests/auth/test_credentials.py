from __future__ import annotations

import copy
import json
import pickle
import pprint

import pytest

from constellations_widgets.api import Constellations, Retries
from constellations_widgets.auth import Credentials, sign_in
from constellations_widgets.errors import NotSentError, SignInError

TOKEN = "eyJhbGciOiJSUzI1NiJ9.secretsecretsecret.c2lnbmF0dXJl"


def test_nothing_that_shows_credentials_shows_the_token():
    credentials = Credentials.token(TOKEN)
    shown = [
        repr(credentials),
        str(credentials),
        f"{credentials}",
        f"{credentials!r:>80}",
        pprint.pformat([credentials]),
    ]
    shown += [repr(vars(credentials)), repr(copy.copy(credentials)), repr(copy.deepcopy({"auth": credentials}))]
    shown += [json.dumps(credentials, default=repr), repr(Constellations("https://x.org", credentials))]
    assert "secret" not in "".join(shown)
    for write in (pickle.dumps, json.dumps):
        with pytest.raises(TypeError) as caught:
            write(credentials)
        assert "secretsecret" not in str(caught.value)
    with pytest.raises(TypeError, match="hold a token"):
        pickle.dumps(Constellations("https://x.org", credentials)._transport.credentials)


def test_a_copy_signs_in_like_its_original():
    assert copy.deepcopy(Credentials.token(TOKEN)).header("https://x.org") == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("", "is empty"),
        (f"Bearer {TOKEN}", "spaces"),
        (f"{TOKEN}\n", "line breaks"),
        (f"{TOKEN[:9]}\r\nX-Evil: 1", "line breaks"),
        (f"{TOKEN}\x00", "characters that no token has"),
        (f"{TOKEN}é", "characters that no token has"),
        ("a" * 20_000, "20000 characters"),
    ],
)
def test_a_malformed_token_is_refused_here_and_not_shown(token, fault, monkeypatch):
    with pytest.raises(SignInError, match=fault) as caught:
        Credentials.token(token)
    assert TOKEN[:9] not in str(caught.value)
    assert caught.value.status is None


def test_sign_in_reads_the_environment_where_no_token_is_given(monkeypatch):
    with pytest.raises(SignInError, match="CONSTELLATIONS_TOKEN"):
        sign_in()
    monkeypatch.setenv("CONSTELLATIONS_TOKEN", f"{TOKEN}\n")
    assert sign_in().hide_in(TOKEN.encode()) == b"[token]"
    assert Constellations("https://x.org").signed_in
    monkeypatch.setenv("CONSTELLATIONS_TOKEN", "two words")
    with pytest.raises(SignInError, match="environment variable CONSTELLATIONS_TOKEN has spaces"):
        sign_in()
    assert sign_in(TOKEN).hide_in(TOKEN.encode()) == b"[token]"


def test_without_a_token_a_client_is_anonymous():
    assert not Constellations("https://x.org").signed_in


@pytest.mark.parametrize("url", ["http://api.example.org", "http://192.168.1.5:8000", "http://localhost.example.org"])
def test_a_token_is_never_sent_in_the_clear_to_another_machine(url):
    with pytest.raises(SignInError, match="plain http"):
        Constellations(url, TOKEN)
    with pytest.raises(SignInError, match="plain http"):
        Credentials.token(TOKEN).header(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://api.example.org"]
)
def test_a_token_may_go_to_this_machine_and_over_https(url):
    assert Constellations(url, TOKEN).signed_in


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.org",
        "ftp://x.org",
        "https://",
        "https://x.org?a=1",
        "https://x.org#a",
        "https://x.org\n",
        None,
        5,
        "https://user:hunter2@x.org",
        "https://hunter2@x.org",
        "ftp://user:hunter2@x.org",
        "//x.org",
        "https://[::1",
    ],
)
def test_an_address_that_is_no_api_is_refused_and_no_password_in_it_shown(url):
    with pytest.raises(NotSentError) as caught:
        Constellations(url)
    assert "hunter2" not in str(caught.value)


def test_a_slash_at_the_end_of_the_address_does_not_matter():
    assert Constellations("https://x.org/api/").api_url == "https://x.org/api"


def test_this_machine_is_never_reached_through_a_proxy(box, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert box.client().may_add_images(box.handle)
    with pytest.raises(NotSentError):
        Constellations("http://api.invalid", retries=Retries(tries=1)).handle("x")
