"""Snapping: how many displaced placements come back within a pixel, and that nothing else is accepted.

Run as ``python tests/benchmarks/bench_snap.py [placements]``; by default 200 displaced placements, 200 with a survey of another part of
the sky or a picture of something else, and 50 mirrored ones.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bench_solving import other_picture
from benchmarks.measure import Figure
from solving.displaced import HARD, Case, case

from constellations_widgets import SolveError
from constellations_widgets.solving.registration import Picture, Snapped
from constellations_widgets.solving.snap import snap

_WRONG = 4.0  # pixels: more than the standard error that a placement may have


def figures() -> Iterator[Figure]:
    """Yield the figures of `make bench`."""
    found = main()
    yield Figure(
        "snapping: displaced placements not within a pixel, of 200", "", 200 - found["within a pixel"], at_most=10
    )
    yield Figure("snapping: placements moved to a wrong place", "", len(found["wrong"]), at_most=0)
    yield Figure("snapping: unrelated or mirrored images accepted, of 250", "", len(found["accepted"]), at_most=0)
    yield Figure("snapping: median", "s", found["median seconds"])


def main(count: int = 200) -> dict[str, Any]:
    """Measure, print and return the figures."""
    errors, wrong, times = [], [], []
    refused: Counter[str] = Counter()
    for seed in range(count):
        each = case(seed)
        start = time.perf_counter()
        found = _snapped(each)
        times.append(time.perf_counter() - start)
        if found is None:
            refused[each.kind] += 1
            continue
        errors.append(each.error(found.plane))
        if errors[-1] > _WRONG:
            wrong.append(f"{each.kind} {seed}")
    others = [case(seed, mirrored=True) for seed in range(count // 4)]
    accepted = [f"mirrored {each.kind}" for each in others if _snapped(each)]
    for seed in range(count):
        unrelated = case(seed, other=seed + 5000)
        if seed % 2:
            kind, pixels = other_picture(seed // 2)
            picture = Picture(pixels.astype("float32"), 1, pixels.shape[::-1])
            unrelated = Case(kind, picture, unrelated.true, unrelated.placed, unrelated.survey)
        if _snapped(unrelated):
            accepted.append(f"{unrelated.kind} {seed}")
    hard = [case(seed, HARD) for seed in range(count // 4)]
    placed = [each.error(found.plane) for each in hard if (found := _snapped(each))]
    wrong += [f"{HARD}, by {error:.1f} pixels" for error in placed if error > _WRONG]
    figures = {
        "count": count,
        "within a pixel": sum(error < 1 for error in errors),
        "largest errors": [round(error, 2) for error in sorted(errors)[-5:]],
        "wrong": wrong,
        "refused": dict(refused),
        "accepted": accepted,
        f"{HARD} placed, of {len(hard)}": len(placed),
        "median seconds": round(statistics.median(times), 2),
    }
    print(json.dumps(figures, indent=1))
    return figures


def _snapped(each: Case) -> Snapped | None:
    try:
        return snap(each.picture, each.placed, each.survey)
    except SolveError:
        return None


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
