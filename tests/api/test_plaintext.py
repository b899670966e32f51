from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from constellations_widgets.api.plaintext import html_line, schema_faults
from constellations_widgets.text import SHOWN_LIMIT, format_sentence, one_line

PIECES = [
    "<pre>",
    "</pre>",
    "<h1>",
    "<title>",
    "</title>",
    "<script>",
    "</",
    "<!--",
    "<![CDATA[",
    "&lt;",
    "&#0;",
    "<br>",
]
PAGES = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20))).map("".join)


@pytest.mark.parametrize(
    ("page", "line"),
    [
        ("<title>Error</title><pre>Error: jwt expired<br> &nbsp; &nbsp;at f (x.js:1)</pre>", "Error: jwt expired"),
        ("<html><title>502</title><center><h1>502 Bad Gateway</h1></center><hr>nginx</html>", "502 Bad Gateway"),
        ("<title>Hi</title><style>p{}</style><script>x()</script><p>Welcome to <b>our</b> inn", "Welcome to our inn"),
        ("<title>Only a title</title>", "Only a title"),
        ("<pre>\n\n   a &lt;b&gt; c\nsecond", "a <b> c"),
        ("", ""),
        ("<script>only code</script>", ""),
    ],
)  # fmt: skip
def test_an_error_page_is_its_message(page, line):
    assert html_line(page) == line


@settings(deadline=None)
@given(PAGES)
@example("<" * 70_000)
@example("<pre" * 20_000)
@example("a<!DOCTYPE" + "[" * 10_000)
def test_any_page_is_one_short_line_of_visible_characters(page):
    line = html_line(page)
    assert len(line) <= SHOWN_LIMIT
    assert line == line.strip()
    assert not any(unicodedata.category(character)[0] == "C" or character in "\n\r\u2028" for character in line)


@given(st.text(max_size=2000))
def test_any_text_is_one_short_line(text):
    line = one_line(text)
    assert len(line) <= SHOWN_LIMIT and line.isprintable()


@given(st.text(max_size=200))
def test_a_complaint_about_the_schema_is_read_without_trouble(text):
    assert isinstance(schema_faults(f"Submission did not match schema: Invalid value {text} supplied to : {text}"), str)


def test_the_fields_of_a_complaint_have_our_names():
    message = (
        "Submission did not match schema: Invalid value undefined supplied to : I/0: I0/wwt: W\n"
        "Invalid value null supplied to : I/0: I0/storage: S/legacy_url_template: (string | undefined)/0: string\n"
        "Invalid value null supplied to : I/0: I0/storage: S/legacy_url_template: (string | undefined)/1: undefined\n"
        "Invalid value 1 supplied to : I/1: A/alt_text: string"
    )
    assert schema_faults(message) == "the server does not take the values of wwt, storage.legacy_url_template, alt_text"
    assert schema_faults("Handle not found") == "Handle not found"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the server says no", "The server says no."),
        ("timeout: no answer in time.", "Timeout: no answer in time."),
        ("didn't answer", "Didn't answer."),
        ("http://127.0.0.1:8080 did not respond in time", "http://127.0.0.1:8080 did not respond in time."),
        ("https://api.example.org can't be reached", "https://api.example.org can't be reached."),
        ("wwt.center_x is missing", "wwt.center_x is missing."),
        ("m51.png is missing", "m51.png is missing."),
        ("", "."),
    ],
)
def test_a_sentence_begins_with_a_capital_letter_unless_that_would_change_an_address(text, expected):
    assert format_sentence(text) == expected
