"""The rows of a batch, and the file that says what became of them."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import SourceError
from ..schema.records import Receipt, html_link
from ..state import write_file, write_json
from .plan import BLOCKED, DECIDE, PUBLISH, SKIP, Step
from .tables import html_table

WAITING, SENDING, PUBLISHED, FAILED, UNCLEAR = "waiting", "sending", "published", "failed", "unclear"
SKIPPED, UNDECIDED = "skipped", "undecided"
STATES = (WAITING, SENDING, PUBLISHED, FAILED, UNCLEAR, UNDECIDED, SKIPPED, BLOCKED)
STATE_OF = {PUBLISH: WAITING, DECIDE: UNDECIDED, SKIP: SKIPPED, BLOCKED: BLOCKED}
"""The state in which a row begins, by the plan's decision."""

COLUMNS = ("name", "state", "id", "record", "wtml", "page", "api", "handle", "time", "url", "reason")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
"""What a spreadsheet takes for the beginning of a formula, full-width forms too."""


@dataclass(eq=False, repr=False)
class Row:
    """One draft of a batch.

    Attributes
    ----------
    step : Step
        What the plan says of it.
    state : str
        waiting: not sent so far; sending; published: `receipt`; failed: the server said no, or another program is at
        it; unclear: sent, and whether the server has it is not known; undecided, skipped, blocked: by the plan, and
        not sent.
    reason : str
        Why it is in this state, in a sentence or two.
    receipt : Receipt or None
        Of a published row.
    resend : frozenset of str
        Keys of unclear attempts that the user lets be sent anew if their image still isn't there.
    anyway : bool
        Whether somebody has decided to publish it although the plan says "decide": `Batch.decide`.
    look_first : bool
        Whether an earlier attempt is unclear: its image is looked for before anything is sent.
    """

    step: Step
    state: str
    reason: str = ""
    receipt: Receipt | None = None
    resend: frozenset[str] = frozenset()
    anyway: bool = False
    look_first: bool = False

    @property
    def name(self) -> str:
        """What people call the image."""
        return self.step.name

    def __repr__(self) -> str:
        return f"<Row {self.state}: {self.name!r}{f' ({self.reason})' if self.reason else ''}>"

    def cells(self) -> dict[str, str]:
        """The row's text of each column of an exported file, in their order."""
        made, place = self.receipt, self.step
        values: dict[str, Any] = {"name": self.name, "state": self.state, "api": place.api_url, "handle": place.handle}
        values |= {"url": place.url, "reason": self.reason}
        if made:
            values |= {"id": made.id, "record": made.record_url, "wtml": made.wtml_url, "page": made.handle_url or ""}
            values["time"] = made.created.isoformat(timespec="seconds")
        return {column: values.get(column, "") for column in COLUMNS}


def as_table(rows: Iterable[Row]) -> str:
    """The rows for a notebook."""
    heads = ("Image", "State", "Record", "WTML", "Handle", "When", "Why")
    return html_table(heads, (_cells(row) for row in rows))


def as_text(rows: Iterable[Row]) -> str:
    """The same without HTML: what a saved notebook shows where there is nothing but text."""
    return "\n".join("  ".join(filter(None, (*_start(row), row.reason))) for row in rows)


def _start(row: Row) -> list[str]:
    """State, name, record, handle and time, as text."""
    made, place = row.receipt, row.step
    known = [made.record_url, f"{made.created:%Y-%m-%d %H:%M:%S} UTC"] if made else []
    return [row.state, row.name, f"{place.handle} at {place.api_url}", *known]


def _cells(row: Row) -> list[str]:
    made, place = row.receipt, row.step
    links = ["", "", html.escape(place.handle), ""]
    if made:
        links = [html_link(made.id, made.record_url), html_link("WTML", made.wtml_url)]
        links += [html_link(made.handle, made.handle_url), f"{made.created:%Y-%m-%d %H:%M:%S} UTC"]
    return [html.escape(row.name), row.state, *links, html.escape(row.reason)]


def export(rows: Sequence[Row], path: Path | str) -> Path:
    """Write the rows to a .json or .csv file, whole or not at all. Raises SourceError where it can't be written."""
    target = Path(path).expanduser()
    kind = target.suffix.lower()
    if kind not in (".json", ".csv"):
        raise SourceError(f"The receipts can't be written as {target.name!r}: name a file that ends in .json or .csv")
    try:
        if kind == ".csv":
            write_file(target, _as_csv(rows).encode("utf-8", "replace"))
        else:
            write_json(target, _as_json(rows))
    except OSError as error:
        raise SourceError(f"The receipts can't be written to {target}: {error.strerror or error}") from None
    return target


def _as_json(rows: Iterable[Row]) -> dict[str, Any]:
    def whole(row: Row) -> dict[str, Any]:
        return row.cells() | {"receipt": row.receipt.model_dump(mode="json") if row.receipt else None}

    return {"version": 1, "written": datetime.now(UTC).isoformat(timespec="seconds"), "rows": [*map(whole, rows)]}


def _as_csv(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows({column: _harmless(cell) for column, cell in row.cells().items()} for row in rows)
    return text.getvalue()


def _harmless(cell: str) -> str:
    """The cell as text that no spreadsheet runs: an apostrophe before what it would take for a formula."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(_FORMULA) else cell
