"""Parse and normalize SPDX license expressions: from what users type to what the server accepts.

The server takes an expression if the npm package spdx-expression-parse 3.0.1 does, with the ids of SPDX list 3.0.16
(`data/spdx.json`, "pinned"). This module holds to that grammar with a tokenizer of its own. The package
`license-expression` was tried for it and does not fit: it refuses "LicenseRef-None" and "MIT+", takes "MIT WITH MIT",
rewrites ids ("GPL-2.0+", "Net-SNMP") and drops parentheses.

What comes out is always well formed: ids in the list's own case, operators in upper case, one space between words, the
parentheses that were written and no others. An expression that is well formed already comes out as it went in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ..errors import LicenseError
from .spdx import closest, folded, key_of, lists, respelled, versions

MAX_LENGTH = 10_000  # characters; the server's parser recurses for every term
MAX_NESTING = 100  # parentheses within each other

OPERATORS = {"and": "AND", "or": "OR", "with": "WITH"}

REFERENCE = re.compile(r"(?i:(DocumentRef-)([A-Z0-9.-]+)\s*:\s*)?(?i:LicenseRef-)([A-Za-z0-9.-]+)", re.ASCII)
CC_ADDRESS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)(?:/([a-z]{2,3}))?"
    r"(?:/(?:deed|legalcode)?[.a-z_-]*)?",
    re.ASCII | re.IGNORECASE,
)

# Keys of texts that mean that there is no license, or that none is needed. (NASA-1.3 is a license for software.)
NO_LICENSE = frozenset(
    "none no n-a na nil null noassertion no-assertion unknown unlicensed proprietary copyright copyrighted closed "
    "custom other no-license no-licence all-rights-reserved not-licensed restricted".split()
)
IN_PUBLIC_DOMAIN = frozenset({"pd", "publicdomain", "public-domain", "nasa"})

# Licenses that mean public domain.
PUBLIC_DOMAIN = frozenset(
    "CC0-1.0 CC-PDDC CC-PDM-1.0 PDDL-1.0 Unlicense SAX-PD SAX-PD-2.0 ANTLR-PD ANTLR-PD-fallback NIST-PD "
    "NIST-PD-fallback NIST-PD-TNT NCBI-PD NTIA-PD libselinux-1.0 blessing Linux-man-pages-1-para".split()
)

# Ids that SPDX deprecated without "-only" and "-or-later" replacements.
SUCCESSORS = {
    "BSD-2-Clause-FreeBSD": "BSD-2-Clause-Views",
    "BSD-2-Clause-NetBSD": "BSD-2-Clause",
    "GPL-2.0-with-GCC-exception": "GPL-2.0-or-later WITH GCC-exception-2.0",
    "GPL-2.0-with-autoconf-exception": "GPL-2.0-or-later WITH Autoconf-exception-2.0",
    "GPL-2.0-with-bison-exception": "GPL-2.0-or-later WITH Bison-exception-2.2",
    "GPL-2.0-with-classpath-exception": "GPL-2.0-or-later WITH Classpath-exception-2.0",
    "GPL-2.0-with-font-exception": "GPL-2.0-or-later WITH Font-exception-2.0",
    "GPL-3.0-with-GCC-exception": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "GPL-3.0-with-autoconf-exception": "GPL-3.0-or-later WITH Autoconf-exception-3.0",
    "Nunit": "zlib-acknowledgement",
    "StandardML-NJ": "SMLNJ",
    "bzip2-1.0.5": "bzip2-1.0.6",
    "eCos-2.0": "GPL-2.0-or-later WITH eCos-exception-2.0",
    "wxWindows": "LGPL-2.0-or-later WITH WxWindows-exception-3.1",
}

# Meaning of the first choices for users of the picture, in the order of the form.
MEANINGS = {
    "CC-BY-4.0": "Any use, with credit.",
    "CC0-1.0": "Any use, even without credit: you give up your rights.",
    "CC-PDDC": "In the public domain already, as most NASA images are.",
    "LicenseRef-None": "All rights reserved: others must ask first.",
    "CC-BY-SA-4.0": "Any use, with credit; changed versions under the same license.",
    "CC-BY-NC-4.0": "Non-commercial use, with credit.",
    "CC-BY-NC-SA-4.0": "Non-commercial use, with credit; changed versions under the same license.",
    "CC-BY-ND-4.0": "Sharing unchanged, with credit.",
    "CC-BY-NC-ND-4.0": "Non-commercial sharing unchanged, with credit.",
    "CC-BY-3.0": "Any use, with credit (older version).",
    "CC-BY-3.0-IGO": "Any use, with credit; for intergovernmental bodies such as ESA.",
    "CC-BY-SA-3.0": "Any use, with credit; changed versions under the same license (older version).",
    "CC-BY-SA-3.0-IGO": "The same for intergovernmental bodies such as ESA.",
}
NO_LICENSE_NAME = "No license (all rights reserved)"


class LicenseChoice(NamedTuple):
    """One entry of a form's list of licenses.

    Attributes
    ----------
    id : str
        Id sent to the server, such as "CC-BY-4.0".
    name : str
        The license's full name.
    meaning : str
        One line on what it means for a reader; "" where there is nothing special to say.
    """

    id: str
    name: str
    meaning: str


def normalize_license(text: str) -> str:
    """Return the license expression that the server accepts for what a user typed.

    Parameters
    ----------
    text : str
        "cc-by-4.0", "CC BY 4.0", "mit or apache-2.0", the address of a Creative Commons license ...

    Returns
    -------
    str
        A well-formed SPDX expression, say "MIT OR Apache-2.0". Well-formed input comes back unchanged. It may hold an
        id that only the newest SPDX list has: `license_warning` tells.

    Raises
    ------
    LicenseError
        The server would refuse it, or it is not clear what is meant. The message names the word and says what to write.

    Examples
    --------
    >>> normalize_license("cc-by-4.0 or cc0-1.0")
    'CC-BY-4.0 OR CC0-1.0'
    """
    if not isinstance(text, str):
        raise LicenseError(f"The license must be text, such as 'CC-BY-4.0', not {type(text).__name__}.")
    return _normalize(text)


@lru_cache(maxsize=256)
def _normalize(text: str) -> str:
    if not text.strip():
        raise LicenseError(
            "The license is empty: choose one, such as CC-BY-4.0, or write LicenseRef-None if there is none."
        )
    if len(text) > MAX_LENGTH:
        raise LicenseError(
            f"The license has {len(text)} characters; write an SPDX expression of at most {MAX_LENGTH}, such as "
            "CC-BY-4.0."
        )
    full_name = lists().by_name.get(folded(text))  # searched first, since names may hold words such as "or"
    return full_name or _write(_read(text))


def _read(text: str) -> list[str]:
    """Return the tokens of an expression: operands in their final form, operators, parentheses; check the grammar."""
    tokens: list[str] = []
    depth = 0
    for word in _tokenize(text):
        before = tokens[-1] if tokens else ""
        operand_due = before in ("", "(", "AND", "OR", "WITH")
        if word == "(":
            if not operand_due or before == "WITH":
                raise LicenseError(
                    f"The license {_quote(text)} has a '(' after {before or 'nothing'}: write AND or OR in between."
                )
            depth += 1
        elif word in (")", "AND", "OR", "WITH"):
            if operand_due:
                raise LicenseError(
                    f"The license {_quote(text)} lacks a license id before {word!r}: write one, such as CC-BY-4.0, or "
                    f"take {word!r} out."
                )
            if word == "WITH" and (before == ")" or before.rstrip("+") not in lists().licenses):
                raise LicenseError(
                    f"The license {_quote(text)} has WITH after {before!r}: WITH adds one exception to one SPDX "
                    "license id, nothing else."
                )
            depth -= word == ")"
            if depth < 0:
                raise LicenseError(
                    f"The license {_quote(text)} closes a parenthesis that was never opened: take it out."
                )
        else:
            if before == ")":
                raise LicenseError(
                    f"The license {_quote(text)} has {_quote(word)} right after ')': write AND or OR in between, or "
                    "take it out."
                )
            word = _operand(word, exception=before == "WITH")
        if depth > MAX_NESTING:
            raise LicenseError(
                f"The license has more than {MAX_NESTING} parentheses within each other: write it more simply."
            )
        tokens.append(word)
    if tokens[-1] in ("AND", "OR", "WITH"):
        raise LicenseError(f"The license {_quote(text)} ends with {tokens[-1]}: write what follows it, or take it out.")
    if depth:
        raise LicenseError(f"The license {_quote(text)} lacks a closing parenthesis: add ')'.")
    return tokens


def _tokenize(text: str) -> list[str]:
    """Split at parentheses and operators (upper-cased); the text between them is one operand, spaces included."""
    found: list[str] = []
    operand: list[str] = []
    parts = re.findall(r"[()]|[^\s()]+", text)
    for number, part in enumerate(parts):
        following = parts[number + 1].lower() if number + 1 < len(parts) else ""
        operator = OPERATORS.get(part.lower(), part if part in "()" else "")
        if operator and not (operator == "OR" and following in ("later", "newer")):
            found += [" ".join(operand), operator]
            operand = []
        else:
            operand.append("later" if part.lower() == "newer" else part)
    return [word for word in (*found, " ".join(operand)) if word]


def _operand(text: str, exception: bool) -> str:
    """Return one license or exception id in the list's own case, or a LicenseRef."""
    reference = REFERENCE.fullmatch(text)
    if reference and not exception:
        document, document_name, name = reference.groups()
        return (f"DocumentRef-{document_name}:" if document else "") + f"LicenseRef-{name}"
    spdx = lists()
    plus = text.endswith("+")
    base = text[:-1].rstrip() if plus else text
    key = key_of(base)
    if not base.endswith("+") and not base.lower().startswith(("licenseref", "documentref")) and _plain(base):
        found = spdx.by_key.get(key) or spdx.by_name.get(folded(base)) or spdx.by_key.get(respelled(key))
        if found in (spdx.exceptions if exception else spdx.licenses) and not (plus and exception):
            return found + "+" * plus
    elif address := CC_ADDRESS.fullmatch(base):
        kind, words, version, place = (part and part.upper() for part in address.groups())
        words = {"ZERO": "CC0", "MARK": "CC-PDM"}.get(words, words) if kind == "PUBLICDOMAIN" else f"CC-{words}"
        found = "-".join(filter(None, (words, version, place)))
        if found in spdx.licenses and not exception and not plus:
            return found
    raise LicenseError(_advice(text, key, exception))


