"""Commands of a page: each counts once, although the page repeats what it does not know to be received."""

from __future__ import annotations

from typing import Any

import pytest

from constellations_widgets.draft import ImageDraft
from constellations_widgets.widgets.form import ImageForm


@pytest.fixture
def form() -> Any:
    form = ImageForm(ImageDraft(autosave=False))
    form.obeyed, form.sent, form.sent_again = [], [], []
    form._messages = {"do": lambda message: form.obeyed.append(message["what"])}
    form.send = lambda content, buffers=None: form.sent.append(content)
    form.send_state = lambda key=None: form.sent_again.append(set(key))
    return form


def say(form: Any, *commands: tuple[int, str], page: str = "one") -> None:
    sent = [{"kind": "do", "what": what, "number": number} for number, what in commands]
    form._on_message(form, {"kind": "commands", "page": page, "commands": sent}, [])


def test_each_command_is_obeyed_once_in_order_and_confirmed(form):
    say(form, (1, "a"))
    say(form, (1, "a"), (2, "b"), (3, "c"))
    say(form, (2, "b"))
    assert form.obeyed == ["a", "b", "c"]
    assert form.sent == [{"kind": "received", "page": "one", "number": number} for number in (1, 3, 3)]


def test_each_page_has_numbers_of_its_own(form):
    say(form, (1, "a"))
    say(form, (1, "b"), page="two")
    assert form.obeyed == ["a", "b"]


def test_after_a_lost_confirmation_the_state_is_sent_again_but_not_for_each_repetition(form):
    say(form, (1, "a"))
    assert form.sent_again == []
    for _ in range(3):
        say(form, (1, "a"))
    assert len(form.sent_again) == 1 and "state" in form.sent_again[0] and "_esm" not in form.sent_again[0]


def test_a_command_that_fails_keeps_no_other_from_being_obeyed_nor_confirmed(form):
    def fail(_message: object) -> None:
        raise ValueError("broken")

    form._messages["do it wrong"] = fail
    wrong = {"kind": "do it wrong", "number": 1}
    right = {"kind": "do", "what": "b", "number": 2}
    with pytest.raises(ValueError, match="broken"):
        form._on_message(form, {"kind": "commands", "page": "one", "commands": [wrong, right]}, [])
    assert form.obeyed == ["b"] and form.sent[-1]["number"] == 2
