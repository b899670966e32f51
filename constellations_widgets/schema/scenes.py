"""Scenes: images and a view of the sky. An image appears on the site only once it is part of a scene.

The server checks the ranges of a place only when a scene is changed, never when it is created; here they always hold.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from pydantic import AfterValidator, ConfigDict, Field

from .fields import body_of
from .images import Number, Text, Wire, within
from .placement import web_address_fault
from .records import Answer, AnyReceipt, Handle, ImageId, Moment
from .sky_view import SkyView

TEXT_LIMIT = 5_000
"""UTF-16 units of a scene's text, and of its outgoing address."""


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("is empty: describe in a few words what the scene shows")
    return text


def _web_address(text: str) -> str:
    if text and (fault := web_address_fault(text)):
        raise ValueError(fault)
    return text


class ScenePlace(Wire):
    """Place of a scene: its middle, and the region that stays in view whatever the shape of the window.

    Attributes
    ----------
    ra_rad, dec_rad : float
        The middle, radians: 0 to 2 pi, and -pi/2 to pi/2.
    roll_rad : float
        Turn of the view, radians, -pi to pi; the sky turns clockwise.
    roi_height_deg : float
        Height of the region, degrees: above 0, at most 360.
    roi_aspect_ratio : float
        Its width / height, 0.1 to 10.
    """

    ra_rad: Annotated[Number, Field(ge=0, le=2 * math.pi)]
    dec_rad: Annotated[Number, Field(ge=-math.pi / 2, le=math.pi / 2)]
    roll_rad: Annotated[Number, Field(ge=-math.pi, le=math.pi)] = 0.0
    roi_height_deg: Annotated[Number, Field(gt=0, le=360)]
    roi_aspect_ratio: Annotated[Number, Field(ge=0.1, le=10)] = 1.0

    @classmethod
    def of_view(cls, view: SkyView) -> ScenePlace:
        """Return the place that shows what a view shows. Angles wrap; a very long or high view is cut to 10 : 1."""
        return cls(
            ra_rad=math.radians(view.ra % 360),
            dec_rad=math.radians(view.dec),
            roll_rad=math.remainder(math.radians(view.roll), 2 * math.pi),
            roi_height_deg=float(view.height),
            roi_aspect_ratio=min(max(float(view.aspect), 0.1), 10.0),
        )


class SceneLayer(Wire):
    """An image of a scene. `opacity` is 0 (invisible) to 1, the default."""

    image_id: Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$")]
    opacity: Annotated[Number, Field(ge=0, le=1)] = 1.0


class SceneContent(Wire):
    """The images of a scene, the lowest first, and the image behind them.

    Attributes
    ----------
    image_layers : list of SceneLayer
    background_id : str or None
        Id of the image behind the others. Default None: the site shows its own sky. The server does not check that a
        background exists, and a wrong one makes the scene, and with it the handle's whole page, unreadable;
        `constellations_widgets.publish_scene` reads it before it sends the scene.
    """

    image_layers: Annotated[list[SceneLayer], Field(min_length=1)]
    background_id: Annotated[str, Field(pattern="^[0-9a-fA-F]{24}$")] | None = None


class SceneSubmission(Wire):
    """The validated body of `POST /handle/:handle/scene`.

    Attributes
    ----------
    place : ScenePlace
    content : SceneContent
    text : str
        Text shown beside the scene, 1 to 5,000 UTF-16 units.
    outgoing_url : str
        Web address of "see more", at most 5,000 UTF-16 units. Default "": none.
    published : bool
        Whether the scene is public on the handle's page. Default False (the server's own default is True).

    Raises
    ------
    pydantic.ValidationError
        Naming each field that can't be right.

    Examples
    --------
    >>> cxw.scene_of(receipt, text="The Whirlpool galaxy").to_request()
    """

    place: ScenePlace
    content: SceneContent
    text: Annotated[Text, within(TEXT_LIMIT), AfterValidator(_not_empty)]
    outgoing_url: Annotated[Text, within(TEXT_LIMIT), AfterValidator(_web_address)] = ""
    published: bool = False

    def to_request(self) -> dict[str, Any]:
        """Return the exact JSON body. An empty address and a missing background are left out."""
        body = self.model_dump()
        if not body["outgoing_url"]:
            del body["outgoing_url"]
        if body["content"]["background_id"] is None:
            del body["content"]["background_id"]
        return body

    def to_json(self) -> bytes:
        """Return the exact bytes of the body: UTF-8 JSON."""
        return body_of(self.to_request())


