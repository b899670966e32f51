"""“Find position” of a form, without a page: what its messages do to the state and to the draft."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from secrets_used import found_in
from solving.index_server import index_bytes, index_server
from solving.nova_server import KEY, nova_server
from solving.skies import Sky

from constellations_widgets import ImageForm, Preview
from constellations_widgets.geometry.plane import Plane, plane_of
from constellations_widgets.solving import nova
from constellations_widgets.widgets import star_search
from constellations_widgets.widgets.publish_source import draft_of

SKY = Sky(Plane(202.47, 47.2, 500, 400, 0.004, 30), (1000, 800), seed=5)

pytestmark = pytest.mark.usefixtures("index_folder")


@pytest.fixture
def form(tmp_path: Path) -> Iterator[ImageForm]:
    form = ImageForm(draft_of(SKY.save(tmp_path / "stars.jpg"), autosave=False))
    yield form
    form.close()


def send(form: ImageForm, kind: str, **content: object) -> None:
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


def eventually(form: ImageForm, **expected: object) -> None:
    deadline = time.monotonic() + 60
    while any(form.solving[name] != value for name, value in expected.items()):
        assert time.monotonic() < deadline, form.solving
        time.sleep(0.02)


def test_index_files_are_offered_and_downloaded_only_on_a_click(form, tmp_path, monkeypatch):
    hints: list[tuple[object, dict[str, object]]] = []
    with index_server({"index-5204-09.fits": index_bytes(tmp_path)}) as server:

        def planned(width: object, **near: object) -> object:
            hints.append((width, near))
            return server.download(tmp_path / "cache")

        monkeypatch.setattr(star_search, "index_download", planned)
        send(form, "solve", near="M 51", width="12'")
        assert settled(form) == "failed" and "none that is 0.13° to 0.3° wide" in form.solving["message"]
        eventually(form, size="0.2 MB")
        assert form.solving["offer"].startswith(
            "1 index file of astrometry.net for pictures of a test, 0.2 MB, from 127.0.0.1 to "
        )
        assert hints == [(pytest.approx(0.2), {"near": "M 51"})] and server.ranges == []
        send(form, "solve_download")
        assert settled(form) == "failed"  # it searches again, and this file is only made
        assert (tmp_path / "cache" / "index-5204-09.fits").read_bytes() == server.files["index-5204-09.fits"]
        assert server.ranges == [""]


def test_a_download_that_hangs_is_cancelled_at_once(form, tmp_path, monkeypatch):
    began, go_on = threading.Event(), threading.Event()
    with index_server({"index-5204-09.fits": index_bytes(tmp_path)}) as server:
        server.on_part = lambda _sent: (began.set(), go_on.wait(60))
        monkeypatch.setattr(star_search, "index_download", lambda *_, **__: server.download(tmp_path / "cache"))
        send(form, "solve", near="", width="12'")
        assert settled(form) == "failed"
        eventually(form, size="0.2 MB")
        send(form, "solve_download")
        assert began.wait(60)
        send(form, "solve_cancel")
        assert form.solving["phase"] == "idle" and "next one continues" in form.solving["message"]
        assert form.solving["size"] == "0.2 MB"  # it is offered again
        go_on.set()


def test_the_service_searches_with_a_key_that_no_page_gets(form, monkeypatch):
    monkeypatch.delenv(nova.VARIABLE, raising=False)
    monkeypatch.setattr(nova, "_POLL", 0.01)
    states: list[str] = []
    form.observe(lambda change: states.append(repr(change)), "solving")
    with nova_server() as server:
        monkeypatch.setattr(nova, "ADDRESS", server.address)
        send(form, "solve", near="M 51", width="4°", online=True, key="")
        assert settled(form) == "failed" and "There is no key" in form.solving["message"]
        send(form, "solve", near="M 51", width="4°", online=True, key=f" {KEY} ")
        assert settled(form) == "found", form.solving["message"]
        assert form.solving["has_key"] and "not the image" in form.solving["sent"]
        send(form, "solve_discard")
        assert form._draft.wwt.center_x is None
        send(form, "solve_forget_key")
        eventually(form, has_key=False)
    assert found_in("".join(states), {KEY}) == []
