"""What comes over the widget's comm: 85 tiles against `http.server` on loopback, and what a preview that is shown again costs."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lab_preview import WINDOW, LabPreview, chromium, lab_server
from benchmarks.measure import Figure
from benchmarks.plain_app import plain_app
from benchmarks.pyramid import make_pyramid, paths
from browser.lab import LabServer
from playwright.sync_api import Browser, Page

ROUNDS = 9

# Seconds in which all images at `urls` are loaded and decoded in a window, so many at a time; a mark keeps caches out of it.
LOAD = """async ([frame, urls, atOnce]) => {
    const realm = frame?.contentWindow ?? window;
    const queue = [...urls];
    const load = (url) => new Promise((done, fail) => Object.assign(new realm.Image(), { onload: done, onerror: fail, src: url }));
    const work = async () => { for (let url; (url = queue.shift()); ) await load(url); };
    const start = performance.now();
    await Promise.all(Array.from({ length: atOnce }, work));
    return (performance.now() - start) / 1000;
}"""

# The page keeps tiles, so that none comes twice: here all of them are to come again.
FORGET = """() => {
    const store = globalThis[Symbol.for('constellations_widgets.local_files.3')];
    for (const part of [store.files, store.whole]) part.clear();
    store.size = 0;
}"""


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, lab_server() as server, chromium() as browser:
        tree = make_pyramid(Path(folder))
        yield tiles(server, browser, tree)
        yield from traffic(server, browser, tree)


def tiles(server: LabServer, browser: Browser, tree: Path) -> Figure:
    preview = LabPreview(server, browser.new_context(viewport=WINDOW).new_page(), tree)
    preview.run()
    frame = preview.page.locator(".cxw-preview iframe").element_handle()
    ours: list[float] = []
    peers: dict[int, list[float]] = {1: [], 8: [], len(paths()): []}
    with plain_app(tree) as app:
        plain = browser.new_context().new_page()
        plain.goto(f"{app.address}/data/0/0/0_0.png")  # a page of the server's own that does nothing
        for number in range(ROUNDS):
            preview.page.evaluate(FORGET)
            urls = [f"http://localhost:1/1/image/{path}" for path in paths()]
            ours.append(preview.page.evaluate(LOAD, [frame, urls, len(urls)]))
            for at_once, taken in peers.items():
                urls = [f"{app.address}/data/{path}?{number}-{at_once}" for path in paths()]
                taken.append(plain.evaluate(LOAD, [None, urls, at_once]))
    preview.close()
    best = min(statistics.median(taken) for taken in peers.values())
    return Figure(
        "85 tiles over the comm / http.server at its best", "ms", 1000 * statistics.median(ours), 1000 * best, 1.0
    )


def traffic(server: LabServer, browser: Browser, tree: Path) -> Iterator[Figure]:
    page = browser.new_context(viewport=WINDOW).new_page()
    received: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data))))
    preview = LabPreview(server, page, tree, more="\n# show it again")
    first = bytes_for(preview, page, received)
    again = bytes_for(preview, page, received)
    preview.close()
    yield Figure("to the page for another preview of the same / for the first", "kB", again / 1000, first / 1000, 0.05)


def bytes_for(preview: LabPreview, page: Page, received: list[int]) -> int:
    page.wait_for_timeout(1000)
    received.clear()
    preview.run()
    page.wait_for_timeout(1000)
    return sum(received)
