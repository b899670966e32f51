"""Store of the sandbox: the folder for uploads of a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeGuard
from urllib.parse import quote

from ..http import HTTPError, Request, Response, authorize, new_client, new_transport, read
from .collect import HostedFile
from .stores import Store, StoredFile

TIMEOUT = 60.0
_MOST_BYTES = 1 << 30


class UploadSandbox(Protocol):
    """A running sandbox, of this process or another one."""

    @property
    def uploads_url(self) -> str:
        """Address below which files are uploaded."""

    def token(self) -> str:
        """Return an access token of the sandbox's own account."""


def is_sandbox(target: Any) -> TypeGuard[UploadSandbox]:
    """Return whether a target is a sandbox, without loading its module."""
    return hasattr(target, "uploads_url") and hasattr(target, "token")


class SandboxStore(Store):
    """A folder below a sandbox's address for uploads.

    Parameters
    ----------
    box : Sandbox or JoinedSandbox
    folder : str
        Name of the folder, for URLs.
    """

    threads = 8

    def __init__(self, box: UploadSandbox, folder: str):
        self.address = self.public_url = f"{box.uploads_url}/{folder}/"
        self._token = box.token
        self._client = new_client(new_transport(), TIMEOUT)

    def _send(self, method: str, url: str, **options: Any) -> Response:
        request: Request = self._client.build_request(method, url, **options)
        authorize(request, f"Bearer {self._token()}")
        return self._client.send(request)

    def listing(self) -> Iterator[tuple[str, StoredFile]]:
        """Yield every file that is there, with its key."""
        response = _accepted(self._send("GET", f"{self.address}?list"))
        for each in response.json()["files"]:
            yield each["path"], StoredFile(each["size"], each["etag"])

    def put(self, file: HostedFile, data: bytes, *, overwrite: bool) -> str:
        """Upload one file; return its ETag."""
        headers = {} if overwrite else {"If-None-Match": "*"}
        response = self._send("PUT", self.address + quote(file.key), content=data, headers=headers)
        if response.status_code == 412:
            raise FileExistsError(file.key)
        return str(_accepted(response).headers.get("ETag", ""))

    def read(self, key: str) -> bytes:
        """Return the bytes of a file."""
        with self._client.stream("GET", self.address + quote(key)) as response:
            return read(_accepted(response), _MOST_BYTES)

    def explain(self, error: BaseException) -> str:
        """Return in one sentence why the sandbox refused."""
        return f"the sandbox did not take a file ({error})" if isinstance(error, HTTPError) else super().explain(error)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _accepted(response: Response) -> Response:
    if response.is_error:
        response.read()
        raise HTTPError(f"status {response.status_code}: {' '.join(response.text.split())[:200]}")
    return response
