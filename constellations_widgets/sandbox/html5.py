"""Parse HTML as the real server does: parse5 7 in jsdom 22, played by html5lib.

html5lib can use a custom tree builder, which is needed here: jsdom misplaces some text. It also follows an older
standard than today's parsers, the server's included. The differences are compensated token by token.
"""

# ruff: noqa: N802, N803  (names of html5lib)

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import html5lib
from html5lib.constants import namespaces, tokenTypes
from html5lib.treebuilders import base

__all__ = ["Node", "TooDeepError", "parse_body"]

_Token = dict[str, Any]

#: Open elements at which parsing stops. The real server needs seconds for hundreds and crashes at thousands.
MAX_DEPTH = 400

#: Elements at which parsing stops: repairing nested markup can multiply them.
MAX_ELEMENTS = 40_000


class TooDeepError(Exception):
    """HTML nested so deeply that the real server's process would crash."""


class Node(base.Node):
    """Node of the tree; text and comments have `data`, and their names begin with "#"."""

    def __init__(self, name: str, namespace: str | None = None, data: str = ""):
        super().__init__(name)
        self.namespace, self.data = namespace, data

    @property
    def nameTuple(self) -> tuple[str, str]:
        """Namespace and name, for html5lib."""
        return self.namespace or namespaces["html"], self.name

    @property
    def is_element(self) -> bool:
        """Whether the node is an element."""
        return not self.name.startswith("#")

    def appendChild(self, node: Node) -> None:
        """Add a node at the end."""
        node.parent = self
        self.childNodes.append(node)

    def insertBefore(self, node: Node, refNode: Node) -> None:
        """Add a node before another child."""
        node.parent = self
        self.childNodes.insert(self._position(refNode), node)

    def insertText(self, data: str, insertBefore: Node | None = None) -> None:
        """Insert text, joined to a text before it.

        As in jsdom, text that belongs before a table and has no text before it goes to the end.
        """
        position = len(self.childNodes) if insertBefore is None else self._position(insertBefore)
        if position and self.childNodes[position - 1].name == "#text":
            self.childNodes[position - 1].data += data
        else:
            self.appendChild(Node("#text", data=data))

    def removeChild(self, node: Node) -> None:
        """Remove a child."""
        node.parent = None
        del self.childNodes[self._position(node)]

    def _position(self, child: Node) -> int:
        """Return the index of a child, searched from the end, where the parser works."""
        return next(i for i in range(len(self.childNodes) - 1, -1, -1) if self.childNodes[i] is child)

    def cloneNode(self) -> Node:
        """Return a copy without children."""
        clone = Node(self.name, self.namespace, self.data)
        clone.attributes = dict(self.attributes)
        return clone

    def hasContent(self) -> bool:
        """Return whether the node has children."""
        return bool(self.childNodes)


class _TreeBuilder(base.TreeBuilder):
    """Tree builder that makes `Node` objects and stops at excessive nesting."""

    def reset(self) -> None:
        self.count = 0
        super().reset()

    def documentClass(self) -> Node:
        return Node("#document")

    def elementClass(self, name: str, namespace: str) -> Node:
        self.count += 1
        if len(self.openElements) > MAX_DEPTH or self.count > MAX_ELEMENTS:
            raise TooDeepError
        return Node(name, namespace)

    def commentClass(self, data: str) -> Node:
        return Node("#comment", data=data)

    def doctypeClass(self, name: str, public_id: str, system_id: str) -> Node:
        return Node("#doctype")


# Elements that html5lib doesn't treat as the server's parser does, and ones that it does treat so.
_STAND_INS = {
    "main": "dir",
    "summary": "footer",
    "figcaption": "aside",
    "hgroup": "nav",
    "rb": "rp",
    "rtc": "rt",
    "isindex": "x-isindex",
}
_START, _END = tokenTypes["StartTag"], tokenTypes["EndTag"]
_TEXT = tokenTypes["Characters"], tokenTypes["SpaceCharacters"]


