"""What the checks of one draft take, beside pydantic's own validation of the same submission."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from typing import Any

from benchmarks.measure import Figure, in_turns, seconds
from examples import TILED

from constellations_widgets import ImageDraft
from constellations_widgets.schema.fields import nest
from constellations_widgets.schema.images import ImageSubmission
from constellations_widgets.sources.reading import ParsedImage

CREDITS = 'NASA, ESA, <a href="https://example.org/team">the M 51 team</a> and others'


def figures() -> Iterator[Figure]:
    draft = ImageDraft(ParsedImage(TILED), autosave=False)
    new = changes(CREDITS)

    def ours() -> None:
        draft.update(next(new))
        assert draft.problems

    def peer() -> None:
        ImageSubmission.model_validate(nest(TILED | next(new)))

    taken, validated = (1000 * median for median in in_turns(ours, peer, rounds=100))
    yield Figure("all checks of one draft; peer: pydantic validates it", "ms", taken, validated)
    yield Figure("all checks of one draft", "ms", taken, at_most=5)

    new = changes("; ".join([CREDITS] * (10_000 // len(CREDITS))))
    long = statistics.median(seconds(ours) for _ in range(30))
    yield Figure("all checks, credits of 10,000 characters", "ms", long * 1000)


def changes(credits: str) -> Iterator[dict[str, Any]]:
    """Something new each time: nothing may be answered from memory."""
    for turn in itertools.count():
        yield {"permissions.credits": f"{credits}, {turn}", "note": f"turn {turn}"}
