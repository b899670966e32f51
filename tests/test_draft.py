"""The draft: one state that Python, widgets and threads change, that tells everybody once, and that survives a crash."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import math
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest
import traitlets
from examples import TILED, UNTILED, body, tiled
from hypothesis import given
from hypothesis import strategies as st

from constellations_widgets import autosave, observable
from constellations_widgets.autosave import (
    DELAY,
    KEEP,
    folder_of,
    from_json,
    read_draft_file,
    saved_files,
    to_json,
)
from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import DraftError, PublishError, SourceError
from constellations_widgets.schema.fields import fields
from constellations_widgets.schema.images import ImageSubmission
from constellations_widgets.schema.records import ImageRecord
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.state import state_remedy


def draft_of(values: dict[str, Any] = TILED, origin: str = "", **options: Any) -> ImageDraft:
    return ImageDraft(ParsedImage(values, "M 51", origin), **{"autosave": False, **options})


def saved_drafts(state: Path) -> list[Path]:
    return sorted(state.glob("drafts/*/*.json"))


@pytest.fixture
def draft() -> ImageDraft:
    return draft_of()


@pytest.fixture
def told(draft) -> list[frozenset[str]]:
    """What observers of `draft` were told."""
    changes: list[frozenset[str]] = []
    draft.on_change(lambda _, paths: changes.append(paths))
    return changes


# -- values


def test_fields_are_attributes_and_paths(draft):
    draft.wwt.rotation = 30
    draft["note"] = "M 51"
    draft.storage.legacy_url_template = "https://example.org/{1}/{3}/{3}_{2}.png"
    draft.permissions.copyright = "Public domain"
    assert (draft["wwt.rotation"], draft.note, draft.values["permissions.copyright"]) == (30, "M 51", "Public domain")
    assert list(draft.values) == list(fields())


def test_an_empty_draft_has_only_what_almost_every_image_has():
    filled = {path: value for path, value in ImageDraft(autosave=False).values.items() if value not in (None, "")}
    assert filled == {"wwt.width_factor": 2, "wwt.bottoms_up": False}


@pytest.mark.parametrize("value", ["12,5", math.inf, None, [1], {"a": 1}, object(), b"x", 10**400])
def test_any_value_may_stand_in_a_field_as_it_was_typed(draft, value):
    draft.wwt.rotation = value
    assert draft.wwt.rotation is value and draft.values["wwt.rotation"] is value
    assert isinstance(draft.problems, list)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(1.5), 1.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array(2.5), 2.5),
        (np.array([7]), 7),
    ],
)
def test_a_number_of_numpy_becomes_a_plain_one(draft, value, plain):
    draft.wwt.rotation = value
    assert draft.wwt.rotation == plain and type(draft.wwt.rotation) is type(plain)


def test_an_array_stands_where_it_was_put_and_the_checks_say_what_is_wrong(draft):
    draft.wwt.rotation = np.arange(3)
    draft.wwt.rotation = np.arange(3) + 1
    assert [p.code for p in draft.problems if p.field == "wwt.rotation"] == ["CXW102"]


def test_the_license_is_written_as_the_server_wants_it_where_it_is_one(draft):
    draft.permissions.license = "cc0 1.0"
    assert draft.permissions.license == "CC0-1.0"
    draft.permissions.license = "public domain"
    assert draft.permissions.license == "public domain"
    assert "CC-PDDC" in next(p.message for p in draft.problems if p.field == "permissions.license")


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda draft: setattr(draft.wwt, "rotaton", 1), "did you mean rotation"),
        (lambda draft: setattr(draft.wwt, "scale", 1), "there are base_degrees_per_tile, bottoms_up"),
        (lambda draft: setattr(draft, "rotation", 1), "did you mean wwt.rotation"),
        (lambda draft: setattr(draft, "licence", "MIT"), "did you mean permissions.license"),
        (lambda draft: setattr(draft, "alttext", ""), "did you mean alt_text"),
        (lambda draft: setattr(draft, "wwt", {}), "one by one"),
        (lambda draft: draft.update({"note": "changed", "wwt.rotaton": 1}), "did you mean wwt.rotation"),
        (lambda draft: draft["permissions.credit"], "did you mean permissions.credits"),
        (lambda draft: ImageDraft(wwt={}), "ImageDraft.from_wtml"),
    ],
)
def test_a_name_that_is_no_field_is_told_what_was_meant_and_changes_nothing(draft, change, hint):
    before = draft.values
    with pytest.raises((AttributeError, KeyError, TypeError), match=hint):
        change(draft)
    assert draft.values == before


# -- observers


def test_an_update_is_told_once_with_all_that_changed(draft, told):
    draft.update({"wwt.rotation": 1, "note": "new", "alt_text": TILED["alt_text"]})
    draft.wwt.rotation = 2
    draft.permissions.license = "mit"
    assert told == [{"wwt.rotation", "note"}, {"wwt.rotation"}, {"permissions.license"}]


@pytest.mark.parametrize("value", [12.5, math.nan, "12.5", None, [1, 2]])
def test_what_changes_nothing_is_not_told(value):
    draft = draft_of(tiled({"wwt.rotation": value}))
    draft.on_change(lambda *_: pytest.fail("nothing has changed"))
    draft.wwt.rotation = float("nan") if value is math.nan else value
    draft.update({})
    draft.permissions.license = "cc-by-4.0"


@pytest.mark.parametrize(("old", "new"), [(0, False), (1, True), (True, 1), (1.0, True)])
def test_a_number_is_not_mistaken_for_true_or_false(old, new):
    draft = draft_of(UNTILED | {"wwt.bottoms_up": old})
    found = bool([p for p in draft.problems if p.code == "CXW105"])
    draft.wwt.bottoms_up = new
    assert draft.wwt.bottoms_up is new
    assert bool([p for p in draft.problems if p.code == "CXW105"]) is not found


def test_changes_within_hold_are_told_as_one_also_when_it_ends_with_an_error(draft, told):
    with draft.hold():
        draft.note = "a"
        with draft.hold():
            draft.wwt.rotation = 1
        draft.note = "b"
        assert told == []
    with pytest.raises(ZeroDivisionError), draft.hold():
        draft.note = "c"
        1 / 0  # noqa: B018
    assert told == [{"note", "wwt.rotation"}, {"note"}]


def test_an_observer_stops_where_it_wants(draft, told):
    seen: list[Any] = []
    stop = draft.on_change(lambda *arguments: seen.append(arguments))
    draft.note = "a"
    stop()
    stop()
    draft.note = "b"
    assert seen == [(draft, {"note"})] and len(told) == 2


def test_an_observer_may_change_the_draft_again(draft):
    told: list[tuple[frozenset[str], str]] = []

    def rename(changed: ImageDraft, paths: frozenset[str]) -> None:
        if "wwt.rotation" in paths:
            changed.note = f"turned by {changed.wwt.rotation}"

    draft.on_change(rename)
    draft.on_change(lambda changed, paths: told.append((paths, changed.note)))
    draft.wwt.rotation = 5
    assert told == [({"note"}, "turned by 5"), ({"wwt.rotation"}, "turned by 5")]


def test_an_observer_that_fails_loses_neither_the_change_nor_the_others(draft, told, caplog):
    def broken(*_: Any) -> None:
        raise RuntimeError("of the observer")

    draft = draft_of()
    seen: list[frozenset[str]] = []
    draft.on_change(broken)
    draft.on_change(lambda _, paths: seen.append(paths))
    with caplog.at_level(logging.ERROR):
        draft.note = "new"
        draft.published("a receipt")
    assert draft.note == "new" and seen == [{"note"}, {"receipt"}]
    assert "of the observer" in caplog.text


def test_an_observer_of_one_trait_that_fails_stops_no_other_field(draft, told):
    def broken(_: Any) -> None:
        raise RuntimeError("of the observer")

    draft.wwt.observe(broken, "rotation")
    with pytest.raises(RuntimeError, match="of the observer"):
        draft.update({"wwt.rotation": 1, "wwt.center_x": 2, "note": "new"})
    assert (draft.wwt.rotation, draft.wwt.center_x, draft.note) == (1, 2, "new")
    assert told == [{"wwt.rotation", "wwt.center_x", "note"}]


def test_fields_may_be_observed_and_linked_as_traits(draft, told):
    seen: list[tuple[Any, Any]] = []
    draft.wwt.observe(lambda change: seen.append((change.old, change.new)), "rotation")
    slider = ipywidgets.FloatSlider(value=0, min=-180, max=180)
    traitlets.link((draft.wwt, "rotation"), (slider, "value"))
    assert slider.value == 12.5
    slider.value = 30.0
    draft.wwt.rotation = -45.0
    assert (draft.wwt.rotation, slider.value) == (-45.0, -45.0)
    assert seen == [(12.5, 30.0), (30.0, -45.0)] and told == [{"wwt.rotation"}] * 2

    box = ipywidgets.Textarea()
    traitlets.dlink((draft, "note"), (box, "value"))
    draft.note = "linked"
    assert box.value == "linked"


def test_traits_held_back_are_told_in_the_end(draft):
    seen: list[Any] = []
    draft.wwt.observe(lambda change: seen.append(change.new), "rotation")
    with draft.wwt.hold_trait_notifications():
        draft.wwt.rotation = 1
        draft.wwt.rotation = 2
        assert seen == []
    assert seen == [2]


# -- threads


def in_threads(*works: Any) -> None:
    failures: list[BaseException] = []

    def guarded(work: Any) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (fails the test below)
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "threads wait for each other"
    assert failures == []


def test_threads_that_change_and_read_at_once_see_whole_changes_only(draft):
    draft.update({"wwt.offset_x": 0, "wwt.offset_y": 0})
    told: list[frozenset[str]] = []
    draft.on_change(lambda _, paths: told.append(paths))

    def write(step: int) -> None:
        for turn in range(1, 101):
            draft.update({"wwt.offset_x": step * turn, "wwt.offset_y": step * turn})

    def read() -> None:
        for _ in range(300):
            values = draft.values
            assert values["wwt.offset_x"] == values["wwt.offset_y"]
            assert all(p.code != "CXW101" for p in draft.problems)

    in_threads(lambda: write(1000), lambda: write(-1000), read, read)
    assert len(told) == 200 and set(told) == {frozenset({"wwt.offset_x", "wwt.offset_y"})}
    problems = {p.code for p in draft.problems}
    assert "CXW212" in problems  # those of the last values, not remembered ones


def test_an_observer_that_waits_for_a_thread_that_needs_the_draft_waits_in_vain_never(draft):
    read: list[str] = []

    def other() -> None:
        draft.wwt.rotation = 99
        read.append(draft.values["note"])

    def wait(_: Any, paths: frozenset[str]) -> None:
        if "note" in paths:
            in_threads(other)

    draft.on_change(wait)
    draft.note = "first"
    draft.observe(lambda _: in_threads(other), "note")
    with draft.hold():
        draft.note = "second"
    assert read == ["first", "second", "second"]


def test_a_change_of_another_thread_is_told_there_while_this_one_holds(draft):
    told: list[tuple[str, frozenset[str]]] = []
    draft.on_change(lambda _, paths: told.append((threading.current_thread().name, paths)))

    def other() -> None:
        threading.current_thread().name = "other"
        draft.note = "of the other"

    with draft.hold():
        draft.wwt.rotation = 1
        in_threads(other)
    assert told == [("other", {"note"}), (threading.current_thread().name, {"wwt.rotation"})]


# -- problems and submission


def test_problems_follow_the_values(draft):
    assert [p.severity for p in draft.problems] == ["info"]
    draft.wwt.bottoms_up = True
    [problem] = [p for p in draft.problems if p.severity == "error"]
    draft.apply(problem)
    assert draft.wwt.bottoms_up is False and [p.severity for p in draft.problems] == ["info"]
    draft.problems.clear()
    assert draft.problems


def test_what_has_no_fix_says_so(draft):
    draft.wwt.rotation = "north up"
    with pytest.raises(ValueError, match="no automatic fix for CXW102 error wwt.rotation"):
        draft.apply(draft.problems[0])


def test_remarks_of_the_source_stand_with_the_problems():
    draft = ImageDraft(ParsedImage(TILED, remarks=("BandPass is not kept",)), autosave=False)
    assert [(p.code, p.severity) for p in draft.problems if p.message == "BandPass is not kept"] == [("CXW901", "info")]


def test_a_draft_without_errors_becomes_its_submission(draft):
    assert draft.submission().to_request() == body()
    assert draft_of(UNTILED).submission().to_request() == body({}, UNTILED)


def test_a_draft_with_errors_names_every_field(draft):
    draft.update(
        {"wwt.rotation": math.nan, "wwt.center_x": "x", "permissions.copyright": "", "permissions.license": "CC"}
    )
    with pytest.raises(DraftError) as caught:
        draft.submission()
    named = {problem.field for problem in caught.value.problems}
    assert named == {"wwt.rotation", "wwt.center_x", "permissions.copyright", "permissions.license"}
    assert all(field in str(caught.value) for field in named) and "4 errors" in str(caught.value)


@pytest.mark.parametrize("values", [TILED, UNTILED], ids=["tiled", "untiled"])
def test_a_submission_becomes_a_draft_and_the_same_submission_again(values):
    submission = ImageSubmission.model_validate(body({}, values))
    for given_body in (submission, submission.to_request()):
        draft = ImageDraft.from_submission(given_body, autosave=False)
        assert draft.submission() == submission and draft.name == values["note"]


def test_a_record_of_the_api_becomes_a_draft():
    record = {
        "id": "5e9f",
        "handle": {"handle": "me"},
        "error": False,
        **body({"alt_text": ..., "permissions.credits": ...}),
    }
    draft = ImageDraft.from_submission(record, autosave=False)
    assert draft.submission().to_request() == body({"alt_text": ..., "permissions.credits": ...})


def test_a_record_as_the_client_reads_it_becomes_a_draft():
    content = {"id": "5e9f", "handle": {"handle": "me"}, **body({"alt_text": ..., "permissions.credits": ...})}
    draft = ImageDraft.from_submission(ImageRecord.model_validate(content), autosave=False)
    assert draft.submission().to_request() == body({"alt_text": ..., "permissions.credits": ...})


@pytest.mark.parametrize("thing", [None, 3, "m51.wtml", [], object()])
def test_what_is_no_submission_makes_no_draft(thing):
    with pytest.raises(SourceError, match="is not a submission"):
        ImageDraft.from_submission(thing)


def test_a_file_given_to_the_class_itself_is_answered_with_the_right_way():
    with pytest.raises(TypeError, match="from_wtml"):
        ImageDraft("m51/index_rel.wtml")


def test_addresses_are_made_from_where_the_files_are_hosted(draft):
    draft.update({"storage.legacy_url_template": "{1}/{3}/{3}_{2}.png", "wwt.thumbnail_url": "thumb.jpg"})
    draft.host_at("https://example.org/m51")
    assert draft.storage.legacy_url_template == "https://example.org/m51/{1}/{3}/{3}_{2}.png"
    assert draft.wwt.thumbnail_url == "https://example.org/m51/thumb.jpg"


def test_a_draft_shows_its_name_and_how_it_stands(draft):
    assert repr(draft) == "<ImageDraft 'M 51': 0 errors, 0 warnings>"
    draft.update({"wwt.rotation": None, "alt_text": ""})
    assert repr(draft) == "<ImageDraft 'M 51': 1 error, 1 warning>"
    assert "rotation=None" in repr(draft.wwt)
    draft.published("a receipt")
    assert repr(draft) == "<ImageDraft 'M 51': published>"


# -- on disk

TYPED = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[]))


@given(st.dictionaries(st.sampled_from(list(fields())), TYPED))
def test_a_draft_is_read_from_its_file_as_it_was(tmp_path_factory, changes):
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    draft = draft_of({**TILED, **changes}, origin="m51.wtml")
    assert draft.save(path) == path
    read = ImageDraft.load(path, autosave=False)
    assert repr(read.values) == repr(draft.values)  # as text, since NaN differs from itself
    assert (read.name, read.origin) == (draft.name, draft.origin) and read.id != draft.id


@pytest.mark.parametrize("value", [10**5000, -(10**5000)], ids=["large", "very negative"])
def test_a_number_beyond_all_floats_is_kept_as_infinity(value):
    assert from_json(json.loads(json.dumps(to_json(value), allow_nan=False))) == math.copysign(
        math.inf, value > 0 or -1
    )


def test_what_json_cannot_hold_is_kept_as_text():
    assert [to_json(value) for value in (b"x", (1, 2), 1j)] == ["b'x'", "(1, 2)", "1j"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"{}", b'{"values": []}', b'{"values": {"note": {"float": "x"}}}', b"\xff\xfe", b"[" * 100_000,
        b'{"values": {}, "local": "x"}', b'{"values": {}, "local": {"root": 1}}', b'{"values": {}, "local": {"root": "/", "template": ".."}}',
    ],
)  # fmt: skip
def test_a_file_that_is_no_draft_is_refused_by_name(tmp_path, content):
    path = tmp_path / "no-draft.json"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        ImageDraft.load(path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_is_not_there_is_refused_by_name(tmp_path, name):
    with pytest.raises(SourceError, match="can't be read"):
        ImageDraft.load(tmp_path / name)


def test_a_file_of_a_later_version_with_other_fields_is_read_as_far_as_it_goes(tmp_path):
    path = tmp_path / "later.json"
    path.write_text(json.dumps({"version": 9, "values": {"note": "M 51", "wwt.new": 1}}))
    assert ImageDraft.load(path, autosave=False).note == "M 51"


# -- saved by itself


def eventually(condition: Any, seconds: float = 120) -> Any:
    """What `condition` gives, as soon as it gives something."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    assert found
    return found


