"""Changing an image: what is checked before who asks, what is silently ignored, and what goes with what."""

from __future__ import annotations

import pytest

FORBIDDEN = {"error": True, "message": "Forbidden"}
P = "({ copyright: string, license: SpdxExpression } & Partial<{ credits: CleanHtml }>)"
UPDATE = f"Partial<{{ note: string, alt_text: string, permissions: {P} }}>"


@pytest.fixture
def patch(owner, add):
    """Change a new image; returns the answer and the record after it."""

    def patch(client=owner, **options):
        id = add()
        return client.patch(f"/image/{id}", **options), owner.get(f"/image/{id}").json()

    return patch


def test_the_three_fields_can_be_changed(patch):
    changes = {
        "note": "New",
        "alt_text": "Other",
        "permissions": {"copyright": "Y", "license": "MIT", "credits": "<p>by</p>"},
    }
    answer, record = patch(json=changes)
    assert (answer.status_code, answer.json()) == (200, {"error": False})
    assert (record["note"], record["alt_text"]) == ("New", "Other")
    assert record["permissions"] == {"copyright": "Y", "license": "MIT", "credits": "by"}


def test_permissions_are_replaced_whole(patch, owner, add, image):
    _answer, record = patch(json={"permissions": {"copyright": "Y", "license": "MIT", "more": 1}})
    assert record["permissions"] == {"copyright": "Y", "license": "MIT", "more": 1}
    _answer, record = patch(json={"permissions": image["permissions"] | {"credits": ""}})
    assert record["permissions"]["credits"] == ""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"note": None}, f"Invalid value null supplied to : {UPDATE}/note: string"),
        ({"note": False}, f"Invalid value false supplied to : {UPDATE}/note: string"),
        (
            {"permissions": {"copyright": "x", "license": "mit"}},
            f'Invalid value "mit" supplied to : {UPDATE}/permissions: {P}'
            "/0: { copyright: string, license: SpdxExpression }/license: SpdxExpression",
        ),
        ([], f"Invalid value [] supplied to : {UPDATE}"),
    ],
)
def test_the_schema_comes_before_ownership(patch, anyone, body, message):
    for client in (anyone, None):
        answer, _ = patch(json=body, **({"client": client} if client else {}))
        assert (answer.status_code, answer.json()["message"]) == (400, f"Submission did not match schema: {message}")


@pytest.mark.parametrize(("name", "limit"), [("note", 500), ("alt_text", 5000)])
def test_lengths_are_counted_in_utf_16(patch, anyone, name, limit):
    too_long = {"error": True, "message": f"Invalid input `{name}`: too long"}
    for text in ("x" * (limit + 1), "🌌" * (limit // 2) + "x"):
        answer, _ = patch(client=anyone, json={name: text})
        assert (answer.status_code, answer.json()) == (400, too_long)
    answer, record = patch(json={name: "🌌" * (limit // 2)})
    assert (answer.status_code, record[name]) == (200, "🌌" * (limit // 2))


def test_only_the_owner_may_change_something(patch, anyone, other):
    for client in (anyone, other):
        answer, record = patch(client=client, json={"note": "mine"})
        assert (answer.status_code, answer.json(), record["note"]) == (403, FORBIDDEN, "A note")


@pytest.mark.parametrize(
    "body", [{}, {"note": ""}, {"note": "", "alt_text": ""}, {"wwt": None}, {"storage": 1, "handle": "x"}]
)
def test_nothing_to_change_is_a_200_for_everybody(patch, anyone, image, body):
    answer, record = patch(client=anyone, json=body)
    assert (answer.status_code, answer.json()) == (200, {"error": False})
    assert {name: record[name] for name in image} == image


def test_a_body_of_the_wrong_type_changes_nothing_and_is_a_200(patch):
    answer, record = patch(content=b'{"note": "New"}', headers={"Content-Type": "text/plain"})
    assert (answer.status_code, record["note"]) == (200, "A note")


def test_a_space_is_not_an_empty_text(patch):
    _, record = patch(json={"note": " ", "alt_text": " "})
    assert (record["note"], record["alt_text"]) == (" ", " ")


def test_the_order_of_the_checks(anyone, add):
    bad = {"Authorization": "Bearer garbage"}
    assert anyone.patch("/image/xyz", json={"note": 1}, headers=bad).status_code == 401
    assert anyone.patch("/image/xyz", json={"note": 1}).json()["message"] == "error serving PATCH /image/xyz"
    assert anyone.patch(f"/image/{'0' * 24}", json={"note": 1}).json() == {"error": True, "message": "Not found"}
    assert (
        anyone.patch(f"/image/{add()}", json={"note": 1, "alt_text": "x" * 6000})
        .json()["message"]
        .startswith("Submission")
    )
    answer = anyone.patch(f"/image/{add()}", json={"note": "x" * 501, "alt_text": "x" * 6000})
    assert answer.json()["message"] == "Invalid input `note`: too long"


def test_keys_that_the_database_can_t_write(patch):
    answer, record = patch(json={"permissions": {"copyright": "x", "license": "MIT", "a\0": 1}})
    assert (answer.status_code, record["permissions"]["license"]) == (500, "CC-BY-4.0")
