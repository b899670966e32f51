"""Write the constellations as WWT's engine reads them: figures.txt, constellations.txt (boundaries) and names.txt.

The lines come from the npm package d3-celestial (BSD license, see SKY-LICENSE). To write them again:

    npm pack d3-celestial && tar xf d3-celestial-*.tgz && python tools/make_constellations.py package

A row of the first two holds, in fixed columns, right ascension in hours, declination in degrees, a constellation, and what the point
is: 0 where a line of a figure begins, 1 where it goes on; O for a corner of a boundary, I for a point between two corners.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.coordinates import FK5, SkyCoord

DATA = Path(__file__).parents[1] / "constellations_widgets" / "widgets" / "data"
STEP = 4.0  # degrees of right ascension between two points of a boundary; the engine draws straight lines


def features(package: Path, name: str) -> list[dict]:
    return json.loads((package / "data" / name).read_text(encoding="utf-8"))["features"]


def row(ra: float, dec: float, constellation: str, kind: str) -> str:
    return f"{ra % 360 / 15:10.6f} {dec:10.5f}  {constellation:<4} {kind}"


def figures(package: Path) -> Iterator[str]:
    for feature in features(package, "constellations.lines.json"):
        for line in feature["geometry"]["coordinates"]:
            yield from (row(ra, dec, feature["id"], "1" if index else "0") for index, (ra, dec) in enumerate(line))


def boundaries(package: Path) -> Iterator[str]:
    names = [feature["id"] for feature in features(package, "constellations.bounds.json")]
    for index, feature in enumerate(features(package, "constellations.bounds.json")):
        name = feature["id"]
        if names.count(name) > 1:  # Serpens is two areas, which must not be joined by a line
            name += str(names[: index + 1].count(name))
        corners = feature["geometry"]["coordinates"][0]
        for start, end in itertools.pairwise(corners):
            yield row(*start, name, "O")
            yield from (row(ra, dec, name, "I") for ra, dec in between(start, end))


def between(start: list[float], end: list[float]) -> Iterator[tuple[float, float]]:
    """Points on the way along a parallel of 1875, by which the boundaries were drawn."""
    then, now = FK5(equinox="B1875"), FK5(equinox="J2000")
    ends = SkyCoord([start[0], end[0]], [start[1], end[1]], unit="deg", frame=now).transform_to(then)
    (first, last), (low, high) = ends.ra.deg, ends.dec.deg
    way = (last - first + 180) % 360 - 180
    count = int(abs(way) / STEP)
    if max(abs(low), abs(high)) > 89 or not count:
        return
    part = np.arange(1, count + 1) / (count + 1)
    points = SkyCoord(first + part * way, low + part * (high - low), unit="deg", frame=then).transform_to(now)
    yield from zip(points.ra.deg, points.dec.deg, strict=True)


def names(package: Path) -> Iterator[str]:
    # In capitals, unlike in the other two files: the engine leaves out the lines of a constellation whose name's place is not near
    # the view, even where they run through it. So it must not find the place.
    for feature in features(package, "constellations.json"):
        (ra, dec), name = feature["geometry"]["coordinates"][:2], feature["properties"]["name"]
        yield f"{name},{feature['id'].upper()},{ra % 360 / 15:.4f},{dec:.4f}"


def main(package: Path) -> None:
    for name, rows in (("figures", figures), ("constellations", boundaries), ("names", names)):
        (DATA / f"{name}.txt").write_bytes("\r\n".join(rows(package)).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
