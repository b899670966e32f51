"""Scenes and handles over the real sandbox: listed, read, changed by their owner, with the guards that images have."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import httpx
import pytest
from api.conftest import make_submission

from constellations_widgets.api import Constellations, Retries
from constellations_widgets.errors import (
    BadAnswerError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnclearError,
)
from constellations_widgets.geometry.extent import SkyView
from constellations_widgets.schema.records import Handle
from constellations_widgets.schema.scenes import SceneContent, SceneLayer, ScenePlace, SceneSubmission

HANDLE = "scenes"
VIEW = SkyView(202.47, 47.2, height=0.5, aspect=1.5, roll=-30)


@pytest.fixture(autouse=True)
def handle(box):
    box.add_handle(HANDLE, "Scenes")


@pytest.fixture
def stranger(box):
    return Constellations(box.api_url, box.token(account="stranger"))


@pytest.fixture
def image(client) -> str:
    return client.add_image(HANDLE, make_submission()).id


def make(client, image, **changes):
    content = SceneContent(image_layers=[SceneLayer(image_id=image)] if image else [])
    scene = SceneSubmission(place=ScenePlace.of_view(VIEW), content=content, text="Before")
    return client.add_scene(HANDLE, scene.model_copy(update=changes))


@pytest.fixture
def scene(client, image) -> str:
    return make(client, image).id


class TestLists:
    def test_scenes_yields_all_with_text_and_counters(self, client, stranger, box, image):
        box.add_handle("many")
        body = {"place": ScenePlace.of_view(VIEW).model_dump(), "content": {"image_layers": []}, "text": ""}
        with httpx.Client(headers={"Authorization": f"Bearer {box.token()}"}) as http:
            for i in range(5):
                http.post(f"{box.api_url}/handle/many/scene", json=body | {"text": f"no. {i}", "published": i % 2 == 0})
        found = list(client.scenes("@many", page_size=2))
        assert [(it.text, it.published) for it in found] == [(f"no. {i}", i % 2 == 0) for i in (4, 3, 2, 1, 0)]
        assert {(it.impressions, it.likes, it.clicks, it.shares) for it in found} == {(0, 0, 0, 0)}
        assert [it.text for it in client.timeline("many")] == ["no. 4", "no. 2", "no. 0"]
        assert list(client.scenes("many", page_size=100)) == found
        with pytest.raises(ForbiddenError):
            next(stranger.scenes("many"))

    def test_a_scene_that_is_pushed_on_appears_once(self, client, image):
        old = {make(client, image).id for _ in range(4)}
        found = client.scenes(HANDLE, page_size=2)
        seen = [next(found).id, next(found).id]
        for _ in range(2):
            make(client, image)
        seen += [it.id for it in found]
        assert old <= set(seen) and len(seen) == len(set(seen))

    @pytest.mark.parametrize("wrong", [{"page_size": 0}, {"page_size": 101}, {"handle": ".."}])
    def test_what_can_be_no_list_is_refused_at_once(self, client, wrong):
        with pytest.raises(InvalidError):
            client.scenes(**({"handle": HANDLE} | wrong))

    def test_timelines_have_all_public_scenes_and_end(self, client, image):
        public = [make(client, image, published=True).id for _ in range(9)]
        hidden = make(client, image).id
        reader = Constellations(client.api_url)
        ours = [it.id for it in reader.timeline(HANDLE)]
        assert ours[:9] == public[::-1] and hidden not in ours
        home = [it.id for it in itertools.islice(reader.home_timeline(), 9)]
        assert home == public[::-1]
        assert next(it.id for it in reader.home_timeline(first_page=1)) == public[0]
        with pytest.raises(NotFoundError):
            next(reader.timeline("nobody"))

    def test_a_server_that_repeats_one_page_ends_the_timeline(self, client, image):
        record = httpx.get(f"{client.api_url}/scene/{make(client, image).id}").json()
        answer = httpx.MockTransport(lambda _request: httpx.Response(200, json={"error": False, "results": [record]}))
        same = Constellations("https://api.example", transport=answer)
        assert len(list(same.timeline("me"))) == len(list(same.home_timeline())) == 1

    def test_backgrounds_and_stats(self, client, stranger, box, image, scene):
        box.add_background(image)
        assert image in [it.id for it in Constellations(box.api_url).builtin_backgrounds()]
        stats = client.handle_stats(f"@{HANDLE}")
        assert stats.handle == HANDLE
        assert (stats.images.count, stats.scenes.count) == (
            sum(len(page) for page in client.handle_images(HANDLE)),
            len(list(client.scenes(HANDLE))),
        )
        with pytest.raises(ForbiddenError):
            stranger.handle_stats(HANDLE)


class TestOneScene:
    def test_who_may_edit_it(self, client, stranger, box, scene):
        assert client.may_edit_scene(scene)
        assert not stranger.may_edit_scene(scene)
        assert not Constellations(box.api_url).may_edit_scene(scene)
        with pytest.raises(NotFoundError):
            client.may_edit_scene("0" * 24)

    def test_its_wtml_is_a_place_with_the_image(self, client, scene):
        (place,) = ET.fromstring(client.scene_wtml(scene))
        assert float(place.get("RA")) == pytest.approx(VIEW.ra / 15)
        assert place.find(".//ImageSet").get("Url") == make_submission().storage.legacy_url_template

    def test_its_view_reads_back_in_degrees(self, client, scene):
        view = client.scene(scene).view
        assert (view.ra, view.dec, view.roll) == pytest.approx((VIEW.ra, VIEW.dec, VIEW.roll))
        assert (view.height, view.aspect) == (VIEW.height, VIEW.aspect)


class TestUpdate:
    def test_every_value_that_can_be_changed_is(self, client, image, scene):
        other = client.add_image(HANDLE, make_submission()).id
        place = SkyView(10, -20, height=3)
        record = client.update_scene(
            scene, text="After 😀", outgoing_url="https://example.org", place=place, published=True, background_id=other
        )
        assert record == client.scene(scene)
        assert (record.text, record.outgoing_url, record.published) == ("After 😀", "https://example.org", True)
        assert (record.background_id, record.place) == (other, ScenePlace.of_view(place).model_dump())
        assert record.content["image_layers"][0]["image"]["id"] == image
        hidden = client.update_scene(scene, published=False)
        assert (hidden.published, hidden.text) == (False, "After 😀")

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({}, "nothing to change"),
            ({"text": ""}, "text is empty"),
            ({"outgoing_url": ""}, "outgoing_url is empty"),
            ({"text": "x" * 5001}, "text is 5001 characters long"),
            ({"outgoing_url": "https://e.org/" + "😀" * 2500}, "outgoing_url is 5014 characters long"),
            ({"outgoing_url": "javascript:alert(1)"}, "outgoing_url"),
            ({"text": "a\0b"}, "text has the character"),
            ({"place": SkyView(0, 91, 1)}, "place.dec_rad"),
            ({"place": SkyView(0, 0, 0)}, "place.roi_height_deg"),
            ({"place": (1, 2)}, "place is a tuple"),
            ({"published": 1}, "published is 1"),
            ({"background_id": "x"}, "not the id of an image"),
        ],
    )
    def test_what_the_server_would_ignore_or_refuse_is_refused_here(self, client, scene, changes, reason):
        before = client.scene(scene)
        with pytest.raises(InvalidError, match=reason) as caught:
            client.update_scene(scene, **changes)
        assert caught.value.status is None
        assert client.scene(scene) == before

    def test_a_background_that_is_not_there_is_refused_by_the_server(self, client, scene):
        with pytest.raises(InvalidError, match="not an image ID"):
            client.update_scene(scene, background_id="0" * 24)

    def test_what_changed_meanwhile_is_not_overwritten(self, client, scene):
        seen = client.scene(scene)
        client.update_scene(scene, text="Theirs")
        with pytest.raises(ConflictError, match="Scene .* was not updated: text changed") as caught:
            client.update_scene(scene, seen=seen, text="Mine", published=True)
        assert caught.value.record == client.scene(scene)
        assert (client.scene(scene).text, client.scene(scene).published) == ("Theirs", False)
        # Another field, or the value that is there already, is in nobody's way.
        assert client.update_scene(scene, seen=seen, published=True).published
        assert client.update_scene(scene, seen=seen, text="Theirs").text == "Theirs"

    def test_another_account_may_not_change_a_scene(self, stranger, client, scene):
        with pytest.raises(ForbiddenError):
            stranger.update_scene(scene, text="Mine")
        assert client.scene(scene).text == "Before"

    def test_a_success_after_which_nothing_changed_is_an_error(self, box, scene):
        record = httpx.get(f"{box.api_url}/scene/{scene}").json()

        def say_yes(request):
            return httpx.Response(200, json={"error": False} if request.method == "PATCH" else record)

        lying = Constellations("https://x.org", "token", transport=httpx.MockTransport(say_yes))
        with pytest.raises(BadAnswerError, match=r"did not change text, published\. .*may_edit_scene"):
            lying.update_scene(scene, text="New", published=True)

    @pytest.mark.parametrize(("kind", "made"), [("reset_after_commit", True), ("reset_before_read", False)])
    def test_an_unclear_outcome_is_settled_by_reading(self, box, client, scene, kind, made):
        box.faults.next(kind, method="PATCH")
        if made:
            assert client.update_scene(scene, text="After").text == "After"
            return
        with pytest.raises(UnclearError, match="text not changed so far"):
            client.update_scene(scene, text="After")
        assert client.update_scene(scene, text="After").text == "After"

    def test_a_record_that_cannot_be_read_after_the_change_leaves_it_unclear(self, box, scene):
        record = httpx.get(f"{box.api_url}/scene/{scene}").json()
        sent = []

        def server(request):
            sent.append(request.method)
            if "PATCH" in sent[:-1]:
                raise httpx.ConnectError("refused")
            return httpx.Response(200, json={"error": False} if request.method == "PATCH" else record)

        far = Constellations("https://x.org", "token", transport=httpx.MockTransport(server), retries=Retries(tries=1))
        with pytest.raises(UnclearError, match="check before sending it again"):
            far.update_scene(scene, text="New")
        assert sent == ["GET", "PATCH", "GET"]


class TestHandle:
    def test_its_display_name_is_changed(self, client, stranger):
        assert client.update_handle(f"@{HANDLE}", display_name="Ünïcode 😀") == Handle(
            handle=HANDLE, display_name="Ünïcode 😀"
        )
        with pytest.raises(ForbiddenError):
            stranger.update_handle(HANDLE, display_name="Mine")
        assert client.handle(HANDLE).display_name == "Ünïcode 😀"

    @pytest.mark.parametrize("name", ["", "x" * 65, "😀" * 33, "a\0b", 1])
    def test_a_name_that_cannot_be_set_is_refused_here(self, client, name):
        with pytest.raises(InvalidError, match="display_name"):
            client.update_handle(HANDLE, display_name=name)

    def test_what_changed_meanwhile_is_not_overwritten(self, client):
        seen = client.handle(HANDLE)
        client.update_handle(HANDLE, display_name="Theirs")
        with pytest.raises(ConflictError, match="display_name changed"):
            client.update_handle(HANDLE, display_name="Mine", seen=seen)
        assert client.handle(HANDLE).display_name == "Theirs"
        assert client.update_handle(HANDLE, display_name="Theirs", seen=seen).display_name == "Theirs"

    def test_a_success_after_which_nothing_changed_is_an_error(self):
        def say_yes(request):
            record = {"error": False, "handle": "me", "display_name": "Before"}
            return httpx.Response(200, json={"error": False} if request.method == "PATCH" else record)

        lying = Constellations("https://x.org", "token", transport=httpx.MockTransport(say_yes))
        with pytest.raises(BadAnswerError, match="did not change display_name"):
            lying.update_handle("me", display_name="New")
