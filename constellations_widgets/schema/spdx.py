"""The SPDX lists, and looking up what somebody typed in them. What an expression is, `license.py` knows."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Words with which people spell out what SPDX abbreviates; looked for in keys (see `key_of`) and in this order.
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
    """The SPDX lists, arranged for looking up."""

    licenses: frozenset[str]  # of either list, deprecated ones too
    exceptions: frozenset[str]
    pinned: frozenset[str]  # licenses and exceptions that the server knows
    deprecated: frozenset[str]
    current: tuple[str, ...]
    names: dict[str, str]
    by_key: dict[str, str]  # key of an id → id
    by_name: dict[str, str]  # folded full name → id of a license


@cache
def lists() -> SpdxLists:
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
    return " ".join(text.lower().split())


def key_of(text: str) -> str:
    """What is left of a name if case and punctuation don't count: "CC BY 4.0" and "cc-by-4.0" are one."""
    return re.sub(r"[^\w.]+|_+", "-", text.lower()).strip("-")


def respelled(key: str) -> str:
    for pattern, short in SPELLINGS:
        key = pattern.sub(short, key).strip("-")
    return key


def versions(key: str) -> list[str]:
    """Ids that are this key with a version number behind, the newest version first."""
    pattern = re.compile(re.escape(key) + r"-v?[\d.]+(?:-only|-or-later)?", re.IGNORECASE)
    spdx = lists()
    found = [i for i in spdx.licenses - spdx.deprecated if pattern.fullmatch(i)]
    return sorted(found, key=lambda i: (i in spdx.pinned, i), reverse=True)


def closest(key: str, ids: frozenset[str]) -> list[str]:
    keys = {key_of(i): i for i in sorted(ids)}
    return [keys[k] for k in difflib.get_close_matches(respelled(key[:80]), keys, n=3, cutoff=0.6)]
