"""What comes back from the server, and the receipt of a publication.

Read leniently: the server keeps whatever it was sent, so a field may be missing, null or unknown here without making
the rest unreadable.
"""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field

SITES = {
    "api.worldwidetelescope.org": "https://worldwidetelescope.org",
    "api.wwtelescope.dev": "https://wwtelescope.dev",
}
"""The website that shows what an API holds, by the API's host."""


class Answer(BaseModel):
    """Something that the server said; what is unknown in it is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A time, always with the zone UTC."""

ImageId = Annotated[str, Field(validation_alias=AliasChoices("id", "_id"), min_length=1)]


class Handle(Answer):
    """A handle: the public name under which images are published."""

    handle: str
    display_name: str = ""


class RecordWwt(Answer):
    """The 13 placement fields as the server keeps them, and what else was once sent with them; units as in `ImageWwt`.

    A number that JSON can't hold (the server takes 1e400) comes back as None.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    center_x: float | None = None
    center_y: float | None = None
    rotation: float | None = None
    base_degrees_per_tile: float | None = None
    offset_x: float | None = None
    offset_y: float | None = None
    bottoms_up: bool | None = None
    projection: str = ""
    tile_levels: float | None = None
    width_factor: float | None = None
    file_type: str = ""
    quad_tree_map: str = ""
    thumbnail_url: str = ""


class RecordPermissions(Answer):
    """Copyright, license and credits as the server keeps them.

    `credits` is HTML and not to be trusted: clean it before it is shown.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    copyright: str = ""
    license: str = ""
    credits: str | None = None


class RecordStorage(Answer):
    """Where the image's pixels are."""

    legacy_url_template: str | None = None


class ImageSummary(Answer):
    """An image in a list. Its handle is only told by id; the whole record (`Constellations.image`) has the name."""

    id: ImageId
    handle_id: str = ""
    creation_date: Moment | None = None
    storage: RecordStorage = RecordStorage()
    note: str = ""


class ImageRecord(ImageSummary):
    """A published image, whole."""

    handle: Handle
    wwt: RecordWwt
    permissions: RecordPermissions
    alt_text: str = ""


class AnyReceipt(BaseModel):
    """What the receipts of images and of scenes have in common; see `Receipt`."""

    model_config = ConfigDict(frozen=True)

    kind: ClassVar[str]
    """What was made: "image" or "scene", as in its address."""

    id: str
    rel_url: str
    api_url: str
    handle: str
    created: Moment
    body: dict[str, Any]
    body_sha256: str
    key: str

    @property
    def record_url(self) -> str:
        """Address of the record (JSON)."""
        return f"{self.api_url}/{self.kind}/{quote(self.id, safe='')}"

    @property
    def handle_url(self) -> str | None:
        """The handle's page at the website of this API; None for an API that has no website, such as the sandbox."""
        site = SITES.get(urlsplit(self.api_url).hostname or "")
        return f"{site}/@{quote(self.handle, safe='')}" if site else None

    def to_json(self) -> str:
        """The receipt as JSON text; `from_json` reads it."""
        return self.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The receipt that `to_json` wrote. Raises ``pydantic.ValidationError``, a ValueError, for anything else."""
        return cls.model_validate_json(text)

    def _heading(self) -> str:
        raise NotImplementedError

    def _about(self) -> list[tuple[str, str, str | None]]:
        """The lines that only this kind of receipt has."""
        raise NotImplementedError

    def _rows(self) -> list[tuple[str, str, str | None]]:
        """Label, text and link (or None) of each line."""
        rows = [
            (self.kind.capitalize(), self.id, None),
            *self._about(),
            ("Record", self.record_url, self.record_url),
            ("Handle", self.handle, None),
            ("Its page", self.handle_url or "", self.handle_url),
            ("When", f"{self.created:%Y-%m-%d %H:%M:%S} UTC", None),
            ("API", self.api_url, None),
            ("Attempt", self.key, None),
            ("SHA-256", self.body_sha256, None),
        ]
        return [row for row in rows if row[1]]

    def __str__(self) -> str:
        return f"{self._heading()}\n" + "\n".join(f"  {label + ':':<12}{text}" for label, text, _ in self._rows())

    def __repr__(self) -> str:
        when = f"{self.created:%Y-%m-%d %H:%M:%S} UTC"
        what = next((text for _, text, _ in self._about()), "")
        return f"<{type(self).__name__} {self.id}: {what!r} under {self.handle!r} at {self.api_url}, {when}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """In a notebook's file, for where there is no HTML: all of it, what was sent too."""
        printer.text(f"{self}\nWhat was sent:\n{self._sent()}")

    def _repr_html_(self) -> str:
        left = "style='text-align:left'"
        rows = "".join(
            f"<tr><th scope='row' {left}>{label}</th><td {left}>{html_link(text, link)}</td></tr>"
            for label, text, link in self._rows()
        )
        return (
            f"<div class='cxw-receipt'><strong>{self._heading()}</strong><table>{rows}</table>"
            f"<details><summary>What was sent</summary><pre>{html.escape(self._sent())}</pre></details></div>"
        )

    def _sent(self) -> str:
        return json.dumps(self.body, ensure_ascii=False, indent=1)


class Receipt(AnyReceipt):
    """Proof of a publication: what was sent where, when, and what the server made of it.

    It shows itself as HTML and as text, so that a saved notebook still tells what was published. It holds no secret.

    Attributes
    ----------
    id : str
        The image's id at the server.
    rel_url : str
        The record's address, relative to `api_url`.
    api_url : str
        The API that answered.
    handle : str
        Under which the image was published.
    created : datetime
        When the record was made, UTC.
    body : dict
        The request's body exactly as sent.
    body_sha256 : str
        SHA-256 of the body's bytes, hexadecimal.
    key : str
        The id of the attempt, the same as in the journal.
    """

    kind: ClassVar[str] = "image"

    @property
    def wtml_url(self) -> str:
        """Address of the WTML, which any WorldWide Telescope program opens."""
        return f"{self.record_url}/img.wtml"

    @property
    def note(self) -> str:
        """What the image is, as sent."""
        return str(self.body.get("note", ""))

    def _heading(self) -> str:
        return "Published"

    def _about(self) -> list[tuple[str, str, str | None]]:
        return [("Note", self.note, None), ("WTML", self.wtml_url, self.wtml_url)]


def html_link(text: str, address: str | None) -> str:
    """`text` for HTML, as a link if there is a web `address`."""
    if not address or not address.startswith(("https://", "http://")):
        return html.escape(text)
    return f"<a href='{html.escape(address)}' target='_blank' rel='noopener noreferrer'>{html.escape(text)}</a>"