def _plain(text: str) -> bool:
    """Return whether a text holds only characters of ids and names, so that dropping punctuation hides nothing."""
    return re.fullmatch(r"[A-Za-z0-9. _-]*[A-Za-z0-9]", text, re.ASCII) is not None and not re.match(r"[. _-]", text)


@lru_cache(maxsize=256)  # a search for similar ids takes milliseconds
def _advice(text: str, key: str, exception: bool) -> str:
    """Return why an operand is not a license id, and what to write instead."""
    spdx = lists()
    quoted = _quote(text)
    if text.endswith("+") and (key in spdx.by_key or REFERENCE.fullmatch(text.rstrip("+ "))):
        return f"{quoted} has a misplaced '+': one '+', right after an SPDX license id, means 'or any later version'."
    if key.startswith(("licenseref", "documentref")):
        name = re.sub(r"[^A-Za-z0-9.]+", "-", re.sub(r"(?i).*ref-?", "", text))[:60].strip("-")
        return (
            f"{quoted} is not a valid reference: after LicenseRef- only letters, digits, '.' and '-' may stand, for "
            f"example LicenseRef-{name or 'None'}."
        )
    if key in IN_PUBLIC_DOMAIN or "public-domain" in key[:200]:
        return (
            f"{quoted} is not a license expression: write CC-PDDC for what is in the public domain already, "
            "or CC0-1.0 if you are the author and dedicate it to the public yourself."
        )
    if key in NO_LICENSE:
        return (
            f"{quoted} is not a license expression: write LicenseRef-None if no license is given (all rights "
            "reserved), or LicenseRef-<name> for terms of your own; better, choose an open one such as CC-BY-4.0."
        )
    found = spdx.by_key.get(key)
    if found and exception:
        return f"{found} stands after WITH but is a license, not an exception: join licenses by AND or OR."
    if found in spdx.exceptions:
        return f"{found} is an exception, not a license: write it after a license, as in GPL-2.0-only WITH {found}."
    numbered = [] if exception else versions(respelled(key))
    if numbered:
        others = f" (there are also {_listed(numbered[1:])})" if numbered[1:] else ""
        return f"{quoted} does not say which version of the license: write {numbered[0]}{others}."
    if re.search(r"[/,;&|]", text):
        return (
            f"{quoted} is not an SPDX license id: join several by AND (all of them apply) or OR (the reader chooses), "
            "as in CC-BY-4.0 OR MIT."
        )
    kind = "exception" if exception else "license"
    close = closest(key, spdx.exceptions if exception else spdx.licenses)
    hint = f"did you mean {_listed(close, 'or')}? Otherwise pick" if close else "pick"
    own = "" if exception else ", or write LicenseRef-<name> for terms of your own"
    return f"{quoted} is not an SPDX {kind} id: {hint} one from the SPDX list{own}."


