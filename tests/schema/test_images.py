"""The submission: whatever validates is what the server takes and WWT can draw, and goes out as it was checked."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
from examples import TILED, UNTILED, body
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from constellations_widgets.schema.credits import clean_credits
from constellations_widgets.schema.fields import BODY_LIMIT, fields, flatten
from constellations_widgets.schema.images import ImageSubmission
from constellations_widgets.schema.placement import faults

SAMPLE = Path(__file__).parent.parent / "data" / "backend-verdicts-sample.json.gz"
BODIES = json.loads(gzip.decompress(SAMPLE.read_bytes()))["bodies"]

PATHS = list(fields())
NUMBERS = [path for path, spec in fields().items() if spec.kind in ("number", "integer")]
TEXTS = [path for path, spec in fields().items() if spec.kind not in ("number", "integer", "boolean")]
OPTIONAL = ["permissions.credits", "alt_text"]


def submission(changes: dict[str, Any] | None = None, base: dict[str, Any] = TILED) -> ImageSubmission:
    return ImageSubmission.model_validate(body(changes, base))


def refusal(changes: dict[str, Any], base: dict[str, Any] = TILED) -> str:
    """What a refused submission says: each field with its message."""
    with pytest.raises(ValidationError) as caught:
        submission(changes, base)
    return "\n".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in caught.value.errors())


# -- values


@pytest.mark.parametrize("base", [TILED, UNTILED], ids=["tiled", "untiled"])
def test_what_is_right_goes_out_as_it_came(base):
    assert submission({}, base).to_request() == body({}, base)


@pytest.mark.parametrize("path", [path for path in PATHS if path not in OPTIONAL])
@pytest.mark.parametrize("value", [..., None], ids=["missing", "null"])
def test_every_field_but_two_is_required(path, value):
    assert refusal({path: value}).startswith((f"{path}: ", "storage: "))  # a group of one field is missing with it


@pytest.mark.parametrize("path", OPTIONAL)
@pytest.mark.parametrize("value", [..., None, ""], ids=["missing", "null", "empty"])
def test_an_optional_field_without_text_is_left_out_of_the_request(path, value):
    request = submission({path: value}).to_request()
    assert path not in flatten(request)
    assert "null" not in json.dumps(request)


@pytest.mark.parametrize("path", NUMBERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", "1.0", "", True, False, [], {}, 10**400, 1j])
def test_a_number_is_a_finite_number_and_nothing_else(path, value):
    assert refusal({path: value}).startswith(f"{path}: ")


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize("value", [1, 1.5, True, [], ["text"], {}, b"text"])
def test_text_is_text_and_nothing_else(path, value):
    assert path in refusal({path: value})


@pytest.mark.parametrize("value", [0, 1, "true", "false", "", [], 0.0])
def test_bottoms_up_is_true_or_false_and_nothing_else(value):
    assert refusal({"wwt.bottoms_up": value}).startswith("wwt.bottoms_up: ")


@pytest.mark.parametrize("path", ["wwt.tile_levels", "wwt.width_factor"])
def test_a_count_may_be_written_with_a_point_but_has_no_fraction(path):
    request = flatten(submission({path: 2.0}).to_request())
    assert request[path] == 2 and isinstance(request[path], int)
    assert refusal({path: 1.5}).startswith(f"{path}: ")


def test_a_whole_number_may_stand_for_any_number():
    assert submission({"wwt.rotation": 12}).wwt.rotation == 12.0


def test_minus_zero_goes_out_as_zero_as_the_server_would_make_it():
    assert math.copysign(1, submission({"wwt.rotation": -0.0}).to_request()["wwt"]["rotation"]) == 1


@pytest.mark.parametrize(
    ("path", "inside", "outside"),
    [
        ("wwt.center_x", [0, 360], [-1e-9, 360.0001, 1e9]),
        ("wwt.center_y", [-90, 90], [-90.0001, 91]),
        ("wwt.base_degrees_per_tile", [1e-9, 360], [0, -0.0, -1]),
        ("wwt.tile_levels", [1, 30], [-1, 31]),
        ("wwt.width_factor", [1, 2], [0, 3, -2]),
        ("wwt.rotation", [-1e9, 0, 1e9], []),
    ],
)
def test_numbers_keep_within_their_limits(path, inside, outside):
    for value in inside:
        submission({path: value})
    for value in outside:
        assert refusal({path: value}).startswith(f"{path}: ")


@pytest.mark.parametrize("path", TEXTS)
@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ufffe", "\ud83d"])
def test_a_character_that_xml_cannot_carry_is_refused(path, character):
    assert path in refusal({path: f"{TILED[path]}{character}"})


def test_every_other_character_goes_out_as_itself():
    note = "M 51 – “Strudel”\tNGC 5194\n日本 😀 \x7f\xa0"
    assert json.loads(submission({"note": note}).to_json())["note"] == note


# -- names


@pytest.mark.parametrize(
    "name", ["extra", "_id", "handle_id", "wwt.scale", "wwt.Rotation", "storage.url", "permissions.licence"]
)
def test_a_name_that_the_api_does_not_have_is_refused(name):
    assert refusal({name: "x"}).startswith(f"{name}: ")


@pytest.mark.parametrize("group", ["wwt", "storage", "permissions"])
@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_a_group_is_an_object(group, value):
    with pytest.raises(ValidationError, match=group):
        ImageSubmission.model_validate({**body(), group: value})


# -- sizes


@pytest.mark.parametrize(("path", "limit"), [("note", 500), ("alt_text", 5_000)])
def test_texts_are_as_long_as_the_server_would_let_anybody_set_them_again(path, limit):
    submission({path: "x" * limit})
    submission({path: "😀" * (limit // 2)})
    assert f"{limit} is the server's limit" in refusal({path: "x" * (limit + 1)})
    assert f"is {limit + 2} characters long" in refusal({path: "😀" * (limit // 2 + 1)})


def test_credits_that_would_take_the_server_down_are_refused():
    assert "permissions.credits" in refusal({"permissions.credits": "x" * 20_001})
    assert "permissions.credits" in refusal({"permissions.credits": "<b>" * 101})


@pytest.mark.parametrize("letter", ["x", "é", "日", "😀"])
def test_the_whole_body_is_measured_in_bytes_of_utf_8(letter):
    width = len(letter.encode())
    room = BODY_LIMIT - len(submission({"permissions.copyright": "x"}).to_json()) + 1
    largest = submission({"permissions.copyright": letter * (room // width)}).to_json()
    assert BODY_LIMIT - width < len(largest) <= BODY_LIMIT == 102_400
    assert "102400 is the server's limit" in refusal({"permissions.copyright": letter * (room // width + 1)})


# -- what is changed on the way, and nothing else


def test_the_license_goes_out_normalized():
    assert submission({"permissions.license": "cc-by-4.0 or cc0-1.0"}).permissions.license == "CC-BY-4.0 OR CC0-1.0"
    assert refusal({"permissions.license": "public domain"}).startswith("permissions.license: ")


def test_the_credits_go_out_as_the_server_would_keep_them():
    credits = 'By <b onclick="x()">me</b><script>x()</script>'
    assert submission({"permissions.credits": credits}).permissions.credits == clean_credits(credits) == "By <b>me</b>"


def test_what_wwt_cannot_draw_is_refused_with_the_field_and_the_reason():
    message = refusal({"wwt.bottoms_up": True, "wwt.projection": "Tan", "wwt.tile_levels": 0})
    assert "wwt.bottoms_up: must be off" in message and "wwt.tile_levels: must be at least 1" in message


def test_a_submission_does_not_change_once_it_is_made():
    made = submission()
    with pytest.raises(ValidationError):
        made.wwt.rotation = 1.0  # type: ignore[misc]
    made.to_request()["wwt"]["rotation"] = 99
    assert made.to_request()["wwt"]["rotation"] == 12.5


# -- the server's own verdicts

# What may differ, by design: None is how a program says "nothing", so for the two fields that may be left out it means
# that; and a license is normalized. In both cases what goes out is not what was given, and the server takes it.


def _is_changed_on_the_way(sent: dict[str, Any], made: ImageSubmission) -> bool:
    nothing = [path for path, value in flatten(sent).items() if value is None]
    license = sent["permissions"]["license"]
    request = made.to_request()
    return (bool(nothing) and not set(nothing) & flatten(request).keys()) or license != request["permissions"][
        "license"
    ]


def _sent(verdict: dict[str, Any]) -> Any:
    return verdict["body"] if "body" in verdict else json.loads(verdict["raw"])


def test_nothing_that_the_server_refuses_goes_out():
    refused = [v for v in BODIES if v["status"] != 200]
    assert len(refused) > 60
    for verdict in refused:
        try:
            sent = _sent(verdict)
            made = ImageSubmission.model_validate(sent)
        except (json.JSONDecodeError, ValidationError):
            continue
        assert _is_changed_on_the_way(sent, made), verdict


def test_what_is_refused_although_the_server_accepts_it_is_refused_by_design_with_its_field_named():
    accepted = [v for v in BODIES if v["status"] == 200]
    assert len(accepted) > 60
    reasons = {
        "extra_forbidden": "a name that the server would drop, or store where nobody looks",
        "greater_than": "off the sky",
        "greater_than_equal": "off the sky",
        "less_than_equal": "off the sky",
        "finite_number": "1e400, which the server would store as null",
        "int_type": "a fraction of a tile level",
        "too_short": "an image without an address, a projection or a copyright statement",
        "value_error": "WWT's rules, sizes, characters, credits and license: words of our own",
    }
    passed = 0
    for verdict in accepted:
        try:
            ImageSubmission.model_validate(_sent(verdict))
            passed += 1
        except ValidationError as error:
            for e in error.errors():
                assert e["type"] in reasons, e
                assert e["loc"] or any(path in e["msg"] for path in PATHS) or "whole request" in e["msg"], e
    assert passed > 10


def test_what_is_accepted_of_the_verdicts_is_stored_by_the_server_as_it_was_sent():
    compared = 0
    for verdict in BODIES:
        if "stored" not in verdict or verdict["status"] != 200:
            continue
        try:
            request = ImageSubmission.model_validate(_sent(verdict)).to_request()
        except ValidationError:
            continue
        stored = verdict["stored"]
        assert request["wwt"] == stored["wwt"] and request["note"] == stored["note"]
        compared += 1
    assert compared >= 1


# -- in general

TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff", min_codepoint=32), max_size=40
)
NUMBER = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(-1000, 1000)
VALUES = {
    "wwt.center_x": st.floats(0, 360) | st.integers(0, 360),
    "wwt.center_y": st.floats(-90, 90),
    "wwt.rotation": NUMBER,
    "wwt.base_degrees_per_tile": st.floats(0, exclude_min=True, allow_infinity=False),
    "wwt.offset_x": NUMBER,
    "wwt.offset_y": NUMBER,
    "wwt.tile_levels": st.integers(1, 30),
    "note": TEXT,
    "permissions.copyright": TEXT.filter(bool),
    "permissions.credits": TEXT | st.none(),
    "permissions.license": st.sampled_from(["CC-BY-4.0", "mit or apache-2.0", "CC-PDDC", "LicenseRef-None"]),
    "alt_text": TEXT | st.none(),
}


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_whatever_validates_is_read_back_from_its_json_as_it_was(changes):
    made = submission(changes)
    encoded = made.to_json()
    assert len(encoded) <= BODY_LIMIT

    def no_constants(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    read = json.loads(encoded, parse_constant=no_constants)
    assert read == made.to_request()
    assert ImageSubmission.model_validate(read) == made
    assert faults(flatten(read)) == []


JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers(), max_size=2)
    | st.binary(max_size=4)
)


@given(st.dictionaries(st.sampled_from(PATHS), JUNK, max_size=4))
def test_whatever_is_typed_is_accepted_or_refused_and_what_is_accepted_can_be_sent(changes):
    try:
        made = submission(changes)
    except ValidationError as error:
        assert error.errors()
    else:
        json.loads(made.to_json(), parse_constant=lambda name: pytest.fail(name))
