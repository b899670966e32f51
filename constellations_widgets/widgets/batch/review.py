"""What a plan of many images says, in short: so many of each kind, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ...publishing import Batch
from ...publishing.plan import BLOCKED, DECIDE, PUBLISH, SKIP
from ...publishing.rows import PUBLISHED, WAITING, Row

LOOK, BEFORE = "look", "before"
_SHOWN = 6  # reasons of each kind


def review_of(batch: Batch, ticket: str) -> dict[str, Any]:
    """The plan as its page shows it; `ticket` goes back with the confirmation."""
    kinds: dict[str, list[Row]] = {kind: [] for kind in (PUBLISH, LOOK, DECIDE, BEFORE, SKIP, BLOCKED)}
    for row in batch.rows:
        kinds[_kind_of(row)].append(row)
    return {
        "ticket": ticket,
        "ready": sum(row.state == WAITING for row in batch.rows),
        "kinds": [{"kind": kind, "count": len(rows), **_why(rows)} for kind, rows in kinds.items() if rows],
    }


def _kind_of(row: Row) -> str:
    if row.state == PUBLISHED:
        return BEFORE
    return LOOK if row.look_first else row.step.decision


def _why(rows: Iterable[Row]) -> dict[str, Any]:
    """The most frequent reasons, with how many rows have each and the name of one, and how many more reasons there are."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for row in rows:
        if row.step.decision == PUBLISH:
            continue
        for reason in row.step.reasons:
            counts[reason] += 1
            examples.setdefault(reason, row.name)
    shown = [
        {"reason": reason[:500], "count": n, "name": examples[reason][:100]} for reason, n in counts.most_common(_SHOWN)
    ]
    return {"reasons": shown, "more": len(counts) - len(shown)}
