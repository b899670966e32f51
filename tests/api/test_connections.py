"""Connections that are kept, and that they say the same as httpx of whatever a server answers."""

from __future__ import annotations

import multiprocessing
import os
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from api.broken_server import BrokenServer, answer
from api.test_failures import REFUSALS, UNCLEAR
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from constellations_widgets import errors
from constellations_widgets.api import Constellations, Retries
from constellations_widgets.api.connections import Connections

BODY = b'{"error":false,"handle":"me","display_name":"Me"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
GOOD = {
    "a length": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"%x;kind=first\r\n%s\r\n%X\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (9, BODY[:9], len(BODY) - 9, BODY[9:]),
    "nothing but the end": b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "no reason": b"HTTP/1.1 200 \r\n" + LENGTH + b"\r\n" + BODY,
    "a word before the answer": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
}
KEPT = answer("200 OK", BODY).replace(b"close", b"keep-alive")


def client_of(server: BrokenServer, **options) -> Constellations:
    return Constellations(server.url, "token", retries=Retries(tries=1), **options)


@pytest.mark.parametrize("script", GOOD.values(), ids=GOOD)
def test_an_answer_may_end_in_all_the_ways_of_http(script):
    with BrokenServer(script) as server:
        assert client_of(server).handle("me").display_name == "Me"


@pytest.mark.parametrize("name", ["a length", "chunks"])
def test_an_answer_that_is_cut_short_anywhere_is_never_taken_for_a_whole_one(name):
    script = GOOD[name]
    for end in range(len(script) - 1):
        with BrokenServer(script[:end]) as server, pytest.raises(errors.NoAnswerError):
            client_of(server).handle("me")


@pytest.mark.parametrize("script", [*UNCLEAR.values(), *(script for script, *_ in REFUSALS.values())])
def test_a_failure_is_the_same_by_httpx(script, submission):
    seen = []
    for transport in (None, httpx.HTTPTransport()):
        with BrokenServer(script) as server, pytest.raises(errors.ApiError) as caught:
            client_of(server, transport=transport).add_image("me", submission)
        seen.append((type(caught.value), caught.value.status))
    assert seen[0] == seen[1]


def opened(server: BrokenServer) -> int:
    return len(server._open)


def test_a_connection_that_the_server_has_closed_meanwhile_is_not_used():
    with BrokenServer(KEPT) as server, client_of(server) as client:
        client.handle("me")
        server._open[0].shutdown(socket.SHUT_RDWR)
        time.sleep(0.05)
        client.handle("me")
        assert (len(server.requests), opened(server)) == (2, 2)


def test_a_connection_with_more_on_it_than_was_asked_for_is_not_used_again():
    with BrokenServer(KEPT) as server, client_of(server) as client:
        client.handle("me")
        server._open[0].sendall(KEPT.replace(b"Me", b"No"))
        time.sleep(0.05)
        assert client.handle("me").display_name == "Me"
        assert opened(server) == 2


def test_many_threads_have_connections_of_their_own_and_leave_them_to_the_next():
    meeting = threading.Barrier(8)

    def ask():
        meeting.wait()
        client.handle("me")

    with BrokenServer(KEPT) as server, client_of(server) as client:
        for _ in range(3):
            threads = [threading.Thread(target=ask) for _ in range(8)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
        assert len(server.requests) == 24
        assert opened(server) <= 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
def test_a_child_that_is_forked_leaves_the_parents_connection_to_the_parent():
    with BrokenServer(KEPT) as server, client_of(server) as client:
        client.handle("me")
        child = multiprocessing.get_context("fork").Process(target=client.handle, args=("me",))
        child.start()
        child.join(20)
        child.kill()
        assert child.exitcode == 0 and opened(server) == 2
        client.handle("me")
        assert (len(server.requests), opened(server)) == (3, 2)


def test_a_closed_client_opens_new_connections():
    with BrokenServer(KEPT) as server:
        client = client_of(server)
        client.handle("me")
        client.close()
        client.handle("me")
        assert opened(server) == 2


def test_what_http_can_not_carry_does_not_leave(submission):
    with BrokenServer(KEPT) as server, client_of(server) as client:
        client._transport.credentials.header = lambda url: "Bearer a\r\nX-Evil: 1"
        with pytest.raises(errors.NotSentError) as caught:
            client.add_image("me", submission)
        assert "Evil" not in str(caught.value)
        assert server.requests == []


@pytest.fixture
def certificate(tmp_path) -> Path:
    """A certificate of this machine's, and its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    text = key.private_bytes(serialization.Encoding.PEM, *form) + made.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "localhost.pem").write_bytes(text)
    return tmp_path / "localhost.pem"


class SecureServer(BrokenServer):
    def __init__(self, certificate: Path, *script):
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        super().__init__(*script)
        self.url = self.url.replace("http://127.0.0.1", "https://localhost")

    def _serve(self, connection):
        try:
            super()._serve(self._context.wrap_socket(connection, server_side=True))
        except OSError:  # a client that does not trust it
            connection.close()


def test_https_is_spoken_with_a_server_whose_certificate_is_good(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with SecureServer(certificate, KEPT) as server, client_of(server) as client:
        assert [client.handle("me").display_name for _ in range(3)] == ["Me"] * 3
        assert opened(server) == 1


def test_large_bodies_go_both_ways_by_https(certificate, monkeypatch):
    def echo(connection, request):
        connection.sendall(answer("200 OK", request.partition(b"\r\n\r\n")[2]))

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    body = os.urandom(4 * 2**20)
    with SecureServer(certificate, echo) as server:
        limits = {"connect_timeout": 10, "timeout": 10, "within": 60, "limit": 2 * len(body)}
        assert Connections(httpx.URL(server.url), **limits).send("POST", "/", [], body).content == body


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["nobody vouches for it", "of another name"])
def test_nothing_is_sent_to_a_server_whose_certificate_is_not_good(certificate, monkeypatch, submission, host):
    if host != "localhost":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with SecureServer(certificate, KEPT) as server:
        server.url = server.url.replace("localhost", host)
        with pytest.raises(errors.NotSentError, match="CERTIFICATE_VERIFY_FAILED"):
            client_of(server).add_image("me", submission)
        assert server.requests == []


def test_a_proxy_of_the_environment_is_used_for_other_machines(monkeypatch):
    with BrokenServer(KEPT) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("CONSTELLATIONS_TOKEN", raising=False)
        assert Constellations("http://api.invalid/v1", retries=Retries(tries=1)).handle("me").display_name == "Me"
    assert proxy.requests[0].startswith(b"GET http://api.invalid/v1/handle/me HTTP/1.1\r\n")
