"""A Chromium that nobody watches while it is timed: every byte of a WebSocket would go through the one who watches, too."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browser.chromium import FLAGS, find_chromium
from browser.lab import end
from playwright.sync_api import Page, ViewportSize, sync_playwright

EMPTY = "about:blank"
HEADLESS = ["--headless=new", "--remote-debugging-port=0", "--no-first-run", EMPTY]
BEGIN = 2500  # ms from when a page is told to measure to when it does: by then it is alone
PATIENCE = 120  # seconds
FINISHED = "measured"

# Has the page do something some time later, keep what comes of it as `window.measured`, and tell of its end by its title.
LATER = f"""([work, argument]) => setTimeout(async () => {{
    window.measured = await eval(work)(argument);
    document.title = '{FINISHED}';
}}, {BEGIN})"""

SAY_WHETHER_SEEN = "document.addEventListener('visibilitychange', () => (document.title = document.visibilityState))"


class Browser:
    """One Chromium with one page."""

    def __init__(self, process: subprocess.Popen[bytes], profile: Path, size: ViewportSize):
        self._process = process
        self._port_file = profile / "DevToolsActivePort"
        self._size = size

    @contextmanager
    def page(self) -> Iterator[Page]:
        """The page, while the block runs; then it is left alone."""
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(self._debugger())
            pages = browser.contexts[0].pages
            page = next((page for page in pages if page.url != EMPTY), pages[0])
            page.set_viewport_size(self._size)
            yield page
            browser.close()

    def measure(self, page: Page, work: str, argument: object = None) -> None:
        """Have the page run the JavaScript function `work` once it is alone; `measured` waits for what it returns."""
        page.evaluate(LATER, [work, argument])

    def measured(self) -> Any:
        """What the page has measured; waits for it."""
        self._wait_for_title(FINISHED, "The page has not measured anything.")
        with self.page() as page:
            return page.evaluate("window.measured")

    def hide(self) -> None:
        """Open another tab in front of the page's; it is hidden from then on, but while it is not left alone."""
        with self.page() as page:
            page.evaluate(SAY_WHETHER_SEEN)
        new_tab = urllib.request.Request(f"{self._debugger()}/json/new?{EMPTY}", method="PUT")
        urllib.request.urlopen(new_tab, timeout=30).close()
        self._wait_for_title("hidden", "The page behind another tab is not hidden.")

    def _wait_for_title(self, title: str, otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while title not in self._titles():
            if time.monotonic() > deadline:
                raise TimeoutError(otherwise)
            time.sleep(0.2)

    def _titles(self) -> list[str]:
        with urllib.request.urlopen(f"{self._debugger()}/json/list", timeout=30) as answer:
            return [target["title"] for target in json.load(answer)]

    def _debugger(self) -> str:
        deadline = time.monotonic() + PATIENCE
        while not (self._port_file.exists() and self._port_file.read_text().strip()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Chromium did not start.")
            time.sleep(0.05)
        return f"http://127.0.0.1:{self._port_file.read_text().split()[0]}"


@contextmanager
def left_alone(size: ViewportSize) -> Iterator[Browser]:
    """A new Chromium while the block runs: nothing is cached, no shader is compiled."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [find_chromium(), *FLAGS, f"--user-data-dir={profile}", *HEADLESS]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield Browser(process, Path(profile), size)
        finally:
            end(process)
