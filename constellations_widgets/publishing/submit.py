"""Publishing: written down, sent once, and looked after when the answer is unclear."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from ..api.constellations import Constellations
from ..api.plaintext import sentence
from ..errors import ApiError, NotSentError, PublishError, UnclearError
from ..schema.records import Receipt
from .attempts import Attempt
from .given import require_client
from .journal import Journal, default_journal
from .plan import BLOCKED, DECIDE, SKIP, Step, plan
from .reconcile import SETTLING_WAITS, left_open, settle

if TYPE_CHECKING:
    from ..draft import ImageDraft

OnProgress = Callable[[str, str], Any]
"""Is told the stage ("planning", "sending", "looking", "published") and a sentence, in the thread that publishes."""


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

    It shows up nowhere on the site until a scene shows it: `publish_scene`.

    Parameters
    ----------
    draft : ImageDraft
        The image.
    client : Constellations
        Where to; signed in.
    handle : str
        Under which handle; the account must own it.
    again : bool, optional
        Whether it may be published although it is there already, or an earlier attempt may have succeeded.
    anyway : bool, optional
        Whether it may be published although the checks have warnings, or another handle has the same image.
    probe : bool, optional
        Whether the web is asked for the image's first tile and thumbnail. Default True.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called with a stage and a sentence.

    Returns
    -------
    Receipt
        Of this publication; or of an earlier attempt, if it turns out to have succeeded.

    Raises
    ------
    PublishError
        Nothing was sent: the draft has errors, is there already, needs a decision, or the journal can't be written.
    UnclearError
        It was sent, and whether the server has it is not known. It is never sent again by itself.
    ApiError
        The server said no, or can't be reached: nothing was published.
    """
    require_client("Publishing", client)
    journal = journal or default_journal()
    tell = on_progress or tell_nobody
    tell("planning", f"Asking {client.api_url} about the handle {handle!r} and earlier images.")
    if count := len(left_open(client, journal)):
        many = "publications" if count > 1 else "publication"
        tell("planning", f"Of {count} earlier {many} the outcome is not known: cxw.settle_all(client) looks.")
    step = plan([draft], client, handle, journal=journal, probe=probe)[0]
    receipt = publish_planned(step, client, journal, on_progress, again=again, anyway=anyway)
    _tell_after(draft.published, receipt)
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
    sleep: Callable[[float], Any] = time.sleep,
) -> Receipt:
    """Publish what a plan's step says, exactly as it says it.

    Parameters and errors are those of `publish_draft`. `resend` holds keys of unclear attempts whose image may be sent
    anew if the server still doesn't show it; unlike `again` it never publishes what is known to be published.
    """
    journal = journal or default_journal()
    tell = on_progress or tell_nobody
    if step.body is None or step.decision == BLOCKED:
        raise _stopped(step, "It can't be published")
    if client.api_url != step.api_url:
        raise PublishError(
            f"The plan is for {step.api_url}, the client is one of {client.api_url}. Make a plan with this client."
        )
    # What was decided is decided of what was known: nobody has agreed to send it beside what was published since then.
    place = (step.api_url, step.handle)
    looks = bool(step.earlier or again or resend or step.decision == SKIP)
    attempts = journal.same_body(*place, step.body) if looks else []
    pardoned = attempts if again else [it for it in step.earlier if it.state == "published"]
    despite = {attempt.key for attempt in pardoned}
    if earlier := settled_earlier(attempts, client, journal, tell, despite if again else resend):
        return earlier
    if step.decision == SKIP and not again:
        journal.refuse_twice(step.api_url, step.handle, step.body)
        raise _stopped(step, "It was not published. To publish it once more, say again=True")
    if step.decision == DECIDE and not (anyway or again or resend):
        raise _stopped(step, "Somebody has to decide. To publish it nonetheless, say anyway=True")
    tell("sending", f"Publishing {step.name!r}: {step.destination}.")
    known = [image.id for image in step.existing]
    try:
        attempt = journal.claim(*place, step.url, step.body, known_ids=known, despite=despite, resend=resend)
    except PublishError:
        since = [] if looks else journal.same_body(*place, step.body)  # of what came after the plan was made
        if earlier := settled_earlier(since, client, journal, tell, ()):
            return earlier
        raise
    return send(attempt, client, journal, tell, sleep)


