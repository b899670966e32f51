"""Protocol of the preview."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

# -- the preview


class Imageset(TypedDict):
    """An imageset's fields by their names in the API; `url` is its address, without the part that makes it unique."""

    base_degrees_per_tile: float
    bottoms_up: bool
    center_x: float
    center_y: float
    file_type: str
    offset_x: float
    offset_y: float
    projection: str
    quad_tree_map: str
    rotation: float
    tile_levels: int
    width_factor: int
    url: str


class DrawnImage(TypedDict):
    """One way to draw the image."""

    name: str
    """Unique name in the engine."""
    imageset: Imageset
    wtml: str
    """The imageset as WTML, with a unique address."""
    size: tuple[int, int] | None
    """Width and height of the whole image in pixels, if known."""


class FilesState(TypedDict):
    """The image's files on the kernel's disk."""

    key: str
    """Changes with every change of the files."""
    whole: bool
    """Whether they are few enough to be sent in one response."""
    fault: str | None
    """What is wrong with them."""
    note: str
    """What else to know about them, "" if nothing."""


class SnapState(TypedDict):
    """Where "Snap to sky" stands."""

    phase: Literal["idle", "running", "found", "failed"]
    progress: float
    """From 0 to 1."""
    message: str
    """What is being done, or why it failed."""
    facts: list[tuple[str, str]]
    """The placement that waits for a decision, by names and values; empty if none does."""
    doubt: str
    """Why that may be wrong, "" if nothing speaks against it."""


class PlacingStatus(TypedDict):
    """What can be done to the placement."""

    refusal: str
    """Why it can't be changed, "" if it can."""
    locked: bool
    """Whether it can't be changed for good."""
    undo: str
    redo: str
    """Labels of the steps that can be undone and redone, "" if there are none."""
    size: tuple[int, int] | None
    """Width and height of the image in pixels; of all tiles together if no more is known; null if unknown."""
    pixel: float | None
    """Degrees per pixel."""
    mirrored: bool | None
    snap: SnapState


class Drawing(TypedDict):
    """How to draw the image; name, imageset, wtml and size are null while values are missing."""

    name: str | None
    imageset: Imageset | None
    wtml: str | None
    size: tuple[int, int] | None
    waiting: list[tuple[str, str]]
    """Fields whose value can't be drawn, by their label, and why."""
    pixels: DrawnImage | None
    """The same image, drawn from the pixels of a FITS file rather than as a picture."""


class PreviewState(Drawing):
    """The image as it is to be drawn, its files, and where it is placed."""

    revision: int
    """Grows with every change; a lower one that arrives late is dropped."""
    files: FilesState | None
    placing: PlacingStatus


class ImagesetEvent(PreviewState):
    """The image has changed."""

    kind: Literal["imageset"]


class ViewState(TypedDict):
    """A view of the sky, degrees; `aspect` is width / height."""

    ra: float
    dec: float
    height: float
    aspect: float
    roll: float


class SceneImageset(TypedDict):
    """An image of a scene, as WTML with a name and an address that are unique in the engine."""

    name: str
    title: str
    """What people call it."""
    url: str
    wtml: str
    opacity: float


class SceneDrawing(TypedDict):
    """A scene as it is to be drawn."""

    revision: int
    """Grows with every change; a lower one that arrives late is dropped."""
    layers: list[SceneImageset]
    """The lowest first."""
    background: SceneImageset | None
    view: ViewState | None
    note: str
    """What can't be shown, "" if everything can."""


class SceneEvent(SceneDrawing):
    """The scene has changed."""

    kind: Literal["scene"]


class PlacingEvent(TypedDict):
    """The placement was locked or unlocked."""

    kind: Literal["placing"]
    placing: PlacingStatus


class GoToImageEvent(TypedDict):
    """Move the view to the image."""

    kind: Literal["go_to_image"]


class NoteEvent(TypedDict):
    """A message for the user, shown below the sky."""

    kind: Literal["note"]
    message: str


class AppEvent(TypedDict):
    """Messages of pywwt to the app; `awaited` if Python waits for it."""

    kind: Literal["app"]
    last: int
    messages: list[dict[str, Any]]
    awaited: NotRequired[bool]


