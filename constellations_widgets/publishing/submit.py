"""Publish one draft: plan it, then deliver it exactly once."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ..api.constellations import Constellations
from ..errors import PublishError
from ..schema.records import Receipt
from ._arguments import require_client
from .backoff import Backoff
from .delivery import LONGEST_WAIT, Delivery, OnProgress, Outgoing, Sleep, tell_after, tell_nobody
from .journal import Journal, default_journal
from .plan import BLOCKED, DECIDE, SKIP, Step, plan
from .reconcile import pending_attempts

if TYPE_CHECKING:
    from ..draft import ImageDraft


def publish_draft(
    draft: ImageDraft,
    client: Constellations,
    handle: str,
    *,
    again: bool = False,
    anyway: bool = False,
    probe: bool = True,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> Receipt:
    """Publish a draft, exactly once. It can be neither corrected nor deleted afterwards.

    It appears nowhere on the site until a scene shows it: `publish_scene`.

    Parameters
    ----------
    draft : ImageDraft
        The image.
    client : Constellations
        Client of the API to publish to; signed in.
    handle : str
        Handle to publish under; the account must own it.
    again : bool, optional
        Whether to publish a duplicate of an existing image, or of one that an earlier attempt may have published: of
        the latter only if the server does not have it after the settling time, which this waits for. A duplicate can't
        be deleted. Default False.
    anyway : bool, optional
        Whether to publish it although the checks have warnings, another handle has the same image, or the file was published
        before under another address. An image that was
        published before, or may have been, is not sent again. Default False.
    probe : bool, optional
        Whether the image's first tile and thumbnail are requested from the web. Default True.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called with a stage ("planning", "sending", "waiting", "looking", "published") and a sentence.

    Returns
    -------
    Receipt
        Receipt of this publication, or of an earlier attempt that turns out to have succeeded.

    Raises
    ------
    PublishError
        If nothing was sent: the draft has errors, is published already, needs a decision, or the journal can't be
        written.
    UnclearError
        If it was sent, and whether the server has it is unknown. It is never sent again unless you ask for it.
    ApiError
        If the server refused it, or can't be reached: nothing was published.

    Examples
    --------
    >>> receipt = cxw.publish_draft(draft, client, handle, anyway=True)
    """
    require_client("Publishing", client)
    journal = journal or default_journal()
    tell = on_progress or tell_nobody
    tell("planning", f"Checking the handle {handle!r} and earlier images at {client.api_url}.")
    if count := len(pending_attempts(client, journal)):
        many = "publications" if count > 1 else "publication"
        tell(
            "planning", f"Of {count} earlier {many} the outcome is not known: cxw.settle_all(client) checks the server."
        )
    step = plan([draft], client, handle, journal=journal, probe=probe)[0]
    receipt = publish_planned(step, client, journal, on_progress, again=again, anyway=anyway)
    tell_after(draft.published, receipt)
    return receipt


def publish_planned(
    step: Step,
    client: Constellations,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
    *,
    again: bool = False,
    anyway: bool = False,
    resend: Collection[str] = (),
    sleep: Sleep | None = None,
    returns_when_busy: bool = False,
    verify: bool = True,
) -> Receipt:
    """Publish a plan's step, exactly as planned.

    Parameters and errors are those of `publish_draft`. `resend` holds keys of unclear attempts whose image may be sent
    again if the server does not have it after the settling time; unlike `again` it never publishes a known image twice.
    `sleep` does the waiting. With `returns_when_busy` a busy server is not waited for: BusyError is raised. Without `verify`
    the record that the response names is not read, as long as nothing is odd about the response.
    """
    journal = journal or default_journal()
    if step.body is None or step.decision == BLOCKED:
        raise _stopped(step, "It can't be published")
    if client.api_url != step.api_url:
        raise PublishError(
            f"The plan is for {step.api_url}, the client is one of {client.api_url}. Make a plan with this client."
        )
    tell = on_progress or tell_nobody
    backoff = None if returns_when_busy else Backoff(LONGEST_WAIT)
    delivery = Delivery(
        outgoing(step), client, journal, tell, again=again, resend=resend, sleep=sleep, backoff=backoff, verify=verify
    )
    # Earlier attempts come first: they tell more than the plan's reasons, and may have the receipt.
    receipt: Receipt | None = delivery.look_first() if step.earlier or step.decision == SKIP else None
    if receipt is not None:
        return receipt
    if step.decision == SKIP and not again:
        raise _stopped(step, "It was not published. To publish a duplicate, which can't be deleted, pass again=True")
    if step.decision == DECIDE and not (anyway or again or resend):
        raise _stopped(step, "It needs a decision. To publish it nonetheless, pass anyway=True")
    tell("sending", f"Publishing {step.name!r}: {step.destination}.")
    sent: Receipt = delivery.run()
    return sent


def outgoing(step: Step) -> Outgoing:
    """Return the request that a step would send."""
    known = tuple(image.id for image in step.existing)
    return Outgoing(step.api_url, step.handle, step.url, step.body or b"", known, step.source)


def _stopped(step: Step, what: str) -> PublishError:
    reasons = "\n".join(f"  {reason}" for reason in step.reasons)
    return PublishError(f"{step.name!r} ({step.destination}): {what}.\n{reasons}")
