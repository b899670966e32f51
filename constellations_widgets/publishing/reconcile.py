"""Settling unclear attempts: look at the server, then decide. Nothing is ever sent from here."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from ..api.constellations import Constellations
from ..errors import ApiError, PublishError
from ..schema.records import ImageRecord, ImageSummary
from ..schema.scenes import SceneRecord, SceneSummary
from .attempts import Attempt, History
from .given import require_client
from .journal import Journal, default_journal

OnProgress = Callable[[Attempt, int, int], Any]

THREADS = 16
"""Looks at the server beside each other."""

CLOCK_MARGIN = 120.0
"""Seconds by which the server's clock may differ from what we believe of it."""
SETTLING_WAITS = (0.0, 0.5, 1.5, 3.0)
"""Seconds to wait before each look, for a server that is still at work."""


SETTLED_AFTER = timedelta(minutes=1)
"""How old an unclear attempt must be for one look to be enough: no server is still at work on it."""
_NOT_SHOWN = "The server does not show it so far."
_SEVERAL = "Several new"


def unsettled(journal: Journal | None = None) -> list[Attempt]:
    """The attempts of which nobody knows whether they made an image (or a scene), oldest first.

    A timeout leaves one, or a kernel that was killed.

    Parameters
    ----------
    journal : Journal, optional
        By default that of the user's state directory.
    """
    return (journal or default_journal()).unsettled()


def settle(
    attempt: Attempt,
    client: Constellations,
    journal: Journal | None = None,
    *,
    waits: Sequence[float] = (0.0,),
    sleep: Callable[[float], Any] = time.sleep,
) -> Attempt:
    """Look whether the server has the image, or the scene, of an unclear attempt. Sends nothing that changes anything.

    Parameters
    ----------
    attempt : Attempt
        From `unsettled` or `history`.
    client : Constellations
        A client of the same API.
    journal : Journal, optional
        Where the attempt is written down. By default the journal of the user's state directory.
    waits : sequence of float, optional
        Seconds to wait before each look. By default one look, at once.

    Returns
    -------
    Attempt
        As it stands now: in state "published", with a receipt, if exactly one at the server is its; else unclear as before.
        That none was found does not prove that none will appear: a slow server may still be at work.

    Raises
    ------
    PublishError
        If the client is of another API.
    ApiError
        If the server can't be looked at.
    """
    journal = journal or default_journal()
    if client.api_url != attempt.api_url:
        raise PublishError(
            f"This attempt went to {attempt.api_url}, the client is one of {client.api_url}: use one of the same API."
        )
    current = journal.attempt(attempt.key)
    if current is None or current.state != "unclear":
        return current or attempt
    look = _scenes_of if current.kind == "scene" else _images_of
    found: list[ImageRecord] | list[SceneRecord] = []
    for wait in waits:
        if wait:
            sleep(wait)
        found = look(current, client, journal.image_ids(current.api_url))
        if found:
            break
    if len(found) == 1:
        rel_url = f"/{current.kind}/{found[0].id}"
        journal.published(current.key, found[0].id, rel_url, found[0].creation_date)
    elif found:
        ids = ", ".join(each.id for each in found)
        journal.unclear(current.key, f"{_SEVERAL} {current.kind}s could be this one: {ids}.")
    return journal.attempt(current.key) or current


def left_open(client: Constellations, journal: Journal | None = None) -> list[Attempt]:
    """The attempts at the client's API of which nobody knows whether they succeeded, oldest first; see `unsettled`."""
    return [attempt for attempt in unsettled(journal) if attempt.api_url == client.api_url]


def is_recent(attempt: Attempt) -> bool:
    """Whether a server may still be at work on it."""
    return attempt.sent is None or datetime.now(UTC) - attempt.sent < SETTLED_AFTER


