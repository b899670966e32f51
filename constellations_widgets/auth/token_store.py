"""Store a sign-in for later kernels: in the user's keyring if it works, else in a file that only the user can read.

Renewing a sign-in can invalidate the token that all kernels share, so the store's lock is held during a renewal.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import NotSentError
from ..http import URL
from ..state import file_lock, state_dir, write_file
from . import user_keyring
from .credentials import Secret, token_fault
from .tokens import same_issuer

OFFICIAL_CACHE = Path(".openidc") / "oidc_wwt_api_client.json"
"""Sign-in that the official client stores (`wwt_api_client`, through `openidc_client`); it is never written here.

In the user's home folder: an object of tokens by their ids, each with `idp`, `refresh_token`, `expires_at`, …
"""

# The holder of the lock waits for the identity server, at most for this many seconds.
_PATIENCE = 45.0


class TokenStore:
    """Store of the sign-in at one API.

    Parameters
    ----------
    api_url : str
        Root of the API.
    """

    def __init__(self, api_url: str):
        digest = hashlib.sha256(api_url.encode()).hexdigest()[:12]
        self._name = f"{URL(api_url).host.replace(':', '_')}-{digest}"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store's lock, against other threads and processes. Without file locks, there is no exclusion.

        Raises
        ------
        NotSentError
            If the lock is not free within the time limit.
        """
        try:
            path = self._path(".lock")
            path.touch(exist_ok=True)
        except OSError:
            yield  # nothing can be stored there either
            return
        with file_lock(path, patience=_PATIENCE) as held:
            if not held:
                raise NotSentError(
                    "Could not sign in: another program has been signing in here for too long. Try again."
                )
            yield

    def read(self) -> dict[str, Any] | None:
        """Return the stored content, or None if nothing is stored."""
        text = user_keyring.read(self._name)
        if text is None:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                path = self._path(".json")
                path.chmod(0o600)  # in case it was copied here with other modes
                text = path.read_text(encoding="utf-8")
        try:
            content = json.loads(text or "")
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    def write(self, content: dict[str, Any]) -> bool:
        """Replace the stored content; return whether that was possible."""
        text = json.dumps(content)
        if user_keyring.write(self._name, text):
            self._remove_file()
            return True
        try:
            write_file(self._path(".json"), text.encode())
        except OSError:
            return False
        return True

    def delete(self) -> None:
        """Delete the stored content."""
        user_keyring.delete(self._name)
        self._remove_file()

    def _path(self, suffix: str) -> Path:
        folder = state_dir("sign_in")
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        return folder / f"{self._name}{suffix}"

    def _remove_file(self) -> None:
        with contextlib.suppress(OSError):
            self._path(".json").unlink(missing_ok=True)


def official_cache_exists() -> bool:
    """Return whether the official client has ever stored a sign-in here."""
    try:
        return (Path.home() / OFFICIAL_CACHE).is_file()
    except (OSError, RuntimeError):
        return False


def official_refresh_token(issuer: str) -> Secret | None:
    """Return the refresh token that the official client obtained last from `issuer`, or None."""
    try:
        content = json.loads((Path.home() / OFFICIAL_CACHE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, RuntimeError):
        return None
    entries = content.values() if isinstance(content, dict) else ()
    of_issuer = [entry for entry in entries if isinstance(entry, dict) and same_issuer(entry.get("idp"), issuer)]
    usable = [entry for entry in of_issuer if not token_fault(entry.get("refresh_token"))]
    usable.sort(key=lambda entry: entry["expires_at"] if isinstance(entry.get("expires_at"), int | float) else 0)
    return Secret(usable[-1]["refresh_token"]) if usable else None
