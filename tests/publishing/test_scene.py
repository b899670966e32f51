"""Scenes of published images: made once, written down first, looked for when the outcome is unclear."""

from __future__ import annotations

import json
import warnings

import pytest
from api.broken_server import reset
from publishing.conftest import FaultyProxy, make_draft

from constellations_widgets.api import Constellations
from constellations_widgets.errors import ForbiddenError, InvalidError, JournalError, PublishError, UnclearError
from constellations_widgets.geometry.extent import SkyView, view_of_image
from constellations_widgets.publishing import history, publish_draft, publish_scene, scene_of, settle_all, unsettled
from constellations_widgets.schema.images import ImageSubmission
from constellations_widgets.schema.records import Receipt

VIEW = SkyView(202.5, 47.2, height=0.8, aspect=1.6, roll=10)


@pytest.fixture
def image(client, box, draft):
    """The receipt of a published image."""
    return client.add_image(box.handle, draft.submission())


def scenes(client, box, image) -> list:
    """The server's scenes of this image."""
    records = [client.scene(each.id) for each in client.handle_scenes(box.handle)]
    return [it for it in records if it.content["image_layers"][0]["image"]["id"] == image.id]


def test_a_scene_is_made_of_the_view_that_is_shown_and_stays_unpublished(client, box, image):
    receipt = publish_scene(image, client, VIEW, text="Look", opacity=0.5, outgoing_url="https://example.org")
    (record,) = scenes(client, box, image)
    assert record.id == receipt.id and not record.published
    assert record.place == pytest.approx(
        {
            "ra_rad": 3.53429,
            "dec_rad": 0.82380,
            "roll_rad": 0.17453,
            "roi_height_deg": 0.8,
            "roi_aspect_ratio": 1.6,
        },
        abs=1e-5,
    )
    assert (record.text, record.outgoing_url, record.content["image_layers"][0]["opacity"]) == (
        "Look",
        "https://example.org",
        0.5,
    )


def test_a_scene_can_have_several_images_each_with_its_opacity(client, box, image):
    upper = client.add_image(box.handle, make_draft().submission())
    receipt = publish_scene(image, client, VIEW, opacity=1, above=[(upper, 0.25)])
    layers = client.scene(receipt.id).content["image_layers"]
    assert [(it["image"]["id"], it["opacity"]) for it in layers] == [(image.id, 1), (upper.id, 0.25)]
    with pytest.raises(InvalidError, match=r"image_layers\.1\.opacity"):
        publish_scene(image, client, VIEW, above=[(upper, 2)])


