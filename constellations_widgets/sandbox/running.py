"""Find the running sandbox: one started by another process (as `make demo` does), or one of this process."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SandboxError
from .library_store import LibraryUser
from .server import Sandbox, started

if TYPE_CHECKING:
    from ..api import Constellations, ImagesClient
    from ..auth import Credentials

VARIABLE = "CXW_SANDBOX"
"""Environment variable through which child processes find the sandbox."""


@dataclass(frozen=True)
class JoinedSandbox:
    """Sandbox that runs in another process. It has what a client needs, and can't be stopped from here."""

    api_url: str
    keycloak_url: str
    files_url: str
    handle: str
    images_url: str
    _token: str = field(repr=False)
    _images_token: str = field(repr=False)
    _images_password: str = field(repr=False)
    uploads_url: str = ""
    _files: str = ""

    def token(self) -> str:
        """Return the access token that came with it."""
        return self._token

    def client(self) -> Constellations:
        """Return a client that is signed in as the owner of `handle`."""
        from ..api import Constellations

        return Constellations(self.api_url, auth=self.token())

    @property
    def files(self) -> Path | None:
        """The folder that is served at `files_url`, if there is one."""
        return Path(self._files) if self._files else None

    @property
    def images_user(self) -> LibraryUser:
        """The user of the Images API, with name and password."""
        return LibraryUser(self.handle, self._images_password, (self.handle,))

    def images_auth(self) -> Credentials:
        """Return credentials of `images_user` for the Images API."""
        from ..auth import Credentials

        return Credentials.token(self._images_token)

    def images_client(self) -> ImagesClient:
        """Return a client of the Images API that is signed in as `images_user`."""
        from ..api import ImagesClient

        return ImagesClient(self.images_url, self.images_auth())


def environment_of(box: Sandbox) -> dict[str, str]:
    """Return environment variables with which child processes find `box` and sign in: ours and the ecosystem's."""
    try:
        files_url = box.files_url
    except SandboxError:  # it serves no files
        files_url = ""
    settings = {"api_url": box.api_url, "keycloak_url": box.keycloak_url, "files_url": files_url, "handle": box.handle}
    settings |= {"images_url": box.images_url, "uploads_url": box.uploads_url, "_files": str(box.files or "")}
    settings["_token"] = box.token()  # not a secret: it is for a local test server
    settings |= {"_images_token": box.images_token(), "_images_password": box.images_user.password}
    return {
        VARIABLE: json.dumps(settings),
        "NUXT_PUBLIC_API_URL": box.api_url,
        "NUXT_PUBLIC_KEYCLOAK_URL": box.keycloak_url,
    }


_lock = threading.Lock()
_own: Sandbox | None = None


def running_sandbox(files: Path | str | None = None) -> Sandbox | JoinedSandbox:
    """Return the running sandbox: that of `make demo`, else one of this process.

    One is started if none runs; later calls return the same one. Of several `Sandbox` that run, it is the one that was started last.

    Parameters
    ----------
    files : path, optional
        A folder that the sandbox must serve at `files_url`; one that is started here does.

    Raises
    ------
    SandboxError
        If it can't be started, runs already and serves other files, or the environment variable CXW_SANDBOX is invalid.

    Examples
    --------
    >>> box = cxw.running_sandbox()
    >>> client = box.client()
    """
    global _own
    if joined := _joined():
        if files is not None and joined.files != Path(files).absolute():
            raise SandboxError(
                f"The sandbox that runs already, in another process, does not serve {str(files)!r}. Upload the files with "
                "cxw.host(draft, cxw.running_sandbox()), or start another sandbox with Sandbox(files=…)"
            )
        return joined
    with _lock:
        running = sorted(reversed(list(started.values())), key=lambda box: box is not _own)
        if found := next((box for box in running if files is None or box.files == Path(files).absolute()), None):
            return found
        if _own is None:
            _own = Sandbox(files=files).start()
        elif files is not None and _own.files != Path(files).absolute():
            raise SandboxError(
                f"The sandbox of this process runs already and does not serve {str(files)!r}: restart the kernel and "
                "say running_sandbox(files=…) first, or start another one with Sandbox(files=…)"
            )
        return _own.start()  # it may have been closed


def sandbox_at(api_url: str) -> Sandbox | JoinedSandbox | None:
    """Return the sandbox whose API has this address, in this process or of `make demo`, or None.

    Raises
    ------
    SandboxError
        If the environment variable CXW_SANDBOX is invalid.
    """
    if box := started.get(api_url):
        return box
    joined = _joined()
    return joined if joined and joined.api_url == api_url else None


def _joined() -> JoinedSandbox | None:
    """Return the sandbox of another process that the environment describes."""
    settings = os.environ.get(VARIABLE)
    if not settings:
        return None
    try:
        return JoinedSandbox(**json.loads(settings))
    except (ValueError, TypeError):
        raise SandboxError(
            f"The environment variable {VARIABLE} describes no sandbox: remove it, or start `make demo` again"
        ) from None
