"""Sessions at the Constellations API: OpenID Connect, with tokens that are renewed and stored for later kernels."""

from __future__ import annotations

import math
import time

from ..errors import ApiError, NoAnswerError, NotSentError, SignInError
from ..http import BaseTransport
from .code_flow import CodeFlow
from .credentials import TOKEN_VARIABLE
from .device_flow import DeviceFlow
from .identity import IdentityServer
from .realms import Realm, realm_of
from .session import Flow, ImagesSession, Session
from .token_store import TokenStore, official_cache_exists, official_refresh_token
from .tokens import Tokens, same_issuer

_ENDED = {"invalid_grant", "invalid_client", "unauthorized_client"}  # errors for unknown tokens and clients


class OidcSession(Session):
    """Session at the Constellations API that renews its token and is stored for later kernels.

    Parameters
    ----------
    realm : Realm
        Identity server of its accounts.
    transport : BaseTransport, optional
        Replaces the network to the identity server, for tests.
    """

    service = "constellations"
    token_variable = TOKEN_VARIABLE
    offers_browser = True

    def __init__(self, realm: Realm, *, transport: BaseTransport | None = None):
        super().__init__(realm.api_url, widget=f"cxw.SignIn({realm.api_url!r})")
        self.realm = realm
        self.server = IdentityServer(realm, transport=transport)
        self._store = TokenStore(realm.api_url)
        self._restored = False

    @property
    def signed_in(self) -> bool:
        """Whether there is a token, or a refresh token to obtain one with, also from an earlier kernel."""
        self._restore()
        return self._tokens is not None

    @property
    def notice(self) -> str:
        """Note on a sign-in that can't be renewed, with the time at which it ends; empty if it can."""
        tokens = self._tokens
        if tokens is None or tokens.refresh or not math.isfinite(tokens.expires):
            return ""
        ends = time.strftime("%H:%M %Z", time.localtime(tokens.expires))
        return (
            f"The identity server issued no refresh token: this sign-in ends at {ends} and is not kept for the next kernel. "
            "Sign in again then."
        )

    @property
    def offers_official(self) -> bool:
        """Whether the official client has ever stored a sign-in that `accept_official` might use."""
        return official_cache_exists()

    def begin(self, *, listens: bool) -> Flow:
        """Start a sign-in in a browser: the device flow if the server offers it, else the authorization code flow."""
        return DeviceFlow.start(self.server) or CodeFlow(self.server, listens=listens)

    def accept_official(self) -> bool:
        """Sign in with the official client's sign-in; return whether there was one that the server accepts."""
        refresh_token = official_refresh_token(self.server.issuer)
        if refresh_token is None:
            return False
        tokens = self.server.tokens("refresh_token", {"refresh_token": refresh_token})
        if isinstance(tokens, Tokens):
            self.accept(Tokens(tokens.access, refresh_token).followed_by(tokens))
            return True
        return False

    def check(self) -> bool:
        """Return whether the identity server still accepts the sign-in; see `Session.check`."""
        try:
            return self._current() is not None
        except SignInError:
            return False

    def accept(self, tokens: Tokens) -> None:
        """Use and store the tokens of a new sign-in."""
        with self._lock, self._store.locked():
            self._keep(tokens)
        self._set(tokens)

    def sign_out(self) -> None:
        """Delete the sign-in, here and in the store, and end it at the server.

        Raises
        ------
        ApiError
            If the server could not be reached. The sign-in is deleted here nevertheless.
        """
        with self._lock, self._store.locked():
            stored = self._stored()
            held = {tokens.refresh for tokens in (self._tokens, stored) if tokens and tokens.refresh}
            self._store.delete()
            self._restored = True
            self._end("")
        faults: list[str] = []
        for refresh_token in held:
            try:
                self.server.revoke(refresh_token)
            except ApiError as error:
                faults.append(error.message)
        if faults:
            raise NoAnswerError(
                f"Signed out here, but not at the server, whose session may continue: {faults[0]}",
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
                message = f"The sign-in at {self.api_url} could not be renewed: {error.message}"
            raise NotSentError(message, url=self.api_url)  # nothing was sent to the API

    def _restore(self) -> None:
        """Restore the sign-in of an earlier kernel."""
        if self._restored:
            return
        with self._lock:
            if self._tokens is None and not self._restored and (tokens := self._stored()):
                self._set(tokens)
            self._restored = True

    def _replaced(self, refused: Tokens) -> bool:
        try:
            self._renewed(refused)
        except ApiError:
            return False
        return True

    def _renewed(self, old: Tokens) -> Tokens:
        """Return the tokens that replace `old`. Called with the lock held."""
        if old.refresh is None:
            reason = ", and the identity server issued no refresh token to renew it with" if self.notice else ""
            self._end(f"The access token for {self.api_url} expired or was rejected{reason}")
            raise self._nobody()
        with self._store.locked():
            stored = self._stored()
            same = stored if stored is not None and stored.subject == old.subject else None
            if same and same.access != old.access and same.fresh:  # another kernel has renewed it
                self._set(same)
                return same
            newest = same or old
            assert newest.refresh is not None  # `old` has one, and nothing is stored without one
            answer = self.server.tokens("refresh_token", {"refresh_token": newest.refresh})
            if isinstance(answer, Tokens):
                renewed = newest.followed_by(answer)
                if same:  # the user may have signed out meanwhile, or in to another account
                    self._keep(renewed)
                self._set(renewed)
                return renewed
            if answer.get("error") not in _ENDED:
                raise self.server.refusal("renew the sign-in", "token_endpoint", answer, "Try again.")
            if same:
                self._store.delete()
        self._end(f"The sign-in at {self.api_url} has ended: it has expired, or was ended elsewhere")
        raise self._nobody()

    def _stored(self) -> Tokens | None:
        content = self._store.read()
        if content is None or not any(same_issuer(content.get("issuer"), known) for known in self.realm.issuers):
            return None
        return Tokens.of_kept(content) if content.get("client_id") == self.realm.client_id else None

    def _keep(self, tokens: Tokens) -> None:
        if tokens.refresh is None:
            self._store.delete()  # an earlier sign-in must not return in place of this one
        else:
            self._store.write(tokens.kept() | {"issuer": self.server.issuer, "client_id": self.realm.client_id})


def session_at(
    api_url: str | None = None,
    *,
    images_url: str | None = None,
    keycloak_url: str | None = None,
    client_id: str | None = None,
) -> Session:
    """Return a session of a service: of the Constellations API, or of the Images API if `images_url` is given.

    Parameters
    ----------
    api_url, images_url, keycloak_url, client_id : str, optional
        As for `sign_in`.

    Raises
    ------
    SignInError
        If both services are named, or no identity server is known for the API.
    NotSentError
        If an address is not valid.
    """
    if images_url is None:
        return OidcSession(realm_of(api_url, keycloak_url=keycloak_url, client_id=client_id))
    if api_url is not None:
        raise SignInError("SignIn takes one service: api_url or images_url. Show one widget for each.")
    return ImagesSession(images_url)
