"""Calls about scenes."""

from __future__ import annotations

from collections.abc import Iterator

from ..schema.scenes import ScenePlace, SceneReceipt, SceneRecord, SceneSubmission, SceneSummary
from ..schema.sky_view import SkyView
from .addresses import handle_call, record_path
from .base_client import BaseClient, RecordPage
from .scene_changes import scene_changed_meanwhile, scene_changes, unmade_scene_changes
from .transport import Call


class SceneCalls(BaseClient):
    """Calls about scenes."""

    def add_scene(self, handle: str, scene: SceneSubmission | bytes, *, key: str | None = None) -> SceneReceipt:
        """Make a scene of published images. `constellations_widgets.publish_scene` keeps a journal of it: prefer it.

        Sending the same scene again makes a second one. Parameters and errors are those of `add_image`; InvalidError is
        also raised if the server does not have an image that the scene shows.
        """
        return SceneReceipt(**self._add("scene", handle, scene, key))

    def scene(self, id: str) -> SceneRecord:
        """Return the complete record of a scene, published or not. Needs no token."""
        return self._record(SceneRecord, "scene", id)

    def may_edit_scene(self, id: str) -> bool:
        """Return whether this account may change a scene. False if not signed in."""
        call = Call(f"ask who may edit the scene {id!r}", "GET", f"{record_path('scene', id)}/permissions")
        return self._transport.json(call).get("edit") is True

    def update_scene(
        self,
        id: str,
        *,
        text: str | None = None,
        outgoing_url: str | None = None,
        place: SkyView | ScenePlace | None = None,
        published: bool | None = None,
        background_id: str | None = None,
        seen: SceneRecord | None = None,
    ) -> SceneRecord:
        """Change a scene: its text, link, view or background, or whether it is public. Its images are fixed.

        The record is read before and after: the server's success response does not prove that anything changed.

        Parameters
        ----------
        id : str
            The scene's id.
        text, outgoing_url : str, optional
            The new text or web address, at most 5,000 UTF-16 units. Neither can be made empty: the server ignores that.
        place : SkyView or ScenePlace, optional
            The new view, such as ``preview.view``.
        published : bool, optional
            Whether the scene is public on the handle's page.
        background_id : str, optional
            Id of the image behind the scene's images; see `builtin_backgrounds`. A background can be replaced, not
            removed.
        seen : SceneRecord, optional
            The record that the new values were made for. If the values that they replace have changed on the server
            since, nothing is sent.

        Returns
        -------
        SceneRecord
            The record as the server has it now.

        Raises
        ------
        InvalidError
            If a value can't be set, or there is nothing to change. With status None it was refused here, and nothing
            was sent.
        ForbiddenError
            If this account may not change the scene.
        ConflictError
            If the values to replace differ from those in `seen`: nothing was sent.
        BadAnswerError
            If the server reported success but the record is not what was requested.
        UnclearError
            If the change was sent and its outcome is unknown. Repeating it does no harm.
        """
        changes = scene_changes(
            text=text, outgoing_url=outgoing_url, place=place, published=published, background_id=background_id
        )
        before, path = self.scene(id), record_path("scene", id)
        if seen is not None:
            self._require_unchanged(f"Scene {id}", scene_changed_meanwhile(seen, before, changes), before, path)
        return self._change(
            f"update the scene {id!r}",
            path,
            changes,
            lambda: self.scene(id),
            lambda after: unmade_scene_changes(changes, after),
            "may_edit_scene",
        )

    def scenes(self, handle: str, page_size: int = 100) -> Iterator[SceneSummary]:
        """Yield all scenes of a handle that this account owns, published or not, newest first, with their counters.

        A page of `page_size` scenes (1 to 100) is requested when it is reached. Each scene appears once, even when new
        ones push it to a later page meanwhile. Raises ForbiddenError if the handle is not this account's.
        """
        return (scene for page in self.scene_pages(handle, page_size) for scene in page)

    def scene_pages(self, handle: str, page_size: int = 100, first_page: int = 0) -> Iterator[RecordPage[SceneSummary]]:
        """Yield what `scenes` yields, page by page. Parameters and errors are those of `handle_images`."""
        return self._handle_pages(SceneSummary, "scenes", handle, "sceneinfo", page_size, first_page)

    def scene_wtml(self, id: str) -> str:
        """Return a scene as a place in WTML, as XML text. Needs no token.

        WTML has room for one image: with several, the place holds the view only. Raises NotFoundError if the scene's
        image has no image URL.
        """
        return self._wtml(Call(f"read the WTML of the scene {id!r}", "GET", f"{record_path('scene', id)}/place.wtml"))

    def home_timeline(self, first_page: int = 0) -> Iterator[SceneRecord]:
        """Yield the scenes of the site's front page, in its order. Needs no token.

        A page of scenes is requested when it is reached.
        """
        what = "read the home timeline"
        return self._scenes(lambda page: Call(what, "GET", f"/scenes/home-timeline?page={page:d}"), first_page)

    def handle_scenes(self, handle: str, page: int = 0) -> list[SceneSummary]:
        """Return a handle's hundred newest scenes, published or not; page 1 holds the hundred before those, and so on.

        Raises ForbiddenError if the handle is not this account's.
        """
        call = handle_call("list the scenes of", handle, f"/sceneinfo?page={page:d}&pagesize=100")
        return self._list(SceneSummary, call, self._transport.json(call))
