"""How soon the preview shows an image and follows a change, against pywwt's research app in a plain page from a static server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lab_preview import RUNS, WINDOW, LabPreview, chromium, lab_server, size_of_sky
from benchmarks.left_alone import left_alone
from benchmarks.measure import Figure
from benchmarks.plain_app import PlainApp
from benchmarks.pyramid import CAMERA, NAME, served_pyramid
from browser.lab import LabServer

ROUNDS, WARM, EDITS = 5, 3, 18
PAUSE = 4000  # ms in which somebody looks at the picture before the cell is run again


def figures() -> Iterator[Figure]:
    with served_pyramid() as (folder, app), lab_server() as server:
        yield from first_pictures(server, app, folder)
        yield from repaints(server, app, folder)


def first_pictures(server: LabServer, app: PlainApp, folder: Path) -> Iterator[Figure]:
    ours: list[list[float]] = []
    peers: list[list[float]] = []
    for _ in range(ROUNDS):
        with left_alone(WINDOW) as browser:
            with browser.page() as page:
                LabPreview(server, page, folder)
                browser.measure(page, RUNS, [1 + WARM, PAUSE])
            ours.append(browser.measured())
            with browser.page() as page:
                size = size_of_sky(page)
        server.end_kernels()
        with left_alone(size) as browser:
            with browser.page() as page:
                app.measure(page, NAME, CAMERA, 1 + WARM, PAUSE)
            peers.append(browser.measured())
    for what, runs, limit in (("cold", slice(1), 1.3), ("warm", slice(1, None), 1.1)):
        times = [statistics.median(time for taken in who for time in taken[runs]) for who in (ours, peers)]
        yield Figure(f"cell run to image, {what} / research app in a plain page", "ms", *times, at_most=limit)


def repaints(server: LabServer, app: PlainApp, folder: Path) -> Iterator[Figure]:
    with chromium() as browser:
        page = browser.new_context(viewport=WINDOW).new_page()
        preview = LabPreview(server, page, folder, more="display(ImageForm(draft))")
        preview.run()
        python, form, frames = [], [], []
        for _ in range(3):
            plain = browser.new_context(viewport=preview.size()).new_page()
            app.open(plain, NAME, CAMERA)
            frames.append(app.milliseconds_a_frame(plain))
            plain.context.close()  # it draws for ever, seen or not
            python.extend(python_edit(preview, angle) for angle in range(EDITS // 3))
            form.extend(form_edit(preview, angle) for angle in range(50, 50 + EDITS // 3))
        preview.close()
    frame = statistics.median(frames)
    yield Figure(
        "field set in Python to repaint / one frame of the engine", "ms", statistics.median(python), frame, 3.0
    )
    yield Figure(
        "field set in the form to repaint / one frame of the engine", "ms", statistics.median(form), frame, 2.0
    )


def python_edit(preview: LabPreview, angle: float) -> float:
    """Milliseconds from a field's change in the kernel to the frame that shows it."""
    time.sleep(0.3)
    preview.notebook.execute(f"import time; start = time.time(); draft.wwt.rotation = {angle} + start % 1")
    return preview.shown_at(preview.evaluate("preview.revision")) - 1000 * preview.evaluate("start")


def form_edit(preview: LabPreview, angle: float) -> float:
    """Milliseconds from a keystroke in the form to the frame that shows it."""
    time.sleep(0.3)
    before = preview.evaluate("preview.revision")
    field = preview.notebook.output(1).get_by_label("Rotation", exact=False).first
    start = field.evaluate(
        """(field, value) => {
            const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
            field.focus();
            set.call(field, value);
            const start = Date.now();
            field.dispatchEvent(new Event('input', { bubbles: true }));
            return start;
        }""",
        str(angle),
    )
    return preview.shown_at(before + 1) - start
