"""The sign-in that the official client keeps (`wwt_api_client`, by way of `openidc_client`). Only read, never written."""

from __future__ import annotations

import json
from pathlib import Path

from ..credentials import token_fault

CACHE = Path(".openidc") / "oidc_wwt_api_client.json"
"""In the user's home folder: an object of tokens by their ids, each with `idp`, `refresh_token`, `expires_at`, …"""


def official_cache_exists() -> bool:
    """Whether the official client has ever kept something here."""
    try:
        return (Path.home() / CACHE).is_file()
    except (OSError, RuntimeError):
        return False


def official_refresh_token(issuer: str) -> str | None:
    """The refresh token that the official client has last got from `issuer`; None where it has none."""
    try:
        content = json.loads((Path.home() / CACHE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, RuntimeError):
        return None
    entries = content.values() if isinstance(content, dict) else ()
    of_issuer = [entry for entry in entries if isinstance(entry, dict) and entry.get("idp") == issuer]
    usable = [entry for entry in of_issuer if not token_fault(entry.get("refresh_token"))]
    usable.sort(key=lambda entry: entry["expires_at"] if isinstance(entry.get("expires_at"), int | float) else 0)
    return usable[-1]["refresh_token"] if usable else None
