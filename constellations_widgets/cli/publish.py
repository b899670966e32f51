"""Publish images, and show what was published."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..publishing import Attempt, Batch, Plan, Step, publish_plan
from ..publishing import history as attempts
from ..publishing import plan as make_plan
from ..publishing.rows import receipts_path
from ..widgets.batch.folder import drafts_from
from .accounts import client as signed_in
from .checking import drafts_of
from .output import confirm, has_terminal, print_error, print_json, progress_bar

if TYPE_CHECKING:
    from ..draft import ImageDraft

_DONE = ("published", "skipped")


def publish(
    files: Sequence[str],
    handle: str,
    api_url: str | None,
    *,
    yes: bool,
    anyway: bool,
    resend_unclear: bool,
    probe: bool,
    metadata: Path | None,
    receipts: Path | None,
    as_json: bool,
) -> int:
    """Show the plan, ask, publish, print the outcome; return 1 unless all images are published."""
    if receipts is not None:
        receipts = receipts_path(receipts)  # before anything is published
    drafts = _described(files, metadata) if metadata is not None else [draft for _, draft in drafts_of(files)]
    with signed_in(api_url) as client:
        with progress_bar("Planning", len(drafts)) as tell:
            plan = make_plan(drafts, client, handle, probe=probe, on_progress=lambda what, n, of: tell(n, of, what))
        print(plan, file=sys.stderr if as_json else sys.stdout, flush=True)
        if not _agreed(plan, anyway=anyway, resend_unclear=resend_unclear, yes=yes):
            return 1
        with progress_bar("Publishing", len(plan)) as tell:

            def show(batch: Batch, _row: object) -> None:
                done = sum(row.state in _DONE for row in batch.rows)
                tell(done, len(batch.rows), batch.message)

            try:
                batch = publish_plan(plan, client, anyway=anyway, on_progress=show)
                if resend_unclear:
                    batch.resend_unclear()
                    batch.wait_or_stop()
            except KeyboardInterrupt:
                print_error("Stopped. Run the same command again to continue: what was published is not sent again.")
                raise
    _report(batch, as_json=as_json)
    if receipts is not None:
        batch.export(receipts)
    if any(row.state == "undecided" for row in batch.rows):
        print_error(
            "Some images need a decision and were not sent: read the reasons, then add --anyway to publish them."
        )
    if any(row.state == "unclear" for row in batch.rows):
        print_error("Whether some images were published is not known: run the command again with --resend-unclear.")
    return int(any(row.state not in _DONE for row in batch.rows))


def _described(files: Sequence[str], metadata: Path) -> list[ImageDraft]:
    """Return the drafts of the files, or of one folder, with the values of a table; print what does not fit."""
    drafts = drafts_from(files[0] if len(files) == 1 else files, metadata=metadata)
    print(drafts, file=sys.stderr, flush=True)
    return drafts


def _may_be_sent(step: Step, *, anyway: bool, resend_unclear: bool) -> bool:
    """Return whether the command may send this image: each of them needs the user's yes."""
    if step.decision == "decide":
        return anyway or (resend_unclear and any(attempt.state == "unclear" for attempt in step.earlier))
    return step.decision == "publish"


def _agreed(plan: Plan, *, anyway: bool, resend_unclear: bool, yes: bool) -> bool:
    """Return whether to go on: nothing is asked if nothing can be sent."""
    wanted = sum(_may_be_sent(step, anyway=anyway, resend_unclear=resend_unclear) for step in plan)
    if not wanted or yes:
        return True
    if not has_terminal():
        print_error("error: Nothing was sent. There is no terminal to ask at: read the plan, then add --yes.")
        return False
    images = f"{wanted} image{'s' * (wanted != 1)}"
    if confirm(f"Publish {images}? They can be neither corrected nor deleted."):
        return True
    print_error("Nothing was sent.")
    return False


def _report(batch: Batch, *, as_json: bool) -> None:
    if as_json:
        print_json([row.as_json() for row in batch.rows])
        return
    for row in batch.rows:
        record = row.receipt.record_url if row.receipt else ""
        print("  ".join(filter(None, (f"{row.state}: {row.name}", record, row.reason))))


def history(limit: int, *, as_json: bool) -> int:
    """Print the newest attempts of this machine."""
    found = attempts(limit)
    if as_json:
        print_json([_as_dict(attempt) for attempt in found])
    else:
        print(found)
    return 0


def _as_dict(attempt: Attempt) -> dict[str, Any]:
    receipt = attempt.receipt
    names = ("key", "kind", "state", "note", "handle", "api_url", "url", "planned", "sent", "settled", "answer")
    return {name: getattr(attempt, name) for name in names} | {
        "id": attempt.image_id,
        "record": receipt.record_url if receipt else None,
    }
