"""Common parts of the API's handlers: the parsed call, the routes, and the rules of the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from .jsvalues import parse_int
from .pages import refusal
from .store import Handle, Record, Store, parse_object_id
from .visits import Visit

__all__ = ["Call", "RefusedError", "Route", "ServerFaultError", "check_storable", "is_owner", "page_of", "route"]


class ServerFaultError(Exception):
    """Exception inside a handler: the API responds 500 with "error serving <method> <path>"."""


class RefusedError(Exception):
    """Refusal: the API responds with an error status and its JSON."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Call:
    """Parsed and authenticated request.

    Attributes
    ----------
    path : str
        The path as received, still percent-encoded.
    params : dict
        The named parts of the path, decoded.
    claims : dict or None
        Claims of the token, if there was one.
    list_lag : float
        Seconds for which lists don't show what this call makes.
    visit : Visit or None
        The visitor's session, if it was started.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    claims: dict[str, Any] | None
    store: Store
    params: dict[str, str]
    list_lag: float = 0.0
    visit: Visit | None = None

    def has_role(self, role: str) -> bool:
        """Return whether the token has a realm role."""
        roles = ((self.claims or {}).get("realm_access") or {}).get("roles", [])
        return role in roles

    def handle(self, missing: str = "Not found") -> Handle:
        """Return the handle that the path names; refuse with 404 and `missing` if there is none."""
        handle = self.store.handle(self.params["handle"])
        if handle is None:
            raise RefusedError(404, missing)
        return handle

    def object_id(self) -> str:
        """Return the id in the path. An invalid one is a fault of the server, which does not catch it."""
        id = parse_object_id(self.params["id"])
        if id is None:
            raise ServerFaultError
        return id

    def owns(self, record: Record) -> bool:
        """Return whether the account owns the record's handle."""
        return is_owner(self.store.handle_of_id(record.handle_id), self.claims)

    def may_edit(self, record: Record) -> dict[str, Any]:
        """Return the response on the permissions of a record."""
        return {"error": False, "id": record.id, "edit": self.owns(record)}

    def head_of(self, record: Record) -> dict[str, Any]:
        """Return the common first fields of the responses about an image and a scene."""
        handle = self.store.handle_of_id(record.handle_id)
        return {
            "id": record.id,
            "handle_id": record.handle_id,
            "handle": {"handle": handle.handle, "display_name": handle.display_name} if handle else None,
            "creation_date": record.created,
        }

    def fault(self) -> Response:
        """Return the response for an exception inside the handler."""
        return refusal(500, f"error serving {self.method} {self.path}")


@dataclass(frozen=True)
class Route:
    """Method and path of a call, with its handler."""

    method: str
    pattern: re.Pattern[str]
    handler: Callable[[Call], Response]


def route(method: str, path: str, handler: Callable[[Call], Response]) -> Route:
    """Return a route in Express's notation: case-insensitive, ":name" for a part, with an optional final slash."""
    pattern = re.sub(r":(\w+)", r"(?P<\1>[^/]+?)", re.escape(path))
    return Route(method, re.compile(rf"{pattern}/?\Z", re.IGNORECASE), handler)


def is_owner(handle: Handle | None, claims: dict[str, Any] | None) -> bool:
    """Return whether the token's account owns the handle."""
    return bool(handle and claims and claims.get("sub") in handle.owners)


def page_of(query: dict[str, str]) -> tuple[int, int]:
    """Return `page` and `pagesize` as the server reads them: invalid values become 0 and 10."""
    page, size = (parse_int(query.get(name, "")) for name in ("page", "pagesize"))
    return max(page or 0, 0), size if size is not None and 1 <= size <= 100 else 10


def check_storable(value: Any) -> None:
    """Refuse what the database's driver can't write.

    Raises
    ------
    ServerFaultError
        For a key with NUL in it and for an object that claims to be a BSON type.
    """
    if isinstance(value, list):
        for item in value:
            check_storable(item)
    elif isinstance(value, dict):
        if value.get("_bsontype") is not None or any("\0" in key for key in value):
            raise ServerFaultError
        for item in value.values():
            check_storable(item)
