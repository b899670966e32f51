"""The client of the Images API, against the sandbox and against servers that answer nonsense."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import constellations_widgets as cxw
from constellations_widgets import (
    BadAnswerError,
    BusyError,
    ForbiddenError,
    ImagesClient,
    InvalidError,
    NoAnswerError,
    NotFoundError,
    NotSentError,
    Sandbox,
    ServerError,
    SignInError,
    StatusError,
    StoppedError,
    TooLargeError,
    UnclearError,
)
from constellations_widgets.api import Retries
from constellations_widgets.api.images.progress import Progress
from constellations_widgets.auth import Credentials
from constellations_widgets.auth.session import ImagesSession

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture
def images(box: Sandbox) -> Iterator[ImagesClient]:
    box.faults.clear()
    with ImagesClient(box.images_url, box.images_auth(), retries=Retries(first_wait=0.01)) as client:
        yield client


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "m51.png"
    path.write_bytes(PNG)
    return path


def answering(answer: Callable[[httpx.Request], httpx.Response], auth: Any = "token") -> ImagesClient:
    """A client of a server that answers each request so."""
    network = httpx.MockTransport(answer)
    return ImagesClient("https://images.example.org/v1", auth, transport=network, retries=Retries(tries=1))


def saying(status: int = 200, **answer: Any) -> ImagesClient:
    return answering(lambda request: httpx.Response(status, **answer))


# What all is there for


def test_an_image_is_uploaded_listed_opened_saved_renamed_and_deleted(images: ImagesClient, png: Path, tmp_path: Path):
    image = images.upload(png)
    listed = next(it for it in images.list() if it.id == image.id)
    assert listed.name == image.name == "m51.png"
    assert listed.url == f"{images.base_url}/images/{image.id}"
    assert images.open(image) == images.open(image.id) == PNG
    saved = images.download(image, tmp_path / "new" / "folder")
    assert saved == tmp_path / "new" / "folder" / "m51.png" and saved.read_bytes() == PNG
    renamed = images.rename(image, "Whirlpool – ünïcode <b>.png")
    assert renamed in images.list() and renamed.name == "Whirlpool – ünïcode <b>.png"
    images.delete(renamed)
    assert renamed.id not in {it.id for it in images.list()}


@pytest.mark.parametrize("name", ['a "quoted" name.png', "líne\r\nbreak.png", "…/../x.png"])
def test_a_file_can_be_uploaded_under_any_name(images: ImagesClient, png: Path, name: str):
    assert images.upload(png, name=name).name == name


def test_several_uploads_at_once_are_one_image_each(images: ImagesClient, tmp_path: Path):
    before = len(images.list())
    for number in range(8):
        (tmp_path / f"{number}.png").write_bytes(PNG + bytes([number]) * 100_000)
    threads = [threading.Thread(target=images.upload, args=(tmp_path / f"{number}.png",)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    added = images.list()[before:]
    assert sorted(image.name for image in added) == [f"{number}.png" for number in range(8)]
    for image in added:
        assert images.open(image) == (tmp_path / image.name).read_bytes()


def test_progress_tells_bytes_rate_and_time_left(images: ImagesClient, tmp_path: Path):
    path = tmp_path / "large.png"
    path.write_bytes(PNG)
    os.truncate(path, 20_000_000)
    for move in (lambda report: images.upload(path, progress=report), lambda report: images.download(images.list()[-1], tmp_path, progress=report)):  # fmt: skip
        told: list[Progress] = []
        move(told.append)
        assert [it.done for it in told] == sorted(it.done for it in told)
        assert (told[0].done, told[0].total, told[0].left) == (0, 20_000_000, None)
        assert (told[-1].done, told[-1].left) == (20_000_000, 0) and told[-1].rate > 0


@pytest.mark.parametrize("way", ["upload", "download"])
def test_a_stopped_transfer_leaves_nothing(box: Sandbox, images: ImagesClient, tmp_path: Path, way: str):
    path = tmp_path / "large.png"
    path.write_bytes(PNG)
    os.truncate(path, 150_000_000)
    stop = threading.Event()

    def report(progress: Progress) -> None:
        if progress.done:
            stop.set()

    image = images.upload(path) if way == "download" else None
    before = images.list()
    with pytest.raises(StoppedError):
        if image:
            images.download(image, tmp_path / "saved", progress=report, stop=stop)
        else:
            images.upload(path, progress=report, stop=stop)
    assert images.list() == before
    assert not (tmp_path / "saved").exists() or os.listdir(tmp_path / "saved") == []


MEASURE = """
import re, sys
from pathlib import Path
from constellations_widgets import ImagesClient
url, token, small, large, folder = sys.argv[1:]
# Not resource.getrusage: what that tells begins with the parent's memory.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
with ImagesClient(url, token) as images:
    images.download(images.upload(small), folder)
    before = peak()
    image = images.upload(large)
    saved = images.download(image, folder)
    assert saved.stat().st_size == Path(large).stat().st_size
    saved.unlink()
    print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak of memory")
