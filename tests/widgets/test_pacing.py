"""A loop over a shown draft sends some thirty states a second to the page, and always the last one."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from typing import Any

import pytest
from examples import TILED

from constellations_widgets.draft import ImageDraft
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets import pacing
from constellations_widgets.widgets.batch.publisher import BatchPublisher
from constellations_widgets.widgets.form import ImageForm
from constellations_widgets.widgets.pacing import Pace
from constellations_widgets.widgets.preview import Preview
from constellations_widgets.widgets.publisher import Publisher

EDITS = 1300


@pytest.fixture
def draft() -> ImageDraft:
    return ImageDraft(ParsedImage(TILED, name="M 51"), autosave=False)


def rotation_in(message: dict[str, Any]) -> Any:
    """The rotation that a page shows after this message; None if it is about something else."""
    if message.get("method") == "update":
        return message["state"].get("state", {}).get("values", {}).get("wwt.rotation")
    content = message.get("content", {})
    return content["imageset"]["rotation"] if content.get("kind") == "imageset" else None


class Page:
    """What a page is sent, and when."""

    def __init__(self, widget: Any):
        self.sent: list[tuple[float, dict[str, Any]]] = []
        widget._send = lambda message, buffers=None: self.sent.append((time.monotonic(), message))

    def rotations(self) -> list[Any]:
        return [value for _, message in self.sent if (value := rotation_in(message)) is not None]

    def states(self) -> list[dict[str, Any]]:
        updates = [message["state"] for _, message in self.sent if message.get("method") == "update"]
        return [update["state"] for update in updates if "state" in update]

    def wait_for(self, value: float) -> None:
        ends = time.monotonic() + 120
        while self.rotations()[-1:] != [value] and time.monotonic() < ends:
            time.sleep(0.005)
        assert self.rotations()[-1] == value


def wait_for_rest() -> None:
    ends = time.monotonic() + 120
    while pacing._queue._thread is not None and time.monotonic() < ends:
        time.sleep(0.005)
    assert pacing._queue._thread is None and not pacing._queue._waiting


@pytest.mark.parametrize("kind", [Preview, ImageForm, Publisher])
def test_a_loop_of_edits_sends_thirty_states_a_second_and_the_last_one(kind, draft):
    widget = kind(draft)
    page, began = Page(widget), time.monotonic()
    for turn in range(EDITS):  # nothing else runs in this thread
        draft.wwt.rotation = float(turn) / 10
    seconds = time.monotonic() - began
    page.wait_for((EDITS - 1) / 10)
    assert len(page.rotations()) <= pacing._BURST + pacing.RATE * (seconds + 0.5) < EDITS
    wait_for_rest()
    if isinstance(widget, ImageForm | Publisher):
        assert widget.state["values"]["wwt.rotation"] == (EDITS - 1) / 10


def test_each_state_is_newer_than_the_one_before_whatever_threads_change_the_draft(draft):
    widgets = [kind(draft) for kind in (Preview, ImageForm, Publisher)]
    pages = [Page(widget) for widget in widgets]
    lock, count = threading.Lock(), iter(range(1, EDITS))

    def change() -> None:
        for _ in range(200):
            with lock:
                draft.wwt.rotation = next(count) / 10

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for page in pages:
        page.wait_for(80.0)
        assert page.rotations() == sorted(page.rotations())
    wait_for_rest()


def test_many_widgets_share_what_a_server_takes(draft):
    widgets = [ImageForm(draft) for _ in range(30)]
    pages = [Page(widget) for widget in widgets]
    began = time.monotonic()
    for turn in range(100):
        draft.wwt.rotation = float(turn)
    seconds = time.monotonic() - began
    for page in pages:
        page.wait_for(99.0)
    seconds = time.monotonic() - began
    total = sum(len(page.sent) for page in pages)
    assert total <= pacing._BURST_OF_ALL + pacing._RATE_OF_ALL * (seconds + 0.1)
    for widget in widgets:
        widget.close()


def test_many_widgets_that_no_page_has_shown_share_the_rate_of_one_and_delay_no_other(draft):
    unseen = [Preview(draft) for _ in range(40)]
    seen = Preview(draft)
    seen._handle_custom_msg({"kind": "view", "view": "a", "open": True}, [])
    pages, page, began = [Page(it) for it in unseen], Page(seen), time.monotonic()
    for turn in range(3):
        draft.wwt.rotation = 10.0 + turn
    assert page.rotations() == [10.0, 11.0, 12.0]  # at once
    for it in pages:
        it.wait_for(12.0)
    seconds = time.monotonic() - began
    assert sum(len(it.sent) for it in pages) <= pacing._BURST + pacing._RATE_OF_UNVIEWED * (seconds + 0.1)
    wait_for_rest()


def test_an_edit_of_the_page_is_answered_at_once_in_the_middle_of_a_loop(draft):
    form = ImageForm(draft)
    page = Page(form)
    for turn in range(50):
        draft.wwt.rotation = float(turn)
    for seq in range(1, 8):
        form._handle_custom_msg({"kind": "edit", "client": "me", "seq": seq, "changes": {"note": f"typed {seq}"}}, [])
        answer = page.states()[-1]
        assert (
            answer["by"] == {"client": "me", "seq": seq, "paths": ["note"]}
            and answer["values"]["note"] == f"typed {seq}"
        )
    wait_for_rest()
    assert page.states()[-1]["values"]["note"] == "typed 7"


def test_a_drag_on_the_sky_is_answered_with_the_image_where_it_is(draft):
    preview = Preview(draft)
    page = Page(preview)
    for turn in range(20):
        draft.wwt.rotation = float(turn)
    preview._on_place({"op": "turn", "by": 1.0, "about": [202.47, 47.2]})
    assert not pacing._queue._waiting
    assert page.rotations()[-1] == draft.wwt.rotation


def test_the_shared_fields_of_a_batch_are_paced_too(box, draft):
    batch = BatchPublisher([draft], box.client(), box.handle)
    page, began = Page(batch), time.monotonic()
    for turn in range(300):
        batch.shared.permissions.credits = f"Credits {turn}"
    wait_for_rest()
    seconds = time.monotonic() - began
    states = [message["state"] for _, message in page.sent if message.get("method") == "update"]
    last = {name: value for state in states for name, value in state.items()}
    assert last["state"]["values"]["permissions.credits"] == last["kept_credits"]["text"] == "Credits 299"
    assert sum("state" in state for state in states) <= pacing._BURST + pacing.RATE * (seconds + 0.5)
    batch.close()


def test_a_closed_widget_sends_nothing_more_and_nothing_holds_it(draft):
    form = ImageForm(draft)
    page = Page(form)
    for turn in range(50):
        draft.wwt.rotation = float(turn)
    form.close()
    sent = len(page.sent)
    wait_for_rest()
    assert len(page.sent) == sent
    gone = weakref.ref(form)
    del form, page
    gc.collect()
    assert gone() is None


def test_a_widget_that_cannot_send_keeps_no_other_from_it(caplog):
    sent: list[str] = []

    def fail() -> None:
        raise RuntimeError("comm closed")

    bad, good = Pace(fail), Pace(lambda: sent.append("good"))
    bad.bucket._tokens = good.bucket._tokens = 0
    bad.request()
    good.request()
    wait_for_rest()
    assert sent == ["good"] and "could not be sent" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_forked_child_starts_its_own_pacing(draft):
    form = ImageForm(draft)
    pacing._queue._lock.acquire()  # as a thread does in the moment of the fork
    try:
        child = os.fork()
        if child == 0:
            try:
                for turn in range(20):
                    draft.wwt.rotation = float(turn)
                os._exit(0 if form.state["values"]["wwt.rotation"] == 19.0 else 1)
            finally:
                os._exit(2)
    finally:
        pacing._queue._lock.release()
    ends = time.monotonic() + 120
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < ends:
        time.sleep(0.02)
    if ended == (0, 0):
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended[1] == 0
