"""Signing in for real, over the sandbox's socket: by link and code, by page, by a pasted address, by what is kept."""

from __future__ import annotations

import json
import os
import re
import select
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from auth.signing import NEVER, kept, own_box, press, sent_back_to, session_at, sign_in_by, signed_in_at

from constellations_widgets import Constellations, sign_in, sign_out
from constellations_widgets.auth.code_flow import CodeFlow
from constellations_widgets.auth.credentials import Secret
from constellations_widgets.auth.device_flow import DeviceFlow
from constellations_widgets.auth.identity import IdentityServer, images_login
from constellations_widgets.errors import ApiError, NotSentError, SignInError
from constellations_widgets.sandbox import Sandbox
from constellations_widgets.state import state_dir


@pytest.fixture
def box(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with own_box(box, tmp_path, monkeypatch):
        yield box


def may_publish(box: Sandbox, auth) -> bool:
    with Constellations(box.api_url, auth) as client:
        return client.may_add_images(box.handle)


# The three ways


def test_by_link_and_code(box):
    session = session_at(box)
    flow = session.begin(listens=False)
    assert isinstance(flow, DeviceFlow)
    assert flow.user_code in flow.link and flow.link.startswith(box.keycloak_url)
    waiting = threading.Thread(target=lambda: session.accept(flow.wait(NEVER)))
    waiting.start()
    press(flow.link)
    waiting.join(20)
    assert (session.signed_in, session.username) == (True, box.handle)
    assert may_publish(box, session)


def test_by_a_page_that_comes_back_to_this_machine(box):
    box.identity.offers_devices = False
    session = session_at(box)
    flow = session.begin(listens=True)
    assert isinstance(flow, CodeFlow) and flow.listens
    query = {name: values[0] for name, values in parse_qs(urlsplit(flow.link).query).items()}
    assert query["prompt"] == "consent"
    assert query["code_challenge_method"] == "S256" and len(query["state"]) > 20 and len(query["nonce"]) > 20
    strange = httpx.get(query["redirect_uri"], params={"code": "x", "state": "y"})
    assert (strange.status_code, httpx.get(query["redirect_uri"]).status_code) == (400, 404)
    box.identity.asks = True
    assert "You can close this page" in press(flow.link).text
    session.accept(flow.wait(NEVER))
    assert may_publish(box, session)
    with pytest.raises(httpx.ConnectError):
        httpx.get(query["redirect_uri"])


def test_by_pasting_the_address_of_the_page_that_could_not_be_shown(box):
    box.identity.offers_devices = False
    session = session_at(box)
    flow = session.begin(listens=False)
    address = sent_back_to(flow.link)
    other = sent_back_to(session_at(box).begin(listens=False).link)
    strange = address.replace("iss=http", "iss=https%3A%2F%2Fevil.example%2F")
    for wrong, words in [
        ("", "not the right address"),
        ("http://localhost/?a=1", "not the right address"),
        (other, "another sign-in"),
    ]:
        with pytest.raises(SignInError, match=words) as caught:
            flow.paste(wrong)
        assert not wrong or wrong not in str(caught.value)
    with pytest.raises(SignInError, match="another identity server"):
        flow.paste(strange)
    flow.paste(f"  {address[:40]}\n{address[40:]} ")  # as a mail program or a terminal breaks it
    session.accept(flow.wait(NEVER))
    assert may_publish(box, session)


@pytest.mark.parametrize("devices", [True, False])
def test_a_sign_in_that_cannot_be_renewed_says_so(box, devices):
    signed_in_at(box)
    box.identity.offers_devices, box.identity.renews, box.identity.token_lifetime = devices, False, 3600
    session = signed_in_at(box)
    assert re.search(r"issued no refresh token: this sign-in ends at \d\d:\d\d .* Sign in again then", session.notice)
    assert may_publish(box, session)
    assert kept(session) is None and not session_at(box).signed_in  # neither this nor the earlier one comes back
    session._tokens = replace(session._tokens, renew_at=0.0, expires=time.time() - 1)
    with pytest.raises(
        SignInError, match="the identity server issued no refresh token to renew it with: sign in again"
    ):
        session.header(box.api_url)
    box.identity.renews = True
    assert signed_in_at(box).notice == ""


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_issuer_with_a_slash_at_its_end_is_found_again_by_the_next_kernel(box, monkeypatch, slash):
    offer = httpx.get(f"{box.keycloak_url}/realms/constellations/.well-known/openid-configuration").json()
    monkeypatch.setattr(IdentityServer, "_discover", lambda self: offer | {"issuer": offer["issuer"] + slash})
    assert may_publish(box, signed_in_at(box))
    assert session_at(box).signed_in


# What can go wrong on the way


def test_it_can_be_refused_in_the_browser(box):
    flow = session_at(box).begin(listens=False)
    press(flow.link, "deny")
    with pytest.raises(SignInError, match="refused in the browser"):
        flow.wait(NEVER)
    box.identity.offers_devices, box.identity.asks = False, True
    flow = session_at(box).begin(listens=True)
    press(flow.link, "deny")
    with pytest.raises(SignInError, match="refused in the browser"):
        flow.wait(NEVER)


def test_it_can_be_cancelled(box):
    cancelled = threading.Event()
    cancelled.set()
    for box.identity.offers_devices in (True, False):
        with pytest.raises(SignInError, match="cancelled"):
            session_at(box).begin(listens=True).wait(cancelled)


def test_an_unused_code_expires(box):
    box.identity.device_lifetime = 0.1
    with pytest.raises(SignInError, match="code has expired"):
        session_at(box).begin(listens=False).wait(NEVER)


def test_waiting_goes_on_through_slow_down_and_failures_of_the_network(box, monkeypatch):
    monkeypatch.setattr("constellations_widgets.auth.device_flow._SLOWER", 0.05)
    flow = session_at(box).begin(listens=False)
    path = urlsplit(flow._server.address("token_endpoint")).path
    box.faults.next("reset_before_read", path=path)
    box.faults.next("unavailable", path=path)
    flow._interval = 0.001  # sooner than the server wants it
    threading.Timer(0.5, press, [flow.link]).start()
    assert flow.wait(NEVER).username == box.handle


def test_the_id_token_must_be_for_us_and_for_this_sign_in(box):
    box.identity.offers_devices = False
    for attribute, value, words in [
        ("_nonce", "another", "belongs to another sign-in"),
        ("_verifier", Secret("v" * 43), "PKCE verification failed"),
    ]:
        flow = session_at(box).begin(listens=False)
        flow.paste(sent_back_to(flow.link))
        setattr(flow, attribute, value)
        with pytest.raises(SignInError, match=words):
            flow.wait(NEVER)


def test_a_busy_port_leaves_the_pasting(box, monkeypatch):
    box.identity.offers_devices = False
    monkeypatch.setattr("constellations_widgets.auth.code_flow.PORTS", [urlsplit(box.api_url).port])
    assert not session_at(box).begin(listens=True).listens


# What is kept


def test_the_next_kernel_finds_the_sign_in_and_no_other_user_can_read_it(box):
    signed_in_at(box)
    folder = state_dir("sign_in")
    (file,) = folder.glob("*.json")
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)
    again = sign_in(api_url=box.api_url)
    assert may_publish(box, again) and again.username == box.handle
    assert box.identity.granted == ["urn:ietf:params:oauth:grant-type:device_code"]  # nobody was asked again


