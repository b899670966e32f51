"""Requests of the Images API whose bodies do not fit into memory: files on their way to the server and back."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx

from ... import errors
from ..by_httpx import network
from ..connections import Answer
from ..deadline import deadline
from ..retries import Retrier, Retries
from ..transport import CONNECT_TIMEOUT, NEVER_LEFT, Call, Transport
from .file_body import Broken, FileBody

Taken = TypeVar("Taken")

_ANSWER_LIMIT = 64 * 1024  # bytes of an answer that says yes or no


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
                until.close()  # that of an answer which refused the token
                yield from body.parts()
                until.enter_context(deadline(2 * self._timeout))  # the answer does not take for ever

            try:
                with self._answer(call, content=parts, headers=body.headers) as response:
                    return self._said(call, response)
            except Broken as error:
                return self._cut_short(call, str(error))
            except errors.ApiError as error:
                return error.with_traceback(None)  # which passes by the token
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
        except errors.ApiError as error:
            return error.with_traceback(None)  # which passes by the token
        except httpx.HTTPError as error:
            return self._transport.not_answered(call, error)

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
        except httpx.HTTPError as error:
            return self._transport.not_answered(call, error)
        except (ValueError, RecursionError):
            answer = None
        return answer if isinstance(answer, dict) else self._transport.bad_answer(call, "is no JSON object", 201)

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
        answer = Answer(response.status_code, response.reason_phrase, dict(response.headers))
        with contextlib.suppress(httpx.HTTPError), deadline(2 * self._timeout):  # the status alone says what happened
            answer.content = self._content(response)
        return self._transport.refused(call, answer)

    def _not_sent(self, call: Call, error: httpx.HTTPError, body: FileBody) -> errors.ApiError:
        if body.is_whole or isinstance(error, NEVER_LEFT):
            return self._transport.not_answered(call, error)
        return self._cut_short(call, f"the connection to {self._transport.api_url} broke ({error})")

    def _cut_short(self, call: Call, said: str) -> errors.NotSentError:
        url = self._transport.api_url + call.path
        advice = "The file did not leave whole, so nothing was added. Try again."
        return errors.NotSentError(f"Could not {call.what}: {said}. {advice}", url=url)
