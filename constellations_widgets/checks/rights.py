"""CXW4xx and CXW5xx: do copyright, license and credits say what they should, and the same thing?"""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Iterator

from ..errors import CreditsError, LicenseError
from ..schema.credits import clean_credits
from ..schema.license import is_public_domain, license_warning, normalize_license
from ..schema.placement import Fault, Values, shown, text
from .registry import ERROR, INFO, WARNING, rule
from .words import CREDIT_LABEL, EMPTY_MARKUP, OWNED, PUBLIC_DOMAIN, TAG, YEAR, YEAR_OF_COPYRIGHT, without_final_stop

COPYRIGHT, LICENSE, CREDITS = "permissions.copyright", "permissions.license", "permissions.credits"
_SOFTWARE = re.compile(r"^(?:MIT|Apache-|[AL]?GPL-|BSD-|MPL-|ISC$|Unlicense$)")
_RESERVED = re.compile(r"(?<![\s.,;])[\s.,;]*\ball rights reserved\b\.?", re.IGNORECASE)


def _at_field(message: str) -> str:
    """A sentence of the license's or the credits' own module as it stands behind the name of the field."""
    message = re.sub("^The (?:license|credits) ", "", message).removesuffix(".")
    return re.sub("^The ", "the ", message)


def _named(license: str) -> str:
    return license if len(license) <= 60 else f"{license[:59]}…"


def _license(values: Values) -> str:
    try:
        return normalize_license(text(values, LICENSE))
    except LicenseError:
        return ""


@rule("CXW401", ERROR)
def license_is_an_expression(values: Values) -> Fault | None:
    """Not a license expression that the server takes."""
    given = text(values, LICENSE)
    if not given:
        return None
    try:
        normal = normalize_license(given)
    except LicenseError as error:
        return Fault(LICENSE, _at_field(str(error)))
    return (
        None
        if normal == given
        else Fault(LICENSE, f"is written {_named(normal)}", f"Use {_named(normal)}", {LICENSE: normal})
    )


@rule("CXW402", WARNING)
def license_is_known_to_the_server(values: Values) -> Fault | None:
    """A license that is deprecated, or newer than the server's list."""
    normal = _license(values)
    warning = license_warning(normal) if normal else None
    return Fault(LICENSE, _at_field(warning)) if warning else None


@rule("CXW403", WARNING)
def public_domain_has_its_license(values: Values) -> Fault | None:
    """The copyright says public domain, the license does not."""
    normal = _license(values)
    own_terms = "LicenseRef-" in normal and normal != "LicenseRef-None"
    if normal and not own_terms and not is_public_domain(normal) and PUBLIC_DOMAIN.search(text(values, COPYRIGHT)):
        message = f"{_named(normal)} contradicts the copyright statement, which says public domain"
        return Fault(LICENSE, message, "Use CC-PDDC", {LICENSE: "CC-PDDC"})
    return None


@rule("CXW404", WARNING)
def license_without_rights_has_no_owner(values: Values) -> Fault | None:
    """The license says public domain, the copyright names an owner."""
    normal, owner = _license(values), text(values, COPYRIGHT)
    if normal and is_public_domain(normal) and OWNED.search(owner) and not PUBLIC_DOMAIN.search(owner):
        message = f"names an owner, but {_named(normal)} says that nobody holds rights: thank people in the credits"
        return Fault(COPYRIGHT, message, "Say “Public domain”", {COPYRIGHT: "Public domain"})
    return None


@rule("CXW405", WARNING)
def open_license_reserves_nothing(values: Values) -> Fault | None:
    """All rights reserved, under a license that gives them away."""
    normal, owner = _license(values), text(values, COPYRIGHT)
    if normal and "LicenseRef-" not in normal and _RESERVED.search(owner):
        without = _RESERVED.sub("", owner).strip()
        message = f"says “All rights reserved” and contradicts {_named(normal)}, which gives rights away"
        return Fault(COPYRIGHT, message, *(("Leave it out", {COPYRIGHT: without}) if without else ()))
    return None


@rule("CXW406", INFO)
def license_is_for_images(values: Values) -> Fault | None:
    """A license made for software."""
    normal = _license(values)
    if _SOFTWARE.match(normal):
        return Fault(LICENSE, f"{_named(normal)} was written for software; for images CC-BY-4.0 or CC0-1.0 is usual")
    return None


@rule("CXW407", INFO)
def no_license_means_no_use(values: Values) -> Fault | None:
    """LicenseRef-None."""
    if _license(values) == "LicenseRef-None":
        return Fault(LICENSE, "LicenseRef-None gives nobody a right to use the image outside WWT")
    return None


