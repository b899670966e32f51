"""CXW6xx and CXW7xx: check that note and alternative text inform readers."""

from __future__ import annotations

import re

from ..schema.placement import Fault, Values, shown, text
from ..text import stem_of
from .registry import IMAGE_FILE, INFO, WARNING, rule
from .words import TAG

_EMPTY_NAMES = {"toasty", "untitled", "image", "test", "tile_wcs", "no name", "index", "index_rel", "unnamed", "none"}


@rule("CXW601", WARNING)
def note_is_given(values: Values) -> Fault | None:
    """Report an empty note: WWT shows the note as the image's name."""
    if not text(values, "note").strip() and isinstance(values.get("note", ""), str):
        return Fault("note", "Enter a title: WWT shows it as the image's name")
    return None


@rule("CXW602", INFO)
def note_is_public(values: Values) -> Fault | None:
    """Report a note that calls itself internal, since everyone can read it."""
    if text(values, "note").strip():
        return Fault(
            "note", "can be read by everyone, in the image's record and WTML, although the API calls it internal"
        )
    return None


@rule("CXW603", WARNING)
def note_says_what_it_is(values: Values) -> Fault | None:
    """Report a name that a tool generated."""
    if text(values, "note").strip().lower() in _EMPTY_NAMES:
        return Fault(
            "note",
            f"{text(values, 'note').strip()!r} is a name that tools write by default: say what the image shows",
        )
    return None


@rule("CXW604", INFO)
def note_is_one_line(values: Values) -> Fault | None:
    """Report line breaks, which a name cannot have."""
    note = text(values, "note")
    if re.search(r"[\r\n\t]", note.strip()):
        one = re.sub(r"\s+", " ", note).strip()
        return Fault(
            "note", "has line breaks, and WWT shows it as a name in one line", "Make it one line", {"note": one}
        )
    return None


@rule("CXW605", INFO)
def note_is_plain_text(values: Values) -> Fault | None:
    """Report HTML in the note."""
    if TAG.search(text(values, "note")):
        return Fault("note", "contains HTML, which is shown as plain text")
    return None


@rule("CXW606", WARNING)
def note_is_no_file_name(values: Values) -> Fault | None:
    """Report a title that is the name of a file: sources fill it in where they find nothing better."""
    note = text(values, "note").strip()
    if not note or re.search(r"\s", note):
        return None
    # "M51" and "NGC-1300" are names of what is shown, even if the file has the same name.
    of_its_file = note in _names_of(str(values.get(IMAGE_FILE) or "")) and note == note.lower()
    if of_its_file or "_" in note or stem_of(note) != note:
        return Fault(
            "note", f"{shown(note)} looks like a file name: say what the image shows, e.g. “M 51 in visible light”"
        )
    return None


def _names_of(file: str) -> set[str]:
    """Return the name of a file without one or all of its endings, or only without its format."""
    return {file, stem_of(file), file.rpartition(".")[0], file.partition(".")[0]}


@rule("CXW701", WARNING)
def alt_text_is_given(values: Values) -> Fault | None:
    """Report a missing alternative text."""
    given = values.get("alt_text")
    if given is None or (isinstance(given, str) and not given.strip()):
        return Fault("alt_text", "Describe in a sentence or two what is to be seen, for people who can't see the image")
    return None


@rule("CXW702", INFO)
def alt_text_is_more_than_the_note(values: Values) -> Fault | None:
    """Report an alternative text that repeats the note."""
    alt = text(values, "alt_text").strip().lower()
    if alt and alt == text(values, "note").strip().lower():
        return Fault("alt_text", "repeats the title: the title says what it is, the alt text what is to be seen")
    return None


@rule("CXW703", INFO)
def alt_text_does_not_say_image(values: Values) -> Fault | None:
    """Report an initial “Image of …”, which a screen reader announces by itself."""
    alt = text(values, "alt_text")
    without = re.sub(
        r"^\s*(?:an?\s+|the\s+|this\s+is\s+an?\s+)?(?:image|picture|photo|photograph)\s+(?:of|showing)\s+",
        "",
        alt,
        flags=re.IGNORECASE,
    )
    if without != alt and without:
        changes = {"alt_text": without[0].upper() + without[1:]}
        return Fault(
            "alt_text", "begins with “Image of”, which screen readers announce anyway", "Leave it out", changes
        )
    return None
