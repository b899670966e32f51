"""Protocol of the draft, as all widgets show it, and of the form."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

Value = str | float | bool | None
"""Value of a field as a page shows it."""

# -- a draft


class FieldSpec(TypedDict):
    """Description of one field."""

    path: str
    title: str
    description: str
    kind: Literal["number", "integer", "boolean", "text", "long", "url", "license", "credits"]
    required: bool
    unit: str | dict[str, str]
    """One unit, or a unit for each projection."""
    minimum: float | None
    above: float | None
    maximum: float | None
    limit: int | None
    """Maximum length, in UTF-16 units."""
    choices: list[str]
    fixed: NotRequired[bool]
    """Read-only, because the image is published."""


class Problem(TypedDict):
    """A finding of the checks."""

    code: str
    severity: Literal["error", "warning", "info"]
    field: str
    message: str
    fix: str | None
    """Label of the button that fixes it."""


class EditOrigin(TypedDict):
    """Origin of the change that a state shows."""

    client: str
    """Id of the page, "" for Python."""
    seq: int
    """Number of the edit of that page which the state includes."""
    paths: list[str]
    """Fields of that edit."""
    merged: NotRequired[list[str]]
    """Those of `paths` whose text also has what was typed elsewhere meanwhile."""


class DraftState(TypedDict):
    """Trait ``state`` of the widgets that show a draft."""

    name: str
    values: dict[str, Value]
    problems: list[Problem]
    locked: bool
    """Whether it accepts no edits, because it is being published or has been."""
    by: EditOrigin


class CreditsElement(TypedDict):
    """An element that the server keeps in credits."""

    tag: str
    href: NotRequired[str]
    children: CreditsTree


CreditsTree = list[str | CreditsElement]
"""Cleaned credits: text and elements."""


class KeptCredits(TypedDict):
    """Trait ``kept_credits``: the credits as the server will keep them."""

    text: str
    tree: CreditsTree


class Command(TypedDict):
    """What a button says, or what a page reports: a message of any other kind, with its number."""

    kind: str
    number: int
    """Counted by the page."""


class CommandsMessage(TypedDict):
    """All commands of a page that the kernel has not confirmed. They are repeated until it has."""

    kind: Literal["commands"]
    page: str
    """Id of the view that sends them."""
    commands: list[Command]


class ReceivedEvent(TypedDict):
    """The kernel has received the commands of a page up to this number."""

    kind: Literal["received"]
    page: str
    number: int


class EditMessage(TypedDict):
    """The user has edited fields. It is repeated until a state names it."""

    kind: Literal["edit"]
    client: str
    seq: int
    """Number of the edit, counted by the page."""
    changes: dict[str, Value]
    base: NotRequired[dict[str, str]]
    """The texts that were changed, as they were in the last state before the edits that the kernel has not named yet."""
    since: NotRequired[dict[str, int]]
    """For each of these texts, the first of those edits."""


class FixMessage(TypedDict):
    """Apply the fix of a problem."""

    kind: Literal["fix"]
    code: str
    field: str


class ViewMessage(TypedDict):
    """A view of the widget was opened or closed, or has begun or ceased to need updates."""

    kind: Literal["view"]
    view: str
    open: bool
    updates: NotRequired[bool]
    """False if it needs no update for now, since it is out of sight; it then requests the present state before it shows it."""


class ConfirmMessage(TypedDict):
    """Send what the review with this ticket shows."""

    kind: Literal["confirm"]
    ticket: str
    anyway: NotRequired[bool]
    """Of a publication: whether to publish although the review has reasons against it."""


class License(TypedDict):
    """An entry of the list of licenses."""

    id: str
    name: str
    meaning: str
    """What it means for a reader, "" if there is nothing to say."""


class LicensesRequest(TypedDict):
    """Request for the list of licenses."""

    kind: Literal["licenses"]


class LicensesResponse(TypedDict):
    """Response to `LicensesRequest`."""

    licenses: list[License]


# -- the form


class SavingRow(TypedDict):
    """A field that would be saved."""

    path: str
    before: Value
    after: Value
    meanwhile: bool
    """Whether others have changed it since it was read."""


class SavingReview(TypedDict):
    """Review of what would be saved."""

    ticket: str
    account: str
    """Name of the account that sends, whoever confirms; "" if its token does not name it."""
    rows: list[SavingRow]
    theirs: list[str]
    """Paths of the fields that others have changed and this form has not."""


class SavingOutcome(TypedDict):
    """Outcome of saving one field."""

    field: str
    before: str
    asked: str
    now: str
    made: bool


class SavingPlace(TypedDict):
    """The published image."""

    id: str
    handle: str
    api_url: str
    record_url: str
    wtml_url: str


class SavingState(TypedDict):
    """Trait ``saving`` of a form on a published image; empty for a draft."""

    phase: Literal["editing", "reading", "review", "saving", "saved", "failed"]
    changed: list[str]
    """Paths of the fields that differ from the server's."""
    blocked: str
    """Why this account can't save, "" if it can."""
    message: str
    progress: str
    review: SavingReview | None
    result: list[SavingOutcome]
    unclear: bool
    """Whether it failed with an unknown outcome."""
    place: SavingPlace


