"""Tokens as the identity server issues them and as they are stored. Their representations hide them."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from ..errors import SignInError
from .credentials import Secret, claims_of, token_fault

_EARLY = 30.0  # seconds before expiry at which a token is renewed; a quarter of its lifetime if that is shorter
_SLACK = 120.0  # seconds by which the identity server's clock may differ from ours


@dataclass(frozen=True, repr=False)
class Tokens:
    """Access token, and the refresh token that renews it."""

    access: Secret
    refresh: Secret | None = None
    expires: float = float("inf")
    """Times at which the access token expires and should be renewed: seconds since 1970, by this machine."""
    renew_at: float = float("inf")
    subject: str = ""
    """Id of the account at the server."""
    username: str = ""
    """Name of the account."""

    def __post_init__(self) -> None:
        # A traceback can show the attributes that a line names, too.
        object.__setattr__(self, "access", Secret(self.access))
        object.__setattr__(self, "refresh", Secret(self.refresh) if self.refresh else None)

    def __repr__(self) -> str:
        return "<Tokens, hidden>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Tokens are not pickled.")

    def followed_by(self, new: Tokens) -> Tokens:
        """Return `new`, completed by what the response to a renewal may leave out."""
        return replace(
            new,
            refresh=new.refresh or self.refresh,
            subject=new.subject or self.subject,
            username=new.username or self.username,
        )

    @property
    def fresh(self) -> bool:
        """Whether the access token does not need renewing yet."""
        return time.time() < self.renew_at

    @property
    def alive(self) -> bool:
        """Whether the access token can still be used."""
        return time.time() < self.expires

    def kept(self) -> dict[str, Any]:
        """Return the content to store. Only tokens that expire can be stored."""
        return {name: getattr(self, name) for name in _KEPT}

    @classmethod
    def of_kept(cls, content: dict[str, Any]) -> Tokens | None:
        """Return the tokens stored as `content`; None if it is not valid."""
        texts = [content.get(name) for name in ("access", "refresh", "subject", "username")]
        times = [content.get(name) for name in ("expires", "renew_at")]
        if not all(isinstance(text, str) for text in texts) or token_fault(texts[0]) or not texts[1]:
            return None
        if not all(isinstance(moment, int | float) for moment in times):
            return None
        return cls(**{name: content[name] for name in _KEPT})


_KEPT = ("access", "refresh", "expires", "renew_at", "subject", "username")


def tokens_of(answer: dict[str, Any], issuer: str, client_id: str, *, nonce: str | None = None) -> Tokens:
    """Return the tokens in a token endpoint's response.

    Parameters
    ----------
    answer : dict
        The response.
    issuer, client_id : str
        Issuer and audience that an id token must have.
    nonce : str, optional
        Nonce that the id token must repeat. If given, there must be an id token.

    Raises
    ------
    SignInError
        If there are no tokens, or the id token is not for this client. The message shows none of them.
    """
    access: Any = answer.get("access_token")
    refresh: Any = answer.get("refresh_token")
    if fault := token_fault(access) or (token_fault(refresh) if refresh else None):
        answer, access, refresh = {}, None, None  # tracebacks can show local variables
        raise SignInError(f"Could not sign in: a token in the response of {issuer} {fault}.", url=issuer)
    lifetime: Any = answer.get("expires_in")
    is_number = isinstance(lifetime, int | float) and not isinstance(lifetime, bool) and 0 < lifetime < 1e9
    seconds = float(lifetime) if is_number else 60.0
    now = time.time()
    claims = claims_of(access)
    if nonce is not None or "id_token" in answer:
        claims = claims | checked_claims(answer.get("id_token"), issuer, client_id, nonce)
    return Tokens(
        access=access,
        refresh=refresh or None,
        expires=now + seconds,
        renew_at=now + seconds - min(_EARLY, seconds / 4),
        subject=_text(claims, "sub"),
        username=_text(claims, "preferred_username") or _text(claims, "name"),
    )


def same_issuer(one: Any, other: str) -> bool:
    """Return whether two issuers are the same, regardless of a trailing slash, which some servers omit in places."""
    return isinstance(one, str) and one.rstrip("/") == other.rstrip("/")


def checked_claims(id_token: Any, issuer: str, client_id: str, nonce: str | None) -> dict[str, Any]:
    """Return the claims of an id token that `issuer` issued for `client_id` and for the sign-in that sent `nonce`.

    It came straight from the identity server, so TLS vouches for it as its signature would (OpenID Connect Core
    3.1.3.7, 6).

    Raises
    ------
    SignInError
        If the id token is not valid. The message shows nothing of it.
    """
    claims = claims_of(id_token)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires = claims.get("exp")
    fault = None
    if not claims:
        fault = "is missing, or none"
    elif not same_issuer(claims.get("iss"), issuer):
        fault = "is of another server"
    elif client_id not in audiences or claims.get("azp", client_id) != client_id:
        fault = "is for another program"
    elif not isinstance(expires, int | float) or expires < time.time() - _SLACK:
        fault = "has expired; is this machine's clock right?"
    elif nonce is not None and not hmac.compare_digest(_text(claims, "nonce").encode(), nonce.encode()):
        fault = "belongs to another sign-in"
    if fault:
        id_token, claims, nonce = None, {}, None
        raise SignInError(f"Could not sign in: the ID token from {issuer} {fault}.", url=issuer)
    return claims


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
