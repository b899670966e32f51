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
from ..geometry.engine import levels_of, padded
from ..geometry.plane import TILE
from .drawing import color_profile, finite_range, is_deep_gray, open_header, plain_mode, png_gray, stretched

if TYPE_CHECKING:
    from PIL import Image

TEMPLATE = "{1}/{3}/{3}_{2}"
"""Path of the tile of level {1}, column {2} and row {3} below the folder of tiles, without its extension: as toasty names them."""

INSTALL = 'pip install "constellations_widgets[tiling]"'

_LEVELS = 3  # levels that are computed from one canvas: it is larger than the picture by less than 2^3 tiles a side
_SMALL = 180  # fewest pixels of the shorter side that a thumbnail is made of
_ROWS = 256  # rows of a picture that are read at a time for its range of values
# With the alpha channel, which adds little but time, this takes as long as libvips' default without it.
_SUFFIXES = {".png": ".png[compression=3]", ".jpg": ".jpg[Q=92]"}

_EXTRA_SAMPLES = 338  # TIFF's tag: 1 is alpha by which the colors are multiplied
_NUMPY = {
    "uchar": "u1", "char": "i1", "ushort": "u2", "short": "i2", "uint": "u4", "int": "i4", "float": "f4", "double": "f8",
}  # fmt: skip

Step = Callable[[float], None]


def is_available() -> bool:
    """Return whether libvips can be used."""
    try:
        import pyvips  # noqa: F401
    except (ImportError, OSError):  # OSError: the package is installed, but not the library that it loads
        return False
    return True


def can_read(path: Path) -> bool:
    """Return whether libvips is installed and reads this kind of picture correctly."""
    if not is_available():
        return False
    import pyvips

    try:
        with open_header(path) as header:
            # libvips takes the channels of a TIFF that is YCbCr without JPEG for red, green and blue.
            return header.mode != "YCbCr" and bool(pyvips.Image.new_from_file(str(path), revalidate=True).width)
    except (pyvips.Error, OSError, SyntaxError, ValueError):
        return False


@dataclass(frozen=True)
class VipsPicture:
    """A picture file, and how its pixels become those of tiles: sRGB with 8 bits a channel. `inspect` makes it.

    Attributes
    ----------
    path : Path
        The file.
    size : (int, int)
        Width and height in pixels.
    file_type : {".png", ".jpg"}
        File type of the tiles.
    upside_down : bool
        Whether the tiles hold the rows in reverse order, for a mirrored image.
    mode, drawn_mode : str
        Pillow's mode of the file, and the one with 8 bits a channel in which it is drawn.
    has_profile : bool
        Whether the file's ICC profile is applied.
    premultiplied : bool
        Whether the file's colors are multiplied by their alpha.
    cuts : (float, float) or None
        The values drawn black and white, for gray of more than 8 bits that is not a PNG.
    """

    path: Path
    size: tuple[int, int]
    file_type: str
    upside_down: bool
    mode: str
    drawn_mode: str
    has_profile: bool
    premultiplied: bool
    cuts: tuple[float, float] | None

    @classmethod
    def inspect(cls, header: Any, path: Path, file_type: str, *, upside_down: bool, step: Step) -> VipsPicture:
        """Return the picture at `path`; gray of more than 8 bits is read through for its range of values.

        Parameters
        ----------
        header : PIL.Image.Image
            The file as Pillow opens it; its pixels are not read.
        path, file_type, upside_down
            As the attributes.
        step : callable
            Called while the picture is read; the error that it raises ends the work.

        Raises
        ------
        SourceError
            If the file is damaged, its colors have no conversion to sRGB, or JPEG can't hold its tiles.
        """
        drawn_mode = plain_mode(header, path.name)
        if file_type == ".jpg" and ("A" in drawn_mode or set(header.size) != {padded(levels_of(header.size))[0]}):
            raise SourceError(
                f"{path.name} can't have JPEG tiles: it is transparent in places, or does not fill the square of 256 · 2ⁿ "
                'pixels that is cut, and JPEG would show black there. Use file_type=".png"'
            )
        cuts = None
        if is_deep_gray(header.mode) and header.format != "PNG":
            with _Errors(path):
                cuts = finite_range(_strips(path, step), path.name)
        return cls(
            path,
            header.size,
            file_type,
            upside_down,
            header.mode,
            drawn_mode,
            color_profile(header) is not None,
            header.format == "TIFF" and 1 in header.tag_v2.get(_EXTRA_SAMPLES, ()),
            cuts,
        )

    @property
    def levels(self) -> int:
        """Number of the deepest level."""
        return levels_of(self.size)

    @property
    def corner(self) -> tuple[int, int]:
        """Column and row of the picture's upper left pixel among those of all tiles, as toasty places it."""
        side = padded(self.levels)[0]
        return (side - self.size[0]) // 2, (side - self.size[1]) // 2

    def crop(self, left: int, top: int, width: int, height: int, folder: Path) -> Any:
        """Return a part of the picture as it is drawn: sRGB of 8 bits, with alpha unless the tiles are JPEG.

        Its rows can be read once, from the top. If they are reversed, they are written to `folder` first: libvips
        would take memory, or space in the system's temporary folder.
        """
        picture = _to_8_bits(_open(self.path), self)
        if not self.upside_down:
            return picture.crop(left, top, width, height)
        import pyvips

        rows = folder / "rows.tif"
        part = picture.crop(left, self.size[1] - top - height, width, height)
        part.tiffsave(str(rows), tile=True, tile_width=TILE, tile_height=TILE, bigtiff=True, compression="none")
        return pyvips.Image.new_from_file(str(rows), revalidate=True).flipver()


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
    with _Errors(picture.path), _work_folder(folder) as work:
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
    with _Errors(picture.path), _work_folder(folder) as work:
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


