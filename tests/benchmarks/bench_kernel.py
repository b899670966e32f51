"""What previews cost the kernel: memory against a kernel with ipywidgets alone, and one change with many previews out of sight."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure
from benchmarks.processes import held, resident
from hatchling.builders.wheel import WheelBuilder
from widgets.real_kernel import Kernel

ROOT = Path(__file__).parents[2]
KERNELS, PREVIEWS, CHANGES, ROUNDS = 30, 200, 20, 5

IPYWIDGETS = "import ipywidgets\ndisplay(ipywidgets.HTML('x'))"
DRAFT = """
import time
import constellations_widgets as cxw
WTML = '''<Folder><ImageSet Name="M 51" Url="https://example.org/m51/{1}/{3}/{3}_{2}.png" Projection="Tan" TileLevels="4"
 BaseDegreesPerTile="0.5" CenterX="202.47" CenterY="47.2" FileType=".png" WidthFactor="2"/></Folder>'''
draft = cxw.ImageDraft.from_wtml(WTML, autosave=False)
"""
PREVIEW = f"{DRAFT}\npreview = cxw.Preview(draft)\ndisplay(preview)\n_ = preview._on_open({{}})"
# Of all previews the first is in sight. The others have said that they are not, as a page does.
CHANGE = f"""{DRAFT}
def make(count):
    made = [cxw.Preview(draft) for _ in range(count)]
    for number, preview in enumerate(made):
        view = {{"kind": "view", "view": str(number), "open": True, "updates": not number}}
        preview._handle_custom_msg(view, [])
    return made
def change():
    before = time.process_time()
    for number in range({CHANGES}):
        draft.wwt.rotation = (draft.wwt.rotation + 1) % 360
        time.sleep(0.05)  # at this rate each change is sent
    return (time.process_time() - before) / {CHANGES}
"""


def figures() -> Iterator[Figure]:
    yield from many_previews()
    yield from kernels(1, "a kernel with one preview / with ipywidgets alone, memory")
    yield from kernels(KERNELS, f"{KERNELS} kernels at once, each with one preview / with ipywidgets alone, memory")
    yield from installation()


def many_previews() -> Iterator[Figure]:
    """CPU of one change with 200 previews, all but one out of sight, and with that one alone."""
    kernel = Kernel()
    kernel.run(CHANGE)
    times: dict[int, list[float]] = {1: [], PREVIEWS: []}
    for _ in range(ROUNDS):
        for count, taken in times.items():
            kernel.run(f"previews = make({count})\nchange()", "make")
            taken.append(kernel.run("spent = change()", "change", "spent"))
            kernel.run("for it in previews: it.close()", "close")
    kernel.stop()
    ours, peer = (min(times[count]) * 1000 for count in (PREVIEWS, 1))
    yield Figure(f"one change with {PREVIEWS} previews out of sight / with one", "ms", ours, peer, at_most=2.0)


def kernels(count: int, name: str) -> Iterator[Figure]:
    """Memory, where what several kernels share is counted once, and the time until all have shown their widget."""
    memory, seconds = [], []
    for code in (PREVIEW, IPYWIDGETS):
        began = time.perf_counter()
        started = [Kernel() for _ in range(count)]
        for kernel in started:
            kernel.run(code, "show")
        seconds.append(time.perf_counter() - began)
        processes = [kernel.run("import os", "id", "os.getpid()") for kernel in started]
        memory.append(held(processes) if count > 1 else resident(*processes))
        for kernel in started:
            kernel.stop()
    yield Figure(name, "MB", *memory, at_most=1.3)
    if count > 1:
        yield Figure(f"{count} kernels at once, until each has shown its widget", "s", *seconds)


def installation() -> Iterator[Figure]:
    """Time and size of `pip install` from the registry into an empty environment, against ipywidgets and astropy."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = next(WheelBuilder(str(ROOT)).build(directory=folder, versions=["standard"]))
        (seconds, size, count), (their_seconds, their_size, their_count) = (
            install(Path(folder) / name, *packages)
            for name, packages in (("ours", [wheel]), ("peer", ["ipywidgets", "astropy"]))
        )
    yield Figure("pip install of the wheel / of ipywidgets and astropy", "s", seconds, their_seconds)
    yield Figure("installed size of the wheel / of ipywidgets and astropy", "MB", size, their_size, at_most=2.0)
    yield Figure("packages of the wheel / of ipywidgets and astropy", "", count, their_count)


def install(folder: Path, *packages: str) -> tuple[float, float, int]:
    """Return seconds, megabytes and number of packages."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(next(folder.glob("[bS]*/python*")))
    empty = _size(folder)
    began = time.perf_counter()
    command = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", *packages]
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - began
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    ).stdout
    return seconds, (_size(folder) - empty) / 1e6, len(json.loads(listed)) - 1


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
