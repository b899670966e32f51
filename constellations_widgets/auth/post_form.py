"""Exchange one request and response that carry secrets, which no error and no traceback shows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..errors import ApiError, NoAnswerError, NotSentError
from ..http import (
    NEVER_SENT,
    URL,
    BaseTransport,
    BodyError,
    Client,
    Deadline,
    HTTPError,
    Request,
    hide_frames,
    new_client,
    new_transport,
    read,
    send,
)
from ..text import one_line
from .credentials import Secret, check_private

_TIMEOUT = 15.0  # seconds to wait for the next bytes; a whole answer may take twice as long
_ANSWER_LIMIT = 1024 * 1024


JsonResponse = tuple[int, dict[str, Any] | None]
"""Status of a response, and its JSON object; None if it has none."""


@hide_frames
def post_form(
    address: str,
    form: Mapping[str, str],
    *,
    transport: BaseTransport | None = None,
    what: str = "Could not sign in",
) -> JsonResponse:
    """Post a form; return the response's status and JSON object.

    Parameters
    ----------
    address : str
        Where to send it.
    form : mapping of str to str
        Fields. Each `Secret` in it is hidden in an error response that repeats what was sent.
    transport : BaseTransport, optional
        Replaces the network, for tests.
    what : str, optional
        Beginning of an error's message.

    Raises
    ------
    SignInError
        If `address` is plain http to another machine.
    NotSentError, NoAnswerError
        If there is no response.
    """
    return _exchange("POST", address, form, "data", transport, what)


@hide_frames
def post_json(address: str, content: Mapping[str, str]) -> JsonResponse:
    """Post `content` as JSON; see `post_form`."""
    return _exchange("POST", address, content, "json")


@hide_frames
def get_json(address: str, *, transport: BaseTransport | None = None) -> JsonResponse:
    """Request `address`; see `post_form`."""
    return _exchange("GET", address, {}, "params", transport)


def _exchange(
    method: str,
    address: str,
    fields: Mapping[str, str],
    sent_as: str,
    transport: BaseTransport | None = None,
    what: str = "Could not sign in",
) -> JsonResponse:
    check_private(URL(address))
    fault: HTTPError | None = None
    status, content = 0, b""
    # Tracebacks can show local variables, those of the caller included: it passes texts of type Secret.
    secrets = [value for value in fields.values() if isinstance(value, Secret)]
    with new_client(transport or new_transport(), _TIMEOUT) as client:
        headers, extensions = {"Accept": "application/json"}, {"deadline": Deadline(2 * _TIMEOUT)}
        body: dict[str, Any] = {sent_as: fields} if fields else {}
        request = client.build_request(method, address, headers=headers, extensions=extensions, **body)
        fields = body = {}
        try:
            status, content = _send(client, request)
        except HTTPError as error:
            fault = error
    if fault is not None:  # raised out here, so that a traceback keeps no request with what was sent
        raise _unanswered(address, fault, what)
    if status >= 300:
        for secret in secrets:
            content = content.replace(secret.encode(), b"[hidden]")
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    return status, _hidden(answer) if isinstance(answer, dict) else None


def _hidden(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a response in which tokens and codes are of type Secret, whatever variable holds them from here on."""
    is_secret = re.compile("token$|^device_code$").search
    return {
        name: Secret(value) if isinstance(value, str) and is_secret(name) else value for name, value in answer.items()
    }


def _send(client: Client, request: Request) -> tuple[int, bytes]:
    response = send(client, request)
    try:
        return response.status_code, read(response, _ANSWER_LIMIT)
    except BodyError:
        return response.status_code, b""
    finally:
        response.close()


def _unanswered(address: str, fault: HTTPError, what: str) -> ApiError:
    reason = one_line(str(fault)).rstrip(".") or type(fault).__name__
    if isinstance(fault, NEVER_SENT):
        return NotSentError(
            f"{what}: {address} can't be reached: {reason}. Check the address and the network.", url=address
        )
    return NoAnswerError(f"{what}: {address} did not respond: {reason}. Try again.", url=address)
