"""Questions to an identity server (OpenID Connect): what it offers, tokens for what it gave, and an end to them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import httpx

from ...errors import ApiError, BadAnswerError, SignInError
from ..credentials import check_private
from ..plaintext import one_line
from .asking import ask
from .realms import Realm, check_not_production
from .tokens import Tokens, tokens_of

SCOPE = "openid profile offline_access"

# What is sent in these fields is never shown, whatever the server makes of it.
_SECRET_FIELDS = ("refresh_token", "token", "code", "code_verifier", "device_code")


class IdentityServer:
    """The identity server of one API. Any thread may ask.

    Parameters
    ----------
    realm : Realm
        Where it is.
    transport : httpx.BaseTransport, optional
        Takes the place of the network, for tests.
    """

    def __init__(self, realm: Realm, *, transport: httpx.BaseTransport | None = None):
        self.realm = realm
        self._transport = transport
        self._lock = threading.Lock()
        self._offer: dict[str, Any] | None = None

    @property
    def issuer(self) -> str:
        """Its name for itself, under which it was found."""
        return self.offer()["issuer"]

    def offer(self) -> dict[str, Any]:
        """What it offers, and where: its OpenID configuration. Asked for once."""
        with self._lock:
            if self._offer is None:
                self._offer = self._discover()
            return self._offer

    def address(self, endpoint: str) -> str | None:
        """Where one of its endpoints is, None where it has none such."""
        address = self.offer().get(endpoint)
        if not isinstance(address, str):
            return None
        check_private(httpx.URL(address))
        check_not_production(httpx.URL(address), self.realm.api_url)
        return address

    def post(self, endpoint: str, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer of an endpoint to a form that is sent in the name of our client. One with "error" in it is a no.

        Raises
        ------
        NotSentError, NoAnswerError, BadAnswerError
            No such answer came.
        """
        address = self.address(endpoint)
        if address is None:
            raise BadAnswerError(f"{self.issuer} offers no {endpoint.replace('_', ' ')}.", url=self.issuer)
        secrets = [form[name] for name in _SECRET_FIELDS if name in form]
        sent = {"client_id": self.realm.client_id, **form}
        status, answer = ask("POST", address, form=sent, secrets=secrets, transport=self._transport)
        form = sent = secrets = None  # tracebacks can show local variables
        if status < 300:
            return answer or {}  # a revocation's has nothing in it
        if not answer or "error" not in answer:
            raise _no_identity_server(address, status)
        return answer

    def tokens(self, grant_type: str, form: Mapping[str, str], *, nonce: str | None = None) -> Tokens | dict[str, Any]:
        """The tokens for what was granted; the server's answer if it is a no."""
        answer = self.post("token_endpoint", {"grant_type": grant_type, **form})
        if "error" in answer:
            return answer
        return tokens_of(answer, self.issuer, self.realm.client_id, nonce=nonce)

    def revoke(self, refresh_token: str) -> None:
        """Let the server end the session that a refresh token belongs to."""
        if self.address("revocation_endpoint"):
            form = {"token": refresh_token, "token_type_hint": "refresh_token"}
            answer = self.post("revocation_endpoint", form)
        else:
            answer = self.post("end_session_endpoint", {"refresh_token": refresh_token})
        # A token that it does not know any more is as dead as one that it has just revoked.
        if answer.get("error") not in (None, "invalid_grant", "invalid_token"):
            raise self.refusal("end the session", answer)

    def refusal(self, what: str, answer: Mapping[str, Any], advice: str = "") -> SignInError:
        """The error for a no of the server."""
        words = answer.get("error_description") or answer.get("error")
        said = f"{self.issuer} says {one_line(str(words))!r}"
        error = SignInError(f"Could not {what}: {said}. {advice}".rstrip(), url=self.issuer, status=None)
        error.message = said
        return error

    def _discover(self) -> dict[str, Any]:
        fault: ApiError | None = None
        for issuer in self.realm.issuers:
            address = f"{issuer}/.well-known/openid-configuration"
            try:
                status, offer = ask("GET", address, transport=self._transport)
            except ApiError as error:
                fault = error
                continue
            if not offer or status != 200:
                fault = _no_identity_server(address, status)
                continue
            if offer.get("issuer") == issuer:
                return offer
            fault = BadAnswerError(
                f"Could not sign in: {issuer} calls itself {one_line(str(offer.get('issuer')))!r}. "
                "Is that the address of the identity server?",
                url=issuer,
            )
        raise fault or SignInError("Could not sign in: no identity server is known.")


def _no_identity_server(address: str, status: int) -> BadAnswerError:
    words = f"Could not sign in: the answer of {address} is none of an identity server (status {status})."
    return BadAnswerError(words, url=address, status=status)
