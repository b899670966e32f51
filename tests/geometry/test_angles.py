"""Angles and positions as people write them."""

from __future__ import annotations

import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets.errors import SourceError
from constellations_widgets.geometry.angles import (
    ANGLE,
    DEC,
    RA,
    format_angle,
    format_dec,
    format_ra,
    may_be_hours,
    parse_angle,
    parse_number,
    parse_position,
)

M51 = SkyCoord("13h29m52.7s +47d11m43s")


@pytest.mark.parametrize(
    "text",
    ["13:29:52.7", "13h29m52.7s", "13h 29m 52.7s", "13 29 52.7", "13h29m52,7s", "13ʰ29ᵐ52.7ˢ", "13.49797222h", "202.46958333", "202,46958333",
     "202.46958333°", "202.46958333 deg", "202d28m10.5s", "202° 28′ 10.5″"],
)  # fmt: skip
def test_a_right_ascension_is_understood_however_it_is_written(text):
    assert parse_angle(text, what=RA) == pytest.approx(M51.ra.deg, abs=1e-7)


@pytest.mark.parametrize(
    "text", ["47° 11' 43\" N", "+47:11:43", "47d11m43s", "47 11 43", "47°11′43″", "47.1952777778", "47,1952777778°"]
)
def test_a_declination_is_understood_however_it_is_written(text):
    assert parse_angle(text, what=DEC) == pytest.approx(M51.dec.deg, abs=1e-7)
    south = text.replace("N", "S") if "N" in text else f"−{text.removeprefix('+')}"
    assert parse_angle(south, what=DEC) == pytest.approx(-M51.dec.deg, abs=1e-7)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("0.36\"", 0.0001), ("0.36 arcsec", 0.0001), ("360 mas", 0.0001), ("9.6'", 0.16), ("9,6 arcmin", 0.16), ("17°", 17), ("17", 17), ("−17.5 deg", -17.5),
     ("1e-4", 1e-4), ("17d30m", 17.5)],
)  # fmt: skip
def test_an_angle_is_understood_with_its_unit(text, degrees):
    assert parse_angle(text) == degrees


@pytest.mark.parametrize(
    "text",
    ["13h29m52.7s +47d11m43s", "13 29 52.7 +47 11 43", "13 29 52.7 47 11 43", "13:29:52.7 47:11:43", "13:29:52.7+47:11:43", "202.46958333, 47.19527778",
     "202.46958333,47.19527778", "202,46958333 47,19527778", "202,46958333, 47,19527778", "202,46958333; 47,19527778", "RA 13h29m52.7s Dec +47d11m43s",
     "RA=202.46958333 DEC=47.19527778", "J2000 13 29 52.7 +47 11 43", "13h 29m 52.70s, +47° 11′ 43.0″ N", "202.46958333\t47.19527778\n"],
)  # fmt: skip
def test_a_position_is_understood_in_one_text(text):
    assert parse_position(text) == pytest.approx((M51.ra.deg, M51.dec.deg), abs=1e-7)


@pytest.mark.parametrize("what", [RA, DEC, ANGLE])
@pytest.mark.parametrize(
    "text", ["", "abc", "1,2,3", "0x10", "nan", "inf", "1e999", "--1", "12 13", "5 apples", "1" * 500]
)
def test_what_is_no_angle_is_refused_in_words(text, what):
    with pytest.raises(SourceError, match="is not an? .*: write"):
        parse_angle(text, what=what)


POSITIONS = """
13 29 52.7 +47 11 43 | 13:29:52.7, +47:11:43 | 13h29m52.7s, +47d11m43s | J132952.7+471143 | J132952.70+471143.0 | SDSS J132952.70+471143.0
2MASS J13295270+4711430 | 132952.7 +471143 | (202.46958333, 47.19527778) | [202.46958333, 47.19527778] | α 13ʰ29ᵐ52ˢ.7 δ +47°11′43″
13h29m52s.7 +47d11m43s | 13h29m52.7s / +47d11m43s | 202.46958333/47.19527778 | 13 29 52.7, +47 11 43 (J2000) | 13:29:52.7 +47:11:43 (ICRS)
fk5; 13h29m52.7s +47d11m43s | Right ascension 13h 29m 52.7s declination +47° 11' 43" | 13hr 29min 52.7sec, +47deg 11min 43sec
Dec +47:11:43 RA 13:29:52.7 | dec = 47.19527778, ra = 202.46958333 | <SkyCoord (ICRS): (ra, dec) in deg (202.46958333, 47.19527778)>
13:29:52,7 +47:11:43 | 13h29m52.7s 47d11m43s N | 13 29.878333 +47 11.716667 | 13.49797222h +47.19527778 | 202d28m10.5s 47d11m43s
"""


