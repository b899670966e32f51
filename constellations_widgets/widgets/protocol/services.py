"""Protocol of signing in and of the image library."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

# -- signing in


class SignInStatus(TypedDict):
    """Trait ``status`` of the sign-in. It never holds a password or a token."""

    phase: Literal["out", "busy", "waiting", "in"]
    service: Literal["constellations", "images"]
    api_url: str
    official: bool
    """Whether the official client keeps a sign-in here."""
    progress: str
    message: str
    link: str
    user_code: str
    accepts_paste: bool
    """Whether the address of the page on which the browser ended can be pasted."""
    paste_message: str
    username: str
    notice: str
    """What to know about this sign-in, for example that it can't be renewed."""
    handle: str
    permission: Literal["", "checking", "yes", "no", "missing", "unknown"]
    handle_message: str


class StartMessage(TypedDict):
    """Sign in with the browser; `near` if that runs on the kernel's machine, as far as the page can tell."""

    kind: Literal["start"]
    near: bool


class PasteMessage(TypedDict):
    """The address of the page on which the browser ended."""

    kind: Literal["paste"]
    address: str


class TokenMessage(TypedDict):
    """Sign in with a token."""

    kind: Literal["token"]
    token: str


class LoginMessage(TypedDict):
    """Sign in with a name and a password."""

    kind: Literal["login"]
    name: str
    password: str


class HandleMessage(TypedDict):
    """Check whether the account may publish under this handle."""

    kind: Literal["handle"]
    handle: str


class SignInActionMessage(TypedDict):
    """A button of the sign-in."""

    kind: Literal["cancel", "official", "sign_out"]


# -- the image library


class LibraryUpload(TypedDict):
    """One upload."""

    id: int
    name: str
    size: int
    phase: Literal["arriving", "waiting", "sending", "done", "stopped", "failed", "unclear", "signed out"]
    done: int
    """Bytes so far."""
    rate: float
    """Bytes in a second."""
    remaining: float | None
    """Seconds left."""
    message: str
    is_whole: bool
    """Whether the file is complete, and can be sent again."""


class LibraryState(TypedDict):
    """Trait ``state`` of the image library."""

    phase: Literal["new", "loading", "ready", "failed"]
    message: str
    """Why the images could not be listed."""
    signed_out: str
    """Why the user has to sign in, "" otherwise."""
    session: int
    """Grows when everything is to be requested again: after signing in, or on "Refresh"."""
    busy: str
    """What is being downloaded, and its progress."""
    note: str
    url: str
    """An address that belongs to the note."""
    base_url: str
    count: int
    """Number of images in the library."""
    revision: int
    """Grows with every change of the library."""
    uploads: list[LibraryUpload]


class LibraryRowsRequest(TypedDict):
    """Request for the images from number `start` to before `end`."""

    kind: Literal["rows"]
    start: int
    end: int
    search: str
    order: str


class LibraryRowsResponse(TypedDict):
    """Response to `LibraryRowsRequest`."""

    rows: list[tuple[str, str]]
    """Id and name."""
    count: int
    """Number of images that match the search."""


class LibraryIndexRequest(TypedDict):
    """Request for the number of an image in the list."""

    kind: Literal["index"]
    image: str
    search: str
    order: str


class LibraryIndexResponse(TypedDict):
    """Response to `LibraryIndexRequest`."""

    index: int | None


class LibraryImageRequest(TypedDict):
    """A request about one image."""

    kind: Literal["about", "thumb", "picture", "delete", "sky", "draft"]
    image: str


class LibraryAbout(TypedDict):
    """Response to "about"."""

    name: str
    url: str


class LibraryThumbnail(TypedDict):
    """Response to "thumb", with one buffer."""

    type: NotRequired[str]
    error: str
    """Why there is no thumbnail, "" if there is one."""


class LibraryPicture(TypedDict):
    """Response to "picture", with one buffer."""

    type: NotRequired[str]
    size: NotRequired[list[int]]
    bytes: NotRequired[int]
    error: str
    """Why there is no picture, "" if there is one."""


class LibraryRenameRequest(TypedDict):
    """Rename an image."""

    kind: Literal["rename"]
    image: str
    name: str


class DirectoryRequest(TypedDict):
    """Request for the entries of a folder of the kernel's disk."""

    kind: Literal["directory"]
    folder: str


class DirectoryEntry(TypedDict):
    """A file or folder."""

    name: str
    path: str
    size: int | None
    """Bytes; null for a folder."""
    image: bool


class DirectoryListing(TypedDict):
    """Response to `DirectoryRequest`."""

    folder: str
    parent: str | None
    entries: list[DirectoryEntry]
    omitted: int


class UploadFilesRequest(TypedDict):
    """Upload files of the kernel's disk."""

    kind: Literal["upload"]
    paths: list[str]


class DropRequest(TypedDict):
    """Upload a file of the browser's machine; its content follows in parts."""

    kind: Literal["drop"]
    name: str
    size: int


class DropResponse(TypedDict):
    """Response to `DropRequest`."""

    upload: int


class PartRequest(TypedDict):
    """A part of a dropped file, with one buffer."""

    kind: Literal["part"]
    upload: int
    at: int


class UploadActionRequest(TypedDict):
    """A button of an upload."""

    kind: Literal["stop", "retry", "clear"]
    upload: int


class LibraryActionRequest(TypedDict):
    """A button of the library; "open" is sent when it is first shown, "cancel" cancels a download."""

    kind: Literal["open", "refresh", "cancel"]
