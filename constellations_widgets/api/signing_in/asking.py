"""One question over the network that holds secrets, which no error and no traceback shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from ...errors import ApiError, NoAnswerError, NotSentError
from ..credentials import check_private
from ..deadline import deadline
from ..plaintext import one_line
from ..transport import network

_TIMEOUT = 15.0  # seconds to wait for the next bytes; a whole answer may take twice as long
_ANSWER_LIMIT = 1024 * 1024
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def ask(
    method: str,
    address: str,
    *,
    form: Mapping[str, str] | None = None,
    content: Mapping[str, str] | None = None,
    secrets: Iterable[str] = (),
    transport: httpx.BaseTransport | None = None,
) -> tuple[int, dict[str, Any] | None]:
    """The status and the JSON object of an answer, None if it is none.

    Parameters
    ----------
    form, content : mapping, optional
        What to send, as a form or as JSON.
    secrets : iterable of str, optional
        What to hide in the answer, should it be an error that repeats what was sent.
    transport : httpx.BaseTransport, optional
        Takes the place of the network, for tests.

    Raises
    ------
    SignInError
        If `address` is plain http to another machine.
    NotSentError, NoAnswerError
        If there is no answer.
    """
    check_private(httpx.URL(address))
    fault: httpx.HTTPError | None = None
    status, said = 0, b""
    try:
        with deadline(2 * _TIMEOUT), _client(address, transport) as client:
            status, said = _read(client.build_request(method, address, data=form, json=content), client)
    except httpx.HTTPError as error:
        fault = error
    form = content = None  # tracebacks can show local variables
    if fault is not None:  # raised out here, so that a traceback keeps no request with what was sent
        raise _unanswered(address, fault)
    if status >= 300:
        for secret in secrets:
            said = said.replace(secret.encode(), b"[hidden]")
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        answer = None
    return status, answer if isinstance(answer, dict) else None


def _client(address: str, transport: httpx.BaseTransport | None) -> httpx.Client:
    return httpx.Client(
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=_TIMEOUT,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        transport=transport or network(address),
        trust_env=False,
    )


def _read(request: httpx.Request, client: httpx.Client) -> tuple[int, bytes]:
    response = client.send(request, stream=True)
    try:
        said = b""
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":  # not asked for
            return response.status_code, said
        for part in response.iter_bytes():
            said += part
            if len(said) > _ANSWER_LIMIT:
                return response.status_code, b"too long"
        return response.status_code, said
    finally:
        response.close()


def _unanswered(address: str, fault: httpx.HTTPError) -> ApiError:
    reason = one_line(str(fault)).rstrip(".") or type(fault).__name__
    if isinstance(fault, _UNSENT):
        return NotSentError(
            f"Could not sign in: {address} can't be reached: {reason}. Check the address and the network.", url=address
        )
    return NoAnswerError(f"Could not sign in: {address} gave no answer: {reason}. Try again.", url=address)
