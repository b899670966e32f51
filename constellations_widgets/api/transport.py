"""Sends requests, and turns everything that can go wrong into our own errors.

What went wrong decides what may be done next, so each failure is one of these:

* it provably never left this machine: `NotSentError`;
* the server said no: a `StatusError`, with what it said as one line of plain text;
* a read got no answer: `NoAnswerError`, or an answer that this API never gives: `BadAnswerError`;
* a write left, and nothing trustworthy came back: `UnclearError`.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from .. import errors
from .by_httpx import ByHttpx, network, proxy_for
from .connections import Answer, Connections
from .credentials import Credentials, check_private
from .plaintext import one_line, schema_faults, words_of
from .retries import Retrier, Retries

ANSWER_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer that are read at most."""
LONGEST_TIMEOUT = 86_400
"""Seconds of the longest timeout that can be asked for."""
CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection, also for a free one of our own."""

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
NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_LOOK_FIRST = "Whether the server did it is not known: look before sending it again."


@dataclass(frozen=True)
class Call:
    """One request, and how to speak of it."""

    what: str
    """What is attempted, for messages: "add an image to the handle 'me'"."""
    method: str
    path: str
    """Percent-encoded, from the API's root."""
    body: bytes | None = None
    writes: bool = False
    """Whether it changes something at the server."""


