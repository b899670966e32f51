"""Serve static files for the demo, tiles and WTML, to the pages that show them."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .auth import TokenReader
from .file_uploads import FileUploads
from .guard import PageOrigins, header_values

__all__ = ["files_app"]

_CONTENT_TYPES = {".wtml": "application/x-wtml", ".fits": "image/fits", ".png": "image/png", ".jpg": "image/jpeg"}
# A page in the folder gets an origin of its own: it must not read what else this port serves, such as tokens.
_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}


class _Files(StaticFiles):
    """Files of a folder, without hidden ones and without symbolic links to files that are outside or hidden.

    Hard links are served: a file has no path of its own but those of its links, all alike, and many tools make several of
    one file (``cp -al``, package caches). Only a user who can write to the folder can put one in.
    """

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return the file and its status, unless it is hidden or outside of the folder."""
        full_path, found = super().lookup_path(path)  # refuses whatever really lies elsewhere
        if found is None or _is_hidden(path):
            return "", None
        folder = os.path.realpath(str(self.directory))
        return ("", None) if _is_hidden(os.path.relpath(full_path, folder)) else (full_path, found)

    def file_response(self, full_path: str | os.PathLike[str], *args: object, **kwargs: object) -> Response:
        """Return the response for a file, with its headers."""
        response = super().file_response(full_path, *args, **kwargs)  # type: ignore[arg-type]
        known = _CONTENT_TYPES.get(Path(full_path).suffix.lower())
        if known:
            response.headers["Content-Type"] = known
        response.headers.update(_HEADERS)
        return response


def files_app(prefix: str, folder: Path, origins: PageOrigins, tokens: TokenReader, account: str) -> ASGIApp:
    """Return an application that serves a folder below a path, to programs and to the pages of `origins`.

    Programs with a token of `account` may also upload files.
    """
    uploads = FileUploads(prefix, folder, tokens, account)
    app = Starlette(routes=[Mount(prefix, _Files(directory=folder))])

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if uploads.takes(scope):
            await uploads(scope, receive, send)
            return
        origin = next(iter(header_values(scope, b"origin")), None)
        if origin is not None and origin.partition("://")[2] in header_values(scope, b"host"):
            origin = None  # the page has come from here, or through the same Jupyter server

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if origin is not None and origin in origins:
                    headers["Access-Control-Allow-Origin"] = origin
            await send(message)

        refused = origin is not None and origin not in origins
        answer = PlainTextResponse(f"Pages of {origin} may not read these files.\n", 403) if refused else app
        await answer(scope, receive, send_with_cors)

    return checked


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in PurePath(path).parts)
