"""The form: every field of a draft or a published image, with its problems at it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import traitlets

from ..checks.types_and_limits import number_meant
from ..draft import ImageDraft
from ..errors import CreditsError
from ..geometry.transforms import PLACED
from ..schema.credits import clean_credits, credits_tree
from ..schema.fields import fields
from ..schema.license import license_choices
from .base import DraftWidget, Fields, Message, require_draft, synced_dict
from .earlier_edits import EarlierEdits
from .file_hosting import FileHosting
from .find_position import FindPosition
from .position_step import PositionStep
from .protocol.drafts import EarlierState, HostingState, KeptCredits, PositionState, SavingState, SolvingState
from .rpc import Response

if TYPE_CHECKING:
    from ..observable import CheckedFields
    from ..publishing.published import PublishedImage
    from ..solving.solution import Solution
    from .saving import Saving

PLACEMENT = frozenset({*PLACED, "wwt.bottoms_up", "wwt.projection", "wwt.tile_levels", "wwt.width_factor"})
"""Paths of all fields that say where an image lies."""


class CreditsWidget(DraftWidget[Fields]):
    """Base of the widgets with a field for the credits: they show them as the server will keep them."""

    kept_credits: KeptCredits = synced_dict()

    def _push(self, changed: frozenset[str]) -> None:
        with self._pushing, self.hold_sync():
            if "permissions.credits" in changed:
                self.kept_credits = kept_credits(self._draft)
            super()._push(changed)


class ImageForm(CreditsWidget["ImageDraft | PublishedImage"]):
    """A form in steps: position, title and description, rights and credit, files on the web, and the raw WWT fields.

    Parameters
    ----------
    draft : ImageDraft or PublishedImage
        What to describe. The form follows every change, and what is typed into the form is in the draft at once.
        The final fields of a published image are read-only, and the others are saved with a button.
    sandbox : Sandbox, optional
        A running sandbox, which the form offers as a place for the image's files.

    Examples
    --------
    >>> cxw.ImageForm(draft)
    """

    page = "form"
    paced = CreditsWidget.paced | {"place"}
    _file_hosting: FileHosting | None = None
    _finder: FindPosition | None = None
    _stop_listening: Callable[[], None] | None = None

    draft_id = traitlets.Unicode().tag(sync=True)
    fields = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    place: PositionState = synced_dict()
    earlier: EarlierState = synced_dict()
    saving: SavingState = synced_dict()  # of a published image: see `Saving`; empty for a draft
    hosting: HostingState = synced_dict()  # of a draft: see `FileHosting`; empty for a published image
    solving: SolvingState = synced_dict()  # of a draft: see `FindPosition`; empty for a published image

    def __init__(self, draft: ImageDraft | PublishedImage, sandbox: Any = None):
        require_draft(ImageForm, draft)
        self._saving: Saving | None = None
        self._earlier = EarlierEdits(draft)
        self._position = PositionStep(draft)
        self.on_placed: Callable[[], object] | None = None
        """Called when a number of the Position step has placed the image, so that a preview can follow it."""
        self.on_solution: Callable[[Solution | None], object] | None = None
        """Called with a position that was found, and with None once it is decided about, so that a preview can show it."""
        specs = [spec.to_json() for spec in fields().values()]
        traits: dict[str, Any] = {"fields": specs, "kept_credits": kept_credits(draft), "draft_id": draft.id}
        traits |= {"place": self._position.state(), "earlier": self._earlier.state()}
        messages: dict[str, Any] = {
            "restore": lambda _message: self._change_earlier(self._earlier.restore),
            "discard": lambda _message: self._change_earlier(self._earlier.discard),
        }
        if isinstance(draft, ImageDraft):
            messages |= {"place": self._on_place, "place_answer": self._on_place_answer}
            self._file_hosting = FileHosting(draft, functools.partial(self.set_trait, "hosting"), sandbox)
            messages |= dict.fromkeys(FileHosting.messages, self._file_hosting.on_message)
            traits["hosting"] = self._file_hosting.state
            self._finder = FindPosition(draft, functools.partial(self.set_trait, "solving"), self._show_solution)
            messages |= dict.fromkeys(FindPosition.messages, self._finder.on_message)
            traits["solving"] = self._finder.state
        else:
            from ..publishing.published import EDITABLE
            from .saving import Saving

            self._saving = saving = Saving(draft, functools.partial(self.set_trait, "saving"))
            messages |= dict.fromkeys(("review", "confirm", "cancel"), saving.on_message)
            messages["revert"] = lambda _message: saving.revert()
            traits["saving"] = saving.status()
            for spec in specs:
                spec["fixed"] = spec["path"] not in EDITABLE
        super().__init__(draft, messages=messages, requests={"licenses": licenses}, **traits)
        if self._saving and not isinstance(draft, ImageDraft):
            self._stop_listening = draft.client.on_account_change(self._saving.on_account_change)

    def _push(self, changed: frozenset[str]) -> None:
        with self._pushing, self.hold_sync():
            if not PLACEMENT.isdisjoint(changed):
                self.place = self._position.state()
                if self._finder:
                    self._finder.on_placed()
            super()._push(changed)

    def _track(self, changed: frozenset[str]) -> None:
        if self._saving:
            self._saving.on_image_change(changed)
        if self._is_done():
            self._earlier.drop()

    def _is_done(self) -> bool:
        """Return whether the draft is published, or the image saved: restored edits need not be shown again."""
        return bool(self._draft.receipt) if isinstance(self._draft, ImageDraft) else not self._draft.changes

    def _on_edit(self, message: Message) -> None:
        changes = dict(message["changes"])
        projection = changes.get("wwt.projection", self._draft["wwt.projection"])
        for path, value in changes.items():
            meant = number_meant(path, value, projection)
            changes[path] = value if meant is None else meant
        if not PLACEMENT.isdisjoint(changes):
            self._position.placed()
        super()._on_edit({**message, "changes": changes})

    def _on_place(self, message: Message) -> None:
        self._place(lambda: self._position.take(str(message.get("name")), message.get("value")))

    def _on_place_answer(self, _message: Message) -> None:
        self._place(self._position.answer)

    def _place(self, changes: Callable[[], dict[str, Any]]) -> None:
        with self._pushing:
            made = changes() if not self._draft.locked else {}
            self._draft.edit(made)
            self.place = self._position.state()
        if made and self.on_placed:
            self.on_placed()

    def _show_solution(self, solution: Solution | None) -> None:
        if self.on_solution:
            self.on_solution(solution)
        if self.on_placed:
            self.on_placed()

    def _change_earlier(self, change: Callable[[], None]) -> None:
        if not self._draft.locked:
            change()
            self.earlier = self._earlier.state()

    def close(self) -> None:
        """Close the widget, and cancel an upload or a search."""
        if self._file_hosting:
            self._file_hosting.close()
        if self._finder:
            self._finder.close()
        if self._stop_listening is not None:
            self._stop_listening()
        super().close()


def kept_credits(draft: CheckedFields) -> KeptCredits:
    """Return what the server will keep of a draft's credits, as text and as a tree."""
    written = draft.permissions.credits
    try:
        kept = clean_credits(written) if isinstance(written, str) else ""
        return {"text": kept, "tree": credits_tree(kept)}
    except CreditsError:
        return {"text": "", "tree": []}


def licenses(_request: Mapping[str, Any]) -> Response:
    """Respond to a page that asks which licenses there are."""
    return {"licenses": [choice._asdict() for choice in license_choices()]}, []
