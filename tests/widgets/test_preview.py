"""The kernel's half of the preview: what it answers to a page, and what it tells it unasked."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import traitlets

from constellations_widgets.draft import ImageDraft
from constellations_widgets.errors import ConstellationsError
from constellations_widgets.geometry.extent import SkyView
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.widgets import base
from constellations_widgets.widgets.preview import Preview
from constellations_widgets.widgets.rpc import keep_requested_subshell
from constellations_widgets.widgets.wwt.app import SKY_FILES

pytestmark = pytest.mark.usefixtures("built")

VALUES = {
    "wwt.center_x": 150.0,
    "wwt.center_y": 20.0,
    "wwt.rotation": 30.0,
    "wwt.offset_x": 310.0,
    "wwt.offset_y": 280.0,
    "wwt.base_degrees_per_tile": 0.001,
    "wwt.projection": "SkyImage",
    "wwt.tile_levels": 0,
    "wwt.file_type": ".png",
}


class Page:
    """A page that shows `preview`: what it sends, and what comes to it."""

    def __init__(self, preview: Preview):
        self.preview = preview
        self._ids = itertools.count(1)
        self.came: queue.Queue[tuple[dict[str, Any], list[bytes]]] = queue.Queue()
        preview._send = self._comes

    def _comes(self, message: dict[str, Any], buffers: Any = None) -> None:
        if message["method"] == "custom":
            self.came.put((json.loads(json.dumps(message["content"], allow_nan=False)), buffers or []))

    def say(self, message: Any) -> None:
        self.preview._handle_custom_msg(message, [])

    def ask(self, **request: Any) -> tuple[dict[str, Any], list[bytes]]:
        self.say({"id": next(self._ids), **request})
        return self.came.get(timeout=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "image.png").write_bytes(b"pixels")
    (tmp_path / "secret.png").write_bytes(b"secret")
    return tmp_path


@pytest.fixture
def draft(folder: Path) -> ImageDraft:
    return ImageDraft(ParsedImage(VALUES, local=LocalImage(folder, "image.png", (700, 500))), autosave=False)


@pytest.fixture
def page(draft: ImageDraft) -> Page:
    return Page(Preview(draft))


def test_a_preview_without_a_draft_shows_the_sky_alone():
    preview = Preview()
    content, _ = Page(preview).ask(kind="open")
    assert content["imageset"] is None and content["waiting"] == [] and "Preview" in repr(preview)


def test_a_page_that_opens_is_told_what_to_draw(page):
    content, _ = page.ask(kind="open")
    assert content["ok"] and content["id"] == 1 and content["size"] == [700, 500] and content["waiting"] == []
    assert content["imageset"]["rotation"] == 30 and content["imageset"]["url"] == "http://localhost:1/image/image.png"
    assert f'Url="http://localhost:1/{content["revision"]}/image/image.png"' in content["wtml"]
    assert f'ImageSet Name="{content["name"]}"' in content["wtml"] and content["title"] == page.preview.draft.name


def test_a_change_of_what_is_drawn_is_told_at_once_and_any_other_is_not(page, draft):
    draft.note = "no matter"
    draft.update({"wwt.rotation": 12.5, "wwt.center_x": 10.0})
    content, _ = page.came.get(timeout=120)
    assert (
        content["kind"] == "imageset"
        and content["imageset"]["rotation"] == 12.5
        and content["imageset"]["center_x"] == 10
    )
    assert page.came.empty()


def test_revisions_grow_with_changes_and_not_with_pages(page, draft):
    first = page.ask(kind="open")[0]["revision"]
    assert page.ask(kind="open")[0]["revision"] == first == page.preview.revision
    draft.wwt.rotation = 1
    assert page.came.get(timeout=120)[0]["revision"] == first + 1 == page.preview.revision


def test_changes_from_many_threads_end_with_the_newest_values_under_the_highest_number(page, draft):
    def change(start: int) -> None:
        for step in range(50):
            draft.wwt.rotation = start + step

    threads = [threading.Thread(target=change, args=(1000 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [page.came.get(timeout=120)[0]]
    while told[-1]["revision"] < page.preview.revision:
        told.append(page.came.get(timeout=120)[0])
    newest = max(told, key=lambda content: content["revision"])
    assert (newest["revision"], newest["imageset"]["rotation"]) == (201, draft.wwt.rotation)


def test_a_value_that_cannot_be_drawn_is_named_by_its_label(page, draft):
    page.ask(kind="open")
    draft.wwt.center_x = "fifty"
    content, _ = page.came.get(timeout=120)
    assert content["waiting"] == [["Center X (RA)", "is not a number"]]
    assert content["imageset"]["center_x"] == 150


def test_a_remote_image_is_named_for_the_page_to_load():
    url = "https://example.org/m51/{1}/{3}/{3}_{2}.png?a=1"
    values = {
        **VALUES,
        "wwt.projection": "Tan",
        "wwt.tile_levels": 2,
        "wwt.base_degrees_per_tile": 1,
        "storage.legacy_url_template": url,
    }
    page = Page(Preview(ImageDraft(ParsedImage(values), autosave=False)))
    content, _ = page.ask(kind="open")
    assert content["imageset"]["url"] == f"http://localhost:1/network/{url}"
    assert page.ask(kind="files", paths=["image/image.png"])[0]["found"] == [False]


@pytest.mark.parametrize(
    "url", ["ftp://example.org/a.png", "javascript:alert(1)", "file:///etc/passwd", "//example.org/a.png", 7, None, ""]
)
def test_what_is_no_web_address_is_not_loaded(url):
    page = Page(Preview(ImageDraft(ParsedImage({**VALUES, "storage.legacy_url_template": url}), autosave=False)))
    content, _ = page.ask(kind="open")
    assert content["imageset"] is None and content["waiting"][0][0] == "Image address"


def test_files_come_together_and_only_the_images_own(page, folder):
    names = ["image.png", "secret.png", "../secret.png", str(folder / "image.png"), "%69mage.png", "IMAGE.PNG"]
    content, buffers = page.ask(
        kind="files", paths=[*(f"image/{name}" for name in names), "image.png", "other/image.png"]
    )
    assert content["found"] == [True] + 7 * [False]
    assert buffers == [b"pixels"]


def test_many_files_come_in_parts_as_they_are_read(page, folder, monkeypatch):
    (folder / "image.png").write_bytes(bytes(400_000))
    go = threading.Event()
    read = LocalImage.read

    def slow(image: LocalImage, path: str) -> bytes:
        assert len(sent) < 3 or go.wait(10)  # the first part has come before the fourth file is read
        sent.append(path)
        return read(image, path)

    sent: list[str] = []
    monkeypatch.setattr(LocalImage, "read", slow)
    first, contents = page.ask(kind="files", paths=["image/image.png"] * 4)
    assert first["start"] == 0 and first["found"] == [True] * 3 and len(contents) == 3
    go.set()
    last, contents = page.came.get(timeout=120)
    assert last["start"] == 3 and last["found"] == [True] and last["id"] == first["id"] and len(contents) == 1


def test_a_file_that_vanished_is_not_found(page, folder):
    (folder / "image.png").unlink()
    assert page.ask(kind="files", paths=["image/image.png"])[0]["found"] == [False]


@pytest.mark.parametrize("paths", [None, "image.png", [7], [["image.png"]], ["image/image.png"] * 1001, {"a": 1}])
def test_a_request_for_files_that_makes_no_sense_is_refused_in_words(page, paths):
    content, buffers = page.ask(kind="files", paths=paths)
    assert content["ok"] is False and "paths" in content["message"] and not buffers


@pytest.mark.parametrize("start", [None, -1, 1.5, "0", True])
def test_a_request_for_all_files_that_makes_no_sense_is_refused_in_words(page, start):
    content, buffers = page.ask(kind="all_files", start=start)
    assert content["ok"] is False and "number" in content["message"] and not buffers


@pytest.mark.parametrize("kind", ["eval", "", None, 7, ["open"], {"open": 1}, "__init__"])
def test_an_unknown_request_is_refused_in_words(page, kind):
    content, _ = page.ask(kind=kind)
    assert (content["id"], content["ok"]) == (1, False) and "Unknown kind of request" in content["message"]


@pytest.mark.parametrize(
    "message", [None, 7, "open", [], {}, {"kind": "open"}, {"id": "a", "kind": "open"}, {"id": True, "kind": "open"}]
)
def test_a_message_without_a_number_is_refused_in_words(page, message):
    page.say(message)
    content, _ = page.came.get(timeout=120)
    assert content["ok"] is False and "id" in content["message"]


def test_a_request_that_is_asked_again_while_it_is_answered_is_answered_once(page, monkeypatch):
    go = threading.Event()
    monkeypatch.setattr(LocalImage, "read", lambda self, path: go.wait(10) and b"late")
    for _ in range(3):
        page.say({"id": 5, "kind": "files", "paths": ["image/image.png"]})
    assert page.ask(id=6, kind="open")[0]["id"] == 6  # a slow disk holds up nothing else
    go.set()
    assert page.came.get(timeout=120)[1] == [b"late"]
    page.say({"id": 5, "kind": "files", "paths": ["image/image.png"]})  # asked while the answer was on its way
    assert page.ask(id=7, kind="open")[0]["id"] == 7
    assert page.came.empty()


def test_a_change_whose_answer_was_lost_is_answered_again_and_made_once(page, draft, monkeypatch):
    monkeypatch.setattr("constellations_widgets.widgets.rpc._IN_TRANSIT", 0)  # the connection was broken for long
    for number, (id, gesture) in enumerate([(3, "a"), (4, "b")]):
        start, end = [150, 20 + 0.1 * number], [150, 20.1 + 0.1 * number]
        said(page, {"id": id, "kind": "place", "op": "move", "gesture": gesture, "start": start, "end": end})
    undo = {"id": 5, "kind": "place", "op": "undo"}
    answer, once = said(page, undo), draft.values
    assert answer["ok"] and said(page, undo) == answer and draft.values == once


def said(page: Page, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request, after all that changes because of it."""
    page.say(request)
    while (message := page.came.get(timeout=120)[0]).get("id") != request["id"]:
        pass
    return message


