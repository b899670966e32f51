"""Positions of a table's images: counted, searched, listed with proof, shown on the sky, accepted only by a message."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PIL import Image
from solving.index_server import index_bytes, index_server
from solving.skies import Sky
from widgets.conftest import say

from constellations_widgets import BatchPublisher, Constellations, ImageDraft, Sandbox, Solution
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.outcomes import Outcome
from constellations_widgets.solving.solution import MatchedStar
from constellations_widgets.widgets import star_search
from constellations_widgets.widgets.batch import positions
from constellations_widgets.widgets.publish_source import draft_of

SKY = Sky(Plane(202.47, 47.2, 500, 400, 0.004, 30), (1000, 800), seed=5)
FOUND = Solution((90, 60), Plane(10.0, 20.0, 45, 30, 0.01, 5.0), (MatchedStar(1, 1, 10, 20, 0.1, 0.1),) * 9, 12)
PLACE = "wwt.center_x"


pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def drafts(tmp_path) -> list[ImageDraft]:
    for number in range(4):
        Image.new("L", (90, 60), number).save(tmp_path / f"field {number}.png")
    made = [draft_of(tmp_path / f"field {number}.png", autosave=False) for number in range(3)]
    return [*made, ImageDraft.from_image("field 3.png", center=(202.4, 47.2), width=0.2, autosave=False)]


@pytest.fixture
def table() -> Iterator[Callable[..., BatchPublisher]]:
    made: list[BatchPublisher] = []

    def make(source, client=None, handle="me") -> BatchPublisher:
        client = client or Constellations("http://127.0.0.1:9", "token")
        made.append(BatchPublisher(source, client, handle, probe=False))
        return made[-1]

    yield make
    for batch in made:
        batch.close()


@pytest.fixture
def searched(monkeypatch) -> dict[str, object]:
    """Outcomes by name that searches have in this test, and the hints that they were given."""
    outcomes: dict[str, object] = {}

    def search_all(searches, on_outcome, *, on_progress, cancel):
        for number, search in enumerate(searches):
            outcomes[f"hints {search.name}"] = dict(search.hints)
            on_progress(number, 0.5, "9 stars")
            if isinstance(act := outcomes.get(f"before {search.name}"), Callable):
                act(cancel)
            found = outcomes.get(search.name, "No match was found")
            on_outcome(
                number, Outcome(search.name, error=found) if isinstance(found, str) else Outcome(search.name, found)
            )

    monkeypatch.setattr(positions, "search_all", search_all)
    monkeypatch.setattr(positions, "require_index_files", lambda _widths: [])
    return outcomes


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def find(batch: BatchPublisher, near: str = "", width: str = "") -> dict[int, dict]:
    """Search until all is done; return the results by row."""
    say(batch, "find_positions", near=near, width=width)
    eventually(lambda: batch.positions["phase"] != "running")
    return results(batch)


def results(batch: BatchPublisher) -> dict[int, dict]:
    return {item["row"]: item for item in batch.found_positions}


@pytest.mark.usefixtures("index_folder")
def test_positions_are_found_by_stars_and_taken_only_when_accepted(tmp_path, table):
    folder = tmp_path / "pictures"
    folder.mkdir()
    SKY.save(folder / "a.jpg")
    Image.new("RGB", (400, 300), "navy").save(folder / "b.png")
    batch = table(folder)
    assert batch.positions["images"] == 2
    found = find(batch, "M 51", "4°")
    assert batch.positions["message"] == "1 of 2 images found." and batch.positions["images"] == 1
    facts = dict(found[0]["found"]["facts"])
    assert facts["Confidence"] == "high" and facts["Pixel scale"].startswith("14.4″")
    assert "of" in facts["Matched stars"] and "rms" in facts["Residual"]
    assert found[1]["state"] == "failed" and "give a picture with more stars" in found[1]["message"]
    assert [draft[PLACE] for draft in batch.drafts] == [None, None]
    preview = batch.show_on_sky(0)
    assert len(preview._solved_stars) > 20 and results(batch)[0]["seen"] and batch._status()["on_sky"] == 0
    say(batch, "accept_positions", rows=[0])
    assert preview._solved_stars == [] and results(batch)[0]["state"] == "accepted"
    assert plane_of(batch.drafts[0].values).scale == pytest.approx(0.004, rel=1e-4)
    assert batch.show_on_sky(None) is None and batch._status()["on_sky"] is None


def test_only_chosen_images_without_a_position_are_searched(drafts, table, searched):
    elsewhere = ImageDraft(autosave=False)
    batch = table([*drafts, elsewhere])
    assert batch.positions["images"] == 3
    say(batch, "choose", rows=[1], on=False)
    assert batch.positions["images"] == 2
    assert set(find(batch)) == {0, 2}


def test_what_is_known_of_an_image_is_a_hint_for_it_and_named_if_nothing_was_found(drafts, table, searched):
    drafts[0].update({"wwt.center_x": 10.0, "wwt.center_y": 20.0})
    drafts[1].update({"wwt.base_degrees_per_tile": 0.001})
    found = find(table(drafts), width="1°")
    assert searched["hints field 0"] == {"near": (10.0, 20.0), "width": 1.0}
    assert searched["hints field 1"] == searched["hints field 2"] == {"width": 1.0}
    assert "around its center, 00h 40m 00.00s +20° 00′ 00.0″, which stand in its fields" in found[0]["message"]
    assert found[2]["message"] == "No match was found"
    assert "with its pixel scale, 3.6″" in find(table(drafts))[1]["message"]


def test_accepting_is_one_step_that_undo_takes_back_and_offers_again(drafts, table, searched):
    searched |= {"field 0": FOUND, "field 1": FOUND}
    batch = table(drafts)
    find(batch)
    assert batch.positions["images"] == 1
    say(batch, "accept_positions", rows=[0, 1, 2, 99, "x"])
    assert [draft[PLACE] is not None for draft in drafts] == [True, True, False, True]
    assert batch._run.shared.undoable == "Position of 2 images"
    assert results(batch)[0]["message"] == "Placed by 9 stars." and results(batch)[0]["found"] is not None
    batch.undo()
    assert [draft[PLACE] for draft in drafts[:2]] == [None, None]
    assert [results(batch)[row]["state"] for row in (0, 1, 2)] == ["found", "found", "failed"]
    say(batch, "accept_positions", rows=[0])
    assert drafts[0][PLACE] == pytest.approx(10.0, abs=0.1)
    say(batch, "discard_positions", rows=[1, 2])
    assert set(results(batch)) == {0} and batch.positions["images"] == 2
    say(batch, "accept_positions", rows=[1])
    assert drafts[1][PLACE] is None


def test_a_placement_by_hand_drops_what_was_found(drafts, table, searched):
    searched |= {"field 0": FOUND, "field 1": FOUND}
    searched["before field 1"] = lambda _cancel: drafts[1].update({PLACE: 3.0})
    batch = table(drafts)
    found = find(batch)
    assert "changed meanwhile" in found[1]["message"]
    drafts[0].update({PLACE: 5.0})
    assert 0 not in results(batch)
    say(batch, "accept_positions", rows=[0, 1])
    assert [draft[PLACE] for draft in drafts[:2]] == [5.0, 3.0]


def test_a_solution_of_another_size_is_refused_with_the_reason(drafts, table, searched):
    searched["field 0"] = replace(FOUND, size=(91, 60))
    batch = table(drafts)
    find(batch)
    say(batch, "accept_positions", rows=[0])
    assert results(batch)[0]["state"] == "failed" and "91 × 60" in results(batch)[0]["message"]
    assert drafts[0][PLACE] is None and batch._run.shared.undoable == ""


def test_a_cancelled_search_keeps_what_was_found(drafts, table, searched):
    searched |= {"field 0": FOUND, "before field 1": lambda cancel: cancel.set()}
    batch = table(drafts)
    assert set(find(batch)) == {0}
    assert batch.positions["message"] == "Cancelled: 1 of 3 images found."
    assert batch.positions["images"] == 2


@pytest.mark.usefixtures("index_folder")
def test_index_files_that_no_image_has_are_named_once_and_downloaded_on_a_click(drafts, table, tmp_path, monkeypatch):
    with index_server({"index-5204-09.fits": index_bytes(tmp_path)}) as server:
        monkeypatch.setattr(star_search, "index_download", lambda *_, **__: server.download(tmp_path / "cache"))
        batch = table(drafts)
        assert find(batch, width="12'") == {}
        assert "none that is 0.13° to 0.3° wide" in batch.positions["message"]
        eventually(lambda: batch.positions["size"] == "0.2 MB")
        say(batch, "download_indexes")
        eventually(lambda: server.ranges == [""] and batch.positions["phase"] == "failed")
        assert (tmp_path / "cache" / "index-5204-09.fits").exists()


def test_wrong_hints_are_named(drafts, table, searched):
    batch = table(drafts)
    find(batch, width="wide")
    assert batch.positions["phase"] == "failed" and "wide" in batch.positions["message"]


def test_an_accepted_position_is_checked_again_before_it_is_published(drafts, table, searched):
    searched["field 0"] = FOUND
    with Sandbox() as box, box.client() as client:
        batch = table(drafts, client, box.handle)
        find(batch)
        batch._run.prepare()
        eventually(lambda: batch._run.phase == "review")
        say(batch, "accept_positions", rows=[0])
        assert batch._run.phase == "editing" and "check them again" in batch._run.message
        assert batch.batch is None


def test_nothing_is_accepted_while_a_plan_is_made_or_sent(drafts, table, searched):
    searched["field 0"] = FOUND
    batch = table(drafts)
    find(batch)
    release = threading.Event()
    batch._run._start("sending", "", lambda _job: release.wait(60))
    try:
        say(batch, "accept_positions", rows=[0])
        say(batch, "find_positions", near="", width="")
        assert drafts[0][PLACE] is None and results(batch)[0]["state"] == "found"
        assert batch._positions.accept([0]) == 0
    finally:
        release.set()


def test_what_the_form_of_a_row_finds_is_shown_on_the_sky(drafts, table, searched):
    batch = table(drafts)
    form = batch.edit(0)
    form.on_solution(FOUND)
    preview = batch._row_form.preview
    assert batch._row_form.on_sky == 0 and len(preview._solved_stars) == 9
    form.on_solution(None)
    assert preview._solved_stars == []
