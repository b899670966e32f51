"""A sign-in or sign-out in another widget: publisher, table, forms and lists of the same client follow at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from api.conftest import make_submission
from examples import TILED
from ipywidgets import Widget
from publishing.conftest import made_up_web  # noqa: F401  (a fixture for all tests here)

from constellations_widgets import (
    BatchPublisher,
    Constellations,
    HandleImages,
    HandleScenes,
    ImageDraft,
    ImageForm,
    PublishedImage,
    PublishedScene,
    Publisher,
    Sandbox,
    SignIn,
    publish_scene,
)
from constellations_widgets.auth.oidc_session import session_at
from constellations_widgets.auth.session import Session
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets.scene_editor import SceneEditor

CHANGED = "The sign-in changed after the review. Review it again."
OK = {"message": "", "blocks": False}


@pytest.fixture
def session(box: Sandbox) -> Iterator[Session]:
    made = session_at(box.api_url, keycloak_url=box.keycloak_url)
    yield made
    Widget.close_all()
    assert made._listeners == []  # closed widgets follow it no more


@pytest.fixture
def client(box: Sandbox, session: Session) -> Iterator[Constellations]:
    with Constellations(box.api_url, auth=session) as made:
        yield made


def draft() -> ImageDraft:
    return ImageDraft(ParsedImage(TILED, name="M 51"), autosave=False)


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def press(widget: Publisher | BatchPublisher, kind: str) -> None:
    widget._on_message(widget, {"kind": kind}, [])


def test_a_publisher_follows_the_sign_in_widget(box: Sandbox):
    signing = SignIn(box.api_url, keycloak_url=box.keycloak_url)
    publisher = Publisher(draft(), signing.client(), box.handle)
    until(lambda: publisher.status["account"]["message"].startswith("Sign in to publish as @"))
    signing._on_message(signing, {"kind": "token", "token": box.token()}, [])
    until(lambda: publisher.status["account"] == OK)
    signing._on_message(signing, {"kind": "sign_out"}, [])
    until(lambda: publisher.status["account"]["blocks"])


def test_a_token_that_the_server_rejects_is_reported_before_the_review(box: Sandbox):
    publisher = Publisher(draft(), Constellations(box.api_url, "a.b.c"), box.handle)
    until(lambda: publisher.status["account"]["message"].startswith("The server does not accept this sign-in"))
    assert publisher.status["account"]["blocks"]


def test_what_is_said_of_an_account_is_dropped_while_a_slow_server_checks_the_next(
    box: Sandbox, session: Session, client: Constellations
):
    publisher = Publisher(draft(), client, box.handle)
    until(lambda: publisher.status["account"]["message"].startswith("Sign in to publish as @"))
    box.faults.next("delay", method="GET", path=f"/handle/{box.handle}", seconds=1)
    session.use_token(box.token())
    checking = publisher.status["account"]
    assert checking == {"message": f"Checking @{box.handle} at {box.api_url} …", "blocks": True}
    until(lambda: publisher.status["account"] == OK)


def test_a_publisher_drops_what_the_last_account_saw(box: Sandbox, session: Session, client: Constellations):
    publisher = Publisher(draft(), client, box.handle)
    press(publisher, "review")
    until(lambda: publisher.status["phase"] == "failed")
    assert "Not signed in" in publisher.status["message"]
    session.use_token(box.token())
    assert (publisher.status["phase"], publisher.status["message"]) == ("editing", "")
    press(publisher, "review")
    until(lambda: publisher.status["phase"] == "review")
    session.use_token(box.token())  # the same account: the review holds
    assert publisher.status["phase"] == "review"
    session.sign_out()
    assert (publisher.status["phase"], publisher.status["message"]) == ("editing", CHANGED)
    assert publisher.receipt is None


def test_a_table_drops_what_the_last_account_saw(box: Sandbox, session: Session, client: Constellations):
    table = BatchPublisher([draft()], client, box.handle, probe=False)
    press(table, "review")
    until(lambda: "Not signed in" in table.status["message"])
    session.use_token(box.token())
    table._rows.flush()
    assert (table.status["phase"], table.status["message"]) == ("editing", "")
    press(table, "review")
    until(lambda: table.status["phase"] == "review")
    session.use_token(box.token(claims={"preferred_username": "grace"}))
    table._rows.flush()
    assert (table.status["phase"], table.status["message"]) == ("editing", CHANGED)


def test_a_published_images_form_opens_for_its_owner_and_keeps_what_the_server_had(
    box: Sandbox, session: Session, client: Constellations
):
    with box.client() as owner:
        id = owner.add_image(box.handle, make_submission(note="first")).id
        session.use_token(box.token(account="stranger"))
        form = ImageForm(PublishedImage(client, id))
        assert form.state["locked"] and form.saving["blocked"]
        owner.update_image(id, note="second")
    session.use_token(box.token())
    until(lambda: not form.state["locked"])
    assert form.saving["blocked"] == ""
    assert form.state["values"]["note"] == "first"  # so that a save reports what has changed meanwhile
    session.use_token(box.token(account="stranger"))
    until(lambda: form.state["locked"])
    assert form.saving["blocked"]


def test_a_published_scenes_form_opens_for_its_owner(box: Sandbox, session: Session, client: Constellations):
    with box.client() as owner:
        image = owner.add_image(box.handle, make_submission())
        scene = publish_scene(image, owner, text="Stars")
    session.use_token(box.token(account="stranger"))
    editor = SceneEditor(PublishedScene(client, scene.id), client, box.handle)
    assert editor.scene["blocked"]
    session.use_token(box.token())
    until(lambda: not editor.scene["blocked"])
    session.sign_out()
    until(lambda: editor.scene["blocked"])


@pytest.mark.parametrize("kind", [HandleImages, HandleScenes])
def test_a_list_that_only_its_owner_can_read_is_loaded_when_they_sign_in(
    box: Sandbox, session: Session, client: Constellations, kind: type[HandleImages] | type[HandleScenes]
):
    listed = kind(client, box.handle)
    listed.load()
    until(lambda: listed._list.status["phase"] == "failed")
    session.use_token(box.token())
    until(lambda: listed._list.status["phase"] in ("idle", "complete") and listed._list.status["total"] is not None)
