"""Paths of handles, images and scenes in the API."""

from __future__ import annotations

import re
from urllib.parse import quote

from ..errors import InvalidError
from ..text import one_line, readable
from .transport import Call

_LONGEST_HANDLE = 1000  # characters; no handle is so long, and an address can't be much longer


def handle_name(handle: str) -> str:
    """Return a handle as the server spells it: users write "@name", the server expects "name"."""
    name = handle.strip().removeprefix("@") if isinstance(handle, str) else ""
    is_name = name not in ("", ".", "..") and len(name) <= _LONGEST_HANDLE
    if not is_name or readable(name) != name:  # no address holds a half of a character
        raise InvalidError(f"{one_line(repr(handle), 60)} is not a handle. Give its name, such as 'nasa'.")
    return name


def handle_call(what: str, handle: str, rest: str = "") -> Call:
    """Return the call that reads a resource of a handle."""
    name = handle_name(handle)
    return Call(f"{what} the handle {name!r}", "GET", f"/handle/{quote(name, safe='')}{rest}")


def record_path(kind: str, id: str) -> str:
    """Return the path of an image or a scene."""
    if not (isinstance(id, str) and re.fullmatch("[0-9a-fA-F]{24}", id)):
        article = "an" if kind == "image" else "a"
        raise InvalidError(
            f"{id!r} is not the id of {article} {kind}: 24 hexadecimal digits, such as 5e9f1c3a7b2d4e6f8a0b1c2d."
        )
    return f"/{kind}/{id}"
