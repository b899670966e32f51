"""Upload the files of a batch's images before its plan is made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...auth.credentials import Secret
from ...errors import PublishError
from ...hosting import HostingProfile, Outcome, host_all
from ...schema.placement import URL

if TYPE_CHECKING:
    from ...draft import ImageDraft

_SHOWN = 3  # failed uploads that a message names


class BatchHosting:
    """Where a batch's files go.

    Parameters
    ----------
    target : str, Path, HostingProfile or Sandbox
        As for `host_all`.
    public_url : str, optional
        Address of the target's folder.
    credentials : dict, optional
        Keys or a password of the service. Neither a repr nor a traceback shows them.
    **options
        Further arguments of `host_all`: ``mode``, ``options``.
    """

    def __init__(
        self,
        target: str | Path | HostingProfile | Any,
        public_url: str | None = None,
        credentials: Mapping[str, str] | None = None,
        **options: Any,
    ):
        self._target, self._public_url, self._options = target, public_url, options
        self._credentials = {name: Secret(value) for name, value in (credentials or {}).items()}

    def __str__(self) -> str:
        return str(getattr(self._target, "uploads_url", "") or getattr(self._target, "target", self._target))

    def upload(
        self, drafts: list[ImageDraft], tell: Callable[[int, int], Any], cancel: threading.Event | None = None
    ) -> str:
        """Upload the files of drafts and set their addresses; return what failed, as a sentence, or "".

        Parameters
        ----------
        drafts : list of ImageDraft
        tell : callable
            Called as ``tell(done, total)`` after each image. What it raises stops the uploads.
        cancel : threading.Event, optional
            Set it to stop the uploads that are under way, too.
        """
        cancel = cancel or threading.Event()

        def on_done(_outcome: Outcome, done: int, total: int) -> None:
            try:
                tell(done, total)
            except PublishError:
                cancel.set()

        options: dict[str, Any] = {**self._options, "cancel": cancel, "credentials": self._credentials}
        outcomes = host_all(drafts, self._target, self._public_url, on_done=on_done, **options)
        tell(len(outcomes), len(outcomes))
        failed = [f"{outcome.name}: {outcome.error}" for outcome in outcomes if outcome.error]
        more = f" And {len(failed) - _SHOWN} more." if len(failed) > _SHOWN else ""
        few = " ".join(failed[:_SHOWN])
        return f"{len(failed)} of {len(outcomes)} images were not uploaded. {few}{more}" if failed else ""


def is_waiting(draft: ImageDraft) -> bool:
    """Return whether a draft has files on this machine and no web address yet."""
    is_on_the_web = str(draft[URL] or "").lower().startswith(("https://", "http://"))
    return not draft.locked and draft.local is not None and not is_on_the_web
