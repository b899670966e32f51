"""The image library: a grid of all images of the Images API, uploads, and previews of images."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipywidgets import VBox

from ...errors import ConstellationsError, SourceError, StoppedError
from ...state import user_path
from ..form import ImageForm
from ..lifetime import ClosesModels
from ..preview import Preview
from ..sign_in import SignIn
from ..worker import Job, Worker
from .draft import draft_of_image
from .view import LibraryView

if TYPE_CHECKING:
    from ...api import ImagesClient
    from ...api.images.progress import Progress
    from ...auth import Credentials
    from ...draft import ImageDraft
    from ...schema.records import LibraryImage

_PUBLIC = (
    "Readers can see this image only if its address is public: check that it opens in a private window of your browser, "
    "without signing in. Otherwise upload the image to a public address."
)
_REPLACED = "{!r} is not shown, because another image or none was requested meanwhile."


class ImageLibrary(ClosesModels, VBox):
    """The images of an Images API: search, upload, rename and delete them, and show one on the sky.

    Parameters
    ----------
    images : ImagesClient
        Client of the library; signed in.

    Attributes
    ----------
    images : ImagesClient
    view : LibraryView
        The grid, a widget of its own.
    draft : ImageDraft or None
        Draft of the image that was shown on the sky or used in a draft last.
    preview : Preview or None
        Preview of that draft, below the grid.

    Raises
    ------
    TypeError
        If `images` is not an ImagesClient.
    ConstellationsError
        If the front end of the widget was never built.

    Examples
    --------
    >>> library = cxw.ImageLibrary(cxw.ImagesClient(base_url, auth))
    >>> library
    """

    def __init__(self, images: ImagesClient):
        if not hasattr(images, "upload"):
            raise TypeError(
                f"ImageLibrary takes an ImagesClient, not a {type(images).__name__}: "
                "make one with cxw.ImagesClient(base_url, auth)"
            )
        self.images = images
        self.draft: ImageDraft | None = None
        self.preview: Preview | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._lock = threading.RLock()
        self._worker = Worker("show", self._on_error, self._lock)
        self._shown: list[Any] = []
        self._signing: SignIn[ImagesClient] | None = None
        self._asks_to_sign_in = False
        self._stop_listening = self._listen_to(images.credentials)
        self.view = LibraryView(images, self._show, self._leave, self._ask_to_sign_in)
        super().__init__([self.view])

    def __repr__(self) -> str:
        return repr(self.view)

    def sign_in(self, auth: str | Credentials) -> None:
        """Continue with a new token or new credentials: the list, thumbnails, and uploads that wait for it.

        Raises
        ------
        SignInError
            If it is not a token.
        """
        self.images.sign_in(auth)
        self._arrange(asks=False)
        self.view.signed_in()

    def refresh(self) -> None:
        """Load the list again. Returns at once."""
        self.view.refresh()

    def upload(self, *paths: str | Path) -> None:
        """Upload files, as the button does. Returns at once; the widget shows the progress."""
        for path in paths:
            self.view.uploads.add(user_path(path))

    def show_on_sky(self, image: LibraryImage | str) -> ImageDraft:
        """Show an image in a preview below the grid, as the button does; return its draft.

        Parameters
        ----------
        image : LibraryImage or str
            The image, or its id.

        Raises
        ------
        ApiError
            If it can't be downloaded.
        SourceError
            If it is not an image that WWT can draw.
        StoppedError
            If another image is requested meanwhile.
        """
        return self._worker.run(lambda job: self._make(job, "sky", image))

    def use_in_draft(self, image: LibraryImage | str) -> ImageDraft:
        """Show an image in a preview and a form; return its draft, with the library's address. Raises the errors of `show_on_sky`."""
        return self._worker.run(lambda job: self._make(job, "draft", image))

    def close(self) -> None:
        """Close the library and what is shown below it; cancel downloads and uploads."""
        if hasattr(self, "view"):  # there is none if the client was refused
            self._stop_listening()
            self._worker.drop()
            self._arrange(shown=[], asks=False)
            self.view.close()
            if self._signing is not None:
                self._signing.close()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None
        super().close()

    def _found(self, image: LibraryImage | str) -> LibraryImage:
        """Return the image as it is in the list, with its address."""
        id = image if isinstance(image, str) else image.id
        found = self.view.rows.get(id)
        if found is None or not found.url:
            self.view.rows.begin_list()
            self.view.rows.set_all(self.images.list())
            found = self.view.rows.get(id)
        if found is None:
            raise SourceError(f"Image {id[:60]!r} is not in the library: refresh the list.")
        return found

    def _show(self, kind: str, image: LibraryImage) -> None:
        """Show an image for the page, in a thread."""
        self._worker.start(lambda job: self._make(job, kind, image), replace=True)

    def _on_error(self, error: Exception) -> None:
        self.view.push(busy="", note=self.view.failed(error), url="")

    def _make(self, job: Job, kind: str, image: LibraryImage | str) -> ImageDraft:
        found = self._found(image)
        draft, note = self._download(job, found)
        where = "The image is shown below."
        if kind == "draft":
            note += f" {_PUBLIC}"
            where = "The draft is below, and in Python it is library.draft."
        with self._lock:
            if not job.is_current:
                raise StoppedError(_REPLACED.format(found.name[:60]))
            self.draft, self.preview = draft, Preview(draft)
            self._arrange(shown=[self.preview, *([ImageForm(draft)] if kind == "draft" else [])])
            url = found.url if kind == "draft" else ""
            self.view.push(busy="", note=f"{found.name[:60]!r}: {where} {note}", url=url)
        return draft

    def _download(self, job: Job, image: LibraryImage) -> tuple[ImageDraft, str]:
        """Return a draft of an image, and a note about its placement. Raises StoppedError if another image is requested."""
        with self._lock:
            self._folder = self._folder or tempfile.TemporaryDirectory(
                prefix="cxw-library-", ignore_cleanup_errors=True
            )
            folder = Path(self._folder.name)
        latest = ""

        def on_progress(progress: Progress | None = None) -> None:
            nonlocal latest
            percent = 100 * progress.done // progress.total if progress and progress.total else 0
            text = f"Downloading {image.name[:60]!r} …{f' {percent} %' if percent else ''}"
            with self._lock:
                if text != latest and job.is_current:
                    latest = text
                    self.view.push(busy=text)

        self.view.push(note="", url="")
        on_progress()
        try:
            return draft_of_image(self.images, image, folder, progress=on_progress, stop=job.cancelled)
        except ConstellationsError:
            with self._lock:
                if not job.is_current:
                    raise StoppedError(_REPLACED.format(image.name[:60])) from None
                self.view.push(busy="")
            raise

    def _leave(self) -> None:
        """Cancel the download of an image that is to be shown."""
        self._worker.drop()
        self.view.push(busy="")

    def _ask_to_sign_in(self) -> None:
        """Show a sign-in below the grid, because the server rejects the present one. Afterwards the library continues."""
        with self._lock:
            if self._signing is None:
                self._signing = SignIn(images_url=self.images.base_url)
                self._listen_to(self._signing.credentials)
        self._arrange(asks=True)

    def _listen_to(self, session: Any) -> Callable[[], None]:
        """Continue after a sign-in with these credentials, if any; return a function that stops this."""
        if session is None:
            return lambda: None

        def changed() -> None:
            if self._asks_to_sign_in and session.has_token:
                self.sign_in(session)

        return session.on_change(changed)

    def _arrange(self, *, shown: list[Any] | None = None, asks: bool | None = None) -> None:
        """Set what is below the grid: the sign-in while it is needed, and the latest image."""
        with self._lock:
            before = self._shown
            self._shown = before if shown is None else shown
            self._asks_to_sign_in = self._asks_to_sign_in if asks is None else asks
            signing = [self._signing] if self._asks_to_sign_in else []
            self.children = (self.view, *signing, *self._shown)
        for widget in before:
            if widget not in self._shown:
                widget.close()
