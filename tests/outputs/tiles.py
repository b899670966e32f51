"""Read tile folders as both libraries lay them out, and switch between the two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from constellations_widgets.sources import vips_picture

LIBRARIES = ("libvips", "toasty")


def use(library: str, monkeypatch) -> None:
    """Let `tile` cut pictures with one of `LIBRARIES`."""
    if library == "toasty":
        monkeypatch.setattr(vips_picture, "is_available", lambda: False)
    else:
        assert vips_picture.is_available()


def tiles_of(folder: Path, level: int) -> dict[tuple[int, int], Path]:
    """Return the tiles of a level by column and row."""
    found = {}
    for path in (folder / str(level)).rglob("*.[pj][np]g"):
        column = int(path.stem.rpartition("_")[2])
        found[column, int(path.parent.name)] = path
    return found


def pixels_of(path: Path) -> np.ndarray:
    """Return a tile as RGBA."""
    with Image.open(path) as image:
        assert image.size == (256, 256)
        return np.asarray(image.convert("RGBA"))


def whole(folder: Path, level: int) -> np.ndarray:
    """Return all tiles of a level side by side, as RGBA."""
    canvas = np.zeros((256 << level, 256 << level, 4), "uint8")
    for (column, row), path in tiles_of(folder, level).items():
        canvas[256 * row : 256 * (row + 1), 256 * column : 256 * (column + 1)] = pixels_of(path)
    return canvas
