"""The image library's Python half, at a sandbox: what it does with what the page asks, and what it tells."""

from __future__ import annotations

import io
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import constellations_widgets as cxw
from constellations_widgets import ImageLibrary, Sandbox
from constellations_widgets.widgets.library import uploads
from constellations_widgets.widgets.library.rows import LibraryRows
from constellations_widgets.widgets.thumbnails import NoThumbnailError, small_picture


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


class Page:
    """What a page does: it asks, sees the answers, and sees the state."""

    def __init__(self, library: ImageLibrary):
        self.library, self.view = library, library.view
        self.answers: dict[int, tuple[dict[str, Any], list[bytes]]] = {}
        self.said: list[str] = []
        self._numbers = itertools.count(1)
        self.view._send = self._hear

    def _hear(self, data: dict[str, Any], buffers: Any = None) -> None:
        self.said.append(json.dumps(data, default=str))
        content = data.get("content")
        if isinstance(content, dict) and "id" in content:
            self.answers[content["id"]] = (content, [bytes(buffer) for buffer in buffers or []])

    def ask(self, kind: str, buffers: Any = (), **content: Any) -> tuple[dict[str, Any], list[bytes]]:
        number = next(self._numbers)
        message = {"method": "custom", "content": content | {"id": number, "kind": kind}}
        self.view._handle_msg({"content": {"data": message}, "buffers": list(buffers)})
        wait(lambda: number in self.answers)
        return self.answers[number]

    def rows(self, **query: Any) -> list[str]:
        answer, _ = self.ask("rows", **({"start": 0, "end": 100, "search": "", "order": "name"} | query))
        return [name for _, name in answer["rows"]]

    def until(self, check: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        wait(lambda: check(self.view.state))
        return self.view.state

    def phases(self) -> list[str]:
        return [upload["phase"] for upload in self.view.state["uploads"]]


def wait(check: Callable[[], bool]) -> None:
    ends = time.monotonic() + 120
    while not check():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.01)


@pytest.fixture
def page(box: Sandbox, built: None) -> Iterator[Page]:
    library = ImageLibrary(box.images_client())
    page = Page(library)
    yield page
    library.close()


def picture(width: int = 400, height: int = 300, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 200)).save(file, kind)
    return file.getvalue()


def add(box: Sandbox, name: str, content: bytes | None = None) -> str:
    return box.library.add(name, picture() if content is None else content, constellation=box.handle).id


def opened(page: Page) -> None:
    page.ask("open")
    page.until(lambda state: state["phase"] == "ready")


def test_nothing_is_asked_of_the_server_before_a_page_opens_the_library(box: Sandbox, page: Page):
    box.faults.at_random(rate=1, seed=1, kinds=["delay"], seconds=0)
    assert page.view.state["phase"] == "new" and "widgets" in repr(page.view.__class__.__module__)
    assert box.faults.log == []
    opened(page)
    assert [(fault.method, fault.path) for fault in box.faults.log] == [("GET", "/library/images")]


def test_the_page_gets_the_rows_that_it_shows_searched_and_sorted(box: Sandbox, page: Page):
    for name in ("M 101 b.png", "m 9.png", "Orion.png", "M 51 ümlaut.png"):
        add(box, name)
    opened(page)
    assert page.view.state["count"] == 4
    assert page.rows() == ["m 9.png", "M 51 ümlaut.png", "M 101 b.png", "Orion.png"]
    assert page.rows(order="name-down")[0] == "Orion.png"
    assert page.rows(order="")[0] == "M 101 b.png"
    assert page.rows(search="ÜML 51") == ["M 51 ümlaut.png"]
    assert page.rows(search="1") == ["M 51 ümlaut.png", "M 101 b.png"]
    assert page.rows(start=1, end=2) == ["M 51 ümlaut.png"]
    assert page.ask("rows", start=-1, end=5)[0]["ok"] is False


