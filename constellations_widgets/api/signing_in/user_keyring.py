"""The user's own keyring, if the package `keyring` is installed and has one that works.

A locked keyring can ask its user in a window that nobody sees, and wait for ever: it is given some seconds, and after the
first failure it is left alone for as long as this process lives.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

SERVICE = "constellations_widgets"

_PATIENCE = 5.0  # seconds
_LEAST_PRIORITY = 1  # below are those that keep passwords unencrypted, or nothing at all

_given_up = False


def read(name: str) -> str | None:
    """What is kept under `name`; None if nothing is, or there is no keyring."""
    return _ask(lambda keyring: keyring.get_password(SERVICE, name))


def write(name: str, text: str) -> bool:
    """Keep `text` under `name`; whether that could be done."""
    return bool(_ask(lambda keyring: keyring.set_password(SERVICE, name, text) or True))


def delete(name: str) -> None:
    """Keep nothing under `name`."""
    _ask(lambda keyring: keyring.get_password(SERVICE, name) and keyring.delete_password(SERVICE, name))


def _ask(question: Callable[[Any], Any]) -> Any:
    """The keyring's answer, None without one."""
    global _given_up
    if _given_up:
        return None
    answers: list[Any] = []

    def work() -> None:
        try:
            keyring = _keyring()
            answers.append(question(keyring) if keyring is not None else None)
        except Exception:  # each of the many kinds of keyrings fails in its own way
            pass

    thread = threading.Thread(target=work, name="constellations-keyring", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
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
