"""What a form on a published image says of saving it: what has changed, a last look, progress, what became of it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ConflictError, ConstellationsError, DraftError, UnclearError
from ..publishing.published import EDITABLE, PublishedImage
from .draft_widget import for_page

_CHANGED = "The form has changed since it was looked at: press Save changes again."
_NOTHING_LEFT = "There is nothing left to save: the server has it as it stands here."
_NOT_YOURS = "This account may not change the image: sign in as its owner, @{}."
_NOTHING = {"message": "", "progress": "", "review": None, "result": [], "unclear": False}


class Saving:
    """The state of saving one image from one form. All of it may be called in any thread.

    Parameters
    ----------
    image : PublishedImage
        What is edited.
    show : callable
        Given each new state, for the page: see js/form/saving_status.ts.
    """

    def __init__(self, image: PublishedImage, show: Callable[[dict[str, Any]], None]):
        self._image, self._show = image, show
        self._asked: dict[str, str] | None = None  # what the review that is shown would send
        self._edits = 0
        self._lock = threading.RLock()
        self._busy = threading.Lock()  # held while a worker talks to the server: one click, one request
        self._place = {
            "id": image.id,
            "handle": image.handle,
            "api_url": image.client.api_url,
            "record_url": image.record_url,
            "wtml_url": image.wtml_url if image.record.storage.legacy_url_template else "",
        }
        self.status = self._status("editing")

    def review(self) -> None:
        """Read the image again, and show what would be saved."""
        self._work("reading", f"Asking {self._place['api_url']} how the image is now …", self._review)

    def confirm(self, ticket: Any) -> None:
        """Save what the review with this ticket shows."""
        with self._lock:
            review, asked = self.status["review"], self._asked
        if review and asked and review["ticket"] == ticket:
            self._work("saving", "Saving, then looking whether it was saved …", lambda: self._save(asked))

    def cancel(self) -> None:
        """Go back to the form."""
        with self._lock:
            if self.status["phase"] in ("review", "failed", "saved"):
                self._set("editing")

    def revert(self) -> None:
        """Undo all changes that are not saved."""
        if not self._image.locked:
            self._image.revert()

    def image_changed(self, changed: Iterable[str]) -> None:
        """Somebody has changed the image, or the server has told how it is."""
        edited = not frozenset(EDITABLE).isdisjoint(changed)
        with self._lock:
            self._edits += edited
            phase = self.status["phase"]
            if edited and phase in ("review", "saved", "failed"):
                self._set("editing", message=_CHANGED if phase == "review" else "")
            else:
                self._set(phase, **{name: self.status[name] for name in _NOTHING})

    def _work(self, phase: str, progress: str, action: Callable[[], None]) -> None:
        if not self._busy.acquire(blocking=False):
            return

        def run() -> None:
            try:
                action()
            except DraftError as error:
                self._set("editing", message=str(error).partition("\n")[0].rstrip(":") + ".")
            except ConstellationsError as error:
                unclear = isinstance(error, UnclearError) and self._image.saved is None
                self._set("failed", message=str(error), result=self._result(), unclear=unclear)
            except Exception as error:  # a bug of ours: the page has to say so rather than wait for ever
                self._set("failed", message=f"{type(error).__name__}: {error}")
            finally:
                self._busy.release()

        self._set(phase, progress=progress)
        threading.Thread(target=run, name="constellations-save", daemon=True).start()

    def _review(self) -> None:
        self._show_review(self._image.reload())

    def _show_review(self, meanwhile: Iterable[str], message: str = "") -> None:
        edits, changes = self._edits, self._image.changes
        asked = self._image.outgoing()
        rows = [
            {
                "path": path,
                "before": for_page(changes[path].before),
                "after": text,
                "meanwhile": path in meanwhile,
            }
            for path, text in asked.items()
        ]
        theirs = [{"path": path, "now": for_page(self._image[path])} for path in meanwhile if path not in asked]
        with self._lock:
            if edits != self._edits:
                self._set("editing", message=_CHANGED)
            elif not rows:
                self._set("editing", message=_NOTHING_LEFT)
            else:
                self._asked = asked
                review = {"ticket": uuid.uuid4().hex, "rows": rows, "theirs": theirs}
                self._set("review", review=review, message=message)

    def _save(self, asked: Mapping[str, str]) -> None:
        if self._image.outgoing() != asked:
            self._set("editing", message=_CHANGED)
            return
        before = {path: change.before for path, change in self._image.changes.items()}
        try:
            self._image.save()
        except ConflictError as error:
            now = {path: change.before for path, change in self._image.changes.items()}
            others = [path for path in before if now.get(path, before[path]) != before[path]]
            self._show_review(others, str(error))
            return
        self._set("saved", result=self._result())

    def _result(self) -> list[dict[str, Any]]:
        return [outcome._asdict() for outcome in self._image.saved or ()]

    def _set(self, phase: str, **more: Any) -> None:
        with self._lock:
            self._asked = self._asked if phase == "review" else None
            self.status = self._status(phase, **more)
            self._show(self.status)

    def _status(self, phase: str, **more: Any) -> dict[str, Any]:
        blocked = "" if self._image.may_edit else _NOT_YOURS.format(self._image.handle)
        changed = list(self._image.changes)
        return {"phase": phase, "changed": changed, "blocked": blocked, "place": self._place, **_NOTHING, **more}
