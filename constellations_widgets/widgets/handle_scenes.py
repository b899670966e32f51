"""A handle's scenes as a list: searched, shown on the sky, edited, made, and shown on the site or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..publishing.published_scene import PublishedScene
from ..publishing.scene_values import SceneDraft, SceneImage
from ..schema.records import site_url
from ..schema.scenes import SceneRecord, SceneSummary
from .handle_list import HandleList, ListWidget
from .handle_pages import PAGE
from .preview.scene import ScenePreview
from .protocol.scenes import HandleListStatus, HandleSceneRow
from .scene_editor import SceneEditor

if TYPE_CHECKING:
    from ..api.base_client import RecordPage
    from ..schema.records import ImageRecord, Receipt

_NEW, _FORM, _SKY, _PUBLISH = "new", "form", "sky", "publish"


class SceneList(ListWidget):
    """The list of a handle's scenes."""

    page = "handle_scenes"

    status: HandleListStatus


class HandleScenes(HandleList[SceneSummary]):
    """A handle's scenes, newest first, with their counters: searched, shown, edited, made. Only its owner may list them.

    Pages of 100 scenes are loaded as the list is scrolled, once it is shown. A scene opens below the list: on the sky, with
    all its images, its background and its view, and in a form. Nothing is sent to the server before a review is confirmed.

    Parameters
    ----------
    client : Constellations
        Signed in as the handle's owner.
    handle : str
        The handle.

    Examples
    --------
    >>> cxw.HandleScenes(client, "me")
    """

    noun = "scenes"
    ways = frozenset({_NEW, _FORM, _SKY, _PUBLISH})

    _new: SceneDraft | None = None  # of the button, until it is made
    _preview: ScenePreview | None = None

    def _list_pages(self, first_page: int) -> Iterator[RecordPage[SceneSummary]]:
        return self._client.scene_pages(self._handle, PAGE, first_page)

    def _make_list(self) -> SceneList:
        return SceneList(self, self._status(), {})

    # -- the same as a click, for Python

    @property
    def scenes(self) -> list[SceneSummary]:
        """The scenes that are loaded, newest first."""
        return self._pages.loaded()[1]

    @property
    def opened(self) -> SceneDraft | PublishedScene | None:
        """The scene that is shown below the list."""
        with self._lock:  # the page may be told of it a moment before it is known here
            return self._preview.scene if self._preview is not None else None  # type: ignore[return-value]

    @property
    def preview(self) -> ScenePreview | None:
        """The preview below the list; None while no scene is open."""
        return self._preview

    def edit(self, id: str) -> PublishedScene:
        """Open the form of a scene below the list, with its unsaved changes.

        Raises
        ------
        ApiError
            If the scene can't be read.
        """
        scene: PublishedScene = self._to_edit(id)
        self._present(_FORM, scene)
        return scene

    def show(self, id: str) -> ScenePreview:
        """Show a scene on the sky below the list. The page then loads its images from where their records say.

        Raises
        ------
        ApiError
            If the scene can't be read.
        """
        self._present(_SKY, self._published(id))
        assert self._preview is not None
        return self._preview

    def new(self, *images: ImageRecord | Receipt) -> SceneDraft:
        """Open the form of a new scene of these images, the lowest first. Its text is the note of the first."""
        draft = SceneDraft([SceneImage.of(image) for image in images], images[0].note if images else "")
        self._present(_NEW, draft)
        return draft

    # -- for the list

    def _read(self, what: str, id: str) -> SceneDraft | PublishedScene:
        if what == _NEW:
            self._new = self._new or SceneDraft()  # closing its form loses nothing that was typed
            return self._new
        return self._published(id) if what == _SKY else self._to_edit(id)

    def _published(self, id: str) -> PublishedScene:
        return PublishedScene(self._client, id)

    def _present(self, what: str, scene: SceneDraft | PublishedScene) -> None:
        id = scene.id if isinstance(scene, PublishedScene) else ""
        preview = ScenePreview(scene, self._client.image)
        if what == _SKY:
            self._open(what, id, preview)
        else:
            editor = SceneEditor(scene, self._client, self._handle, preview, self._on_stored)
            self._open(what, id, preview, editor)
            self._unfollow = scene.on_change(lambda _scene, names: self._use_record(scene, names))
            if what == _PUBLISH and isinstance(scene, PublishedScene):
                editor.flow.publish(not scene.record.published)
        self._preview = preview
        if isinstance(scene, PublishedScene):
            self._use(scene.record)

    def _on_stored(self, record: SceneRecord | None) -> None:
        if record is None:
            self._new = None
            self.refresh()
        else:
            self._use(record)

    def _use_record(self, scene: SceneDraft | PublishedScene, names: frozenset[str]) -> None:
        if "record" in names and isinstance(scene, PublishedScene):
            self._use(scene.record)

    def _closed(self) -> None:
        super()._closed()
        self._preview = None

    def _row(self, scene: SceneSummary) -> HandleSceneRow:
        site = site_url(self._client.api_url, self._handle)
        return {
            "id": scene.id,
            "text": scene.text[:500],
            "created": scene.creation_date.isoformat() if scene.creation_date else "",
            "published": scene.published,
            "impressions": scene.impressions,
            "likes": scene.likes,
            "clicks": scene.clicks,
            "shares": scene.shares,
            "record": f"{self._client.api_url}/scene/{scene.id}",
            "page": f"{site}/{scene.id}" if site else "",
            "edit": f"{site}/{scene.id}/edit" if site else "",
        }
