"""WTML from a web address: its relative addresses count from there, and no answer is believed without bounds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.sources import wtml

WTML = (
    b'<Folder><ImageSet Name="M 51" Url="{1}/{3}/{3}_{2}.png" Projection="Tan" TileLevels="2">'
    b"<ThumbnailUrl>thumb.jpg</ThumbnailUrl></ImageSet></Folder>"
)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        places = {"/moved": "/m51/index_rel.wtml", "/away": "file:///etc/passwd", "/secret": "http://a:b@localhost/"}
        if place := places.get(self.path):
            self.send_response(302)
            self.send_header("Location", place)
            self.end_headers()
            return
        self.send_response(200 if self.path.endswith((".wtml", "/endless")) else 404)
        self.end_headers()
        self.wfile.write(WTML if self.path.endswith(".wtml") else b" " * 100_000)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/m51/index_rel.wtml", "/moved"])
def test_relative_addresses_count_from_where_the_wtml_was_found(server, path):
    draft = ImageDraft.from_wtml(server + path, autosave=False)
    assert draft.storage.legacy_url_template == f"{server}/m51/{{1}}/{{3}}/{{3}}_{{2}}.png"
    assert draft.wwt.thumbnail_url == f"{server}/m51/thumb.jpg"
    assert draft.local is None and draft.origin == f"{server}/m51/index_rel.wtml"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nothing", "the server says 404"),
        ("/away", "the server says 302"),
        ("/secret", "holds a user name or password"),
        ("/endless", "larger than 0 MB"),
    ],
)
def test_an_answer_that_is_none_is_refused(server, path, message, monkeypatch):
    monkeypatch.setattr(wtml, "SIZE_LIMIT", 1000)
    with pytest.raises(SourceError, match=message) as caught:
        ImageDraft.from_wtml(server + path, autosave=False)
    assert "a:b" not in str(caught.value)


def test_a_server_that_is_not_there_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(SourceError, match="can't be read"):
            ImageDraft.from_wtml(f"http://127.0.0.1:{taken.getsockname()[1]}/a.wtml", autosave=False)
