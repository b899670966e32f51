"""Verify that the records that responses have named are those of the requests.

A middle box that delivers a response twice, or to another request, makes an image's receipt one of another image. The
record itself tells: it is read for each single publication, and in lists of 100 for those of a batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from .. import runtime
from ..api.constellations import Constellations
from ..errors import ApiError, NotFoundError
from ..schema.records import ImageSummary
from .attempts import Attempt
from .matching import is_edited_record_of, is_record_of, is_summary_of

THREADS = 16
"""Number of parallel requests to the server."""
_PAGE = 100  # images in a list, the most that the server gives at once


def is_own_record(
    attempt: Attempt, id: str, client: Constellations, *, is_new: bool = True, may_be_gone: bool = False
) -> bool | None:
    """Return whether the server has a record with this id that `attempt` has made; None if it can't say.

    If the record need not be new (`is_new`), its texts and permissions may have been changed since.
    """
    if id in attempt.known_ids:
        return False
    try:
        if attempt.kind == "scene":
            return is_record_of(client.scene(id), attempt)
        return (is_record_of if is_new else is_edited_record_of)(client.image(id), attempt)
    except NotFoundError:
        return None if may_be_gone else False
    except ApiError:
        return None


def with_foreign_records(
    attempts: Sequence[Attempt], client: Constellations, earlier: Collection[str] = ()
) -> list[Attempt]:
    """Return those of these published images, all of one handle, whose record turns out to be that of another request.

    What the server does not show is left out, and so are images of an earlier run (`earlier` holds the keys of their attempts)
    that it does not have any more: they may have been removed since.
    """
    if not attempts:
        return []

    def verdict(attempt: Attempt) -> bool | None:
        may_be_gone = attempt.key in earlier
        return is_own_record(attempt, attempt.image_id or "", client, is_new=False, may_be_gone=may_be_gone)

    with runtime.new_pool(THREADS, "verify") as pool:
        pages = range(-(-len(attempts) // _PAGE))  # others that were made meanwhile push a few of ours to the next page
        try:
            found = list(pool.map(lambda page: _page(attempts[0].handle, page, client), pages))
        except ApiError:
            return []
        listed = {image.id: image for images in found for image in images}
        alike = Counter(map(_look, listed.values()))
        doubtful = [it for it in attempts if (image := _shown(it, listed)) is None or alike[_look(image)] > 1]
        verdicts = list(pool.map(verdict, doubtful))
    return [attempt for attempt, verdict in zip(doubtful, verdicts, strict=True) if verdict is False]


def _page(handle: str, number: int, client: Constellations) -> list[ImageSummary]:
    return next(client.handle_images(handle, _PAGE, number), [])


def _look(image: ImageSummary) -> tuple[str | None, str]:
    """Return the URL and the note of an image in a list, by which it is distinguished from others."""
    return image.storage.legacy_url_template, image.note


def _shown(attempt: Attempt, listed: dict[str, ImageSummary]) -> ImageSummary | None:
    """Return the attempt's image if the list shows it with its URL and note."""
    image = listed.get(attempt.image_id or "")
    if image is None or not attempt.url or attempt.image_id in attempt.known_ids:
        return None
    is_own = image.storage.legacy_url_template == attempt.url and is_summary_of(image.note, attempt)
    return image if is_own else None
