"""What a preview costs the browser while nobody uses it, and how soon it answers; against pywwt's research app in a plain page."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.lab_preview import WINDOW, LabPreview, chromium, lab_server
from benchmarks.left_alone import left_alone
from benchmarks.measure import Figure
from benchmarks.plain_app import PlainApp
from benchmarks.processes import cpu_percent, memory
from benchmarks.pyramid import CAMERA, NAME, served_pyramid
from browser.lab import LabServer
from playwright.sync_api import Page

ROUNDS, INPUTS, MANY = 3, 9, 5
QUIET = 7.0  # seconds after the last event; then the preview has come to rest

REMOVE = "document.querySelector('.cxw-preview').closest('.jp-OutputArea-child').remove()"

# For each turn of the wheel over the sky, the time to the end of the next frame of the engine: from the event's own time, and from
# when the browser has brought it to the page.
LATENCIES = """(frame) => {
    const realm = frame?.contentWindow ?? window;
    const stores = realm.document.querySelector('#app').__vue_app__.config.globalProperties.$pinia._s.values();
    const control = [...stores].find((store) => store.$wwt?.inst).$wwt.inst.ctl;
    const render = control.renderOneFrame;
    let turned = null, told = 0;
    window.latencies = [];
    realm.addEventListener('wheel', (event) => {
        if (turned !== null) return;
        [turned, told] = [event.timeStamp, realm.performance.now()];
    }, { capture: true, passive: true });
    control.renderOneFrame = function () {
        const result = render.apply(this, arguments);
        if (turned !== null) window.latencies.push([realm.performance.now() - turned, realm.performance.now() - told]);
        turned = null;
        return result;
    };
}"""


def figures() -> Iterator[Figure]:
    with served_pyramid() as (folder, app), lab_server() as server:
        yield from unused(server, app, folder)
        yield hidden(server, folder)
        yield from answers(server, app, folder)
        yield from many(server, app, folder)


def unused(server: LabServer, app: PlainApp, folder: Path) -> Iterator[Figure]:
    """CPU beyond that of the same page in the same state with the cell's output cleared."""
    below = (
        '\nfrom IPython.display import HTML\ndisplay(HTML(\'<div style="height: 3000px" class="below">below</div>\'))'
    )
    with chromium() as browser:
        preview = LabPreview(server, browser.new_context(viewport=WINDOW).new_page(), folder, more=below)
        states: dict[str, Callable[[], object]] = {
            "in sight": lambda: show(preview, "tab"),
            "off screen": lambda: show(preview, "below"),
            "in another tab of JupyterLab": lambda: preview.lab.command("launcher:create"),
        }
        used: dict[str, list[float]] = {state: [] for state in states}
        for _ in range(ROUNDS):
            preview.run()
            size = preview.size()
            with_preview = {state: settled(go) for state, go in states.items()}
            show(preview, "tab")
            preview.page.evaluate(REMOVE)
            for state, go in states.items():
                used[state].append(with_preview[state] - settled(go))
            show(preview, "tab")
        preview.close()
    with chromium() as browser:
        empty = settled(lambda: browser.new_context(viewport=size).new_page())
        app.open(browser.new_context(viewport=size).new_page(), NAME, CAMERA)
        plain = settled(lambda: None) - empty
    for state, limit in zip(states, (15.0, 2.0, 2.0), strict=True):
        median = max(statistics.median(used[state]), 0.0)
        yield Figure(f"unused preview {state}, % of one core", "%", median, at_most=limit)
    yield Figure(
        "unused preview / research app in a plain page", "%", max(statistics.median(used["in sight"]), 0.0), plain, 1.0
    )


