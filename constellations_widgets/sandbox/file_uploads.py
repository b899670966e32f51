"""Accept uploads into the folders that the sandbox serves, from programs that hold its token."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import secrets
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from .auth import TokenReader
from .pages import PageError

__all__ = ["MOST_BYTES", "FileUploads"]

#: Maximum size of one file in bytes.
MOST_BYTES = 256 << 20

_AT_ONCE = 1 << 20  # bytes that are gathered before they are written, in a worker thread
_DEEPEST = 32
_NAME = re.compile(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*\Z")  # hidden names are not served, so none is taken


class _RefusedError(Exception):
    """Upload that is refused, with its HTTP status."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status, self.message = status, message


class FileUploads:
    """ASGI application that writes files below a folder: ``PUT {prefix}/{path}``, and ``GET {prefix}/{path}/?list``.

    Both need a token of the account that owns the sandbox's handle. Pages of browsers, whose requests have an Origin
    header, are refused.

    Parameters
    ----------
    prefix : str
        Path below which the folder is served.
    folder : Path
    tokens : TokenReader
    account : str
        The account whose tokens may upload.
    """

    def __init__(self, prefix: str, folder: Path, tokens: TokenReader, account: str):
        self._prefix, self._folder = f"{prefix}/", folder
        self._tokens, self._account = tokens, account

    @staticmethod
    def takes(scope: Scope) -> bool:
        """Return whether a request is one for this application rather than for a file."""
        method: str = scope["method"]
        return method == "PUT" or (method == "GET" and scope["query_string"] == b"list")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except _RefusedError as error:
            response = PlainTextResponse(f"{error.message}\n", error.status, headers={"Connection": "close"})
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if "origin" in request.headers:
            raise _RefusedError(403, "Pages may not upload files.")
        self._require_owner(request)
        path = request.scope["path"].removeprefix(self._prefix)
        if request.method == "GET":
            files = await asyncio.to_thread(
                _listing, self._below(path.rstrip("/")) if path.strip("/") else self._folder
            )
            return JSONResponse({"files": files})
        return await self._write(request, self._below(path))

    def _require_owner(self, request: Request) -> None:
        try:
            claims = self._tokens.claims(request.headers.get("authorization"))
        except PageError:
            claims = None
        if claims is None or claims.get("sub") != self._account:
            raise _RefusedError(401, "Uploading needs a token of this sandbox: box.token().")

    def _below(self, path: str) -> Path:
        """Return the file of a path, which no part and no link leads out of the folder."""
        parts = path.split("/")
        if len(parts) > _DEEPEST or not all(_NAME.match(part) and len(part.encode()) <= 255 for part in parts):
            raise _RefusedError(400, "The path is not one of a visible file below the folder.")
        target = self._folder.joinpath(*parts)
        root = os.path.realpath(self._folder)
        for each in (target, *target.parents):
            if each == self._folder:
                break
            if each.is_symlink() and not os.path.realpath(each).startswith(root + os.sep):
                raise _RefusedError(400, "The path leads out of the folder.")
        return target

    async def _write(self, request: Request, target: Path) -> Response:
        if int(request.headers.get("content-length", "0")) > MOST_BYTES:
            raise _RefusedError(413, f"A file may have {MOST_BYTES >> 20} MiB at most.")
        temporary = self._folder / f".{secrets.token_hex(8)}.part"  # hidden, so not served
        try:
            await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
            await _receive(request, temporary)
            only_new = request.headers.get("if-none-match") == "*"
            etag = await asyncio.to_thread(_put_in_place, temporary, target, only_new=only_new)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise _RefusedError(412, "A file or folder of this name is there already.") from None
        except OSError as error:
            status = 507 if error.errno in (errno.ENOSPC, errno.EDQUOT) else 500
            raise _RefusedError(status, f"The file could not be written: {error.strerror or error}") from None
        finally:
            temporary.unlink(missing_ok=True)
        return Response(status_code=201, headers={"ETag": etag})


async def _receive(request: Request, path: Path) -> None:
    """Write a request's body to a new file."""
    with path.open("xb") as file:
        waiting: list[bytes] = []
        size = total = 0
        async for chunk in request.stream():
            waiting.append(chunk)
            size, total = size + len(chunk), total + len(chunk)
            if total > MOST_BYTES:
                raise _RefusedError(413, f"A file may have {MOST_BYTES >> 20} MiB at most.")
            if size >= _AT_ONCE or not chunk:
                await asyncio.to_thread(file.write, b"".join(waiting))
                waiting, size = [], 0


def _put_in_place(temporary: Path, target: Path, *, only_new: bool) -> str:
    """Give a complete file its name; return its ETag."""
    if only_new:
        os.link(temporary, target)  # fails if there is one, and is atomic
    else:
        os.replace(temporary, target)
    return _etag(target.stat())


def _listing(folder: Path) -> list[dict[str, Any]]:
    """Return the visible files below a folder, with size and ETag."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                path = Path(place, name)
                about = path.stat()
                key = path.relative_to(folder).as_posix()
                found.append({"path": key, "size": about.st_size, "etag": _etag(about)})
    return found


def _etag(about: os.stat_result) -> str:
    return f'"{about.st_size:x}-{about.st_mtime_ns:x}"'
