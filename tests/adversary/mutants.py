"""Faults put into the package on purpose: the simulator must find each of them.

`SEAMS` names everything of the package that they replace. One that is gone makes every test of its mutants fail: then the fault
has to be put in at another place, not left out.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .corpus import SCENARIOS
from .scenario import Scenario, generate

PACKAGE = "constellations_widgets"
SEAMS = {
    "add image": "api.image_calls:ImageCalls.add_image",
    "add scene": "api.scene_calls:SceneCalls.add_scene",
    "plan": "publishing.plan:plan",
    "placement": "publishing.matching:same_placement",
    "placement sent": "publishing.matching:same_placement_sent",
    "publish planned": "publishing.submit:publish_planned",
    "match": "publishing.matching:is_record_of",
    "listed": "publishing.reconcile:_listed",
    "look": "publishing.reconcile:_look",
    "age": "publishing.reconcile:_age",
    "settling": "publishing.reconcile:SETTLING_TIME",
    "look at the end": "publishing.batch:END_WAITS",
    "accept": "publishing.delivery:Delivery._accept",
    "own record": "publishing.verification:is_own_record",
    "verify": "publishing.batch:Batch._verify",
    "conflicts": "publishing.queries:conflicts",
    "about journal": "publishing.plan:_about_journal",
    "claim": "publishing.journal:Journal.claim",
    "refused": "publishing.journal:Journal.refused",
    "unclear": "publishing.journal:Journal.unclear",
    "interrupted": "publishing.journal:Journal.interrupted",
    "is alive": "publishing.process_lock:ProcessLock.is_alive",
    "is active": "publishing.process_lock:Sender.is_active",
    "is in place": "publishing.process_lock:ProcessLock.is_in_place",
    "was removed": "publishing.database:Database._require_same_file",
}


class GoneError(Exception):
    """What a mutant wants to replace is not there any more."""


def found(seam: str) -> Any:
    """Return what a seam names. Raises GoneError if there is nothing."""
    holder, name = _place(seam)
    return vars(holder)[name]


def _place(seam: str) -> tuple[Any, str]:
    module, _, path = SEAMS[seam].partition(":")
    *parts, name = path.split(".")
    try:
        holder = functools.reduce(getattr, parts, importlib.import_module(f"{PACKAGE}.{module}"))
    except (ImportError, AttributeError) as error:
        raise GoneError(f"{SEAMS[seam]} is gone ({error}): put the mutants of {seam!r} in elsewhere") from None
    if name not in vars(holder):
        raise GoneError(f"{SEAMS[seam]} is gone: put the mutants of {seam!r} in elsewhere")
    return holder, name


def put(seam: str, change: Callable[[Any], Any]) -> None:
    """Replace what a seam names by what `change` makes of it, also where other modules have imported it by name."""
    holder, name = _place(seam)
    old = vars(holder)[name]
    new = change(old)
    setattr(holder, name, new)
    for module in [it for key, it in sys.modules.items() if key.startswith(PACKAGE) and it is not None]:
        for key, value in list(vars(module).items()):
            if value is old and not isinstance(old, int | float | tuple):
                setattr(module, key, new)


@dataclass(frozen=True)
class Mutant:
    """A fault, the row of the list in ``faults/README.md`` that it is of, the seams it needs, and how it is put in."""

    row: int
    seams: tuple[str, ...]
    put_in: Callable[[], None]

    def scenarios(self, most: int) -> Iterator[Scenario]:
        """Yield what is tried: the seed that is known to find it, the scenarios of its row, then all seeds up to `most`."""
        known = FOUND_BY.get(self.put_in.__name__)
        if known is not None:
            yield generate(known)
        yield from (it for name, it in SCENARIOS.items() if name.startswith(f"{self.row}:"))
        yield from (generate(seed) for seed in range(most) if seed != known)


FOUND_BY = {
    "a_503_with_retry_after_is_repeated": 80,
    "a_429_is_repeated_without_a_look": 284,
    "a_502_says_that_nothing_was_done": 17,
    "a_broken_connection_is_one_that_was_not_made": 189,
    "twins_are_never_decided": 0,
    "the_newest_twin_is_taken": 9,
    "anyway_sends_what_is_unclear": 12,
    "sending_again_waits_for_nothing": 33,
    "matching_ignores_the_alt_text": 310,
}
"""Seeds that are known to find a mutant, which saves time: that another one does takes longer, and is no fault."""
MUTANTS: dict[str, Mutant] = {}


def mutant(row: int, *seams: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Add a function that puts a fault in to `MUTANTS`."""

    def add(put_in: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[put_in.__name__] = Mutant(row, seams, put_in)
        return put_in

    return add


def _repeats(kind: str, seconds: Callable[[Exception], float | None]) -> None:
    from constellations_widgets import errors
    from constellations_widgets.publishing import clock

    def change(add: Any) -> Any:
        def repeated(self: Any, *args: Any, **options: Any) -> Any:
            for _ in range(3):
                try:
                    return add(self, *args, **options)
                except getattr(errors, kind) as error:
                    wait = seconds(error)
                    if wait is None:
                        raise
                    clock.sleep(wait)
            return add(self, *args, **options)

        return repeated

    put("add image", change)
    put("add scene", change)


@mutant(1, "add image", "add scene")
def a_503_with_retry_after_is_repeated() -> None:
    _repeats("UnclearError", lambda error: error.retry_after if error.status == 503 else None)


@mutant(1, "add image", "add scene")
def a_429_is_repeated_without_a_look() -> None:
    _repeats("BusyError", lambda error: error.retry_after or 0.5)


@mutant(1, "add image", "add scene")
def a_502_says_that_nothing_was_done() -> None:
    from constellations_widgets.errors import ServerError, UnclearError

    def change(add: Any) -> Any:
        def believed(self: Any, *args: Any, **options: Any) -> Any:
            try:
                return add(self, *args, **options)
            except UnclearError as error:
                if error.status == 502:
                    raise ServerError(str(error), status=502) from None
                raise

        return believed

    put("add image", change)
    put("add scene", change)


@mutant(2, "add image")
def a_broken_connection_is_one_that_was_not_made() -> None:
    from constellations_widgets.errors import NotSentError, UnclearError

    def change(add: Any) -> Any:
        def believed(self: Any, *args: Any, **options: Any) -> Any:
            try:
                return add(self, *args, **options)
            except UnclearError as error:
                if "broke" in error.message or "ReadError" in error.message:
                    raise NotSentError(str(error)) from None
                raise

        return believed

    put("add image", change)


@mutant(3, "look")
def twins_are_never_decided() -> None:
    from constellations_widgets.publishing import reconcile

    def change(look: Any) -> Any:
        def undecided(attempt: Any, client: Any, journal: Any) -> Any:
            if len(list(client.find_images(attempt.url))) > 1 if attempt.url else False:
                return reconcile.Reconciliation(reconcile.NOT_FOUND, attempt)
            return look(attempt, client, journal)

        return undecided

    put("look", change)


@mutant(3, "age")
def the_newest_twin_is_taken() -> None:
    put("age", lambda age: lambda record: (-age(record)[0].timestamp(), record.id))


@mutant(4, "listed")
def records_are_filtered_by_clocks() -> None:
    def change(listed: Any) -> Any:
        def later(attempt: Any, client: Any) -> Any:
            margin = timedelta(seconds=client.clock_offset - 120.0)
            return (it for it in listed(attempt, client) if it.creation_date >= attempt.sent + margin)

        return later

    put("listed", change)


@mutant(5, "publish planned")
def anyway_sends_what_is_unclear() -> None:
    def change(publish: Any) -> Any:
        @functools.wraps(publish)
        def eager(*args: Any, **options: Any) -> Any:
            return publish(*args, **options | {"again": options.get("again", False) or options.get("anyway", False)})

        return eager

    put("publish planned", change)


@mutant(5, "settling")
def sending_again_waits_for_nothing() -> None:
    put("settling", lambda _: 0.0)


def _matching(blind_to: Callable[[Any, dict[str, Any]], Any]) -> None:
    put("match", lambda match: lambda record, attempt: match(blind_to(record, attempt.request), attempt))


@mutant(6, "match")
def matching_ignores_the_alt_text() -> None:
    def blind(record: Any, request: dict[str, Any]) -> Any:
        return record.model_copy(update={"alt_text": request.get("alt_text", "")})

    _matching(blind)


@mutant(6, "match")
def matching_ignores_the_credits() -> None:
    def blind(record: Any, request: dict[str, Any]) -> Any:
        if not hasattr(record, "permissions"):
            return record
        credits = request.get("permissions", {}).get("credits", "")
        return record.model_copy(update={"permissions": record.permissions.model_copy(update={"credits": credits})})

    _matching(blind)


@mutant(7, "accept")
def receipts_are_believed() -> None:
    def change(_: Any) -> Any:
        def believed(self: Any, attempt: Any, receipt: Any) -> Any:
            self._journal.published(attempt.key, receipt.id, receipt.rel_url, receipt.created)
            return receipt

        return believed

    put("accept", change)


@mutant(7, "own record")
def records_are_not_verified() -> None:
    put("own record", lambda _: lambda attempt, id, client: None)


@mutant(7, "verify")
def a_batch_does_not_verify_its_receipts() -> None:
    put("verify", lambda _: lambda self: None)


@mutant(5, "conflicts", "about journal")
def anyway_sends_another_text_beside_an_unclear_attempt() -> None:
    from constellations_widgets.publishing.plan import DECIDE, SKIP

    def change(about: Any) -> Any:
        def lenient(*args: Any) -> Any:
            for decision, reason in about(*args):
                yield DECIDE if decision == SKIP and "may have succeeded" in reason else decision, reason

        return lenient

    put("conflicts", lambda _: lambda db, new: [])
    put("about journal", change)


@mutant(5, "conflicts")
def a_plan_that_is_out_of_date_is_carried_out() -> None:
    put("conflicts", lambda _: lambda db, new: [])


@mutant(8, "is in place", "was removed")
def a_removed_journal_is_not_noticed() -> None:
    put("is in place", lambda _: property(lambda self: True))
    put("was removed", lambda _: lambda self, *args, **options: None)


@mutant(10, "look at the end")
def a_batch_does_not_look_at_its_end() -> None:
    put("look at the end", lambda _: ())


@mutant(11, "placement", "placement sent")
def another_placement_at_the_same_url_is_sent() -> None:
    put("placement", lambda _: lambda record, request: True)
    put("placement sent", lambda _: lambda one, other: True)


@mutant(16, "plan")
def a_record_that_cannot_be_read_stops_the_plan() -> None:
    def change(plan: Any) -> Any:
        @functools.wraps(plan)
        def strict(drafts: Any, client: Any, handle: str, **options: Any) -> Any:
            drafts = list(drafts)
            for draft in drafts:
                for image in client.find_images(draft.storage.legacy_url_template):
                    client.image(image.id)
            return plan(drafts, client, handle, **options)

        return strict

    put("plan", change)


@mutant(18, "interrupted", "is active")
def an_interrupt_leaves_a_row_sending() -> None:
    put("interrupted", lambda _: lambda self, *args: None)
    put("is active", lambda _: property(lambda self: True))


@mutant(18, "is alive")
def dead_processes_count_as_alive() -> None:
    put("is alive", lambda _: lambda self, name: True)


@mutant(0, "claim")
def a_claim_hinders_nobody() -> None:
    def change(claim: Any) -> Any:
        def lenient(self: Any, api_url: str, handle: str, url: str, body: bytes, **options: Any) -> Any:
            earlier = {it.key: it.state for it in self.same_body(api_url, handle, body)}
            return claim(self, api_url, handle, url, body, **options | {"ignored_keys": earlier})

        return lenient

    put("claim", change)


@mutant(1, "unclear", "refused")
def an_unclear_outcome_counts_as_refused() -> None:
    refused = found("refused")
    put("unclear", lambda _: refused)
