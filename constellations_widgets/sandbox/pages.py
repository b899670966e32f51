"""Responses as Express formats them: JSON with an ETag, and HTML error pages."""

from __future__ import annotations

import base64
import hashlib
import html
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from .jsvalues import stringify

__all__ = ["PageError", "error_page", "json_response", "refusal", "with_etag"]


class PageError(Exception):
    """Error that leaves a handler as Express's HTML page, not as JSON.

    Parameters
    ----------
    status : int
    name : str
        The JavaScript class, as the page's first line shows it: "UnauthorizedError".
    message : str
    """

    def __init__(self, status: int, name: str, message: str):
        super().__init__(message)
        self.status, self.name, self.message = status, name, message


def json_response(content: dict[str, Any], status: int = 200) -> Response:
    """Return a JSON response, serialized as JavaScript does."""
    return Response(stringify(content).encode(), status, media_type="application/json; charset=utf-8")


def refusal(status: int, message: str) -> Response:
    """Return the error response of the API itself."""
    return json_response({"error": True, "message": message}, status)


def error_page(error: PageError) -> Response:
    """Return the page of Express's final handler in development: the error and a stack (of no real file)."""
    text = f"{error.name}: {error.message}\n    at sandbox (constellations)"
    return _page(error.status, text)


def not_found_page(method: str, path: str) -> Response:
    """Return Express's page for an unknown route."""
    return _page(HTTPStatus.NOT_FOUND, f"Cannot {method} {path}")


def _page(status: int, text: str) -> Response:
    shown = html.escape(text).replace("&#x27;", "&#39;").replace("\n", "<br>").replace("  ", " &nbsp;")
    body = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n'
        f"<body>\n<pre>{shown}</pre>\n</body>\n</html>\n"
    )
    headers = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}
    content = body.encode("utf-8", "replace")
    return Response(content, status, headers=headers, media_type="text/html; charset=utf-8")


def with_etag(response: Response, method: str, if_none_match: str | None) -> Response:
    """Add Express's weak ETag to a response of the API; return 304 if the client has it already."""
    body = bytes(response.body)
    digest = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()[:27]
    etag = f'W/"{len(body):x}-{digest}"'
    response.headers["ETag"] = etag
    if method in ("GET", "HEAD") and response.status_code == 200 and _names(if_none_match, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
    return response


def _names(if_none_match: str | None, etag: str) -> bool:
    wanted = [part.strip() for part in (if_none_match or "").split(",")]
    return "*" in wanted or etag in wanted or etag.removeprefix("W/") in wanted
