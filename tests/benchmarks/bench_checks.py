"""What the checks of one draft take."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.measure import Figure, seconds

from constellations_widgets import ImageDraft

CREDITS = 'NASA, ESA, <a href="https://example.org/team">the M 51 team</a> and others'
SIZES = {"all checks of one draft": 1, "all checks, credits of 10,000 characters": 10_000 // len(CREDITS)}


def figures() -> Iterator[Figure]:
    for name, times in SIZES.items():
        draft = ImageDraft()
        credits = "; ".join([CREDITS] * times)
        draft.update({"permissions.license": "cc-by-4.0", "permissions.copyright": "NASA", "alt_text": "A spiral"})
        taken = []
        for turn in range(100):
            # Something new each time: nothing may be answered from memory.
            draft.update({"permissions.credits": f"{credits}, {turn}", "note": f"turn {turn}"})
            taken.append(seconds(lambda draft=draft: draft.problems))
        yield Figure(name, "ms", statistics.median(taken) * 1000, at_most=5 if times == 1 else None)
