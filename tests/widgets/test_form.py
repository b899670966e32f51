"""The form in the kernel: what it tells the page, and what an edit of the page does to the draft."""

from __future__ import annotations

import itertools
import json
import math
import threading
import types

import pytest
from examples import TILED, tiled
from widgets.conftest import say

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import PublishError
from constellations_widgets.schema.fields import fields
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets import base
from constellations_widgets.widgets.form import ImageForm

PAGE = "a-page"
RECEIPT = types.SimpleNamespace(id="65f0")


def draft_of(values=TILED, **options) -> ImageDraft:
    return ImageDraft(ParsedImage(values, name="M 51", **options), autosave=bool(options))


@pytest.fixture
def form():
    made = ImageForm(draft_of())
    yield made
    made.close()


_numbers = itertools.count(1)


def edit(form: ImageForm, seq: int | None = None, **changes) -> None:
    """What the page sends when somebody types; underscores stand for dots."""
    seq = seq or next(_numbers)
    paths = {path.replace(".", "_"): path for path in fields()}
    message = {path: value for path, value in ((paths[name], value) for name, value in changes.items())}
    form._on_message(form, {"kind": "edit", "client": PAGE, "seq": seq, "changes": message}, [])


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


def type_in(
    form: ImageForm, client: str, before: str, after: str, path: str = "note", *, seq: int = 1, since: int | None = None
) -> dict:
    """What a page sends that had the text `before` in the last state before its edit `since`; the state after it."""
    message = {"kind": "edit", "client": client, "seq": seq, "changes": {path: after}}
    form._on_message(form, message | {"base": {path: before}, "since": {path: since or seq}}, [])
    return form.state


def test_what_two_pages_type_into_one_text_at_once_is_kept(form):
    form.draft.note = "M 51"
    assert "merged" not in type_in(form, "a", "M 51", "M 51 i")["by"]
    state = type_in(form, "b", "M 51", "The M 51")  # sent before it had seen the other page's letters
    assert state["values"]["note"] == "The M 51 i"
    assert (state["by"]["client"], state["by"]["merged"]) == ("b", ["note"])
    type_in(form, "a", "M 51", "M 51 in", seq=2, since=1)  # before it had seen its own first edit named
    state = type_in(form, "b", "M 51", "The  M 51", seq=2, since=1)
    assert (state["values"]["note"], state["by"]["merged"]) == ("The  M 51 in", ["note"])
    type_in(form, "a", "The  M 51 in", "The  M 51 in it", seq=3)
    assert form.draft.note == "The  M 51 in it"


def test_an_edit_that_is_repeated_counts_once(form):
    """A page repeats what no state has named: the edit may be lost, or only its response."""
    form.draft.note = "M 51"
    type_in(form, "a", "M 51", "M 51 i")
    type_in(form, "b", "M 51 i", "The M 51 i")
    form.draft.note += "."
    again = type_in(form, "a", "M 51", "M 51 i")
    assert again["values"]["note"] == "The M 51 i."
    assert again["by"] == {"client": "a", "seq": 1, "paths": ["note"], "merged": ["note"]}  # its page shows "M 51 i"
    for _ in range(2):
        assert type_in(form, "b", "The M 51 i", "The M 51 in", seq=2)["by"]["merged"] == ["note"]
        assert form.draft.note == "The M 51 in."
    form.draft.note = "M 51"
    for _ in range(2):
        assert "merged" not in type_in(form, "b", "M 51", "M 51 in", seq=3)["by"]


def test_an_edit_that_was_lost_is_no_part_of_the_text_on_which_the_next_one_was_typed(form):
    form.draft.note = "Before the connection broke"
    type_in(form, "a", "Before the connection broke", "Typed again", seq=2, since=1)  # "Typed", the first one, was lost
    assert form.draft.note == "Typed again"


def test_the_edits_of_few_pages_are_remembered(form):
    for page in range(2 * base._PAGES):
        type_in(form, str(page), form.draft.note, f"{page}")
    assert len(form._taken) == base._PAGES and form.draft.note == f"{2 * base._PAGES - 1}"


