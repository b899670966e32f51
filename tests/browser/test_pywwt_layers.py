"""pywwt's layers and annotations on a preview, and the files of WWT that they need: what is drawn, and what is requested."""

from __future__ import annotations

import contextlib
import io
import re
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from browser.bare_page import bare_page
from browser.marked_image import sky_to_pixel
from browser.on_sky import camera, sky, wait_revision
from browser.watching import WatchedPage
from constellations_widgets import ImageDraft, Preview
from constellations_widgets.widgets import preview as preview_module
from constellations_widgets.widgets.wwt.api import PreviewWWT
from constellations_widgets.widgets.wwt.app import app_files

NEXT_ENGINE = Path(__file__).parents[2] / "js/node_modules/@wwtelescope/engine/src/index.js"
REFERENCE = Path(find_spec("pywwt").origin).parent / "tests/data/refimg_sky_layers/a.png"
ORION = SkyCoord(84, -2, unit="deg")
WWT_SERVERS = re.compile(r"https://([\w-]+\.)?(worldwidetelescope|wwtassets)\.org/")


class View:
    """A preview on a black sky in a plain page, and what is seen on it."""

    def __init__(self, element: Locator, wwt: PreviewWWT):
        self.element, self.wwt = element, wwt

    def until(self, seen: Callable[[np.ndarray], bool], what: str = "") -> np.ndarray:
        """Wait until the picture is as it should be; return it."""
        deadline = time.monotonic() + 240
        while not seen(picture := sky(self.element).astype(int)):
            assert time.monotonic() < deadline, f"{what or seen.__name__} is not to be seen"
            self.element.page.wait_for_timeout(300)
        return picture

    def around(self, picture: np.ndarray, ra: float, dec: float, size: int = 20) -> np.ndarray:
        """The square of pixels around a position, which is in sight."""
        x, y = (round(value) for value in sky_to_pixel(ra, dec, camera(self.element)))
        return picture[y - size : y + size, x - size : x + size]

    def look(self, where: SkyCoord, fov: float) -> None:
        self.wwt.center_on_coordinates(where, fov=fov * u.deg)
        handle = self.element.element_handle()
        handle.owner_frame().wait_for_function(
            "([it, fov]) => Math.abs(JSON.parse(it.dataset.cxwCamera ?? '{}').fov - fov) < 1e-6",
            arg=[handle, fov],
            timeout=180_000,
        )


@contextlib.contextmanager
def black_sky(page: Page, where: SkyCoord = ORION, fov: float = 40) -> Iterator[View]:
    page.set_viewport_size({"width": 420, "height": 600})
    preview = Preview(height="400px")
    wwt = preview.wwt
    wwt.background = wwt.foreground = "Black Sky Background"
    with bare_page(page, preview) as frame:
        view = View(frame.locator(".cxw-preview"), wwt)
        view.element.locator("iframe").wait_for(timeout=180_000)
        view.look(where, fov)
        yield view


def red(picture: np.ndarray) -> np.ndarray:
    return (picture[..., 0] > 100) & (picture[..., 1] < 60) & (picture[..., 2] < 60)


def points(**columns: list[float] | u.Quantity) -> Table:
    return Table(columns)


# Tables


def test_points_look_as_in_pywwts_own_reference_picture(page: Page):
    expected = np.asarray(Image.open(REFERENCE).convert("RGB")).astype(int)
    with black_sky(page, SkyCoord(18 * u.hourangle, 66 * u.deg), 60) as view:
        for dec in (54, 44):
            table = points(flux=[2, 3, 4, 5, 6], dec=[dec + row for row in range(5)], ra=range(250, 300, 10) * u.deg)
            view.wwt.layers.add_table_layer(table=table, cmap_att="ra", size_att="flux", size_scale=100)
        at = [(x, y, 45) for x, y in [(136, 238), (115, 300)]] + [(200, 261, 12), (200, 326, 12)]

        def as_bright(picture: np.ndarray) -> bool:
            shift = (picture.shape[1] - expected.shape[1]) / 2  # the page's width is not that of pywwt's window
            for x, y, size in at:
                found, wanted = (
                    image[y - size : y + size, round(x + move) - size : round(x + move) + size, 1].sum()
                    for image, move in ((picture, shift), (expected, 0))
                )
                if abs(found / wanted - 1) > 0.06:
                    return False
            return True

        view.until(as_bright)


