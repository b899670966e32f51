"""The Constellations API: its calls, with typed results."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from ..errors import ApiError, ConflictError, InvalidError, SignInError, UnclearError
from ..schema.images import ImagePermissions, ImageSubmission
from ..schema.records import Handle, ImageRecord, ImageSummary, Receipt
from ..schema.scenes import SceneReceipt, SceneRecord, SceneSubmission, SceneSummary
from .addresses import handle_call, handle_name, record_path
from .changes import body_of, changed_meanwhile, image_changes, not_made, unmade_changes
from .credentials import TOKEN_VARIABLE, Credentials
from .retries import Retries
from .transport import Call, Transport

Answer = TypeVar("Answer", bound=BaseModel)


class ImagePage(list[ImageSummary]):
    """One page of a handle's images, a list. `total_count` says how many images the handle has in all."""

    def __init__(self, images: list[ImageSummary], total_count: int):
        super().__init__(images)
        self.total_count = total_count


class Constellations:
    """A client of the Constellations API.

    One client can be used by any number of threads at once. It keeps its connections open; `close` it, or use it in a
    ``with`` block.

    Parameters
    ----------
    api_url : str
        Root of the API, such as ``https://api.worldwidetelescope.org`` or a sandbox's ``api_url``.
    auth : str or Credentials, optional
        An access token, or what `sign_in` gave. By default the environment variable ``CONSTELLATIONS_TOKEN`` is read;
        if it isn't set either, the client is not signed in, and can only read what is public.
    timeout : float, optional
        Seconds to wait for the next bytes of an answer, at most a day. One request may take twice as long; a call whose
        request is repeated four times. Default 30.
    transport : httpx.BaseTransport, optional
        Takes the place of the network, for tests.
    retries : Retries, optional
        How often and after how long a request is repeated: by default up to three times, with waits that double from a
        quarter of a second on, or are those that the server names. What only reads is repeated at every passing failure,
        what publishes or changes only when the server asks to come back later and says when: then it has done nothing.

    Raises
    ------
    NotSentError
        If `api_url` is not the address of an API, or `timeout` is none.
    SignInError
        If the token can't be one, or would be sent over plain http to another machine.

    Notes
    -----
    Every call can raise an `ApiError`: `NotSentError` (nothing left this machine), `NoAnswerError` (a read got no
    answer), `BadAnswerError` (an answer that this API never gives), a `StatusError` (the server said no; its subclasses
    say why), and, of the calls that change something, `UnclearError` (sent, but whether it was done is not known).
    """

    def __init__(
        self,
        api_url: str,
        auth: str | Credentials | None = None,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        retries: Retries | None = None,
    ):
        credentials = Credentials.token(auth) if isinstance(auth, str) else auth
        if credentials is None:
            credentials = Credentials.from_environment()
        elif not isinstance(credentials, Credentials):
            raise SignInError(f"auth is a {type(auth).__name__}: give a token as text, or what sign_in() gave.")
        self._transport = Transport(api_url, credentials, timeout=timeout, transport=transport, retries=retries)

    @property
    def api_url(self) -> str:
        """Root of the API, without a slash at its end."""
        return self._transport.api_url

    @property
    def signed_in(self) -> bool:
        """Whether requests carry a token. Whether the server believes it is another matter."""
        credentials = self._transport.credentials
        return credentials is not None and credentials.signed_in

    @property
    def clock_offset(self) -> float:
        """Seconds that the server's clock is ahead of this machine's, by its latest answer; 0 before the first one."""
        return self._transport.clock_offset

    def close(self) -> None:
        """Close the connections. The client can still be used: it opens new ones."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Constellations {self.api_url}, {'signed in' if self.signed_in else 'not signed in'}>"

    # Images

    def add_image(self, handle: str, submission: ImageSubmission | bytes, *, key: str | None = None) -> Receipt:
        """Publish an image. It can be neither corrected nor deleted afterwards.

        The request is sent once, and again only where the server itself asked to come back later and said when.
        `constellations_widgets.publishing` does the same with a plan before it, a journal, and a look at the server
        when the outcome is unclear: prefer it.

        Parameters
        ----------
        handle : str
            Under which the image appears; your account must own it.
        submission : ImageSubmission or bytes
            The image. Bytes are the exact body, as ``ImageSubmission.to_json()`` gave it.
        key : str, optional
            The attempt's own id, for the receipt. By default a new one.

        Returns
        -------
        Receipt
            With the image's id and links.

        Raises
        ------
        SignInError, ForbiddenError, NotFoundError, InvalidError, TooLargeError, BusyError
            The server said no: nothing was published.
        NotSentError
            Nothing left this machine.
        UnclearError
            The request left and no trustworthy answer came. Look (`find_images`) before sending it again.
        """
        return Receipt(**self._add("image", handle, submission, key))

    def image(self, id: str) -> ImageRecord:
        """The whole record of an image. Needs no token."""
        return self._read(ImageRecord, Call(f"read the image {id!r}", "GET", record_path("image", id)))

    def may_edit(self, id: str) -> bool:
        """Whether this account may change an image's note, alt text and permissions. False if not signed in."""
        call = Call(f"ask who may edit the image {id!r}", "GET", f"{record_path('image', id)}/permissions")
        return self._transport.json(call).get("edit") is True

    def update_image(
        self,
        id: str,
        *,
        note: str | None = None,
        alt_text: str | None = None,
        permissions: ImagePermissions | Mapping[str, str] | None = None,
        seen: ImageRecord | None = None,
    ) -> ImageRecord:
        """Change an image's note, alt text or permissions; all else of a published image is fixed.

        The record is read before and after: the server's "yes" does not prove that anything changed.

        Parameters
        ----------
        id : str
            The image's id.
        note, alt_text : str, optional
            The new text, at most 500 and 5,000 UTF-16 units. Neither can be made empty: the server ignores that.
        permissions : ImagePermissions or mapping, optional
            `ImagePermissions` replace the old ones as a whole. A mapping holds those of copyright, credits and license
            that change; the others stay as they are.
        seen : ImageRecord, optional
            The record that the new values were made for. If somebody has changed what they replace since, nothing is
            sent.

        Returns
        -------
        ImageRecord
            As the server has it now.

        Raises
        ------
        InvalidError
            If a value can't be set, or there is nothing to change. With status None it was refused here, and nothing
            was sent.
        ForbiddenError
            If this account may not change the image.
        ConflictError
            If the record is not as it was `seen`, in what would be replaced: nothing was sent.
        BadAnswerError
            If the server said yes but the record is not what was asked for.
        UnclearError
            If the change was sent, and whether it was made can't be seen now. Making it once more does no harm.
        """
        before = self.image(id)
        changes = image_changes(before, note=note, alt_text=alt_text, permissions=permissions)
        if seen is not None and (others := changed_meanwhile(seen, before, changes)):
            raise ConflictError(
                f"Could not update the image {id!r}: somebody has changed {', '.join(others)} meanwhile. "
                "Nothing was sent. Look at the record as it is now, then decide.",
                before,
                url=self.api_url + record_path("image", id),
            )
        call = Call(f"update the image {id!r}", "PATCH", record_path("image", id), body_of(changes), writes=True)
        unclear: UnclearError | None = None
        try:
            self._transport.json(call)
        except UnclearError as error:  # the same change twice is one change: looking settles it
            unclear = error
        try:
            after = self.image(id)
        except ApiError as error:  # it may say that nothing was sent, and speaks of the look alone
            raise unclear or self._transport.bad_answer(call, f"could not be checked: {error.message}") from None
        if unmade := unmade_changes(before, changes, after):
            raise not_made(call.what, unclear, unmade) if unclear else self._transport.unmade(call, unmade)
        return after

    def find_images(self, url: str) -> list[ImageSummary]:
        """All images, of all handles, with exactly this image URL (`storage.legacy_url_template`). Needs no token."""
        if not isinstance(url, str):
            raise InvalidError(f"The image URL to look for is a {type(url).__name__}: give it as text.")
        body = json.dumps({"wwt_legacy_url": url}, ensure_ascii=False).encode("utf-8", "replace")
        call = Call("look for images by their URL", "POST", "/images/find-by-legacy-url", body)
        return self._list(ImageSummary, call, self._transport.json(call))

    def wtml(self, id: str) -> str:
        """An image's WTML, as XML text. Needs no token. An image without an image URL has none (`ServerError`)."""
        call = Call(f"read the WTML of the image {id!r}", "GET", f"{record_path('image', id)}/img.wtml")
        text = self._transport.text(call)
        if not text.lstrip("\ufeff \r\n").startswith(("<Folder", "<?xml")):
            raise self._transport.bad_answer(call, "is no WTML")
        return text

    # Handles

    def handle(self, handle: str) -> Handle:
        """A handle's public information. Raises NotFoundError if there is none of that name. Needs no token."""
        return self._read(Handle, handle_call("read", handle))

    def may_add_images(self, handle: str) -> bool:
        """Whether this account may publish under a handle; False if not signed in. NotFoundError if there is none."""
        call = handle_call("ask who may add images to", handle, "/permissions")
        return self._transport.json(call).get("view_dashboard") is True

    def handle_images(self, handle: str, page_size: int = 100, first_page: int = 0) -> Iterator[ImagePage]:
        """All images of a handle that this account owns, newest first, page by page.

        Each page is asked for when it is reached.

        Parameters
        ----------
        handle : str
            The handle.
        page_size : int, optional
            Images in one page, 1 to 100. Default 100.
        first_page : int, optional
            Where to begin, counted from 0: to go on where an earlier call was cut off.

        Yields
        ------
        ImagePage
            A list of `ImageSummary`, with `total_count`. An image appears once, even when new ones push it to a later
            page meanwhile.

        Raises
        ------
        ForbiddenError
            If the handle is not this account's.
        """
        if not 1 <= page_size <= 100:
            raise InvalidError(f"page_size is {page_size}; the server gives 1 to 100 images at once.")
        return self._handle_pages(handle, page_size, first_page)

    def _handle_pages(self, handle: str, page_size: int, page: int) -> Iterator[ImagePage]:
        seen: set[str] = set()
        while True:
            call = handle_call("list the images of", handle, f"/imageinfo?page={page}&pagesize={page_size}")
            answer = self._transport.json(call)
            images, total = self._list(ImageSummary, call, answer), answer.get("total_count")
            new = [image for image in images if image.id not in seen]
            seen.update(image.id for image in new)
            if new:
                yield ImagePage(new, total if isinstance(total, int) else len(seen))
            page += 1
            # Images that are published meanwhile push the others on: a page with nothing new need not be the last.
            if not images or (page * page_size >= total if isinstance(total, int) else not new):
                return

    # Scenes

    def add_scene(self, handle: str, scene: SceneSubmission | bytes, *, key: str | None = None) -> SceneReceipt:
        """Make a scene of published images. `constellations_widgets.publish_scene` keeps a journal of it: prefer it.

        The same again makes a second scene, as with `add_image`, whose parameters and errors are the same. InvalidError
        is raised, too, where the server has none of an image that the scene shows.
        """
        return SceneReceipt(**self._add("scene", handle, scene, key))

    def scene(self, id: str) -> SceneRecord:
        """The whole record of a scene, published or not. Needs no token."""
        return self._read(SceneRecord, Call(f"read the scene {id!r}", "GET", record_path("scene", id)))

    def handle_scenes(self, handle: str, page: int = 0) -> list[SceneSummary]:
        """A handle's hundred newest scenes, published or not; with page 1 those before, and so on.

        Raises ForbiddenError if the handle is not this account's.
        """
        call = handle_call("list the scenes of", handle, f"/sceneinfo?page={page:d}&pagesize=100")
        return self._list(SceneSummary, call, self._transport.json(call))

    def _add(
        self, kind: str, handle: str, submission: ImageSubmission | SceneSubmission | bytes, key: str | None
    ) -> dict[str, Any]:
        """Send a new image or scene; gives what its receipt says."""
        name = handle_name(handle)
        what = f"add {'an' if kind == 'image' else 'a'} {kind} to the handle {name!r}"
        if not self.signed_in:
            raise SignInError(
                f"Could not {what}: not signed in. Pass auth=sign_in(...), or set {TOKEN_VARIABLE} in the environment."
            )
        body = submission.to_json() if isinstance(submission, ImageSubmission | SceneSubmission) else submission
        sent = _object_of(body)
        if sent is None:
            raise InvalidError(
                f"Could not {what}: that is no submission. Give draft.submission(), or a SceneSubmission."
            )
        call = Call(what, "POST", f"/handle/{quote(name, safe='')}/{kind}", body, writes=True)
        answer = self._transport.json(call)
        id, rel_url = answer.get("id"), answer.get("rel_url")
        if not (isinstance(id, str) and re.fullmatch(r"[\w-]{1,100}", id, re.ASCII)):
            raise self._transport.bad_answer(call, f"names no id of {'an' if kind == 'image' else 'a'} {kind}")
        return {
            "id": id,
            "rel_url": rel_url if isinstance(rel_url, str) else f"/{kind}/{id}",
            "api_url": self.api_url,
            "handle": name,
            "created": datetime.now(UTC),
            "body": sent,
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "key": str(key or uuid.uuid4().hex),
        }

    def _read(self, model: type[Answer], call: Call) -> Answer:
        return self._typed(model, call, self._transport.json(call))

    def _list(self, model: type[Answer], call: Call, answer: dict[str, Any]) -> list[Answer]:
        results = answer.get("results")
        if not isinstance(results, list):
            raise self._transport.bad_answer(call, "has no list of results")
        return [self._typed(model, call, result) for result in results]

    def _typed(self, model: type[Answer], call: Call, content: Any) -> Answer:
        try:
            return model.model_validate(content)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in fault["loc"]) or "content"
            raise self._transport.bad_answer(call, f"has an unusable {field!r} ({fault['msg']})") from None


def _object_of(body: Any) -> dict[str, Any] | None:
    """The object that a request's body holds, None if it is no such body. Everything that can go wrong with it does so
    here: once it is sent, there has to be a receipt."""
    try:
        content = json.loads(body) if isinstance(body, bytes) else None
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
