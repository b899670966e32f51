"""Reconcile unclear attempts with the server: find out whether it has what was sent. Nothing is ever sent from here.

A record belongs to an attempt if its whole content is what was sent (`matching`), if it was not listed before the
attempt, and if it belongs to no other attempt of the journal. Clocks decide nothing: they only order several such
records.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .. import runtime
from ..api.constellations import Constellations
from ..errors import ApiError, PublishError
from ..schema.records import ImageRecord, ImageSummary
from ..schema.scenes import SceneRecord, SceneSummary
from . import clock
from ._arguments import require_client
from .attempts import Attempt, History
from .journal import Journal, default_journal
from .matching import is_record_of, is_summary_of

OnProgress = Callable[[Attempt, int, int], Any]

THREADS = 16
"""Number of attempts that are searched for in parallel."""

SETTLING_WAITS = (0.0, 0.5, 1.5, 3.0)
"""Seconds to wait before each search, for a server that is still processing the request."""
SETTLING_TIME = 60.0
"""Seconds after which a request is processed, and its record listed. Before that nothing is sent again."""

FOUND, SEVERAL, NOT_FOUND, COULD_NOT_LOOK = "found", "several", "not found", "could not look"


@dataclass(frozen=True)
class Reconciliation:
    """Result of reconciling an attempt.

    Attributes
    ----------
    outcome : str
        "found"; "several": the server has more than one record of it, the oldest is the receipt and the others are its
        duplicates; "not found"; "could not look": the server could not be reached, or a candidate record could not be
        read.
    attempt : Attempt
        Its current state: published if the outcome is "found" or "several".
    reason : str
        Why the server could not be searched.
    unreadable : tuple of str
        Candidate records that could not be read. If empty, the list itself could not be read.
    error : ApiError or None
        The failure behind "could not look".
    """

    outcome: str
    attempt: Attempt
    reason: str = ""
    unreadable: tuple[str, ...] = ()
    error: ApiError | None = None

    @property
    def receipt(self) -> Any:
        """The receipt of the record that was found, else None."""
        return self.attempt.receipt

    def __str__(self) -> str:
        kind = self.attempt.kind
        if self.receipt:
            return f"The server has the {kind}: {self.receipt.id}. {self.attempt.answer}".rstrip()
        if self.outcome == COULD_NOT_LOOK:
            return f"Could not check whether the server has the {kind}: {self.reason}"
        return f"The {kind} was not found at the server; it may still appear."


def reconcile(
    attempt: Attempt,
    client: Constellations,
    journal: Journal | None = None,
    *,
    waits: Sequence[float] = (0.0,),
    sleep: Callable[[float], Any] | None = None,
) -> Reconciliation:
    """Search the server for the image, or the scene, of an attempt, and record the result.

    That it was not found does not prove that it will not appear: a slow server may still be processing it.

    Parameters
    ----------
    attempt : Attempt
        From `unsettled` or `history`; unclear, or refused.
    client : Constellations
        A client of the same API.
    journal : Journal, optional
        Where the attempt is recorded. By default the journal of the user's state directory.
    waits : sequence of float, optional
        Seconds to wait before each search. By default one search, at once.
    sleep : callable, optional
        Function that waits; an exception in it ends the search.

    Raises
    ------
    PublishError
        If the client is of another API.
    JournalError
        If the journal can't be used.
    """
    journal = journal or default_journal()
    if client.api_url != attempt.api_url:
        raise PublishError(
            f"This attempt went to {attempt.api_url}, the client is one of {client.api_url}: use one of the same API."
        )
    seen = Reconciliation(NOT_FOUND, attempt)
    for wait in waits:
        if wait:
            (sleep or clock.sleep)(wait)
        current = journal.attempt(attempt.key) or attempt
        if current.state not in ("unclear", "refused"):
            return Reconciliation(_outcome_of(current), current)
        seen = _look(current, client, journal)
        if seen.outcome in (FOUND, SEVERAL):
            break
    return seen


def settling_left(attempt: Attempt, journal: Journal) -> float:
    """Return the seconds until the server must have processed this attempt, if it ever will."""
    return max(0.0, SETTLING_TIME - journal.seconds_unclear(attempt.key))


def unsettled(journal: Journal | None = None) -> list[Attempt]:
    """Return the attempts of which it is unknown whether they made an image (or a scene), oldest first.

    A timeout or a killed kernel leaves such attempts.

    Parameters
    ----------
    journal : Journal, optional
        By default that of the user's state directory.
    """
    return (journal or default_journal()).unsettled()


def pending_attempts(client: Constellations, journal: Journal | None = None) -> list[Attempt]:
    """Return the unclear attempts at the client's API, oldest first; see `unsettled`."""
    return [attempt for attempt in unsettled(journal) if attempt.api_url == client.api_url]


