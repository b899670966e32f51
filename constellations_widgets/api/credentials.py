"""The objects that hold secrets, and sign requests in.

These hold one fixed token; those of `sessions` have tokens that end and are followed by others.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, NoReturn

import httpx

from ..errors import SignInError

TOKEN_VARIABLE = "CONSTELLATIONS_TOKEN"
"""The environment variable that holds a token of the Constellations API."""
IMAGES_TOKEN_VARIABLE = "IMAGES_API_TOKEN"
"""The environment variable that holds a token of the Images API."""

_TOKEN_LIMIT = 16_000  # characters; servers refuse headers that are much longer, with a puzzling answer


class Credentials:
    """What signs requests in. Its text, pickle and JSON never show the token.

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

    @classmethod
    def token(cls, token: str) -> Credentials:
        """Credentials of an access token as the identity server gave it.

        Raises
        ------
        SignInError
            If it can't be a token. The message does not show it.
        """
        if fault := token_fault(token):
            token = ""  # tracebacks can show local variables
            raise SignInError(f"The token {fault}. Copy it again, without quotation marks and without “Bearer”.")
        return cls(lambda: token)

    @classmethod
    def from_environment(cls, variable: str = TOKEN_VARIABLE) -> Credentials | None:
        """Credentials of the token in an environment variable (``CONSTELLATIONS_TOKEN``), None where there is none.

        Raises
        ------
        SignInError
            If the variable holds something that can't be a token. The message does not show it.
        """
        token = token_in_environment(variable)
        return cls(lambda: token) if token else None

    def header(self, url: str | httpx.URL) -> str:
        """The value of the `Authorization` header of a request to `url`, with a token that is good for now.

        Any number of threads may ask. Where the token renews itself, this can take as long as a request.

        Raises
        ------
        SignInError
            If `url` is plain http to another machine, or there is no good token any more: sign in again.
        """
        check_private(httpx.URL(url))
        return f"Bearer {self._read_token()}"

    def renew(self, header: str) -> bool:
        """Whether to ask once more after a 401: True if there is another token now than the one in `header`, which was
        refused. A fixed token never has a successor."""
        return False

    def hide_in(self, content: bytes) -> bytes:
        """`content` without the token, for answers of servers that repeat what they were sent."""
        return content.replace(self._read_token().encode(), b"[token]")

    def __repr__(self) -> str:
        return "<Credentials: a token, hidden>"

    def __copy__(self) -> Credentials:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Credentials:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Credentials are not pickled: they hold a token. Sign in again where they are needed.")


def token_in_environment(variable: str) -> str | None:
    """As `Credentials.from_environment`, the token itself."""
    token = os.environ.get(variable, "").strip()  # a file read into a variable often ends with a newline
    if fault := token_fault(token) if token else None:
        token = ""
        raise SignInError(f"The token in the environment variable {variable} {fault}. Set it again, or unset it.")
    return token or None


def check_private(url: httpx.URL) -> None:
    """Raise SignInError where a token sent to `url` could be read on the way: plain http to another machine."""
    if url.scheme != "https" and not is_loopback(url.host):
        raise SignInError(
            f"A token is never sent over plain http to another machine ({url.host}): it could be read on the way. "
            "Use the https address of the API."
        )


@functools.lru_cache
def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and no other."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def token_fault(token: str) -> str | None:
    """Why `token` can't be a token, without showing it."""
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
