"""What a scene shows and says, as values that change and are followed: of a new scene, and of one at the server."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..errors import ConstellationsError, InvalidError
from ..geometry.extent import view_of_image
from ..schema.placement import shown
from ..schema.records import ImageRecord, Receipt
from ..schema.scenes import SceneSubmission
from ..schema.sky_view import SkyView
from ..text import one_line
from .scene import shared_url_warnings, submission_of

_log = logging.getLogger(__name__)

TEXT, LINK, VIEW, PUBLISHED, BACKGROUND = "text", "outgoing_url", "view", "published", "background_id"
FIELDS = (TEXT, LINK, VIEW, PUBLISHED, BACKGROUND)
"""Names of the values that can be changed at the server, too; the images can't."""
LAYERS = "layers"
_TAKES: dict[str, tuple[Any, str]] = {
    TEXT: (str, "text"),
    LINK: (str, "text"),
    VIEW: (SkyView | None, "a SkyView, such as preview.view"),
    PUBLISHED: (bool, "True or False"),
    BACKGROUND: (str | None, "the id of an image, or None"),
}
_CLOSE = 1e-12  # relative difference of angles that were converted to radians and back

OnSceneChange = Callable[[Any, frozenset[str]], object]


class SceneImage(NamedTuple):
    """An image of a scene.

    Attributes
    ----------
    id : str
        The image's id.
    opacity : float
        0 (invisible) to 1.
    name : str
        The beginning of its note; "" where that is unknown.
    fields : mapping
        Its fields as the API has them: ``wwt`` and ``storage``.
    """

    id: str
    opacity: float
    name: str
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, image: ImageRecord | Receipt, opacity: float = 1.0) -> Self:
        """Return an image by its record, or by the receipt of its publication."""
        fields = image.body if isinstance(image, Receipt) else image.model_dump()
        return cls(image.id, opacity, one_line(image.note, 80), fields)

    @classmethod
    def in_scene(cls, image: Mapping[str, Any], opacity: float) -> Self:
        """Return an image of a scene's record, which has no note."""
        return cls(image["id"], opacity, one_line(str(image.get("alt_text") or ""), 80), image)


class SceneValues:
    """Values of a scene. Any thread may read and change them; observers are called in the changing thread.

    Attributes
    ----------
    text : str
        Text beside the scene.
    outgoing_url : str
        Web address of "see more"; "" for none.
    view : SkyView or None
        The view, in degrees.
    published : bool
        Whether the scene is public on the handle's page.
    background_id : str or None
        Id of the image behind the others; None: the site shows its own sky.
    layers : tuple of SceneImage
        The images, the lowest first.
    """

    text: str
    outgoing_url: str
    view: SkyView | None
    published: bool
    background_id: str | None
    layers: tuple[SceneImage, ...]

    def __init__(self, **values: Any):
        self._lock = threading.RLock()
        self._observers: list[OnSceneChange] = []
        self.__dict__.update(values)

    if not TYPE_CHECKING:  # it would allow type checkers any name

        def __setattr__(self, name: str, value: Any) -> None:
            if name in (*FIELDS, LAYERS):
                self.edit({name: value})
            elif name.startswith("_"):
                object.__setattr__(self, name, value)
            else:
                raise AttributeError(f"{name!r} of a scene can't be set; there are {', '.join((*FIELDS, LAYERS))}.")

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Set several values by name, as one change.

        Raises
        ------
        KeyError
            If there is no such value. Nothing is changed then.
        InvalidError
            If a value is of a wrong type. Nothing is changed then.
        """
        if unknown := changes.keys() - {*FIELDS, LAYERS}:
            raise KeyError(f"A scene has no {', '.join(sorted(unknown))}; there are {', '.join((*FIELDS, LAYERS))}.")
        for name, (kind, described) in _TAKES.items():
            if name in changes and not isinstance(changes[name], kind):
                raise InvalidError(f"{name} of a scene takes {described}, not {shown(changes[name])}.")
        with self._lock:
            changed = {name for name, value in changes.items() if not same_value(name, self.__dict__[name], value)}
            self.__dict__.update({name: changes[name] for name in changed})
        if changed:
            self._notify(frozenset(changed))

    def on_change(self, callback: OnSceneChange) -> Callable[[], None]:
        """Call ``callback(scene, names)`` after every change; return a function that stops it.

        `names` holds the changed values, "record" when a scene at the server was read again, and "locked" when the account was
        checked again.
        """
        self._observers.append(callback)
        return lambda: self._observers.remove(callback) if callback in self._observers else None

    @property
    def view_of_images(self) -> SkyView | None:
        """The view that the lowest image fills, north up; None if its placement is incomplete or there is no image."""
        try:
            return view_of_image(self.layers[0].fields["wwt"]) if self.layers else None
        except (ConstellationsError, ArithmeticError, LookupError, TypeError):
            return None

    @property
    def warnings(self) -> list[str]:
        """What to know before the scene is sent."""
        return shared_url_warnings((image.id, image.fields) for image in self.layers)

    def _notify(self, names: frozenset[str]) -> None:
        for callback in list(self._observers):
            try:
                callback(self, names)
            except Exception:  # noqa: BLE001
                _log.exception("An observer of %r failed; the scene was changed nevertheless", self)


class SceneDraft(SceneValues):
    """A scene that is not made yet. Parameters are the attributes of `SceneValues`."""

    def __init__(self, layers: Iterable[SceneImage] = (), text: str = ""):
        super().__init__(
            text=text, outgoing_url="", view=None, published=False, background_id=None, layers=tuple(layers)
        )
        self.__dict__["view"] = self.view_of_images

    def submission(self) -> SceneSubmission:
        """Return the scene, ready for `send_scene`.

        Raises
        ------
        InvalidError
            If a value is missing or out of range; it names each.
        """
        if not self.layers:
            raise InvalidError("No scene can be made: it has no image. Add one.")
        if self.view is None:
            raise InvalidError("No scene can be made: it has no view. Enter one, or use the view of the preview.")
        return submission_of(
            self.view,
            [(image.id, image.opacity) for image in self.layers],
            self.background_id,
            text=self.text,
            outgoing_url=self.outgoing_url,
            published=self.published,
        )

    def __repr__(self) -> str:
        return f"<SceneDraft: {one_line(self.text, 60)!r} with {len(self.layers)} images>"


def same_value(name: str, one: Any, other: Any) -> bool:
    """Return whether two values of a scene are the same to the server, which keeps angles in radians."""
    if name != VIEW or one is None or other is None:
        return bool(one == other)
    pairs = zip(_angles(one), _angles(other), strict=True)
    return all(math.isclose(first, second, rel_tol=_CLOSE, abs_tol=_CLOSE) for first, second in pairs)


def _angles(view: SkyView) -> tuple[float, ...]:
    return view.ra, view.dec, view.height, view.aspect, view.roll