def settle_all(
    client: Constellations,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
    *,
    forget: bool = False,
) -> History:
    """Reconcile all unclear attempts at this API, with one search for each. Sends nothing.

    A kernel that was killed while it published leaves such attempts, and so does a timeout. A request sent less than a
    minute ago may still appear after the search.

    Parameters
    ----------
    client : Constellations
        Signed in, since scenes, and images without an image URL, are listed for their owner only.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called as ``on_progress(attempt, done, total)`` after each search, one call at a time, from other threads.
    forget : bool, optional
        Whether an attempt that the server does not show, more than a minute after it was sent, counts as refused from
        now on, and is not searched for again. Default False.

    Returns
    -------
    History
        The attempts in their current state: "published" with a receipt if the server has it; "unclear" if it was not
        found or the server could not be searched, as `answer` says.

    Raises
    ------
    ApiError
        If nothing could be searched for.
    JournalError
        If the journal can't be used.

    Examples
    --------
    >>> cxw.settle_all(client)
    """
    require_client("settle_all", client)
    journal = journal or default_journal()
    left = pending_attempts(client, journal)
    done, telling = itertools.count(1), threading.Lock()

    def look(attempt: Attempt) -> tuple[Attempt, ApiError | None]:
        seen = reconcile(attempt, client, journal)
        now = seen.attempt
        if seen.outcome not in (FOUND, SEVERAL):
            if forget and seen.outcome == NOT_FOUND and not settling_left(now, journal):
                journal.refused(now.key, f"{now.answer} {seen}".strip())
                now = journal.attempt(now.key) or now
            else:
                now = replace(now, answer=f"{now.answer} {seen}".strip())
        with telling:
            if on_progress is not None:
                on_progress(now, next(done), len(left))
        return now, seen.error if not seen.unreadable else None

    with runtime.new_pool(THREADS, "settle") as pool:
        looked = list(pool.map(look, left))
    errors = [error for _, error in looked if error is not None]
    if errors and len(errors) == len(left):
        raise errors[0]
    return History((attempt for attempt, _ in looked), looked=True)


def _look(attempt: Attempt, client: Constellations, journal: Journal) -> Reconciliation:
    """Search for the attempt's record once."""
    others = journal.image_ids(attempt.api_url).union(attempt.known_ids)
    read = client.scene if attempt.kind == "scene" else client.image
    matches: list[ImageRecord | SceneRecord] = []
    unreadable: dict[str, ApiError] = {}
    try:
        for each in _listed(attempt, client):
            if each.id in others:
                continue
            try:
                record = read(each.id)
            except ApiError as error:  # this record alone can't be read: it may be unrelated
                unreadable[each.id] = error
                continue
            if is_record_of(record, attempt):
                matches.append(record)
    except ApiError as error:
        return Reconciliation(COULD_NOT_LOOK, attempt, str(error), error=error)
    if matches:
        return _record(attempt, sorted(matches, key=_age), list(unreadable), journal)
    if unreadable:
        faults = "; ".join(f"{id} can't be read ({error.message.rstrip('.')})" for id, error in unreadable.items())
        reason = f"{attempt.kind} {faults}, and it could be this one."
        return Reconciliation(COULD_NOT_LOOK, attempt, reason, tuple(unreadable), next(iter(unreadable.values())))
    return Reconciliation(NOT_FOUND, attempt)


def _record(
    attempt: Attempt, matches: Sequence[ImageRecord | SceneRecord], unreadable: Sequence[str], journal: Journal
) -> Reconciliation:
    """Record the oldest match as the attempt's, the others as its duplicates, and that what can't be read may be one."""
    oldest, twins = matches[0], [each.id for each in matches[1:]]
    rel_url = f"/{attempt.kind}/{oldest.id}"
    now = journal.published(attempt.key, oldest.id, rel_url, oldest.creation_date, twins, unreadable=unreadable)
    if now is None:  # the journal could not record it, and has reported that: the record exists nevertheless
        now = replace(
            attempt,
            state="published",
            settled=oldest.creation_date or clock.now(),
            image_id=oldest.id,
            rel_url=rel_url,
            duplicates=tuple(twins),
        )
    return Reconciliation(_outcome_of(now), now)


def _outcome_of(attempt: Attempt) -> str:
    if attempt.receipt is None:
        return NOT_FOUND
    return SEVERAL if attempt.duplicates else FOUND


def _age(record: ImageRecord | SceneRecord) -> tuple[datetime, str]:
    return record.creation_date or datetime.max.replace(tzinfo=UTC) - timedelta(days=1), record.id


def _listed(attempt: Attempt, client: Constellations) -> Iterator[ImageSummary | SceneSummary]:
    """Yield the listed records that could be the attempt's."""
    if attempt.kind == "scene":
        yield from _listed_scenes(attempt, client)
        return
    if attempt.url:
        images: Iterable[ImageSummary] = client.find_images(attempt.url)
    else:
        images = itertools.chain.from_iterable(client.handle_images(attempt.handle))
    for image in images:
        if is_summary_of(image.note, attempt) and (image.storage.legacy_url_template or "") == attempt.url:
            yield image


def _listed_scenes(attempt: Attempt, client: Constellations) -> Iterator[SceneSummary]:
    """Yield the handle's scenes, newest first, up to the page with one that existed before the attempt."""
    for page in itertools.count():
        scenes = client.handle_scenes(attempt.handle, page)
        yield from scenes
        if not scenes or not attempt.known_ids or any(scene.id in attempt.known_ids for scene in scenes):
            return
