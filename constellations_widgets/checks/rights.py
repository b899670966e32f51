"""CXW4xx and CXW5xx: check that copyright, license and credits are complete and consistent."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Iterator

from ..errors import CreditsError, LicenseError
from ..schema.credits import clean_credits
from ..schema.license import is_public_domain, license_warning, normalize_license, suggested_license
from ..schema.placement import Fault, Values, shown, text
from ..text import clipped
from .registry import ERROR, INFO, WARNING, rule
from .words import CREDIT_LABEL, EMPTY_MARKUP, OWNED, PUBLIC_DOMAIN, TAG, YEAR, YEAR_OF_COPYRIGHT, without_final_stop

COPYRIGHT, LICENSE, CREDITS = "permissions.copyright", "permissions.license", "permissions.credits"
_SOFTWARE = re.compile(r"^(?:MIT|Apache-|[AL]?GPL-|BSD-|MPL-|ISC$|Unlicense$)")
_RESERVED = re.compile(r"(?<![\s.,;])[\s.,;]*\ball rights reserved\b\.?", re.IGNORECASE)


def _at_field(message: str) -> str:
    """Return a message of the license's or the credits' own module in the form that follows a field's label."""
    return re.sub("^The (?:license|credits) ", "", message).removesuffix(".")


def _license(values: Values) -> str:
    try:
        return normalize_license(text(values, LICENSE))
    except LicenseError:
        return ""


@rule("CXW401", ERROR)
def license_is_an_expression(values: Values) -> Fault | None:
    """Report a license expression that the server rejects."""
    given = text(values, LICENSE)
    if not given:
        return None
    try:
        normal = normalize_license(given)
    except LicenseError as error:
        meant = suggested_license(given)
        fix = (f"Use {meant}", {LICENSE: meant}) if meant else ()
        return Fault(LICENSE, _at_field(str(error)), *fix)
    return (
        None
        if normal == given
        else Fault(LICENSE, f"is written {clipped(normal)}", f"Use {clipped(normal)}", {LICENSE: normal})
    )


@rule("CXW402", WARNING)
def license_is_known_to_the_server(values: Values) -> Fault | None:
    """Report a license that is deprecated, or newer than the server's list."""
    normal = _license(values)
    warning = license_warning(normal) if normal else None
    return Fault(LICENSE, _at_field(warning)) if warning else None


@rule("CXW403", WARNING)
def public_domain_has_its_license(values: Values) -> Fault | None:
    """Report a public-domain copyright statement without a public-domain license."""
    normal = _license(values)
    own_terms = "LicenseRef-" in normal and normal != "LicenseRef-None"
    if normal and not own_terms and not is_public_domain(normal) and PUBLIC_DOMAIN.search(text(values, COPYRIGHT)):
        message = f"{clipped(normal)} contradicts the copyright statement, which says public domain"
        return Fault(LICENSE, message, "Use CC-PDDC", {LICENSE: "CC-PDDC"})
    return None


@rule("CXW404", WARNING)
def license_without_rights_has_no_owner(values: Values) -> Fault | None:
    """Report a public-domain license with a copyright that names an owner."""
    normal, owner = _license(values), text(values, COPYRIGHT)
    if normal and is_public_domain(normal) and OWNED.search(owner) and not PUBLIC_DOMAIN.search(owner):
        message = (
            f"names an owner, but {clipped(normal)} says that there are no rights: name people in the credits instead"
        )
        return Fault(COPYRIGHT, message, "Say “Public domain”", {COPYRIGHT: "Public domain"})
    return None


@rule("CXW405", WARNING)
def open_license_reserves_nothing(values: Values) -> Fault | None:
    """Report “all rights reserved” under a license that grants them."""
    normal, owner = _license(values), text(values, COPYRIGHT)
    if normal and "LicenseRef-" not in normal and _RESERVED.search(owner):
        without = _RESERVED.sub("", owner).strip()
        message = f"says “All rights reserved” and contradicts {clipped(normal)}, which gives rights away"
        return Fault(COPYRIGHT, message, *(("Leave it out", {COPYRIGHT: without}) if without else ()))
    return None


