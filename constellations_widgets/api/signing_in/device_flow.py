"""Signing in with a link and a short code (RFC 8628): open the link anywhere, allow it there, and the program is told."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from typing import Any

import httpx

from ...errors import BadAnswerError, NoAnswerError, NotSentError, SignInError
from ..credentials import is_loopback
from ..plaintext import one_line
from .identity import SCOPE, IdentityServer
from .realms import check_not_production
from .tokens import Tokens

GRANT = "urn:ietf:params:oauth:grant-type:device_code"

_LONGEST = 3600.0  # seconds that a code is waited for at most, whatever the server says
_LONGEST_PAUSE = 60.0
_SLOWER = 5.0  # seconds to add when the server asks for it


class DeviceFlow:
    """One sign-in by link and code. Make it with `DeviceFlow.start`.

    Attributes
    ----------
    link : str
        What to open, on any machine.
    user_code : str
        What to type there, or to compare with what is shown there.
    """

    def __init__(self, server: IdentityServer, answer: dict[str, Any], verifier: str):
        self._server, self._verifier = server, verifier
        device_code, user_code = answer.get("device_code"), answer.get("user_code")
        page = answer.get("verification_uri")
        link = answer.get("verification_uri_complete") or page
        if not all(isinstance(text, str) and text for text in (device_code, user_code, page, link)):
            raise BadAnswerError(f"Could not sign in: {server.issuer} gave no code.", url=server.issuer)
        self._device_code = device_code
        self.link, self.user_code = checked_link(link, server), one_line(user_code, 40)
        self._interval = _seconds(answer.get("interval"), 5.0)
        self._ends = time.monotonic() + min(_seconds(answer.get("expires_in"), 600.0), _LONGEST)

    @classmethod
    def start(cls, server: IdentityServer) -> DeviceFlow | None:
        """A new one; None where the server does not offer it to our client."""
        if not server.address("device_authorization_endpoint"):
            return None
        verifier, challenge = new_verifier()
        form = {"scope": SCOPE, "code_challenge": challenge, "code_challenge_method": "S256"}
        answer = server.post("device_authorization_endpoint", form)
        return None if "error" in answer else cls(server, answer, verifier)

    def wait(self, cancelled: threading.Event) -> Tokens:
        """The tokens, once somebody has allowed it.

        Raises
        ------
        SignInError
            If it was refused, the code has expired, or `cancelled` was set.
        """
        form = {"device_code": self._device_code, "code_verifier": self._verifier}
        while not cancelled.wait(self._interval):
            if time.monotonic() > self._ends:
                raise SignInError("Nobody has allowed the sign-in in time: the code has expired. Sign in again.")
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
                raise SignInError("Nobody has allowed the sign-in in time: the code has expired. Sign in again.")
            elif error != "authorization_pending":
                raise self._server.refusal("sign in", answer, "Sign in again.")
        raise SignInError("The sign-in was cancelled.")


def new_verifier() -> tuple[str, str]:
    """A secret for PKCE (RFC 7636), and its challenge by S256."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def checked_link(link: str, server: IdentityServer) -> str:
    """A link of the server that may be shown, for a password to be typed there: https, or this machine."""
    try:
        url = httpx.URL(link)
    except httpx.InvalidURL:
        url = None
    safe = url is not None and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host)))
    if not safe or not url.host:
        raise BadAnswerError(
            f"Could not sign in: {server.issuer} gave no link that is safe to open.", url=server.issuer
        )
    check_not_production(url, server.realm.api_url)
    return str(url)


def _seconds(value: Any, default: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
    return float(value) if is_number else default