def test_tables_and_black_skies_are_drawn_as_pywwt_documents_them(page: Page):
    with black_sky(page) as view:
        layers = view.wwt.layers
        layer = layers.add_table_layer(points(ra=[84.0] * u.deg, dec=[-2.0]), color="red", size_scale=200)

        def filled(picture: np.ndarray) -> float:
            """The part of the smallest square around the points that they fill."""
            found = red(view.around(picture, 84, -2, 60))
            y, x = np.nonzero(found)
            return found.sum() / (np.ptp(x) + 1) / (np.ptp(y) + 1) if len(x) else 0.0

        for marker, least, most in [
            ("square", 0.97, 1),
            ("circle", 0.74, 0.83),
            ("point", 0.7, 0.9),
            ("pushpin", 0.1, 0.65),
        ]:
            layer.marker_type = marker
            view.until(lambda picture, least=least, most=most: least <= filled(picture) <= most, marker)
        layer.remove()
        view.until(lambda picture: not red(picture).any(), "nothing")

        # Frames that the engine does not have, a longitude without a unit, and one in hours.
        galactic, ecliptic = ORION.galactic, ORION.barycentricmeanecliptic
        tables = [
            (points(l=[galactic.l.deg], b=[galactic.b.deg]), {"frame": "Galactic", "lon_att": "l", "lat_att": "b"}),
            (
                points(lon=[ecliptic.lon.hourangle], lat=[ecliptic.lat.deg]),
                {"frame": "ecliptic", "lon_unit": u.hourangle},
            ),
            (points(ra=[84.0], dec=[-2.0]), {"frame": "Sky"}),
        ]
        for table, options in tables:
            layer = layers.add_table_layer(table, color="red", size_scale=100, marker_type="square", **options)
            view.until(lambda picture: red(view.around(picture, 84, -2, 12)).mean() > 0.5, str(options))
            layer.remove()
            view.until(lambda picture: not red(picture).any(), "nothing")
        view.look(SkyCoord(10, 5, unit="deg"), 30)
        layers.add_table_layer(points(ra=[10.0], dec=[5.0]), color="red", size_scale=100, marker_type="square")
        view.until(lambda picture: red(view.around(picture, 10, 5, 12)).mean() > 0.5, "a right ascension below 24")

        # A black sky covers what is behind it, as far as it is opaque.
        layers[0].remove()
        view.look(ORION, 60)
        view.wwt.background = "Offline sky"

        def brightness(picture: np.ndarray) -> float:
            return picture[80:300].mean()  # without the words

        view.wwt.foreground_opacity = 0
        full = brightness(view.until(lambda picture: brightness(picture) > 5, "the sky behind"))
        for opacity in (0.5, 1):
            view.wwt.foreground_opacity = opacity
            part = 1 - opacity
            view.until(lambda picture, part=part: abs(brightness(picture) / full - part) < 0.1, f"{part} of the sky")


# Annotations


def distances(picture: np.ndarray, view: View, color: int) -> np.ndarray:
    """How far from Orion the pixels of a line of a pure color are."""
    found = (picture[..., color] > 150) & (np.delete(picture, color, axis=2).max(axis=2) < 70)
    y, x = np.nonzero(found)
    middle = sky_to_pixel(ORION.ra.deg, ORION.dec.deg, camera(view.element))
    return np.hypot(x + 0.5 - middle[0], y + 0.5 - middle[1])


