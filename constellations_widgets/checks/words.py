"""Patterns of words that the checks look for in users' texts."""

from __future__ import annotations

import re

TAG = re.compile(
    r"</?(?:a|abbr|b|big|br|center|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|script|small|span|strong|style|sub|sup|table|td|tr|u|ul)\b[^<>]*>",
    re.IGNORECASE,
)
"""An HTML tag, while ``<jane@example.org>`` and ``x<y`` are none."""

PUBLIC_DOMAIN = re.compile(
    r"(?<!not )(?<!not in )(?<!not in the )(?<!not the )\bpublic[ -]domain\b"
    r"|\b(?:no|not|without|free of)\b[^.;,]{0,40}\bcopyright"
    r"|\bcopyright[ -](?:free|waived)\b|\buncopyrighted\b|\bno rights reserved\b",
    re.IGNORECASE,
)
"""Pattern of statements that deny any rights: “Public domain”, “NASA material is not protected by copyright”."""

OWNED = re.compile(r"copyright|©|\(c\)", re.IGNORECASE)
"""Pattern of a copyright statement in the first person."""

YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")

YEAR_OF_COPYRIGHT = re.compile(r"(?:©|\(c\)|\bcopyright|(?<=\d)\s?[-–,])\s*(20\d\d)(?!\d)", re.IGNORECASE)
"""Pattern of a copyright year; the number in “NGC 2070” does not match."""

_MARKUP = "(?:b|strong|i|em)"
CREDIT_LABEL = re.compile(
    rf"^(\s*(?:<{_MARKUP}>)?)\s*(?:(?:image|photo|picture|visualization)\s+)?credits?(?:\s*(?:&amp;|&|/|and)\s*copyright)?"
    rf"\s*((?:</{_MARKUP}>)?)\s*:\s*((?:</{_MARKUP}>)?)\s*",
    re.IGNORECASE,
)
"""“Credit:” at the beginning, also in bold, and “Image Credit & Copyright:”."""
EMPTY_MARKUP = re.compile(rf"^\s*<({_MARKUP})>\s*</\1>\s*", re.IGNORECASE)

_ABBREVIATIONS = (
    "Inc|Ltd|Co|Corp|Jr|Sr|al|etc|Univ|Obs|Inst|Dept|Assoc|Assn|Soc|Acad|Natl|Lab|Collab|Dr|St|Eds?|Bros|coll"
)


def without_final_stop(written: str) -> str | None:
    """Return `written` without its final full stop; None if it has none or ends with an abbreviation.

    “et al.” and “Smith, R.” end with an abbreviation.
    """
    found = re.search(r"\.((?:\s*</\w+>)*)\s*$", written)
    before = written[: found.start()] if found else ""
    if not found or before.endswith(".") or re.search(rf"(?:^|[\W\d_])(?:[^\W\d_]|{_ABBREVIATIONS})$", before):
        return None
    return before + found[1]
