"""HTTP against real servers: connections that are kept, what ends them, proxies, certificates and addresses."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import httpx
import pytest
from api.broken_server import BrokenServer, answer, requests_on
from api.test_failures import REFUSALS, UNCLEAR
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from ports import free_port

from constellations_widgets import errors, http, network
from constellations_widgets.api import Constellations, Retries
from constellations_widgets.auth.post_form import post_form

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


def receipt(number: int, form: str = "a length") -> bytes:
    id = f"{number:024x}"
    body = f'{{"error":false,"id":"{id}","rel_url":"/image/{id}"}}'
    if form == "chunks":
        head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
        return f"{head}{len(body):x}\r\n{body}\r\n0\r\n\r\n".encode()
    return answer("200 OK", body).replace(b"close", b"keep-alive")


ID = f"{1:024x}"
RECEIPT = receipt(1)


def end(server: BrokenServer, number: int, how: str) -> None:
    """Let a connection of the server's end, or carry bytes that nobody asked for."""
    connection = server._open[number]
    if how == "bytes":
        connection.sendall(KEPT.replace(b"Me", b"No"))
    else:
        connection.shutdown(socket.SHUT_RDWR)
    time.sleep(0.05)  # what was sent on this machine has come


@pytest.mark.parametrize("how", ["closed", "bytes"])
def test_a_connection_that_has_ended_or_carries_unsolicited_bytes_is_replaced(how):
    with BrokenServer(KEPT) as server, client_of(server) as client:
        client.handle("me")
        end(server, 0, how)
        assert client.handle("me").display_name == "Me"
        assert (len(server.requests), opened(server)) == (2, 2)


@pytest.mark.parametrize("how", ["closed", "bytes"])
def test_a_connection_is_checked_again_just_before_a_request_is_written(monkeypatch, submission, how):
    def without_readable(stream: network.Stream, info: str) -> object:
        return info != "is_readable" and stream._stream.get_extra_info(info)

    with BrokenServer(KEPT, RECEIPT) as server, client_of(server) as client:
        client.handle("me")
        monkeypatch.setattr(network.Stream, "get_extra_info", without_readable)  # the pool has found it good
        end(server, 0, how)
        assert client.add_image("me", submission).id == ID
        assert (len(server.requests), opened(server)) == (2, 2)


def test_a_request_of_which_not_a_byte_could_be_written_goes_out_on_a_new_connection(monkeypatch, submission):
    def break_first(stream: network.Stream, *arguments: object) -> None:
        writes.append(stream)
        if len(writes) == 1:
            raise httpcore.WriteError("Broken pipe")
        write(stream, *arguments)

    writes: list[network.Stream] = []
    write = network.Stream._write
    with BrokenServer(KEPT, RECEIPT) as server, client_of(server) as client:
        client.handle("me")
        monkeypatch.setattr(network.Stream, "_write", break_first)
        assert client.add_image("me", submission).id == ID
        assert (len(server.requests), opened(server)) == (2, 2)
        client.close()
        writes.clear()
        with pytest.raises(errors.NotSentError):  # not even on a new connection: it is not tried again
            client.add_image("me", submission)
        assert len(server.requests) == 2


def test_a_request_that_could_not_be_written_in_time_was_not_sent(monkeypatch, submission):
    def wait(*_arguments: object) -> None:
        raise httpcore.WriteTimeout("timed out")

    with BrokenServer(KEPT, RECEIPT) as server, client_of(server) as client:
        client.handle("me")
        monkeypatch.setattr(network.Stream, "_write", wait)
        with pytest.raises(errors.NotSentError):
            client.add_image("me", submission)
        assert len(server.requests) == 1


@pytest.mark.parametrize(("size", "parts"), [(0, 1), (1000, 1), (20_000, 2)])
def test_a_short_request_is_written_at_once(monkeypatch, size, parts):
    def note(stream: network.Stream, buffer: bytes, *arguments: object) -> None:
        written.append(buffer) if buffer else None
        write(stream, buffer, *arguments)

    written: list[bytes] = []
    write = network.Stream._write
    monkeypatch.setattr(network.Stream, "_write", note)
    body = os.urandom(size)
    with BrokenServer(KEPT) as server, http.new_client(http.PooledTransport(), 10) as client:
        for _ in range(2):  # on a new connection and on a kept one
            with client.stream("POST", server.url, content=body) as response:
                assert http.read(response, 1000) == BODY
        assert (opened(server), len(written)) == (1, 2 * parts)
        assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [body] * 2


