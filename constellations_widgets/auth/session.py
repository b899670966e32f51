"""Credentials that change over time: sign-in, renewal and sign-out.

Clients and widgets hold a session as they hold any credentials. A later sign-in to it signs all of them in. A session
says what it offers; callers need not know of which class it is.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import ClassVar, Literal

from .. import runtime
from ..errors import SignInError
from ..http import URL, check_api_url
from .code_flow import CodeFlow
from .credentials import IMAGES_TOKEN_VARIABLE, Credentials, Secret, check_private, name_in, token_fault
from .device_flow import DeviceFlow
from .identity import images_login
from .tokens import Tokens

Service = Literal["constellations", "images"]
Flow = DeviceFlow | CodeFlow
"""Sign-in that the user completes in a browser."""

_REMEMBERED = 8  # tokens that are hidden in responses; old ones may still be in use


class Session(Credentials):
    """Sign-in at one API, or the absence of one. Its token is sent to that API only.

    `session_at` makes the session of a service. Each can take a token; `offers_browser`, `offers_password` and
    `offers_official` say what else it can do.

    Parameters
    ----------
    api_url : str
        Root of the API.
    widget : str
        Expression that shows the widget for signing in, for messages.

    Attributes
    ----------
    api_url : str
    service : {"constellations", "images"}
        The service that the API belongs to.
    token_variable : str
        Environment variable that holds a token of the service.
    offers_browser, offers_password : bool
        Whether `begin` and `login` are available.
    """

    service: ClassVar[Service]
    token_variable: ClassVar[str]
    offers_browser: ClassVar[bool] = False
    offers_password: ClassVar[bool] = False

    def __init__(self, api_url: str, *, widget: str):
        super().__init__(lambda: self._current().access)
        self.api_url = check_api_url(api_url)
        self._origin = _origin(URL(self.api_url))
        self._widget = widget
        self._lock = runtime.new_rlock()
        self._tokens: Tokens | None = None
        self._why = ""  # set when the sign-in ended
        self._used: deque[Tokens] = deque(maxlen=_REMEMBERED)
        self._listeners: list[Callable[[], None]] = []

    @property
    def signed_in(self) -> bool:
        """Whether there is a token, or a refresh token to obtain one with."""
        return self.has_token

    @property
    def username(self) -> str:
        """Name of the account that is signed in; empty if there is no sign-in, or if the token does not name the account."""
        tokens = self._tokens
        return tokens.username if tokens else ""

    @property
    def has_token(self) -> bool:
        """Whether a token is known here, without waiting or reading the store; see `signed_in`."""
        return self._tokens is not None

    @property
    def why(self) -> str:
        """Why the sign-in ended; empty if there is nothing to report."""
        return self._why

    @property
    def notice(self) -> str:
        """Note on the sign-in, such as that it can't be renewed; usually empty."""
        return ""

    def use_token(self, token: str, *, username: str = "") -> None:
        """Sign in with a token that the user already has. It is not stored.

        Parameters
        ----------
        token : str
            The token.
        username : str, optional
            Name of its account. By default the name in the token.

        Raises
        ------
        SignInError
            If it can't be a token. The message does not show it.
        """
        if fault := token_fault(token):
            token = ""
            raise SignInError(f"The token {fault}. Copy it again, without quotation marks and without “Bearer”.")
        self._set(Tokens(Secret(token), username=username or name_in(token)))

    @property
    def offers_official(self) -> bool:
        """Whether the official client has ever stored a sign-in that `accept_official` might use."""
        return False

    def begin(self, *, listens: bool) -> Flow:
        """Start a sign-in that the user completes in a browser; pass the tokens of its flow to `accept`.

        Parameters
        ----------
        listens : bool
            Whether to listen on this machine for the browser's redirect, if the flow has one.
        """
        raise SignInError(f"{self.api_url} has no sign-in by browser. Sign in with name and password, or with a token.")

    def accept(self, tokens: Tokens) -> None:
        """Use the tokens of a new sign-in."""
        self._set(tokens)

    def accept_official(self) -> bool:
        """Sign in with the official client's sign-in; return whether there was one that the server accepts."""
        return False

    def login(self, name: str, password: str) -> Tokens:
        """Return the tokens for a name and password, neither of which is kept; pass them to `accept`.

        Raises
        ------
        SignInError
            If they are wrong, would be sent over plain http to another machine, or this service does not take them.
        ApiError
            If the API could not be reached, or gave no token.
        """
        raise SignInError(f"{self.api_url} has no sign-in by password. Sign in by browser, or with a token.")

    def check(self) -> bool:
        """Return whether the server still accepts the sign-in; it is asked only if the token must be renewed.

        Raises
        ------
        NotSentError
            If the identity server can't be reached.
        """
        return self.signed_in

    def sign_out(self) -> None:
        """Delete the sign-in."""
        self._end("")

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, in any thread, after each sign-in and sign-out; return a function that ends this."""
        self._listeners.append(listener)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def header(self, url: str | URL) -> Secret:
        """Return the value of the `Authorization` header; see `Credentials.header`.

        Raises
        ------
        SignInError
            If there is no sign-in (any more), or `url` is not of this session's API.
        NotSentError
            If the token has to be renewed, and the identity server can't be reached.
        """
        url = URL(url)
        check_private(url)
        if _origin(url) != self._origin:
            raise SignInError(
                f"This sign-in is for {self.api_url} and is not sent to {url.scheme}://{url.netloc.decode()}. "
                "Sign in there: name its address, as in sign_in(api_url=…)."
            )
        return super().header(url)

    def renew(self, header: str) -> bool:
        """Return whether the rejected token in `header` has a successor; see `Credentials.renew`."""
        with self._lock:
            tokens = self._tokens
            if tokens is None:
                return False
            if header == f"Bearer {tokens.access}":
                return self._replaced(tokens)
            return True

    def hide_in(self, content: bytes) -> bytes:
        """Return `content` without the tokens of this session; see `Credentials.hide_in`."""
        for tokens in tuple(self._used):
            for secret in filter(None, (tokens.access, tokens.refresh)):
                content = content.replace(secret.encode(), b"[token]")
        return content

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.api_url}, {'signed in' if self.signed_in else 'not signed in'}>"

    def _current(self) -> Tokens:
        """Return a token that is valid now."""
        tokens = self._tokens
        if tokens is None:
            raise self._nobody()
        return tokens

    def _replaced(self, refused: Tokens) -> bool:
        """Replace a token that the API rejected; return whether that succeeded. Called with the lock held."""
        self._end(f"{self.api_url} rejected the token")
        return False

    def _end(self, why: str) -> None:
        self._set(None, why)

    def _nobody(self) -> SignInError:
        why = f"{self._why}: sign in again" if self._why else f"Not signed in at {self.api_url}"
        return SignInError(f"{why}. In a notebook, show the widget {self._widget} in a cell.")

    def _set(self, tokens: Tokens | None, why: str = "") -> None:
        with self._lock:
            before, self._tokens, self._why = self._tokens, tokens, why
            if tokens:
                self._used.append(tokens)
        if before and tokens and before.subject == tokens.subject != "":
            return  # renewed: no visible change
        for listener in tuple(self._listeners):
            listener()


class ImagesSession(Session):
    """Session at an Images API. It is not stored, and its token can't be renewed.

    Parameters
    ----------
    images_url : str
        Root of the API.
    """

    service = "images"
    token_variable = IMAGES_TOKEN_VARIABLE
    offers_password = True

    def __init__(self, images_url: str):
        super().__init__(images_url, widget=f"cxw.SignIn(images_url={images_url!r})")

    def login(self, name: str, password: str) -> Tokens:
        """Return the tokens for a name and password; see `Session.login`."""
        return Tokens(images_login(self.api_url, name, Secret(password)), username=name)


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
