"""Attempts of earlier sessions with an unknown outcome: offered when a widget is shown, reconciled on demand, never sent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, Literal, cast

from ..errors import JournalError
from ..publishing import Attempt, Journal, pending_attempts, settle_all
from ..publishing.journal import default_journal
from .protocol.publishing import PendingItem, PendingState
from .worker import Job, Worker, format_error

if TYPE_CHECKING:
    from ..api import Constellations

NONE_PENDING: PendingState = {"phase": "none", "count": 0, "done": 0, "items": [], "message": ""}
_MOST_ITEMS = 50  # that are named


class PendingAttempts:
    """The attempts at one API with an unknown outcome, for a widget that can publish there.

    A page shows the state with ``js/shared/pending_attempts.tsx``, and calls `reconcile` and `abandon`.

    Parameters
    ----------
    client : Constellations
        Client of that API.
    show : callable
        Called from other threads with the state, a dict for JSON: ``phase`` is "none", "offer", "checking" or "done".
    on_reconciled : callable, optional
        Called with the attempts that were reconciled.
    journal : Journal, optional
        By default the one in the user's state directory.
    ignored_urls : collection of str, optional
        Image URLs whose attempts are not offered, because the widget reconciles them anyway.
    """

    def __init__(
        self,
        client: Constellations,
        show: Callable[[PendingState], object],
        on_reconciled: Callable[[Iterable[Attempt]], object] = lambda _attempts: None,
        journal: Journal | None = None,
        ignored_urls: Collection[str] = (),
    ):
        self._client, self._show, self._on_reconciled = client, show, on_reconciled
        self._journal, self._ignored_urls = journal, ignored_urls
        self.worker = Worker("pending", lambda error: self._offer(format_error(error)))

    def find(self) -> None:
        """Offer to reconcile pending attempts, if there are any."""
        self.worker.start(lambda _job: self._offer())

    def reconcile(self) -> None:
        """Ask the server about them."""
        self.worker.start(lambda job: self._reconcile(job, abandon=False))

    def abandon(self) -> None:
        """Check the server again, and abandon the attempts that it does not have."""
        self.worker.start(lambda job: self._reconcile(job, abandon=True))

    def _offer(self, message: str = "") -> None:
        found: list[Attempt] = []
        with contextlib.suppress(JournalError):  # publishing reports a journal that can't be used
            found = pending_attempts(self._client, self._journal or default_journal())
        found = [attempt for attempt in found if attempt.url not in self._ignored_urls]
        if found or message:
            self._push("offer" if found else "none", found, message=message)

    def _reconcile(self, _job: Job, *, abandon: bool) -> None:
        def on_progress(_attempt: Attempt | None, done: int, total: int) -> None:
            self._show({**NONE_PENDING, "phase": "checking", "count": total, "done": done})

        journal = self._journal or default_journal()
        on_progress(None, 0, len(pending_attempts(self._client, journal)))
        reconciled = settle_all(self._client, journal, on_progress, forget=abandon)
        self._on_reconciled(reconciled)
        self._push("done", reconciled, done=len(reconciled))

    def _push(self, phase: Any, attempts: list[Attempt], *, done: int = 0, message: str = "") -> None:
        items = [_item(attempt) for attempt in attempts[:_MOST_ITEMS]]
        self._show({"phase": phase, "count": len(attempts), "done": done, "items": items, "message": message})


def _item(attempt: Attempt) -> PendingItem:
    receipt = attempt.receipt
    return {
        "kind": cast(Literal["image", "scene"], attempt.kind),
        "name": attempt.note[:100],
        "handle": attempt.handle,
        "when": attempt.planned.isoformat(),
        "state": attempt.state,
        "id": receipt.id if receipt else "",
        "url": receipt.record_url if receipt else "",
        "answer": attempt.answer[:500],
    }
