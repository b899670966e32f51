"""Scenes over the real sandbox: made, read, listed; the ways to fail are those of images."""

from __future__ import annotations

import httpx
import pytest

from constellations_widgets.api import Constellations
from constellations_widgets.errors import ForbiddenError, InvalidError, SignInError, UnclearError
from constellations_widgets.geometry.extent import SkyView
from constellations_widgets.schema.scenes import SceneContent, SceneLayer, ScenePlace, SceneRecord, SceneSubmission


@pytest.fixture
def scene(client, box, submission):
    image = client.add_image(box.handle, submission)
    place = ScenePlace.of_view(SkyView(202.47, 47.2, height=0.5, aspect=1.5, roll=-30))
    layers = SceneContent(image_layers=[SceneLayer(image_id=image.id, opacity=0.75)])
    return SceneSubmission(place=place, content=layers, text="M 51 – whirling 😀", outgoing_url="https://example.org")


def test_a_scene_is_made_as_sent_and_is_not_public_unless_wanted(client, box, scene):
    receipt = client.add_scene(f"@{box.handle}", scene, key="a key")
    assert (receipt.handle, receipt.key, receipt.published) == (box.handle, "a key", False)
    record = client.scene(receipt.id)
    assert record.is_made_of(receipt.body) and record.is_made_of(scene.to_request())
    assert (record.handle.handle, record.published, record.text) == (box.handle, False, scene.text)
    assert httpx.get(receipt.record_url).json()["id"] == receipt.id
    assert next(each.id for each in client.handle_scenes(box.handle)) == receipt.id
    public = scene.model_copy(update={"published": True})
    assert not record.is_made_of(public.to_request())
    assert client.scene(client.add_scene(box.handle, public).id).published


@pytest.mark.parametrize(
    "layer", [None, {}, {"image": None, "opacity": 1}, {"image": {"id": 7}, "opacity": 1}, {"image": {"id": "a" * 24}}]
)
def test_a_layer_without_an_image_makes_no_record_unreadable(client, box, scene, layer):
    receipt = client.add_scene(box.handle, scene)
    content = client.scene(receipt.id).model_dump()
    content["content"]["image_layers"].append(layer)
    record = SceneRecord.model_validate(content)
    assert not record.is_made_of(receipt.body)
    assert [(image["id"], opacity) for image, opacity in record.layers] == [
        (scene.content.image_layers[0].image_id, 0.75)
    ]
    assert SceneRecord.model_validate(content | {"content": {"image_layers": layer}}).layers == []


def test_the_server_says_no_in_words(client, box, scene):
    stranger = Constellations(box.api_url, box.token(account="stranger"))
    with pytest.raises(ForbiddenError):
        stranger.add_scene(box.handle, scene)
    with pytest.raises(ForbiddenError):
        stranger.handle_scenes(box.handle)
    missing = SceneContent(image_layers=[SceneLayer(image_id="0" * 24)])
    with pytest.raises(InvalidError, match="not found"):
        client.add_scene(box.handle, scene.model_copy(update={"content": missing}))
    with pytest.raises(SignInError, match="add a scene to the handle 'me'"):
        Constellations(box.api_url).add_scene("me", scene)
    with pytest.raises(InvalidError, match="not the id of a scene"):
        client.scene("../image/1")


def test_an_answer_that_names_no_scene_is_unclear(scene):
    answer = httpx.MockTransport(lambda _request: httpx.Response(200, json={"error": False}))
    with pytest.raises(UnclearError, match="names no id of a scene"):
        Constellations("https://api.example", "a.b.c", transport=answer).add_scene("me", scene)
