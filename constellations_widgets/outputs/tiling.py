"""Cut a large image into tiles in a worker thread, with progress and cancellation: pictures by libvips, FITS by toasty."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..errors import SourceError, needs_extra
from ..geometry.plane import TILE, Plane, plane_of
from ..interface import in_terms, option
from ..schema.placement import THUMBNAIL, URL, shown
from ..sources import vips_picture
from ..sources.drawing import drawn, eight_bits, open_header, thumbnail
from ..sources.hdus import chosen_plane, is_fits, open_fits
from ..sources.paths import file_path
from ..sources.picture import read_picture
from ..sources.quiet import quiet
from ..sources.reading import inaccuracy_in
from ..sources.vips_picture import VipsPicture
from ..wtml import Notes, export_wtml
from . import vips_tiles

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

INDEX = "index_rel.wtml"
_SUBTREE_LEVELS = 5
"""Levels below the coarsest tile of a subtree that is cut by itself: 8192 pixels a side."""
_WAITING = 16  # most tiles waiting to be written, since they take memory


class Tiling:
    """Tiles being made, as returned by `tile`.

    Attributes
    ----------
    progress : float
        From 0 to 1: the part of all tiles that is written.
    """

    def __init__(self, out: Path, on_progress: Callable[[float], Any] | None):
        self.out, self.progress = out, 0.0
        self._on_progress = on_progress
        self._stop = threading.Event()
        self._result: Future[Path] = Future()

    @property
    def done(self) -> bool:
        """Whether it has ended: successfully, with an error, or because it was cancelled."""
        return self._result.done()

    def cancel(self) -> None:
        """Stop as soon as the current tile is finished; written files are removed."""
        self._stop.set()

    def result(self, timeout: float | None = None) -> Path:
        """Wait for the tiles; return their folder with thumbnail and ``index_rel.wtml``, for `ImageDraft.from_wtml`.

        Parameters
        ----------
        timeout : float, optional
            Longest wait in seconds. Default: no limit.

        Raises
        ------
        SourceError
            If the tiling was cancelled or failed; the message says why.
        TimeoutError
            If it takes longer.
        """
        return runtime.result(self._result, timeout)

    def __repr__(self) -> str:
        if not self.done:
            return f"<Tiling to {self.out}: {100 * self.progress:.0f} %>"
        ended = "done" if self._result.exception() is None else "cancelled" if self._stop.is_set() else "failed"
        return f"<Tiling to {self.out}: {ended}>"

    def _step(self, progress: float) -> None:
        if self._stop.is_set():
            raise SourceError(f"The tiling to {self.out} was cancelled: nothing of it was kept")
        self.progress = progress
        if self._on_progress is not None:
            self._on_progress(progress)

    def _run(self, source: Any, file_type: str, placement: Mapping[str, Any]) -> None:
        try:
            with quiet():
                self._make(source, file_type, placement)
        except SourceError as error:
            self._result.set_exception(error)
        except Exception as error:  # of toasty, Pillow or the disk; `result` reports it  # noqa: BLE001
            self._result.set_exception(
                SourceError(f"The tiles can't be made in {self.out} ({type(error).__name__}: {error})")
            )
        else:
            self._result.set_result(self.out)

    def _make(self, source: Any, file_type: str, placement: Mapping[str, Any]) -> None:
        """Make everything in a folder beside the final one."""
        partial = _partial_folder(self.out)
        try:
            _tile(source, partial, file_type, placement, self._step)
            _publish(partial, self.out)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _partial_folder(out: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))


def _publish(partial: Path, out: Path) -> None:
    """Give a folder whose tiles are complete its name."""
    partial.chmod(0o755)  # so that a web server can read it
    if out.is_dir():
        out.rmdir()  # it was found empty before
    partial.rename(out)


def tile(
    source: Any,
    out: str | Path,
    *,
    file_type: str = ".png",
    progress: Callable[[float], Any] | None = None,
    **placement: Any,
) -> Tiling:
    """Cut an image into tiles, with a thumbnail of 96 x 45 pixels, in a worker thread.

    Tiles are better above 2048 pixels a side: browsers load only what is in view, and every graphics card can draw
    it.

    Pictures are cut by libvips, if it is installed (``pip install "constellations_widgets[tiling]"``): of up to 100,000 x
    100,000 pixels, in bounded memory but for interlaced PNG and progressive JPEG files, which are decoded as a whole.
    Without it, and for FITS in gray, toasty is used, and the image must fit in memory several times. The tiles are the same;
    their addresses, and the color of pixels at the transparent edge of the coarser levels, are not. Gray of 16 bits and
    more is scaled to 8 bits, CMYK and ICC profiles are converted to sRGB.

    >>> tiling = cxw.tile("m51.tif", "m51", center=(202.47, 47.2), width=0.19)
    >>> draft = cxw.ImageDraft.from_wtml(tiling.result())

    Parameters
    ----------
    source : str, Path or ImageDraft
        A FITS, JPEG, PNG or TIFF file, or an untiled draft of one, whose placement, note and credits are taken over.
    out : str or Path
        A folder that does not exist yet, or is empty. It appears once all tiles are complete.
    file_type : {".png", ".jpg", ".fits"}
        File type of the tiles. ".jpg" is for pictures without transparency that fill all tiles, of 256 · 2^n pixels a
        side. ".fits" keeps the values of a FITS file, but Constellations stores no cuts for them, so only
        PNG, with an asinh stretch, looks the same to all viewers.
    progress : callable, optional
        Called in that thread with a number from 0 to 1.
    **placement
        Placement as for `ImageDraft.from_image` or `from_fits`.

    Returns
    -------
    Tiling
        Returned immediately; its `result()` waits for the tiles.

    Raises
    ------
    SourceError
        If `out` is not empty. Errors of the source are raised by the tiling's `result()`.
    """
    target = _checked_target(out, file_type)
    tiling = Tiling(target, progress)
    runtime.start_thread("tiling", tiling._run, source, file_type, placement)
    return tiling


def _checked_target(out: str | Path, file_type: str) -> Path:
    if file_type not in (".png", ".jpg", ".fits"):
        kinds = in_terms('".png", ".jpg" or ".fits"', ".png, .jpg or .fits")
        raise SourceError(f"{option('file_type')} of tiles is {kinds}, not {shown(file_type)}")
    target = file_path(out, "folder").absolute()
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise SourceError(f"{target} already exists: choose another folder, or remove it first")
    if not target.parent.is_dir():
        raise SourceError(f"There is no folder {target.parent} for the tiles: make it first")
    return target


@dataclass(frozen=True)
class SplitTiling:
    """A large picture whose subtrees are cut one by one, perhaps by several machines; `split_tiling` makes it.

    Attributes
    ----------
    out : Path
        The final folder.
    partial : Path
        The folder in which the tiles are made.
    name : str
        The image's name.
    values : mapping
        The values of the draft of the tiles.
    picture : VipsPicture
    notes : Notes
        What the WTML of the tiles says about their placement.
    """

    out: Path
    partial: Path
    name: str
    values: Mapping[str, Any]
    picture: VipsPicture
    notes: Notes

    @property
    def subtrees(self) -> list[tuple[int, int, int]]:
        """Level, column and row of the coarsest tile of each subtree."""
        return vips_tiles.subtrees(self.picture, self.picture.levels - _SUBTREE_LEVELS)

    def write(self, subtree: tuple[int, int, int]) -> None:
        """Cut one subtree. It can be repeated if it failed. Raises SourceError if the picture can't be read."""
        with quiet():
            vips_tiles.write_tiles(self.picture, self.partial, lambda _: None, subtree)

    def finish(self) -> Path:
        """Make the coarser levels once all subtrees are cut; return the folder, which is complete now."""
        with quiet():
            vips_tiles.write_top(self.picture, self.partial, lambda _: None, self.picture.levels - _SUBTREE_LEVELS)
            _finish_vips(self.picture, self.partial, self.values, self.name, self.notes)
        _publish(self.partial, self.out)
        return self.out

    def discard(self) -> None:
        """Remove the tiles that were made."""
        shutil.rmtree(self.partial, ignore_errors=True)


