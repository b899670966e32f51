"""Authenticate requests as express-jwt 8.4.1 does over jsonwebtoken 9 and jwks-rsa: same order, same messages."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any

import jwt

from . import tokens
from .pages import PageError

__all__ = ["TokenReader"]

#: Look-ups of unknown keys a minute before the key client refuses to ask again.
KEY_LOOKUPS_A_MINUTE = 5

_ASYMMETRIC = {"RS256", "RS384", "RS512", "ES256", "ES256K", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"}


class TokenReader:
    """Reader of the Authorization header."""

    def __init__(self, issuer: str):
        self.issuer = issuer
        self._lookups = _Bucket(KEY_LOOKUPS_A_MINUTE)

    def claims(self, authorization: str | None) -> dict[str, Any] | None:
        """Return the claims of a valid token; None without a token.

        Raises
        ------
        PageError
            401 for an invalid token, 500 after too many requests for unknown keys.
        """
        token = _bearer(authorization)
        return None if token is None else self._verify(token)

    def _verify(self, token: str) -> dict[str, Any]:
        header = _header(token)
        key = self._key(header) if header is not None else None
        if token.count(".") != 2:
            raise _unauthorized("jwt malformed")
        if header is None:
            raise _unauthorized("invalid token")
        signed = bool(token.rpartition(".")[2])
        if key and not signed:
            raise _unauthorized("jwt signature is required")
        if signed and not key:
            raise _unauthorized("secret or public key must be provided")
        if header.get("alg") != "RS256":
            raise _unauthorized("invalid algorithm")
        try:
            payload = jwt.PyJWS().decode(token, tokens.private_key().public_key(), algorithms=["RS256"])
        except jwt.PyJWTError:
            raise _unauthorized("invalid signature") from None
        return self._check(_json(payload))

    def _key(self, header: dict[str, Any]) -> bool:
        """Return whether the key client knows the token's key."""
        if header.get("alg") not in _ASYMMETRIC:
            return False
        if header.get("kid") in (None, tokens.KEY_ID):
            return True
        if not self._lookups.take():
            raise PageError(500, "JwksRateLimitError", "Too many requests to the JWKS endpoint")
        return False

    def _check(self, claims: Any) -> dict[str, Any]:
        if not isinstance(claims, dict):
            raise _unauthorized("invalid token")
        now = int(time.time())
        for name in ("nbf", "exp"):
            if name in claims and (isinstance(claims[name], bool) or not isinstance(claims[name], int | float)):
                raise _unauthorized(f"invalid {name} value")
        if claims.get("nbf", now) > now:
            raise _unauthorized("jwt not active")
        if "exp" in claims and now >= claims["exp"]:
            raise _unauthorized("jwt expired")
        audience = claims.get("aud")
        if tokens.AUDIENCE not in (audience if isinstance(audience, list) else [audience]):
            raise _unauthorized(f"jwt audience invalid. expected: {tokens.AUDIENCE}")
        if claims.get("iss") != self.issuer:
            raise _unauthorized(f"jwt issuer invalid. expected: {self.issuer}")
        return claims


def _unauthorized(message: str) -> PageError:
    return PageError(401, "UnauthorizedError", message)


def _bearer(authorization: str | None) -> str | None:
    if not authorization:
        return None
    parts = authorization.split(" ")
    if len(parts) != 2:
        raise _unauthorized("Format is Authorization: Bearer [token]")
    return parts[1] if parts[0].lower() == "bearer" else None


def _header(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3 or not parts[1]:
        return None
    try:
        header = _json(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except ValueError:
        return None
    return header if isinstance(header, dict) else None


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


class _Bucket:
    """Token bucket: so many tokens a minute, refilled evenly."""

    def __init__(self, size: int):
        self._size, self._level, self._then = size, float(size), time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a token; return whether there was one."""
        with self._lock:
            now = time.monotonic()
            self._level = min(self._size, self._level + (now - self._then) * self._size / 60)
            self._then = now
            if self._level < 1:
                return False
            self._level -= 1
            return True
