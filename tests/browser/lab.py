"""A real JupyterLab and what a person does in it, for the browser tests.

``LabServer`` is the server, in folders of its own. ``Lab`` is that server in one page of the browser; it opens a
``Notebook``, whose methods wait for what they start and fail with the kernel's traceback rather than a time-out.
"""

from __future__ import annotations

import ast
import itertools
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from playwright.sync_api import Locator, Page, ViewportSize
from ports import free_port

from browser.screenshots import SCREENSHOTS, pixels
from browser.watching import WatchedPage

__all__ = ["SCREENSHOTS", "VIEWPORT", "Lab", "LabServer", "Notebook", "pixels"]

PATIENCE = 240.0  # seconds; a time-out is how a test fails, never what it measures

# Everything that would ask, announce, look outside or take cells out of the page.
SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "doNotDisturbMode": True,
        "fetchNews": "false",
    },
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
PAGE_CONFIG = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
NO_BUILD = {"buildAvailable": False, "buildCheck": False}
"""What README.md tells who runs a hub: JupyterLab does not ask everybody to rebuild it for pywwt's old extension."""

# For nbclassic: pywwt's own, and two that name a file which their packages no longer have.
NO_NBEXTENSIONS = {f"{name}/extension": False for name in ("pywwt", "ipyevents", "voila")}

# The kernels: what they are called, and the folder of an ipykernel that is not the environment's own; `make test` has put it there.
KERNELS: dict[str, tuple[str, Path | None]] = {
    "python3": ("Python 3", None),
    "python3-ipykernel6": ("Python 3 (ipykernel 6)", Path(sys.prefix) / "ipykernel6"),
}


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server: kindly, or by force if it does not listen."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class LabServer:
    """One JupyterLab on loopback whose every file lies under one folder. Notebook 7, nbclassic and Voila are its extensions.

    Parameters
    ----------
    folder : Path
        An empty folder: notebooks, settings, the kernel's home, logs.
    environment : dict, optional
        Further environment variables for the server and its kernels.
    policy : str, optional
        Content-Security-Policy of all its pages, as a hub may set it.
    asks_to_build : bool, default False
        Whether JupyterLab asks to be rebuilt for old extensions, as it does by default.
    host : str, default "127.0.0.1"
        Name under which browsers know it; they must find this machine under it.
    base_url : str, default "/"
        Path of all its pages, with a slash at both ends.
    """

    _numbers = itertools.count(1)

    def __init__(
        self,
        folder: Path,
        environment: dict[str, str] | None = None,
        policy: str = "",
        asks_to_build: bool = False,
        host: str = "127.0.0.1",
        base_url: str = "/",
    ):
        self.folder = folder
        self.policy, self.asks_to_build = policy, asks_to_build
        self.host, self.base_url = host, base_url
        self.root = folder / "notebooks"
        self.token = secrets.token_hex(16)
        self.log = folder / "jupyter.log"
        self._write_config()
        self.port = free_port()
        self.url = f"http://{host}:{self.port}{base_url.rstrip('/')}"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.root,
                env=self.environment() | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_it_answers()

    def address(self, path: str) -> str:
        """The address of one of the server's pages, with the token that lets a browser in."""
        return f"{self.url}/{path}?token={self.token}"

    def write_notebook(self, cells: list[str] | Path, *, name: str | None = None, kernel: str = "python3") -> str:
        """Write a notebook of these code cells, or a copy of a notebook file, to the server's folder; its name there."""
        if isinstance(cells, Path):
            content = nbformat.read(cells, as_version=4)
        else:
            content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        title, folder = KERNELS[kernel]
        if folder and not folder.exists():
            raise AssertionError(f"{folder} is missing: `make test` installs it")
        content.metadata["kernelspec"] = {"name": kernel, "display_name": title, "language": "python"}
        name = name or f"test-{next(self._numbers)}.ipynb"
        nbformat.write(content, self.root / name)
        return name

    def forget_settings(self) -> None:
        """Undo what earlier pages have set, the theme for one."""
        shutil.rmtree(self.folder / "config" / "lab" / "user-settings", ignore_errors=True)

    def end_kernels(self) -> None:
        """Stop all kernels, whichever page has started them."""
        for kernel in self._api("kernels"):
            self._api(f"kernels/{kernel['id']}", "DELETE")

    def stop(self) -> None:
        """Stop the server, which stops its kernels first."""
        end(self._process)

    def _command(self) -> list[str]:
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self.root,
            "ServerApp.base_url": self.base_url,
            "ServerApp.allow_remote_access": self.host != "127.0.0.1",
            "IdentityProvider.token": self.token,
            "ServerApp.jpserver_extensions": "pywwt=False",  # the widgets must do without pywwt's own extensions
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "VoilaConfiguration.extension_denylist": ["@jupyter-notebook/lab-extension"],  # which fails in Voila
            "LabApp.expose_app_in_browser": True,
            "JupyterNotebookApp.expose_app_in_browser": True,
            "LabApp.extension_manager": "readonly",
        }
        if self.policy:
            options["ServerApp.tornado_settings"] = {"headers": {"Content-Security-Policy": self.policy}}
        arguments = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *arguments]

    def _write_config(self) -> None:
        files = {
            "config/labconfig/page_config.json": PAGE_CONFIG | ({} if self.asks_to_build else NO_BUILD),
            "config/labconfig/default_setting_overrides.json": SETTINGS,
            "config/nbconfig/notebook.json": {"load_extensions": NO_NBEXTENSIONS},
        }
        files |= {f"data/kernels/{name}/kernel.json": _kernel_spec(*kernel) for name, kernel in KERNELS.items()}
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))
        for name in ("notebooks", "home", "home/config", "runtime"):
            (self.folder / name).mkdir(mode=0o700)

    def environment(self) -> dict[str, str]:
        """This process's environment, with nothing of the user's own Jupyter or home folder in it."""
        foreign = ("CXW_", "JUPYTER", "PYTEST_", "XDG_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        home = self.folder / "home"
        return kept | {
            "HOME": str(home),
            "IPYTHONDIR": str(home / ".ipython"),
            "JUPYTER_PREFER_ENV_PATH": "0",  # these folders come before those of a virtual environment
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
        }

    def _api(self, path: str, method: str = "GET") -> Any:
        headers = {"Authorization": f"token {self.token}"}
        url = f"http://127.0.0.1:{self.port}{self.base_url}api/{path}"
        request = urllib.request.Request(url, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read() or b"null")

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self._api("status")
                return
            except OSError:
                time.sleep(0.2)
        self.stop()
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-3000:]}")


