"""`make demo`: the sandbox server and JupyterLab with the tutorial, in folders of their own; Ctrl-C stops both.

The sandbox has the same port each time, so that links to what was published yesterday still work. The environment variable
CXW_DEMO_SANDBOX_PORT names another one.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import prepare

from constellations_widgets.errors import SandboxError
from constellations_widgets.sandbox import Sandbox, environment_of

HERE = Path(__file__).parent
WORK = Path(os.environ.get("CXW_DEMO_DIR") or HERE.parent / "build" / "demo")
SANDBOX_PORT = int(os.environ.get("CXW_DEMO_SANDBOX_PORT") or 8765)

# JupyterLab without questions: pywwt (extra `wwt`) brings an old extension that asks for a build at every start; nothing needs it.
PAGE_CONFIG = {
    "buildAvailable": False,
    "buildCheck": False,
    "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True},
}


def notebooks_folder() -> Path:
    """A copy of the tutorial to write in, with its data; what the user has changed in it stays."""
    folder = WORK / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    prepare.data(folder / "data")
    for notebook in HERE.glob("*.ipynb"):
        copy, pristine = folder / notebook.name, WORK / f"{notebook.name}.pristine"
        untouched = not copy.exists() or (pristine.exists() and pristine.read_bytes() == copy.read_bytes())
        if untouched:
            shutil.copyfile(notebook, copy)
            shutil.copyfile(notebook, pristine)
    return folder


def jupyter(folder: Path, environment: dict[str, str], port: int, token: str) -> subprocess.Popen[bytes]:
    """Start JupyterLab. It sees nothing of the user's own Jupyter settings, and its kernel is this Python.

    The token opens a terminal as this user, so it goes by a file that only this user can read: everybody can list command
    lines, and every kernel has the environment.
    """
    files = {
        "config/labconfig/page_config.json": PAGE_CONFIG,
        "data/kernels/python3/kernel.json": {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3",
            "language": "python",
        },
    }
    for name, content in files.items():
        path = WORK / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    own = {"JUPYTER_TOKEN_FILE": str(private_file("token", token))}
    own |= {f"JUPYTER_{kind}_DIR": str(WORK / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    inherited = {name: value for name, value in os.environ.items() if name != "JUPYTER_TOKEN"}  # it would win
    with private_file("jupyter.log").open("wb") as log:
        # A session of its own: Ctrl-C is for this script, which then stops JupyterLab in good order.
        return subprocess.Popen(
            command,
            env=inherited | own | environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def private_file(name: str, text: str = "") -> Path:
    """Write a file of the demo's folder that only this user can read."""
    path = WORK / name
    path.unlink(missing_ok=True)  # one that others can read, or have open, keeps neither
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def wait_until_it_answers(process: subprocess.Popen[bytes], url: str, token: str) -> bool:
    request = urllib.request.Request(f"{url}/api/status", headers={"Authorization": f"token {token}"})
    deadline = time.monotonic() + 180
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return True
        except OSError:
            time.sleep(0.1)
    return False


def free_port(wanted: int) -> int:
    """`wanted`, or any other port where that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the server itself does: the last demo has just left it
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end as Ctrl-C does
    process = None
    try:
        folder = notebooks_folder()
        token, port = secrets.token_hex(24), free_port(8888)
        sandbox_port = free_port(SANDBOX_PORT)
        if sandbox_port != SANDBOX_PORT:
            print(
                f"Port {SANDBOX_PORT} is in use: links to what earlier demos published don't work this time.",
                flush=True,
            )
        with Sandbox(path=WORK / "sandbox.sqlite", files=folder / "data", port=sandbox_port) as box:
            environment = {**environment_of(box), "CXW_STATE_DIR": str(WORK / "state")}
            # Guides run the command line.
            environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
            process = jupyter(folder, environment, port, token)
            url = f"http://127.0.0.1:{port}"
            if not wait_until_it_answers(process, url, token):
                print(f"JupyterLab did not start; {WORK / 'jupyter.log'} says why.", file=sys.stderr)
                return 1
            print(
                f"Open this address in a browser (Ctrl-C here stops everything):\n\n    {url}/lab/tree/tutorial.ipynb?token={token}\n",
                flush=True,
            )
            process.wait()
            print(f"JupyterLab has ended; {WORK / 'jupyter.log'} says why.", file=sys.stderr)
            return 1
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopping.")
        return 0
    finally:
        if process is not None and process.poll() is None:
            stop(process)


if __name__ == "__main__":
    sys.exit(main())