def hidden(server: LabServer, folder: Path) -> Figure:
    """The same in a tab of the browser behind another."""
    used = []
    for _ in range(ROUNDS):
        with left_alone(WINDOW) as browser:
            with browser.page() as page:
                LabPreview(server, page, folder).run()
            browser.hide()
            with_preview = settled(lambda: None)
            with browser.page() as page:
                page.evaluate(REMOVE)
            used.append(with_preview - settled(lambda: None))
        server.end_kernels()
    median = max(statistics.median(used), 0.0)
    return Figure("unused preview in a hidden tab of the browser, % of one core", "%", median, at_most=2.0)


def show(preview: LabPreview, what: str) -> None:
    """Bring the notebook to the front, and what stands below its preview, or its first cell, into sight."""
    preview.notebook._call("jupyterapp.shell.activateById(panel.id);")
    target = ".below" if what == "below" else ".jp-Cell"
    preview.page.locator(target).first.evaluate("(it, end) => it.scrollIntoView(end)", what != "below")


def settled(go: Callable[[], object]) -> float:
    """Percent of one core that the browser uses some time after `go`."""
    go()
    time.sleep(QUIET)
    return cpu_percent()


def answers(server: LabServer, app: PlainApp, folder: Path) -> Iterator[Figure]:
    with chromium() as browser:
        preview = LabPreview(server, browser.new_context(viewport=WINDOW).new_page(), folder)
        preview.run()
        frame = preview.page.locator(".cxw-preview iframe")
        time.sleep(QUIET)
        frame.evaluate(LATENCIES)
        box = frame.bounding_box()
        ours = turn_wheel(preview.page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        size = preview.size()
        preview.close()
    with chromium() as browser:
        plain = browser.new_context(viewport=size).new_page()
        app.open(plain, NAME, CAMERA)
        plain.evaluate(f"({LATENCIES})(null)")
        peer = turn_wheel(plain, size["width"] / 2, size["height"] / 2, pause=1.0)
    yield Figure("input that came to the page to first frame, from rest", "ms", ours[1], at_most=50)
    yield Figure("input to first frame, from rest / research app, never at rest", "ms", ours[0], peer[0])


def turn_wheel(page: Page, x: float, y: float, pause: float = QUIET) -> tuple[float, float]:
    """Milliseconds to the first frame: from the input, and from when it came to the page."""
    page.mouse.move(x, y)
    for turn in range(INPUTS):
        time.sleep(pause)
        page.mouse.wheel(0, 40 if turn % 2 else -40)
    time.sleep(1)
    whole, drawing = zip(*page.evaluate("window.latencies"), strict=True)
    return statistics.median(whole), statistics.median(drawing)


def many(server: LabServer, app: PlainApp, folder: Path) -> Iterator[Figure]:
    """Several previews in one notebook and as many plain pages, each beyond the same without."""
    more = f"\nfor _ in range({MANY - 1}):\n    display(Preview(draft, height='150px'))"
    with chromium() as browser:
        preview = LabPreview(server, browser.new_context(viewport={**WINDOW, "height": 1600}).new_page(), folder, more)
        empty = state_of_browser()
        preview.run()
        preview.page.wait_for_function(
            "count => document.querySelectorAll('[data-cxw-preview-state=shown]').length === count", arg=MANY
        )
        ours = [now - before for now, before in zip(state_of_browser(), empty, strict=True)]
        preview.close()
    with chromium() as browser:
        pages = [
            browser.new_context(viewport={"width": 1200, "height": 400 if not n else 150}).new_page()
            for n in range(MANY)
        ]
        empty = state_of_browser()
        for page in pages:
            app.open(page, NAME, CAMERA)
        peer = [now - before for now, before in zip(state_of_browser(), empty, strict=True)]
    yield Figure(f"{MANY} previews / {MANY} plain pages, % of one core", "%", max(ours[0], 0.0), peer[0], 1.0)
    yield Figure(f"{MANY} previews / {MANY} plain pages, memory", "MB", ours[1], peer[1], 1.0)


def state_of_browser() -> tuple[float, float]:
    """Percent of one core and megabytes, once there is quiet."""
    return settled(lambda: None), memory()
