"""Sign tokens for the API, the identity provider and the Images API with the sandbox's key."""

from __future__ import annotations

import base64
import threading
import time
import uuid
from collections.abc import Iterable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

__all__ = ["AUDIENCE", "KEY_ID", "LIFETIME", "access_token", "issuer_of", "jwks", "private_key", "sign"]

AUDIENCE = "account"
KEY_ID = "sandbox"

#: Lifetime of an access token in seconds, as in a new Keycloak.
LIFETIME = 300


_key: rsa.RSAPrivateKey | None = None
_key_lock = threading.Lock()


def private_key() -> rsa.RSAPrivateKey:
    """Return the key of this process: making one is the slowest part of starting a sandbox.

    The lock ensures that there is one key: with a cache alone, two concurrent first requests would make one each, and a
    token signed with the discarded key would never be valid.
    """
    global _key
    with _key_lock:
        if _key is None:
            _key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return _key


def sign(claims: dict[str, Any]) -> str:
    """Return a JWT with these claims, signed with the process's key."""
    return jwt.encode(claims, private_key(), algorithm="RS256", headers={"kid": KEY_ID})


def jwks() -> dict[str, Any]:
    """Return the public key, as the `certs` address shows it."""
    numbers = private_key().public_key().public_numbers()
    key = {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": KEY_ID,
        "n": _base64url(numbers.n),
        "e": _base64url(numbers.e),
    }
    return {"keys": [key]}


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def issuer_of(keycloak_url: str) -> str:
    """Return the issuer of the tokens of an identity provider."""
    return f"{keycloak_url.rstrip('/')}/realms/constellations"


def access_token(
    issuer: str,
    account: str,
    *,
    username: str = "",
    lifetime: float = LIFETIME,
    roles: Iterable[str] = (),
    scope: str = "openid profile",
    claims: dict[str, Any] | None = None,
) -> str:
    """Return an RS256 token for one account.

    Parameters
    ----------
    lifetime : float
        Seconds; a negative one makes a token that has expired already.
    roles : iterable of str
        Realm roles, such as "manage-astropix".
    claims : dict, optional
        Claims to change. None as a value leaves the claim out.
    """
    now = int(time.time())
    payload = {
        "exp": int(now + lifetime),
        "iat": now,
        "jti": str(uuid.uuid4()),
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": account,
        "typ": "Bearer",
        "azp": "automation",
        "realm_access": {"roles": ["offline_access", *roles]},
        "scope": scope,
        "preferred_username": username or account,
    }
    payload |= claims or {}
    return sign({name: value for name, value in payload.items() if value is not None})
