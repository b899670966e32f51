"""Protocol of scenes, and of the lists of a handle's images and scenes."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from .drafts import PositionField, RequestReview

# -- scenes


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
