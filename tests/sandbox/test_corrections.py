"""What was measured of the real backend later: headers of every response, and unknown keys of bodies."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox.conftest import IMAGE

PATH = "/handle/sandbox/image"

OURS = {"wwt", "storage", "note", "permissions", "alt_text"}
KEYS = st.one_of(
    st.sampled_from(["_bsontype", "\0", "a\0b", "$set", "a.b", "", "_id", "__proto__", "1"]), st.text(max_size=6)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)


def is_storable(value: Any) -> bool:
    """Whether the database's driver can write it."""
    if isinstance(value, list):
        return all(map(is_storable, value))
    if not isinstance(value, dict):
        return True
    names_a_type = value.get("_bsontype") is not None
    return not names_a_type and not any("\0" in key for key in value) and all(map(is_storable, value.values()))


@given(extra=st.dictionaries(KEYS.filter(lambda key: key not in OURS), VALUES, min_size=1, max_size=3))
def test_unknown_keys_at_the_top_are_dropped_whatever_they_are(owner, extra):
    answer = owner.post(PATH, json=IMAGE | extra)
    assert answer.status_code == 200
    record = owner.get(answer.json()["rel_url"]).json()
    assert set(record) == OURS | {"id", "handle_id", "handle", "creation_date", "error"}
    assert owner.patch(answer.json()["rel_url"], json={"note": "New"} | extra).json() == {"error": False}


@given(
    extra=st.dictionaries(KEYS.filter(lambda key: key not in IMAGE["wwt"]), VALUES, min_size=1, max_size=3),
    group=st.sampled_from(["wwt", "storage", "permissions"]),
)
def test_unknown_keys_inside_are_stored_or_a_fault(owner, extra, group):
    if set(extra) & {"copyright", "license", "credits", "legacy_url_template"}:
        return
    image = copy.deepcopy(IMAGE)
    image[group] |= extra
    answer = owner.post(PATH, json=image)
    if not is_storable(extra):
        assert (answer.status_code, answer.json()["message"]) == (500, f"error serving POST {PATH}")
        return
    assert answer.status_code == 200
    stored = owner.get(answer.json()["rel_url"]).json()[group]
    assert {key: stored[key] for key in extra} == extra


def test_keys_that_the_database_can_t_write_are_dropped_at_the_top(owner, image):
    answer = owner.post(PATH, json=image | {"\0": 1, "_bsontype": "ObjectID"})
    assert answer.status_code == 200


def ask(client: httpx.Client, what: str) -> httpx.Response:
    match what:
        case "record":
            return client.get("/handle/sandbox")
        case "preflight":
            return client.options(PATH, headers={"Access-Control-Request-Method": "POST"})
        case "bad token":
            return client.get("/handle/sandbox", headers={"Authorization": "Bearer x"})
        case "no route":
            return client.get("/nowhere")
        case "not JSON":
            return client.post(PATH, content=b"{", headers={"Content-Type": "application/json"})
        case "bad escape":
            return client.get("/handle/%zz")
    return client.post(PATH, json={"note": "x" * 110_000})


ALL = ["record", "preflight", "bad token", "no route", "not JSON", "bad escape", "too large"]


@pytest.mark.parametrize("what", ALL)
def test_every_response_exposes_the_cookie_to_pages(anyone, what):
    assert ask(anyone, what).headers["Access-Control-Expose-Headers"] == "Set-Cookie"


@pytest.mark.parametrize("what", ALL)
def test_a_cookie_comes_with_what_reaches_the_session(anyone, what):
    answer = ask(anyone, what)
    assert ("Set-Cookie" in answer.headers) == (what in ("record", "no route", "bad escape"))


def test_a_bad_token_has_no_cookie_whatever_it_lacks(box, anyone):
    for token in (box.token(expired=True), box.token(claims={"aud": "other"}), "x.y.z"):
        answer = anyone.post(PATH, json={}, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert "Set-Cookie" not in answer.headers


def test_413_is_called_as_node_calls_it(anyone):
    answer = ask(anyone, "too large")
    assert (answer.status_code, answer.reason_phrase) == (413, "Payload Too Large")
