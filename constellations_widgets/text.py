"""Text that can be shown and sent, and names of files."""

from __future__ import annotations

import re
import unicodedata

SHOWN_LIMIT = 300
"""Maximum characters of a response that are shown."""

_SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of characters, which no encoding has: from file names that are not UTF-8, and from escapes in JSON."""

_EXTENSION = re.compile(
    r"(\.(fits?|fts|new|jpe?g|png|gif|webp|tiff?|xisf|wtml|wwtl)(\.(gz|fz|bz2|xz|z))?|\.(gz|fz|bz2|xz|z))$",
    re.IGNORECASE,
)
"""The end of a file's name that says its format (astrometry.net calls its FITS files .new) and its compression."""


def stem_of(name: str) -> str:
    """Return the name of an image's file without its extension; other dots are part of the name.

    >>> stem_of("m51.final.v2.fits.gz"), stem_of("2026.11.30")
    ('m51.final.v2', '2026.11.30')
    """
    return _EXTENSION.sub("", name) or name


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


def last_line(error: Exception) -> str:
    """Return the last line of an error's message, or its type if it has none: wcslib begins with a place in its C source."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1].strip()


def clipped(text: str, limit: int = 60) -> str:
    """Return `text`, cut at its end to at most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def format_sentence(text: str) -> str:
    """Return `text` with one full stop at its end, and an initial capital letter unless it begins with an address or a name."""
    first = text.partition(" ")[0].rstrip(".,;:")
    is_word = re.sub("['’-]", "", first).isalpha()
    return f"{text[:1].upper() if is_word else text[:1]}{text[1:].rstrip('.')}."


def about(label: str, message: str) -> str:
    """Return a message about a field, which stands below its label elsewhere, in one line: "Rotation must be a number".

    A message that begins with a capital letter, a number or a quotation is a sentence of its own: "License: Choose one".
    """
    return f"{label} {message}" if message[:1].islower() else f"{label}: {message}"


def merge_texts(base: str, mine: str, theirs: str) -> str:
    """Return two edits of `base`, each of one place in it, as one text.

    Where both changed the same place, the inserted text of both is kept, and nothing is deleted.
    """
    start, end = _changed(base, mine)
    their_start, their_end = _changed(base, theirs)
    inserted, moved = mine[start : len(mine) - (len(base) - end)], len(theirs) - len(base)
    if end <= their_start:
        return theirs[:start] + inserted + theirs[end:]
    if start < their_end:
        start = end = max(end, their_end)
    return theirs[: start + moved] + inserted + theirs[end + moved :]


def _changed(base: str, text: str) -> tuple[int, int]:
    """Return where the part of `base` begins and ends that is different in `text`."""
    start = _count_equal(base, text)
    rest = min(len(base), len(text)) - start
    return start, len(base) - min(rest, _count_equal(base[::-1], text[::-1]))


def _count_equal(one: str, other: str) -> int:
    """Return how many characters two texts have in common from their beginning."""
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
