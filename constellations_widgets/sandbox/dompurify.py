"""What the server keeps of credits: `DOMPurify.sanitize(s, {ALLOWED_TAGS: [b strong i em a br]})`, version 3.0.6 in jsdom.

Attributes are DOMPurify's default list on every tag, and come out in reverse order, as they do there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Any

from justhtml import JustHTML

__all__ = ["ALLOWED_TAGS", "TooDeepError", "sanitize"]

ALLOWED_TAGS = frozenset({"b", "strong", "i", "em", "a", "br"})

#: Nesting at which this port gives up. The real server needs seconds for some hundreds and dies of some thousands.
MAX_DEPTH = 1000

# Disallowed tags lose their tags and keep their text, but these lose both.
_DROPPED_WHOLE = frozenset(
    "annotation-xml audio colgroup desc foreignobject head iframe math mi mn mo ms mtext noembed noframes noscript "
    "plaintext script style svg template thead title video xmp".split()
)
_RAW_TEXT = frozenset("style script xmp iframe noembed noframes plaintext noscript".split())
_URI_SAFE = frozenset("alt class for id label name pattern placeholder role summary title value style xmlns".split())
_FORM_GUARDS = frozenset(
    "nodeName textContent removeChild attributes removeAttribute setAttribute namespaceURI insertBefore hasChildNodes".split()
)

_ALLOWED_URI = re.compile(
    r"(?:(?:[fF]|[hH][tT])[tT][pP][sS]?|[mM][aA][iI][lL][tT][oO]|[tT][eE][lL]|[cC][aA][lL][lL][tT][oO]|[sS][mM][sS]"
    r"|[cC][iI][dD]|[xX][mM][pP][pP]):|[^a-zA-Z]|[a-zA-Z+.\-]+(?:[^a-zA-Z+.\-:]|\Z)"
)
_URI_SPACE = re.compile("[\x00-\x20\xa0\u1680\u180e\u2000-\u2029\u205f\u3000]")
_DATA_NAME = re.compile("data-[-A-Za-z0-9_.\xb7-\uffff]")
_ARIA_NAME = re.compile(r"aria-[-A-Za-z0-9_]+\Z")
_NAME_START = (
    ":A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_XML_NAME = re.compile(f"[{_NAME_START}][-.0-9\xb7\u0300-\u036f\u203f-\u2040{_NAME_START}]*\\Z")
_LEADING_SPACE = re.compile("[\r\n\t ]+")
_MARKUP = re.compile(r"<[/A-Za-z0-9_]")
_JS_SPACE = "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


class TooDeepError(Exception):
    """HTML nested so deeply that the real server's process would not survive it."""


def sanitize(dirty: str) -> str:
    """The credits as the server stores them.

    Raises
    ------
    TooDeepError
        For nesting beyond `MAX_DEPTH`.
    """
    if "<" not in dirty:
        return dirty
    body = _parse(dirty)
    if body is None:
        return ""
    # The HTML parser drops white space before the body; DOMPurify puts it back as it was.
    leading = _LEADING_SPACE.match(dirty)
    return (leading.group() if leading else "") + "".join(_serialize(body.children))


@cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    """The allowed attributes, and the properties of document and form that an id or name must not hide."""
    data = json.loads(resources.files(__package__).joinpath("data/dompurify.json").read_text("utf-8"))
    return frozenset(data["attributes"]), frozenset(data["dom_properties"])


def _parse(html: str) -> Any:
    root = JustHTML(html, sanitize=False, scripting_enabled=False).root
    document = next(node for node in root.children if node.name == "html")
    return next((node for node in document.children if node.name == "body"), None)


def _serialize(nodes: Iterable[Any]) -> Iterator[str]:
    """Walk the tree without recursion: what is on the stack is either an open node list or the end tag after it."""
    stack: list[Iterator[Any] | str] = [iter(nodes)]
    while stack:
        top = stack[-1]
        if isinstance(top, str):
            yield top
            stack.pop()
            continue
        node = next(top, None)
        if node is None:
            stack.pop()
        elif node.name == "#text":
            yield _escape_text(node.data)
        elif not node.name.startswith(("#", "!", "?")) and not _is_dropped(node):
            if node.name in ALLOWED_TAGS:
                yield f"<{node.name}{''.join(_attributes(node))}>"
                if node.name != "br":
                    stack.append(f"</{node.name}>")
            stack.append(iter(node.children))
            if len(stack) > MAX_DEPTH:
                raise TooDeepError


def _is_dropped(node: Any) -> bool:
    """Whether an element goes with all that is in it."""
    return node.name.lower() in _DROPPED_WHOLE or _hides_markup(node) or (node.name == "form" and _is_clobbered(node))


def _hides_markup(node: Any) -> bool:
    """DOMPurify's guard: text that would read as markup, in an element that serialises it raw."""
    if not node.children or any(_is_element(child) for child in node.children):
        return False
    text = "".join(child.data for child in node.children if child.name == "#text")
    if not _MARKUP.search(text):
        return False
    return node.name in _RAW_TEXT or any(
        _MARKUP.search(f"<!--{child.data}") for child in node.children if child.name == "#comment"
    )


def _is_element(node: Any) -> bool:
    return not node.name.startswith(("#", "!", "?"))


def _is_clobbered(form: Any) -> bool:
    return False


def _attributes(node: Any) -> Iterator[str]:
    for name, given in reversed(list(node.attrs.items())):
        value = (given or "") if name == "value" else (given or "").strip(_JS_SPACE)
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
