"""For the tests of signing in: a browser that presses the buttons, and sessions at a sandbox."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from constellations_widgets.auth.code_flow import CodeFlow
from constellations_widgets.auth.device_flow import DeviceFlow
from constellations_widgets.auth.oidc_session import OidcSession
from constellations_widgets.auth.realms import realm_of
from constellations_widgets.sandbox import Sandbox

NEVER = threading.Event()


@contextlib.contextmanager
def own_box(box: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The sandbox as one test wants it, quick to answer; a store of this test's own."""
    monkeypatch.setenv("CXW_STATE_DIR", str(folder / "state"))
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setattr("constellations_widgets.auth.code_flow.PORTS", (0,))  # any free one
    before = dataclasses.asdict(box.identity)
    box.identity.device_interval = 0.05
    box.identity.granted.clear()
    yield
    for name, value in before.items():
        setattr(box.identity, name, value)


def session_at(box: Sandbox) -> OidcSession:
    """A session of a new kernel, so to speak."""
    return OidcSession(realm_of(box.api_url))


def press(link: str, button: str = "approve") -> httpx.Response:
    """Open a link of the identity server and press a button; follows the way back."""
    page = httpx.get(link)
    form = dict(re.findall(r'name="(user_code)" value="([^"]*)"', page.text))
    return httpx.post(link, data=form | {button: "1"}, follow_redirects=True)


def sent_back_to(link: str) -> str:
    """Approve, and give the address to which the browser is sent then. It holds a code: no library that logs is asked."""
    address = urlsplit(link)
    connection = http.client.HTTPConnection(address.netloc)
    with contextlib.closing(connection):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"{address.path}?{address.query}", "approve=1", form)
        return connection.getresponse().getheader("Location")


def sign_in_by(flow: DeviceFlow | CodeFlow, session: OidcSession) -> None:
    """Somebody allows it in a browser."""
    press(flow.link)
    session.accept(flow.wait(threading.Event()))


def signed_in_at(box: Sandbox) -> OidcSession:
    """A session to which somebody has signed in, and which is kept."""
    session = session_at(box)
    sign_in_by(session.begin(listens=True), session)
    return session


def kept(session: OidcSession) -> dict[str, Any] | None:
    """What the store has of it."""
    return session._store.read()
