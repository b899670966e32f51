"""Static files for the demo: tiles and WTML, readable from any page."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["files_app"]

_CONTENT_TYPES = {".wtml": "application/x-wtml", ".fits": "image/fits", ".png": "image/png", ".jpg": "image/jpeg"}


class _Files(StaticFiles):
    """Only what really lies in the folder: no "..", no symbolic link that leads out of it."""

    def file_response(self, full_path: str | os.PathLike[str], *args: object, **kwargs: object) -> Response:
        response = super().file_response(full_path, *args, **kwargs)  # type: ignore[arg-type]
        known = _CONTENT_TYPES.get(Path(full_path).suffix.lower())
        if known:
            response.headers["Content-Type"] = known
        return response


def files_app(prefix: str, folder: Path) -> ASGIApp:
    """An application that serves a folder below a path, with `Access-Control-Allow-Origin: *`."""
    app = Starlette(routes=[Mount(prefix, _Files(directory=folder))])

    async def open_to_all(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Access-Control-Allow-Origin"] = "*"
            await send(message)

        await app(scope, receive, send_open)

    return open_to_all
