"""Objects that hold secrets and sign requests.

`Credentials` hold one fixed token; a `Session` has tokens that expire and are renewed.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Generator
from typing import Any, NoReturn

from ..errors import SignInError
from ..http import URL, Auth, Request, Response, authorize, drop_body, hide_frames
from ..network import is_loopback

TOKEN_VARIABLE = "CONSTELLATIONS_TOKEN"
"""The environment variable that holds a token of the Constellations API."""
IMAGES_TOKEN_VARIABLE = "IMAGES_API_TOKEN"
"""The environment variable that holds a token of the Images API."""

_TOKEN_LIMIT = 16_000  # characters; servers refuse headers that are much longer, with a puzzling answer


class Secret(str):
    """Text that tracebacks do not show, neither as a whole nor in parts. In any other use it is plain text."""

    def __repr__(self) -> str:
        return "<hidden>"

    def __getitem__(self, index: Any) -> str:  # `rich` shows the beginning of what is long
        return "<hidden>"


class Credentials:
    """Credentials that sign requests. Their text, pickle and JSON never show the token.

    `sign_in` gives one; `Credentials.token` and `Credentials.from_environment` make one that holds a fixed token.

    Examples
    --------
    >>> Credentials.token("eyJhbGciOi.eyJzdWIi.c2ln")
    <Credentials: a token, hidden>
    """

    def __init__(self, read_token: Callable[[], str]):
        self._read_token = read_token  # a function, so that no attribute shows the token

    @property
    def signed_in(self) -> bool:
        """Whether there is a token."""
        return True

    @property
    def has_token(self) -> bool:
        """Whether a token is known here, without waiting."""
        return True

    @property
    def username(self) -> str:
        """Name of the account that is signed in; empty if the token does not name it."""
        return name_in(self._read_token())

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each sign-in and sign-out, which a fixed token never has; return a function to stop."""
        return lambda: None

    @classmethod
    def token(cls, token: str) -> Credentials:
        """Return credentials that hold a fixed access token, as the identity server issued it.

        Raises
        ------
        SignInError
            If it can't be a token. The message does not show it.
        """
        if fault := token_fault(token):
            token = ""  # tracebacks can show local variables
            raise SignInError(f"The token {fault}. Copy it again, without quotation marks and without “Bearer”.")
        secret = Secret(token)
        return cls(lambda: secret)

    @classmethod
    def from_environment(cls, variable: str = TOKEN_VARIABLE) -> Credentials | None:
        """Return credentials from an environment variable (``CONSTELLATIONS_TOKEN``); None if it is not set.

        Raises
        ------
        SignInError
            If the variable holds something that can't be a token. The message does not show it.
        """
        secret = token_in_environment(variable)
        return cls(lambda: secret) if secret else None

    def header(self, url: str | URL) -> Secret:
        """Return the value of the `Authorization` header for a request to `url`, with a token that is valid now.

        This is thread-safe. If the token has to be renewed, it can take as long as a request.

        Raises
        ------
        SignInError
            If `url` is plain http to another machine, or there is no valid token any more: sign in again.
        """
        check_private(URL(url))
        return Secret(f"Bearer {self._read_token()}")

    def renew(self, header: str) -> bool:
        """Return whether to send a request again after a 401: whether the rejected token in `header` has a successor.

        A fixed token never has one.
        """
        return False

    def hide_in(self, content: bytes) -> bytes:
        """Return `content` without the token, for responses of servers that repeat what they were sent."""
        return content.replace(self._read_token().encode(), b"[token]")

    def __repr__(self) -> str:
        return "<Credentials: a token, hidden>"

    def __copy__(self) -> Credentials:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Credentials:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Credentials are not pickled: they hold a token. Sign in again where they are needed.")


class SignedIn(Auth):
    """Authentication of requests with credentials; a rejected token that has a successor is retried once.

    `Request.extensions` may forbid the latter: ``{"may_renew": False}``.
    """

    def __init__(self, credentials: Credentials):
        self._credentials = credentials

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield the signed request, and once more with a renewed token if the first was rejected."""
        header = self._credentials.header(request.url)
        authorize(request, header)
        response = yield request
        may_renew = response.status_code == 401 and request.extensions.get("may_renew", True)
        if may_renew and self._credentials.renew(header):
            drop_body(response)
            authorize(request, self._credentials.header(request.url))
            yield request


def token_in_environment(variable: str) -> Secret | None:
    """Return the token in an environment variable; see `Credentials.from_environment`."""
    token = os.environ.get(variable, "").strip()  # a file read into a variable often ends with a newline
    if fault := token_fault(token) if token else None:
        token = ""
        raise SignInError(f"The token in the environment variable {variable} {fault}. Set it again, or unset it.")
    return Secret(token) if token else None


@hide_frames
def claims_of(token: Any) -> dict[str, Any]:
    """Return the claims of a JWT, unverified; empty if it is not a JWT."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (AttributeError, IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def name_in(token: str) -> str:
    """Return the name of the account in a token; "" if the token does not name one."""
    name = claims_of(token).get("preferred_username")
    return name if isinstance(name, str) else ""


def check_private(url: URL) -> None:
    """Raise SignInError if a token sent to `url` could be read in transit: plain http to another machine."""
    if url.scheme != "https" and not is_loopback(url.host):
        raise SignInError(
            f"A token is never sent over plain http to another machine ({url.host}): it could be read on the way. "
            "Use the https address of the API."
        )


def token_fault(token: object) -> str | None:
    """Return why `token` can't be a token, without showing it; None if it can."""
    if not isinstance(token, str):
        return "is not text"
    if not token:
        return "is empty"
    if any(character.isspace() for character in token):
        return "has spaces or line breaks in it"
    if not (token.isascii() and token.isprintable()):
        return "has characters that no token has"
    if len(token) > _TOKEN_LIMIT:
        return f"is {len(token)} characters long, which no token is"
    return None