@pytest.mark.parametrize("text", [text.strip() for line in POSITIONS.strip().split("\n") for text in line.split(" | ")])
def test_a_position_is_understood_as_catalogs_papers_and_programs_write_it(text):
    assert parse_position(text) == pytest.approx((M51.ra.deg, M51.dec.deg), abs=1e-5)


@pytest.mark.parametrize("hyphen", "-−–‐‑‒－˗")
def test_every_hyphen_is_a_minus(hyphen):
    assert parse_position(f"13:29:52.7 {hyphen}0:30:00")[1] == parse_angle(f"{hyphen}0°30′", what=DEC) == -0.5


@pytest.mark.parametrize(
    ("text", "what", "degrees"),
    [("RA 13:29:52.7", RA, 202.469583333), ("α=13h", RA, 195), ("202° 28.175′", RA, 202.469583333), ("202°28′", RA, 202.466666667),
     ("13ʰ29ᵐ52ˢ.7", RA, 202.469583333), ("Dec −47", DEC, -47), ("δ=+47°11′43″", DEC, 47.195277778), ("N47 11 43", DEC, 47.195277778),
     ("South 47°", DEC, -47), ("-0:30:00", DEC, -0.5), ("9′36″", ANGLE, 0.16), ("9 arcmin 36 arcsec", ANGLE, 0.16), ("0.36\"/px", ANGLE, 0.0001),
     ("0.36 arcsec per pixel", ANGLE, 0.0001), ("360 mas/pixel", ANGLE, 0.0001), ("PA 17", ANGLE, 17), ("PA=17°", ANGLE, 17),
     ("17° E of N", ANGLE, 17), ("17° west of north", ANGLE, -17)],
)  # fmt: skip
def test_an_angle_is_understood_with_its_name_and_its_sense(text, what, degrees):
    assert parse_angle(text, what=what) == pytest.approx(degrees, abs=1e-8)


def test_what_could_be_two_positions_or_another_frame_is_refused_with_the_reason():
    for text in ("+47 11 43", "10 11 43", "12 +30 10"):
        with pytest.raises(SourceError, match="is not a position: write"):
            parse_position(text)
    for text in ("B1950 13 27 46 +47 27 10", "FK4 13 27 46 +47 27 10", "l=104.85 b=68.56", "Galactic 104.85 68.56"):
        with pytest.raises(SourceError, match="not in J2000"):
            parse_position(text)
    with pytest.raises(SourceError, match="less than 60"):
        parse_position("13h29m52.7s +47d71m43s")
    with pytest.raises(SourceError, match="less than 60"):
        parse_angle("13:60:00", what=RA)
    with pytest.raises(SourceError, match="Names of objects are not looked up"):
        parse_position("M 51")


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("13.4979", 13.4979), ("13,4979 +47,19", 13.4979), ("RA 13.5 Dec 47.2", 13.5), ("13.5, 47.2", 13.5), ("202.47", None), ("13.5°", None),
     ("13.5h", None), ("13:29", None), ("13 29 52 +47 11 43", None), ("M 51", None), ("202.4696 13.4", None)],
)  # fmt: skip
def test_a_bare_right_ascension_under_24_may_be_hours(text, degrees):
    assert may_be_hours(text) == degrees


@pytest.mark.parametrize("text", ["", "M 51", "12", "13h29m52.7s", "a b", "1 2 3 4 5 6 7 8", "x" * 500])
def test_what_is_no_position_is_refused_in_words(text):
    with pytest.raises(SourceError, match="is not a position"):
        parse_position(text)


def test_hours_are_no_declination_and_a_hemisphere_takes_no_minus():
    for text in ("47h", "47h11m43s", "-47° S"):
        with pytest.raises(SourceError):
            parse_angle(text, what=DEC)


@given(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
def test_what_is_shown_is_read_back(ra, dec):
    assert abs((parse_angle(format_ra(ra, 6), what=RA) - ra + 180) % 360 - 180) < 1e-8
    assert parse_angle(format_dec(dec, 5), what=DEC) == pytest.approx(dec, abs=1e-8)
    assert parse_position(f"{format_ra(ra, 6)} {format_dec(dec, 5)}")[1] == pytest.approx(dec, abs=1e-8)
    assert " 60" not in format_ra(ra, 1) + format_dec(dec, 1)


@given(st.floats(1e-9, 179))
def test_an_angle_keeps_its_digits(angle):
    assert parse_angle(format_angle(angle, 9)) == pytest.approx(angle, rel=1e-7)


def test_numbers_have_a_decimal_point_or_a_decimal_comma():
    assert [parse_number(text) for text in ("12,5", "12.5", " −3 ", "1e-5")] == [12.5, 12.5, -3, 1e-5]
    for text in ("1,2,3", "12'", "", "NaN"):
        with pytest.raises(SourceError):
            parse_number(text)