def test_annotations_are_as_large_as_was_said_and_leave_the_sky_when_they_are_removed(page: Page):
    with black_sky(page) as view:
        wwt = view.wwt
        circle = wwt.add_circle(ORION, radius=8 * u.deg, line_color="red")
        wwt.add_circle(ORION, radius=50 * u.pixel, line_color=(0, 1, 0))
        there = [
            circle,
            wwt.add_polygon(SkyCoord([80, 79, 80], [3, 4, 5], unit="deg"), line_color="blue"),
            wwt.add_line(SkyCoord([88, 90], [3, 4], unit="deg"), color="blue"),
            wwt.add_collection(SkyCoord([80, 88], [-8, -8], unit="deg"), radius=1 * u.deg, line_color="blue"),
            wwt.add_fov("spitzer_irac", center=SkyCoord(84, -12, unit="deg"), line_color="blue"),
        ]
        wanted = np.tan(np.radians(8)) / np.tan(np.radians(40) / 2) * 200

        def at(pixels: float, color: int) -> Callable[[np.ndarray], bool]:
            def a_circle(picture: np.ndarray) -> bool:
                found = distances(picture, view, color)
                return len(found) > 100 and bool(np.abs(found - pixels).max() < 2.5)

            return a_circle

        blue = lambda picture: (picture[..., 2] > 150) & (picture[..., :2].max(axis=2) < 70)  # noqa: E731
        view.until(lambda picture: at(wanted, 0)(picture) and at(50, 1)(picture) and blue(picture).any(), "all of them")
        view.look(ORION, 20)  # a radius in pixels stays as it is
        view.until(at(50, 1))
        for annotation in there:
            annotation.remove()
        view.until(lambda picture: not red(picture).any() and not blue(picture).any(), "nothing but the green circle")
        assert at(50, 1)(sky(view.element).astype(int))


# The engine's next version


def with_next_engine() -> Iterator[tuple[str, bytes]]:
    """pywwt's app with the engine's next version in the place of its own: its bundle's module is defined before."""
    files = dict(app_files())
    module = re.search(rb'[,{](\d+):function\(module\)\{(?=.{,200}"\./esm/annotation\.js)', files["app"], re.DOTALL)
    assert module
    push = b"(self.webpackChunk_wwtelescope_research_app ??= []).push"
    chunk = b'%s([["next"], {%s: function (module, exports) {\n%s\n}}]);\n'
    files["libraries"] = chunk % (push, module[1], NEXT_ENGINE.read_bytes()) + files["libraries"]
    yield from files.items()


def test_the_engines_next_version_draws_the_same(page: Page, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preview_module, "app_files", with_next_engine)
    requested: list[str] = []
    page.route(WWT_SERVERS, lambda route: (requested.append(route.request.url), route.abort()))
    with black_sky(page) as view:
        circle = view.wwt.add_circle(ORION, radius=8 * u.deg, line_color="red")
        wanted = np.tan(np.radians(8)) / np.tan(np.radians(40) / 2) * 200

        def a_circle(picture: np.ndarray) -> bool:
            found = distances(picture, view, 0)
            return len(found) > 100 and bool(np.abs(found - wanted).max() < 2.5)

        view.until(a_circle)
        circle.remove()
        layer = view.wwt.layers.add_table_layer(points(ra=[84.0], dec=[-2.0]), color="red", size_scale=100)
        layer.marker_type = "square"
        view.until(lambda picture: red(view.around(picture, 84, -2, 12)).mean() > 0.5, "a square")
        assert requested == []
        view.wwt.constellation_labels = True
        expect(view.element).to_contain_text("could not load the letters of labels", timeout=180_000)
        assert any("glyphs2" in url for url in requested)  # it names its files differently


# Files of WWT


def letters() -> bytes:
    """WWT's list of glyphs, in which each letter is a white box."""
    item = (
        '<GlyphItem Glyph="{}" UVLeft="0" UVTop="0" UVWidth="1" UVHeight="1" SizeWidth="40" SizeHeight="60" '
        'ExtentsWidth="40" ExtentsHeight="60"/>'
    )
    names = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return f"<GlyphItems>{''.join(map(item.format, names))}</GlyphItems>".encode()


