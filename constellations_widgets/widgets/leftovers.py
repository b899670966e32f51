"""What earlier sessions left open: offered when a widget is shown, looked for on demand. Nothing is ever sent."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from ..errors import ConstellationsError, JournalError
from ..publishing import Attempt, Journal, left_open, settle_all
from ..publishing.journal import default_journal

if TYPE_CHECKING:
    from ..api import Constellations

NO_LEFTOVERS: dict[str, Any] = {"phase": "none", "count": 0, "done": 0, "items": [], "message": ""}
_MOST_ITEMS = 50  # that are named


class Leftovers:
    """The attempts at one API of which nobody knows whether they succeeded, for a widget that can publish there.

    A page shows what `show` is told with the component ``js/shared/leftovers.tsx``, and asks for `look` and `forget`.

    Parameters
    ----------
    client : Constellations
        Of that API.
    show : callable
        Is told the state, a dict for JSON: ``phase`` is "none", "offer", "looking" or "done". Called from other threads.
    settled : callable, optional
        Is told the attempts that were looked at, as they stand then.
    journal : Journal, optional
        By default that of the user's state directory.
    passed_over : collection of str, optional
        Image URLs of attempts that are not worth an offer, since the widget looks for them anyway.
    """

    def __init__(
        self,
        client: Constellations,
        show: Callable[[dict[str, Any]], Any],
        settled: Callable[[Iterable[Attempt]], Any] = lambda _attempts: None,
        journal: Journal | None = None,
        passed_over: Collection[str] = (),
    ):
        self._client, self._show, self._settled = client, show, settled
        self._journal, self._passed_over = journal, passed_over
        self._busy = threading.Lock()

    def find(self) -> None:
        """Offer to look, if there is anything to look for. Reads the journal in a thread of its own."""
        self._work(self._offer)

    def look(self) -> None:
        """Look at the server, in a thread of its own."""
        self._work(self._look)

    def forget(self) -> None:
        """Look once more, and ask no more about what the server does not show."""
        self._work(functools.partial(self._look, forget=True))

    def _work(self, job: Callable[[Journal], None]) -> None:
        def run(journal: Journal) -> None:
            with self._busy:
                job(journal)

        if not self._busy.locked():
            # Whoever publishes is told what the journal lacks.
            with contextlib.suppress(JournalError):
                threading.Thread(
                    target=run, args=(self._journal or default_journal(),), name="constellations-leftovers", daemon=True
                ).start()

    def _offer(self, journal: Journal, message: str = "") -> None:
        with contextlib.suppress(JournalError):
            left = left_open(self._client, journal)
            if left := [attempt for attempt in left if attempt.url not in self._passed_over]:
                self._tell("offer", left, message=message)

    def _look(self, journal: Journal, forget: bool = False) -> None:
        def tell(_attempt: Attempt | None, done: int, total: int) -> None:
            self._show({**NO_LEFTOVERS, "phase": "looking", "count": total, "done": done})

        try:
            tell(None, 0, len(left_open(self._client, journal)))
            settled = settle_all(self._client, journal, tell, forget=forget)
        except ConstellationsError as error:
            self._offer(journal, str(error))
            return
        self._settled(settled)
        self._tell("done", settled, done=len(settled))

    def _tell(self, phase: str, attempts: list[Attempt], **more: Any) -> None:
        items = [_item(attempt) for attempt in attempts[:_MOST_ITEMS]]
        self._show({**NO_LEFTOVERS, "phase": phase, "count": len(attempts), "items": items, **more})


def _item(attempt: Attempt) -> dict[str, str]:
    receipt = attempt.receipt
    return {
        "kind": attempt.kind,
        "name": attempt.note[:100],
        "handle": attempt.handle,
        "when": attempt.planned.isoformat(),
        "state": attempt.state,
        "id": receipt.id if receipt else "",
        "url": receipt.record_url if receipt else "",
        "answer": attempt.answer[:500],
    }
