"""A widget that nobody looks at does no work, and is up to date as soon as somebody does."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from examples import TILED

from constellations_widgets import ConstellationsError
from constellations_widgets.draft import ImageDraft
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets.base import DraftObserver
from constellations_widgets.widgets.form import ImageForm
from constellations_widgets.widgets.preview import Preview
from constellations_widgets.widgets.publisher import Publisher

REVIEW = {
    "ticket": "t",
    "account": "",
    "ready": True,
    "reasons": [],
    "request": "POST http://127.0.0.1/handle/me/image",
    "body": "{}",
    "size": 2,
    "title": "M 51",
    "picture": "",
    "position": "",
    "addresses": [],
    "credits": [],
    "copyright": "",
    "license": "",
    "alt_text": "",
}


@pytest.fixture
def draft() -> ImageDraft:
    return ImageDraft(ParsedImage(TILED, name="M 51"), autosave=False)


def view(widget: DraftObserver, name: str, *, is_open: bool, is_idle: bool = False) -> None:
    """What a page says when it begins or ends to show a widget, or when the view comes into sight or goes out of it."""
    message = {"kind": "view", "view": name, "open": is_open} | ({"updates": False} if is_idle else {})
    widget._handle_custom_msg(message, [])


def sent_by(widget: DraftObserver) -> list[dict[str, Any]]:
    """What the widget sends from now on."""
    sent: list[dict[str, Any]] = []
    widget._send = lambda message, buffers=None: sent.append(message)
    return sent


@pytest.mark.parametrize("kind", [Preview, ImageForm, Publisher])
def test_a_widget_whose_views_are_closed_sends_nothing_and_catches_up_when_one_is_opened(kind, draft):
    widget = kind(draft)
    view(widget, "a", is_open=True)
    view(widget, "b", is_open=True)
    view(widget, "a", is_open=False)
    sent = sent_by(widget)
    draft.wwt.rotation = 1.0
    assert len(sent) == 1  # the other view is open
    view(widget, "b", is_open=False)
    for turn in range(5):
        draft.wwt.rotation = 2.0 + turn
    assert len(sent) == 1
    view(widget, "c", is_open=True)
    assert len(sent) == 2 and "6.0" in str(sent[1])
    view(widget, "d", is_open=True)
    assert len(sent) == 2  # nothing was missed


@pytest.mark.parametrize("kind", [Preview, ImageForm, Publisher])
def test_a_widget_on_its_way_to_a_page_is_kept_up_to_date(kind, draft):
    widget = kind(draft)
    sent = sent_by(widget)
    draft.wwt.rotation = 1.0  # in the cell that shows it: the page's word comes when that is done
    assert len(sent) == 1


@pytest.mark.parametrize("kind", [Preview, ImageForm, Publisher])
def test_views_out_of_sight_are_sent_nothing_and_are_up_to_date_once_one_is_in_sight(kind, draft):
    widget = kind(draft)
    view(widget, "a", is_open=True)
    view(widget, "b", is_open=True, is_idle=True)
    sent = sent_by(widget)
    draft.wwt.rotation = 1.0
    assert len(sent) == 1  # one view is in sight
    view(widget, "a", is_open=True, is_idle=True)
    for turn in range(5):
        draft.wwt.rotation = 2.0 + turn
    assert len(sent) == 1 and widget._is_viewed and widget._may_be_viewed
    view(widget, "b", is_open=False)
    assert len(sent) == 1
    view(widget, "a", is_open=True)
    assert len(sent) == 2 and "6.0" in str(sent[1])


def test_a_preview_that_is_requested_has_a_revision_of_its_own_for_what_was_not_sent(draft):
    preview = Preview(draft)
    view(preview, "a", is_open=True, is_idle=True)
    known, _ = preview._on_open({})
    draft.wwt.rotation = 33.0
    response, _ = preview._on_open({})
    assert response["imageset"]["rotation"] == 33.0 and response["revision"] > known["revision"]


def test_a_snapshot_comes_after_what_the_page_was_not_sent(draft, tmp_path):
    preview = Preview(draft)
    preview._on_open({})
    view(preview, "a", is_open=True, is_idle=True)
    draft.wwt.rotation = 33.0
    sent = sent_by(preview)
    with pytest.raises(ConstellationsError, match="No page sent a picture"):
        asyncio.run(preview.snapshot(tmp_path / "m51.png", timeout=0.1))
    kinds = [message["content"]["kind"] for message in sent]
    assert kinds == ["imageset", "snapshot"] and "33.0" in str(sent[0])


def test_one_change_of_a_draft_with_many_previews_out_of_sight_sends_one_state(draft):
    previews = [Preview(draft) for _ in range(50)]
    sent = [sent_by(preview) for preview in previews]
    for preview in previews:
        view(preview, "a", is_open=True, is_idle=preview is not previews[7])
    draft.wwt.rotation = 1.0
    assert [len(messages) for messages in sent] == [0] * 7 + [1] + [0] * 42


def test_a_state_that_is_asked_for_is_the_newest(draft):
    form = ImageForm(draft)
    view(form, "a", is_open=True)
    view(form, "a", is_open=False)
    draft.note = "While nobody looked"
    assert form.state["values"]["note"] != "While nobody looked"
    assert form.get_state()["state"]["values"]["note"] == "While nobody looked"


def test_a_form_without_a_view_does_not_compute_its_state(draft, monkeypatch):
    worked: list[int] = []
    form = ImageForm(draft)
    view(form, "a", is_open=True)
    view(form, "a", is_open=False)
    monkeypatch.setattr(form, "_state", lambda: worked.append(1) or {})
    draft.note = "new"
    assert not worked


def test_an_edit_is_answered_whether_or_not_the_page_has_said_that_it_looks(draft):
    form = ImageForm(draft)
    view(form, "a", is_open=True)
    view(form, "a", is_open=False)
    form._on_message(form, {"kind": "edit", "client": "page", "seq": 4, "changes": {"note": "typed"}}, [])
    assert draft.note == "typed" and form.state["by"]["seq"] == 4 and form.state["values"]["note"] == "typed"


def test_changes_while_views_open_and_close_end_with_the_newest_state(draft):
    form = ImageForm(draft)
    view(form, "a", is_open=True)

    def change(start: int) -> None:
        for step in range(60):
            draft.wwt.rotation = float(start + step)

    def look(name: str) -> None:
        for _ in range(60):
            view(form, name, is_open=True)
            view(form, name, is_open=False)

    threads = [threading.Thread(target=change, args=(1000 * index,)) for index in range(2)]
    threads += [threading.Thread(target=look, args=(name,)) for name in "bc"]
    view(form, "a", is_open=False)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    view(form, "d", is_open=True)
    assert form.state["values"]["wwt.rotation"] == draft.wwt.rotation


def test_a_review_without_a_view_ends_when_its_draft_changes(draft):
    publisher = Publisher(draft)
    view(publisher, "a", is_open=True)
    view(publisher, "a", is_open=False)
    publisher._publication._set("review", review=REVIEW)
    draft.note = "changed"
    assert publisher.status["phase"] == "editing"


def test_a_draft_published_without_a_view_is_shown_as_locked(draft):
    form = ImageForm(draft)
    view(form, "a", is_open=True)
    view(form, "a", is_open=False)
    with draft.publishing():
        pass
    with draft.publishing():
        view(form, "b", is_open=True)
        assert form.state["locked"] is True
    assert form.state["locked"] is False


def test_a_word_about_views_that_makes_no_sense_does_no_harm(draft):
    form = ImageForm(draft)
    for message in (
        {"kind": "view"},
        {"kind": "view", "view": ["a"], "open": 1},
        {"kind": "view", "view": None, "open": False},
    ):
        form._handle_custom_msg(message, [])
    draft.note = "new"
    view(form, "a", is_open=True)
    assert form.state["values"]["note"] == "new"