def settle_all(
    client: Constellations,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
    *,
    forget: bool = False,
) -> History:
    """Look, once for each, what became of everything that was left unclear at this API. Sends nothing.

    A kernel that was killed while it published leaves such attempts, and so does a timeout. What was sent less than a
    minute ago may still appear after the look.

    Parameters
    ----------
    client : Constellations
        Signed in, since scenes, and images without an image URL, are listed for their owner alone.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called as ``on_progress(attempt, done, total)`` after each look, one call at a time, from other threads.
    forget : bool, optional
        Whether what the server does not show, more than a minute after it was sent, counts as refused from now on: nobody
        is asked about it any more. Default False.

    Returns
    -------
    History
        The attempts as they stand now: "published" with a receipt where the server has it; "unclear" where it does not
        show it, or can't be looked at, which `answer` says.

    Raises
    ------
    ApiError
        If nothing could be looked at.
    JournalError
        If the journal can't be used.
    """
    require_client("settle_all", client)
    journal = journal or default_journal()
    left = left_open(client, journal)
    errors: list[ApiError] = []
    done, telling = itertools.count(1), threading.Lock()

    def look(attempt: Attempt) -> Attempt:
        try:
            seen = settle(attempt, client, journal)
        except ApiError as error:
            errors.append(error)
            seen = replace(attempt, answer=f"{attempt.answer} It could not be looked at now: {error}".strip())
        else:
            if seen.state == "unclear" and not seen.answer.startswith(_SEVERAL):
                seen = replace(seen, answer=f"{seen.answer} {_NOT_SHOWN}".strip())
                if forget and not is_recent(seen):
                    journal.refused(seen.key, seen.answer)
                    seen = journal.attempt(seen.key) or seen
        with telling:
            if on_progress is not None:
                on_progress(seen, next(done), len(left))
        return seen

    with ThreadPoolExecutor(THREADS, "constellations-settle") as pool:
        settled = History(pool.map(look, left), looked=True)
    if errors and len(errors) == len(left):
        raise errors[0]
    return settled


def _scenes_of(attempt: Attempt, client: Constellations, taken: set[str]) -> list[SceneRecord]:
    """The server's scenes that can only be the one of this attempt: new since then, and the same as what was sent."""
    others = taken.union(attempt.known_ids)
    new = [
        scene
        for scene in client.handle_scenes(attempt.handle)
        if scene.id not in others and _is_later(scene, attempt, client)
    ]
    return [record for record in map(client.scene, (scene.id for scene in new)) if record.is_made_of(attempt.request)]


def _images_of(attempt: Attempt, client: Constellations, taken: set[str]) -> list[ImageRecord]:
    """The server's images that can only be those of this attempt: new since then, and the same as what was sent."""
    others = taken.union(attempt.known_ids)
    listed = [image for image in _listed(attempt, client) if image.id not in others and image.note == attempt.note]
    records = (client.image(image.id) for image in listed if _is_later(image, attempt, client))
    return [record for record in records if _is_same(record, attempt)]


def _listed(attempt: Attempt, client: Constellations) -> Iterator[ImageSummary]:
    if attempt.url:
        return iter(client.find_images(attempt.url))
    pages = client.handle_images(attempt.handle)  # newest first
    return (image for page in takewhile(lambda page: _is_later(page[0], attempt, client), pages) for image in page)


def _is_later(image: ImageSummary | SceneSummary, attempt: Attempt, client: Constellations) -> bool:
    """Whether the image or scene was made after the attempt was sent, by the server's clock."""
    if image.creation_date is None or attempt.sent is None:
        return True
    return image.creation_date >= attempt.sent + timedelta(seconds=client.clock_offset - CLOCK_MARGIN)


def _is_same(record: ImageRecord, attempt: Attempt) -> bool:
    """Whether a record is what was sent. Credits are left out: the server writes them in its own way."""
    sent = attempt.request
    kept, permissions = record.wwt.model_dump(), sent.get("permissions", {})
    return (
        record.handle.handle == attempt.handle
        and (record.storage.legacy_url_template or "") == attempt.url
        and all(kept.get(field) == value for field, value in sent.get("wwt", {}).items())
        and record.permissions.copyright == permissions.get("copyright", "")
        and record.permissions.license == permissions.get("license", "")
    )
