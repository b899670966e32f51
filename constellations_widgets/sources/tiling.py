"""A large image cut into tiles: toasty in a thread of its own, that tells how far it is and can be stopped."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..errors import SourceError
from ..schema.placement import THUMBNAIL, URL, shown
from .drawing import drawn
from .imagesets import wtml_of
from .paths import file_path
from .plane import TILE, plane_of

INDEX = "index_rel.wtml"
_THUMBNAIL_SIZE = (96, 45)
_WAITING = 16  # tiles that wait to be written, at most: they take memory


class Tiling:
    """Tiles in the making. Made by `tile`.

    Attributes
    ----------
    progress : float
        From 0 to 1: the part of all tiles that is written.
    """

    def __init__(self, out: Path, told: Callable[[float], Any] | None):
        self.out, self.progress = out, 0.0
        self._told = told
        self._stop = threading.Event()
        self._result: Future[Path] = Future()

    @property
    def done(self) -> bool:
        """Whether it has ended: well, badly, or because it was cancelled."""
        return self._result.done()

    def cancel(self) -> None:
        """Stop as soon as the tile that is being made is finished; what was written is taken away."""
        self._stop.set()

    def result(self, timeout: float | None = None) -> Path:
        """The folder with the tiles, the thumbnail and an ``index_rel.wtml``, for `ImageDraft.from_wtml`. Waits for it.

        Parameters
        ----------
        timeout : float, optional
            The most seconds to wait.

        Raises
        ------
        SourceError
            When it was cancelled, or failed: the message says why.
        TimeoutError
            When it takes longer.
        """
        return self._result.result(timeout)

    def __repr__(self) -> str:
        if not self.done:
            return f"<Tiling to {self.out}: {100 * self.progress:.0f} %>"
        ended = "done" if self._result.exception() is None else "cancelled" if self._stop.is_set() else "failed"
        return f"<Tiling to {self.out}: {ended}>"

    def _step(self, progress: float) -> None:
        if self._stop.is_set():
            raise SourceError(f"The tiling to {self.out} was cancelled: nothing of it was kept")
        self.progress = progress
        if self._told is not None:
            self._told(progress)

    def _run(self, source: Any, file_type: str, placement: Mapping[str, Any]) -> None:
        try:
            self._make(source, file_type, placement)
        except SourceError as error:
            self._result.set_exception(error)
        except Exception as error:  # toasty's, Pillow's, the disk's: the worker has nobody else to tell
            self._result.set_exception(
                SourceError(f"The tiles can't be made in {self.out} ({type(error).__name__}: {error})")
            )
        else:
            self._result.set_result(self.out)

    def _make(self, source: Any, file_type: str, placement: Mapping[str, Any]) -> None:
        """All of it in a folder beside the place that it gets in the end."""
        partial = Path(tempfile.mkdtemp(prefix=f".{self.out.name}.", suffix=".part", dir=self.out.parent))
        try:
            _tile(source, partial, file_type, placement, self._step)
            partial.chmod(0o755)  # a web server is to read it
            if self.out.is_dir():
                self.out.rmdir()  # empty, as was seen
            partial.rename(self.out)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def tile(
    source: Any,
    out: str | Path,
    *,
    file_type: str = ".png",
    progress: Callable[[float], Any] | None = None,
    **placement: Any,
) -> Tiling:
    """Cut an image into tiles, with a thumbnail of 96 × 45 pixels, as WWT wants large ones. toasty does it, in a thread of its own.

    Above 2048 pixels a side that is the better way: everybody loads only what is in view, and every graphics card can draw it.

    >>> tiling = cxw.tile("m51.tif", "m51", center=(202.47, 47.2), width=0.19)  # doctest: +SKIP
    >>> draft = cxw.ImageDraft.from_wtml(tiling.result())  # doctest: +SKIP

    Parameters
    ----------
    source : str, Path or ImageDraft
        A FITS, JPEG, PNG or TIFF file, or an untiled draft of one, whose placement, note and credits are taken over.
    out : str or Path
        A folder that does not exist yet, or is empty. It is there once all tiles are.
    file_type : {".png", ".fits"}
        Of the tiles. ".fits" keeps the values of a FITS file; but Constellations keeps no cuts for them, so PNG, with an asinh
        stretch, is what everybody sees as you do.
    progress : callable, optional
        Called in that thread with a number from 0 to 1.
    **placement
        As `ImageDraft.from_image` or `from_fits` takes it.

    Returns
    -------
    Tiling
        At once: ask its `result()`.

    Raises
    ------
    SourceError
        When `out` is taken. What is wrong with the source is told by the tiling's `result()`.
    """
    if file_type not in (".png", ".fits"):
        raise SourceError(f'file_type= of tiles is ".png" or ".fits", not {shown(file_type)}')
    target = file_path(out, "folder").absolute()
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise SourceError(f"{target} is there already: give the tiles a folder of their own, or take that away first")
    if not target.parent.is_dir():
        raise SourceError(f"There is no folder {target.parent} for the tiles: make it first")
    tiling = Tiling(target, progress)
    threading.Thread(target=tiling._run, args=(source, file_type, placement), daemon=True, name="cxw tiling").start()
    return tiling


def _tile(
    source: Any, folder: Path, file_type: str, placement: Mapping[str, Any], step: Callable[[float], None]
) -> None:
    from toasty.image import Image
    from toasty.merge import TileMerger, averaging_merger
    from toasty.pyramid import Pos, PyramidIO
    from toasty.study import StudyTiling

    step(0.0)
    reading = _reading(source, placement)
    values = dict(reading.values)
    if reading.local is None or reading.local.tiled or values.get("wwt.projection") != "SkyImage":
        raise SourceError(f"{reading.name!r} is no single image file whose place is known: there is nothing to tile")
    plane = plane_of(values)
    pixels, thumbnail = _pixels(reading, file_type)
    height, width = pixels.shape[:2]
    if max(width, height) <= TILE:
        raise SourceError(f"{reading.name!r} has {width} × {height} pixels: that is one tile, use it as it is")
    if plane.mirrored:
        plane, pixels = plane.upside_down(height), pixels[::-1]
    study = StudyTiling(width, height)
    places = _places(study)
    total = sum(map(len, places))
    written = 0

    class Counted(PyramidIO):
        """Writes in other threads what was copied for them, and counts."""

        def write_image(self, pos: Any, image: Any, **options: Any) -> None:
            nonlocal written
            step(written / total)
            written += 1
            room.acquire()
            copy = Image.from_array(image.asarray().copy(), default_format=file_type[1:])
            job = pool.submit(super().write_image, pos, copy, **options)
            job.add_done_callback(lambda _: room.release())
            jobs.append(job)

    room, jobs = threading.Semaphore(_WAITING), []
    pyramid = Counted(str(folder), default_format=file_type[1:])
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        study.tile_image(Image.from_array(pixels, default_format=file_type[1:]), pyramid)
        for level in reversed(range(study._tile_levels)):
            _finish(jobs)
            merger = TileMerger(pyramid, averaging_merger)
            for x, y in places[level]:
                merger.walk_callback(Pos(level, x, y))
        _finish(jobs)
    thumbnail.save(folder / "thumb.jpg", "jpeg")
    values |= plane.tiled((width, height)) | {
        URL: pyramid.get_path_scheme() + file_type,
        THUMBNAIL: "thumb.jpg",
        "wwt.file_type": file_type,
    }
    (folder / INDEX).write_text(wtml_of(values, reading.name), encoding="utf-8")
    step(1.0)


def _finish(jobs: list[Future[None]]) -> None:
    """Wait for what is being written: the next level is made of it."""
    for job in jobs:
        job.result()
    jobs.clear()


def _places(study: Any) -> list[list[tuple[int, int]]]:
    """x and y of the tiles of each level that hold some of the image, the coarsest level first."""
    deepest = [(found[0].x, found[0].y) for found in study.generate_populated_positions()]
    levels = [deepest]
    for _ in range(study._tile_levels):
        levels.append(sorted({(x // 2, y // 2) for x, y in levels[-1]}))
    return levels[::-1]


def _reading(source: Any, placement: Mapping[str, Any]) -> Any:
    """What is to be tiled, with `values`, `local` and `name`: a draft is, a file becomes one."""
    if hasattr(source, "values") and hasattr(source, "local"):
        if placement:
            raise SourceError("The draft says where its image is: change it there")
        return source
    from .fits import read_fits
    from .picture import read_picture

    path = file_path(source, "image")
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise SourceError(f"{shown(str(path), 200)} can't be read: {error.strerror or error}") from None
    if start.startswith(b"SIMPLE  =") or path.name.lower().endswith((".fits.gz", ".fits.fz")):
        return read_fits(path, **placement)
    return read_picture(path, **placement)


def _pixels(reading: Any, file_type: str) -> tuple[Any, Any]:
    """Pixels of the image with its rows from top to bottom, and a small picture of it."""
    import numpy as np
    from PIL import Image, ImageOps

    local = reading.local
    fits_file = local.where(local.template) if local.fits else local.pixels
    values = None
    if fits_file is not None and (local.fits or file_type == ".fits"):
        values = _values_of(fits_file)
    elif file_type == ".fits":
        raise SourceError(f"{reading.name!r} is no FITS image: its tiles are .png")
    if values is not None:
        picture = drawn(values, fits_file.name)
    else:
        with Image.open(local.where(local.template)) as image:
            image.load()
            picture = image
    small = ImageOps.fit(picture.convert("RGBA"), _THUMBNAIL_SIZE)
    thumbnail = Image.alpha_composite(Image.new("RGBA", small.size, "black"), small).convert("RGB")
    if file_type == ".fits":
        return np.asarray(values, dtype=np.float32)[::-1], thumbnail
    return np.asarray(picture.convert("RGBA")), thumbnail


def _values_of(path: Path) -> Any:
    from .fits import image_of
    from .hdus import open_fits

    with open_fits(path) as hdus:
        hdu, _ = image_of(hdus, path.name)
        return hdu.data.reshape(hdu.shape[-2:])
