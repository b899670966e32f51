"""The form in the kernel: what it tells the page, and what an edit of the page does to the draft."""

from __future__ import annotations

import json
import math
import threading

import pytest
from examples import TILED, tiled

from constellations_widgets.draft import ImageDraft
from constellations_widgets.schema.fields import fields
from constellations_widgets.sources.reading import Reading
from constellations_widgets.widgets.form import ImageForm

PAGE = "a-page"


def draft_of(values=TILED, **options) -> ImageDraft:
    return ImageDraft(Reading(values, name="M 51", **options), autosave=bool(options))


@pytest.fixture
def form():
    made = ImageForm(draft_of())
    yield made
    made.close()


def edit(form: ImageForm, seq: int = 1, **changes) -> None:
    """What the page sends when somebody types; underscores stand for dots."""
    paths = {path.replace(".", "_"): path for path in fields()}
    message = {path: value for path, value in ((paths[name], value) for name, value in changes.items())}
    form._received(form, {"kind": "edit", "client": PAGE, "seq": seq, "changes": message}, [])


def test_labels_and_help_come_from_the_schema(form):
    shown = {spec["path"]: spec for spec in form.fields}
    assert list(shown) == list(fields())
    assert shown["wwt.center_x"]["title"] == "Center X (RA)" and shown["wwt.center_x"]["unit"] == "degrees"
    assert all(spec["description"] for spec in shown.values())


def test_an_edit_of_the_page_is_in_the_draft_and_comes_back_as_its_own(form):
    edit(form, 7, wwt_rotation=30, note="new")
    assert (form.draft.wwt.rotation, form.draft.note) == (30, "new")
    assert form.state["by"] == {"client": PAGE, "seq": 7, "paths": ["wwt.rotation", "note"]}
    assert form.state["values"]["wwt.rotation"] == 30


def test_an_edit_that_changes_nothing_is_answered_too(form):
    edit(form, 3, wwt_rotation=TILED["wwt.rotation"])
    assert form.state["by"]["seq"] == 3


def test_a_change_in_python_is_nobody_s_edit(form):
    edit(form, 3, note="typed")
    form.draft.note = "from Python"
    assert form.state["by"]["client"] == ""
    assert form.state["values"]["note"] == "from Python"


def test_values_that_json_or_javascript_cannot_hold_are_shown_as_text(form):
    form.draft.update({"wwt.rotation": math.nan, "wwt.center_x": math.inf, "wwt.tile_levels": 2**60, "note": object})
    json.dumps(form.state, allow_nan=False)
    assert form.state["values"]["wwt.rotation"] == "nan"
    assert form.state["values"]["wwt.tile_levels"] == str(2**60)


def test_the_fix_of_a_problem_is_applied_by_its_code_and_field(form):
    form.draft.wwt.projection = "Tangent"
    problem = next(problem for problem in form.state["problems"] if problem["field"] == "wwt.projection")
    assert problem["fix"]
    form._received(form, {"kind": "fix", "code": problem["code"], "field": problem["field"]}, [])
    assert form.draft.wwt.projection == "Tan"


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        "edit",
        [],
        {},
        {"kind": None},
        {"kind": "close"},
        {"kind": "draft_changed"},
        {"kind": "state"},
        {"kind": ["edit"]},
    ],
)
def test_messages_that_make_no_sense_do_nothing(form, message):
    before = form.draft.values
    form._received(form, message, [])
    assert form.draft.values == before


def test_an_edit_of_an_unknown_field_or_of_no_plain_value_is_left_out(form):
    before = form.draft.values
    message = {"kind": "edit", "client": PAGE, "seq": 1, "changes": {"wwt.scale": 1, "note": {"a": 1}, "__class__": 2}}
    form._received(form, message, [])
    assert form.draft.values == before


def test_credits_are_shown_as_the_server_keeps_them_and_as_a_tree_without_html(form):
    edit(form, permissions_credits="<b>A</b><script>x</script>")
    assert form.kept_credits == {"text": "<b>A</b>", "tree": [{"tag": "b", "children": ["A"]}]}
    edit(form, permissions_credits="<b>" * 5000)  # would take the server down; is refused, and shown as nothing
    assert form.kept_credits == {"text": "", "tree": []}
    assert any(problem["code"] == "CXW501" for problem in form.state["problems"])


def test_two_forms_on_one_draft_show_the_same_and_one_that_is_closed_listens_no_more():
    draft = draft_of()
    first, second = ImageForm(draft), ImageForm(draft)
    edit(first, note="typed into the first")
    assert second.state["values"]["note"] == "typed into the first"
    assert second.state["by"]["client"] == PAGE or second.state["by"]["client"] == ""
    second.close()
    edit(first, note="typed again")
    assert second.state["values"]["note"] == "typed into the first"
    first.close()


def test_changes_from_many_threads_end_with_the_draft_s_own_state(form):
    def change(number: int) -> None:
        for turn in range(20):
            form.draft.wwt.rotation = number * 100 + turn

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert form.state["values"]["wwt.rotation"] == form.draft.wwt.rotation


def test_what_was_typed_before_a_crash_is_offered_and_what_a_program_set_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path))
    crashed = ImageForm(draft_of(origin="m51/index_rel.wtml"))
    edit(crashed, note="an hour of work")
    crashed.draft.storage.legacy_url_template = "https://set.by/a/program/{1}/{3}/{3}_{2}.png"
    crashed.draft._autosave.flush()
    crashed.close()
    again = ImageForm(draft_of(origin="m51/index_rel.wtml"))
    assert again.earlier
    again._received(again, {"kind": "restore"}, [])
    assert again.draft.note == "an hour of work"
    assert again.draft.values == tiled({"note": "an hour of work"})
    assert again.earlier == ""
    again.close()


def test_restored_edits_that_are_published_are_not_offered_again(tmp_path, monkeypatch):
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path))
    crashed = ImageForm(draft_of(origin="m51/index_rel.wtml"))
    edit(crashed, note="an hour of work")
    crashed.draft._autosave.flush()
    crashed.close()
    again = ImageForm(draft_of(origin="m51/index_rel.wtml"))
    again._received(again, {"kind": "restore"}, [])
    assert again.draft.earlier  # kept until then: the new kernel may be killed too
    again.draft.published(object())
    again.close()
    assert ImageForm(draft_of(origin="m51/index_rel.wtml")).earlier == ""


def test_nothing_is_offered_where_only_a_program_has_changed_the_draft(tmp_path, monkeypatch):
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path))
    draft = draft_of(origin="m51/index_rel.wtml")
    draft.note = "from Python"
    draft._autosave.flush()
    form = ImageForm(draft_of(origin="m51/index_rel.wtml"))
    assert form.earlier == ""
    form.close()


def test_a_published_draft_takes_no_more_edits(form):
    form.draft.published(object())
    edit(form, note="too late")
    assert form.draft.note == TILED["note"]
    assert form.state["locked"] is True