def split_tiling(source: Any, out: str | Path, *, file_type: str = ".png", **placement: Any) -> SplitTiling | None:
    """Prepare to cut a picture in several tasks; return None if it is better cut in one. See `tile` for the arguments."""
    target = _checked_target(out, file_type)
    if file_type != ".png" or not vips_picture.is_available():
        return None
    with quiet():
        reading = _checked_reading(source, placement, file_type)
        if not _is_for_vips(reading) or max(reading.local.size or (0, 0)) <= TILE << (_SUBTREE_LEVELS + 1):
            return None
        if reading.origin != str(reading.local.where(reading.local.template).resolve()):
            return None  # the picture was drawn here, from colors of FITS or from TIFF: other machines may not have it
        picture, values = _vips_plan(reading, file_type, lambda _: None)
    return SplitTiling(target, _partial_folder(target), reading.name, values, picture, _notes_of(reading))


def _tile(
    source: Any, folder: Path, file_type: str, placement: Mapping[str, Any], step: Callable[[float], None]
) -> None:
    step(0.0)
    reading = _checked_reading(source, placement, file_type)
    if _is_for_vips(reading):
        picture, values = _vips_plan(reading, file_type, step)
        vips_tiles.write_tiles(picture, folder, step)
        _finish_vips(picture, folder, values, reading.name, _notes_of(reading))
    else:
        _tile_with_toasty(reading, folder, file_type, step)
    step(1.0)


