"""Fields that drafts share: copied one by one, and taken back."""

from __future__ import annotations

import pytest
from publishing.conftest import make_draft

from constellations_widgets import SharedFields
from constellations_widgets.errors import PublishError

LICENSE, NOTE = "permissions.license", "note"


@pytest.fixture
def shared() -> SharedFields:
    return SharedFields(make_draft(note=f"Image {number}") for number in range(4))


def values(shared: SharedFields, path: str) -> list:
    return [draft[path] for draft in shared.drafts]


def test_a_field_is_copied_to_the_chosen_rows_and_no_other_field_is_touched(shared):
    before = [draft.values for draft in shared.drafts]
    assert shared.copy({LICENSE: "mit"}, rows=[0, 2]) == 2
    changed = [
        {path: value for path, value in draft.values.items() if value != old[path]}
        for draft, old in zip(shared.drafts, before, strict=True)
    ]
    assert changed == [{LICENSE: "MIT"}, {}, {LICENSE: "MIT"}, {}]


def test_steps_are_taken_back_and_done_again_one_after_the_other(shared):
    before = [values(shared, path) for path in (LICENSE, NOTE)]
    shared.copy({LICENSE: "MIT"})
    shared.copy({NOTE: "The same"}, rows=[1])
    assert (shared.undoable, shared.redoable) == ("Title (public) of 1 image", "")
    assert shared.undo() == 1 and values(shared, NOTE) == before[1]
    assert shared.undo() == 4 and values(shared, LICENSE) == before[0]
    assert shared.undo() == 0 and shared.redoable == "License of 4 images"
    assert shared.redo() == 4 and values(shared, LICENSE) == ["MIT"] * 4
    shared.copy({LICENSE: "CC0-1.0"}, rows=[3])  # what was undone before a new step is not done again
    assert shared.redoable == "" and shared.redo() == 0


def test_undo_leaves_later_changes_of_others_alone(shared):
    before = values(shared, NOTE)
    shared.copy({NOTE: "The same"})
    shared.drafts[1].note = "My own"
    assert shared.undo() == 3
    assert values(shared, NOTE) == [before[0], "My own", *before[2:]]


def test_what_changes_nothing_is_no_step(shared):
    shared.copy({LICENSE: "MIT"})
    assert shared.copy({LICENSE: "MIT"}) == 0
    shared.undo()
    assert shared.undoable == ""


def test_what_is_being_published_takes_no_copy_and_no_undo(shared):
    with shared.drafts[0].publishing():
        assert shared.copy({NOTE: "The same"}) == 3
    assert shared.drafts[0].note == "Image 0"
    with shared.drafts[1].publishing():
        assert shared.undo() == 2
    assert shared.drafts[1].note == "The same"


def test_addresses_below_one_folder_are_one_step(shared):
    for number, draft in enumerate(shared.drafts):
        draft.update({"storage.legacy_url_template": f"f{number}/{{1}}.png", "wwt.thumbnail_url": f"f{number}/t.jpg"})
    assert shared.host_at("https://example.org/all") == 4
    assert shared.drafts[2].storage.legacy_url_template == "https://example.org/all/f2/{1}.png"
    assert shared.drafts[2].wwt.thumbnail_url == "https://example.org/all/f2/t.jpg"
    shared.undo()
    assert shared.drafts[2].storage.legacy_url_template == "f2/{1}.png"


def test_a_field_that_there_is_not_changes_nothing(shared):
    with pytest.raises(KeyError, match="licence"):
        shared.copy({NOTE: "x", "permissions.licence": "MIT"})
    assert values(shared, NOTE) == [f"Image {number}" for number in range(4)]


def test_a_row_that_there_is_not_changes_nothing(shared):
    with pytest.raises(IndexError):
        shared.copy({NOTE: "x"}, rows=[0, 9])
    assert values(shared, NOTE) == [f"Image {number}" for number in range(4)] and shared.undoable == ""


def test_what_was_changed_before_an_error_can_be_undone(shared):
    def act(row, draft):
        if row == 2:
            raise PublishError("published meanwhile")
        draft.edit({NOTE: "x"})

    with pytest.raises(PublishError):
        shared.change("Title", act)
    assert values(shared, NOTE) == ["x", "x", "Image 2", "Image 3"] and shared.undoable == "Title of 2 images"
    shared.undo()
    assert values(shared, NOTE) == [f"Image {number}" for number in range(4)]
