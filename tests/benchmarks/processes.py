"""What processes take of the machine, among them the browsers that this program started, from /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


def browser_processes() -> list[int]:
    """All processes of Chromium below this one."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:  # it has ended meanwhile
            continue
        parents[int(folder.name)], names[int(folder.name)] = int(rest.split()[1]), name
    return [process for process in parents if "chrom" in names[process] and _is_below(process, parents)]


def _is_below(process: int, parents: dict[int, int]) -> bool:
    while process in parents and process != os.getpid():
        process = parents[process]
    return process == os.getpid()


def cpu_seconds() -> float:
    """What all of them have used of the processor so far, in seconds of one core."""
    total = 0
    for process in browser_processes():
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total * TICK


def cpu_percent(over: float = 8.0) -> float:
    """What they use of one core, in percent, in the seconds to come."""
    start, before = time.monotonic(), cpu_seconds()
    time.sleep(over)
    return 100 * (cpu_seconds() - before) / (time.monotonic() - start)


def memory() -> float:
    """What the browsers hold of memory, in MB."""
    return held(browser_processes())


def resident(process: int) -> float:
    """What a process holds of memory, in MB, with all that it would share with others."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Rss:")) / 1000


def held(processes: Iterable[int]) -> float:
    """What processes hold of memory, in MB; what several of them share is counted once."""
    total = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1000
