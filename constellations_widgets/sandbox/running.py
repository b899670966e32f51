"""The sandbox at hand: one that another process started for this one (`make demo` does), or one of this process."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SandboxError
from .library_store import LibraryUser
from .server import Sandbox

if TYPE_CHECKING:
    from ..api import Constellations, Credentials, ImagesClient

VARIABLE = "CXW_SANDBOX"
"""Environment variable in which a process tells its children of its sandbox."""


@dataclass(frozen=True)
class JoinedSandbox:
    """A sandbox that runs in another process. It has what a client needs, and can't be stopped from here."""

    api_url: str
    keycloak_url: str
    files_url: str
    handle: str
    images_url: str
    _token: str = field(repr=False)
    _images_token: str = field(repr=False)
    _images_password: str = field(repr=False)

    def token(self) -> str:
        """The access token that came with it."""
        return self._token

    def client(self) -> Constellations:
        """A client that is signed in as the owner of `handle`."""
        from ..api import Constellations

        return Constellations(self.api_url, auth=self.token())

    @property
    def images_user(self) -> LibraryUser:
        """The user of the Images API, with name and password."""
        return LibraryUser(self.handle, self._images_password, (self.handle,))

    def images_auth(self) -> Credentials:
        """Credentials of `images_user` for the Images API."""
        from ..api import Credentials

        return Credentials.token(self._images_token)

    def images_client(self) -> ImagesClient:
        """A client of the Images API that is signed in as `images_user`."""
        from ..api import ImagesClient

        return ImagesClient(self.images_url, self.images_auth())


def environment_of(box: Sandbox) -> dict[str, str]:
    """Environment variables with which child processes find `box` and sign in there: ours, and the ecosystem's."""
    try:
        files_url = box.files_url
    except SandboxError:  # it serves none
        files_url = ""
    told = {"api_url": box.api_url, "keycloak_url": box.keycloak_url, "files_url": files_url, "handle": box.handle}
    told["images_url"] = box.images_url
    told["_token"] = box.token()  # of a server on this machine that guards nothing
    told |= {"_images_token": box.images_token(), "_images_password": box.images_user.password}
    return {
        VARIABLE: json.dumps(told),
        "NUXT_PUBLIC_API_URL": box.api_url,
        "NUXT_PUBLIC_KEYCLOAK_URL": box.keycloak_url,
    }


_lock = threading.Lock()
_own: Sandbox | None = None


def running_sandbox(files: Path | str | None = None) -> Sandbox | JoinedSandbox:
    """The sandbox at hand: that of `make demo`, else one of this process, started on first use and the same from then on.

    Parameters
    ----------
    files : path, optional
        A folder that a new one serves at `files_url`.

    Raises
    ------
    SandboxError
        When it can't be started, runs already and serves other files, or the environment variable CXW_SANDBOX tells
        nonsense.
    """
    global _own
    if told := os.environ.get(VARIABLE):
        try:
            return JoinedSandbox(**json.loads(told))
        except (ValueError, TypeError):
            raise SandboxError(
                f"The environment variable {VARIABLE} describes no sandbox: remove it, or start `make demo` again"
            ) from None
    with _lock:
        if _own is None:
            _own = Sandbox(files=files).start()
        elif files is not None and _own.files != Path(files).absolute():
            raise SandboxError(
                f"The sandbox of this process runs already and does not serve {str(files)!r}: restart the kernel and "
                "say running_sandbox(files=…) first, or start another one with Sandbox(files=…)"
            )
        return _own.start()  # somebody may have closed it
