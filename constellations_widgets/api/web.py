"""Probe web addresses as a browser on another site's page would, to find out what others will see there.

The addresses are those of a draft, which may come from other people's files, and the kernel often runs inside a private
network. So an address that looks public must lead to public addresses only, at every redirect, and the connection goes
to the IP address that was checked (SSRF, DNS rebinding).
"""

from __future__ import annotations

import threading
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from ..http import (
    URL,
    BlockedAddressError,
    Deadline,
    HTTPError,
    InvalidURL,
    Network,
    Response,
    TimeoutException,
    new_client,
    new_transport,
)
from ..network import NetworkBackend, Resolve, is_public, serves_credentials
from ..text import one_line

TIMEOUT = 5.0
"""Seconds for one probe, redirects included."""
MOST_BYTES = 2**20
"""Maximum bytes of a response that are read."""
MOST_REDIRECTS = 5
PAGE = "https://worldwidetelescope.org"
"""The page that is to show the probed files."""

SLOW, UNREACHABLE, PRIVATE, ASTRAY = "slow", "unreachable", "private", "astray"
_PATIENCE = 3  # failed probes of a host, after which it is not requested any more


@dataclass(frozen=True)
class ProbeResult:
    """Result of a request to an address.

    Attributes
    ----------
    fault : str
        Why there is no response: `SLOW`, `UNREACHABLE`, `PRIVATE` (it leads to a private network and was not requested)
        or `ASTRAY` (invalid address, or too many redirects); "" if there is one.
    detail : str
        More about the fault, as one line.
    status : int
        The HTTP status, 0 without a response.
    content_type : str
        The server's content type, in lower case and without parameters.
    shared : bool
        Whether pages of other origins may use the response, and every redirect to it (CORS).
    content : bytes
        The beginning of the response's body.
    """

    fault: str = ""
    detail: str = ""
    status: int = 0
    content_type: str = ""
    shared: bool = False
    content: bytes = b""


class WebProber:
    """Client that probes web addresses; thread-safe.

    Parameters
    ----------
    timeout : float, optional
        Seconds for one probe. Default 5.
    resolve : callable, optional
        Finds the IP addresses of a host; by default the system does.
    network : NetworkBackend, optional
        Opens the connections.
    """

    def __init__(
        self,
        *,
        timeout: float = TIMEOUT,
        resolve: Resolve | None = None,
        network: NetworkBackend | None = None,
    ):
        self._timeout = timeout
        self._lock = threading.Lock()
        self._vain: Counter[str] = Counter()
        # Requests that may go to private addresses share no connection with the others.
        self._clients = {
            False: new_client(new_transport(lambda: Network(is_public, resolve, network)), timeout),
            True: new_client(
                new_transport(lambda: Network(lambda address: not serves_credentials(address), resolve, network)),
                timeout,
            ),
        }

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def probe(self, url: str, enough: Callable[[bytes], bool], *, private: bool = False) -> ProbeResult:
        """Return what is at `url`. Never raises, and takes no longer than the timeout.

        Parameters
        ----------
        url : str
            An http or https address.
        enough : callable
            Called with the bytes read so far; returns whether they suffice.
        private : bool, optional
            Whether the address, and what it redirects to, may be in a private network. Default False. Link-local
            addresses are never requested.
        """
        state = _ProbeState(Deadline(self._timeout))
        try:
            return self._follow(url, enough, state, private)
        except BlockedAddressError:
            return ProbeResult(PRIVATE, one_line(state.host))
        except TimeoutException:
            found = ProbeResult(SLOW, f"no response within {self._timeout:g} s")
        except (HTTPError, OSError, zlib.error) as error:
            found = ProbeResult(UNREACHABLE, one_line(str(error)).rstrip(".") or type(error).__name__)
        except (InvalidURL, ValueError):
            return ProbeResult(ASTRAY, "no web address")
        with self._lock:
            self._vain[state.host] += 1
        return found

    def _follow(self, url: str, enough: Callable[[bytes], bool], state: _ProbeState, private: bool) -> ProbeResult:
        where, origin, shared = URL(url), PAGE, True
        for _ in range(MOST_REDIRECTS + 1):
            if where.scheme not in ("http", "https") or not where.host:
                return ProbeResult(ASTRAY, "no web address")
            state.host = where.host
            if self._vain[where.host] >= _PATIENCE:
                return ProbeResult(
                    SLOW, f"{where.host} was not tried again after {_PATIENCE} requests without a response"
                )
            # A name and password in an address would be sent along.
            plain = where.copy_with(userinfo=b"", fragment=None)
            client, extensions = self._clients[private], {"deadline": state.deadline}
            request = client.build_request("GET", plain, headers={"Origin": origin}, extensions=extensions)
            response = client.send(request, stream=True, auth=None)
            try:
                allowed = response.headers.get("Access-Control-Allow-Origin", "").strip()
                shared = shared and allowed in ("*", origin)
                if not response.has_redirect_location:
                    return _seen(response, enough, shared)
                target = where.join(response.headers["Location"])
            finally:
                response.close()
            if _origin(target) != _origin(where):  # as browsers do after a redirect to another server
                origin = "null"
            where = target
        return ProbeResult(ASTRAY, f"more than {MOST_REDIRECTS} redirects")


@dataclass
class _ProbeState:
    """Progress of a probe."""

    deadline: Deadline
    host: str = ""


def _seen(response: Response, enough: Callable[[bytes], bool], shared: bool) -> ProbeResult:
    kind = one_line(response.headers.get("Content-Type", "").partition(";")[0].lower(), 60)
    result = ProbeResult(status=response.status_code, content_type=kind, shared=shared)
    return replace(result, content=_beginning(response, enough)) if response.status_code == 200 else result


def _beginning(response: Response, enough: Callable[[bytes], bool]) -> bytes:
    packed = response.headers.get("Content-Encoding", "").lower() in ("gzip", "deflate")  # although not requested
    unpack = zlib.decompressobj(wbits=47) if packed else None
    content, size = bytearray(), 0
    for part in response.iter_raw():
        content += unpack.decompress(part, MOST_BYTES) if unpack else part
        size += len(part)
        if max(len(content), size) >= MOST_BYTES or enough(bytes(content)):
            break
    return bytes(content)


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
