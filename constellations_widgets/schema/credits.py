"""Clean credits as the server does: HTML reduced to what the server keeps.

The server cleans credits with DOMPurify 3.0.6 on jsdom: it parses the text as a whole HTML document, keeps the tags b,
strong, i, em, a and br with DOMPurify's default attributes, and writes the rest as text. This module does the same on
the tree that `justhtml` makes, an HTML5 parser in Python. (nh3 was tried: it parses fragments, not documents, and can't
report comments, and so agreed with the server on 89 % of 2,500 random texts, where this does on 98 %; what is left
are stray text in tables, which jsdom misplaces, and formatting that reaches out of a select.)

There is one deliberate difference. The server reverses the order of attributes each time, so a tag with two attributes
never comes to rest: it would change whenever a record is read and sent back. Of such a tag only the most useful
attribute is kept. What `clean_credits` returns is what the server stores, and stays so however often it is sent.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from html.entities import html5
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..errors import CreditsError

if TYPE_CHECKING:
    from justhtml import Node

MAX_BYTES = 20_000  # most bytes of UTF-8
MAX_NESTING = 100  # tags within each other; some thousand would bring the server down
MAX_REPEATED = 10_000  # elements that a parser may have to repeat where tags are closed in the wrong order

TAGS = frozenset({"b", "strong", "i", "em", "a", "br"})

# Elements that are removed with their content; of any other the text is kept.
DROPPED = frozenset(
    "annotation-xml audio colgroup desc foreignobject head iframe math mi mn mo ms mtext noembed noframes noscript "
    "plaintext script style svg template thead title video xmp".split()
)

# The attribute that is kept if there are several; of other attributes the first by name.
PREFERRED = ("href", "title", "lang", "dir", "class", "id")

# Attributes that can't hold an address, so that any value is kept.
NO_ADDRESS = frozenset("alt class for id label name pattern placeholder role summary title value style xmlns".split())
ADDRESS = re.compile(
    r"(?:(?:f|ht)tps?|mailto|tel|callto|sms|cid|xmpp):|[^a-z]|[a-z+.\-]+(?:[^a-z+.\-:]|\Z)", re.I | re.A
)
ADDRESS_SPACE = re.compile("[\0- \xa0\u1680\u180e\u2000-\u2029\u205f\u3000]")
DATA_NAME = re.compile(r"data-[\-A-Za-z0-9_.\u00b7-\U0010ffff]")
ARIA_NAME = re.compile(r"aria-[\-A-Za-z0-9_]+")
# A name that the server's DOM lets set (XML's Name; what it starts with is one of the allowed names already).
XML_NAME = re.compile(
    "[-.0-9:A-Z_a-z\xb7\xc0-\xd6\xd8-\xf6\xf8-\u037d\u037f-\u1fff\u200c\u200d\u203f\u2040\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff]+"
)
CUT_REFERENCE = re.compile(r"&(?:(#\d+|#x[\da-f]+)|([a-z\d]+))\0", re.I | re.A)
# Characters that JavaScript's trim removes; Python's strip removes others.
SPACE = "\t\n\v\f\r \xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"

LINK = re.compile(r"(?:https?|mailto):", re.I | re.A)  # schemes of links in a rendered view

Tree = list[Any]  # text, or {"tag": "a", "href": "https://…", "children": Tree}


@cache
def _tables() -> tuple[frozenset[str], frozenset[str]]:
    """Return the attribute names that the server keeps, and the values that an `id` or `name` may not have."""
    data = json.loads((files(__package__) / "data" / "dompurify.json").read_text(encoding="utf-8"))
    return frozenset(data["attributes"]), frozenset(data["clobbering"])


def clean_credits(html: str) -> str:
    """Return what the server keeps of credits.

    Parameters
    ----------
    html : str
        Credits as written. Text without "<" is returned as it is ("AT&T").

    Returns
    -------
    str
        HTML with no tags but b, strong, i, em, a and br. Sending it through the server, or through here, changes
        nothing.

    Raises
    ------
    CreditsError
        It must not be sent at all; see `check_credits`.

    Examples
    --------
    >>> cxw.clean_credits("<b>A. Author</b><script>alert('?')</script>")
    '<b>A. Author</b>'
    """
    check_credits(html)
    cleaned = _clean(html)
    check_credits(cleaned)  # repairing and escaping can make it longer
    return cleaned


@lru_cache(maxsize=128)
def _clean(html: str) -> str:
    html = html.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    # One pass is nearly always enough. After a repair of bad markup the next parser may find something to repair (a
    # link within a link, say).
    for _ in range(8):
        cleaned = _cleaned_once(html)
        if cleaned == html:
            return html
        html = cleaned
    return _escaped(_plain(_tree(html)))  # not known to happen; plain text is always stable


def _cleaned_once(html: str) -> str:
    """Return `html` after one pass of the server's cleaner, with at most one attribute per tag."""
    if "<" not in html:
        return html
    body = _body(html)
    if body is None:
        return ""
    out = [html[: len(html) - len(html.lstrip("\r\n\t "))]]
    _write(body, out)
    return "".join(out)


def _body(html: str) -> Node | None:
    """Return the body of a document; None for a frameset, the one kind of document without a body."""
    from justhtml import JustHTML
    from justhtml.parser.options import ParserOptions

    # justhtml drops NUL before it reads character references, the server after.
    html = CUT_REFERENCE.sub(lambda m: m[0].replace("\0", ";\0") if m[1] or m[2] in html5 else m[0], html)
    options = ParserOptions(discard_bom=False, scripting_enabled=False)
    document = JustHTML(html, sanitize=False, scripting_enabled=False, _parser_opts=options).root
    root = next((n for n in document.children or () if n.name == "html"), document)
    return next((n for n in root.children or () if n.name == "body"), None)


def _write(parent: Node, out: list[str], in_select: bool = False) -> None:
    for node in parent.children or ():
        name = node.name.lower()
        if name == "#text":
            out.append(_escaped(node.data or ""))
        elif name[0] in "#!" or (name in DROPPED and not (in_select and name == "noscript")) or _hides_markup(node):
            continue
        elif name not in TAGS or in_select:  # the server's parser predates selects with other content than options
            _write(node, out, in_select or name == "select")
        else:
            out.append(f"<{name}{_attribute(node)}>")
            if name != "br":
                _write(node, out)
                out.append(f"</{name}>")


def _hides_markup(node: Node) -> bool:
    """Return whether the cleaner takes a node for an attack: only text and comments, and markup-like text in both."""
    children = node.children or ()
    if any(child.name[0] not in "#!" for child in children):
        return False
    text = "".join(child.data or "" for child in children if child.name == "#text")
    comments = "".join(str(child.data or "") for child in children if child.name == "#comment")
    return bool(re.search(r"<[/\w]", text, re.A) and re.search(r"<[/\w]", comments, re.A))


def _attribute(node: Node) -> str:
    kept = {}
    for name, written in (node.attrs or {}).items():
        value = (written or "") if name == "value" else (written or "").strip(SPACE)
        if name == "is":  # the server can't remove it, so it empties it
            kept[name] = ""
        elif _keeps(name, value):
            kept[name] = value
    if not kept:
        return ""
    name = next((n for n in PREFERRED if n in kept), min(kept))
    value = kept[name].replace("&", "&amp;").replace("\xa0", "&nbsp;").replace('"', "&quot;")
    return f' {name}="{value}"'


def _keeps(name: str, value: str) -> bool:
    """Return whether the server keeps this attribute."""
    attributes, clobbering = _tables()
    lower = name.lower()
    if lower in ("id", "name") and value in clobbering:
        return False
    if not XML_NAME.fullmatch(name):
        return False
    if DATA_NAME.match(lower) or ARIA_NAME.fullmatch(lower):
        return True
    if lower not in attributes:
        return False
    return not value or lower in NO_ADDRESS or bool(ADDRESS.match(ADDRESS_SPACE.sub("", value)))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")