def test_an_edit_is_on_disk_soon_in_a_file_that_only_the_user_can_read(state):
    draft = draft_of(origin="m51.wtml", autosave=True)
    draft.note = "typed"
    [path] = eventually(lambda: saved_drafts(state))
    assert read_draft_file(path)["values"]["note"] == "typed"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent, state):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(path.parent.glob(".*")) == []


def test_a_draft_without_edits_leaves_nothing_on_disk(state):
    draft_of(origin="m51.wtml", autosave=True)._autosave.flush()
    assert not state.exists()


CHILD = """
import sys, time
from constellations_widgets.draft import ImageDraft
from constellations_widgets.sources.reading import ParsedImage
draft = ImageDraft(ParsedImage({"note": "from the source"}, "M 51", "m51.wtml"))
turn = 0
while True:
    turn += 1
    print(f"edit {turn}", flush=True)
    draft.note = f"edit {turn}"
    time.sleep(0.01)
"""


def newer_note(path: Path, known: list[str]) -> str | None:
    note = read_draft_file(path)["values"]["note"]
    return note if note not in known else None


def test_a_killed_kernel_loses_at_most_the_last_second(state):
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(child.stdout), daemon=True)
    reader.start()
    notes: list[str] = []
    try:
        [path] = eventually(lambda: saved_drafts(state))
        for _ in range(3):  # it is written again and again, not at the first edit alone
            notes.append(eventually(lambda: newer_note(path, notes)))
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        reader.join(60)
    note = read_draft_file(path)["values"]["note"]
    assert f"{note}\n" in lines
    # A busy machine may run the timer late, so the second itself is not measured.
    assert DELAY < 1.0

    again = draft_of({"note": "from the source"}, origin="m51.wtml", autosave=True)
    assert again.earlier == [path]
    again.restore()
    assert again.note == note


