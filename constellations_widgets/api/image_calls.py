"""Calls about images."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..errors import InvalidError
from ..schema.images import ImagePermissions, ImageSubmission
from ..schema.records import ImageRecord, ImageSummary, Receipt
from .addresses import record_path
from .base_client import BaseClient
from .changes import changed_meanwhile, image_changes, unmade_changes
from .transport import Call


class ImageCalls(BaseClient):
    """Calls about images."""

    def add_image(self, handle: str, submission: ImageSubmission | bytes, *, key: str | None = None) -> Receipt:
        """Publish an image. It can be neither corrected nor deleted afterwards.

        The request is sent once. Prefer `constellations_widgets.publishing`, which adds a plan, a journal, and
        reconciliation with the server if the outcome is unclear.

        Parameters
        ----------
        handle : str
            Handle of the image; your account must own it.
        submission : ImageSubmission or bytes
            The image. Bytes are the exact body, as ``ImageSubmission.to_json()`` gave it.
        key : str, optional
            Id of the attempt, for the receipt. By default a new one.

        Returns
        -------
        Receipt
            With the image's id and links.

        Raises
        ------
        SignInError, ForbiddenError, NotFoundError, InvalidError, TooLargeError, BusyError
            If the server refused it: nothing was published.
        NotSentError
            If nothing was sent.
        UnclearError
            If the request was sent and no valid response arrived. Check with `find_images` before sending it again.
        """
        return Receipt(**self._add("image", handle, submission, key))

    def image(self, id: str) -> ImageRecord:
        """Return the complete record of an image. Needs no token."""
        return self._record(ImageRecord, "image", id)

    def may_edit(self, id: str) -> bool:
        """Return whether this account may change an image's note, alt text and permissions. False if not signed in."""
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

        The record is read before and after: the server's success response does not prove that anything changed.

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
            The record that the new values were made for. If the values that they replace have changed on the server
            since, nothing is sent.

        Returns
        -------
        ImageRecord
            The record as the server has it now.

        Raises
        ------
        InvalidError
            If a value can't be set, or there is nothing to change. With status None it was refused here, and nothing
            was sent.
        ForbiddenError
            If this account may not change the image.
        ConflictError
            If the values to replace differ from those in `seen`: nothing was sent.
        BadAnswerError
            If the server reported success but the record is not what was requested.
        UnclearError
            If the change was sent and its outcome is unknown. Repeating it does no harm.
        """
        before = self.image(id)
        changes = image_changes(before, note=note, alt_text=alt_text, permissions=permissions)
        path = record_path("image", id)
        if seen is not None:
            self._require_unchanged(f"Image {id}", changed_meanwhile(seen, before, changes), before, path)
        return self._change(
            f"update the image {id!r}",
            path,
            changes,
            lambda: self.image(id),
            lambda after: unmade_changes(before, changes, after),
            "may_edit",
        )

    def find_images(self, url: str) -> list[ImageSummary]:
        """Return all images of all handles with exactly this image URL. Needs no token.

        The image URL is the field `storage.legacy_url_template`.
        """
        if not isinstance(url, str):
            raise InvalidError(f"The image URL to look for is a {type(url).__name__}: give it as text.")
        body = json.dumps({"wwt_legacy_url": url}, ensure_ascii=False).encode("utf-8", "replace")
        call = Call("look for images by their URL", "POST", "/images/find-by-legacy-url", body)
        return self._list(ImageSummary, call, self._transport.json(call))

    def wtml(self, id: str) -> str:
        """Return an image's WTML, as XML text. Needs no token. Raises ServerError for an image without an image URL."""
        call = Call(f"read the WTML of the image {id!r}", "GET", f"{record_path('image', id)}/img.wtml")
        return self._wtml(call)

    def builtin_backgrounds(self) -> list[ImageSummary]:
        """Return the images that the site offers as backgrounds of scenes, in its order. Needs no token."""
        call = Call("list the built-in backgrounds", "GET", "/images/builtin-backgrounds")
        return self._list(ImageSummary, call, self._transport.json(call))
