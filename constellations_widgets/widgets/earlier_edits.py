"""Edits of the same image that an earlier form kept and that were neither published nor saved: shown again, and undoable."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..autosave import flush_all, read_draft_file
from ..errors import ConstellationsError
from ..schema.fields import fields
from .base import to_page
from .protocol.drafts import EarlierField, EarlierState

if TYPE_CHECKING:
    from ..draft import ImageDraft
    from ..publishing.published import PublishedImage

NONE, RESTORED, DISCARDED, OFFERED = "", "restored", "discarded", "offered"


class EarlierEdits:
    """What was typed earlier into a form of this image.

    A field is restored at once if its source says the same as when it was typed: the cell was run again, or the kernel
    restarted. Otherwise the earlier value is only offered. Restoring and discarding spare what was typed since.

    Parameters
    ----------
    draft : ImageDraft or PublishedImage
        The image, before it is shown.
    """

    def __init__(self, draft: ImageDraft | PublishedImage):
        self._draft = draft
        self._saved = ""
        self._phase: Any = NONE
        self._before: dict[str, Any] = {}  # by path: as the draft has it without the earlier edits
        self._after: dict[str, Any] = {}  # by path: the earlier edits
        if draft.locked:
            return
        with contextlib.suppress(OSError):
            flush_all()  # the form of a cell that is run again was edited a moment ago
        seen: set[str] = set()  # a field that a newer file speaks of is as that file says
        for path in draft.earlier:
            with contextlib.suppress(ConstellationsError):
                if self._read(read_draft_file(path), seen):
                    return

    def state(self) -> EarlierState:
        """Return the notice for the page; empty if there is nothing to say."""
        if self._phase == NONE:
            return {}
        names: list[EarlierField] = [
            {
                "path": path,
                "title": fields()[path].title,
                "before": to_page(self._before[path]),
                "after": to_page(value),
            }
            for path, value in self._after.items()
        ]
        return {"phase": self._phase, "saved": self._saved, "fields": names}

    def restore(self) -> None:
        """Apply the earlier edits, but not to fields that were changed since they were offered or discarded."""
        if self._phase in (DISCARDED, OFFERED):
            self._exchange(self._before, self._after)
            self._phase = RESTORED

    def discard(self) -> None:
        """Take the earlier edits back, but not in fields that were changed since; dismiss what was only offered."""
        if self._phase == RESTORED:
            self._exchange(self._after, self._before)
            self._phase = DISCARDED
            self._delete()
        elif self._phase == OFFERED:
            self._phase = NONE

    def drop(self) -> None:
        """Delete the file of edits that were restored: they are published or saved now."""
        if self._phase == RESTORED:
            self._delete()
            self._phase = NONE

    def _read(self, content: dict[str, Any], seen: set[str]) -> bool:
        """Take the edits of one file; return whether it has any."""
        now, bases = self._draft.values, content.get("bases") or {}
        typed = {name: value for name, value in _typed(content).items() if name in now and name not in seen}
        seen.update(typed)
        self._after = {name: value for name, value in typed.items() if value != now[name]}
        if not self._after:
            return False
        self._saved = str(content.get("saved", ""))
        self._before = {name: now[name] for name in self._after}
        as_then = all(name in bases and bases[name] == now[name] for name in self._after)
        self._phase = OFFERED
        if as_then:
            self.restore()
        return True

    def _delete(self) -> None:
        """Delete the files that hold nothing but these edits: each run of a cell leaves one."""
        for path in self._draft.earlier:
            with contextlib.suppress(ConstellationsError, OSError):
                if _typed(read_draft_file(path)).items() <= self._after.items():
                    path.unlink(missing_ok=True)

    def _exchange(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        now = self._draft.values
        self._draft.edit({path: new[path] for path, value in old.items() if now[path] == value})


def _typed(content: dict[str, Any]) -> dict[str, Any]:
    return {name: content["values"].get(name) for name in content.get("typed", ())}