def picture(color: str, size: tuple[int, int] = (64, 64)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


HEVELIUS = b"""<?xml version="1.0"?><Folder Name="Hevelius" Group="Explorer" Type="Sky">
<Place Name="Orion" DataSetType="Sky" RA="5.6" Dec="-2" Constellation="ORI" Classification="Constellation" ZoomLevel="60">
<ForegroundImageSet><ImageSet Name="Orion's picture" Url="http://pictures.example.org/orion.png" DataSetType="Sky"
 BandPass="Visible" Projection="SkyImage" FileType=".png" TileLevels="0" BaseTileLevel="0" BaseDegreesPerTile="0.25"
 CenterX="84" CenterY="-2" OffsetX="32" OffsetY="32" Rotation="0" BottomsUp="False" Sparse="False" QuadTreeMap=""
 ElevationModel="False" Generic="False" StockSet="False" WidthFactor="2"><ThumbnailUrl/></ImageSet></ForegroundImageSet>
</Place></Folder>"""

CATALOGS = """<Folder Name="hips" Group="Explorer" Type="Sky"><ImageSet Name="A catalog" Url="http://hips.example.org/a/Norder{0}/Dir{1}/Npix{2}"
 DataSetType="Sky" BandPass="Visible" Projection="Healpix" FileType="tsv" TileLevels="3" BaseTileLevel="0" BaseDegreesPerTile="180"
 CenterX="0" CenterY="0" OffsetX="0" OffsetY="0" Rotation="0" BottomsUp="False" Sparse="False" QuadTreeMap="" ElevationModel="False"
 Generic="False" StockSet="False" WidthFactor="2"><ThumbnailUrl/></ImageSet></Folder>"""


class StandIn:
    """WWT's servers, as far as a test needs them."""

    def __init__(self, page: Page):
        self.requested: list[str] = []
        page.route(WWT_SERVERS, self._answer)
        page.route("https://pictures.example.org/*", self._answer)

    def _answer(self, route: Route) -> None:
        url = route.request.url
        self.requested.append(url)
        found = {
            "glyphs1.xml": letters(),
            "glyphs1.png": picture("white"),
            "W=hevelius": HEVELIUS,
            "orion.png": picture("magenta"),
        }
        body = next((content for name, content in found.items() if name in url), None)
        headers = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(status=200 if body else 404, body=body or b"", headers=headers)

    def asked_for(self, *names: str) -> bool:
        return all(any(name in url for url in self.requested) for name in names)


def test_files_of_wwt_are_requested_when_a_program_asks_for_them_and_not_before(page: Page):
    servers = StandIn(page)
    with black_sky(page, fov=60) as view:
        wwt = view.wwt
        wwt.grid = wwt.ecliptic_grid = wwt.constellation_figures = True
        wwt.layers.add_table_layer(points(ra=[84.0], dec=[-2.0]), marker_type="pushpin")
        view.until(lambda picture: bool((picture.max(axis=2) > 100).sum() > 300), "a grid")
        wwt.grid = wwt.ecliptic_grid = wwt.constellation_figures = False
        wwt.layers[0].remove()
        view.until(lambda picture: bool(picture[80:300].max() < 30), "a black sky")
        assert servers.requested == []

        wwt.constellation_labels = True
        view.until(lambda picture: bool((picture[80:300, :, :2].min(axis=2) > 100).sum() > 50), "yellow labels")
        assert servers.asked_for("/engine/assets/glyphs1.xml", "/engine/assets/glyphs1.png")
        assert not servers.asked_for("hevelius")
        wwt.constellation_labels = False

        wwt.constellation_pictures = True

        def magenta(picture: np.ndarray) -> bool:
            middle = view.around(picture, 84, -2, 10)
            return bool((middle[..., 0] > 60).all() and (middle[..., 1] < 30).all() and (middle[..., 2] > 60).all())

        view.until(magenta)
        wwt.constellation_pictures = False
        assert not servers.asked_for("hipparcos")

        wwt.set_view("solar system")
        deadline = time.monotonic() + 240
        while not servers.asked_for("Q=hipparcos", "dss.aspx"):  # stars, and the sky behind the Milky Way
            assert time.monotonic() < deadline, servers.requested
            page.wait_for_timeout(300)


def test_what_can_not_be_loaded_is_said(page: Page):
    watch = WatchedPage(page)
    with black_sky(page) as view:
        assert watch.outside_requests == []
        view.wwt.grid_text = view.wwt.grid = view.wwt.constellation_pictures = True
        words = view.element.locator(".cxw-preview-note")
        expect(words).to_contain_text("This page could not load", timeout=180_000)
        expect(words).to_contain_text("the letters of labels (from web.wwtassets.org)", timeout=180_000)
        expect(words).to_contain_text("the pictures of the constellations (from cdn.worldwidetelescope.org)")
        with pytest.warns(UserWarning, match="No HiPS catalogs: .*can't be (read|reached|loaded)"):
            assert view.wwt.available_hips_catalog_names == []


def test_hips_catalogs_are_listed_when_a_program_asks_for_them(page: Page, monkeypatch: pytest.MonkeyPatch):
    from constellations_widgets.widgets.wwt import files

    fetched: list[str] = []
    monkeypatch.setattr(files, "fetch", lambda url, _limit, **_options: (fetched.append(url) or CATALOGS.encode(), url))
    with black_sky(page) as view:
        assert fetched == []
        assert view.wwt.available_hips_catalog_names == ["A catalog"]
        asked: list[str] = []
        page.route("http://hips.example.org/**", lambda route: (asked.append(route.request.url), route.abort()))
        loaded = {"event": "layer_hipscat_load", "tableId": "a", "name": "A catalog", "threadId": "none"}
        deadline = time.monotonic() + 240
        while "http://hips.example.org/a/properties" not in asked:
            view.wwt._send_msg(**loaded)  # as `add_hips_catalog_layer` does, which waits for an answer
            assert time.monotonic() < deadline
            page.wait_for_timeout(500)
        assert set(fetched) == {fetched[0]}


# HiPS


@pytest.fixture(scope="module")
def hips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HiPS whose twelve base tiles have one color each, red where Orion is."""
    folder = tmp_path_factory.mktemp("hips")
    (folder / "Norder0/Dir0").mkdir(parents=True)
    for tile in range(12):
        (folder / f"Norder0/Dir0/Npix{tile}.png").write_bytes(picture("red" if tile == 5 else "blue", (64, 64)))
    (folder / "properties").write_text(
        "hips_version = 1.4\nhips_frame = equatorial\nhips_order = 0\nhips_tile_format = png\n"
    )
    (folder / "secret.txt").write_text("no part of it")
    values = {
        "Name": "My HiPS",
        "Url": "Norder{0}/Dir{1}/Npix{2}.png",
        "FileType": ".png",
        "Projection": "Healpix",
        "TileLevels": "0",
        "BaseDegreesPerTile": "180",
    }
    constant = dict.fromkeys(("CenterX", "CenterY", "OffsetX", "OffsetY", "Rotation", "BaseTileLevel"), "0")
    attributes = " ".join(f'{name}="{value}"' for name, value in (values | constant).items())
    (folder / "index_rel.wtml").write_text(
        f'<Folder Name="x" Type="Sky"><ImageSet {attributes} DataSetType="Sky" BandPass="Visible" BottomsUp="False" '
        'QuadTreeMap="" Sparse="True" WidthFactor="2"><ThumbnailUrl/></ImageSet></Folder>'
    )
    return folder


def test_a_hips_of_this_machine_is_drawn(page: Page, hips: Path):
    with black_sky(page) as view:
        view.wwt.load_image_collection(str(hips))
        view.wwt.background, view.wwt.foreground_opacity = "My HiPS", 0
        view.until(lambda picture: red(picture[80:300]).mean() > 0.5, "a red sky")
        view.look(SkyCoord(180, -2, unit="deg"), 20)
        view.until(lambda picture: (picture[80:300, :, 2] > 200).mean() > 0.5, "a blue sky")


def test_a_draft_of_a_hips_is_previewed(page: Page, hips: Path):
    page.set_viewport_size({"width": 420, "height": 700})
    preview = Preview(ImageDraft.from_wtml(hips, autosave=False), height="400px")
    wwt = preview.wwt
    with bare_page(page, preview) as frame:
        view = View(wait_revision(frame.locator(".cxw-preview"), preview.revision), wwt)
        view.look(ORION, 20)
        view.until(lambda picture: red(picture[80:300]).mean() > 0.5, "a red sky")
