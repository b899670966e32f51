"""Sanitize credits as the server does: DOMPurify 3.0.6 with `ALLOWED_TAGS: [b, strong, i, em, a, br]`, in jsdom.

Attributes are DOMPurify's default list on every tag, and come out in reverse order, as they do there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources

from .html5 import Node, parse_body

__all__ = ["ALLOWED_TAGS", "sanitize"]

ALLOWED_TAGS = frozenset({"b", "strong", "i", "em", "a", "br"})

# Disallowed tags lose their tags and keep their text, but these lose both.
_DROPPED_WHOLE = frozenset(
    "annotation-xml audio colgroup desc foreignobject head iframe math mi mn mo ms mtext noembed noframes noscript "
    "plaintext script style svg template thead title video xmp".split()
)
_URI_SAFE = frozenset("alt class for id label name pattern placeholder role summary title value style xmlns".split())
_ALLOWED_URI = re.compile(
    r"(?:(?:[fF]|[hH][tT])[tT][pP][sS]?|[mM][aA][iI][lL][tT][oO]|[tT][eE][lL]|[cC][aA][lL][lL][tT][oO]|[sS][mM][sS]"
    r"|[cC][iI][dD]|[xX][mM][pP][pP]):|[^a-zA-Z]|[a-zA-Z+.\-]+(?:[^a-zA-Z+.\-:]|\Z)"
)
_URI_SPACE = re.compile("[\x00-\x20\xa0\u1680\u180e\u2000-\u2029\u205f\u3000]")
_DATA_NAME = re.compile("data-[-A-Za-z0-9_.\xb7-\U0010ffff]")
_ARIA_NAME = re.compile(r"aria-[-A-Za-z0-9_]+\Z")
_NAME_START = (
    ":A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_XML_NAME = re.compile(f"[{_NAME_START}][-.0-9\xb7\u0300-\u036f\u203f-\u2040{_NAME_START}]*\\Z")
_LEADING_SPACE = re.compile("[\r\n\t ]+")
_MARKUP = re.compile(r"<[/A-Za-z0-9_]")
_JS_SPACE = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))


def sanitize(dirty: str) -> str:
    """Return the credits as the server stores them.

    Raises
    ------
    TooDeepError
        For HTML that would kill the real server.
    """
    if "<" not in dirty:
        return dirty
    body = parse_body(dirty)
    if body is None:
        return ""
    # The HTML parser drops white space before the body; DOMPurify puts it back as it was.
    leading = _LEADING_SPACE.match(dirty)
    return (leading.group() if leading else "") + "".join(_serialize(body.childNodes))


@cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    """Return the allowed attributes, and the properties of document and form that an id or name must not shadow."""
    data = json.loads(resources.files(__package__).joinpath("data/dompurify.json").read_text("utf-8"))
    return frozenset(data["attributes"]), frozenset(data["dom_properties"])


def _serialize(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield the tree as HTML without recursion: the stack holds the open node lists, each with its end tag."""
    stack = [(iter(nodes), "")]
    while stack:
        children, end_tag = stack[-1]
        node = next(children, None)
        if node is None:
            stack.pop()
            yield end_tag
        elif node.name == "#text":
            yield _escape_text(node.data)
        elif node.is_element and node.name.lower() not in _DROPPED_WHOLE and not _hides_markup(node):
            end_tag = ""
            if node.name in ALLOWED_TAGS:
                yield f"<{node.name}{''.join(_attributes(node))}>"
                end_tag = f"</{node.name}>" if node.name != "br" else ""
            stack.append((iter(node.childNodes), end_tag))


def _hides_markup(node: Node) -> bool:
    """Return whether text could turn into markup (DOMPurify's guard): a comment and a text that both look like it."""
    children = node.childNodes
    if any(child.is_element for child in children):
        return False
    return all(
        any(child.name == kind and _MARKUP.search(child.data) for child in children) for kind in ("#comment", "#text")
    )


def _attributes(node: Node) -> Iterator[str]:
    for name, given in reversed(list(node.attributes.items())):
        value = given if name == "value" else given.strip(_JS_SPACE)
        if name == "is":
            yield ' is=""'
        elif _is_allowed(name, value):
            yield f' {name}="{_escape_value(value)}"'


def _is_allowed(name: str, value: str) -> bool:
    allowed, dom_properties = _lists()
    lower = name.lower()
    if lower in ("id", "name") and value in dom_properties:
        return False
    if _DATA_NAME.match(lower) or _ARIA_NAME.match(lower):
        return bool(_XML_NAME.match(name))
    if lower not in allowed:
        return False
    return lower in _URI_SAFE or not value or bool(_ALLOWED_URI.match(_URI_SPACE.sub("", value)))


def _escape_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")


def _escape_value(value: str) -> str:
    return value.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace('"', "&quot;")
