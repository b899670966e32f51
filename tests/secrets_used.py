"""Which secrets a sandbox has given or been told: what must not be found anywhere afterwards."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest

from constellations_widgets.sandbox import Sandbox, identity, library


@contextlib.contextmanager
def secrets_of(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Every token that this process's sandboxes give from now on, and the password of its user."""
    found = {box.images_user.password}
    issue, library_token = identity.IdentityProvider._issue, library.LibraryApp.token

    def issued(self, grant):
        answer = issue(self, grant)
        content = json.loads(bytes(answer.body))
        found.update(content[name] for name in ("access_token", "refresh_token", "id_token") if name in content)
        return answer

    def logged_in(self, *arguments):
        token = library_token(self, *arguments)
        found.add(token)
        return token

    with monkeypatch.context() as patch:
        patch.setattr(identity.IdentityProvider, "_issue", issued)
        patch.setattr(library.LibraryApp, "token", logged_in)
        yield found


def found_in(text: str | bytes, secrets: set[str]) -> list[str]:
    """The beginnings of those secrets that stand in a text, whole or the part of a token that makes it one."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return [secret[:6] for secret in secrets if secret in text or secret.rpartition(".")[2] in text]
