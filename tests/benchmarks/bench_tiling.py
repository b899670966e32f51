"""Time and memory of tiling a TIFF of 192 million pixels, against `dzsave` of libvips alone; `bench_sources` has toasty."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyvips
from benchmarks.measure import Figure

SIZE = (16_000, 12_000)
ROUNDS = 3

OURS = "import sys, constellations_widgets as c; c.tile(sys.argv[1], sys.argv[2], center=(1, 2), width=1).result()"
PEER = (
    "import sys, pyvips; pyvips.Image.new_from_file(sys.argv[1], access='sequential')"
    ".dzsave(sys.argv[2], layout='google', centre=True, suffix='.png')"
)


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = large_tiff(folder / "large.tif")
        ours: list[tuple[float, float]] = []
        peer: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            for code, taken in ((OURS, ours), (PEER, peer)):
                taken.append(cost_of(code, picture, folder / "tiles"))
                shutil.rmtree(folder / "tiles")
        for number, (what, unit) in enumerate((("time", "s"), ("memory", "MB"))):
            our, their = (statistics.median(each[number] for each in taken) for taken in (ours, peer))
            yield Figure(f"tiles of 192 million pixels, {what}; peer: vips dzsave", unit, our, their, 1.2)


def cost_of(code: str, *arguments: Path) -> tuple[float, float]:
    """Return seconds and peak memory in MB of a Python process."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def large_tiff(path: Path) -> Path:
    """Write a picture like the sky: a smooth background and noise."""
    noise = pyvips.Image.gaussnoise(*SIZE, sigma=6, mean=80)
    place = pyvips.Image.xyz(*SIZE)
    sky = noise + ((place[0] * 0.002).sin() + (place[1] * 0.003).cos()) * 20
    sky.bandjoin([noise * 0.9 - 6, sky * 0.7 + 20]).cast("uchar").copy(interpretation="srgb").tiffsave(str(path))
    return path
