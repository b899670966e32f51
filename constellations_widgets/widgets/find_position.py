"""Find the position of a draft's image by its stars, from a page: search, show, then accept or discard.

Index files are downloaded, and nova.astrometry.net is asked, only after a click that names size, source and what is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..auth.credentials import Secret
from ..errors import ConstellationsError
from ..solving import nova
from .placement_search import Proposal
from .protocol.drafts import SolvingState
from .star_search import StarSearch, described, parsed_hints, typed_hints

if TYPE_CHECKING:
    from ..draft import ImageDraft
    from ..solving.solution import Solution
    from .base import Message
    from .worker import Job


class FindPosition(StarSearch):
    """The search for a draft's position in the Position step of its form; nothing is changed before "Accept".

    Parameters
    ----------
    draft : ImageDraft
    show : callable
        Called with the state at every change, from any thread.
    show_solution : callable
        Called with a solution that waits for a decision, and with None after it.
    """

    messages = (
        "solve",
        "solve_cancel",
        "solve_accept",
        "solve_discard",
        "solve_undo",
        "solve_download",
        "solve_key",
        "solve_forget_key",
    )

    def __init__(
        self,
        draft: ImageDraft,
        show: Callable[[SolvingState], object],
        show_solution: Callable[[Solution | None], object],
    ):
        self._draft, self._show, self._show_solution = draft, show, show_solution
        self._proposal: Proposal[Solution] = Proposal(draft.accept, show_solution)
        self._before: dict[str, Any] = {}  # values that "Undo" restores
        state: SolvingState = {
            "phase": "idle",
            "blocked": self._blocked(),
            "near": "",
            "width": "",
            "progress": 0.0,
            "message": "",
            "found": None,
            "offer": "",
            "size": "",
            "has_key": False,
            "sent": nova.SENT,
        }
        super().__init__("find-position", state)

    def on_message(self, message: Message) -> None:
        """Handle a message from the page."""
        kind = message.get("kind")
        if kind == "solve_cancel":
            self._cancel()
        elif not self._draft.locked:
            actions: dict[str, Callable[[], object]] = {
                "solve": lambda: self._begin(message),
                "solve_accept": self._accept,
                "solve_discard": self._discard,
                "solve_undo": self._undo,
                "solve_download": self._begin_download,
                # A keyring that is locked can take seconds to answer.
                "solve_key": lambda: runtime.start_thread("find-position-key", self._read_key),
                "solve_forget_key": lambda: runtime.start_thread("find-position-key", self._forget_key),
            }
            actions[str(kind)]()

    def on_placed(self) -> None:
        """Drop a solution that waits, and the undo, because the image was placed otherwise."""
        if not self._proposal.is_placing and self.state["phase"] in ("found", "accepted"):
            self._discard()

    def _blocked(self) -> str:
        local = self._draft.local
        if local is None:
            return "The image's file is not on this machine."
        if local.tiled and local.pixels is None:
            return "This image is cut into tiles: find the position of the picture that they were cut from."
        return ""

    def _begin(self, message: Message) -> None:
        near, width = typed_hints(message)
        online, typed = message.get("online") is True, str(message.get("key") or "").strip()
        key = Secret(typed) if typed else None
        self._start(lambda job: self._search(job, near, width, online, key), near=near, width=width)

    def _start(self, run: Callable[[Job], object], **changes: Any) -> None:
        with self._lock:
            if self._worker.start(run) is None:
                return
            self._forget()
            self._update(phase="running", progress=0.0, message="Starting", found=None, offer="", size="", **changes)

    def _read_key(self) -> None:
        self._update(has_key=nova.known_key() is not None)

    def _forget_key(self) -> None:
        nova.nova_key(None)
        self._read_key()

    def _search(self, job: Job, near: str, width: str, online: bool = False, key: Secret | None = None) -> None:
        from ..solving.solver import find_position_of, result_unless

        if key is not None:
            nova.nova_key(key)
            self._update(has_key=True)
        hints = parsed_hints(near, width)
        solving = find_position_of(self._draft.local, progress=self._on_progress, online=online, **hints)
        solution = result_unless(solving, job.cancelled)
        with self._lock:
            self._require_wanted(job)
            self._proposal.found = solution
            self._update(phase="found", found=described(solution), message="", progress=1.0)
        self._proposal.show()

    def _accept(self) -> None:
        before = dict(self._draft.values)
        try:
            solution = self._proposal.accept()
        except ConstellationsError as error:
            self._update(phase="failed", message=str(error), found=None)
            return
        if solution is not None:
            after = self._draft.values
            self._before = {path: value for path, value in before.items() if after[path] != value}
            self._update(phase="accepted", message=f"Placed by {len(solution.stars)} stars.", found=None)

    def _discard(self) -> None:
        with self._lock:
            self._forget()
            self._update(phase="idle", message="", found=None)
        self._proposal.show()

    def _undo(self) -> None:
        with self._lock:
            before, self._before = self._before, {}
            accepted = self.state["phase"] == "accepted"
        if accepted:
            self._draft.edit(before)
            self._discard()

    def _forget(self) -> None:
        self._proposal.found, self._before, self._offer = None, {}, None

    def _show_state(self) -> None:
        self._show(self.state)
