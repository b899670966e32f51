"""The kernel's half of pywwt's API on a preview: what reaches the page and when, what the page may read, and who is waited for."""

from __future__ import annotations

import ast
import asyncio
import inspect
import itertools
import json
import queue
import subprocess
import sys
import textwrap
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from pywwt.core import BaseWWTWidget
from toasty import TilingMethod
from traitlets import TraitError

from constellations_widgets.errors import SourceError
from constellations_widgets.widgets.preview import PRIVATE, Preview
from constellations_widgets.widgets.wwt.api import DRAFT_IMAGE, OFFLINE_SKY, NotShownError, PreviewWWT
from constellations_widgets.widgets.wwt.replay import Replay

M31 = SkyCoord(10.68, 41.27, unit=u.deg)
VIEW = {
    "type": "wwt_view_state",
    "raRad": 1.0,
    "decRad": 0.5,
    "fovDeg": 3.0,
    "rollDeg": 0.0,
    "engineClockISOT": "2026-01-02T03:04:05.678Z",
    "systemClockISOT": "2026-01-02T03:04:05.678Z",
    "engineClockRateFactor": 1.0,
}


pytestmark = pytest.mark.usefixtures("no_running_loop")


class Page:
    """A page that shows `preview`."""

    def __init__(self, preview: Preview):
        self.preview = preview
        self._ids = itertools.count(1)
        self.came: queue.Queue[dict[str, Any]] = queue.Queue()
        self.buffers: list[Any] = []
        preview._send = self._comes

    def _comes(self, message: dict[str, Any], buffers: Any = None) -> None:
        if message["method"] == "custom":
            if message["content"].get("id") is not None:
                self.buffers = buffers or []  # of the last answer
            self.came.put(json.loads(json.dumps(message["content"], allow_nan=False)))

    def say(self, **message: Any) -> None:
        self.preview._handle_custom_msg(message, [])

    def ask(self, **request: Any) -> dict[str, Any]:
        number = next(self._ids)
        self.say(id=number, **request)
        while True:
            answer = self.came.get(timeout=120)
            if answer.get("id") == number:
                assert answer["ok"], answer
                return answer

    def everything(self) -> list[dict[str, Any]]:
        return self.ask(kind="app_messages")["messages"]

    def read(self, url: str) -> bytes | None:
        """What the page finds at an address, or None."""
        path = url.removeprefix(f"{PRIVATE}/0/")
        assert path != url
        found = self.ask(kind="files", paths=[path])["found"]
        return bytes(self.buffers[0]) if found[0] else None


