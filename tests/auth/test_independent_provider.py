"""Signing in at an OpenID provider that nobody here wrote: npm's oidc-provider, by link and code and by a page."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from npm_packages import installed
from ports import free_port

from constellations_widgets.auth.code_flow import CodeFlow
from constellations_widgets.auth.device_flow import DeviceFlow
from constellations_widgets.auth.oidc_session import OidcSession
from constellations_widgets.auth.realms import realm_of
from constellations_widgets.errors import SignInError

PACKAGE = "oidc-provider@9.13.3"
API = "http://127.0.0.1:9"  # nobody is asked there
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def node_and_folder() -> tuple[str, Path]:
    """A Node, and a folder of the user's cache in which the provider is installed."""
    return installed(PACKAGE, "the independent OpenID provider")


@pytest.fixture(scope="module", params=["", "/"], ids=["an issuer", "an issuer with a slash at its end"])
def provider(request: pytest.FixtureRequest, node_and_folder: tuple[str, Path]) -> Iterator[str]:
    """The address of a running provider, to which the realm's path is added."""
    port = free_port()
    node, folder = node_and_folder
    url = f"http://127.0.0.1:{port}"
    program = [
        node,
        str(HERE / "oidc_provider.mjs"),
        str(folder),
        str(port),
        f"{url}/realms/constellations{request.param}",
    ]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if process.stdout.readline().strip() != "ready":
        pytest.fail(process.stderr.read()[-2000:])
    threading.Thread(target=process.stderr.read, daemon=True).start()
    threading.Thread(target=process.stdout.read, daemon=True).start()
    yield url
    process.kill()
    process.wait()


@pytest.fixture
def session(provider: str, monkeypatch: pytest.MonkeyPatch) -> OidcSession:
    monkeypatch.setattr("constellations_widgets.auth.code_flow.PORTS", (0,))  # any free one
    monkeypatch.delenv("WWT_API_CLIENT_ID", raising=False)
    return OidcSession(realm_of(API, keycloak_url=provider))


def sign_in(link: str) -> str:
    """Sign in as ada in a browser that fills in each form it is shown; gives the last page."""
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        page = browser.get(link)
        for _ in range(10):
            form = re.search(r"<form[^>]*action=\"([^\"]*)\"[^>]*>(.*?)</form>", page.text, re.DOTALL)
            if form is None:
                return page.text
            fields = dict(re.findall(r"<input[^>]*?name=\"([^\"]+)\"[^>]*?value=\"([^\"]*)\"", form[2]))
            fields |= {name: "ada" for name in re.findall(r"<input[^>]*?name=\"(login|password)\"", form[2])}
            page = browser.post(urljoin(str(page.url), unescape(form[1])), data=fields)
    raise AssertionError(page.text)


@pytest.mark.parametrize("flow_of", [DeviceFlow.start, CodeFlow], ids=["by link and code", "by a page"])
def test_signing_in_renewing_and_signing_out(session, flow_of):
    flow = flow_of(session.server)
    pages: list[str] = []
    browser = threading.Thread(target=lambda: pages.append(sign_in(flow.link)))
    browser.start()
    session.accept(flow.wait(threading.Event()))
    browser.join(30)
    assert pages and (session.signed_in, session.username, session.notice) == (True, "ada", "")
    first = session.header(API)
    again = OidcSession(session.realm)  # of the next kernel
    assert again.header(API) == first
    again._tokens = replace(again._tokens, renew_at=0.0)
    assert again.header(API) != first
    again.sign_out()
    with pytest.raises(SignInError):
        OidcSession(session.realm).header(API)


def test_without_a_consent_there_is_no_refresh_token_and_that_is_said(session):
    flow = CodeFlow(session.server)
    browser = threading.Thread(target=lambda: sign_in(flow.link.replace("prompt=consent", "prompt=login")))
    browser.start()
    session.accept(flow.wait(threading.Event()))
    browser.join(30)
    assert "issued no refresh token: this sign-in ends at" in session.notice
    assert session.header(API) and not OidcSession(session.realm).signed_in


def test_what_the_provider_refuses_names_endpoint_and_cause(session):
    flow = CodeFlow(session.server, listens=False)
    flow.paste(f"http://localhost/?code=none-such&state={flow._state}")
    with pytest.raises(SignInError, match=r"the token endpoint http://\S+/token responded with '.*' \(invalid_grant\)"):
        flow.wait(threading.Event())
    stranger = OidcSession(realm_of(API, keycloak_url=session.server.issuer, client_id="nobody"))
    assert DeviceFlow.start(stranger.server) is None
    with pytest.raises(SignInError, match=r"the token endpoint \S+ responded with .*invalid_client"):
        answer = stranger.server.tokens("authorization_code", {"code": "x", "redirect_uri": "http://localhost/"})
        raise stranger.server.refusal("sign in", "token_endpoint", answer)
