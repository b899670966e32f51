"""Records in responses of the servers, and the receipt of a publication.

Read leniently: the server stores whatever it was sent, so a field that is missing, null or unknown here must not make
the rest unreadable.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import quote, urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    field_validator,
    model_validator,
)

from ..text import readable
from .credits import credits_text
from .html_repr import html_block, html_link, html_table, html_text

SITES = {
    "api.worldwidetelescope.org": "https://worldwidetelescope.org",
    "api.wwtelescope.dev": "https://wwtelescope.dev",
}
"""The website that shows what an API holds, by the API's host."""


def site_url(api_url: str, handle: str) -> str | None:
    """Return the address of a handle's page on an API's website; None if it has none, such as the sandbox."""
    site = SITES.get(urlsplit(api_url).hostname or "")
    return f"{site}/@{quote(handle, safe='')}" if site else None


class Answer(BaseModel):
    """Response of the server. Unknown fields are ignored; a field that cannot be read counts as missing."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="wrap")
    @classmethod
    def _read_what_can_be_read(cls, content: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Parse `content` without fields that are null or of a wrong type.

        Records of all users stand in the same lists, so one invalid field must not make a list unreadable.
        """
        try:
            return read(content)
        except ValidationError as error:
            if not isinstance(content, dict):
                raise
            invalid = {
                fault["loc"][0] for fault in error.errors(include_url=False, include_input=False) if fault["loc"]
            }
            try:
                return read({name: value for name, value in content.items() if name not in invalid})
            except ValidationError:
                raise error from None  # it names what was wrong, where this one would call it missing


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A time, always with the zone UTC."""

ImageId = Annotated[str, Field(validation_alias=AliasChoices("id", "_id"), min_length=1)]


class Handle(Answer):
    """Handle: the public name under which images are published."""

    handle: str
    display_name: str = ""


DISPLAY_NAME_LIMIT = 64
"""UTF-16 units of a handle's display name."""


class ImageStats(Answer):
    """Number of a handle's images."""

    count: int = 0


class SceneStats(Answer):
    """Number of a handle's scenes, and the sums of their counters."""

    count: int = 0
    impressions: int = 0
    likes: int = 0
    clicks: int = 0
    shares: int = 0


class HandleStats(Answer):
    """Numbers that the owner of a handle can read."""

    handle: str
    images: ImageStats = ImageStats()
    scenes: SceneStats = SceneStats()


class RecordWwt(Answer):
    """The 13 placement fields as the server stores them, and any others once sent with them; units as in `ImageWwt`.

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
    """Copyright, license and credits as the server stores them.

    `credits` is untrusted HTML: clean it before it is shown.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    copyright: str = ""
    license: str = ""
    credits: str | None = None


class RecordStorage(Answer):
    """Addresses of the image's pixels."""

    legacy_url_template: str | None = None


class ImageSummary(Answer):
    """An image in a list. It has only the id of its handle; the whole record (`Constellations.image`) has the name."""

    id: ImageId
    handle_id: str = ""
    creation_date: Moment | None = None
    storage: RecordStorage = RecordStorage()
    note: str = ""


class ImageRecord(ImageSummary):
    """The whole record of a published image."""

    handle: Handle
    wwt: RecordWwt
    permissions: RecordPermissions
    alt_text: str = ""


class AnyReceipt(BaseModel):
    """Base of the receipts of images and scenes; see `Receipt`."""

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
    duplicates: tuple[str, ...] = ()

    @property
    def record_url(self) -> str:
        """Address of the record (JSON)."""
        return f"{self.api_url}/{self.kind}/{quote(self.id, safe='')}"

    @property
    def handle_url(self) -> str | None:
        """Address of the handle's page on this API's website; None if it has none, such as the sandbox."""
        return site_url(self.api_url, self.handle)

    @property
    def dashboard_url(self) -> str | None:
        """Address of the owner's dashboard of the handle on this API's website; None if it has none."""
        return f"{self.handle_url}/dashboard" if self.handle_url else None

    @property
    def edit_url(self) -> str | None:
        """Address of the page of this API's website where the owner edits the record; None if it has none."""
        return f"{self.handle_url}/{self._editor_path()}/edit" if self.handle_url else None

    def _editor_path(self) -> str:
        raise NotImplementedError

    def to_json(self) -> str:
        """Return the receipt as JSON text; `from_json` reads it."""
        return self.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Return the receipt that `to_json` wrote.

        Raises
        ------
        pydantic.ValidationError
            A ValueError, if the text is anything else.
        """
        return cls.model_validate_json(text)

    def _heading(self) -> str:
        raise NotImplementedError

    def _about(self) -> list[tuple[str, str, str | None]]:
        """Return the rows that only this kind of receipt has."""
        raise NotImplementedError

    def _rows(self) -> list[tuple[str, str, str | None]]:
        """Return label, text and link (or None) of each row."""
        rows = [
            (self.kind.capitalize(), self.id, None),
            *self._about(),
            ("Record", self.record_url, self.record_url),
            ("Handle", self.handle, None),
            ("Its page", self.handle_url or "", self.handle_url),
            ("Edit", self.edit_url or "", self.edit_url),
            ("Dashboard", self.dashboard_url or "", self.dashboard_url),
            ("When", f"{self.created:%Y-%m-%d %H:%M:%S} UTC", None),
            ("API", self.api_url, None),
            ("Duplicates", ", ".join(self.duplicates), None),
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
        """Write the whole receipt, with what was sent, as text for front ends that show no HTML."""
        printer.text(f"{self}\nWhat was sent:\n{self._sent()}")

    def _repr_html_(self) -> str:
        rows = ([label, html_link(text, link)] for label, text, link in self._rows())
        sent = f"<details><summary>What was sent</summary><pre>{html_text(self._sent())}</pre></details>"
        return html_block(f"<strong>{self._heading()}</strong>", html_table((), rows), sent, name="cxw-receipt")

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
        Handle under which the image was published.
    created : datetime
        When the record was made, UTC.
    body : dict
        The request's body exactly as sent.
    body_sha256 : str
        SHA-256 of the body's bytes, hexadecimal.
    key : str
        The id of the attempt, the same as in the journal.
    duplicates : tuple of str
        Ids of further records of the same request: a gateway or the network had repeated it. They can't be deleted.

    Examples
    --------
    >>> receipt = cxw.publish_draft(draft, client, handle, anyway=True)
    >>> receipt.wtml_url
    """

    kind: ClassVar[str] = "image"

    @property
    def wtml_url(self) -> str:
        """Address of the WTML, which any WorldWide Telescope program opens."""
        return f"{self.record_url}/img.wtml"

    @property
    def note(self) -> str:
        """The image's note, as sent."""
        return str(self.body.get("note", ""))

    def _editor_path(self) -> str:
        return f"image/{quote(self.id, safe='')}"

    def datacite(self) -> dict[str, Any]:
        """Return the metadata of the image in DataCite's JSON (schema 4), for registering a DOI or for a data catalog.

        The credit line becomes the creator, as text: who is a person and who an institution is not known.

        Returns
        -------
        dict
            Ready for `json.dumps`. Fields without a value are left out.

        Examples
        --------
        >>> Path("m51.json").write_text(json.dumps(receipt.datacite(), indent=1))
        """
        rights, wwt = (self.body.get(name) or {} for name in ("permissions", "wwt"))
        license_ = str(rights.get("license") or "")
        creator = (
            credits_text(str(rights.get("credits") or "")) or str(rights.get("copyright") or "") or f"@{self.handle}"
        )
        known = {
            "rightsIdentifier": license_,
            "rightsIdentifierScheme": "SPDX",
            "schemeUri": "https://spdx.org/licenses/",
        }
        known |= {"rightsUri": f"https://spdx.org/licenses/{license_}.html"}
        is_one = re.fullmatch(r"[A-Za-z0-9.+-]+", license_) and not license_.startswith("LicenseRef-")
        statements = [{"rights": license_, **(known if is_one else {})}] if license_ else []
        if rights.get("copyright"):
            statements.append({"rights": str(rights["copyright"])})
        ra, dec = wwt.get("center_x"), wwt.get("center_y")
        subjects = [{"subject": f"ICRS {ra} {dec} degrees"}] if ra is not None and dec is not None else []
        found = {
            "schemaVersion": "http://datacite.org/schema/kernel-4",
            "types": {"resourceTypeGeneral": "Image", "resourceType": "Astronomical image"},
            "titles": [{"title": self.note or f"Image {self.id}"}],
            "creators": [{"name": creator}],
            "publisher": {"name": "AAS WorldWide Telescope Constellations"},
            "publicationYear": self.created.year,
            "dates": [{"date": self.created.isoformat().replace("+00:00", "Z"), "dateType": "Issued"}],
            "url": self.record_url,
            "alternateIdentifiers": [
                {"alternateIdentifier": self.id, "alternateIdentifierType": "Constellations image"}
            ],
            "relatedIdentifiers": [
                {"relatedIdentifier": self.wtml_url, "relatedIdentifierType": "URL", "relationType": "HasMetadata"}
            ],
            "rightsList": statements,
            "descriptions": [{"description": text, "descriptionType": "Abstract"}]
            if (text := str(self.body.get("alt_text") or ""))
            else [],
            "subjects": subjects,
            "formats": ["application/x-wtml"],
        }
        return {name: value for name, value in found.items() if value}

    def _heading(self) -> str:
        return "Published"

    def _about(self) -> list[tuple[str, str, str | None]]:
        return [("Note", self.note, None), ("WTML", self.wtml_url, self.wtml_url)]


_LONGEST_ID = 200  # most characters; the id becomes part of an address


class LibraryImage(BaseModel):
    """An image in the library.

    Attributes
    ----------
    id : str
        ``image_uuid`` in the list, ``uuid`` in the response to an upload.
    name : str
        ``name`` in the list, ``filename`` in the response to an upload. Any text: never build a path from it.
    url : str
        The image's address according to the server; "" if unknown. Whether others can see it there is the server's
        affair.
    """

    model_config = ConfigDict(frozen=True)

    id: str = Field(validation_alias=AliasChoices("image_uuid", "uuid"), min_length=1, max_length=_LONGEST_ID)
    name: str = Field(validation_alias=AliasChoices("name", "filename"))
    url: str = ""

    @field_validator("id")
    @classmethod
    def _fits_into_an_address(cls, id: str) -> str:
        if not is_library_id(id):
            raise ValueError("is no id")
        return id

    def __str__(self) -> str:
        return self.name


def is_library_id(id: object) -> bool:
    """Return whether `id` can be an image's id: text that is one path segment and cannot lead to another address."""
    return isinstance(id, str) and 0 < len(id) <= _LONGEST_ID and id.strip(".") != "" and readable(id) == id
