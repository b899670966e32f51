"""Saving a published image from a form: what has changed, a review, progress, and the outcome of each field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import runtime
from ..errors import ConflictError, ConstellationsError, DraftError, UnclearError
from ..publishing.published import EDITABLE, PublishedImage
from .base import to_page
from .protocol.drafts import SavingOutcome, SavingRow, SavingState
from .review import FAILED, NO_CHANGES, REVIEW, ReviewFlow
from .worker import Job

_NOT_OWNER = "This account may not change the image: sign in as its owner, @{}."


class Saving(ReviewFlow[Mapping[str, str]]):
    """The state of saving one image from one form.

    Parameters
    ----------
    image : PublishedImage
        The image that is edited.
    show : callable
        Called with each new state, for the page.
    """

    PREPARING, SENDING, DONE = "reading", "saving", "saved"
    sending_text = "Saving, then verifying …"
    changed_text = "The form has changed since the review: press Save changes again."

    def __init__(self, image: PublishedImage, show: Callable[[SavingState], object]):
        super().__init__("save", lambda: show(self.status()))
        self._image = image
        self._result: list[SavingOutcome] = []
        self._is_unclear = False
        self.preparing_text = f"Reading the image from {image.client.api_url} …"

    @property
    def account(self) -> str:
        """Name of the account that saves."""
        return self._image.client.username

    def status(self) -> SavingState:
        """Return the state for the page."""
        image = self._image
        return {
            "phase": self.phase,
            "changed": list(image.changes),
            "blocked": "" if image.may_edit else _NOT_OWNER.format(image.handle),
            "message": self.message,
            "progress": self.progress,
            "review": self.review,
            "result": self._result,
            "unclear": self._is_unclear,
            "place": {
                "id": image.id,
                "handle": image.handle,
                "api_url": image.client.api_url,
                "record_url": image.record_url,
                "wtml_url": image.wtml_url if image.record.storage.legacy_url_template else "",
            },
        }

    def cancel(self) -> None:
        """Go back to the form. Saving itself is not cancelled."""
        with self.lock:
            if self.phase in (REVIEW, FAILED, self.DONE):
                self._reset()

    def on_account_change(self) -> None:
        """Leave a review that another account would send, and ask the server whether this one may change the image."""
        super().on_account_change()
        runtime.start_thread("account", self._image.check_may_edit)

    def revert(self) -> None:
        """Discard all changes that are not saved."""
        if not self._image.locked:
            self._image.revert()

    def on_image_change(self, changed: Iterable[str]) -> None:
        """Update the state after a change of the image, by the user or after reading it again."""
        with self.lock:
            if frozenset(EDITABLE).isdisjoint(changed):
                self._show()
            else:
                self.invalidate()
                if self.phase in (self.DONE, FAILED):
                    self._reset()
                else:
                    self._show()

    def _prepare(self, _job: Job) -> None:
        self._offer_changes(self._image.reload())

    def _offer_changes(self, meanwhile: Iterable[str], message: str = "") -> None:
        """Show a review of the changes; `meanwhile` names the fields that others have changed."""
        edits, changes = self._edits, self._image.changes
        after = self._image.outgoing()
        if not after:
            self._reset(NO_CHANGES)
            return
        rows: list[SavingRow] = [
            {"path": path, "before": to_page(changes[path].before), "after": text, "meanwhile": path in meanwhile}
            for path, text in after.items()
        ]
        theirs = [path for path in meanwhile if path not in after]
        self._offer(edits, after, {"rows": rows, "theirs": theirs}, message)

    def _send(self, _job: Job, after: Mapping[str, str]) -> None:
        if self._image.outgoing() != after:
            self._reset(self.changed_text)
            return
        before = {path: change.before for path, change in self._image.changes.items()}
        try:
            self._image.save()
        except ConflictError as error:
            now = {path: change.before for path, change in self._image.changes.items()}
            others = [path for path in before if now.get(path, before[path]) != before[path]]
            self._offer_changes(others, str(error))
            return
        self._finish(self.DONE)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, DraftError):
            self._reset(str(error).partition("\n")[0].rstrip(":") + ".")
        elif isinstance(error, ConstellationsError):
            is_unclear = isinstance(error, UnclearError) and self._image.saved is None
            self._finish(FAILED, str(error), is_unclear=is_unclear)
        else:
            super()._on_error(error)

    def _finish(self, phase: str, message: str = "", *, is_unclear: bool = False) -> None:
        self._result = [
            {"field": it.field, "before": it.before, "asked": it.asked, "now": it.now, "made": it.made}
            for it in self._image.saved or ()
        ]
        self._is_unclear = is_unclear
        self._set(phase, message=message)

    def _set(self, phase: str, **more: Any) -> None:
        with self.lock:
            if phase not in (FAILED, self.DONE):
                self._result, self._is_unclear = [], False
            super()._set(phase, **more)
