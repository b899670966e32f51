"""`host` on real servers: everything arrives, nothing twice, nothing is replaced or taken for complete."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits
from hosting.servers import PLACES, Place, folder_place, reader, s3_place, served
from PIL import Image

import constellations_widgets as cxw
from constellations_widgets import HostingError, ImageDraft, host, tile
from constellations_widgets.hosting import ledger, stores, upload
from constellations_widgets.hosting.collect import HostedFile
from constellations_widgets.publishing import plan
from constellations_widgets.sandbox import environment_of
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.sources.reading import ParsedImage
from constellations_widgets.state import state_dir

pytestmark = pytest.mark.usefixtures("own_folder")


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (height, width, 3), "uint8"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    noise(700, 500).save(folder / "m51.png")
    return tile(folder / "m51.png", folder / "tiles", center=(202.4, 47.2), width=0.2).result(120)


@pytest.fixture
def tiles(tree) -> ImageDraft:
    return ImageDraft.from_wtml(tree, autosave=False)


@pytest.fixture
def picture(tmp_path) -> ImageDraft:
    noise(300, 200).save(tmp_path / "Ünser Bild 51.jpg")
    return ImageDraft.from_image(tmp_path / "Ünser Bild 51.jpg", center=(202.4, 47.2), width=0.2, autosave=False)


@pytest.fixture(params=PLACES)
def place(request, tmp_path) -> Iterator[Place]:
    with PLACES[request.param](tmp_path / "place") as found:
        yield found


def put(draft: ImageDraft, place: Place, **more) -> cxw.Hosted:
    return host(draft, place.target, place.public_url, **{**place.extra, **more})


def test_a_tree_arrives_whole_and_the_draft_has_its_address(place, tiles, tree):
    done = put(tiles, place)
    there = [path for path in tree.rglob("*") if path.is_file() and path.name != "index_rel.wtml"]
    for path in there:
        assert place.read(path.relative_to(tree).as_posix()) == path.read_bytes()
    assert done.sent == len(there) + 1 and done.verified > 4
    assert tiles.storage.legacy_url_template == done.url and done.url.endswith("/{1}/{3}/{3}_{2}.png")
    assert tiles.wwt.thumbnail_url == done.thumbnail_url and done.thumbnail_url.endswith("/thumb.jpg")
    index = place.read("index_rel.wtml").decode()
    assert 'Url="{1}/{3}/{3}_{2}.png"' in index and "<ThumbnailUrl>thumb.jpg" in index


def test_a_second_call_sends_nothing(place, tiles):
    put(tiles, place)
    again = put(tiles, place)
    assert again.sent == 0 and again.kept > 5


def test_a_ledger_that_cannot_be_written_stops_no_upload(tmp_path, picture, monkeypatch):
    (tmp_path / "state").write_text("in the way")
    monkeypatch.setenv("CXW_STATE_DIR", str(tmp_path / "state"))
    with PLACES["folder"](tmp_path / "place") as found:
        assert put(picture, found).sent == 3
        assert put(picture, found).sent == 0


def test_a_link_that_leads_nowhere_stops_no_upload(tmp_path, picture):
    with PLACES["folder"](tmp_path / "place") as found:
        Path(found.target, "removed.html").symlink_to("nowhere")
        assert put(picture, found).sent == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_ledger_on_a_full_disk_stops_no_upload(tmp_path, picture, monkeypatch):
    open_file = os.open

    def open_full(path, *how):
        return open_file("/dev/full", os.O_WRONLY) if str(path).endswith(".jsonl") else open_file(path, *how)

    monkeypatch.setattr(ledger.os, "open", open_full)
    with PLACES["folder"](tmp_path / "place") as found:
        assert put(picture, found).sent == 3


def test_a_picture_with_spaces_and_letters_of_other_alphabets(place, picture):
    done = put(picture, place)
    assert done.url.endswith("/%C3%9Cnser%20Bild%2051.jpg")
    assert place.read("Ünser Bild 51.jpg") == Path("Ünser Bild 51.jpg").read_bytes()
    assert Image.open(io.BytesIO(place.read("thumb.jpg"))).size == (96, 45)


@pytest.mark.parametrize("name", ["folder", "az", "s3"])
def test_more_files_than_are_held_in_memory_are_compared_as_well(tmp_path, tree, name, monkeypatch):
    monkeypatch.setattr(ledger, "_MOST", 4)
    monkeypatch.setattr(ledger, "_CHUNK", 3)
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    with PLACES[name](tmp_path / "place") as place:
        sent = put(ImageDraft.from_wtml(copy, autosave=False), place).sent
        for _ in range(2):  # those that were written just now are read, and then known
            assert put(ImageDraft.from_wtml(copy, autosave=False), place).sent == 0
        paths = sorted(copy.glob("2/*/*.png"))
        paths[0].write_bytes(paths[1].read_bytes())
        changed = ImageDraft.from_wtml(copy, autosave=False)
        with pytest.raises(HostingError, match=re.escape(f"same names ({paths[0].relative_to(copy).as_posix()})")):
            put(changed, place)
        done = put(changed, place, mode="overwrite")
        assert (done.sent, done.kept) == (1, sent - 1)


def test_an_etag_that_is_no_checksum_is_not_taken_for_one(tmp_path, tree, monkeypatch):
    copy = shutil.copytree(tree, tmp_path / "copy")
    tiles = ImageDraft.from_wtml(copy, autosave=False)
    tag = stores._tag  # of files that the service encrypts with a key of its own, S3 has ETags of the same form
    monkeypatch.setattr(stores, "_tag", lambda about: hashlib.md5(tag(about).encode()).hexdigest())
    with s3_place(tmp_path / "place") as place:
        put(tiles, place)
        for known in (True, False):
            if not known:
                shutil.rmtree(state_dir("hosting"))
            assert put(tiles, place).sent == 0
        for path in copy.rglob("*.png"):
            path.touch()
        assert put(tiles, place).sent == 0
        (copy / "thumb.jpg").write_bytes(place.read("0/0/0_0.png"))
        with pytest.raises(HostingError, match=r"same names \(thumb.jpg\)"):
            put(tiles, place)


def test_other_files_of_the_same_name_are_not_replaced_unless_asked(place, picture):
    put(picture, place)
    noise(310, 200).save("Ünser Bild 51.jpg")
    changed = ImageDraft.from_image("Ünser Bild 51.jpg", center=(1, 2), width=0.2, autosave=False)
    before = place.read("Ünser Bild 51.jpg")
    with pytest.raises(HostingError, match=r'already has other files.*nothing was sent.*mode="overwrite"'):
        put(changed, place)
    assert place.read("Ünser Bild 51.jpg") == before and changed.storage.legacy_url_template in ("", None)
    put(changed, place, mode="overwrite")
    assert place.read("Ünser Bild 51.jpg") == Path("Ünser Bild 51.jpg").read_bytes()


def test_the_index_follows_the_draft_but_replaces_no_other(place, tiles):
    put(tiles, place)
    tiles.wwt.rotation = 12.5
    assert put(tiles, place).sent == 1
    assert 'Rotation="12.5"' in place.read("index_rel.wtml").decode()
    for path in state_dir("hosting").iterdir():
        path.unlink()  # as if another program had written the files
    tiles.wwt.rotation = 20.0
    with pytest.raises(HostingError, match=r"other files of the same names \(index_rel\.wtml\)"):
        put(tiles, place)
    assert 'Rotation="12.5"' in place.read("index_rel.wtml").decode()
    assert put(tiles, place, mode="overwrite").sent == 1


def test_no_secret_reaches_a_message_or_the_state(place, picture, tmp_path):
    wrong = {**place.extra, "credentials": {name: "wrong-key" for name in place.extra.get("credentials", {})}}
    if wrong["credentials"] and not str(place.target).startswith("s3"):  # moto takes every key
        with pytest.raises(HostingError) as caught:
            host(picture, place.target, place.public_url, **wrong)
        assert "wrong-key" not in str(caught.value)
    put(picture, place)
    for path in (tmp_path / "state").rglob("*"):
        assert path.is_dir() or b"hidden-key" not in path.read_bytes()


def test_content_types_and_caching_are_set_at_s3(tmp_path, tiles):
    import boto3

    with s3_place(tmp_path) as place:
        put(tiles, place)
        client = boto3.client(
            "s3",
            endpoint_url=place.extra["options"]["endpoint"],
            aws_access_key_id="id",
            aws_secret_access_key="x",
            region_name="us-east-1",
        )
        bucket = place.target.split("/")[2]
        tile_head = client.head_object(Bucket=bucket, Key="m 51/0/0/0_0.png")
        index_head = client.head_object(Bucket=bucket, Key="m 51/index_rel.wtml")
    assert (tile_head["ContentType"], tile_head["CacheControl"]) == ("image/png", "public, max-age=86400")
    assert (index_head["ContentType"], index_head["CacheControl"]) == ("application/x-wtml", "no-cache")


def test_a_private_bucket_is_named_with_the_commands_that_open_it(tmp_path, tiles):
    with s3_place(tmp_path, public=False) as place, pytest.raises(HostingError) as caught:
        put(tiles, place)
    message = str(caught.value)
    assert (
        "is not public" in message
        and "aws s3api put-bucket-policy --bucket images-" in message
        and "put-bucket-cors" in message
    )
    assert tiles.storage.legacy_url_template == "{1}/{3}/{3}_{2}.png"


def test_a_bucket_that_does_not_exist_is_named(tmp_path, picture):
    with s3_place(tmp_path) as place, pytest.raises(HostingError, match=r"there is no bucket 'nowhere'"):
        host(picture, "s3://nowhere/m51", **place.extra)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("login", r"served as text/html"),
        ("type", r"PNG file but served as text/plain"),
        ("cors", r"Access-Control-Allow-Origin"),
        ("level", r"/2/.* is not there"),
        ("stale", r"does not have the bytes that were uploaded"),
        ("redirect", r"served as text/html"),
    ],
)
def test_what_a_browser_could_not_use_is_refused(tmp_path, tiles, fault, words):
    folder = tmp_path / "web"
    folder.mkdir()
    login = b"<!DOCTYPE html><title>Sign in</title>"

    def answer(handler, path) -> bool:
        if fault == "redirect" and path != "login":
            handler.send_response(302)
            handler.send_header("Location", "/login")
            handler.send_header("Access-Control-Allow-Origin", "*")
            handler.end_headers()
            return True
        if fault in ("login", "redirect"):
            return reply(handler, login, "text/html")
        if fault == "level" and path.startswith("2/"):
            handler.send_error(404)
            return True
        if not path.endswith(".png"):
            return False
        content = (folder / path).read_bytes()
        if fault == "stale":
            return reply(handler, content[:-1] + b"\0", "image/png")
        if fault == "type":
            return reply(handler, content, "text/plain")
        return fault == "cors" and reply(handler, content, "image/png", cors=False)

    with served(reader(folder), answer) as url, pytest.raises(HostingError, match=words):
        host(tiles, folder, url)
    assert tiles.storage.legacy_url_template == "{1}/{3}/{3}_{2}.png"


def reply(handler, content: bytes, kind: str, cors: bool = True) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    if cors:
        handler.send_header("Access-Control-Allow-Origin", "*")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
    return True


def test_what_makes_an_upload_visible_goes_last(tmp_path, tiles, monkeypatch):
    order: list[str] = []
    real = stores.FolderStore.put

    def noted(self, file, data, *, overwrite):
        order.append(file.key)
        return real(self, file, data, overwrite=overwrite)

    monkeypatch.setattr(stores.FolderStore, "put", noted)
    with folder_place(tmp_path / "place") as place:
        put(tiles, place)
    assert order[-3:] == ["0/0/0_0.png", "thumb.jpg", "index_rel.wtml"] and len(set(order)) == len(order)


def test_cancelled_or_full_it_goes_on_where_it_was(tmp_path, tiles, monkeypatch):
    sent: list[str] = []
    real = stores.FolderStore.put
    stop = threading.Event()

    def counted(self, file, data, *, overwrite):
        if len(sent) == 5:
            raise OSError(28, "No space left on device")
        sent.append(file.key)
        return real(self, file, data, overwrite=overwrite)

    monkeypatch.setattr(stores.FolderStore, "put", counted)
    monkeypatch.setattr(stores.FolderStore, "threads", 1)
    with folder_place(tmp_path / "place") as place:
        with pytest.raises(HostingError, match=r"No space left on device.*call again to send only what is missing"):
            put(tiles, place)
        assert not (place.target / "0/0/0_0.png").exists() and not (place.target / "index_rel.wtml").exists()
        stop.set()
        with pytest.raises(upload.CancelledError, match="call again"):
            put(tiles, place, cancel=stop)
        monkeypatch.setattr(stores.FolderStore, "put", real)
        done = put(tiles, place)
        assert done.kept == 5


def test_a_store_that_does_not_respond_in_time_is_named(tmp_path, tiles, monkeypatch):
    def slow(*_args, **_more):
        raise TimeoutError("no response within 60 s")

    for method in ("listing", "put"):
        with monkeypatch.context() as patch, folder_place(tmp_path / method) as place:
            patch.setattr(stores.FolderStore, method, slow)
            with pytest.raises(HostingError, match=r"stopped: .*call again to send only what is missing"):
                put(tiles, place)


def test_progress_reaches_all_files(tmp_path, tiles):
    seen = []
    with folder_place(tmp_path / "place") as place:
        put(tiles, place, on_progress=seen.append)
    uploading = [each for each in seen if each.stage == "uploading"]
    assert [each.files for each in uploading] == list(range(1, uploading[-1].total_files + 1))
    assert uploading[-1].bytes == uploading[-1].total_bytes and uploading[-1].left == 0
    assert [each.stage for each in seen if each.stage != "uploading"] == ["listing", "verifying", "done"]


def test_without_a_target_there_is_a_folder_to_upload(picture):
    done = host(picture)
    folder = Path(done.target)
    assert sorted(each.name for each in folder.iterdir()) == ["index_rel.wtml", "thumb.jpg", "Ünser Bild 51.jpg"]
    assert done.url == "" and "draft.host_at" in done.advice


def test_a_fits_image_is_hosted_as_it_is_drawn(tmp_path):
    header = fits.Header.fromstring(
        "CTYPE1  = 'RA---TAN'\nCTYPE2  = 'DEC--TAN'\nCRVAL1  = 10.\nCRVAL2  = 20.\nCRPIX1  = 40.\nCRPIX2  = 30.\n"
        "CDELT1  = -0.001\nCDELT2  = 0.001",
        sep="\n",
    )
    fits.writeto("m101.fits", np.arange(4800, dtype="f4").reshape(60, 80), header)
    draft = ImageDraft.from_fits("m101.fits", autosave=False)
    with folder_place(tmp_path / "place") as place:
        done = put(draft, place)
        name = done.url.rpartition("/")[2]
        assert name.startswith("m101") and place.read(name).startswith(b"\x89PNG")
        assert Image.open(io.BytesIO(place.read("thumb.jpg"))).size == (96, 45)


def test_a_hips_is_hosted_with_its_description(tmp_path):
    root = tmp_path / "hips"
    (root / "Norder0/Dir0").mkdir(parents=True)
    for number in range(12):
        noise(64, 64).save(root / f"Norder0/Dir0/Npix{number}.png")
    (root / "properties").write_text("hips_version = 1.4\nhips_tile_format = png\nhips_order = 0\n")
    local = LocalImage(root, "Norder{0}/Dir{1}/Npix{2}")
    values = {"wwt.projection": "Healpix", "wwt.file_type": ".png", "storage.legacy_url_template": local.template}
    draft = ImageDraft(ParsedImage(values, name="Survey", local=local), autosave=False)
    with folder_place(tmp_path / "place") as place:
        done = put(draft, place)
        assert done.url.endswith("/Norder{0}/Dir{1}/Npix{2}") and done.sent == 15
        assert place.read("properties").startswith(b"hips_version")
        assert Image.open(io.BytesIO(place.read("thumb.jpg"))).size == (96, 45)
        assert cxw.check_address(draft, private=True).works


def test_an_images_api_takes_a_picture_once(picture, tiles):
    with cxw.Sandbox() as box:
        images = cxw.ImagesClient(box.images_url, box.images_token())
        for _ in range(2):
            with pytest.raises(HostingError, match="is not public"):  # the sandbox shows its library to its users only
                host(picture, images)
            assert sorted(image.name for image in images.list()) == ["Ünser Bild 51-thumb.jpg", "Ünser Bild 51.jpg"]
        with pytest.raises(HostingError, match="single pictures, not tile trees"):
            host(tiles, images)


def test_the_sandbox_takes_tiles_and_pictures(picture, tiles, monkeypatch):
    with cxw.Sandbox() as box:
        for draft in (tiles, picture):
            done = host(draft, box)
            assert done.url.startswith(f"{box.uploads_url}/") and done.verified >= 2
            assert draft.storage.legacy_url_template == done.url
            assert (again := host(draft, box)).sent == 0 and again.url == done.url
        other = noise(310, 200)
        other.save("Ünser Bild 51.jpg")  # another image of the same name gets a folder of its own
        same_name = ImageDraft.from_image("Ünser Bild 51.jpg", center=(1, 2), width=0.2, autosave=False)
        assert host(same_name, box).url != done.url
        for name, value in environment_of(box).items():
            monkeypatch.setenv(name, value)
        assert host(tiles, cxw.running_sandbox()).sent == 0


def test_a_picture_goes_from_its_file_to_a_record_without_leaving_the_machine(picture):
    with cxw.Sandbox() as box:
        host(picture, box)
        picture.update({"permissions.copyright": "Me", "permissions.license": "CC-BY-4.0", "permissions.credits": "Me"})
        picture.update({"note": "M 51", "alt_text": "A galaxy"})
        step = plan(picture, box.client(), box.handle)[0]
        assert step.decision == "publish" and any(problem.code == "CXW305" for problem in step.problems)
        receipt = cxw.publish_draft(picture, box.client(), box.handle)
        assert receipt.body["storage"]["legacy_url_template"].startswith(box.uploads_url)


def test_a_profile_keeps_no_secret(tmp_path, picture):
    with s3_place(tmp_path) as place:
        saved = cxw.save_hosting_profile("lab", place.target, **place.extra["options"])
        assert cxw.hosting_profiles() == {"lab": saved}
        done = host(picture, cxw.hosting_profiles()["lab"], credentials=place.extra["credentials"])
    assert done.url.startswith(place.extra["options"]["endpoint"])
    for options in ({"secret_access_key": "x"}, {"password": "x"}, {"sas_token": "x"}, {"access_key": "x"}):
        with pytest.raises(HostingError, match="may not hold"):
            cxw.save_hosting_profile("bad", "s3://b", **options)
    for target in (
        "sftp://me:hidden@example.org/x",
        "az://images/x?sig=hidden",
        "az://images/x#hidden",
        "s3://id:hidden@b",
    ):
        with pytest.raises(HostingError, match=r"^target= (holds a password|has a query)") as caught:
            cxw.save_hosting_profile("bad", target)
        assert "hidden" not in str(caught.value)
    with pytest.raises(HostingError, match="^public_url= has a query"):
        cxw.save_hosting_profile("bad", "az://images/x", "https://example.org/x?sig=hidden")
    with pytest.raises(HostingError, match="needs a name"):
        cxw.save_hosting_profile(" ", "s3://b")
    assert list(cxw.hosting_profiles()) == ["lab"]


def test_an_aws_profile_is_read(tmp_path, picture, monkeypatch):
    with s3_place(tmp_path) as place:
        file = tmp_path / "credentials"
        file.write_text("[lab]\naws_access_key_id = id\naws_secret_access_key = hidden-key\n")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        options = place.extra["options"]
        assert host(picture, place.target, options=options | {"profile": "lab"}).sent == 3
        with pytest.raises(HostingError, match="no AWS profile 'other'"):
            host(picture, place.target, options=options | {"profile": "other"})


@pytest.mark.parametrize(
    ("target", "public_url", "words"),
    [
        ("ftp://example.org/x", None, "ftp:// is not supported"),
        ("somewhere", None, "Give public_url="),
        ("somewhere", "example.org/x", "full web address"),
        ("somewhere", "https://example.org/x?y=1", "must not have a query"),
        ("somewhere", "https://me:secret@example.org/x", "contains a user name or password"),
        ("sftp:///x", "https://example.org/", "names no bucket or server"),
        ("s3://", None, "names no bucket or server"),
        ("sftp://me@server:port/x", "https://example.org/", "not a valid address"),
        ("webdav://[::1/x", "https://example.org/", "not a valid address"),
        ("sftp://me:hidden@server/x", "https://example.org/", 'credentials={"password": …}'),
        ("az://images/x?sig=hidden", "https://example.org/", "a query or fragment, which may hold a key"),
        ("", "https://example.org/", "target= must be a folder or an address"),
        (5, "https://example.org/", "target= must be a folder or an address"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused_before_anything_is_sent(picture, target, public_url, words):
    with pytest.raises(HostingError, match=re.escape(words)) as caught:
        host(picture, target, public_url)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("draft", [None, "m51.png"])
def test_what_is_no_draft_is_named(draft):
    with pytest.raises(HostingError, match=r"A draft is needed, not (NoneType|str)"):
        host(draft, "x", "https://example.org/")
    with pytest.raises(HostingError, match=r"A draft is needed"):
        cxw.host_all([draft], "x", "https://example.org/")


def test_a_draft_without_files_has_nothing_to_upload():
    with pytest.raises(HostingError, match="no files on this machine"):
        host(ImageDraft(autosave=False), "x", "https://example.org/")


def test_links_that_lead_out_of_the_folder_are_left_out(tmp_path, tree):
    (tmp_path / "secret.png").write_bytes(b"\x89PNG secret")
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(tree), str(copy)], check=True)
    (copy / "2/9").mkdir()
    (copy / "2/9/9_9.png").symlink_to(tmp_path / "secret.png")
    with folder_place(tmp_path / "place") as place:
        put(ImageDraft.from_wtml(copy, autosave=False), place)
        assert not (place.target / "2/9/9_9.png").exists()


KILLED = """
import os, sys, threading, time
import constellations_widgets as cxw
from constellations_widgets.hosting import stores
tree, target, url, log, after = sys.argv[1:]
real, lock = stores.FolderStore.put, threading.Lock()
left = [int(after)]
def put(self, file, data, *, overwrite):
    tag = real(self, file, data, overwrite=overwrite)
    with lock:
        with open(log, "a") as out:
            out.write(file.key + "\\n")
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)
    return tag
