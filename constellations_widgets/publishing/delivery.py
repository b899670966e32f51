"""Deliver one request, for an image or a scene, exactly once.

The order of these steps is what keeps it to one record:

1. Reconcile every earlier attempt with the same body that the server may have received. Nothing is sent before that.
2. Record in the journal that the request is about to be sent (`Journal.claim`): on disk, and for this call alone,
   before any byte of the request is sent.
3. Send it, once. Only the transport beneath repeats anything: a connection that could not be made.
4. Record the outcome. A response that proves nothing, such as any 5xx, leaves it unclear; a refusal is believed once the
   server was searched.
5. If it is unclear, wait as the server asks and reconcile (`reconcile`). It is never sent again from here unless the
   user asks for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from ..api.constellations import Constellations
from ..errors import (
    ApiError,
    BusyError,
    ForbiddenError,
    NotFoundError,
    NotSentError,
    PublishError,
    SignInError,
    UnclearError,
)
from ..interface import in_terms
from ..text import format_sentence
from . import clock, reconcile
from .attempts import Attempt
from .backoff import Backoff
from .image_source import ImageSource
from .journal import ConflictingAttemptsError, EarlierAttemptsError, Journal, in_the_way
from .matching import differs_in_text_only
from .process_lock import Sender
from .reconcile import COULD_NOT_LOOK, FOUND, Reconciliation
from .verification import is_own_record

OnProgress = Callable[[str, str], Any]
"""Is called with a stage ("planning", "sending", "waiting", "looking", "published") and a sentence, in the thread that publishes."""
Sleep = Callable[[float], Any]


class WaitStoppedError(PublishError):
    """Waiting for the server was stopped on demand; nothing was sent. Raised by a `sleep` that can be stopped."""

    def __init__(self) -> None:
        super().__init__("Waiting for the server was stopped: nothing was sent.")


LONGEST_WAIT = 60.0
"""Maximum seconds that a call waits for a busy server."""
_STEP = 5.0  # seconds between two messages about a longer wait


@dataclass(frozen=True)
class Outgoing:
    """Request that makes a record, and what was known of the server before.

    Attributes
    ----------
    api_url, handle : str
        Its destination.
    url : str
        The image URL, "" for a scene.
    body : bytes
        The exact body.
    known_ids : tuple of str
        The images with this URL, or the newest scenes, that the server has already: none of them can become its record.
    source : ImageSource or None
        What the image was read from.
    """

    api_url: str
    handle: str
    url: str
    body: bytes
    known_ids: tuple[str, ...] = ()
    source: ImageSource | None = None


class Delivery:
    """Delivery of one request. Its receipt is of this attempt, or of an earlier one that turns out to have succeeded.

    Parameters
    ----------
    request : Outgoing
    client : Constellations
        Client of the same API; signed in.
    journal : Journal
    tell : callable
        Called with the progress.
    again : bool, optional
        Whether a duplicate of what is published, or may be, is wanted.
    resend : collection of str, optional
        Keys of unclear attempts that may be sent again if their record is missing after the settling time.
    sleep : callable, optional
        Function that waits; an exception in it ends the delivery before anything is sent.
    backoff : Backoff, optional
        Backoff for a busy server. If None, its error is raised and the caller retries later.
    verify : bool, optional
        Whether to read the record that the response names, to verify that it is the one that was sent. If not, the caller
        does so (`with_foreign_records`); a doubtful response is verified in any case. Default True.
    """

    def __init__(
        self,
        request: Outgoing,
        client: Constellations,
        journal: Journal,
        tell: OnProgress,
        *,
        again: bool = False,
        resend: Collection[str] = (),
        sleep: Sleep | None = None,
        backoff: Backoff | None = None,
        verify: bool = True,
    ):
        self._request, self._client, self._journal, self._on_progress = request, client, journal, tell
        self._again, self._resend, self._backoff, self._verify = again, frozenset(resend), backoff, verify
        self._sleep = sleep or clock.sleep
        self._ignored: dict[str, str] = {}  # reconciled earlier attempts: key → state

    def run(self) -> Any:
        """Deliver the request; return the receipt.

        Raises
        ------
        PublishError
            Nothing was sent: it was published before, or is being sent elsewhere, or the journal can't be used.
        UnclearError
            It was sent, now or before, and whether the server has it is not known.
        ApiError
            The server refused it, or can't be reached: it made nothing.
        """
        while True:
            began = clock.monotonic()
            try:
                return self._send_once()
            except ConflictingAttemptsError as error:
                self._resolve(error)
                continue
            except EarlierAttemptsError as error:
                earlier = error.attempts
            except BusyError as error:
                self._pause(error, began)  # it is now refused in the journal: the next round reconciles it first
                continue
            if receipt := self._look_at(earlier):
                return receipt

    def look_first(self) -> Any:
        """Reconcile earlier attempts with the same body; return the receipt of one that succeeded, or None.

        Raises the errors of `run`, but sends nothing.
        """
        request = self._request
        attempts = self._journal.same_body(request.api_url, request.handle, request.body)
        return self._look_at([attempt for attempt in attempts if attempt.state != "planned"])

    # -- earlier attempts

    def _look_at(self, earlier: list[Attempt]) -> Any:
        """Return the receipt of an earlier attempt that turns out to have succeeded; raise if one forbids sending."""
        for attempt in earlier:
            if attempt.state == "sending" or (attempt.state == "published" and not self._again):
                raise PublishError(in_the_way(attempt))
        for attempt in earlier:
            if attempt.state != "published" and (receipt := self._look_for(attempt)):
                return receipt
            self._ignored[attempt.key] = attempt.state
        return None

    def _look_for(self, attempt: Attempt) -> Any:
        when = f"{attempt.planned:%Y-%m-%d %H:%M} UTC"
        self._on_progress(
            "looking", f"An attempt of {when} is {attempt.state}. Checking whether the server has the {attempt.kind}."
        )
        seen = self._reconcile(attempt)
        if seen.receipt:
            return self._found(seen)
        if attempt.was_limited and seen.outcome == COULD_NOT_LOOK and not isinstance(seen.error, BusyError):
            # A gateway that repeats requests may give this answer to one that was done.
            self._journal.doubt(attempt.key, f"{format_sentence(attempt.answer)} {seen}")
            raise unclear_error(attempt, attempt.answer, seen)
        if attempt.state == "refused":
            if seen.error is not None and not seen.unreadable:
                raise seen.error
            return None
        if not self._again and attempt.key not in self._resend:
            raise unclear_error(attempt, attempt.answer, seen)
        if reconcile.settling_left(attempt, self._journal) > 0:
            try:
                self._wait_until_settled(attempt)
            except WaitStoppedError:
                raise unclear_error(attempt, attempt.answer, seen) from None
            seen = self._reconcile(attempt)
            if seen.receipt:
                return self._found(seen)
        # A duplicate that the user asks for is stopped only if the server could not be searched at all.
        if seen.outcome == COULD_NOT_LOOK and not (self._again and seen.unreadable):
            raise unclear_error(attempt, attempt.answer, seen)
        return None

    def _resolve(self, error: ConflictingAttemptsError) -> None:
        """Ignore attempts with another body as far as the user allows it; raise `error` if one of them forbids sending.

        With `again` they are ignored; with `resend` if they are unclear and the server turns out to lack them. None is
        ignored whose placement differs.
        """
        for earlier in error.attempts:
            if not differs_in_text_only(earlier, error.new):
                raise error
            if not self._again:
                if earlier.state != "unclear" or not self._resend:
                    raise error
                self._wait_until_settled(earlier)
                seen = self._reconcile(earlier)
                if seen.receipt:
                    raise ConflictingAttemptsError([seen.attempt], error.new)
                if seen.outcome == COULD_NOT_LOOK:
                    raise error
            self._ignored[earlier.key] = earlier.state

    def _found(self, seen: Reconciliation) -> Any:
        tell_after(self._on_progress, "published", f"The earlier attempt had succeeded. {seen}")
        return seen.receipt

    def _reconcile(self, attempt: Attempt, *, patient: bool = False) -> Reconciliation:
        waits = reconcile.SETTLING_WAITS if patient else (0.0,)
        return reconcile.reconcile(attempt, self._client, self._journal, waits=waits, sleep=self._sleep)

    # -- this attempt

    def _send_once(self) -> Any:
        request, sender = self._request, Sender()
        with sender.lock:  # until this is released, however this call ends, the attempt is being sent
            attempt = self._journal.claim(
                request.api_url,
                request.handle,
                request.url,
                request.body,
                known_ids=request.known_ids,
                ignored_keys=self._ignored,
                sender=sender,
                unique=True,
                source=request.source,
            )
            try:
                return self._send(attempt)
            except (ApiError, PublishError):
                raise
            except BaseException as error:  # an interrupt, say: the request may have left
                self._journal.interrupted(attempt.key, f"Interrupted ({type(error).__name__}).")
                raise

    def _send(self, attempt: Attempt) -> Any:
        add = self._client.add_scene if attempt.kind == "scene" else self._client.add_image
        receipt: Any = None
        try:
            receipt = add(attempt.handle, attempt.body, key=attempt.key)
        except UnclearError as error:
            self._journal.unclear(attempt.key, format_sentence(error.message))
            unclear = error
        except NotSentError as error:
            self._journal.not_sent(attempt.key, str(error))
            raise
        except BusyError as error:  # the server is searched before it is sent again
            self._journal.refused(attempt.key, str(error))
            raise
        except ApiError as error:
            return self._verify_refusal(attempt, error)
        else:
            if accepted := self._accept(attempt, receipt):
                tell_after(self._on_progress, "published", f"Published as {accepted.id}.")
                return accepted
            unclear = UnclearError(
                f"the response names {attempt.kind} {receipt.id}, which is not known to be what was sent."
            )
        tell_after(
            self._on_progress,
            "looking",
            f"The outcome is unclear: {format_sentence(unclear.message)} Checking the server for the {attempt.kind}.",
        )
        try:
            if unclear.retry_after:
                self._wait(min(unclear.retry_after, LONGEST_WAIT), "The server asked to wait.")
            seen = self._reconcile(attempt, patient=True)
        except PublishError as error:  # the journal fails, or waiting was stopped: the request was sent nevertheless
            seen = Reconciliation(COULD_NOT_LOOK, attempt, str(error))
        if receipt is not None and receipt.id in seen.unreadable and not self._client.is_doubtful(receipt.id):
            # A list shows it, with the URL and the note that were sent: only its record can't be read.
            seen = Reconciliation(FOUND, self._publish(attempt, receipt) or attempt)
        if not seen.receipt:
            raise unclear_error(attempt, unclear.message, seen, unclear) from None
        tell_after(self._on_progress, "published", str(seen))
        return seen.receipt

    def _verify_refusal(self, attempt: Attempt, refusal: ApiError) -> Any:
        """Raise the server's refusal; return the receipt if it belonged to another request, and the server has the record.

        A connection that delivers a response twice answers so.
        """
        answer = str(refusal)
        self._journal.unclear(attempt.key, answer)
        seen = self._reconcile(attempt)
        if seen.receipt:
            return self._found(seen)
        could_not_look = seen.outcome == COULD_NOT_LOOK and not isinstance(seen.error, (SignInError, ForbiddenError))
        if could_not_look or (isinstance(refusal, NotFoundError) and self._has_handle()):
            raise unclear_error(attempt, answer, seen, refusal) from None
        self._journal.refused(attempt.key, answer)
        raise refusal

    def _has_handle(self) -> bool:
        """Whether the server has the handle, so that "not found" can't be its answer to this request."""
        try:
            self._client.handle(self._request.handle)
        except ApiError:
            return False
        return True

    def _accept(self, attempt: Attempt, receipt: Any) -> Any:
        """Record the receipt and return it; return None if the response turns out not to belong to this request.

        On a connection that delivers a response twice, or to another request, the record itself tells. A server that can't
        say contradicts nothing, unless the response is doubtful.
        """
        id = receipt.id
        is_doubtful = id in attempt.known_ids or self._client.is_doubtful(id)
        verdict = is_own_record(attempt, id, self._client) if is_doubtful or self._verify else True
        if verdict is False or (is_doubtful and verdict is None):
            self._journal.unclear(
                attempt.key, f"The response named {attempt.kind} {id}, which is not known to be what was sent."
            )
            return None
        now = self._publish(attempt, receipt)
        recorded = receipt if now is None or now.confirms(receipt) else now.receipt
        if recorded is None and is_own_record(attempt, id, self._client):
            # It belonged to another attempt, whose response was not its own.
            now = self._publish(attempt, receipt, verified=True)
            recorded = receipt if now is None else now.receipt
        return recorded

    def _publish(self, attempt: Attempt, receipt: Any, *, verified: bool = False) -> Attempt | None:
        own_url = f"/{attempt.kind}/{receipt.id}"
        return self._journal.published(attempt.key, receipt.id, own_url, receipt.created, verified=verified)

    # -- waiting

    def _pause(self, error: BusyError, began: float) -> None:
        """Wait as the server asks; raise `error` if that is not worthwhile, or is left to the caller."""
        seconds = self._backoff.ask(began, error.retry_after) if self._backoff is not None else None
        if seconds is None:
            raise error
        self._wait(seconds, f"The server asked to wait ({error.message}).")

    def _wait_until_settled(self, attempt: Attempt) -> None:
        if (left := reconcile.settling_left(attempt, self._journal)) > 0:
            self._wait(left, f"The server may still be processing the {attempt.kind}.")

    def _wait(self, seconds: float, why: str) -> None:
        end = clock.monotonic() + seconds
        while (left := end - clock.monotonic()) > 0:
            tell_after(self._on_progress, "waiting", f"{why} Waiting {left:.0f} s, then checking the server.")
            self._sleep(min(left, _STEP))


