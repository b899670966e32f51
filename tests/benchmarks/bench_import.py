"""What `import constellations_widgets` takes, against `import anywidget`: the whole process, from start to end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import Figure, in_turns


def start(module: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)


def figures() -> Iterator[Figure]:
    start("constellations_widgets")  # compiles what has to be compiled
    start("anywidget")
    ours, peer = in_turns(lambda: start("constellations_widgets"), lambda: start("anywidget"), rounds=15)
    yield Figure("import constellations_widgets / import anywidget", "ms", ours * 1000, peer * 1000, at_most=1.3)
