"""Attempts to publish, as the journal remembers them.

An attempt's state is one of

==========  =========================================================================================
planned     written down, and provably not with the server: its request could not be sent
sending     its request may be with the server, and the process that sends it is alive
published   the server has it: `image_id`
refused     the server said no, or the user decided to send the same anew: it made no image
unclear     its request may have been done: look at the server before anything is sent (`reconcile`)
==========  =========================================================================================
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ..schema.records import Receipt, html_link
from .tables import html_table


@dataclass(frozen=True)
class Attempt:
    """One attempt to publish an image.

    Attributes
    ----------
    key : str
        The attempt's own id.
    api_url, handle : str
        Where the image was to go.
    url : str
        Its image URL, "" if it has none.
    body : bytes
        The request's body, exactly.
    body_sha256 : str
        SHA-256 of the body, hexadecimal.
    known_ids : tuple of str
        The images with this URL that the server had before.
    state : str
        planned, sending, published, refused or unclear.
    owner : str
        The process that sent it.
    planned, sent, settled : datetime or None
        When it was written down, sent, and decided, UTC, by this machine's clock.
    image_id, rel_url : str or None
        The image, once it is published.
    answer : str
        What the server said, or what went wrong, in a sentence.
    """

    key: str
    api_url: str
    handle: str
    url: str
    body_sha256: str
    body: bytes
    known_ids: tuple[str, ...]
    state: str
    owner: str
    planned: datetime
    sent: datetime | None
    settled: datetime | None
    image_id: str | None
    rel_url: str | None
    answer: str

    @property
    def request(self) -> dict[str, Any]:
        """The request's body as an object."""
        return json.loads(self.body)

    @property
    def note(self) -> str:
        """What the image is."""
        return str(self.request.get("note", ""))

    @property
    def receipt(self) -> Receipt | None:
        """The receipt of a published attempt."""
        if self.state != "published" or not self.image_id or not self.settled:
            return None
        return Receipt(
            id=self.image_id,
            rel_url=self.rel_url or f"/image/{self.image_id}",
            api_url=self.api_url,
            handle=self.handle,
            created=self.settled,
            body=self.request,
            body_sha256=self.body_sha256,
            key=self.key,
        )

    def __repr__(self) -> str:
        return f"<Attempt {self.key[:8]}: {self.state}, {self.note!r} under {self.handle!r} at {self.api_url}>"

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Attempt:
        """The attempt of a row of the journal, with the columns `COLUMNS`."""
        values = dict(zip(_NAMES, row, strict=True))
        values["known_ids"] = tuple(json.loads(values["known_ids"]))
        for moment in ("planned", "sent", "settled"):
            values[moment] = datetime.fromisoformat(values[moment]) if values[moment] else None
        return cls(**values)


_NAMES = [field.name for field in fields(Attempt)]
COLUMNS = ", ".join(_NAMES)


class History(list[Attempt]):
    """Attempts, newest first; a table in a notebook."""

    def _repr_html_(self) -> str:
        if not self:
            return "<p>Nothing was published from this machine yet.</p>"
        return html_table(("When", "State", "Note", "Handle", "Image", "Answer"), map(_cells, self))


def _cells(attempt: Attempt) -> list[str]:
    receipt = attempt.receipt
    when, place = f"{attempt.planned:%Y-%m-%d %H:%M} UTC", f"{attempt.handle} at {attempt.api_url}"
    cells = [html.escape(text) for text in (when, attempt.state, attempt.note, place)]
    return [*cells, html_link(receipt.id, receipt.record_url) if receipt else "", html.escape(attempt.answer)]