stores.FolderStore.put = put
cxw.host(cxw.ImageDraft.from_wtml(tree, autosave=False), target, url)
"""


def larger(tree: Path, folder: Path, more: int) -> Path:
    """A copy of a tree with so many further tiles."""
    shutil.copytree(tree, folder)
    (folder / "2/9").mkdir()
    for number in range(more):
        (folder / f"2/9/9_{number}.png").write_bytes((tree / "0/0/0_0.png").read_bytes())
    return folder


def test_killed_again_and_again_nothing_is_sent_twice_and_nothing_is_missing(tmp_path, tree):
    """Killed after every few confirmed files; with `make soak` after every one, of as many as it asks for."""
    log, kills = tmp_path / "log", int(os.environ.get("CXW_KILLS", "0"))
    if kills:
        tree = larger(tree, tmp_path / "larger", kills + 5)
    with folder_place(tmp_path / "place") as place:
        for number in range(kills + 30):
            after = "1" if kills and number < kills else "9" if kills else "5"
            command = [sys.executable, "-c", KILLED, str(tree), str(place.target), place.public_url, str(log), after]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            if ended.returncode == 0:
                break
            assert ended.returncode == -9, ended.stderr
            whole = (place.target / "index_rel.wtml").exists()
            assert not whole or all((place.target / p.relative_to(tree)).exists() for p in tree.rglob("*.png"))
        assert ended.returncode == 0
        for path in tree.rglob("*.png"):
            assert place.read(path.relative_to(tree).as_posix()) == path.read_bytes()
    sent = log.read_text().split()
    assert len(sent) == len(set(sent)) and number >= kills


def test_a_change_that_keeps_size_and_time_is_sent(tmp_path, tree, monkeypatch):
    """With the status of a file whose file system's clock did not move between two writes."""
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    tile_path = next(copy.glob("2/*/*.png"))
    before = tile_path.read_bytes()
    monkeypatch.setattr(HostedFile, "version", property(lambda self: str(self.size) if self.about else ""))
    with folder_place(tmp_path / "place") as place:
        put(ImageDraft.from_wtml(copy, autosave=False), place)
        tile_path.write_bytes(before[:-1] + b"!")
        changed = ImageDraft.from_wtml(copy, autosave=False)
        with pytest.raises(HostingError, match=tile_path.name):
            put(changed, place)
        assert put(changed, place, mode="overwrite").sent == 1
        assert place.read(tile_path.relative_to(copy).as_posix()) == tile_path.read_bytes()


def test_files_that_have_not_changed_for_a_while_are_read_once(tmp_path, tree, monkeypatch):
    read: list[str] = []
    real, now = HostedFile.read, time.time_ns
    monkeypatch.setattr(HostedFile, "read", lambda self: read.append(self.key) or real(self))
    monkeypatch.setattr(ledger, "time", SimpleNamespace(time_ns=lambda: now() + 10**11))
    with folder_place(tmp_path / "place") as place:
        done = put(ImageDraft.from_wtml(tree, autosave=False), place)
        assert len(read) == done.sent + done.verified
        read.clear()
        again = put(ImageDraft.from_wtml(tree, autosave=False), place)
        assert (again.sent, len(read)) == (0, again.verified)


def test_entries_of_a_tree_come_one_by_one(tree):
    entries = LocalImage(tree, "{1}/{3}/{3}_{2}.png").entries()
    assert iter(entries) is entries
    assert len({entry.relative for entry in entries}) == len(list(tree.rglob("*.png")))