def _listed(ids: list[str], last: str = "and") -> str:
    ids = ids[:4]
    return f" {last} ".join(filter(None, (", ".join(ids[:-1]), ids[-1])))


def _quote(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _write(tokens: list[str]) -> str:
    return " ".join(tokens).replace("( ", "(").replace(" )", ")")


def _ids(expression: str) -> list[str]:
    """Return the SPDX ids of a normalized expression, without operators, "+" and LicenseRefs."""
    words = re.findall(r"[^\s()]+", expression)
    return [w.rstrip("+") for w in words if w not in OPERATORS.values() and "LicenseRef-" not in w]


def suggested_license(text: str) -> str:
    """Return the license that a rejected text most likely means, such as "CC-BY-NC-4.0" for "CC BY NC"; "" if unclear."""
    if not text.strip() or len(text) > MAX_LENGTH:
        return ""
    key, spdx = key_of(text.strip()), lists()
    if key in IN_PUBLIC_DOMAIN or "public-domain" in key[:200]:
        return "CC-PDDC"
    if key in NO_LICENSE:
        return "LicenseRef-None"
    found = versions(respelled(key)) or closest(key, spdx.licenses, 0.8)  # a button may not guess
    return found[0] if found else ""


def license_warning(text: str) -> str | None:
    """Return a warning about a license that `normalize_license` accepts, if there is one.

    Parameters
    ----------
    text : str
        A license expression, normalized or not.

    Returns
    -------
    str or None
        One line for every id that the server may not know yet or that SPDX has replaced. None if there is nothing to
        warn of, and where the text is no license expression (`normalize_license` says why).
    """
    try:
        ids = _ids(normalize_license(text))
    except LicenseError:
        return None
    spdx = lists()
    lines = []
    for i in dict.fromkeys(ids):
        if i not in spdx.pinned:
            instead = " CC-PDDC says nearly the same and is known." if i == "CC-PDM-1.0" else ""
            lines.append(f"{i} is newer than the server's license list: the server may refuse it.{instead}")
        if i in spdx.deprecated:
            instead = SUCCESSORS.get(i) or (f"{i}-only or {i}-or-later" if f"{i}-only" in spdx.licenses else "")
            lines.append(
                f"SPDX has replaced {i}"
                + (f": write {instead}." if instead else "; choose another license if you can.")
            )
    return "\n".join(lines) or None


def is_public_domain(text: str) -> bool:
    """Return whether every license of the expression means public domain, or as near as the law allows."""
    try:
        words = re.findall(r"[^\s()]+", normalize_license(text))
    except LicenseError:
        return False
    return all(word in PUBLIC_DOMAIN for word in words if word not in ("AND", "OR"))


def license_choices() -> list[LicenseChoice]:
    """Return licenses for a form's list: those common in astronomy first, then every current SPDX license.

    Returns
    -------
    list of LicenseChoice
        Each id once. The first ones have a line on what they mean; the rest only where the server may not know them
        yet.
    """
    spdx = lists()
    first = [LicenseChoice(i, spdx.names.get(i, NO_LICENSE_NAME), meaning) for i, meaning in MEANINGS.items()]
    rest = sorted((i for i in spdx.current if i not in MEANINGS), key=lambda i: (not i.startswith("CC-"), i.lower()))
    new = "The server may not know it yet."
    return first + [LicenseChoice(i, spdx.names.get(i, i), "" if i in spdx.pinned else new) for i in rest]
