"""A scene at the server: changed once and for sure, whatever the network, other people or a killed process do."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest
from api.conftest import make_submission

from constellations_widgets import Constellations, PublishedScene, Sandbox, SkyView, publish_scene
from constellations_widgets.api.retries import Retries
from constellations_widgets.autosave import flush_all
from constellations_widgets.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PublishError,
    SourceError,
    UnclearError,
)
from constellations_widgets.schema.records import Receipt


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(box: Sandbox) -> Iterator[Constellations]:
    with Constellations(box.api_url, box.token(), retries=Retries(tries=1)) as signed_in:
        yield signed_in
    box.faults.clear()


@pytest.fixture
def image(box: Sandbox, client: Constellations) -> Receipt:
    return client.add_image(box.handle, make_submission())


@pytest.fixture
def scene(client: Constellations, image: Receipt) -> PublishedScene:
    return PublishedScene(client, publish_scene(image, client, text="before", again=True))


def test_it_is_read_edited_and_saved(client: Constellations, scene: PublishedScene):
    assert scene.text == "before" and scene.changes == {} and scene.may_edit and not scene.published
    scene.text, scene.view, scene.published = "after", SkyView(10.0, -20.0, 3.0, 1.5, 30.0), True
    assert list(scene.changes) == ["text", "view", "published"] and "3 unsaved changes" in repr(scene)
    scene.save()
    record = client.scene(scene.id)
    assert (record.text, record.published) == ("after", True)
    assert record.view is not None and record.view.roll == pytest.approx(30)
    assert scene.changes == {} and scene.view == record.view
    scene.text = "other"
    scene.revert()
    assert scene.text == "after"


def test_what_cannot_be_set_is_refused_before_anything_is_sent(client: Constellations, scene: PublishedScene):
    scene.text = ""
    with pytest.raises(InvalidError, match="text is empty"):
        scene.save()
    assert client.scene(scene.id).text == "before" and scene.changes


def test_what_is_fixed_or_misspelt_is_refused(scene: PublishedScene):
    with pytest.raises(InvalidError, match="images of a scene can't be changed"):
        scene.layers = ()
    with pytest.raises(AttributeError, match="there are text, outgoing_url"):
        scene.txet = "typo"  # type: ignore[attr-defined]
    with pytest.raises(KeyError, match="no txet"):
        scene.edit({"text": "x", "txet": "typo"})
    assert scene.changes == {}


def test_what_others_changed_is_not_overwritten_unseen(client: Constellations, scene: PublishedScene):
    scene.text, scene.outgoing_url = "mine", "https://example.org/mine"
    client.update_scene(scene.id, text="theirs", published=True)
    with pytest.raises(ConflictError, match="text changed on the server"):
        scene.save()
    assert scene.published and scene.changes["text"].before == "theirs"  # what was not edited follows
    scene.save()
    record = client.scene(scene.id)
    assert (record.text, record.outgoing_url, record.published) == ("mine", "https://example.org/mine", True)


def test_a_busy_server_is_asked_again(box: Sandbox, client: Constellations, scene: PublishedScene):
    scene.text = "after"
    box.faults.next("too_many_requests", method="PATCH")
    scene.save()
    assert client.scene(scene.id).text == "after"


@pytest.mark.parametrize("fault", ["reset_after_commit", "error_after_commit", "truncated"])
def test_a_change_whose_answer_is_lost_is_found(
    box: Sandbox, client: Constellations, scene: PublishedScene, fault: str
):
    scene.text = "after"
    box.faults.next(fault, method="PATCH")
    assert scene.save().text == "after" and scene.changes == {}


def test_one_that_did_not_arrive_is_kept_on_disk(box: Sandbox, client: Constellations, scene: PublishedScene):
    scene.text = "after"
    box.faults.next("reset_before_read", method="PATCH")
    with pytest.raises(UnclearError):
        scene.save()
    flush_all()
    next_kernel = PublishedScene(client, scene.id)
    assert next_kernel.earlier_changes == {"text": "after"}
    next_kernel.restore()
    assert next_kernel.save().text == "after"
    next_kernel.forget_earlier()
    with pytest.raises(SourceError, match="no earlier changes"):
        next_kernel.restore()


KILLED = """
import os, sys
from constellations_widgets import Constellations, PublishedScene
from constellations_widgets.autosave import flush_all

api_url, token, id = sys.argv[1:]
client = Constellations(api_url, token)
scene = PublishedScene(client, id)
scene.text = "sent by the killed process"
scene.outgoing_url = "https://example.org/killed"
flush_all()
send = client._transport.json

def killed(call):
    answer = send(call)
    if call.method == "PATCH":
        os._exit(9)  # the server has it; this process never learns that
    return answer

client._transport.json = killed
scene.save()
"""


def test_a_process_that_is_killed_after_sending_leaves_nothing_to_send_twice(
    box: Sandbox, client: Constellations, scene: PublishedScene
):
    command = [sys.executable, "-c", textwrap.dedent(KILLED), box.api_url, box.token(), scene.id]
    assert subprocess.run(command, timeout=120, check=False).returncode == 9
    fresh = PublishedScene(client, scene.id)
    assert fresh.text == "sent by the killed process" and fresh.earlier and fresh.earlier_changes == {}
    client.update_scene(scene.id, text="changed since")
    fresh.reload()
    assert fresh.earlier_changes == {"text": "sent by the killed process"}  # offered, and sent only if it is wanted


def test_a_scene_has_a_background_that_the_server_has(client: Constellations, image: Receipt):
    behind = publish_scene(image, client, text="with a background", background_id=image.id)
    assert client.scene(behind.id).background_id == image.id
    with pytest.raises(NotFoundError):
        publish_scene(image, client, text="with none", background_id="0" * 24)
    assert all(each.text != "with none" for each in client.scenes(image.handle))


def test_something_else_than_a_scene_is_refused_in_words(client: Constellations, image: Receipt):
    with pytest.raises(PublishError, match="only scenes can be changed here"):
        PublishedScene(client, image)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes a scene's id"):
        PublishedScene(client, 5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"), [("text", 5), ("outgoing_url", None), ("view", 5), ("published", "yes"), ("background_id", 7)]
)
def test_a_value_of_another_type_changes_nothing(scene: PublishedScene, name: str, value: object):
    with pytest.raises(InvalidError, match=f"^{name} of a scene takes"):
        scene.edit({"text": "after", name: value} if name != "text" else {name: value})
    assert scene.changes == {} and "before" in repr(scene)
