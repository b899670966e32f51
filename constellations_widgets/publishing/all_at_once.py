"""Many drafts in one call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..api.constellations import Constellations
from .batch import Batch, OnProgress
from .journal import Journal
from .plan import plan

if TYPE_CHECKING:
    from ..draft import ImageDraft


def publish_all(
    drafts: Iterable[ImageDraft],
    client: Constellations,
    handle: str,
    *,
    threads: int = 16,
    anyway: bool = False,
    probe: bool = True,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> Batch:
    """Publish many drafts, each exactly once. They can be neither corrected nor deleted afterwards.

    Stopped or killed on the way, the same call goes on where it stopped: what is published already is not sent again,
    and what may have been is looked for first.

    Parameters
    ----------
    drafts : iterable of ImageDraft
        The images.
    client : Constellations
        Where to; signed in.
    handle : str
        Under which handle; the account must own it.
    threads : int, optional
        How many images are sent at the same time, 1 to 32. Default 16.
    anyway : bool, optional
        Whether those are published too of which the plan says that somebody has to decide: because of warnings, or
        since another handle has the same image. Default False.
    probe : bool, optional
        Whether the plan asks the web for each draft's first tile and thumbnail. Default True.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called as ``on_progress(batch, row)``, one call at a time, from other threads; `row` is None where the batch's
        `message` changed. ``batch.stop()`` may be called there.

    Returns
    -------
    Batch
        With a row for each draft: its state, reason and receipt. `Batch.retry_failed`, `Batch.resend_unclear` and
        `Batch.export` go on from there.

    Raises
    ------
    JournalError
        The journal can't be written: nothing was sent without it. What was published before that is in `history`.
    SignInError, BusyError, NotSentError
        The server does not believe the token any more, asks for too long a pause, or can't be reached. The rest was
        not sent; the same call goes on.
    PublishError, ApiError
        No plan can be made: nothing was sent.
    """
    steps = plan(drafts, client, handle, journal=journal, probe=probe)
    batch = Batch(steps, client, threads=threads, anyway=anyway, journal=journal, on_progress=on_progress)
    batch.start()
    try:
        while not batch.wait(0.2):  # an interrupt does not end a longer wait on every system
            pass
    except BaseException:
        batch.stop()
        batch.wait()
        raise
    if batch.error is not None:
        batch.error.add_note(f"{batch!r} Publish the same drafts again to go on: what was published is known.")
        raise batch.error
    return batch
