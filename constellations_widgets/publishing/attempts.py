"""Attempts to publish an image or a scene, as the journal records them.

An attempt's state is one of

==========  =========================================================================================
planned     recorded, and provably not at the server: its request could not be sent
sending     its request may be at the server, and the process that sends it is alive
published   the server has it: `image_id`
refused     it made nothing: the server refused it, or lacks it and the user abandoned or resent it
unclear     its request may have been done: reconcile it before anything is sent (`reconcile`)
==========  =========================================================================================
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ..schema.html_repr import capped, html_block, html_link, html_table, html_text
from ..schema.records import AnyReceipt, Receipt
from ..schema.scenes import SceneReceipt


@dataclass(frozen=True)
class Attempt:
    """Attempt to publish an image, or to make a scene.

    Attributes
    ----------
    key : str
        Id of the attempt.
    api_url, handle : str
        Its destination.
    url : str
        The image URL, "" if it has none, as a scene.
    body : bytes
        The exact body of the request.
    body_sha256 : str
        SHA-256 of the body, hexadecimal.
    known_ids : tuple of str
        The images with this URL, or the newest scenes, that the server had before.
    state : str
        planned, sending, published, refused or unclear.
    owner : str
        The process that sent it.
    planned, sent, settled : datetime or None
        When it was recorded, when it was sent, and when its outcome ("unclear" is one) was recorded: UTC, by this
        machine's clock.
    image_id, rel_url : str or None
        The image or the scene, once the server has it.
    answer : str
        The server's response, or the failure, in a sentence.
    duplicates : tuple of str
        Further records of the same request, repeated by a gateway or the network. They can't be deleted.
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
    duplicates: tuple[str, ...] = ()

    @property
    def request(self) -> dict[str, Any]:
        """The request's body as an object."""
        request: dict[str, Any] = json.loads(self.body)
        return request

    @property
    def kind(self) -> str:
        """The kind of record it makes, "image" or "scene", by its body."""
        # Most bodies can be distinguished without reading them.
        return "scene" if b'"place"' in self.body and "place" in self.request else "image"

    @property
    def note(self) -> str:
        """The image's note, or the scene's text."""
        request = self.request
        return str(request.get("note", request.get("text", "")))

    @property
    def is_published(self) -> bool:
        """Whether there is a receipt, which takes long to make."""
        return self.state == "published" and bool(self.image_id and self.settled)

    @property
    def was_limited(self) -> bool:
        """Whether it was refused with status 429, too many requests."""
        return self.state == "refused" and "(status 429)" in self.answer

    @property
    def receipt(self) -> Receipt | SceneReceipt | None:
        """The receipt of a published attempt, else None."""
        if not self.is_published or self.image_id is None or self.settled is None:
            return None
        kind = self.kind
        return (SceneReceipt if kind == "scene" else Receipt)(
            id=self.image_id,
            rel_url=self.rel_url or f"/{kind}/{self.image_id}",
            api_url=self.api_url,
            handle=self.handle,
            created=self.settled,
            body=self.request,
            body_sha256=self.body_sha256,
            key=self.key,
            duplicates=self.duplicates,
        )

    def confirms(self, receipt: AnyReceipt) -> bool:
        """Return whether `receipt` is this attempt's own, given that both are of the same body: reading that takes long."""
        own = self.image_id, self.rel_url, self.settled, self.duplicates
        theirs = receipt.id, receipt.rel_url, receipt.created, receipt.duplicates
        return self.state == "published" and own == theirs

    def __repr__(self) -> str:
        return f"<Attempt {self.key[-8:]}: {self.state}, {self.note!r} under {self.handle!r} at {self.api_url}>"

    def as_row(self) -> tuple[Any, ...]:
        """Return the attempt's row of the journal, with the columns `COLUMNS`."""
        about = (self.key, self.api_url, self.handle, self.url, self.body_sha256, self.body, json.dumps(self.known_ids))
        moments = (as_text(moment) if moment else None for moment in (self.planned, self.sent, self.settled))
        return (
            *about,
            self.state,
            self.owner,
            *moments,
            self.image_id,
            self.rel_url,
            self.answer,
            json.dumps(self.duplicates),
        )

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Attempt:
        """Return the attempt in a row of the journal, with the columns `COLUMNS`."""
        values = dict(zip(_NAMES, row, strict=True))
        for ids in ("known_ids", "duplicates"):
            values[ids] = () if values[ids] == "[]" else tuple(json.loads(values[ids]))
        for moment in ("planned", "sent", "settled"):
            values[moment] = datetime.fromisoformat(values[moment]) if values[moment] else None
        return cls(**values)


def as_text(moment: datetime) -> str:
    """Return a time as the journal stores it."""
    return moment.isoformat(timespec="microseconds")


_NAMES = [field.name for field in fields(Attempt)]
COLUMNS = ", ".join(_NAMES)


class History(list[Attempt]):
    """Attempts, newest first; shown as a table in a notebook and as text.

    `looked` says whether the unclear ones were just reconciled with the server.
    """

    def __init__(self, attempts: Iterable[Attempt] = (), *, looked: bool = False):
        super().__init__(attempts)
        self._looked = looked

    def __repr__(self) -> str:
        return f"<History: {len(self)} attempt{'s' * (len(self) != 1)}. {self._open()}".rstrip(". ") + ">"

    def __str__(self) -> str:
        attempts, others = capped(self, "newest", _OTHERS)
        lines = ["  ".join(filter(None, _columns(attempt))) for attempt in attempts]
        return "\n".join(filter(None, [self._head(), *lines, others]))

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        if not self:
            return html_block(f"<p>{_NOTHING}</p>")
        attempts, others = capped(self, "newest", _OTHERS)
        table = html_table(("When", "State", "What", "Handle", "Record", "Answer"), map(_cells, attempts))
        head, foot = (f"<p>{html.escape(words)}</p>" if words else "" for words in (self._head(), others))
        return html_block(head, table, foot)

    def _head(self) -> str:
        return self._open() or ("" if self else _NOTHING)

    def _open(self) -> str:
        """Return what remains to be reconciled, and how."""
        count = sum(attempt.state == "unclear" for attempt in self)
        if not count:
            return ""
        if self._looked:
            return f"{count} of {len(self)} may still have succeeded or not. {_ONCE_MORE}"
        return f"{count} of {len(self)} may have succeeded or not: cxw.settle_all(client) checks the server and sends nothing."


_ONCE_MORE = "Publishing it with again=True checks the server first, and sends it only if it is still missing."
_OTHERS = "All are in the list: history()[200] is the next one, history(limit=…) reads fewer."
_NOTHING = "Nothing was published from this machine yet."


def _columns(attempt: Attempt) -> list[str]:
    """Return the cells of an attempt's row: time, state, kind, place, address of the record and response."""
    what = attempt.note if attempt.kind == "image" else f"Scene: {attempt.note}"
    when, place = f"{attempt.planned:%Y-%m-%d %H:%M} UTC", f"{attempt.handle} at {attempt.api_url}"
    receipt = attempt.receipt
    return [when, attempt.state, what, place, receipt.record_url if receipt else "", attempt.answer]


def _cells(attempt: Attempt) -> list[str]:
    *start, record, answer = _columns(attempt)
    link = html_link(record.rpartition("/")[2], record) if record else ""
    return [*map(html_text, start), link, html_text(answer)]
