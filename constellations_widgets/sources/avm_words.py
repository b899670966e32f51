"""The texts of AVM: an image's name and credits, and suggestions for other fields."""

from __future__ import annotations

import html
import re

from ..errors import LicenseError
from ..schema.fields import NOTE_LIMIT, utf16_length
from ..schema.license import CC_ADDRESS, normalize_license
from .reading import Suggestion
from .xmp import Properties

_TAGS = {
    "Title": ("http://purl.org/dc/elements/1.1", "title"),
    "Headline": ("http://ns.adobe.com/photoshop/1.0", "Headline"),
    "Description": ("http://purl.org/dc/elements/1.1", "description"),
    "Credit": ("http://ns.adobe.com/photoshop/1.0", "Credit"),
    "Creator": ("http://ns.adobe.com/photoshop/1.0", "Source"),
    "Contact.Name": ("http://purl.org/dc/elements/1.1", "creator"),
    "Publisher": ("http://www.communicatingastronomy.org/avm/1.0", "Publisher"),
    "ReferenceURL": ("http://www.communicatingastronomy.org/avm/1.0", "ReferenceURL"),
    "Date": ("http://ns.adobe.com/photoshop/1.0", "DateCreated"),
    "Rights": ("http://ns.adobe.com/xap/1.0/rights", "UsageTerms"),
    "dc:rights": ("http://purl.org/dc/elements/1.1", "rights"),
    "License": ("http://creativecommons.org/ns#", "license"),
    "WebStatement": ("http://ns.adobe.com/xap/1.0/rights", "WebStatement"),
}
_CC = re.compile(r"\b(CC[ -]BY|CC0|creative ?commons)", re.IGNORECASE)
_CC_NAME = re.compile(
    r"\b(?:CC[ -]?BY|CC0|Creative ?Commons)[^\n\d.;]{0,60}\d\.\d(?:[ -](?:IGO|International|Unported))?", re.IGNORECASE
)
_LONGEST = 200  # most characters of the rights in a message
_ALT_TEXT = 2000  # most characters of a description in an alternative text


def values_of(properties: Properties) -> tuple[dict[str, str], str]:
    """Return the draft values note and credits, and the image's name."""
    name = _shortened(_first(properties, "Title", "Headline"), NOTE_LIMIT)
    credit = html.escape(_first(properties, "Credit", "Creator"), quote=False)
    link = _first(properties, "ReferenceURL")
    if credit and re.match(r"https?://[^\s<>\"]+$", link):
        credit = f'<a href="{html.escape(link)}">{credit}</a>'
    return {path: text for path, text in (("note", name), ("permissions.credits", credit)) if text}, name


def suggestions_of(properties: Properties) -> tuple[Suggestion, ...]:
    """Return suggestions of the metadata for the rights and for the alternative text."""
    rights = _first(properties, "Rights", "dc:rights")
    creator, year = _first(properties, "Creator", "Contact.Name", "Publisher"), _first(properties, "Date")[:4]
    found = []
    if re.search(r"copyright|©|\(c\)|public domain", rights, re.IGNORECASE) and len(rights) <= _LONGEST:
        found.append(Suggestion("permissions.copyright", rights, "Suggested from the rights in the file's metadata"))
    elif creator:
        words = " ".join(filter(None, ["Copyright", year if year.isdigit() else "", creator]))
        found.append(Suggestion("permissions.copyright", words, "Suggested from the creator in the file's metadata"))
    license = _license(properties)
    terms = rights or _first(properties, "License", "WebStatement")
    if terms and (license or _CC.search(terms) or len(terms) > _LONGEST or not found):
        advice = "Suggested from that" if license else "Choose the license yourself"
        found.append(
            Suggestion(
                "permissions.license",
                license,
                f"The file's terms of use: “{_shortened(terms, _LONGEST)}”. {advice}",
            )
        )
    if description := _first(properties, "Description"):
        found.append(
            Suggestion(
                "alt_text",
                _shortened(description, _ALT_TEXT),
                "The file's metadata hold a description: use it, and add what is seen",
            )
        )
    return tuple(found)


def _license(properties: Properties) -> str | None:
    """Return the one Creative Commons license, with its version, that the metadata name."""
    found = set()
    for tag in ("License", "WebStatement", "Rights", "dc:rights"):
        text = _first(properties, tag)
        for name in [*(each[0] for each in CC_ADDRESS.finditer(text)), *_CC_NAME.findall(text)]:
            try:
                found.add(normalize_license(name.strip()))
            except LicenseError:
                continue
    return found.pop() if len(found) == 1 else None


def _first(properties: Properties, *tags: str) -> str:
    """Return the first tag with text, as plain text in one line; several texts of one tag are joined."""
    for tag in tags:
        joined = ", ".join(properties.get(_TAGS[tag], ()))
        plain = html.unescape(re.sub(r"</?[A-Za-z][^<>]*>", " ", joined))
        if text := " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", plain).split()):
            return text
    return ""


def _shortened(text: str, most: int) -> str:
    """Return the text, cut after a sentence or a word if the server counts more than `most` characters."""
    if utf16_length(text) <= most:
        return text
    cut = text[:most]
    while utf16_length(cut) > most - 1:
        cut = cut[:-1]
    sentence = max(cut.rfind(end) for end in (". ", "! ", "? "))
    return (
        cut[: sentence + 1]
        if sentence > most // 2
        else cut.rpartition(" ")[0].rstrip(" ,;:") + "…"
        if " " in cut
        else cut + "…"
    )
