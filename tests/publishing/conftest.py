from __future__ import annotations

import io
import socket
import threading
import uuid

import pytest
from api.broken_server import BrokenServer, silent
from api.conftest import make_submission
from PIL import Image

from constellations_widgets.api.web import ProbeResult
from constellations_widgets.draft import ImageDraft
from constellations_widgets.publishing import Journal
from constellations_widgets.sandbox import Sandbox


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    """A state directory of the test's own."""
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path))
    # The sandbox is not long at work on anything.
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_WAITS", (0.0, 0.05))
    monkeypatch.setattr("constellations_widgets.publishing.reconcile.SETTLING_TIME", 0.05)
    monkeypatch.setattr("constellations_widgets.publishing.batch.END_WAITS", (0.0, 0.05))
    return tmp_path


def picture(wide: int, high: int, kind: str = "JPEG") -> bytes:
    """A picture file."""
    file = io.BytesIO()
    Image.new("RGB", (wide, high), "navy").save(file, kind)
    return file.getvalue()


class MadeUpWeb:
    """Stands in for the web: whatever is looked at is there, as it should be."""

    thumbnail = picture(96, 45)

    def __enter__(self) -> MadeUpWeb:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def probe(self, url: str, enough, *, private: bool) -> ProbeResult:
        return ProbeResult(status=200, content_type="image/jpeg", shared=True, content=self.thumbnail)


@pytest.fixture(autouse=True)
def made_up_web(monkeypatch):
    """The addresses of these tests' images are made up: no test asks the real web for them."""
    monkeypatch.setattr("constellations_widgets.publishing.probes.WebProber", MadeUpWeb)


@pytest.fixture(scope="session")
def box():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def journal():
    return Journal()


def make_draft(**changes) -> ImageDraft:
    """A draft without problems, of an image that no other test has."""
    url = f"https://example.org/{uuid.uuid4().hex}/{{1}}/{{3}}/{{3}}_{{2}}.png"
    submission = make_submission(storage={"legacy_url_template": url})
    draft = ImageDraft.from_submission(submission, autosave=False)
    draft.update({"permissions.credits": "NOIRLab", **changes})
    return draft


@pytest.fixture
def draft() -> ImageDraft:
    return make_draft()


class FaultyProxy(BrokenServer):
    """Stands before the sandbox. What adds images meets a fault; everything else goes through.

    Parameters
    ----------
    commits : bool
        Whether the sandbox gets the request before the fault.
    fault : step
        What the client sees, for the first image. Later ones go through.
    """

    def __init__(self, box: Sandbox, fault, *, commits: bool):
        self.reached, self.held = threading.Event(), b""
        self.is_silent = fault is silent
        self._box, self._fault, self._commits = box, fault, commits
        super().__init__(self._relay)

    def _relay(self, connection: socket.socket, request: bytes) -> None:
        fault = self._fault if request.startswith(b"POST /handle/") else None
        if fault is None:
            connection.sendall(self.forward(request))
            return
        self._fault = None
        if self._commits:
            self.forward(request)
        self.held = request
        self.reached.set()
        if isinstance(fault, bytes):
            connection.sendall(fault)
        else:
            fault(connection, request)

    def forward(self, request: bytes) -> bytes:
        """Send a request to the sandbox; gives its answer."""
        port = int(self._box.api_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as inner:
            inner.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            return b"".join(iter(lambda: inner.recv(65536), b""))


def published(client, draft) -> int:
    """How many records of this draft's image the server has."""
    return len(client.find_images(draft.storage.legacy_url_template))
