"""The preview in a real JupyterLab, with the times at which it showed what."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browser.chromium import FLAGS, find_chromium
from browser.lab import Lab, LabServer, Notebook
from playwright.sync_api import Browser, Page, sync_playwright

WINDOW = {"width": 1400, "height": 900}

# When each preview of this page came to show each revision of its draft, in milliseconds since 1970.
WATCH = """() => {
    window.shown = [];
    const note = ({ target }) => {
        if (target.dataset?.cxwPreviewState === 'shown') window.shown.push([target, Number(target.dataset.cxwRevision), Date.now()]);
    };
    new MutationObserver((changes) => changes.forEach(note)).observe(document, {
        subtree: true, attributes: true, attributeFilter: ['data-cxw-preview-state', 'data-cxw-revision'],
    });
}"""

# Runs the cell with the preview several times over; the milliseconds from then to the whole image on the sky, and on the screen: the next frame
# of the browser brings it there, the one after that says so.
RUNS = """async ([runs, pause]) => {
    const taken = [];
    const notebook = jupyterapp.shell.currentWidget.content;
    const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const picture = () => window.shown.some(([preview]) => preview.isConnected);
    for (let run = 0; run < runs; run++) {
        window.shown.length = 0;
        const start = Date.now();
        notebook.activeCellIndex = 1;
        void jupyterapp.commands.execute('notebook:run-cell');
        while (!picture()) await wait(5);
        await frame();
        await frame();
        taken.push(Date.now() - start);
        await wait(pause);
    }
    return taken;
}"""

MADE = """
from constellations_widgets import ImageDraft, ImageForm, Preview
from IPython.display import display
draft = ImageDraft.from_wtml({folder!r}, autosave=False)
"""
SHOWN = """
preview = Preview(draft, height="400px")
display(preview)
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def lab_server() -> Iterator[LabServer]:
    """A JupyterLab while the block runs."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = LabServer(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def size_of_sky(page: Page) -> dict[str, int]:
    """Width and height of the sky in the page's first preview, CSS pixels."""
    camera = json.loads(page.locator(".cxw-preview").first.get_attribute("data-cxw-camera"))
    return {"width": int(camera["width"]), "height": int(camera["height"])}


class LabPreview:
    """A notebook in a page that was just opened. Its first cell has made a draft of a tile tree; the other shows it, and then does `more`."""

    def __init__(self, server: LabServer, page: Page, folder: Path, more: str = ""):
        page.set_default_timeout(60_000)
        self.page = page
        self.lab = Lab(server, page)
        self.notebook: Notebook = self.lab.open_notebook([MADE.format(folder=str(folder)), SHOWN + more])
        self.notebook.run_cell(0)
        self.lab.command("application:toggle-left-area")
        page.evaluate(WATCH)

    def run(self) -> float:
        """Run the cell (again); seconds from then to the whole image on the sky."""
        start = self.page.evaluate("() => { window.shown.length = 0; return Date.now(); }")
        self.notebook.run_cell(1)
        self.page.wait_for_function("() => window.shown.some(([preview]) => preview.isConnected)")
        shown = self.page.evaluate("() => window.shown.find(([preview]) => preview.isConnected)[2]")
        return (shown - start) / 1000

    def shown_at(self, revision: int) -> float:
        """When a revision, or a newer one, came to be on the sky: milliseconds since 1970. Waits for it."""
        newer = f"window.shown.find(([preview, revision]) => preview.isConnected && revision >= {revision})"
        self.page.wait_for_function(f"() => {newer}")
        return self.page.evaluate(f"() => {newer}[2]")

    def evaluate(self, expression: str) -> object:
        return self.notebook.evaluate(expression)

    def size(self) -> dict[str, int]:
        """Of the sky, see `size_of_sky`."""
        return size_of_sky(self.page)

    def close(self) -> None:
        self.lab.close()
        self.page.context.close()
