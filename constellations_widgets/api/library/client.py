"""The Images API: an image library behind a token."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from ...errors import ApiError, InvalidError, NotSentError, SignInError, StoppedError, UnclearError
from ...schema.library import LibraryImage, is_library_id
from ..credentials import IMAGES_TOKEN_VARIABLE, Credentials
from ..plaintext import one_line
from ..retries import Retries
from ..transport import Call, Transport
from .file_body import PART, FileBody, file_body
from .file_names import file_name, reserve
from .progress import Progress
from .received import save_image
from .streams import Streams

Report = Callable[[Progress], object]

MOST_IN_MEMORY = 256 * 1024 * 1024
"""Bytes of an image that `ImagesClient.open` returns at most, unless told otherwise."""

_ADVICE = {
    403: "Ask for write access to its constellation, or sign in with another account.",
    404: "Somebody may have deleted it: list the images again.",
    413: "The server does not take a file of this size.",
    415: "The server does not take a file of this kind.",
}
_AGAIN = "The list does not show it so far, but the server may still be at work on it. Wait a minute, then upload the same file again: the list is looked at first."  # fmt: skip


class ImagesClient:
    """A client of the Images API.

    One client can be used by any number of threads at once; several uploads, too. It keeps its connections open; `close`
    it, or use it in a ``with`` block.

    Parameters
    ----------
    base_url : str
        Root of the API, the part before ``/images``.
    auth : str or Credentials, optional
        A token, or what signing in gave. By default the environment variable ``IMAGES_API_TOKEN`` is read.
    timeout : float, optional
        Seconds to wait for the next bytes. A whole upload or download may take as long as it needs. Default 30.
    transport : httpx.BaseTransport, optional
        Takes the place of the network, for tests.
    retries : Retries, optional
        How often and after how long a request is repeated: what only reads at every passing failure, what changes
        something only when the server asks to come back later and says when.

    Raises
    ------
    NotSentError
        If `base_url` is not the address of an API, or `timeout` is none.
    SignInError
        If the token can't be one, or would be sent over plain http to another machine.

    Examples
    --------
    >>> images = cxw.ImagesClient("https://images.example.org", token)  # doctest: +SKIP
    >>> image = images.upload("m51.jpg", progress=lambda it: print(f"{it.done:,} bytes, {it.left} s left"))
    >>> images.rename(image, "Whirlpool.jpg")

    Notes
    -----
    Every call can raise an `ApiError`; see `Constellations`. What changes something and whose answer is lost is looked
    for in the list: `UnclearError` comes only where that does not tell either.
    """

    def __init__(
        self,
        base_url: str,
        auth: str | Credentials | None = None,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        retries: Retries | None = None,
    ):
        self._options: dict[str, Any] = {"timeout": timeout, "retries": retries}
        self._network = transport
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}  # of all images that were ever listed or uploaded, by id
        self._listed = False
        self._uploaded: set[str] = set()
        self._unclear: dict[tuple[Any, ...], frozenset[str]] = {}  # an upload → the ids that were known before it
        self._connect(base_url, auth if auth is not None else Credentials.from_environment(IMAGES_TOKEN_VARIABLE))

    def _connect(self, base_url: str, auth: str | Credentials | None) -> None:
        credentials = Credentials.token(auth) if isinstance(auth, str) else auth
        if credentials is not None and not isinstance(credentials, Credentials):
            raise SignInError(f"auth is a {type(auth).__name__}: give a token as text, or what signing in gave.")
        self._transport = Transport(base_url, credentials, transport=self._network, advice=_ADVICE, **self._options)
        self._streams = Streams(self._transport, network=self._network, **self._options)

    @property
    def base_url(self) -> str:
        """Root of the API, without a slash at its end."""
        return self._transport.api_url

    @property
    def signed_in(self) -> bool:
        """Whether requests carry a token. Whether the server believes it is another matter."""
        return self.credentials is not None and self.credentials.signed_in

    @property
    def credentials(self) -> Credentials | None:
        """What requests are signed in with; it hides its token."""
        return self._transport.credentials

    def sign_in(self, auth: str | Credentials) -> None:
        """Go on with another token or other credentials. What is under way keeps the old ones.

        Raises
        ------
        SignInError
            If it can't be a token.
        """
        self._connect(self.base_url, auth)

    def close(self) -> None:
        """Close the connections. The client can still be used: it opens new ones."""
        self._transport.close()
        self._streams.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ImagesClient({self.base_url!r}, {'signed in' if self.signed_in else 'not signed in'})"

    # The calls

    def list(self) -> list[LibraryImage]:
        """All images of the library, in the server's order.

        Raises
        ------
        BadAnswerError
            If the answer is not a list of images.
        """
        call = Call("list the images of the library", "GET", "/images")
        rows = self._transport.json(call).get("images")
        if not isinstance(rows, list):
            raise self._transport.bad_answer(call, "has no list of images")
        images: dict[str, LibraryImage] = {}
        for row in rows:
            image = self._typed(call, row)
            images.setdefault(image.id, image)
        self._names |= {image.id: image.name for image in images.values()}
        self._listed = True
        return [*images.values()]

    def upload(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        progress: Report | None = None,
        stop: threading.Event | None = None,
    ) -> LibraryImage:
        """Add a file of this disk to the library. It is streamed: memory does not grow with the file.

        Parameters
        ----------
        path : str or Path
            The file.
        name : str, optional
            What the library is to call it; the file's own name by default.
        progress : function of Progress, optional
            Told ten times a second how far it is, at what rate, and how long it will take. Runs in the calling thread.
        stop : threading.Event, optional
            Once it is set by another thread, the upload is broken off: StoppedError. An upload whose last byte has left
            can't be stopped any more.

        Returns
        -------
        LibraryImage
            Also where the answer was lost, and the image is in the list with the same bytes.

        Raises
        ------
        NotSentError
            If the file can't be read, is empty, or did not leave whole: then nothing was added.
        UnclearError
            If the file left, no trustworthy answer came, and the list does not show it. The next upload of the same
            file by this client looks first, and sends it only if it is not there.
        """
        body, key = file_body(path, name, progress, stop)
        before = self._unclear.get(key)
        if before is not None and (found := self._look_for(body, before)):
            return self._settled(key, found)
        if not self._listed:
            self.list()  # what is there before: so that the new one can be told from the others if the answer is lost
        before = self._unclear[key] = frozenset(self._names)
        call = Call(f"upload {one_line(body.name, 60)!r}", "POST", "/images", writes=True)
        try:
            image = self._typed(call, self._streams.send(call, body))
        except UnclearError as error:
            if found := self._found_after(error, body, before):
                return self._settled(key, found)
            raise
        except BaseException as error:
            if isinstance(error, ApiError) or not body.is_whole:  # an interrupt while the answer is awaited is unclear
                self._unclear.pop(key, None)
            raise
        return self._settled(key, image)

    def download(
        self,
        image: LibraryImage | str,
        folder: str | Path = ".",
        *,
        progress: Report | None = None,
        stop: threading.Event | None = None,
    ) -> Path:
        """Save an image as a file. It is streamed: memory does not grow with the file.

        Parameters
        ----------
        image : LibraryImage or str
            The image, or its id.
        folder : path, default the working directory
            Where to save it; made if it is not there. The file's name is made of the image's, whatever that holds, and
            never leads out of the folder; what is there already is never written over.
        progress, stop : optional
            As for `upload`.

        Returns
        -------
        Path
            The new file.

        Raises
        ------
        BadAnswerError
            If what came is no image, or has 0 bytes. No file is left behind, then and at any other error.
        """
        id, call = self._of(image, "download", "GET")
        name = image.name if isinstance(image, LibraryImage) else self._names.get(id, "")
        folder = Path(folder).expanduser()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False)
        except OSError as error:
            raise NotSentError(f"{folder} can't be written to: {error.strerror}. Choose another folder.") from None
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(Path(file.name).unlink, missing_ok=True)
            try:
                with file:
                    kind = self._streams.receive(
                        call, lambda response: save_image(response, file.file, report=progress, stop=stop)
                    )
                path = reserve(folder, file_name(name, id, kind))
                os.chmod(file.name, path.stat().st_mode)  # as for any new file of this user
                os.replace(file.name, path)
            except OSError as error:
                raise StoppedError(f"Could not {call.what}: {folder} can't be written to ({error.strerror}).") from None
            on_failure.pop_all()
        return path

    def open(self, image: LibraryImage | str, *, most: int = MOST_IN_MEMORY) -> bytes:
        """The bytes of an image.

        Parameters
        ----------
        image : LibraryImage or str
            The image, or its id.
        most : int, optional
            How many bytes are taken into memory at most. Default 256 MB; `download` takes any number.

        Raises
        ------
        BadAnswerError
            If what came is no image, or has 0 bytes.
        StoppedError
            If the image has more than `most` bytes.
        """
        _, call = self._of(image, "open", "GET")
        with tempfile.SpooledTemporaryFile(max_size=4 * 1024 * 1024) as file:
            self._streams.receive(call, lambda response: save_image(response, file, most=most))  # type: ignore[arg-type]
            file.seek(0)
            return file.read()

    def rename(self, image: LibraryImage | str, name: str) -> LibraryImage:
        """Give an image another name. Returns it as the server then has it.

        Raises
        ------
        InvalidError
            If the server does not take the name.
        ForbiddenError
            Without write access to the image's constellation.
        """
        if not isinstance(name, str):
            raise InvalidError(f"The new name is a {type(name).__name__}: give text.")
        id, call = self._of(image, "rename", "PATCH", json.dumps({"name": name}).encode())
        try:
            renamed = self._typed(call, self._transport.json(call))
        except UnclearError as error:
            renamed = self._now(id)
            if renamed is None or renamed.name != name:
                raise error from None
        self._names[id] = renamed.name
        return renamed

    def delete(self, image: LibraryImage | str) -> None:
        """Delete an image. This can't be undone.

        Raises
        ------
        ForbiddenError
            Without write access to the image's constellation.
        """
        id, call = self._of(image, "delete", "DELETE")
        try:
            self._transport.json(call)
        except UnclearError as error:
            if self._now(id, or_else=True) is not None:
                raise error from None

    # Looking

    def _settled(self, key: tuple[Any, ...], image: LibraryImage) -> LibraryImage:
        self._unclear.pop(key, None)
        self._names[image.id] = image.name
        self._uploaded.add(image.id)
        return image

    def _found_after(self, error: UnclearError, body: FileBody, before: frozenset[str]) -> LibraryImage | None:
        try:
            found = self._look_for(body, before)
        except ApiError as second:
            error.add_note(f"It could not be looked for either: {second}")
            return None
        if found is None:
            error.args = (f"{error} {_AGAIN}",)
        return found

    def _look_for(self, body: FileBody, before: frozenset[str]) -> LibraryImage | None:
        """A new image of this name with these bytes that no other upload of this client has made."""
        for image in self.list():
            if image.name == body.name and image.id not in before and self._is(image, body):
                with self._lock:
                    if image.id not in self._uploaded:
                        self._uploaded.add(image.id)
                        return image
        return None

    def _is(self, image: LibraryImage, body: FileBody) -> bool:
        _, call = self._of(image, "look at", "GET")
        with tempfile.TemporaryFile() as theirs, body.path.open("rb") as ours:
            self._streams.receive(call, lambda response: save_image(response, theirs))
            theirs.seek(0)
            while part := ours.read(PART):
                if theirs.read(len(part)) != part:
                    return False
            return not theirs.read(1)

    def _now(self, id: str, or_else: Any = None) -> Any:
        """The image as the list has it, None if it is not there; `or_else` if that can't be told."""
        try:
            return next((image for image in self.list() if image.id == id), None)
        except ApiError:
            return or_else

    def _of(self, image: LibraryImage | str, what: str, method: str, body: bytes | None = None) -> tuple[str, Call]:
        id = image.id if isinstance(image, LibraryImage) else image
        if not is_library_id(id):
            raise InvalidError(f"{one_line(repr(id), 60)} is not the id of an image: give one of list().")
        shown = repr(one_line(self._names.get(id) or (str(image) if image is not id else id), 60))
        path = f"/images/{quote(id, safe='')}"
        return id, Call(f"{what} the image {shown}", method, path, body, writes=method != "GET")

    def _typed(self, call: Call, row: Any) -> LibraryImage:
        try:
            return LibraryImage.model_validate(row)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in fault["loc"]) or "image"
            raise self._transport.bad_answer(call, f"has an unusable {field!r} ({fault['msg']})") from None
