"""The placement of a picture that a draft's image was made from: only if it is that picture, and the right way up.

Tools turn a mirrored picture upside down before they cut it into tiles, since WWT draws no mirrored ones; toasty does so with others, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import SourceError
from ..geometry.plane import TILE, Plane, check_size, padded, plane_of, width_factor_of
from ..schema.placement import is_tan, shown
from ..schema.tiles import PLACEHOLDERS
from ..sources.drawing import eight_bits
from ..sources.local import LocalImage
from ..sources.quiet import quiet

_ALIKE = 0.7  # least correlation of a tile with the part of the picture that it shows
_FLAT = 2.0  # standard deviation, of 0 to 255, below which a tile shows too little to be recognized
_FEWEST = 1_000  # pixels that are compared
_MOST_PIXELS = 50_000_000  # of a picture that is decoded for this; a larger one is taken to be the right one
_NUMBERED = ({"{1}", "{2}", "{3}"}, {"{L}", "{X}", "{Y}"})  # level, x and y of a tile


def plane_in_picture(
    values: Mapping[str, Any], picture: LocalImage, size: tuple[int, int], own: LocalImage | None
) -> Plane:
    """Return the plane of a picture that the image of a draft was made from.

    Parameters
    ----------
    values : mapping
        Flat values of the draft.
    picture : LocalImage
        A single file.
    size : (int, int)
        Its width and height in pixels.
    own : LocalImage or None
        The draft's own files: tiles are compared with the picture.

    Raises
    ------
    SourceError
        If the placement is incomplete, or it is another picture.
    """
    plane, what = plane_of(values, size), shown(picture.where(picture.top).name)
    check_size(values, size, what)
    if not is_tan(values):
        if own is not None and not own.tiled and own.size not in (None, size):
            raise SourceError(
                f"{what} has {size[0]} × {size[1]} pixels, and the image of the draft {own.size[0]} × {own.size[1]}: name the picture in that size"
            )
        return plane
    found = _likeness(values, picture, size, own) if own is not None and own.tiled else None
    if found is None:
        return plane
    upright, turned = found
    if max(upright, turned) < _ALIKE:
        raise SourceError(
            f"{what} is not the picture that the draft's tiles show, or it was resized or cropped: name the picture that was tiled"
        )
    return plane.upside_down(size[1]) if turned > upright else plane


def _likeness(
    values: Mapping[str, Any], picture: LocalImage, size: tuple[int, int], tiles: LocalImage
) -> tuple[float, float] | None:
    """Return the correlation of a tile at the middle with the picture, and with the picture upside down; None if it is not known."""
    if set(PLACEHOLDERS.findall(tiles.template)) not in _NUMBERED or tiles.fits or size[0] * size[1] > _MOST_PIXELS:
        return None
    levels = int(values["wwt.tile_levels"])
    wide, high = padded(levels, width_factor_of(values))
    left, top = (wide - size[0]) // 2, (high - size[1]) // 2
    whole, found = _gray(picture, picture.top), None
    for x in (wide // TILE // 2, wide // TILE // 2 - 1):
        for y in (high // TILE // 2, high // TILE // 2 - 1):
            name = tiles.tile(levels, x, y)
            if not tiles.where(name).is_file():
                continue
            (first, last), (start, end) = ((max(0, at), at + TILE) for at in (TILE * x - left, TILE * y - top))
            parts = [each[start:end, first:last] for each in (whole, whole[::-1])]
            height, width = parts[0].shape
            down, along = start - TILE * y + top, first - TILE * x + left
            tile = _gray(tiles, name)[down : down + height, along : along + width]
            if tile.size < _FEWEST or tile.shape != parts[0].shape or tile.std() < _FLAT:
                continue
            scores = _correlation(tile, parts[0]), _correlation(tile, parts[1])
            found = max(filter(None, (found, scores)), key=max)
    return found


def _gray(image: LocalImage, name: str) -> Any:
    """Return the gray values of a picture file, rows from the top."""
    import numpy as np
    from PIL import Image

    with quiet(), image.open(name) as file, Image.open(file) as opened:
        return np.asarray(eight_bits(opened, image.where(name).name).convert("L"), float)


def _correlation(one: Any, other: Any) -> float:
    import numpy as np

    spread = one.std() * other.std()
    return float(np.mean((one - one.mean()) * (other - other.mean())) / spread) if spread else 0.0
