"""JavaScript's way with numbers and JSON."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.sandbox.jsvalues import js_string, parse_int, parse_json, stringify, utf16_length

NUMBERS = {
    0.0: "0", 1.0: "1", -1.5: "-1.5", 0.1: "0.1", 1e-6: "0.000001", 1e-7: "1e-7", 1.5e-7: "1.5e-7", 123e-20: "1.23e-18",
    1e20: "100000000000000000000", 1e21: "1e+21", 1.25e22: "1.25e+22", 123456789012345680000.0: "123456789012345680000",
    9007199254740992.0: "9007199254740992", 5e-324: "5e-324",
    math.inf: "Infinity", -math.inf: "-Infinity", math.nan: "NaN",
}  # fmt: skip


@pytest.mark.parametrize(("number", "text"), NUMBERS.items())
def test_numbers_as_text(number, text):
    assert js_string(number) == text


def test_zero_has_no_sign():
    assert js_string(-0.0) == stringify(-0.0) == "0"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_the_same(number):
    assert float(js_string(number)) == number


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4))
def test_json_survives_the_way_out_and_in(value):
    assert parse_json(stringify(value)) == value
    assert json.loads(stringify(value), parse_int=float) == value


def test_json_in_detail():
    assert stringify({"a": '\ud800é\u2028\x01\n"', "b": [1.0, math.inf, None, True]}) == (
        '{"a":"\\ud800é\u2028\\u0001\\n\\"","b":[1,null,null,true]}'
    )
    assert list(parse_json('{"b": 1, "10": 2, "9": 3, "01": 4}')) == ["9", "10", "b", "01"]
    assert parse_json("[1e999, -0, 123456789012345678901234567890]") == [
        math.inf,
        0.0,
        123456789012345680000000000000.0,
    ]


def test_lengths_and_integers():
    assert utf16_length("a🌌é") == 4
    assert [parse_int(text) for text in ("1.9", "2x", "1e2", " 3", "-4", "+5", "", "x", ".5")] == [
        1,
        2,
        1,
        3,
        -4,
        5,
        None,
        None,
        None,
    ]
