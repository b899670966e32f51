"""“Find position” of a form, without a page: what its messages do to the state and to the draft."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from solving.skies import Sky

from constellations_widgets import ImageForm, Preview
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.widgets.publish_source import draft_of

SKY = Sky(Plane(202.47, 47.2, 500, 400, 0.004, 30), (1000, 800), seed=5)

pytestmark = pytest.mark.usefixtures("index_folder")


@pytest.fixture
def form(tmp_path: Path) -> Iterator[ImageForm]:
    form = ImageForm(draft_of(SKY.save(tmp_path / "stars.jpg"), autosave=False))
    yield form
    form.close()


def send(form: ImageForm, kind: str, **content: str) -> None:
    form._finder.on_message({"kind": kind, **content})


def settled(form: ImageForm) -> str:
    """Wait until a search has ended; return the phase."""
    deadline = time.monotonic() + 120
    while form.solving["phase"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return form.solving["phase"]


def test_a_solution_is_shown_and_taken_only_on_a_click(form):
    preview = Preview(form._draft)
    form.on_solution = preview.show_solution
    send(form, "solve", near="13h30m +47d", width="4°")
    assert settled(form) == "found"
    assert form._draft.wwt.center_x is None
    deadline = time.monotonic() + 60
    while not preview._solved_stars and time.monotonic() < deadline:
        time.sleep(0.02)
    assert 20 < len(preview._on_open({})[0]["solution"]) <= 200
    assert preview._on_open({})[0]["imageset"] is not None  # the image is shown there
    facts = dict(form.solving["found"]["facts"])
    assert facts["Confidence"] == "high" and facts["Pixel scale"].startswith("14.4″")
    send(form, "solve_accept")
    assert form.solving["phase"] == "accepted" and preview._solved_stars == []
    assert plane_of(form._draft.values).scale == pytest.approx(0.004, rel=1e-4)
    send(form, "solve_undo")
    assert form._draft.wwt.center_x is None and form.solving["phase"] == "idle"


def test_a_placement_elsewhere_drops_the_solution_that_waits(form):
    send(form, "solve", near="13h30m +47d", width="4°")
    assert settled(form) == "found"
    form._draft.update({"wwt.center_x": 10.0})
    assert form.solving["phase"] == "idle" and form.solving["found"] is None
    send(form, "solve_accept")
    assert form._draft.wwt.center_x == 10.0


def test_wrong_hints_and_a_cancelled_search(form):
    send(form, "solve", near="", width="wide")
    assert settled(form) == "failed" and "wide" in form.solving["message"]
    send(form, "solve", near="10d -30d", width="1°")
    send(form, "solve_cancel")
    assert settled(form) == "idle" and form.solving["message"] == ""
