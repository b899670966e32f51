"""Protocol of the publisher and the batch publisher."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from .drafts import CreditsTree, FoundPosition, Problem, RequestReview

# -- the publisher


class PublishReview(RequestReview):
    """Review of a publication."""

    ready: bool
    """Whether it can be confirmed."""
    reasons: list[str]
    """Why it can't be, or what speaks against it: then it is confirmed with ``anyway`` only."""
    title: str
    picture: str
    """A small picture of the image as a data: address, "" if there is none."""
    position: str
    """In h m s, "" if the image is not flat."""
    addresses: list[ReviewAddress]
    credits: CreditsTree
    copyright: str
    license: str
    alt_text: str


class ReviewAddress(TypedDict):
    """An address of the image that was requested for the review."""

    title: str
    url: str
    checked: bool
    """Whether all was well there."""


class AccountState(TypedDict):
    """Whether the account may publish under the handle."""

    message: str
    """What to do, "" if all is well."""
    blocks: bool
    """Whether publishing would be refused."""


class EarlierPublicationState(TypedDict):
    """Image that was, or may have been, published from the same source: a sentence around its linked name."""

    key: str
    head: str
    name: str
    url: str
    """The record's address, "" if it is not known to be published."""
    tail: str


class ReceiptState(TypedDict):
    """Receipt of a published image."""

    id: str
    handle: str
    api_url: str
    created: str
    record_url: str
    wtml_url: str
    handle_url: str
    """The handle's page, "" if the API has no website."""
    dashboard_url: str
    edit_url: str
    """The owner's pages on the site, "" if there are none."""
    key: str
    body_sha256: str
    body: str
    """What was sent, as text."""
    duplicates: list[str]
    """Further records of the same request, which a gateway had repeated."""
    same: bool
    """Whether the draft is still what was sent."""


class PublisherStatus(TypedDict):
    """Trait ``status`` of the publisher."""

    phase: Literal["editing", "planning", "review", "sending", "published", "failed", "unclear"]
    handle: str
    api_url: str
    blocked: str
    """Why nothing can be published here at all, "" if it can."""
    progress: str
    waiting: bool
    """Whether it only waits for the server, which can be cancelled."""
    message: str
    review: PublishReview | None
    receipt: ReceiptState | None
    sandbox: bool
    """Whether the server is on this computer: nothing leaves it."""
    edits: bool
    """Whether the form of the published image can be opened here."""
    editing: bool
    """Whether it is open."""
    account: AccountState


class PendingItem(TypedDict):
    """An attempt with an unknown outcome, or what it turned out to be."""

    kind: Literal["image", "scene"]
    name: str
    handle: str
    when: str
    """When it was sent, ISO 8601."""
    state: str
    id: str
    url: str
    """Address of its record, "" if there is none."""
    answer: str


class PendingState(TypedDict):
    """Trait ``pending_attempts`` of the publishers: pending attempts of earlier sessions."""

    phase: Literal["none", "offer", "checking", "done"]
    count: int
    done: int
    items: list[PendingItem]
    message: str


class PublishActionMessage(TypedDict):
    """A button of the publisher.

    "reconcile" checks pending attempts, "abandon" gives them up, "edit_published" opens or closes the form of the published image.
    """

    kind: Literal["review", "check", "resend", "cancel", "reconcile", "abandon", "edit_published", "check_account"]


# -- the batch publisher


class BatchRow(TypedDict):
    """One row of the table."""

    i: int
    """Number of the row, counted from 0."""
    v: int
    """Revision in which it was sent: the row with the highest one is valid."""
    name: str
    chosen: bool
    errors: int
    warnings: int
    state: str
    reason: str
    needs_review: bool
    """Whether the user has to decide if it is published, and has (`anyway`)."""
    anyway: bool
    local: bool
    """Whether the kernel can make a thumbnail of its files."""
    web: str
    """Address of its thumbnail on the web."""
    id: str
    """Id of the published image, "" before."""
    record: str


class BatchReason(TypedDict):
    """A reason in a plan, with how many rows have it and the name of one."""

    reason: str
    count: int
    name: str


class BatchReviewKind(TypedDict):
    """Rows of one kind in a plan."""

    kind: Literal["publish", "check", "decide", "published", "skip", "blocked"]
    count: int
    reasons: list[BatchReason]
    more: int
    """Number of further reasons."""


class BatchReview(TypedDict):
    """Review of a plan."""

    ticket: str
    """Goes back with the confirmation: it is valid for this plan only."""
    account: str
    """Name of the account that sends, whoever confirms; "" if its token does not name it."""
    ready: int
    """How many images would be published."""
    kinds: list[BatchReviewKind]


class EarlierEdits(TypedDict):
    """Unsaved edits of an earlier session."""

    saved: str
    count: int
    fields: list[str]


class BatchColumn(TypedDict):
    """Column of a table of metadata."""

    header: str
    field: str
    """What it is for, "" if it is not used."""
    reason: str
    """Why it is not used."""


