"""Bodies on their way in, as section 1b of the API document records them."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

PATH = "/handle/sandbox/image"
LIMIT = 102_400
NOTHING = ": ({ wwt: "


@pytest.fixture
def send(owner):
    def send(
        content: bytes | Iterator[bytes], content_type: str | None = "application/json", **headers: str
    ) -> httpx.Response:
        named = {} if content_type is None else {"Content-Type": content_type}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return owner.post(PATH, content=content, headers=named)

    return send


def is_page(answer: httpx.Response, status: int, text: str) -> bool:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return f"<pre>{text}<br>" in answer.text


def is_unread(answer: httpx.Response) -> bool:
    """The body was not parsed: everything is missing."""
    message = answer.json()["message"]
    return (
        answer.status_code == 400
        and message.count("\n") == 4
        and "Invalid value undefined supplied to " + NOTHING in message
    )


def sized(image: dict[str, Any], size: int) -> bytes:
    raw = json.dumps(image).encode()
    return raw.replace(b'"A note"', b'"' + b"x" * (size - len(raw) + 6) + b'"')


def test_the_limit_is_100_kb_to_the_byte(send, image):
    assert len(sized(image, LIMIT)) == LIMIT
    assert send(sized(image, LIMIT)).status_code == 200
    assert is_page(send(sized(image, LIMIT + 1)), 413, "PayloadTooLargeError: request entity too large")


def test_the_limit_holds_without_a_token_and_in_chunks(anyone, image):
    raw = sized(image, LIMIT + 1)
    headers = {"Content-Type": "application/json"}
    for content in (raw, iter([raw[:60_000], raw[60_000:]])):
        answer = anyone.post(PATH, content=content, headers=headers)
        assert is_page(answer, 413, "PayloadTooLargeError: request entity too large")
    assert anyone.post(PATH, content=iter([b"{", b"}"]), headers=headers).status_code == 403


def test_the_limit_counts_bytes_after_decompression(send, image):
    image["note"] = "é" * 60_000
    assert send(json.dumps(image, ensure_ascii=False).encode()).status_code == 413
    image["note"] = "é" * 50_000
    assert send(json.dumps(image, ensure_ascii=False).encode()).status_code == 200
    assert send(json.dumps(image).encode()).status_code == 413
    assert send(gzip.compress(sized(image, LIMIT + 1)), content_encoding="gzip").status_code == 413


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/Json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; x=y",
    ],
)
def test_json_by_name(send, image, content_type):
    assert send(json.dumps(image).encode(), content_type).status_code == 200


@pytest.mark.parametrize("charset", ["utf-16", "utf-16le", "utf-16be", "utf-7"])
def test_other_encodings_of_unicode(send, image, charset):
    assert send(json.dumps(image).encode(charset), f"application/json; charset={charset}").status_code == 200


@pytest.mark.parametrize(
    ("charset", "shown"),
    [("utf8", "UTF8"), ("iso-8859-1", "ISO-8859-1"), ("us-ascii", "US-ASCII"), ("utf-32", "UTF-32")],
)
def test_charsets_that_are_refused(send, image, charset, shown):
    answer = send(json.dumps(image).encode(), f"application/json; charset={charset}")
    assert is_page(answer, 415, f"UnsupportedMediaTypeError: unsupported charset &quot;{shown}&quot;")


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "text/json",
        "application/vnd.api+json",
        "application/json;",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "application/json charset=utf-8",
    ],
)
def test_any_other_type_is_not_read_at_all(send, image, content_type):
    assert is_unread(send(json.dumps(image).encode(), content_type))
    assert is_unread(send(b"x" * (LIMIT + 1), content_type))


def test_content_encodings(send, image):
    raw = json.dumps(image).encode()
    for name, content in {"gzip": gzip.compress(raw), "deflate": zlib.compress(raw), "identity": raw}.items():
        assert send(content, content_encoding=name).status_code == 200
    for name in ("br", "zstd"):
        text = f"UnsupportedMediaTypeError: unsupported content encoding &quot;{name}&quot;"
        assert is_page(send(raw, content_encoding=name), 415, text)
    assert is_page(send(raw, content_encoding="gzip"), 400, "BadRequestError: incorrect header check")
    assert is_page(
        send(gzip.compress(raw)[:-9], content_encoding="gzip"), 400, "BadRequestError: unexpected end of file"
    )


@pytest.mark.parametrize(
    "raw",
    [
        *(
            "NaN",
            "Infinity",
            "-Infinity",
            "01",
            ".5",
            "1.",
            "+1",
            "0x10",
            "1 // x",
            "/**/1",
            "1,",
            '"\t"',
            "'x'",
            "undefined",
        ),
        *("1\f", "\xa01", "\v1", "tru", '"\\x"', '"\\u12"', "1 2", "-", "1e", "{}x"),
    ],
)
def test_what_is_not_json_gets_a_page(send, raw):
    answer = send(f'{{"note": {raw}}}'.encode())
    assert answer.status_code == 400
    assert "<pre>SyntaxError: Unexpected " in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "raw", ["null", '"x"', "12", "true", " ", "\n\t", "\f{}", "\xa0{}", "{", "[1,]", '{"a":1,}', "x"]
)
def test_on_top_only_an_object_or_an_array(send, raw):
    answer = send(raw.encode())
    assert answer.status_code == 400
    assert "<pre>SyntaxError: " in answer.text


def test_no_body_is_an_empty_object(send, owner):
    assert is_unread(send(b""))
    assert is_unread(owner.post(PATH))


def test_the_message_about_an_array_has_two_lines(send):
    message = send(b"[]").json()["message"]
    assert message.count("\n") == 1
    assert all(line.startswith(("Submission", "Invalid value [] supplied to ")) for line in message.split("\n"))


def test_a_byte_order_mark_and_broken_utf_8_do_no_harm(send, owner, image):
    raw = json.dumps(image).encode()
    assert send(b"\xef\xbb\xbf" + raw).status_code == 200
    answer = send(raw.replace(b"A note", b"A \xff note"))
    assert owner.get(answer.json()["rel_url"]).json()["note"] == "A \ufffd note"


def test_the_last_of_two_equal_keys_wins(send, owner, image):
    raw = json.dumps(image).replace('"note": "A note"', '"note": 1, "note": "2"')
    assert owner.get(send(raw.encode()).json()["rel_url"]).json()["note"] == "2"


def test_numbers_are_doubles(owner, send, image):
    raw = json.dumps(image)
    for sent, kept in {"-0": 0, "1e400": None, "9007199254740993": 9007199254740992, "1.50e1": 15}.items():
        answer = send(raw.replace('"rotation": 12.5', f'"rotation": {sent}').encode())
        record = owner.get(answer.json()["rel_url"])
        assert record.json()["wwt"]["rotation"] == kept
        assert ".0," not in record.text


@pytest.mark.parametrize("depth", [3_000, 40_000])
def test_json_that_would_kill_the_real_server_is_a_500(send, image, depth):
    image["note"] = 0
    raw = json.dumps(image).replace('"note": 0', f'"note": {"[" * depth}{"]" * depth}')
    answer = send(raw.encode())
    assert (answer.status_code, answer.json()["message"]) == (500, f"error serving POST {PATH}")


@pytest.mark.parametrize("piece", ["<b>", "<div>", "<svg><g>", "<table><td>", "<p><b id={}>"])
def test_html_that_would_kill_the_real_server_is_a_500(owner, image, piece):
    image["permissions"]["credits"] = "".join(piece.format(i) for i in range(5_000))
    answer = owner.post(PATH, json=image, timeout=120)  # parsing the worst takes 4 s of processor time
    assert (answer.status_code, answer.json()["message"]) == (500, f"error serving POST {PATH}")


def test_keys_that_the_database_can_t_write_are_a_500(owner, image):
    for extra in ({"a\0b": 1}, {"_bsontype": "ObjectID"}, {"deep": [{"_bsontype": 1}]}):
        answer = owner.post(PATH, json=image | {"wwt": image["wwt"] | extra})
        assert (answer.status_code, answer.json()["message"]) == (500, f"error serving POST {PATH}")
    for extra in ({"_bsontype": None}, {"$x": 1}, {"a.b": 1}, {"": 1}):
        assert owner.post(PATH, json=image | {"wwt": image["wwt"] | extra}).status_code == 200


def test_a_client_that_goes_away_in_the_middle_is_forgotten(box, owner, caplog):
    host, port = box.api_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        connection.sendall(head.encode() + b'{"wwt":')
    assert owner.get("/handle/sandbox").status_code == 200
    assert not caplog.records
