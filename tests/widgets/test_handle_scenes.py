"""A handle's scenes in the kernel: listed, shown, made, changed and published, against a real sandbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from api.conftest import make_submission

from constellations_widgets import HandleScenes, PublishedScene, Sandbox, SkyView
from constellations_widgets.api import Constellations
from constellations_widgets.api.retries import Retries
from constellations_widgets.autosave import flush_all
from constellations_widgets.publishing.scene_values import SceneDraft
from constellations_widgets.schema.scenes import ScenePlace, SceneSubmission, SceneSummary
from constellations_widgets.widgets.scene_editor import SceneEditor

PLACE = ScenePlace.of_view(SkyView(202.5, 47.2, 0.5))


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        sandbox.add_handle("many")
        sandbox.add_handle("none")
        yield sandbox


@pytest.fixture
def client(box: Sandbox) -> Iterator[Constellations]:
    with Constellations(box.api_url, box.token(), retries=Retries(tries=1)) as signed_in:
        yield signed_in
    box.faults.clear()


@pytest.fixture(scope="module")
def images(box: Sandbox) -> list[str]:
    with box.client() as client:
        return [client.add_image(box.handle, make_submission(note=f"Layer {number}")).id for number in range(3)]


def make(client: Constellations, handle: str, image: str, text: str, *, published: bool = False) -> str:
    content = {"image_layers": [{"image_id": image, "opacity": 0.5}]}
    scene = SceneSubmission.model_validate({"place": PLACE, "content": content, "text": text, "published": published})
    return client.add_scene(handle, scene).id


class Shown:
    """The widget with a page that asks it."""

    def __init__(self, widget: HandleScenes):
        self.widget, self.list = widget, widget._list
        self.told: list[dict[str, Any]] = []
        self.list.send = lambda content, buffers=None: self.told.append(content)

    def press(self, what: str, of: str = "") -> None:
        self.widget._do({"what": what, "of": of})

    def ask(self, action: str, **more: Any) -> dict[str, Any]:
        self.editor._on_message(self.editor, {"kind": "scene", "action": action, **more}, [])
        return self.scene

    @property
    def editor(self) -> Any:
        """The form below the list; None while none is open."""
        return next((part for part in self.widget.children if isinstance(part, SceneEditor)), None)

    @property
    def scene(self) -> dict[str, Any]:
        return self.editor.scene

    def wait(self, done: Callable[[], Any]) -> Any:
        for _ in range(3000):
            if found := done():
                return found
            time.sleep(0.01)
        raise AssertionError((self.list.status, self.editor and self.scene))

    def phase(self, *phases: str) -> dict[str, Any]:
        flow = self.editor.flow
        self.wait(lambda: self.scene["phase"] in phases and not flow.worker.busy)
        return self.scene

    def opened(self, what: str) -> None:
        status = self.wait(lambda: self.list.status["opened"]["phase"] in ("open", "failed") and self.list.status)
        assert (status["opened"]["what"], status["opened"]["phase"]) == (what, "open")


@pytest.fixture
def show(client: Constellations) -> Iterator[Callable[..., Shown]]:
    made: list[HandleScenes] = []

    def make(handle: str, of: Constellations = client) -> Shown:
        made.append(HandleScenes(of, handle))
        return Shown(made[-1])

    yield make
    for widget in made:
        widget.close()


class TestTheList:
    def test_its_rows_have_counters_and_whether_the_site_shows_them(self, show, box, client, images):
        make(client, "many", images[0], "hidden")
        shown_id = make(client, "many", images[0], "shown", published=True)
        for counter, times in (("likes", 2), ("impressions", 3), ("clicks", 1), ("shares", 4)):
            box._server.store.count(shown_id, counter, times)
        shown = show("many")
        shown.widget._rows({"start": 0})
        shown.wait(lambda: shown.list.status["phase"] == "complete")
        rows = shown.widget._rows({"start": 0})[0]["rows"]
        assert [(row["text"], row["published"]) for row in rows[:2]] == [("shown", True), ("hidden", False)]
        assert [rows[0][name] for name in ("impressions", "likes", "clicks", "shares")] == [3, 2, 1, 4]
        assert rows[0]["record"] == f"{box.api_url}/scene/{shown_id}" and rows[0]["page"] == rows[0]["edit"] == ""
        assert [scene.id for scene in shown.widget.scenes] == [row["id"] for row in rows]

    def test_the_owners_pages_on_the_real_site_are_linked(self, show, client):
        shown = show("me", Constellations("https://api.worldwidetelescope.org", "a.b.c"))
        row = shown.widget._row(SceneSummary(id="5e9f1c3a7b2d4e6f8a0b1c2d"))
        site = "https://worldwidetelescope.org/@me/5e9f1c3a7b2d4e6f8a0b1c2d"
        assert (row["page"], row["edit"]) == (site, f"{site}/edit")

    def test_who_is_not_signed_in_is_told_so(self, show, box):
        shown = show("many", Constellations(box.api_url))
        shown.widget.load()
        status = shown.wait(lambda: shown.list.status["phase"] == "failed" and shown.list.status)
        assert "Only the owner of a handle can list its scenes" in status["message"]


class TestOneScene:
    def test_it_is_drawn_with_all_its_images_its_background_and_its_view(self, show, box, client, images):
        box.add_background(images[2])
        layers = [{"image_id": images[0], "opacity": 1.0}, {"image_id": images[1], "opacity": 0.25}]
        content = {"image_layers": layers, "background_id": images[2]}
        scene = SceneSubmission.model_validate({"place": PLACE, "content": content, "text": "Two"})
        id = client.add_scene(box.handle, scene).id
        shown = show(box.handle)
        shown.press("sky", id)
        shown.opened("sky")
        preview = shown.widget.preview
        drawing = shown.wait(lambda: (found := preview._drawing())["background"] and found)
        assert [(it["opacity"], f'Name="{it["name"]}"' in it["wtml"]) for it in drawing["layers"]] == [
            (1.0, True),
            (0.25, True),
        ]
        assert drawing["view"]["ra"] == pytest.approx(202.5) and drawing["view"]["height"] == 0.5
        assert len({it["url"] for it in (*drawing["layers"], drawing["background"])}) == 3
        assert preview._on_open({})[0]["scene"]["layers"] == drawing["layers"]

    def test_its_text_link_view_and_background_are_changed_after_a_review(self, show, box, client, images):
        id = make(client, box.handle, images[0], "before")
        box.add_background(images[1])
        shown = show(box.handle)
        shown.press("form", id)
        shown.opened("form")
        shown.wait(lambda: any(each["id"] == images[1] for each in shown.scene["choices"]["backgrounds"]))
        assert [field["text"] for field in shown.scene["form"]["view"]] == [
            "13h 30m 00.0s", "+47° 12′ 00″", "30′", "1", "0°",
        ]  # fmt: skip
        shown.ask("edit", name="text", value="after")
        shown.ask("edit", name="outgoing_url", value="https://example.org/more")
        shown.ask("edit", name="background_id", value=images[1])
        shown.ask("place", name="ra", value="13h29m52.7s +47d11m43s")
        shown.ask("place", name="height", value="20")
        assert shown.scene["changed"] == ["text", "outgoing_url", "view", "background_id"]
        assert client.scene(id).text == "before"
        shown.ask("review")
        review = shown.phase("review")["review"]
        assert [(row["name"], row["before"], row["after"]) for row in review["rows"][:2]] == [
            ("text", "before", "after"),
            ("outgoing_url", "none", "https://example.org/more"),
        ]
        assert review["request"] == f"PATCH {box.api_url}/scene/{id}"
        shown.ask("confirm", ticket="another")
        assert client.scene(id).text == "before"
        shown.ask("confirm", ticket=review["ticket"])
        assert shown.phase("made")["message"].startswith("Saved")
        record = client.scene(id)
        assert (record.text, record.outgoing_url, record.background_id) == (
            "after",
            "https://example.org/more",
            images[1],
        )
        assert (record.view.ra, record.view.dec) == (pytest.approx(202.46958333), pytest.approx(47.19527778))
        assert record.view.height == pytest.approx(20 / 60)
        assert shown.told[-1]["row"]["text"] == "after" and shown.scene["changed"] == []

    def test_what_is_not_understood_is_said_at_its_field_and_not_reviewed(self, show, box, client, images):
        shown = show(box.handle)
        shown.widget.edit(make(client, box.handle, images[0], "x"))
        shown.ask("place", name="dec", value="95")
        field = shown.scene["form"]["view"][1]
        assert field["typed"] == "95" and "between" in field["error"]
        shown.ask("edit", name="text", value="")
        shown.ask("review")
        assert "Center Dec" in shown.phase("editing")["message"]
        shown.ask("place", name="dec", value="45")
        shown.ask("review")
        assert "text is empty" in shown.phase("editing")["message"]

    def test_it_is_published_and_unpublished_from_its_row_after_a_confirmation(self, show, box, client, images):
        id = make(client, box.handle, images[0], "x")
        shown = show(box.handle)
        for published in (True, False):
            shown.press("publish", id)
            shown.opened("publish")
            review = shown.phase("review")["review"]
            assert [row["name"] for row in review["rows"]] == ["published"] and review["published"] is published
            assert client.scene(id).published is not published
            shown.ask("confirm", ticket=review["ticket"])
            shown.phase("made")
            assert client.scene(id).published is published
            assert shown.told[-1]["row"]["published"] is published
        shown.press("publish", id)
        shown.wait(lambda: shown.editor and shown.scene["phase"] == "review")
        shown.ask("cancel")
        assert shown.phase("editing")["changed"] == [] and not client.scene(id).published

    def test_what_others_changed_meanwhile_is_shown_before_it_is_overwritten(self, show, box, client, images):
        id = make(client, box.handle, images[0], "before")
        shown = show(box.handle)
        shown.widget.edit(id)
        shown.ask("edit", name="text", value="mine")
        shown.ask("review")
        review = shown.phase("review")["review"]
        client.update_scene(id, text="theirs")
        shown.ask("confirm", ticket=review["ticket"])
        again = shown.phase("review")
        assert "changed on the server since you read it" in again["message"]
        assert again["review"]["rows"][0] | {} == {
            "name": "text",
            "before": "theirs",
            "after": "mine",
            "meanwhile": True,
        }
        shown.ask("confirm", ticket=again["review"]["ticket"])
        shown.phase("made")
        assert client.scene(id).text == "mine"

    def test_of_another_handle_it_says_who_may_change_it(self, show, box, client, images):
        id = make(client, box.handle, images[0], "x")
        shown = show(box.handle, Constellations(box.api_url, box.token(account="stranger")))
        shown.widget.edit(id)
        assert f"sign in as its owner, @{box.handle}" in shown.scene["blocked"]


class TestANewScene:
    def test_what_was_typed_is_there_when_its_form_is_closed_and_opened_again_until_it_is_made(
        self, show, box, client, images
    ):
        shown = show(box.handle)
        shown.press("new")
        shown.opened("new")
        shown.ask("edit", name="text", value="Half typed")
        shown.press("close")
        shown.press("new")
        shown.opened("new")
        assert shown.scene["form"]["text"] == "Half typed"
        shown.widget._on_stored(None)  # it was made
        shown.press("new")
        shown.wait(lambda: shown.editor and shown.scene["form"]["text"] == "")

    def test_it_is_made_of_several_images_in_order_with_their_opacity(self, show, box, client, images):
        shown = show(box.handle)
        shown.press("new")
        shown.opened("new")
        shown.ask("review")
        assert "Add one" in shown.phase("editing")["message"]
        for image in images[:2]:
            shown.ask("add_layer", of=image)
            shown.wait(lambda image=image: any(layer["id"] == image for layer in shown.scene["form"]["layers"]))
        shown.ask("add_layer", of=images[0])
        assert "already" in shown.scene["form"]["message"]
        assert (shown.scene["form"]["text"], shown.scene["form"]["fixed"]) == ("Layer 0", False)
        shown.ask("move_layer", of=images[0], value=1)
        shown.ask("move_layer", of=images[0], value=1)  # it is on top
        shown.ask("fade_layer", of=images[0], value=0.4)
        shown.ask("fade_layer", of="x", value=0.1)
        shown.ask("edit", name="text", value="Both")
        before = len(list(client.scenes(box.handle)))
        shown.ask("review")
        review = shown.phase("review")["review"]
        assert [row["after"] for row in review["rows"] if row["name"] == "layers"] == ["Layer 1 (100%); Layer 0 (40%)"]
        assert len(list(client.scenes(box.handle))) == before
        shown.ask("confirm", ticket=review["ticket"])
        made = shown.phase("made")
        record = client.scene(made["made"]["id"])
        layers = [(layer["image"]["id"], layer["opacity"]) for layer in record.content["image_layers"]]
        assert layers == [(images[1], 1), (images[0], 0.4)] and not record.published and record.text == "Both"
        assert not made["exists"] and not made["open"]
        shown.wait(lambda: shown.widget.scenes and shown.widget.scenes[0].id == record.id)  # the list has it
        shown.ask("publish", value=True)
        shown.ask("confirm", ticket=shown.phase("review")["review"]["ticket"])
        assert shown.phase("made")["made"]["published"] and client.scene(record.id).published
        assert shown.told[-1]["row"]["published"]  # the list has that, too
        shown.ask("edit_made")
        assert shown.phase("editing")["exists"]

    def test_the_preview_gives_it_its_view(self, show, box, client, images):
        shown = show(box.handle)
        draft = shown.widget.new(client.image(images[0]))
        assert isinstance(draft, SceneDraft) and draft.view is not None
        assert "no view yet" in shown.ask("use_view")["form"]["message"]
        shown.widget.preview._view = SkyView(10.0, -20.0, 3.0, 1.5, 30.0)
        assert shown.ask("use_view")["form"]["summary"] == "00h 40m 00.0s −20° 00′ 00″ · 4.5° × 3° · roll 30°"
        shown.ask("whole_image")
        assert draft.view.dec != -20.0

    def test_images_that_the_site_cannot_tell_apart_are_warned_of(self, show, box, client):
        url = "https://example.org/same/{1}/{3}/{3}_{2}.png"
        submissions = [make_submission(), make_submission()]
        ids = []
        for number, submission in enumerate(submissions):
            wwt = submission.to_request()["wwt"] | {"center_x": 10.0 + number}
            ids.append(client.add_image(box.handle, make_submission(wwt=wwt, storage={"legacy_url_template": url})).id)
        shown = show(box.handle)
        shown.widget.new(*(client.image(id) for id in ids))
        assert "have the same image URL" in shown.scene["form"]["warnings"][0]


class TestInterruptedChanges:
    def test_an_unclear_change_that_arrived_is_not_sent_again(self, show, box, client, images, monkeypatch):
        id = make(client, box.handle, images[0], "before")
        shown = show(box.handle)
        shown.widget.edit(id)
        shown.ask("edit", name="text", value="after")
        shown.ask("review")
        review = shown.phase("review")["review"]
        box.faults.next("reset_after_commit", method="PATCH")
        sent = patches(client, monkeypatch)
        shown.ask("confirm", ticket=review["ticket"])
        shown.phase("made")
        assert client.scene(id).text == "after" and sent == [f"/scene/{id}"]

    def test_one_that_did_not_arrive_is_kept_and_checked_before_it_is_sent(self, show, box, client, images):
        id = make(client, box.handle, images[0], "before")
        shown = show(box.handle)
        shown.widget.edit(id)
        shown.ask("edit", name="text", value="after")
        shown.ask("review")
        review = shown.phase("review")["review"]
        box.faults.next("reset_before_read", method="PATCH")
        shown.ask("confirm", ticket=review["ticket"])
        unclear = shown.phase("unclear", "failed")
        assert unclear["phase"] == "unclear" and unclear["changed"] == ["text"] and "are kept" in unclear["message"]
        shown.ask("confirm", ticket=review["ticket"])
        assert client.scene(id).text == "before"
        shown.ask("review")
        shown.ask("confirm", ticket=shown.phase("review")["review"]["ticket"])
        shown.phase("made")
        assert client.scene(id).text == "after"

    def test_what_a_killed_kernel_left_is_offered_and_what_had_arrived_is_not(self, show, box, client, images):
        id = make(client, box.handle, images[0], "before")
        first = PublishedScene(client, id)
        first.edit({"text": "typed", "view": SkyView(1.0, 2.0, 3.0)})
        flush_all()
        shown = show(box.handle)
        shown.widget.edit(id)
        assert sorted(shown.scene["earlier"]) == ["text", "view"] and shown.scene["form"]["text"] == "before"
        client.update_scene(id, text="typed")  # the request of the killed kernel had arrived
        shown.widget.opened.reload()
        assert shown.ask("restore")["changed"] == ["view"]
        assert shown.scene["earlier"] == []
        shown.ask("review")
        rows = shown.phase("review")["review"]["rows"]
        assert [row["name"] for row in rows] == ["view"]


def patches(client: Constellations, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the paths of all changes that the client sends from now on."""
    sent: list[str] = []
    send = client._transport.json

    def counted(call: Any) -> Any:
        if call.method == "PATCH":
            sent.append(call.path)
        return send(call)

    monkeypatch.setattr(client._transport, "json", counted)
    return sent
