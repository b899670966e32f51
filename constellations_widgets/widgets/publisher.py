"""The publisher: problems, a review of exactly what will be sent, progress, and the receipt."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import traitlets

from ..api.addresses import handle_name
from ..checks.address import is_on_this_computer
from ..draft import ImageDraft
from ..errors import DraftError, PublishError
from ..publishing import Attempt, Step, plan, publish_planned
from ..publishing._arguments import require_client, require_unpublished
from ..publishing.delivery import find_published
from ..publishing.image_source import EarlierPublication, ImageSource
from ..publishing.journal import default_journal
from ..publishing.plan import BLOCKED, DECIDE, SKIP
from ..publishing.submit import outgoing
from ..schema.fields import fields
from .account import Account
from .base import DraftWidget, synced_dict
from .pending_attempts import NONE_PENDING, PendingAttempts
from .protocol.publishing import EarlierPublicationState, PendingState, PublisherStatus, ReceiptState
from .protocol.scenes import SceneState
from .publication_review import review_of
from .review import ReviewFlow, request_review
from .scene_flow import NO_SCENE, SceneFlow
from .worker import Job, Worker

if TYPE_CHECKING:
    from ..api import Constellations
    from ..schema.records import Receipt
    from ..schema.scenes import SceneReceipt
    from .preview import Preview

_NO_CLIENT = "There is no server to publish to: pass a client, as in Publisher(draft, client, handle=…)."
_NO_HANDLE = "There is no handle to publish under: pass one, as in Publisher(draft, client, handle=…)."
_LOOK_AGAIN = 2.0
"""Seconds after which the journal is read again for what another window or program is publishing."""


class Publication(ReviewFlow[Step]):
    """Publication of one draft.

    Parameters
    ----------
    draft : ImageDraft
    client : Constellations or None
    handle : str
    show : callable
        Called after each change of state; see `ReviewFlow`.
    """

    sending_text = "Publishing …"
    changed_text = "The draft changed after the review. Review it again."

    def __init__(self, draft: ImageDraft, client: Constellations | None, handle: str, show: Callable[[], object]):
        super().__init__("publish", show)
        self._draft, self._client, self.handle = draft, client, handle
        self._api_url = client.api_url if client is not None else ""
        self._receipt: ReceiptState | None = None
        self._account = Account(client, handle, show) if client is not None and handle else None
        self.edit_published: Callable[[Receipt], object] | None = None
        """What a panel does to edit what was published; None without a panel."""
        self.editing = False
        self.preparing_text = f"Checking {self._api_url} and the image's address …"

    def check_account(self) -> None:
        """Ask the server whether the account may publish under the handle."""
        if self._account is not None:
            self._account.check()

    def on_account_change(self) -> None:
        """Leave a review that another account would send, and ask the server about the present account."""
        super().on_account_change()
        self.check_account()

    @property
    def blocked(self) -> bool:
        """Whether there is no server or no handle, or the draft is published."""
        return bool(self._why_blocked() or self._draft.receipt)

    @property
    def account(self) -> str:
        """Name of the account that publishes."""
        return self._client.username if self._client is not None else ""

    @property
    def client(self) -> Constellations:
        """The client. Raises PublishError if there is none."""
        if self._client is None:
            raise PublishError(_NO_CLIENT)
        return self._client

    def status(self) -> PublisherStatus:
        """Return the state for the page."""
        return {
            "phase": self.phase,
            "handle": self.handle,
            "api_url": self._api_url,
            "blocked": self._why_blocked(),
            "progress": self.progress,
            "waiting": self.waiting,
            "message": self.message,
            "review": self.review,
            "receipt": self._receipt,
            "sandbox": is_on_this_computer(self._api_url),
            "edits": self.edit_published is not None,
            "editing": self.editing,
            "account": self._account.state if self._account else {"message": "", "blocks": False},
        }

    def on_message(self, message: Mapping[str, Any]) -> None:
        """Handle a page's message as `ReviewFlow` does; what the review doubts is confirmed with ``anyway`` only."""
        if (
            message.get("kind") == "confirm"
            and (self.review or {}).get("reasons")
            and message.get("anyway") is not True
        ):
            return
        super().on_message(message)

    def invalidate(self) -> None:
        """Leave a review whose draft has changed; drop the message that said so at the next change."""
        with self.lock:
            if self.phase == self.IDLE and self.message:
                self._reset()
            super().invalidate()

    def show_editing(self, editing: bool, message: str = "") -> None:
        """Show that what was published is being edited, or why it can't be."""
        self.editing = editing
        self._set(self.DONE, message=message)

    def would_send(self, request: dict[str, Any] | None) -> bool:
        """Return whether this request is what the draft would send now."""
        try:
            return self._draft.submission().to_request() == request
        except DraftError:
            return False

    def show_receipt(self, receipt: Receipt) -> None:
        """Show the receipt of the published image."""
        self._receipt = {
            "id": receipt.id,
            "handle": receipt.handle,
            "api_url": receipt.api_url,
            "created": receipt.created.isoformat(),
            "record_url": receipt.record_url,
            "wtml_url": receipt.wtml_url or "",
            "handle_url": receipt.handle_url or "",
            "dashboard_url": receipt.dashboard_url or "",
            "edit_url": receipt.edit_url or "",
            "key": receipt.key,
            "body_sha256": receipt.body_sha256,
            "body": json.dumps(receipt.body, ensure_ascii=False, indent=1),
            "duplicates": list(receipt.duplicates),
            "same": self.would_send(receipt.body),
        }
        self._set(self.DONE)

    def reconcile(self, *, resend: bool = False) -> None:
        """Check whether the server has the image; with `resend`, publish it if not."""
        step = self._reviewed
        if resend and step is not None and not self.would_send(step.request):
            self.prepare()  # what is sent is what was confirmed, and the draft has changed since
        else:
            super().reconcile(resend=resend)

    def _prepare(self, _job: Job) -> None:
        edits = self._edits
        step = plan(self._draft, self.client, self.handle)[0]
        review = review_of(step) | request_review(f"POST {step.api_url}/handle/{step.handle}/image", step.body or b"{}")
        self._offer(edits, step, review)

    def _send(self, job: Job, step: Step) -> None:
        with self._draft.publishing():
            self._draft.published(self._publish(job, self._planned_again(step)))

    def _reconcile(self, job: Job, step: Step, *, resend: bool) -> None:
        with self._draft.publishing():
            send = functools.partial(self._publish, job, step) if resend else None
            request, journal = outgoing(step), default_journal()
            found = find_published(request, self.client, journal, self._on_progress, sleep=job.sleep, send_again=send)
            self._draft.published(found)

    def _publish(self, job: Job, step: Step, resend: frozenset[str] = frozenset()) -> Receipt:
        return publish_planned(
            step, self.client, on_progress=self._on_progress, anyway=True, resend=resend, sleep=job.sleep
        )

    def _planned_again(self, step: Step) -> Step:
        """Plan again right before sending: a review can be open for long, and others publish meanwhile.

        Raises
        ------
        PublishError
            If the plan is no longer what was confirmed.
        """
        fresh = plan(self._draft, self.client, self.handle, probe=False)[0]
        if fresh.body != step.body:
            raise PublishError(self.changed_text)
        since = [reason for reason in fresh.reasons if reason not in step.reasons]
        if fresh.decision in (BLOCKED, SKIP) or (fresh.decision == DECIDE and since):
            raise PublishError(" ".join(since or fresh.reasons))
        return fresh

    def _why_blocked(self) -> str:
        if self._client is None:
            return _NO_CLIENT
        return "" if self.handle else _NO_HANDLE


