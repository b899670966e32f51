"""Client of the Images API: an image library that requires a token."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from ...auth.credentials import IMAGES_TOKEN_VARIABLE, Credentials
from ...errors import ApiError, BusyError, InvalidError, NotSentError, SignInError, StoppedError, UnclearError
from ...http import BaseTransport
from ...schema.records import LibraryImage, is_library_id
from ...state import user_path
from ...text import one_line
from ..retries import Retries
from ..transport import Call, Transport
from .file_body import FileBody, file_body
from .progress import Progress
from .received import file_name, reserve, save_image
from .streams import Streams

Report = Callable[[Progress], object]

MOST_IN_MEMORY = 256 * 1024 * 1024
"""Maximum bytes of an image that `ImagesClient.open` returns by default."""

_LIST = Call("list the images of the library", "GET", "/images")
_ADVICE = {
    403: "Ask for write access to its constellation, or sign in with another account.",
    404: "It may have been deleted: list the images again.",
    413: "The server does not take a file of this size.",
    415: "The server does not take a file of this kind.",
}
_AGAIN = "The list does not show it so far, but the server may still be processing it. Wait a minute, then upload the same file again: the list is checked first."  # fmt: skip


class ImagesClient:
    """Client of the Images API.

    A client is thread-safe, also for several uploads at once. It keeps its connections open; `close` it, or use it in a
    ``with`` block.

    Parameters
    ----------
    base_url : str
        Root of the API, the part before ``/images``.
    auth : str or Credentials, optional
        A token, or the result of signing in. By default the environment variable ``IMAGES_API_TOKEN`` is read.
    timeout : float, optional
        Seconds to wait for the next bytes. A whole upload or download may take as long as it needs. Default 30.
    transport : BaseTransport, optional
        Replaces the network, for tests.
    retries : Retries, optional
        Retry policy for reads. Requests that change something are sent once.

    Raises
    ------
    NotSentError
        If `base_url` is not the address of an API, or `timeout` is not a valid number of seconds.
    SignInError
        If the token is malformed, or would be sent over plain http to another machine.

    Examples
    --------
    >>> images = cxw.ImagesClient(base_url, auth)
    >>> image = images.upload("m51.jpg", progress=lambda it: print(f"{it.done:,} bytes, {it.left} s left"))
    >>> images.rename(image, "Whirlpool.jpg")

    Notes
    -----
    Every call can raise an `ApiError`; see `Constellations`. If the response to a change is lost, the list of images
    shows whether it was made; `UnclearError` is raised only if the list does not tell either.
    """

    def __init__(
        self,
        base_url: str,
        auth: str | Credentials | None = None,
        *,
        timeout: float = 30.0,
        transport: BaseTransport | None = None,
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
            raise SignInError(
                f"auth is a {type(auth).__name__}: give a token as text, or the credentials from signing in."
            )
        self._transport = Transport(
            base_url, credentials, transport=self._network, advice=_ADVICE, token_check=_LIST, **self._options
        )
        self._streams = Streams(self._transport)

    @property
    def base_url(self) -> str:
        """Root of the API, without a slash at its end."""
        return self._transport.api_url

    @property
    def signed_in(self) -> bool:
        """Whether requests carry a token. The server may still reject it."""
        return self.credentials is not None and self.credentials.signed_in

    @property
    def credentials(self) -> Credentials | None:
        """The credentials that sign requests; they hide their token."""
        return self._transport.credentials

    def sign_in(self, auth: str | Credentials) -> None:
        """Use another token or other credentials from now on. Requests in progress keep the old ones.

        Raises
        ------
        SignInError
            If it can't be a token.
        """
        self._connect(self.base_url, auth)

    def close(self) -> None:
        """Close the connections. The client can still be used: it opens new ones."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ImagesClient({self.base_url!r}, {'signed in' if self.signed_in else 'not signed in'})"

    # The calls

    def list(self) -> list[LibraryImage]:
        """Return all images of the library, in the server's order.

        Raises
        ------
        BadAnswerError
            If the response is not a list of images.
        """
        rows = self._transport.json(_LIST).get("images")
        if not isinstance(rows, list):
            raise self._transport.bad_answer(_LIST, "has no list of images")
        images: dict[str, LibraryImage] = {}
        for row in rows:
            image = self._typed(_LIST, row)
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
        """Add a file of this machine to the library. It is streamed: memory use does not grow with the file.

        Parameters
        ----------
        path : str or Path
            The file.
        name : str, optional
            Name in the library; the file's own name by default.
        progress : function of Progress, optional
            Called ten times a second, in the calling thread, with the bytes sent, the rate and the time left.
        stop : threading.Event, optional
            Once another thread sets it, the upload is aborted with StoppedError. An upload whose last byte was sent
            can't be stopped any more.

        Returns
        -------
        LibraryImage
            The new image; also if the response was lost, but the list has the image with the same bytes.

        Raises
        ------
        NotSentError
            If the file can't be read, is empty, or was not sent completely: then nothing was added.
        UnclearError
            If the file was sent, no valid response arrived, and the list does not show it. The next upload of the same
            file by this client checks the list first, and sends the file only if it is missing.
        """
        body, key = file_body(path, name, progress, stop)
        for tries in itertools.count(1):
            try:
                image = self._upload(body, key)
                break
            except BusyError as error:
                if not self._transport.wait_for(error, tries):
                    raise
        self._unclear.pop(key, None)
        self._names[image.id] = image.name
        self._uploaded.add(image.id)
        return image

    def _upload(self, body: FileBody, key: tuple[Any, ...]) -> LibraryImage:
        """Return the image of an earlier upload that was unclear, if it is there; otherwise send the file."""
        before = self._unclear.get(key)
        if before is not None and (found := self._look_for(body, before)):
            return found
        if not self._listed:
            self.list()  # so that the new image can be distinguished from the others if the response is lost
        before = self._unclear[key] = frozenset(self._names)
        call = Call(f"upload {one_line(body.name, 60)!r}", "POST", "/images", writes=True)
        try:
            return self._typed(call, self._streams.send(call, body))
        except UnclearError as error:
            if found := self._found_after(error, body, before):
                return found
            raise
        except BusyError:  # it is sent again after the list was checked
            raise
        except BaseException as error:
            if isinstance(error, ApiError) or not body.is_whole:  # an interrupt while the answer is awaited is unclear
                self._unclear.pop(key, None)
            raise

    def download(
        self,
        image: LibraryImage | str,
        folder: str | Path = ".",
        *,
        progress: Report | None = None,
        stop: threading.Event | None = None,
    ) -> Path:
        """Save an image as a file. It is streamed: memory use does not grow with the file.

        Parameters
        ----------
        image : LibraryImage or str
            The image, or its id.
        folder : path, default the working directory
            Where to save it; created if missing. The file's name is made from the image's, never leads out of the
            folder, and never replaces an existing file.
        progress, stop : optional
            As for `upload`.

        Returns
        -------
        Path
            The new file.

        Raises
        ------
        BadAnswerError
            If the response holds no image, or 0 bytes. No file is left behind, then and at any other error.
        """
        id, call = self._of(image, "download", "GET")
        name = image.name if isinstance(image, LibraryImage) else self._names.get(id, "")
        folder = user_path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False)  # noqa: SIM115
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
        """Return the bytes of an image.

        Parameters
        ----------
        image : LibraryImage or str
            The image, or its id.
        most : int, optional
            Maximum number of bytes to hold in memory. Default 256 MB; `download` has no limit.

        Raises
        ------
        BadAnswerError
            If the response holds no image, or 0 bytes.
        StoppedError
            If the image has more than `most` bytes.
        """
        _, call = self._of(image, "open", "GET")
        with tempfile.SpooledTemporaryFile(max_size=4 * 1024 * 1024) as file:
            self._streams.receive(call, lambda response: save_image(response, file, most=most))
            file.seek(0)
            return file.read()

    def rename(self, image: LibraryImage | str, name: str) -> LibraryImage:
        """Rename an image; return it as the server then has it.

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

    # Reconciliation

    def _found_after(self, error: UnclearError, body: FileBody, before: frozenset[str]) -> LibraryImage | None:
        try:
            found = self._look_for(body, before)
        except ApiError as second:
            error.add_note(f"The list could not be checked either: {second}")
            return None
        if found is None:
            error.args = (f"{error} {_AGAIN}",)
        return found

    def _look_for(self, body: FileBody, before: frozenset[str]) -> LibraryImage | None:
        """Return a new image with this name and these bytes that no other upload of this client made, or None."""
        for image in self.list():
            if image.name == body.name and image.id not in before and self._is(image, body):
                with self._lock:
                    if image.id not in self._uploaded:
                        self._uploaded.add(image.id)
                        return image
        return None

    def _is(self, image: LibraryImage, body: FileBody) -> bool:
        return self._streams.is_file(self._of(image, "look at", "GET")[1], body.path)

    def _now(self, id: str, or_else: Any = None) -> Any:
        """Return the image as listed, None if it is not listed; `or_else` if the list can't be read."""
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
        return self._transport.typed(LibraryImage, call, row, "image")