@pytest.fixture(autouse=True)
def folder_of_its_own(built: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # pywwt writes images there


@pytest.fixture
def page() -> Page:
    return Page(Preview())


@pytest.fixture
def wwt(page: Page) -> PreviewWWT:
    return page.preview.wwt


def events(messages: list[dict[str, Any]]) -> list[str]:
    return [message.get("event") or message["type"] for message in messages]


def wcs(size: int = 50) -> WCS:
    made = WCS(naxis=2)
    made.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    made.wcs.crval = [10.68, 41.27]
    made.wcs.crpix = [size / 2, size / 2]
    made.wcs.cdelt = [-0.01, 0.01]
    return made


def pixels(size: int = 50) -> np.ndarray:
    return np.arange(size * size, dtype=np.float32).reshape(size, size)


# Beginning


def test_a_preview_loads_pywwt_when_its_api_is_asked_for_and_not_before(tmp_path: Path):
    program = (
        "import sys, constellations_widgets as cxw; from constellations_widgets.widgets import base;"
        f"from pathlib import Path; base.FOLDER = Path({str(tmp_path / 'static')!r});"
        "preview = cxw.Preview(); before = 'pywwt' in sys.modules; preview.wwt; print(before, 'pywwt.core' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "True"]


def test_it_begins_with_no_word_to_the_network_and_none_to_the_app(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection was made"))
    page = Page(Preview())
    assert page.preview.wwt is page.preview.wwt
    assert page.everything() == []


def test_it_has_every_attribute_that_pywwts_own_constructor_sets(wwt: PreviewWWT):
    constructor = ast.parse(textwrap.dedent(inspect.getsource(BaseWWTWidget.__init__)))
    set_there = {
        node.attr
        for node in ast.walk(constructor)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    assert len(set_there) > 10
    assert set_there <= vars(wwt).keys()


def test_a_preview_without_use_of_the_api_tells_the_page_so(page: Page):
    assert page.ask(kind="open")["wwt"] is False
    assert page.everything() == []
    page.say(kind="from_app", message=VIEW)  # dropped, and no answer
    assert page.came.empty()
    page.preview.wwt  # noqa: B018
    assert page.came.get(timeout=120) == {"kind": "app", "last": 0, "messages": [], "awaited": False}
    assert page.ask(kind="open")["wwt"] is True


# What the page hears


def test_a_page_hears_each_message_once_and_in_order(page: Page, wwt: PreviewWWT):
    page.came.get(timeout=120)
    wwt.add_circle(M31, radius=2 * u.deg, line_color="#00ff00")
    wwt.grid = True
    said: list[dict[str, Any]] = []
    while not said or said[-1].get("setting") != "showGrid":
        words = page.came.get(timeout=120)
        said += words["messages"]
        assert words["last"] == len(said)
    assert events(said)[0] == "annotation_create" and events(said)[-1] == "setting_set"
    settings = {m["setting"]: m["value"] for m in said if m["event"] == "annotation_set"}
    assert (settings["skyRelative"], settings["lineColor"]) == (True, "#00ff00")


def test_many_things_said_at_once_take_few_messages(page: Page, wwt: PreviewWWT):
    for index in range(2000):
        wwt._send_msg(event="setting_set", setting=f"s{index}", value=index)
    count, last = 0, 0
    while last < 2000:
        count, last = count + 1, page.came.get(timeout=120)["last"]
    assert count < 1000


def test_threads_that_speak_at_once_lose_nothing(page: Page, wwt: PreviewWWT):
    def speak(name: str) -> None:
        for index in range(200):
            wwt._send_msg(event="setting_set", setting=f"{name} {index}", value=index)

    speakers = [threading.Thread(target=speak, args=[name]) for name in "abcd"]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join()
    said: list[dict[str, Any]] = []
    while len(said) < 800:
        said += page.came.get(timeout=120)["messages"]
    for name in "abcd":
        assert [m["value"] for m in said if m["setting"].startswith(name)] == list(range(200))
    assert len(page.everything()) == 800


def test_numbers_of_numpy_and_what_is_no_number_can_be_sent(page: Page, wwt: PreviewWWT):
    wwt._send_msg(event="x_set", value=np.float32(1.5), more=[np.int64(2), float("nan")], flag=np.bool_(True))
    while not (words := page.came.get(timeout=120))["messages"]:
        pass
    assert words["messages"] == [{"event": "x_set", "value": 1.5, "more": [2, None], "flag": True}]


def test_a_page_that_comes_late_is_told_what_still_matters_and_no_more(page: Page, wwt: PreviewWWT):
    gone = wwt.add_circle(M31)
    wwt.clear_annotations()
    line = wwt.add_line(SkyCoord([1, 2, 3], [4, 5, 6], unit=u.deg))
    gone = wwt.add_circle(M31)
    gone.remove()
    table = wwt.layers.add_table_layer(Table({"ra": [1.0], "dec": [2.0]}))
    wwt.layers.add_table_layer(Table({"ra": [1.0], "dec": [2.0]})).remove()
    for on in (True, False, True):
        wwt.crosshairs = on
    table.size_scale = 50
    table.size_scale = 60
    wwt.center_on_coordinates(M31, fov=2 * u.deg)
    wwt.center_on_coordinates(M31, fov=3 * u.deg, instant=False)
    wwt.pause_time()
    wwt.play_time(rate=5)
    wwt.load_tour("http://example.org/a.wtt")
    wwt.refresh_tile_cache()

    messages = page.everything()
    assert {m["id"] for m in messages if "id" in m} == {line.id, table.id}
    assert events(messages).count("line_add_point") == 3
    assert [m["value"] for m in messages if m.get("setting") == "showCrosshairs"] == [True]
    assert [m["value"] for m in messages if m.get("setting") == "scaleFactor"] == [60]
    assert messages[-1] == {**messages[-1], "event": "center_on_coordinates", "fov": 3.0, "instant": True}
    assert [event for event in events(messages) if "time" in event] == ["resume_time"]
    assert not {"load_tour", "clear_tile_cache"} & set(events(messages))


def test_what_was_made_is_told_before_what_was_changed_on_it(page: Page, wwt: PreviewWWT):
    circle = wwt.add_circle(M31)
    circle.radius = 3 * u.deg
    circle.set_center(SkyCoord(1, 2, unit=u.deg))
    layer = wwt.layers.add_table_layer(Table({"ra": [1.0], "dec": [2.0]}))
    layer.update_data(Table({"ra": [1.0, 2.0], "dec": [2.0, 3.0]}))
    messages = page.everything()
    for thing in (circle.id, layer.id):
        assert events([m for m in messages if m.get("id") == thing])[0].endswith("_create")
    made = next(m for m in messages if m["event"] == "table_layer_create")
    assert made["table"] == layer._table_b64
    assert "table_layer_update" not in events(messages)


def test_a_view_goes_to_a_new_image_only_if_nothing_was_looked_at_since():
    replay = Replay()
    replay.note({"event": "image_layer_create", "id": "a", "url": "u"})
    replay.note({"event": "image_layer_create", "id": "b", "url": "v"})
    assert [m["goto"] for m in replay.messages()] == [False, True]
    replay.note({"event": "center_on_coordinates", "ra": 1, "dec": 2, "fov": 3, "instant": False})
    assert [m.get("goto") for m in replay.messages()] == [False, False, None]


def test_the_last_word_on_what_is_seen_stands(page: Page, wwt: PreviewWWT):
    wwt.set_view("solar system")
    assert "set_viewer_mode" in events(page.everything())
    wwt.set_view("sky")
    messages = page.everything()
    assert "set_viewer_mode" not in events(messages)
    assert [m["name"] for m in messages if "name" in m] == [OFFLINE_SKY, DRAFT_IMAGE]


# The sky and the network


def test_surveys_have_pywwts_names_and_are_loaded_when_named(page: Page, wwt: PreviewWWT):
    assert wwt.imagery.ir.twomass == "2Mass: Imagery (Infrared)"
    assert wwt.imagery.gamma.fermi in wwt.available_layers
    assert (wwt.background, wwt.foreground) == (OFFLINE_SKY, DRAFT_IMAGE)
    wwt.background = wwt.imagery.visible.sdss
    collection, named = page.everything()[:2]
    assert named == {"event": "set_background_by_name", "name": "SDSS: Sloan Digital Sky Survey (Optical)"}
    listed = ElementTree.fromstring(page.read(collection["url"]))
    urls = {image.get("Name"): image.get("Url") for image in listed}
    assert urls[wwt.background].startswith(f"{PRIVATE}/0/network/https://cdn.worldwidetelescope.org/")
    assert set(urls) <= set(wwt.available_layers)
    with pytest.raises(TraitError):
        wwt.background = "No such sky"


def test_reset_goes_back_to_the_previews_own(page: Page, wwt: PreviewWWT):
    wwt.foreground = wwt.imagery.gamma.fermi
    wwt.foreground_opacity = 0.3
    wwt.layers.add_table_layer(Table({"ra": [1.0], "dec": [2.0]}))
    wwt.reset()
    assert (wwt.foreground, wwt.foreground_opacity, len(wwt.layers)) == (DRAFT_IMAGE, 1.0, 0)
    assert "table_layer_create" not in events(page.everything())


@pytest.fixture
def site(tmp_path: Path):
    """A web site with one collection, which refers to another."""
    image = '<ImageSet Name="{0}" Url="tiles/{{1}}/{{3}}_{{2}}.png"><ThumbnailUrl>t.jpg</ThumbnailUrl></ImageSet>'
    pages = {
        "/a/index.wtml": f'<Folder>{image.format("Outer")}<Folder Url="inner.wtml" Name="In"/></Folder>',
        "/a/inner.wtml": f"<Folder>{image.format('Inner')}</Folder>",
        "/a/page.html": "<html><p>no",
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = pages.get(self.path)
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write((found or "").encode())

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/a"
        server.shutdown()


def test_a_collection_of_the_web_reaches_the_page_with_addresses_that_it_may_load(
    page: Page, wwt: PreviewWWT, site: str
):
    wwt.load_image_collection(f"{site}/index.wtml")
    assert "Outer" in wwt.available_layers
    wwt.background = "Outer"
    message = page.everything()[0]
    outer = ElementTree.fromstring(page.read(message["url"]))
    assert outer[0].get("Url") == f"{PRIVATE}/0/network/{site}/tiles/{{1}}/{{3}}_{{2}}.png"
    assert outer[0].findtext("ThumbnailUrl") == f"{PRIVATE}/0/network/{site}/t.jpg"
    assert outer[1].get("Url") == ""

    wwt.load_image_collection(f"{site}/index.wtml", recursive=True, remote_only=True)
    message = page.everything()[1]
    assert message["loadChildFolders"] is True
    inner = ElementTree.fromstring(page.read(message["url"]))[1].get("Url")
    assert ElementTree.fromstring(page.read(inner))[0].get("Name") == "Inner"

    layer = wwt.layers.add_preloaded_image_layer(f"{site}/tiles/{{1}}/{{3}}_{{2}}.png")
    made = next(m for m in page.everything() if m.get("id") == layer.id and m["event"] == "image_layer_create")
    assert made["url"] == outer[0].get("Url")


def test_a_collection_that_cannot_be_had_is_said_in_words(page: Page, wwt: PreviewWWT, site: str):
    with pytest.raises(SourceError, match="can't be read"):
        wwt.load_image_collection(f"{site}/nothing.wtml")
    with pytest.raises(SourceError, match="not a WTML"):
        wwt.load_image_collection(f"{site}/page.html")
    wwt.load_image_collection(f"{site}/nothing.wtml", remote_only=True)
    wwt._publish.report = (said := []).append
    assert b"ImageSet" not in page.read(page.everything()[0]["url"])  # the view goes on without, and says so
    assert "nothing.wtml' can't be read: the server says 404" in said[0]


def test_outlines_of_instruments_come_with_the_preview(page: Page, wwt: PreviewWWT):
    assert "hst_wfc3_ir" in wwt.instruments.available
    field = wwt.add_fov(wwt.instruments.jwst_nircam, center=M31, rotate=12 * u.deg, line_color="#D4BD8A")
    assert events(page.everything()).count("annotation_create") == 5
    field.remove()
    assert page.everything() == []
    with pytest.raises(AttributeError, match="hst_acs_wfc"):
        _ = wwt.instruments.hubble_of_the_future


# Layers and the files behind them


def test_an_image_layer_is_read_from_the_disk_and_nothing_beside_it(page: Page, wwt: PreviewWWT, tmp_path: Path):
    fits.writeto(tmp_path / "my.fits", pixels(), wcs().to_header())
    layer = wwt.layers.add_image_layer(str(tmp_path / "my.fits"))
    made = page.everything()[0]
    assert (made["event"], made["mode"], made["name"]) == ("image_layer_create", "fits", "my")
    assert page.read(made["url"]) == Path(layer._sanitized_image).read_bytes()
    folder, _, name = made["url"].rpartition("/")
    for other in (
        "",
        f"../{name}",
        f"./{name}",
        name.upper(),
        f"/{name}",
        f"{name}/",
        f"%2e/{name}",
        "/etc/passwd",
        f"{name}%00",
    ):
        assert page.read(f"{folder}/{other}") is None, other
    layer.cmap, layer.stretch, layer.vmin, layer.vmax, layer.opacity = "plasma", "sqrt", 400, 1000, 0.9
    messages = page.everything()
    assert next(m["cmap"] for m in messages if m["event"] == "image_layer_cmap") == "plasma"
    stretch = next(m for m in messages if m["event"] == "image_layer_stretch")
    assert (stretch["stretch"], stretch["vmin"], stretch["vmax"]) == (3, 400, 1000)
    with pytest.raises(ValueError, match="viridis"):
        layer.cmap = "jet"
    with pytest.raises(ValueError, match="not the name"):
        layer.cmap = "no such colors"


@pytest.mark.parametrize("form", ["tuple", "HDU", "path"])
def test_an_image_layer_is_made_of_whatever_holds_an_image(page: Page, wwt: PreviewWWT, tmp_path: Path, form: str):
    hdu = fits.PrimaryHDU(pixels(), wcs().to_header())
    hdu.writeto(tmp_path / "my.fits")
    image = {"tuple": (pixels(), wcs()), "HDU": hdu, "path": tmp_path / "my.fits"}[form]
    wwt.layers.add_image_layer(image)
    assert page.read(page.everything()[0]["url"]).startswith(b"SIMPLE")


def test_a_tiled_image_is_a_tree_of_which_the_page_reads_the_tiles(page: Page, wwt: PreviewWWT, tmp_path: Path):
    fits.writeto(tmp_path / "big.fits", pixels(600), wcs(600).to_header())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = wwt.layers.add_image_layer(str(tmp_path / "big.fits"), tiling_method=TilingMethod.TAN, verbose=False)
    collection, made = page.everything()[:2]
    assert (collection["event"], made["mode"], made["id"]) == ("load_image_collection", "preloaded", layer.id)
    listed = ElementTree.fromstring(page.read(collection["url"]))
    url = next(listed.iter("ImageSet")).get("Url")
    assert url == made["url"]
    tile = url.replace("{1}", "0").replace("{2}", "0").replace("{3}", "0")
    assert page.read(tile).startswith(b"SIMPLE")
    root = collection["url"].removesuffix("index.wtml")
    (tmp_path / "big_tiled" / "secret.fits").write_bytes(b"secret")
    (tmp_path / "big_tiled" / "1" / "1").mkdir(parents=True, exist_ok=True)
    (tmp_path / "big_tiled" / "1" / "1" / "1_0.fits").unlink(missing_ok=True)
    (tmp_path / "big_tiled" / "1" / "1" / "1_0.fits").symlink_to("/etc/hostname")
    for other in (
        "secret.fits",
        "../big.fits",
        "index_rel.wtml",
        "0/0/../0/0_0.fits",
        "0/0/0_0.FITS",
        "00/0/0_0.fits",
        "1/1/1_0.fits",
    ):
        assert page.read(root + other) is None, other


def test_colors_of_a_table_may_be_named_or_given(page: Page, wwt: PreviewWWT):
    layer = wwt.layers.add_table_layer(Table({"ra": [1.0, 2], "dec": [2.0, 3], "mag": [5.0, 9]}), frame="Sky")
    layer.cmap_att, layer.cmap = "mag", "plasma"
    layer.size_att = "mag"
    set_to = {m["setting"]: m["value"] for m in page.everything() if m["event"] == "table_layer_set"}
    assert (set_to["colorMapperName"], set_to["normalizeColorMapMin"], set_to["sizeColumn"]) == ("plasma", 5.0, "mag")
    layer.cmap = "hsv"  # not one of WWT's: the colors are computed here
    assert layer.cmap.name == "hsv"
    wwt.layers.remove(layer)
    assert len(wwt.layers) == 0
    with pytest.raises(ValueError, match="frame"):
        wwt.layers.add_table_layer(Table({"ra": [1.0], "dec": [2.0]}), frame="Atlantis")
    with pytest.raises(ValueError, match="table"):
        wwt.layers.add_table_layer()


def test_sliders_and_menus_follow_the_layer(wwt: PreviewWWT, tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = wwt.layers.add_image_layer((pixels(), wcs()))
        assert "Opacity" in str(layer.controls.children[0].children[2].description)
        layer.controls.children[0].children[2].value = 0.25
        assert wwt.layer_controls.children[0].value == OFFLINE_SKY
    assert layer.opacity == 0.25


# What the page says, and who waits for it


def test_the_view_is_known_once_a_page_has_told_it(page: Page, wwt: PreviewWWT):
    with pytest.raises(NotShownError, match="becomes_ready"):
        wwt.get_center()
    page.everything()
    page.say(kind="from_app", message=VIEW)
    assert wwt.get_center().ra.rad == pytest.approx(1.0)
    assert wwt.get_fov() == 3 * u.deg
    assert wwt.get_current_time().isot >= "2026-01-02T03:04:05.678"
    for wrong in (
        {**VIEW, "raRad": None},
        {**VIEW, "decRad": "x"},
        {**VIEW, "engineClockISOT": "soon"},
        "x",
        None,
        [VIEW],
    ):
        page.say(kind="from_app", message=wrong)
    assert wwt.get_center().ra.rad == pytest.approx(1.0)


def test_a_wait_ends_when_a_page_comes_in_any_thread(page: Page, wwt: PreviewWWT):
    async def wait() -> Any:
        threading.Timer(0.1, lambda: page.say(id=1, kind="app_messages")).start()
        return await wwt.becomes_ready()

    assert asyncio.run(wait()) is wwt
    assert asyncio.run(wwt.becomes_ready()) is wwt  # and at once from then on, on any loop


def test_waiting_for_a_preview_without_a_view_ends_in_words(wwt: PreviewWWT):
    with pytest.raises(NotShownError, match="end of a cell") as raised:
        asyncio.run(wwt.becomes_ready(timeout=0.05))
    assert isinstance(raised.value, TimeoutError)


def test_an_answer_of_the_app_ends_the_waiting_for_it_on_the_waiters_own_loop(page: Page, wwt: PreviewWWT):
    async def question() -> dict[str, Any]:
        waiting = wwt._send_into_future(event="layer_hipscat_datainview", tableId="t", limit=True)
        thread = next(iter(wwt._futures))
        answer = {"event": "layer_hipscat_datainview_reply", "threadId": thread, "data": "a\tb"}
        for _ in range(2):  # of two views the first one counts
            threading.Thread(target=lambda: page.say(kind="from_app", message=answer)).start()
        return await waiting

    assert asyncio.run(question())["data"] == "a\tb"


def test_a_program_is_called_back_when_a_source_is_selected(page: Page, wwt: PreviewWWT):
    calls: list[Any] = []
    wwt.set_selection_change_callback(lambda it, changed: calls.append((it, changed)))
    page.say(
        kind="from_app",
        message={"type": "wwt_selection_state", "mostRecentSource": {"ra": 1}, "selectedSources": [{"ra": 1}]},
    )
    assert calls == [(wwt, ["most_recent_source", "selected_sources"])]
    assert wwt.most_recent_source == {"ra": 1} and wwt.selected_sources == [{"ra": 1}]


def test_showing_the_api_shows_the_preview(page: Page, wwt: PreviewWWT):
    assert wwt._repr_mimebundle_() == page.preview._repr_mimebundle_()
    assert "Preview" in repr(wwt)


def test_a_page_of_ones_own_is_written_with_data_and_without_the_previews_own_names(
    page: Page, wwt: PreviewWWT, tmp_path: Path
):
    page.everything()
    wwt.add_circle(M31)
    wwt.layers.add_image_layer((pixels(), wcs()))
    wwt.save_as_html_bundle(str(tmp_path / "figure"), title="A figure")
    written = json.loads((tmp_path / "figure" / "wwt_figure.json").read_text())
    assert written["foreground_settings"]["background"] == "Hydrogen Alpha Full Sky Map"
    assert len(list((tmp_path / "figure" / "data").glob("*.fits"))) == 1


def test_on_ipykernel_6_which_receives_nothing_while_a_cell_runs_there_is_no_wait(wwt: PreviewWWT, monkeypatch):
    monkeypatch.setattr("ipykernel.version_info", (6, 31, 0))
    assert asyncio.run(wwt.becomes_ready()) is wwt
