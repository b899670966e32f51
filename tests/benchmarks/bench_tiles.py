"""What comes over the widget's comm: 85 tiles against `http.server` on loopback, and what a preview that is shown again costs."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lab_preview import WINDOW, LabPreview, chromium, lab_server
from benchmarks.left_alone import left_alone
from benchmarks.measure import Figure
from benchmarks.plain_app import plain_app
from benchmarks.pyramid import make_pyramid, paths
from browser.lab import LabServer
from playwright.sync_api import Browser, Page

ROUNDS = 5

# Milliseconds in which all images at `urls` are loaded in the window of the frame at `selector`, or in the page itself, so many at a
# time. What the page keeps is forgotten first, so that all of them come again. The preview is out of sight: its engine draws nothing
# meanwhile.
LOAD = """async ([selector, urls, atOnce]) => {
    const preview = selector && document.querySelector(selector);
    if (preview) preview.style.cssText = 'position: fixed; left: -5000px; width: 800px';
    const realm = preview ? preview.querySelector('iframe').contentWindow : window;
    const store = globalThis[Symbol.for('constellations_widgets.local_files.3')];
    const load = (url) => new Promise((done, fail) => Object.assign(new realm.Image(), { onload: done, onerror: fail, src: url }));
    const queue = [...urls];
    const work = async () => { for (let url; (url = queue.shift()); ) await load(url); };
    await new Promise((done) => setTimeout(done, 1000));
    for (const part of store ? [store.files, store.whole] : []) part.clear();
    if (store) store.size = 0;
    const start = performance.now();
    await Promise.all(Array.from({ length: atOnce }, work));
    return performance.now() - start;
}"""


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, lab_server() as server:
        tree = make_pyramid(Path(folder))
        yield tiles(server, tree)
        with chromium() as browser:
            yield from traffic(server, browser, tree)


def tiles(server: LabServer, tree: Path) -> Figure:
    ours: list[float] = []
    peers: dict[int, list[float]] = {1: [], 8: [], len(paths()): []}
    with plain_app(tree) as app:
        for turn in range(ROUNDS):
            with left_alone(WINDOW) as browser:
                with browser.page() as page:
                    preview = LabPreview(server, page, tree)
                    preview.run()
                    # What a browser has decoded it may know by its address, which is the bytes themselves in a data: URL.
                    make_pyramid(tree, seed=2 + turn)
                    urls = [f"http://localhost:1/1/image/{path}" for path in paths()]
                    browser.measure(page, LOAD, [".cxw-preview", urls, len(urls)])
                ours.append(browser.measured())
            server.end_kernels()
            for at_once, taken in peers.items():
                with left_alone(WINDOW) as browser:
                    with browser.page() as page:
                        page.goto(f"{app.address}/data/0/0/0_0.png")  # a page of the server's own that does nothing
                        urls = [f"{app.address}/data/{path}" for path in paths()]
                        browser.measure(page, LOAD, [None, urls, at_once])
                    taken.append(browser.measured())
    best = min(statistics.median(taken) for taken in peers.values())
    return Figure("85 tiles over the comm / http.server at its best", "ms", statistics.median(ours), best, 1.0)


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