class Transport:
    """The connection to one API: kept open, shared by all threads.

    Parameters
    ----------
    api_url : str
        Root of the API, http or https.
    credentials : Credentials, optional
        Added to every request of this API, and to none other: redirects are not followed.
    timeout : float, optional
        Seconds to wait for the next bytes of an answer. A whole request may take twice as long, and no request is
        repeated later than that. Default 30.
    transport : httpx.BaseTransport, optional
        Takes the place of the network, for tests.
    retries : Retries, optional
        How often and after how long requests are repeated.
    advice : mapping of int to str, optional
        What to do about a status, in the place of our own words.
    """

    def __init__(
        self,
        api_url: str,
        credentials: Credentials | None = None,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        retries: Retries | None = None,
        advice: Mapping[int, str] | None = None,
    ):
        self.api_url = check_api_url(api_url)
        if not isinstance(timeout, int | float) or not 0 < timeout <= LONGEST_TIMEOUT:
            raise errors.NotSentError(f"timeout is {timeout!r}: give seconds above 0, at most {LONGEST_TIMEOUT:,}.")
        self._url = httpx.URL(self.api_url)
        self._path = self._url.raw_path.decode("ascii").rstrip("/")
        if credentials is not None:
            check_private(self._url)
        self.credentials = credentials
        self.clock_offset = 0.0
        """Seconds that the server's clock is ahead of ours, as told by its latest answer."""
        self._date: str | None = None
        self._timeout = timeout
        self._given_transport = transport
        self._advice = advice or {}
        self._retrier = Retrier(retries or Retries(), within=2 * timeout)
        self._way: Connections | ByHttpx | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections. The next request opens new ones."""
        with self._lock:
            way, self._way = self._way, None
        if way is not None:
            way.close()

    def json(self, call: Call) -> dict[str, Any]:
        """The answer to `call`, a JSON object that says ``"error": false``."""
        status, content = self._send(call)
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self.bad_answer(call, f"is not JSON: {self._shown(content)!r}", status)
        if answer.get("error"):
            raise self.bad_answer(call, f"reports an error: {self._shown(content)!r}", status)
        return answer

    def text(self, call: Call) -> str:
        """The answer to `call`, as text."""
        status, content = self._send(call)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise self.bad_answer(call, "is not text", status) from None

    def bad_answer(self, call: Call, fault: str, status: int | None = 200) -> errors.ApiError:
        """The error for an answer that can't be trusted: after a write, nobody knows what was done."""
        said = f"the answer of {self.api_url} {fault}"
        if call.writes:
            return self._error(errors.UnclearError, call, said, _LOOK_FIRST, status)
        advice = "Is this the address of the API?"
        return self._error(errors.BadAnswerError, call, said, advice, status)

    def unmade(self, call: Call, fields: list[str]) -> errors.BadAnswerError:
        """The error for a yes after which `fields` are not what was asked for."""
        said = f"the server says yes, but did not change {', '.join(fields)}"
        return self._error(errors.BadAnswerError, call, said, "May this account edit it (`may_edit`)?", 200)

    def _send(self, call: Call) -> tuple[int, bytes]:
        outcome = self._retrier.send(lambda: self._send_once(call), writes=call.writes)
        if isinstance(outcome, errors.ApiError):
            raise outcome
        return outcome

    def _send_once(self, call: Call) -> tuple[int, bytes] | errors.ApiError:
        # The errors are raised outside of the except blocks: a notebook then shows our few lines instead of those of the
        # network, and the traceback keeps no request with its headers.
        try:
            answer = self._answer(call)
        except errors.SignInError as error:
            return error.with_traceback(None)
        except httpx.HTTPError as error:
            return self.not_answered(call, error)
        answer.content = self._hide(answer.content)
        if answer.status != 200:
            return self.refused(call, answer)  # the status alone says what happened
        if isinstance(answer.fault, httpx.HTTPError):
            return self.not_answered(call, answer.fault)
        if answer.fault is not None:
            return self.bad_answer(call, str(answer.fault))
        return answer.status, answer.content

    def _answer(self, call: Call) -> Answer:
        """The answer to the request. Where the token was refused, nothing was done: it is sent again with another one."""
        token = self.credentials.header(self._url) if self.credentials else None
        answer = self._exchange(call, token)
        if answer.status == 401 and token and self.credentials.renew(token):
            answer = self._exchange(call, self.credentials.header(self._url))
        return answer

    def _exchange(self, call: Call, token: str | None) -> Answer:
        headers = [("User-Agent", _user_agent()), ("Accept", "*/*"), ("Accept-Encoding", "identity")]
        if call.body is not None:
            headers.append(("Content-Type", "application/json"))
        if token is not None:
            headers.append(("Authorization", token))
        way = self._way or self._new_way()
        answer = way.send(call.method, self._path + call.path, headers, call.body)
        self._set_clock(answer.headers.get("date"))
        return answer

    def _new_way(self) -> Connections | ByHttpx:
        connect = min(CONNECT_TIMEOUT, self._timeout)
        seconds = {"connect_timeout": connect, "timeout": self._timeout, "within": 2 * self._timeout}
        limits = {**seconds, "limit": ANSWER_LIMIT}
        with self._lock:
            if self._way is None:
                transport = self._given_transport or (network(self._url) if proxy_for(self._url) else None)
                self._way = ByHttpx(self._url, transport, **limits) if transport else Connections(self._url, **limits)
            return self._way

    def _set_clock(self, date: str | None) -> None:
        if date != self._date and (moment := _moment(date)):
            self.clock_offset = (moment - datetime.now(UTC)).total_seconds()
            self._date = date

    def not_answered(self, call: Call, error: httpx.HTTPError) -> errors.ApiError:
        """The error for a request to which no whole answer came."""
        reason = one_line(str(error)).rstrip(".") or type(error).__name__
        if isinstance(error, NEVER_LEFT):
            said = f"{self.api_url} can't be reached: {reason}"
            return self._error(errors.NotSentError, call, said, "Nothing was sent. Check the address and the network.")
        slow = isinstance(error, httpx.TimeoutException)
        said = f"{self.api_url} gave no answer in time" if slow else f"the connection to {self.api_url} broke: {reason}"
        if call.writes:
            return self._error(errors.UnclearError, call, said, _LOOK_FIRST)
        return self._error(errors.NoAnswerError, call, said, "Try again.")

    def refused(self, call: Call, answer: Answer) -> errors.ApiError:
        """The error for an answer whose status is not the one that says yes."""
        status = answer.status
        message = self._shown(answer.content) or answer.reason
        said = f"the server says {message!r} (status {status})"
        retry_after = _retry_after(answer.headers.get("retry-after"))
        if 300 <= status < 400:
            return self._redirected(call, answer)
        # Behind a proxy, a 5xx or a 408 can come after the server has done the work. Only a 503 that names a time is a
        # plain "not now".
        not_now = status == 503 and retry_after is not None
        unsure = status < 300 or status == 408 or (status >= 500 and not not_now)
        if call.writes and unsure:
            return self._error(errors.UnclearError, call, said, _LOOK_FIRST, status)
        if status < 300:
            return self.bad_answer(call, f"has the status {status}", status)
        if status == 408:
            return self._error(errors.NoAnswerError, call, said, "Try again.", status)
        general = errors.ServerError if status >= 500 else errors.StatusError
        kind, advice = _REFUSALS.get(status, (general, "Try again later." if status >= 500 else ""))
        advice = self._advice.get(status, advice)
        if retry_after is not None and issubclass(kind, errors.BusyError):
            advice = f"Try again in {retry_after:.0f} seconds."
        error = self._error(kind, call, said, advice, status)
        error.message = message
        if isinstance(error, errors.BusyError):
            error.retry_after = retry_after
        return error

    def _redirected(self, call: Call, answer: Answer) -> errors.ApiError:
        target = one_line(self._hide(answer.headers.get("location", "").encode()).decode())
        said = f"{self.api_url} sends us to {target!r} (status {answer.status}); redirects are not followed"
        if call.writes and answer.status not in (301, 307, 308):  # the others may stand for “done, see there”
            return self._error(errors.UnclearError, call, said, _LOOK_FIRST, answer.status)
        return self._error(errors.BadAnswerError, call, said, "Use the API's own address.", answer.status)

    def _error(self, kind: type[errors.ApiError], call: Call, said: str, advice: str, status: int | None = None) -> Any:
        error = kind(f"Could not {call.what}: {said}. {advice}".rstrip(), url=self.api_url + call.path, status=status)
        error.message = said
        return error

    def _shown(self, content: bytes) -> str:
        """What the server said, as one line."""
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        said = answer.get("message") if isinstance(answer, dict) else None
        return one_line(schema_faults(said)) if isinstance(said, str) else words_of(content)

    def _hide(self, content: bytes) -> bytes:
        return self.credentials.hide_in(content) if self.credentials else content