def test_python_that_ends_in_an_orderly_way_loses_nothing(state):
    code = "from constellations_widgets.draft import ImageDraft; d = ImageDraft(); d.note = 'last words'"
    subprocess.run([sys.executable, "-c", code], check=True)
    [path] = saved_drafts(state)
    assert read_draft_file(path)["values"]["note"] == "last words"


def test_a_state_folder_that_cannot_be_written_is_a_problem_and_no_exception(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path / "file" / "state"))
    draft = draft_of(origin="m51.wtml", autosave=True)
    told: list[frozenset[str]] = []
    draft.on_change(lambda _, paths: told.append(paths))
    assert draft.earlier == []
    draft.note = "typed"
    eventually(lambda: any(p.code == "CXW902" for p in draft.problems))
    assert draft.note == "typed" and draft.submission() and told == [{"note"}, frozenset()]
    draft.note = "typed again"
    draft._autosave.flush()
    assert len([p for p in draft.problems if p.code == "CXW902"]) == 1

    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path / "state"))
    draft.note = "and again"
    draft._autosave.flush()
    assert not [p for p in draft.problems if p.code == "CXW902"] and saved_drafts(tmp_path / "state")


def test_edits_are_saved_once_there_is_room_again_without_a_further_edit(tmp_path, monkeypatch):
    monkeypatch.setattr(autosave, "RETRY", 0.05)
    monkeypatch.setattr(autosave, "_retries", autosave._Retries())  # that of earlier tests may wait for 10 s
    (tmp_path / "state").write_text("in the way")
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path / "state"))
    drafts = [draft_of(origin=f"m{number}.wtml", autosave=True) for number in range(3)]
    for draft in drafts:
        draft.note = f"typed into {draft.origin}"
        draft._autosave.flush()
        [problem] = [p for p in draft.problems if p.code == "CXW902"]
        assert f"make {tmp_path / 'state'} writable, or name another folder" in problem.message
        assert problem.severity == "warning"
    drafts[2].published(None)
    (tmp_path / "state").unlink()
    eventually(lambda: not any(p.code == "CXW902" for draft in drafts for p in draft.problems))
    eventually(lambda: len(saved_drafts(tmp_path / "state")) == 2)
    notes = {read_draft_file(path)["values"]["note"] for path in saved_drafts(tmp_path / "state")}
    assert notes == {"typed into m0.wtml", "typed into m1.wtml"}


def test_a_full_disk_is_named_as_such(tmp_path, monkeypatch):
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path))
    full = OSError(errno.ENOSPC, "No space left on device")
    assert state_remedy(full).startswith(f"free some space in {tmp_path}, or name another folder")


def test_drafts_of_the_same_image_do_not_overwrite_each_other(state):
    drafts = [draft_of(origin="m51.wtml", autosave=True) for _ in range(3)]
    for number, draft in enumerate(drafts):
        draft.note = f"kernel {number}"
        draft._autosave.flush()
        os.utime(saved_drafts(state)[0].parent / f"{draft.id}.json", (time.time() - 100 + number,) * 2)
    fourth = draft_of(origin="m51.wtml", autosave=True)
    assert [read_draft_file(path)["values"]["note"] for path in fourth.earlier] == ["kernel 2", "kernel 1", "kernel 0"]
    assert [len(draft.earlier) for draft in drafts] == [2, 2, 2]
    fourth.restore()
    assert fourth.note == "kernel 2"
    assert draft_of(origin="m101.wtml", autosave=True).earlier == []


def test_what_a_person_typed_is_kept_as_such(state):
    draft = draft_of(origin="m51.wtml", autosave=True)
    draft.note = "set by a program"
    draft.edit({"alt_text": "typed"})
    draft._autosave.flush()
    [path] = saved_drafts(state)
    assert read_draft_file(path)["typed"] == ["alt_text"]