class SceneSummary(Answer):
    """A scene in the list that a handle's owner can read.

    Attributes
    ----------
    id : str
    creation_date : datetime or None
    text : str
    published : bool
        Whether it is public on the handle's page.
    impressions, likes, clicks, shares : int
        How often visitors of the site have seen, liked and shared it, and followed its link.
    """

    id: ImageId
    creation_date: Moment | None = None
    text: str = ""
    published: bool = True
    impressions: int = 0
    likes: int = 0
    clicks: int = 0
    shares: int = 0


class SceneRecord(SceneSummary):
    """A scene as the server returns it: a summary with `place` and `content`, where the images are whole records."""

    model_config = ConfigDict(extra="allow", frozen=True)

    handle: Handle
    place: dict[str, float | None]
    content: dict[str, Any]
    outgoing_url: str = ""

    @property
    def background_id(self) -> str | None:
        """Id of the image behind the scene's images; None without one."""
        background = self.content.get("background")
        return background.get("id") if isinstance(background, dict) else None

    @property
    def view(self) -> SkyView | None:
        """The scene's view, in degrees; None if the record has no complete place."""
        names = ("ra_rad", "dec_rad", "roi_height_deg", "roi_aspect_ratio", "roll_rad")
        numbers = [number for name in names if (number := self.place.get(name)) is not None]
        if len(numbers) < len(names):
            return None
        ra, dec, height, aspect, roll = numbers
        return SkyView(math.degrees(ra), math.degrees(dec), height, aspect, math.degrees(roll))

    @property
    def layers(self) -> list[tuple[dict[str, Any], float]]:
        """The image of each layer and its opacity, the lowest first, as far as the record has them."""
        found = []
        for layer in self._layers:
            image, opacity = (layer.get("image"), layer.get("opacity")) if isinstance(layer, dict) else (None, None)
            if isinstance(image, dict) and isinstance(image.get("id"), str) and isinstance(opacity, int | float):
                found.append((image, float(opacity)))
        return found

    @property
    def _layers(self) -> list[Any]:
        layers = self.content.get("image_layers")
        return layers if isinstance(layers, list) else []

    def is_made_of(self, request: dict[str, Any]) -> bool:
        """Return whether this scene is what a request asked for."""
        layers = [(image["id"], opacity) for image, opacity in self.layers]
        if len(layers) < len(self._layers):  # one of them can't be read
            return False
        wanted = [(layer["image_id"].lower(), layer["opacity"]) for layer in request["content"]["image_layers"]]
        background = request["content"].get("background_id")
        mine = (self.place, self.text, self.outgoing_url, self.published, layers, self.background_id)
        asked = (request["place"], request["text"], request.get("outgoing_url", ""), request.get("published", True))
        return mine == (*asked, wanted, background.lower() if background else None)


class SceneReceipt(AnyReceipt):
    """Proof that a scene was made: what was sent, where and when, and the server's response. It holds no secret.

    Attributes are those of `Receipt`; `id` is the scene's.

    Examples
    --------
    >>> scene = cxw.publish_scene(receipt, client, text="The Whirlpool galaxy")
    >>> scene.published
    False
    """

    kind: ClassVar[str] = "scene"

    @property
    def text(self) -> str:
        """Text shown beside the scene."""
        return str(self.body.get("text", ""))

    @property
    def published(self) -> bool:
        """Whether the scene was published for everyone."""
        return bool(self.body.get("published", True))

    @property
    def scene_url(self) -> str | None:
        """Address of the scene's page on this API's website; None if it has none, such as the sandbox."""
        return f"{self.handle_url}/{self.id}" if self.handle_url else None

    def _editor_path(self) -> str:
        return quote(self.id, safe="")

    def _heading(self) -> str:
        return "Scene published" if self.published else "Scene made, not published"

    def _about(self) -> list[tuple[str, str, str | None]]:
        return [("Text", self.text, None), ("Scene page", self.scene_url or "", self.scene_url)]