def test_what_python_makes_of_a_text_is_not_merged_as_another_page_s(form):
    form.draft.alt_text = ""
    stop = form.draft.on_change(lambda draft, _: setattr(draft, "alt_text", draft.alt_text.replace("M51", "M 51")))
    assert type_in(form, "a", "", "M51", "alt_text")["values"]["alt_text"] == "M 51"
    assert type_in(form, "a", "", "M51, the", "alt_text", seq=2, since=1)["values"]["alt_text"] == "M 51, the"
    stop()


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("permissions.license", ["MIT", "CC-BY-4.0", "CC0-1.0"]),
        ("storage.legacy_url_template", ["http://x/a", "http://x/b", "http://x/c"]),
        ("wwt.projection", ["Tan", "SkyImage", "Toast"]),
        ("wwt.rotation", ["1", "2", "3"]),
    ],
)
def test_of_two_choices_addresses_or_numbers_the_later_one_holds(form, path, values):
    first, second, third = values
    form.draft.edit({path: second})
    state = type_in(form, "a", first, third, path)
    assert state["values"][path] in (third, 3) and "merged" not in state["by"]


def test_a_change_in_python_is_no_edit_of_the_page(form):
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
    form._on_message(form, {"kind": "fix", "code": problem["code"], "field": problem["field"]}, [])
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
    form._on_message(form, message, [])
    assert form.draft.values == before


def test_an_edit_of_an_unknown_field_or_of_no_plain_value_is_left_out(form):
    before = form.draft.values
    message = {"kind": "edit", "client": PAGE, "seq": 1, "changes": {"wwt.scale": 1, "note": {"a": 1}, "__class__": 2}}
    form._on_message(form, message, [])
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


def form_of(**values) -> ImageForm:
    """A form as the cell makes it each time it is run."""
    return ImageForm(draft_of(tiled(values) if values else TILED, origin="m51/index_rel.wtml"))


def test_a_cell_that_is_run_again_keeps_what_was_typed_and_not_what_a_program_set():
    first = form_of()
    edit(first, note="an hour of work")
    first.draft.storage.legacy_url_template = "https://set.by/a/program/{1}/{3}/{3}_{2}.png"
    again = form_of()  # at once: what was typed is not on the disk yet
    assert again.draft.values == tiled({"note": "an hour of work"})
    assert again.earlier["phase"] == "restored" and again.earlier["saved"]
    shown = {"path": "note", "title": "Title (public)", "before": TILED["note"], "after": "an hour of work"}
    assert again.earlier["fields"] == [shown]
    third = form_of()
    assert third.draft.note == "an hour of work"


def test_discarded_edits_can_be_had_back_until_the_cell_is_run_again():
    edit(form_of(), note="an hour of work", alt_text="Typed, too")
    for _ in range(2):  # each run leaves a file
        again = form_of()
    say(again, "discard")
    assert again.draft.values == TILED and again.earlier["phase"] == "discarded"
    say(again, "restore")
    assert again.draft.note == "an hour of work" and again.earlier["phase"] == "restored"
    say(again, "discard")
    assert form_of().draft.values == TILED


def test_what_was_typed_since_is_never_overwritten():
    edit(form_of(), note="an hour of work", alt_text="Typed, too")
    again = form_of()
    edit(again, note="typed since")
    say(again, "discard")
    assert (again.draft.note, again.draft.alt_text) == ("typed since", TILED["alt_text"])
    say(again, "restore")
    assert (again.draft.note, again.draft.alt_text) == ("typed since", "Typed, too")


def test_edits_of_a_source_that_says_something_else_now_are_only_offered():
    edit(form_of(), note="an hour of work")
    changed = form_of(note="The source was changed")
    assert changed.draft.note == "The source was changed" and changed.earlier["phase"] == "offered"
    say(changed, "restore")
    assert changed.draft.note == "an hour of work" and changed.earlier["phase"] == "restored"
    say(changed, "discard")
    assert changed.draft.note == "The source was changed"


def test_what_was_typed_back_to_the_source_stays_so():
    edit(form_of(), note="an hour of work")
    again = form_of()
    edit(again, note=TILED["note"])
    assert form_of().draft.note == TILED["note"]


def test_restored_edits_that_are_published_are_not_shown_again():
    edit(form_of(), note="an hour of work")
    again = form_of()
    assert again.draft.earlier  # kept until then: the new kernel may be killed too
    again.draft.published(RECEIPT)
    assert form_of().earlier == {}


