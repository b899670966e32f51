"""CXW3xx: can everybody reach the image and its thumbnail at the addresses given? (Whether they answer is for the plan to find out.)"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..schema import placement
from ..schema.placement import PLACEHOLDERS, THUMBNAIL, URL, Fault, Values, shown, text, web_address_fault
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
    """Path, address and host of each address that is well-formed."""
    for path in (URL, THUMBNAIL):
        address = text(values, path)
        plain = PLACEHOLDERS.sub("0", address)
        if plain and not web_address_fault(plain):
            yield path, address, urlsplit(plain).hostname or ""


def is_private_host(host: str) -> bool:
    """Whether a host is named as those are that only this machine or its network knows."""
    if (
        host == "localhost"
        or host.endswith((".localhost", ".local", ".internal", ".lan"))
        or "." not in host
        and ":" not in host
    ):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


@rule("CXW305", WARNING)
def addresses_can_be_reached_by_others(values: Values) -> Iterator[Fault]:
    """An address on this machine or a private network."""
    for path, _, host in _hosts(values):
        if is_private_host(host):
            yield Fault(
                path,
                f"{shown(host)} can be reached only from this machine or its network: others will see nothing. Fine for the sandbox",
            )


@rule("CXW306", WARNING)
def addresses_are_secure(values: Values) -> Iterator[Fault]:
    """http:// where browsers want https://."""
    for path, address, host in _hosts(values):
        if address.lower().startswith("http://") and not is_private_host(host):
            changes = {path: "https://" + address[len("http://") :]}
            yield Fault(
                path,
                "begins with http://, which pages under https:// may not load: use https:// if the server has it",
                "Use https://",
                changes,
            )


@rule("CXW312", WARNING)
def thumbnail_is_given(values: Values) -> Fault | None:
    """No thumbnail."""
    if isinstance(values.get(THUMBNAIL), str) and not text(values, THUMBNAIL):
        return Fault(
            THUMBNAIL, "is empty: lists will show the image without a picture. Give the address of a 96 by 45 JPEG"
        )
    return None
