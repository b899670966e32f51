"""Small tables for notebooks."""

from __future__ import annotations

from collections.abc import Iterable

_LEFT = "style='text-align:left'"  # notebooks align tables to the right


def html_table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table. All texts are HTML: escape what comes from elsewhere."""
    head = "".join(f"<th scope='col' {_LEFT}>{cell}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td {_LEFT}>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
