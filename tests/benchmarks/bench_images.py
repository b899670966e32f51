"""The image library: uploads beside `curl` on the same file, the memory that they take, and a list of 10,000 images.

Client and server are processes of their own. All ways upload to a sandbox, and to a bare socket that throws away what it
gets: there the sandbox does not hide what the client takes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, in_turns, seconds
from browser.bare_page import bare_page
from browser.chromium import FLAGS, find_chromium
from playwright.sync_api import sync_playwright

from constellations_widgets import ImageLibrary, ImagesClient
from constellations_widgets.widgets.library.rows import LibraryRows

SIZE = 200 << 20
ROUNDS = 3
MOST_MEMORY = 32  # MB
SLOWER = 1 / 0.8
"""How much longer an upload may take than curl's: at least 0.8 of its throughput."""

SANDBOX = """
import sys
from constellations_widgets import Sandbox
with Sandbox() as box:
    box.fill_library(int(sys.argv[1]))
    print(box.images_url, box.images_token(), flush=True)
    sys.stdin.read()
"""
WATCH = """
globalThis.seen = {};
new MutationObserver(() => {
  const has = (what) => document.querySelector(what) !== null;
  if (has(".cxw-library")) seen.start ??= performance.now();
  if (has(".cxw-name:not(:empty)")) seen.named ??= performance.now();
  if (has(".cxw-thumb img")) seen.drawn ??= performance.now();
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
HEAP = "() => { gc(); gc(); return performance.memory.usedJSHeapSize / 1e6 }"
MEMORY = """
import re, sys
from pathlib import Path
from constellations_widgets import ImagesClient
url, token, small, large = sys.argv[1:]
# Not resource.getrusage: what that tells begins with the parent's memory.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
with ImagesClient(url, token) as images:
    images.upload(small)
    before = peak()
    images.upload(large)
    print(peak() - before)
"""


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(dir=_build()) as folder:
        small, large = Path(folder) / "small.png", Path(folder) / "large.png"
        small.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
        large.write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(SIZE))
        for what, server in (("the sandbox", _sandbox(0)), ("a bare socket", _drain())):
            with server as (url, token), ImagesClient(url, token) as images:
                images.list()

                def ours() -> None:
                    images.upload(large)

                def curl() -> None:
                    _curl(url, token, large)

                if shutil.which("curl"):
                    taken, peer = in_turns(ours, curl, rounds=ROUNDS)
                    name = f"an upload of {SIZE >> 20} MB to {what}; peer: curl"
                    yield Figure(name, "s", taken, peer, at_most=SLOWER)
        with _sandbox(0) as (url, token):
            os.truncate(large, 1 << 30)
            command = [sys.executable, "-c", MEMORY, url, token, str(small), str(large)]
            grown = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            yield Figure("memory that an upload of 1 GB takes", "MB", grown, at_most=MOST_MEMORY)
    with _sandbox(10_000) as (url, token), ImagesClient(url, token) as images:
        rows = LibraryRows()

        def show() -> None:
            rows.set_all(images.list())
            rows.window(0, 60, "", "name")

        show()
        yield Figure("a list of 10,000 images, sorted", "ms", 1000 * min(seconds(show) for _ in range(5)), at_most=1000)
        words = 1000 * seconds(lambda: rows.window(0, 60, "field 99", "name"))
        yield Figure("a search among 10,000 images", "ms", words)
        named, drawn, heap = _in_a_page(images)
        yield Figure("10,000 images: from the widget's start to the first names", "ms", named, at_most=1000)
        yield Figure("10,000 images: from the widget's start to the first thumbnail", "ms", drawn)
        yield Figure("10,000 images: the page's memory, scrolled to the end", "MB", heap[1], heap[0], at_most=1.25)


def _in_a_page(images: ImagesClient) -> tuple[float, float, tuple[float, float]]:
    """Milliseconds to the first names and the first thumbnail; MB of the page at the beginning and at the end."""
    flags = [*FLAGS, "--js-flags=--expose-gc", "--enable-precise-memory-info"]
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=find_chromium(), args=flags).new_page()
        page.add_init_script(WATCH)
        library = ImageLibrary(images)
        with bare_page(page, library.view) as frame:
            frame.locator(".cxw-thumb img").first.wait_for()
            [widgets] = [it for it in page.frames if it.url.endswith("/widgets")]
            named, drawn = widgets.evaluate("[seen.named - seen.start, seen.drawn - seen.start]")
            heap = [widgets.evaluate(HEAP)]
            for place in range(101):
                widgets.evaluate("(at) => { const box = document.querySelector('[role=grid]'); box.scrollTo(0, at * box.scrollHeight) }", place / 100)  # fmt: skip
                page.wait_for_timeout(50)
            frame.locator(".cxw-thumb img").first.wait_for()
            heap.append(widgets.evaluate(HEAP))
        library.close()
    return named, drawn, (heap[0], heap[1])


def _curl(url: str, token: str, path: Path) -> None:
    # Without "Expect: 100-continue", which our client does not send either.
    headers = ["-H", f"Authorization: Bearer {token}", "-H", "Expect:"]
    command = ["curl", "-sS", "--fail", "-o", os.devnull, *headers, "-F", f"file=@{path}", f"{url}/images"]
    subprocess.run(command, check=True)


@contextlib.contextmanager
def _sandbox(images: int) -> Iterator[tuple[str, str]]:
    command = [sys.executable, "-c", SANDBOX, str(images)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        url, token = process.stdout.readline().split()
        yield url, token
        process.stdin.close()


@contextlib.contextmanager
def _drain() -> Iterator[tuple[str, str]]:
    command = [sys.executable, str(Path(__file__).with_name("drain_server.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}", "token"
        process.terminate()


def _build() -> Path:
    folder = Path(__file__).parents[2] / "build"
    folder.mkdir(exist_ok=True)
    return folder
