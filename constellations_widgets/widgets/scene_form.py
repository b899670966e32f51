"""The form of a scene, new or at the server: its values for the page, and what is typed of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..publishing.scene_values import (
    BACKGROUND,
    LAYERS,
    LINK,
    PUBLISHED,
    TEXT,
    VIEW,
    SceneDraft,
    SceneImage,
    SceneValues,
)
from ..text import one_line
from .protocol.scenes import SceneFormState
from .scene_choices import Choices
from .view_fields import ViewFields, summary_of
from .worker import Job, Worker, format_error

if TYPE_CHECKING:
    from ..api import Constellations
    from .preview import Preview

_LONGEST = 20_000  # characters that are taken from the page; the server's limit is reported
_NO_VIEW = "The preview has no view yet: no page has shown it, or it shows no part of the sky."
_NO_IMAGE_VIEW = "The placement of the lowest image is not known. Enter a view."


class SceneForm:
    """The values of one scene, as a page edits them.

    Parameters
    ----------
    client : Constellations
    handle : str
        Whose images are offered.
    preview : Preview or None
        Preview whose view the scene can have.
    on_change : callable
        Called after each change, from any thread; with whether a value changed.
    """

    def __init__(
        self, client: Constellations, handle: str, preview: Preview | None, on_change: Callable[[bool], object]
    ):
        self._preview, self._on_change = preview, on_change
        self.choices = Choices(client, handle, lambda: on_change(False))
        self._view = ViewFields()
        self._worker = Worker("layer", lambda error: self._tell(format_error(error)))
        self._stop: Callable[[], None] = lambda: None
        self._values: SceneValues = SceneDraft()
        self.message = ""
        """What could not be done."""

    @property
    def values(self) -> SceneValues:
        """The scene."""
        return self._values

    def use(self, values: SceneValues) -> None:
        """Show another scene."""
        self._stop()
        self._values, self.message = values, ""
        self._view = ViewFields()
        self._stop = values.on_change(lambda _values, names: self._on_change(names != {"locked"}))

    def close(self) -> None:
        """Stop following the scene."""
        self._worker.drop()
        self._stop()

    @property
    def has_preview(self) -> bool:
        """Whether there is a preview whose view the scene can have."""
        return self._preview is not None

    @property
    def faults(self) -> list[str]:
        """What was typed and not understood."""
        return self._view.faults

    def state(self) -> SceneFormState:
        """Return the values for the page."""
        values = self._values
        return {
            "text": values.text,
            "outgoing_url": values.outgoing_url,
            "published": values.published,
            "background_id": values.background_id or "",
            "view": self._view.state(values.view),
            "summary": summary_of(values.view),
            "taken": self._view.taken,
            "layers": [{"id": it.id, "name": self.name_of(it), "opacity": it.opacity} for it in values.layers],
            "fixed": not isinstance(values, SceneDraft),
            "message": self.message,
            "warnings": values.warnings,
        }

    def name_of(self, image: SceneImage) -> str:
        """Return what an image is called."""
        return self.choices.name_of_image(image.id) or image.name or f"Image {image.id}"

    def use_view(self) -> bool:
        """Take the preview's view; return whether it has one."""
        view = self._preview.view if self._preview is not None else None
        if view is not None:
            self._set_view(view)
        return view is not None

    def on_message(self, message: Mapping[str, Any]) -> bool:
        """Handle a page's edit; return whether the message is one."""
        match message.get("action"):
            case "edit":
                self._edit(message.get("name"), message.get("value"))
            case "place":
                values = self._values
                values.edit({VIEW: self._view.take(values.view, str(message.get("name")), message.get("value"))})
                self._tell("")
            case "use_view":
                if not self.use_view():
                    self._tell(_NO_VIEW)
            case "whole_image":
                if (view := self._values.view_of_images) is not None:
                    self._set_view(view)
                else:
                    self._tell(_NO_IMAGE_VIEW)
            case "fade_layer" | "move_layer" | "remove_layer" as action:
                self._change_layer(action, str(message.get("of")), message.get("value"))
            case "add_layer":
                self._add(str(message.get("of")))
            case _:
                return False
        return True

    def _edit(self, name: Any, value: Any) -> None:
        if name in (TEXT, LINK) and isinstance(value, str):
            self._values.edit({name: value[:_LONGEST]})
        elif name == PUBLISHED and isinstance(value, bool):
            self._values.edit({PUBLISHED: value})
        elif name == BACKGROUND and isinstance(value, str):
            self._values.edit({BACKGROUND: value or None})
        self._tell("")

    def _set_view(self, view: Any) -> None:
        self._view.clear()
        self._view.taken += 1
        self._values.edit({VIEW: view})
        self._tell("")

    def _change_layer(self, action: str, id: str, value: Any) -> None:
        """Fade one image of a new scene to an opacity, move it up or down by a step, or remove it."""
        if not isinstance(self._values, SceneDraft):
            return
        layers = list(self._values.layers)
        at = next((index for index, image in enumerate(layers) if image.id == id), None)
        if at is None:
            return
        if action == "remove_layer":
            del layers[at]
        elif not isinstance(value, (int, float)) or isinstance(value, bool):
            return
        elif action == "fade_layer" and 0 <= value <= 1:
            layers[at] = layers[at]._replace(opacity=float(value))
        elif action == "move_layer" and 0 <= at + value < len(layers) and abs(value) == 1:
            layers.insert(at + int(value), layers.pop(at))
        self._values.edit({LAYERS: tuple(layers)})
        self._tell("")

    def _add(self, id: str) -> None:
        """Put an image on top, once its record is read."""
        values = self._values
        if not isinstance(values, SceneDraft):
            return
        if any(image.id == id for image in values.layers):
            self._tell("The scene has this image already.")
            return

        def run(job: Job) -> None:
            image = self.choices.image(id)
            if job.is_current and values is self._values:
                is_first = not values.layers
                values.edit({LAYERS: (*values.layers, SceneImage.of(image))})
                if is_first:
                    values.edit(
                        {VIEW: values.view or values.view_of_images, TEXT: values.text or one_line(image.note, 500)}
                    )
                self._tell("")

        self._worker.start(run, replace=True)

    def _tell(self, message: str) -> None:
        self.message = message
        self._on_change(False)