class SolvedStar(TypedDict):
    """A matched star of a solution that waits for a decision: where the image would have it, and where the catalog has it."""

    seen: tuple[float, float]
    """Right ascension and declination, degrees."""
    there: tuple[float, float]


class SolutionEvent(TypedDict):
    """The matched stars to mark on the sky; none if no solution is shown."""

    kind: Literal["solution"]
    stars: list[SolvedStar]


class AppMessages(TypedDict):
    """Response to "app_messages": all messages of pywwt that still matter, and the number of the last one."""

    last: int
    moved: NotRequired[int]
    """Number of the last message that moves the view, or 0 before the first one."""
    messages: list[dict[str, Any]]


class SnapshotEvent(TypedDict):
    """Send a picture of the view, `width` pixels wide, once all of its tiles are there, within so many seconds."""

    kind: Literal["snapshot"]
    number: int
    seconds: float
    width: int
    grid: bool
    scale_bar: bool
    compass: bool


class SkyEvent(TypedDict):
    """Send a picture of the sky behind the image alone, for a camera (degrees) and a size (pixels) of its own."""

    kind: Literal["sky"]
    number: int
    seconds: float
    ra: float
    dec: float
    fov: float
    """Height of the picture."""
    roll: float
    """Position angle of its "up"."""
    width: int
    height: int


class SkyAbout(TypedDict):
    """What a picture of the sky was drawn from."""

    survey: str
    pixel: float
    """Degrees along a side of the finest pixels that the survey has."""


class SnapshotPart(TypedDict):
    """Part `index` of `count` of a PNG, in a buffer, or why there is none. Parts of several views are told apart by `view`."""

    kind: Literal["snapshot_part"]
    number: int
    view: str
    index: int
    count: int
    error: NotRequired[str]
    about: NotRequired[SkyAbout]


class PreviewRequest(TypedDict):
    """A request without further content."""

    kind: Literal["open", "app", "fits_pixels", "retry", "app_messages", "save_html"]


class OpenedPreview(PreviewState):
    """Response to "open"."""

    title: str
    wwt: bool
    awaited: bool
    scene: SceneDrawing | None
    """The scene that is shown; null for an image."""
    solution: NotRequired[list[SolvedStar]]


class AppFiles(TypedDict):
    """Response to "app", with a buffer for each name."""

    names: list[str]


class FitsPixels(TypedDict):
    """Response to "fits_pixels": the initial stretch of FITS pixels."""

    cuts: tuple[float, float]
    quantiles: list[float]
    note: str


class SavedPage(TypedDict):
    """Response to "save_html": the new file on the kernel's disk."""

    path: str


class FilesRequest(TypedDict):
    """Read files."""

    kind: Literal["files"]
    paths: list[str]


class FilesPart(TypedDict):
    """Part of the response to `FilesRequest`: the files from number `start` on, with a buffer for each that was found."""

    start: int
    found: list[bool]
    faults: dict[str, str]


class AllFilesRequest(TypedDict):
    """Read all files of the image from number `start` on."""

    kind: Literal["all_files"]
    start: int


class AllFilesResponse(TypedDict):
    """Response to `AllFilesRequest`, with a buffer for each name."""

    key: str
    complete: bool
    names: list[str]
    next: int | None


class PlaceRequest(TypedDict):
    """Change the placement; the parts of a drag share a `gesture`. Further fields depend on `op`."""

    kind: Literal["place"]
    op: str
    gesture: NotRequired[str]


class PlaceResponse(TypedDict):
    """Response to `PlaceRequest`."""

    message: str
    placing: PlacingStatus


class ViewStateMessage(TypedDict):
    """The part of the sky that is shown; `sky` is false for planets and panoramas."""

    kind: Literal["view_state"]
    sky: NotRequired[bool]
    ra: NotRequired[float]
    dec: NotRequired[float]
    height: NotRequired[float]
    aspect: NotRequired[float]
    roll: NotRequired[float]


class SnapMessage(TypedDict):
    """Refine the placement by the sky behind the image, or stop, accept or discard that."""

    kind: Literal["snap", "snap_cancel", "snap_accept", "snap_discard"]


class FromAppMessage(TypedDict):
    """A message of the app to pywwt."""

    kind: Literal["from_app"]
    message: dict[str, Any]