def test_two_images_of_one_url_with_different_placements_warn(client, box, draft):
    request = draft.submission().to_request()
    moved = ImageSubmission.model_validate(request | {"wwt": request["wwt"] | {"center_x": 10.0}})
    same = client.add_image(box.handle, draft.submission())
    again, other = (client.add_image(box.handle, body) for body in (draft.submission(), moved))
    with pytest.warns(UserWarning, match=f"{same.id} and {other.id} have the same image URL"):
        scene_of(same, VIEW, above=[(again, 0.5), (other, 0.5)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scene_of(same, VIEW, above=[(again, 0.5), (client.add_image(box.handle, make_draft().submission()), 1)])


def test_without_a_view_it_shows_the_image_and_says_its_note(client, box, image):
    publish_scene(image, client, published=True)
    (record,) = scenes(client, box, image)
    assert record.published and record.text == image.note
    assert record.place["roi_height_deg"] == pytest.approx(view_of_image(image.body["wwt"]).height)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"view": None}, "there is no view"),
        ({"view": SkyView(0, 91, 1)}, "dec_rad"),
        ({"view": SkyView(0, 0, 361)}, "roi_height_deg"),
        ({"opacity": 1.5}, "opacity"),
        ({"text": ""}, "text: is empty"),
        ({"text": "😀" * 2501}, "text"),
        ({"outgoing_url": "example.org"}, "outgoing_url"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name_and_nothing_is_sent(client, box, image, wrong, field):
    with pytest.raises(InvalidError, match=field):
        publish_scene(image, client, **wrong)
    assert scenes(client, box, image) == []


def test_it_is_in_the_history_beside_its_image(client, box, journal):
    image = publish_draft(make_draft(), client, box.handle)
    receipt = publish_scene(image, client, VIEW, text="<b>")
    made, published = history()
    assert (made.kind, made.receipt, published.kind) == ("scene", receipt, "image")
    shown = history()._repr_html_()
    assert receipt.record_url in shown and "Scene: &lt;b&gt;" in shown and receipt.record_url in str(history())
    assert made.body == json.dumps(receipt.body, ensure_ascii=False, separators=(",", ":")).encode()


def test_the_same_scene_is_made_twice_only_on_demand(client, box, image):
    first = publish_scene(image, client, VIEW)
    with pytest.raises(PublishError, match=first.id):
        publish_scene(image, client, VIEW)
    publish_scene(image, client, VIEW, text="Another text")
    assert publish_scene(image, client, VIEW, again=True).id != first.id
    assert len(scenes(client, box, image)) == 3


@pytest.mark.parametrize("published", [True, False])
def test_a_scene_whose_response_was_lost_is_found_also_if_it_is_unlisted(client, box, image, published):
    with FaultyProxy(box, reset, commits=True) as proxy:
        client = Constellations(proxy.url, box.token())
        at_proxy = Receipt(**image.model_dump() | {"api_url": proxy.url})
        receipt = publish_scene(at_proxy, client, VIEW, published=published)
        assert [it.id for it in scenes(client, box, image)] == [receipt.id]
        assert history()[0].state == "published"


def test_a_scene_that_did_not_arrive_is_unclear_and_sent_again_only_on_demand(client, box, image):
    with FaultyProxy(box, reset, commits=False) as proxy:
        client = Constellations(proxy.url, box.token())
        at_proxy = Receipt(**image.model_dump() | {"api_url": proxy.url})
        for _ in range(2):
            with pytest.raises(UnclearError, match="Whether the scene was made is not known"):
                publish_scene(at_proxy, client, VIEW)
        assert scenes(client, box, image) == []
        receipt = publish_scene(at_proxy, client, VIEW, again=True)
        assert [it.id for it in scenes(client, box, image)] == [receipt.id]


def test_another_scene_of_the_image_is_not_taken_for_the_lost_one(client, box, image, journal):
    scene = scene_of(image, VIEW)
    attempt = journal.claim(client.api_url, box.handle, "", scene.to_json())
    journal.unclear(attempt.key, "lost")
    client.add_scene(box.handle, scene_of(image, VIEW, opacity=0.9))
    assert [it.state for it in settle_all(client)] == ["unclear"]
    id = client.add_scene(box.handle, scene).id
    assert [it.image_id for it in settle_all(client)] == [id] and unsettled() == []


def test_who_may_not_make_one_is_told_and_nothing_is_left_open(client, box, image):
    stranger = Constellations(box.api_url, box.token(account="stranger"))
    with pytest.raises(ForbiddenError):
        publish_scene(image, stranger, VIEW)
    elsewhere = Constellations("https://api.example", box.token())
    with pytest.raises(PublishError, match="same API"):
        publish_scene(image, elsewhere, VIEW)
    assert unsettled() == [] and scenes(client, box, image) == []


def test_without_a_journal_no_scene_is_sent(client, box, image, state):
    (state / "journal").write_text("no folder")
    with pytest.raises(JournalError):
        publish_scene(image, client, VIEW)
    assert scenes(client, box, image) == []


@pytest.mark.parametrize("view", ["imag", (1, 2, 3), SkyView("a", 1, 1), SkyView(1, 1, "b")])
def test_what_is_no_view_is_named(client, box, view):
    receipt = client.add_image(box.handle, make_draft().submission())
    with pytest.raises(InvalidError, match="view is|not a number"):
        scene_of(receipt, view)