def check_api_url(api_url: str) -> str:
    """`api_url` without a slash at its end.

    Raises
    ------
    NotSentError
        If it can't be the root of an API: not http(s), no host, or with a name and password, a query or a fragment in
        it.
    """
    shown = one_line(str(api_url).rpartition("@")[2])  # whatever stands before an "@" may be a password
    try:
        url = httpx.URL(api_url)
    except (httpx.InvalidURL, TypeError):
        raise errors.NotSentError(f"{shown!r} is not a web address. Give the API's root, such as https://…") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise errors.NotSentError(f"{shown!r} is not the address of an API: it must begin with https:// or http://.")
    if url.userinfo:
        raise errors.NotSentError(
            f"The API's address holds a name or password before {shown!r}. Remove it and pass auth=…."
        )
    if url.query or url.fragment or "?" in api_url or "#" in api_url:
        raise errors.NotSentError(
            f"The API's address {shown!r} must end with its path: remove everything from “?” or “#” on."
        )
    return str(url).rstrip("/")


@functools.cache
def _user_agent() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"constellations_widgets/{version('constellations_widgets')}"
    except PackageNotFoundError:
        return "constellations_widgets"


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    moment = _moment(value)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else None


def _moment(date: str | None) -> datetime | None:
    """The time of an HTTP date, None where it is none."""
    try:
        moment = parsedate_to_datetime(date or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
