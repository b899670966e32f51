"""After a whole session, no token and no password is anywhere but in the file that keeps the sign-in."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from api.conftest import make_submission
from auth.signing import own_box, press, sent_back_to, signed_in_at
from secrets_used import found_in, secrets_of
from widgets.sign_in_page import Page

import constellations_widgets as cxw
from constellations_widgets.state import state_dir


def failure(attempt: Callable[[], Any]) -> str:
    """The traceback of what must fail, with the values of all local variables, as IPython's verbose mode shows them."""
    with pytest.raises(cxw.ConstellationsError) as caught:
        attempt()
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # Our own frames, which hold what was typed, are not the program's.
    report.stack = traceback.StackSummary.from_list([it for it in report.stack if it.filename != __file__])
    return "".join(report.format())


def test_after_a_whole_session_no_secret_is_anywhere(
    built: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    page_hears: list[str],
):
    caplog.set_level(logging.DEBUG)
    body = make_submission().to_json()
    with cxw.Sandbox() as box, own_box(box, tmp_path, monkeypatch), secrets_of(box, monkeypatch) as secrets:
        typed = box.token()
        secrets |= {typed, "hunter2-wrong"}
        tracebacks = []

        page = Page(cxw.SignIn(box.api_url))
        client = page.widget.client()
        page.wait("out")
        page.say("start", near=False)  # by link and code
        press(page.wait("waiting")["link"])
        page.wait(lambda status: status["permission"] == "yes")
        receipt = client.add_image(box.handle, body)
        tracebacks.append(failure(lambda: client.add_image("nobody", body)))
        box.faults.next("reset_after_commit", path="/handle/*")
        tracebacks.append(failure(lambda: client.add_image(box.handle, body)))
        client._transport.credentials.renew(client._transport.credentials.header(box.api_url))
        page.say("sign_out")
        page.wait("out")
        tracebacks.append(failure(lambda: client.may_add_images(box.handle)))

        box.identity.offers_devices = False  # by a pasted address
        page.say("start", near=False)
        address = sent_back_to(page.wait("waiting")["link"])
        secrets.add(httpx.URL(address).params["code"])
        page.say("paste", address=address.replace("state=", "state=x"))
        page.wait(lambda status: status["paste_message"])
        page.say("paste", address=address)
        page.wait(lambda status: status["permission"] == "yes")
        page.widget.credentials.server.revoke(page.widget.credentials._tokens.refresh)
        box.faults.next("token_expired", path="/handle/*")
        tracebacks.append(failure(lambda: client.add_image(box.handle, body)))
        page.wait("out")

        page.say("token", token=typed)  # by a token
        page.wait("in")
        page.say("token", token=f"{typed} é")
        page.wait(lambda status: status["message"])
        tracebacks.append(failure(lambda: cxw.sign_in(f"{typed} é")))

        images = Page(cxw.SignIn(images_url=box.images_url))  # by name and password
        images.wait("out")
        for password in ("hunter2-wrong", box.images_user.password):
            images.say("login", name=box.images_user.name, password=password)
            images.wait(lambda status: status["message"] or status["phase"] == "in")
        images.wait("in")
        images.widget.client().list()
        tracebacks.append(failure(lambda: images.widget.client().delete("00000000-0000-0000-0000-000000000000")))

        box.identity.offers_devices = True
        signed_in_at(box)  # and once more, which is kept
        assert len(secrets) > 8
        saved = json.dumps([page.widget.get_state(), images.widget.get_state()], default=repr)
        (kept,) = state_dir("sign_in").glob("*.json")
        state = b"".join(path.read_bytes() for path in state_dir().rglob("*") if path.is_file() and path != kept)
        everywhere = {
            "what pages hear": "".join(page_hears),
            "saved widgets": saved,
            "state": state,
            "log": caplog.text,
            "tracebacks": "".join(tracebacks),
            "receipt": repr(receipt),
            "reprs": repr([client, page.widget, images.widget, vars(client), vars(page.widget.credentials)]),
        }
        assert {place: found for place, text in everywhere.items() if (found := found_in(text, secrets))} == {}
        assert found_in(kept.read_bytes(), secrets)  # the search finds what is there
        assert len(page_hears) > 20 and "Traceback" in everywhere["tracebacks"]
