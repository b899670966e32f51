"""Whatever a server or the network does wrong, the error says what happened and what to do, and never the token."""

from __future__ import annotations

import json
import socket
import threading
import traceback

import httpx
import pytest
from api.broken_server import BrokenServer, answer, dripping, reset, silent
from ports import free_port

from constellations_widgets import errors
from constellations_widgets.api import Constellations, Retries
from constellations_widgets.api.transport import ANSWER_LIMIT

TOKEN = "eyJhbGciOiJSUzI1NiJ9.secretsecretsecret.c2lnbmF0dXJl"
ID = "5e9f1c3a7b2d4e6f8a0b1c2d"

EXPRESS = (
    "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n<title>Error</title>\n</head>\n<body>\n"
    "<pre>{}<br> &nbsp; &nbsp;at Layer.handle (/app/node_modules/express/lib/router/layer.js:95:5)</pre>\n</body>\n"
    "</html>\n"
)
NGINX = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr>nginx</body></html>"
)


def refusal(status: str, message: str) -> bytes:
    body = json.dumps({"error": True, "message": message})
    return answer(status, body, "Content-Type: application/json; charset=utf-8")


def page(status: str, template: str, text: str, *headers: str) -> bytes:
    return answer(status, template.format(text), "Content-Type: text/html; charset=utf-8", *headers)