class Publisher(DraftWidget[ImageDraft]):
    """Publishes a draft: shows its problems, then exactly what will be sent and where, then the receipt.

    Parameters
    ----------
    draft : ImageDraft
        What to publish.
    client : Constellations
        Where to publish; signed in.
    handle : str
        Handle under which to publish.
    preview : Preview, optional
        Preview whose view a scene of the image can have, once the image is published.

    Attributes
    ----------
    receipt : Receipt or None
        Receipt of the image, once it is published.
    scene_receipt : SceneReceipt or None
        Receipt of a scene that was made here afterwards.

    Examples
    --------
    >>> cxw.Publisher(draft, client, handle)
    """

    page = "publisher"

    status: PublisherStatus = synced_dict()
    scene: SceneState = synced_dict(NO_SCENE)
    pending_attempts: PendingState = synced_dict(NONE_PENDING)
    published_before: traitlets.List[EarlierPublicationState] = traitlets.List().tag(sync=True)
    titles = traitlets.Dict().tag(sync=True)
    draft_id = traitlets.Unicode().tag(sync=True)
    saved = traitlets.Unicode().tag(sync=True)  # when the draft was last written to disk, ISO 8601

    _stop_listening: Callable[[], None] | None = None

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
            raise TypeError(f"Publisher takes a Preview, not a {type(preview).__name__}: cxw.Preview(draft)")
        self._publication = Publication(draft, client, handle_name(handle) if handle else "", self._show_status)
        messages: dict[str, Any] = {
            "review": self._on_review,
            "edit_published": lambda _message: self._edit_published(),
            "check_account": lambda _message: self._publication.check_account(),
        }
        messages |= dict.fromkeys(("confirm", "check", "resend", "cancel"), self._publication.on_message)
        self._scene: SceneFlow | None = None
        if client is not None:
            show_scene = functools.partial(self.set_trait, "scene")
            self._scene = SceneFlow(client, self._publication.handle, preview, show_scene)
            show_pending = functools.partial(self.set_trait, "pending_attempts")
            self._pending = PendingAttempts(client, show_pending, self._use_reconciled)
            messages |= {
                "scene": self._scene.on_message,
                "reconcile": lambda _message: self._pending.reconcile(),
                "abandon": lambda _message: self._pending.abandon(),
            }
        titles = {spec.path: spec.title for spec in fields().values()}
        traits = {"titles": titles, "status": self._publication.status(), "draft_id": draft.id, "saved": _iso(draft)}
        super().__init__(draft, messages=messages, **traits)
        if client is not None:
            self._source = Worker("source", lambda _error: None)  # the review reports a journal that can't be read
            self._look_up_source()
            self._pending.find()
            self._publication.check_account()
            self._stop_listening = client.on_account_change(self._on_account_change)
        if draft.receipt:
            self._show_receipt(draft.receipt)

    @property
    def receipt(self) -> Receipt | None:
        """Receipt of the image; None before it is published."""
        receipt: Receipt | None = self._draft.receipt
        return receipt

    @property
    def scene_receipt(self) -> SceneReceipt | None:
        """Receipt of the scene; None before one is made."""
        return self._scene.receipt if self._scene else None

    def offer_edit(self, edit: Callable[[Receipt], object]) -> None:
        """Offer to edit what was published; `edit` is called with its receipt."""
        self._publication.edit_published = edit
        self._show_status()

    def close(self) -> None:
        """Stop following the draft and the sign-in, and close the widget in every page."""
        if self._stop_listening is not None:
            self._stop_listening()
            self._source.drop()
        super().close()

    def show_editing(self, editing: bool, message: str = "") -> None:
        """Show that what was published is being edited, or why it can't be."""
        self._publication.show_editing(editing, message)

    def _on_account_change(self) -> None:
        self._publication.on_account_change()
        if self._scene is not None:
            self._scene.on_account_change()

    def _look_up_source(self) -> None:
        """Show what was published from the draft's source before, whatever its address; look again while it is being sent."""
        client, draft = self._publication.client, self._draft

        def look_up(job: Job) -> None:
            while True:
                found = default_journal().published_from(client.api_url, [ImageSource.of(draft)])[0]
                if job.is_current:
                    self.published_before = [_to_page(earlier) for earlier in found if not draft.receipt]
                if draft.receipt or not any(earlier.attempt.state == "sending" for earlier in found):
                    return
                job.sleep(_LOOK_AGAIN)

        self._source.start(look_up, replace=True)

    def _on_review(self, message: Mapping[str, Any]) -> None:
        if self._scene is not None:
            self._look_up_source()  # another panel may have published it since
        self._publication.on_message(message)

    def _edit_published(self) -> None:
        edit, receipt = self._publication.edit_published, self._draft.receipt
        if edit is not None and receipt is not None:
            edit(receipt)

    def _use_reconciled(self, attempts: Iterable[Attempt]) -> None:
        """Take the receipt of a reconciled attempt to publish this very draft."""
        publication = self._publication
        for attempt in attempts:
            if (
                attempt.kind == "image"
                and attempt.receipt
                and attempt.handle == publication.handle
                and publication.phase != publication.SENDING
                and self._draft.receipt is None
                and publication.would_send(attempt.request)
            ):
                self._draft.published(attempt.receipt)
        self._look_up_source()  # what it says of these attempts has changed

    def _track(self, changed: frozenset[str]) -> None:
        if self._draft.receipt:
            self._show_receipt(self._draft.receipt)
        elif changed - {"locked", "saved"}:
            self._publication.invalidate()
        if "saved" in changed:
            self.saved = _iso(self._draft)

    def _show_status(self) -> None:
        self.status = self._publication.status()

    def _show_receipt(self, receipt: Receipt) -> None:
        self._publication.show_receipt(receipt)
        if self._scene is not None:
            self._scene.offer(receipt)


def _to_page(earlier: EarlierPublication) -> EarlierPublicationState:
    receipt = earlier.attempt.receipt
    return {
        "key": earlier.attempt.key,
        "head": earlier.head,
        "name": earlier.name,
        "url": receipt.record_url if receipt else "",
        "tail": earlier.tail,
    }


def _iso(draft: ImageDraft) -> str:
    return draft.saved.isoformat() if draft.saved else ""
