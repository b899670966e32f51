"""Plate solving: how many photographs are placed, how exactly and how fast; that nothing else is; and `solve-field` beside it.

Run as ``python tests/benchmarks/bench_solving.py [pictures [others [seconds]]]``; by default 200 photographs, 200 other pictures, and
120 s for each.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.measure import Figure
from solving.skies import Sky, random_sky

from constellations_widgets import ConstellationsError, Solution, find_position
from constellations_widgets.geometry.plane import Plane

_PEER = 10  # photographs that solve-field is given, too
_HINTED = 30.0  # seconds for a photograph with hints


def figures() -> Iterator[Figure]:
    """Yield the figures of `make bench`: all photographs and other pictures, which takes about an hour."""
    with tempfile.TemporaryDirectory() as folder:
        found, others = _photographs(Path(folder), 200, 120.0), _others(Path(folder), 200, 10.0)
    yield Figure("solving: photographs not within a pixel, of 200", "", 200 - found["within a pixel"], at_most=10)
    yield Figure("solving: photographs placed wrongly", "", len(found["wrong"]), at_most=0)
    yield Figure("solving: other pictures accepted, of 200", "", len(others["accepted"]), at_most=0)
    yield Figure("solving: median without hints", "s", found["median seconds blind"])
    hinted, peer = found["median seconds with hints"], found["median seconds of solve-field with hints"]
    yield Figure("solving with hints, against solve-field", "s", hinted, peer, at_most=1.0)


def main(pictures: int = 200, others: int = 200, limit: float = 120.0) -> dict[str, Any]:
    """Measure, print and return the figures."""
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "photographs": _photographs(Path(folder), pictures, limit),
            "others": _others(Path(folder), others, limit),
        }
    print(json.dumps(figures, indent=1))
    return figures


def _photographs(folder: Path, count: int, limit: float) -> dict[str, Any]:
    blind, hinted, peer, errors, wrong, unsolved = [], [], [], [], [], []
    for seed in range(1000, 1000 + count):
        sky = random_sky(seed)
        path = sky.save(folder / f"sky{seed}.jpg", quality=int(40 + seed % 55))
        solution, seconds = _timed(path, timeout=limit)
        blind.append(seconds)
        if solution is None or solution.doubts:
            unsolved.append(seed)
        else:
            errors.append(largest_error(sky, solution.plane))
            if errors[-1] > 5:
                wrong.append(seed)
        if len(hinted) < _PEER:
            ra, dec = sky.plane.sky(sky.size[0] / 2, sky.size[1] / 2)
            degrees = math.degrees(2 * math.atan(math.radians(sky.plane.scale) * max(sky.size) / 2))
            hinted.append(_timed(path, near=(float(ra), float(dec)), width=degrees, timeout=_HINTED)[1])
            if shutil.which("solve-field"):
                peer.append(_solve_field(path, sky, float(ra), float(dec)))
        path.unlink()
        _tell("photographs", len(blind), count)
    return {
        "count": count,
        "within a pixel": sum(error < 1 for error in errors),
        "largest errors": [round(error, 2) for error in sorted(errors)[-5:]],
        "wrong": wrong,
        "not solved": unsolved,
        "median seconds blind": _median(blind),
        "slowest seconds blind": max(blind, default=None),
        "median seconds with hints": _median(hinted),
        "median seconds of solve-field with hints": _median(peer),
        "ratio": round(statistics.median(hinted) / statistics.median(peer), 2) if peer else None,
    }


def _others(folder: Path, count: int, limit: float) -> dict[str, Any]:
    accepted, doubtful, times = [], [], []

    def search(seed: int) -> tuple[str, Solution | None, float]:
        kind, pixels = other_picture(seed)
        path = folder / f"other{seed}.png"
        Image.fromarray(pixels).save(path)
        solution, seconds = _timed(path, timeout=limit)
        path.unlink()
        return f"{kind} {seed}", solution, seconds

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # each search is a process of its own
        for name, solution, seconds in threads.map(search, range(count)):
            times.append(seconds)
            if solution is not None:
                (doubtful if solution.doubts else accepted).append(name)
            _tell("other pictures", len(times), count)
    return {
        "count": count,
        "accepted": accepted,
        "shown with doubts": doubtful,
        "median seconds": _median(times),
        "slowest seconds": max(times, default=None),
    }


def other_picture(seed: int) -> tuple[str, np.ndarray]:
    """Return a picture that is not of the sky, and what it is: scrambled stars, a landscape, a text, a drawing."""
    rng = np.random.default_rng(seed)
    kind = ("scrambled", "landscape", "text", "drawing")[seed % 4]
    if kind == "scrambled":
        sky = random_sky(seed + 50_000)
        pixels = sky.pixels()
        blocks = [
            np.rot90(block, rng.integers(4))
            for row in np.split(pixels[:576, :576], 9)
            for block in np.split(row, 9, axis=1)
        ]
        rng.shuffle(blocks)
        return kind, np.block([blocks[9 * row : 9 * row + 9] for row in range(9)])
    if kind == "landscape":
        x = np.arange(900)
        hills = 400 + sum(rng.uniform(5, 60) * np.sin(x / rng.uniform(10, 200) + rng.uniform(0, 6)) for _ in range(6))
        y = np.arange(700)[:, None]
        pixels = np.where(y > hills, 60 + rng.normal(0, 25, (700, 900)), 200 - y / 8 + rng.normal(0, 2, (700, 900)))
        for cx, cy in rng.uniform(0, 650, (60, 2)):  # windows and lamps
            pixels[int(cy) : int(cy) + rng.integers(2, 6), int(cx) : int(cx) + rng.integers(2, 6)] = 255
        return kind, np.clip(pixels, 0, 255).astype("uint8")
    image = Image.new("L", (900, 700), 0)
    draw = ImageDraw.Draw(image)
    if kind == "text":
        for row in range(0, 700, int(rng.integers(14, 30))):
            draw.text(
                (5, row),
                " ".join("".join(map(chr, rng.integers(97, 123, rng.integers(1, 9)))) for _ in range(30)),
                fill=255,
            )
    else:
        for _ in range(int(rng.integers(20, 120))):
            cx, cy, size = rng.uniform(0, 900), rng.uniform(0, 700), rng.uniform(1, 40)
            draw.ellipse([cx - size, cy - size, cx + size, cy + size], fill=int(rng.integers(60, 255)))
    return kind, np.asarray(image)


def largest_error(sky: Sky, plane: Plane) -> float:
    """Return by how many pixels a plane puts any part of a photograph beside its true place."""
    x, y = np.meshgrid(np.linspace(0, sky.size[0], 9), np.linspace(0, sky.size[1], 9))
    found_x, found_y = plane.pixel(*sky.plane.sky(x, y))
    return float(np.nanmax(np.nan_to_num(np.hypot(found_x - x, found_y - y), nan=1e6)))


def _tell(what: str, done: int, count: int) -> None:
    if done % 10 == 0:
        print(f"  {done} of {count} {what}", file=sys.stderr, flush=True)


def _median(times: list[float]) -> float | None:
    return round(statistics.median(times), 2) if times else None


def _timed(path: Path, **hints: object) -> tuple[Solution | None, float]:
    start = time.perf_counter()
    try:
        solution = find_position(path, **hints).result()
    except ConstellationsError:
        solution = None
    return solution, time.perf_counter() - start


def _solve_field(path: Path, sky: Sky, ra: float, dec: float) -> float:
    scale = sky.plane.scale * 3600
    command = [
        "solve-field",
        "--overwrite",
        "--no-plots",
        "--dir",
        str(path.parent / "peer"),
    ]
    command += ["--scale-units", "arcsecperpix", "--scale-low", str(scale / 1.5), "--scale-high", str(scale * 1.5)]
    command += ["--ra", str(ra), "--dec", str(dec), "--radius", "10", "--cpulimit", str(int(_HINTED)), str(path)]
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=False)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, int, float), sys.argv[1:], strict=False)))
