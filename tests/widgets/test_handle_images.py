"""A handle's images in the kernel: pages as they are wanted, records when pictures are, one image open at a time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from api.conftest import make_submission

from constellations_widgets import HandleImages, ImageForm, Preview, PublishedImage, Sandbox
from constellations_widgets.api import Constellations
from constellations_widgets.api.retries import Retries
from constellations_widgets.errors import ConstellationsError, InvalidError, NotFoundError

LIST = "/handle/*/imageinfo"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        client = sandbox.client()
        for handle, count in (("many", 230), ("few", 3), ("none", 0)):
            sandbox.add_handle(handle)
            for number in range(count):
                client.add_image(handle, make_submission(note=f"Image {number}"))
        yield sandbox


@pytest.fixture
def client(box: Sandbox) -> Iterator[Constellations]:
    with Constellations(box.api_url, box.token(), retries=Retries(tries=1)) as signed_in:
        yield signed_in
    box.faults.clear()


class Shown:
    """The widget with a page that asks it."""

    def __init__(self, widget: HandleImages):
        self.widget, self.list = widget, widget._list
        self.told: list[dict[str, Any]] = []
        self.list.send = lambda content, buffers=None: self.told.append(content)

    @property
    def status(self) -> dict[str, Any]:
        return self.list.status

    def rows(self, start: int = 0) -> list[dict[str, Any]]:
        answer, _ = self.widget._rows({"start": start})
        return answer["rows"]

    def press(self, what: str, of: str = "") -> None:
        self.widget._do({"what": what, "of": of})

    def wait(self, done: Callable[[], Any]) -> dict[str, Any]:
        for _ in range(1500):
            if done():
                return self.status
            time.sleep(0.01)
        raise AssertionError(f"still {self.status}")

    def loaded(self, count: int) -> dict[str, Any]:
        return self.wait(lambda: self.status["loaded"] == count and self.status["phase"] != "loading")

    def opened(self) -> dict[str, Any]:
        return self.wait(lambda: self.status["opened"]["phase"] in ("open", "failed"))["opened"]


def threads_that_list() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "constellations-list"}


@pytest.fixture
def show(client: Constellations) -> Iterator[Callable[..., Shown]]:
    made: list[HandleImages] = []

    def make(handle: str, of: Constellations = client, **options: Any) -> Shown:
        made.append(HandleImages(of, handle, **options))
        return Shown(made[-1])

    yield make
    for widget in made:
        widget.close()


class TestPages:
    def test_nothing_is_asked_before_a_page_shows_the_list(self, show):
        shown = show("@many")
        assert (shown.status["phase"], shown.status["total"], shown.widget.images) == ("idle", None, [])
        shown.rows()  # the page asks, and is answered at once, with what is there
        assert shown.loaded(100)["total"] == 230
        assert [row["note"] for row in shown.rows()[:2]] == ["Image 229", "Image 228"]
        assert len(shown.rows(start=90)) == 10

    def test_pages_come_as_they_are_wanted_and_each_image_once(self, show):
        shown = show("many")
        shown.widget.load()
        shown.loaded(100)
        shown.press("more")
        shown.loaded(200)
        shown.press("all")
        assert shown.loaded(230)["phase"] == "complete"
        assert len({image.id for image in shown.widget.images}) == 230
        shown.press("more")  # there is nothing more
        assert shown.status["phase"] == "complete" and shown.widget.total_count == 230

    def test_many_clicks_load_each_image_once(self, show):
        shown = show("many")
        threads = [threading.Thread(target=shown.widget.load, args=(230,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        shown.loaded(230)
        assert len({image.id for image in shown.widget.images}) == 230

    def test_an_empty_handle_is_complete(self, show):
        shown = show("none")
        shown.rows()
        assert shown.wait(lambda: shown.status["phase"] == "complete")["total"] == 0

    def test_a_refresh_has_what_was_published_meanwhile(self, show, client, box):
        box.add_handle("growing")
        for note in ("first", "second"):
            client.add_image("growing", make_submission(note=note))
        shown = show("growing")
        shown.widget.load()
        version = shown.loaded(2)["version"]
        client.add_image("growing", make_submission(note="third"))
        shown.press("refresh")
        assert shown.loaded(3)["version"] == version + 1
        assert [row["note"] for row in shown.rows()] == ["third", "second", "first"]

    def test_a_slow_server_is_not_waited_for_and_a_refresh_forgets_it(self, show, box):
        shown = show("few")
        before = len(box.faults.log)
        box.faults.next("delay", path=LIST, seconds=2)
        shown.rows()
        shown.wait(lambda: len(box.faults.log) > before)
        assert shown.status["phase"] == "loading"
        slow = threads_that_list()
        shown.press("refresh")  # its first page is answered before the slow one
        shown.loaded(3)
        assert slow & threads_that_list()
        shown.wait(lambda: not threads_that_list())
        assert (shown.status["loaded"], shown.status["phase"], shown.status["version"]) == (3, "complete", 2)

    def test_what_fails_is_said_and_goes_on_where_it_was(self, show, box):
        shown = show("many")
        shown.widget.load()
        shown.loaded(100)
        box.faults.next("unavailable", path=LIST)
        shown.press("more")
        assert "Could not list the images" in shown.wait(lambda: shown.status["phase"] == "failed")["message"]
        assert shown.status["loaded"] == 100
        shown.press("more")
        assert shown.loaded(200)["message"] == ""

    @pytest.mark.parametrize(
        ("handle", "signed_in", "says"),
        [
            ("nobody", True, "not found"),
            ("many", "somebody else", "Forbidden"),
            ("many", None, "this client is not signed in"),
        ],
    )
    def test_whose_list_it_is_not_is_told(self, show, box, client, handle, signed_in, says):
        account = box.token(account=signed_in) if isinstance(signed_in, str) else None
        with Constellations(box.api_url, account, retries=Retries(tries=1)) as stranger:
            shown = show(handle, client if signed_in is True else stranger)
            shown.rows()
            message = shown.wait(lambda: shown.status["phase"] == "failed")["message"]
        assert says.lower() in message.lower()

    def test_no_network_is_said(self, show):
        with Constellations("http://127.0.0.1:9", "token", retries=Retries(tries=1)) as far:
            shown = show("few", far)
            shown.rows()
            assert "can't be reached" in shown.wait(lambda: shown.status["phase"] == "failed")["message"]

    def test_what_is_no_client_or_handle_is_refused(self, client):
        with pytest.raises(TypeError, match="takes a client"):
            HandleImages("many", client)
        for handle in ("", None):
            with pytest.raises(InvalidError, match="is not a handle"):
                HandleImages(client, handle)

    @pytest.mark.parametrize("request_of", [{}, {"start": -1}, {"start": True}, {"start": "1"}])
    def test_requests_that_make_no_sense_are_refused(self, show, request_of):
        widget = show("few").widget
        for asked, request in (
            (widget._rows, request_of),
            (widget._records_for, {"ids": ["x"] * 65}),
            (widget._do, {}),
        ):
            with pytest.raises(ConstellationsError):
                asked(request)


class TestRecords:
    def test_records_are_read_when_they_are_wanted_and_once(self, show, box, client):
        shown = show("few")
        shown.widget.load()
        shown.loaded(3)
        assert not shown.told
        ids = [row["id"] for row in shown.rows()]
        assert shown.widget._records_for({"ids": ids}) == ({"records": {}}, [])
        told = lambda: {id for message in shown.told for id in message.get("records", {})}  # noqa: E731
        shown.wait(lambda: told() == set(ids))
        record = shown.told[0]["records"]
        assert list(record.values()) == [
            {"thumbnail": "https://example.org/m51/thumb.jpg", "alt": "A spiral galaxy seen from above."}
        ]
        shown.told.clear()
        known, _ = shown.widget._records_for({"ids": ids})
        assert set(known["records"]) == set(ids) and not shown.told
        shown.press("refresh")
        assert shown.widget._records_for({"ids": ids[:1]})[0] == {"records": {}}

    def test_one_that_cannot_be_read_has_no_picture(self, show):
        shown = show("few")
        shown.widget._records_for({"ids": ["0" * 24]})
        shown.wait(lambda: shown.told)
        assert shown.told[0]["records"] == {"0" * 24: {"thumbnail": "", "alt": ""}}


class TestOpening:
    @pytest.fixture
    def shown(self, show) -> Shown:
        shown = show("few")
        shown.widget.load()
        shown.loaded(3)
        return shown

    def test_an_image_is_edited_below_the_list_and_the_list_shows_its_new_note(self, shown, client):
        id = shown.widget.images[1].id
        shown.press("form", id)
        assert shown.opened() == {"what": "form", "id": id, "phase": "open", "message": ""}
        form = shown.widget.children[1]
        assert isinstance(form, ImageForm) and isinstance(shown.widget.opened, PublishedImage)
        form.draft.note = f"Renamed {time.time()}"
        form.draft.save()
        assert shown.rows()[1]["note"] == shown.told[-1]["row"]["note"] == client.image(id).note
        shown.press("close")
        assert shown.widget.opened is None and len(shown.widget.children) == 1 and form.comm is None

    def test_what_was_typed_and_not_saved_is_there_again(self, shown):
        first, second = (image.id for image in shown.widget.images[:2])
        image = shown.widget.edit(first)
        image.alt_text = "half a sentence"
        shown.widget.edit(second)
        assert shown.widget.edit(first).alt_text == "half a sentence"
        assert shown.widget.opened is image

    def test_an_image_is_shown_on_the_sky(self, shown):
        id = shown.widget.images[0].id
        shown.press("sky", id)
        assert shown.opened()["what"] == "sky"
        assert isinstance(shown.widget.opened, Preview)
        assert shown.widget.opened.draft.wwt.center_x == 202.47

    def test_an_image_that_is_gone_is_said_and_opens_nothing(self, shown):
        shown.press("form", "0" * 24)
        assert "Not found" in shown.opened()["message"] and shown.widget.opened is None
        with pytest.raises(NotFoundError):
            shown.widget.show("0" * 24)

    def test_a_list_that_was_closed_while_an_image_was_read_opens_nothing(self, shown, box):
        first, before = shown.widget.images[0].id, len(box.faults.log)
        box.faults.next("delay", path=f"/image/{first}", seconds=0.5)
        shown.press("form", first)
        shown.wait(lambda: len(box.faults.log) > before)
        shown.widget.close()
        shown.wait(lambda: not any(thread.name == "constellations-open" for thread in threading.enumerate()))
        assert shown.widget.opened is None and len(shown.widget.children) == 1

    @pytest.mark.parametrize("then", ["form", "close"])
    def test_the_latest_click_counts_while_the_server_is_slow(self, shown, box, then):
        first, second = (image.id for image in shown.widget.images[:2])
        box.faults.next("delay", path=f"/image/{first}", seconds=0.5)
        shown.press("form", first)
        shown.wait(lambda: shown.status["opened"]["phase"] == "opening")
        shown.press(then, second)
        shown.wait(lambda: not any(thread.name == "constellations-open" for thread in threading.enumerate()))
        assert shown.status["opened"]["id"] == (second if then == "form" else "")
        assert (shown.widget.opened is not None) == (then == "form")


def test_the_state_that_goes_to_the_page_holds_no_secret(show, box):
    shown = show("few", pictures=True)
    shown.widget.edit(box.client().handle_images("few").__next__()[0].id)
    state = json.dumps([part.get_state() for part in shown.widget.children], default=str)
    assert shown.status["pictures"] is True
    for token in (shown.widget._client._transport.credentials.header(box.api_url), box.token()):
        assert token.split()[-1] not in state
