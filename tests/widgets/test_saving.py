"""The form on a published image, in the kernel: a last look, then saving, then what became of it."""

from __future__ import annotations

import itertools
import time

import pytest
from api.conftest import make_submission
from examples import TILED
from widgets.conftest import say

from constellations_widgets import PublishedImage
from constellations_widgets.api import Constellations
from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import NotSentError
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets.form import ImageForm


@pytest.fixture
def image(box, client):
    permissions = {"copyright": "Copyright 2020 A", "license": "CC-BY-4.0", "credits": "NOIRLab"}
    return PublishedImage(client, client.add_image(box.handle, make_submission(permissions=permissions)))


@pytest.fixture
def form(image):
    made = ImageForm(image)
    yield made
    made.close()


_numbers = itertools.count(1)


def type_into(form: ImageForm, **changes: str) -> None:
    changes = {path.replace("_", ".", path.startswith("permissions")): text for path, text in changes.items()}
    say(form, "edit", client="a page", seq=next(_numbers), changes=changes)


def wait(form: ImageForm, *phases: str) -> dict:
    """The form's state, once it is in one of these phases."""
    for _ in range(1000):
        if form.saving["phase"] in phases:
            return form.saving
        time.sleep(0.01)
    raise AssertionError(f"still {form.saving}")


def review(form: ImageForm) -> dict:
    say(form, "review")
    return wait(form, "review")["review"]


def confirm(form: ImageForm) -> dict:
    say(form, "confirm", ticket=form.saving["review"]["ticket"])
    return wait(form, "saved", "failed", "review")


def test_the_form_says_which_fields_are_fixed_and_what_it_would_save(form, image):
    fixed = {spec["path"] for spec in form.fields if spec["fixed"]}
    assert "wwt.rotation" in fixed and "note" not in fixed and len(fixed) == 14
    assert (form.saving["phase"], form.saving["changed"], form.saving["blocked"]) == ("editing", [], "")
    assert form.saving["place"]["record_url"] == image.record_url
    type_into(form, note="M 51b")
    assert form.saving["changed"] == ["note"]


def test_a_review_shows_before_and_after_and_saving_tells_field_by_field(form, image, client):
    type_into(form, note="M 51b", permissions_credits="<b>A</b><script>x</script>")
    rows = review(form)["rows"]
    assert [(row["path"], row["before"], row["after"]) for row in rows] == [
        ("note", "M 51 – the Whirlpool galaxy", "M 51b"),
        ("permissions.credits", "NOIRLab", "<b>A</b>"),  # as it is sent
    ]
    assert client.image(image.id).note != "M 51b"
    saved = confirm(form)
    assert [(row["field"], row["now"], row["made"]) for row in saved["result"]] == [
        ("note", "M 51b", True),
        ("permissions.credits", "<b>A</b>", True),
    ]
    assert saved["changed"] == [] and client.image(image.id).note == "M 51b"
    type_into(form, note="M 51c")
    assert (form.saving["phase"], form.saving["result"]) == ("editing", [])


def test_changes_of_other_users_are_in_the_review(form, image, client):
    type_into(form, note="mine")
    client.update_image(image.id, note="theirs", alt_text="theirs too")
    shown = review(form)
    assert [(row["path"], row["before"], row["meanwhile"]) for row in shown["rows"]] == [("note", "theirs", True)]
    assert shown["theirs"] == ["alt_text"]
    client.update_image(image.id, note="theirs again")  # while the review is looked at
    again = confirm(form)
    assert again["phase"] == "review" and "note changed on the server" in again["message"]
    assert again["review"]["rows"][0]["before"] == "theirs again"
    assert confirm(form)["phase"] == "saved" and client.image(image.id).note == "mine"


def test_one_click_saves_once_and_only_what_was_looked_at(form, image, client, box):
    type_into(form, note="looked at")
    ticket = review(form)["ticket"]
    type_into(form, note="typed since")
    assert form.saving["phase"] == "editing" and "has changed" in form.saving["message"]
    say(form, "confirm", ticket=ticket)
    assert form.saving["phase"] == "editing"
    ticket = review(form)["ticket"]
    say(form, "confirm", ticket="another")
    say(form, "cancel")
    say(form, "confirm", ticket=ticket)
    assert form.saving["phase"] == "editing" and client.image(image.id).note != "typed since"


def test_a_failure_is_said_with_what_was_not_changed(form, box):
    type_into(form, note="not yet")
    review(form)
    box.faults.next("reset_before_read", method="PATCH")
    failed = confirm(form)
    assert failed["phase"] == "failed" and "Could not update the image" in failed["message"] and not failed["unclear"]
    assert [(row["field"], row["made"]) for row in failed["result"]] == [("note", False)]
    assert any(problem["code"] == "CXW904" for problem in form.state["problems"]) and not form.state["locked"]
    say(form, "cancel")
    assert form.saving["phase"] == "editing" and form.saving["changed"] == ["note"]


def test_if_the_server_cannot_be_checked_the_outcome_of_a_save_is_unclear(form, client, monkeypatch):
    def gone(_call):
        raise NotSentError("The server can't be reached.")

    type_into(form, note="was it?")
    review(form)
    send = client._transport.json
    reads = iter([send])  # the first one before the change; all later ones fail
    choose = {"GET": lambda: next(reads, gone), "PATCH": lambda: send}
    monkeypatch.setattr(client._transport, "json", lambda call: choose[call.method]()(call))
    failed = confirm(form)
    assert (failed["phase"], failed["unclear"], failed["result"]) == ("failed", True, [])


def test_an_error_or_nothing_to_save_ends_the_review_in_words(form, client, image):
    type_into(form, note="")
    say(form, "review")
    assert "1 error to fix before it can be saved." in wait(form, "editing")["message"]
    client.update_image(image.id, note="typed by both")
    type_into(form, note="typed by both")
    say(form, "review")
    while form.saving["phase"] == "reading":
        time.sleep(0.01)
    assert "no changes to save" in form.saving["message"]


def test_who_may_not_change_it_is_told_whose_it_is(box, image):
    with Constellations(box.api_url, box.token(account="somebody else")) as stranger:
        form = ImageForm(PublishedImage(stranger, image.id))
        assert form.state["locked"] and "@sandbox" in form.saving["blocked"]
        type_into(form, note="Mine")
        say(form, "revert")
        assert form.draft.changes == {}
        form.close()


def test_discarding_brings_back_what_the_server_has(form, image):
    type_into(form, note="x", permissions_license="MIT")
    say(form, "revert")
    assert form.saving["changed"] == [] and image.note == image.record.note


def test_a_draft_s_form_saves_nothing_anywhere():
    form = ImageForm(ImageDraft(ParsedImage(TILED), autosave=False))
    assert form.saving == {} and not any(spec.get("fixed") for spec in form.fields)
    for kind in ("review", "confirm", "cancel", "revert"):
        say(form, kind)
    assert form.saving == {}
    form.close()


def test_what_an_earlier_kernel_left_unsaved_is_offered_until_it_is_saved(client, image):
    crashed = ImageForm(image)
    crashed.draft.note = "an hour of work"
    image._unsaved._file.flush()
    crashed.close()
    again = ImageForm(PublishedImage(client, image.id))
    assert again.earlier["phase"] == "offered"
    again._on_message(again, {"kind": "restore"}, [])
    assert again.earlier["phase"] == "restored" and again.saving["changed"] == ["note"]
    again.draft.save()
    again.close()
    assert ImageForm(PublishedImage(client, image.id)).earlier == {}
