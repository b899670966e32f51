"""Sign in: credentials that sign requests, and the sessions that obtain, store and renew their tokens."""

from __future__ import annotations

from .credentials import Credentials
from .login import sign_in, sign_out
from .session import Session
from .token_store import TokenStore
from .tokens import Tokens

__all__ = ["Credentials", "Session", "TokenStore", "Tokens", "sign_in", "sign_out"]
