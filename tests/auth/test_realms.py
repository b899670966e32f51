"""Where a sign-in goes: the ecosystem's environment variables, and never from a test server to production."""

from __future__ import annotations

import pytest

from constellations_widgets.auth.realms import realm_of
from constellations_widgets.errors import NotSentError, SignInError

PRODUCTION = "https://worldwidetelescope.org/auth/realms/constellations"
DEVELOPMENT = "https://wwtelescope.dev/auth/realms/constellations"
API, DEV_API = "https://api.worldwidetelescope.org", "https://api.wwtelescope.dev"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("NUXT_PUBLIC_API_URL", "NUXT_PUBLIC_KEYCLOAK_URL", "KEYCLOAK_URL", "WWT_API_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "given", "api_url", "issuer", "client_id"),
    [
        ({}, {}, API, PRODUCTION, "automation"),
        ({}, {"api_url": f"{DEV_API}/"}, DEV_API, DEVELOPMENT, "cli-tool"),
        ({"NUXT_PUBLIC_API_URL": DEV_API}, {}, DEV_API, DEVELOPMENT, "cli-tool"),
        ({"WWT_API_CLIENT_ID": "mine"}, {}, API, PRODUCTION, "mine"),
        ({"WWT_API_CLIENT_ID": "mine"}, {"client_id": "given"}, API, PRODUCTION, "given"),
        ({"KEYCLOAK_URL": "https://id.org/"}, {}, API, "https://id.org/realms/constellations", "automation"),
        (
            {"KEYCLOAK_URL": "https://b.org", "NUXT_PUBLIC_KEYCLOAK_URL": "https://a.org/auth"},
            {},
            API,
            "https://a.org/auth/realms/constellations",
            "automation",
        ),
        (
            {"NUXT_PUBLIC_API_URL": "http://localhost:7000", "NUXT_PUBLIC_KEYCLOAK_URL": "http://127.0.0.1:9000"},
            {},
            "http://localhost:7000",
            "http://127.0.0.1:9000/realms/constellations",
            "automation",
        ),
        # What the environment says of one API is not meant for another one.
        (
            {"NUXT_PUBLIC_API_URL": "http://localhost:7000", "NUXT_PUBLIC_KEYCLOAK_URL": "http://127.0.0.1:9000"},
            {"api_url": API},
            API,
            PRODUCTION,
            "automation",
        ),
        ({}, {"api_url": API, "keycloak_url": f"{DEVELOPMENT}/"}, API, DEVELOPMENT, "automation"),
    ],
)
def test_the_environment_of_the_ecosystem_is_honoured(monkeypatch, variables, given, api_url, issuer, client_id):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    realm = realm_of(**given)
    assert (realm.api_url, realm.issuers, realm.client_id) == (api_url, (issuer,), client_id)


def test_an_api_on_this_machine_is_asked_itself_and_then_keycloaks_own_port():
    expected = ("http://127.0.0.1:7000/realms/constellations", "http://localhost:8080/realms/constellations")
    assert realm_of("http://127.0.0.1:7000").issuers == expected


@pytest.mark.parametrize(
    "api_url", ["http://127.0.0.1:7000", "http://localhost", DEV_API, "https://notworldwidetelescope.org"]
)
def test_an_api_that_is_not_production_never_sends_anybody_to_production(monkeypatch, api_url):
    monkeypatch.setenv("NUXT_PUBLIC_API_URL", api_url)
    monkeypatch.setenv("KEYCLOAK_URL", "https://worldwidetelescope.org/auth/")
    with pytest.raises(SignInError, match="is not production"):
        realm_of()
    with pytest.raises(SignInError, match="is not production"):
        realm_of(api_url, keycloak_url="https://id.worldwidetelescope.org")


def test_what_is_not_known_or_not_safe_is_asked_for(monkeypatch):
    with pytest.raises(SignInError, match="keycloak_url=…, or set the environment variable NUXT_PUBLIC_KEYCLOAK_URL"):
        realm_of("https://api.example.org")
    with pytest.raises(SignInError, match="plain http"):
        realm_of("https://api.example.org", keycloak_url="http://id.example.org")
    with pytest.raises(NotSentError):
        realm_of(keycloak_url="id.example.org")
