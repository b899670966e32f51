"""nova.astrometry.net: what is sent and what is not, what its answers lead to, and that the key is nowhere."""

from __future__ import annotations

import logging
import stat
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from secrets_used import found_in
from solving.nova_server import KEY, SESSION, NovaServer, nova_server
from solving.skies import Sky
from solving.test_find_position import largest_error

import constellations_widgets as cxw
from constellations_widgets import SolveError, find_position
from constellations_widgets.geometry.plane import Plane
from constellations_widgets.solving import nova
from constellations_widgets.state import state_dir

pytestmark = pytest.mark.usefixtures("index_folder")

SKY = Sky(Plane(202.47, 47.2, 500, 400, 0.004, 30, True), (1000, 800), seed=5)


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return SKY.save(tmp_path_factory.mktemp("nova") / "m51.jpg")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NovaServer]:
    """The service, an empty token store, and this machine without index files."""
    monkeypatch.delenv(nova.VARIABLE, raising=False)
    monkeypatch.setattr(nova, "_POLL", 0.01)
    monkeypatch.setattr(nova, "index_files", lambda: [])
    with nova_server() as server:
        monkeypatch.setattr(nova, "ADDRESS", server.address)
        yield server


def test_only_a_list_of_stars_is_sent_and_the_result_is_judged_here(server, photograph):
    cxw.nova_key(KEY)
    told: list[str] = []
    solving = find_position(
        photograph, online=True, near=(202, 47), radius=5, width=4, progress=lambda _part, text: told.append(text)
    )
    solution = solving.result()
    assert largest_error(SKY, solution.plane) < 1 and solution.parity == -1
    assert solution.confidence == "high" and solution.source == "nova.astrometry.net" and len(solution.stars) > 30
    sent = server.submitted
    assert set(sent) == {
        "x", "y", "image_width", "image_height", "publicly_visible", "allow_commercial_use", "allow_modifications", "tweak_order",
        "crpix_center", "center_ra", "center_dec", "radius", "scale_units", "scale_type", "scale_lower", "scale_upper",
    }  # fmt: skip
    assert len(sent["x"]) == 100 and server.size < 4096 and sent["publicly_visible"] == "n"
    assert (sent["image_width"], sent["center_ra"], sent["radius"]) == (1000, 202, 5)
    assert "Sending the positions of 100 stars" in told and told[-1] == "nova.astrometry.net is searching"
    draft = cxw.ImageDraft.from_image(photograph, center=(0, 0), width=1, autosave=False)
    draft.accept(solution)
    assert draft["wwt.center_y"] == pytest.approx(47.2, abs=0.1)


def test_a_gateway_that_fails_for_a_while_is_asked_again(server, photograph):
    cxw.nova_key(KEY)
    server.broken = 2
    assert find_position(photograph, online=True, near=(202, 47), width=4).result()


@pytest.mark.parametrize("where", ["environment", "store"])
def test_a_wrong_key_is_named_and_shown_nowhere(server, photograph, where, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    wrong = "wrong-key-4711"
    if where == "environment":
        monkeypatch.setenv(nova.VARIABLE, wrong)
    else:
        cxw.nova_key(wrong)
    with pytest.raises(SolveError, match=r"does not know this key \(bad apikey\): copy it again") as caught:
        find_position(photograph, online=True).result()
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    report.stack = traceback.StackSummary.from_list([it for it in report.stack if it.filename != __file__])
    assert found_in("".join(report.format()) + caplog.text, {wrong}) == []


def test_the_key_is_in_a_file_of_the_user_alone_and_nowhere_else(server, photograph, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    cxw.nova_key(KEY)
    solving = find_position(photograph, online=True, near=(202, 47), width=4)
    solution = solving.result()
    holders = [
        path for path in state_dir().rglob("*") if path.is_file() and found_in(path.read_bytes(), {KEY, SESSION})
    ]
    assert [path.parent.name for path in holders] == ["sign_in"]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600
    printed = capfd.readouterr()
    told = (
        repr(solving)
        + repr(vars(solving))
        + repr(solution)
        + str(solution.to_json())
        + caplog.text
        + printed.out
        + printed.err
    )
    assert found_in(told, {KEY, SESSION}) == []
    cxw.nova_key(None)
    with pytest.raises(SolveError, match=r"There is no key of nova\.astrometry\.net.*cxw\.nova_key.*NOVA_API_KEY"):
        find_position(photograph, online=True)


def test_a_key_that_cannot_be_one_is_refused_without_showing_it(server):
    with pytest.raises(SolveError, match="has spaces or line breaks") as caught:
        cxw.nova_key("two words-secret")
    assert "words-secret" not in str(caught.value)


def test_no_match_a_cancel_and_a_server_that_is_away_end_in_words(server, photograph):
    cxw.nova_key(KEY)
    with pytest.raises(SolveError, match="found no match either"):
        find_position(photograph, online=True, near=(10, -30), radius=2, width=2).result()
    server.queue = 1_000_000
    server.reached.clear()
    solving = find_position(photograph, online=True)
    assert server.reached.wait(60)
    solving.cancel()
    with pytest.raises(SolveError, match="was cancelled"):
        solving.result()
    with pytest.raises(SolveError, match=r"within 1 s: give hints"):
        find_position(photograph, online=True, timeout=1).result()
    server.shutdown()
    server.server_close()
    with pytest.raises(SolveError, match=r"Could not find the position: http.* can't be reached"):
        find_position(photograph, online=True).result()
