"""Rows of a batch, and the exported file of their outcomes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import SourceError
from ..schema.html_repr import LIMIT, capped, html_block, html_link, html_table, html_text
from ..schema.records import Receipt
from ..state import user_path, write_file, write_json
from .plan import BLOCKED, DECIDE, PUBLISH, SKIP, Step

WAITING, SENDING, PUBLISHED, FAILED, UNCLEAR = "waiting", "sending", "published", "failed", "unclear"
SKIPPED, UNDECIDED = "skipped", "undecided"
STATES = (WAITING, SENDING, PUBLISHED, FAILED, UNCLEAR, UNDECIDED, SKIPPED, BLOCKED)
STATE_OF = {PUBLISH: WAITING, DECIDE: UNDECIDED, SKIP: SKIPPED, BLOCKED: BLOCKED}
"""Initial state of a row, by the plan's decision."""

COLUMNS = ("name", "state", "id", "record", "wtml", "page", "api", "handle", "time", "url", "reason")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Characters that begin a formula in a spreadsheet, full-width forms included."""


@dataclass(eq=False, repr=False)
class Row:
    """One draft of a batch.

    Attributes
    ----------
    step : Step
        Its step of the plan.
    state : str
        waiting: not sent so far; sending; published: `receipt`; failed: the server refused it, or another program is
        sending it; unclear: sent, and whether the server has it is unknown; undecided, skipped, blocked: by the plan,
        and not sent.
    reason : str
        Why it is in this state, in a sentence or two.
    receipt : Receipt or None
        Receipt of a published row.
    resend : frozenset of str
        Keys of unclear attempts that the user allows to send again if the server does not have their image.
    anyway : bool
        Whether the user decided to publish it although the plan says "decide": `Batch.decide`.
    look_first : bool
        Whether an earlier attempt is unclear and has to be reconciled before anything is sent.
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
        """Short name of the image."""
        return self.step.name

    def __repr__(self) -> str:
        return f"<Row {self.state}: {self.name!r}{f' ({self.reason})' if self.reason else ''}>"

    def as_json(self) -> dict[str, Any]:
        """Return the row as data for JSON: its cells, and the whole receipt."""
        return self.cells() | {"receipt": self.receipt.model_dump(mode="json") if self.receipt else None}

    def cells(self) -> dict[str, str]:
        """Return the row's text for each column of an exported file, in their order."""
        made, place = self.receipt, self.step
        values: dict[str, Any] = {"name": self.name, "state": self.state, "api": place.api_url, "handle": place.handle}
        values |= {"url": place.url, "reason": self.reason}
        if made:
            values |= {"id": made.id, "record": made.record_url, "wtml": made.wtml_url, "page": made.handle_url or ""}
            values["time"] = made.created.isoformat(timespec="seconds")
        return {column: values.get(column, "") for column in COLUMNS}


class Report:
    """Outcome of the rows of a batch: shown in a notebook, counted, exported to a file."""

    rows: tuple[Row, ...]
    message: str

    @property
    def receipts(self) -> list[Receipt]:
        """The receipts of the published rows."""
        return [row.receipt for row in self.rows if row.receipt]

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows in each state; states without rows are left out."""
        found = Counter(row.state for row in self.rows)
        return {state: found[state] for state in STATES if found[state]}

    def export(self, path: Path | str) -> Path:
        """Write the outcome of each row to a .json file (with the receipts) or a .csv file, atomically.

        Raises
        ------
        SourceError
            If the file can't be written.
        """
        return export(self.rows, path)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        return f"<Batch: {counts or 'nothing'}{f'. {self.message}' if self.message else ''}>"

    def __str__(self) -> str:
        shown, others = _shown(self.rows)
        lines = ["  ".join(filter(None, (*_start(row), row.reason))) for row in shown]
        return "\n".join([repr(self)[1:-1], *lines, *filter(None, [others])])

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        shown, others = _shown(self.rows)
        heads = ("Image", "State", "Record", "WTML", "Handle", "When", "Why")
        table = html_table(heads, map(_cells, shown))
        return html_block(f"<p>{html_text(repr(self)[1:-1])}</p>", table, f"<p>{others}</p>" if others else "")


def _shown(rows: Sequence[Row]) -> tuple[Sequence[Row], str]:
    """Return as many rows as can be shown; if that is not all, those that are not published come first."""
    if len(rows) > LIMIT:
        rows = sorted(rows, key=lambda row: row.receipt is not None)
    return capped(rows, "first", "batch.rows has all; batch.export(path) writes them to a file.")


def _start(row: Row) -> list[str]:
    """Return state, name, record, handle and time, as text."""
    made, place = row.receipt, row.step
    known = [made.record_url, f"{made.created:%Y-%m-%d %H:%M:%S} UTC"] if made else []
    return [row.state, row.name, f"{place.handle} at {place.api_url}", *known]


def _cells(row: Row) -> list[str]:
    made, place = row.receipt, row.step
    links = ["", "", html_text(place.handle), ""]
    if made:
        links = [html_link(made.id, made.record_url), html_link("WTML", made.wtml_url)]
        links += [html_link(made.handle, made.handle_url), f"{made.created:%Y-%m-%d %H:%M:%S} UTC"]
    return [html_text(row.name), row.state, *links, html_text(row.reason)]


def receipts_path(path: Path | str) -> Path:
    """Return the path of a file for receipts. Raises SourceError if it is neither a .json nor a .csv file, or has no folder."""
    target = user_path(path)
    if target.suffix.lower() not in (".json", ".csv"):
        raise SourceError(f"The receipts can't be written as {target.name!r}: name a file that ends in .json or .csv")
    if not target.parent.is_dir():
        raise SourceError(f"The receipts can't be written to {target}: there is no such folder, make it first")
    return target


def export(rows: Sequence[Row], path: Path | str) -> Path:
    """Write the rows to a .json or .csv file, atomically. Raises SourceError if it can't be written."""
    target = receipts_path(path)
    try:
        if target.suffix.lower() == ".csv":
            write_file(target, _as_csv(rows).encode("utf-8", "replace"))
        else:
            written = datetime.now(UTC).isoformat(timespec="seconds")
            write_json(target, {"version": 1, "written": written, "rows": [row.as_json() for row in rows]})
    except OSError as error:
        raise SourceError(f"The receipts can't be written to {target}: {error.strerror or error}") from None
    return target


def _as_csv(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows({column: _harmless(cell) for column, cell in row.cells().items()} for row in rows)
    return text.getvalue()


def _harmless(cell: str) -> str:
    """Return the cell as text that no spreadsheet executes: an apostrophe precedes what could be a formula."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(_FORMULA) else cell
