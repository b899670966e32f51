"""Guard the sandbox: requests must name this machine, and only pages that may read its files get them.

A web page from anywhere can make the browser send requests to a port of this machine. The checks here keep such a page
from reading the responses: the Host header defeats DNS rebinding, the Origin header identifies the page.

jupyter-server-proxy passes on the Host of the Jupyter server. A browser that connects to this port itself names this port in that
header, whatever name it believes that it talks to, and a page can't change that. A request of another port was passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import SandboxError

__all__ = ["PageOrigins", "header_values", "require_loopback_host"]

SITE = "https://worldwidetelescope.org"
"""The site whose pages show what is published. Checks of an image's address send its origin."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]]+)(:[0-9]{1,5})?\Z")


def require_loopback_host(app: ASGIApp) -> ASGIApp:
    """Return `app` behind a check that every request names a loopback host, or was passed on by jupyter-server-proxy.

    Others get 421 Misdirected Request.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        hosts = header_values(scope, b"host")
        if (
            len(hosts) == 1
            and (match := _HOST.match(hosts[0]))
            and (_is_loopback(match[1]) or _was_passed_on(scope, match[2] or ":80"))
        ):
            await app(scope, receive, send)
            return
        text = (
            "The sandbox serves only requests to this machine: use http://127.0.0.1 or http://localhost and its port.\n"
        )
        await PlainTextResponse(text, 421, headers={"Connection": "close"})(scope, receive, send)

    return guarded


class PageOrigins:
    """Origins of the pages that may read the sandbox's files.

    Pages served from this machine (JupyterLab, Voila, marimo at any port) and VS Code's own pages may; no web page can
    have such an origin. So may WWT's own site, as which an image's address is checked before publishing. ``null`` is not among them: every page can give itself that one, in a frame.

    Parameters
    ----------
    more : iterable of str
        Further origins, such as ``"http://workstation.example.org:8888"``.

    Raises
    ------
    SandboxError
        If one of them is no origin.
    """

    def __init__(self, more: Iterable[str] = ()):
        self._more = frozenset(_normalized(origin) for origin in (SITE, *more))

    def __contains__(self, origin: str) -> bool:
        try:
            parts = urlsplit(origin)
            loopback = parts.scheme in ("http", "https") and _is_loopback(parts.hostname or "")
            return loopback or parts.scheme == "vscode-webview" or origin.lower() in self._more
        except ValueError:
            return False


def _was_passed_on(scope: Scope, port: str) -> bool:
    """Return whether jupyter-server-proxy has passed on a request whose Host header ends in ":port"."""
    own = f":{scope['server'][1]}"
    return port != own and any(
        path.endswith(f"/proxy{own.replace(':', '/')}") for path in header_values(scope, b"x-forwarded-prefix")
    )


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Return all values of a request's header."""
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key == name]


def _is_loopback(host: str) -> bool:
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):  # browsers resolve these themselves (RFC 6761)
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _normalized(origin: str) -> str:
    parts = urlsplit(origin) if isinstance(origin, str) else None
    if parts is None or not parts.scheme or not parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise SandboxError(f"{origin!r} is not the origin of a page: write it as http://host:port, without a path")
    return f"{parts.scheme}://{parts.netloc}".lower()