def test_memory_does_not_grow_with_the_file(box: Sandbox, png: Path, tmp_path: Path):
    large = tmp_path / "large.png"
    large.write_bytes(PNG)
    os.truncate(large, 200 << 20)  # its end is not on the disk
    arguments = [box.images_url, box.images_token(), str(png), str(large), str(tmp_path / "saved")]
    done = subprocess.run([sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 16 * 1024  # kB


# Answers that are no


@pytest.mark.parametrize("call", ["list", "upload", "open", "rename", "delete"])
def test_without_a_good_token_every_call_says_so(box: Sandbox, png: Path, call: str):
    images = ImagesClient(box.images_url, box.images_token(expired=True))
    with images, pytest.raises(SignInError, match="Token has expired"):
        CALLS[call](images, png)


@pytest.mark.parametrize("call", ["upload", "rename", "delete"])
def test_without_write_access_nothing_is_changed(box: Sandbox, images: ImagesClient, png: Path, call: str):
    image = images.upload(png)
    box.library.add_user("reader", constellations=[])
    reader = ImagesClient(box.images_url, box.images_token("reader"))
    with reader, pytest.raises(ForbiddenError, match="write access"):
        CALLS[call](reader, png, image.id)
    assert image.id in {it.id for it in images.list()}


@pytest.mark.parametrize("call", ["open", "download", "rename", "delete"])
def test_an_image_that_is_gone_is_not_found(images: ImagesClient, png: Path, call: str):
    with pytest.raises(NotFoundError, match="Image not found"):
        CALLS[call](images, png)


CALLS: dict[str, Callable[..., Any]] = {
    "list": lambda images, png, id=ID: images.list(),
    "upload": lambda images, png, id=ID: images.upload(png),
    "open": lambda images, png, id=ID: images.open(id),
    "download": lambda images, png, id=ID: images.download(id, png.parent / "saved"),
    "rename": lambda images, png, id=ID: images.rename(id, "x"),
    "delete": lambda images, png, id=ID: images.delete(id),
}


def test_what_the_server_does_not_take_is_invalid(images: ImagesClient, png: Path):
    with pytest.raises(InvalidError, match="name is needed"):
        images.rename(images.upload(png), "")
    with pytest.raises(InvalidError, match="longer than 255"):
        images.upload(png, name="x" * 300)
    for id in ("", ".", "..", "x" * 300, "\ud800", None, 5):
        with pytest.raises(InvalidError, match="not the id"):
            images.open(id)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidError), (401, ForbiddenError), (403, ForbiddenError), (404, NotFoundError), (413, TooLargeError),
        (415, InvalidError), (429, BusyError), (500, UnclearError), (502, UnclearError),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["message", "detail", "error"])
def test_an_uploads_error_says_what_the_server_said(png: Path, status: int, kind: type[Exception], key: str):
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"images": []})
        request.read()
        return httpx.Response(status, json={key: "<b>no</b> & why"})

    with pytest.raises(kind, match="<b>no</b> & why"):
        answering(answer).upload(png)


