"""The form: every field of a draft, with its problems at it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from ..autosave import read_draft_file
from ..errors import ConstellationsError, CreditsError
from ..schema.credits import clean_credits, credits_tree
from ..schema.fields import fields
from ..schema.license import license_choices
from .answering import Answerer
from .draft_widget import DraftWidget, require_draft
from .static import built

if TYPE_CHECKING:
    from ..draft import ImageDraft


class ImageForm(DraftWidget):
    """A form of the 13 WWT fields, copyright, credits, license, note, alternative text and image URL of a draft.

    Parameters
    ----------
    draft : ImageDraft
        What to describe. Whoever changes it, the form follows; what is typed into the form is in the draft at once.
    """

    messages = DraftWidget.messages | {"restore", "forget"}

    fields = traitlets.List(trait=traitlets.Dict()).tag(sync=True)
    kept_credits = traitlets.Dict().tag(sync=True)
    earlier = traitlets.Unicode().tag(sync=True)  # when earlier edits were saved, "" if there are none

    def __init__(self, draft: ImageDraft):
        require_draft(ImageForm, draft)
        self._esm, self._css = built("form.js"), built("form.css")
        self._earlier_edits: dict[str, Any] = {}
        self._earlier_file: Path | None = None
        self._restored: Path | None = None  # the file whose edits are in this draft now
        specs = [spec.to_json() for spec in fields().values()]
        super().__init__(draft, fields=specs, kept_credits=kept_credits(draft), earlier=self._find_earlier(draft))
        self.on_msg(Answerer({"licenses": licenses}, self.send).receive)

    def _draft_changed(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        with self._showing, self.hold_sync():
            if "permissions.credits" in changed:
                self.kept_credits = kept_credits(draft)
            super()._draft_changed(draft, changed)

    def _keep_up(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        if draft.receipt and self._restored:  # what was restored is published now, and nothing to be offered again
            with contextlib.suppress(OSError):
                self._restored.unlink(missing_ok=True)

    def _find_earlier(self, draft: ImageDraft) -> str:
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
