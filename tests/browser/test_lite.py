"""JupyterLite: the package in a page without a server, in a site that is built from PyPI and npm packages."""

from __future__ import annotations

import contextlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from browser.marked_image import make_wcs
from browser.on_sky import SMALL_PIXEL, wait_revision, worst_error
from browser.watching import WatchedPage
from constellations_widgets.sandbox import Sandbox

BUILD = Path(__file__).parents[2] / "notebooks" / "lite.py"
PATIENCE = 400_000  # milliseconds; Python is compiled to WebAssembly, and starts on one core

DRAFT = """
import constellations_widgets as cxw
from constellations_widgets import runtime
draft = cxw.ImageDraft.from_wtml("tiles", autosave=False)
draft.permissions.copyright = "Copyright 2026 Jane Doe"
draft.permissions.license = "cc by 4.0"
print(draft.permissions.license, [it.code for it in draft.problems if it.severity == "error"], runtime.can_switch())
"""
PREVIEW = "cxw.Preview(draft, height='320px')"
FORM = "cxw.ImageForm(draft)"
PUBLISH = """
draft.storage.legacy_url_template = "https://example.org/m51/{{1}}/{{3}}/{{3}}_{{2}}.png"
draft.wwt.thumbnail_url = "https://example.org/m51/thumb.jpg"
client = cxw.Constellations({api_url!r}, {token!r})
receipt = cxw.publish_draft(draft, client, {handle!r}, probe=False, anyway=True)
print("published", receipt.id)
try:
    cxw.publish_draft(draft, client, {handle!r}, probe=False, anyway=True)
except cxw.PublishError as error:
    print("again:", error)
print("journal:", [attempt.state for attempt in cxw.history()])
"""
REFUSED = """
for action in (
    lambda: cxw.Constellations({other!r}, {token!r}).handle("me"),
    lambda: cxw.ImageDraft.from_fits("marked.fits"),
    lambda: cxw.ImageDraft.from_image("marked.png"),
    lambda: cxw.find_position("marked.png"),
    lambda: cxw.running_sandbox(),
):
    try:
        print("done:", action())
    except cxw.ConstellationsError as error:
        print(f"{{type(error).__name__}}: {{error}}")
"""


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Handler of a static site; it allows no page of another site to read it."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder's files; yields the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=folder))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def build(site: Path, contents: Path) -> str:
    """Build a site; return what the build says is missing. Without its packages the test is skipped, and fails in CI."""
    command = [sys.executable, str(BUILD), str(site), "--contents", str(contents)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stderr
    why = f"The JupyterLite site was not built: {done.stderr.strip()[-600:]}"
    if os.environ.get("CI") or "UnavailableError" not in done.stderr:
        pytest.fail(why)
    pytest.skip(why)


def test_in_a_page_without_a_server(page: Page, tiles: Path, image: Path, tmp_path: Path):
    contents, site = tmp_path / "contents", tmp_path / "site"
    shutil.copytree(tiles, contents / "tiles")
    shutil.copy(image, contents / "marked.png")
    (contents / "marked.fits").write_bytes(b"SIMPLE  =                    T".ljust(2880))
    with Sandbox() as box, served(tmp_path) as other:
        values = {"api_url": box.api_url, "token": box.token(), "handle": box.handle, "other": other}
        cells = [DRAFT, PREVIEW, FORM, PUBLISH.format(**values), REFUSED.format(**values)]
        kernel = {"kernelspec": {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}}
        made = [nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
        notebook = nbformat.v4.new_notebook(cells=made, metadata=kernel)
        nbformat.write(notebook, contents / "test.ipynb")
        missing = build(site, contents)
        with served(site) as address:
            watch = WatchedPage(page)
            page.goto(f"{address}/notebooks/index.html?path=test.ipynb")
            outputs = run_all(page, len(cells))
            texts = [output.inner_text() for output in outputs]
            assert "CC-BY-4.0" in texts[0] and texts[0].strip().endswith("True")
            preview = wait_revision(outputs[1].locator(".cxw-preview"), 0)
            assert worst_error(preview, make_wcs()) < SMALL_PIXEL
            expect(outputs[2].get_by_text("Rights and credit")).to_be_visible()
            images = [it.id for it in box.client().find_images("https://example.org/m51/{1}/{3}/{3}_{2}.png")]
            assert len(images) == 1 and f"published {images[0]}" in texts[3]
            assert "again: " in texts[3] and "was published before" in texts[3]
            assert "journal: ['published']" in texts[3]
            refused = texts[4].splitlines()
            assert "does not allow requests from pages of other sites (CORS)" in refused[0]
            assert refused[3].startswith("SolveError: The search for a position by stars can't run in a browser")
            assert refused[4].startswith("SandboxError: The sandbox server can't run in a browser")
            if missing:
                print(missing)  # FITS and AVM are not tested: no wheels
                assert "The site reads no FITS files and no pictures" in missing
                assert all("which this Python does not have: run %pip install" in line for line in refused[1:3])
            assert watch.outside_requests == []
            page.goto("about:blank")


def run_all(page: Page, count: int) -> list[Locator]:
    """Run all cells of the open notebook; wait until they have ended, without an error; return their outputs."""
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    expect(cells).to_have_count(count, timeout=PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    ended = cells.last.locator(".jp-InputPrompt").filter(has_text=f"[{count}]:")
    failed = page.locator(".jp-OutputArea-output", has_text="Traceback (most recent call last)")
    expect(ended.or_(failed).first).to_be_visible(timeout=PATIENCE)
    assert failed.all_inner_texts() == []
    return [cells.nth(number).locator(".jp-OutputArea") for number in range(count)]
