"""A tile tree of 85 tiles, as an image of 2,048 pixels has, about as large as real ones."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from benchmarks.plain_app import PlainApp, plain_app
from PIL import Image

LEVELS = 3
SIDE = 256 * 2**LEVELS
NAME = "bench"
CAMERA = {"ra": 150.0, "dec": 20.0, "fov": 1.6}

WTML = f"""<?xml version="1.0" encoding="UTF-8"?>
<Folder Name="bench" Group="Explorer" Type="Sky" Searchable="True"><ImageSet Name="{NAME}" Url="{{url}}"
BandPass="Visible" BaseDegreesPerTile="1.024" BaseTileLevel="0" BottomsUp="False" CenterX="150" CenterY="20" DataSetType="Sky"
ElevationModel="False" FileType=".png" Generic="False" OffsetX="0" OffsetY="0" Projection="Tan" QuadTreeMap="" Rotation="0"
Sparse="True" StockSet="False" TileLevels="{LEVELS}" WidthFactor="2"><ThumbnailUrl/></ImageSet></Folder>"""


def make_pyramid(folder: Path, seed: int = 1) -> Path:
    """Write the tree and its index_rel.wtml into `folder`, over one that is there; 85 PNGs, about 11 MB, others for each seed."""
    noise = np.random.default_rng(seed).normal(0, 9, (SIDE, SIDE, 3))
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    picture = np.stack([90 + 90 * np.sin(9 * x), 90 + 90 * np.sin(7 * y), 90 + 90 * np.cos(11 * x * y)], axis=2)
    image = Image.fromarray((picture + noise).clip(0, 255).astype(np.uint8))
    for level in range(LEVELS, -1, -1):
        for row in range(2**level):
            line = folder / str(level) / str(row)
            line.mkdir(parents=True, exist_ok=True)
            for column in range(2**level):
                box = (256 * column, 256 * row, 256 * (column + 1), 256 * (row + 1))
                image.crop(box).save(line / f"{row}_{column}.png")
        image = image.resize((image.width // 2, image.height // 2))
    (folder / "index_rel.wtml").write_text(WTML.format(url="{1}/{3}/{3}_{2}.png"))
    return folder


def paths() -> list[str]:
    """All tiles, as the engine names them."""
    return [f"{level}/{y}/{y}_{x}.png" for level in range(LEVELS + 1) for y in range(2**level) for x in range(2**level)]


@contextmanager
def served_pyramid() -> Iterator[tuple[Path, PlainApp]]:
    """The tree in a folder of its own, and the research app with the same tree on a static server."""
    with tempfile.TemporaryDirectory() as folder, plain_app(Path(folder)) as app:
        tree = make_pyramid(Path(folder))
        (tree / "index.wtml").write_text(WTML.format(url=f"{app.address}/data/{{1}}/{{3}}/{{3}}_{{2}}.png"))
        yield tree, app
