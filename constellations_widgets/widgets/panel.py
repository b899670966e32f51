"""The whole panel in one line: preview, form and publisher on one draft."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipywidgets import HTML, VBox

from ..draft import ImageDraft
from ..errors import SourceError
from .draft_widget import in_words
from .form import ImageForm
from .preview import Preview
from .publisher import Publisher

if TYPE_CHECKING:
    from ..api import Constellations

_READERS = {
    ".wtml": ImageDraft.from_wtml,
    ".xml": ImageDraft.from_wtml,
    ".fits": ImageDraft.from_fits,
    ".fit": ImageDraft.from_fits,
    ".fts": ImageDraft.from_fits,
    ".gz": ImageDraft.from_fits,
    ".jpg": ImageDraft.from_image,
    ".jpeg": ImageDraft.from_image,
    ".png": ImageDraft.from_image,
    ".json": ImageDraft.load,
}


class PublishPanel(VBox):
    """Preview, form and publisher of one draft, one below the other.

    Attributes
    ----------
    draft : ImageDraft
    preview : Preview
    form : ImageForm
    publisher : Publisher
    """

    def __init__(self, draft: ImageDraft, client: Constellations, handle: str, note: str = ""):
        self.draft = draft
        self.preview, self.form = Preview(draft), ImageForm(draft)
        self.publisher = Publisher(draft, client, handle, self.preview)
        shown = [HTML(note)] if note else []
        super().__init__([*shown, self.preview, self.form, self.publisher])

    def __repr__(self) -> str:
        return in_words(self, self.draft)

    def close(self) -> None:
        """Close the panel and its parts: none of them follows the draft any more."""
        for part in self.children:
            part.close()
        super().close()

    @property
    def receipt(self) -> Any:
        """The receipt, once the image is published."""
        return self.draft.receipt


def publish(source: Any, client: Constellations | None = None, handle: str | None = None) -> PublishPanel:
    """Preview an image, describe it, see what is wrong, publish it: the whole panel.

    Parameters
    ----------
    source : ImageDraft, str, Path or wwt_data_formats object
        A draft, a file (WTML, FITS, JPEG, PNG, a saved draft), a folder that toasty wrote, WTML text, or an ImageSet, Place or Folder.
    client : Constellations, optional
        Where to publish. Without one a sandbox is started on this machine: nothing leaves it.
    handle : str, optional
        Under which handle; needed with a client.

    Returns
    -------
    PublishPanel
        A widget with `draft`, `receipt` and the three widgets as attributes.

    Raises
    ------
    SourceError
        When no draft can be made of `source`.
    ValueError
        When there is a client but no handle.
    """
    draft = source if isinstance(source, ImageDraft) else _draft_of(source)
    if client is not None:
        if not handle:
            raise ValueError("publish() needs the handle under which to publish: publish(source, client, handle='…')")
        return PublishPanel(draft, client, handle)
    from ..sandbox import running_sandbox

    box = running_sandbox()
    note = "This is a <b>sandbox</b> on this machine: nothing that you publish here leaves it."
    return PublishPanel(draft, box.client(), handle or box.handle, note)


def _draft_of(source: Any) -> ImageDraft:
    if hasattr(source, "to_xml"):
        return ImageDraft.from_imageset(source)
    if isinstance(source, str) and source.lstrip().startswith("<"):
        return ImageDraft.from_wtml(source)
    try:
        path = Path(source).expanduser()
        is_folder = path.is_dir()
    except TypeError:
        raise SourceError(
            f"No draft can be made of a {type(source).__name__}: give a file, WTML, or an ImageDraft"
        ) from None
    except (OSError, RuntimeError) as error:  # a name that no file can have, or "~somebody" of whom there is no home
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{str(source)[:200]!r} can't be read: {reason}") from None
    if is_folder:
        return ImageDraft.from_wtml(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SourceError(f"No draft can be made of {path.name}: give a WTML, FITS, JPEG or PNG file")
    return reader(path)
