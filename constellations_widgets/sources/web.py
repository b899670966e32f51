"""WTML from the web: fetched where the user gave a web address, and nowhere else."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Any

from ..errors import SourceError
from ..schema.placement import shown, web_address_fault

_PATIENCE = 30.0  # seconds without a byte


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to anything but another public web address."""

    def redirect_request(self, *arguments: Any) -> urllib.request.Request | None:
        if fault := web_address_fault(arguments[-1]):
            raise SourceError(f"The web address leads to one that {fault}")
        return super().redirect_request(*arguments)


def fetch(address: str, limit: int) -> tuple[bytes, str]:
    """What lies at a web address, and the address that it was found at in the end.

    Raises
    ------
    SourceError
        When it is no web address, there is no answer, or one of more than `limit` bytes.
    """
    if fault := web_address_fault(address):
        raise SourceError(f"The web address {fault}")  # not shown: it may hold a password
    where = shown(address, 300)
    request = urllib.request.Request(
        address, headers={"User-Agent": "constellations_widgets", "Accept-Encoding": "identity"}
    )
    try:
        with urllib.request.build_opener(_WebOnly).open(request, timeout=_PATIENCE) as answer:
            content = answer.read(limit + 1)
            found = answer.geturl()
    except urllib.error.HTTPError as error:
        raise SourceError(f"{where} can't be read: the server says {error.code} {shown(error.reason)}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise SourceError(f"{where} can't be read ({str(reason)[:200]}): look at the address in a browser") from None
    if len(content) > limit:
        raise SourceError(f"{where} is larger than {limit >> 20} MB: this is not a WTML file")
    return content, found
