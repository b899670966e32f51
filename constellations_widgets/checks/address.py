"""CXW3xx: check that everyone can reach the image and its thumbnail at their addresses.

No request is made here: whether the addresses respond is checked by the plan.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..schema import placement
from ..schema.placement import THUMBNAIL, URL, Fault, Values, shown, text, web_address_fault
from ..schema.tiles import PLACEHOLDERS
from .pages import page_address
from .registry import ERROR, WARNING, rule

for _code, _check in (
    ("CXW301", placement.url_is_a_web_address),
    ("CXW302", placement.tan_url_names_tiles),
    ("CXW303", placement.sky_image_url_is_one_file),
    ("CXW304", placement.url_has_all_placeholders),
    ("CXW311", placement.thumbnail_is_a_web_address),
):
    rule(_code, ERROR)(_check)


def _hosts(values: Values) -> Iterator[tuple[str, str, str]]:
    """Return path, address and host of each well-formed address."""
    for path in (URL, THUMBNAIL):
        address = text(values, path)
        plain = PLACEHOLDERS.sub("0", address)
        if plain and not web_address_fault(plain):
            yield path, address, urlsplit(plain).hostname or ""


def is_private_host(host: str) -> bool:
    """Return whether a host has a name that only this machine or its network resolves."""
    if (
        host == "localhost"
        or host.endswith((".localhost", ".local", ".internal", ".lan"))
        or ("." not in host and ":" not in host)
    ):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def is_private_address(url: str) -> bool:
    """Return whether an address by itself says that it is in a private network."""
    try:
        return is_private_host(urlsplit(url).hostname or "")
    except ValueError:
        return False


def is_on_this_computer(url: str) -> bool:
    """Return whether a server runs on this computer, as the sandbox does: nothing that is sent there leaves it."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


PRIVATE_ADDRESS = "CXW305"
"""Code of an address that only this network can reach: no fault where the record stays on this machine, as in a sandbox."""


def counts_at(code: str, api_url: str) -> bool:
    """Return whether a problem of this code is one for what is published at `api_url`."""
    return code != PRIVATE_ADDRESS or not is_on_this_computer(api_url)


@rule(PRIVATE_ADDRESS, WARNING)
def addresses_can_be_reached_by_others(values: Values) -> Iterator[Fault]:
    """Report an address on this machine or in a private network."""
    for path, _, host in _hosts(values):
        if is_private_host(host):
            yield Fault(
                path,
                f"{shown(host)} can be reached only from your network. That is fine for the sandbox, not for publishing",
            )


@rule("CXW306", WARNING)
def addresses_are_secure(values: Values) -> Iterator[Fault]:
    """Report an http:// address where browsers require https://."""
    for path, address, host in _hosts(values):
        if address.lower().startswith("http://") and not is_private_host(host):
            changes = {path: "https://" + address[len("http://") :]}
            yield Fault(
                path,
                "begins with http://, which pages under https:// may not load: use https:// if the server has it",
                "Use https://",
                changes,
            )


@rule("CXW307", WARNING)
def addresses_are_of_files(values: Values) -> Iterator[Fault]:
    """Report the address of a web page about a file, with the file's own address where the service has one."""
    for path in (URL, THUMBNAIL):
        address = text(values, path)
        page = page_address(address)
        if page is None:
            continue
        label = "Use the file's address" if page.file_url else ""
        changes = {path: page.file_url} if page.file_url else {}
        yield Fault(path, f"is a page of {page.service}, not the file itself: {page.advice}", label, changes)


@rule("CXW312", WARNING)
def thumbnail_is_given(values: Values) -> Fault | None:
    """Report a missing thumbnail."""
    if isinstance(values.get(THUMBNAIL), str) and not text(values, THUMBNAIL):
        return Fault(
            THUMBNAIL,
            "Enter the address of a JPEG of 96 × 45 pixels: without it, lists show the image without a picture",
        )
    return None
