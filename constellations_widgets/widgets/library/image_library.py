"""The image library: a grid of all images of the Images API, uploads, and the way from an image to the sky."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipywidgets import VBox

from ...api.signing_in.sessions import Session
from ...errors import ConstellationsError, SourceError, StoppedError
from ..form import ImageForm
from ..preview import Preview
from ..sign_in import SignIn
from .draft import draft_of_image
from .view import LibraryView

if TYPE_CHECKING:
    from ...api import Credentials, ImagesClient
    from ...api.library.progress import Progress
    from ...draft import ImageDraft
    from ...schema.library import LibraryImage

_PUBLIC = (
    "WWT's servers and the readers of what you publish can see this image only if its address is public: if it opens in a "
    "private window of your browser, without signing in. Otherwise put the image where everybody can read it."
)


class ImageLibrary(VBox):
    """The images of an Images API: see, find, upload, rename and delete them, and show one on the sky.

    Parameters
    ----------
    images : ImagesClient
        The library, signed in.

    Attributes
    ----------
    images : ImagesClient
    view : LibraryView
        The grid, a widget of its own.
    draft : ImageDraft or None
        Of the image that was last shown on the sky or used in a draft.
    preview : Preview or None
        Where it is shown, below the grid.

    Raises
    ------
    TypeError
        If `images` is no ImagesClient.
    ConstellationsError
        If the page's part of the widget was never built.

    Examples
    --------
    >>> library = cxw.ImageLibrary(cxw.ImagesClient(base_url, auth))  # doctest: +SKIP
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
        self._arranging = threading.RLock()
        self._shown: list[Any] = []
        self._leaving = threading.Event()  # of the image that is being fetched
        self._signing: SignIn | None = None
        self._asks_to_sign_in = False
        self._stop_listening = self._listen_to(images.credentials)
        self.view = LibraryView(images, self._show, self._leave, self._ask_to_sign_in)
        super().__init__([self.view])

    def __repr__(self) -> str:
        return repr(self.view)

    def sign_in(self, auth: str | Credentials) -> None:
        """Go on with a new token or new credentials: the list, thumbnails, and uploads that wait for it.

        Raises
        ------
        SignInError
            If it can't be a token.
        """
        self.images.sign_in(auth)
        self._arrange(asks=False)
        self.view.signed_in()

    def refresh(self) -> None:
        """List the images anew. Returns at once."""
        self.view.refresh()

    def upload(self, *paths: str | Path) -> None:
        """Upload files, as the button does. Returns at once; the widget shows how far they are."""
        for path in paths:
            self.view.uploads.add(Path(path).expanduser())

    def show_on_sky(self, image: LibraryImage | str) -> ImageDraft:
        """Show an image in a preview below the grid, as the button does. Returns its draft when it is there.

        Parameters
        ----------
        image : LibraryImage or str
            The image, or its id.

        Raises
        ------
        ApiError
            If it can't be downloaded.
        SourceError
            If it is no image that WWT can draw.
        StoppedError
            If another image is asked for meanwhile.
        """
        return self._made("sky", self._found(image))

    def use_in_draft(self, image: LibraryImage | str) -> ImageDraft:
        """A draft with the library's address as image URL, shown in a preview and a form. Raises as `show_on_sky`."""
        return self._made("draft", self._found(image))

    def close(self) -> None:
        """Close the library: what is under way is broken off, and what was shown below is closed too."""
        if hasattr(self, "view"):  # one whose client was refused has none
            self._stop_listening()
            self._leaving.set()
            self._arrange(shown=[], asks=False)
            self.view.close()
            if self._signing is not None:
                self._signing.close()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None
        super().close()

    def _found(self, image: LibraryImage | str) -> LibraryImage:
        """The record as the list has it, which knows the address."""
        id = image if isinstance(image, str) else image.id
        found = self.view.rows.get(id)
        if found is None or not found.url:
            self.view.rows.set_all(self.images.list())
            found = self.view.rows.get(id)
        if found is None:
            raise SourceError(f"There is no image {id[:60]!r} in the library: list it again.")
        return found

    def _show(self, kind: str, image: LibraryImage) -> None:
        """The page has asked; runs in a thread of its own."""
        try:
            self._made(kind, self._found(image))
        except StoppedError:
            pass  # the user wants another one, or none
        except ConstellationsError as error:
            self.view.say(note=self.view.failed(error), url="")
        except Exception as error:  # a bug of ours has to be said, too
            self.view.say(busy="", note=f"{type(error).__name__}: {error}", url="")

    def _made(self, kind: str, image: LibraryImage) -> ImageDraft:
        draft, words = self._fetched(image)
        self.draft, self.preview = draft, Preview(draft)
        shown: list[Any] = [self.preview]
        if kind == "draft":
            shown.append(ImageForm(draft))
            words += f" {_PUBLIC}"
        self._arrange(shown=shown)
        where = "The draft is below, and in Python it is library.draft." if kind == "draft" else "It is below."
        self.view.say(note=f"{image.name[:60]!r}: {where} {words}", url=image.url if kind == "draft" else "")
        return draft

    def _fetched(self, image: LibraryImage) -> tuple[ImageDraft, str]:
        """A draft of an image and what has to be said of its place. Whoever asks for another image meanwhile, or for none, gets
        nothing of this one: StoppedError."""
        with self._arranging:
            self._leave()
            leaving = self._leaving = threading.Event()
            self._folder = self._folder or tempfile.TemporaryDirectory(
                prefix="cxw-library-", ignore_cleanup_errors=True
            )
        told = ""

        def tell(progress: Progress | None = None) -> None:
            nonlocal told
            percent = 100 * progress.done // progress.total if progress and progress.total else 0
            words = f"Getting {image.name[:60]!r} …{f' {percent} %' if percent else ''}"
            if words != told and not leaving.is_set():
                told = words
                self.view.say(busy=words)

        self.view.say(note="", url="")
        tell()
        try:
            fetched = draft_of_image(self.images, image, Path(self._folder.name), progress=tell, stop=leaving)
        except ConstellationsError:
            if not leaving.is_set():
                self.view.say(busy="")
                raise
        if leaving.is_set():
            raise StoppedError(f"{image.name[:60]!r} is not shown: another image was asked for meanwhile, or none.")
        self.view.say(busy="")
        return fetched

    def _leave(self) -> None:
        """Do not wait for the image that is being fetched."""
        self._leaving.set()
        self.view.say(busy="")

    def _ask_to_sign_in(self) -> None:
        """The server does not believe the sign-in: whoever signs in below goes on where the library was stopped."""
        with self._arranging:
            if self._signing is None:
                self._signing = SignIn(images_url=self.images.base_url)
                self._listen_to(self._signing.credentials)
        self._arrange(asks=True)

    def _listen_to(self, session: Any) -> Callable[[], None]:
        """Go on once somebody has signed in to `session`, if it is one. Returns what ends that."""
        if not isinstance(session, Session):
            return lambda: None

        def changed() -> None:
            if self._asks_to_sign_in and session.has_token:
                self.sign_in(session)

        return session.on_change(changed)

    def _arrange(self, *, shown: list[Any] | None = None, asks: bool | None = None) -> None:
        """What is below the grid: the sign-in while it is needed, and the latest image."""
        with self._arranging:
            before = self._shown
            self._shown = before if shown is None else shown
            self._asks_to_sign_in = self._asks_to_sign_in if asks is None else asks
            signing = [self._signing] if self._asks_to_sign_in else []
            self.children = (self.view, *signing, *self._shown)
        for widget in before:
            if widget not in self._shown:
                widget.close()
