"""What the server keeps of credits. Each `kept` is what DOMPurify 3.0.6 in jsdom really gave."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from constellations_widgets.sandbox.dompurify import ALLOWED_TAGS, sanitize
from constellations_widgets.sandbox.html5 import MAX_DEPTH, TooDeepError

KEPT = {
    # Without a "<" nothing is touched; with one, everything is written anew.
    "": "",
    "AT&T, a > b, &copy; x\0": "AT&T, a > b, &copy; x\0",
    "AT&T &copy; a > b\xa0\r\nc\0<b>": "AT&amp;T © a &gt; b&nbsp;\nc<b></b>",
    "\r\n <b>x": "\r\n <b>x</b>",
    "\ufeff<b>x": "\ufeff<b>x</b>",
    # Unfinished and upper-case tags, misnesting.
    "a<b": "a",
    "a <b": "a ",
    "1 < 2": "1 &lt; 2",
    "<BR/></br>": "<br><br>",
    "<b>1<i>2</b>3</i>": "<b>1<i>2</i></b><i>3</i>",
    "<a>1<a>2": "<a>1</a><a>2</a>",
    "<b>1<figcaption>2</b>3</figcaption>4": "<b>1</b><b>2</b>34",
    # Other tags go and their text stays; of some the text goes too.
    "<p>a</p><p>b</p>": "ab",
    "a<script>b</script><style>c</style><title>d</title><noscript>e</noscript>f": "af",
    "<svg>a<g>b</g></svg><math><mi>c</mi></math>d": "d",
    "<svg>a<b>c</b></svg>d": "<b>c</b>d",
    "<svg></p><b>x": "<b>x</b>",
    "<textarea><b>x</b></textarea>y": "&lt;b&gt;x&lt;/b&gt;y",
    "<textarea>\n\nx</textarea>": "\nx",
    "<pre>\nx</pre>": "x",
    "a<template>b<b>c</template>d": "ad",
    "<template><script></template></script></template>x": "x",
    "<select>a<b>c</b><br></select>d": "acd",
    "<form>a<input name=attributes></form>b": "ab",
    # Head elements at the very start are read in the head.
    "<noscript><b>x</b></noscript>": "<b>x</b>",
    "<title>x</title><b>y</b>": "<b>y</b>",
    "<frameset>x": "",
    "</br><frameset>x": "<br>x",
    # Comments and what counts as one.
    "a<!--b-->c<!d>e<?f?>g<![CDATA[h]]>i": "acegi",
    "<b><!--<a>-->&lt;a</b>x": "x",
    "<b><!--a-->&lt;a</b>x": "<b>&lt;a</b>x",
    # jsdom's slip with text in a table.
    "<table>a<b>c</b>d<tr><td>e</td></tr></table>f": "<b>c</b>eadf",
    # Character references.
    "&#39\0;<b>": "';<b></b>",
    "&lt;&notit;&#128;&#0;<b>": "&lt;¬it;€\ufffd<b></b>",
    # Attributes: in reverse order, values trimmed and quoted anew.
    '<a href="u" title="t">x</a>': '<a title="t" href="u">x</a>',
    "<a title=' x '\tvalue=' x ' name>y": '<a name="" value=" x " title="x">y</a>',
    "<b title='a\"b&\xa0<>\xa0'>": '<b title="a&quot;b&amp;&nbsp;<>"></b>',
    "<b is=x id=a>": '<b id="a" is=""></b>',
    "<b onclick=x target=y srcdoc=z xml:lang=e lang=f>": '<b lang="f"></b>',
    "<b id=location name=attributes>": "<b></b>",
    "<b data-x=javascript:y data-=z data-a:b='' data-x\"y=1 aria-label=data:x>": (
        '<b aria-label="data:x" data-a:b="" data-x="javascript:y"></b>'
    ),
    # Addresses.
    '<a href="java\nscript:x">y': "<a>y</a>",
    '<a href=" https://x ">y': '<a href="https://x">y</a>',
    '<a href="doi:10.1/x">y': "<a>y</a>",
    '<a href="localhost:8080">y': "<a>y</a>",
    '<a href="/x:y">y': '<a href="/x:y">y</a>',
    '<a href="MAILTO:x" src="data:x">y': '<a href="MAILTO:x">y</a>',
    '<a href="\u212a:x">y': '<a href="\u212a:x">y</a>',
    '<b alt="javascript:x" color="javascript:x">y': '<b alt="javascript:x">y</b>',
}


@pytest.mark.parametrize(("sent", "kept"), KEPT.items())
def test_what_is_kept(sent, kept):
    assert sanitize(sent) == kept


PIECES = [
    *(
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<em class=x>",
        "<a href=javascript:x>",
        '<a href="http://x" title=y>',
        "</a>",
        "<br>",
    ),
    *(
        "<p>",
        "</p>",
        "<div>",
        "<table>",
        "<td>",
        "<svg>",
        "<math>",
        "<mi>",
        "</svg>",
        "<script>",
        "</script>",
        "<style>",
    ),
    *(
        "<textarea>",
        "<title>",
        "<noscript>",
        "<template>",
        "</template>",
        "<select>",
        "<frameset>",
        "<plaintext>",
        "<!--",
        "-->",
    ),
    *(
        "<",
        ">",
        "&",
        "&lt;",
        "&#0;",
        "\0",
        "\r\n",
        "\xa0",
        "'",
        '"',
        "=",
        "x",
        " ",
        "<b onclick=y id=location",
        "<![CDATA[",
        "😀",
    ),
]
HTML = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join)
TAG = re.compile(r"<(/?)([a-z]+)((?: [^\s\"=]+=\"[^\"]*\")*)>")


@given(HTML)
@example("<svg><style><b title='</style><img src=x onerror=y>'>")
def test_nothing_but_allowed_tags_with_plain_attributes_comes_out(html):
    kept = sanitize(html)
    if "<" in html:
        for _, name, attributes in TAG.findall(kept):
            assert name in ALLOWED_TAGS
            assert " on" not in re.sub(r'"[^"]*"', '""', attributes)
            assert "javascript:" not in attributes
        # What isn't such a tag, is no markup at all.
        assert "<" not in TAG.sub("", kept)


@given(HTML)
def test_what_is_kept_once_is_kept_again_but_for_the_order_of_attributes(html):
    once = sanitize(html)
    if "<" in once:
        assert sanitize(sanitize(once)) == once


def test_too_deep_nesting_is_refused():
    assert sanitize("<b>" * (MAX_DEPTH // 2)).startswith("<b><b>")
    for piece in ("<b>", "<div>", "<svg><g>", "<b id={}>x"):
        with pytest.raises(TooDeepError):
            sanitize("".join(piece.format(i) for i in range(MAX_DEPTH + 10)))