@rule("CXW411", INFO)
def copyright_names_year_and_owner(values: Values) -> Fault | None:
    """A statement of another form than the preferred one."""
    owner = text(values, COPYRIGHT).strip()
    if owner and not PUBLIC_DOMAIN.search(owner) and not YEAR.search(owner):
        return Fault(
            COPYRIGHT,
            "names no year: the preferred form is “Copyright 2020 Henrietta Swan Leavitt”, or “Public domain”",
        )
    return None


@rule("CXW412", WARNING)
def copyright_is_not_in_the_future(values: Values) -> Fault | None:
    """A year that has not come yet."""
    years = [int(year) for year in YEAR_OF_COPYRIGHT.findall(text(values, COPYRIGHT))]
    if years and max(years) > datetime.date.today().year:
        return Fault(COPYRIGHT, f"claims {max(years)}, a year that has not come yet")
    return None


@rule("CXW413", WARNING)
def copyright_is_plain_text(values: Values) -> Fault | None:
    """HTML in the copyright statement."""
    if TAG.search(text(values, COPYRIGHT)) or re.search(r"&[a-z]{2,30};", text(values, COPYRIGHT), re.IGNORECASE):
        return Fault(COPYRIGHT, "holds HTML, which is shown as it stands: links and markup belong in the credits")
    return None


@rule("CXW501", ERROR)
def credits_can_be_sent(values: Values) -> Fault | None:
    """Credits so long or so deep that they would take the server down."""
    try:
        clean_credits(text(values, CREDITS))
    except CreditsError as error:
        return Fault(CREDITS, _at_field(str(error)))
    return None


def _kept(values: Values) -> str | None:
    """What the server keeps of the credits; None where they can't be sent."""
    try:
        return clean_credits(text(values, CREDITS))
    except CreditsError:
        return None


def _respelled(markup: str) -> str:
    """`markup` but for what may be spelled in several ways: references, quotes, the slash in <br/>, case."""
    return re.sub(r"\s*/?>", ">", re.sub("[\"']", "", html.unescape(markup))).replace("\r\n", "\n").casefold()


@rule("CXW502", WARNING)
def credits_are_kept_as_written(values: Values) -> Fault | None:
    """The server drops a part of what was written."""
    kept = _kept(values)
    if kept is None or _respelled(kept) == _respelled(text(values, CREDITS)):
        return None
    return Fault(
        CREDITS,
        "will not be kept as written: the server drops what it does not allow",
        "Use what the server keeps",
        {CREDITS: kept},
    )


@rule("CXW503", WARNING)
def credits_do_not_say_credit(values: Values) -> Fault | None:
    """Credits that begin with “Credit:”, which the site puts before them."""
    written = text(values, CREDITS)
    if not CREDIT_LABEL.match(written):
        return None
    without = EMPTY_MARKUP.sub("", CREDIT_LABEL.sub(r"\1\2\3", written)).lstrip()
    return Fault(
        CREDITS,
        "begin with “Credit:”, and the site puts “Image credits:” before them",
        "Leave it out",
        {CREDITS: without},
    )


@rule("CXW504", WARNING)
def statements_do_not_end_with_a_stop(values: Values) -> Iterator[Fault]:
    """A full stop at the end, which the site adds: “Image credits: {credits}. {copyright}.”"""
    for path, verb in ((CREDITS, "end"), (COPYRIGHT, "ends")):
        without = without_final_stop(text(values, path))
        if without is not None:
            yield Fault(
                path,
                f"{verb} with a full stop, and the site adds one",
                *(("Leave it out", {path: without}) if without.strip() else ()),
            )


@rule("CXW505", WARNING)
def attribution_is_given(values: Values) -> Fault | None:
    """A license that asks for credit, without credits."""
    normal = _license(values)
    if normal.startswith("CC-BY") and not text(values, CREDITS).strip():
        return Fault(CREDITS, f"are empty, but {normal} asks everybody to give credit: say to whom")
    return None


@rule("CXW506", WARNING)
def links_in_credits_are_absolute(values: Values) -> Fault | None:
    """A link that leads nowhere from the site."""
    for target in re.findall('<a href="([^"]*)"', _kept(values) or ""):
        if not re.match(r"(?:https?://[^/]|mailto:.)", target, re.IGNORECASE):
            return Fault(
                CREDITS,
                f"have a link to {shown(target) if target else 'nothing'}: a link needs the whole address with https://",
            )
    return None