def _checked_reading(source: Any, placement: Mapping[str, Any], file_type: str) -> Any:
    reading = _reading(source, placement)
    if reading.local is None or reading.local.tiled or reading.values.get("wwt.projection") != "SkyImage":
        raise SourceError(
            f"{reading.name!r} is not a single image file with a known position: there is nothing to tile"
        )
    of_fits = _is_fits(reading)
    if file_type == ".fits" and not of_fits:
        raise SourceError(f"{reading.name!r} is not a FITS image of one plane: its tiles are .png")
    if file_type == ".jpg" and not _is_for_vips(reading):
        remedy = f"use {vips_picture.png()}"
        if not of_fits:
            remedy = f"{vips_picture.INSTALL}, or {remedy}"
        raise SourceError(f"JPEG tiles of {reading.name!r} can't be made without libvips: {remedy}")
    return reading


def _notes_of(reading: Any) -> Notes:
    """Return what the WTML of the tiles says: what is known of the placement of the image, but for what a draft has shown already."""
    if hasattr(reading, "problems"):
        return Notes(inaccuracy=inaccuracy_in(reading.problems))
    return Notes(remarks=reading.placed_by, inaccuracy=inaccuracy_in(reading.doubts))


def _is_fits(reading: Any) -> bool:
    return bool(reading.local.fits) or reading.local.pixels is not None


def _is_for_vips(reading: Any) -> bool:
    """Return whether libvips cuts an image: it is a picture, and libvips is there and can read it."""
    return not _is_fits(reading) and vips_picture.can_read(reading.local.where(reading.local.template))


def _vips_plan(reading: Any, file_type: str, step: Callable[[float], None]) -> tuple[VipsPicture, dict[str, Any]]:
    """Return the picture that libvips cuts, and the values of the draft of its tiles."""
    plane = plane_of(reading.values)
    path = reading.local.where(reading.local.template)
    with open_header(path) as header:
        _check_size(header.size, reading.name)
        picture = VipsPicture.inspect(header, path, file_type, upside_down=plane.mirrored, step=step)
    return picture, _tiled_values(reading, plane, picture.size, vips_tiles.TEMPLATE, file_type)


def _finish_vips(picture: VipsPicture, folder: Path, values: Mapping[str, Any], name: str, notes: Notes) -> None:
    vips_tiles.add_missing_parents(picture, folder)
    _write_about(folder, values, thumbnail(vips_tiles.small_picture(picture, folder)), name, notes)


def _check_size(size: tuple[int, int], name: str) -> None:
    if max(size) <= TILE:
        raise SourceError(f"{name!r} has {size[0]} × {size[1]} pixels: that is one tile, use it as it is")


def _tiled_values(reading: Any, plane: Plane, size: tuple[int, int], template: str, file_type: str) -> dict[str, Any]:
    """Return the values of the draft of the tiles; the rows of a mirrored image are reversed in them."""
    plane = plane.upside_down(size[1]) if plane.mirrored else plane
    return (
        dict(reading.values)
        | plane.tiled(size)
        | {
            URL: template + file_type,
            THUMBNAIL: "thumb.jpg",
            "wwt.file_type": file_type,
        }
    )


def _write_about(folder: Path, values: Mapping[str, Any], small: PilImage, name: str, notes: Notes) -> None:
    """Write thumbnail and index, which make a folder of tiles complete."""
    small.save(folder / "thumb.jpg", "jpeg")
    (folder / INDEX).write_text(export_wtml(values, name, notes), encoding="utf-8")


