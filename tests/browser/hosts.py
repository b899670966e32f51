"""The programs that show notebooks, each with the same few words: show these cells, run this Python, stop.

Notebook 7, nbclassic and Voila are extensions of the one Jupyter server that JupyterLab has too; marimo is a server of its own.
"""

from __future__ import annotations

import abc
import re
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterable
from typing import ClassVar

from playwright.sync_api import Page, expect
from ports import free_port

from browser.lab import PATIENCE, Lab, LabServer, Notebook, end
from browser.watching import WatchedPage


class Host(abc.ABC):
    """A program that shows notebooks, for one notebook in one page.

    Parameters
    ----------
    server : LabServer
        Of which most are a part.
    page : Page
        Empty.
    """

    ITS_OWN: ClassVar[str] = r"(?!)"
    """Errors and outside requests of the program itself, whatever it shows: a regular expression."""

    def __init__(self, server: LabServer, page: Page):
        self.server, self.page = server, page
        self._watch = WatchedPage(page)

    @property
    def complaints(self) -> list[str]:
        """The page's errors and what it asked of other machines, but for what the program does of itself."""
        seen = self._watch.console_errors + self._watch.outside_requests
        return [text for text in seen if not re.search(self.ITS_OWN, text)]

    @abc.abstractmethod
    def show(self, code: str, *names: str) -> None:
        """Show a notebook that runs `code` in one cell and shows each of the `names` that it defines in one of its own."""

    @abc.abstractmethod
    def execute(self, code: str) -> None:
        """Run more Python beside that code; it finds `draft` there."""

    def stop(self) -> None:  # noqa: B027  (most hosts start nothing)
        """Stop what this has started."""


class JupyterLab(Host):
    APP: type[Lab] = Lab
    _notebook: Notebook

    def show(self, code: str, *names: str) -> None:
        self._lab = self.APP(self.server, self.page)
        self._notebook = self._lab.open_notebook([code, *names])
        self._notebook.run_all()

    def execute(self, code: str) -> None:
        self._notebook.execute(code)

    def stop(self) -> None:
        self._lab.close()


class _NotebookLab(Lab):
    """Notebook 7 is made of JupyterLab's parts, and is spoken to in the same way."""

    def address(self, name: str) -> str:
        return self.server.address(f"notebooks/{name}")


class Notebook7(JupyterLab):
    APP = _NotebookLab
    # Its keyboard shortcuts ask for settings that are not loaded yet.
    ITS_OWN = r"reading 'schema'|registered\.$"


class NbClassic(Host):
    # It looks for the widgets of ipywidgets 4, and attaches newer ones to cells that are not in the page yet.
    ITS_OWN = r"nbextensions/widgets/notebook/js/extension|Host is not attached"

    def show(self, code: str, *names: str) -> None:
        name = self.server.write_notebook([code, *names])
        self.page.goto(self.server.address(f"nbclassic/notebooks/{name}"))
        ready = "window.Jupyter?.notebook?.kernel?.widget_manager && Jupyter.notebook.kernel.info_reply.status === 'ok'"
        self.page.wait_for_function(ready, timeout=PATIENCE * 1000)
        self.page.evaluate("Jupyter.notebook.execute_all_cells()")

    def execute(self, code: str) -> None:
        script = "code => new Promise((done) => Jupyter.notebook.kernel.execute(code, { shell: { reply: done } }))"
        reply = self.page.evaluate(script, code)["content"]
        assert reply["status"] == "ok", reply

    def stop(self) -> None:
        self.page.evaluate("Jupyter.notebook.session.delete()")


# In a page that shows no cells, whoever wants to run Python needs a line to write it in.
LINE = "Python to run"


class Voila(Host):
    # Its template wants two style sheets of Font Awesome.
    ITS_OWN = r"https://cdn\.jsdelivr\.net/npm/@fortawesome/|ERR_NAME_NOT_RESOLVED"

    def show(self, code: str, *names: str) -> None:
        line = f"""
            import ipywidgets
            line = ipywidgets.Text(placeholder={LINE!r}, continuous_update=False)
            line.observe(lambda change: exec(change["new"], globals()), "value")
            line"""
        name = self.server.write_notebook([code, *names, textwrap.dedent(line)])
        self.page.goto(self.server.address(f"voila/render/{name}"))

    def execute(self, code: str) -> None:
        _write(self.page, code)


class MarimoRun(Host):
    """marimo's app: cells are functions of each other, and may be re-run; code is not shown."""

    COMMAND: ClassVar[tuple[str, ...]] = ("run",)

    def show(self, code: str, *names: str) -> None:
        port = free_port()
        notebook, log_file = self.server.root / f"marimo_{port}.py", self.server.folder / f"marimo-{port}.log"
        notebook.write_text(_marimo_notebook(code, names), encoding="utf-8")
        options = ["--headless", "--no-token", "--host=127.0.0.1", f"--port={port}"]
        with log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "marimo", *self.COMMAND, *options, notebook.name],
                cwd=self.server.root,
                env=self.server.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{url}/health", self._process)
        except RuntimeError as error:
            raise RuntimeError(f"{error}:\n{log_file.read_text()[-3000:]}") from None
        self.page.goto(url)

    def execute(self, code: str) -> None:
        _write(self.page, code)

    def stop(self) -> None:
        end(self._process)


class MarimoEdit(MarimoRun):
    """marimo's notebook. Out of the box it runs nothing until it is told to; here it runs all at start."""

    COMMAND = ("edit", "--skip-update-check")

    def show(self, code: str, *names: str) -> None:
        settings = self.server.folder / "home" / "config" / "marimo" / "marimo.toml"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text("[runtime]\nauto_instantiate = true\n", encoding="utf-8")
        super().show(code, *names)


HOSTS: dict[str, type[Host]] = {
    "JupyterLab": JupyterLab,
    "Notebook 7": Notebook7,
    "nbclassic": NbClassic,
    "Voila": Voila,
    "marimo run": MarimoRun,
    "marimo edit": MarimoEdit,
}


def _write(page: Page, code: str) -> None:
    line = page.get_by_placeholder(LINE)
    line.fill(code)
    line.blur()
    expect(line).to_have_value(code)


def _marimo_notebook(code: str, names: Iterable[str]) -> str:
    """The notebook as marimo keeps it: each cell is a function of the names that it takes, and gives names to others."""

    def cell(text: str, takes: str = "", gives: str = "") -> str:
        return f"@app.cell\ndef _({takes}):\n{textwrap.indent(text.strip(), '    ')}\n    return {gives}\n\n\n"

    line = f"import marimo as mo\nline = mo.ui.text(placeholder={LINE!r}, full_width=True)\nline"
    cells = [
        cell(code, gives=", ".join(["draft", *names])),
        *(cell(name, takes=name) for name in names),
        cell(line, gives="line,"),
        cell("exec(line.value, {'draft': draft})", takes="draft, line"),
    ]
    return "import marimo\n\napp = marimo.App(width='full')\n\n\n" + "".join(cells)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the server did not start")
