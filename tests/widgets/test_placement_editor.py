"""Placing by eye, without a page: steps, undo and redo, and who may change what when."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from widgets.test_preview import Page

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import ConstellationsError
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets.preview import Preview
from constellations_widgets.widgets.preview.placement_editor import PLACED, PlacementEditor

SIZE = (700, 500)
PLANE = Plane(150, 20, 310, 280, 0.001, 30)


@pytest.fixture
def draft(tmp_path):
    return ImageDraft(ParsedImage(PLANE.untiled(), local=LocalImage(tmp_path, "a.png", SIZE)), autosave=False)


@pytest.fixture
def placing(draft):
    return PlacementEditor(draft)


def placement(draft):
    return {path: draft[path] for path in PLACED}


def drag(placing, to, gesture="drag", **more):
    return placing.on_request({"op": "move", "start": [150, 20], "end": to, "gesture": gesture, **more})


def test_each_change_is_a_step_that_undo_takes_back_and_redo_makes_again(draft, placing):
    states = [placement(draft)]
    for change in (
        lambda: placing.move((150, 20), (150.1, 20)),
        lambda: placing.turn(12.5),
        lambda: placing.scale(1.1),
        lambda: placing.mirror(),
        lambda: placing.align([((100, 100), (150.2, 20.3)), ((600, 400), "10h00m20s +20d20m00s")]),
    ):
        change()
        assert placement(draft) != states[-1]
        states.append(placement(draft))
    labels = ["alignment", "mirroring", "scale", "rotation", "move"]
    for label, state in zip(labels, reversed(states[:-1]), strict=True):
        assert placing.undo_label == label == placing.undo()
        assert placement(draft) == state
    assert placing.undo() == placing.undo_label == ""
    for label, state in zip(reversed(labels), states[1:], strict=True):
        assert placing.redo_label == label == placing.redo()
        assert placement(draft) == state
    assert placing.redo() == placing.redo_label == ""


def test_a_drag_is_one_step_however_many_messages_it_was(draft, placing):
    before = placement(draft)
    for step in range(1, 11):
        drag(placing, [150 + 0.01 * step, 20])
    assert draft.wwt.center_x == pytest.approx(150.1)
    drag(placing, [150.05, 20.02])  # each message says all of it
    assert plane_of(draft.values).sky(310, 280) == pytest.approx((150.05, 20.02))
    drag(placing, [150.05, 20.02], gesture="another")
    placing.undo()
    placing.undo()
    assert placement(draft) == before and not placing.undo_label


def test_a_drag_that_ends_where_it_began_is_no_step(draft, placing):
    before = placement(draft)
    drag(placing, [150.1, 20])
    drag(placing, [150, 20])
    assert placement(draft) == before and placing.undo_label == ""
    drag(placing, [150.2, 20])
    assert placing.undo_label == "move"
    placing.undo()
    assert placement(draft) == before


def test_what_was_changed_elsewhere_is_one_step_of_its_own(draft, placing):
    placing.turn(10)
    draft.wwt.rotation = 1.0
    draft.wwt.center_x = 151.0
    draft.note = "no part of a placement"
    assert placing.undo_label == "edits elsewhere" and placing.redo_label == ""
    placing.turn(5)
    assert [placing.undo() for _ in range(4)] == ["rotation", "edits elsewhere", "rotation", ""]
    assert plane_of(draft.values) == PLANE and draft.note
    assert [placing.redo() for _ in range(4)] == ["rotation", "edits elsewhere", "rotation", ""]
    assert draft.wwt.center_x == pytest.approx(151, abs=0.01)


def test_a_drag_is_ended_in_words_when_the_placement_changes_meanwhile(draft, placing):
    drag(placing, [150.1, 20])
    draft.wwt.center_y = 21.0
    with pytest.raises(ConstellationsError, match="changed elsewhere"):
        drag(placing, [150.2, 20])
    assert (draft.wwt.center_x, draft.wwt.center_y) == (150.1, 21.0)
    placing.undo()
    with pytest.raises(ConstellationsError, match="changed elsewhere"):
        placing.undo() and drag(placing, [150.2, 20])


def test_a_value_that_is_no_number_is_named_and_can_be_taken_back(draft, placing):
    placing.turn(10, (150, 20))
    draft.wwt.rotation = "ten"
    assert "rotation" in placing.refusal
    with pytest.raises(ConstellationsError, match="rotation"):
        placing.turn(1)
    assert placing.undo() == "edits elsewhere" and draft.wwt.rotation == 40
    draft.wwt.center_x = math.nan
    assert placing.undo_label == "edits elsewhere" == placing.undo()
    assert placing.redo() and math.isnan(draft.wwt.center_x)


def test_by_default_the_image_turns_and_grows_about_its_middle(draft, placing):
    middle = placing.middle
    assert middle == pytest.approx(PLANE.sky(350, 250))
    placing.turn(70)
    placing.scale(1.5)
    placing.mirror()
    assert plane_of(draft.values).sky(350, 250) == pytest.approx(middle, abs=1e-6)


def test_tiles_are_placed_too_but_not_mirrored():
    draft = ImageDraft(ParsedImage(PLANE.tiled(SIZE)), autosave=False)
    placing = PlacementEditor(draft)
    assert placing.status()["size"] == (1024, 1024) and placing.status()["pixel"] == pytest.approx(0.001)
    middle = placing.middle
    assert middle == pytest.approx(PLANE.sky(350, 250))
    placing.scale(1.1)
    placing.turn(10)
    assert placing.middle == pytest.approx(middle, abs=1e-6)
    before = placement(draft)
    with pytest.raises(ConstellationsError, match="mirrored tiles"):
        placing.mirror()
    assert placement(draft) == before and placing.undo_label == "rotation"


def test_stars_lay_the_image_in_digits_that_can_be_seen(draft, placing):
    there = Plane(210.123456, -54.3, 350, 250, 0.0007, -20, True)
    stars = [((x, y), there.sky(x, 500 - y)) for x, y in ((100, 80), (600, 400), (90, 450))]
    error = placing.align(stars)
    assert error < 1e-6 and draft.wwt.bottoms_up is True
    placed = plane_of(draft.values)
    assert all(placed.sky(x, 500 - y) == pytest.approx(place, abs=1e-6) for (x, y), place in stars)
    assert all(len(repr(draft[path])) < 14 for path in PLACED)
    # Two stars leave the parity, unless it is said.
    placing.align(stars[:2])
    assert draft.wwt.bottoms_up is True
    placing.align(stars[:2], parity=1)
    assert draft.wwt.bottoms_up is False


def test_the_size_of_an_image_that_only_the_page_has_seen_comes_with_its_stars():
    draft = ImageDraft(ParsedImage(PLANE.untiled()), autosave=False)
    placing = PlacementEditor(draft)
    there = Plane(10, 0, 350, 250, 0.001, 5)
    stars = [[[x, y], list(there.sky(x, 500 - y))] for x, y in ((100, 80), (600, 400))]
    with pytest.raises(ConstellationsError, match="size"):
        placing.on_request({"op": "align", "stars": stars})
    assert "both stars" in placing.on_request({"op": "align", "stars": stars, "size": [700, 500], "parity": None})
    assert plane_of(draft.values).sky(100, 420) == pytest.approx(stars[0][1], abs=1e-6)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"op": None},
        {"op": "explode"},
        {"op": "move", "start": [150, 20]},
        {"op": "move", "start": [150, 20], "end": [150, 91]},
        {"op": "move", "start": [150, 20], "end": "nowhere"},
        {"op": "turn", "about": [150, 20], "by": "1"},
        {"op": "turn", "about": [150, 20], "by": math.inf},
        {"op": "scale", "about": [150, 20], "by": -1},
        {"op": "scale", "about": [330, -20], "by": 1.1},
        {"op": "mirror", "about": None},
        {"op": "align", "stars": "two"},
        {"op": "align", "stars": [[[1, 2], [3, 4]]]},
        {"op": "align", "stars": [[[1, 2], [3, 4]], [[1, 2], [3, 4]]]},
        {"op": "align", "stars": [[1, 2], [3, 4]]},
        {"op": "align", "stars": [[[1, 2], "here"], [[5, 6], "there"]]},
    ],
)
def test_what_makes_no_sense_is_refused_in_words_and_changes_nothing(draft, placing, request_):
    before = placement(draft)
    with pytest.raises(ConstellationsError):
        placing.on_request(request_)
    assert placement(draft) == before and placing.undo_label == ""


def test_what_can_not_be_placed_says_why(draft):
    assert "no image" in PlacementEditor(None).refusal and PlacementEditor(None).status()["undo"] == ""
    for change in ({"wwt.projection": "Toast"}, {"wwt.base_degrees_per_tile": None}, {"wwt.center_x": "west"}):
        other = ImageDraft(ParsedImage({**PLANE.untiled(), **change}), autosave=False)
        placing = PlacementEditor(other)
        assert placing.refusal and placing.status()["pixel"] is None
        with pytest.raises(ConstellationsError):
            placing.move((150, 20), (151, 20))
    with pytest.raises(ConstellationsError, match="no image"):
        PlacementEditor(None).undo()


@pytest.mark.parametrize("path", PLACED)
@pytest.mark.parametrize(
    "value", [None, "", "text", math.nan, -math.inf, 10**400, 1e-320, 1e308, True, [1, 2], np.array([1, 2]), object()]
)
@pytest.mark.parametrize("tiled", [False, True])
def test_whatever_was_typed_the_page_is_told_how_things_are(path, value, tiled):
    values = PLANE.tiled(SIZE) if tiled else PLANE.untiled()
    draft = ImageDraft(ParsedImage(values), autosave=False)
    placing = PlacementEditor(draft)
    draft[path] = value
    status = placing.status()
    assert (
        isinstance(status["refusal"], str) and status["locked"] is False and status["undo"] in ("", "edits elsewhere")
    )


def test_the_page_sees_the_image_moved_before_its_request_is_answered(draft, built):
    page = Page(Preview(draft))
    told, _ = page.ask(kind="place", op="move", start=[150, 20], end=[150.1, 20], gesture="a")
    answer, _ = page.came.get(timeout=120)
    assert told["kind"] == "imageset" and told["imageset"]["center_x"] == pytest.approx(150.1)
    assert (answer["id"], answer["ok"]) == (1, True)
    assert told["placing"] == answer["placing"]
    assert answer["placing"] | {"undo": "move", "redo": "", "refusal": "", "size": [700, 500]} == answer["placing"]
    with draft.publishing():
        told, _ = page.came.get(timeout=120)
        assert told["kind"] == "placing" and told["placing"]["locked"] is True
        assert "being published" in told["placing"]["refusal"]
        assert page.ask(kind="place", op="undo")[0]["ok"] is False


def test_a_draft_that_is_being_published_or_was_is_not_moved(draft, placing):
    placing.turn(5)
    before = placement(draft)
    with draft.publishing():
        for change in (lambda: placing.turn(1), placing.undo, placing.redo):
            with pytest.raises(ConstellationsError, match="being published"):
                change()
    draft.published(object())
    with pytest.raises(ConstellationsError, match="can't be moved any more"):
        placing.undo()
    assert placement(draft) == before


def test_an_observer_that_holds_a_lock_may_ask_what_can_be_undone(draft, placing):
    """A form holds its own lock while it edits and while it is told of edits."""
    lock, asked = threading.RLock(), threading.Event()

    def observe(_draft, _changed):
        with lock:
            placing.status()

    draft.on_change(observe)

    def edit():
        with lock:
            asked.wait(20)
            draft.wwt.rotation = 77.0

    editing = threading.Thread(target=edit, daemon=True)
    editing.start()
    moving = threading.Thread(target=lambda: placing.move((150, 20), (151, 20)), daemon=True)
    moving.start()
    asked.set()
    editing.join(20)
    moving.join(20)
    assert not editing.is_alive() and not moving.is_alive()


def test_several_threads_make_steps_that_undo_takes_back_one_by_one(draft, placing):
    before = placement(draft)
    threads = [threading.Thread(target=lambda: [placing.turn(1, (150, 20)) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert draft.wwt.rotation == pytest.approx(110)
    for _ in range(80):
        assert placing.undo() == "rotation"
    assert placement(draft) == before and placing.undo() == ""
