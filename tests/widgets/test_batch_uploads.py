"""Upload the files of a table's images: where they go, progress, failures, cancel, and no secret in a trait."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hosting.servers import folder_place, s3_place
from ipywidgets import Widget
from PIL import Image
from widgets.conftest import say

from constellations_widgets import BatchPublisher, Constellations, ImageDraft
from constellations_widgets.hosting import stores
from constellations_widgets.schema.placement import URL

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def drafts(tmp_path) -> list[ImageDraft]:
    made = []
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (60, 90, 3), "uint8")
        Image.fromarray(pixels).save(tmp_path / f"field {number}.png")
        path = tmp_path / f"field {number}.png"
        made.append(ImageDraft.from_image(path, center=(202.4, 47.2), width=0.2, autosave=False))
    return made


def table(drafts: list[ImageDraft], **more) -> BatchPublisher:
    return BatchPublisher(drafts, Constellations("http://127.0.0.1:9", "token"), "me", probe=False, **more)


def rest(batch: BatchPublisher) -> dict:
    """Return the state of the uploads once nothing is under way."""
    deadline = time.monotonic() + 60
    while batch._uploads._worker.busy:
        assert time.monotonic() < deadline, batch.hosting
        time.sleep(0.01)
    return batch.hosting


def test_the_files_of_the_chosen_images_get_folders_of_their_own(drafts, tmp_path):
    drafts[2].update({URL: "https://example.org/there.png"})
    batch = table(drafts)
    assert (batch.hosting["images"], batch.hosting["blocked"]) == (2, "")
    say(batch, "choose", rows=[1], on=False)
    assert batch.hosting["images"] == 1
    say(batch, "choose", rows=[1], on=True)
    with folder_place(tmp_path / "place") as place:
        say(batch, "upload", place="other", target=str(place.target), public_url=place.public_url, replace=False)
        done = rest(batch)
        assert (done["phase"], done["message"]) == ("done", "The files of 2 images are on the web.")
        assert [draft[URL] for draft in drafts] == [
            f"{place.public_url}field-0/field%200.png",
            f"{place.public_url}field-1/field%201.png",
            "https://example.org/there.png",
        ]
    assert done["images"] == 0 and "not on the web yet" in done["blocked"]


def test_the_place_of_the_batch_is_offered_first(drafts, tmp_path):
    with folder_place(tmp_path / "place") as place:
        batch = table(drafts, host=place.target, public_url=place.public_url)
        assert batch.hosting["places"][0] == {"id": "given", "label": str(place.target)}
        say(batch, "upload", place="given", replace=False)
        assert rest(batch)["phase"] == "done"
        assert all(draft[URL].startswith(place.public_url) for draft in drafts)


def test_an_image_that_fails_is_named_and_stops_no_other(drafts, tmp_path):
    Path("field 1.png").unlink()
    batch = table(drafts)
    with folder_place(tmp_path / "place") as place:
        say(batch, "upload", place="other", target=str(place.target), public_url=place.public_url)
        done = rest(batch)
    assert done["phase"] == "failed" and done["images"] == 1
    assert done["message"].startswith("1 of 3 images were not uploaded. field 1: There is no file")


def test_a_cancelled_upload_goes_on_when_it_is_started_again(drafts, tmp_path, monkeypatch):
    entered, release = threading.Event(), threading.Event()
    real = stores.FolderStore.put

    def slow(self, *args, **more):
        entered.set()
        assert release.wait(30)
        return real(self, *args, **more)

    monkeypatch.setattr(stores.FolderStore, "put", slow)
    batch = table(drafts)
    with folder_place(tmp_path / "place") as place:
        given = {"place": "other", "target": str(place.target), "public_url": place.public_url}
        say(batch, "upload", **given)
        assert entered.wait(30) and batch.hosting["progress"]["text"] == "0 of 3 images uploaded"
        say(batch, "upload_cancel")
        release.set()
        done = rest(batch)
        assert done["phase"] == "failed" and "cancelled" in done["message"] and done["images"] > 0
        say(batch, "upload", **given)
        assert rest(batch)["phase"] == "done" and batch.hosting["images"] == 0


def test_no_key_reaches_a_trait_or_the_page(drafts, tmp_path, monkeypatch):
    heard: list[str] = []
    monkeypatch.setattr(Widget, "_send", lambda self, message, buffers=None: heard.append(repr((message, buffers))))
    with s3_place(tmp_path) as place:
        endpoint = place.extra["options"]["endpoint"]
        batch = table(drafts)
        target = {"place": "other", "target": place.target, "endpoint": endpoint}
        say(batch, "upload", name="id", secret="hidden-key", **target)
        assert rest(batch)["phase"] == "done", batch.hosting
        assert drafts[0][URL].startswith(endpoint)
        assert "hidden-key" not in json.dumps(batch.get_state(), default=repr) + "".join(heard)


def test_nothing_is_uploaded_while_images_are_sent(drafts, tmp_path, monkeypatch):
    batch = table(drafts)
    monkeypatch.setattr(type(batch._run), "busy", property(lambda self: True))
    say(batch, "upload", place="other", target=str(tmp_path / "x"), public_url="https://example.org/")
    assert rest(batch)["phase"] == "idle" and not (tmp_path / "x").exists()