def test_a_saved_draft_keeps_the_warnings_of_its_source_until_what_they_are_about_is_changed(tmp_path):
    text = (
        '<ImageSet Url="https://example.org/{1}/{3}/{3}_{2}.png" DataSetType="Panorama" Projection="Tan" TileLevels="3" '
        'CenterX="1" CenterY="2" Rotation="0" BaseDegreesPerTile="60" WidthFactor="2"><PlacementWarning>off by 5</PlacementWarning></ImageSet>'
    )

    def warnings(draft: ImageDraft) -> dict[str, tuple]:
        return {p.code: (p.field, p.message, p.fix) for p in draft.problems if p.code in ("CXW906", "CXW907", "CXW909")}

    draft = ImageDraft.from_wtml(text, autosave=False)
    draft.save(tmp_path / "draft.json")
    loaded = ImageDraft.load(tmp_path / "draft.json", autosave=False)
    assert warnings(loaded) == warnings(draft) and len(warnings(draft)) == 3
    loaded.wwt.base_degrees_per_tile = 50.0
    loaded.save(tmp_path / "changed.json")
    assert warnings(ImageDraft.load(tmp_path / "changed.json", autosave=False)).keys() == {"CXW907"}
    for wrong in (
        [1],
        [{"code": "CXW909"}],
        [{"code": "X", "field": "", "message": "x", "given": {"wwt.nothing": 1}}],
        5,
    ):
        with pytest.raises(SourceError, match="its doubts are not as they were saved"):
            ImageDraft.from_saved(draft.to_saved() | {"doubts": wrong})


