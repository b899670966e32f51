"""Credits: what the server keeps of the HTML that somebody wrote.

The sample in `tests/data` is what the server stored for 250 texts.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.errors import CreditsError
from constellations_widgets.sandbox.dompurify import sanitize
from constellations_widgets.schema.credits import (
    check_credits,
    clean_credits,
    credits_text,
    credits_tree,
    in_one_order,
)

SAMPLE = Path(__file__).parent.parent / "data" / "backend-verdicts-sample.json.gz"
ALL_VERDICTS = json.loads(gzip.decompress(SAMPLE.read_bytes()))["credits"]
TOO_DEEP = re.compile(r"(<\w+>){101}")
VERDICTS = [v for v in ALL_VERDICTS if not TOO_DEEP.match(v["in"])]

ATTRIBUTE = r' [^\s"=<>]+="[^"]*"'
TWO_ATTRIBUTES = re.compile(rf"<\w+{ATTRIBUTE}{ATTRIBUTE}")
KEPT_TAG = re.compile(rf"<(?:(?:b|strong|i|em|a|br)(?:{ATTRIBUTE})?|/(?:b|strong|i|em|a))>")

TAGS = [
    "b",
    "strong",
    "i",
    "em",
    "a",
    "br",
    "p",
    "div",
    "table",
    "td",
    "script",
    "svg",
    "math",
    "title",
    "select",
    "form",
    "template",
    "x-y",
]
ATTRIBUTES = [
    'href="http://x"',
    "href=javascript:x",
    "title='<b>'",
    "id=location",
    "onclick=x",
    "style",
    "is=x",
    "data-x=1",
    "class=' c '",
]
TAG = st.builds(
    "<{}{} {}>".format, st.sampled_from(["", "", "/"]), st.sampled_from(TAGS), st.sampled_from(["", "", *ATTRIBUTES])
)
TEXT = st.sampled_from(
    ["x", "A & B", "&lt;b", "&copy;", "\xa0", "\r\n", "<", "<!--", "-->", "<![CDATA[", "\0", "\ud800", '"', "&#39\0;"]
) | st.text(max_size=4)
SOUP = st.lists(TAG | TEXT, max_size=12).map("".join)


# --- as the server


def test_it_is_what_the_server_stores_wherever_that_comes_to_rest():
    assert len(ALL_VERDICTS) - len(VERDICTS) <= 2
    stored = [v for v in VERDICTS if not TWO_ATTRIBUTES.search(v["out"])]
    assert len(stored) > 200
    for verdict in stored:
        assert clean_credits(verdict["in"]) == verdict["out"], verdict["in"]


def test_of_what_the_server_turns_round_each_time_one_attribute_stays():
    turning = [v for v in VERDICTS if TWO_ATTRIBUTES.search(v["out"])]
    assert turning
    for verdict in turning:
        cleaned = clean_credits(verdict["in"])
        assert clean_credits(verdict["out"]) == clean_credits(cleaned) == cleaned
        assert re.sub(ATTRIBUTE, "", cleaned) == re.sub(ATTRIBUTE, "", verdict["out"])


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("AT&T", "AT&T"),
        ("a > b &copy; x", "a > b &copy; x"),
        ("", ""),
        ("<b>A</b><script>alert(1)</script>", "<b>A</b>"),
        ("<b>A</b><script>", "<b>A</b>"),
        ("<b>AT&T</b> \xa0", "<b>AT&amp;T</b> &nbsp;"),
        ("1 < 2", "1 &lt; 2"),
        ("a<b", "a"),
        ("<p>a</p><p>b</p>", "ab"),
        ("<B>a<BR/>b</B>", "<b>a<br>b</b>"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b><i>y</i>"),
        ("<textarea><b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("<noscript><b>x</b></noscript>", "<b>x</b>"),
        ("A<noscript><b>x</b></noscript>D", "AD"),
        ("<!-- note --><i>x</i>", "<i>x</i>"),
        ("<i>a &lt;b <!-- <b --></i>c", "c"),
        (" \n<b>x</b> ", " \n<b>x</b> "),
        ("<frameset>", ""),
        ('<a href="https://x.org/?a=1&b=2">x</a>', '<a href="https://x.org/?a=1&amp;b=2">x</a>'),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href="java\nscript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href="&#1;javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href="data:text/html,x">x</a>', "<a>x</a>"),
        ('<b onclick="x" srcdoc="y">x</b>', "<b>x</b>"),
        ('<b id="location">x</b>', "<b>x</b>"),
        ('<b value=" x " foo="y">x</b>', '<b value=" x ">x</b>'),
        ("<b is=x>x</b>", '<b is="">x</b>'),
    ],
)
def test_what_the_server_keeps(written, kept):
    assert clean_credits(written) == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('<a title="t" href="https://x.org" class="c">x</a>', '<a href="https://x.org">x</a>'),
        ('<a title="t" target="_blank" href="javascript:x" rel="r">x</a>', '<a title="t">x</a>'),
        ('<i data-a="1" color="red">x</i>', '<i color="red">x</i>'),
    ],
)
def test_of_several_attributes_the_most_useful_stays(written, kept):
    assert clean_credits(written) == kept


@given(SOUP)
def test_cleaning_twice_changes_nothing(written):
    cleaned = clean_credits(written)
    assert clean_credits(cleaned) == cleaned


@given(SOUP)
def test_nothing_that_could_run_is_ever_left(written):
    cleaned = clean_credits(written)
    if "<" in written:
        assert "<" not in KEPT_TAG.sub("", cleaned)
        for name, value in re.findall(r'<\w+ ([^\s"=<>]+)="([^"]*)"', cleaned):
            assert not name.startswith("on")
            assert name != "href" or not value.lower().startswith(("javascript:", "data:", "vbscript:"))
    else:
        assert cleaned == written.replace("\ud800", "\ufffd")


def test_half_a_character_becomes_what_the_server_stores_for_it():
    assert clean_credits("a\ud83d") == "a\ufffd"
    assert clean_credits("<b>\ud83d\ude00</b>") == "<b>\U0001f600</b>"


# --- what must never be sent


@pytest.mark.parametrize("value", [None, 1, b"<b>", ["x"]])
def test_what_is_no_text_is_refused(value):
    for function in (clean_credits, check_credits, credits_text, credits_tree):
        with pytest.raises(CreditsError, match="must be text"):
            function(value)


def test_more_than_20_000_bytes_are_refused():
    check_credits("é" * 10_000)
    with pytest.raises(CreditsError, match="20,001 bytes.*20,000"):
        check_credits("é" * 10_000 + "x")


def test_what_grows_beyond_20_000_bytes_by_cleaning_is_refused():
    with pytest.raises(CreditsError, match="20,000"):
        clean_credits("<b>" + "&" * 5_000)


@pytest.mark.parametrize(
    "html",
    [
        "<b>" * 101,
        "<b>" * 101 + "</b>" * 101,
        "<div>" * 4_000,
        "<b" + " x='>'><b" * 101,
        "<script><!--</script>" + "<b>" * 101 + "-->",
        "<b><!-- </b> -->" * 101,
        "<svg>" + "<x><![CDATA[></x>]]>" * 101,
        "<svg>" + "<input>" * 101,
        "<div><table></div>" * 101,
        "<title><b></title>" * 101,
        '<b x="</b>">' * 101,
        '<b ">" </b>' * 101,
        "<b></b\v>" * 101,
        "<p>" + "".join(f"<b id=x{n}>" for n in range(95)) + "</p>" + "<p>x</p>" * 2000,
    ],
)
def test_deep_nesting_is_refused_however_it_is_hidden(html):
    with pytest.raises(CreditsError, match="100 deep"):
        clean_credits(html)


@pytest.mark.parametrize(
    "html",
    [
        "<b>" * 100,
        "<b>" * 100 + "</b>" * 100,
        '<a href="https://x.org/?a>b">Name</a>, <br>' * 400,
        "<p>Name" * 1000,
        "<ul>" + "<li>Name" * 1000 + "</ul>",
        "<!-- note --><b>x</b>" * 500,
        "<style>b { color: red }</style><b>x</b>" * 300,
        "1 < 2 & 3 <= 4 " * 500,
    ],
)
def test_long_but_shallow_credits_pass(html):
    check_credits(html)


# --- text and tree


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("AT&T", "AT&T"),
        ("AT&amp;T &copy; 2020", "AT&T © 2020"),
        ('<a href="https://x.org"><b>NASA</b></a><br>&lt;ESA&gt;', "NASA\n<ESA>"),
        (" \n<script>x</script>", " \n"),
    ],
)
def test_credits_as_text(html, text):
    assert credits_text(html) == text


def test_credits_as_a_tree():
    assert credits_tree('By <a href="https://x.org">A <b>B</b></a><br>&amp; C') == [
        "By ",
        {"tag": "a", "children": ["A ", {"tag": "b", "children": ["B"]}], "href": "https://x.org"},
        {"tag": "br", "children": []},
        "& C",
    ]


@pytest.mark.parametrize("address", ["javascript:x", "ftp://x", "//x.org", "x.html", "tel:1", "httpſ://x"])
def test_the_tree_links_to_nothing_but_web_and_mail(address):
    assert credits_tree(f'<a href="{address}">x</a>') == [{"tag": "a", "children": ["x"]}]
    assert credits_tree(f'<b href="https://x.org">{address}</b>') == [{"tag": "b", "children": [address]}]


@given(SOUP)
def test_the_tree_is_data_that_holds_nothing_else(written):
    def check(tree):
        for node in tree:
            if not isinstance(node, str):
                assert node.keys() <= {"tag", "children", "href"}
                assert node["tag"] in ("b", "strong", "i", "em", "a", "br")
                check(node["children"])

    check(json.loads(json.dumps(credits_tree(written))))


def test_importing_the_rules_loads_no_parser():
    code = "import sys, constellations_widgets.schema.credits; sys.exit('justhtml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "credits",
    [
        '<a href="https://a.org" title="t" class="x>y">A</a> &amp; <b lang="de" title=\'a "b"\'>B</b>',
        '<br class="a" title="b" lang="de"> a < b <a id="z" href="u">x</a>',
        "<b title=1 class=2>a</b>",
    ],
)
def test_in_one_order_credits_are_the_same_however_often_the_server_turns_them_round(credits):
    once = sanitize(credits)
    assert in_one_order(once) == in_one_order(sanitize(once))
    assert in_one_order(once) != in_one_order(once.replace("a", "b"))
