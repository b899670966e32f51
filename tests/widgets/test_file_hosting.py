"""Files on the web, in the form: places, upload, cancel, a folder, the test of an address, and no secret in a trait."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hosting.servers import folder_place, s3_place
from PIL import Image
from widgets.conftest import say

import constellations_widgets as cxw
from constellations_widgets import ImageDraft, ImageForm
from constellations_widgets.hosting import stores
from constellations_widgets.sandbox import running

URL, THUMBNAIL = "storage.legacy_url_template", "wwt.thumbnail_url"


pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def draft(tmp_path) -> ImageDraft:
    pixels = np.random.default_rng(1).integers(0, 255, (60, 90, 3), "uint8")
    Image.fromarray(pixels).save(tmp_path / "my.png")
    return ImageDraft.from_image(tmp_path / "my.png", center=(202.4, 47.2), width=0.2, autosave=False)


def rest(form: ImageForm) -> dict:
    """The section's state, once nothing is under way."""
    deadline = time.monotonic() + 120
    while form._file_hosting._worker.busy:
        assert time.monotonic() < deadline, form.hosting
        time.sleep(0.01)
    return form.hosting


def test_the_sandbox_is_a_place_from_which_nothing_leaves_the_machine(draft, box):
    form = ImageForm(draft, box)
    assert form.hosting["places"] == [{"id": "sandbox", "label": "This sandbox"}]
    say(form, "host", place="sandbox")
    state = rest(form)
    assert state["phase"] == "done" and "3 files uploaded" in state["message"]
    assert str(draft[URL]).startswith(box.uploads_url) and draft[THUMBNAIL].startswith(box.uploads_url)
    say(form, "test_address", field=URL)
    test = rest(form)["test"]
    assert (test["status"], test["content_type"], test["size"], test["shared"]) == (200, "image/png", [90, 60], True)
    assert test["faults"] == []
    say(form, "test_address", field=THUMBNAIL)
    assert rest(form)["test"]["size"] == [96, 45]


def test_addresses_of_an_upload_are_kept_for_a_restart_but_not_those_of_a_sandbox(draft, box, tmp_path):
    form = ImageForm(draft, box)
    say(form, "host", place="sandbox")
    assert rest(form)["phase"] == "done" and draft.to_saved()["typed"] == []
    with folder_place(tmp_path / "place") as place:
        say(form, "host", place="other", target=str(place.target), public_url=place.public_url)
        assert rest(form)["phase"] == "done", form.hosting
    assert draft.to_saved()["typed"] == sorted([URL, THUMBNAIL])


def test_what_is_missing_is_named_as_the_page_names_it(draft, tmp_path):
    form = ImageForm(draft)
    say(form, "host", place="other", target=str(tmp_path / "place"))
    assert rest(form)["message"].startswith(
        "Give “Public address of the folder”, the address under which browsers find"
    )
    say(form, "host", place="other", target="sftp://me:hidden-key@localhost/y")
    assert "in its own field" in rest(form)["message"] and "hidden-key" not in rest(form)["message"]


def test_a_panel_and_a_table_with_a_client_of_a_sandbox_offer_it(draft, box, monkeypatch):
    monkeypatch.delenv(running.VARIABLE, raising=False)
    first = {"id": "sandbox", "label": "This sandbox"}
    with box.client() as client, cxw.Constellations("http://127.0.0.1:9", auth=box.token()) as elsewhere:
        assert cxw.publish(draft, client, box.handle).form.hosting["places"] == [first]
        assert cxw.BatchPublisher([draft], client, box.handle).hosting["places"] == [first]
        assert cxw.publish(draft, elsewhere, box.handle).form.hosting["places"] == []


def test_one_line_offers_its_sandbox(draft, monkeypatch):
    monkeypatch.delenv(running.VARIABLE, raising=False)
    panel = cxw.publish(draft)
    say(panel.form, "host", place="sandbox")
    assert rest(panel.form)["phase"] == "done"
    assert str(draft[URL]).startswith(cxw.running_sandbox().uploads_url)


