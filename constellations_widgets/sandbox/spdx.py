"""Validate license expressions as spdx-expression-parse 3.0.1 does, quirks included, with the server's id lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

__all__ = ["is_license_expression"]

# The order is the parser's: a word that begins with an operator ("ORMIT") is cut there.
_OPERATORS = ("WITH", "AND", "OR", "(", ")", ":", "+")
_ID = re.compile(r"[A-Za-z0-9.-]+")
_SPACES = re.compile(" *")

_Token = tuple[str, str]


class _RefusedError(Exception):
    """Text that is not a license expression."""

    pass


def is_license_expression(text: str) -> bool:
    """Return whether the server accepts this license. The text is validated as UTF-16, as JavaScript holds it."""
    try:
        return _parse(list(_scan(_utf16(text))))
    except _RefusedError:
        return False


@cache
def _known() -> dict[str, str]:
    lists = json.loads(resources.files(__package__).joinpath("data/spdx.json").read_text("utf-8"))
    licenses = dict.fromkeys(lists["licenses"] + lists["deprecated"], "license")
    return dict.fromkeys(lists["exceptions"], "exception") | licenses


def _utf16(text: str) -> str:
    """Return one character for each UTF-16 unit, so that lengths and positions are JavaScript's."""
    if text.isascii():
        return text
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(raw[i] | raw[i + 1] << 8) for i in range(0, len(raw), 2))


def _scan(source: str) -> Iterator[_Token]:
    index = _SPACES.match(source).end()  # type: ignore[union-attr]
    while index < len(source):
        kind, text, index = _token(source, index)
        yield kind, text
        index = _SPACES.match(source, index).end()  # type: ignore[union-attr]


def _token(source: str, index: int) -> tuple[str, str, int]:
    for operator in _OPERATORS:
        if source.startswith(operator, index):
            if operator == "+" and index > 0 and source[index - 1] == " ":
                raise _RefusedError
            return operator, operator, index + len(operator)
    for prefix in ("DocumentRef-", "LicenseRef-"):
        if source.startswith(prefix, index):
            text, end = _id(source, index + len(prefix))
            return prefix, text, end
    text, end = _id(source, index)
    if text not in _known():
        raise _RefusedError
    return _known()[text], text, end


def _id(source: str, index: int) -> tuple[str, int]:
    """Return the next id, wherever it is: the pattern isn't anchored, yet the index advances by the id's length."""
    match = _ID.search(source, index)
    if match is None:
        raise _RefusedError
    return match.group(), index + len(match.group())


def _parse(tokens: list[_Token]) -> bool:
    """Return whether the tokens form an expression. That AND binds closer than OR makes no difference here."""
    kinds = [kind for kind, _ in tokens] + ["end"]
    groups: list[bool] = []  # open parentheses: was each the first operand of its group?
    first, want_operand, may_open = True, True, True
    i = 0
    while kinds[i] != "end" or want_operand:
        kind = kinds[i]
        i += 1
        if not want_operand:
            if kind in ("AND", "OR"):
                first, want_operand, may_open = False, True, True
            elif kind == ")" and groups:
                first = groups.pop()
            else:
                return False
        elif kind == "(" and may_open:
            groups.append(first)
            first = True
        elif kind == ")" and first and groups:
            # An empty group is skipped, not refused: "()MIT" is an expression, "()" and "()(MIT)" are none.
            first, may_open = groups.pop(), False
        elif kind == "license":
            i += kinds[i] == "+"
            if kinds[i] == "WITH":
                if kinds[i + 1] != "exception":
                    return False
                i += 2
            want_operand = False
        elif kind == "DocumentRef-" and kinds[i : i + 2] == [":", "LicenseRef-"]:
            i += 2
            want_operand = False
        elif kind == "LicenseRef-":
            want_operand = False
        else:
            return False
    return not groups