def send(
    attempt: Attempt, client: Constellations, journal: Journal, tell: OnProgress, sleep: Callable[[float], Any]
) -> Any:
    """Send what is written down, an image or a scene, and write down what came of it. Gives its receipt."""
    key, add = attempt.key, client.add_scene if attempt.kind == "scene" else client.add_image
    try:
        receipt = add(attempt.handle, attempt.body, key=key)
    except UnclearError as error:
        unclear = error
    except NotSentError as error:
        journal.not_sent(key, str(error))
        raise
    except ApiError as error:
        journal.refused(key, str(error))
        raise
    except BaseException as error:  # an interrupted kernel, say: it may have left
        journal.unclear(key, f"Interrupted ({type(error).__name__}).")
        raise
    else:
        journal.published(key, receipt.id, receipt.rel_url, receipt.created)
        _tell_after(tell, "published", f"Published as {receipt.id}.")
        return receipt
    journal.unclear(key, sentence(unclear.message))
    looking = f"Looking whether the {attempt.kind} is there."
    _tell_after(tell, "looking", f"The outcome is unclear: {unclear.message}. {looking}")
    receipt = _receipt_or_unclear(attempt, unclear, client, journal, sleep)
    _tell_after(tell, "published", f"Published as {receipt.id}.")
    return receipt


def _receipt_or_unclear(
    attempt: Attempt, unclear: UnclearError, client: Constellations, journal: Journal, sleep: Callable[[float], Any]
) -> Any:
    try:
        settled = settle(attempt, client, journal, waits=SETTLING_WAITS, sleep=sleep)
        if settled.receipt:
            return settled.receipt
        seen = f"The server does not show the {attempt.kind} so far; it may still appear."
    except (ApiError, PublishError) as error:
        seen = f"Looking for it failed too: {error}"
    raise _unclear(attempt, unclear.message, seen, unclear) from None


def after_unclear(
    place: tuple[str, str],
    body: bytes,
    client: Constellations,
    tell: OnProgress,
    send_again: Callable[[frozenset[str]], Any] | None = None,
    journal: Journal | None = None,
) -> Any:
    """The receipt of what was sent with this body, whoever found it. Sends nothing but by `send_again`.

    That is called, if it is given, where none is known so far, with the keys of the attempts that are unclear; it looks first.

    Raises UnclearError where the server does not show it, PublishError where it was given up, or is just being sent, elsewhere.
    """
    journal = journal or default_journal()
    attempts = journal.same_body(*place, body)
    if attempts and attempts[0].receipt:  # of the newest: one before it may be of an image that the server has lost
        return attempts[0].receipt
    if send_again is not None:
        return send_again(frozenset(attempt.key for attempt in attempts if attempt.state == "unclear"))
    if found := settled_earlier(attempts, client, journal, tell, ()):
        return found
    journal.refuse_twice(*place, body)
    raise PublishError("Nothing was sent now. What was unclear was given up meanwhile: publish it anew if it is not there.")


def settled_earlier(
    attempts: Iterable[Attempt], client: Constellations, journal: Journal, tell: OnProgress, resend: Collection[str]
) -> Any:
    """The receipt of an earlier attempt that was unclear, and turns out to have succeeded.

    Raises UnclearError for one that is still unclear, unless it may be sent anew.
    """
    for attempt in attempts:
        if attempt.state != "unclear":
            continue
        when = f"{attempt.planned:%Y-%m-%d %H:%M} UTC"
        tell("looking", f"An attempt of {when} is unclear. Looking whether the {attempt.kind} is there.")
        settled = settle(attempt, client, journal)
        if settled.receipt:
            _tell_after(tell, "published", f"The earlier attempt had succeeded: {settled.receipt.id}.")
            return settled.receipt
        if attempt.key not in resend:
            seen = f"The server does not show the {attempt.kind} so far; nothing was sent now."
            raise _unclear(attempt, attempt.answer, seen)
    return None


def _unclear(attempt: Attempt, said: str, seen: str, cause: ApiError | None = None) -> UnclearError:
    done = "published" if attempt.kind == "image" else "made"
    error = UnclearError(
        f"Whether the {attempt.kind} was {done} is not known: {said.rstrip('.')}. {seen} Publishing it again looks first "
        "and, with again=True, sends it if it still isn't there. history() lists this attempt.",
        url=cause.url if cause else "",
        status=cause.status if cause else None,
    )
    error.message = said
    return error


def _stopped(step: Step, what: str) -> PublishError:
    reasons = "\n".join(f"  {reason}" for reason in step.reasons)
    return PublishError(f"{step.name!r} ({step.destination}): {what}.\n{reasons}")


def _tell_after(tell: Callable[..., Any], *what: Any) -> None:
    """Tell somebody of what was sent. Whatever they do wrong must not hide what became of the request."""
    try:
        tell(*what)
    except Exception as error:  # noqa: BLE001
        warnings.warn(f"Telling of the publication failed: {type(error).__name__}: {error}", stacklevel=3)


def tell_nobody(stage: str, message: str) -> None:
    pass
