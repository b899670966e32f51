"""A sign-in that is interrupted while it waits: no traceback with local variables shows a secret of it."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable
from types import TracebackType

import httpx
import pytest

from constellations_widgets.auth.code_flow import CodeFlow
from constellations_widgets.auth.credentials import Secret
from constellations_widgets.auth.device_flow import DeviceFlow
from constellations_widgets.auth.oidc_session import OidcSession
from constellations_widgets.auth.realms import Realm
from constellations_widgets.auth.token_store import OFFICIAL_CACHE, official_refresh_token
from constellations_widgets.auth.tokens import Tokens

ISSUER = "https://id.example.org/realms/constellations"
OFFER = {"issuer": ISSUER} | {
    f"{name}_endpoint": f"{ISSUER}/{name}" for name in ("token", "authorization", "device_authorization", "revocation")
}
SECRET = "s3cr3t-that-nobody-sees"
DEVICE = {"device_code": SECRET, "user_code": "U", "verification_uri": f"{ISSUER}/go", "interval": 0.001}


class Interrupting:
    """An event at which the user presses Ctrl-C."""

    def wait(self, _seconds: float) -> bool:
        raise KeyboardInterrupt

    is_set = property(lambda self: lambda: self.wait(0))


class Calm:
    def wait(self, _seconds: float) -> bool:
        return False

    def is_set(self) -> bool:
        return False


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("openid-configuration"):
        return httpx.Response(200, json=OFFER)
    if request.url.path.endswith("device_authorization"):
        return httpx.Response(200, json=DEVICE)
    raise KeyboardInterrupt


@pytest.fixture
def session(monkeypatch) -> OidcSession:
    monkeypatch.setattr("constellations_widgets.auth.device_flow.new_verifier", lambda: (Secret(SECRET), "c"))
    monkeypatch.setattr("constellations_widgets.auth.code_flow.new_verifier", lambda: (Secret(SECRET), "c"))
    session = OidcSession(
        Realm("https://api.example.org", (ISSUER,), "automation"), transport=httpx.MockTransport(answer)
    )
    session._restored = True
    return session


def code_flow(session: OidcSession) -> CodeFlow:
    flow = CodeFlow(session.server, listens=False)
    flow.paste(f"http://localhost/?code={SECRET}&state={flow._state}")
    return flow


def renew(session: OidcSession) -> None:
    session._set(Tokens(Secret(SECRET), Secret(SECRET), expires=0, renew_at=0))
    session.header("https://api.example.org")


def sign_out(session: OidcSession) -> None:
    session._set(Tokens(Secret(SECRET), Secret(SECRET)))
    session.sign_out()


def official(session: OidcSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("constellations_widgets.auth.oidc_session.official_refresh_token", lambda _: Secret(SECRET))
    session.accept_official()


WAITS: dict[str, Callable[[OidcSession, pytest.MonkeyPatch], object]] = {
    "the browser": lambda session, _: code_flow(session).wait(Interrupting()),
    "the tokens of a code": lambda session, _: code_flow(session).wait(Calm()),
    "the approval": lambda session, _: DeviceFlow.start(session.server).wait(Interrupting()),
    "the tokens of a device": lambda session, _: DeviceFlow.start(session.server).wait(Calm()),
    "a renewal": lambda session, _: renew(session),
    "a sign-out": lambda session, _: sign_out(session),
    "the official client's sign-in": official,
}


def shown(tb: TracebackType | None) -> str:
    """What the most talkative tools print of our frames: local variables, and the attributes of what they hold."""
    text = []
    for frame, _line in traceback.walk_tb(tb):
        if "constellations_widgets" in frame.f_code.co_filename and "tests" not in frame.f_code.co_filename:
            for name, value in frame.f_locals.items():
                text.append(f"{frame.f_code.co_qualname}: {name} = {value!r}")
                if type(value).__module__.startswith("constellations_widgets"):
                    text += [f"{name}.{key} = {each!r}" for key, each in getattr(value, "__dict__", {}).items()]
    return "\n".join(text)


@pytest.mark.parametrize("wait", WAITS)
def test_no_frame_of_an_interrupted_sign_in_shows_a_secret(session, monkeypatch, wait):
    with pytest.raises(KeyboardInterrupt) as caught:
        WAITS[wait](session, monkeypatch)
    text = shown(caught.value.__traceback__)
    assert "auth" in text or "self" in text
    assert [line for line in text.splitlines() if SECRET in line] == []


def test_a_secret_shows_itself_only_as_text():
    secret = Secret(SECRET)
    assert SECRET not in f"{secret!r} {[secret]} {secret[:3]!r} {Tokens(secret, secret)!r}"
    assert f"{secret}" == SECRET and copy.deepcopy(secret) == secret


def test_the_official_clients_token_is_hidden_too(tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    (tmp_path / ".openidc").mkdir()
    entry = f'{{"a": {{"idp": "{ISSUER}/", "refresh_token": "{SECRET}"}}}}'
    (tmp_path / OFFICIAL_CACHE).write_text(entry)
    assert official_refresh_token(ISSUER) == Secret(SECRET)
