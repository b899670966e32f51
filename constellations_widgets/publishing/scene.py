"""Scenes of published images: without one, an image shows up nowhere on the site."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from pydantic import ValidationError

from ..api.addresses import handle_name
from ..api.constellations import Constellations
from ..errors import InvalidError, PublishError, SignInError
from ..schema.extent import SkyView, view_of_image
from ..schema.records import Receipt
from ..schema.scenes import ScenePlace, SceneReceipt, SceneSubmission
from .attempts import Attempt
from .given import require_client, require_receipt
from .journal import Journal, default_journal
from .submit import OnProgress, send, settled_earlier, tell_nobody


def scene_of(
    image: Receipt,
    view: SkyView | None = None,
    *,
    text: str | None = None,
    opacity: float = 1.0,
    above: Iterable[tuple[Receipt, float]] = (),
    outgoing_url: str = "",
    published: bool = False,
) -> SceneSubmission:
    """A scene of a published image, or of several. Nothing is sent.

    Parameters
    ----------
    image : Receipt
        Of the image's publication.
    view : SkyView, optional
        Where the scene looks, such as ``preview.view``. By default the image fills it, north up; of an image whose
        pixels nobody has counted, that is a good guess.
    text : str, optional
        What people read beside it, 1 to 5,000 UTF-16 units. By default the image's note.
    opacity : float, optional
        Of the image, 0 to 1. Default 1.
    above : iterable of (Receipt, float), optional
        Further images on top of it, each with its opacity.
    outgoing_url : str, optional
        Web address of "see more". Default "": none.
    published : bool, optional
        Whether everybody sees it on the handle's page. Default False.

    Returns
    -------
    SceneSubmission
        Its `to_request` is the exact JSON body.

    Raises
    ------
    InvalidError
        If a value is out of range. Status None: it was refused here.
    TypeError
        If `image` is no receipt of an image.
    """
    shown = [(image, opacity), *above]
    for each, _ in shown:
        require_receipt(each)
    try:
        layers = [{"image_id": each.id, "opacity": seen} for each, seen in shown]
        return SceneSubmission.model_validate(
            {
                "place": ScenePlace.of_view(view or view_of_image(image.body["wwt"])),
                "content": {"image_layers": layers},
                "text": image.note if text is None else text,
                "outgoing_url": outgoing_url,
                "published": published,
            }
        )
    except ValidationError as error:
        raise InvalidError(f"No scene can be made of this: {_said(error)}") from None


def publish_scene(
    image: Receipt,
    client: Constellations,
    view: SkyView | None = None,
    *,
    text: str | None = None,
    opacity: float = 1.0,
    above: Iterable[tuple[Receipt, float]] = (),
    outgoing_url: str = "",
    published: bool = False,
    again: bool = False,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> SceneReceipt:
    """Make a scene of a published image, under the same handle: `scene_of` and `send_scene` in one call.

    Parameters and errors are those of the two.

    Examples
    --------
    >>> cxw.publish_scene(draft.receipt, client, preview.view, text="The Whirlpool galaxy", published=True)
    """
    shown = {"text": text, "opacity": opacity, "above": above, "outgoing_url": outgoing_url, "published": published}
    scene = scene_of(image, view, **shown)
    if client.api_url != image.api_url:
        raise PublishError(
            f"The image is at {image.api_url}, the client is one of {client.api_url}: use one of the same API."
        )
    return send_scene(scene, client, image.handle, again=again, journal=journal, on_progress=on_progress)


def send_scene(
    scene: SceneSubmission,
    client: Constellations,
    handle: str,
    *,
    again: bool = False,
    resend: Collection[str] = (),
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
    sleep: Callable[[float], Any] = time.sleep,
) -> SceneReceipt:
    """Make a scene, exactly once: as with an image, it is written down first, and looked for when the outcome is unclear.

    A scene can be changed afterwards on the site, and taken from the handle's page, but not deleted.

    Parameters
    ----------
    scene : SceneSubmission
        From `scene_of`, or made of several layers.
    client : Constellations
        Of the API that has the images; signed in.
    handle : str
        Under which handle.
    again : bool, optional
        Whether it may be made although the same was made from here before, or may have been.
    resend : collection of str, optional
        Keys of unclear attempts whose scene may be sent anew if the server still doesn't show it.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called with a stage ("sending", "looking", "published") and a sentence.

    Returns
    -------
    SceneReceipt
        Of this scene; or of an earlier attempt, if it turns out to have succeeded.

    Raises
    ------
    PublishError
        Nothing was sent: the same scene was made from here before, or the journal can't be written.
    UnclearError
        It was sent, and whether the server made it is not known. It is never sent again by itself.
    ApiError
        The server said no, or can't be reached: no scene was made.
    """
    require_client("Publishing", client)
    journal, tell, name = journal or default_journal(), on_progress or tell_nobody, handle_name(handle)
    if not client.signed_in:
        raise SignInError("A scene needs a client that is signed in: nothing was sent.")
    place, body = (client.api_url, name), scene.to_json()
    attempts = journal.same_body(*place, body)
    despite = {attempt.key for attempt in attempts} if again else set()
    if earlier := settled_earlier(attempts, client, journal, tell, despite if again else resend):
        return earlier
    if not again and not resend:
        journal.refuse_twice(*place, body)
    known = [each.id for each in client.handle_scenes(name)]
    tell("sending", f"Making a scene under the handle {name!r} at {client.api_url}.")
    attempt: Attempt = journal.claim(*place, "", body, known_ids=known, despite=despite, resend=resend)
    return send(attempt, client, journal, tell, sleep)


def _said(error: ValidationError) -> str:
    faults = ((".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors(include_url=False))
    return "; ".join(f"{field}: {message.removeprefix('Value error, ')}" for field, message in faults)