def test_a_file_does_not_follow_a_redirect(png: Path):
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "images.example.org"
        if request.method == "GET":
            return httpx.Response(200, json={"images": []})
        return httpx.Response(307, headers={"Location": "https://elsewhere.example.org/images"})

    with pytest.raises(BadAnswerError, match="elsewhere.example.org"):
        answering(answer).upload(png)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, InvalidError), (404, NotFoundError), (500, ServerError), (302, BadAnswerError)]
)
def test_a_download_that_fails_leaves_no_file(tmp_path: Path, status: int, kind: type[Exception]):
    with pytest.raises(kind):
        saying(status, text="<html><h1>No</h1></html>").download(ID, tmp_path)
    assert os.listdir(tmp_path) == []


# Answers that are nonsense


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"images": "none"}},
        {"json": {"images": {"0": {}}}},
        {"json": {"images": [5]}},
        {"json": {"images": [{"image_uuid": 5, "name": "a"}]}},
        {"json": {"images": [{"image_uuid": "..", "name": "a"}]}},
        {"json": {"images": [{"name": "a"}]}},
        {"json": [{"image_uuid": ID, "name": "a", "url": ""}]},
        {"json": {}},
        {"text": "<html>Welcome</html>"},
        {"content": b""},
    ],
)
def test_a_malformed_list_is_a_bad_response(answer: dict[str, Any]):
    with pytest.raises(BadAnswerError, match="list the images"):
        saying(**answer).list()


def test_both_spellings_of_a_record_are_read_and_an_image_appears_once():
    rows = [
        {"image_uuid": ID, "name": "a", "url": "u"},
        {"uuid": "2", "filename": "b"},
        {"image_uuid": ID, "name": "c"},
    ]
    assert [(it.id, it.name, it.url) for it in saying(json={"images": rows}).list()] == [(ID, "a", "u"), ("2", "b", "")]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "image/png"),
        (b"<html><script>alert(1)</script>", "image/png"),
        (b"<!doctype html>", "text/html"),
        (b"no such thing", "text/plain"),
        (b"no such thing", "image/png"),
        (b"\x01\x02\x03\x04" * 9, "application/pdf"),
        (b'{"file": 5}', "application/json"),
        (b'{"file": "????"}', "application/json"),
        (b'{"file": "iVBORw0KGgo', "application/json"),
        (b'{"images": []}', "application/json"),
    ],
)
def test_a_response_that_is_no_image_is_a_bad_response_and_leaves_no_file(tmp_path: Path, content: bytes, kind: str):
    images = saying(content=content, headers={"Content-Type": kind})
    with pytest.raises(BadAnswerError):
        images.open(ID)
    with pytest.raises(BadAnswerError):
        images.download(ID, tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("beginning", ["\n {", '{"image_uuid": "x", '])
def test_an_image_may_come_as_base64_in_json(tmp_path: Path, beginning: str):
    content = os.urandom(1_000_003)
    text = base64.b64encode(PNG + content).decode().replace("/", "\\/")
    images = saying(text=f'{beginning}"file" : "{text}"}}', headers={"Content-Type": "application/json; charset=x"})
    assert images.open(ID) == PNG + content
    assert images.download(ID, tmp_path).read_bytes() == PNG + content


def test_what_is_opened_has_a_limit(images: ImagesClient, png: Path):
    image = images.upload(png)
    assert len(images.open(image, most=len(PNG))) == len(PNG)
    with pytest.raises(StoppedError, match="10,248 bytes"):
        images.open(image, most=len(PNG) - 1)


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("../../evil.png", "evil.png"),
        ("..\\..\\evil.png", "evil.png"),
        ("/etc/passwd", "passwd.png"),
        ("C:\\x.png", "x.png"),
        ("..", f"{ID}.png"),
        ("", f"{ID}.png"),
        ("a/", f"{ID}.png"),
        (".bashrc", "bashrc.png"),
        ("<img src=x onerror=alert(1)>.png", "_img src=x onerror=alert(1)_.png"),
        ("CON.png", "_CON.png"),
        ("new\nline\0\u202egnp.exe", "newlinegnp.exe"),
        ("é" * 10_000 + ".png", "é" * 73 + ".png"),
        ("x" * 10_000, "x" * 146 + ".png"),
        ("\ud800.png", "png.png"),
    ],
)
def test_a_download_never_leaves_its_folder(tmp_path: Path, name: str, saved: str):
    folder = tmp_path / "a" / "folder"

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/images"):
            content = json.dumps({"images": [{"image_uuid": ID, "name": name}]})
            return httpx.Response(200, text=content, headers={"Content-Type": "application/json"})
        return httpx.Response(200, content=PNG, headers={"Content-Type": "image/png"})

    images = answering(answer)
    paths = [images.download(images.list()[0], folder), images.download(ID, folder)]
    stem, ending = os.path.splitext(saved)
    assert paths == [folder / saved, folder / f"{stem} (2){ending}"]
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(everything) == sorted(paths)