REFUSALS = {
    "expired token": (
        page("401 Unauthorized", EXPRESS, "UnauthorizedError: jwt expired"),
        errors.SignInError,
        "UnauthorizedError: jwt expired",
    ),
    "not the owner": (refusal("403 Forbidden", "Forbidden"), errors.ForbiddenError, "Forbidden"),
    "no such handle": (refusal("404 Not Found", "Handle not found"), errors.NotFoundError, "Handle not found"),
    "unknown route": (
        page("404 Not Found", EXPRESS, "Cannot POST /handle/me/image"),
        errors.NotFoundError,
        "Cannot POST /handle/me/image",
    ),
    "too large": (
        page("413 Payload Too Large", EXPRESS, "PayloadTooLargeError: request entity too large"),
        errors.TooLargeError,
        "PayloadTooLargeError: request entity too large",
    ),
    "wrong type": (
        page("415 Unsupported Media Type", EXPRESS, "Unsupported Media Type"),
        errors.InvalidError,
        "Unsupported Media Type",
    ),
    "wrong values": (
        refusal(
            "400 Bad Request",
            'Submission did not match schema: Invalid value "a" supplied to : I/0: I0/wwt: W/center_x: number\n'
            'Invalid value "x" supplied to : I/0: I0/permissions: P/0: P0/license: SpdxExpression',
        ),
        errors.InvalidError,
        "the server does not take the values of wwt.center_x, permissions.license",
    ),
    "too many requests": (page("429 Too Many Requests", NGINX, "429 Too Many"), errors.BusyError, "429 Too Many"),
    "a status nobody knows": (answer("418 I'm a teapot"), errors.StatusError, "I'm a teapot"),
    "a refusal cut short": (
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 500\r\n\r\n{",
        errors.ForbiddenError,
        "Forbidden",
    ),
}

UNCLEAR = {
    "500 as JSON": refusal("500 Internal Server Error", "error serving POST /handle/me/image"),
    "500 as HTML": page("500 Internal Server Error", EXPRESS, "Internal Server Error"),
    "502 of a proxy": page("502 Bad Gateway", NGINX, "502 Bad Gateway"),
    "503 with a time": page("503 Service Unavailable", NGINX, "503 Later", "Retry-After: 7"),
    "503 of the API itself": answer(
        "503 Service Unavailable", '{"error":true,"message":"later"}', "X-Powered-By: Express", "Retry-After: 7"
    ),
    "507": answer("507 Insufficient Storage", b"", "Retry-After: 0"),
    "599": answer("599 Who Knows"),
    "503 without a time": page("503 Service Unavailable", NGINX, "503 Service Temporarily Unavailable"),
    "504 of a proxy": page("504 Gateway Time-out", NGINX, "504 Gateway Time-out"),
    "408": page("408 Request Timeout", NGINX, "408 Request Time-out"),
    "another success": answer("202 Accepted", "{}"),
    "see elsewhere": answer("303 See Other", b"", "Location: /done"),
    "nothing": b"",
    "half a status line": b"HTTP/1.1 20",
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "half a body": b'HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n{"error":false,"id":"5e9f1c3a',
    "half a chunk": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"error":fa',
    "HTML that says 200": page("200 OK", NGINX, "Welcome to this hotel"),
    "no body": answer("200 OK"),
    "a list": answer("200 OK", "[]"),
    "deep JSON": answer("200 OK", "[" * 100_000),
    "an enormous number": answer("200 OK", "9" * 10_000),
    "not UTF-8": answer("200 OK", b"\xff\xfe{"),
    "no id": answer("200 OK", '{"error":false}'),
    "an id that is none": answer("200 OK", '{"error":false,"id":"../../x"}'),
    "an error that says 200": answer("200 OK", '{"error":true,"message":"no"}'),
    "compressed without being asked": answer("200 OK", b"\x1f\x8b", "Content-Encoding: gzip"),
    "reset": reset,
}


def client_of(server: BrokenServer, **options) -> Constellations:
    """A client that repeats what it repeats at once."""
    return Constellations(server.url, TOKEN, retries=Retries(sleep=lambda seconds: None), **options)


def assert_hidden(error: BaseException) -> None:
    """The token is not in the error's text, nor in the local variables of any function on the way."""
    shown = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
    chain: BaseException | None = error
    while chain is not None:
        frames = [frame for frame, _ in traceback.walk_tb(chain.__traceback__) if frame.f_code.co_filename != __file__]
        shown += [repr(value) for frame in frames for value in frame.f_locals.values()]
        chain = chain.__cause__ or chain.__context__
    assert "secretsecret" not in "\n".join(shown)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_tells_what_the_server_said_and_that_nothing_was_published(name, submission):
    script, kind, message = REFUSALS[name]
    with BrokenServer(script) as server, pytest.raises(errors.StatusError) as caught:
        client_of(server).add_image("me", submission)
    error = caught.value
    assert type(error) is kind
    assert error.message == message
    assert error.status == int(script.split()[1])
    assert error.url == f"{server.url}/handle/me/image"
    assert str(error).startswith("Could not add an image to the handle 'me': the server says ")
    assert "\n" not in str(error)
    assert_hidden(error)


@pytest.mark.parametrize("name", UNCLEAR)
def test_a_write_without_a_trustworthy_answer_is_unclear_and_was_sent_once(name, submission):
    with BrokenServer(UNCLEAR[name]) as server, pytest.raises(errors.UnclearError) as caught:
        client_of(server).add_image("me", submission)
    assert "check before sending it again" in str(caught.value)
    assert len(server.requests) == 1
    assert_hidden(caught.value)


@pytest.mark.parametrize("name", sorted(set(UNCLEAR) - {"no id", "an id that is none"}))
def test_a_read_of_the_same_answers_is_never_unclear(name):
    with BrokenServer(UNCLEAR[name]) as server, pytest.raises(errors.ApiError) as caught:
        client_of(server).image(ID)
    assert isinstance(caught.value, (errors.NoAnswerError, errors.BadAnswerError, errors.ServerError, errors.BusyError))
    assert_hidden(caught.value)


@pytest.mark.parametrize(("body", "kind"), [("[]", "a JSON object"), ("null", "a JSON object"), ("<p>Hi", "JSON")])
def test_json_of_another_kind_is_not_called_no_json(body, kind, submission):
    with BrokenServer(answer("200 OK", body)) as server:
        for call in (lambda: client_of(server).image(ID), lambda: client_of(server).add_image("me", submission)):
            with pytest.raises(errors.ApiError, match=f" is not {kind}: "):
                call()


@pytest.mark.parametrize("body", ["", "[]", "<!DOCTYPE html><h1>Welcome to this hotel</h1>", '{"error":false}'])
def test_what_is_no_wtml_is_not_taken_for_it(body):
    with BrokenServer(answer("200 OK", body)) as server, pytest.raises(errors.BadAnswerError, match="is no WTML"):
        client_of(server).wtml(ID)


def test_a_busy_server_says_for_how_long(submission):
    busy = answer("429 Too Many Requests", "", "Retry-After: 7")
    with BrokenServer(busy) as server, pytest.raises(errors.BusyError, match=r"Try again in 7 seconds\.$"):
        client_of(server).add_image("me", submission)


@pytest.mark.parametrize("timeout", [None, "3", 0, -1, float("nan"), float("inf"), 1e300])
def test_there_is_always_a_timeout(timeout):
    with pytest.raises(errors.NotSentError, match="timeout is"):
        Constellations("https://example.org", timeout=timeout)


def test_a_message_has_one_full_stop():
    with BrokenServer(b"") as server, pytest.raises(errors.NoAnswerError, match=r"a response\. Try again\.$"):
        client_of(server).handle("me")


def test_a_server_that_never_answers_is_given_up_on(submission):
    with BrokenServer(silent) as server, client_of(server, timeout=1) as client:
        with pytest.raises(errors.UnclearError, match="did not respond in time"):
            client.add_image("me", submission)
        with pytest.raises(errors.NoAnswerError, match="did not respond in time"):
            client.image(ID)


def test_a_server_that_sends_a_byte_now_and_then_is_given_up_on(submission):
    with (
        BrokenServer(dripping) as server,
        pytest.raises(errors.UnclearError, match="did not respond in time") as caught,
    ):
        client_of(server, timeout=1).add_image("me", submission)
    assert_hidden(caught.value)


def test_a_refused_connection_provably_sent_nothing(submission):
    client = Constellations(f"http://127.0.0.1:{free_port()}", TOKEN)
    with pytest.raises(errors.NotSentError, match="Connection refused.*Nothing was sent") as caught:
        client.add_image("me", submission)
    assert_hidden(caught.value)
    # A check after an unclear outcome says nothing of what was sent before.
    with pytest.raises(errors.NotSentError, match="Connection refused. Check the address") as caught:
        client.find_images("https://example.org/m51.png")


def test_an_unknown_host_provably_was_sent_nothing(submission):
    with pytest.raises(errors.NotSentError, match="can't be reached"):
        Constellations("https://nowhere.invalid", TOKEN).add_image("me", submission)


def test_a_failed_tls_handshake_provably_sent_nothing(submission):
    def answer_in_plain_text(listener):
        listener.accept()[0].sendall(b"not TLS at all\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_in_plain_text, args=(listener,), daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(errors.NotSentError, match="SSL") as caught:
            Constellations(url, TOKEN).add_image("me", submission)
    assert_hidden(caught.value)


@pytest.mark.parametrize("kind", [httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError])
def test_no_connection_of_any_kind_means_nothing_was_sent(kind, submission):
    def fail(request):
        raise kind("no connection", request=request)

    with pytest.raises(errors.NotSentError):
        Constellations("https://x.org", TOKEN, transport=httpx.MockTransport(fail)).add_image("me", submission)


def test_a_redirect_is_not_followed_so_the_token_stays_at_its_host(submission):
    with BrokenServer(b"") as thief:
        moved = answer("307 Temporary Redirect", b"", f"Location: {thief.url}/handle/me/image")
        with BrokenServer(moved) as server, pytest.raises(errors.BadAnswerError, match="redirects are not followed"):
            client_of(server).add_image("me", submission)
        assert thief.requests == []


def test_a_server_that_repeats_the_token_does_not_make_us_show_it(submission):
    for script in (
        page("403 Forbidden", NGINX, f"Authorization: Bearer {TOKEN} refused"),
        refusal("403 Forbidden", f"Bearer {TOKEN}"),
        answer("200 OK", f"x{TOKEN}"),
        answer("302 Found", b"", f"Location: /?{TOKEN}"),
    ):
        with BrokenServer(script) as server, pytest.raises(errors.ApiError) as caught:
            client_of(server).add_image("me", submission)
        assert_hidden(caught.value)


def test_only_so_much_of_an_answer_is_read():
    def huge(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(2 * ANSWER_LIMIT // 2**20):
            connection.sendall(b" " * 2**20)

    with BrokenServer(huge) as server, pytest.raises(errors.BadAnswerError, match="larger than 16 MB"):
        client_of(server).image(ID)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("429 Too Many Requests", errors.BusyError),
        *((f"{status} Later", errors.UnclearError) for status in (500, 502, 503, 599)),
    ],
)
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 7", 7),
        ("Retry-After: Mon, 01 Jan 2001 00:00:00 GMT", 0),
        ("Retry-After: soon", None),
        ("X: y", None),
    ],
)
def test_the_error_of_a_write_holds_the_seconds_of_retry_after(status, kind, header, seconds, submission):
    with BrokenServer(answer(status, b"", header)) as server, pytest.raises(kind) as caught:
        client_of(server).add_image("me", submission)
    assert (caught.value.status, caught.value.retry_after) == (int(status[:3]), seconds)
    assert len(server.requests) == 1


