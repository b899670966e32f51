"""The widget's Python half, at a sandbox: what it does with what the page says, and what it never says itself."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from auth.signing import own_box, press, sent_back_to, signed_in_at
from widgets.sign_in_page import Page

from constellations_widgets import Sandbox, SignIn
from constellations_widgets.errors import SignInError


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def box(running: Sandbox, built: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with own_box(running, tmp_path, monkeypatch):
        yield running


@pytest.fixture
def page(box: Sandbox) -> Iterator[Page]:
    with_widget = Page(SignIn(box.api_url))
    with_widget.wait("out")
    yield with_widget
    with_widget.widget.close()


def test_a_link_and_a_code_then_who_it_is_and_what_they_may(box, page):
    client = page.widget.client()
    assert not client.signed_in
    page.say("start", near=True)
    waiting = page.wait("waiting")
    assert waiting["user_code"] in waiting["link"] and not waiting["accepts_paste"]
    press(waiting["link"])
    status = page.wait(lambda status: status["permission"] == "yes")
    assert (status["phase"], status["username"], status["handle"]) == ("in", box.handle, box.handle)
    assert status["link"] == status["user_code"] == ""
    assert client.signed_in and client.may_add_images(box.handle) and page.widget.handle == box.handle


def test_without_a_device_flow_the_address_can_be_pasted_and_a_wrong_one_again(box, page):
    box.identity.offers_devices = False
    page.say("start", near=False)
    waiting = page.wait("waiting")
    assert waiting["accepts_paste"] and waiting["user_code"] == ""
    page.say("paste", address="http://localhost/?state=x&code=y")
    assert "another sign-in" in page.wait(lambda status: status["paste_message"])["paste_message"]
    page.say("paste", address=sent_back_to(waiting["link"]))
    page.wait("in")


def test_it_can_be_cancelled_refused_and_begun_again(box, page):
    page.say("start", near=False)
    first = page.wait("waiting")["link"]
    page.say("cancel")
    assert page.wait("out")["message"] == ""
    page.say("start", near=False)
    second = page.wait(lambda status: status["link"] not in ("", first))["link"]
    press(second, "deny")
    assert "refused in the browser" in page.wait(lambda status: status["message"])["message"]


def test_a_token_and_a_password_travel_once_and_nothing_echoes_them(box, page):
    token = box.token()
    page.say("token", token=f" Bearer {token}\n")
    page.wait("in")
    page.say("handle", handle=f"@{box.handle}")
    page.wait(lambda status: status["permission"] == "yes")
    page.say("token", token="not a token é")
    assert "characters that no token has" in page.wait(lambda status: status["message"])["message"]
    page.say("sign_out")
    page.wait("out")
    page.say("token", token="eyJ.made.up")
    assert "rejected this token" in page.wait(lambda status: status["message"])["message"]
    assert not page.widget.signed_in
    user = box.images_user
    images = Page(SignIn(images_url=box.images_url))
    images.wait("out")
    images.say("login", name=user.name, password="hunter2-wrong")
    assert "rejected this name" in images.wait(lambda status: status["message"])["message"]
    images.say("login", name=user.name, password=user.password)
    assert images.wait("in")["username"] == user.name
    assert images.widget.client().list() == []
    images.say("sign_out")
    images.wait("out")
    for wrong, words in [
        ("eyJ.made.up", "rejected this token"),
        (box.images_token(expired=True), "Token has expired"),
    ]:
        images.say("token", token=wrong)
        assert words in images.wait(lambda status, words=words: words in status["message"])["message"]
    images.say("token", token=box.images_token())
    images.wait("in")
    told = json.dumps([page.seen, images.seen, page.widget.get_state(), images.widget.get_state()], default=repr)
    told += repr(images.widget) + repr(vars(images.widget)) + repr(page.widget.credentials)
    assert not [secret for secret in (token, "hunter2", user.password) if secret in told]


def test_the_environment_and_an_earlier_sign_in_are_used_without_asking(box, monkeypatch):
    signed_in_at(box)
    again = Page(SignIn(box.api_url, handle="@nobody"))
    assert again.wait(lambda status: status["permission"] == "missing")["username"] == box.handle
    again.say("sign_out")
    again.wait("out")
    assert not again.widget.signed_in
    monkeypatch.setenv("CONSTELLATIONS_TOKEN", box.token(account="somebody"))
    other = Page(SignIn(box.api_url, handle=box.handle))
    assert other.wait(lambda status: status["permission"] == "no")["phase"] == "in"
    monkeypatch.setenv("CONSTELLATIONS_TOKEN", box.token(expired=True))
    words = "rejected the token in the environment variable CONSTELLATIONS_TOKEN"
    assert words in Page(SignIn(box.api_url)).wait("out")["message"]


def test_a_late_response_does_not_sign_in_after_a_cancel(box):
    page = Page(SignIn(images_url=box.images_url))
    page.wait("out")
    box.faults.next("delay", path="/library/login", seconds=0.5)
    page.say("login", name=box.images_user.name, password=box.images_user.password)
    page.wait("busy")
    page.say("cancel")
    page.wait("out")
    while any(thread.name == "constellations-sign-in" for thread in threading.enumerate()):
        time.sleep(0.05)
    assert not page.widget.signed_in and page.widget.status["phase"] == "out"


def test_a_sign_in_that_ends_elsewhere_shows_and_the_client_goes_on_after_the_next(box, page):
    page.say("start", near=False)
    press(page.wait("waiting")["link"])
    page.wait("in")
    client = page.widget.client()
    session = page.widget.credentials
    session.server.revoke(session._tokens.refresh)
    box.faults.next("token_expired", path="/handle/*")
    with pytest.raises(SignInError):
        client.may_add_images(box.handle)
    assert "has ended" in page.wait("out")["message"]
    page.say("start", near=False)
    press(page.wait("waiting")["link"])
    page.wait("in")
    assert client.may_add_images(box.handle)


def test_a_server_that_is_not_there_is_said(built, monkeypatch):
    page = Page(SignIn("http://127.0.0.1:1", keycloak_url="http://127.0.0.1:1"))
    page.wait("out")
    page.say("start", near=True)
    assert "can't be reached" in page.wait(lambda status: status["message"])["message"]
    page.say("token", token="eyJ.good.perhaps")
    words = page.wait(lambda status: "could not be verified" in status["message"])["message"]
    assert "can't be reached" in words and not page.widget.signed_in
    monkeypatch.setenv("CONSTELLATIONS_TOKEN", "eyJ.good.perhaps")  # nobody can be asked: it is used as it is
    assert Page(SignIn("http://127.0.0.1:1", keycloak_url="http://127.0.0.1:1")).wait("in")


def test_closing_ends_the_waiting(box):
    page = Page(SignIn(box.api_url))
    page.wait("out")
    page.say("start", near=False)
    page.wait("waiting")
    page.widget.close()
    ends = time.monotonic() + 120
    while any(thread.name == "constellations-sign-in" for thread in threading.enumerate()) and time.monotonic() < ends:
        time.sleep(0.05)
    assert time.monotonic() < ends