def test_a_key_is_typed_once_and_is_nowhere(draft, tmp_path, page_hears):
    with s3_place(tmp_path) as place:
        form = ImageForm(draft)
        options = {"target": place.target, "endpoint": place.extra["options"]["endpoint"], "save_as": "lab"}
        say(form, "host", place="other", name="hidden-id", secret="hidden-key", **options)
        assert rest(form)["phase"] == "done", form.hosting
        assert form.hosting["places"] == [{"id": "profile:lab", "label": "lab", "scheme": "s3"}]
        assert place.read("my.png") == Path("my.png").read_bytes()
        say(form, "host", place="profile:lab", name="hidden-id", secret="hidden-key")
        assert "0 files uploaded" in rest(form)["message"]
        say(form, "host", place="other", target="s3://nowhere/x", secret="hidden-key")
        assert rest(form)["phase"] == "failed"
    told = (
        "".join(page_hears) + json.dumps(form.get_state(), default=repr) + repr(form) + repr(vars(form._file_hosting))
    )
    assert "hidden-key" not in told and "hidden-id" not in told
    for path in (tmp_path / "state").rglob("*"):
        assert path.is_dir() or b"hidden-" not in path.read_bytes()


def test_an_upload_can_be_cancelled(draft, tmp_path, monkeypatch):
    began, real = threading.Event(), stores.FolderStore.put
    form = ImageForm(draft)

    def slow(self, file, data, *, overwrite):
        began.set()
        assert form._file_hosting._worker._job.cancelled.wait(30)
        return real(self, file, data, overwrite=overwrite)

    monkeypatch.setattr(stores.FolderStore, "put", slow)
    with folder_place(tmp_path / "place") as place:
        say(form, "host", place="other", target=str(place.target), public_url=place.public_url)
        assert began.wait(30)
        say(form, "host", place="other", target="another")  # one at a time
        say(form, "host_cancel")
        assert rest(form)["phase"] == "failed" and "cancelled" in form.hosting["message"]
        assert not str(draft[URL]).startswith("http") and not (place.target / "index_rel.wtml").exists()


def test_other_files_are_replaced_only_if_the_box_is_ticked(draft, tmp_path):
    with folder_place(tmp_path / "place") as place:
        (place.target / "my.png").write_bytes(b"another")
        form, where = ImageForm(draft), {"target": str(place.target), "public_url": place.public_url}
        say(form, "host", place="other", **where)
        assert "already has other files" in rest(form)["message"]
        assert (place.target / "my.png").read_bytes() == b"another"
        say(form, "host", place="other", replace=True, **where)
        assert rest(form)["phase"] == "done"


def test_a_folder_to_upload_by_hand(draft):
    form = ImageForm(draft)
    say(form, "host_folder")
    assert "Upload the contents of" in rest(form)["message"]
    assert sorted(path.name for path in Path("my-for-the-web").iterdir()) == ["index_rel.wtml", "my.png", "thumb.jpg"]


def test_an_address_in_the_own_network_is_not_requested_without_a_sandbox(draft, box):
    draft[URL] = f"{box.uploads_url}/my.png"
    form = ImageForm(draft)
    say(form, "test_address")
    assert "private network" in rest(form)["test"]["faults"][0]


def test_the_address_of_a_page_comes_with_that_of_the_file(draft, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing is requested outside
    draft[URL] = "https://github.com/me/site/blob/main/m51.png"
    form = ImageForm(draft)
    say(form, "test_address")
    test = rest(form)["test"]
    assert test["file_url"] == "https://raw.githubusercontent.com/me/site/main/m51.png"
    assert "is a page of GitHub" in test["faults"][0]


def test_without_files_or_once_published_there_is_nothing_to_upload(tmp_path):
    form = ImageForm(ImageDraft(autosave=False))
    assert "nothing to upload" in form.hosting["blocked"]
    say(form, "host_folder")
    assert "no files on this machine" in rest(form)["message"]
    say(form, "test_address")
    assert rest(form)["message"].startswith("There is no address to test")


def test_nonsense_from_a_page_does_nothing(draft):
    form = ImageForm(draft)
    for message in (
        {"place": 7},
        {"place": "sandbox"},
        {"place": "profile:none"},
        {"target": ["x"]},
        {"place": "other", "target": "ftp://x/y"},
    ):
        say(form, "host", **message)
        assert rest(form)["phase"] == "failed"
    say(form, "test_address", field="note")
    assert rest(form)["phase"] == "failed" and not str(draft[URL]).startswith("http")