@pytest.mark.parametrize("date", ["soon", "", "Mon, 01 Jan 2001 00:00:00 +9999999999999", "Mon, 31 Feb 2001 00:00 GMT"])
def test_headers_that_should_hold_a_date_may_hold_anything(date):
    script = answer("503 Service Unavailable", b"", f"Retry-After: {date}", f"Date: {date}")
    with BrokenServer(script) as server, pytest.raises(errors.BusyError) as caught:
        client_of(server).image(ID)
    assert caught.value.retry_after is None


def test_an_unusable_record_names_the_field():
    bad = answer("200 OK", json.dumps({"error": False, "id": ID, "handle": {"handle": 5}}))
    with BrokenServer(bad) as server, pytest.raises(errors.BadAnswerError, match="handle.handle"):
        client_of(server).image(ID)


def test_the_body_goes_out_as_it_was_given(submission):
    ok = answer("200 OK", json.dumps({"error": False, "id": ID, "rel_url": f"/image/{ID}"}))
    with BrokenServer(ok) as server:
        client_of(server).add_image("me", submission)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body == submission.to_json()
    assert "–".encode() in body
    assert b"content-type: application/json" in head.lower()
    assert b"user-agent: constellations_widgets" in head.lower()


def test_connections_are_kept_and_cookies_are_not():
    body = b'{"error":false,"handle":"me","display_name":"Me"}'
    lines = (
        f"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nSet-Cookie: cxsession=1\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connections = []

    class Counting(BrokenServer):
        def _serve(self, connection):
            connections.append(connection)
            super()._serve(connection)

    with Counting(lines.encode() + body) as server, client_of(server) as client:
        for _ in range(5):
            assert client.handle("me").display_name == "Me"
    assert len(connections) == 1
    assert b"cookie" not in b"".join(server.requests).lower()
