"""WWT's rules that tie fields together: each both ways."""

from __future__ import annotations

from typing import Any

import pytest
from examples import TILED, UNTILED, tiled, untiled
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.schema.placement import (
    PROJECTIONS,
    THUMBNAIL,
    URL,
    faults,
    has_tiles,
    number,
    shown,
    text,
    web_address_fault,
)


def found(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fault.field, fault.message) for fault in faults(values)]


def mended(values: dict[str, Any]) -> dict[str, Any]:
    """`values` after all that the faults propose."""
    changes = {path: value for fault in faults(values) for path, value in fault.changes.items()}
    return values | changes


def test_a_tiled_image_and_a_single_file_have_no_fault():
    assert faults(TILED) == faults(UNTILED) == []


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        (tiled({"wwt.projection": "Tangent"}), "wwt.projection", "breaks the Constellations site"),
        (tiled({"wwt.projection": "TAN"}), "wwt.projection", "the name to use is Tan"),
        (untiled({"wwt.projection": "skyimage "}), "wwt.projection", "the name to use is SkyImage"),
        (tiled({"wwt.bottoms_up": True}), "wwt.bottoms_up", "nothing would be drawn"),
        (untiled({"wwt.tile_levels": 4}), "wwt.tile_levels", "must be 0"),
        (tiled({"wwt.quad_tree_map": "0123"}), "wwt.quad_tree_map", "must be empty"),
        (tiled({URL: "https://example.org/%7B1%7D/%7B3%7D/%7b3%7d_%7b2%7d.png"}), URL, "as a browser writes them"),
    ],
)
def test_a_fault_that_can_be_mended_says_how(values, field, message):
    [(where, words)] = found(values)
    assert where == field and message in words
    assert faults(mended(values)) == []


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        (tiled({"wwt.projection": "Gnomonic"}), "wwt.projection", "silently draw it as Toast"),
        (tiled({"wwt.tile_levels": 0}), "wwt.tile_levels", "at least 1"),
        (tiled({URL: "https://example.org/m51.png"}), URL, "needs the place of level, x and y"),
        (untiled({URL: "https://example.org/{1}/{3}/{3}_{2}.png"}), URL, "has the placeholder {1}"),
        (tiled({URL: "https://example.org/{1}/{2}.png"}), URL, "has the placeholders {1}, {2}"),
        (tiled({URL: "https://example.org/{level}/{x}/{y}.png"}), URL, "WWT knows {1} {2} {3}"),
        (tiled({URL: "https://example.org/{1}/{3}/{3_{2}.png"}), URL, "an unmatched brace"),
        (tiled({THUMBNAIL: "https://example.org/{1}.jpg"}), THUMBNAIL, "takes no placeholders"),
        (tiled({THUMBNAIL: "thumb.jpg"}), THUMBNAIL, "Enter a full web address"),
    ],
)
def test_a_fault_that_only_a_person_can_mend_says_what_to_do(values, field, message):
    [(where, words)] = found(values)
    assert where == field and message in words and not faults(values)[0].changes


@pytest.mark.parametrize("name", PROJECTIONS)
def test_every_projection_of_wwt_is_known(name):
    assert not [field for field, _ in found(tiled({"wwt.projection": name})) if field == "wwt.projection"]


@pytest.mark.parametrize("levels", [1, 4, 30])
def test_a_tiled_image_has_a_level_or_more(levels):
    assert faults(tiled({"wwt.tile_levels": levels})) == []


@pytest.mark.parametrize("up", [True, False])
def test_a_single_file_may_have_either_parity(up):
    assert faults(untiled({"wwt.bottoms_up": up})) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/{1}/{3}/{3}_{2}.png",
        "https://example.org/{1}/{2}/{3}.jpg?key=1",
        "https://r{S}.example.org/{1}/{2}/{3}.png",
        "https://example.org/{L}/{Y}/{Y}_{X}.png",
        "https://example.org/{Q}.png",
        "https://r{S}.example.org/{Q}.png",
    ],
)
def test_every_kind_of_tile_address_of_wwt_is_known(url):
    assert faults(tiled({URL: url})) == [] and has_tiles(url)


@pytest.mark.parametrize("url", ["https://example.org/{Q}.png", "https://r{S}.example.org/{1}/{2}/{3}.png"])
def test_a_quad_tree_map_belongs_to_an_address_that_uses_it(url):
    assert faults(tiled({URL: url, "wwt.quad_tree_map": "0123"})) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/m51.png",
        "HTTP://EXAMPLE.ORG/M51.PNG",
        "http://localhost:8000/m51.png",
        "https://[2001:db8::1]:8080/m51.png",
        "https://sternwarte-münchen.de/m51.png",
        "https://example.org/a%20b/m51.png?size=large#top",
    ],
)
def test_web_addresses_that_are_accepted(url):
    assert web_address_fault(url) is None


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("m51/image.png", "Enter a full web address"),
        ("//example.org/m51.png", "Enter a full web address"),
        ("www.example.org/m51.png", "Enter a full web address"),
        ("file:///home/me/m51.png", "begins with https://"),
        ("C:/Users/me/m51.png", "begins with https://"),
        ("localhost:8000/m51.png", "begins with https://"),
        ("ftp://example.org/m51.png", "begins with https://"),
        ("javascript:alert(1)", "begins with https://"),
        ("data:image/png;base64,AA", "begins with https://"),
        (r"C:\Users\me\m51.png", "a backslash"),
        ("https://example.org/my image.png", "a space"),
        ("https://example.org/m51.png\n", "a space"),
        ("https:///m51.png", "no host name"),
        ("http:example.org/m51.png", "no host name"),
        ("https://me:secret@example.org/m51.png", "which will be public"),
        ("https://example.org:port/m51.png", "is not a web address"),
        ("https://[::1/m51.png", "is not a web address"),
    ],
)
def test_what_is_no_public_web_address_is_told_why(url, message):
    assert message in web_address_fault(url)


def test_a_message_never_repeats_a_password():
    assert "secret" not in web_address_fault("https://me:secret@example.org/m51.png")


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["Tan", "SkyImage", "{1}"])


@given(st.dictionaries(st.sampled_from(sorted(TILED)), ANY))
def test_rules_look_at_whatever_stands_there(changes):
    for fault in faults(tiled(changes)):
        assert fault.field in TILED and fault.message and len(fault.message) < 400


@given(st.text())
def test_no_text_is_too_odd_to_be_judged_as_an_address(url):
    assert web_address_fault(url) is None or len(web_address_fault(url)) < 300


def test_only_finite_numbers_are_numbers_and_only_text_is_text():
    values = {"a": 1, "b": True, "c": float("nan"), "d": 10**400, "e": "1", "f": None}
    assert [number(values, path) for path in "abcdefg"] == [1, *[None] * 6]
    assert [text(values, path) for path in "abcdefg"] == ["", "", "", "", "1", "", ""]


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "value", ["x" * 10**6, 10**5000, [1] * 1000, Unshowable()], ids=["text", "digits", "list", "object"]
)
def test_a_value_in_a_message_is_never_long(value):
    assert 0 < len(shown(value)) <= 60
