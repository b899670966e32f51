"""Signing in: authorization code with PKCE, the device flow, refreshing, signing out."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
REDIRECT = "http://localhost:12345/"


@pytest.fixture
def realm(box):
    with httpx.Client(base_url=f"{box.keycloak_url}/realms/constellations") as client:
        yield client


@pytest.fixture
def rules(box):
    """How the identity provider behaves, until the test is over."""
    before = dataclasses.asdict(box.identity)
    yield box.identity
    for name, value in before.items():
        setattr(box.identity, name, value)


@pytest.fixture
def endpoints(realm):
    return realm.get("/.well-known/openid-configuration").json()


def authorize(endpoints, **query) -> httpx.Response:
    asked = {
        "client_id": "automation",
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "profile offline_access",
    }
    return httpx.get(endpoints["authorization_endpoint"], params=asked | query)


def code_of(answer: httpx.Response) -> str:
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def token(endpoints, **form) -> httpx.Response:
    return httpx.post(endpoints["token_endpoint"], data={"client_id": "automation"} | form)


def redeem(endpoints, code: str, **form) -> httpx.Response:
    return token(endpoints, **({"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT} | form))


def may_publish(box, access_token: str) -> bool:
    headers = {"Authorization": f"Bearer {access_token}"}
    return httpx.get(f"{box.api_url}/handle/{box.handle}/permissions", headers=headers).json()["view_dashboard"]


def test_the_issuer_is_where_clients_look_for_it(box, endpoints):
    assert endpoints["issuer"] == f"{box.keycloak_url}/realms/constellations"
    assert all(
        url.startswith(endpoints["issuer"]) for name, url in endpoints.items() if name.endswith(("endpoint", "uri"))
    )


def test_a_code_becomes_a_token_that_can_publish(box, endpoints):
    answer = authorize(endpoints, state="s t")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.headers["location"].startswith(REDIRECT)
    assert query["state"] == ["s t"]
    tokens = redeem(endpoints, query["code"][0]).json()
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 300, "profile offline_access")
    assert may_publish(box, tokens["access_token"])


def test_the_token_can_be_checked_with_the_public_key(box, endpoints):
    tokens = redeem(endpoints, code_of(authorize(endpoints, scope="openid", nonce="n"))).json()
    key = jwt.PyJWKClient(endpoints["jwks_uri"]).get_signing_key_from_jwt(tokens["access_token"])
    claims = jwt.decode(tokens["access_token"], key, ["RS256"], audience="account", issuer=endpoints["issuer"])
    assert (claims["sub"], claims["preferred_username"]) == (box.account, box.handle)
    identity = jwt.decode(tokens["id_token"], key, ["RS256"], audience="automation", issuer=endpoints["issuer"])
    assert (identity["nonce"], identity["sub"]) == ("n", box.account)


def test_a_code_works_once_for_its_client_and_its_redirect(endpoints):
    code = code_of(authorize(endpoints))
    assert redeem(endpoints, code, redirect_uri="http://localhost/").json()["error"] == "invalid_grant"
    code = code_of(authorize(endpoints))
    assert redeem(endpoints, code, client_id="cli-tool").json()["error"] == "invalid_grant"
    code = code_of(authorize(endpoints))
    assert redeem(endpoints, code).status_code == 200
    assert redeem(endpoints, code).json() == {"error": "invalid_grant", "error_description": "Code not valid"}
    assert redeem(endpoints, "never-given").status_code == 400


@pytest.mark.parametrize("method", ["S256", "plain"])
def test_pkce_is_checked(endpoints, method):
    verifier = "v" * 43
    challenge = verifier
    if method == "S256":
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    for sent, status in ((verifier, 200), ("w" * 43, 400), (None, 400)):
        code = code_of(authorize(endpoints, code_challenge=challenge, code_challenge_method=method))
        form = {} if sent is None else {"code_verifier": sent}
        assert redeem(endpoints, code, **form).status_code == status


def test_it_asks_when_told_to(endpoints):
    page = authorize(endpoints, prompt="login")
    assert (page.status_code, page.text.count("<button")) == (200, 2)
    assert code_of(httpx.post(page.url, data={"approve": "1"}))
    assert "error=access_denied" in httpx.post(page.url, data={"deny": "1"}).headers["location"]


@pytest.mark.parametrize(
    "redirect", ["https://example.org/", "javascript:alert(1)", "", "http://localhost.example.org/"]
)
def test_codes_only_go_to_this_machine(endpoints, redirect):
    assert authorize(endpoints, redirect_uri=redirect).status_code == 400


def test_other_response_types_are_refused_at_the_client(endpoints):
    assert "error=unsupported_response_type" in authorize(endpoints, response_type="token").headers["location"]


def test_a_token_can_be_refreshed_until_signing_out(box, endpoints):
    tokens = redeem(endpoints, code_of(authorize(endpoints))).json()
    fresh = token(endpoints, grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
    assert fresh["access_token"] != tokens["access_token"]
    assert may_publish(box, fresh["access_token"])
    out = httpx.post(
        endpoints["end_session_endpoint"], data={"client_id": "automation", "refresh_token": fresh["refresh_token"]}
    )
    assert out.status_code == 204
    for dead in (tokens, fresh):
        answer = token(endpoints, grant_type="refresh_token", refresh_token=dead["refresh_token"])
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_session_can_be_revoked_by_either_token(endpoints):
    for name in ("access_token", "refresh_token"):
        tokens = redeem(endpoints, code_of(authorize(endpoints))).json()
        assert httpx.post(endpoints["revocation_endpoint"], data={"token": tokens[name]}).status_code == 200
        assert token(endpoints, grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 400


def start_device(endpoints) -> dict:
    return httpx.post(
        endpoints["device_authorization_endpoint"], data={"client_id": "automation", "scope": "profile"}
    ).json()


def ask_device(endpoints, started) -> httpx.Response:
    return token(endpoints, grant_type=DEVICE_GRANT, device_code=started["device_code"])


def test_a_device_waits_until_its_code_is_allowed(box, endpoints):
    started = start_device(endpoints)
    assert started["user_code"] in started["verification_uri_complete"]
    assert ask_device(endpoints, started).json()["error"] == "authorization_pending"
    assert "<form" in httpx.get(started["verification_uri"]).text
    assert "Allow" in httpx.get(started["verification_uri_complete"]).text
    httpx.post(started["verification_uri"], data={"user_code": started["user_code"].lower(), "approve": "1"})
    assert may_publish(box, ask_device(endpoints, started).json()["access_token"])
    assert ask_device(endpoints, started).json()["error"] == "invalid_grant"


def test_a_device_can_be_refused(endpoints):
    started = start_device(endpoints)
    httpx.post(started["verification_uri"], data={"user_code": started["user_code"], "deny": "1"})
    assert ask_device(endpoints, started).json()["error"] == "access_denied"


def test_a_device_that_asks_too_often_is_slowed_down_and_one_that_asks_too_late_has_no_code(endpoints, rules):
    rules.device_interval = 60
    started = start_device(endpoints)
    assert [ask_device(endpoints, started).json()["error"] for _ in range(2)] == ["authorization_pending", "slow_down"]
    rules.device_interval, rules.device_lifetime = 0, -1
    assert ask_device(endpoints, start_device(endpoints)).json()["error"] == "expired_token"


def test_the_device_flow_can_be_off(endpoints, realm, rules):
    rules.offers_devices = False
    assert "device_authorization_endpoint" not in realm.get("/.well-known/openid-configuration").json()
    assert start_device(endpoints)["error"] == "unauthorized_client"


def test_it_asks_everybody_if_it_is_told_to(endpoints, rules):
    rules.asks = True
    assert "<button" in authorize(endpoints).text


def test_refresh_tokens_can_work_once_and_access_tokens_shortly(box, endpoints, rules):
    rules.rotates, rules.token_lifetime = True, -5
    tokens = redeem(endpoints, code_of(authorize(endpoints))).json()
    answer = httpx.get(f"{box.api_url}/handle/x", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert (tokens["expires_in"], answer.status_code) == (-5, 401)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    answers = [token(endpoints, **form).status_code for _ in range(2)]
    assert answers == [200, 400]
    assert rules.granted[-2:] == ["authorization_code", "refresh_token"]


def test_the_pages_show_what_was_sent_as_text(endpoints):
    page = authorize(endpoints, prompt="login", client_id="<script>")
    assert "<script>" not in page.text
    unknown = httpx.get(f"{endpoints['issuer']}/device", params={"user_code": '"><script>'})
    assert (unknown.status_code, "<script>" in unknown.text) == (400, False)


@pytest.mark.parametrize("form", [{"grant_type": "password"}, {}, {"client_id": ""}])
def test_grants_that_are_not_offered(endpoints, form):
    answer = token(endpoints, **form)
    assert answer.status_code == (401 if "client_id" in form else 400)
    assert "error" in answer.json()
