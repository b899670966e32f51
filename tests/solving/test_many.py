"""The positions of many images: one result for each, a scale that images of one size share, executors, cancel."""

from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from solving.skies import Sky

import constellations_widgets as cxw
from constellations_widgets import ImageDraft, SolveError
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.solving import many
from constellations_widgets.widgets.publish_source import draft_of

NEAR = Sky(Plane(202.47, 47.2, 500, 400, 0.004, 30), (1000, 800), seed=5)
NEXT = replace(NEAR, plane=Plane(204.0, 45.5, 500, 400, 0.004, -100), seed=6)

pytestmark = pytest.mark.usefixtures("index_folder")


@pytest.fixture
def drafts(tmp_path: Path) -> list[ImageDraft]:
    """Return two photographs of one camera, a picture that shows no sky, and a draft without a file."""
    paths = [NEAR.save(tmp_path / "near.jpg"), NEXT.save(tmp_path / "next.jpg"), tmp_path / "navy.png"]
    Image.new("RGB", (400, 300), "navy").save(paths[2])
    return [*(draft_of(path, autosave=False) for path in paths), ImageDraft(autosave=False)]


def test_each_draft_has_a_solution_or_the_reason_why_not_and_nothing_is_placed(drafts):
    told, progress = [], set()
    outcomes = cxw.solve_all(
        [(drafts[0], {"near": "M 51"}), (drafts[1], {"near": "13h36m +45d30m"}), *drafts[2:]],
        width=4,
        on_done=lambda *each: told.append(each),
        on_progress=lambda number, part, text: progress.add(number),
    )
    assert [outcome.name for outcome in outcomes] == [draft.name for draft in drafts]
    assert [outcome.error[:45] for outcome in outcomes[:2]] == ["", ""]
    assert "stars were detected" in outcomes[2].error and "not on this machine" in outcomes[3].error
    for outcome, sky in zip(outcomes[:2], (NEAR, NEXT), strict=True):
        assert outcome.result.confidence == "high"
        assert outcome.result.center == pytest.approx(sky.plane.sky(500, 400), abs=1e-3)
        assert outcome.result.width == pytest.approx(4, rel=0.01)
    assert sorted((done, total) for _, done, total in told) == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {0, 1, 2} <= progress
    assert all(draft.wwt.center_x is None for draft in drafts)


def test_with_an_executor_and_accept_they_are_placed(drafts):
    with ProcessPoolExecutor(2) as processes:
        outcomes = cxw.solve_all(drafts, accept=True, executor=processes, near=(203, 46.5), width=4)
    assert [bool(outcome.error) for outcome in outcomes] == [False, False, True, True]
    assert [plane_of(draft.values).scale for draft in drafts[:2]] == pytest.approx([0.004, 0.004], rel=1e-4)
    assert all(draft.wwt.center_x is None for draft in drafts[2:])


def test_a_doubtful_solution_is_not_accepted(drafts, monkeypatch):
    found = cxw.find_position(
        drafts[0].local.pixels or drafts[0].local.where("near.jpg"), near="M 51", width=4
    ).result()
    doubtful = replace(found, doubts=("few stars matched",))
    monkeypatch.setattr(many, "result_unless", lambda solving, _cancel: (solving.cancel(), doubtful)[1])
    (outcome,) = cxw.solve_all(drafts[:1], accept=True)
    assert "few stars matched" in outcome.error and outcome.result is doubtful
    assert drafts[0].wwt.center_x is None


class Searched:
    """Searches that end as the test says, in place of `many._search`."""

    def __init__(self, solutions: dict[str, object], begun: threading.Event | None = None):
        self.solutions, self.widths = solutions, list[tuple[str, object]]()
        self._lock, self._begun = threading.Lock(), begun

    def __call__(self, local, options, here):
        with self._lock:
            self.widths.append((local.template, options.get("likely_width")))
        if self._begun:
            self._begun.set()
            assert here[1].wait(60)
        if (solution := self.solutions.get(local.template)) is None:
            raise SolveError("No match")
        return solution


@pytest.fixture
def five(tmp_path: Path) -> list[ImageDraft]:
    for number in range(5):
        Image.new("L", (200, 100), number).save(tmp_path / f"{number}.png")
    Image.new("L", (100, 200)).save(tmp_path / "other.png")
    return [draft_of(tmp_path / f"{name}.png", autosave=False) for name in (*range(5), "other")]


def solution(scale: float, doubts: tuple[str, ...] = ()) -> cxw.Solution:
    return cxw.Solution((200, 100), Plane(0.0, 0.0, 100, 50, scale, 0.0), (), 0, doubts=doubts)


def test_the_scale_of_one_image_is_tried_first_for_others_of_its_size(five, monkeypatch):
    searched = Searched({"1.png": solution(0.01, ("doubt",)), "2.png": solution(0.02), "4.png": solution(0.02)})
    monkeypatch.setattr(many, "_search", searched)
    outcomes = cxw.solve_all([*five[:4], (five[4], {"width": 3}), five[5]])
    assert [bool(outcome.result) for outcome in outcomes] == [False, True, True, False, True, False]
    widths = dict(searched.widths)
    assert widths.pop("3.png") in (None, pytest.approx(solution(0.02).width))  # searched beside the first that is found
    assert set(widths.values()) == {None}  # none of the failed, the doubtful, those of another size or with a hint
    searched = Searched({f"{number}.png": solution(0.02) for number in range(5)})
    monkeypatch.setattr(many, "_search", searched)
    cxw.solve_all(five)
    assert [dict(searched.widths)[f"{number}.png"] for number in (2, 3, 4)] == pytest.approx([solution(0.02).width] * 3)
    assert dict(searched.widths)["other.png"] is None


def test_an_executor_gets_two_of_a_size_first(five, monkeypatch):
    names = [*map(str, range(5)), "other"]
    monkeypatch.setattr(many, "_search", Searched({f"{name}.png": solution(0.02) for name in names}))
    submitted = []

    class Recording(many.Executor):
        def submit(self, function, local, options, here):
            submitted.append((local.template, "likely_width" in options))
            future = many.Future()
            future.set_result(function(local, options, here))
            return future

    cxw.solve_all(five, executor=Recording())
    assert submitted[:3] == [("0.png", False), ("1.png", False), ("other.png", False)]
    assert submitted[3:] == [("2.png", True), ("3.png", True), ("4.png", True)]


def test_a_cancelled_batch_says_which_were_not_searched(five, monkeypatch):
    begun, cancel = threading.Event(), threading.Event()
    monkeypatch.setattr(many, "_search", Searched({"0.png": solution(0.02), "1.png": solution(0.02)}, begun))
    threading.Thread(target=lambda: (begun.wait(60), cancel.set())).start()
    outcomes = cxw.solve_all(five, cancel=cancel)
    assert len(outcomes) == 6
    assert sum("cancelled" in outcome.error for outcome in outcomes) >= 4


def test_an_unknown_hint_is_refused_before_anything_runs(five):
    with pytest.raises(TypeError, match="centre"):
        cxw.solve_all(five, centre=(1, 2))


def test_a_likely_width_speeds_up_and_proves_nothing(drafts):
    path = drafts[0].local.where("near.jpg")
    right, wrong = (cxw.find_position(path, likely_width=width).result() for width in (4, 0.7))
    assert right.center == pytest.approx(wrong.center, abs=1e-4)
    assert wrong.width == pytest.approx(4, rel=0.01)
