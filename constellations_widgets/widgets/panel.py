"""The whole panel in one line: preview, form and publisher of one draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ipywidgets import VBox

from ..draft import ImageDraft
from ..errors import ConstellationsError
from .base import placeholder_of
from .file_hosting import sandbox_of
from .form import ImageForm
from .lifetime import close_with_models
from .preview import Preview
from .preview.embedded import SavedOutput
from .publish_source import draft_of
from .publisher import Publisher
from .sign_in import SignIn
from .worker import Worker, format_error

if TYPE_CHECKING:
    from ..api import Constellations
    from ..publishing.published import PublishedImage
    from ..schema.records import Receipt


class PublishPanel(SavedOutput, VBox):
    """Preview, form and publisher of one draft as one panel: the sky beside the steps, the button below both.

    The parts are widgets of their own; js/panel/panel.css lays them out by the panel's own width.

    Attributes
    ----------
    draft : ImageDraft
    preview : Preview
    form : ImageForm
    publisher : Publisher
    """

    def __init__(self, draft: ImageDraft, client: Constellations, handle: str, sandbox: Any = None):
        self.draft = draft
        self._sign_in = _sign_in_for(client, handle)
        self._client = client = self._sign_in.client() if self._sign_in else client
        self._edit: ImageForm | None = None
        self._worker = Worker("edit", self._edit_failed)
        self.form = ImageForm(draft, sandbox)  # first: it restores earlier edits
        self.preview = Preview(draft)
        self.publisher = Publisher(draft, client, handle, self.preview)
        for part, name in ((self.preview, "sky"), (self.form, "form"), (self.publisher, "publish")):
            part.add_class(f"cxw-panel-{name}")
        self.form.on_placed = self.preview.go_to_image
        self.form.on_solution = self.preview.show_solution
        self.publisher.offer_edit(lambda receipt: self._worker.start(lambda _job: self._open_edit(receipt)))
        super().__init__(self._parts())
        self.add_class("cxw-panel")
        if self._sign_in is not None:
            self._sign_in.add_class("cxw-panel-sign-in")
            self._stop_listening = client.on_account_change(self._arrange)

    def __repr__(self) -> str:
        return placeholder_of(self, self.draft)

    def _embedded(self) -> tuple[ImageDraft | PublishedImage | None, str, str]:
        return self.preview._embedded()

    def close(self) -> None:
        """Close the panel and its parts, which stop following the draft."""
        if self._sign_in is not None:
            self._stop_listening()
        for part in filter(None, (self.preview, self.form, self.publisher, self._edit, self._sign_in)):
            close_with_models(part)
        super().close()

    def _parts(self) -> tuple[Any, ...]:
        """Return what is shown now: the sign-in while it is needed, and the form of the image once it is published and edited."""
        signing_in = self._sign_in if self._sign_in and not self._client.signed_in else None
        return tuple(filter(None, (signing_in, self.preview, self._edit or self.form, self.publisher)))

    def _arrange(self) -> None:
        self.children = self._parts()

    def _open_edit(self, receipt: Receipt) -> None:
        """Show the form of the published image in place of the draft's."""
        if self._edit is None:
            from ..publishing.published import PublishedImage

            self._edit = ImageForm(PublishedImage(self._client, receipt))
            self._edit.add_class("cxw-panel-form")
            self._edit.add_class("cxw-panel-edit")
            self._arrange()
        else:  # back to the receipt
            edit, self._edit = self._edit, None
            self._arrange()
            close_with_models(edit)
        self.publisher.show_editing(self._edit is not None)

    def _edit_failed(self, error: Exception) -> None:
        self.publisher.show_editing(False, f"The image can't be edited now. {format_error(error)}")

    @property
    def _is_viewed(self) -> bool:
        return any(part._is_viewed for part in (self.preview, self.form, self.publisher))

    @property
    def receipt(self) -> Any:
        """Receipt of the image; None before it is published."""
        return self.draft.receipt


def _sign_in_for(client: Constellations, handle: str) -> SignIn[Constellations] | None:
    """Return a widget that signs in a client without credentials; None if it has some, or its server has no known sign-in."""
    if client.has_credentials:
        return None
    try:
        return SignIn(client.api_url, handle=handle)
    except ConstellationsError:
        return None


def publish(source: Any, client: Constellations | None = None, handle: str | None = None) -> PublishPanel:
    """Show the whole panel: preview an image, describe it, see its problems, publish it.

    Parameters
    ----------
    source : ImageDraft, str, Path or wwt_data_formats object
        A draft, a file (WTML, WWTL, FITS, JPEG, PNG, TIFF, a saved draft), a folder that toasty wrote, WTML text or its web address,
        or an ImageSet, Place or Folder. A picture without a placement is opened, and the Position step asks for it.
    client : Constellations, optional
        Where to publish. By default the sandbox that runs already, as `running_sandbox` finds it, else one that is started on this
        machine: nothing leaves it.
    handle : str, optional
        Handle under which to publish; needed with a client.

    Returns
    -------
    PublishPanel
        A widget with `draft`, `receipt` and the three widgets as attributes.

    Raises
    ------
    SourceError
        If no draft can be made of `source`.
    ValueError
        If there is a client but no handle.

    Examples
    --------
    >>> cxw.publish("m51.fits")
    >>> cxw.publish(draft, client, handle)
    """
    draft = source if isinstance(source, ImageDraft) else draft_of(source)
    if client is not None:
        if not handle:
            raise ValueError("publish() needs the handle under which to publish: publish(source, client, handle='…')")
        return PublishPanel(draft, client, handle, sandbox_of(client))
    from ..sandbox import running_sandbox

    box = running_sandbox()
    return PublishPanel(draft, box.client(), handle or box.handle, box)