def find_published(
    request: Outgoing,
    client: Constellations,
    journal: Journal,
    tell: OnProgress,
    *,
    sleep: Sleep | None = None,
    send_again: Callable[[frozenset[str]], Any] | None = None,
) -> Any:
    """Return the receipt of what was sent with this body, now or before, by any program; send only by `send_again`.

    If no receipt is known yet, `send_again` is called (if given) with the keys of the unclear attempts, which may be
    sent again if the server does not have them.

    Raises UnclearError if it was not found, or the server could not be searched; PublishError if it is being sent
    elsewhere now, or was abandoned meanwhile.
    """
    attempts = journal.same_body(request.api_url, request.handle, request.body)
    if attempts and attempts[0].receipt:  # the newest only: an older one may be of an image that the server has lost
        return attempts[0].receipt
    if send_again is not None:
        return send_again(frozenset(attempt.key for attempt in attempts if attempt.state == "unclear"))
    looking = [attempt for attempt in attempts if attempt.state in ("sending", "unclear")]
    if found := Delivery(request, client, journal, tell, sleep=sleep)._look_at(looking):
        return found
    raise PublishError(
        "Nothing was sent now. The unclear attempt was abandoned meanwhile: publish the image again if the server does not have it."
    )


def unclear_error(attempt: Attempt, answer: str, seen: Reconciliation, cause: ApiError | None = None) -> UnclearError:
    """Return the error for an attempt whose record was not found, or could not be searched for."""
    done = "published" if attempt.kind == "image" else "made"
    how = (
        " Publishing it again checks the server and sends nothing. With {} it waits until "
        f"{reconcile.SETTLING_TIME:.0f} s have passed, checks the server, and sends it if the server still does not have it. {{}} lists "
        "this attempt."
    )
    ways = in_terms(
        how.format("again=True", "history()"), how.format("--resend-unclear", "constellations-widgets history"), ""
    )
    error = UnclearError(
        f"Whether the {attempt.kind} was {done} is not known: {format_sentence(answer)} {seen}{ways}",
        url=cause.url if cause else "",
        status=cause.status if cause else None,
    )
    error.message = f"{format_sentence(answer)} {seen}"
    return error


def tell_after(tell: Callable[..., Any], *what: Any) -> None:
    """Call a listener. An error in it must not hide the outcome of a request, or stop a batch."""
    try:
        tell(*what)
    except Exception as error:  # noqa: BLE001
        warnings.warn(f"A progress callback failed: {type(error).__name__}: {error}", stacklevel=3)


def tell_nobody(stage: str, message: str) -> None:
    """Ignore progress."""
