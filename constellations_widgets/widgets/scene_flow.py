"""A scene in a form: made of published images, or changed, each after a review; shown on the site or not."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..errors import ConflictError, ConstellationsError, JournalError, UnclearError
from ..publishing.delivery import Outgoing, find_published
from ..publishing.journal import default_journal
from ..publishing.published_scene import PublishedScene
from ..publishing.scene import send_scene
from ..publishing.scene_values import BACKGROUND, LAYERS, LINK, PUBLISHED, TEXT, VIEW, SceneDraft, SceneImage
from ..schema.fields import body_of
from ..schema.records import site_url
from ..schema.scenes import SceneReceipt, SceneRecord, SceneSubmission
from .protocol.scenes import SceneReceiptState, SceneReviewRow, SceneState
from .review import FAILED, NO_CHANGES, REVIEW, UNCLEAR, ReviewFlow, request_review
from .scene_form import SceneForm
from .view_fields import summary_of
from .worker import Job

if TYPE_CHECKING:
    from ..api import Constellations
    from ..schema.records import Receipt
    from .preview import Preview

NO_SCENE: SceneState = {
    "phase": "none",
    "progress": "",
    "waiting": False,
    "message": "",
    "review": None,
    "made": None,
    "exists": False,
    "open": True,
    "blocked": "",
    "changed": [],
    "earlier": [],
    "form": None,
    "choices": {"images": [], "backgrounds": [], "message": ""},
    "preview": False,
}
_NOT_OWNER = "This account may not change the scene: sign in as its owner, @{}."
_UNCLEAR = "{} Your changes are kept. Check again: what reached the server is not sent a second time."


class SceneFlow(ReviewFlow["SceneSubmission | dict[str, Any]"]):
    """A scene that is made, or one at the server that is changed: what its form holds, the review, and the outcome.

    Parameters
    ----------
    client : Constellations
        Where it is, or will be; signed in.
    handle : str
        Handle of the scene.
    preview : Preview or None
        Preview whose view the scene can have.
    show : callable
        Called from any thread with the state for the page.
    on_stored : callable, optional
        Called from a thread with the record of a scene that was changed; with None after a scene was made.

    Attributes
    ----------
    receipt : SceneReceipt or None
        Receipt of the scene that was made last.
    """

    IDLE, PREPARING, DONE = "editing", "reading", "made"
    sending_text = "Sending the scene …"
    preparing_text = "Reading the scene …"
    changed_text = "The scene has changed since the review. Review it again."

    def __init__(
        self,
        client: Constellations,
        handle: str,
        preview: Preview | None,
        show: Callable[[SceneState], object],
        on_stored: Callable[[SceneRecord | None], object] = lambda _record: None,
    ):
        super().__init__("scene", lambda: show(self.status()))
        self._client, self._handle, self._on_stored = client, handle, on_stored
        self.phase = "none"
        self.form = SceneForm(client, handle, preview, self._on_form_change)
        self.receipt: SceneReceipt | None = None
        self._rest = self.IDLE  # the phase outside of a review
        self._is_open = True  # the form, rather than what was made
        self._image: Receipt | None = None
        self._is_publication = False  # the review: whether the site shows the scene
        self._earlier: list[str] = []  # values that an earlier kernel left unsaved

    @property
    def account(self) -> str:
        """Name of the account that makes or changes the scene."""
        return self._client.username

    # -- what is shown

    def begin(self, values: SceneDraft | PublishedScene) -> None:
        """Show the form of a scene."""
        with self.lock:
            self.form.use(values)
            self._rest, self._is_open = self.IDLE, True
            self._earlier = list(values.earlier_changes) if isinstance(values, PublishedScene) else []
            self._reset()
        self.form.choices.load()

    def offer(self, image: Receipt) -> None:
        """Offer a scene of an image, once it is published. A scene that was made of it before is shown."""
        if self._image is None and image.api_url == self._client.api_url:
            self._image, self._handle = image, image.handle
            self.form.choices.handle = image.handle
            self._start_another()
            runtime.start_thread("scene", self._find_earlier)

    def publish(self, published: bool) -> None:
        """Review whether the scene is shown on the site, together with what is not saved yet."""
        self._is_publication = True
        self._start(self.PREPARING, self.preparing_text, lambda _job: self._prepare_publication(published))

    def on_account_change(self) -> None:
        """Leave a review that another account would send, and ask the server whether this one may change the scene."""
        super().on_account_change()
        if isinstance(scene := self.form.values, PublishedScene):
            runtime.start_thread("account", scene.check_may_edit)

    def prepare(self) -> None:
        """Prepare a review of what the form holds."""
        self._is_publication = False
        super().prepare()

    def close(self) -> None:
        """Stop following the scene."""
        self.worker.drop()
        self.form.close()

    def on_message(self, message: Mapping[str, Any]) -> None:
        """Handle a page's message: an edit of the form, or an action of `ReviewFlow`."""
        if self.phase == "none":
            return
        action = message.get("action")
        at_rest = self.phase in (self.IDLE, self.DONE, FAILED)
        is_change = isinstance(self.form.values, PublishedScene)
        if at_rest and self.form.on_message(message):
            return
        if action == "review":
            if at_rest or self.phase == REVIEW or (self.phase == UNCLEAR and is_change):
                self.prepare()
        elif action == "publish" and at_rest:
            self.publish(message.get("value") is True)
        elif action == "open" and self.phase == self.IDLE:
            self.form.choices.load()
            if not is_change:
                self.form.use_view()
        elif action == "edit_made" and self.phase == self.DONE:
            self._start(self.PREPARING, self.preparing_text, lambda _job: self.begin(self._published_scene()))
        elif action == "another" and self.phase == self.DONE:
            self._start_another()
        elif action in ("restore", "discard", "revert") and at_rest:
            self._change_edits(str(action))
        elif action in ("confirm", "cancel") or not is_change:
            super().on_message(message)

    def cancel(self) -> None:
        """Leave the review or its outcome. The wish to show the scene on the site, or not, ends with it."""
        with self.lock:
            values, leaves = self.form.values, self.phase in (REVIEW, FAILED, UNCLEAR)
            if leaves and self._is_publication and isinstance(values, PublishedScene):
                values.edit({PUBLISHED: values.record.published})
            super().cancel()

    def status(self) -> SceneState:
        """Return the state for the page."""
        values = self.form.values
        scene = values if isinstance(values, PublishedScene) else None
        return {
            "phase": self.phase,
            "progress": self.progress,
            "waiting": self.waiting,
            "message": self.message,
            "review": self.review,
            "made": self._made_state(scene),
            "exists": scene is not None,
            "open": self._is_open,
            "blocked": "" if scene is None or scene.may_edit else _NOT_OWNER.format(scene.record.handle.handle),
            "changed": list(scene.changes) if scene is not None else [],
            "earlier": self._earlier,
            "form": self.form.state(),
            "choices": self.form.choices.state(values.background_id),
            "preview": self.form.has_preview,
        }

    # -- of ReviewFlow

    def _prepare(self, _job: Job) -> None:
        edits, values = self._edits, self.form.values
        if self.form.faults:
            self._reset(" ".join(self.form.faults))
        elif isinstance(values, PublishedScene):
            self._offer_changes(values, values.reload())
        elif isinstance(values, SceneDraft):
            scene = values.submission()
            request = f"POST {self._client.api_url}/handle/{self._handle}/scene"
            rows: list[SceneReviewRow] = [
                {"name": name, "before": None, "after": self._in_words(name, getattr(values, name)), "meanwhile": False}
                for name in (TEXT, VIEW, LAYERS, BACKGROUND, LINK, PUBLISHED)
            ]
            review = {"rows": rows, "published": scene.published, "warnings": values.warnings}
            self._offer(edits, scene, {**review, **request_review(request, scene.to_json())})

    def _prepare_publication(self, published: bool) -> None:
        scene = self._published_scene()
        self.form.use(scene)
        meanwhile = scene.reload()
        scene.edit({PUBLISHED: published})
        self._offer_changes(scene, meanwhile)

    def _offer_changes(self, scene: PublishedScene, meanwhile: list[str], message: str = "") -> None:
        """Show a review of the changes; `meanwhile` names the values that others have changed."""
        edits, body, changes = self._edits, scene.request(), scene.changes
        if not body:
            self._reset(NO_CHANGES)
            return
        rows: list[SceneReviewRow] = [
            {
                "name": name,
                "before": self._in_words(name, change.before),
                "after": self._in_words(name, change.after),
                "meanwhile": name in meanwhile,
            }
            for name, change in changes.items()
        ]
        review = {"rows": rows, "published": scene.published, "warnings": []}
        self._offer(edits, body, {**review, **request_review(f"PATCH {scene.record_url}", body_of(body))}, message)

    def _send(self, job: Job, reviewed: SceneSubmission | dict[str, Any]) -> None:
        scene = self.form.values
        if isinstance(reviewed, SceneSubmission):
            self._show_made(self._create(job, reviewed))
        elif isinstance(scene, PublishedScene):
            if scene.request() != reviewed:
                self._reset(self.changed_text)
                return
            before = {name: change.before for name, change in scene.changes.items()}
            try:
                scene.save()
            except ConflictError as error:
                others = [name for name, change in scene.changes.items() if change.before != before.get(name)]
                self._offer_changes(scene, others, str(error))
            else:
                self._rest = self.DONE
                self._reset("Saved. The server has these values.")
                self._on_stored(scene.record)

    def _reconcile(self, job: Job, reviewed: SceneSubmission | dict[str, Any], *, resend: bool) -> None:
        if not isinstance(reviewed, SceneSubmission):
            return
        request = Outgoing(self._client.api_url, self._handle, "", reviewed.to_json())
        send = functools.partial(self._create, job, reviewed) if resend else None
        journal = default_journal()
        found = find_published(request, self._client, journal, self._on_progress, sleep=job.sleep, send_again=send)
        self._show_made(found)

    def _reset(self, message: str = "") -> None:
        self._reviewed = None
        self._set(self._rest, message=message)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, ConstellationsError) and self.phase == self.PREPARING:
            self._reset(str(error))
        elif isinstance(error, UnclearError) and isinstance(self.form.values, PublishedScene):
            self._set(UNCLEAR, message=_UNCLEAR.format(error.message))
        else:
            super()._on_error(error)

    # -- the scene

    def _create(self, job: Job, scene: SceneSubmission, resend: frozenset[str] = frozenset()) -> SceneReceipt:
        return send_scene(
            scene, self._client, self._handle, resend=resend, on_progress=self._on_progress, sleep=job.sleep
        )

    def _show_made(self, receipt: SceneReceipt) -> None:
        self.receipt, self._rest, self._is_open = receipt, self.DONE, False
        self._set(self.DONE)
        self._on_stored(None)

    def _published_scene(self) -> PublishedScene:
        """Return the scene at the server: the one of the form, or the one that was made. Raises ApiError."""
        values = self.form.values
        if isinstance(values, PublishedScene):
            return values
        assert self.receipt is not None
        return PublishedScene(self._client, self.receipt)

    def _start_another(self) -> None:
        images = [SceneImage.of(self._image)] if self._image is not None else []
        self.form.use(SceneDraft(images, self._image.note if self._image is not None else ""))
        self._rest, self._is_open = self.IDLE, True
        self._reset()

    def _find_earlier(self) -> None:
        image = self._image
        assert image is not None
        with contextlib.suppress(JournalError):  # sending reports a journal that can't be used
            made = default_journal().scenes_of(image.api_url, image.handle, image.id)
            with self.lock:
                if made and self.phase == self.IDLE and isinstance(receipt := made[0].receipt, SceneReceipt):
                    self.receipt, self._rest, self._is_open = receipt, self.DONE, False
                    self._reset()

    def _change_edits(self, action: str) -> None:
        """Restore or discard changes of an earlier kernel, or revert those of this form."""
        scene = self.form.values
        if not isinstance(scene, PublishedScene):
            return
        if action == "revert":
            scene.revert()
        elif action == "restore":
            scene.restore()
        if action != "revert":
            scene.forget_earlier()  # restored ones are kept with this form's own changes
            self._earlier = list(scene.earlier_changes)
        self._show()

    def _on_form_change(self, value_changed: bool) -> None:
        with self.lock:
            if value_changed:
                self.invalidate()
                scene = self.form.values
                if self.phase == self.DONE and self._is_open and isinstance(scene, PublishedScene) and scene.changes:
                    self._rest = self.IDLE
                    self._reset()
                    return
            if self.phase != "none":
                self._show()

    def _made_state(self, scene: PublishedScene | None) -> SceneReceiptState | None:
        if scene is None and self.receipt is None:
            return None
        id = scene.id if scene is not None else self.receipt.id if self.receipt is not None else ""
        handle = scene.record.handle.handle if scene is not None else self._handle
        site = site_url(self._client.api_url, handle)
        return {
            "id": id,
            "record_url": f"{self._client.api_url}/scene/{id}",
            "scene_url": f"{site}/{id}" if site else None,
            "edit_url": f"{site}/{id}/edit" if site else None,
            "dashboard_url": f"{site}/dashboard" if site else None,
            "published": scene.record.published if scene is not None else bool(self.receipt and self.receipt.published),
        }

    def _in_words(self, name: str, value: Any) -> str:
        if name == VIEW:
            return summary_of(value)
        if name == PUBLISHED:
            return "Yes: everyone sees it" if value else "No: only people with the link see it"
        if name == BACKGROUND:
            return self.form.choices.name_of(value)
        if name == LAYERS:
            return "; ".join(f"{self.form.name_of(image)} ({image.opacity:.0%})" for image in value)
        return str(value) or "none"
