"""A scene on the sky: all its images with their opacity, its background, and the view as the site shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from ...publishing.scene_values import BACKGROUND, LAYERS, VIEW
from ...schema.placement import URL
from ...wtml import drawn_wtml
from ..protocol.preview import SceneDrawing, SceneImageset, ViewState
from ..rpc import Response
from ..worker import Job, Worker, format_error
from . import Preview
from .drawing import PRIVATE, image_address
from .imageset import imageset_of

if TYPE_CHECKING:
    from ...publishing.scene_values import SceneValues
    from ..base import Message


class ScenePreview(Preview):
    """A view of the sky with the images of a scene on it, which follows every change of the scene.

    Parameters
    ----------
    scene : SceneValues
        What to show.
    read_image : callable
        Returns the record of the image with this id; called in a worker thread, for the background. Raises ApiError.
    """

    def __init__(self, scene: SceneValues, read_image: Callable[[str], Any]):
        self._scene, self._read_image = scene, read_image
        self._numbers: dict[str, int] = {}  # by the image's id: makes names and addresses unique to the engine
        self._background: tuple[str, Mapping[str, Any] | None] = ("", None)  # id, and its fields once they are read
        self._note = ""
        self._background_worker = Worker("background", self._on_background_error)
        super().__init__(None)
        self._unfollow = scene.on_change(self._on_scene_change)
        self._load_background()

    @property
    def scene(self) -> SceneValues:
        """The scene that is shown."""
        return self._scene

    def close(self) -> None:
        """Stop following the scene, and close the widget in every page."""
        self._unfollow()
        self._background_worker.drop()
        self._pace.cancel()
        super().close()

    def __repr__(self) -> str:
        return f"<Preview of {self._scene!r}: run the cell to see it>"

    def _on_scene_change(self, _scene: Any, names: frozenset[str]) -> None:
        if names & {LAYERS, VIEW, BACKGROUND, "record"}:
            self._load_background()
            self._count_change()
            self._pace.request()

    def _send_paced(self) -> None:
        self.send({"kind": "scene", **self._drawing()})

    def _on_open(self, request: Message) -> Response:
        opened, buffers = super()._on_open(request)
        return {**opened, "title": self._scene.text[:80], "scene": self._drawing()}, buffers

    def _load_background(self) -> None:
        id = self._scene.background_id or ""
        if id == self._background[0]:
            return
        self._background, self._note = (id, None), ""

        def run(job: Job) -> None:
            fields = self._read_image(id).model_dump()
            if job.is_current:
                self._background = (id, fields)
                self._count_change()
                self._pace.request()

        if id:
            self._background_worker.start(run, replace=True)
        else:
            self._background_worker.drop()

    def _on_background_error(self, error: Exception) -> None:
        self._note = f"The background can't be shown: {format_error(error)}"
        self._count_change()
        self._pace.request()

    def _drawing(self) -> SceneDrawing:
        scene, revision, notes = self._scene, self._revision, [self._note] if self._note else []
        layers: list[SceneImageset] = []
        for image in scene.layers:
            drawn = self._imageset(image.id, image.name, image.fields, image.opacity)
            if drawn is None:
                notes.append(f"{image.name or image.id} can't be shown: its record has no complete placement.")
            else:
                layers.append(drawn)
        id, fields = self._background
        view = cast(ViewState, dataclasses.asdict(scene.view)) if scene.view is not None else None
        return {
            "revision": revision,
            "layers": layers,
            "background": self._imageset(id, "The background", fields, 1.0) if fields is not None else None,
            "view": view,
            "note": " ".join(notes),
        }

    def _imageset(self, id: str, title: str, fields: Mapping[str, Any], opacity: float) -> SceneImageset | None:
        """Return how the page draws an image; None if its record does not tell."""
        values = {f"wwt.{name}": value for name, value in (fields.get("wwt") or {}).items()}
        values[URL] = (fields.get("storage") or {}).get("legacy_url_template")
        address, _reason = image_address(None, values[URL])
        imageset, _waiting = imageset_of(values, address)
        if imageset is None:
            return None
        number = self._numbers.setdefault(id, len(self._numbers) + 1)
        name = f"cxw scene {number}."  # not part of another name: the engine takes the first one that contains it
        url = address.replace(PRIVATE, f"{PRIVATE}/{number}", 1)
        wtml = drawn_wtml(imageset, name, url)
        return {"name": name, "title": title or f"Image {id}", "url": url, "wtml": wtml, "opacity": opacity}
