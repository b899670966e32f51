"""Obtain tokens from the servers that issue them: OpenID Connect, and the Images API by name and password."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from .. import runtime
from ..errors import ApiError, BadAnswerError, SignInError
from ..http import URL, BaseTransport, check_api_url
from ..text import one_line
from .credentials import Secret, check_private, token_fault
from .post_form import get_json, post_form, post_json
from .realms import Realm, check_not_production
from .tokens import Tokens, same_issuer, tokens_of

_STATUSES = frozenset(HTTPStatus)

SCOPE = "openid profile offline_access"
LOGIN_PATH = "/login"

_Form = Mapping[str, str | Secret]
"""Fields of a request to an endpoint. Secret values are `Secret`, since tracebacks can show these frames."""


class IdentityServer:
    """Client of the identity server of one API; thread-safe.

    Parameters
    ----------
    realm : Realm
        Where it is.
    transport : BaseTransport, optional
        Takes the place of the network, for tests.
    """

    def __init__(self, realm: Realm, *, transport: BaseTransport | None = None):
        self.realm = realm
        self._transport = transport
        self._lock = runtime.new_lock()
        self._offer: dict[str, Any] | None = None

    @property
    def issuer(self) -> str:
        """The issuer under which the server was found."""
        return str(self.offer()["issuer"])

    def offer(self) -> dict[str, Any]:
        """Return the server's OpenID configuration, requested once."""
        with self._lock:
            if self._offer is None:
                self._offer = self._discover()
            return self._offer

    def address(self, endpoint: str) -> str | None:
        """Return the address of an endpoint; None if the server has no such endpoint."""
        address = self.offer().get(endpoint)
        if not isinstance(address, str):
            return None
        check_private(URL(address))
        check_not_production(URL(address), self.realm.api_url)
        return address

    def post(self, endpoint: str, form: _Form) -> dict[str, Any]:
        """Send a form to an endpoint as this client; return the response, in which an OAuth error is an "error" key.

        Raises
        ------
        NotSentError, NoAnswerError, BadAnswerError
            If there is no such response.
        """
        address = self.address(endpoint)
        if address is None:
            raise BadAnswerError(f"{self.issuer} offers no {endpoint.replace('_', ' ')}.", url=self.issuer)
        sent = {"client_id": self.realm.client_id, **form}
        status, answer = post_form(address, sent, transport=self._transport)
        if status < 300:
            return answer or {}  # that of a revocation is empty
        if not answer or "error" not in answer:
            raise _no_identity_server(address, status, endpoint.replace("_", " "))
        return answer

    def tokens(self, grant_type: str, form: _Form, *, nonce: str | None = None) -> Tokens | dict[str, Any]:
        """Exchange a grant for tokens; return the server's response if it is an OAuth error."""
        answer = self.post("token_endpoint", {"grant_type": grant_type, **form})
        if "error" in answer:
            return answer
        return tokens_of(answer, self.issuer, self.realm.client_id, nonce=nonce)

    def revoke(self, refresh_token: Secret) -> None:
        """End the session that a refresh token belongs to."""
        if self.address("revocation_endpoint"):
            endpoint, form = "revocation_endpoint", {"token": refresh_token, "token_type_hint": "refresh_token"}
        else:
            endpoint, form = "end_session_endpoint", {"refresh_token": refresh_token}
        answer = self.post(endpoint, form)
        # An unknown token is as invalid as one that was just revoked.
        if answer.get("error") not in (None, "invalid_grant", "invalid_token"):
            raise self.refusal("end the session", endpoint, answer)

    def refusal(self, what: str, endpoint: str, answer: Mapping[str, Any], advice: str = "") -> SignInError:
        """Return the error for an OAuth error of one of the endpoints."""
        code, description = one_line(str(answer.get("error"))), answer.get("error_description")
        cause = f"{one_line(str(description)).rstrip('.')!r} ({code})" if description else repr(code)
        message = f"the {endpoint.replace('_', ' ')} {self.address(endpoint)} responded with {cause}"
        error = SignInError(f"Could not {what}: {message}. {advice}".rstrip(), url=self.issuer, status=None)
        error.message = message
        return error

    def _discover(self) -> dict[str, Any]:
        fault: ApiError | None = None
        for issuer in self.realm.issuers:
            address = f"{issuer}/.well-known/openid-configuration"
            try:
                status, offer = get_json(address, transport=self._transport)
            except ApiError as error:
                fault = error
                continue
            if not offer or status != 200:
                fault = _no_identity_server(address, status, "OpenID configuration")
                continue
            if same_issuer(offer.get("issuer"), issuer):
                return offer
            fault = BadAnswerError(
                f"Could not sign in: {issuer} calls itself {one_line(str(offer.get('issuer')))!r}. "
                "Is that the address of the identity server?",
                url=issuer,
            )
        raise fault or SignInError("Could not sign in: no identity server is known.")


def images_login(images_url: str, name: str, password: str, *, path: str = LOGIN_PATH) -> Secret:
    """Return an access token of the Images API.

    Parameters
    ----------
    images_url : str
        Root of the API.
    name, password : str
        Of the user. Neither is kept, and no message shows the password.
    path : str, optional
        Of the call, from the API's root. Default ``/login``.

    Raises
    ------
    SignInError
        If name or password are wrong, or would be sent over plain http to another machine.
    ApiError
        If the API could not be asked, or gave no token.
    """
    address, password = check_api_url(images_url) + path, Secret(password)  # tracebacks can show local variables
    if not name or not password:
        raise SignInError("Give both name and password.")
    status, answer = post_json(address, {"name": name, "password": password})
    if status in (400, 401, 403):
        raise SignInError(f"{address} rejected this name and password. Check both.", url=address, status=status)
    answer = answer or {}
    token: Any = answer.get("access_token") if status == 200 else None
    if fault := token_fault(token):
        message = answer.get("message") or answer.get("detail") or answer.get("error")
        reason = f"it says {one_line(str(message))!r}" if message else f"the token in its response {fault}"
        answer, token = {}, None
        raise BadAnswerError(f"Could not sign in at {address}: {reason} (status {status}).", url=address, status=status)
    return Secret(token)


def _no_identity_server(address: str, status: int, endpoint: str) -> BadAnswerError:
    status_text = f"{status} {HTTPStatus(status).phrase}" if status in _STATUSES else str(status)
    advice = (
        "The server has a fault: try again later." if status >= 500 else "Check the address of the identity server."
    )
    message = f"Could not sign in: the {endpoint} {address} did not respond like an identity server (status {status_text}). {advice}"
    return BadAnswerError(message, url=address, status=status)