class BatchMetadata(TypedDict):
    """Trait ``metadata`` of the batch publisher: a table, and files without a row; empty if there are neither."""

    name: NotRequired[str]
    """The table's name, "" without a table."""
    columns: NotRequired[list[BatchColumn]]
    count: NotRequired[int]
    """Number of images that it has values for."""
    remarks: NotRequired[list[str]]
    """What does not fit: columns, cells, rows and files."""
    more: NotRequired[int]
    """Number of further remarks."""
    applied: NotRequired[bool]


class BatchPositions(TypedDict):
    """Trait ``positions`` of the batch publisher: the search for the positions of its images."""

    phase: Literal["idle", "running", "found", "failed"]
    images: int
    """Number of chosen images without a position whose files are on this machine."""
    searched: int
    """Number of images that have ended, of `total`."""
    total: int
    progress: float
    message: str
    near: str
    width: str
    offer: str
    """Index files to download, with size and source, or ""."""
    size: str
    """Their size."""


class BatchPosition(TypedDict):
    """What became of the search for the position of a row: an item of the trait ``found_positions`` of the batch publisher."""

    row: int
    name: str
    state: Literal["found", "accepted", "failed"]
    message: str
    """Reason of a failure and what to try, or a note of the acceptance."""
    found: FoundPosition | None
    seen: bool
    """Whether it was shown on the sky."""


class BatchStatus(TypedDict):
    """Trait ``status`` of the batch publisher."""

    phase: Literal["editing", "planning", "review", "sending", "stopping", "ended"]
    revision: int
    """Revision of the latest update of rows."""
    acknowledged: dict[str, int]
    """By page: its last click on rows that the kernel has carried out and sent."""
    total: int
    open: int
    """Rows that are chosen and not published."""
    counts: dict[str, int]
    """All rows by state."""
    sent: dict[str, int]
    """The rows of the plan by state."""
    handle: str
    api_url: str
    message: str
    progress: str
    continued: bool
    """Whether this shows a batch that an earlier run of the cell began."""
    review: BatchReview | None
    undo: str
    redo: str
    earlier: EarlierEdits | None
    saved: list[str]
    """Files that hold the receipts."""
    edited: int | None
    """Number of the row whose form is open below the table."""
    on_sky: int | None
    """Number of the row that is shown on the sky below the table."""
    edits: bool
    """Whether the form of a row can be opened here, and a row shown on the sky."""


class BatchRowsEvent(TypedDict):
    """Rows that have changed."""

    kind: Literal["rows"]
    rows: list[BatchRow]
    revision: int


class BatchRowsRequest(TypedDict):
    """Request for the rows from number `start` on."""

    kind: Literal["rows"]
    start: int


class BatchRowsResponse(TypedDict):
    """Response to `BatchRowsRequest`."""

    rows: list[BatchRow]
    total: int
    revision: int


class BatchDetailsRequest(TypedDict):
    """Request for the problems of a row."""

    kind: Literal["details"]
    row: int


class BatchDetails(TypedDict):
    """Response to `BatchDetailsRequest`."""

    problems: list[Problem]
    why: list[str]
    """Why the row is in its state, where the problems don't say so."""
    url: str


class BatchThumbnailsRequest(TypedDict):
    """Make thumbnails of rows."""

    kind: Literal["thumbnails"]
    rows: list[int]


class BatchThumbnails(TypedDict):
    """Response to `BatchThumbnailsRequest`: media types, null where there is no thumbnail; a buffer for each of the others."""

    types: list[str | None]


class AliveRequest(TypedDict):
    """Request that checks that the kernel is alive."""

    kind: Literal["alive"]


class RowsMessage(TypedDict):
    """Choose rows, or decide whether they are published."""

    kind: Literal["choose", "decide"]
    rows: list[int]
    on: bool
    page: str
    click: int


class CopyMessage(TypedDict):
    """Copy a shared field to the chosen rows."""

    kind: Literal["copy"]
    path: str


class HostAtMessage(TypedDict):
    """Set the addresses of the chosen rows' files."""

    kind: Literal["host"]
    base: str


class RowFixMessage(TypedDict):
    """Apply the fix of a row's problem."""

    kind: Literal["fix_row"]
    row: int
    code: str
    field: str


class RowEditMessage(TypedDict):
    """Show the form of a row below the table, or none."""

    kind: Literal["edit_row"]
    row: int | None


class FindPositionsMessage(TypedDict):
    """Find the positions of the chosen images that have none; the hints are for all of them, as typed, "" for none."""

    kind: Literal["find_positions"]
    near: str
    width: str


class PositionsMessage(TypedDict):
    """Accept or discard what was found for rows."""

    kind: Literal["accept_positions", "discard_positions"]
    rows: list[int]


class ShowPositionMessage(TypedDict):
    """Show on the sky what was found for a row; null closes the sky."""

    kind: Literal["show_position"]
    row: int | None


class RepeatMessage(TypedDict):
    """Retry failed rows, check unclear ones, or send these again."""

    kind: Literal["repeat"]
    what: Literal["retry", "check", "resend"]


class BatchActionMessage(TypedDict):
    """A button of the batch publisher."""

    kind: Literal[
        "undo",
        "redo",
        "discard",
        "restore",
        "review",
        "stop",
        "cancel",
        "resume",
        "save",
        "reconcile",
        "abandon",
        "apply_metadata",
        "cancel_positions",
        "download_indexes",
    ]
