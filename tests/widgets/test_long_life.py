"""A kernel that is used for days: previews, edits and runs of a cell leave threads, descriptors and memory where they were."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from widgets.real_kernel import Kernel

SHARE = 1.0 if os.environ.get("CXW_LONG_LIFE") else 0.08
"""Of what `make soak` does."""
PREVIEWS, EDITS, RUNS = (round(SHARE * count) for count in (200, 20_000, 300))
MORE = 6
"""Threads and descriptors that come and go: of connections to the sandbox, which are closed 5 s after their last use."""
MOST_MEGABYTES = 12  # of growth; a leak of 40 kB for each preview or run of the cell is more, in `make soak`

SETUP = """
import ctypes, gc, os, sys, threading, time
import constellations_widgets as cxw
WTML = '''<Folder><ImageSet Name="M 51" Url="https://example.org/m51/{1}/{3}/{3}_{2}.png" Projection="Tan" TileLevels="4"
 BaseDegreesPerTile="0.5" CenterX="202.47" CenterY="47.2" FileType=".png" WidthFactor="2"/></Folder>'''
draft = cxw.ImageDraft.from_wtml(WTML, autosave=False)
def kind(descriptor):
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:  # of the listing itself
        return ""
def usage():
    for thread in threading.enumerate():
        if thread.name.startswith("constellations-") and not thread.name.startswith("constellations-answer"):
            thread.join(60)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(open("/proc/self/statm").read().split()[1])
    # Not those of ipykernel's pipes, one for each thread that sent a message: it closes them up to 10 s after the thread.
    descriptors = [name for name in os.listdir("/proc/self/fd") if kind(name) != "anon_inode:[eventfd]"]
    return threading.active_count(), len(descriptors), pages * os.sysconf("SC_PAGE_SIZE") / 1e6
"""


class Usage(NamedTuple):
    threads: int
    descriptors: int
    megabytes: float


@pytest.fixture
def kernel(monkeypatch) -> Iterator[Kernel]:
    monkeypatch.delenv("CXW_SANDBOX", raising=False)
    kernel = Kernel()
    kernel.run(SETUP)
    yield kernel
    kernel.stop()


def live(kernel: Kernel) -> Usage:
    """Use the widgets as in days of work; return what the kernel holds afterwards."""
    kernel.run(
        f"previews = [cxw.Preview(draft) for _ in range({PREVIEWS})]\nfor it in previews[:5]: display(it)", "previews"
    )
    kernel.run(f"for number in range({EDITS}): draft.wwt.rotation = number % 360", "edits")
    kernel.run("for it in previews: it.close()\nprevious = previews = it = None", "closed")
    for _ in range(RUNS):
        kernel.run("cxw.publish(draft)", "panel")
    return Usage(*kernel.run("None", "usage", "usage()"))


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux's /proc")
def test_days_of_work_leave_the_kernel_as_it_was(kernel):
    first, second = live(kernel), live(kernel)
    assert second.threads <= first.threads + MORE
    assert second.descriptors <= first.descriptors + MORE
    assert second.megabytes - first.megabytes < MOST_MEGABYTES, (first, second)
