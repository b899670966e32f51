"""Send requests to an API, and turn every failure into an error of this package.

What went wrong decides what may be done next, so each failure is one of these:

* it provably never left this machine: `NotSentError`;
* the server refused it: a `StatusError`, with what it said as one line of plain text;
* a read got no answer: `NoAnswerError`, or an answer that this API never gives: `BadAnswerError`;
* a write left, and nothing trustworthy came back, or a 5xx: `UnclearError`.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from .. import errors
from ..auth.credentials import Credentials, SignedIn, check_private
from ..http import (
    NEVER_SENT,
    URL,
    BaseTransport,
    BodyError,
    Deadline,
    HTTPError,
    Response,
    TimeoutException,
    check_api_url,
    hide_frames,
    new_client,
    new_transport,
    proxy_for,
    read,
    send,
)
from ..text import one_line
from .plaintext import format_error, schema_faults
from .retries import Retrier, Retries

ANSWER_LIMIT = 16 * 1024 * 1024
"""Maximum bytes of a response that are read."""
LONGEST_TIMEOUT = 86_400
"""Longest allowed timeout in seconds."""

Outcome = TypeVar("Outcome")
Error = TypeVar("Error", bound=errors.ApiError)
Model = TypeVar("Model", bound=BaseModel)

_REFUSALS: dict[int, tuple[type[errors.StatusError], str]] = {
    400: (errors.InvalidError, ""),
    401: (errors.SignInError, "Sign in again: the token may have expired, or belong to another server."),
    403: (errors.ForbiddenError, "Sign in with the account that owns it, or ask its owner."),
    404: (errors.NotFoundError, "Check the spelling: capital letters matter."),
    413: (errors.TooLargeError, "The server takes 100 kB in one request: shorten the credits or the texts."),
    415: (errors.InvalidError, ""),
    429: (errors.BusyError, "Try again later."),
    503: (errors.BusyError, "Try again later."),
}
_LOOK_FIRST = "Whether the server did it is not known: check before sending it again."


@dataclass(frozen=True)
class Call:
    """One request, and how messages refer to it."""

    what: str
    """Description of the operation, for messages: "add an image to the handle 'me'"."""
    method: str
    path: str
    """Path from the API's root, percent-encoded."""
    body: bytes | None = None
    writes: bool = False
    """Whether it changes something at the server."""


