"""Fetch files from the web, only from the web address that the user gave or agreed to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from ..errors import SourceError
from ..schema.placement import shown, web_address_fault

if TYPE_CHECKING:
    from ..http import Client, Response

_TIMEOUT = 30.0  # seconds for the next bytes; everything may take twice as long
_MOST_REDIRECTS = 5


def fetch(address: str, limit: int, *, trusted: bool = True) -> tuple[bytes, str]:
    """Return the content at a web address, and its final address after redirects.

    Parameters
    ----------
    address : str
        An http or https address.
    limit : int
        Bytes that are read at most.
    trusted : bool, optional
        Whether the user gave the address, so that it may be in a private network. If it is not, no redirect leads into
        one. Default True. A link-local address is never asked.

    Raises
    ------
    SourceError
        If it is not a web address, does not answer in time, or has more than `limit` bytes.
    """
    from .. import http

    if fault := web_address_fault(address):
        raise SourceError(f"The web address {fault}")  # not shown, since it may hold a password
    where = shown(address, 300)
    try:
        with get(address, trusted=trusted, seconds=2 * _TIMEOUT) as (response, final):
            if response.status_code != 200:
                said = f"{response.status_code} {shown(response.reason_phrase)}"
                raise SourceError(f"{shown(final, 300)} can't be read: the server says {said}")
            return http.read(response, limit), final
    except http.BlockedAddressError as error:
        reason = f"it leads to {shown(str(error), 100)}, which is in a private network"
    except http.BodyError as error:
        reason = f"the response {error}"
    except (http.HTTPError, http.InvalidURL, ValueError) as error:
        reason = str(error)[:200] or type(error).__name__
    raise SourceError(f"{where} can't be read ({reason}): open the address in a browser")


@contextlib.contextmanager
def get(
    address: str, headers: Mapping[str, str] | None = None, *, trusted: bool = True, seconds: float | None = None
) -> Iterator[tuple[Response, str]]:
    """Request a web address; yield the response, whose body is still to be read, and its final address after redirects.

    Parameters
    ----------
    address : str
        An http or https address.
    headers : mapping, optional
        Further headers.
    trusted : bool, optional
        As for `fetch`.
    seconds : float, optional
        Longest time for everything; by default only each wait for bytes has a limit.

    Raises
    ------
    HTTPError, InvalidURL, ValueError
        If there is no response.
    SourceError
        If it redirects to what is not a web address.
    """
    from .. import http

    guard = _Guard(trusted)
    with http.new_client(http.new_transport(lambda: http.Network(guard)), _TIMEOUT) as client:
        yield from _follow(client, address, dict(headers or {}), guard, seconds)


def _follow(
    client: Client, address: str, headers: dict[str, str], guard: _Guard, seconds: float | None
) -> Iterator[tuple[Response, str]]:
    from .. import http

    extensions = {"deadline": http.Deadline(seconds)}
    for _ in range(_MOST_REDIRECTS + 1):
        with client.stream("GET", address, headers=headers, extensions=extensions) as response:
            if not response.has_redirect_location:
                yield response, address
                return
            address = urljoin(address, response.headers["Location"])
        if fault := web_address_fault(address):
            raise SourceError(f"The web address leads to one that {fault}")
        guard.may_be_private = guard.may_be_private and guard.met_private
    raise ValueError(f"more than {_MOST_REDIRECTS} redirects")


class _Guard:
    """Filter of IP addresses: private ones are allowed only if the user gave a private address."""

    def __init__(self, may_be_private: bool):
        self.may_be_private, self.met_private = may_be_private, False

    def __call__(self, address: str) -> bool:
        from ..network import is_public, serves_credentials

        if is_public(address):
            return True
        self.met_private = True
        return self.may_be_private and not serves_credentials(address)
