"""Attempts to publish an image or a scene, as the journal remembers them.

An attempt's state is one of

==========  =========================================================================================
planned     written down, and provably not with the server: its request could not be sent
sending     its request may be with the server, and the process that sends it is alive
published   the server has it: `image_id`
refused     it made nothing: the server said no, or does not show it and the user has given it up or sent it anew
unclear     its request may have been done: look at the server before anything is sent (`reconcile`)
==========  =========================================================================================
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ..schema.records import Receipt, html_link
from ..schema.scenes import SceneReceipt
from .tables import html_table


@dataclass(frozen=True)
class Attempt:
    """One attempt to publish an image, or to make a scene.

    Attributes
    ----------
    key : str
        The attempt's own id.
    api_url, handle : str
        Where it was to go.
    url : str
        The image URL, "" if it has none, as a scene.
    body : bytes
        The request's body, exactly.
    body_sha256 : str
        SHA-256 of the body, hexadecimal.
    known_ids : tuple of str
        The images with this URL, or the newest scenes, that the server had before.
    state : str
        planned, sending, published, refused or unclear.
    owner : str
        The process that sent it.
    planned, sent, settled : datetime or None
        When it was written down, sent, and decided, UTC, by this machine's clock.
    image_id, rel_url : str or None
        The image or the scene, once the server has it.
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
    def kind(self) -> str:
        """What it makes, an "image" or a "scene": the body says which."""
        # Most bodies can be told apart without reading them.
        return "scene" if b'"place"' in self.body and "place" in self.request else "image"

    @property
    def note(self) -> str:
        """What the image is, or the scene's text."""
        request = self.request
        return str(request.get("note", request.get("text", "")))

    @property
    def receipt(self) -> Receipt | SceneReceipt | None:
        """The receipt of a published attempt."""
        if self.state != "published" or not self.image_id or not self.settled:
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
        )

    def __repr__(self) -> str:
        return f"<Attempt {self.key[-8:]}: {self.state}, {self.note!r} under {self.handle!r} at {self.api_url}>"

    def as_row(self) -> tuple[Any, ...]:
        """The attempt's row of the journal, with the columns `COLUMNS`."""
        about = (self.key, self.api_url, self.handle, self.url, self.body_sha256, self.body, json.dumps(self.known_ids))
        moments = (as_text(moment) if moment else None for moment in (self.planned, self.sent, self.settled))
        return *about, self.state, self.owner, *moments, self.image_id, self.rel_url, self.answer

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Attempt:
        """The attempt of a row of the journal, with the columns `COLUMNS`."""
        values = dict(zip(_NAMES, row, strict=True))
        values["known_ids"] = tuple(json.loads(values["known_ids"]))
        for moment in ("planned", "sent", "settled"):
            values[moment] = datetime.fromisoformat(values[moment]) if values[moment] else None
        return cls(**values)


def as_text(moment: datetime) -> str:
    """A time as the journal has it."""
    return moment.isoformat(timespec="microseconds")


_NAMES = [field.name for field in fields(Attempt)]
COLUMNS = ", ".join(_NAMES)


class History(list[Attempt]):
    """Attempts, newest first; a table in a notebook, as HTML and as text.

    `looked` says whether the server was just asked for those that are unclear.
    """

    def __init__(self, attempts: Iterable[Attempt] = (), *, looked: bool = False):
        super().__init__(attempts)
        self._looked = looked

    def __repr__(self) -> str:
        return f"<History: {len(self)} attempt{'s' * (len(self) != 1)}. {self._open()}".rstrip(". ") + ">"

    def __str__(self) -> str:
        lines = ["  ".join(filter(None, _words(attempt))) for attempt in self]
        return "\n".join(filter(None, [self._head(), *lines]))

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>{_NOTHING}</p>"
        table = html_table(("When", "State", "What", "Handle", "Record", "Answer"), map(_cells, self))
        return f"<p>{html.escape(self._head())}</p>{table}" if self._open() else table

    def _head(self) -> str:
        return self._open() or ("" if self else _NOTHING)

    def _open(self) -> str:
        """What is left to be looked at, and how."""
        count = sum(attempt.state == "unclear" for attempt in self)
        if not count:
            return ""
        if self._looked:
            return f"{count} of {len(self)} may still have succeeded or not. {_ONCE_MORE}"
        return f"{count} of {len(self)} may have succeeded or not: cxw.settle_all(client) looks, and sends nothing."


_ONCE_MORE = "Published once more, with again=True, an image is looked for first, and sent if it still isn't there."
_NOTHING = "Nothing was published from this machine yet."


def _words(attempt: Attempt) -> list[str]:
    """When, state, what, where, the record's address and the answer, as text."""
    what = attempt.note if attempt.kind == "image" else f"Scene: {attempt.note}"
    when, place = f"{attempt.planned:%Y-%m-%d %H:%M} UTC", f"{attempt.handle} at {attempt.api_url}"
    receipt = attempt.receipt
    return [when, attempt.state, what, place, receipt.record_url if receipt else "", attempt.answer]


def _cells(attempt: Attempt) -> list[str]:
    *start, record, answer = _words(attempt)
    link = html_link(record.rpartition("/")[2], record) if record else ""
    return [*map(html.escape, start), link, html.escape(answer)]