class Transport:
    """Connection to one API: kept open, shared by all threads.

    Parameters
    ----------
    api_url : str
        Root of the API, http or https.
    credentials : Credentials, optional
        Added to every request of this API, and to none other: redirects are not followed.
    timeout : float, optional
        Seconds to wait for the next bytes of an answer. A whole request may take twice as long, and no request is
        repeated later than that. Default 30.
    transport : BaseTransport, optional
        Takes the place of the network, for tests.
    retries : Retries, optional
        How often and after how long reads are repeated. Writes never are.
    advice : mapping of int to str, optional
        What to do about a status, in the place of our own words.
    token_check : Call, optional
        A cheap read, for an API that answers 401 also to a write that the token does not allow: the token counts as
        rejected only if this read is answered with 401 too.
    """

    def __init__(
        self,
        api_url: str,
        credentials: Credentials | None = None,
        *,
        timeout: float = 30.0,
        transport: BaseTransport | None = None,
        retries: Retries | None = None,
        advice: Mapping[int, str] | None = None,
        token_check: Call | None = None,
    ):
        self.api_url = check_api_url(api_url)
        if not isinstance(timeout, int | float) or not 0 < timeout <= LONGEST_TIMEOUT:
            raise errors.NotSentError(f"timeout is {timeout!r}: give seconds above 0, at most {LONGEST_TIMEOUT:,}.")
        self._url = URL(self.api_url)
        self._url_of = functools.lru_cache(64)(self._join)  # many requests of a batch have the same address
        if credentials is not None:
            check_private(self._url)
        self.credentials = credentials
        self.clock_offset = 0.0
        """Seconds by which the server's clock is ahead of this machine's, by its latest response."""
        self._date: str | None = None
        self.patience = 2 * timeout
        """Time limit of a whole request, in seconds."""
        self._advice, self._token_check = advice or {}, token_check
        self._retrier = Retrier(retries or Retries(), within=self.patience)
        self._connections = transport or new_transport()
        self._client = new_client(self._connections, timeout, SignedIn(credentials) if credentials else None)

    def close(self) -> None:
        """Close the connections. The next request opens new ones."""
        self._connections.close()

    def perform(self, call: Call, attempt: Callable[[], Outcome | errors.ApiError]) -> Outcome:
        """Return what `attempt` returns; raise the error that it returns. A read is retried after a passing failure."""
        outcome = self._retrier.send(attempt, writes=call.writes)
        check = self._token_check if call.writes else None
        if check is not None and isinstance(outcome, errors.SignInError) and outcome.status == 401:
            outcome = self._after_401(call, attempt, outcome, check)
        if isinstance(outcome, errors.ApiError):
            raise outcome
        return outcome

    def wait_for(self, error: errors.BusyError, tries: int) -> bool:
        """Wait as long as the server asked for; return False if that is not worthwhile after so many tries."""
        return self._retrier.wait_for(error, tries)

    def _after_401(
        self, call: Call, attempt: Callable[[], Outcome | errors.ApiError], refusal: errors.SignInError, check: Call
    ) -> Outcome | errors.ApiError:
        before = self.credentials.header(self._url) if self.credentials else ""
        try:
            self.json(check)
        except errors.SignInError:
            return refusal
        except errors.ApiError as error:
            cause = (
                f"the server says {refusal.message!r} (status 401), and the token could not be checked: {error.message}"
            )
            return self._error(errors.StatusError, call, cause, "Try again later.", 401)
        if self.credentials and self.credentials.header(self._url) != before:  # the read has renewed it
            return attempt()
        cause = f"the server says {refusal.message!r} (status 401), but accepts the token"
        return self._error(errors.ForbiddenError, call, cause, self._advice.get(403, _REFUSALS[403][1]), 401)

    @contextlib.contextmanager
    def open(
        self,
        call: Call,
        *,
        content: Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: Deadline | None = None,
    ) -> Iterator[Response]:
        """Send a request once; its response is closed at the end of the block.

        Parameters
        ----------
        content : iterable of bytes, optional
            The body, in the place of the call's. It is read again where a rejected token was renewed.
        headers : mapping of str to str, optional
            Those of the body.
        deadline : Deadline, optional
            By default the whole request may take `patience` seconds.

        Raises
        ------
        HTTPError
            If no response came.
        ApiError
            If the request can't be signed.
        """
        if headers is None:
            headers = {} if call.body is None else {"Content-Type": "application/json"}
        request = self._client.build_request(
            call.method,
            self._url_of(call.path),
            headers=headers,
            content=call.body if content is None else content,
            extensions={
                "deadline": deadline or Deadline(self.patience),
                "may_renew": not (call.writes and self._token_check),
            },
        )
        response = send(self._client, request)
        try:
            self._set_clock(response.headers.get("Date"))
            yield response
        finally:
            response.close()

    @hide_frames
    def content(self, response: Response, limit: int = ANSWER_LIMIT) -> bytes:
        """Return the body of a response, with the token hidden. Raises HTTPError and BodyError as `http.read`."""
        content = read(response, limit)
        return self.credentials.hide_in(content) if self.credentials else content

    def json(self, call: Call) -> dict[str, Any]:
        """Send a call; return its response, a JSON object that says ``"error": false``."""
        content = self._send(call)
        try:
            answer, kind = json.loads(content), "a JSON object"
        except (ValueError, RecursionError):
            answer, kind = None, "JSON"
        if not isinstance(answer, dict):
            raise self.bad_answer(call, f"is not {kind}: {self._shown(content)!r}")
        if answer.get("error"):
            raise self.bad_answer(call, f"reports an error: {self._shown(content)!r}")
        return answer

    def text(self, call: Call) -> str:
        """Send a call; return its response as text."""
        try:
            return self._send(call).decode()
        except UnicodeDecodeError:
            raise self.bad_answer(call, "is not text") from None

    def typed(self, model: type[Model], call: Call, content: Any, whole: str = "content") -> Model:
        """Return a part of a response as a model; the error names the field that is not right, or the `whole`."""
        try:
            return model.model_validate(content)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(map(str, fault["loc"])) or whole
            raise self.bad_answer(call, f"has an unusable {field!r} ({fault['msg']})") from None

    def bad_answer(self, call: Call, fault: str, status: int | None = 200) -> errors.ApiError:
        """Return the error for a response that can't be trusted. After a write, its outcome is unclear."""
        cause = f"the response of {self.api_url} {fault}"
        if call.writes:
            return self._error(errors.UnclearError, call, cause, _LOOK_FIRST, status)
        advice = "Is this the address of the API?"
        return self._error(errors.BadAnswerError, call, cause, advice, status)

    def unmade(self, call: Call, fields: list[str], check: str) -> errors.BadAnswerError:
        """Return the error for a success after which `fields` are not what was requested; `check` is the call that tells whether the account may."""
        cause = f"the server reported success, but did not change {', '.join(fields)}"
        return self._error(errors.BadAnswerError, call, cause, f"May this account edit it (`{check}`)?", 200)

    def _send(self, call: Call) -> bytes:
        return self.perform(call, lambda: self._send_once(call))

    def _send_once(self, call: Call) -> bytes | errors.ApiError:
        # The errors are raised outside of the except blocks: a notebook then shows our few lines instead of those of the
        # network, and the traceback keeps no request with its headers.
        try:
            with self.open(call) as response:
                return self.content(response) if response.status_code == 200 else self.refused(call, response)
        except BodyError as error:
            return self.bad_answer(call, str(error))
        except errors.ApiError as error:
            return error.with_traceback(None)
        except HTTPError as error:
            return self.not_answered(call, error)

    def _join(self, path: str) -> URL:
        """Return the address of a path from the API's root."""
        return self._url.copy_with(raw_path=self._url.raw_path.rstrip(b"/") + path.encode("ascii"))

    def _set_clock(self, date: str | None) -> None:
        if date != self._date and (moment := _moment(date)):
            self.clock_offset = (moment - datetime.now(UTC)).total_seconds()
            self._date = date

    def not_answered(self, call: Call, error: HTTPError) -> errors.ApiError:
        """Return the error for a request without a complete response."""
        reason = one_line(str(error)).rstrip(".") or type(error).__name__
        if isinstance(error, NEVER_SENT):
            cause = f"{self.api_url} can't be reached: {reason}"
            return self._not_sent(call, cause, "Check the address and the network.")
        slow = isinstance(error, TimeoutException)
        cause = (
            f"{self.api_url} did not respond in time" if slow else f"the connection to {self.api_url} broke: {reason}"
        )
        if call.writes:
            return self._error(errors.UnclearError, call, cause, _LOOK_FIRST)
        return self._error(errors.NoAnswerError, call, cause, "Try again.")

    def refused(self, call: Call, response: Response) -> errors.ApiError:
        """Return the error for a response with another status than that of success."""
        content, status = b"", response.status_code
        with contextlib.suppress(HTTPError, BodyError):  # the status alone says what happened
            content = self.content(response)
        message = self._shown(content) or response.reason_phrase
        cause = f"the server says {message!r} (status {status})"
        retry_after = _retry_after(response.headers.get("Retry-After"))
        if 300 <= status < 400:
            return self._redirected(call, response)
        if status == 407 and (proxy := proxy_for(self._url)):
            cause = f"the proxy {proxy.url} says {message!r} (status 407)"
            advice = "Put name and password into the proxy's address: http://name:password@host:port."
            return self._not_sent(call, cause, advice, status)
        # A 5xx or a 408, of a gateway or of the server itself, can come after the work was done.
        if call.writes and (status < 300 or status == 408 or status >= 500):
            unclear = self._error(errors.UnclearError, call, cause, _LOOK_FIRST, status)
            unclear.retry_after = retry_after
            return unclear
        if status < 300:
            return self.bad_answer(call, f"has the status {status}", status)
        if status == 408:
            return self._error(errors.NoAnswerError, call, cause, "Try again.", status)
        general = errors.ServerError if status >= 500 else errors.StatusError
        kind, advice = _REFUSALS.get(status, (general, "Try again later." if status >= 500 else ""))
        advice = self._advice.get(status, advice)
        if retry_after is not None and issubclass(kind, errors.BusyError):
            advice = f"Try again in {retry_after:.0f} seconds."
        error = self._error(kind, call, cause, advice, status)
        error.message = message
        if isinstance(error, errors.BusyError):
            error.retry_after = retry_after
        return error

    def _redirected(self, call: Call, response: Response) -> errors.ApiError:
        status, location = response.status_code, response.headers.get("Location", "").encode()
        target = one_line((self.credentials.hide_in(location) if self.credentials else location).decode())
        cause = f"{self.api_url} redirects to {target!r} (status {status}); redirects are not followed"
        if call.writes and status not in (301, 307, 308):  # the others may stand for “done, see there”
            return self._error(errors.UnclearError, call, cause, _LOOK_FIRST, status)
        return self._error(errors.BadAnswerError, call, cause, "Use the API's own address.", status)

    def _not_sent(self, call: Call, cause: str, advice: str, status: int | None = None) -> errors.NotSentError:
        # A reading may follow a request whose outcome is not known, of which the words would be false.
        words = "Nothing was sent. " if call.writes else ""
        return self._error(errors.NotSentError, call, cause, f"{words}{advice}", status)

    def _error(self, kind: type[Error], call: Call, cause: str, advice: str, status: int | None = None) -> Error:
        error = kind(f"Could not {call.what}: {cause}. {advice}".rstrip(), url=self.api_url + call.path, status=status)
        error.message = cause
        return error

    def _shown(self, content: bytes) -> str:
        """Return the server's message as one line."""
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        message = answer.get("message") if isinstance(answer, dict) else None
        return one_line(schema_faults(message)) if isinstance(message, str) else format_error(content)


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which holds seconds or a date."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    moment = _moment(value)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else None


def _moment(date: str | None) -> datetime | None:
    """Parse an HTTP date; return None if it is invalid."""
    try:
        moment = parsedate_to_datetime(date or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
