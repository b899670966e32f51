"""Requests of the Images API whose bodies do not fit into memory: files on their way to the server and back."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx

from .. import errors
from .by_httpx import network
from .deadline import deadline
from .file_body import Broken, FileBody
from .plaintext import one_line, words_of
from .retries import Retrier, Retries
from .transport import CONNECT_TIMEOUT, Call, Transport

Taken = TypeVar("Taken")

_ANSWER_LIMIT = 64 * 1024  # bytes of an answer that says yes or no
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

_REFUSALS: dict[int, tuple[type[errors.StatusError], str]] = {
    400: (errors.InvalidError, ""),
    401: (errors.SignInError, "Sign in again: the token may have expired, or belong to another server."),
    403: (errors.ForbiddenError, "Ask for write access to its constellation, or sign in with another account."),
    404: (errors.NotFoundError, "Somebody may have deleted it: list the images again."),
    413: (errors.TooLargeError, "The server does not take a file of this size."),
    415: (errors.InvalidError, "The server does not take a file of this kind."),
    429: (errors.BusyError, "Try again later."),
    503: (errors.BusyError, "Try again later."),
}


class Streams:
    """Sends and receives files, with the credentials of a `Transport`.

    Parameters
    ----------
    transport : Transport
        Of the same API.
    timeout : float
        Seconds to wait for the next bytes.
    network : httpx.BaseTransport, optional
        Takes the place of the network, for tests.
    retries : Retries, optional
        As for `Transport`: what only reads is repeated, an upload only if the server asks for that.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        timeout: float,
        network: httpx.BaseTransport | None = None,
        retries: Retries | None = None,
    ):
        self._transport, self._timeout, self._network = transport, timeout, network
        self._retrier = Retrier(retries or Retries(), within=2 * timeout)
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections. The next request opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def send(self, call: Call, body: FileBody) -> dict[str, Any]:
        """Upload a file; the server's answer, a JSON object.

        Raises
        ------
        UnclearError
            If the whole file left, and no trustworthy answer came.
        ApiError
            If the server has certainly not taken it.
        """
        outcome = self._retrier.send(lambda: self._send_once(call, body), writes=True)
        if isinstance(outcome, errors.ApiError):
            raise outcome
        return outcome

    def receive(self, call: Call, take: Callable[[httpx.Response], Taken]) -> Taken:
        """What `take` makes of the answer, whose body it reads. It is called again when the connection breaks.

        It may raise Broken, StoppedError, or what httpx raises.
        """
        outcome = self._retrier.send(lambda: self._receive_once(call, take), writes=False)
        if isinstance(outcome, errors.ApiError):
            raise outcome
        return outcome[0]

    def _send_once(self, call: Call, body: FileBody) -> dict[str, Any] | errors.ApiError:
        with contextlib.ExitStack() as until:

            def parts() -> Iterator[bytes]:
                yield from body.parts()
                until.enter_context(deadline(2 * self._timeout))  # the answer does not take for ever

            try:
                with self._answer(call, content=parts, headers=body.headers) as response:
                    return self._said(call, response)
            except Broken as error:
                return self._error(errors.NotSentError, call, str(error), "Nothing was added. Try again.")
            except errors.StoppedError as error:
                if body.is_whole:
                    return self._lost(call, "it was stopped while the server was at work on it")
                return error
            except httpx.HTTPError as error:
                return self._not_sent(call, error, body)

    def _receive_once(self, call: Call, take: Callable[[httpx.Response], Taken]) -> tuple[Taken] | errors.ApiError:
        try:
            with self._answer(call) as response:
                if response.status_code == 200:
                    return (take(response),)
                return self._refused(call, response)
        except Broken as error:
            return self._transport.bad_answer(call, str(error))
        except _NEVER_LEFT as error:
            return self._unreachable(call, error)
        except httpx.HTTPError as error:
            said = f"the connection to {self._transport.api_url} broke: {_reason(error)}"
            return self._error(errors.NoAnswerError, call, said, "Try again.")

    @contextlib.contextmanager
    def _answer(
        self, call: Call, content: Callable[[], Iterator[bytes]] | None = None, headers: dict[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """The answer, whose body was not read; asked for once more where a refused token has a successor."""
        url, credentials = self._transport.api_url + call.path, self._transport.credentials
        authorization = credentials.header(url) if credentials else ""
        response = self._ask(call.method, url, content, headers, authorization)
        try:
            if response.status_code == 401 and credentials and credentials.renew(authorization):
                response.close()
                response = self._ask(call.method, url, content, headers, credentials.header(url))
            yield response
        finally:
            response.close()

    def _ask(
        self,
        method: str,
        url: str,
        content: Callable[[], Iterator[bytes]] | None,
        headers: dict[str, str] | None,
        authorization: str,
    ) -> httpx.Response:
        headers = (headers or {}) | ({"Authorization": authorization} if authorization else {})
        client = self._http()
        request = client.build_request(method, url, content=content() if content else None, headers=headers)
        return client.send(request, stream=True)

    def _http(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    headers={"User-Agent": "constellations_widgets", "Accept-Encoding": "identity"},
                    timeout=httpx.Timeout(self._timeout, connect=CONNECT_TIMEOUT),
                    follow_redirects=False,
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                    transport=self._network or network(self._transport.api_url),
                    trust_env=False,
                )
            return self._client

    def _said(self, call: Call, response: httpx.Response) -> dict[str, Any] | errors.ApiError:
        """The JSON object that says yes, or what went wrong."""
        if response.status_code not in (200, 201):
            return self._refused(call, response)
        try:
            answer = json.loads(self._content(response))
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            return self._lost(call, f"the answer can't be read: {_reason(error)}", response.status_code)
        return answer if isinstance(answer, dict) else self._lost(call, "the answer is no object", response.status_code)

    def _content(self, response: httpx.Response) -> bytes:
        content = b""
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            return content  # it was not asked for, and could unfold into anything
        for part in response.iter_bytes():
            content += part
            if len(content) > _ANSWER_LIMIT:
                break
        credentials = self._transport.credentials
        return credentials.hide_in(content) if credentials else content

    def _refused(self, call: Call, response: httpx.Response) -> errors.ApiError:
        status = response.status_code
        try:
            with deadline(2 * self._timeout):
                shown = words_of(self._content(response))
        except httpx.HTTPError:
            shown = ""  # the status alone says what happened
        said = f"the server says {shown or response.reason_phrase!r} (status {status})"
        retry_after = _seconds(response.headers.get("Retry-After", ""))
        not_now = status == 503 and retry_after is not None
        if call.writes and (status < 400 or status == 408 or (status >= 500 and not not_now)):
            return self._lost(call, said, status)
        if status < 400:
            return self._transport.bad_answer(call, f"has the status {status}", status)
        general = errors.ServerError if status >= 500 else errors.StatusError
        kind, advice = _REFUSALS.get(status, (general, "Try again later." if status >= 500 else ""))
        error = self._error(kind, call, said, advice, status)
        error.message = shown or response.reason_phrase
        if isinstance(error, errors.BusyError):
            error.retry_after = retry_after
        return error

    def _not_sent(self, call: Call, error: httpx.HTTPError, body: FileBody) -> errors.ApiError:
        if isinstance(error, _NEVER_LEFT):
            return self._unreachable(call, error)
        said = f"the connection to {self._transport.api_url} broke: {_reason(error)}"
        if body.is_whole:
            return self._lost(call, said)
        advice = "The file had not left whole, so nothing was added. Try again."
        return self._error(errors.NotSentError, call, said, advice)

    def _unreachable(self, call: Call, error: Exception) -> errors.ApiError:
        said = f"{self._transport.api_url} can't be reached: {_reason(error)}"
        return self._error(errors.NotSentError, call, said, "Nothing was sent. Check the address and the network.")

    def _lost(self, call: Call, said: str, status: int | None = None) -> errors.ApiError:
        advice = "Whether the server did it is not known: look before sending it again."
        return self._error(errors.UnclearError, call, said, advice, status)

    def _error(self, kind: type[errors.ApiError], call: Call, said: str, advice: str, status: int | None = None) -> Any:
        url = self._transport.api_url + call.path
        error = kind(f"Could not {call.what}: {said}. {advice}".rstrip(), url=url, status=status)
        error.message = said
        return error


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.strip().isdecimal() else None  # a date is not waited for


def _reason(error: Exception) -> str:
    return one_line(str(error)).rstrip(".") or type(error).__name__