def test_a_failure_of_ours_is_an_answer_too(page, monkeypatch):
    monkeypatch.setattr(LocalImage, "read", lambda self, path: 1 / 0)
    content, _ = page.ask(kind="files", paths=["image/image.png"])
    assert content["ok"] is False and "ZeroDivisionError" in content["message"]


def test_the_program_knows_where_the_page_looks_and_takes_no_nonsense_for_it(page):
    assert page.preview.view is None
    looks = {"ra": 10, "dec": -20.5, "height": 0.5, "aspect": 1.5, "roll": 0}
    page.say({"kind": "view_state", **looks})
    assert page.preview.view == SkyView(10, -20.5, 0.5, 1.5, 0)
    for nonsense in ({"ra": None}, {"dec": "1"}, {"height": float("nan")}):
        page.say({"kind": "view_state", **looks, **nonsense})
    assert page.preview.view == SkyView(10, -20.5, 0.5, 1.5, 0)


def test_the_app_is_sent_as_buffers_when_the_page_asks(page):
    content, buffers = page.ask(kind="app")
    assert content["names"] == ["css", "libraries", "app", *SKY_FILES]
    assert sum(map(len, buffers[:3])) > 2_000_000 and all(tile[:2] == b"\xff\xd8" for tile in buffers[3:5])