def _tile_with_toasty(reading: Any, folder: Path, file_type: str, step: Callable[[float], None]) -> None:
    lacks_vips = not _is_fits(reading) and not vips_picture.is_available()
    what = f"Cutting {reading.name!r} into tiles{' without libvips' if lacks_vips else ''}"
    with needs_extra("tiling" if lacks_vips else "wwt", what, SourceError):
        from toasty.image import Image
        from toasty.merge import TileMerger, averaging_merger
        from toasty.pyramid import Pos, PyramidIO
        from toasty.study import StudyTiling

    plane = plane_of(reading.values)
    pixels, small = _pixels(reading, file_type)
    height, width = pixels.shape[:2]
    _check_size((width, height), reading.name)
    if plane.mirrored:
        pixels = pixels[::-1]
    study = StudyTiling(width, height)
    places = _places(study)
    total = sum(map(len, places))
    written = 0

    class Counted(PyramidIO):
        """Writer that copies tiles, writes them in other threads, and counts them."""

        def write_image(self, pos: Any, image: Any, **options: Any) -> None:
            nonlocal written
            step(written / total)
            written += 1
            room.acquire()
            copy = Image.from_array(image.asarray().copy(), default_format=file_type[1:])
            job = pool.submit(super().write_image, pos, copy, **options)
            job.add_done_callback(lambda _: room.release())
            jobs.append(job)

    room = threading.Semaphore(_WAITING)
    jobs: list[Future[None]] = []
    pyramid = Counted(str(folder), default_format=file_type[1:])
    with runtime.new_pool(min(8, os.cpu_count() or 1), "tiles") as pool:
        study.tile_image(Image.from_array(pixels, default_format=file_type[1:]), pyramid)
        for level in reversed(range(study._tile_levels)):
            _wait_for(jobs)
            merger = TileMerger(pyramid, averaging_merger)
            for x, y in places[level]:
                merger.walk_callback(Pos(level, x, y))
        _wait_for(jobs)
    values = _tiled_values(reading, plane, (width, height), pyramid.get_path_scheme(), file_type)
    _write_about(folder, values, small, reading.name, _notes_of(reading))


def _wait_for(jobs: list[Future[None]]) -> None:
    """Wait for pending writes: the next level is made from them."""
    for job in jobs:
        job.result()
    jobs.clear()


def _places(study: Any) -> list[list[tuple[int, int]]]:
    """Return x and y of the tiles of each level that hold some of the image, the coarsest level first."""
    deepest = [(found[0].x, found[0].y) for found in study.generate_populated_positions()]
    levels = [deepest]
    for _ in range(study._tile_levels):
        levels.append(sorted({(x // 2, y // 2) for x, y in levels[-1]}))
    return levels[::-1]


def _reading(source: Any, placement: Mapping[str, Any]) -> Any:
    """Return what is to be tiled, with `values`, `local` and `name`: the draft itself, or one made of a file."""
    if hasattr(source, "values") and hasattr(source, "local"):
        if placement:
            raise SourceError("The draft determines the placement: change it there")
        return source
    from ..sources.fits import read_fits

    path = file_path(source, "image")
    try:
        from_fits = is_fits(path)
    except OSError as error:
        raise SourceError(f"{shown(str(path), 200)} can't be read: {error.strerror or error}") from None
    if from_fits:
        return read_fits(path, **placement)
    return read_picture(path, to_tile=True, **placement)


def _pixels(reading: Any, file_type: str) -> tuple[Any, Any]:
    """Return the pixels of the image with rows from top to bottom, and a small picture of it."""
    import numpy as np
    from PIL import Image

    local = reading.local
    fits_file = local.where(local.template) if local.fits else local.pixels
    values = None
    if fits_file is not None and (local.fits or file_type == ".fits"):
        with open_fits(fits_file) as hdus:
            values = chosen_plane(hdus, fits_file.name, local.hdu).pixels
        picture = drawn(values, fits_file.name)
    else:
        path = local.where(local.template)
        with Image.open(path) as image:
            picture = eight_bits(image, path.name)
    small = thumbnail(picture)
    if file_type == ".fits":
        return np.asarray(values, dtype=np.float32)[::-1], small
    return np.asarray(picture.convert("RGBA")), small
