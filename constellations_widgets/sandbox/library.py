"""The Images API as an ASGI application: an image library that requires a JWT."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from . import tokens
from .library_store import LibraryImage, LibraryStore, LibraryUser
from .upload import BadUploadError, read_upload

__all__ = ["LibraryApp"]

#: Maximum characters of an image's name.
LONGEST_NAME = 255

_BODY_LIMIT = 100 * 1024

Handler = Callable[[Request, LibraryUser], Awaitable[Response]]


class LibraryApp:
    """ASGI application of the Images API.

    Parameters
    ----------
    store : LibraryStore
    root : str
        The address of the API, with which the images' own addresses begin.
    prefix : str
        Path of that address.
    """

    lifetime: float = 3600
    """Lifetime of a token of `/login`, in seconds."""

    def __init__(self, store: LibraryStore, root: str, prefix: str):
        self._store, self._root = store, root
        one = "/images/{id}"
        routes = [
            Route("/login", self._login, methods=["POST"]),
            Route("/images", self._signed_in(self._list), methods=["GET"]),
            Route("/images", self._signed_in(self._upload), methods=["POST"]),
            Route(one, self._signed_in(self._get), methods=["GET"]),
            Route(one, self._signed_in(self._rename), methods=["PATCH"]),
            Route(one, self._signed_in(self._delete), methods=["DELETE"]),
        ]
        self.app: ASGIApp = Starlette(
            routes=[Mount(prefix, routes=routes)], exception_handlers={HTTPException: _refusal}
        )

    def token(self, name: str, lifetime: float) -> str:
        """Return a JWT of one user, valid for `lifetime` seconds; a negative one has expired already."""
        now = int(time.time())
        claims = {"iss": self._root, "sub": name, "iat": now, "exp": int(now + lifetime), "jti": secrets.token_hex(8)}
        return tokens.sign(claims)

    # Who is asking

    async def _login(self, request: Request) -> Response:
        body = await _json_of(request)
        name, password = (body.get(key) for key in ("name", "password")) if isinstance(body, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(password, str):
            raise HTTPException(400, "name and password are needed")
        user = self._store.user(name)
        if user is None or not secrets.compare_digest(user.password.encode(), password.encode("utf-8", "replace")):
            raise HTTPException(401, "Bad name or password")
        return JSONResponse({"access_token": self.token(name, self.lifetime), "token_type": "bearer"})

    def _signed_in(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            try:
                return await handler(request, self._user_of(request))
            except HTTPException:
                await _read_to_its_end(request)
                raise
            except ClientDisconnect:
                return Response(status_code=400)

        return handle

    def _user_of(self, request: Request) -> LibraryUser:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise HTTPException(401, "Missing Authorization Header")
        try:
            public_key = tokens.private_key().public_key()
            claims = jwt.decode(token, public_key, algorithms=["RS256"], issuer=self._root)
        except jwt.ExpiredSignatureError:
            raise HTTPException(401, "Token has expired") from None
        except jwt.PyJWTError:
            raise HTTPException(401, "Invalid token") from None
        user = self._store.user(str(claims.get("sub")))
        if user is None:
            raise HTTPException(401, "No such user")
        return user

    # The calls

    async def _list(self, _request: Request, _user: LibraryUser) -> Response:
        return JSONResponse({"images": [self._shown(id, name) for id, name in self._store.names()]})

    async def _upload(self, request: Request, user: LibraryUser) -> Response:
        if not user.constellations:
            raise HTTPException(403, "You have write access to no constellation")
        path = self._store.new_file()
        try:
            upload = await read_upload(request, path)
            _check_name(upload.filename)
        except BadUploadError as error:
            path.unlink(missing_ok=True)
            raise HTTPException(400, f"Invalid input data: {error}") from None
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        image = self._store.add(
            upload.filename, path, constellation=user.constellations[0], content_type=upload.content_type
        )
        return JSONResponse({"uuid": image.id, "filename": image.name}, 201)

    async def _get(self, request: Request, _user: LibraryUser) -> Response:
        image = self._image(request)
        return FileResponse(image.path, media_type=image.content_type)

    async def _rename(self, request: Request, user: LibraryUser) -> Response:
        image = self._writable(request, user)
        body = await _json_of(request)
        name = body.get("name") if isinstance(body, dict) else None
        name = _check_name(name)
        self._store.rename(image.id, name)
        return JSONResponse(self._shown(image.id, name))

    async def _delete(self, request: Request, user: LibraryUser) -> Response:
        self._store.delete(self._writable(request, user))
        return JSONResponse({"message": "Image deleted"})

    def _image(self, request: Request) -> LibraryImage:
        image = self._store.image(request.path_params["id"])
        if image is None:
            raise HTTPException(404, "Image not found")
        return image

    def _writable(self, request: Request, user: LibraryUser) -> LibraryImage:
        image = self._image(request)
        if image.constellation not in user.constellations:
            raise HTTPException(403, "You have no write access to the image's constellation")
        return image

    def _shown(self, id: str, name: str) -> dict[str, str]:
        return {"image_uuid": id, "name": name, "url": f"{self._root}/images/{id}"}


def _check_name(name: Any) -> str:
    """Return the name of an image; raise HTTPException if it can't be one."""
    if not isinstance(name, str) or not name.strip():
        raise HTTPException(400, "Invalid input data: name is needed")
    if len(name) > LONGEST_NAME:
        raise HTTPException(400, f"Invalid input data: name is longer than {LONGEST_NAME} characters")
    return name


async def _json_of(request: Request) -> Any:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        parts.append(part if size <= _BODY_LIMIT else b"")
    if size > _BODY_LIMIT:
        raise HTTPException(400, "Invalid input data: the body is too large")
    try:
        return json.loads(b"".join(parts))
    except (ValueError, RecursionError):
        raise HTTPException(400, "Invalid input data: the body is no JSON") from None


async def _read_to_its_end(request: Request) -> None:
    """Read the rest of the body, so that the client gets the response: closing on unread bytes resets connections."""
    with contextlib.suppress(RuntimeError):  # it was read
        async for _ in request.stream():
            pass


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": error.detail}, error.status_code, headers=error.headers)
