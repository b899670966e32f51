"""What the handlers of the API share: the call they get, the routes they answer, and the rules of the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from .jsvalues import parse_int
from .pages import refusal
from .store import Handle, Record, Store, parse_object_id

__all__ = ["Call", "Refused", "Route", "ServerFault", "check_storable", "is_owner", "page_of", "route"]


class ServerFault(Exception):
    """An exception inside a handler: the API answers 500 with "error serving <method> <path>"."""


class Refused(Exception):
    """The API answers with an error status and its JSON."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class Call:
    """One request, read and signed in.

    Attributes
    ----------
    path : str
        As it came, still percent-encoded.
    params : dict
        The named parts of the path, decoded.
    claims : dict or None
        Of the token, if there was one.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    claims: dict[str, Any] | None
    store: Store
    params: dict[str, str]

    def has_role(self, role: str) -> bool:
        roles = ((self.claims or {}).get("realm_access") or {}).get("roles", [])
        return role in roles

    def handle(self, missing: str = "Not found") -> Handle:
        """The handle that the path names; refused with 404 and `missing` if there is none."""
        handle = self.store.handle(self.params["handle"])
        if handle is None:
            raise Refused(404, missing)
        return handle

    def object_id(self) -> str:
        """The id in the path. One that is none is a fault of the server, which does not catch it."""
        id = parse_object_id(self.params["id"])
        if id is None:
            raise ServerFault
        return id

    def owns(self, record: Record) -> bool:
        return is_owner(self.store.handle_of_id(record.handle_id), self.claims)

    def may_edit(self, record: Record) -> dict[str, Any]:
        """The answer to who asks for the permissions of a record."""
        return {"error": False, "id": record.id, "edit": self.owns(record)}

    def head_of(self, record: Record) -> dict[str, Any]:
        """What the answers about an image and a scene begin with."""
        handle = self.store.handle_of_id(record.handle_id)
        return {
            "id": record.id,
            "handle_id": record.handle_id,
            "handle": {"handle": handle.handle, "display_name": handle.display_name} if handle else None,
            "creation_date": record.created,
        }

    def fault(self) -> Response:
        return refusal(500, f"error serving {self.method} {self.path}")


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Callable[[Call], Response]


def route(method: str, path: str, handler: Callable[[Call], Response]) -> Route:
    """A route in Express's notation: words in any case, ":name" for a part, one slash may follow."""
    pattern = re.sub(r":(\w+)", r"(?P<\1>[^/]+?)", re.escape(path))
    return Route(method, re.compile(rf"{pattern}/?\Z", re.IGNORECASE), handler)


def is_owner(handle: Handle | None, claims: dict[str, Any] | None) -> bool:
    return bool(handle and claims and claims.get("sub") in handle.owners)


def page_of(query: dict[str, str]) -> tuple[int, int]:
    """`page` and `pagesize` as the server reads them: whatever it can't use becomes 0 and 10."""
    page, size = (parse_int(query.get(name, "")) for name in ("page", "pagesize"))
    return max(page or 0, 0), size if size is not None and 1 <= size <= 100 else 10


def check_storable(value: Any) -> None:
    """Refuse what the database's driver can't write.

    Raises
    ------
    ServerFault
        For a key with NUL in it and for an object that claims to be a BSON type.
    """
    if isinstance(value, list):
        for item in value:
            check_storable(item)
    elif isinstance(value, dict):
        if value.get("_bsontype") is not None or any("\0" in key for key in value):
            raise ServerFault
        for item in value.values():
            check_storable(item)
