"""Responses that are hardly ever seen, to a request that was carried out: the image is there once, and its receipt is right."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from publishing.conftest import FaultyProxy, make_draft, published

from constellations_widgets.api import Constellations
from constellations_widgets.errors import BusyError
from constellations_widgets.publishing import history, publish_draft

JSON = "Content-Type: application/json\r\n"


def chunk(text: str) -> str:
    return f"{len(text):x}\r\n{text}\r\n"


def plain(body: str, *, head: str = "HTTP/1.1 200 OK", headers: str = "") -> str:
    return f"{head}\r\n{JSON}{headers}Content-Length: {len(body)}\r\n\r\n{body}"


RESPONSES: dict[str, Callable[[str, str], str]] = {
    # By name: the raw response, of the right body and the image's id.
    "100 Continue before it": lambda body, _: "HTTP/1.1 100 Continue\r\n\r\n" + plain(body),
    "103 Early Hints before it": lambda body, _: "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + plain(body),
    "twice": lambda body, _: plain(body) + plain(body),
    "unsolicited bytes behind it": lambda body, _: plain(body) + "HTTP/1.1 408 Request Timeout\r\n\r\n",
    "chunked, with the last chunk": lambda body, _: (
        f"HTTP/1.1 200 OK\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n{chunk(body[:9])}{chunk(body[9:])}0\r\n\r\n"
    ),
    "chunked, cut off after the id": lambda body, _: (
        f"HTTP/1.1 200 OK\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n{chunk(body)}"
    ),
    "shorter than announced": lambda body, _: plain(body).replace("Content-Length: ", "Content-Length: 1"),
    "with two lengths": lambda body, _: plain(body, headers="Content-Length: 3\r\n"),
    "without any length": lambda body, _: f"HTTP/1.1 200 OK\r\n{JSON}\r\n{body}",
    "HTTP/1.0": lambda body, _: plain(body, head="HTTP/1.0 200 OK"),
    "a byte order mark before it": lambda body, _: plain("\ufeff" + body).replace("Content-Length: ", "Content-Length: ").replace(
        f"Content-Length: {len(body) + 1}", f"Content-Length: {len(body) + 3}"
    ),
    "an HTML page that says 200": lambda *_: plain("<!DOCTYPE html><h1>Welcome to this hotel</h1>"),
    "no content": lambda *_: "HTTP/1.1 204 No Content\r\n\r\n",
    "accepted": lambda body, _: plain(body, head="HTTP/1.1 202 Accepted"),
    "created": lambda body, _: plain(body, head="HTTP/1.1 201 Created"),
    "not modified": lambda *_: "HTTP/1.1 304 Not Modified\r\n\r\n",
    "see elsewhere": lambda _, id: f"HTTP/1.1 303 See Other\r\nLocation: /image/{id}\r\nContent-Length: 0\r\n\r\n",
    "a huge head": lambda body, _: plain(body, headers=f"X-Padding: {'x' * 100_000}\r\n"),
    "id twice, the other one last": lambda body, _: plain(body.replace("}", f',"id":"{"a" * 24}"}}')),
    "the id of no record": lambda *_: plain(json.dumps({"error": False, "id": "a" * 24, "rel_url": f"/image/{'a' * 24}"})),
    "the address of a scene": lambda body, _: plain(body.replace("/image/", "/scene/")),
    "503, come back in the past": lambda *_: (
        "HTTP/1.1 503 Later\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n"
    ),
    "503, come back at no time": lambda *_: "HTTP/1.1 503 Later\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n",
    "511": lambda *_: "HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", RESPONSES)
def test_the_image_is_there_once_and_the_receipt_is_its_own(box, client, draft, name):
    def answer(connection: socket.socket, request: bytes) -> None:
        body = proxy.forward(request).partition(b"\r\n\r\n")[2].decode()
        connection.sendall(RESPONSES[name](body, json.loads(body)["id"]).encode())

    with FaultyProxy(box, answer, commits=False) as proxy:
        receipt = publish_draft(draft, Constellations(proxy.url, box.token()), box.handle, probe=False)
        other = publish_draft(make_draft(), Constellations(proxy.url, box.token()), box.handle, probe=False)
    assert [image.id for image in client.find_images(draft.storage.legacy_url_template)] == [receipt.id]
    assert [attempt.image_id for attempt in history()] == [other.id, receipt.id]


@pytest.mark.parametrize("seconds", ["9" * 9, "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_server_that_asks_for_an_age_is_not_waited_for_that_long(box, client, draft, monkeypatch, seconds):
    head = f"Later\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n".encode()
    slept: list[float] = []
    monkeypatch.setattr("constellations_widgets.publishing.clock.sleep", slept.append)
    moments = iter(range(0, 10**6, 30))
    monkeypatch.setattr("constellations_widgets.publishing.clock.monotonic", lambda: float(next(moments)))
    for status, error, commits in ((429, BusyError, False), (503, None, True)):
        with FaultyProxy(box, b"HTTP/1.1 %d %s" % (status, head), commits=commits) as proxy:
            way = Constellations(proxy.url, box.token())
            if error:
                with pytest.raises(error):
                    publish_draft(draft, way, box.handle, probe=False)
                assert slept == []
            else:
                publish_draft(draft, way, box.handle, probe=False)
    assert sum(slept) < 120 and published(client, draft) == 1


PROGRAM = """
import json
import sys
from publishing.conftest import *
from constellations_widgets import ImageDraft
from constellations_widgets.api import Constellations
from constellations_widgets.publishing import publish_draft
draft = ImageDraft.from_submission(json.load(sys.stdin), autosave=False)
print(publish_draft(draft, Constellations(sys.argv[1], sys.argv[2], timeout=1.0), sys.argv[3], probe=False).id)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows does not stop processes")
def test_a_process_that_is_stopped_for_longer_than_every_timeout_ends_well(box, client, draft):
    """A laptop is closed while a request is under way, and opened again."""

    def answer(connection: socket.socket, request: bytes) -> None:
        response = proxy.forward(request)
        os.kill(process.pid, signal.SIGSTOP)
        connection.sendall(response)
        time.sleep(2.5)  # more than the client's time limit for the whole request
        os.kill(process.pid, signal.SIGCONT)

    with FaultyProxy(box, answer, commits=False) as proxy:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, proxy.url, box.token(), box.handle],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1],
        )  # fmt: skip
        said, _ = process.communicate(draft.submission().to_json().decode(), timeout=120)
    (image,) = client.find_images(draft.storage.legacy_url_template)
    assert said.split() == [image.id]