class PositionField(TypedDict):
    """A number of the Position step."""

    name: str
    title: str
    text: str
    """As shown, "" if it is not known yet."""
    help: str
    typed: str
    """What was typed last, if it was not taken."""
    error: str
    """Why it was not, "" if it was."""


class PositionState(TypedDict):
    """Trait ``place`` of the form: the position in the numbers that people use."""

    flat: bool
    """Whether the image is flat; others have only the parameters."""
    complete: bool
    fields: list[PositionField]
    mirrored: bool
    unmirrored: str
    """Why it can't be mirrored, "" if it can."""
    summary: str
    """The position in one line, "" if it is not complete."""
    question: str
    """About what was typed last, "" if there is none."""
    label: str
    """Label of the button that answers the question."""
    taken: int
    """How many texts the kernel has taken: what the page shows until then is what was typed."""


class EarlierField(TypedDict):
    """A field that was edited earlier."""

    path: str
    title: str
    before: Value
    after: Value


class EarlierState(TypedDict):
    """Trait ``earlier`` of the form: edits of an earlier form; empty if there are none."""

    phase: NotRequired[Literal["restored", "discarded", "offered"]]
    saved: NotRequired[str]
    """When they were saved, ISO 8601."""
    fields: NotRequired[list[EarlierField]]


class PlaceMessage(TypedDict):
    """A number of the Position step was typed, or "mirrored" was switched."""

    kind: Literal["place"]
    name: str
    value: str | bool


class FormActionMessage(TypedDict):
    """A button of the form; "place_answer" answers the question of the Position step."""

    kind: Literal["restore", "discard", "review", "cancel", "revert", "place_answer"]


class HostingPlace(TypedDict):
    """A place for the image's files."""

    id: str
    label: str
    scheme: NotRequired[str]
    """Beginning of its address, such as "s3"; "" for a folder."""


class HostingProgress(TypedDict):
    """Progress of an upload, in words and in bytes."""

    text: str
    done: int
    total: int


class AddressTest(TypedDict):
    """What the server responded at an address of the draft."""

    field: str
    url: str
    status: int
    content_type: str
    kind: str
    """What the bytes are, such as "PNG"; "" if that is not known."""
    size: tuple[int, int] | None
    """Width and height in pixels."""
    shared: bool
    """Whether pages of other sites may load it."""
    faults: list[str]
    file_url: str
    """The file's own address, if the tested one is of a page about it; "" if there is none."""


class HostingState(TypedDict):
    """Trait ``hosting`` of a form on a draft and of the batch publisher; empty for a published image."""

    phase: Literal["idle", "uploading", "testing", "done", "failed"]
    blocked: str
    """Why nothing can be uploaded, "" if it can."""
    places: list[HostingPlace]
    progress: HostingProgress | None
    message: str
    test: AddressTest | None
    images: NotRequired[int]
    """Of a batch: the chosen images whose files are to be uploaded."""


class FoundPosition(TypedDict):
    """A solution that waits for a decision, in words."""

    facts: list[tuple[str, str]]
    """Name and value of what is known about it."""
    doubts: list[str]
    """Why it may be wrong."""
    remarks: list[str]


class SolvingState(TypedDict):
    """Trait ``solving`` of a form on a draft: the search for its position by its stars; empty for a published image."""

    phase: Literal["idle", "running", "found", "accepted", "failed"]
    blocked: str
    """Why its position can't be found, "" if it can."""
    near: str
    width: str
    progress: float
    message: str
    found: FoundPosition | None
    offer: str
    """Index files to download, with size and source, or ""."""
    size: str
    """Their size."""
    has_key: bool
    """Whether a key of nova.astrometry.net is known."""
    sent: str
    """What a search there sends."""


class SolveMessage(TypedDict):
    """Find the position; the hints are as typed, "" for none."""

    kind: Literal["solve"]
    near: str
    width: str
    online: NotRequired[bool]
    """Whether nova.astrometry.net searches."""
    key: NotRequired[str]
    """The user's key there, to be stored; without one, the stored key is used."""


class SolveActionMessage(TypedDict):
    """Cancel the search, decide about its result, download the index files of the offer, look for the stored key, or delete it."""

    kind: Literal[
        "solve_cancel",
        "solve_accept",
        "solve_discard",
        "solve_undo",
        "solve_download",
        "solve_key",
        "solve_forget_key",
    ]


class HostMessage(TypedDict):
    """Upload the draft's files, or those of a batch. Name and secret are held by this upload only."""

    kind: Literal["host", "upload"]
    place: str
    replace: bool
    target: NotRequired[str]
    public_url: NotRequired[str]
    endpoint: NotRequired[str]
    save_as: NotRequired[str]
    name: NotRequired[str]
    secret: NotRequired[str]


class HostActionMessage(TypedDict):
    """Write the files to a folder, or cancel an upload."""

    kind: Literal["host_folder", "host_cancel", "upload_cancel"]


class TestAddressMessage(TypedDict):
    """Test the address in a field."""

    kind: Literal["test_address"]
    field: str


class RequestReview(TypedDict):
    """The exact request that will be sent."""

    ticket: str
    """Goes back with the confirmation: it is valid for this review only."""
    account: str
    """Name of the account that sends, whoever confirms; "" if its token does not name it."""
    request: str
    """For example "POST https://…/handle/me/image"."""
    body: str
    size: int
