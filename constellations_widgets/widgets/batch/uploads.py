"""Files of a batch on the web, in the table: upload those of all chosen images that have no address yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import PublishError
from ..file_hosting import Uploads, sandbox_of
from .hosting import BatchHosting, is_waiting

if TYPE_CHECKING:
    from ..base import Message
    from ..worker import Job
    from .run import BatchRun

GIVEN = "given"


class BatchUploads(Uploads):
    """Worker of the button "Upload files…" of a table of images.

    Parameters
    ----------
    run : BatchRun
        The images. The uploads are of those that are chosen, have files on this machine and no web address.
    show : callable
        As for `Uploads`; the state has `images`, too, their number.
    given : BatchHosting, optional
        The place that the batch was made with, which is offered first.
    """

    messages: ClassVar[frozenset[str]] = frozenset({"upload", "upload_cancel"})

    def __init__(self, run: BatchRun, show: Callable[[dict[str, Any]], object], given: BatchHosting | None = None):
        self._run, self._given = run, given
        self._waiting = {number for number, draft in enumerate(run.drafts) if is_waiting(draft)}
        super().__init__(show, None if given else sandbox_of(run.client))
        self.state["images"] = len(self._chosen())
        self._stop_listening = run.listen(self._on_change)

    def on_message(self, message: Message) -> None:
        """Carry out what the page asks for."""
        if message.get("kind") == "upload_cancel":
            self._worker.cancel()
        elif self._chosen() and not self._run.busy:
            self._begin_upload(message)

    def close(self) -> None:
        """Stop what is running."""
        self._stop_listening()
        super().close()

    def _chosen(self) -> list[int]:
        return sorted(self._waiting & self._run.chosen)

    def _on_change(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            if is_waiting(self._run.drafts[number]):
                self._waiting.add(number)
            else:
                self._waiting.discard(number)
        if len(self._chosen()) != self.state["images"]:
            self._update()

    def _blocked(self) -> str:
        if self._chosen():
            return ""
        return "No chosen image has files on this machine that are not on the web yet."

    def _places(self) -> list[dict[str, str]]:
        own = [{"id": GIVEN, "label": str(self._given)}] if self._given else []
        return [*own, *super()._places()]

    def _target(self, message: Message) -> tuple[Any, dict[str, str]]:
        if message.get("place") == GIVEN and self._given is not None:
            return self._given, {}
        return super()._target(message)

    def _update(self, **changes: Any) -> None:
        super()._update(images=len(self._chosen()), **changes)

    def _host(self, target: Any, job: Job, **arguments: Any) -> None:
        drafts = [self._run.drafts[number] for number in self._chosen()]
        place = target if isinstance(target, BatchHosting) else BatchHosting(target, **arguments)

        def tell(done: int, total: int) -> None:
            if job.cancelled.is_set():
                raise PublishError("The upload was cancelled; upload again to go on.")
            progress = {"text": f"{done:,} of {total:,} images uploaded", "done": done, "total": total}
            self._update(phase="uploading", progress=progress)

        tell(0, len(drafts))
        failed = place.upload(drafts, tell, job.cancelled)
        self._run.edits.touch()
        message = failed or f"The files of {len(drafts):,} image{'s' * (len(drafts) != 1)} are on the web."
        self._update(phase="failed" if failed else "done", message=message, progress=None)