def test_nothing_is_restored_where_only_a_program_has_changed_the_draft():
    draft = draft_of(origin="m51/index_rel.wtml")
    draft.note = "from Python"
    draft._autosave.flush()
    assert form_of().earlier == {}


@pytest.mark.parametrize(
    ("path", "typed", "meant"),
    [
        ("wwt.center_x", "13:29:52.7", 202.469583333),
        ("wwt.center_x", "202,4696", 202.4696),
        ("wwt.center_y", "47° 11' 43\" N", 47.195277778),
        ("wwt.rotation", "17°", 17.0),
        ("wwt.base_degrees_per_tile", "0.36 arcsec", 0.0001),
        ("wwt.tile_levels", "4", 4),
        ("wwt.rotation", "north", "north"),
    ],
)
def test_raw_fields_take_numbers_as_people_write_them(form, path, typed, meant):
    say(form, "edit", client=PAGE, seq=1, changes={path: typed})
    assert form.draft[path] == (pytest.approx(meant, abs=1e-9) if not isinstance(meant, str) else meant)


def place(form: ImageForm, name: str) -> dict:
    return next(field for field in form.place["fields"] if field["name"] == name)


def test_the_position_is_set_in_human_numbers_and_undone_by_nothing_but_itself(form):
    assert form.place["complete"] and form.place["summary"].startswith(place(form, "ra")["text"])
    say(form, "place", name="ra", value="13h30m00s +48d00m00s")
    assert (place(form, "ra")["text"][:11], place(form, "dec")["text"][:12]) == ("13h 30m 00.", "+48° 00′ 00.")
    say(form, "place", name="rotation", value="12,5°")
    assert place(form, "rotation")["text"] == "12.5°"
    before = form.draft.values
    say(form, "place", name="dec", value="somewhere")
    assert form.draft.values == before
    assert place(form, "dec")["typed"] == "somewhere" and "has not moved" in place(form, "dec")["error"]
    form.draft.wwt.rotation = 0.0  # Python moves it, and the message stays at its field
    assert place(form, "dec")["error"]
    say(form, "place", name="dec", value="+48")
    assert place(form, "dec")["error"] == ""


def test_hours_taken_for_degrees_and_swapped_coordinates_are_questioned(form):
    say(form, "place", name="ra", value="13.4979")
    assert "in hours?" in form.place["question"] and form.place["label"].startswith("Use 13h 29m 52.4")
    say(form, "place_answer")
    assert place(form, "ra")["text"].startswith("13h 29m 52.4") and form.place["question"] == ""
    say(form, "place", name="ra", value="47.2 202.47")
    assert "swapped?" in form.place["question"]
    say(form, "place_answer")
    assert place(form, "ra")["text"].startswith("13h 29m 52.8") and place(form, "dec")["text"].startswith("+47° 12′ 00")
    assert all(field["error"] == "" for field in form.place["fields"])


def test_an_image_without_a_placement_gets_one_in_the_position_step():
    form = ImageForm(ImageDraft(ParsedImage({"wwt.file_type": ".jpg"}), autosave=False))
    assert not form.place["complete"] and [field["name"] for field in form.place["fields"]] == [
        "ra",
        "dec",
        "pixel",
        "rotation",
    ]
    say(form, "place", name="ra", value="10h00m12s +20d10m")
    say(form, "place", name="pixel", value="0.36")
    assert form.draft.wwt.projection == "SkyImage" and form.draft.wwt.base_degrees_per_tile == pytest.approx(1e-4)
    form.close()


def test_a_published_draft_takes_no_more_edits(form):
    form.draft.published(RECEIPT)
    edit(form, note="too late")
    assert form.draft.note == TILED["note"]
    assert form.state["locked"] is True


def test_a_published_draft_is_closed_and_names_the_way_to_go_on(form):
    form.draft.published(RECEIPT)
    for change in (
        lambda: setattr(form.draft.wwt, "rotation", 30),
        lambda: setattr(form.draft, "note", "x"),
        lambda: form.draft.update({"note": "x"}),
    ):
        with pytest.raises(PublishError, match=r"published as 65f0.*cxw\.PublishedImage\(client, draft\.receipt\)"):
            change()
    assert form.draft.values == TILED
