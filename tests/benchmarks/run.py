"""`make bench`: one line for each figure (name, ours, peer, ratio), and the same in build/bench.json.

Every `bench_*.py` beside this file has a function `figures()` that yields them. `python tests/benchmarks/run.py import`
runs only those whose file's name holds one of the words.
"""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.measure import Figure

REPORT = HERE.parents[1] / "build" / "bench.json"


def line(figure: Figure) -> str:
    ours = f"{figure.ours:10.2f} {figure.unit:3}"
    peer = "" if figure.peer is None else f"{figure.peer:10.2f} {figure.unit:3}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    limit = "" if figure.at_most is None else f"at most {figure.at_most:g}{'' if figure.holds else '  TOO MUCH'}"
    return f"{figure.name:50} {ours} {peer:>14} {ratio:>7}  {limit}".rstrip()


def main(words: list[str]) -> int:
    """Run the benchmarks; the exit status is 1 if a figure is over its limit."""
    print(f"{'':50} {'ours':>14} {'peer':>14} {'ratio':>7}")
    figures: list[Figure] = []
    for path in sorted(HERE.glob("bench_*.py")):
        if words and not any(word in path.stem for word in words):
            continue
        for figure in importlib.import_module(f"benchmarks.{path.stem}").figures():
            figures.append(figure)
            print(line(figure), flush=True)
    REPORT.parent.mkdir(exist_ok=True)
    content = [asdict(figure) | {"ratio": figure.ratio, "holds": figure.holds} for figure in figures]
    REPORT.write_text(json.dumps(content, indent=1) + "\n")
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
