"""Build the HTML that objects show in a notebook; foreign text in it is never interpreted as markup.

Names, notes and server messages come from elsewhere. Escaped they can't be markup; in a `<bdi>` of its own, a text with a
bidirectional override (U+202E) turns nothing around but itself; and below the classes of `html_block`, MathJax typesets no
``$…$`` in it.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TypeVar

from ..text import readable

LIMIT = 200
"""Rows that a list shows at most: a notebook with 100,000 of them can't be opened again."""

_IGNORED_BY_MATHJAX = "tex2jax_ignore mathjax_ignore"  # of MathJax 2, and of 3 and later
_LEFT = "style='text-align:left'"  # notebooks align tables to the right

_Row = TypeVar("_Row")


def html_text(text: object) -> str:
    """Return foreign text as HTML."""
    return f"<bdi>{html.escape(readable(str(text)))}</bdi>"


def html_link(text: str, address: str | None) -> str:
    """Return foreign text as HTML, as a link if `address` is a web address."""
    if not address or not address.startswith(("https://", "http://")):
        return html_text(text)
    return f"<a href='{html.escape(address)}' target='_blank' rel='noopener noreferrer'>{html_text(text)}</a>"


def html_table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return an HTML table. All cells are HTML; the first of a row is its header if there are no `heads`."""
    titles = "".join(f"<th scope='col' {_LEFT}>{cell}</th>" for cell in heads)
    body = "".join(
        f"<tr>{''.join(_cell(cell, is_head=not titles and not column) for column, cell in enumerate(row))}</tr>"
        for row in rows
    )
    return f"<table>{f'<thead><tr>{titles}</tr></thead>' if titles else ''}<tbody>{body}</tbody></table>"


def html_block(*parts: str, name: str = "") -> str:
    """Return pieces of HTML as one block that MathJax leaves alone: the value of every `_repr_html_`.

    Parameters
    ----------
    *parts : str
        HTML; empty pieces are left out.
    name : str, optional
        A CSS class of the block.
    """
    return f"<div class='{f'{name} {_IGNORED_BY_MATHJAX}'.strip()}'>{''.join(filter(None, parts))}</div>"


def capped(rows: Sequence[_Row], which: str, more: str) -> tuple[Sequence[_Row], str]:
    """Return the first `LIMIT` rows, and a sentence about the others (empty if there are none).

    Parameters
    ----------
    rows : sequence
        All rows, those to be shown at the front.
    which : str
        Description of the first rows, such as "newest".
    more : str
        How to get at the others, as a sentence.
    """
    if len(rows) <= LIMIT:
        return rows, ""
    return rows[:LIMIT], f"The {which} {LIMIT} of {len(rows):,} rows. {more}"


def _cell(cell: str, *, is_head: bool) -> str:
    return f"<th scope='row' {_LEFT}>{cell}</th>" if is_head else f"<td {_LEFT}>{cell}</td>"
