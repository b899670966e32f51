"""WTML from a web address: its relative addresses count from there, and no answer is believed without bounds."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpcore
import pytest
from api.broken_server import BrokenServer, answer, dripping, silent

from constellations_widgets import http, network
from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.sources import web, wtml

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
        if self.path.endswith("/all.wtml"):
            self.wfile.write(
                b'<Folder><Folder Url="m51/a.wtml"/><Folder Url="https://a:b@example.org/b.wtml"/></Folder>'
            )
        else:
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
        ("/away", "leads to one that must be a public web address"),
        ("/secret", "contains a user name or password"),
        ("/endless", "larger than 0 MB"),
        ("/lists/all.wtml", r"from_wtml\('.*/lists/m51/a.wtml'\); it links to 'https://example.org/b.wtml', too"),
    ],
)
def test_an_unusable_response_is_refused(server, path, message, monkeypatch):
    monkeypatch.setattr(wtml, "SIZE_LIMIT", 1000)
    with pytest.raises(SourceError, match=message) as caught:
        ImageDraft.from_wtml(server + path, autosave=False)
    assert "a:b" not in str(caught.value)


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(monkeypatch):
    def dripping_body(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n<Folder>")
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)

    monkeypatch.setattr(web, "_TIMEOUT", 0.3)
    for step in (dripping, dripping_body, silent):
        with BrokenServer(step) as broken, pytest.raises(SourceError, match="can't be read .*(too long|timed out)"):
            ImageDraft.from_wtml(f"{broken.url}/a.wtml", autosave=False)


def test_a_compressed_answer_is_refused():
    script = answer("200 OK", gzip.compress(WTML), "Content-Encoding: gzip")
    with BrokenServer(script) as broken, pytest.raises(SourceError, match="compressed"):
        ImageDraft.from_wtml(f"{broken.url}/a.wtml", autosave=False)


NAMES = {
    "public.example.org": ["8.8.8.8"],
    "intranet.example.org": ["10.1.2.3"],
    "cloud.example.org": ["169.254.169.254"],
    "[fe80::1]": ["fe80::1"],
    "mapped.example.org": ["::ffff:169.254.169.254"],
}


@pytest.fixture
def internet(monkeypatch) -> Iterator[BrokenServer]:
    """A network of the test's own, all of whose hosts are one server."""

    class Backend(httpcore.SyncBackend):
        def connect_tcp(self, host, port, timeout=None, **options):
            return super().connect_tcp("127.0.0.1", int(broken.url.rpartition(":")[2]), timeout, **options)

    def page(connection, request):
        path = request.split(b" ")[1].decode()
        if path.startswith("/to/"):
            connection.sendall(answer("302 Found", b"", f"Location: http://{path.removeprefix('/to/')}/a.wtml"))
        else:
            connection.sendall(answer("200 OK", WTML))

    with BrokenServer(page) as broken:
        monkeypatch.setattr(
            http,
            "Network",
            lambda allows: network.Network(allows, lambda host, port: NAMES.get(host, [host]), Backend()),
        )
        yield broken


@pytest.mark.parametrize(
    ("address", "trusted", "is_allowed"),
    [
        ("http://public.example.org/a.wtml", True, True),
        ("http://public.example.org/a.wtml", False, True),
        ("http://intranet.example.org/a.wtml", True, True),
        ("http://intranet.example.org/a.wtml", False, False),
        ("http://intranet.example.org/to/public.example.org", True, True),
        ("http://intranet.example.org/to/intranet.example.org", True, True),
        ("http://public.example.org/to/public.example.org", True, True),
        ("http://public.example.org/to/intranet.example.org", True, False),
        ("http://public.example.org/to/127.0.0.1", True, False),
        ("http://intranet.example.org/to/cloud.example.org", True, False),
        ("http://cloud.example.org/a.wtml", True, False),
        ("http://mapped.example.org/a.wtml", True, False),
        ("http://169.254.169.254/latest", True, False),
        ("http://[fe80::1]/a.wtml", True, False),
    ],
)
def test_no_address_leads_into_a_private_network_that_the_user_did_not_name(internet, address, trusted, is_allowed):
    if is_allowed:
        assert web.fetch(address, 10_000, trusted=trusted)[0] == WTML
        return
    with pytest.raises(SourceError, match="which is in a private network"):
        web.fetch(address, 10_000, trusted=trusted)
    assert len(internet.requests) == ("/to/" in address)


def test_a_server_that_is_not_there_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(SourceError, match="can't be read"):
            ImageDraft.from_wtml(f"http://127.0.0.1:{taken.getsockname()[1]}/a.wtml", autosave=False)
