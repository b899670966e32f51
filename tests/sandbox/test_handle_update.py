"""A handle's display name: changed by its owner; the numbers and lists that a handle's owner reads."""

from __future__ import annotations

import pytest

PATH = "/handle/named"


@pytest.fixture(autouse=True)
def handle(box):
    box.add_handle("named", "Before")


def test_its_owner_changes_the_display_name(owner, anyone):
    for name in ("Ünïcode 😀", "x" * 64, "😀" * 32):
        answer = owner.patch(PATH, json={"display_name": name})
        assert (answer.status_code, answer.json()) == (200, {"error": False})
        assert anyone.get(PATH).json() == {"error": False, "handle": "named", "display_name": name}


@pytest.mark.parametrize("name", ["x" * 65, "😀" * 33])
def test_a_name_is_at_most_64_utf16_units_long(owner, other, name):
    for client in (owner, other):  # checked before the right to change it
        answer = client.patch(PATH, json={"display_name": name})
        assert (answer.status_code, answer.json()["message"]) == (400, "Invalid input display_name: too long")


@pytest.mark.parametrize("body", [{}, {"display_name": ""}, {"handle": "other"}])
def test_what_changes_nothing_succeeds_for_everyone(anyone, owner, body):
    before = anyone.get(PATH).json()
    assert anyone.patch(PATH, json=body).json() == owner.patch(PATH, json=body).json() == {"error": False}
    assert anyone.get(PATH).json() == before


def test_who_may_not_is_told(anyone, other, owner):
    for client in (anyone, other):
        answer = client.patch(PATH, json={"display_name": "Mine"})
        assert (answer.status_code, answer.json()["message"]) == (403, "Forbidden")
    answer = owner.patch("/handle/nobody", json={"display_name": 1})
    assert (answer.status_code, answer.json()["message"]) == (404, "Not found")
    answer = owner.patch(PATH, json={"display_name": None})
    message = "Invalid value null supplied to : Partial<{ display_name: string }>/display_name: string"
    assert (answer.status_code, answer.json()["message"]) == (400, f"Submission did not match schema: {message}")
