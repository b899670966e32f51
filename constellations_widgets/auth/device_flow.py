"""Sign in by device flow (RFC 8628): open a link on any machine, approve there; the program polls for the tokens."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import secrets
import threading
import time
from typing import Any

from .. import runtime
from ..errors import BadAnswerError, NoAnswerError, NotSentError, SignInError
from ..http import URL, InvalidURL
from ..network import is_loopback
from ..text import one_line
from .credentials import Secret
from .identity import SCOPE, IdentityServer
from .realms import check_not_production
from .tokens import Tokens

GRANT = "urn:ietf:params:oauth:grant-type:device_code"

_LONGEST = 3600.0  # seconds that a code is waited for at most, whatever the server says
_LONGEST_PAUSE = 60.0
_EXPIRED = "The sign-in was not approved in time: the code has expired. Sign in again."
_SLOWER = 5.0  # seconds to add when the server asks for it


class DeviceFlow:
    """One sign-in by device flow. Make it with `DeviceFlow.start`.

    Attributes
    ----------
    link : str
        The address to open, on any machine.
    user_code : str
        The code to type there, or to compare with the one shown there.
    """

    def __init__(self, server: IdentityServer, answer: dict[str, Any], verifier: Secret):
        self._server, self._verifier = server, verifier
        device_code, user_code = answer.get("device_code"), answer.get("user_code")
        page = answer.get("verification_uri")
        link = answer.get("verification_uri_complete") or page
        texts = [text for text in (device_code, user_code, page, link) if isinstance(text, str) and text]
        if len(texts) < 4:
            raise BadAnswerError(f"Could not sign in: {server.issuer} returned no code.", url=server.issuer)
        device_code, user_code, page, link = texts
        self._device_code = Secret(device_code)
        self.link, self.user_code = checked_link(link, server), one_line(user_code, 40)
        self._interval = _seconds(answer.get("interval"), 5.0)
        self._ends = time.monotonic() + min(_seconds(answer.get("expires_in"), 600.0), _LONGEST)

    @classmethod
    def start(cls, server: IdentityServer) -> DeviceFlow | None:
        """Start a sign-in; return None if the server does not offer the device flow to this client."""
        if not server.address("device_authorization_endpoint"):
            return None
        verifier, challenge = new_verifier()
        form = {"scope": SCOPE, "code_challenge": challenge, "code_challenge_method": "S256"}
        answer = server.post("device_authorization_endpoint", form)
        return None if "error" in answer else cls(server, answer, verifier)

    def wait(self, cancelled: threading.Event) -> Tokens:
        """Wait for the approval and return the tokens.

        Raises
        ------
        SignInError
            If it was refused, the code has expired, or `cancelled` was set.
        """
        form = {"device_code": self._device_code, "code_verifier": self._verifier}
        while not runtime.wait(cancelled, self._interval):
            if time.monotonic() > self._ends:
                raise SignInError(_EXPIRED)
            try:
                answer = self._server.tokens(GRANT, form)
            except (NotSentError, NoAnswerError, BadAnswerError):  # the network comes back, or the code expires
                self._interval = min(2 * self._interval, _LONGEST_PAUSE)
                continue
            if isinstance(answer, Tokens):
                return answer
            error = answer.get("error")
            if error == "slow_down":
                self._interval += _SLOWER
            elif error == "access_denied":
                raise SignInError("The sign-in was refused in the browser. Sign in again if that was a mistake.")
            elif error == "expired_token":
                raise SignInError(_EXPIRED)
            elif error != "authorization_pending":
                raise self._server.refusal("sign in", "token_endpoint", answer, "Sign in again.")
        raise SignInError("The sign-in was cancelled.")


def new_verifier() -> tuple[Secret, str]:
    """Return a secret for PKCE (RFC 7636) and its S256 challenge."""
    verifier = Secret(secrets.token_urlsafe(48))
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def checked_link(link: str, server: IdentityServer) -> str:
    """Return a link that is safe to open and to type a password at: https, or this machine."""
    url: URL | None = None
    with contextlib.suppress(InvalidURL):
        url = URL(link)
    if url is None or not url.host or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host))):
        raise BadAnswerError(
            f"Could not sign in: {server.issuer} returned no link that is safe to open.", url=server.issuer
        )
    check_not_production(url, server.realm.api_url)
    return str(url)


def _seconds(value: Any, default: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
    return float(value) if is_number else default
