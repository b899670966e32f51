"""Whether a record is what was sent, as the server stores it."""

from __future__ import annotations

import json

import pytest
from publishing.conftest import make_draft

from constellations_widgets.publishing import Journal
from constellations_widgets.publishing.matching import as_stored, is_record_of, same_credits
from constellations_widgets.schema.fields import fields

OTHERS = {
    "wwt.center_x": 11.0, "wwt.center_y": 12.0, "wwt.rotation": 13.0, "wwt.base_degrees_per_tile": 2.5,
    "wwt.offset_x": 0.5, "wwt.offset_y": 0.25, "wwt.bottoms_up": True, "wwt.projection": "Toast", "wwt.tile_levels": 9,
    "wwt.width_factor": 4, "wwt.file_type": ".jpg", "wwt.quad_tree_map": "0123", "wwt.thumbnail_url": "https://example.org/u.jpg",
    "storage.legacy_url_template": "https://example.org/another.png", "note": "Another", "alt_text": "Another",
    "permissions.copyright": "Another", "permissions.license": "CC0-1.0", "permissions.credits": "Another",
}  # fmt: skip


@pytest.fixture
def sent(client, box, journal, draft):
    """A body, its attempt, and a function that gives the server's record of a body."""
    body = draft.submission().to_request()

    def record_of(changed):
        return client.image(client.add_image(box.handle, json.dumps(changed).encode()).id)

    def attempt_of(body):
        return journal.claim(
            client.api_url, box.handle, body["storage"].get("legacy_url_template", ""), json.dumps(body).encode()
        )

    return body, attempt_of, record_of


def test_a_record_with_any_other_field_is_not_ours(sent):
    body, attempt_of, record_of = sent
    attempt = attempt_of(body)
    assert is_record_of(record_of(body), attempt)
    assert set(OTHERS) == set(fields())
    for path, value in OTHERS.items():
        changed = json.loads(json.dumps(body))
        group, _, name = path.rpartition(".")
        target = changed[group] if group else changed
        assert target.get(name) != value
        target[name] = value
        assert not is_record_of(record_of(changed), attempt), path


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("note", "lone \ud800 surrogate \udc00"),
        ("alt_text", "\ud83d"),
        ("permissions.copyright", "\udfff"),
        ("wwt.center_x", -0.0),
        ("wwt.rotation", 9007199254740993),
        ("wwt.tile_levels", 3.0),
        ("wwt.quad_tree_map", ""),
        ("permissions.credits", "1 < 2 &copy; <b>x<br/>"),
        ("permissions.credits", '<a href="https://example.org" title="t">x</a>'),
        (
            "permissions.credits",
            '<a title="t" href="https://example.org" class="c" onclick="f()">x</a><script>y</script>',
        ),
        ("permissions.credits", ""),
        ("permissions.credits", None),
        ("alt_text", None),
        ("alt_text", ""),
    ],
)
def test_what_the_server_changes_when_it_stores_a_request_is_no_difference(sent, path, value):
    body, attempt_of, record_of = sent
    group, _, name = path.rpartition(".")
    target = body[group] if group else body
    target.pop(name, None)
    if value is not None:
        target[name] = value
    assert is_record_of(record_of(body), attempt_of(body))


def test_credits_with_another_attribute_are_others():
    one, other = '<a href="https://x.org">x</a>', '<a href="https://y.org">x</a>'
    assert same_credits(one, one) and not same_credits(one, other) and not same_credits("", one)


def test_numbers_are_stored_as_doubles_and_booleans_stay():
    assert as_stored({"a": [1, -0.0, True], "b": None}) == {"a": [1.0, 0.0, True], "b": None}
    assert str(as_stored(-0.0)) == "0.0" and as_stored(True) is True


def test_a_draft_as_it_is_sent_is_its_own_record(client, box):
    draft = make_draft(**{"permissions.credits": '<a href="https://example.org" title="t">NOIRLab</a> &amp; <b>x'})
    receipt = client.add_image(box.handle, draft.submission())
    attempt = Journal().claim(
        client.api_url, box.handle, draft.storage.legacy_url_template, draft.submission().to_json()
    )
    assert is_record_of(client.image(receipt.id), attempt)