def check_credits(html: str) -> None:
    """Raise an error for credits that must never be sent, without parsing them.

    Parameters
    ----------
    html : str
        Credits as written.

    Raises
    ------
    CreditsError
        It is no text, has more than 20,000 bytes of UTF-8, or its tags are nested more than 100 deep: a few thousand
        bring the server down. Tags that are never closed count as nested.
    """
    if not isinstance(html, str):
        raise CreditsError(f"The credits must be text, not {type(html).__name__}.")
    size = len(html.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise CreditsError(
            f"The credits have {size:,} bytes, and at most {MAX_BYTES:,} may be sent: shorten them, or link to the "
            "full list."
        )
    if _nesting(html) > MAX_NESTING:
        raise CreditsError(
            f"The credits have tags nested, or left open, more than {MAX_NESTING} deep: close each tag, in order, or "
            "take tags out."
        )


RAW = "script|style|title|textarea|xmp|iframe|noembed|noframes"
_ATTRIBUTES = (
    r"""(?:[{s}]++[A-Za-z_:][\w:.-]*+(?:[{s}]*+=[{s}]*+(?:"[^"]*+"|'[^']*+'|[^{s}"'=<>`/][^{s}"'=<>`]*+))?+)*+[{s}]*+"""
)
# Tokens that `_nesting` relies on: every HTML parser reads them alike, whatever precedes them.
PIECE = re.compile(
    r"""(?:[^<]|<(?![A-Za-z/!?]))++  # text
    | <!--[^<>-]*+(?:-[^<>-]++)*+-->  # a plain comment
    | <(?P<raw>{raw})\b{attributes}>[^<]*+</(?P=raw)[{s}]*+>  # an element in which there are no tags
    | <(?!(?:{raw}|plaintext)\b)(?P<start>[A-Za-z][A-Za-z0-9-]*+){attributes}/?>
    | </(?P<end>[A-Za-z][A-Za-z0-9-]*+)[{s}]*+>
    """.replace("{attributes}", _ATTRIBUTES)
    .replace("{raw}", RAW)
    .replace("{s}", r" \t\n\f\r"),
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
CHILDLESS = frozenset({"br", "hr", "img", "embed", "meta"})
CHILDLESS_IN_HTML = CHILDLESS | {"input", "wbr", "link", "area", "base", "col", "param", "source", "track"}
ENDED_BY_NEXT = frozenset({"p", "li"})  # a second one ends the first


@lru_cache(maxsize=128)
def _nesting(html: str) -> int:
    """Return an upper bound of the depth of the parsed tree, in one pass over the text.

    An end tag counts only if it closes the tag opened last and nothing odd stands before it. So there can be fewer open
    elements in a parser than are counted here, never more.
    """
    childless = CHILDLESS if re.search("<(?:svg|math)", html, re.I) else CHILDLESS_IN_HTML
    open_tags: list[str] = []
    deepest = repeated = position = 0
    tangled = False
    while piece := PIECE.match(html, position):
        position = piece.end()
        if start := piece["start"]:
            start = start.lower()
            if start not in childless and not (start in ENDED_BY_NEXT and open_tags[-1:] == [start]):
                open_tags.append(start)
                deepest = max(deepest, len(open_tags))
            # A parser opens formatting tags again that were closed in the wrong order: each start tag may repeat them
            # all.
            repeated += len(open_tags) if tangled else 0
            if repeated > MAX_REPEATED:
                return MAX_NESTING + 1
        elif end := piece["end"]:
            if open_tags[-1:] == [end.lower()]:
                open_tags.pop()
            elif end.lower() in open_tags:
                tangled = True
    return max(deepest, len(open_tags) + len(re.findall("<[A-Za-z]", html[position:])))


_WRITTEN_TAG = re.compile(r'<([a-z]+)((?: [^\s"=<>]+="[^"]*")+)>')  # as the server writes it
_WRITTEN_ATTRIBUTE = re.compile(r' [^\s"=]+="[^"]*"')


def in_one_order(kept: str) -> str:
    """Return credits as the server keeps them, with the attributes of each tag in alphabetical order.

    The server reverses the order of attributes whenever its own credits are sent back to it. Two credits that are
    equal in this order differ in nothing else.
    """
    return _WRITTEN_TAG.sub(lambda tag: f"<{tag[1]}{''.join(sorted(_WRITTEN_ATTRIBUTE.findall(tag[2])))}>", kept)


def credits_text(html: str) -> str:
    """Return credits as plain text, for example for a caption: no tags, a line break for each br.

    Parameters
    ----------
    html : str
        Credits as written or cleaned.

    Raises
    ------
    CreditsError
        As `clean_credits`.
    """
    return _plain(credits_tree(html))


def _plain(tree: Tree) -> str:
    return "".join(n if isinstance(n, str) else "\n" if n["tag"] == "br" else _plain(n["children"]) for n in tree)


def credits_tree(html: str) -> Tree:
    """Return credits as data, for a view that builds elements from it and so cannot run scripts.

    Parameters
    ----------
    html : str
        Credits as written or cleaned.

    Returns
    -------
    list
        Text, or ``{"tag": "a", "href": "https://…", "children": [...]}`` with a tag of b, strong, i, em, a, br. There
        is a href only on a, and only if it is an http, https or mailto address. Can be written as JSON.

    Raises
    ------
    CreditsError
        As `clean_credits`.
    """
    return _tree(clean_credits(html))


def _tree(cleaned: str) -> Tree:
    if "<" not in cleaned and "&" not in cleaned:
        return [cleaned] if cleaned else []
    body = _body(f"<body>{cleaned}")
    assert body is not None  # cleaned credits hold no frameset
    return _branches(body)


def _branches(parent: Node) -> Tree:
    tree: Tree = []
    for node in parent.children or ():
        if node.name == "#text":
            tree.append(node.data)
        elif node.name in TAGS:
            branch: dict[str, Any] = {"tag": node.name, "children": _branches(node)}
            href = (node.attrs or {}).get("href") or ""
            if node.name == "a" and LINK.match(href):
                branch["href"] = href
            tree.append(branch)
    return tree
