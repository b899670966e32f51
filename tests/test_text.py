"""Texts that are shown: messages about fields, and two edits of one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.text import about, merge_texts, stem_of


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        ("M 51", "M 51 in red", "The M 51", "The M 51 in red"),
        ("M 51", "The M 51", "M 51 in red", "The M 51 in red"),
        ("", "a", "b", "ab"),
        ("abc", "ac", "abcd", "acd"),  # a deletion
        ("abc", "xbc", "zbc", "zxbc"),  # both replaced the same letter
        ("M 51", "", "M 51 in red", " in red"),
        ("M 51", "NGC 5194", "M 101", "M 101NGC 5194"),  # nothing that either has typed is lost
        ("aaa", "aaaa", "aaaa", "aaaaa"),
    ],
)
def test_both_edits_are_kept(base, mine, theirs, merged):
    assert merge_texts(base, mine, theirs) == merged


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("m51.fits", "m51"),
        ("m51.final.v2.fits", "m51.final.v2"),
        ("m51.v2.FIT.gz", "m51.v2"),
        ("m51.fits.fz", "m51"),
        ("m51.gz", "m51"),
        ("Ha 2026.11.30.TIFF", "Ha 2026.11.30"),
        ("ngc1300.new", "ngc1300"),
        ("m51.fits.png", "m51.fits"),
        ("2026.11.30", "2026.11.30"),
        ("m51", "m51"),
        (".fits", ".fits"),
        ("", ""),
    ],
)
def test_only_known_extensions_are_no_part_of_a_name(name, stem):
    assert stem_of(name) == stem


EDITS = st.tuples(st.integers(0, 12), st.integers(0, 12), st.text("xyz", max_size=4))


@given(st.text("abc", max_size=12), EDITS, EDITS)
def test_nothing_that_was_typed_is_lost(base, mine, theirs):
    def edited(edit):
        start, end, typed = min(edit[:2]), max(edit[:2]), edit[2]
        return base[:start] + typed + base[end:], typed

    (my_text, i_typed), (their_text, they_typed) = edited(mine), edited(theirs)
    merged = merge_texts(base, my_text, their_text)
    assert i_typed in merged and they_typed in merged
    assert merge_texts(base, my_text, base) == my_text and merge_texts(base, base, their_text) == their_text


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("must be a number", "Rotation must be a number"),
        ("is missing", "Rotation is missing"),
        ("Required. Turns the image", "Rotation: Required. Turns the image"),
        ("“x” is not an angle", "Rotation: “x” is not an angle"),
        ("400 degrees is more than a whole turn", "Rotation: 400 degrees is more than a whole turn"),
    ],
)
def test_a_message_below_a_label_is_a_sentence_about_it_in_one_line(message, sentence):
    assert about("Rotation", message) == sentence
