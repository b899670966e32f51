"""Describe for the page how to draw the image of a draft: as a picture, and from FITS pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ...schema.fields import fields
from ...schema.placement import URL, web_address_fault
from ...schema.tiles import PLACEHOLDERS
from ...wtml import drawn_wtml
from ..protocol.preview import Drawing, DrawnImage, Imageset
from .imageset import imageset_of, smaller

if TYPE_CHECKING:
    from ...sources.local import LocalImage

# The engine routes tiles of any host but localhost through a public proxy once one of them is missing. No request is ever sent
# to this address: the page responds itself.
PRIVATE = "http://localhost:1"


class Reduced(NamedTuple):
    """A version of the image in lower resolution, or from FITS pixels."""

    url: str
    factor: int
    """Pixels of the original along a side of one of these."""
    size: tuple[int, int] | None
    """Width and height in pixels: of the original for a picture, reduced for FITS pixels."""


NOTHING: Drawing = {"name": None, "imageset": None, "wtml": None, "size": None, "waiting": [], "pixels": None}


def image_address(local: LocalImage | None, template: Any) -> tuple[str, str | None]:
    """Return the address from which the engine loads the image, or "" and the reason why it can load none."""
    if local is not None:
        return f"{PRIVATE}/image/{local.template}", None
    if not isinstance(template, str) or not template:
        return "", None
    reason = web_address_fault(PLACEHOLDERS.sub("0", template))
    return ("", reason) if reason else (f"{PRIVATE}/network/{template}", None)


def draw(
    values: Mapping[str, Any],
    address: tuple[str, str | None],
    revision: int,
    *,
    last: Mapping[str, Any] | None = None,
    size: tuple[int, int] | None = None,
    picture: Reduced | None = None,
    pixels: Reduced | None = None,
    only_pixels: bool = False,
) -> tuple[Drawing, dict[str, Any] | None]:
    """Return how the page draws the image, and the imageset behind it.

    Parameters
    ----------
    values : mapping
        Values of the draft, by path.
    address : (str, str or None)
        Result of `image_address`.
    revision : int
        Number that makes names and addresses new to the engine.
    last : mapping or None
        The imageset that was shown before: its values are kept where the new ones can't be used.
    size : (int, int) or None
        Width and height of the image in pixels, if known.
    picture : Reduced or None
        The picture in lower resolution, if it is too large to be drawn as it is.
    pixels : Reduced or None
        The pixels of a single FITS file, if there is one.
    only_pixels : bool, default False
        Whether there is no picture besides the FITS pixels.
    """
    url, reason = address
    imageset, waiting = imageset_of(values, url, last)
    if reason:
        waiting[URL] = reason
    drawing: Drawing = {**NOTHING, "waiting": [(fields()[path].title, why) for path, why in waiting.items()]}
    if imageset is None:
        return drawing, None
    if pixels is not None:
        fits = smaller(imageset, pixels.factor) | {"url": pixels.url, "file_type": ".fits"}
        drawing["pixels"] = _drawn(fits, revision, "pixels ", pixels.size)
    if only_pixels and drawing["pixels"] is not None:
        image = drawing["pixels"]
    elif picture is not None and picture.size is not None:
        factor, (width, height) = picture.factor, picture.size
        reduced = smaller(imageset, factor, -height % factor) | {"url": picture.url}
        image = _drawn(reduced, revision, "", (-(-width // factor), -(-height // factor)))
    else:
        image = _drawn(imageset, revision, "", size)
    return {**drawing, **image}, imageset


def _drawn(imageset: Mapping[str, Any], revision: int, variant: str, size: tuple[int, int] | None) -> DrawnImage:
    """Return what the page needs to draw `imageset`, with a name and an address that are new to the engine."""
    name = f"cxw {variant}{revision}."  # not part of another name: the engine takes the first one that contains it
    unique = imageset["url"].replace(PRIVATE, f"{PRIVATE}/{revision}", 1)
    return {
        "name": name,
        "imageset": cast(Imageset, imageset),
        "wtml": drawn_wtml(imageset, name, unique),
        "size": size,
    }
