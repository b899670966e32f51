"""What the handlers of the API share: the call they get, the routes they answer, and the rules of the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from .jsvalues import parse_int
from .pages import refusal
from .store import Handle, Store

__all__ = ["Call", "Route", "ServerFault", "check_storable", "is_owner", "page_of", "route"]


class ServerFault(Exception):
    """An exception inside a handler: the API answers 500 with "error serving <method> <path>"."""


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
