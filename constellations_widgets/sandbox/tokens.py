"""The signing key of the test identity provider and the tokens made with it."""

from __future__ import annotations

import base64
import functools
import time
import uuid
from collections.abc import Iterable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

__all__ = ["AUDIENCE", "KEY_ID", "LIFETIME", "access_token", "issuer_of", "jwks", "private_key"]

AUDIENCE = "account"
KEY_ID = "sandbox"

#: Seconds for which an access token is good, as in a fresh Keycloak.
LIFETIME = 300


@functools.cache
def private_key() -> rsa.RSAPrivateKey:
    """One key a process: making it is the slowest part of starting a sandbox."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwks() -> dict[str, Any]:
    """The public key, as the `certs` address shows it."""
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
    """An RS256 token for one account.

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
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, private_key(), algorithm="RS256", headers={"kid": KEY_ID})
