"""Calls about handles."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from ..schema.records import Handle, HandleStats, ImageSummary
from ..schema.scenes import SceneRecord
from .addresses import handle_call, handle_name
from .base_client import BaseClient, RecordPage
from .changes import handle_changes


class HandleCalls(BaseClient):
    """Calls about handles."""

    def handle(self, handle: str) -> Handle:
        """Return a handle's public information. Raises NotFoundError if there is no such handle. Needs no token."""
        return self._read(Handle, handle_call("read", handle))

    def may_add_images(self, handle: str) -> bool:
        """Return whether this account may publish under a handle; False if not signed in.

        Raises NotFoundError if there is no such handle.
        """
        call = handle_call("ask who may add images to", handle, "/permissions")
        return self._transport.json(call).get("view_dashboard") is True

    def handle_images(
        self, handle: str, page_size: int = 100, first_page: int = 0
    ) -> Iterator[RecordPage[ImageSummary]]:
        """Yield all images of a handle that this account owns, newest first, page by page.

        Each page is requested when it is reached.

        Parameters
        ----------
        handle : str
            The handle.
        page_size : int, optional
            Images in one page, 1 to 100. Default 100.
        first_page : int, optional
            First page, counted from 0, to continue where an earlier call was interrupted.

        Yields
        ------
        RecordPage
            A list of `ImageSummary`, with `total_count`. Each image appears once, even when new ones push it to a later
            page meanwhile.

        Raises
        ------
        ForbiddenError
            If the handle is not this account's.
        """
        return self._handle_pages(ImageSummary, "images", handle, "imageinfo", page_size, first_page)

    def update_handle(self, handle: str, *, display_name: str, seen: Handle | None = None) -> Handle:
        """Change the display name of a handle that this account owns.

        The handle is read before and after, as `update_image` does; parameters and errors are those of that method.

        Parameters
        ----------
        handle : str
            The handle.
        display_name : str
            The new name, 1 to 64 UTF-16 units. It can't be made empty: the server ignores that.
        seen : Handle, optional
            What `handle` returned when the new name was chosen. If the name has changed on the server since, nothing is
            sent.

        Returns
        -------
        Handle
            The handle as the server has it now.
        """
        changes = handle_changes(display_name)
        path = f"/handle/{quote(handle_name(handle), safe='')}"
        before = self.handle(handle)
        if seen is not None and before.display_name not in (seen.display_name, display_name):
            self._require_unchanged(f"The handle {before.handle!r}", ["display_name"], before, path)
        return self._change(
            f"update the handle {before.handle!r}",
            path,
            changes,
            lambda: self.handle(handle),
            lambda after: [] if after.display_name == display_name else ["display_name"],
            "may_add_images",
        )

    def handle_stats(self, handle: str) -> HandleStats:
        """Return the numbers of images and scenes of a handle that this account owns, and the scenes' counters.

        Raises ForbiddenError if the handle is not this account's.
        """
        return self._read(HandleStats, handle_call("read the statistics of", handle, "/stats"))

    def timeline(self, handle: str, first_page: int = 0) -> Iterator[SceneRecord]:
        """Yield the published scenes of a handle, newest first, as its page on the site shows them. Needs no token.

        A page of scenes is requested when it is reached.
        """
        handle_name(handle)  # a name that can't be one is refused now, not at the first step
        what = "read the timeline of"
        return self._scenes(lambda page: handle_call(what, handle, f"/timeline?page={page:d}"), first_page)