@pytest.mark.parametrize("together", [True, False], ids=["in one part", "in two parts"])
@pytest.mark.parametrize("form", ["a length", "chunks"])
def test_a_response_that_comes_twice_is_never_that_of_the_next_request(form, together, submission):
    class Twice(BrokenServer):
        def _serve(self, connection):
            with contextlib.suppress(OSError):
                for request in requests_on(connection):
                    self.requests.append(request)
                    response = receipt(len(self.requests), form)
                    for part in [response * 2] if together else [response] * 2:
                        connection.sendall(part)

    with Twice() as server, client_of(server) as client:
        for number in range(1, 5):
            assert client.add_image("me", submission).id == f"{number:024x}"
            if not together:
                time.sleep(0.05)  # a response that comes later than the next request can't be told from its response
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("name", "is_kept"), [("a length", True), ("chunks", False), ("nothing but the end", False), ("HTTP/1.0", False)]
)
def test_only_a_response_of_known_length_leaves_a_connection_for_the_next_request(name, is_kept):
    class Keeping(BrokenServer):
        def _serve(self, connection):
            with contextlib.suppress(OSError):  # the test can end before the connection does
                for _ in requests_on(connection):
                    connection.sendall(GOOD[name])
                    if name == "nothing but the end":
                        connection.shutdown(socket.SHUT_WR)

    with Keeping() as server, client_of(server) as client:
        assert [client.handle("me").display_name for _ in range(2)] == ["Me", "Me"]
        assert opened(server) == (1 if is_kept else 2)


class Clock:
    """The time of the network module, which a test can move on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@pytest.mark.parametrize(
    ("header", "idle", "is_kept"),
    [
        ("X-None: 1", 0.5, True), ("X-None: 1", 2.1, False),
        ("Keep-Alive: timeout=5", 0.5, True), ("Keep-Alive: timeout=5", 2.1, False),
        ("Keep-Alive: timeout=1, max=100", 0.6, False), ("Keep-Alive: max=9, TIMEOUT = 2", 1.1, False),
        ("Keep-Alive: timeout=600", 2.1, False), ("Keep-Alive: timeout=0", 0.0, False), ("Keep-Alive: x", 0.5, True),
    ],
)  # fmt: skip
def test_a_connection_is_left_before_the_server_may_close_it(monkeypatch, submission, header, idle, is_kept):
    clock = Clock()
    monkeypatch.setattr(network, "time", clock)
    script = [it.replace(b"Connection", header.encode() + b"\r\nConnection") for it in (KEPT, RECEIPT)]
    with BrokenServer(*script) as server, client_of(server) as client:
        client.handle("me")
        clock.ahead += idle
        client.add_image("me", submission)
        assert opened(server) == (1 if is_kept else 2)


def test_no_write_is_unclear_because_the_server_closes_idle_connections(submission):
    """As Node does after 5 s: the server closes a connection just when the next request comes."""

    class Node(BrokenServer):
        def _serve(self, connection):
            connection.settimeout(1.0)
            with connection, contextlib.suppress(OSError):
                for request in requests_on(connection):
                    self.requests.append(request)
                    connection.sendall(RECEIPT.replace(b"Connection", b"Keep-Alive: timeout=1\r\nConnection"))

    def publish(pause: float) -> None:
        with client_of(server) as client:
            client.add_image("me", submission)
            time.sleep(pause)
            client.add_image("me", submission)
            published.append(pause)

    published: list[float] = []
    with Node() as server:
        threads = [threading.Thread(target=publish, args=(0.99 + number / 1000,)) for number in range(20)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    assert len(published) == 20


def endless(begin: bytes, part: bytes):
    """A step: what never ends, until the client gives up."""

    def send(connection, request):
        connection.sendall(begin)
        while True:
            connection.sendall(part)
            time.sleep(0.005)

    return send


@pytest.mark.parametrize(
    ("begin", "part", "words"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "did not respond in time"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", "did not respond in time"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b" ", "did not respond in time"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n" * 1000, "too long"),
    ],
    ids=["announcements", "chunks", "a byte now and then", "headers"],
)
def test_what_never_ends_is_given_up(submission, begin, part, words):
    with BrokenServer(endless(begin, part)) as server, client_of(server, timeout=1) as client:
        with pytest.raises(errors.UnclearError, match=words):
            client.add_image("me", submission)
        assert len(server.requests) == 1


def test_a_server_that_reads_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with http.new_client(http.PooledTransport(), 0.3) as client, pytest.raises(http.TimeoutException):
            client.post(url, content=bytes(50_000_000), extensions={"deadline": http.Deadline(0.6)})


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
    with (
        SecureServer(certificate, echo) as server,
        http.new_client(http.PooledTransport(), 10) as client,
        client.stream("POST", server.url, content=body) as response,
    ):
        assert http.read(response, 2 * len(body)) == body


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


@pytest.mark.parametrize("way", ["directly", "through a proxy"])
def test_a_connection_that_was_closed_while_idle_is_replaced_before_anything_is_sent(way, monkeypatch):
    class Closing(BrokenServer):
        def _serve(self, connection):
            with connection:
                self.requests.append(next(requests_on(connection)))
                connection.sendall(receipt(len(self.requests)))

    monkeypatch.delenv("NO_PROXY", raising=False)
    with Closing() as server, http.new_client(http.PooledTransport(), 10) as client:
        url = server.url
        if way == "through a proxy":
            monkeypatch.setenv("HTTP_PROXY", url)
            url = "http://api.example"
        for number in range(1, 4):
            assert client.post(url, content=b"{}").json()["id"] == f"{number:024x}"
            time.sleep(0.1)  # the end of the connection is here
        assert (len(server.requests), opened(server)) == (3, 3)


@pytest.fixture
def proxied(monkeypatch):
    """Sets the environment's proxy."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    def use(url: str) -> None:
        for variable in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, url.replace("://", "://me:proxysecret@"))

    return use


