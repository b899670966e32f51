"""Reduce responses of servers to one short line of plain text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from ..text import one_line

_PARSED_LIMIT = 8 * 1024  # of an error page: what matters stands at its start, and unclosed tags take quadratic time

_SILENT = {"script", "style", "template", "noscript", "svg"}
_INLINE = {"a", "abbr", "b", "code", "em", "font", "i", "small", "span", "strong", "tt", "u"}
_TELLING = ("pre", "h1", "h2", "title")  # where error pages say what happened, most telling first


class _Page(HTMLParser):
    """Parser that collects the lines of text of a page, and those of its most informative elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: dict[str, list[str]] = {tag: [] for tag in (*_TELLING, "page")}
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _TELLING or tag in _SILENT:
            self._open.append(tag)
        if tag not in _INLINE:
            self._add("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self._add("\n")
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._add(data)

    def _add(self, text: str) -> None:
        if _SILENT.isdisjoint(self._open):
            for tag in {*self._open, *(("page",) if "title" not in self._open else ())}:
                self.texts[tag].append(text)


def html_line(page: str) -> str:
    """Return an HTML error page as one line: its message without the stack trace, at most 300 characters."""
    parser = _Page()
    parser.feed(page[:_PARSED_LIMIT])
    parser.close()
    for tag in ("pre", "h1", "h2", "page", "title"):
        lines = (one_line(line) for line in "".join(parser.texts[tag]).split("\n"))
        if line := next((line for line in lines if line), ""):
            return line
    return ""


def format_error(content: bytes) -> str:
    """Return a response as one line: the message of a JSON object, the heading of an HTML page, or the text."""
    text = content.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return html_line(text) if "<" in text else one_line(text)
    found = [answer.get(key) for key in ("message", "detail", "error")] if isinstance(answer, dict) else []
    return one_line(next((each for each in found if isinstance(each, str) and each.strip()), text))


def schema_faults(message: str) -> str:
    """Rewrite the server's complaint about a body with this package's field names instead of the type checker's.

    >>> schema_faults('Submission did not match schema: Invalid value "a" supplied to : I/0: I0/wwt: W/center_x:
    number') 'the server does not take the values of wwt.center_x'
    """
    if not message.startswith("Submission did not match schema"):
        return message
    fields: dict[str, None] = {}  # in order, each once
    for path in re.findall(r" supplied to : ([^\n]*)", message):
        names = (re.match(r"(\w+): ", step) for step in path.split("/"))
        fields[".".join(name[1] for name in names if name and not name[1].isdecimal())] = None
    named = ", ".join(field for field in fields if field)
    return f"the server does not take the values of {named}" if named else message
