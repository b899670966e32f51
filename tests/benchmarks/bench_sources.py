"""What it takes to make drafts: of a large FITS header, of a WTML with 10,000 imagesets, and tiles beside toasty's own command."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.io import fits
from benchmarks.measure import Figure, in_turns, seconds
from PIL import Image
from wwt_data_formats.folder import Folder

from constellations_widgets import ImageDraft, tile

IMAGESETS = 10_000
SIDE = 4096  # pixels of the picture that is tiled


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _headers(Path(folder))
        yield from _collections(Path(folder))
        yield from _tiles(Path(folder))


def _headers(folder: Path) -> Iterator[Figure]:
    path = large_fits(folder / "large.fits")

    def ours() -> None:
        assert ImageDraft.from_fits(path, autosave=False).wwt.center_x

    def peer() -> None:
        with fits.open(path) as hdus:
            assert hdus[0].header["CRVAL1"]

    ours()  # loads astropy
    taken, opened = (1000 * median for median in in_turns(ours, peer, rounds=20))
    yield Figure("draft of a 10,000 × 10,000 FITS file; peer: its header", "ms", taken, opened)
    yield Figure("draft of a 10,000 × 10,000 FITS file", "ms", taken, at_most=50)


def _collections(folder: Path) -> Iterator[Figure]:
    path = folder / "many.wtml"
    imagesets = "".join(
        f'<ImageSet Name="Image {n}" Url="https://example.org/{n}/{{1}}/{{3}}/{{3}}_{{2}}.png" Projection="Tan" TileLevels="4" '
        f'BaseDegreesPerTile="0.5" CenterX="{n % 360}" CenterY="{n % 90}" DataSetType="Sky" FileType=".png" WidthFactor="2">'
        f"<Credits>NASA &amp; ESA</Credits><ThumbnailUrl>https://example.org/{n}/thumb.jpg</ThumbnailUrl></ImageSet>"
        for n in range(IMAGESETS)
    )
    path.write_text(f'<Folder Name="Many">{imagesets}</Folder>', encoding="utf-8")

    def ours() -> None:
        assert len(ImageDraft.all_from_wtml(path)) == IMAGESETS

    def peer() -> None:
        assert len(Folder.from_file(str(path)).children) == IMAGESETS

    taken, read = in_turns(ours, peer, rounds=3)
    yield Figure("drafts of 10,000 imagesets; peer: wwt_data_formats' Folder", "s", taken, read)
    yield Figure("drafts of 10,000 imagesets", "s", taken, at_most=2)


def _tiles(folder: Path) -> Iterator[Figure]:
    picture, out = folder / "picture.png", folder / "tiles"
    noise = np.random.default_rng(1).integers(0, 40, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(picture, compress_level=1)

    def ours() -> None:
        shutil.rmtree(out, ignore_errors=True)
        code = f"import constellations_widgets as c; c.tile({str(picture)!r}, {str(out)!r}, center=(1, 2), width=1).result()"
        subprocess.run([sys.executable, "-c", code], check=True)

    def peer() -> None:
        shutil.rmtree(out, ignore_errors=True)
        for words in (["tile-study", "--outdir", str(out), str(picture)], ["cascade", "--start", "4", str(out)]):
            command = [sys.executable, "-c", "from toasty.cli import entrypoint; entrypoint()", *words]
            subprocess.run(command, check=True, capture_output=True)

    taken, command = in_turns(ours, peer, rounds=2)
    yield Figure(f"tiles of {SIDE} × {SIDE} pixels; peer: toasty's commands", "s", taken, command)
    shutil.rmtree(out)
    yield Figure(
        f"tiles of {SIDE} × {SIDE} pixels, in a kernel that runs",
        "s",
        seconds(lambda: tile(picture, out, center=(1, 2), width=1).result()),
    )


def large_fits(path: Path) -> Path:
    """A FITS file of 10,000 × 10,000 pixels that takes no room on the disk."""
    cards = {
        "SIMPLE": True, "BITPIX": -32, "NAXIS": 2, "NAXIS1": 10_000, "NAXIS2": 10_000, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN",
        "CRVAL1": 202.47, "CRVAL2": 47.2, "CRPIX1": 5000.5, "CRPIX2": 5000.5, "CDELT1": -1e-4, "CDELT2": 1e-4, "RADESYS": "ICRS",
    }  # fmt: skip
    with path.open("wb") as file:
        file.write(fits.Header(cards).tostring().encode())
        file.truncate(2880 * -(-(file.tell() + 4 * 10_000**2) // 2880))
    return path
