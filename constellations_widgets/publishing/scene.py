"""Scenes of published images: without a scene, an image appears nowhere on the site."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from ..api.addresses import handle_name
from ..api.constellations import Constellations
from ..errors import InvalidError, PublishError, SignInError
from ..geometry.extent import view_of_image
from ..schema.records import Receipt
from ..schema.scenes import ScenePlace, SceneReceipt, SceneSubmission
from ..schema.sky_view import SkyView
from ._arguments import require_client, require_receipt
from .backoff import Backoff
from .delivery import LONGEST_WAIT, Delivery, OnProgress, Outgoing, Sleep, tell_nobody
from .journal import Journal, default_journal
from .matching import same_placement_sent


def scene_of(
    image: Receipt,
    view: SkyView | Literal["image"] | None = "image",
    *,
    text: str | None = None,
    opacity: float = 1.0,
    above: Iterable[tuple[Receipt, float]] = (),
    outgoing_url: str = "",
    published: bool = False,
    background_id: str | None = None,
) -> SceneSubmission:
    """Return a scene of a published image, or of several. Nothing is sent.

    Parameters
    ----------
    image : Receipt
        Receipt of the image.
    view : SkyView or "image", default "image"
        View of the scene, such as ``preview.view``. "image": the image fills it, north up; for an image whose pixel
        size is unknown, that is an estimate. None, as ``preview.view`` is while it shows no part of the sky, is
        refused.
    text : str, optional
        Text beside the scene, 1 to 5,000 UTF-16 units. By default the image's note.
    opacity : float, optional
        Opacity of the image, 0 to 1. Default 1.
    above : iterable of (Receipt, float), optional
        Further images on top of it, each with its opacity.
    outgoing_url : str, optional
        Web address of "see more". Default "": none.
    published : bool, optional
        Whether the scene is public on the handle's page. Default False.
    background_id : str, optional
        Id of the image behind the others, such as one of `Constellations.builtin_backgrounds`. Default None: the site
        shows its own sky.

    Returns
    -------
    SceneSubmission
        Its `to_request` is the exact JSON body.

    Raises
    ------
    InvalidError
        If a value is out of range. Status None: it was refused here.
    TypeError
        If `image` is not a receipt of an image.

    Warns
    -----
    UserWarning
        If two of the images have the same image URL and different placements: the site draws both where the first is.

    Examples
    --------
    >>> scene = cxw.scene_of(receipt, cxw.SkyView(202.47, 47.2, 0.5), text="The Whirlpool galaxy")
    """
    shown = [(image, opacity), *above]
    for each, _ in shown:
        require_receipt(each)
    for message in shared_url_warnings((each.id, each.body) for each, _ in shown):
        warnings.warn(message, stacklevel=2)
    if view is None:
        raise InvalidError(
            "No scene can be made: there is no view (view is None). A preview has none before a page has shown it, and while it "
            "shows a planet, a panorama or the Solar System; `preview.wwt.set_view('sky')` goes back to the sky. For a scene of "
            "the whole image, leave view out."
        )
    return submission_of(
        view_of_image(image.body["wwt"]) if view == "image" else view,
        [(each.id, seen) for each, seen in shown],
        background_id,
        text=image.note if text is None else text,
        outgoing_url=outgoing_url,
        published=published,
    )


def submission_of(
    view: SkyView, layers: Iterable[tuple[str, float]], background_id: str | None, **others: Any
) -> SceneSubmission:
    """Return a scene of images, each an id and an opacity. Raises InvalidError, which names each value that is out of range."""
    if not isinstance(view, SkyView):
        raise InvalidError(f'view is {view!r:.60}: give a SkyView, such as preview.view, or "image".')
    shown = [{"image_id": id, "opacity": opacity} for id, opacity in layers]
    content = {"image_layers": shown, "background_id": background_id}
    try:
        return SceneSubmission.model_validate({"place": ScenePlace.of_view(view), "content": content, **others})
    except ValidationError as error:
        faults = ((".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors(include_url=False))
        listed = "; ".join(f"{field}: {message.removeprefix('Value error, ')}" for field, message in faults)
        raise InvalidError(f"No scene can be made of this: {listed}") from None
    except (TypeError, ValueError):
        raise InvalidError(f"No scene can be made of this: {view} has a value that is not a number") from None


def publish_scene(
    image: Receipt,
    client: Constellations,
    view: SkyView | Literal["image"] | None = "image",
    *,
    text: str | None = None,
    opacity: float = 1.0,
    above: Iterable[tuple[Receipt, float]] = (),
    outgoing_url: str = "",
    published: bool = False,
    background_id: str | None = None,
    again: bool = False,
    journal: Journal | None = None,
    on_progress: OnProgress | None = None,
) -> SceneReceipt:
    """Make a scene of a published image, under the same handle: `scene_of` and `send_scene` in one call.

    Parameters and errors are those of these two functions.

    Examples
    --------
    >>> cxw.publish_scene(receipt, client, text="The Whirlpool galaxy", published=True)
    """
    scene = scene_of(
        image,
        view,
        text=text,
        opacity=opacity,
        above=above,
        outgoing_url=outgoing_url,
        published=published,
        background_id=background_id,
    )
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
    sleep: Sleep | None = None,
) -> SceneReceipt:
    """Make a scene, exactly once: it is recorded in the journal first, and reconciled if the outcome is unclear.

    A scene can be changed on the site later, and removed from the handle's page, but not deleted.

    Parameters
    ----------
    scene : SceneSubmission
        From `scene_of`, or made of several layers.
    client : Constellations
        Client of the API that has the images; signed in.
    handle : str
        Handle of the scene.
    again : bool, optional
        Whether to make it although the same scene was made from here before, or may have been. Default False.
    resend : collection of str, optional
        Keys of unclear attempts whose scene may be sent again if the server does not have it after the settling time.
    journal : Journal, optional
        By default that of the user's state directory.
    on_progress : callable, optional
        Called with a stage ("sending", "waiting", "looking", "published") and a sentence.
    sleep : callable, optional
        Function that waits; an exception in it ends the call before anything is sent.

    Returns
    -------
    SceneReceipt
        Receipt of this scene, or of an earlier attempt that turns out to have succeeded.

    Raises
    ------
    PublishError
        If nothing was sent: the same scene was made from here before, or the journal can't be written.
    UnclearError
        If it was sent, and whether the server made it is unknown. It is never sent again unless you ask for it.
    ApiError
        If the server refused it, or can't be reached: no scene was made. NotFoundError if it does not have the
        background, which it would not check itself.
    """
    require_client("Publishing", client)
    journal, tell, name = journal or default_journal(), on_progress or tell_nobody, handle_name(handle)
    if not client.signed_in:
        raise SignInError("A scene needs a client that is signed in: nothing was sent.")
    if scene.content.background_id is not None:
        client.image(scene.content.background_id)
    # Existing scenes are listed before every attempt that is sent, also after an earlier one was searched for.
    known = tuple(each.id for each in client.handle_scenes(name))
    request = Outgoing(client.api_url, name, "", scene.to_json(), known)
    backoff = Backoff(LONGEST_WAIT)
    delivery = Delivery(request, client, journal, tell, again=again, resend=resend, sleep=sleep, backoff=backoff)
    receipt: SceneReceipt | None = delivery.look_first()
    if receipt is not None:
        return receipt
    tell("sending", f"Making a scene under the handle {name!r} at {client.api_url}.")
    sent: SceneReceipt = delivery.run()
    return sent


def shared_url_warnings(images: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return a warning for each image that the site can't tell from another: it identifies an imageset by its URL alone.

    `images` are the id and the fields of each, as a request or a record has them.
    """
    first: dict[str, tuple[str, Mapping[str, Any]]] = {}
    found = []
    for id, fields in images:
        url = (fields.get("storage") or {}).get("legacy_url_template")
        if url and not same_placement_sent(first.setdefault(url, (id, fields))[1], fields):
            found.append(
                f"The images {first[url][0]} and {id} have the same image URL, {url}, and different placements. The site "
                "tells images by their URL: it will draw both where the first one is. Publish one of them from another "
                "address, and show that one."
            )
    return found