def test_a_download_follows_no_link_that_lies_in_its_folder(images: ImagesClient, png: Path, tmp_path: Path):
    image = images.upload(png)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "m51.png").symlink_to(tmp_path / "elsewhere")
    assert images.download(image, folder) == folder / "m51 (2).png"
    assert not (tmp_path / "elsewhere").exists()


def test_a_download_needs_a_folder_that_can_be_written_to(images: ImagesClient, png: Path):
    image = images.upload(png)
    with pytest.raises(NotSentError, match="can't be written to"):
        images.download(image, png)


def test_a_full_disk_leaves_no_file(images: ImagesClient, png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    image = images.upload(png)
    monkeypatch.setattr("constellations_widgets.api.images.received._copy", full)
    with pytest.raises(StoppedError, match="No space left"):
        images.download(image, tmp_path / "saved")
    assert os.listdir(tmp_path / "saved") == []


# Networks that fail


def test_an_upload_whose_answer_is_lost_is_looked_for_and_not_sent_again(box: Sandbox, images: ImagesClient, png: Path):
    earlier = images.upload(png)
    before = images.list()
    for fault in ("reset_after_commit", "error_after_commit", "truncated"):
        png.write_bytes(PNG + fault.encode())
        box.faults.next(fault, method="POST")
        image = images.upload(png)
        assert image.id != earlier.id and images.open(image) == PNG + fault.encode()
    assert len(images.list()) == len(before) + 3


def test_an_upload_that_can_not_be_found_is_unclear_and_the_next_one_looks_first(
    box: Sandbox, images: ImagesClient, png: Path
):
    count = len(images.list())
    box.faults.next("reset_after_commit", method="POST")
    box.faults.next("unavailable", method="GET", times=4)
    with pytest.raises(UnclearError, match="check before") as caught:
        images.upload(png)
    assert "The list could not be checked either" in str(caught.value.__notes__)
    image = images.upload(png)
    assert len(images.list()) == count + 1 and image.id in {it.id for it in images.list()}
    assert images.upload(png).id != image.id  # settled: another one is meant now
    assert len(images.list()) == count + 2


def test_however_often_answers_are_lost_each_file_is_there_once(box: Sandbox, tmp_path: Path):
    lost = ["reset_before_read", "reset_after_commit", "error_after_commit", "truncated", "unavailable"]
    made: dict[str, str] = {}
    with ImagesClient(box.images_url, box.images_auth(), retries=Retries(first_wait=0.01, longest_wait=0.05)) as images:
        before = len(images.list())
        box.faults.at_random(rate=0.4, seed=3, kinds=lost, path="/library/*")

        def upload_until_it_is_there(path: Path) -> None:
            for _ in range(50):
                with contextlib.suppress(cxw.ApiError):
                    made[path.name] = images.upload(path).id
                    return

        paths = [tmp_path / f"{number}.png" for number in range(20)]
        for path in paths:
            path.write_bytes(PNG + os.urandom(50_000))
        threads = [threading.Thread(target=upload_until_it_is_there, args=(path,)) for path in paths]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        box.faults.clear()
        assert len(images.list()) - before == len(set(made.values())) == len(paths)
        assert all(images.open(made[path.name]) == path.read_bytes() for path in paths)


def test_an_upload_that_did_not_leave_whole_was_not_made(box: Sandbox, images: ImagesClient, tmp_path: Path):
    path = tmp_path / "large.png"
    path.write_bytes(PNG)
    os.truncate(path, 30_000_000)
    before = images.list()
    box.faults.next("reset_before_read", method="POST")
    with pytest.raises(NotSentError, match="nothing was added"):
        images.upload(path)
    assert images.list() == before


def test_a_file_that_changes_while_it_is_sent_is_not_added(images: ImagesClient, tmp_path: Path):
    path = tmp_path / "large.png"
    path.write_bytes(PNG)
    os.truncate(path, 30_000_000)
    before = images.list()
    for size in (20_000_000, 40_000_000):
        with pytest.raises(NotSentError, match="changed while it was sent"):
            images.upload(path, progress=lambda _, size=size: os.truncate(path, size))
    assert images.list() == before


@pytest.mark.parametrize("fault", ["reset_before_read", "truncated", "unavailable_until", "too_many_requests"])
def test_what_only_reads_is_repeated(box: Sandbox, images: ImagesClient, png: Path, tmp_path: Path, fault: str):
    image = images.upload(png)
    box.faults.next(fault, method="GET", times=2, seconds=0)
    assert images.download(image, tmp_path / "saved").read_bytes() == PNG
    box.faults.next(fault, method="GET", seconds=0)
    assert image.id in {it.id for it in images.list()}


def test_a_read_that_never_works_says_so(box: Sandbox, images: ImagesClient, png: Path, tmp_path: Path):
    image = images.upload(png)
    box.faults.next("truncated", method="GET", times=4)
    with pytest.raises(NoAnswerError):
        images.download(image, tmp_path / "saved")
    assert os.listdir(tmp_path / "saved") == []


def test_an_upload_waits_when_the_server_asks_for_it(box: Sandbox, images: ImagesClient, png: Path):
    count = len(images.list())
    box.faults.next("too_many_requests", method="POST", seconds=0)
    images.upload(png)
    assert len(images.list()) == count + 1


@pytest.mark.parametrize("is_there", [True, False])
def test_an_upload_looks_before_it_is_sent_again(png: Path, is_there: bool):
    """A gateway can answer 429 to a request that it has also passed on."""
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        row = {"image_uuid": ID, "name": png.name}
        if request.method == "GET" and request.url.path.endswith("/images"):
            return httpx.Response(200, json={"images": [row] if sent and is_there else []})
        if request.method == "GET":
            return httpx.Response(200, content=png.read_bytes(), headers={"Content-Type": "image/png"})
        sent.append(request.method)
        if len(sent) == 1:
            return httpx.Response(429, headers={"Retry-After": "0"})
        return httpx.Response(201, json=row)

    images = ImagesClient("https://images.example.org", "token", transport=httpx.MockTransport(answer))
    assert images.upload(png).id == ID
    assert len(sent) == (1 if is_there else 2)


class Counting(ImagesSession):
    """A session that counts how often its token was given up."""

    ended = 0

    def _end(self, why: str) -> None:
        self.ended += bool(why)
        super()._end(why)


@pytest.mark.parametrize("read_status", [200, 401, 503])
@pytest.mark.parametrize("write", ["upload", "rename", "delete"])
def test_a_401_to_a_write_ends_the_sign_in_only_if_a_read_is_refused_too(png: Path, write: str, read_status: int):
    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        if request.method == "GET":
            asked.append(request)
            return httpx.Response(200 if len(asked) == 1 and write == "upload" else read_status, json={"images": []})
        return httpx.Response(401, json={"message": "not your constellation"})

    asked: list[httpx.Request] = []
    session = Counting("https://images.example.org/v1")
    session.use_token("token")
    images = answering(answer, session)
    kind = {200: ForbiddenError, 401: SignInError, 503: StatusError}[read_status]
    with pytest.raises(kind, match="not your constellation|rejects|rejected the token") as caught:
        CALLS[write](images, png)
    assert type(caught.value) is kind
    assert (session.ended, session.signed_in) == ((1, False) if read_status == 401 else (0, True))


@pytest.mark.parametrize("fault", ["reset_after_commit", "error_after_commit"])
def test_a_change_whose_answer_is_lost_is_looked_for(box: Sandbox, images: ImagesClient, png: Path, fault: str):
    image = images.upload(png)
    box.faults.next(fault, method="PATCH")
    assert images.rename(image, "new.png").name == "new.png"
    box.faults.next(fault, method="DELETE")
    images.delete(image)
    assert image.id not in {it.id for it in images.list()}


def test_a_change_that_was_not_made_is_unclear(box: Sandbox, images: ImagesClient, png: Path):
    image = images.upload(png)
    for method, change in (("PATCH", lambda: images.rename(image, "new")), ("DELETE", lambda: images.delete(image))):
        box.faults.next("reset_before_read", method=method)
        with pytest.raises(UnclearError):
            change()
        assert images.open(image) == PNG


@pytest.mark.parametrize("path", ["missing", "folder", "empty", "unreadable name\0"])
def test_a_file_that_can_not_be_sent_is_named(images: ImagesClient, tmp_path: Path, path: str):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    with pytest.raises(NotSentError, match="nothing was sent"):
        images.upload(tmp_path / path)


# Signing in


def test_a_refused_token_is_renewed_once_in_the_middle_of_things(box: Sandbox, png: Path, tmp_path: Path):
    class Renewing(Credentials):
        """Its first token has expired."""

        def __init__(self) -> None:
            self.tokens = [box.images_token(), box.images_token(expired=True)]
            super().__init__(lambda: self.tokens[-1])

        def renew(self, header: str) -> bool:
            assert header == f"Bearer {self.tokens[-1]}"
            return len(self.tokens) > 1 and bool(self.tokens.pop())

    for call in ("upload", "download", "open"):
        with ImagesClient(box.images_url, box.images_token()) as images:
            id = images.upload(png).id
            images.sign_in(Renewing())
            CALLS[call](images, png, id)


def test_after_signing_in_again_everything_goes_on(box: Sandbox, png: Path):
    with ImagesClient(box.images_url, box.images_token(expired=True)) as images:
        with pytest.raises(SignInError):
            images.upload(png)
        images.sign_in(box.images_token())
        assert images.upload(png).id in {image.id for image in images.list()}


def test_the_token_stays_secret(box: Sandbox, monkeypatch: pytest.MonkeyPatch):
    token = box.images_token(expired=True)
    monkeypatch.setenv("IMAGES_API_TOKEN", token)
    images = ImagesClient(box.images_url)
    assert images.signed_in and token not in repr(images)
    with pytest.raises(SignInError) as caught:
        images.list()
    assert token not in f"{caught.value!r} {caught.value.url}"
    with pytest.raises(NotFoundError) as echoed:
        answering(lambda request: httpx.Response(404, text=request.headers["Authorization"])).open(ID)
    assert "token]" in str(echoed.value)
    with pytest.raises(SignInError, match="plain http"):
        ImagesClient("http://images.example.org", "secret")
    with pytest.raises(SignInError, match="auth is a"):
        images.sign_in(5)  # type: ignore[arg-type]


def test_no_traceback_passes_by_the_token(box: Sandbox, png: Path, tmp_path: Path):
    token, stop = box.images_token(), threading.Event()
    images = ImagesClient(box.images_url, token)
    image = images.upload(png)
    stop.set()
    for move in (
        lambda: images.upload(png, stop=stop),
        lambda: images.download(image, tmp_path, stop=stop),
        lambda: images.open(image, most=5),
        lambda: images.open(ID),
    ):
        with pytest.raises(cxw.ApiError) as caught:
            move()
        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]  # ours has it
        assert frames and token not in repr([frame.f_locals for frame in frames])


def test_a_client_without_a_token_is_not_signed_in(box: Sandbox):
    with cxw.ImagesClient(box.images_url) as images:
        assert not images.signed_in
        with pytest.raises(SignInError, match="Missing Authorization"):
            images.list()
