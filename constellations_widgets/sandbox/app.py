"""The Constellations API as one ASGI application: Express's middleware in its order, then the routes."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from concurrent.futures import Executor
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from . import handles, images, scenes
from .auth import TokenReader
from .calls import Call, Refused, Route, ServerFault
from .html5 import TooDeepError
from .pages import PageError, error_page, not_found_page, refusal, with_etag
from .schema import SchemaError
from .store import Store
from .transport import read_json

__all__ = ["ConstellationsApp"]

_log = logging.getLogger(__name__)

_ROUTES: list[Route] = [*images.ROUTES, *handles.ROUTES, *scenes.ROUTES]
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


class ConstellationsApp:
    """Answers the calls of the Constellations API.

    Order: CORS, body, session, token, route. So malformed JSON beats a bad token, and that beats an unknown route.

    Parameters
    ----------
    store : Store
    issuer : str
        Of the tokens that are believed.
    workers : Executor
        Where the handlers run: they read and write SQLite and parse HTML, which the event loop should not wait for.
    """

    def __init__(self, store: Store, issuer: str, workers: Executor):
        self.store, self.workers = store, workers
        self.tokens = TokenReader(issuer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = _preflight(request) if request.method == "OPTIONS" else await self._answer(request)
        except ClientDisconnect:
            return
        response.headers["X-Powered-By"] = "Express"
        _add_cors(request, response)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = raw_path(request)
        try:
            body = await read_json(request)
        except PageError as error:
            return error_page(error)
        except RecursionError:
            return refusal(500, f"error serving {request.method} {path}")
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self.workers, self._serve, request, path, body)
        response.headers["Set-Cookie"] = f"cxsession=s%3A{secrets.token_urlsafe(24)}; Path=/; HttpOnly"
        return response

    def _serve(self, request: Request, path: str, body: Any) -> Response:
        try:
            claims = self.tokens.claims(request.headers.get("authorization"))
            call, handler = self._route(request, path, body, claims)
        except PageError as error:
            return error_page(error)
        if handler is None:
            return not_found_page(request.method, path)
        try:
            response = handler(call)
        except Refused as error:
            response = refusal(error.status, error.message)
        except SchemaError as error:
            response = refusal(400, str(error))
        except (ServerFault, TooDeepError, RecursionError):
            response = call.fault()
        except Exception:
            _log.exception("The sandbox failed at %s %s", request.method, path)
            response = call.fault()
        return with_etag(response, request.method, request.headers.get("if-none-match"))

    def _route(self, request: Request, path: str, body: Any, claims: dict[str, Any] | None) -> tuple[Call, Any]:
        query = {name: values[0] for name, values in parse_qs(request.url.query, keep_blank_values=True).items()}
        method = "GET" if request.method == "HEAD" else request.method
        for route in _ROUTES:
            match = route.pattern.match(path)
            if match is None:
                continue
            # Express decodes the parts before it looks at the method.
            params = {name: _decoded(part) for name, part in match.groupdict().items()}
            if route.method == method:
                return Call(request.method, path, query, body, claims, self.store, params), route.handler
        return Call(request.method, path, query, body, claims, self.store, {}), None


def raw_path(request: Request) -> str:
    """The path as it was sent, percent signs and all."""
    return request.scope["raw_path"].decode("latin-1").partition("?")[0]


def _decoded(part: str) -> str:
    try:
        if _BAD_ESCAPE.search(part):
            raise ValueError
        return unquote_to_bytes(part).decode()
    except ValueError:
        raise PageError(400, "URIError", f"Failed to decode param '{part}'") from None


def _preflight(request: Request) -> Response:
    headers = {"Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE", "Content-Length": "0"}
    wanted = request.headers.get("access-control-request-headers")
    if wanted:
        headers |= {"Access-Control-Allow-Headers": wanted, "Vary": "Access-Control-Request-Headers"}
    return Response(status_code=204, headers=headers)


def _add_cors(request: Request, response: Response) -> None:
    """Whoever asks from a page is named as allowed, with credentials."""
    origin = request.headers.get("origin")
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers.add_vary_header("Origin")