@rule("CXW406", INFO)
def license_is_for_images(values: Values) -> Fault | None:
    """Report a license written for software."""
    normal = _license(values)
    if _SOFTWARE.match(normal):
        return Fault(LICENSE, f"{clipped(normal)} was written for software; for images CC-BY-4.0 or CC0-1.0 is usual")
    return None


@rule("CXW407", INFO)
def no_license_means_no_use(values: Values) -> Fault | None:
    """Report LicenseRef-None, which permits no use."""
    if _license(values) == "LicenseRef-None":
        return Fault(LICENSE, "LicenseRef-None allows no use of the image outside WWT")
    return None


@rule("CXW411", INFO)
def copyright_names_year_and_owner(values: Values) -> Fault | None:
    """Report a copyright statement that is not in the preferred form."""
    owner = text(values, COPYRIGHT).strip()
    if owner and not PUBLIC_DOMAIN.search(owner) and not YEAR.search(owner):
        return Fault(
            COPYRIGHT,
            "names no year: the preferred form is “Copyright 2020 Henrietta Swan Leavitt”, or “Public domain”",
        )
    return None


@rule("CXW412", WARNING)
def copyright_is_not_in_the_future(values: Values) -> Fault | None:
    """Report a copyright year in the future."""
    years = [int(year) for year in YEAR_OF_COPYRIGHT.findall(text(values, COPYRIGHT))]
    if years and max(years) > datetime.date.today().year:
        return Fault(COPYRIGHT, f"claims {max(years)}, a year that has not come yet")
    return None


@rule("CXW413", WARNING)
def copyright_is_plain_text(values: Values) -> Fault | None:
    """Report HTML in the copyright statement."""
    if TAG.search(text(values, COPYRIGHT)) or re.search(r"&[a-z]{2,30};", text(values, COPYRIGHT), re.IGNORECASE):
        return Fault(COPYRIGHT, "contains HTML, which is shown as plain text: links and markup belong in the credits")
    return None


@rule("CXW501", ERROR)
def credits_can_be_sent(values: Values) -> Fault | None:
    """Report credits so long or so deeply nested that they would bring the server down."""
    try:
        clean_credits(text(values, CREDITS))
    except CreditsError as error:
        return Fault(CREDITS, _at_field(str(error)))
    return None


def _kept(values: Values) -> str | None:
    """Return what the server keeps of the credits; None if they cannot be sent."""
    try:
        return clean_credits(text(values, CREDITS))
    except CreditsError:
        return None


def _respelled(markup: str) -> str:
    """Normalize what has several spellings in `markup`: references, quotes, the slash in <br/>, case."""
    return re.sub(r"\s*/?>", ">", re.sub("[\"']", "", html.unescape(markup))).replace("\r\n", "\n").casefold()


@rule("CXW502", WARNING)
def credits_are_kept_as_written(values: Values) -> Fault | None:
    """Report credits of which the server drops a part."""
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
    """Report credits that begin with “Credit:”, which the site adds by itself."""
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
    """Report a final full stop, which the site adds.

    The site writes “Image credits: {credits}. {copyright}.”
    """
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
    """Report missing credits under a license that requires attribution."""
    normal = _license(values)
    if normal.startswith("CC-BY") and not text(values, CREDITS).strip():
        return Fault(CREDITS, f"{normal} requires attribution. Who should be credited?")
    return None


@rule("CXW506", WARNING)
def links_in_credits_are_absolute(values: Values) -> Fault | None:
    """Report a relative link, which does not work on the site."""
    for target in re.findall('<a href="([^"]*)"', _kept(values) or ""):
        if not re.match(r"(?:https?://[^/]|mailto:.)", target, re.IGNORECASE):
            return Fault(
                CREDITS,
                f"have a link to {shown(target) if target else 'nothing'}: a link needs the whole address with https://",
            )
    return None
