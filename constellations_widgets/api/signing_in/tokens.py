"""Tokens, as the identity server gives them and as they are kept. Nothing that shows them shows what they are."""

from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from ...errors import SignInError
from ..credentials import token_fault

_EARLY = 30.0  # seconds before its end from which a token is renewed, or a quarter of its life if that is shorter
_SLACK = 120.0  # seconds by which the identity server's clock may differ from ours


@dataclass(frozen=True, repr=False)
class Tokens:
    """An access token, and what there is to renew it with."""

    access: str
    refresh: str | None = None
    expires: float = float("inf")
    """When the access token ends, and before that, when it should be renewed: seconds since 1970, by this machine."""
    renew_at: float = float("inf")
    subject: str = ""
    """The account, as the server knows it."""
    username: str = ""
    """The account, as people know it."""

    def __repr__(self) -> str:
        return "<Tokens, hidden>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("Tokens are not pickled.")

    def followed_by(self, new: Tokens) -> Tokens:
        """`new`, with what an answer to a renewal may leave out."""
        return replace(
            new,
            refresh=new.refresh or self.refresh,
            subject=new.subject or self.subject,
            username=new.username or self.username,
        )

    @property
    def fresh(self) -> bool:
        """Whether they need no renewing yet."""
        return time.time() < self.renew_at

    @property
    def alive(self) -> bool:
        """Whether the access token can still be used."""
        return time.time() < self.expires

    def kept(self) -> dict[str, Any]:
        """As they are stored; they can be, if they end one day."""
        return {name: getattr(self, name) for name in _KEPT}

    @classmethod
    def of_kept(cls, content: dict[str, Any]) -> Tokens | None:
        """Those that were stored as `content`; None if that was something else."""
        texts = [content.get(name) for name in ("access", "refresh", "subject", "username")]
        times = [content.get(name) for name in ("expires", "renew_at")]
        if not all(isinstance(text, str) for text in texts) or token_fault(texts[0]) or not texts[1]:
            return None
        if not all(isinstance(moment, int | float) for moment in times):
            return None
        return cls(**{name: content[name] for name in _KEPT})


_KEPT = ("access", "refresh", "expires", "renew_at", "subject", "username")


def tokens_of(answer: dict[str, Any], issuer: str, client_id: str, *, nonce: str | None = None) -> Tokens:
    """The tokens in a token endpoint's answer.

    Parameters
    ----------
    nonce : str, optional
        What the id token must repeat. With it, there must be an id token.

    Raises
    ------
    SignInError
        If there are none, or the id token is not for us. The message shows none of them.
    """
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if fault := token_fault(access) or (token_fault(refresh) if refresh else None):
        answer = access = refresh = None  # tracebacks can show local variables
        raise SignInError(f"Could not sign in: a token in the answer of {issuer} {fault}.", url=issuer)
    lifetime = answer.get("expires_in")
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


def claims_of(token: Any) -> dict[str, Any]:
    """What a JWT claims, unchecked; empty if it is none."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (AttributeError, IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def checked_claims(id_token: Any, issuer: str, client_id: str, nonce: str | None) -> dict[str, Any]:
    """What an id token claims, if it is from `issuer`, for `client_id` and for the sign-in that sent `nonce`.

    It came straight from the identity server, so TLS vouches for it as its signature would (OpenID Connect Core
    3.1.3.7, 6).

    Raises
    ------
    SignInError
        If it isn't. The message shows nothing of it.
    """
    claims = claims_of(id_token)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires = claims.get("exp")
    fault = None
    if not claims:
        fault = "is missing, or none"
    elif claims.get("iss") != issuer:
        fault = "is of another server"
    elif client_id not in audiences or claims.get("azp", client_id) != client_id:
        fault = "is for another program"
    elif not isinstance(expires, int | float) or expires < time.time() - _SLACK:
        fault = "has expired; is this machine's clock right?"
    elif nonce is not None and not hmac.compare_digest(_text(claims, "nonce").encode(), nonce.encode()):
        fault = "belongs to another sign-in"
    if fault:
        id_token = claims = nonce = None
        raise SignInError(f"Could not sign in: the id token that {issuer} gave {fault}.", url=issuer)
    return claims


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