class _Tokens:
    """Tokenizer whose tokens are adjusted on their way to the parser."""

    def __init__(self, tokenizer: Any, adjust: Callable[[Iterator[_Token]], Iterator[_Token]]):
        self._tokenizer, self._adjust = tokenizer, adjust

    def __iter__(self) -> Iterator[_Token]:
        return self._adjust(iter(self._tokenizer))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    @property
    def state(self) -> Any:
        return self._tokenizer.state

    @state.setter
    def state(self, state: Any) -> None:
        self._tokenizer.state = state


class _Parser(html5lib.HTMLParser):
    """html5lib's parser, adjusted to parse5 and jsdom."""

    tokenizer: Any  # html5lib is untyped
    phase: Any

    def __init__(self) -> None:
        super().__init__(tree=_TreeBuilder)

    def mainLoop(self) -> None:
        self.tokenizer = _Tokens(self.tokenizer, self._adjusted)
        super().mainLoop()

    def _adjusted(self, tokens: Iterator[_Token]) -> Iterator[_Token]:
        after = None  # the element just opened, if it swallows a line break
        for token in tokens:
            if after and token["type"] in _TEXT:
                token["data"] = token["data"].removeprefix("\n")
            if token["type"] != tokenTypes["ParseError"]:
                after = None
            if token["type"] in (_START, _END):
                self._adjust_tag(token)
            if token["type"] == _START and token["name"] == "template" and not self._is_foreign():
                # DOMPurify drops templates whole. An empty "base" may stand wherever a template may.
                yield token | {"name": "base", "data": {}}
                self._skip_template(tokens)
                continue
            if token["type"] == _START and token["name"] == "dialog" and self._is_in_paragraph():
                yield token | {"type": _END, "name": "p", "data": {}}
            if token["type"] not in _TEXT or token["data"]:
                yield token
            if token["type"] == _START and token["name"] in ("pre", "listing", "textarea"):
                after = self._opened(token["name"])

    def _adjust_tag(self, token: _Token) -> None:
        token["name"] = _STAND_INS.get(token["name"], token["name"])
        if token["type"] == _END and token["name"] == "br":
            token |= {"type": _START, "data": {}, "selfClosing": False, "selfClosingAcknowledged": False}
        elif token["type"] == _END and token["name"] == "p":
            while self._is_foreign():
                self.tree.openElements.pop()

    def _opened(self, name: str) -> bool:
        """Process a start tag; return whether it opened its element: html5lib would search too far for line breaks."""
        body = self.phases["inBody"]
        body.processSpaceCharacters = body.processSpaceCharactersNonPre
        opened: bool = self.tree.openElements[-1].nameTuple == (namespaces["html"], name)
        if opened and name == "textarea":
            self.originalPhase, self.phase = self.phase, self.phases["text"]
        return opened

    def _is_in_paragraph(self) -> bool:
        return bool(self.tree.openElements) and not self._is_foreign() and self.tree.elementInScope("p", "button")

    def _is_foreign(self) -> bool:
        """Return whether the parser is inside of SVG or MathML, and not in a part of them that holds HTML."""
        if not self.tree.openElements:
            return False
        node = self.tree.openElements[-1]
        html = self.isHTMLIntegrationPoint(node) or self.isMathMLTextIntegrationPoint(node)
        return node.namespace != self.tree.defaultNamespace and not html

    def _skip_template(self, tokens: Iterator[_Token]) -> None:
        states = {
            "plaintext": self.tokenizer.plaintextState,
            "script": self.tokenizer.scriptDataState,
            **dict.fromkeys(("textarea", "title"), self.tokenizer.rcdataState),
            **dict.fromkeys(("style", "xmp", "iframe", "noembed", "noframes"), self.tokenizer.rawtextState),
        }
        depth = 1
        for token in tokens:
            if token["type"] == _START:
                depth += token["name"] == "template"
                self.tokenizer.state = states.get(token["name"], self.tokenizer.state)
            elif token["type"] == _END:
                depth -= token["name"] == "template"
            if not depth:
                return


def parse_body(html: str) -> Node | None:
    """Return the body element of an HTML document; None if the document has a frameset instead.

    Raises
    ------
    TooDeepError
        For nesting beyond `MAX_DEPTH`.
    """
    document = _Parser().parse(html)
    root = next(node for node in document.childNodes if node.is_element)
    return next((node for node in root.childNodes if node.name == "body"), None)
