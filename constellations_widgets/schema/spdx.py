"""The SPDX lists, and lookups of user input in them. The grammar of expressions is in `license.py`."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Spelled-out forms of what SPDX abbreviates; searched in keys (see `key_of`) in this order.
SPELLINGS = [
    (re.compile(pattern), short)
    for pattern, short in [
        (r"\bcreative-commons\b", "cc"),
        (r"\bcc-attribution\b|^attribution\b", "cc-by"),
        (r"\bnon-?commercial\b", "nc"),
        (r"\bno-?deriv(?:ative)?s\b", "nd"),
        (r"\bshare-?alike\b", "sa"),
        (r"^by\b", "cc-by"),
        (r"^cc-?(?:0|zero)\b", "cc0"),
        (r"^the-|-(?:license|licence|international|unported|generic|universal)\b", ""),
        (r"-?\bv(?:ersion)?[-.]*(?=\d)|(?<=gpl)v(?=\d)|-version-(?=\d)", "-"),
        (r"^cc0$", "cc0-1.0"),  # the only version there is
        (r"(?<=-)(\d)(?=$|-)", r"\1.0"),
    ]
]


@dataclass(frozen=True)
class SpdxLists:
    """The SPDX lists, indexed for lookups."""

    licenses: frozenset[str]  # of both lists, including deprecated ones
    exceptions: frozenset[str]
    pinned: frozenset[str]  # licenses and exceptions that the server knows
    deprecated: frozenset[str]
    current: tuple[str, ...]
    names: dict[str, str]
    by_key: dict[str, str]  # key of an id → id
    by_name: dict[str, str]  # folded full name → id of a license


@cache
def lists() -> SpdxLists:
    """Return the SPDX lists, read once."""
    data = json.loads((files(__package__) / "data" / "spdx.json").read_text(encoding="utf-8"))
    pinned, newest, names = data["pinned"], data["newest"], data["names"]
    licenses = frozenset(
        i for spdx in (pinned, newest) for key in ("licenses", "deprecated") for i in spdx[key] if i[-1] != "+"
    )
    exceptions = frozenset(pinned["exceptions"]) | frozenset(newest["exceptions"])
    return SpdxLists(
        licenses=licenses,
        exceptions=exceptions,
        pinned=frozenset(pinned["licenses"] + pinned["deprecated"] + pinned["exceptions"]),
        deprecated=frozenset(newest["deprecated"]),
        current=tuple(newest["licenses"]),
        names=names,
        by_key={key_of(i): i for i in (*exceptions, *licenses)},
        by_name={folded(names[i]): i for i in newest["licenses"] if i in names},
    )


def folded(text: str) -> str:
    """Return a text in lower case with single spaces."""
    return " ".join(text.lower().split())


def key_of(text: str) -> str:
    """Return a name without case and punctuation: "CC BY 4.0" and "cc-by-4.0" have the same key."""
    return re.sub(r"[^\w.]+|_+", "-", text.lower()).strip("-")


def respelled(key: str) -> str:
    """Return a key with spelled-out words abbreviated as SPDX does."""
    for pattern, short in SPELLINGS:
        key = pattern.sub(short, key).strip("-")
    return key


def versions(key: str) -> list[str]:
    """Return the ids that are this key followed by a version number, the newest version first."""
    pattern = re.compile(re.escape(key) + r"-v?[\d.]+(?:-only|-or-later)?", re.IGNORECASE)
    spdx = lists()
    found = [i for i in spdx.licenses - spdx.deprecated if pattern.fullmatch(i)]
    return sorted(found, key=lambda i: (i in spdx.pinned, i), reverse=True)


def closest(key: str, ids: frozenset[str], least: float = 0.7) -> list[str]:
    """Return up to three of `ids` with a name similar to the key; `least` is their similarity, from 0 to 1."""
    keys = {key_of(i): i for i in sorted(ids)}
    return [keys[k] for k in difflib.get_close_matches(respelled(key[:80]), keys, n=3, cutoff=least)]
