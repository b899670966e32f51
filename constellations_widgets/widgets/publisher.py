"""The publisher: what is wrong, a review of exactly what will be sent, progress, and the receipt."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import traitlets

from ..api.addresses import handle_name
from ..errors import ConstellationsError, DraftError, PublishError, UnclearError
from ..publishing import Attempt, Step, plan, publish_planned
from ..publishing.given import require_client, require_unpublished
from ..publishing.plan import BLOCKED, DECIDE, SKIP
from ..publishing.submit import after_unclear
from ..schema.fields import fields
from .draft_widget import DraftWidget
from .leftovers import NO_LEFTOVERS, Leftovers
from .scene_offer import NO_SCENE, SceneOffer, still_unclear
from .static import built

if TYPE_CHECKING:
    from ..api import Constellations
    from ..draft import ImageDraft
    from ..schema.records import Receipt
    from ..schema.scenes import SceneReceipt
    from .preview import Preview

_CHANGED = "The draft has changed since it was looked at: press Publish again."
_NOTHING = {"progress": "", "message": "", "review": None, "receipt": None}


class Publisher(DraftWidget):
    """Publishes a draft: shows what stands in the way, then exactly what will be sent and where, then the receipt.

    Parameters
    ----------
    draft : ImageDraft
        What to publish.
    client : Constellations
        Where to; signed in.
    handle : str
        Under which handle.
    preview : Preview, optional
        Whose view a scene of the image can have, once the image is published.

    Attributes
    ----------
    receipt : Receipt or None
        What the server answered, once it did.
    scene_receipt : SceneReceipt or None
        The same of a scene that was made here afterwards.
    """

    messages = DraftWidget.messages | {"review", "confirm", "look", "resend", "cancel", "scene", "settle", "give_up"}

    status = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict(NO_SCENE).tag(sync=True)
    leftovers = traitlets.Dict(NO_LEFTOVERS).tag(sync=True)
    titles = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        draft: ImageDraft,
        client: Constellations | None = None,
        handle: str = "",
        preview: Preview | None = None,
    ):
        require_unpublished("Publisher", draft)
        if client is not None:
            require_client("Publisher", client)
        if preview is not None and not hasattr(preview, "view"):
            raise TypeError(f"Publisher takes a Preview to look at, not a {type(preview).__name__}: cxw.Preview(draft)")
        self._esm, self._css = built("publisher.js"), built("publisher.css")
        self._client, self._handle = client, handle_name(handle) if handle else ""
        self._step: Step | None = None
        self._changes = 0  # of the draft since this was made
        self._busy = threading.Lock()  # held while a worker talks to the server: one click, one request
        titles = {spec.path: spec.title for spec in fields().values()}
        self._scene = self._leftovers = None
        if client is not None:
            self._scene = SceneOffer(client, preview, lambda state: self.set_trait("scene", state))
            self._leftovers = Leftovers(client, lambda state: self.set_trait("leftovers", state), self._take_settled)
        super().__init__(draft, titles=titles, status=self._status("editing"))
        if self._leftovers is not None:
            self._leftovers.find()
        if draft.receipt:
            self._show_receipt(draft.receipt)

    @property
    def receipt(self) -> Receipt | None:
        return self._draft.receipt

    @property
    def scene_receipt(self) -> SceneReceipt | None:
        return self._scene and self._scene.receipt

    # -- what the page asks for

    def _on_review(self, _message: Mapping[str, Any]) -> None:
        self._work(
            "planning", f"Asking {self._api_url} about this image, and the web whether it is there …", self._review
        )

    def _on_confirm(self, message: Mapping[str, Any]) -> None:
        review, step = self.status.get("review"), self._step
        if review and step and review["ready"] and message.get("ticket") == review["ticket"]:
            self._work("sending", "Publishing …", lambda: self._publish(step))

    def _on_look(self, _message: Mapping[str, Any]) -> None:
        if self.status["phase"] == "unclear" and (step := self._step):
            self._work("sending", "Looking whether the image is there …", lambda: self._settle(step))

    def _on_resend(self, message: Mapping[str, Any]) -> None:
        if self.status["phase"] == "unclear" and (step := self._step):
            if self._says(step.request):
                self._work("sending", "Looking once more, then publishing …", lambda: self._settle(step, resend=True))
            else:  # what is sent is what was confirmed, and that is no longer what the draft says
                self._on_review(message)

    def _says(self, request: dict[str, Any] | None) -> bool:
        """Whether this request is still what the draft would send."""
        try:
            return self._draft.submission().to_request() == request
        except DraftError:
            return False

    def _on_cancel(self, _message: Mapping[str, Any]) -> None:
        if self.status["phase"] in ("review", "failed", "unclear"):
            self._step = None
            self.status = self._status("editing")

    def _on_scene(self, message: Mapping[str, Any]) -> None:
        if self._scene is not None:
            self._scene.receive(message)

    def _on_settle(self, _message: Mapping[str, Any]) -> None:
        if self._leftovers is not None:
            self._leftovers.look()

    def _on_give_up(self, _message: Mapping[str, Any]) -> None:
        if self._leftovers is not None:
            self._leftovers.forget()

    def _take_settled(self, attempts: Iterable[Attempt]) -> None:
        """What was found may be this very draft."""
        for attempt in attempts:
            if attempt.kind == "image" and attempt.receipt and attempt.handle == self._handle:
                if self.status["phase"] != "sending" and self._draft.receipt is None and self._says(attempt.request):
                    self._draft.published(attempt.receipt)

    # -- work, in a thread of its own

    def _work(self, phase: str, progress: str, job: Callable[[], None]) -> None:
        if self.status["blocked"] or self._draft.receipt or not self._busy.acquire(blocking=False):
            return

        def run() -> None:
            try:
                job()
            except UnclearError as error:
                self.status = self._status("unclear", message=still_unclear(error, "image"))
            except ConstellationsError as error:
                self.status = self._status("failed", message=str(error))
            except Exception as error:  # a bug of ours: the page has to say so rather than wait for ever
                self.status = self._status("failed", message=f"{type(error).__name__}: {error}")
            finally:
                self._busy.release()

        self.status = self._status(phase, progress=progress)
        threading.Thread(target=run, name="constellations-publish", daemon=True).start()

    def _review(self) -> None:
        changes = self._changes
        step = plan(self._draft, self._client, self._handle)[0]
        body = step.body or b"{}"
        warned = {f"{p.field or 'draft'}: {p.message}" for p in step.problems}  # the page lists these on their own
        review = {
            "ticket": uuid.uuid4().hex,
            "ready": step.decision not in (BLOCKED, SKIP),
            "reasons": [reason for reason in step.reasons if reason not in warned],
            "request": f"POST {step.api_url}/handle/{step.handle}/image",
            "body": json.dumps(json.loads(body), ensure_ascii=False, indent=1),
            "size": len(body),
        }
        with self._showing:
            if changes != self._changes:
                self.status = self._status("editing", message=_CHANGED)
            else:
                self._step, self.status = step, self._status("review", review=review)

    def _publish(self, step: Step) -> None:
        with self._draft.publishing():
            self._draft.published(self._carry_out(self._still_so(step)))

    def _settle(self, step: Step, *, resend: bool = False) -> None:
        """Find out what became of the image; only with `resend` is it sent, if it is not there."""
        with self._draft.publishing():
            place, send = (step.api_url, step.handle), (lambda keys: self._carry_out(step, keys)) if resend else None
            self._draft.published(after_unclear(place, step.body, self._client, self._tell_progress, send))

    def _carry_out(self, step: Step, resend: frozenset[str] = frozenset()) -> Receipt:
        return publish_planned(step, self._client, on_progress=self._tell_progress, anyway=True, resend=resend)

    def _tell_progress(self, _stage: str, message: str) -> None:
        self.status = self._status("sending", progress=message)

    def _still_so(self, step: Step) -> Step:
        """The plan made anew, right before it is carried out: people look at a review for a while, and others publish meanwhile."""
        fresh = plan(self._draft, self._client, self._handle, probe=False)[0]
        if fresh.body != step.body:
            raise PublishError(_CHANGED)
        since = [reason for reason in fresh.reasons if reason not in step.reasons] if fresh.decision == DECIDE else []
        if fresh.decision in (BLOCKED, SKIP) or since:
            raise PublishError(" ".join(since or fresh.reasons))
        return fresh

    def _keep_up(self, draft: ImageDraft, changed: frozenset[str]) -> None:
        with self._showing:
            edited = bool(changed - {"locked"})
            self._changes += edited
            if draft.receipt:
                self._show_receipt(draft.receipt)
            elif edited and self.status["phase"] == "review":  # what it shows is no longer what the draft says
                self._step, self.status = None, self._status("editing", message=_CHANGED)

    # -- what the page is told

    @property
    def _api_url(self) -> str:
        return self._client.api_url if self._client else ""

    def _status(self, phase: str, **more: Any) -> dict[str, Any]:
        blocked = ""
        if self._client is None:
            blocked = "There is no server to publish to: give a client, as in Publisher(draft, client, handle=…)."
        elif not self._handle:
            blocked = "There is no handle to publish under: give one, as in Publisher(draft, client, handle=…)."
        place = {"handle": self._handle, "api_url": self._api_url, "blocked": blocked}
        return {"phase": phase, **place, **_NOTHING, **more}

    def _show_receipt(self, receipt: Receipt) -> None:
        names = ("id", "handle", "api_url", "record_url", "wtml_url", "handle_url", "note", "key", "body_sha256")
        about = {name: getattr(receipt, name) or "" for name in names}
        about |= {"created": receipt.created.isoformat(), "same": self._says(receipt.body)}
        about["body"] = json.dumps(receipt.body, ensure_ascii=False, indent=1)
        self.status = self._status("published", receipt=about)
        if self._scene is not None:
            self._scene.begin(receipt)
