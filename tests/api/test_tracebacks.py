"""No traceback shows a secret, however much it shows, when a call is interrupted while it waits."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import h11
import httpcore
import httpx
import pytest
from api.broken_server import BrokenServer, requests_on, silent
from rich.pretty import pretty_repr

import constellations_widgets
from constellations_widgets.api import Constellations
from constellations_widgets.auth.credentials import Secret
from constellations_widgets.auth.identity import images_login
from constellations_widgets.auth.post_form import post_form
from constellations_widgets.auth.tokens import tokens_of
from constellations_widgets.errors import ConstellationsError

TOKEN = "eyJhbGciOiJSUzI1NiJ9." + "tokentoken" * 40 + ".c2lnbmF0dXJl"
PASSWORD = "passwordpassword" * 10


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> dict[str, str]:
    """The tracebacks of each call."""
    file = tmp_path_factory.mktemp("upload") / "m51.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    with BrokenServer(silent) as server:
        program = Path(__file__).with_name("interrupted_program.py")
        done = subprocess.run(
            [sys.executable, str(program), server.url, str(file)],
            input=f"{TOKEN}\n{PASSWORD}\n",
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert len(server.requests) == 8  # each call was interrupted while it waited for its response
        sent = b"".join(server.requests)
    assert sent.count(TOKEN.encode()) == 7 and PASSWORD.encode() in sent
    return dict(part.split("\n", 1) for part in done.stdout.split("\x1e")[1:])


CALLS = ["add_image", "update", "pages", "upload", "download", "token endpoint", "login", "a connection that is kept"]


@pytest.mark.parametrize("call", CALLS)
def test_no_traceback_shows_a_secret(shown, call):
    text = shown[call]
    assert "KeyboardInterrupt" in text and "httpcore" not in text
    assert_hidden(text)


def assert_hidden(text: str) -> None:
    for secret in (TOKEN, PASSWORD):
        for part in (secret[:12], secret[len(secret) // 2 :][:12], secret[-12:]):
            assert part not in text, text[max(0, text.find(part) - 3000) : text.find(part) + 100]


# -- an interrupt at any line

SAID = {
    "handle": b'{"error": false, "handle": "me"}',
    "image": b'{"error": false, "id": "5e9f1c3a7b2d4e6f8a0b1c2d", "rel_url": "/image/5e9f1c3a7b2d4e6f8a0b1c2d"}',
    "token": b'{"access_token": "%s", "refresh_token": "%s", "expires_in": 300}' % (TOKEN.encode(), TOKEN.encode()),
    "login": b'{"access_token": "%s"}' % TOKEN.encode(),
    "echo": b'{"error": true, "message": "%s"}' % TOKEN.encode(),
}


def answer_in_parts(connection: socket.socket, request: bytes) -> None:
    """Answer, and keep the connection; the body comes in two parts."""
    while request:
        path = request.split(b" ", 2)[1].rpartition(b"/")[2].decode()
        body = SAID.get(path, SAID["handle"])
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])
        time.sleep(0.001)
        connection.sendall(body[len(body) // 2 :])
        request = next(requests_on(connection), b"")


@pytest.fixture(scope="module")
def server():
    with BrokenServer(answer_in_parts) as server:
        yield server


def calls(url: str) -> dict[str, Callable[[], object]]:
    token, password = Secret(TOKEN), Secret(PASSWORD)
    client = Constellations(url, token)

    def tokens() -> object:
        return tokens_of(post_form(f"{url}/token", {"refresh_token": token})[1], "https://id.example.org", "me")

    return {
        "a read": lambda: client.handle("me"),
        "a publication": lambda: client.add_image("me", b"{}"),
        "tokens": tokens,
        "a login": lambda: images_login(url, "me", password),
        "a token that is repeated": lambda: client.handle("echo"),
    }


_PLACES = tuple(str(Path(module.__file__).parent) + os.sep for module in (constellations_widgets, httpx, httpcore, h11))


class Interrupter:
    """Raises KeyboardInterrupt at one line that is executed, or notes all."""

    def __init__(self, at: tuple[str, int] | None = None):
        self.lines: dict[tuple[str, int], None] = {}
        self._at = at

    def __enter__(self) -> Interrupter:
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _enter(self, frame: FrameType, _event: str, _: object) -> object:
        return self._line if frame.f_code.co_filename.startswith(_PLACES) else None

    def _line(self, frame: FrameType, event: str, _: object) -> object:
        place = frame.f_code.co_filename, frame.f_lineno
        self.lines.setdefault(place)
        if event == "line" and place == self._at:
            self._at = None
            raise KeyboardInterrupt
        return self._line


def variables(error: BaseException | None) -> str:
    """Return all variables of the frames in a traceback, and in those of what it was raised from."""
    texts = []
    while error is not None:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename != __file__]
        texts += [f"{frame.f_code}: {pretty_repr(frame.f_locals, max_string=10_000)}" for frame in frames]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("turn", "call"), list(enumerate(["a read", "a publication", "tokens", "a login", "a token that is repeated"]))
)
def test_no_line_that_is_interrupted_shows_a_secret(server, turn, call):
    """The calls have most lines in common: each takes its turn at some of them."""

    def run(at: tuple[str, int] | None = None) -> Interrupter:
        with Interrupter(at) as interrupter, contextlib.suppress(ConstellationsError):
            calls(server.url)[call]()
        return interrupter

    run()  # what is done once only
    # An interrupt in httpcore's own locks leaves them locked, and it then waits for them until the next interrupt.
    all_lines, interrupted = [place for place in run().lines if "_synchronization" not in place[0]], 0
    ours = [place for place in all_lines if "constellations_widgets" in place[0]]
    theirs = [place for place in all_lines if place not in ours]
    lines = [*ours[turn::5], *theirs[turn::25]]
    assert {Path(file).name for file, _ in lines} >= {"network.py", "http11.py", "_connection.py"}
    for place in lines:
        try:
            run(place)
        except KeyboardInterrupt as error:
            interrupted += 1
            assert_hidden(variables(error))
    assert interrupted > len(lines) // 2
