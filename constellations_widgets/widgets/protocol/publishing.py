"""Protocol of the publisher, the batch publisher and the list of a handle's images."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from .drafts import ConfirmMessage, CreditsTree, EditMessage, FixMessage, PositionField, Problem, ViewMessage

# -- the publisher


class RequestReview(TypedDict):
    """The exact request that will be sent."""

    ticket: str
    """Goes back with the confirmation: it is valid for this review only."""
    request: str
    """For example "POST https://…/handle/me/image"."""
    body: str
    size: int


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
    note: str
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


class SceneReviewRow(TypedDict):
    """One value of a scene."""

    name: str
    before: str | None
    """The server's value; null for a scene that is not made yet."""
    after: str
    meanwhile: bool
    """Whether it changed on the server since it was read."""


class SceneReview(RequestReview):
    """Review of a scene that is made, or of its changes."""

    rows: list[SceneReviewRow]
    published: bool
    warnings: list[str]


class SceneReceiptState(TypedDict):
    """A scene at the server, and where its owner finds it."""

    id: str
    record_url: str
    scene_url: str | None
    edit_url: str | None
    dashboard_url: str | None
    published: bool


class SceneLayerState(TypedDict):
    """An image of a scene."""

    id: str
    name: str
    opacity: float


class SceneFormState(TypedDict):
    """What the form of a scene holds."""

    text: str
    outgoing_url: str
    published: bool
    background_id: str
    """Id of the image behind the others; "" for the site's own sky."""
    view: list[PositionField]
    summary: str
    """The view in one line."""
    taken: int
    """How many texts of the view were taken."""
    layers: list[SceneLayerState]
    """The images, the lowest first."""
    fixed: bool
    """Whether the images can't be changed: the scene is at the server."""
    message: str
    warnings: list[str]


class SceneChoice(TypedDict):
    """An image that a scene can show."""

    id: str
    name: str


class SceneChoices(TypedDict):
    """What a scene can be made of."""

    images: list[SceneChoice]
    backgrounds: list[SceneChoice]
    message: str
    """Why something is missing, "" if nothing is."""


class SceneState(TypedDict):
    """Trait ``scene``: a scene in its form, a review, or its outcome."""

    phase: Literal["none", "editing", "reading", "review", "sending", "failed", "unclear", "made"]
    progress: str
    waiting: bool
    """Whether it only waits for the server, which can be cancelled."""
    message: str
    review: SceneReview | None
    made: SceneReceiptState | None
    """The scene at the server; null while there is none."""
    exists: bool
    """Whether the form changes a scene at the server."""
    open: bool
    """Whether the form is open, rather than the links of the scene that was made."""
    blocked: str
    """Why it can't be changed, "" if it can."""
    changed: list[str]
    """Names of the values that are not saved."""
    earlier: list[str]
    """Names of the values that an earlier session left unsaved."""
    form: SceneFormState | None
    choices: SceneChoices
    preview: bool
    """Whether there is a preview whose view the scene can have."""


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


class SceneMessage(TypedDict):
    """An edit or a button of the scene; "confirm" comes with the ticket."""

    kind: Literal["scene"]
    action: Literal[
        "open",
        "edit",
        "place",
        "use_view",
        "whole_image",
        "add_layer",
        "fade_layer",
        "move_layer",
        "remove_layer",
        "review",
        "publish",
        "confirm",
        "check",
        "resend",
        "cancel",
        "another",
        "edit_made",
        "restore",
        "discard",
        "revert",
    ]
    ticket: NotRequired[str]
    name: NotRequired[str]
    value: NotRequired[str | bool | float]
    of: NotRequired[str]
    """Id of an image."""


PublisherMessage = EditMessage | FixMessage | ViewMessage | ConfirmMessage | PublishActionMessage | SceneMessage

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
    edits: bool
    """Whether the form of a row can be opened here."""


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
    ]


BatchMessage = (
    EditMessage
    | FixMessage
    | ViewMessage
    | ConfirmMessage
    | RowsMessage
    | CopyMessage
    | HostAtMessage
    | RowFixMessage
    | RowEditMessage
    | RepeatMessage
    | BatchActionMessage
)

# -- a handle's images


class OpenedRecord(TypedDict):
    """What is shown below the list."""

    what: str
    """The button that opened it; "" if nothing is open."""
    id: str
    phase: Literal["", "opening", "open", "failed"]
    message: str


class HandleListStatus(TypedDict):
    """Trait ``status`` of the list of a handle's images or scenes."""

    handle: str
    api_url: str
    version: int
    """Changes when the list is loaded again."""
    loaded: int
    total: int | None
    """Number of the handle's records; null until the server has sent it."""
    phase: Literal["idle", "loading", "complete", "failed"]
    message: str
    opened: OpenedRecord


class HandleImagesStatus(HandleListStatus):
    """Trait ``status`` of the list of a handle's images."""

    pictures: bool
    """Whether pictures are shown at first."""


class HandleImageRow(TypedDict):
    """One image of the list."""

    id: str
    note: str
    created: str
    """When it was published, ISO 8601; "" if unknown."""
    url: str
    record: str
    wtml: str


class HandleImagePicture(TypedDict):
    """What only the whole record has."""

    thumbnail: str
    alt: str


class HandleSceneRow(TypedDict):
    """One scene of the list."""

    id: str
    text: str
    created: str
    """When it was made, ISO 8601; "" if unknown."""
    published: bool
    impressions: int
    likes: int
    clicks: int
    shares: int
    record: str
    page: str
    """Address of its page on the site; "" if there is none."""
    edit: str
    """Address of the site's page where its owner edits it; "" if there is none."""


class HandleRowsRequest(TypedDict):
    """Request for the records from number `start` on."""

    kind: Literal["rows"]
    start: int


class HandleRowsResponse(TypedDict):
    """Response to `HandleRowsRequest`."""

    version: int
    rows: list[HandleImageRow] | list[HandleSceneRow]


class HandleRecordsRequest(TypedDict):
    """Request for the records of images."""

    kind: Literal["records"]
    ids: list[str]


class HandleRecordsResponse(TypedDict):
    """Response to `HandleRecordsRequest`, with the records that are read; the others follow as events."""

    records: dict[str, HandleImagePicture]


class HandleRecordsEvent(HandleRecordsResponse):
    """Records that were read."""

    kind: Literal["records"]


class HandleRowEvent(TypedDict):
    """A record that was read again; of an image with its picture."""

    kind: Literal["row"]
    row: HandleImageRow | HandleSceneRow
    record: NotRequired[HandleImagePicture]


class HandleActionRequest(TypedDict):
    """A button of the list; `of` is the id of a record for the buttons that open one."""

    kind: Literal["do"]
    what: Literal["more", "all", "refresh", "close", "new", "form", "sky", "publish"]
    of: str
