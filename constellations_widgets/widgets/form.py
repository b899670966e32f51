"""The form: every field of a draft or a published image, with its problems at it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from ..autosave import read_draft_file
from ..draft import ImageDraft
from ..errors import ConstellationsError, CreditsError
from ..schema.credits import clean_credits, credits_tree
from ..schema.fields import fields
from ..schema.license import license_choices
from .answering import Answerer
from .draft_widget import DraftWidget, require_draft
from .static import built

if TYPE_CHECKING:
    from ..publishing.published import PublishedImage
    from .saving import Saving


class ImageForm(DraftWidget):
    """A form of the 13 WWT fields, copyright, credits, license, note, alternative text and image URL of a draft.

    Parameters
    ----------
    draft : ImageDraft or PublishedImage
        What to describe. Whoever changes it, the form follows; what is typed into the form is in the draft at once.
        Of a published image the fields that are fixed can only be read, and the others are saved by a button.
    """

    messages = DraftWidget.messages | {"restore", "forget", "review", "confirm", "cancel", "revert"}

    fields = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    kept_credits = traitlets.Dict().tag(sync=True)
    earlier = traitlets.Unicode().tag(sync=True)  # when earlier edits were saved, "" if there are none
    saving = traitlets.Dict().tag(sync=True)  # of a published image: see `Saving`; empty for a draft

    def __init__(self, draft: ImageDraft | PublishedImage):
        require_draft(ImageForm, draft)
        self._esm, self._css = built("form.js"), built("form.css")
        self._earlier_edits: dict[str, Any] = {}
        self._earlier_file: Path | None = None
        self._restored: Path | None = None  # the file whose edits are in this draft now
        self._saving: Saving | None = None
        specs = [spec.to_json() for spec in fields().values()]
        traits: dict[str, Any] = {"fields": specs, "kept_credits": kept_credits(draft)}
        if not draft.locked:
            traits["earlier"] = self._find_earlier(draft)
        if not isinstance(draft, ImageDraft):
            from ..publishing.published import EDITABLE
            from .saving import Saving

            self._saving = Saving(draft, self._show_saving)
            traits["saving"] = self._saving.status
            for spec in specs:
                spec["fixed"] = spec["path"] not in EDITABLE
        super().__init__(draft, **traits)
        self.on_msg(Answerer({"licenses": licenses}, self.send).receive)

    def _draft_changed(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        with self._showing, self.hold_sync():
            if "permissions.credits" in changed:
                self.kept_credits = kept_credits(draft)
            super()._draft_changed(draft, changed)

    def _keep_up(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        if self._saving:
            self._saving.image_changed(changed)
        if self._restored and (not draft.changes if self._saving else draft.receipt):
            # What was restored is published or saved now, and nothing to be offered again.
            with contextlib.suppress(OSError):
                self._restored.unlink(missing_ok=True)
            self._restored = None

    def _find_earlier(self, draft: ImageDraft | PublishedImage) -> str:
        """Remember what was typed into an earlier form of this image and is not in the draft; gives when that was saved."""
        for path in draft.earlier:
            try:
                content = read_draft_file(path)
            except ConstellationsError:
                continue
            values = draft.values
            typed = {name: content["values"].get(name) for name in content.get("typed", ()) if name in values}
            self._earlier_edits = {name: value for name, value in typed.items() if value != values[name]}
            if self._earlier_edits:
                self._earlier_file = path
                return str(content.get("saved", ""))
        return ""

    def _on_restore(self, _message: Mapping[str, Any]) -> None:
        self.earlier = ""
        self._restored = self._earlier_file
        self._draft.edit(self._earlier_edits)

    def _on_forget(self, _message: Mapping[str, Any]) -> None:
        self.earlier = ""

    def _show_saving(self, status: dict[str, Any]) -> None:
        self.saving = status

    def _on_review(self, _message: Mapping[str, Any]) -> None:
        if self._saving:
            self._saving.review()

    def _on_confirm(self, message: Mapping[str, Any]) -> None:
        if self._saving:
            self._saving.confirm(message.get("ticket"))

    def _on_cancel(self, _message: Mapping[str, Any]) -> None:
        if self._saving:
            self._saving.cancel()

    def _on_revert(self, _message: Mapping[str, Any]) -> None:
        if self._saving:
            self._saving.revert()


def kept_credits(draft: ImageDraft) -> dict[str, Any]:
    """What the server will keep of a draft's credits, as text and as a tree."""
    written = draft.permissions.credits
    try:
        kept = clean_credits(written) if isinstance(written, str) else ""
        return {"text": kept, "tree": credits_tree(kept)}
    except CreditsError:
        return {"text": "", "tree": []}


def licenses(_request: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    """The answer to a page that asks which licenses there are."""
    return {"licenses": [choice._asdict() for choice in license_choices()]}, []
