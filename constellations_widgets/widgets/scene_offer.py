"""After an image is published: a scene of it, reviewed before it is sent, as the image was."""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..api.plaintext import sentence
from ..errors import ConstellationsError, JournalError, UnclearError
from ..publishing import scene_of, send_scene
from ..publishing.journal import default_journal
from ..publishing.submit import after_unclear

if TYPE_CHECKING:
    from ..api import Constellations
    from ..schema.records import Receipt
    from ..schema.scenes import SceneReceipt, SceneSubmission
    from .preview import Preview

NO_SCENE: dict[str, Any] = {
    "phase": "none",
    "progress": "",
    "message": "",
    "review": None,
    "receipt": None,
    "preview": False,
}


def still_unclear(error: UnclearError, what: str) -> str:
    """What to do about an image or a scene (`what`) of which nobody knows whether it was made."""
    return (
        f"{sentence(error.message)} The server does not show the {what} so far, but may still be at work on it. Wait a minute, "
        "then look again; send it again only if it is not there even then."
    )


class SceneOffer:
    """What a page is told of a scene that could be made of a published image, and what it asks for.

    Parameters
    ----------
    client : Constellations
        Where to; signed in.
    preview : Preview or None
        Whose view the scene can have.
    show : callable
        Is told the state, a dict for JSON: ``phase`` is "none", "offer", "review", "sending", "failed", "unclear" or
        "made". Called from other threads.
    """

    def __init__(self, client: Constellations, preview: Preview | None, show: Callable[[dict[str, Any]], Any]):
        self._client, self._preview, self._show = client, preview, show
        self._image: Receipt | None = None
        self._scene: SceneSubmission | None = None
        self._ticket = ""
        self._phase = "none"
        self._busy = threading.Lock()  # held while a worker talks to the server: one click, one request
        self.receipt: SceneReceipt | None = None

    def begin(self, image: Receipt) -> None:
        """Offer a scene of this image, once it is published. One that was made of it before is shown."""
        if self._image is None and image.api_url == self._client.api_url:
            self._image = image
            self._tell("offer")
            threading.Thread(target=self._remember, name="constellations-scene", daemon=True).start()

    def _remember(self) -> None:
        image = self._image
        with contextlib.suppress(JournalError):  # whoever makes a scene is told what the journal lacks
            made = default_journal().scenes_of(image.api_url, image.handle, image.id)
            if made and self._phase == "offer":
                self.receipt = made[0].receipt
                self._tell("made")

    def receive(self, message: Mapping[str, Any]) -> None:
        """What the page asks for: its ``action`` is "review", "confirm", "look", "resend", "cancel" or "another"."""
        action = message.get("action")
        if action == "review" and self._phase in ("offer", "review", "failed"):
            self._review(message)
        elif action == "cancel" and self._phase in ("review", "failed", "unclear"):
            self._tell("offer")
        elif action == "another" and self._phase == "made":
            self._tell("offer")
        elif action == "confirm" and self._phase == "review" and message.get("ticket") == self._ticket:
            self._work("Making the scene …", self._make)
        elif action in ("look", "resend") and self._phase == "unclear":
            self._work("Looking whether the scene is there …", lambda: self._settle(resend=action == "resend"))

    def _review(self, wanted: Mapping[str, Any]) -> None:
        view = self._preview.view if self._preview is not None and wanted.get("view") is True else None
        try:
            scene = scene_of(
                self._image,
                view,
                text=str(wanted.get("text", "")),
                opacity=_number(wanted.get("opacity")),
                outgoing_url=str(wanted.get("outgoing_url", "")),
                published=wanted.get("published") is True,
            )
        except ConstellationsError as error:
            self._tell("offer", message=str(error))
            return
        self._scene, self._ticket = scene, uuid.uuid4().hex
        looks = "where the preview looks now" if view else "at the whole image"
        if not view and wanted.get("view") is True:
            looks += ", since no page has shown the preview yet"
        body = scene.to_json()
        review = {
            "ticket": self._ticket,
            "looks": looks,
            "published": scene.published,
            "request": f"POST {self._image.api_url}/handle/{self._image.handle}/scene",
            "body": json.dumps(json.loads(body), ensure_ascii=False, indent=1),
            "size": len(body),
        }
        self._tell("review", review=review)

    def _work(self, progress: str, job: Callable[[], SceneReceipt]) -> None:
        if not self._busy.acquire(blocking=False):
            return
        self._tell("sending", progress=progress)
        threading.Thread(target=self._run, args=(job,), name="constellations-scene", daemon=True).start()

    def _make(self, resend: frozenset[str] = frozenset()) -> SceneReceipt:
        place = self._client, self._image.handle
        return send_scene(self._scene, *place, resend=resend, on_progress=self._tell_progress)

    def _settle(self, *, resend: bool) -> SceneReceipt:
        """Find out what became of the scene; only with `resend` is it sent, if it is not there."""
        place, send = (self._image.api_url, self._image.handle), self._make if resend else None
        return after_unclear(place, self._scene.to_json(), self._client, self._tell_progress, send)

    def _tell_progress(self, _stage: str, message: str) -> None:
        self._tell("sending", progress=message)

    def _run(self, job: Callable[[], SceneReceipt]) -> None:
        try:
            self.receipt = job()
            self._tell("made")
        except UnclearError as error:
            self._tell("unclear", message=still_unclear(error, "scene"))
        except ConstellationsError as error:
            self._tell("failed", message=str(error))
        except Exception as error:  # a bug of ours: the page has to say so rather than wait for ever
            self._tell("failed", message=f"{type(error).__name__}: {error}")
        finally:
            self._busy.release()

    def _tell(self, phase: str, **more: Any) -> None:
        self._phase = phase
        made = self.receipt
        links = ("id", "record_url", "scene_url", "handle_url")
        receipt = {**{name: getattr(made, name) for name in links}, "published": made.published} if made else None
        self._show({**NO_SCENE, "phase": phase, "preview": self._preview is not None, "receipt": receipt, **more})


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")
