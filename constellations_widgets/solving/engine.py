"""The worker process of plate solving: reads one request, reports progress, and writes one answer, as lines of JSON.

Run as ``python -m constellations_widgets.solving.engine``. A process of its own can be stopped at any moment, whereas the
solver, a C library, can't be interrupted; and the process ends when its parent does.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConstellationsError, NoIndexError, SolveError
from .catalog import CatalogStars, stars_around
from .detection import DetectedStars, detect_stars
from .indexes import IndexFile, index_files, require_index_files, widest, widths_text
from .matching import FirstGuess, first_guess, refined
from .solution import Solution

FEWEST_STARS = 8
"""Fewest detected stars with which a position is searched."""

WIDTHS = ((16.0, 60.0), (6.0, 16.0), (2.0, 6.0), (0.6, 2.0), (0.2, 0.6), (0.05, 0.2))
"""Widths in degrees of the longer side that are searched in turn: the widest first, whose indexes are smallest."""

# Numbers of the brightest stars, which are combined with all brighter ones: time grows with the fourth power.
_DEPTHS = ((0, 12), (12, 20), (20, 30), (30, 40), (40, 60))
_BATCH = 10  # stars whose quads are tried together
_NOISE = 1.0  # pixels by which a centroid may be off
_WANTED = 3  # catalog stars for each detected one
_HEAD = 50  # stars that the solver verifies a match with

Report = Callable[[float, str], None]


def solve(request: Mapping[str, Any], report: Report) -> Solution:
    """Return the solution of a request; see `solver.find_position` for its keys.

    Raises
    ------
    SolveError
        If there is none.
    """
    return solve_stars(_detected(request, report), request, report)


def _detected(request: Mapping[str, Any], report: Report) -> DetectedStars:
    report(0.0, "Detecting stars")
    hdu = request.get("hdu")
    stars = detect_stars(Path(request["path"]), tuple(hdu) if isinstance(hdu, list) else hdu)  # JSON has no tuples
    if len(stars) < FEWEST_STARS:
        raise SolveError(
            f"Only {len(stars)} stars were detected, and {FEWEST_STARS} are needed: give a picture with more stars, "
            "or one that is less compressed"
        )
    return stars


def solve_stars(stars: DetectedStars, request: Mapping[str, Any], report: Report) -> Solution:
    """Return the solution for detected stars; raises as `solve`."""
    asked = request.get("widths")
    files = require_index_files(tuple(asked) if asked else None, request.get("near"))
    passes = [*_likely(None if asked else request.get("likely_widths"), files), *_passes(asked, files)]
    refused: list[Solution] = []
    total = len(passes) * len(_DEPTHS)
    for number, (depth, (widths, files)) in enumerate((d, p) for d in _DEPTHS for p in passes):
        report((number + 0.5) / (total + 1), f"{len(stars)} stars; trying widths of {widths_text(widths)}")
        for guess, catalog in _matches(stars, widths, files, depth, request):
            try:
                solution = refined(guess, stars, catalog)
            except SolveError:
                continue
            if not solution.doubts:
                return solution
            refused.append(solution)
    if refused:
        return min(refused, key=lambda each: (len(each.doubts), -len(each.stars)))
    raise SolveError(_failure(stars, request))


def _failure(stars: DetectedStars, request: Mapping[str, Any]) -> str:
    recognized = widths_text(widest(require_index_files()))
    hints = [name for name in ("near", "widths", "parity") if request.get(name)]
    advice = "If the hints may be wrong, try without" if hints else "Hints help: near=(ra, dec), width="
    return (
        f"No match was found for {len(stars)} detected stars. {advice}. The index files here recognize pictures {recognized} "
        f"wide; smaller ones need deeper files of astrometry.net. A picture that is a drawing, is distorted, "
        "or shows few stars can't be recognized"
    )


def _likely(
    widths: Sequence[float] | None, files: list[IndexFile]
) -> list[tuple[tuple[float, float], list[IndexFile]]]:
    """Return the pass over likely widths, which comes before the others at each depth."""
    if not widths:
        return []
    low, high = widths
    fitting = [each for each in files if each.recognizes((low, high))]
    return [((low, high), fitting)] if fitting else []


def _passes(
    asked: tuple[float, float] | None, files: list[IndexFile]
) -> Iterator[tuple[tuple[float, float], list[IndexFile]]]:
    if asked and asked[1] < 4 * asked[0]:
        yield (asked[0], asked[1]), files
        return
    for low, high in WIDTHS:
        widths = (max(low, asked[0]), min(high, asked[1])) if asked else (low, high)
        fitting = [each for each in files if each.recognizes(widths)]
        if widths[0] < widths[1] and fitting:
            yield widths, fitting


def _matches(
    stars: DetectedStars, widths: tuple[float, float], files: list[IndexFile], depth: tuple[int, int], request: Any
) -> Iterator[tuple[FirstGuess, CatalogStars]]:
    """Yield what the solver finds with quads of the stars of a depth: at most one match."""
    import astrometry

    first, last = depth[0], min(depth[1], len(stars))
    if last - first < 4:
        return
    parities = {None: astrometry.Parity.BOTH, 1: astrometry.Parity.NORMAL, -1: astrometry.Parity.FLIP}
    side, height = max(stars.size), stars.size[1]
    places = [(float(x) + 0.5, height - float(y) + 0.5) for x, y in zip(stars.x, stars.y, strict=True)]
    starts = range(first, last - 3, _BATCH)
    parameters = astrometry.SolutionParameters(
        sip_order=0,
        tune_up_logodds_threshold=None,
        minimum_quad_size_fraction=0.2,
        positional_noise_pixels=_NOISE,
        parity=parities[request.get("parity")],
        slices_generator=lambda _count: [(start, min(start + _BATCH, last)) for start in starts],
        logodds_callback=lambda _odds: astrometry.Action.STOP,
    )
    scale = [math.degrees(2 * math.tan(math.radians(width) / 2)) / side * 3600 for width in widths]
    near = request.get("near")
    position = astrometry.PositionHint(near[0] % 360, near[1], near[2]) if near else None
    with astrometry.Solver([each.path for each in files]) as solver:
        found = solver.solve(places[: max(last, _HEAD)], astrometry.SizeHint(*scale), position, parameters)
    for match in found.matches:
        cards = {name: value for name, (value, _) in match.wcs_fields.items()}
        guess = first_guess(cards, float(match.logodds), match.index_path.name)
        yield guess, (stars_around(guess.plane, stars.size, index_files(), _WANTED * len(stars)) or _catalog(match))


def _catalog(match: Any) -> CatalogStars:
    import numpy as np

    magnitudes = [
        next((value for name, value in star.metadata.items() if "MAG" in name.upper()), math.nan)
        for star in match.stars
    ]
    return CatalogStars(
        np.array([star.ra_deg for star in match.stars]),
        np.array([star.dec_deg for star in match.stars]),
        np.array(magnitudes, dtype=float),
    )


def main() -> None:
    """Answer the request on the first line of the standard input; end when that input does."""
    answers, lock = os.fdopen(os.dup(1), "w", encoding="utf-8"), threading.Lock()
    os.dup2(2, 1)  # what the C library prints goes elsewhere

    def write(**message: Any) -> None:
        with lock:
            answers.write(json.dumps(message) + "\n")
            answers.flush()

    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def report(progress: float, text: str) -> None:
        write(progress=progress, text=text)

    try:
        if request.get("online"):  # the key stays in the parent, so it asks the service
            answer: dict[str, Any] = {"stars": _detected(request, report).to_json()}
        else:
            answer = {"solution": solve(request, report).to_json()}
    except ImportError as error:
        write(error=_without(str(error.name)), kind="SolveError")
    except ConstellationsError as error:
        kind = next(each for each in (NoIndexError, SolveError, ConstellationsError) if isinstance(error, each))
        write(error=str(error), kind=kind.__name__)
    except Exception as error:  # noqa: BLE001  (the parent must not wait for ever)
        write(error=f"{type(error).__name__}: {error}")
    else:
        write(**answer)


def _without(package: str) -> str:
    """Return the message that a package is not installed; the extra leaves it out where it has no wheel, see pyproject.toml."""
    message = f"Positions can't be found without the package {package}"
    install = "pip install 'constellations_widgets[solve]'"
    ways = [f"Build it, with a C compiler: {install} {package}"]
    machine = platform.machine()
    if package in ("astrometry", "sep") and sys.version_info >= (3, 14):
        place = "Python {}.{}".format(*sys.version_info[:2])
        ways.append("or use Python 3.13")
    elif package == "astrometry" and sys.platform != "darwin" and (sys.platform, machine) != ("linux", "x86_64"):
        place = f"{platform.system()} on {machine}"
    else:
        return f"{message}: {install}"
    if package == "astrometry":
        ways.append("or let nova.astrometry.net search: online=True")
    return f"{message}: it has no wheel for {place}. {'; '.join(ways)}"


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