def test_without_earlier_edits_there_is_nothing_to_restore(draft):
    with pytest.raises(SourceError, match="no earlier edits"):
        draft.restore()


def test_earlier_edits_are_swept_away_after_some_months(state):
    old = folder_of("m51.wtml") / "old.json"
    old.parent.mkdir()
    old.write_text("{}")
    os.utime(old, (time.time() - KEEP - 60,) * 2)
    assert saved_files(folder_of("m51.wtml"), "own") == [] and not old.exists()


def test_a_published_draft_leaves_nothing_on_disk_and_takes_no_edits(state):
    draft = draft_of(origin="m51.wtml", autosave=True)
    draft.note = "typed"
    draft._autosave.flush()
    assert saved_drafts(state)
    draft.published("a receipt")
    with pytest.raises(PublishError, match="this draft is closed: nothing was changed"):
        draft.note = "typed after that"
    draft._autosave.flush()
    assert draft.receipt == "a receipt" and draft.note == "typed" and saved_drafts(state) == []


def test_publishing_from_within_an_observer_or_a_hold_waits_for_nothing(state):
    draft = draft_of(origin="m51.wtml", autosave=True)

    def publish() -> None:
        with draft.hold():
            draft.note = "typed"
            draft.published("a receipt")

    def save() -> None:
        for turn in range(20):
            with contextlib.suppress(PublishError):  # published by the other thread: it is closed
                draft.alt_text = f"turn {turn}"
            draft._autosave.flush()

    in_threads(publish, save)
    assert saved_drafts(state) == []