def _strips(path: Path, step: Step) -> Iterator[Any]:
    """Yield the values of the first channel of a picture, some rows at a time."""
    import numpy as np
    import pyvips

    picture = _open(path)[0]
    region = pyvips.Region.new(picture)
    for top in range(0, picture.height, _ROWS):
        step(0.0)
        rows = region.fetch(0, top, picture.width, min(_ROWS, picture.height - top))
        yield np.frombuffer(rows, dtype=_NUMPY[picture.format])


def _open(path: Path) -> Any:
    """Open a picture, whose rows can be read once, from the top; raise pyvips' error if a row is damaged."""
    import pyvips

    loader = pyvips.Image.new_from_file(str(path)).get("vips-loader")
    options = {"unlimited": True} if "unlimited" in pyvips.Introspect.get(loader).optional_input else {}
    return pyvips.Image.new_from_file(str(path), access="sequential", fail_on="error", revalidate=True, **options)


def _to_8_bits(pixels: Any, picture: VipsPicture) -> Any:
    """Convert pixels as `drawing.eight_bits` does, and add an alpha channel unless the tiles are JPEG."""
    pixels = _scaled(pixels, picture)
    if picture.premultiplied:
        pixels = pixels.unpremultiply().rint().cast("uchar")
    if picture.has_profile:
        pixels = pixels.icc_transform("srgb", embedded=True, intent="perceptual", depth=8)
    elif picture.mode == "LAB":
        pixels = pixels.colourspace("srgb")
    elif picture.mode == "CMYK":
        pixels = ((255 - pixels[:3]) * (255 - pixels[3]) / 255).rint().cast("uchar")
    alpha = pixels[pixels.bands - 1] if "A" in picture.drawn_mode and pixels.bands in (2, 4) else 255
    colors = pixels[:3] if pixels.bands >= 3 else pixels[0].bandjoin([pixels[0], pixels[0]])
    return (colors if picture.file_type == ".jpg" else colors.bandjoin(alpha)).copy(interpretation="srgb")


def _scaled(pixels: Any, picture: VipsPicture) -> Any:
    import numpy as np
    import pyvips

    if picture.cuts is None:
        if pixels.format != "ushort":
            return pixels
        # Of colors with 16 bits Pillow takes the high byte.
        values = np.arange(1 << 16)
        table = png_gray(values) if is_deep_gray(picture.mode) else (values >> 8).astype("uint8")
    elif pixels.format == "ushort":
        table = stretched(np.arange(1 << 16), *picture.cuts)
    else:
        low, high = picture.cuts
        values = pixels.cast("double")
        finite = (values - values) == 0
        return ((finite.ifthenelse(values, low) - low) * (255 / ((high - low) or 1.0))).rint().cast("uchar")
    return pixels.maplut(pyvips.Image.new_from_array(table.reshape(1, -1)))


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


class _Errors:
    """Context that turns errors of libvips into a SourceError."""

    def __init__(self, path: Path):
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        import pyvips

        if isinstance(error, pyvips.Error):
            reason = " ".join(str(error).split())[:300]
            raise SourceError(f"{self._path.name} can't be cut into tiles: {reason}") from None


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
