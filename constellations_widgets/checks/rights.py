"""CXW4xx and CXW5xx: do copyright, license and credits say what they should, and the same thing?"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from ..errors import CreditsError, LicenseError
from ..schema.credits import clean_credits
from ..schema.license import license_warning, normalize_license
from ..schema.placement import Fault, Values, text
from .registry import ERROR, INFO, WARNING, rule

COPYRIGHT, LICENSE, CREDITS = "permissions.copyright", "permissions.license", "permissions.credits"
_NO_RIGHTS = {"CC-PDDC", "CC0-1.0", "CC-PDM-1.0"}
_SOFTWARE = re.compile(r"^(?:MIT|Apache-|[AL]?GPL-|BSD-|MPL-|ISC$|Unlicense$)")


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
        return Fault(LICENSE, str(error))
    return None if normal == given else Fault(LICENSE, f"is written {normal}", f"Use {normal}", {LICENSE: normal})


@rule("CXW402", WARNING)
def license_is_known_to_the_server(values: Values) -> Fault | None:
    """A license that is deprecated, or newer than the server's list."""
    normal = _license(values)
    warning = license_warning(normal) if normal else None
    return Fault(LICENSE, warning) if warning else None


@rule("CXW403", WARNING)
def public_domain_has_its_license(values: Values) -> Fault | None:
    """The copyright says public domain, the license does not."""
    normal = _license(values)
    if normal and normal not in _NO_RIGHTS and re.search(r"\bpublic domain\b|\bno (?:known )?copyright\b", text(values, COPYRIGHT), re.IGNORECASE):
        return Fault(LICENSE, f"{normal} contradicts the copyright statement, which says public domain", "Use CC-PDDC", {LICENSE: "CC-PDDC"})
    return None


@rule("CXW404", WARNING)
def license_without_rights_has_no_owner(values: Values) -> Fault | None:
    """The license says public domain, the copyright names an owner."""
    normal, owner = _license(values), text(values, COPYRIGHT)
    if normal in _NO_RIGHTS and re.search(r"copyright|©|\(c\)\s*\d", owner, re.IGNORECASE) and not re.search(r"\bno (?:known )?copyright\b|public domain", owner, re.IGNORECASE):
        return Fault(COPYRIGHT, f"names an owner, but {normal} says that nobody holds rights", "Say “Public domain”", {COPYRIGHT: "Public domain"})
    return None


@rule("CXW405", WARNING)
def open_license_reserves_nothing(values: Values) -> Fault | None:
    """All rights reserved, under a license that gives them away."""
    normal = _license(values)
    if normal and "LicenseRef-" not in normal and re.search(r"\ball rights reserved\b", text(values, COPYRIGHT), re.IGNORECASE):
        without = re.sub(r"[\s.,;]*\ball rights reserved\b\.?", "", text(values, COPYRIGHT), flags=re.IGNORECASE).strip()
        changes = {COPYRIGHT: without} if without else {}
        return Fault(COPYRIGHT, f"“All rights reserved” contradicts {normal}, which gives rights away", "Leave it out", changes)
    return None


@rule("CXW406", INFO)
def license_is_for_images(values: Values) -> Fault | None:
    """A license made for software."""
    normal = _license(values)
    if _SOFTWARE.match(normal):
        return Fault(LICENSE, f"{normal} was written for software; for images CC-BY-4.0 or CC0-1.0 is usual")
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
    if owner and not re.search(r"public domain|\bno (?:known )?copyright\b", owner, re.IGNORECASE) and not re.search(r"\b(1[89]|20)\d\d\b", owner):
        return Fault(COPYRIGHT, "names no year: the preferred form is “Copyright 2020 Henrietta Swan Leavitt”, or “Public domain”")
    return None


@rule("CXW412", WARNING)
def copyright_is_not_in_the_future(values: Values) -> Fault | None:
    """A year that has not come yet."""
    years = [int(year) for year in re.findall(r"\b(?:1[89]|2[01])\d\d\b", text(values, COPYRIGHT))]
    if years and max(years) > datetime.date.today().year:
        return Fault(COPYRIGHT, f"{max(years)} has not come yet")
    return None


@rule("CXW413", WARNING)
def copyright_is_plain_text(values: Values) -> Fault | None:
    """HTML in the copyright statement."""
    if re.search(r"</?[a-z][^<>]*>|&[a-z]+;", text(values, COPYRIGHT), re.IGNORECASE):
        return Fault(COPYRIGHT, "holds HTML, which is shown as it stands: links and markup belong in the credits")
    return None


@rule("CXW501", ERROR)
def credits_can_be_sent(values: Values) -> Fault | None:
    """Credits so long or so deep that they would take the server down."""
    try:
        clean_credits(text(values, CREDITS))
    except CreditsError as error:
        return Fault(CREDITS, str(error))
    return None


@rule("CXW502", WARNING)
def credits_are_kept_as_written(values: Values) -> Fault | None:
    """The server keeps other credits than were written."""
    written = text(values, CREDITS)
    try:
        kept = clean_credits(written)
    except CreditsError:
        return None
    if kept != written:
        return Fault(CREDITS, "will not be kept as written: the server drops what it does not allow", "Use what the server keeps", {CREDITS: kept})
    return None


@rule("CXW503", WARNING)
def credits_do_not_say_credit(values: Values) -> Fault | None:
    """Credits that begin with “Credit:”, which the site puts before them."""
    written = text(values, CREDITS)
    without = re.sub(r"^\s*(?:image\s+)?credits?\s*:\s*", "", written, flags=re.IGNORECASE)
    if without != written:
        return Fault(CREDITS, "begin with “Credit:”, and the site puts “Image credits:” before them", "Leave it out", {CREDITS: without})
    return None


@rule("CXW504", WARNING)
def statements_do_not_end_with_a_stop(values: Values) -> Iterator[Fault]:
    """A full stop at the end, which the site adds: “Image credits: {credits}. {copyright}.”"""
    for path in (CREDITS, COPYRIGHT):
        written = text(values, path).rstrip()
        if written.endswith(".") and not written.endswith("..") and not re.search(r"\b(?:[A-Z]|Inc|Ltd|Co|Jr|Sr|al|etc|Univ|Obs|Inst)\.$", written):
            yield Fault(path, "ends with a full stop, and the site adds one", "Leave it out", {path: written[:-1]})


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
    for target in re.findall(r"<a\b[^>]*?\bhref\s*=\s*[\"']?([^\"'\s>]*)", text(values, CREDITS), re.IGNORECASE):
        if not re.match(r"(?:https?://[^/]|mailto:.)", target, re.IGNORECASE):
            return Fault(CREDITS, f"link to {target or 'nothing'!r}: a link needs the whole address with https://")
    return None
