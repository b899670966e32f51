"""The Constellations API as an ASGI application: Express's middleware in its order, then the routes."""

from __future__ import annotations

import asyncio
import logging
import re
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from . import handles, images, scenes
from .auth import TokenReader
from .calls import Call, RefusedError, Route, ServerFaultError
from .fault_kinds import LIST_LAG
from .html5 import TooDeepError
from .pages import PageError, error_page, json_response, not_found_page, refusal, with_etag
from .schema import SchemaError
from .store import Store
from .transport import read_json
from .visits import COOKIE, Visits, new_session

__all__ = ["ConstellationsApp"]

_log = logging.getLogger(__name__)

_ROUTES: list[Route] = [*images.ROUTES, *handles.ROUTES, *scenes.ROUTES]
_SESSION_INIT = re.compile(r"/session/init/?\Z", re.IGNORECASE)
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


class ConstellationsApp:
    """ASGI application of the Constellations API.

    Order: CORS, body, token, session, route. So malformed JSON takes precedence over a bad token, and that over an
    unknown route; neither response has a cookie, which the session sets.

    Parameters
    ----------
    store : Store
    issuer : str
        Issuer of valid tokens.
    workers : Executor
        Where the handlers run: they read and write SQLite and parse HTML, which must not block the event loop.
    """

    def __init__(self, store: Store, issuer: str, workers: Executor):
        self.store, self.workers = store, workers
        self.tokens = TokenReader(issuer)
        self.visits = Visits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
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
        try:
            claims = self.tokens.claims(request.headers.get("authorization"))
        except PageError as error:
            return error_page(error)
        session = request.cookies.get(COOKIE, "")
        if session not in self.visits:
            session = new_session()
        response = await loop.run_in_executor(self.workers, self._serve, request, path, body, claims, session)
        response.headers["Set-Cookie"] = f"{COOKIE}={session}; Path=/; HttpOnly"
        return response

    def _serve(self, request: Request, path: str, body: Any, claims: dict[str, Any] | None, session: str) -> Response:
        if request.method == "POST" and _SESSION_INIT.match(path):
            self.visits.start(session)
            return with_etag(json_response({"error": False}), request.method, None)
        try:
            call, handler = self._route(request, path, body, claims)
            call = replace(call, visit=self.visits.get(session))
        except PageError as error:
            return error_page(error)
        if handler is None:
            return not_found_page(request.method, path)
        try:
            response = handler(call)
        except RefusedError as error:
            response = refusal(error.status, error.message)
        except SchemaError as error:
            response = refusal(400, str(error))
        except (ServerFaultError, TooDeepError, RecursionError):
            response = call.fault()
        except Exception:  # noqa: BLE001  (Express answers 500)
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
                lag = request.scope.get("extensions", {}).get(LIST_LAG, 0.0)
                return Call(request.method, path, query, body, claims, self.store, params, lag), route.handler
        return Call(request.method, path, query, body, claims, self.store, {}), None


def raw_path(request: Request) -> str:
    """Return the path as it was sent, still percent-encoded."""
    path: bytes = request.scope["raw_path"]
    return path.decode("latin-1").partition("?")[0]


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
    """Allow every page, with credentials, as the real server does.

    What the API shows without a token is public, and no page can get a token: the identity provider's answers have no
    CORS headers, and its codes go to this machine only.
    """
    origin = request.headers.get("origin")
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Access-Control-Expose-Headers"] = "Set-Cookie"
    response.headers.add_vary_header("Origin")