def test_without_anything_to_sign_in_with_nothing_hangs_and_the_words_name_the_widget(box):
    with pytest.raises(SignInError, match=r"show the widget cxw.SignIn\('http://127.0.0.1:\d+'\)"):
        sign_in(api_url=box.api_url)
    with pytest.raises(SignInError, match="IMAGES_API_TOKEN"):
        sign_in(images_url="https://images.example.org")


def test_a_given_token_comes_first_then_the_environment_then_what_is_kept(box, monkeypatch):
    signed_in_at(box)
    monkeypatch.setenv("NUXT_PUBLIC_API_URL", box.api_url)
    assert sign_in().username == box.handle
    monkeypatch.setenv("CONSTELLATIONS_TOKEN", "from-environment")
    assert sign_in().header(box.api_url) == "Bearer from-environment"
    assert sign_in("given").header(box.api_url) == "Bearer given"
    monkeypatch.setenv("IMAGES_API_TOKEN", "of-images")
    assert sign_in(images_url="https://x.org").header("https://x.org") == "Bearer of-images"


def test_what_the_official_client_keeps_is_used_only_when_the_user_says_so(box, tmp_path, monkeypatch):
    monkeypatch.delenv("NUXT_PUBLIC_API_URL", raising=False)
    refresh = signed_in_at(box)._tokens.refresh
    session_at(box)._store.delete()
    cache = tmp_path / "home" / ".openidc" / "oidc_wwt_api_client.json"
    cache.parent.mkdir(parents=True)
    issuer = f"{box.keycloak_url}/realms/constellations"
    entry = {"idp": issuer, "refresh_token": refresh, "access_token": "x", "expires_at": 5.0, "token_type": "Bearer"}
    old = {**entry, "refresh_token": "old", "expires_at": 1.0}
    cache.write_text(json.dumps({"1": old, "2": entry, "3": {**entry, "idp": "https://other.example"}}))
    with pytest.raises(SignInError):
        sign_in(api_url=box.api_url)
    assert may_publish(box, sign_in(api_url=box.api_url, use_official_cache=True))
    assert may_publish(box, sign_in(api_url=box.api_url))
    cache.write_text("[1, 2]")
    sign_out(box.api_url)
    with pytest.raises(SignInError):
        sign_in(api_url=box.api_url, use_official_cache=True)


def test_signing_out_ends_it_here_in_the_store_and_at_the_server(box):
    session = signed_in_at(box)
    refresh = session._tokens.refresh
    sign_out(box.api_url)
    assert kept(session) is None
    answer = session.server.post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": refresh})
    assert answer["error"] == "invalid_grant"
    with pytest.raises(SignInError):
        sign_in(api_url=box.api_url)
    sign_out(box.api_url)  # twice does no harm


def test_signing_out_without_a_network_says_that_the_server_does_not_know(box):
    session = signed_in_at(box)
    path = urlsplit(session.server.address("revocation_endpoint")).path
    box.faults.next("reset_before_read", path=path)
    with pytest.raises(ApiError, match="Signed out here, but not at the server"):
        session.sign_out()
    assert not session.signed_in and kept(session) is None


def test_a_sign_in_is_sent_to_its_own_api_only(box):
    session = signed_in_at(box)
    with pytest.raises(SignInError, match="is not sent to https://api.example.org"):
        Constellations("https://api.example.org", session).may_add_images("x")


# Name and password


def test_the_images_api_takes_name_and_password(box):
    user = box.images_user
    assert images_login(box.images_url, user.name, user.password).count(".") == 2
    with pytest.raises(SignInError, match="rejected this name and password") as caught:
        images_login(box.images_url, user.name, "hunter2-wrong")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SignInError, match="both"):
        images_login(box.images_url, user.name, "")
    with pytest.raises(SignInError, match="plain http"):
        images_login("http://images.example.org", "me", "hunter2")
    with pytest.raises(NotSentError):
        images_login("http://127.0.0.1:1", "me", "hunter2")


def test_a_session_that_ends_while_a_client_uses_it_goes_on_after_signing_in_again(box):
    session = signed_in_at(box)
    client = Constellations(box.api_url, session)
    assert client.signed_in and client.may_add_images(box.handle)
    session.sign_out()
    assert not client.signed_in
    with pytest.raises(SignInError, match="Not signed in at"):
        client.may_add_images(box.handle)
    sign_in_by(session.begin(listens=False), session)
    assert client.may_add_images(box.handle)


@pytest.mark.skipif(os.name == "nt", reason="a terminal of its own is made with pty")
@pytest.mark.parametrize("devices", [True, False])
def test_at_a_terminal_the_user_is_asked_and_later_input_is_not_read(box, devices):
    import pty

    box.identity.offers_devices = devices
    code = f"import constellations_widgets as cxw; print(cxw.sign_in(api_url={box.api_url!r})); print('typed', input())"
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    program = subprocess.Popen([sys.executable, "-c", code], **streams, env=os.environ | {"BROWSER": "true"})
    os.close(theirs)
    shown = ""

    def wait_for(words: str) -> None:
        nonlocal shown
        ends = time.monotonic() + 60
        while words not in shown and time.monotonic() < ends:
            if select.select([ours], [], [], 0.2)[0]:
                shown += os.read(ours, 65536).decode()
        assert words in shown

    wait_for("Waiting …")
    link = re.search(r"(http://127\S+)\s", shown.partition("open this page:")[2])[1]
    if devices:
        press(link)
    else:
        os.write(ours, b"nonsense\n")
        wait_for("That is not the right address")
        os.write(ours, f"{sent_back_to(link)}\n".encode())
    wait_for("<OidcSession")
    os.write(ours, b"hello\n")
    wait_for("typed hello")
    assert program.wait(30) == 0
    os.close(ours)
