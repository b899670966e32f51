from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from api.conftest import make_submission

from constellations_widgets.draft import ImageDraft
from constellations_widgets.sandbox import Sandbox

HANDLE = "command-line"
# The sandbox is not long at work on anything.
PROGRAM = """
import sys
from constellations_widgets.cli.app import main
if "publish" in sys.argv:
    from constellations_widgets.publishing import batch, reconcile
    batch.END_WAITS = reconcile.SETTLING_WAITS = (0.0, 0.05)
    reconcile.SETTLING_TIME = 0.05
sys.exit(main())
"""


class Shell:
    """Runs commands against a sandbox, as a user without any other sign-in does."""

    def __init__(self, box: Sandbox, home: Path):
        self.box, self.home, self.token = box, home, box.token()
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "CXW_STATE_DIR": str(home / "state"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "NUXT_PUBLIC_API_URL": box.api_url,
            "NUXT_PUBLIC_KEYCLOAK_URL": box.keycloak_url,
            "CONSTELLATIONS_TOKEN": self.token,
            "TERM": "xterm-256color",
            "COLUMNS": "120",
        }

    def start(self, *arguments: str, **streams: Any) -> subprocess.Popen:
        command = [sys.executable, "-c", PROGRAM, *arguments]
        return subprocess.Popen(command, env=self.environment, cwd=self.home, text=True, **streams)

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a command without a terminal."""
        pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
        with self.start(*arguments, stdin=subprocess.DEVNULL, **pipes) as process:
            out, err = process.communicate(timeout=120)
        assert self.token not in out + err
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def images(self) -> list[str]:
        """The notes of the published images, the newest first."""
        return [image.note for page in self.box.client().handle_images(HANDLE) for image in page]


class Terminal:
    """A command in a pseudo-terminal."""

    def __init__(self, shell: Shell, *arguments: str):
        self._shell, self.text = shell, ""
        self._ours, theirs = os.openpty()
        self.process = shell.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)

    def read(self, wanted: str) -> re.Match[str]:
        """Read until a text appears; return its match."""
        while not (found := re.search(wanted, self.text)):
            assert self._more(), f"{wanted!r} never appeared:\n{self.text}"
        return found

    def type(self, line: str) -> None:
        os.write(self._ours, f"{line}\n".encode())

    def end(self) -> int:
        """Read to the end; return the exit status."""
        while self._more():
            pass
        status = self.process.wait(60)
        os.close(self._ours)
        assert self._shell.token not in self.text
        return status

    def _more(self) -> bool:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if select.select([self._ours], [], [], 1)[0]:
                try:
                    content = os.read(self._ours, 1 << 16)
                except OSError:  # the program has closed it
                    return False
                self.text += content.decode()
                return bool(content)
        return False


@pytest.fixture(scope="module")
def box(tmp_path_factory) -> Any:
    with Sandbox(files=tmp_path_factory.mktemp("files")) as sandbox:
        yield sandbox


@pytest.fixture
def shell(box, tmp_path) -> Shell:
    box.add_handle(HANDLE)
    return Shell(box, tmp_path)


@pytest.fixture
def draft_file(tmp_path) -> Callable[..., str]:
    """Save a draft of an image that can be published; returns its file."""

    def save(note: str, **changes: Any) -> str:
        rights = {"copyright": "Copyright 2020 Henrietta Swan Leavitt", "license": "CC-BY-4.0", "credits": "By me"}
        url = f"https://example.org/{tmp_path.name}/{note.replace(' ', '-')}/{{1}}/{{3}}/{{3}}_{{2}}.png"
        body = {"note": note, "permissions": rights, "storage": {"legacy_url_template": url}} | changes
        draft = ImageDraft.from_submission(make_submission(**body), autosave=False)
        return str(draft.save(tmp_path / f"{note}.json"))

    return save


@pytest.fixture
def http(box) -> Any:
    with httpx.Client(base_url=box.api_url) as client:
        yield client
