"""Requests by httpx: through a proxy, or through a transport that takes the place of the network in tests."""

from __future__ import annotations

from collections.abc import Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.request import getproxies, proxy_bypass

import httpx

from ..errors import NotSentError
from .connections import MOST, Answer, Unusable, refuse_compressed, refuse_larger
from .credentials import is_loopback
from .deadline import DeadlineTransport, deadline
from .plaintext import one_line


class ByHttpx:
    """Does what `Connections` does, with the same parameters, through `transport`."""

    def __init__(
        self,
        url: httpx.URL,
        transport: httpx.BaseTransport,
        *,
        connect_timeout: float,
        timeout: float,
        within: float,
        limit: int,
    ):
        self._root, self._within, self._limit = url.copy_with(raw_path=b"/"), within, limit
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=connect_timeout, pool=timeout),
            follow_redirects=False,
            # The server sets a cookie with every answer, and needs none back.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> Answer:
        """Send a request and read its answer. Raises httpx.TransportError."""
        url = self._root.copy_with(raw_path=target.encode("ascii"))
        request = self._client.build_request(method, url, content=body, headers=list(headers))
        with deadline(self._within):
            response = self._client.send(request, stream=True)
            answer = Answer(response.status_code, response.reason_phrase, dict(response.headers))
            try:
                answer.content = self._read(response)
            except (httpx.HTTPError, Unusable) as error:
                answer.fault = error
            finally:
                response.close()
        return answer

    def _read(self, response: httpx.Response) -> bytes:
        refuse_compressed(response.headers.get("Content-Encoding"))
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            refuse_larger(size, self._limit)
        return b"".join(parts)


def network(address: str | httpx.URL) -> DeadlineTransport:
    """The way to an address: through the environment's proxy if there is one for it."""
    try:
        limits = httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST // 2)
        return DeadlineTransport(proxy=proxy_for(address), limits=limits)
    except (ImportError, ValueError) as error:  # SOCKS without its package, or an unknown kind of proxy
        raise NotSentError(f"The proxy set in the environment can't be used: {one_line(str(error))}") from None


def proxy_for(address: str | httpx.URL) -> str | None:
    """The environment's proxy for an address, None where there is none; there is never one for this machine itself."""
    url = httpx.URL(address)
    if is_loopback(url.host) or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy
