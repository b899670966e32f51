"""What a scene can be made of: a handle's images, and the site's backgrounds. Read in a thread, when a form wants them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import ApiError
from ..text import one_line
from .protocol.scenes import SceneChoice, SceneChoices
from .worker import Job, Worker, format_error

if TYPE_CHECKING:
    from ..api import Constellations
    from ..schema.records import ImageRecord, ImageSummary

_NEWEST = 100  # images that are offered; any other one can be named by its id


class Choices:
    """The images and backgrounds that a form offers.

    Parameters
    ----------
    client : Constellations
    handle : str
        Whose newest images are offered.
    on_change : callable
        Called from any thread.
    """

    def __init__(self, client: Constellations, handle: str, on_change: Callable[[], object]):
        self._client, self._on_change = client, on_change
        self.handle = handle
        """Whose images are offered."""
        self._lock = threading.RLock()
        self._worker = Worker("choices", self._on_error, self._lock)
        self._images: list[SceneChoice] = []
        self._backgrounds: list[SceneChoice] = []
        self._records: dict[str, ImageRecord] = {}
        self._message, self._loaded = "", False

    def state(self, background_id: str | None) -> SceneChoices:
        """Return them for the page; a background that a scene has is among them."""
        backgrounds = list(self._backgrounds)
        if background_id is not None and all(each["id"] != background_id for each in backgrounds):
            backgrounds.append({"id": background_id, "name": f"Image {background_id}"})
        return {"images": list(self._images), "backgrounds": backgrounds, "message": self._message}

    def name_of_image(self, id: str) -> str:
        """Return the name of an image, which a scene's record lacks; "" if it is not one of those that are offered."""
        return next((each["name"] for each in self._images if each["id"] == id), "")

    def name_of(self, background_id: str | None) -> str:
        """Return the name of a background."""
        if background_id is None:
            return "the site's own sky"
        return next(each["name"] for each in self.state(background_id)["backgrounds"] if each["id"] == background_id)

    def load(self) -> None:
        """Read them, once."""
        if not self._loaded:
            self._worker.start(self._read)

    def image(self, id: str) -> ImageRecord:
        """Return the record of an image; read once. Raises ApiError."""
        if id not in self._records:
            self._records[id] = self._client.image(id)
        return self._records[id]

    def _read(self, job: Job) -> None:
        backgrounds = [_choice(image) for image in self._client.builtin_backgrounds()]
        images: list[SceneChoice] = []
        try:
            for page in self._client.handle_images(self.handle, _NEWEST):
                images = [_choice(image) for image in page]
                break
            message = ""
        except ApiError as error:  # another's handle, say: the backgrounds are there
            message = f"The images of @{self.handle} can't be listed: {error}"
        with self._lock:
            if not job.is_current:
                return
            self._backgrounds, self._images, self._message, self._loaded = backgrounds, images, message, not message
        self._on_change()

    def _on_error(self, error: Exception) -> None:
        self._message = f"Images and backgrounds can't be listed: {format_error(error)}"
        self._on_change()


def _choice(image: ImageSummary) -> SceneChoice:
    return {"id": image.id, "name": one_line(image.note, 80) or f"Image {image.id}"}
