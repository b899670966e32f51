"""The form of one scene as a widget: made, or changed, reviewed and sent."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..publishing.published_scene import PublishedScene
from ..publishing.scene_values import SceneDraft
from .base import PageWidget, synced_dict
from .protocol.scenes import SceneState
from .scene_flow import NO_SCENE, SceneFlow

if TYPE_CHECKING:
    from ..api import Constellations
    from ..schema.scenes import SceneReceipt, SceneRecord
    from .preview import Preview


class SceneEditor(PageWidget):
    """The form of a scene, new or at the server.

    Parameters
    ----------
    scene : SceneDraft or PublishedScene
    client : Constellations
    handle : str
        Handle of the scene.
    preview : Preview, optional
        Preview whose view the scene can have.
    on_stored : callable, optional
        As for `SceneFlow`.
    """

    page = "scene_editor"

    scene: SceneState = synced_dict(NO_SCENE)

    def __init__(
        self,
        scene: SceneDraft | PublishedScene,
        client: Constellations,
        handle: str,
        preview: Preview | None = None,
        on_stored: Callable[[SceneRecord | None], object] = lambda _record: None,
    ):
        self.flow = SceneFlow(client, handle, preview, functools.partial(self.set_trait, "scene"), on_stored)
        super().__init__(messages={"scene": self.flow.on_message})
        self.flow.begin(scene)
        self._stop_listening = client.on_account_change(self.flow.on_account_change)

    @property
    def receipt(self) -> SceneReceipt | None:
        """Receipt of the scene that was made here; None before."""
        return self.flow.receipt

    def close(self) -> None:
        """Stop following the scene and the sign-in, and close the widget in every page."""
        self._stop_listening()
        self.flow.close()
        super().close()