def test_saving_where_nothing_can_be_written_is_said(draft, tmp_path):
    with pytest.raises(SourceError, match="can't be saved as .*missing"):
        draft.save(tmp_path / "missing" / "draft.json")


def test_an_earlier_file_that_cannot_be_read_does_not_hide_the_one_before_it(state):
    typed = draft_of(origin="m51.wtml", autosave=True)
    typed.note = "an hour of work"
    typed._autosave.flush()
    broken = saved_drafts(state)[0].with_name("broken.json")
    broken.write_text("{")
    again = draft_of(origin="m51.wtml", autosave=True)
    again.restore()
    assert again.note == "an hour of work"


def test_edits_of_a_draft_that_comes_from_no_file_are_found_by_one_that_begins_the_same(state):
    typed = ImageDraft.from_submission(body())
    typed.note = "an hour of work"
    typed._autosave.flush()
    again = ImageDraft.from_submission(body())
    again.restore()
    assert again.note == "an hour of work"
    assert ImageDraft.from_submission(body({"note": "another image"})).earlier == []


def test_even_an_empty_draft_is_found_among_all_that_saved_themselves(state):
    typed = ImageDraft()
    typed.note = "an hour of work"
    typed._autosave.flush()
    assert [ImageDraft.load(path).note for path in ImageDraft.autosaved()] == ["an hour of work"]
    typed.published(object())
    assert ImageDraft.autosaved() == []
    assert list(state.glob("drafts/*")) == []  # nor an empty folder


@pytest.mark.parametrize("content", [{}, {"values": None}, {"values": 7}])
def test_what_is_not_the_content_of_a_draft_is_refused(content):
    with pytest.raises(SourceError, match="this is not a draft that this package saved"):
        ImageDraft.from_saved(content)


def test_what_is_no_web_address_hosts_nothing(draft):
    before = draft.values
    with pytest.raises(SourceError, match="'http://\\[' is not a web address"):
        draft.host_at("http://[")
    assert draft.values == before


def test_a_draft_is_saved_in_no_device(draft):
    with pytest.raises(SourceError, match="not a file"):
        draft.save("/dev/null")


def test_the_field_groups_have_exactly_the_fields_of_the_api():
    groups = {
        "wwt": observable.WwtFields,
        "permissions": observable.PermissionFields,
        "storage": observable.StorageFields,
    }
    found = [path for path in fields() if "." not in path and path in observable.TopFields.class_trait_names()]
    for prefix, group in groups.items():
        found += [f"{prefix}.{name}" for name in group.class_trait_names()]
    assert sorted(found) == sorted(fields())
    assert all(trait.path == f"wwt.{name}" for name, trait in observable.WwtFields.class_traits().items())
