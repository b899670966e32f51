"""Access to the user's keyring, if the package `keyring` is installed and has a working backend.

A locked keyring can prompt in a window that the user does not see, and block forever. So each call has a time limit,
and after the first failure the keyring is not used again in this process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import runtime

SERVICE = "constellations_widgets"

_PATIENCE = 5.0  # seconds
_LEAST_PRIORITY = 1  # below are those that keep passwords unencrypted, or nothing at all

_given_up = False


def read(name: str) -> str | None:
    """Return the text stored under `name`, or None; None without a keyring as well."""
    text: str | None = _ask(lambda keyring: keyring.get_password(SERVICE, name))
    return text


def write(name: str, text: str) -> bool:
    """Store `text` under `name`; return whether that was possible."""
    return bool(_ask(lambda keyring: keyring.set_password(SERVICE, name, text) or True))


def delete(name: str) -> None:
    """Delete the text stored under `name`."""
    _ask(lambda keyring: keyring.get_password(SERVICE, name) and keyring.delete_password(SERVICE, name))


def _ask(question: Callable[[Any], Any]) -> Any:
    """Return the keyring's result; None without a keyring."""
    global _given_up
    if _given_up:
        return None
    answers: list[Any] = []

    def work() -> None:
        try:
            keyring = _keyring()
            answers.append(question(keyring) if keyring is not None else None)
        except Exception:  # noqa: BLE001  (each keyring backend fails in its own way)
            pass

    runtime.start_thread("keyring", work).join(_PATIENCE)
    if not answers:
        _given_up = True
        return None
    return answers[0]


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        return None
    found = keyring.get_keyring()
    return found if found.priority >= _LEAST_PRIORITY else None
