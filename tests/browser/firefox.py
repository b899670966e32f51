"""A Firefox with WebGL for the tests, driven through WebDriver BiDi by puppeteer-core; it needs a screen, if only Xvfb's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from debian_packages import install
from npm_packages import installed

SCRIPT = Path(__file__).with_name("firefox.mjs")
NAMES = ("firefox-esr", "firefox")
PACKAGES = ("firefox-esr", "xvfb", "libgl1-mesa-dri", "libglx-mesa0", "libegl1")
PUPPETEER = "puppeteer-core@24.43.1"
PATIENCE = 300  # seconds; a time-out is how a test fails


def find_firefox() -> str | None:
    """Return the path of the program in CXW_FIREFOX, or of the first one on PATH; None if Firefox or Xvfb is missing."""
    names = filter(None, (os.environ.get("CXW_FIREFOX"), *NAMES))
    return next(filter(None, map(shutil.which, names)), None) if shutil.which("Xvfb") else None


def installed_firefox() -> str:
    """Return the program, installed by apt where this is root on Debian; without one, skip the test, or fail in CI."""
    why = "" if find_firefox() else install(*PACKAGES)
    if program := find_firefox():
        return program
    why = f"There is no Firefox, or no Xvfb. {why}".rstrip()
    pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)


@contextmanager
def screen() -> Iterator[str]:
    """Run Xvfb, a virtual screen; yield its name for DISPLAY."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as server:
        os.close(write)
        try:
            with os.fdopen(read) as number:
                yield f":{number.readline().strip()}"
        finally:
            server.terminate()


def act_in_firefox(folder: Path, **arguments: Any) -> dict[str, Any]:
    """Do what ``firefox.mjs`` says, with `arguments`; return what it has seen. Files go to `folder`."""
    program = installed_firefox()
    node, packages = installed(PUPPETEER, "which drives Firefox")
    with screen() as display:
        environment = {**os.environ, "DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1", "HOME": str(folder)}
        done = subprocess.run(
            [node, str(SCRIPT), json.dumps({"program": program, "folder": str(folder), **arguments})],
            cwd=packages,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen
