"""Sign in and out at a terminal. Tokens are never printed."""

from __future__ import annotations

from ..api import Constellations
from ..auth import login
from ..auth.realms import default_api_url


def sign_in(api_url: str | None) -> int:
    """Sign in, unless a stored sign-in is still valid; the user opens a page in a browser."""
    login.sign_in(api_url=api_url, interactive=True)
    print(f"Signed in at {api_url or default_api_url()}.")
    return 0


def sign_out(api_url: str | None) -> int:
    """Delete the stored sign-in."""
    login.sign_out(api_url)
    print(f"Signed out at {api_url or default_api_url()}.")
    return 0


def client(api_url: str | None) -> Constellations:
    """Return a client that is signed in: with the environment's token, the stored sign-in, or one at the terminal."""
    return Constellations(api_url or default_api_url(), login.sign_in(api_url=api_url))


def reader(api_url: str | None) -> Constellations:
    """Return a client for what needs no token."""
    return Constellations(api_url or default_api_url())
