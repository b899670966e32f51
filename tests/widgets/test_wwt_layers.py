"""The kernel's half of pywwt's layers, instruments and HiPS on a preview: what is said to the app, and what its page may read."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from pywwt.layers import VALID_MARKER_TYPES

from constellations_widgets import ImageDraft
from constellations_widgets.errors import SourceError
from constellations_widgets.sources.local import LocalImage
from constellations_widgets.widgets.preview import PRIVATE, Preview
from constellations_widgets.widgets.wwt import files
from constellations_widgets.widgets.wwt.api import PreviewWWT
from constellations_widgets.widgets.wwt.layers import PreviewTableLayer

Message = dict[str, Any]


@pytest.fixture
def wwt() -> PreviewWWT:
    preview = Preview()
    preview._send = lambda *_args, **_options: None
    return preview.wwt


def said(wwt: PreviewWWT, layer: Any) -> dict[str, Any]:
    """The last value of each setting of a layer, as a page that comes now is told; its rows as "table"."""
    about = [message for message in wwt.everything()["messages"] if message.get("id") == layer.id]
    settings = {message["setting"]: message["value"] for message in about if "setting" in message}
    (created,) = (message for message in about if message["event"] == "table_layer_create")
    rows = Table.read(base64.b64decode(created["table"]).decode(), format="ascii.csv")
    return settings | {"frame": created["frame"], "table": rows}


def add(wwt: PreviewWWT, table: Table, **options: Any) -> PreviewTableLayer:
    return wwt.layers.add_table_layer(table, **options)


@pytest.mark.parametrize(
    ("frame", "astropys"),
    [("Ecliptic", "barycentricmeanecliptic"), ("ecliptic", "barycentricmeanecliptic"), ("Galactic", "galactic")],
)
@pytest.mark.parametrize("unit", [None, u.deg, u.hourangle])
def test_frames_that_the_engine_does_not_have_are_converted(wwt: PreviewWWT, frame: str, astropys: str, unit: Any):
    lon, lat = [0.0, 1.5, 23.0], [0.0, -45.0, 80.0]
    expected = SkyCoord(lon, lat, unit=(unit or u.deg, u.deg), frame=astropys).icrs
    column = lon if unit is None else lon * unit
    layer = add(
        wwt, Table({"a": column, "b": lat, "size": [1, 2, 3]}), frame=frame, lon_att="a", lat_att="b", size_att="size"
    )
    now = said(wwt, layer)
    found = SkyCoord(now["table"][now["lngColumn"]], now["table"][now["latColumn"]], unit=u.deg)
    assert found.separation(expected).max() < 1e-6 * u.arcsec
    assert (now["frame"], now["raUnits"], now["sizeColumn"]) == ("Sky", "degrees", "size")
    assert layer.table.colnames == ["a", "b", "size"]  # the program's table is its own

    layer.update_data(Table({"a": [10.0], "b": [20.0]}))
    now = said(wwt, layer)
    expected = SkyCoord(10, 20, unit=(layer.lon_unit, u.deg), frame=astropys).icrs
    assert np.isclose(now["table"][now["lngColumn"]][0], expected.ra.deg)


def test_columns_chosen_later_and_masked_rows_are_converted_too(wwt: PreviewWWT):
    table = Table({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]}, masked=True)
    table["a"].mask = [False, True]
    layer = add(wwt, table, frame="galactic", lon_att="b", lat_att="c")
    layer.lon_att = "a"
    now = said(wwt, layer)
    found = np.ma.filled(np.ma.asarray(now["table"][now["lngColumn"]], dtype=float), np.nan)
    assert np.isclose(found[0], SkyCoord(1, 5, unit="deg", frame="galactic").icrs.ra.deg)
    assert np.isnan(found[1])


def test_rectangular_coordinates_in_such_a_frame_are_refused_in_words(wwt: PreviewWWT):
    with pytest.raises(ValueError, match="can't be in frame 'Galactic'"):
        add(wwt, Table({"x": [1.0], "y": [1.0], "z": [1.0]}), frame="Galactic", coord_type="rectangular")


def test_a_saved_page_has_the_converted_positions(wwt: PreviewWWT, tmp_path: Path):
    layer = add(wwt, Table({"l": [0.0], "b": [0.0]}), frame="Galactic", lon_att="l", lat_att="b")
    state = layer._serialize_state()
    layer._save_data_for_serialization(str(tmp_path))
    rows = Table.read(tmp_path / f"{layer.id}.csv", format="ascii.csv")
    assert state["frame"] == "Sky"
    assert np.isclose(rows[state["settings"]["lngColumn"]][0], 266.404988)


@pytest.mark.parametrize(
    ("column", "options", "unit"),
    [
        ([5.0, 6.0], {}, "degrees"),
        ([205.0, 206.0], {}, "degrees"),
        ([5.0, 6.0] * u.hourangle, {}, "hours"),
        ([5.0, 6.0] * u.deg, {}, "degrees"),
        ([5.0, 6.0], {"lon_unit": u.hour}, "hours"),
    ],
)
def test_a_right_ascension_without_a_unit_is_in_degrees(wwt: PreviewWWT, column: Any, options: Message, unit: str):
    assert said(wwt, add(wwt, Table({"ra": column, "dec": [1.0, 2.0]}), **options))["raUnits"] == unit


def test_each_marker_type_is_said_as_the_engine_spells_it(wwt: PreviewWWT):
    layer = add(wwt, Table({"ra": [5.0], "dec": [1.0]}))
    for marker in VALID_MARKER_TYPES:
        layer.marker_type = marker
        assert said(wwt, layer)["plotType"] == {"pushpin": "pushPin"}.get(marker, marker)
        assert layer.marker_type == marker


def wcs_of(shape: tuple[int, ...]) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [84, -2], [shape[1] / 2, shape[0] / 2]
    wcs.wcs.cdelt = [-0.01, 0.01]
    return wcs


ROWS = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (ROWS.T, ROWS.T),
        (np.asfortranarray(ROWS), ROWS),
        (ROWS[::-1, ::2], ROWS[::-1, ::2]),
        (ROWS * u.Jy, ROWS),
        (ROWS.astype(">f4"), ROWS),
        (ROWS.astype(np.float16), ROWS),
        (ROWS > 5, (ROWS > 5) * 1.0),
        (ROWS.tolist(), ROWS),
    ],
    ids="transposed Fortran sliced unit big-endian half truth list".split(),
)
def test_pixels_of_any_layout_and_type_are_shown(
    wwt: PreviewWWT, array: Any, expected: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)  # pywwt writes its files to where the program runs
    layer = wwt.layers.add_image_layer((array, wcs_of(expected.shape)))
    np.testing.assert_allclose(fits.getdata(layer._sanitized_image), expected, atol=1e-6)


@pytest.mark.parametrize("kind", [np.int16, np.float32, float])
def test_masked_pixels_are_transparent(kind: type, wwt: PreviewWWT, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    layer = wwt.layers.add_image_layer(
        (np.ma.masked_greater(np.arange(100).reshape(10, 10).astype(kind), 49), wcs_of((10, 10)))
    )
    shown = fits.getdata(layer._sanitized_image)
    np.testing.assert_allclose(shown[:4], np.arange(40).reshape(4, 10), atol=1e-4)
    assert np.isnan(shown[6:]).all()


def test_pixels_of_an_hdu_need_not_be_one_block(wwt: PreviewWWT, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    hdu = fits.ImageHDU(ROWS.T, wcs_of((4, 3)).to_header())
    for image in (hdu, fits.HDUList([fits.PrimaryHDU(), hdu])):
        layer = wwt.layers.add_image_layer(image)
        np.testing.assert_allclose(fits.getdata(layer._sanitized_image), ROWS.T, atol=1e-6)


# Instruments


def test_the_footprint_of_k2_is_where_pywwt_has_it(wwt: PreviewWWT):
    assert wwt.instruments.k2 == "k2"
    assert wwt.instruments.available == sorted(wwt.instruments.available)
    position, outlines = wwt.instruments.entry["k2"]
    assert position == "absolute"
    # One of pywwt's own, in campaign 14.
    expected = [[160.12584, 161.34021, 161.50630, 160.28638], [11.52517, 11.35309, 12.46047, 12.63278]]
    assert min(np.abs(np.array(outline) - expected).max() for outline in outlines) < 1e-4
    with pytest.raises(ValueError, match="does not take center"):
        wwt.add_fov("k2", center=SkyCoord(1, 2, unit="deg"))


# HiPS

HIPS = "Norder{0}/Dir{1}/Npix{2}"


def write_hips(folder: Path, template: str = HIPS) -> Path:
    (folder / "Norder0/Dir0").mkdir(parents=True)
    (folder / "Norder0/Dir0/Npix5.fits").write_bytes(b"tile")
    (folder / "properties").write_text("hips_order = 0")
    (folder / "metadata.txt").write_text("no part of it")
    (folder / "index_rel.wtml").write_text(
        f'<Folder Name="x" Type="Sky"><ImageSet Name="a" Url="{template}" Projection="Healpix" FileType="fits" TileLevels="1" '
        'BaseDegreesPerTile="180" CenterX="0" CenterY="0" WidthFactor="2"/></Folder>'
    )
    return folder


def test_a_hips_serves_its_description_and_tiles_and_nothing_else(tmp_path: Path):
    image = LocalImage(write_hips(tmp_path / "a"), HIPS)
    assert (image.read("properties"), image.read("Norder0/Dir0/Npix5.fits")) == (b"hips_order = 0", b"tile")
    assert (image.top, image.hips) == ("properties", True)
    assert (
        image.listing(10, 1000).keys()
        == {entry.relative for entry in image.entries()}
        == {"properties", "Norder0/Dir0/Npix5.fits"}
    )
    assert image.listing(1, 1000) is None
    with pytest.raises(FileNotFoundError):
        image.read("Norder1/Dir0/Npix7.fits")
    for path in ["metadata.txt", "index_rel.wtml", "../properties", "Norder0/properties", "Norder0/Dir0/Npix5.exe"]:
        with pytest.raises(PermissionError):
            image.read(path)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "a/properties").unlink()
    (tmp_path / "a/properties").symlink_to(tmp_path / "secret")
    with pytest.raises(PermissionError):
        image.read("properties")
    assert not LocalImage(tmp_path, "{1}/{3}/{3}_{2}.png").hips
    with pytest.raises(PermissionError):
        LocalImage(tmp_path / "a", "{1}/{3}/{3}_{2}.png").read("properties")


@pytest.mark.parametrize("template", [HIPS, f"{HIPS}.fits"])
def test_a_page_gets_a_hips_as_the_engine_takes_it(wwt: PreviewWWT, tmp_path: Path, template: str):
    # The engine appends the extension to what the collection says.
    wwt.load_image_collection(str(write_hips(tmp_path / "a", template)))
    served = wwt._publish._served
    (path,) = (message["url"].removeprefix(f"{PRIVATE}/0/") for message in wwt.everything()["messages"])
    folder = path.removesuffix("index.wtml")
    assert f'Url="{PRIVATE}/0/{folder}{HIPS}"'.encode() in served.read(path)
    assert served.read(f"{folder}properties") == b"hips_order = 0"
    assert served.read(f"{folder}Norder0/Dir0/Npix5.fits") == b"tile"
    assert served.read(f"{folder}metadata.txt") is None


def test_the_files_of_a_draft_that_is_a_hips_are_not_missed(tmp_path: Path):
    draft = ImageDraft.from_wtml(write_hips(tmp_path / "a"), autosave=False)
    assert not [problem for problem in draft.problems if "lies at" in problem.message]
    preview = Preview(draft)
    assert preview._image.state()["fault"] is None
    (tmp_path / "a/properties").unlink()
    assert "properties no longer exists" in preview._image.state(fresh=True)["fault"]


# Tours


def test_a_tour_is_played_from_the_network_or_from_this_machine(
    wwt: PreviewWWT, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    told: list[Message] = []
    monkeypatch.setattr(wwt._link, "tell", told.append)
    wwt.load_tour("https://example.org/a.wtt")
    (tmp_path / "my tour.wtt").write_bytes(b"a tour")
    wwt.load_tour(str(tmp_path / "my tour.wtt"))
    there, here = (message["url"].removeprefix(f"{PRIVATE}/0/") for message in told)
    assert there == "network/https://example.org/a.wtt"
    assert wwt._publish._served.read(here) == b"a tour"
    with pytest.raises(SourceError, match="is not a file"):
        wwt.load_tour(str(tmp_path / "gone.wtt"))


# Lists of WWT, from the network


def test_hips_catalogs_are_fetched_once_and_only_when_asked_for(wwt: PreviewWWT, monkeypatch: pytest.MonkeyPatch):
    listed = b'<Folder><Folder><ImageSet Name="B" FileType="tsv"/><ImageSet Name="A" FileType="tsv"/></Folder><ImageSet Name="C" FileType=".png"/></Folder>'
    fetched: list[str] = []
    monkeypatch.setattr(files, "fetch", lambda url, _limit, **_options: (fetched.append(url) or listed, url))
    assert fetched == [] and not wwt.everything()["messages"]
    assert wwt.available_hips_catalog_names == wwt.available_hips_catalog_names == ["A", "B"]
    assert len(fetched) == 1
    (loaded,) = wwt.everything()["messages"]
    assert (loaded["event"], loaded["loadChildFolders"]) == ("load_image_collection", True)
    wwt.on_message({"type": "wwt_application_state", "hipsCatalogNames": []})  # of a page that has not loaded them yet
    assert wwt.available_hips_catalog_names == ["A", "B"]


def test_without_a_network_there_are_no_catalogs_and_a_warning_says_so(
    wwt: PreviewWWT, monkeypatch: pytest.MonkeyPatch
):
    def fail(url: str, _limit: int, **_options: bool) -> tuple[bytes, str]:
        raise SourceError(f"{url} can't be loaded: no route to host")

    monkeypatch.setattr(files, "fetch", fail)
    with pytest.warns(UserWarning, match="No HiPS catalogs: .*no route to host"):
        assert wwt.available_hips_catalog_names == []
    with pytest.raises(SourceError, match="can't be loaded"):
        wwt.load_image_collection("https://example.org/a.wtml")


def test_the_solar_system_comes_first_and_what_it_shows_of_the_network_after(
    wwt: PreviewWWT, monkeypatch: pytest.MonkeyPatch
):
    told: list[Message] = []
    monkeypatch.setattr(wwt._link, "tell", told.append)
    wwt._send_msg(event="set_viewer_mode", mode="3D Solar System View")
    events = [message["event"] for message in told]
    assert events == ["load_image_collection", "setting_set", "set_viewer_mode", *["load_image_collection"] * 2]
    read = wwt._publish._served.read
    listed = b'<Folder><ImageSet Name="Saturn" Url="http://a/{Q}"/></Folder>'
    monkeypatch.setattr(files, "fetch", lambda url, _limit, **_options: (listed, url))
    surveys, planets = (read(message["url"].removeprefix(f"{PRIVATE}/0/")) for message in told[-2:])
    assert b"Digitized Sky Survey (Color)" in surveys
    assert f'Url="{PRIVATE}/0/network/http://a/{{Q}}"'.encode() in planets
