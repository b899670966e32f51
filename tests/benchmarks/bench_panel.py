"""What the panel of `cxw.publish` costs who types in it, against `ipywidgets.Textarea` in the same page; its height; when it is usable."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lab_preview import chromium, lab_server
from benchmarks.measure import Figure
from browser.form_steps import field
from browser.lab import Lab, Notebook
from browser.marked_fits import make_fits
from playwright.sync_api import CDPSession, Locator

KEYS, ROUNDS, OPENINGS = 40, 5, 3
PAUSE = 0.08  # seconds between two keys of a quick typist
QUIET = 7000  # milliseconds; then the preview has come to rest

CELLS = [
    'import constellations_widgets as cxw\npanel = cxw.publish("m51.fits")\npanel',
    "import ipywidgets\nipywidgets.Textarea()",
]

# For each key, the milliseconds from the event's own time to the end of the next frame.
FRAMES = """(field) => {
    window.keyFrames = [];
    field.addEventListener("keydown", ({ timeStamp }) => requestAnimationFrame(() => {
        const channel = new MessageChannel(); // its message comes after the frame was drawn
        channel.port1.onmessage = () => window.keyFrames.push(performance.now() - timeStamp);
        channel.port2.postMessage(0);
    }), { capture: true });
}"""


def figures() -> Iterator[Figure]:
    with lab_server() as server, chromium() as browser:
        make_fits(Path(server.root) / "m51.fits")
        page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
        page.set_default_timeout(240_000)
        lab = Lab(server, page)
        notebook = lab.open_notebook(CELLS)
        lab.command("application:toggle-left-area")
        usable = [seconds_until_usable(notebook) for _ in range(OPENINGS)]
        panel = notebook.output(0).locator(".cxw-panel")
        width_1000(notebook, panel)
        yield Figure("panel 1,000 px wide, height", "px", panel.bounding_box()["height"], at_most=640)
        yield Figure("cell run to a field of the panel that takes text", "s", statistics.median(usable))
        ours, peer = field(panel, "Alt text"), notebook.output(1).locator("textarea")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        frames: tuple[list[float], list[float]] = ([], [])
        work: tuple[list[float], list[float]] = ([], [])
        for text in (ours, peer):
            text.evaluate(FRAMES)
        page.wait_for_timeout(QUIET)
        for _ in range(ROUNDS):
            for at, text in enumerate((ours, peer)):
                before = task_seconds(session)
                start = time.perf_counter()
                frames[at].extend(type_keys(notebook, text))
                busy, taken = task_seconds(session) - before, time.perf_counter() - start
                before = task_seconds(session)
                time.sleep(taken)  # the same time with no key: what the page does anyway is not the key's
                work[at].append((busy - (task_seconds(session) - before)) / KEYS * 1000)
        yield Figure(
            "key to next frame, panel / Textarea",
            "ms",
            statistics.median(frames[0]),
            statistics.median(frames[1]),
            at_most=1.5,
        )
        yield Figure(
            "renderer's work per key, panel / Textarea",
            "ms",
            statistics.median(work[0]),
            statistics.median(work[1]),
            at_most=1.3,
        )
        lab.close()


def seconds_until_usable(notebook: Notebook) -> float:
    """Seconds from running the cell, in a kernel that has just started, to a field that can be typed into."""
    notebook.restart_kernel()
    start = time.perf_counter()
    notebook.run_all()
    notebook.output(0).locator(".cxw-form :is(textarea, input):read-write").first.wait_for()
    return time.perf_counter() - start


def width_1000(notebook: Notebook, panel: Locator) -> None:
    """Make the panel 1,000 pixels wide."""
    page = notebook.page
    beside = page.viewport_size["width"] - panel.bounding_box()["width"]
    page.set_viewport_size({"width": round(1000 + beside), "height": 900})
    page.wait_for_timeout(1000)


def type_keys(notebook: Notebook, text: Locator) -> list[float]:
    """Type KEYS letters; the milliseconds from each to its frame."""
    text.click()
    notebook.page.keyboard.press("Control+End")
    notebook.page.evaluate("() => { window.keyFrames = [] }")
    for at in range(KEYS):
        notebook.page.keyboard.type("abcdefgh "[at % 9])
        time.sleep(PAUSE)
    notebook.page.wait_for_function("count => window.keyFrames.length >= count", arg=KEYS)
    return notebook.page.evaluate("window.keyFrames")


def task_seconds(session: CDPSession) -> float:
    """Seconds that the page's main thread has worked."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration")