class Lab(WatchedPage):
    """JupyterLab in one page."""

    def __init__(self, server: LabServer, page: Page):
        super().__init__(page)
        self.server = server
        self._notebooks: list[Notebook] = []
        server.forget_settings()

    @property
    def is_loaded(self) -> bool:
        """Whether the page shows this JupyterLab already."""
        return self.page.url.startswith(f"{self.server.url}/lab")

    def open_notebook(self, cells: list[str] | Path, *, name: str | None = None, kernel: str = "python3") -> Notebook:
        """Open a notebook of these code cells, or a copy of a notebook file, and wait for its kernel.

        A page that shows JupyterLab already opens it as a person would, without being loaded again.
        """
        name = self.server.write_notebook(cells, name=name, kernel=kernel)
        if self.is_loaded:
            script = "path => jupyterapp.commands.execute('docmanager:open', { path }).then(() => null)"
            self.page.evaluate(script, name)
        else:
            self.page.goto(self.address(name))
        notebook = Notebook(self, name)
        self._notebooks.append(notebook)
        return notebook

    def address(self, name: str) -> str:
        """Where a notebook of the server is opened."""
        # A workspace of its own: no other test's notebook is opened again beside it.
        return self.server.address(f"lab/workspaces/test-{secrets.token_hex(4)}/tree/{name}")

    def command(self, name: str, **arguments: Any) -> None:
        """Carry out one of JupyterLab's commands and wait for its end."""
        script = "([name, args]) => jupyterapp.commands.execute(name, args).then(() => null)"
        self.page.evaluate(script, [name, arguments])

    def theme(self, name: str) -> None:
        """Change to JupyterLab's "dark" or "light" theme."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name.title()}")
        self.page.wait_for_selector(f'body[data-jp-theme-light="{json.dumps(name == "light")}"]', state="attached")

    def close(self) -> None:
        """Stop the kernels that this page started."""
        for notebook in self._notebooks:
            if not notebook.is_shut_down:
                notebook.shut_down()

    def clear(self) -> None:
        """Close what is open, and show the page as it was when it was loaded: for the next test."""
        self.page.set_viewport_size(VIEWPORT)
        self.page.evaluate(CLEAR)
        self.theme("light")


VIEWPORT = ViewportSize(width=1000, height=800)

# Disposed, not closed: JupyterLab asks before it closes a notebook that was changed. An empty main area gets a launcher.
CLEAR = """async () => {
    const { shell } = jupyterapp;
    const outputs = (it) => it.node.querySelector(".jp-LinkedOutputView");
    for (const widget of [...shell.widgets("right")].filter(outputs)) widget.dispose();
    for (const widget of [...shell.widgets("main")]) widget.dispose();
    if (shell.leftCollapsed) shell.expandLeft();
    if (!shell.rightCollapsed) shell.collapseRight();
    document.activeElement?.blur();
}"""


RUN_CELL = """panel.content.deselectAll();
    panel.content.activeCellIndex = arg;
    const run = jupyterapp.commands.execute('notebook:run-cell');"""


class Notebook:
    """One open notebook, its cells counted from 0."""

    def __init__(self, lab: Lab, name: str):
        self.lab, self.page, self.name = lab, lab.page, name
        self.is_shut_down = False
        self.page.wait_for_function(
            "path => [...(window.jupyterapp?.shell.widgets('main') ?? [])].some((it) => it.context?.path === path)",
            arg=name,
            timeout=PATIENCE * 1000,
        )
        self._call("await context.ready; await context.sessionContext.ready; await panel.revealed;")
        self._call("jupyterapp.shell.activateById(panel.id);")
        self.wait_idle()

    def cell(self, index: int) -> Locator:
        """The whole cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """What stands under the cell: text, pictures, widgets."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    def run_cell(self, index: int, *, fails: bool = False) -> None:
        """Run a cell to its end. An error in it is an error here, unless `fails` says that it is expected."""
        self._call(f"{RUN_CELL} await run;", index)
        self._raise_errors([] if fails else [index])

    def start_cell(self, index: int) -> None:
        """Run a cell, and do not wait for its end."""
        self._call(f"{RUN_CELL} void run;", index)

    def is_running(self, index: int) -> bool:
        """Whether a cell waits for its turn, or for its end."""
        return self._call("return panel.content.widgets[arg].promptNode.textContent.includes('*');", index)

    def run_all(self, *, fails: bool = False) -> None:
        """Run all cells to their end."""
        self._call("await jupyterapp.commands.execute('notebook:run-all-cells');")
        count = self.page.locator(".jp-Notebook .jp-Cell").count()
        self._raise_errors([] if fails else range(count))

    def wait_idle(self) -> None:
        """Wait until the kernel has answered all that the page has sent, comm messages too."""
        self._call(
            "const kernel = context.sessionContext.session.kernel;"
            "while (kernel.connectionStatus !== 'connected') await new Promise((later) => setTimeout(later, 50));"
            "await kernel.requestKernelInfo();"
        )

    def execute(self, code: str) -> None:
        """Run Python in the notebook's kernel, with no cell."""
        self._ask(code, "None")

    def evaluate(self, expression: str) -> Any:
        """The value of a Python expression in the notebook's kernel, by way of JSON."""
        return self._ask("import json as _json", f"_json.dumps({expression})")

    def wait_for_value(self, expression: str, value: Any) -> None:
        """Wait until a Python expression has this value: the kernel takes what the page sends in another thread, too."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.evaluate(expression)) != value:
            if time.monotonic() > deadline:
                raise AssertionError(f"{expression} is {found!r}, not {value!r}")
            self.page.wait_for_timeout(50)

    def restart_kernel(self) -> None:
        """Start the kernel anew; the outputs stay."""
        self._call("await context.sessionContext.restartKernel();")
        self.wait_idle()

    def save(self) -> None:
        """Save the notebook file."""
        self._call("await context.save();")

    @property
    def path(self) -> Path:
        """The notebook's file."""
        return self.lab.server.root / self.name

    def screenshot(self, name: str, target: Locator | None = None) -> np.ndarray:
        """Write build/screenshots/<name>.png of the page, or of one place in it, and return its pixels."""
        return pixels(target or self.page, save=name)

    def shut_down(self) -> None:
        """Stop the kernel."""
        self._call("await context.sessionContext.shutdown();")
        self.is_shut_down = True

    def _ask(self, code: str, expression: str) -> Any:
        reply = self._call(
            "const future = context.sessionContext.session.kernel.requestExecute("
            "{code: arg[0], user_expressions: {it: arg[1]}, store_history: false, allow_stdin: false});"
            "return (await future.done).content;",
            [code, expression],
        )
        answer = reply if reply["status"] == "error" else reply["user_expressions"]["it"]
        if answer["status"] == "error":
            raise AssertionError(_plain("\n".join(answer["traceback"])))
        value = ast.literal_eval(answer["data"]["text/plain"])
        return None if value is None else json.loads(value)

    def _call(self, body: str, arg: Any = None) -> Any:
        """Run JavaScript with `panel` (the notebook), `context` and `arg`; fails after PATIENCE."""
        script = """async ([arg, name, patience]) => {
            const panel = [...jupyterapp.shell.widgets('main')].find((widget) => widget.context?.path === name);
            const context = panel.context;
            const work = (async () => { %s })();
            const late = new Promise((_, no) => setTimeout(() => no(new Error('not done in time')), patience * 1000));
            return await Promise.race([work, late]);
        }"""
        return self.page.evaluate(script % body, [arg, self.name, PATIENCE])

    def _raise_errors(self, indices: Any) -> None:
        outputs = self._call("return panel.content.model.sharedModel.cells.map((cell) => cell.toJSON().outputs ?? []);")
        for index in indices:
            for output in outputs[index]:
                if output["output_type"] == "error":
                    raise AssertionError(f"cell {index}:\n" + _plain("\n".join(output["traceback"])))


def _kernel_spec(title: str, folder: Path | None) -> dict[str, Any]:
    path = os.pathsep.join(filter(None, [str(folder or ""), os.environ.get("PYTHONPATH")]))
    return {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": title,
        "language": "python",
        "metadata": {"debugger": False},
        "env": {"PYTHONPATH": path} if path else {},
    }


def _plain(text: str) -> str:
    """Text without the terminal's colors."""
    return "".join(part.partition("m")[2] if at else part for at, part in enumerate(text.split("\x1b[")))
