"""Text that can be shown and sent."""

from __future__ import annotations

import re
import unicodedata

SHOWN_LIMIT = 300
"""Maximum characters of a response that are shown."""

_SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of characters, which no encoding has: from file names that are not UTF-8, and from escapes in JSON."""


def readable(text: str) -> str:
    """Return `text` with a replacement character (U+FFFD) for each lone surrogate."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def one_line(text: str, limit: int = SHOWN_LIMIT) -> str:
    """Return `text` on one line, without control characters, at most `limit` characters long."""
    visible = "".join(
        " " if unicodedata.category(character)[0] in "CZ" else character for character in text.strip()[: 4 * limit]
    )
    line = re.sub(r"\s+", " ", visible).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def format_sentence(text: str) -> str:
    """Return `text` with one full stop at its end, and an initial capital letter unless it begins with an address or a name."""
    first = text.partition(" ")[0].rstrip(".,;:")
    is_word = re.sub("['’-]", "", first).isalpha()
    return f"{text[:1].upper() if is_word else text[:1]}{text[1:].rstrip('.')}."