PROXY_FAULTS = {
    "refuses to connect": (answer("403 Forbidden"), "did not connect to it: 403 Forbidden"),
    "wants a password": (answer("407 Proxy Authentication Required"), "407 Proxy Authentication Required"),
    "ends": (b"", "did not connect to it: Server disconnected"),
    "speaks no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "did not connect to it"),
    "no TLS behind it": (b"HTTP/1.1 200 OK\r\n\r\nnot TLS at all", "did not connect to it: "),
}


@pytest.mark.parametrize("name", PROXY_FAULTS)
def test_a_proxy_that_does_not_connect_is_named_with_the_cause_and_nothing_was_sent(proxied, submission, name):
    script, cause = PROXY_FAULTS[name]
    with BrokenServer(script) as proxy:
        proxied(proxy.url)
        with pytest.raises(errors.NotSentError, match=cause) as caught:
            Constellations("https://api.invalid", "token").add_image("me", submission)
        assert f"the proxy {proxy.url}" in str(caught.value)
        assert "proxysecret" not in str(caught.value)
        with pytest.raises(errors.NotSentError, match=cause) as caught:
            post_form("https://login.invalid/token", {"refresh_token": "x"})
        assert f"https://login.invalid/token can't be reached: the proxy {proxy.url}" in str(caught.value)
        assert all(request.startswith(b"CONNECT ") for request in proxy.requests)


def test_a_proxy_that_is_not_there_is_named(proxied, submission):
    url = f"http://127.0.0.1:{free_port()}"
    proxied(url)
    with pytest.raises(errors.NotSentError, match=f"the proxy {url} did not connect to it: .*Connection refused"):
        Constellations("https://api.invalid", "token").add_image("me", submission)


def test_a_proxy_that_wants_a_password_for_plain_http_is_named(proxied):
    with BrokenServer(answer("407 Proxy Authentication Required")) as proxy:
        proxied(proxy.url)
        with pytest.raises(errors.NotSentError, match=f"the proxy {proxy.url} says .*407"):
            Constellations("http://api.invalid", retries=Retries(tries=1)).handle("me")
        assert b"proxy-authorization: basic" in proxy.requests[0].lower()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1", "socks5://127.0.0.1:1"])
def test_a_proxy_that_can_not_be_used_is_named(proxied, url):
    proxied(url)
    with pytest.raises(errors.NotSentError, match=r"the proxy .* can't be used|did not connect to it") as caught:
        Constellations("https://api.invalid", retries=Retries(tries=1)).handle("me")
    assert "proxysecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("addresses", "is_allowed"),
    [(["8.8.8.8"], True), (["10.0.0.7"], False), (["8.8.8.8", "127.0.0.1"], False), (["169.254.169.254"], False)],
)
def test_an_address_is_checked_where_it_is_connected_to(addresses, is_allowed):
    """The name server can't say one thing to a check and another to the connection: it is asked once."""

    class Noting(httpcore.SyncBackend):
        def connect_tcp(self, host, port, timeout=None, **options):
            connected.append(host)
            raise httpcore.ConnectError("noted")

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return addresses

    asked: list[str] = []
    connected: list[str] = []
    guarded = http.PooledTransport(lambda: network.Network(network.is_public, resolve, Noting()))
    with http.new_client(guarded, 5) as client, pytest.raises(httpx.ConnectError) as caught:
        client.get("http://images.example.org/")
    assert isinstance(caught.value, http.BlockedAddressError) != is_allowed
    assert (asked, connected) == (["images.example.org"], addresses if is_allowed else [])


def test_a_guarded_request_through_a_proxy_is_checked_as_far_as_the_name_is_known_here(proxied):
    names = {"inside.example.org": ["10.0.0.7"], "known.example.org": ["8.8.8.8"], "127.0.0.1": ["127.0.0.1"]}

    def resolve(host: str, port: int) -> list[str]:
        if host not in names:
            raise OSError("not known")
        return names[host]

    guarded = http.PooledTransport(lambda: network.Network(network.is_public, resolve))
    with BrokenServer(KEPT) as proxy, http.new_client(guarded, 5) as client:
        proxied(proxy.url)
        with pytest.raises(http.BlockedAddressError):
            client.get("http://inside.example.org/")
        for host in ("known.example.org", "unknown.example.org"):
            assert client.get(f"http://{host}/").status_code == 200


def test_an_interrupt_that_leaves_a_lock_of_httpcore_locked_does_not_hold_the_call(monkeypatch):
    """CPython delivers an interrupt between the acquisition of a lock in a function and the block that releases it."""

    def interrupted(lane, _request):
        lane._pool._optional_thread_lock.__enter__()
        raise KeyboardInterrupt

    monkeypatch.setattr("constellations_widgets.http._Lane.send", interrupted)
    raised = []

    def call():
        try:
            http.PooledTransport().handle_request(httpx.Request("GET", "http://127.0.0.1:9"))
        except KeyboardInterrupt:
            raised.append(True)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(20)
    assert raised
