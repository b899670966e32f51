"""Publish many drafts in one call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..api.constellations import Constellations
from .batch import Batch, OnProgress
from .journal import Journal
from .plan import Plan, plan

if TYPE_CHECKING:
    from ..draft import ImageDraft


def publish_all(
    drafts: Iterable[ImageDraft],
    client: Constellations,
    handle: str,
    *,
    threads: int = 32,
    anyway: bool = False,
    probe: bool = True,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> Batch:
    """Publish many drafts, each exactly once. They can be neither corrected nor deleted afterwards.

    After an interrupt or a crash, the same call continues: published images are not sent again, and unclear attempts
    are reconciled first.

    Parameters
    ----------
    drafts : iterable of ImageDraft
        The images.
    client : Constellations
        Client of the API to publish to; signed in.
    handle : str
        Handle to publish under; the account must own it.
    threads : int, optional
        Number of images sent at the same time, 1 to 32. Default 32.
    anyway : bool, optional
        Whether to publish also drafts that the plan leaves to a decision, because of warnings, because another handle has
        the same image, or because the file was published before under another address. Images that were published before, or may have been, are not sent again. Default False.
    probe : bool, optional
        Whether the plan requests each draft's first tile and thumbnail from the web. Default True.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called as ``on_progress(batch, row)``, one call at a time, from other threads; `row` is None if the batch's
        `message` changed. It may call ``batch.stop()``.

    Returns
    -------
    Batch
        With a row for each draft: its state, reason and receipt. Continue with `Batch.retry_failed`,
        `Batch.resend_unclear` and `Batch.export`.

    Raises
    ------
    JournalError
        If the journal can't be written: nothing is sent without it. `history` holds what was published before that.
    SignInError, BusyError, NotSentError
        If the server rejects the token, asks for too long a pause, or can't be reached. The rest was not sent; the same
        call continues.
    PublishError, ApiError
        If no plan can be made: nothing was sent.

    Examples
    --------
    >>> cxw.publish_all(drafts, client, handle, anyway=True)
    """
    steps = plan(drafts, client, handle, journal=journal, probe=probe)
    return publish_plan(steps, client, threads=threads, anyway=anyway, journal=journal, on_progress=on_progress)


def publish_plan(
    plan: Plan,
    client: Constellations,
    *,
    threads: int = 32,
    anyway: bool = False,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> Batch:
    """Publish exactly what a plan holds, each draft exactly once; parameters and errors are those of `publish_all`."""
    batch = Batch(plan, client, threads=threads, anyway=anyway, journal=journal, on_progress=on_progress)
    batch.start()
    batch.wait_or_stop()
    if batch.error is not None:
        batch.error.add_note(f"{batch!r} To continue, publish the same drafts again: published images are skipped.")
        raise batch.error
    return batch