def test_without_the_app_the_page_is_told_in_words(page, monkeypatch, tmp_path):
    monkeypatch.setattr("constellations_widgets.widgets.wwt.app.RESEARCH_APP", tmp_path)
    content, _ = page.ask(kind="app")
    assert content["ok"] is False and "Install constellations_widgets again" in content["message"]


def test_what_is_saved_with_the_notebook_is_small(page):
    page.ask(kind="app")
    assert (
        len(json.dumps(page.preview.get_state(), default=str)) < 1500
    )  # and the built page half, which is a line here


def test_a_closed_preview_hears_no_more_of_the_draft(page, draft):
    page.preview.close()
    draft.wwt.rotation = 1
    assert page.came.empty()


@pytest.mark.parametrize("height", ["red", "400", "10px;color:red", "-3px", "calc(1px)"])
def test_a_height_that_is_no_length_is_refused(draft, height):
    with pytest.raises(traitlets.TraitError, match="400px"):
        Preview(draft, height=height)


def test_an_unknown_option_is_refused_by_name(draft):
    with pytest.raises(TypeError, match="hight"):
        Preview(draft, hight="400px")


def test_without_a_build_it_says_how_to_build(draft, tmp_path, monkeypatch):
    monkeypatch.setattr(base, "FOLDER", tmp_path / "nowhere")
    with pytest.raises(ConstellationsError, match="make js"):
        Preview(draft)


def test_a_page_keeps_its_thread_whatever_a_running_cell_sends():
    class Comm:
        def _reply_subshell_for(self, data: Any, default: str) -> str:
            return "the shell that sent last"

    comm, older = Comm(), object()
    keep_requested_subshell(comm)
    keep_requested_subshell(older)
    assert comm._reply_subshell_for({}, "subshell of the page") == "subshell of the page"


def test_a_preview_loads_no_package_that_it_does_not_need():
    """Each would take megabytes of every kernel that shows an image: see benchmarks/bench_kernel.py."""
    heavy = ("astropy", "httpx", "matplotlib", "numpy", "pydantic", "pywwt", "sqlite3", "wwt_data_formats")
    wtml = (
        '<Folder><ImageSet Name="M 51" Url="https://example.org/m51/{1}/{3}/{3}_{2}.png" Projection="Tan" TileLevels="4" '
        'BaseDegreesPerTile="0.5" CenterX="202.47" CenterY="47.2" FileType=".png" WidthFactor="2"/></Folder>'
    )
    code = (
        "import sys, constellations_widgets as cxw\n"
        f"draft = cxw.ImageDraft.from_wtml({wtml!r}, autosave=False)\n"
        "preview = cxw.Preview(draft)\n"
        "assert 'image/png' in preview._repr_mimebundle_()[0] and preview._on_open({})\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
