"""A scene of an image after its publication, reviewed before it is sent, as the image was."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ConstellationsError, JournalError, PublishError
from ..publishing import scene_of, send_scene
from ..publishing.delivery import Outgoing, find_published
from ..publishing.journal import default_journal
from ..schema.scenes import SceneReceipt
from .protocol.publishing import SceneReceiptState, SceneState
from .review import FAILED, REVIEW, ReviewFlow, request_review
from .worker import Job, start_thread

if TYPE_CHECKING:
    from ..api import Constellations
    from ..schema.records import Receipt
    from ..schema.scenes import SceneSubmission
    from .preview import Preview

NO_SCENE: SceneState = {
    "phase": "none",
    "progress": "",
    "waiting": False,
    "message": "",
    "review": None,
    "receipt": None,
    "preview": False,
}


class SceneOffer(ReviewFlow["SceneSubmission"]):
    """A scene that can be made of a published image.

    Parameters
    ----------
    client : Constellations
        Where to; signed in.
    preview : Preview or None
        Preview whose view the scene can have.
    show : callable
        Called from any thread with the state, a dict for JSON: ``phase`` is "none", "offer", "review", "sending", "failed",
        "unclear" or "made".
    """

    IDLE, DONE = "offer", "made"
    sending_text = "Creating the scene …"

    def __init__(self, client: Constellations, preview: Preview | None, show: Callable[[SceneState], object]):
        super().__init__("scene", lambda: show(self._status()))
        self.phase = "none"
        self._client, self._preview = client, preview
        self._image: Receipt | None = None
        self.receipt: SceneReceipt | None = None

    @property
    def image(self) -> Receipt:
        """Receipt of the image. Raises PublishError before it is published."""
        if self._image is None:
            raise PublishError("The image is not published yet.")
        return self._image

    def begin(self, image: Receipt) -> None:
        """Offer a scene of this image, once it is published. A scene that was made of it before is shown."""
        if self._image is None and image.api_url == self._client.api_url:
            self._image = image
            self._reset()
            start_thread("scene", self._find_earlier)

    def on_message(self, message: Mapping[str, Any]) -> None:
        """Handle a page's message: its ``action`` is one of `ReviewFlow`, or "another" for one more scene."""
        action = message.get("action")
        if action == "review" and self.phase in (self.IDLE, REVIEW, FAILED):
            self._review(message)
        elif action == "another" and self.phase == self.DONE:
            self._reset()
        elif action != "review":
            super().on_message(message)

    def _find_earlier(self) -> None:
        image = self.image
        with contextlib.suppress(JournalError):  # sending reports a journal that can't be used
            made = default_journal().scenes_of(image.api_url, image.handle, image.id)
            with self.lock:
                if made and self.phase == self.IDLE and isinstance(receipt := made[0].receipt, SceneReceipt):
                    self._show_made(receipt)

    def _review(self, wanted: Mapping[str, Any]) -> None:
        view = self._preview.view if self._preview is not None and wanted.get("view") is True else None
        try:
            scene = scene_of(
                self.image,
                view or "image",
                text=str(wanted.get("text", "")),
                opacity=_number(wanted.get("opacity")),
                outgoing_url=str(wanted.get("outgoing_url", "")),
                published=wanted.get("published") is True,
            )
        except ConstellationsError as error:
            self._reset(str(error))
            return
        view_text = "as in the preview" if view else "the whole image"
        if not view and wanted.get("view") is True:
            view_text += ", because no page has shown the preview yet, or it shows no part of the sky"
        request = f"POST {self.image.api_url}/handle/{self.image.handle}/scene"
        review = {"view": view_text, "published": scene.published, **request_review(request, scene.to_json())}
        self._offer(self._edits, scene, review)

    def _send(self, job: Job, scene: SceneSubmission) -> None:
        self._show_made(self._create(job, scene))

    def _reconcile(self, job: Job, scene: SceneSubmission, *, resend: bool) -> None:
        request = Outgoing(self.image.api_url, self.image.handle, "", scene.to_json())
        send = functools.partial(self._create, job, scene) if resend else None
        journal = default_journal()
        found = find_published(request, self._client, journal, self._on_progress, sleep=job.sleep, send_again=send)
        self._show_made(found)

    def _create(self, job: Job, scene: SceneSubmission, resend: frozenset[str] = frozenset()) -> SceneReceipt:
        handle, on_progress = self.image.handle, self._on_progress
        return send_scene(scene, self._client, handle, resend=resend, on_progress=on_progress, sleep=job.sleep)

    def _show_made(self, receipt: SceneReceipt) -> None:
        self.receipt = receipt
        self._set(self.DONE)

    def _status(self) -> SceneState:
        made = self.receipt
        receipt: SceneReceiptState | None = None
        if made is not None:
            receipt = {
                "id": made.id,
                "record_url": made.record_url,
                "scene_url": made.scene_url,
                "handle_url": made.handle_url,
                "published": made.published,
            }
        return {
            "phase": self.phase,
            "progress": self.progress,
            "waiting": self.waiting,
            "message": self.message,
            "review": self.review,
            "receipt": receipt,
            "preview": self._preview is not None,
        }


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")
