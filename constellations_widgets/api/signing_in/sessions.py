"""Credentials that can end and begin again: somebody signs in, the token is renewed, somebody signs out.

Clients and widgets hold a session as they hold any credentials. Whoever signs in to it later signs them all in.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable

import httpx

from ...errors import ApiError, NoAnswerError, NotSentError, SignInError
from ..credentials import Credentials, check_private, token_fault
from ..transport import check_api_url
from .identity import IdentityServer
from .realms import Realm
from .token_store import TokenStore
from .tokens import Tokens, claims_of

_ENDED = {"invalid_grant", "invalid_client", "unauthorized_client"}  # what a server answers to what it does not know
_REMEMBERED = 8  # tokens that are hidden in answers; old ones may still be on their way


class Session(Credentials):
    """Whoever is signed in at one API, or nobody yet. Its token goes to that API and nowhere else.

    Parameters
    ----------
    api_url : str
        Of the API.
    widget : str
        How to show the widget that signs in, for messages.

    Attributes
    ----------
    api_url : str
    """

    def __init__(self, api_url: str, *, widget: str):
        super().__init__(lambda: self._current().access)
        self.api_url = check_api_url(api_url)
        self._origin = _origin(httpx.URL(self.api_url))
        self._widget = widget
        self._lock = threading.RLock()
        self._tokens: Tokens | None = None
        self._why = ""  # there is no token any more
        self._used: deque[Tokens] = deque(maxlen=_REMEMBERED)
        self._listeners: list[Callable[[], None]] = []

    @property
    def signed_in(self) -> bool:
        """Whether there is a token, or something to renew it with."""
        return self.has_token

    @property
    def username(self) -> str:
        """Who is signed in, as people know the account; empty if nobody is, or the token doesn't say."""
        tokens = self._tokens
        return tokens.username if tokens else ""

    @property
    def has_token(self) -> bool:
        """As `signed_in`, of what is known here: it neither waits nor looks anywhere else."""
        return self._tokens is not None

    @property
    def why(self) -> str:
        """Why nobody is signed in any more, in words; empty if there is nothing to say."""
        return self._why

    def use_token(self, token: str, *, username: str = "") -> None:
        """Sign in with a token that the user already has. It is not kept.

        Parameters
        ----------
        token : str
            The token.
        username : str, optional
            Whose it is. By default what the token says.

        Raises
        ------
        SignInError
            If it can't be one. The message does not show it.
        """
        if fault := token_fault(token):
            token = ""
            raise SignInError(f"The token {fault}. Copy it again, without quotation marks and without “Bearer”.")
        self._set(Tokens(token, username=username or _name_in(token)))

    def sign_out(self) -> None:
        """Forget the sign-in."""
        self._end("")

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, in any thread, when somebody has signed in or out. Ends when what it returns is called."""
        self._listeners.append(listener)

        def stop() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def header(self, url: str | httpx.URL) -> str:
        """As `Credentials.header`.

        Raises
        ------
        SignInError
            If nobody is signed in (any more), or `url` is not of this session's API.
        NotSentError
            If the token has to be renewed, and the identity server can't be reached.
        """
        url = httpx.URL(url)
        check_private(url)
        if _origin(url) != self._origin:
            raise SignInError(
                f"This sign-in is for {self.api_url} and is not sent to {url.scheme}://{url.netloc.decode()}. "
                "Sign in there: name its address, as in sign_in(api_url=…)."
            )
        return super().header(url)

    def renew(self, header: str) -> bool:
        with self._lock:
            tokens = self._tokens
            if tokens is None:
                return False
            if header == f"Bearer {tokens.access}":
                return self._replaced(tokens)
            return True

    def hide_in(self, content: bytes) -> bytes:
        for tokens in tuple(self._used):
            for secret in filter(None, (tokens.access, tokens.refresh)):
                content = content.replace(secret.encode(), b"[token]")
        return content

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.api_url}, {'signed in' if self.signed_in else 'not signed in'}>"

    def _current(self) -> Tokens:
        """A token that is good for now."""
        tokens = self._tokens
        if tokens is None:
            raise self._nobody()
        return tokens

    def _replaced(self, refused: Tokens) -> bool:
        """Whether there is another token in the place of one that the API has refused. Called with the lock held."""
        self._end(f"{self.api_url} does not believe the token any more")
        return False

    def _end(self, why: str) -> None:
        self._set(None, why)

    def _nobody(self) -> SignInError:
        why = f"{self._why}: sign in again" if self._why else f"Nobody is signed in at {self.api_url} yet"
        return SignInError(f"{why}. In a notebook, show the widget {self._widget} in a cell.")

    def _set(self, tokens: Tokens | None, why: str = "") -> None:
        with self._lock:
            before, self._tokens, self._why = self._tokens, tokens, why
            if tokens:
                self._used.append(tokens)
        if before and tokens and before.subject == tokens.subject != "":
            return  # renewed: nothing that anybody sees
        for listener in tuple(self._listeners):
            listener()


class KeptSession(Session):
    """A session at the Constellations API that renews its token, and is kept for the next kernel.

    Parameters
    ----------
    realm : Realm
        Where its accounts sign in.
    transport : httpx.BaseTransport, optional
        Takes the place of the network to the identity server, for tests.
    """

    def __init__(self, realm: Realm, *, transport: httpx.BaseTransport | None = None):
        super().__init__(realm.api_url, widget=f"cxw.SignIn({realm.api_url!r})")
        self.realm = realm
        self.server = IdentityServer(realm, transport=transport)
        self._store = TokenStore(realm.api_url)
        self._looked = False

    @property
    def signed_in(self) -> bool:
        """Whether there is a token, or something to renew it with; an earlier kernel may have kept it."""
        self._restore()
        return self._tokens is not None

    def check(self) -> bool:
        """Whether somebody is signed in whom the identity server still knows. Asks it if the token has to be renewed.

        Raises
        ------
        NotSentError
            If it can't be asked.
        """
        try:
            return self._current() is not None
        except SignInError:
            return False

    def accept(self, tokens: Tokens) -> None:
        """Somebody has signed in: use these tokens, and keep them."""
        with self._lock, self._store.locked():
            self._keep(tokens)
        self._set(tokens)

    def sign_out(self) -> None:
        """Forget the sign-in, here and in the store, and have the server end it.

        Raises
        ------
        ApiError
            If the server could not be told. Here it is forgotten nevertheless.
        """
        with self._lock, self._store.locked():
            stored = self._stored()
            held = {tokens.refresh for tokens in (self._tokens, stored) if tokens and tokens.refresh}
            self._store.delete()
            self._looked = True
            self._end("")
        faults: list[str] = []
        for refresh_token in held:
            try:
                self.server.revoke(refresh_token)
            except ApiError as error:
                faults.append(error.message)
        held = refresh_token = None
        if faults:
            raise NoAnswerError(
                f"Signed out here, but the server could not be told, and its session may go on: {faults[0]}",
                url=self.api_url,
            )

    def _current(self) -> Tokens:
        tokens = self._tokens
        if tokens and tokens.fresh:
            return tokens
        with self._lock:  # one thread renews, the others wait for it
            self._restore()
            tokens = super()._current()
            if tokens.fresh:
                return tokens
            try:
                return self._renewed(tokens)
            except SignInError:
                raise
            except ApiError as error:
                if tokens.alive:
                    return tokens
                words = f"The sign-in at {self.api_url} could not be renewed: {error.message}"
            raise NotSentError(words, url=self.api_url)  # to the API, nothing was sent

    def _restore(self) -> None:
        """Go on where an earlier kernel stopped."""
        if self._looked:
            return
        with self._lock:
            if self._tokens is None and not self._looked and (tokens := self._stored()):
                self._set(tokens)
            self._looked = True

    def _replaced(self, refused: Tokens) -> bool:
        try:
            self._renewed(refused)
        except ApiError:
            return False
        return True

    def _renewed(self, old: Tokens) -> Tokens:
        """The tokens that follow `old`. Called with the lock held."""
        if old.refresh is None:
            self._end(f"The token for {self.api_url} has expired, or is not believed")
            raise self._nobody()
        with self._store.locked():
            stored = self._stored()
            same = stored is not None and stored.subject == old.subject
            if same and stored.access != old.access and stored.fresh:  # another kernel has renewed it
                self._set(stored)
                return stored
            newest = stored if same else old
            answer = self.server.tokens("refresh_token", {"refresh_token": newest.refresh})
            if isinstance(answer, Tokens):
                renewed = newest.followed_by(answer)
                if same:  # somebody may have signed out meanwhile, or in as somebody else
                    self._keep(renewed)
                self._set(renewed)
                return renewed
            if answer.get("error") not in _ENDED:
                raise self.server.refusal("renew the sign-in", answer, "Try again.")
            if same:
                self._store.delete()
        self._end(f"The sign-in at {self.api_url} has ended: it has expired, or was ended elsewhere")
        raise self._nobody()

    def _stored(self) -> Tokens | None:
        content = self._store.read()
        if content is None or content.get("issuer") not in self.realm.issuers:
            return None
        return Tokens.of_kept(content) if content.get("client_id") == self.realm.client_id else None

    def _keep(self, tokens: Tokens) -> None:
        if tokens.refresh:
            self._store.write(tokens.kept() | {"issuer": self.server.issuer, "client_id": self.realm.client_id})


def _name_in(token: str) -> str:
    name = claims_of(token).get("preferred_username")
    return name if isinstance(name, str) else ""


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