def test_a_name_is_only_text_and_the_grid_gets_its_beginning(box: Sandbox, page: Page):
    id = add(box, "<img src=x onerror=alert(1)>" * 400)
    opened(page)
    assert len(page.rows()[0]) == 300
    assert len(page.ask("about", image=id)[0]["name"]) == 28 * 400


def test_the_state_in_a_saved_notebook_holds_neither_names_nor_the_token(box: Sandbox, page: Page):
    id = add(box, "secret target.png")
    opened(page)
    page.rows()
    page.ask("thumb", image=id)
    assert "secret target" not in json.dumps(page.view.get_state(), default=str)
    token = page.library.images.credentials.header(box.images_url).removeprefix("Bearer ")
    assert token not in "".join(page.said) and token not in repr(page.library)


def test_a_thumbnail_of_16_bits_of_gray_keeps_its_grays():
    stream = io.BytesIO()
    Image.fromarray(np.linspace(0, 65535, 400 * 300).reshape(300, 400).astype("uint16")).save(stream, "png")
    with Image.open(io.BytesIO(small_picture(stream.getvalue(), 64).content)) as small:
        assert abs(np.asarray(small.convert("L"), dtype=float).mean() - 127) < 3


def test_thumbnails_are_small_pictures_or_the_reason_why_not(box: Sandbox, page: Page):
    ids = {
        "large": add(box, "large.jpg", picture(3000, 2000)),
        "html": add(box, "html.png", b"<html>"),
        "nothing": add(box, "nothing.png", b""),
        "broken": add(box, "broken.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        "fits": add(box, "a.fits", b"SIMPLE  =                    T" + bytes(2850)),
    }
    opened(page)
    answer, [content] = page.ask("thumb", image=ids["large"])
    assert Image.open(io.BytesIO(content)).size == (192, 128) and len(content) < 20_000
    words = {name: page.ask("thumb", image=id)[0]["error"] for name, id in ids.items()}
    assert (words["large"], words["html"], words["nothing"]) == ("", "Not an image.", "Not an image.")
    assert words["broken"] == "Not an image that can be shown." and "Show on the sky" in words["fits"]
    answer, [content] = page.ask("picture", image=ids["large"])
    assert (answer["size"], Image.open(io.BytesIO(content)).size) == ([3000, 2000], (1024, 683))
    assert "0 bytes" in page.ask("picture", image=ids["nothing"])[0]["error"]


def test_a_picture_keeps_its_transparency_and_too_many_pixels_are_refused(monkeypatch: pytest.MonkeyPatch):
    file = io.BytesIO()
    Image.new("RGBA", (30, 20)).save(file, "PNG")
    assert small_picture(file.getvalue(), 192).content_type == "image/png"
    with pytest.raises(NoThumbnailError, match="too many"):
        small_picture(picture(9000, 9000, "PNG"), 192)


def test_renaming_says_what_the_server_says_and_deleting_deletes(box: Sandbox, page: Page):
    id = add(box, "old.png")
    opened(page)
    refused, _ = page.ask("rename", image=id, name="x" * 300)
    assert refused["ok"] is False and "longer than 255" in refused["message"] and page.rows() == ["old.png"]
    assert page.ask("rename", image=id, name="new.png")[0]["ok"]
    assert page.rows() == ["new.png"] and page.ask("about", image=id)[0]["url"].endswith(id)
    box.library.add_user(box.handle, constellations=[])
    refused, _ = page.ask("delete", image=id)
    assert refused["ok"] is False and "write access" in refused["message"] and page.rows() == ["new.png"]
    box.library.add_user(box.handle, constellations=[box.handle])
    assert page.ask("delete", image=id)[0]["ok"] is True
    assert page.rows() == [] and page.view.state["count"] == 0
    assert page.ask("thumb", image=id)[0]["ok"] is False


def test_files_of_the_kernels_disk_are_picked_and_uploaded(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tmp_path /= "work"
    tmp_path.mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / ".hidden").touch()
    for name in ("b.png", "A.JPG", "notes.txt"):
        (tmp_path / name).write_bytes(picture())
    opened(page)
    found, _ = page.ask("directory", folder="")
    assert found["folder"] == str(tmp_path.resolve()) and found["parent"] == str(tmp_path.resolve().parent)
    assert [(it["name"], it["image"]) for it in found["entries"]] == [
        ("folder", False), ("A.JPG", True), ("b.png", True), ("notes.txt", False),
    ]  # fmt: skip
    assert page.ask("directory", folder=str(tmp_path / "no"))[0]["ok"] is False
    page.ask("upload", paths=[str(tmp_path / "b.png"), str(tmp_path / "A.JPG"), str(tmp_path / "missing.png")])
    state = page.until(lambda state: page.phases() == ["done", "done", "failed"])
    assert "can't be read" in state["uploads"][2]["message"]
    assert page.rows() == ["A.JPG", "b.png"] and state["count"] == 2
    assert page.ask("upload", paths="b.png")[0]["ok"] is False
    for upload in state["uploads"]:
        page.ask("clear", upload=upload["id"])
    assert page.view.state["uploads"] == []


def test_a_dropped_file_comes_in_parts_in_any_order_and_leaves_nothing_behind(box: Sandbox, page: Page):
    opened(page)
    content = picture() + os.urandom(1_200_000)
    number = page.ask("drop", name="../dropped.jpg", size=len(content))[0]["upload"]
    assert page.phases() == ["arriving"]
    parts = [(at, content[at : at + 500_000]) for at in range(0, len(content), 500_000)]
    assert page.ask("part", [b"xx"], upload=number, at=len(content) - 1)[0]["ok"] is False
    for at, part in [*reversed(parts[1:]), parts[1], parts[0]]:
        assert page.ask("part", [memoryview(part)], upload=number, at=at)[0]["ok"] is True
    page.until(lambda state: page.phases() == ["done"])
    assert page.rows() == ["../dropped.jpg"]
    folder = Path(page.view.uploads._dropped.name)
    assert os.listdir(folder) == []
    [image] = page.library.images.list()
    assert page.library.images.open(image) == content
    stopped = page.ask("drop", name="b.jpg", size=9)[0]["upload"]
    page.ask("stop", upload=stopped)
    assert page.phases() == ["done", "stopped"]
    assert page.ask("part", [b"x"], upload=stopped, at=0)[0]["ok"] is False
    page.library.close()
    assert not folder.exists()


def test_many_uploads_go_some_at_a_time_and_can_be_stopped(box: Sandbox, page: Page, tmp_path: Path):
    opened(page)
    for number in range(6):
        (tmp_path / f"{number}.jpg").write_bytes(picture())
    box.faults.next("delay", method="POST", times=6, seconds=0.5)
    page.library.upload(*(tmp_path / f"{number}.jpg" for number in range(6)))
    page.until(lambda state: page.phases().count("sending") == uploads.AT_ONCE)
    page.ask("stop", upload=page.view.state["uploads"][5]["id"])
    wait(lambda: any(it["phase"] == "sending" and it["done"] == it["size"] for it in page.view.uploads.state()))
    sending = next(it for it in page.view.uploads.state() if it["phase"] == "sending" and it["done"] == it["size"])
    page.ask("stop", upload=sending["id"])
    stopping = next(it for it in page.view.state["uploads"] if it["id"] == sending["id"])
    assert (stopping["phase"], stopping["message"]) == ("sending", "stopping …")
    page.until(lambda state: page.phases() == ["done"] * 5 + ["stopped"])
    assert "was complete before" in page.view.state["uploads"][sending["id"] - 1]["message"]
    assert len(page.library.images.list()) == 5


def test_an_unclear_upload_is_looked_for_before_it_is_sent_again(box: Sandbox, page: Page, tmp_path: Path):
    opened(page)
    (tmp_path / "a.jpg").write_bytes(picture())
    box.faults.next("reset_after_commit", method="POST")
    box.faults.next("unavailable", method="GET", times=8)
    page.library.upload(tmp_path / "a.jpg")
    page.until(lambda state: page.phases() == ["unclear"])
    box.faults.clear()
    page.ask("retry", upload=page.view.state["uploads"][0]["id"])
    page.until(lambda state: page.phases() == ["done"])
    assert len(page.library.images.list()) == 1


def test_a_sign_in_that_ends_in_the_middle_loses_nothing(box: Sandbox, page: Page, tmp_path: Path):
    id = add(box, "a.png")
    opened(page)
    (tmp_path / "b.jpg").write_bytes(picture())
    page.library.images.sign_in(box.images_token(expired=True))
    page.library.upload(tmp_path / "b.jpg")
    state = page.until(lambda state: page.phases() == ["signed out"])
    assert "Token has expired" in state["signed_out"]
    assert page.ask("rename", image=id, name="x")[0]["ok"] is False and page.rows() == ["a.png"]
    assert page.ask("thumb", image=id)[0]["error"] == "Sign in to see it."
    wait(lambda: len(page.library.children) == 2)  # the widget that signs in

    page.library.sign_in(box.images_auth())
    page.until(lambda state: page.phases() == ["done"] and state["phase"] == "ready" and not state["signed_out"])
    assert page.rows() == ["a.png", "b.jpg"] and page.ask("thumb", image=id)[0]["error"] == ""
    assert page.library.children == (page.view,)


def test_what_changes_while_the_list_is_read_is_in_it(box: Sandbox, page: Page, tmp_path: Path, monkeypatch):
    add(box, "a.png")
    removed = add(box, "c.png")
    opened(page)
    read, go_on, images = threading.Event(), threading.Event(), page.library.images
    listed = images.list

    def held() -> list:
        found = list(listed())
        read.set()
        assert go_on.wait(60)
        return found

    monkeypatch.setattr(images, "list", held)
    page.library.refresh()
    assert read.wait(60)
    (tmp_path / "b.jpg").write_bytes(picture())
    page.library.upload(tmp_path / "b.jpg")
    page.until(lambda state: page.phases() == ["done"])
    assert page.ask("delete", image=removed)[0]["ok"]
    go_on.set()
    page.until(lambda state: state["phase"] == "ready")
    assert page.rows() == ["a.png", "b.jpg"]


def test_who_signs_in_below_goes_on_where_the_library_was_stopped(box: Sandbox, built: None):
    add(box, "a.png")
    library = ImageLibrary(cxw.ImagesClient(box.images_url, box.images_token(expired=True)))
    page = Page(library)
    page.ask("open")
    page.until(lambda state: state["phase"] == "failed" and bool(state["signed_out"]))
    wait(lambda: len(library.children) == 2)
    signing, user = library.children[1], box.images_user
    signing._on_login({"name": user.name, "password": user.password})
    page.until(lambda state: state["phase"] == "ready")
    assert page.rows() == ["a.png"] and user.password not in "".join(page.said)
    wait(lambda: len(library.children) == 1)
    library.close()


def test_without_a_sign_in_the_library_says_so(box: Sandbox, built: None):
    library = ImageLibrary(cxw.ImagesClient(box.images_url))
    page = Page(library)
    page.ask("open")
    words = page.until(lambda state: bool(state["signed_out"]))["signed_out"]
    assert words == "Sign in to see this library."
    library.close()


def test_a_malformed_list_is_reported_and_can_be_requested_again(box: Sandbox, page: Page):
    box.faults.next("error_after_commit", method="GET", times=3)
    page.ask("open")
    assert "500" in page.until(lambda state: state["phase"] == "failed")["message"]
    page.ask("refresh")
    page.until(lambda state: state["phase"] == "ready")


@pytest.mark.parametrize("kind", ["sky", "draft"])
def test_an_image_is_shown_on_the_sky_and_used_in_a_draft(box: Sandbox, page: Page, kind: str):
    pytest.importorskip("astropy")
    id = add(box, "m51.jpg")
    opened(page)
    page.ask(kind, image=id)
    state = page.until(lambda state: "below" in state["note"])
    draft = page.library.draft
    url = f"{box.images_url}/images/{id}"
    assert draft.storage.legacy_url_template == url and draft.wwt.tile_levels == 0
    assert draft.local.read(draft.local.top) == picture()
    assert "m51.jpg has no AVM with its position on the sky. It is shown at RA 0°, Dec 0°" in state["note"]
    assert "CXW218" in {problem.code for problem in draft.problems}  # until somebody has placed it
    draft.wwt.center_x = 202.47
    assert "CXW218" not in {problem.code for problem in draft.problems}
    assert ("only if its address is public" in state["note"], state["url"]) == ((True, url) if kind == "draft" else (False, ""))  # fmt: skip
    assert [type(child).__name__ for child in page.library.children] == [
        "LibraryView", "Preview", *(["ImageForm"] if kind == "draft" else []),
    ]  # fmt: skip
    assert page.library.preview.draft is draft


def test_the_image_that_was_asked_for_last_is_shown_and_none_after_cancel(box: Sandbox, page: Page):
    pytest.importorskip("astropy")
    slow, quick = add(box, "slow.jpg"), add(box, "quick.jpg")
    opened(page)
    box.faults.next("delay", path=f"/library/images/{slow}", times=2, seconds=1.5)
    page.ask("sky", image=slow)
    page.until(lambda state: state["busy"].startswith("Downloading 'slow.jpg' …"))
    page.ask("sky", image=quick)
    page.until(lambda state: "'quick.jpg': The image is shown below" in state["note"] and not state["busy"])
    page.ask("sky", image=slow)
    page.until(lambda state: "slow.jpg" in state["busy"])
    assert page.ask("cancel")[0]["ok"] and page.view.state["busy"] == ""
    while any(thread.name == "constellations-show" for thread in threading.enumerate()):
        time.sleep(0.05)
    assert page.library.draft.name == "quick" and page.view.state["note"] == ""


def test_what_is_no_picture_is_not_shown_on_the_sky(box: Sandbox, page: Page):
    id = add(box, "broken.png", b"\x89PNG\r\n\x1a\n" + bytes(100))
    opened(page)
    page.ask("sky", image=id)
    page.until(lambda state: "not a readable picture" in state["note"])
    assert page.library.draft is None and page.library.children == (page.view,)
    with pytest.raises(cxw.SourceError, match="Image 'gone' is not in the library"):
        page.library.use_in_draft("gone")


def test_nonsense_from_the_page_is_answered_with_no(page: Page):
    for kind, content in [("no such kind", {}), ("part", {}), ("drop", {"size": -1}), ("stop", {"upload": 99}), ("thumb", {})]:  # fmt: skip
        assert page.ask(kind, **content)[0]["ok"] is False
    page.view._handle_msg({"content": {"data": {"method": "custom", "content": "text"}}, "buffers": []})


def test_what_is_no_client_is_refused(built: None):
    with pytest.raises(TypeError, match="ImagesClient"):
        ImageLibrary("https://images.example.org")  # type: ignore[arg-type]


def test_rows_are_safe_to_change_and_read_at_once():
    from constellations_widgets.schema.records import LibraryImage

    rows = LibraryRows()
    rows.set_all(LibraryImage(uuid=str(n), name=f"{n}" * (1 + n % 5000)) for n in range(300))
    faults: list[Exception] = []

    def read() -> None:
        try:
            for _ in range(100):
                rows.window(0, 50, "1", "name")
        except Exception as error:  # noqa: BLE001  (fails the test below)
            faults.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    [thread.start() for thread in threads]
    for number in range(100):
        rows.remove(str(number))
    [thread.join() for thread in threads]
    assert faults == [] and len(rows) == 200 and rows.index("100", "", "name") is not None
