"""Cut pictures of any size into tiles with libvips, in bounded memory and on several cores.

`dzsave` writes a few levels at a time, from a canvas that ends at the edges of whole tiles on all of these levels. Its
layout "google" does all levels at once, but it computes the whole square, for minutes if a picture has 65,600 × 300
pixels, and drops tiles of which a coarser level would keep less than half a pixel: WWT would load nothing below them.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SourceError
from ..forks import renew_in_children
from ..geometry.engine import padded
from ..geometry.plane import TILE
from ..sources.vips_picture import Step, VipsPicture, vips_errors

if TYPE_CHECKING:
    from PIL import Image

TEMPLATE = "{1}/{3}/{3}_{2}"
"""Path of the tile of level {1}, column {2} and row {3} below the folder of tiles, without its extension: as toasty names them."""

_LEVELS = 3  # levels that are computed from one canvas: it is larger than the picture by less than 2^3 tiles a side
_SMALL = 180  # fewest pixels of the shorter side that a thumbnail is made of
# With the alpha channel, which adds little but time, this takes as long as libvips' default without it.
_SUFFIXES = {".png": ".png[compression=3]", ".jpg": ".jpg[Q=92]"}


def write_tiles(picture: VipsPicture, folder: Path, step: Step, subtree: tuple[int, int, int] = (0, 0, 0)) -> None:
    """Write the tiles of a picture, or of one subtree of its pyramid.

    Parameters
    ----------
    picture : VipsPicture
        The picture.
    folder : Path
        An existing folder. The tiles of several subtrees, written by several processes, can go to the same one.
    step : callable
        Called with a number from 0 to 1; the error that it raises ends the work.
    subtree : (int, int, int), optional
        Level, column and row of the coarsest tile. Default: that of the whole image.

    Raises
    ------
    SourceError
        If the picture is damaged, or a tile cannot be written.
    """
    if _inherited.used:
        return _in_new_process(write_tiles, step, picture, folder, subtree)
    level, column, row = subtree
    side = padded(picture.levels - level)[0]
    (left, top), (width, height) = picture.corner, picture.size
    box = _Box(left, top, left + width, top + height).within(
        _Box(column * side, row * side, (column + 1) * side, (row + 1) * side)
    )
    with vips_errors(picture.path), _work_folder(folder) as work:
        depth = _depth(picture, picture.levels, level)
        canvas = box.of_whole(TILE << depth)
        pixels = picture.crop(box.left - left, box.top - top, box.width, box.height, work)
        pixels = pixels.embed(box.left - canvas.left, box.top - canvas.top, canvas.width, canvas.height)
        _write_levels(pixels, canvas, picture.levels, depth, picture, folder, work, step)
        _write_coarser(picture, folder, work, picture.levels - depth, subtree)


def write_top(picture: VipsPicture, folder: Path, step: Step, level: int) -> None:
    """Write the levels above the subtrees whose coarsest tiles, of `level`, are in `folder`. Raises as `write_tiles`."""
    if _inherited.used:
        return _in_new_process(write_top, step, picture, folder, level)
    with vips_errors(picture.path), _work_folder(folder) as work:
        _write_coarser(picture, folder, work, level, (0, 0, 0))


def subtrees(picture: VipsPicture, level: int) -> list[tuple[int, int, int]]:
    """Return level, column and row of the tiles of a level that hold some of the picture."""
    side = padded(picture.levels - level)[0]
    (left, top), (width, height) = picture.corner, picture.size
    return [
        (level, column, row)
        for row in range(top // side, (top + height - 1) // side + 1)
        for column in range(left // side, (left + width - 1) // side + 1)
    ]


def add_missing_parents(picture: VipsPicture, folder: Path) -> None:
    """Write a transparent tile above each tile that has none: WWT loads nothing below a tile that is missing.

    libvips writes no tile that is transparent everywhere, as the mean of few faint pixels can be.

    Raises
    ------
    SourceError
        If there is no tile at all.
    """
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGBA", (TILE, TILE)).save(stream, "png")
    everything = _Box(0, 0, 1 << picture.levels, 1 << picture.levels)
    for level in range(picture.levels, 0, -1):
        tiles = _tiles(folder, level, everything)
        if not tiles:
            raise SourceError(f"{picture.path.name} is transparent everywhere: there is nothing to tile")
        for column, row in {(x // 2, y // 2) for x, y in tiles}:
            path = folder / str(level - 1) / str(row) / f"{row}_{column}{picture.file_type}"
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(stream.getvalue())


def small_picture(picture: VipsPicture, folder: Path) -> Image.Image:
    """Return the picture, with the rows as in its file, from the coarsest level that a thumbnail can be made of."""
    from PIL import Image, ImageOps

    level, shortest = picture.levels, min(picture.size)
    while level and shortest >> (picture.levels - level + 1) >= _SMALL:
        level -= 1
    up = picture.levels - level
    (left, top), (width, height) = ((side >> up for side in pair) for pair in (picture.corner, picture.size))
    whole = Image.new("RGBA", (max(width, 1), max(height, 1)))
    for (column, row), path in _tiles(folder, level, _Box(0, 0, 1 << level, 1 << level)).items():
        with Image.open(path) as tile:
            whole.paste(tile.convert("RGBA"), (column * TILE - left, row * TILE - top))
    return ImageOps.flip(whole) if picture.upside_down else whole


@dataclass(frozen=True)
class _Box:
    """A rectangle of pixels of one level, among those of all its tiles."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def within(self, other: _Box) -> _Box:
        return _Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def of_whole(self, side: int) -> _Box:
        """Return the smallest box around this one that consists of whole squares."""
        return _Box(
            self.left // side * side,
            self.top // side * side,
            -(-self.right // side) * side,
            -(-self.bottom // side) * side,
        )


def _depth(picture: VipsPicture, level: int, coarsest: int) -> int:
    """Return how many levels above `level` are computed from the same canvas."""
    depth = level - coarsest
    # From JPEG tiles no further levels are made: their pixels are not those of the picture any more.
    return depth if picture.file_type == ".jpg" else min(depth, _LEVELS)


def _write_coarser(picture: VipsPicture, folder: Path, work: Path, level: int, top: tuple[int, int, int]) -> None:
    """Write the levels from `level` up to that of the tile `top`, from the tiles of `level`."""
    import pyvips

    coarsest, column, row = top
    while level > coarsest:
        depth = _depth(picture, level, coarsest)
        factor = 1 << (level - coarsest)
        mine = _Box(column * factor, row * factor, (column + 1) * factor, (row + 1) * factor)
        tiles = _tiles(folder, level, mine)
        if tiles:
            columns, rows = [x for x, _ in tiles], [y for _, y in tiles]
            box = _Box(min(columns), min(rows), max(columns) + 1, max(rows) + 1).of_whole(1 << depth)
            blank = pyvips.Image.black(TILE, TILE, bands=4).copy(interpretation="srgb")
            parts = [
                pyvips.Image.new_from_file(str(path), access="sequential", revalidate=True)
                if (path := tiles.get((x, y)))
                else blank
                for y in range(box.top, box.bottom)
                for x in range(box.left, box.right)
            ]
            pixels = pyvips.Image.arrayjoin(parts, across=box.width)
            canvas = _Box(box.left * TILE, box.top * TILE, box.right * TILE, box.bottom * TILE)
            _write_levels(pixels, canvas, level, depth, picture, folder, work, None)
        level -= depth


def _tiles(folder: Path, level: int, box: _Box) -> dict[tuple[int, int], Path]:
    """Return the tiles of a level inside a box of tiles, by column and row."""
    return {
        (column, int(row.name)): path
        for row in (folder / str(level)).glob("*")
        if box.top <= int(row.name) < box.bottom
        for path in row.iterdir()
        if box.left <= (column := int(path.stem.rpartition("_")[2])) < box.right
    }


def _write_levels(
    pixels: Any, canvas: _Box, level: int, depth: int, picture: VipsPicture, folder: Path, work: Path, step: Step | None
) -> None:
    """Write the tiles of `level` and of `depth` coarser levels; those of `level` are there already without `step`."""
    import pyvips

    failures: list[BaseException] = []
    if step is not None:
        _report(pixels, step, failures)
    out = work / "tiles_files"
    try:
        pixels.dzsave(
            str(work / "tiles"),
            layout="dz",
            depth="onetile",
            overlap=0,
            tile_size=TILE,
            suffix=_SUFFIXES[picture.file_type],
            background=[0] * pixels.bands,
            skip_blanks=0,
            keep="none",
        )
    except pyvips.Error as error:
        # The last file that it writes, beside the tiles: if all are transparent there is no such folder.
        if not failures and ("vips-properties.xml" not in str(error) or out.exists()):
            raise
    if failures:
        raise failures[0]
    if not out.exists():
        return
    deepest = max(int(path.name) for path in out.iterdir() if path.name.isdigit())
    for up in range(depth, -1 if step is not None else 0, -1):
        _move(out / str(deepest - up), folder / str(level - up), canvas.left // TILE >> up, canvas.top // TILE >> up)
    shutil.rmtree(out)


def _move(source: Path, target: Path, column: int, row: int) -> None:
    """Move the tiles of one level to their places; `column` and `row` are those of the first."""
    for path in source.glob("*"):
        x, y = map(int, path.stem.split("_"))
        folder = target / str(y + row)
        folder.mkdir(parents=True, exist_ok=True)
        os.replace(path, folder / f"{y + row}_{x + column}{path.suffix}")


def _report(pixels: Any, step: Step, failures: list[BaseException]) -> None:
    """Call `step` while pixels are computed; stop computing them if it raises an error."""

    def on_eval(image: Any, progress: Any) -> None:
        if failures:
            return
        try:
            step(min(progress.percent / 100, 0.99))
        except BaseException as error:  # raised when libvips has stopped: C code can't pass it on  # noqa: BLE001
            failures.append(error)
            image.set_kill(True)

    pixels.set_progress(True)
    pixels.signal_connect("eval", on_eval)


@contextlib.contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    work = Path(tempfile.mkdtemp(prefix=".work.", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Inherited:
    """Whether a process that used libvips was forked into this one, where libvips would wait for its threads forever."""

    used = False

    def renew(self) -> None:
        self.used = "pyvips" in sys.modules


_inherited = _Inherited()
renew_in_children(_inherited)

_IN_NEW_PROCESS = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
function, arguments = pickle.load(sys.stdin.buffer)
from constellations_widgets.sources.quiet import quiet
try:
    with quiet():
        function(*arguments)
except Exception as error:
    sys.stdout.buffer.write(pickle.dumps(error))
"""


def _in_new_process(function: Callable[..., None], step: Step, picture: VipsPicture, folder: Path, part: Any) -> None:
    """Call a function of this module in a new interpreter; it ends if `step`, which is called with 0.0, raises."""
    command = [sys.executable, "-c", _IN_NEW_PROCESS]
    work = pickle.dumps(sys.path) + pickle.dumps((function, (picture, folder, _ignore, part)))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        given: bytes | None = work
        try:
            while True:
                try:
                    answer, _ = process.communicate(given, timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    given = None  # it is sent already, or goes on being sent
                    step(0.0)
        except BaseException:
            process.kill()
            raise
    if answer:
        raise pickle.loads(answer)
    if process.returncode:
        raise SourceError(
            f"{picture.path.name} can't be cut into tiles: libvips ended with status {process.returncode}"
        )


def _ignore(_progress: float) -> None:
    pass
