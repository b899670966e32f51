"""CXW6xx and CXW7xx: do note and alternative text say what people need?"""

from __future__ import annotations

import re

from ..schema.placement import Fault, Values, text
from .registry import INFO, WARNING, rule
from .words import TAG

_EMPTY_NAMES = {"toasty", "untitled", "image", "test", "tile_wcs", "no name", "index", "index_rel", "unnamed", "none"}


@rule("CXW601", WARNING)
def note_is_given(values: Values) -> Fault | None:
    """An empty note: WWT shows it as the image's name."""
    if not text(values, "note").strip() and isinstance(values.get("note", ""), str):
        return Fault("note", "is empty, and WWT shows the note as the image's name")
    return None


@rule("CXW602", INFO)
def note_is_public(values: Values) -> Fault | None:
    """The note is called internal, but everybody can read it."""
    if text(values, "note").strip():
        return Fault(
            "note", "is public: the API calls it internal, but everybody can read it in the image's record and WTML"
        )
    return None


@rule("CXW603", WARNING)
def note_says_what_it_is(values: Values) -> Fault | None:
    """A name that a tool gave."""
    if text(values, "note").strip().lower() in _EMPTY_NAMES:
        return Fault(
            "note",
            f"{text(values, 'note').strip()!r} is what tools write when nobody gave a name: say what the image shows",
        )
    return None


@rule("CXW604", INFO)
def note_is_one_line(values: Values) -> Fault | None:
    """Line breaks, which a name can't have."""
    note = text(values, "note")
    if re.search(r"[\r\n\t]", note.strip()):
        one = re.sub(r"\s+", " ", note).strip()
        return Fault(
            "note", "has line breaks, and WWT shows it as a name in one line", "Make it one line", {"note": one}
        )
    return None


@rule("CXW605", INFO)
def note_is_plain_text(values: Values) -> Fault | None:
    """HTML in the note."""
    if TAG.search(text(values, "note")):
        return Fault("note", "holds HTML, which is shown as it stands")
    return None


@rule("CXW701", WARNING)
def alt_text_is_given(values: Values) -> Fault | None:
    """No alternative text."""
    given = values.get("alt_text")
    if given is None or isinstance(given, str) and not given.strip():
        return Fault(
            "alt_text", "is missing: say in a sentence or two what is seen, for people who can't see the image"
        )
    return None


@rule("CXW702", INFO)
def alt_text_is_more_than_the_note(values: Values) -> Fault | None:
    """The alternative text repeats the note."""
    alt = text(values, "alt_text").strip().lower()
    if alt and alt == text(values, "note").strip().lower():
        return Fault("alt_text", "repeats the note: the note says what it is, the alt text what is seen")
    return None


@rule("CXW703", INFO)
def alt_text_does_not_say_image(values: Values) -> Fault | None:
    """“Image of …”, which a screen reader says already."""
    alt = text(values, "alt_text")
    without = re.sub(
        r"^\s*(?:an?\s+|the\s+|this\s+is\s+an?\s+)?(?:image|picture|photo|photograph)\s+(?:of|showing)\s+",
        "",
        alt,
        flags=re.IGNORECASE,
    )
    if without != alt and without:
        changes = {"alt_text": without[0].upper() + without[1:]}
        return Fault("alt_text", "begins with “Image of”, which a screen reader says already", "Leave it out", changes)
    return None
