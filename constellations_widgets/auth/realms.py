"""Find the identity server and the client id for the accounts of an API.

An API that is not production never sends a sign-in to production's identity server: trials on a test server must not
touch real accounts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..errors import SignInError
from ..http import URL, check_api_url
from ..interface import in_terms
from ..network import is_loopback
from .credentials import check_private

PRODUCTION_API = "https://api.worldwidetelescope.org"
"""The default API."""
API_VARIABLE = "NUXT_PUBLIC_API_URL"
IDENTITY_VARIABLES = ("NUXT_PUBLIC_KEYCLOAK_URL", "KEYCLOAK_URL")
CLIENT_VARIABLE = "WWT_API_CLIENT_ID"
REALM_PATH = "/realms/constellations"

_CLIENT = "automation"
# An API's host → its identity server, and the client id that scripts use there.
_KNOWN = {
    "api.worldwidetelescope.org": ("https://worldwidetelescope.org/auth", _CLIENT),
    "api.wwtelescope.dev": ("https://wwtelescope.dev/auth", "cli-tool"),
}
_PRODUCTION_HOST = "worldwidetelescope.org"
_LOCAL_IDENTITY = "http://localhost:8080"  # where Keycloak's own image listens, and the official client looks


@dataclass(frozen=True)
class Realm:
    """Identity server and client id for the accounts of one API."""

    api_url: str
    issuers: tuple[str, ...]
    """Addresses at which the realm may be; the first one that answers is it."""
    client_id: str


def default_api_url() -> str:
    """Return the default API: ``NUXT_PUBLIC_API_URL`` of the environment, else production."""
    return os.environ.get(API_VARIABLE, "").strip() or PRODUCTION_API


def realm_of(api_url: str | None = None, *, keycloak_url: str | None = None, client_id: str | None = None) -> Realm:
    """Return the realm in which accounts of `api_url` sign in.

    Parameters
    ----------
    api_url : str, optional
        By default ``NUXT_PUBLIC_API_URL`` of the environment, else production.
    keycloak_url : str, optional
        The identity server, to which ``/realms/constellations`` is added. By default ``NUXT_PUBLIC_KEYCLOAK_URL`` or
        ``KEYCLOAK_URL``, if ``NUXT_PUBLIC_API_URL`` names this API or none; else the one that is known to belong to the
        API; for an API on this machine the API's own address, then ``http://localhost:8080``.
    client_id : str, optional
        By default ``WWT_API_CLIENT_ID``, else ``automation`` (``cli-tool`` for wwtelescope.dev).

    Raises
    ------
    NotSentError
        If an address is not valid.
    SignInError
        If no identity server is known for this API, or it is production's and the API is not, or it would be asked over
        plain http.
    """
    api_url = check_api_url(api_url or default_api_url())
    host = URL(api_url).host
    known, known_client = _KNOWN.get(host, (None, _CLIENT))
    client_id = client_id or os.environ.get(CLIENT_VARIABLE, "").strip() or known_client
    if named := keycloak_url or _identity_of_environment(api_url):
        addresses = [named]
    elif known:
        addresses = [known]
    elif is_loopback(host):
        addresses = [api_url, _LOCAL_IDENTITY]
    else:
        raise SignInError(
            f"The identity server of {api_url} is not known: {in_terms('pass keycloak_url=…, or ', '')}set the environment "
            f"variable {IDENTITY_VARIABLES[0]}."
        )
    return Realm(api_url, tuple(_issuer_of(address, api_url) for address in addresses), client_id)


def _identity_of_environment(api_url: str) -> str | None:
    """Return the identity server that the environment names, if it applies to this API; else None."""
    if default_api_url().rstrip("/") != api_url and os.environ.get(API_VARIABLE, "").strip():
        return None
    values = (os.environ.get(name, "").strip() for name in IDENTITY_VARIABLES)
    return next((value for value in values if value), None)


def _issuer_of(address: str, api_url: str) -> str:
    url = URL(check_api_url(address))
    check_private(url)
    check_not_production(url, api_url)
    return f"{str(url).rstrip('/').removesuffix(REALM_PATH)}{REALM_PATH}"


def check_not_production(url: URL, api_url: str) -> None:
    """Raise SignInError if a sign-in for a non-production API would go to production at `url`."""
    if _is_of_production(url.host) and not _is_of_production(URL(api_url).host):
        raise SignInError(
            f"{api_url} is not production, so it must not use production's identity server ({url.host}). "
            + in_terms("Pass its own as keycloak_url=…, or set", "Set its own in")
            + f" the environment variable {IDENTITY_VARIABLES[0]}."
        )


def _is_of_production(host: str) -> bool:
    return host == _PRODUCTION_HOST or host.endswith(f".{_PRODUCTION_HOST}")
