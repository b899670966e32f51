"""The longest task of the page's main thread while a batch of 200 images is published; against the same page without it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks.lab_preview import WINDOW, chromium, lab_server
from benchmarks.measure import Figure
from browser.lab import Lab, Notebook
from playwright.sync_api import Browser, expect

from constellations_widgets import Sandbox

COUNT = 200
IMAGESET = """<ImageSet Name="Field {0:03d}" Url="https://example.org/{0}/{{1}}/{{3}}/{{3}}_{{2}}.png" Projection="Tan"
DataSetType="Sky" BandPass="Visible" BaseDegreesPerTile="0.5" CenterX="{0}.5" CenterY="20" OffsetX="0" OffsetY="0" Rotation="0"
TileLevels="4" WidthFactor="2" FileType=".png" BottomsUp="False" QuadTreeMap="">
<ThumbnailUrl>https://example.org/{0}/thumb.jpg</ThumbnailUrl><Description>Field {0:03d}</Description></ImageSet>"""
PLAIN = "from IPython.display import HTML\nHTML('<table>' + '<tr><td>Field</td></tr>' * 200 + '</table>')"
CELL = """
import constellations_widgets as cxw
client = cxw.Constellations({url!r}, auth={token!r})
drafts = cxw.ImageDraft.all_from_wtml("fields.wtml", autosave=False)
for draft in drafts:
    draft.update({{"permissions.copyright": "Public domain", "permissions.license": "CC-PDDC", "permissions.credits": "NOIRLab", "alt_text": "Stars."}})
cxw.BatchPublisher(drafts, client, {handle!r}, probe=False)
"""


def figures() -> Iterator[Figure]:
    sets = "".join(IMAGESET.format(number) for number in range(COUNT))
    with lab_server() as server, Sandbox() as box, chromium() as browser:
        (server.root / "fields.wtml").write_text(f'<Folder Name="Fields">{sets}</Folder>')
        cell = CELL.format(url=box.api_url, token=box.token(), handle=box.handle)
        lab = Lab(server, browser.new_context(viewport=WINDOW).new_page())
        notebook = lab.open_notebook([PLAIN, cell])
        longest_task(browser, notebook, lambda: notebook.run_cell(0))  # warm-up: JupyterLab's first cell of all
        plain = longest_task(browser, notebook, lambda: notebook.run_cell(0))
        ours = longest_task(browser, notebook, lambda: publish(notebook))
    yield Figure(f"longest task, {COUNT} images published / a table shown", "ms", ours, plain, at_most=4.0)


def publish(notebook: Notebook) -> None:
    """Show the batch, plan it, publish it."""
    notebook.run_cell(1)
    batch = notebook.output(1).locator(".cxw-batch")
    batch.get_by_role("button", name=f"{COUNT} images").last.click()
    batch.get_by_role("dialog").get_by_role("button", name=f"Publish {COUNT} images").click()
    expect(batch.get_by_role("region", name="Result")).to_contain_text("Finished", timeout=120_000)


def longest_task(browser: Browser, notebook: Notebook, work) -> float:
    """Return the milliseconds of the longest task of the page's main thread while `work` runs.

    The thread's own time counts where the trace has it; Chromium 156 writes only the wall clock's.
    """
    browser.start_tracing(page=notebook.page, categories=["toplevel", "devtools.timeline"])
    work()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    mains = {
        (e["pid"], e["tid"]) for e in events if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"
    }
    tasks = [e for e in events if e["name"].endswith("RunTask") and (e["pid"], e["tid"]) in mains and e["ph"] == "X"]
    return max(e.get("tdur", e["dur"]) for e in tasks) / 1000
